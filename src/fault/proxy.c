/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/proxy.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "fault/proxy_internal.h"
#include "util/clock.h"

#define TURN_EVENTS  256
#define TURN_ACCEPTS 64

static int watch(struct proxy_state *proxy, int fd, void *what, int op, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = what};

	return epoll_ctl(proxy->epoll_fd, op, fd, &event) ? -errno : 0;
}

/* Two sockets for each connection, as far as that may be. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	const rlim_t wanted = 2 * PROXY_CONNECTIONS_MAX + 64;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	/* Where it cannot be, clients wait to be accepted: see accept_clients(). */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_listener(struct proxy_state *proxy, const union loopback *address, socklen_t length,
			 unsigned int *port)
{
	union loopback bound = {0};
	socklen_t bound_length = sizeof(bound);
	const int on = 1;

	proxy->listen_fd =
		socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (proxy->listen_fd < 0)
		return -errno;
	/* Connections of an earlier round that wait out their time are in nobody's way. */
	(void)setsockopt(proxy->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(proxy->listen_fd, &address->any, length) || listen(proxy->listen_fd, SOMAXCONN) ||
	    getsockname(proxy->listen_fd, &bound.any, &bound_length))
		return -errno;
	*port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
	return watch(proxy, proxy->listen_fd, proxy, EPOLL_CTL_ADD, EPOLLIN);
}

static void listen_again(struct proxy_state *proxy)
{
	if (!proxy->is_listening)
		proxy->is_listening =
			!watch(proxy, proxy->listen_fd, proxy, EPOLL_CTL_MOD, EPOLLIN);
}

static void accept_clients(struct proxy_state *proxy)
{
	for (int i = 0; i < TURN_ACCEPTS; i++) {
		int fd = accept4(proxy->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0 && proxy->n_links < PROXY_CONNECTIONS_MAX) {
			(void)link_new(proxy, fd);
			continue;
		}
		if (fd >= 0) {
			proxy->turned_away++;
			close(fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		/* Without a descriptor the client waits until one is free. */
		if (errno != EAGAIN)
			proxy->is_listening =
				watch(proxy, proxy->listen_fd, proxy, EPOLL_CTL_MOD, 0) != 0;
		return;
	}
}

static void set_timer(struct proxy_state *proxy)
{
	const struct lane *first = heap_first(proxy);
	uint64_t at_ns = first ? first->wake_ns : 0;
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(at_ns / NSEC_PER_SEC),
					       .tv_nsec = (long)(at_ns % NSEC_PER_SEC)}};

	if (at_ns == proxy->timer_ns)
		return;
	proxy->timer_ns = at_ns;
	timerfd_settime(proxy->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void wake_lanes(struct proxy_state *proxy)
{
	uint64_t now_ns = clock_now_ns();
	struct lane *lane;

	while ((lane = heap_first(proxy)) && lane->wake_ns <= now_ns) {
		heap_remove(proxy, lane);
		lane_pump(lane, now_ns);
	}
}

static void handle(struct proxy_state *proxy, const struct epoll_event *event)
{
	struct socket_end *end = event->data.ptr;
	uint64_t expired;

	if (event->data.ptr == proxy) {
		accept_clients(proxy);
	} else if (event->data.ptr == &proxy->control) {
		lines_read(&proxy->control, effect_obey, proxy);
	} else if (event->data.ptr == &proxy->timer_fd) {
		/* It is set anew by what waits next. */
		if (read(proxy->timer_fd, &expired, sizeof(expired)) > 0)
			proxy->timer_ns = 0;
	} else {
		link_handle(end->link, end->end, event->events);
	}
}

static int loop(struct proxy_state *proxy)
{
	struct epoll_event events[TURN_EVENTS];

	while (!proxy->control.is_ended) {
		int n;

		set_timer(proxy);
		n = epoll_wait(proxy->epoll_fd, events, TURN_EVENTS, -1);
		if (n < 0 && errno != EINTR)
			return EXIT_CODE_FAILED;
		for (int i = 0; i < n; i++)
			handle(proxy, &events[i]);
		wake_lanes(proxy);
		if (proxy->dead) {
			links_sweep(proxy);
			listen_again(proxy);
		}
	}
	return EXIT_CODE_OK;
}

static void close_all(struct proxy_state *proxy)
{
	while (proxy->links)
		link_reset(proxy->links);
	links_sweep(proxy);
	if (proxy->epoll_fd >= 0)
		close(proxy->epoll_fd);
	if (proxy->timer_fd >= 0)
		close(proxy->timer_fd);
	if (proxy->listen_fd >= 0)
		close(proxy->listen_fd);
	free(proxy->heap);
	free(proxy);
}

static int fail_address(const char *what, const char *text, int failed, struct error *err)
{
	error_set(err, EXIT_CODE_USAGE, "proxy: %s '%s' is %s; write 127.0.0.1:PORT", what, text,
		  failed == -EINVAL ? "no address and port" : "not of this machine");
	return EXIT_CODE_USAGE;
}

static int open_all(struct proxy_state *proxy, const union loopback *address, socklen_t length,
		    unsigned int *port)
{
	int failed;

	proxy->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	proxy->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (proxy->epoll_fd < 0 || proxy->timer_fd < 0)
		return -errno;
	raise_file_limit();
	failed = open_listener(proxy, address, length, port);
	if (!failed)
		failed = watch(proxy, proxy->timer_fd, &proxy->timer_fd, EPOLL_CTL_ADD, EPOLLIN);
	if (!failed)
		failed = watch(proxy, proxy->control.fd, &proxy->control, EPOLL_CTL_ADD, EPOLLIN);
	proxy->is_listening = !failed;
	return failed;
}

int proxy_serve(const char *listen_at, const char *to, int control_fd, struct error *err)
{
	struct proxy_state *proxy = calloc(1, sizeof(*proxy));
	union loopback address;
	unsigned int port = 0;
	socklen_t length;
	int failed, code;

	if (!proxy) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return EXIT_CODE_FAILED;
	}
	proxy->epoll_fd = proxy->timer_fd = proxy->listen_fd = -1;
	lines_init(&proxy->control, control_fd);
	if (getrandom(&proxy->random, sizeof(proxy->random), 0) < 0)
		proxy->random = clock_now_ns();
	failed = loopback_parse(to, &proxy->to, &proxy->to_length);
	if (failed) {
		code = fail_address("--to", to, failed, err);
	} else if ((failed = loopback_parse(listen_at, &address, &length)) != 0) {
		code = fail_address("--listen", listen_at, failed, err);
	} else if ((failed = open_all(proxy, &address, length, &port)) != 0) {
		error_set(err, EXIT_CODE_FAILED, "proxy: cannot listen on %s: %s", listen_at,
			  strerror(-failed));
		code = EXIT_CODE_FAILED;
	} else {
		lines_say(&proxy->control,
			  json_pack("{s:s, s:i}", "event", "listening", "port", (int)port));
		code = loop(proxy);
	}
	close_all(proxy);
	return code;
}
