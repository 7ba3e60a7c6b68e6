/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets: throughput by process and address family, requests, TCP connections and retransmits. */
#include "payload.bpf.h"
#include "request.bpf.h"

#define MSG_PEEK     0x2
#define MSG_ERRQUEUE 0x2000

static __always_inline int sent(struct sock *sk, int length)
{
	struct connection *connection;
	struct pb_task *member;
	struct pb_slot *slot;
	__u64 now;

	if (!pb_control.window || length <= 0)
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (!member)
		return 0;
	slot = slot_at(member->slot);
	if (slot)
		__sync_fetch_and_add(&slot->totals.tx_bytes[family_of(sk)], length);
	if (!pb_want_requests)
		return 0;
	now = bpf_ktime_get_ns();
	connection = request_write(sk, member, (__u32)length, now);
	if (connection)
		payload_tell(connection, (__u32)length, true, 0, now);
	return 0;
}

static __always_inline int received(struct sock *sk, int length, int flags)
{
	struct connection *connection;
	struct pb_task *member;
	struct pb_slot *slot;
	__u64 now, arrived_ns;

	/* What is only peeked at will be received again; the error queue holds no data. */
	if (!pb_control.window || length < 0 || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (!member)
		return 0;
	slot = slot_at(member->slot);
	if (slot)
		__sync_fetch_and_add(&slot->totals.rx_bytes[family_of(sk)], length);
	if (!pb_want_requests)
		return 0;
	now = bpf_ktime_get_ns();
	connection = request_read(sk, member, (__u32)length, now, &arrived_ns);
	/* The end of a connection is told once nothing on it waits for an answer. */
	if (connection && length)
		payload_tell(connection, (__u32)length, false, arrived_ns, now);
	else if (connection && connection->number && connection->turn.state != TURN_ASKED)
		payload_tell_end(connection);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_send, struct sock *sk, int length, int flags)
{
	return sent(sk, length);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(socket_receive, struct sock *sk, int length, int flags)
{
	return received(sk, length, flags);
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(socket_arrival, struct sock *sk)
{
	if (pb_control.window && pb_want_requests)
		request_arrival(sk);
	return 0;
}

/*
 * Before Linux 6.3 those tracepoints are not there: the same from functions, and in
 * the families' own ones, since the common ones are compiled into some of their callers. A
 * file's pages took a way of their own then.
 */
#define SEND_6_2(name, function)                                                                   \
	SEC("?fexit/" #function)                                                                   \
	int BPF_PROG(name, struct socket *socket, void *message, unsigned long size, int length)   \
	{                                                                                          \
		return sent(socket->sk, length);                                                   \
	}
#define SENDPAGE_6_2(name, function)                                                               \
	SEC("?fexit/" #function)                                                                   \
	int BPF_PROG(name, struct socket *socket, void *page, int offset, unsigned long size,      \
		     int flags, int length)                                                        \
	{                                                                                          \
		return sent(socket->sk, length);                                                   \
	}
#define RECEIVE_6_2(name, function)                                                                \
	SEC("?fexit/" #function)                                                                   \
	int BPF_PROG(name, struct socket *socket, void *message, unsigned long size, int flags,    \
		     int length)                                                                   \
	{                                                                                          \
		return received(socket->sk, length, flags);                                        \
	}

SEND_6_2(socket_6_2_send_inet, inet_sendmsg)
SEND_6_2(socket_6_2_send_inet6, inet6_sendmsg)
SEND_6_2(socket_6_2_send_stream, unix_stream_sendmsg)
SEND_6_2(socket_6_2_send_dgram, unix_dgram_sendmsg)
SENDPAGE_6_2(socket_6_2_page_inet, inet_sendpage)
SENDPAGE_6_2(socket_6_2_page_stream, unix_stream_sendpage)
RECEIVE_6_2(socket_6_2_receive, inet_recvmsg)
RECEIVE_6_2(socket_6_2_receive_inet6, inet6_recvmsg)
RECEIVE_6_2(socket_6_2_receive_stream, unix_stream_recvmsg)
RECEIVE_6_2(socket_6_2_receive_dgram, unix_dgram_recvmsg)

SEC("?fentry/sock_def_readable")
int BPF_PROG(socket_6_2_arrival, struct sock *sk)
{
	if (pb_control.window && pb_want_requests)
		request_arrival(sk);
	return 0;
}

static __always_inline int has_taken_end(struct sock *sk, struct tcp_sock *tcp)
{
	return (sk->sk_shutdown & RCV_SHUTDOWN) && tcp->copied_seq == tcp->rcv_nxt;
}

/*
 * splice(2) takes data out of a TCP socket without receiving a message. This comes after
 * every read of one; what it has taken is what was not there at the read before.
 */
SEC("?tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(socket_splice, struct sock *sk)
{
	struct connection *connection;
	struct task_struct *task;
	struct tcp_sock *tcp;
	struct call call = {};

	if (!pb_control.window)
		return 0;
	task = bpf_get_current_task_btf();
	if (task->flags & PF_KTHREAD)
		return 0;
	/* First what costs least: nearly every read is another call. */
	call_of(task, &call);
	if (call.nr != CALL_NR_SPLICE || !member_of(task))
		return 0;
	connection = connection_of(sk);
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!connection || !tcp)
		return 0;
	/* The first that is seen of it in this window: how much it was is not known. */
	if (connection->window != pb_control.window) {
		connection_renew(sk, connection);
		return 0;
	}
	return received(sk, (int)(tcp->copied_seq - connection->taken) - has_taken_end(sk, tcp), 0);
}

static __always_inline void connection_begins(struct sock *sk, enum pb_role role)
{
	struct pb_task *member = member_of(bpf_get_current_task_btf());
	struct connection *connection;

	if (!member)
		return;
	connection = connection_make(sk);
	if (!connection)
		return;
	connection_own(connection, member);
	connection->window = 0;
	connection->turn.role = (__u8)role;
	connection->connect_ns = role == PB_ROLE_CLIENT ? bpf_ktime_get_ns() : 0;
}

static __always_inline void connection_opened(struct sock *sk, struct connection *connection,
					      struct pb_totals *totals)
{
	__u64 ns = elapsed(connection->connect_ns, bpf_ktime_get_ns());
	struct pb_peer *peer;

	__sync_fetch_and_add(&totals->connections_opened, 1);
	if (connection->connect_ns)
		hist_add(PB_HIST_CONNECT, ns);
	connection_renew(sk, connection);
	peer = connection_peer(sk, connection);
	if (!peer)
		return;
	__sync_fetch_and_add(&peer->connections, 1);
	/* Of one that was taken over half-way nobody knows when it began. */
	if (!connection->connect_ns)
		return;
	__sync_fetch_and_add(&peer->connects, 1);
	__sync_fetch_and_add(&peer->connect_ns, ns);
	raise_to(&peer->connect_max_ns, ns);
}

static __always_inline void connection_accepted(struct sock *sk, struct connection *connection,
						struct pb_totals *totals)
{
	struct pb_peer *peer;

	/* A clone of its listener's: of itself nothing is known yet. */
	connection->window = 0;
	connection->turn.role = PB_ROLE_SERVER;
	__sync_fetch_and_add(&totals->connections_accepted, 1);
	connection_renew(sk, connection);
	peer = connection_peer(sk, connection);
	if (peer)
		__sync_fetch_and_add(&peer->connections, 1);
}

/* Gone, or the member will say no more on it: whoever it has asked can still answer. */
static __always_inline void connection_ends(struct sock *sk, struct connection *connection,
					    int state)
{
	if (state == BPF_TCP_FIN_WAIT1 || state == BPF_TCP_LAST_ACK)
		turn_pause(sk, connection);
	if (state != BPF_TCP_CLOSE)
		return;
	turn_end(sk, connection);
	if (connection->number && !has_unread(sk))
		payload_tell_end(connection);
}

/*
 * connect() and listen() run in the owner's context; a connection is established in
 * whatever context the packet came in, so the socket remembers its owner.
 */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(socket_set_state, struct sock *sk, int old_state, int new_state)
{
	struct connection *connection;
	struct pb_slot *slot;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new_state == BPF_TCP_SYN_SENT || new_state == BPF_TCP_LISTEN) {
		connection_begins(sk,
				  new_state == BPF_TCP_LISTEN ? PB_ROLE_SERVER : PB_ROLE_CLIENT);
		return 0;
	}
	if (!pb_control.window)
		return 0;
	connection = connection_of(sk);
	slot = connection ? owner_slot(connection) : NULL;
	if (!slot)
		return 0;
	if (new_state == BPF_TCP_ESTABLISHED && old_state == BPF_TCP_SYN_SENT) {
		connection_opened(sk, connection, &slot->totals);
	} else if (new_state == BPF_TCP_ESTABLISHED && old_state == BPF_TCP_SYN_RECV) {
		connection_accepted(sk, connection, &slot->totals);
	} else if (connection->window == pb_control.window) {
		connection_ends(sk, connection, new_state);
	}
	return 0;
}

SEC("?tp_btf/tcp_retransmit_skb")
int BPF_PROG(socket_retransmit, struct sock *sk)
{
	struct connection *connection;
	struct pb_slot *slot;
	struct pb_peer *peer;

	if (!pb_control.window)
		return 0;
	connection = connection_of(sk);
	slot = connection ? owner_slot(connection) : NULL;
	if (!slot)
		return 0;
	__sync_fetch_and_add(&slot->totals.retransmits, 1);
	connection_renew(sk, connection);
	peer = connection_peer(sk, connection);
	if (peer)
		__sync_fetch_and_add(&peer->retransmits, 1);
	return 0;
}

static __always_inline struct sock *sock_of(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);

	return socket ? socket->sk : NULL;
}

/* All ports that are listened on, whoever does: who was accepted may have closed its listener. */
SEC("?iter/task_file")
int socket_listeners(struct bpf_iter__task_file *ctx)
{
	struct listener_key key = {};
	struct file *file = ctx->file;
	struct sock *sk;
	__u32 one = 1;

	if (!ctx->task || !file)
		return 0;
	sk = sock_of(file);
	if (!sk || sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state != BPF_TCP_LISTEN)
		return 0;
	key.net = (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net);
	key.port = sk->__sk_common.skc_num;
	bpf_map_update_elem(&pb_listeners, &key, &one, BPF_ANY);
	return 0;
}

/* The TCP sockets that an enrolled process holds already. */
SEC("?iter/task_file")
int socket_enrol(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct connection *connection;
	struct pb_task *member;
	struct sock *sk;

	if (!task || !file)
		return 0;
	member = member_of(task);
	if (!member)
		return 0;
	sk = sock_of(file);
	if (!sk || !is_tcp(sk))
		return 0;
	connection = connection_make(sk);
	if (!connection)
		return 0;
	connection_own(connection, member);
	connection->window = 0;
	if (connection->turn.role == PB_ROLE_UNKNOWN)
		connection->turn.role = is_listened_on(sk) ? PB_ROLE_SERVER : PB_ROLE_CLIENT;
	return 0;
}

/* After the window: what was answered counts, what was not is told, and nothing is kept. */
SEC("?iter/bpf_sk_storage_map")
int socket_sweep(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct connection *connection;
	struct sock *sk = ctx->sk;

	if (!sk)
		return 0;
	/* Not ctx->value: in that the verifier allows no index that is no constant. */
	connection = connection_of(sk);
	if (!connection || connection->window != pb_control.closing ||
	    connection->epoch != pb_control.epoch)
		return 0;
	if (connection->turn.role == PB_ROLE_UNKNOWN)
		count_request(no_role);
	turn_end(sk, connection);
	connection->window = 0;
	return 0;
}

/* The same for Unix sockets that are gone. */
SEC("?iter/bpf_map_elem")
int socket_sweep_kept(struct bpf_iter__bpf_map_elem *ctx)
{
	struct unix_turn *kept = ctx->value;

	if (kept)
		turn_count_kept(kept);
	return 0;
}
