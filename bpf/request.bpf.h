/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests, as turns of a conversation: a run of reads and then a run of writes on a
 * socket that was accepted, the other way round on one that was connected. A turn is over
 * when the next one begins, when the socket is closed, or when the window ends; only
 * then it counts, so that a connection that turns out to stream leaves nothing behind.
 */
#ifndef PERFBPF_REQUEST_BPF_H
#define PERFBPF_REQUEST_BPF_H

#include "connection.bpf.h"

/* An answer of so many pieces over so long a time is a stream. */
#define STREAM_NS     1000000000ULL
#define STREAM_PIECES 8

/* With so many times the longest answer's time of silence no question is without an answer. */
#define IDLE_FACTOR 4

/* The smoothed round-trip time changes slowly: it is taken at the first of so many requests. */
#define RTT_EVERY 16

/* Are requests wanted? The loader sets it. */
const volatile bool pb_want_requests __weak = true;

/*
 * A Unix socket is closed without a word to anybody who could listen: answered turns of
 * connections that live for one request only would be lost. So they are kept beside the
 * socket until the next turn.
 */
struct unix_turn {
	struct turn turn;
	__u32 peer;
	__u32 pad;
};

struct {
	/* With room for all of them from the start: memory that is asked for in between may not be
	 * there just then. */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* address of the socket */
	__type(value, struct unix_turn);
} pb_unix_turns SEC(".maps") __weak;

#define count_request(field) __sync_fetch_and_add(&pb_control.requests.field, 1)

static __always_inline void turn_count(const struct turn *turn)
{
	bool is_interleaved = turn->is_interleaved;

	if (is_interleaved)
		count_request(interleaved);
	if (turn->is_overlapped)
		count_request(overlapped);
	if (turn->role == PB_ROLE_CLIENT) {
		count_request(sent);
		if (!is_interleaved)
			hist_add(PB_HIST_ROUND_TRIP, elapsed(turn->asked_ns, turn->first_ns));
		return;
	}
	count_request(served);
	if (!is_interleaved)
		hist_add(PB_HIST_SERVICE, elapsed(turn->complete_ns, turn->first_ns));
	if (!turn->arrived_ns) {
		count_request(no_arrival);
		return;
	}
	hist_add(PB_HIST_QUEUE, elapsed(turn->arrived_ns, turn->asked_ns));
	if (!is_interleaved)
		hist_add(PB_HIST_RESPONSE, elapsed(turn->arrived_ns, turn->last_ns));
}

static __always_inline void take_rtt(struct sock *sk, struct pb_peer *peer)
{
	struct tcp_sock *tcp = is_tcp(sk) ? bpf_skc_to_tcp_sock(sk) : NULL;
	__u64 us;

	if (!tcp)
		return;
	us = tcp->srtt_us >> 3;
	if (!us)
		return;
	hist_add(PB_HIST_RTT, us * 1000);
	if (!peer)
		return;
	__sync_fetch_and_add(&peer->rtts, 1);
	__sync_fetch_and_add(&peer->rtt_us, us);
	raise_to(&peer->rtt_max_us, us);
}

/* Where a turn has been answered, it counts. */
static __always_inline void turn_finish(struct sock *sk, struct connection *connection)
{
	struct turn *turn = &connection->turn;
	__u64 key = (__u64)sk;

	if (turn->state == TURN_ANSWERED) {
		turn_count(turn);
		if (connection->requests++ % RTT_EVERY == 0)
			take_rtt(sk, connection_peer(sk, connection));
		if (!is_tcp(sk))
			bpf_map_delete_elem(&pb_unix_turns, &key);
	}
	turn->state = TURN_IDLE;
	turn->pieces = 0;
	turn->is_overlapped = turn->is_in_doubt = turn->is_interleaved = 0;
	/* A TCP connection's end is told, a Unix socket's is not. */
	if (!is_tcp(sk))
		connection_flush(sk, connection);
}

/* One end will say no more: what it asked can still be answered. Returns whether the turn is over.
 */
