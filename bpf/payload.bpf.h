/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first bytes of what a call has read or written, for those who ask for protocols: from
 * the caller's own memory, where its registers say that they lie.
 */
#ifndef PERFBPF_PAYLOAD_BPF_H
#define PERFBPF_PAYLOAD_BPF_H

#include "calls.bpf.h"
#include "connection.bpf.h"
#include "process.bpf.h"

/* The loader sets it. */
const volatile bool pb_want_payload __weak = false;

/* Of a vector: headers and the beginning of what follows. nginx says its first words of HTTP/2 in
 * five.
 */
#define PAYLOAD_PARTS 8

struct payload_scratch {
	struct pb_event_payload event;
	/* Twice what is used: the verifier does not see that an offset and a length that each are
	 * bounded are so together, too. */
	char prefix[2 * PB_PAYLOAD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct payload_scratch);
} pb_payload_scratch SEC(".maps") __weak;

/* As programs lay it out, not as the kernel does. */
struct user_part {
	__u64 base;
	__u64 length;
};

struct user_message {
	__u64 name;
	__u64 name_length;
	__u64 parts;
	__u64 n_parts;
};

/* Appends what lies at @from to the prefix; returns its new length. A function of its own: before
 * 6.3 the verifier forgets the bounds of a length that had to leave its register. */
static __noinline __u32 prefix_append(struct payload_scratch *scratch, __u32 at, __u64 from,
				      __u64 length)
{
	if (at >= PB_PAYLOAD_MAX)
		return at;
	if (length > PB_PAYLOAD_MAX - at)
		length = PB_PAYLOAD_MAX - at;
	at &= PB_PAYLOAD_MAX - 1;
	barrier_var(length);
	if (length > PB_PAYLOAD_MAX ||
	    bpf_probe_read_user(scratch->prefix + at, (__u32)length, (const void *)from))
		return at;
	return at + (__u32)length;
}

static __always_inline __u32 prefix_of_parts(struct payload_scratch *scratch, __u64 parts,
					     __u64 n_parts, __u32 length)
{
	__u32 at = 0;

#pragma unroll
	for (int i = 0; i < PAYLOAD_PARTS; i++) {
		struct user_part part;

		if ((__u64)i >= n_parts || at >= length ||
		    bpf_probe_read_user(&part, sizeof(part),
					(const void *)(parts + (__u64)i * sizeof(part))))
			break;
		if (part.length > length - at)
			part.length = length - at;
		at = prefix_append(scratch, at, part.base, part.length);
	}
	return at;
}

/* How much of the piece is known; 0 for calls that move it without the caller's memory. */
static __always_inline __u32 prefix_read(struct payload_scratch *scratch, __u32 length)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct user_message message;
	struct call call = {};

	if (task->flags & (PF_IO_WORKER | PF_USER_WORKER | PF_KTHREAD))
		return 0;
	call_of(task, &call);
	switch (call.nr) {
	case CALL_NR_READ:
	case CALL_NR_WRITE:
	case CALL_NR_SENDTO:
	case CALL_NR_RECVFROM:
		return prefix_append(scratch, 0, call.args[1], length);
	case CALL_NR_READV:
	case CALL_NR_WRITEV:
		return prefix_of_parts(scratch, call.args[1], call.args[2], length);
	case CALL_NR_SENDMMSG:
	case CALL_NR_RECVMMSG:
		/* Of several nobody tells which of them this is. */
		if (call.args[2] != 1)
			return 0;
		/* fall through */
	case CALL_NR_SENDMSG:
	case CALL_NR_RECVMSG:
		if (bpf_probe_read_user(&message, sizeof(message), (const void *)call.args[1]))
			return 0;
		return prefix_of_parts(scratch, message.parts, message.n_parts, length);
	default:
		return 0;
	}
}

static __always_inline void payload_fill(struct pb_event_payload *event,
					 struct connection *connection)
{
	event_fill(&event->event, PB_EVENT_PAYLOAD, connection->slot, connection->id);
	event->connection = connection->number;
	event->sequence = __sync_fetch_and_add(&connection->sequence, 1);
	event->role = connection->turn.role;
}

/* No more will be said. Not by way of the scratch: this can come in between another one's use. */
static __always_inline void payload_tell_end(struct connection *connection)
{
	struct pb_event_payload *event = bpf_ringbuf_reserve(&pb_ring, sizeof(*event), 0);

	if (!event) {
		count_loss(PB_LOSS_REQUESTS);
		return;
	}
	payload_fill(event, connection);
	event->arrived_ns = 0;
	event->length = event->n_prefix = 0;
	event->is_write = 0;
	bpf_ringbuf_submit(event, event_flags());
}

static __always_inline void payload_tell(struct connection *connection, __u32 length, bool is_write,
					 __u64 arrived_ns, __u64 now)
{
	struct payload_scratch *scratch;
	__u32 zero = 0, size;

	if (!pb_want_payload || connection->turn.role == PB_ROLE_UNKNOWN)
		return;
	scratch = bpf_map_lookup_elem(&pb_payload_scratch, &zero);
	if (!scratch)
		return;
	if (!connection->number)
		connection->number = __sync_fetch_and_add(&pb_control.next_connection, 1) + 1;
	payload_fill(&scratch->event, connection);
	scratch->event.event.time_ns = now;
	scratch->event.arrived_ns = arrived_ns;
	scratch->event.length = length;
	scratch->event.is_write = is_write;
	scratch->event.n_prefix = prefix_read(scratch, length);
	size = sizeof(scratch->event) + ((scratch->event.n_prefix + 7) & ~7U);
	if (size > sizeof(scratch->event) + PB_PAYLOAD_MAX)
		return;
	if (bpf_ringbuf_output(&pb_ring, scratch, size, event_flags()))
		count_loss(PB_LOSS_REQUESTS);
}

#endif
