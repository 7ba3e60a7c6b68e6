/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the truth programs that talk share: where they meet, what they say, and how
 * they sum up the times that they took down.
 */
#ifndef PERFBPF_TRUTH_NET_H
#define PERFBPF_TRUTH_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "truth.h"

#define NET_BACKLOG 4096
#define NET_SKIP    77 /* exit status: this machine cannot do what was asked for */
#define NET_NONE    0  /* a time that nobody took */

enum net_kind {
	NET_REQUEST,
	NET_STREAM, /* answered by lines for as long as the connection lasts */
};

/*
 * A request, and the beginning of each answer. Both ends run on one machine: their
 * CLOCK_MONOTONIC is the same, so a stamp of one end is a truth for the other.
 */
struct net_message {
	uint64_t sent_ns;     /* by the client, just before its first write */
	uint64_t answered_ns; /* by the server, just before its first write; or NET_NONE */
	uint32_t kind;
	uint8_t fill[44];
};

#define NET_MESSAGE sizeof(struct net_message)
_Static_assert(NET_MESSAGE == 64, "requests have a fixed length");

/* A port of 127.0.0.1, or a path. */
struct net_place {
	const char *path; /* NULL: TCP */
	long port;        /* 0: any that is free */
};

/* Takes `--port N` or `--unix PATH` out of argv. */
static inline struct net_place net_place_option(int *argc, char **argv)
{
	struct net_place place = {.path = truth_option(argc, argv, "--unix", NULL)};

	place.port = truth_count(truth_option(argc, argv, "--port", "0"), 65535);
	return place;
}

union net_address {
	struct sockaddr any;
	struct sockaddr_in inet;
	struct sockaddr_un local;
};

static inline socklen_t net_address(const struct net_place *place, union net_address *address)
{
	*address = (union net_address){0};
	if (!place->path) {
		address->inet.sin_family = AF_INET;
		address->inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address->inet.sin_port = htons((uint16_t)place->port);
		return sizeof(address->inet);
	}
	if (strlen(place->path) >= sizeof(address->local.sun_path))
		truth_die("the path is too long: %s", place->path);
	address->local.sun_family = AF_UNIX;
	strcpy(address->local.sun_path, place->path);
	return sizeof(address->local);
}

static inline int net_socket(const struct net_place *place)
{
	int fd = socket(place->path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		truth_die("socket");
	return fd;
}

/* Small writes are to leave at once. */
static inline void net_no_delay(const struct net_place *place, int fd)
{
	int on = 1;

	if (!place->path && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		truth_die("TCP_NODELAY");
}

static inline void net_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		truth_die("O_NONBLOCK");
}

/* Listens at @place; the port that it got is written there. */
static inline int net_listen(struct net_place *place)
{
	union net_address address;
	socklen_t length = net_address(place, &address);
	int fd = net_socket(place), on = 1;

	if (place->path)
		unlink(place->path);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, length) < 0 || listen(fd, NET_BACKLOG) < 0)
		truth_die("cannot listen");
	if (!place->path) {
		if (getsockname(fd, &address.any, &length) < 0)
			truth_die("getsockname");
		place->port = ntohs(address.inet.sin_port);
	}
	return fd;
}

/*
 * Connects to @place. @source: which of the loopback's addresses it comes from, counted from
 * 1; 0 leaves that to the kernel. @began_ns: when it called, unless NULL.
 */
static inline int net_connect(const struct net_place *place, unsigned int source,
			      uint64_t *began_ns)
{
	union net_address address, own = {.inet = {.sin_family = AF_INET}};
	socklen_t length = net_address(place, &address);
	int fd = net_socket(place), on = 1;

	if (source && !place->path) {
		own.inet.sin_addr.s_addr =
			htonl(INADDR_LOOPBACK + ((source / 250 + 1) << 8) + source % 250);
		if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
		    bind(fd, &own.any, sizeof(own.inet)) < 0)
			truth_die("cannot take an address of the loopback");
	}
	if (began_ns)
		*began_ns = truth_now_ns();
	if (connect(fd, &address.any, length) < 0)
		truth_die("connect");
	return fd;
}

/* "PID PORT" to the file @path, at once. */
static inline void net_tell_ready(const struct net_place *place, const char *path)
{
	char text[64], other[4096];
	int fd, length = snprintf(text, sizeof(text), "%d %ld\n", getpid(), place->port);

	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, (size_t)length) != length || rename(other, path) < 0)
		truth_die("cannot write %s", path);
	close(fd);
}

/* Timers of this thread fire as near to their time as the kernel can. */
static inline void net_exact_timers(void)
{
	prctl(PR_SET_TIMERSLACK, 1UL);
}

static inline void net_sleep_until(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / 1000000000ULL),
		.tv_nsec = (long)(ns % 1000000000ULL),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* --- times, summed up ------------------------------------------------------------ */

struct samples {
	double *seconds;
	size_t n, capacity;
};

/* The time from @from_ns to @to_ns; none is taken where one of both is not known. */
static inline void samples_add(struct samples *samples, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns == NET_NONE || to_ns == NET_NONE)
		return;
	if (samples->n == samples->capacity) {
		samples->capacity = samples->capacity ? 2 * samples->capacity : 4096;
		samples->seconds =
			realloc(samples->seconds, samples->capacity * sizeof(*samples->seconds));
		if (!samples->seconds)
			truth_die("no memory");
	}
	samples->seconds[samples->n++] = ((double)to_ns - (double)from_ns) / 1e9;
}

static inline int samples_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* By nearest rank; the samples are in order. */
static inline double samples_percentile(const struct samples *samples, double percent)
{
	double exact = percent * (double)samples->n / 100;
	size_t rank = (size_t)exact;

	if ((double)rank < exact)
		rank++;
	return samples->seconds[rank ? rank - 1 : 0];
}

/* JSON that grows. */
struct net_text {
	char text[3800];
	size_t length;
};

static inline void __attribute__((format(printf, 2, 3)))
net_append(struct net_text *text, const char *fmt, ...)
{
	size_t room = sizeof(text->text) - text->length;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text->text + text->length, room, fmt, args);
	va_end(args);
	if (length < 0 || (size_t)length >= room)
		truth_die("the truth is too long");
	text->length += (size_t)length;
}

/* Appends `, "NAME": {"count": …}` and puts the samples in order. */
static inline void net_append_samples(struct net_text *text, const char *name,
				      struct samples *samples)
{
	double sum = 0;

	if (!samples->n) {
		net_append(text, ", \"%s\": {\"count\": 0}", name);
		return;
	}
	qsort(samples->seconds, samples->n, sizeof(*samples->seconds), samples_order);
	for (size_t i = 0; i < samples->n; i++)
		sum += samples->seconds[i];
	net_append(text,
		   ", \"%s\": {\"count\": %zu, \"mean_seconds\": %.9f, \"p50_seconds\": %.9f, "
		   "\"p90_seconds\": %.9f, \"p99_seconds\": %.9f, \"max_seconds\": %.9f}",
		   name, samples->n, sum / (double)samples->n, samples_percentile(samples, 50),
		   samples_percentile(samples, 90), samples_percentile(samples, 99),
		   samples_percentile(samples, 100));
}

#endif
