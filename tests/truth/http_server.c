/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_server [OPTION]...: answers each HTTP request, one after the other, and keeps when. Ends by
 * SIGTERM, then the truth is written: how many there were, and how long those who asked in an
 * open loop have waited. The k-th request was due k/R after the first one came, whenever
 * it was really sent.
 *
 * --ready FILE     "PID PORT", once it listens on a free port of 127.0.0.1
 * --service MS     from the read of a request to its answer, on the CPU
 * --stall-at S --stall MS
 *                  nothing is read and answered for MS, S after the first request
 * --rate R         of the open loop
 *
 * {"requests": n, "response_p50_seconds": …, "response_p99_seconds": …, "response_max_seconds": …}
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "truth.h"

#define REQUESTS_MAX 4000000
#define EVENTS_MAX   64
#define ANSWER       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct http_server {
	int epoll_fd, listen_fd, signal_fd;
	uint64_t service_ns, stall_at_ns, stall_ns;
	double rate;
	size_t n;
	uint64_t first_ns;
	uint64_t *answered_ns;
};

static void add(const struct http_server *server, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		truth_die("epoll_ctl");
}

static void open_server(struct http_server *server, const char *ready)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	sigset_t signals;
	FILE *file;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listen_fd, (struct sockaddr *)&address, size) ||
	    listen(server->listen_fd, 4096) ||
	    getsockname(server->listen_fd, (struct sockaddr *)&address, &size))
		truth_die("cannot listen");
	add(server, server->listen_fd);
	add(server, server->signal_fd);
	server->answered_ns = calloc(REQUESTS_MAX, sizeof(*server->answered_ns));
	file = fopen(ready, "we");
	if (!server->answered_ns || !file ||
	    fprintf(file, "%d %u\n", getpid(), ntohs(address.sin_port)) < 0 || fclose(file))
		truth_die("cannot write %s", ready);
}

static void take_connection(const struct http_server *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd < 0)
		truth_die("accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	add(server, fd);
}

/* Requests are small: each comes in one piece. */
static void answer(struct http_server *server, int fd)
{
	char request[8192];
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n <= 0) {
		close(fd);
		return;
	}
	if (n < 4 || memcmp(request + n - 4, "\r\n\r\n", 4) != 0)
		truth_die("a request is not whole");
	if (!server->n)
		server->first_ns = truth_now_ns();
	if (server->service_ns)
		truth_burn_until(CLOCK_MONOTONIC, truth_now_ns() + server->service_ns);
	if (send(fd, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL) < 0)
		close(fd);
	if (server->n == REQUESTS_MAX)
		truth_die("more than %d requests", REQUESTS_MAX);
	server->answered_ns[server->n++] = truth_now_ns();
}

static void stall_if_due(struct http_server *server)
{
	if (!server->stall_ns || !server->n ||
	    truth_now_ns() < server->first_ns + server->stall_at_ns)
		return;
	truth_sleep_ns(server->stall_ns);
	server->stall_ns = 0;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The smallest that a share of @q does not exceed. */
static double quantile(const double *sorted, size_t n, double q)
{
	size_t rank = (size_t)(q * (double)n);

	if (!n)
		return 0;
	return sorted[rank < n ? rank : n - 1];
}

static void tell(const struct http_server *server)
{
	double *response = calloc(server->n + 1, sizeof(*response));

	if (!response)
		truth_die("no memory");
	for (size_t i = 0; i < server->n; i++) {
		double due_ns = server->rate > 0 ? (double)i * 1e9 / server->rate : 0;

		response[i] = ((double)(server->answered_ns[i] - server->first_ns) - due_ns) / 1e9;
	}
	qsort(response, server->n, sizeof(*response), by_value);
	truth_print("{\"requests\": %zu, \"response_p50_seconds\": %.9f, "
		    "\"response_p99_seconds\": %.9f, \"response_max_seconds\": %.9f}",
		    server->n, quantile(response, server->n, 0.5),
		    quantile(response, server->n, 0.99), quantile(response, server->n, 1));
	free(response);
}

static void serve(struct http_server *server)
{
	uint64_t end_ns = truth_now_ns() + (uint64_t)(TRUTH_MAX_SEC * 1e9);
	struct epoll_event events[EVENTS_MAX];

	while (truth_now_ns() < end_ns) {
		int n = epoll_wait(server->epoll_fd, events, EVENTS_MAX, 20);

		stall_if_due(server);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == server->signal_fd)
				return;
			if (fd == server->listen_fd)
				take_connection(server);
			else
				answer(server, fd);
		}
	}
}

int main(int argc, char **argv)
{
	struct http_server server = {0};
	const char *ready;

	truth_start(&argc, argv);
	ready = truth_option(&argc, argv, "--ready", NULL);
	server.service_ns =
		(uint64_t)(truth_number(truth_option(&argc, argv, "--service", "0"), 1e4) * 1e6);
	server.stall_at_ns =
		(uint64_t)(truth_number(truth_option(&argc, argv, "--stall-at", "0"), 60) * 1e9);
	server.stall_ns =
		(uint64_t)(truth_number(truth_option(&argc, argv, "--stall", "0"), 1e4) * 1e6);
	server.rate = truth_number(truth_option(&argc, argv, "--rate", "0"), 1e6);
	if (argc > 1 || !ready)
		truth_usage("--ready FILE [--service MS] [--stall-at S --stall MS] [--rate R]");
	open_server(&server, ready);
	serve(&server);
	tell(&server);
	return 0;
}
