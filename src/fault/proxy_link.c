/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One connection through the proxy: what comes in at one end waits, and goes out at the other. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fault/proxy_internal.h"
#include "util/clock.h"

#define TURN_READS 8 /* of one connection, before others have their turn */

static enum end other(enum end end)
{
	return end == END_CLIENT ? END_BACKEND : END_CLIENT;
}

/* --- pieces --------------------------------------------------------------------- */

static size_t piece_bytes(const struct piece *piece)
{
	return sizeof(*piece) + piece->length;
}

static void drop_first(struct lane *lane)
{
	struct piece *piece = lane->first;

	lane->first = piece->next;
	if (!lane->first)
		lane->last = NULL;
	lane->bytes -= piece_bytes(piece);
	lane->link->proxy->held_bytes -= piece_bytes(piece);
	free(piece);
}

static void drop_all(struct lane *lane)
{
	while (lane->first)
		drop_first(lane);
}

/* False without memory. */
static bool push(struct lane *lane, const char *data, size_t length, uint64_t due_ns)
{
	struct piece *piece = malloc(sizeof(*piece) + length);

	if (!piece)
		return false;
	if (due_ns < lane->due_ns)
		due_ns = lane->due_ns;
	lane->due_ns = due_ns;
	*piece = (struct piece){.due_ns = due_ns, .length = (uint32_t)length};
	if (length)
		memcpy(piece->data, data, length);
	if (lane->last)
		lane->last->next = piece;
	else
		lane->first = piece;
	lane->last = piece;
	lane->bytes += piece_bytes(piece);
	lane->link->proxy->held_bytes += piece_bytes(piece);
	return true;
}

/* --- the two sockets ------------------------------------------------------------- */

static uint32_t wanted_events(const struct link *link, enum end end)
{
	const struct lane *from = &link->lanes[end], *to = &link->lanes[other(end)];
	uint32_t events = 0;

	if (link->is_stalled)
		return 0;
	if (!link->is_connected)
		return end == END_BACKEND ? EPOLLOUT : 0;
	if (!from->has_read_end && !from->is_full)
		events |= EPOLLIN;
	if (to->is_blocked)
		events |= EPOLLOUT;
	return events;
}

/*
 * A socket of which nothing is wanted is taken out: the kernel tells of its end whether asked or
 * not, again and again.
 */
static void arm(struct link *link, enum end end)
{
	struct socket_end *at = &link->ends[end];
	struct epoll_event event = {.data.ptr = at};
	int op;

	if (at->fd < 0)
		return;
	event.events = wanted_events(link, end);
	if (!event.events && !at->is_registered)
		return;
	if (event.events && at->is_registered && event.events == at->armed)
		return;
	op = !event.events ? EPOLL_CTL_DEL : at->is_registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	if (epoll_ctl(link->proxy->epoll_fd, op, at->fd, &event)) {
		link_reset(link);
		return;
	}
	at->is_registered = event.events != 0;
	at->armed = event.events;
}

static void arm_both(struct link *link)
{
	for (int end = 0; end < ENDS && !link->is_dead; end++)
		arm(link, (enum end)end);
}

static void close_end(struct link *link, enum end end, bool by_reset)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct socket_end *at = &link->ends[end];

	if (at->fd < 0)
		return;
	if (by_reset)
		(void)setsockopt(at->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	/* Its place in epoll goes with it. */
	close(at->fd);
	at->fd = -1;
	at->is_registered = false;
}

static void die(struct link *link, bool by_reset)
{
	struct proxy_state *proxy = link->proxy;

	if (link->is_dead)
		return;
	for (int end = 0; end < ENDS; end++) {
		close_end(link, (enum end)end, by_reset);
		heap_remove(proxy, &link->lanes[end]);
		drop_all(&link->lanes[end]);
	}
	link->is_dead = true;
	if (link->previous)
		link->previous->next = link->next;
	else
		proxy->links = link->next;
	if (link->next)
		link->next->previous = link->previous;
	/* Events of this turn may still name it. */
	link->next = proxy->dead;
	proxy->dead = link;
	proxy->n_links--;
}

void link_reset(struct link *link)
{
	die(link, true);
}

