/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connections open N     N TCP connections to a listener of its own, one after another
 * connections refused N  N attempts at a port that nobody listens on
 * connections resend N   N attempts at a listener whose queue is full: their SYN is
 *                        sent again, and the kernel's own count of that is the truth
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "truth.h"

struct counts {
	long opened, accepted, retransmits;
};

static int tcp_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		truth_die("socket");
	return fd;
}

/* A bound socket, whose address goes to @address; it listens where @backlog is not negative. */
static int bound_socket(struct sockaddr_in *address, int backlog)
{
	socklen_t length = sizeof(*address);
	int fd = tcp_socket(0);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)address, &length) < 0)
		truth_die("bind");
	if (backlog >= 0 && listen(fd, backlog) < 0)
		truth_die("listen");
	return fd;
}

static void open_all(long n, struct counts *counts)
{
	struct sockaddr_in address;
	int listener = bound_socket(&address, 16);

	for (long i = 0; i < n; i++) {
		int out = tcp_socket(0), in;

		if (connect(out, (struct sockaddr *)&address, sizeof(address)) < 0)
			truth_die("connect");
		counts->opened++;
		in = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (in < 0)
			truth_die("accept");
		counts->accepted++;
		close(out);
		close(in);
	}
}

static void refuse_all(long n)
{
	struct sockaddr_in address;

	bound_socket(&address, -1);
	for (long i = 0; i < n; i++) {
		int out = tcp_socket(0);

		if (connect(out, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		    errno != ECONNREFUSED)
			truth_die("the connection was not refused");
		close(out);
	}
}

/*
 * A full accept queue drops SYNs, which are then sent again after 1 s. With a backlog
 * of 0 the queue holds one connection: @counts->opened are those that came through.
 */
static void resend_all(long n, struct counts *counts)
{
	struct sockaddr_in address;
	int sockets[64];

	bound_socket(&address, 0);
	for (long i = 0; i < n; i++) {
		sockets[i] = tcp_socket(SOCK_NONBLOCK);
		if (connect(sockets[i], (struct sockaddr *)&address, sizeof(address)) < 0 &&
		    errno != EINPROGRESS)
			truth_die("connect");
	}
	truth_sleep_ns(1700000000);
	for (long i = 0; i < n; i++) {
		struct tcp_info info = {0};
		socklen_t length = sizeof(info);

		if (getsockopt(sockets[i], IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
			truth_die("TCP_INFO");
		counts->retransmits += info.tcpi_total_retrans;
		counts->opened += info.tcpi_state == TCP_ESTABLISHED;
	}
}

int main(int argc, char **argv)
{
	struct counts counts = {0};
	long n;

	truth_start(&argc, argv);
	if (argc < 3)
		truth_usage("open|refused|resend N [--truth FILE]");
	alarm((unsigned int)TRUTH_MAX_SEC);
	n = truth_count(argv[2], strcmp(argv[1], "resend") == 0 ? 64 : 10000);
	if (strcmp(argv[1], "open") == 0)
		open_all(n, &counts);
	else if (strcmp(argv[1], "refused") == 0)
		refuse_all(n);
	else if (strcmp(argv[1], "resend") == 0)
		resend_all(n, &counts);
	else
		truth_die("no such work: %s", argv[1]);
	truth_print("{\"pid\": %d, \"connections_opened\": %ld, \"connections_accepted\": %ld, "
		    "\"retransmits\": %ld, \"attempts\": %ld}",
		    getpid(), counts.opened, counts.accepted, counts.retransmits, n);
	return 0;
}
