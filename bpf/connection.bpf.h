/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is remembered of a stream socket: whose it is, who asks on it, when what lies
 * unread in it arrived, and the turn of the conversation that it is in.
 */
#ifndef PERFBPF_CONNECTION_BPF_H
#define PERFBPF_CONNECTION_BPF_H

#include "peer.bpf.h"
#include <bpf/bpf_endian.h>

#define AF_UNIX        1
#define AF_INET        2
#define AF_INET6       10
#define IPPROTO_TCP    6
#define SOCK_STREAM    1
#define SOCK_SEQPACKET 5

/* Arrivals that can lie unread with a time of their own; later ones count with the last of them. */
#define MARKS 8

/* Everything up to @end arrived at @at_ns. Counted in bytes for TCP, in packets for Unix sockets.
 */
struct mark {
	__u64 at_ns;
	__u32 end;
	__u32 pad;
};

enum turn_state {
	TURN_IDLE,     /* nothing was asked yet */
	TURN_ASKED,    /* server: has read a request; client: has sent one */
	TURN_ANSWERED, /* the answer has begun */
	TURN_STREAM,   /* the answer does not end: no turn any more until the next request */
};

/* One question and its answer. */
struct turn {
	__u64 arrived_ns; /* server: the first byte of the request came into the socket, 0: not seen
			   */
	__u64 asked_ns;   /* server: first read; client: first sent */
	__u64 complete_ns; /* server: last read before the answer */
	__u64 part_ns;     /* server: when the first byte of that read arrived */
	__u64 first_ns;    /* of the answer */
	__u64 last_ns;
	__u32 pieces; /* of the answer so far */
	__u8 state;   /* enum turn_state */
	__u8 role;    /* enum pb_role */
	__u8 is_overlapped;
	__u8 is_stream;      /* counted as one already */
	__u8 is_in_doubt;    /* something asked before it may be unanswered */
	__u8 is_interleaved; /* nobody knows to which question its answer belongs */
	__u8 pad[6];
};

/* Whose connection a socket is. A listener's accepted sockets inherit it (BPF_F_CLONE). */
struct connection {
	__u64 id; /* of the process */
	__u32 slot;
	__u32 epoch;
	__u64 number;     /* for pieces of payload, 0: none yet */
	__u64 connect_ns; /* when a member began to connect */
	/* All that follows is of this window. */
	__u32 window;
	__u32 peer;
	__u32 taken;      /* what has been read up to here */
	__u32 queued;     /* Unix: packets that came in */
	__u32 head, tail; /* of marks; only arrivals move head, only reads move tail */
	__u32 sequence;   /* of the pieces of payload */
	/* Several requests in flight, see turn_begin(). */
	__u32 open;               /* at most so many questions have no answer */
	__u64 longest_ns;         /* that an answer took since there was more than one */
	__u32 is_interleaved;     /* until it has been idle */
	__u32 late;               /* Unix: what was told of only after it had been read */
	__u64 tx_bytes, rx_bytes; /* not yet in the peer's account */
	__u64 requests, told;     /* all, and those that are in the peer's account */
	struct turn turn;
	struct mark marks[MARKS];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct connection);
} pb_sockets SEC(".maps") __weak;

/* Ports that somebody listens on, by network namespace: an established socket of such a port was
 * accepted. Filled before a running process is enrolled. */
struct listener_key {
	__u64 net;
	__u64 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct listener_key);
	__type(value, __u32);
} pb_listeners SEC(".maps") __weak;

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

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP;
}

static __always_inline bool is_unix_stream(struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX &&
	       (sk->sk_type == SOCK_STREAM || sk->sk_type == SOCK_SEQPACKET);
}

static __always_inline struct connection *connection_of(struct sock *sk)
{
	return bpf_sk_storage_get(&pb_sockets, sk, NULL, 0);
}

