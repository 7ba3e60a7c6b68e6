/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * metrics [--port N] [--ready FILE] [--answers N]: publishes a histogram for Prometheus at
 * /metrics. Each look finds as much more than the one before as is known: of the handler /users
 * 9,000 values between 1 and 2 ms and 1,000 between 10 and 20 ms, of the handler /other 77
 * that are longer than the last bound. Any other path is status 404. After N answers it is
 * gone; without N, it ends by a signal.
 */
#include "net.h"

#define SHORT_ONES 9000L
#define LONG_ONES  1000L
#define OTHERS     77L
/* Each as long as the middle of its bucket. */
#define SUM_SECONDS 28.5
#define HEAD_MAX    4096

/* "PID PORT", in one piece. */
static void tell_ready(const struct net_place *place, const char *path)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "%d %ld\n", (int)getpid(), place->port);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, (size_t)length) != length)
		truth_die("cannot write %s", path);
	close(fd);
}

static void append_bucket(struct net_text *text, const char *handler, const char *bound, long count)
{
	net_append(text, "truth_seconds_bucket{handler=\"%s\",le=\"%s\"} %ld\n", handler, bound,
		   count);
}

/* At the look of number @look, counted from 1. */
static void append_histogram(struct net_text *text, long look)
{
	static const char *const bounds[] = {"0.001", "0.002", "0.005", "0.01", "0.02", "+Inf"};
	const long users[] = {0,
			      SHORT_ONES,
			      SHORT_ONES,
			      SHORT_ONES,
			      SHORT_ONES + LONG_ONES,
			      SHORT_ONES + LONG_ONES};

	net_append(text,
		   "# HELP truth_seconds Time of a request.\n# TYPE truth_seconds histogram\n");
	for (int i = 0; i < 6; i++)
		append_bucket(text, "/users", bounds[i], look * users[i]);
	net_append(text, "truth_seconds_sum{handler=\"/users\"} %.1f\n",
		   (double)look * SUM_SECONDS);
	net_append(text, "truth_seconds_count{handler=\"/users\"} %ld\n", look * users[5]);
	for (int i = 0; i < 6; i++)
		append_bucket(text, "/other", bounds[i], i < 5 ? 0 : look * OTHERS);
	net_append(text, "truth_seconds_sum{handler=\"/other\"} %ld\n", look * OTHERS);
	net_append(text, "truth_seconds_count{handler=\"/other\"} %ld\n", look * OTHERS);
}

/* The first line is all that matters; what follows it is read, so that nobody is cut off. */
static bool read_head(int fd, char *head)
{
	size_t have = 0;

	while (have < HEAD_MAX - 1) {
		ssize_t n = read(fd, head + have, HEAD_MAX - 1 - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
		head[have] = 0;
		if (strstr(head, "\r\n\r\n"))
			return true;
	}
	return false;
}

/* Was it a look? */
static bool answer(int fd, long look)
{
	struct net_text body = {.length = 0}, whole = {.length = 0};
	char head[HEAD_MAX];
	bool is_look;

	if (!read_head(fd, head))
		return false;
	is_look = !strncmp(head, "GET /metrics ", 13);
	if (is_look)
		append_histogram(&body, look);
	net_append(&whole,
		   "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
		   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		   is_look ? "200 OK" : "404 Not Found", body.length, body.text);
	return write(fd, whole.text, whole.length) == (ssize_t)whole.length && is_look;
}

int main(int argc, char **argv)
{
	struct net_place place;
	const char *ready;
	long looks = 0, most;
	int listener;

	truth_start(&argc, argv);
	place = net_place_option(&argc, argv);
	ready = truth_option(&argc, argv, "--ready", NULL);
	most = truth_count(truth_option(&argc, argv, "--answers", "1000000"), 1000000);
	if (argc > 1)
		truth_usage("[--port N] [--ready FILE] [--answers N] [--truth FILE]");
	signal(SIGPIPE, SIG_IGN);
	alarm((unsigned int)TRUTH_MAX_SEC);
	listener = net_listen(&place);
	if (ready)
		tell_ready(&place, ready);
	while (looks < most) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			truth_die("accept");
		looks += answer(fd, looks + 1);
		close(fd);
	}
	close(listener);
	truth_print("{\"looks\": %ld}", looks);
	return 0;
}
