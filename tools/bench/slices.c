/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slices PID PORT WHAT SLICES: what perfbpf's programs cost a server that is under load:
 * its throughput with them attached over its throughput without, in slices of 200 ms that
 * take turns. The server is process PID with its tree, and tells how many requests it has
 * served at http://127.0.0.1:PORT/status (nginx's stub_status). WHAT: none (all but
 * requests, time and storage), default, syscalls, protocols. Prints one line:
 *     RATIO LOW HIGH REQUESTS_PER_SECOND
 * the median of the slices' ratios, its 95 % interval by order statistics, and the
 * throughput without. Needs root.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe/probe.h"
#include "util/clock.h"

#define SLICE_NS  (200 * NSEC_PER_MSEC)
#define SETTLE_NS (50 * NSEC_PER_MSEC)

static void die(const char *what)
{
	fprintf(stderr, "slices: %s\n", what);
	exit(1);
}

static void pass(uint64_t ns)
{
	struct timespec span = {(time_t)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC)};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

/* The third number of the line after "server accepts handled requests". */
static double served(int port)
{
	static const char ask[] = "GET /status HTTP/1.0\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[2048] = "", *line;
	double count = NAN;
	size_t n = 0;
	ssize_t got;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    write(fd, ask, sizeof(ask) - 1) < 0)
		die("the server does not answer");
	while (n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	line = strstr(text, "requests\n");
	if (!line || sscanf(line, "requests\n %*f %*f %lf", &count) != 1)
		die("the server has no /status");
	return count;
}

static double slice(int port)
{
	uint64_t start;
	double before;

	pass(SETTLE_NS);
	start = clock_now_ns();
	before = served(port);
	pass(SLICE_NS);
	return (served(port) - before) / ((double)(clock_now_ns() - start) / 1e9);
}

static struct probe *load(int pidfd, const char *what)
{
	struct probe_options options = {.requests = true, .time = true, .io = true};
	struct probe *probe;
	struct error err;

	if (!strcmp(what, "none"))
		options = (struct probe_options){.stats = false};
	if (!strcmp(what, "requests"))
		options = (struct probe_options){.requests = true};
	options.syscalls = !strcmp(what, "syscalls");
	options.payload = !strcmp(what, "protocols");
	probe = probe_open(&options, &err);
	if (!probe)
		die(err.text);
	probe_round_begin(probe);
	if (probe_enrol(probe, pidfd, getpid(), &err) < 1)
		die(err.text);
	if (probe_snapshot(probe) || probe_window_open(probe))
		die("the window does not open");
	return probe;
}

static void ignore(void *context, const struct pb_event *event, size_t size)
{
	(void)context, (void)event, (void)size;
}

/* The programs stay loaded: what loading leaves behind would fall into the slices. */
static double ratio_of_slices(struct probe *probe, int port, bool on_first, double *without)
{
	double with = NAN;

	for (int turn = 0; turn < 2; turn++) {
		bool on = (turn == 0) == on_first;

		if (on && probe_attach(probe))
			die("the programs cannot be attached again");
		*(on ? &with : without) = slice(port);
		if (!on)
			continue;
		probe_drain(probe, ignore, NULL);
		probe_detach(probe);
	}
	return with / *without;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The median of values in order: of an even number of them, between the two in the middle. */
static double middle(const double *values, int n)
{
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

int main(int argc, char **argv)
{
	int n = argc == 5 ? atoi(argv[4]) : 0, pidfd, k;
	struct probe *probe;
	double *ratios, *rates;

	if (n < 1 || n > 1000)
		die("usage: slices PID PORT none|requests|default|syscalls|protocols SLICES");
	pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	ratios = calloc((size_t)n, sizeof(*ratios));
	rates = calloc((size_t)n, sizeof(*rates));
	if (pidfd < 0 || !ratios || !rates)
		die("no such process");
	probe = load(pidfd, argv[3]);
	probe_detach(probe);
	/* In the order on, off, off, on, …: what drifts meets both alike. */
	for (int i = 0; i < n; i++)
		ratios[i] = ratio_of_slices(probe, atoi(argv[2]), i % 2 == 0, &rates[i]);
	qsort(ratios, (size_t)n, sizeof(*ratios), by_value);
	qsort(rates, (size_t)n, sizeof(*rates), by_value);
	/* Ranks of the interval of a median: n/2 -+ 0.98 sqrt(n). */
	k = (int)floor(n / 2.0 - 0.98 * sqrt(n));
	if (k < 0)
		k = 0;
	printf("%.4f %.4f %.4f %.0f\n", middle(ratios, n), ratios[k], ratios[n - 1 - k],
	       middle(rates, n));
	probe_free(probe);
	free(ratios);
	free(rates);
	return 0;
}