static __always_inline bool turn_pause(struct sock *sk, struct connection *connection)
{
	if (connection->turn.state == TURN_ASKED)
		return false;
	turn_finish(sk, connection);
	return true;
}

/*
 * Nothing more will come. What was asked will not be answered; unless the answer lies in
 * the socket, where the program may read it yet, unseen.
 */
static __always_inline void turn_end(struct sock *sk, struct connection *connection)
{
	struct turn *turn = &connection->turn;

	if (turn->state == TURN_ASKED && turn->role == PB_ROLE_CLIENT && has_unread(sk)) {
		turn->state = TURN_ANSWERED;
		turn->first_ns = connection->marks[connection->tail % MARKS].at_ns;
	}
	if (turn->state == TURN_ASKED)
		count_request(in_flight);
	turn_finish(sk, connection);
	connection_flush(sk, connection);
}

/* For a connection whose socket may go at any time. */
static __always_inline void turn_keep(struct sock *sk, struct connection *connection)
{
	struct unix_turn kept = {}, *there;
	__u64 key = (__u64)sk;

	if (is_tcp(sk))
		return;
	connection_flush(sk, connection);
	if (connection->turn.state != TURN_ANSWERED)
		return;
	there = bpf_map_lookup_elem(&pb_unix_turns, &key);
	if (there) {
		there->turn = connection->turn;
		there->peer = connection->peer;
		return;
	}
	kept.turn = connection->turn;
	kept.peer = connection->peer;
	if (bpf_map_update_elem(&pb_unix_turns, &key, &kept, BPF_ANY))
		count_loss(PB_LOSS_SOCKETS);
}

static __always_inline void turn_count_kept(const struct unix_turn *kept)
{
	struct pb_peer *peer = peer_at(kept->peer);

	turn_count(&kept->turn);
	if (peer)
		__sync_fetch_and_add(&peer->requests, 1);
}

/* A socket is new: what was kept of one that lay at the same address is over. */
static __always_inline void turn_release_kept(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct unix_turn *there = bpf_map_lookup_elem(&pb_unix_turns, &key), kept;

	if (!there)
		return;
	kept = *there;
	/* Two CPUs can meet here: who takes it away counts it. */
	if (!bpf_map_delete_elem(&pb_unix_turns, &key))
		turn_count_kept(&kept);
}

/* One more piece of an answer: does it go on for so long that it is none? */
static __always_inline void answer_piece(struct sock *sk, struct turn *turn, __u64 now)
{
	__u64 key = (__u64)sk;

	turn->last_ns = now;
	turn->pieces++;
	if (turn->state == TURN_STREAM || turn->pieces < STREAM_PIECES ||
	    now < turn->first_ns + STREAM_NS)
		return;
	if (turn->state == TURN_ANSWERED && !is_tcp(sk))
		bpf_map_delete_elem(&pb_unix_turns, &key);
	turn->state = TURN_STREAM;
	if (!turn->is_stream)
		count_request(streams);
	turn->is_stream = 1;
}

/*
 * A question that does not follow on another one. Where several are in flight, an answer can
 * be one to an earlier question: "ask, ask, answer, ask, answer" is then no turn that could be
 * timed; or the first question came in two parts. What tells: every piece of an answer may have
 * been all of one, so at most `open` questions are without; and a connection that has been silent
 * for several times as long as its answers take has none. While there may be some, a turn is in
 * doubt. Such a turn is one if it came in parts, as all those before it did; else (see
 * turn_answer()) from then on no answer is told apart, until the connection is silent. @now: when
 * it came.
 */
static __always_inline void turn_begin(struct sock *sk, struct connection *connection, __u64 now)
{
	struct turn *turn = &connection->turn;

	if (connection->open && now > turn->last_ns + IDLE_FACTOR * connection->longest_ns) {
		connection->open = 0;
		connection->is_interleaved = 0;
	}
	if (!connection->open)
		connection->longest_ns = 0;
	turn_finish(sk, connection);
	turn->state = TURN_ASKED;
	turn->is_in_doubt = connection->open > 0;
	connection->open++;
}

