/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * crossing [OPTION]...: a server that reads on while it works: each request is answered a known
 * time after it was read, whatever else is in flight on its connection. Ends by SIGTERM, then
 * the truth is written.
 *
 * --port N | --unix PATH   where it listens (default: any free port of 127.0.0.1)
 * --ready FILE             "PID PORT", once it listens
 * --service MS             from the read of a request to its answer
 * --uneven                 three times as long for every other one: answers overtake each other
 */
#include <poll.h>
#include <sys/signalfd.h>

#include "net.h"
#include "served.h"

#define MAX_CONNECTIONS 64
#define MAX_WORK        1024

struct work {
	int fd;
	uint64_t due_ns;
	struct net_message message;
	struct request request;
};

struct crossing {
	bool uneven;
	uint64_t service_ns;
	size_t n_read;
	struct pollfd fds[2 + MAX_CONNECTIONS]; /* the signal, the listener, connections */
	nfds_t n_fds;
	struct work works[MAX_WORK]; /* in no order */
	size_t n_works;
	struct served served;
};

static void read_one(struct crossing *crossing, struct pollfd *from)
{
	struct work *work = &crossing->works[crossing->n_works];

	if (crossing->n_works == MAX_WORK)
		truth_die("too much in flight");
	*work = (struct work){.fd = from->fd};
	if (read(from->fd, &work->message, NET_MESSAGE) != NET_MESSAGE) {
		close(from->fd);
		from->fd = -1;
		return;
	}
	work->request.read_ns = work->request.first_read_ns = truth_now_ns();
	work->request.sent_ns = work->message.sent_ns;
	work->due_ns = work->request.read_ns + crossing->service_ns;
	if (crossing->uneven && crossing->n_read % 2)
		work->due_ns += 2 * crossing->service_ns;
	crossing->n_read++;
	crossing->n_works++;
}

static void answer(struct crossing *crossing, struct work *work)
{
	struct request *request = &work->request;

	request->write_ns = request->last_write_ns = truth_now_ns();
	work->message.answered_ns = request->write_ns;
	if (send(work->fd, &work->message, NET_MESSAGE, MSG_NOSIGNAL) != NET_MESSAGE)
		truth_die("cannot answer");
	request->written_ns = request->last_written_ns = truth_now_ns();
	served_add(&crossing->served, request);
	*work = crossing->works[--crossing->n_works];
}

static struct work *next_work(struct crossing *crossing)
{
	struct work *next = NULL;

	for (size_t i = 0; i < crossing->n_works; i++)
		if (!next || crossing->works[i].due_ns < next->due_ns)
			next = &crossing->works[i];
	return next;
}

static void accept_one(struct crossing *crossing, const struct net_place *place)
{
	int fd = accept4(crossing->fds[1].fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || crossing->n_fds == 2 + MAX_CONNECTIONS)
		truth_die("accept");
	net_no_delay(place, fd);
	crossing->fds[crossing->n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* Until it is told to end. */
static void run(struct crossing *crossing, const struct net_place *place)
{
	while (!(crossing->fds[0].revents & POLLIN)) {
		struct work *next = next_work(crossing);
		uint64_t now_ns = truth_now_ns(), left_ns = 0;
		struct timespec left;

		if (next && next->due_ns > now_ns)
			left_ns = next->due_ns - now_ns;
		left = (struct timespec){.tv_sec = (time_t)(left_ns / 1000000000),
					 .tv_nsec = (long)(left_ns % 1000000000)};
		if (next && !left_ns) {
			answer(crossing, next);
			continue;
		}
		if (ppoll(crossing->fds, crossing->n_fds, next ? &left : NULL, NULL) < 0)
			truth_die("poll");
		for (nfds_t i = 2; i < crossing->n_fds; i++)
			if (crossing->fds[i].fd >= 0 && crossing->fds[i].revents)
				read_one(crossing, &crossing->fds[i]);
		if (crossing->fds[1].revents)
			accept_one(crossing, place);
	}
}

int main(int argc, char **argv)
{
	struct crossing *crossing = calloc(1, sizeof(*crossing));
	struct net_place place;
	const char *ready;
	sigset_t ends;

	truth_start(&argc, argv);
	if (!crossing)
		truth_die("no memory");
	pthread_mutex_init(&crossing->served.lock, NULL);
	ready = truth_option(&argc, argv, "--ready", NULL);
	place = net_place_option(&argc, argv);
	crossing->service_ns =
		(uint64_t)(truth_number(truth_option(&argc, argv, "--service", "1"), 1e4) * 1e6);
	crossing->uneven = truth_flag(&argc, argv, "--uneven");
	if (argc > 1)
		truth_usage("[OPTION]..., see the top of its source");
	alarm((unsigned int)TRUTH_MAX_SEC);
	net_exact_timers();
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	crossing->fds[0] =
		(struct pollfd){.fd = signalfd(-1, &ends, SFD_CLOEXEC), .events = POLLIN};
	crossing->fds[1] = (struct pollfd){.fd = net_listen(&place), .events = POLLIN};
	crossing->n_fds = 2;
	if (ready)
		net_tell_ready(&place, ready);
	run(crossing, &place);
	served_tell(&crossing->served, crossing->service_ns, 1);
	return 0;
}
