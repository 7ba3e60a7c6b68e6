/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests to block devices: how long, how much, and of whom. A request belongs to
 * the member in whose context it was first put into a queue or given to the device;
 * what the kernel writes back later on its own is nobody's.
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
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_REQUESTS);
	__type(key, __u64); /* address of the request */
	__type(value, struct block_request);
} pb_block_requests SEC(".maps");

static __always_inline int begin(struct request *rq)
{
	struct block_request request = {}, *known;
	struct pb_task *member;
	struct pb_slot *slot;
	__u64 key = (__u64)rq;

	if (!pb_control.window)
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (!member)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	/* Put into the queue before: its time runs already. */
	known = bpf_map_lookup_elem(&pb_block_requests, &key);
	if (known && known->window == pb_control.window)
		return 0;
	request.id = slot->id;
	request.slot = member->slot;
	request.window = pb_control.window;
	request.began_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&pb_block_requests, &key, &request, BPF_ANY))
		count_loss(PB_LOSS_BLOCK);
	return 0;
}

SEC("?tp_btf/block_rq_insert")
int BPF_PROG(io_block_insert, struct request *rq)
{
	return begin(rq);
}

SEC("?tp_btf/block_rq_issue")
int BPF_PROG(io_block_issue, struct request *rq)
{
	return begin(rq);
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
	slot = slot_at(request->slot);
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