/* A stream goes on: what is said to it (that more may be sent, that somebody is still there) is no
 * question. Until it has been silent for as long as makes one. */
static __always_inline bool connection_streams(const struct turn *turn, __u64 now)
{
	return turn->state == TURN_STREAM && now < turn->last_ns + STREAM_NS;
}

/* One more question, or another part of it, before there is an answer. */
static __always_inline void turn_overlap(struct connection *connection)
{
	connection->turn.is_overlapped = 1;
	connection->open++;
}

/* Said by the one who does not ask: the answer, or something that nobody asked for. */
static __always_inline void turn_answer(struct sock *sk, struct connection *connection, __u64 now)
{
	struct turn *turn = &connection->turn;
	__u64 ns;

	if (connection->open > connection->is_interleaved)
		connection->open--;
	if (turn->state == TURN_ASKED) {
		turn->state = TURN_ANSWERED;
		turn->first_ns = now;
		turn->pieces = 0;
		ns = elapsed(turn->asked_ns, now);
		if (ns > connection->longest_ns)
			connection->longest_ns = ns;
		if (turn->is_in_doubt && (!turn->is_overlapped || connection->is_interleaved))
			connection->is_interleaved = turn->is_interleaved = 1;
	} else if (turn->state == TURN_IDLE && !turn->pieces) {
		turn->first_ns = now;
	}
	answer_piece(sk, turn, now);
}

static __always_inline void server_read(struct sock *sk, struct connection *connection,
					__u64 arrived_ns, __u64 now)
{
	struct turn *turn = &connection->turn;

	if (connection_streams(turn, now))
		return;
	if (turn->state != TURN_ASKED) {
		turn_begin(sk, connection, arrived_ns ? arrived_ns : now);
		turn->arrived_ns = arrived_ns;
		turn->asked_ns = now;
	} else if (arrived_ns > turn->part_ns) {
		turn_overlap(connection);
	}
	turn->part_ns = arrived_ns;
	turn->complete_ns = now;
	if (!turn->arrived_ns && __sync_fetch_and_and(&connection->late, 0))
		turn->arrived_ns = now;
}

static __always_inline void client_send(struct sock *sk, struct connection *connection, __u64 now)
{
	struct turn *turn = &connection->turn;

	if (connection_streams(turn, now))
		return;
	if (turn->state == TURN_ASKED) {
		turn_overlap(connection);
		return;
	}
	turn_begin(sk, connection, now);
	turn->asked_ns = now;
}

/*
 * The answer's first byte came back when it arrived in the socket, not when the program
 * got round to reading it. On one machine that can be before the call that sent the
 * request has returned: then the read is the best that is known.
 */
static __always_inline void client_read(struct sock *sk, struct connection *connection,
					__u64 arrived_ns, __u64 now)
{
	struct turn *turn = &connection->turn;
	bool is_first = turn->state == TURN_ASKED;

	turn_answer(sk, connection, now);
	if (is_first && arrived_ns > turn->asked_ns)
		turn->first_ns = arrived_ns;
}

/* Who asks, where that was not seen when the connection was made. */
static __always_inline void find_role(struct sock *sk, struct connection *connection,
				      enum pb_role if_unnamed)
{
	if (connection->turn.role != PB_ROLE_UNKNOWN)
		return;
	if (is_unix_stream(sk)) {
		connection->turn.role = unix_role(sk, if_unnamed);
		return;
	}
	if (connection->connect_ns)
		connection->turn.role = PB_ROLE_CLIENT;
	else if (is_listened_on(sk))
		connection->turn.role = PB_ROLE_SERVER;
}

/* The connection behind a socket that a member uses now; NULL for one of no interest. */
static __always_inline struct connection *connection_used(struct sock *sk, struct pb_task *member,
							  enum pb_role if_unnamed)
{
	struct connection *connection;