static __always_inline struct connection *connection_make(struct sock *sk)
{
	struct connection *connection =
		bpf_sk_storage_get(&pb_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	/* Where two CPUs meet at a new socket (data arrives while it is being accepted), the kernel
	 * turns the later one away, who then finds it made. */
	if (!connection)
		connection = bpf_sk_storage_get(&pb_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!connection)
		count_loss(PB_LOSS_SOCKETS);
	return connection;
}

static __always_inline void connection_own(struct connection *connection, struct pb_task *member)
{
	struct pb_slot *slot = slot_at(member->slot);

	if (!slot)
		return;
	connection->id = slot->id;
	connection->slot = member->slot;
	connection->epoch = pb_control.epoch;
}

/* The account of a socket's owner; the overflow slot where that process has ended. */
static __always_inline struct pb_slot *owner_slot(const struct connection *connection)
{
	struct pb_slot *slot;

	if (connection->epoch != pb_control.epoch)
		return NULL;
	slot = slot_at(connection->slot);
	if (slot && slot->id == connection->id)
		return slot;
	return slot_at(PB_SLOT_OVERFLOW);
}

/* --- who asks --------------------------------------------------------------- */

static __always_inline bool is_listened_on(struct sock *sk)
{
	struct listener_key key = {
		.net = (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net),
		.port = sk->__sk_common.skc_num,
	};

	return bpf_map_lookup_elem(&pb_listeners, &key) != NULL;
}

/*
 * Of two Unix sockets the one that has a name was accepted: it has its listener's. A
 * pair without names, or with two, is told by who speaks first.
 */
static __always_inline enum pb_role unix_role(struct sock *sk, enum pb_role if_unnamed)
{
	struct unix_sock *here = bpf_skc_to_unix_sock(sk), *there;
	bool named, other_named;

	if (!here)
		return PB_ROLE_UNKNOWN;
	there = (struct unix_sock *)BPF_CORE_READ(here, peer);
	named = BPF_CORE_READ(here, addr) != NULL;
	other_named = there && BPF_CORE_READ(there, addr) != NULL;
	if (named == other_named)
		return if_unnamed;
	return named ? PB_ROLE_SERVER : PB_ROLE_CLIENT;
}

/* --- what lies unread -------------------------------------------------------- */

/* TCP: the position in the stream of what the program will read next. */
static __always_inline __u32 position_taken(struct sock *sk, struct connection *connection)
{
	struct tcp_sock *tcp;
	__u32 position;

	if (!is_tcp(sk))
		return connection->queued - sk->sk_receive_queue.qlen;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return connection->taken;
	position = tcp->copied_seq;
	/* Keeps the compiler from making one load of both returns: the verifier tells them apart.
	 */
	barrier_var(position);
	return position;
}

#define RCV_SHUTDOWN 1

/* The end of a stream has a place in it, too. */
static __always_inline bool has_unread(struct sock *sk)
{
	struct tcp_sock *tcp = is_tcp(sk) ? bpf_skc_to_tcp_sock(sk) : NULL;
	__u32 end = sk->sk_shutdown & RCV_SHUTDOWN ? 1 : 0;

	return tcp && (__s32)(tcp->rcv_nxt - tcp->copied_seq - end) > 0;
}

/* What was remembered of another window says nothing about this one. */
static __always_inline void connection_renew(struct sock *sk, struct connection *connection)
{
	__u8 role = connection->turn.role;

	if (connection->window == pb_control.window)
		return;
	__builtin_memset(&connection->turn, 0, sizeof(connection->turn));
	connection->turn.role = role;
	connection->head = connection->tail = 0;
	connection->tx_bytes = connection->rx_bytes = 0;
	connection->requests = connection->told = 0;
	connection->sequence = 0;
	connection->open = 0;
	connection->longest_ns = 0;
	connection->is_interleaved = connection->late = 0;
	connection->number = 0;
	connection->peer = PB_PEERS;
	connection->queued = is_tcp(sk) ? 0 : sk->sk_receive_queue.qlen;
	connection->taken = position_taken(sk, connection);
	connection->window = pb_control.window;
}

static __always_inline void mark_arrival(struct connection *connection, __u32 end, __u64 now)
{
	__u32 head = connection->head, last = (head - 1) % MARKS;
	bool has_some = head != connection->tail;

	if (has_some && connection->marks[last].end == end)
		return;
	if (head - connection->tail >= MARKS) {
		connection->marks[last].end = end;
		return;
	}
	connection->marks[head % MARKS].end = end;
	connection->marks[head % MARKS].at_ns = now;
	connection->head = head + 1;
}

/*
 * Everything up to @end has been read: when did its first byte arrive? 0 where that was
 * not seen.
 */
static __always_inline __u64 take_arrival(struct connection *connection, __u32 end)
{
	__u64 arrived_ns = 0;

#pragma unroll
	for (int i = 0; i < MARKS; i++) {
		struct mark *mark = &connection->marks[connection->tail % MARKS];

		if (connection->tail == connection->head)
			break;
		if (!arrived_ns && (__s32)(mark->end - connection->taken) > 0)
			arrived_ns = mark->at_ns;
		if ((__s32)(end - mark->end) < 0)
			break;
		connection->tail++;
	}
	connection->taken = end;
	return arrived_ns;
}

/* --- the other end ----------------------------------------------------------- */

static __always_inline void peer_key_of(struct sock *sk, enum pb_role role, struct pb_peer_key *key)
{
	enum pb_family family = family_of(sk);

	__builtin_memset(key, 0, sizeof(*key));
	key->family = (__u8)family;
	key->role = (__u8)role;
	if (family == PB_FAMILY_UNIX)
		return;
	key->port = role == PB_ROLE_CLIENT ? bpf_ntohs(sk->__sk_common.skc_dport)
					   : sk->__sk_common.skc_num;
	if (family == PB_FAMILY_INET)
		__builtin_memcpy(key->address, &sk->__sk_common.skc_daddr, 4);
	else
		BPF_CORE_READ_INTO(&key->address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
}

static __always_inline struct pb_peer *connection_peer(struct sock *sk,
						       struct connection *connection)
{
	struct pb_peer_key key;

	if (connection->peer >= PB_PEERS) {
		peer_key_of(sk, connection->turn.role, &key);
		connection->peer = peer_find(&key);
	}
	return peer_at(connection->peer);
}

/* What was kept back, so that not every call writes to a line that all CPUs share. */
static __always_inline void connection_flush(struct sock *sk, struct connection *connection)
{
	struct pb_peer *peer;

	if (!connection->tx_bytes && !connection->rx_bytes &&
	    connection->requests == connection->told)
		return;
	peer = connection_peer(sk, connection);
	if (!peer)
		return;
	__sync_fetch_and_add(&peer->tx_bytes, connection->tx_bytes);
	__sync_fetch_and_add(&peer->rx_bytes, connection->rx_bytes);
	__sync_fetch_and_add(&peer->requests, connection->requests - connection->told);
	connection->told = connection->requests;
	connection->tx_bytes = connection->rx_bytes = 0;
}

#endif
