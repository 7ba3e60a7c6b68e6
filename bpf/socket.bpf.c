/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Socket throughput by process and address family; TCP connections and retransmits. */
#include "membership.bpf.h"

#define AF_UNIX     1
#define AF_INET     2
#define AF_INET6    10
#define IPPROTO_TCP 6
#define MSG_PEEK    0x2

/* Whose connection a socket is. A listener's accepted sockets inherit it (BPF_F_CLONE). */
struct socket_owner {
	__u64 id; /* of the process */
	__u32 slot;
	__u32 epoch;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_owner);
} pb_sockets SEC(".maps");

static __always_inline enum pb_family family_of(const struct sock *sk)
{
	switch (sk->__sk_common.skc_family) {
	case AF_INET:
		return PB_FAMILY_INET;
	case AF_INET6:
		return PB_FAMILY_INET6;
	case AF_UNIX:
		return PB_FAMILY_UNIX;
	default:
		return PB_FAMILY_OTHER;
	}
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_send, struct sock *sk, int length, int flags)
{
	struct pb_slot *slot;

	if (!pb_control.window || length <= 0)
		return 0;
	slot = slot_of_current();
	if (slot)
		__sync_fetch_and_add(&slot->totals.tx_bytes[family_of(sk)], length);
	return 0;
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(socket_receive, struct sock *sk, int length, int flags)
{
	struct pb_slot *slot;

	/* What is only peeked at will be received again. */
	if (!pb_control.window || length <= 0 || flags & MSG_PEEK)
		return 0;
	slot = slot_of_current();
	if (slot)
		__sync_fetch_and_add(&slot->totals.rx_bytes[family_of(sk)], length);
	return 0;
}

static __always_inline void own_socket(struct sock *sk, struct pb_task *member)
{
	struct pb_slot *slot = slot_at(member->slot);
	struct socket_owner *owner;

	owner = bpf_sk_storage_get(&pb_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner || !slot) {
		count_loss(PB_LOSS_SOCKETS);
		return;
	}
	owner->id = slot->id;
	owner->slot = member->slot;
	owner->epoch = pb_control.epoch;
}

/* The account of a socket's owner; the overflow slot where that process has ended. */
static __always_inline struct pb_slot *owner_slot(struct sock *sk)
{
	struct socket_owner *owner = bpf_sk_storage_get(&pb_sockets, sk, NULL, 0);
	struct pb_slot *slot;

	if (!owner || owner->epoch != pb_control.epoch)
		return NULL;
	slot = slot_at(owner->slot);
	if (slot && slot->id == owner->id)
		return slot;
	return slot_at(PB_SLOT_OVERFLOW);
}

/*
 * connect() and listen() run in the owner's context; a connection is established in
 * whatever context the packet came in, so the socket remembers its owner.
 */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(socket_set_state, struct sock *sk, int old_state, int new_state)
{
	struct pb_slot *slot;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new_state == BPF_TCP_SYN_SENT || new_state == BPF_TCP_LISTEN) {
		struct pb_task *member = member_of(bpf_get_current_task_btf());

		if (member)
			own_socket(sk, member);
		return 0;
	}
	if (new_state != BPF_TCP_ESTABLISHED || !pb_control.window)
		return 0;
	slot = owner_slot(sk);
	if (!slot)
		return 0;
	if (old_state == BPF_TCP_SYN_SENT)
		__sync_fetch_and_add(&slot->totals.connections_opened, 1);
	else if (old_state == BPF_TCP_SYN_RECV)
		__sync_fetch_and_add(&slot->totals.connections_accepted, 1);
	return 0;
}

SEC("?tp_btf/tcp_retransmit_skb")
int BPF_PROG(socket_retransmit, struct sock *sk)
{
	struct pb_slot *slot;

	if (!pb_control.window)
		return 0;
	slot = owner_slot(sk);
	if (slot)
		__sync_fetch_and_add(&slot->totals.retransmits, 1);
	return 0;
}

/* The TCP sockets that an enrolled process holds already. */
SEC("?iter/task_file")
int socket_enrol(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct pb_task *member;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	member = member_of(task);
	if (!member)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (sk && sk->sk_protocol == IPPROTO_TCP)
		own_socket(sk, member);
	return 0;
}