void links_sweep(struct proxy_state *proxy)
{
	while (proxy->dead) {
		struct link *link = proxy->dead;

		proxy->dead = link->next;
		free(link);
	}
}

/* An end has been reset: what came from it before still passes, what was for it is lost. */
static void end_lost(struct link *link, enum end end)
{
	struct lane *from = &link->lanes[end], *to = &link->lanes[other(end)];

	close_end(link, end, true);
	heap_remove(link->proxy, to);
	drop_all(to);
	to->has_passed_end = true;
	from->ends_by_reset = true;
	if (!from->first || (!from->has_read_end && !push(from, NULL, 0, 0))) {
		link_reset(link);
		return;
	}
	from->has_read_end = true;
	/* Nothing that its peer says has somewhere to go. */
	to->has_read_end = true;
}

/* --- passing on ------------------------------------------------------------------- */

static void pass_end(struct lane *lane)
{
	struct link *link = lane->link;
	int fd = link->ends[other(lane->from)].fd;

	drop_first(lane);
	lane->has_passed_end = true;
	if (lane->ends_by_reset)
		link_reset(link);
	else if (fd >= 0 && shutdown(fd, SHUT_WR))
		link_reset(link);
	else if (link->lanes[other(lane->from)].has_passed_end)
		die(link, false);
}

/* Of the first piece; false: no more can pass now. */
static bool pass_bytes(struct lane *lane, uint64_t now_ns)
{
	struct piece *piece = lane->first;
	struct link *link = lane->link;
	uint64_t wake_ns = 0;
	size_t allowed =
		effect_allowance(link, lane->from, piece->length - piece->sent, now_ns, &wake_ns);
	ssize_t n;

	if (!allowed) {
		if (heap_put(link->proxy, lane, wake_ns))
			link_reset(link);
		return false;
	}
	n = send(link->ends[other(lane->from)].fd, piece->data + piece->sent, allowed,
		 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN) {
		lane->is_blocked = true;
		return false;
	}
	if (n < 0) {
		end_lost(link, other(lane->from));
		return false;
	}
	effect_spend(link, lane->from, (size_t)n);
	piece->sent += (uint32_t)n;
	if (piece->sent == piece->length)
		drop_first(lane);
	return true;
}

static void update_full(struct lane *lane)
{
	const struct proxy_state *proxy = lane->link->proxy;

	if (lane->is_full)
		lane->is_full = lane->bytes > PROXY_LANE_BYTES_MAX / 2 ||
				(lane->bytes && proxy->held_bytes > PROXY_TOTAL_BYTES_MAX / 2);
	else
		/* Each may always hold something, or none would wake those that hold nothing. */
		lane->is_full = lane->bytes > PROXY_LANE_BYTES_MAX ||
				(lane->bytes && proxy->held_bytes > PROXY_TOTAL_BYTES_MAX);
}

void lane_pump(struct lane *lane, uint64_t now_ns)
{
	struct link *link = lane->link;

	if (link->is_dead || link->is_stalled || !link->is_connected)
		return;
	lane->is_blocked = false;
	while (lane->first && !link->is_dead) {
		if (lane->first->due_ns > now_ns) {
			if (heap_put(link->proxy, lane, lane->first->due_ns))
				link_reset(link);
			break;
		}
		if (!lane->first->length) {
			pass_end(lane);
			break;
		}
		if (!pass_bytes(lane, now_ns))
			break;
	}
	if (link->is_dead)
		return;
	update_full(lane);
	arm_both(link);
}

