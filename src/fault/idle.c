/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/idle.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fault/lines.h"
#include "util/clock.h"
#include "util/loopback.h"

#define TICK_NS     (100 * NSEC_PER_MSEC)
#define TICK_OPENS  2000
#define TURN_EVENTS 256
#define CONTROL     UINT32_MAX

struct idle {
	union loopback to;
	socklen_t to_length;
	int epoll_fd;
	size_t count;
	struct held {
		int fd; /* -1: none */
		bool is_established;
	} * held;
	uint64_t established, peak, refused, lost;
	uint64_t told; /* a sum of all counts, when they were told last */
	struct lines control;
};

static void close_one(struct held *held)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (held->fd < 0)
		return;
	(void)setsockopt(held->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(held->fd);
	held->fd = -1;
	held->is_established = false;
}

static void open_one(struct idle *idle, uint32_t slot)
{
	struct held *held = &idle->held[slot];
	/* EPOLLOUT at first: the end of the connect. */
	struct epoll_event event = {.events = EPOLLOUT, .data.u32 = slot};

	held->fd = socket(idle->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (held->fd >= 0 &&
	    (!connect(held->fd, &idle->to.any, idle->to_length) || errno == EINPROGRESS) &&
	    !epoll_ctl(idle->epoll_fd, EPOLL_CTL_ADD, held->fd, &event))
		return;
	idle->refused++;
	close_one(held);
}

static void open_missing(struct idle *idle)
{
	int room = TICK_OPENS;

	for (uint32_t slot = 0; slot < idle->count && room; slot++) {
		if (idle->held[slot].fd >= 0)
			continue;
		open_one(idle, slot);
		room--;
	}
}

static void finish_connect(struct idle *idle, uint32_t slot)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u32 = slot};
	struct held *held = &idle->held[slot];
	socklen_t length = sizeof(int);
	int failed = 0;

	if (getsockopt(held->fd, SOL_SOCKET, SO_ERROR, &failed, &length) || failed ||
	    epoll_ctl(idle->epoll_fd, EPOLL_CTL_MOD, held->fd, &event)) {
		idle->refused++;
		close_one(held);
		return;
	}
	held->is_established = true;
	if (++idle->established > idle->peak)
		idle->peak = idle->established;
}

/* What a server says by itself, a greeting, is read and forgotten. */
static void hear(struct idle *idle, struct held *held)
{
	char text[4096];
	ssize_t n;

	do
		n = recv(held->fd, text, sizeof(text), MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 && errno == EAGAIN)
		return;
	idle->established--;
	idle->lost++;
	close_one(held);
}

static void handle(struct idle *idle, uint32_t slot)
{
	struct held *held = &idle->held[slot];

	if (held->fd < 0)
		return;
	if (held->is_established)
		hear(idle, held);
	else
		finish_connect(idle, slot);
}

static void ignore(void *context, const json_t *message)
{
	(void)context, (void)message;
}

static void tell(struct idle *idle)
{
	uint64_t sum = idle->established + idle->peak + 3 * idle->refused + 5 * idle->lost;

	if (sum == idle->told)
		return;
	idle->told = sum;
	lines_say(&idle->control,
		  json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "event", "count", "established",
			    (json_int_t)idle->established, "peak", (json_int_t)idle->peak,
			    "refused", (json_int_t)idle->refused, "lost", (json_int_t)idle->lost,
			    "at_ns", (json_int_t)clock_now_ns()));
}

static int loop(struct idle *idle)
{
	struct epoll_event events[TURN_EVENTS];
	uint64_t next_ns = clock_now_ns();

	while (!idle->control.is_ended) {
		uint64_t now_ns = clock_now_ns();
		int n;

		if (now_ns >= next_ns) {
			tell(idle);
			open_missing(idle);
			next_ns = now_ns + TICK_NS;
		}
		/* All there are: there is nothing to wait for but the end of one. */
		n = epoll_wait(idle->epoll_fd, events, TURN_EVENTS,
			       (int)((next_ns - now_ns) / NSEC_PER_MSEC) + 1);
		if (n < 0 && errno != EINTR)
			return EXIT_CODE_FAILED;
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == CONTROL)
				lines_read(&idle->control, ignore, NULL);
			else
				handle(idle, events[i].data.u32);
		}
		/* The first time that all are there is what the fault waits for. */
		if (idle->established == idle->count)
			tell(idle);
	}
	return EXIT_CODE_OK;
}

static int open_all(struct idle *idle, const char *to, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = CONTROL};
	struct rlimit limit;

	if (loopback_parse(to, &idle->to, &idle->to_length))
		return error_set(err, EXIT_CODE_USAGE,
				 "idle: --to '%s' is no address and port of this machine; write "
				 "127.0.0.1:PORT",
				 to);
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < idle->count + 64) {
		limit.rlim_cur =
			limit.rlim_max < idle->count + 64 ? limit.rlim_max : idle->count + 64;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		if (limit.rlim_cur < idle->count + 8)
			return error_set(err, EXIT_CODE_FAILED,
					 "idle: %zu connections are more than this process may "
					 "open files (%llu); raise ulimit -n, or write a smaller "
					 "count",
					 idle->count, (unsigned long long)limit.rlim_cur);
	}
	idle->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (idle->epoll_fd < 0 ||
	    epoll_ctl(idle->epoll_fd, EPOLL_CTL_ADD, idle->control.fd, &event))
		return error_set(err, EXIT_CODE_FAILED, "idle: cannot wait for events: %s",
				 strerror(errno));
	return 0;
}

int idle_serve(const char *to, int count, int control_fd, struct error *err)
{
	struct idle *idle = calloc(1, sizeof(*idle));
	int code = EXIT_CODE_FAILED;

	if (idle && count > 0 && count <= IDLE_CONNECTIONS_MAX)
		idle->held = calloc((size_t)count, sizeof(*idle->held));
	if (!idle || !idle->held) {
		free(idle);
		error_set(err, EXIT_CODE_USAGE, "idle: --count %d cannot be held; write 1 to %d",
			  count, IDLE_CONNECTIONS_MAX);
		return EXIT_CODE_USAGE;
	}
	idle->epoll_fd = -1;
	idle->count = (size_t)count;
	for (size_t i = 0; i < idle->count; i++)
		idle->held[i].fd = -1;
	lines_init(&idle->control, control_fd);
	if (open_all(idle, to, err))
		code = (int)err->exit_code;
	else
		code = loop(idle);
	for (size_t i = 0; i < idle->count; i++)
		close_one(&idle->held[i]);
	if (idle->epoll_fd >= 0)
		close(idle->epoll_fd);
	free(idle->held);
	free(idle);
	return code;
}
