/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests to block devices: how long, how much, and of whom. A request belongs to
 * the member in whose context it was made; what the kernel writes back later on its own is
 * nobody's.
 */
#include "histogram.bpf.h"

#define REQ_OP_MASK  0xff
#define REQ_OP_READ  0
#define REQ_OP_WRITE 1

#define MAX_REQUESTS 8192

struct block_request {
	__u64 id; /* of the process */
	__u64 began_ns;
	__u32 slot;
	__u32 window;
	__u32 is_owned; /* by a member */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_REQUESTS);
	__type(key, __u64); /* address of the request */
	__type(value, struct block_request);
} pb_block_requests SEC(".maps");

/* Remembers when a request began, and whose it is: the present task's, or nobody's of the side. */
static __always_inline void begin(struct request *rq, struct pb_task *member)
{
	struct pb_slot *slot = member ? slot_at(member->slot) : NULL;
	struct block_request request = {};
	__u64 key = (__u64)rq;

	if (slot) {
		request.id = slot->id;
		request.slot = member->slot;
		request.is_owned = 1;
	}
	request.window = pb_control.window;
	request.began_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&pb_block_requests, &key, &request, BPF_ANY) && slot)
		count_loss(PB_LOSS_BLOCK);
}

/* In the context of whoever asked for it, always (Linux 6.5). */
SEC("?tp_btf/block_io_start")
int BPF_PROG(io_block_start, struct request *rq)
{
	struct pb_task *member;

	if (!pb_control.window)
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (member)
		begin(rq, member);
	return 0;
}

/*
 * Before that: where it is put into a queue, or given to the device without one. From a queue
 * anybody can give it to the device, so everybody's are remembered there.
 */
SEC("?tp_btf/block_rq_insert")
int BPF_PROG(io_block_insert, struct request *rq)
{
	if (pb_control.window)
		begin(rq, member_of(bpf_get_current_task_btf()));
	return 0;
}

SEC("?tp_btf/block_rq_issue")
int BPF_PROG(io_block_issue, struct request *rq)
{
	struct block_request *known;
	struct pb_task *member;
	__u64 key = (__u64)rq;

	if (!pb_control.window)
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (!member)
		return 0;
	known = bpf_map_lookup_elem(&pb_block_requests, &key);
	if (!known || known->window != pb_control.window)
		begin(rq, member);
	return 0;
}

/* It has become part of another request, and will not be completed. */
SEC("?tp_btf/block_rq_merge")
int BPF_PROG(io_block_merge, struct request *rq)
{
	__u64 key = (__u64)rq;

	bpf_map_delete_elem(&pb_block_requests, &key);
	return 0;
}

static __always_inline void account(struct pb_totals *totals, __u32 op, int error, __u32 bytes,
				    __u64 ns)
{
	if (error)
		__sync_fetch_and_add(&totals->block_errors, 1);
	if (op == REQ_OP_READ) {
		__sync_fetch_and_add(&totals->block_reads, 1);
		__sync_fetch_and_add(&totals->block_read_bytes, bytes);
		hist_add(PB_HIST_BLOCK_READ, ns);
	} else if (op == REQ_OP_WRITE) {
		__sync_fetch_and_add(&totals->block_writes, 1);
		__sync_fetch_and_add(&totals->block_write_bytes, bytes);
		hist_add(PB_HIST_BLOCK_WRITE, ns);
	}
}

SEC("?tp_btf/block_rq_complete")
int BPF_PROG(io_block_complete, struct request *rq, int error, unsigned int bytes)
{
	struct block_request *request;
	struct pb_slot *slot;
	__u64 key = (__u64)rq;

	/* Not only while the window is open: what began in it must not stay in the map. */
	request = bpf_map_lookup_elem(&pb_block_requests, &key);
	if (!request)
		return 0;
	slot = request->is_owned ? slot_at(request->slot) : NULL;
	if (slot && slot->id != request->id)
		slot = slot_at(PB_SLOT_OVERFLOW);
	if (slot && pb_control.window && request->window == pb_control.window)
		account(&slot->totals, rq->cmd_flags & REQ_OP_MASK, error, bytes,
			elapsed(request->began_ns, bpf_ktime_get_ns()));
	/* A part of it: the rest will come. */
	if (bytes >= rq->__data_len)
		bpf_map_delete_elem(&pb_block_requests, &key);
	return 0;
}