	if (!is_tcp(sk) && !is_unix_stream(sk))
		return NULL;
	connection = connection_of(sk);
	if (!connection) {
		connection = connection_make(sk);
		if (!connection)
			return NULL;
		if (!is_tcp(sk))
			turn_release_kept(sk);
	}
	if (connection->epoch != pb_control.epoch)
		connection_own(connection, member);
	connection_renew(sk, connection);
	find_role(sk, connection, if_unnamed);
	return connection;
}

/* @length 0: the other end has said that it will say no more. Returns the connection. */
static __always_inline struct connection *request_read(struct sock *sk, struct pb_task *member,
						       __u32 length, __u64 now, __u64 *arrived_ns)
{
	struct connection *connection = connection_used(sk, member, PB_ROLE_SERVER);

	*arrived_ns = 0;
	if (!connection)
		return NULL;
	*arrived_ns = take_arrival(connection, position_taken(sk, connection));
	connection->rx_bytes += length;
	if (!length)
		turn_pause(sk, connection);
	else if (connection->turn.role == PB_ROLE_SERVER)
		server_read(sk, connection, *arrived_ns, now);
	else if (connection->turn.role == PB_ROLE_CLIENT)
		client_read(sk, connection, *arrived_ns, now);
	turn_keep(sk, connection);
	return connection;
}

static __always_inline struct connection *request_write(struct sock *sk, struct pb_task *member,
							__u32 length, __u64 now)
{
	struct connection *connection = connection_used(sk, member, PB_ROLE_CLIENT);

	if (!connection)
		return NULL;
	connection->tx_bytes += length;
	if (connection->turn.role == PB_ROLE_SERVER)
		turn_answer(sk, connection, now);
	else if (connection->turn.role == PB_ROLE_CLIENT)
		client_send(sk, connection, now);
	turn_keep(sk, connection);
	return connection;
}

/*
 * What came has been read already, on another CPU, faster than the word of it went round: it has
 * not waited.
 */
static __always_inline void arrival_late(struct sock *sk, struct connection *connection)
{
	struct turn *turn = &connection->turn;

	/* Who reads it may not have come so far as to say so: then it looks here, see below. */
	__sync_fetch_and_or(&connection->late, 1);
	if (turn->role != PB_ROLE_SERVER || turn->arrived_ns ||
	    (turn->state != TURN_ASKED && turn->state != TURN_ANSWERED))
		return;
	connection->late = 0;
	turn->arrived_ns = turn->asked_ns;
	turn_keep(sk, connection);
}

/*
 * Data came into a socket, in whatever context. A Unix socket that nobody has used yet
 * may become a member's: what arrives before its accept must be known then.
 */
static __always_inline void request_arrival(struct sock *sk)
{
	struct connection *connection = connection_of(sk);
	struct tcp_sock *tcp;
	bool is_new = false;
	__u32 end;

	/* A connection came in, not data: that is no arrival on it, nor on what is cloned from it.
	 */
	if (sk->__sk_common.skc_state == BPF_TCP_LISTEN)
		return;
	if (!connection) {
		if (!is_unix_stream(sk))
			return;
		connection = connection_make(sk);
		if (!connection)
			return;
		turn_release_kept(sk);
		is_new = true;
	} else if (connection->epoch != pb_control.epoch && is_tcp(sk)) {
		return;
	}
	if (is_tcp(sk)) {
		connection_renew(sk, connection);
		tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp)
			mark_arrival(connection, tcp->rcv_nxt, bpf_ktime_get_ns());
		return;
	}
	/* The packet is in the queue already: renewing has counted it. */
	is_new = connection->window != pb_control.window;
	connection_renew(sk, connection);
	if (!is_new)
		__sync_fetch_and_add(&connection->queued, 1);
	else
		connection->taken = connection->queued - 1;
	/* A reader on another CPU can have been faster: a mark would stay for the next packet. */
	end = connection->queued;
	if (sk->sk_receive_queue.qlen) {
		mark_arrival(connection, end, bpf_ktime_get_ns());
		if ((__s32)(connection->taken - end) < 0)
			return;
	}
	arrival_late(sk, connection);
}

#endif