/* What need not wait goes out at once, without being held; returns how much did. */
static size_t pass_through(struct lane *lane, const char *data, size_t length, uint64_t due_ns,
			   uint64_t now_ns)
{
	const struct link *link = lane->link;
	ssize_t n;

	if (lane->first || due_ns > now_ns || link->is_stalled || link->is_slow)
		return 0;
	n = send(link->ends[other(lane->from)].fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}

static void take_bytes(struct lane *lane, size_t length)
{
	struct link *link = lane->link;
	const char *data = link->proxy->input;
	uint64_t now_ns, due_ns;
	size_t passed;

	if (lane->from == END_CLIENT)
		link->has_asked = true;
	else if (!effect_meets_answer(link))
		return;
	now_ns = clock_now_ns();
	due_ns = effect_due_ns(link, lane->from, now_ns);
	passed = pass_through(lane, data, length, due_ns, now_ns);
	if (passed == length)
		return;
	if (!push(lane, data + passed, length - passed, due_ns))
		link_reset(link);
	else if (link->is_stalled)
		link_stand_still(link);
	else
		lane_pump(lane, now_ns);
}

static void read_end(struct link *link, enum end end)
{
	struct lane *lane = &link->lanes[end];

	for (int i = 0; i < TURN_READS && wanted_events(link, end) & EPOLLIN; i++) {
		ssize_t n =
			recv(link->ends[end].fd, link->proxy->input, PROXY_READ_MAX, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			end_lost(link, end);
		} else if (!n) {
			lane->has_read_end = true;
			if (!push(lane, NULL, 0, effect_due_ns(link, end, clock_now_ns())))
				link_reset(link);
			else
				lane_pump(lane, clock_now_ns());
		} else {
			take_bytes(lane, (size_t)n);
		}
		if (link->is_dead || link->ends[end].fd < 0)
			return;
	}
	arm_both(link);
}

/* --- beginning and going on --------------------------------------------------------- */

static void connect_backend(struct link *link)
{
	struct proxy_state *proxy = link->proxy;
	int fd = socket(proxy->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	link->ends[END_BACKEND].fd = fd;
	if (fd < 0 || (connect(fd, &proxy->to.any, proxy->to_length) && errno != EINPROGRESS)) {
		proxy->refused++;
		link_reset(link);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	arm(link, END_BACKEND);
}

static void finish_connect(struct link *link)
{
	socklen_t length = sizeof(int);
	int failed = 0;

	if (getsockopt(link->ends[END_BACKEND].fd, SOL_SOCKET, SO_ERROR, &failed, &length) ||
	    failed) {
		/* As it would be without the proxy. */
		link->proxy->refused++;
		link_reset(link);
		return;
	}
	link->is_connected = true;
	arm_both(link);
}

struct link *link_new(struct proxy_state *proxy, int client)
{
	struct link *link = calloc(1, sizeof(*link));
	const int on = 1;

	if (!link) {
		close(client);
		return NULL;
	}
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	link->proxy = proxy;
	link->has_asked = true;
	for (int end = 0; end < ENDS; end++) {
		link->ends[end] = (struct socket_end){.link = link, .end = (enum end)end, .fd = -1};
		link->lanes[end] = (struct lane){.link = link, .from = (enum end)end};
	}
	link->ends[END_CLIENT].fd = client;
	link->next = proxy->links;
	if (link->next)
		link->next->previous = link;
	proxy->links = link;
	proxy->n_links++;
	proxy->accepted++;
	if (effect_meets_link(link) && !link->is_stalled)
		connect_backend(link);
	return link;
}

void link_handle(struct link *link, enum end end, uint32_t events)
{
	/* An event of this turn that came before it died, or stood still. */
	if (link->is_dead || link->is_stalled || link->ends[end].fd < 0)
		return;
	if (!link->is_connected) {
		if (end == END_BACKEND)
			finish_connect(link);
		return;
	}
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		lane_pump(&link->lanes[other(end)], clock_now_ns());
	if (!link->is_dead && link->ends[end].fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_end(link, end);
}

void link_stand_still(struct link *link)
{
	for (int end = 0; end < ENDS; end++)
		heap_remove(link->proxy, &link->lanes[end]);
	arm_both(link);
}

void link_resume(struct link *link)
{
	uint64_t now_ns = clock_now_ns();

	link->is_stalled = link->is_slow = false;
	if (link->ends[END_BACKEND].fd < 0 && !link->is_connected) {
		connect_backend(link);
		return;
	}
	for (int end = 0; end < ENDS && !link->is_dead; end++) {
		struct lane *lane = &link->lanes[end];

		lane->due_ns = 0;
		for (struct piece *piece = lane->first; piece; piece = piece->next)
			piece->due_ns = 0;
		heap_remove(link->proxy, lane);
		lane_pump(lane, now_ns);
	}
	if (!link->is_dead)
		arm_both(link);
}
