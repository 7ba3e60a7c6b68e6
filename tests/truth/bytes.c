/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bytes METHOD N [--fork] [--inet6] [--read HOW] [--chunk SIZE]: moves exactly N bytes through a
 * socket on the loopback interface, from a thread to another, or with --fork to a child.
 *
 * METHOD  write send sendmsg sendmmsg sendfile splice   over TCP
 *         udp unix                                      write() over that kind of socket
 *         peek                                          write(), each read after a MSG_PEEK
 * HOW     read recv recvmsg recvmmsg splice
 */
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "truth.h"

#define CHUNK    65536
#define DATAGRAM 1400
#define BATCH    8 /* of sendmmsg and recvmmsg */

static char block[CHUNK];

/* Each sends up to @n of the bytes and returns how many went. */
static ssize_t send_write(int fd, size_t n)
{
	return write(fd, block, n);
}

static ssize_t send_send(int fd, size_t n)
{
	return send(fd, block, n, MSG_NOSIGNAL);
}

static ssize_t send_msg(int fd, size_t n)
{
	struct iovec parts[2] = {{block, n / 2}, {block, n - n / 2}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static ssize_t send_mmsg(int fd, size_t n)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	ssize_t total = 0;
	int sent;

	for (unsigned int i = 0; i < BATCH; i++) {
		size_t from = n * i / BATCH, to = n * (i + 1) / BATCH;

		parts[i] = (struct iovec){block, to - from};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, BATCH, MSG_NOSIGNAL);
	if (sent < 0)
		return -1;
	for (int i = 0; i < sent; i++)
		total += messages[i].msg_len;
	return total;
}

static ssize_t send_file(int fd, size_t n)
{
	static int source = -1;
	off_t offset = 0;

	if (source < 0) {
		source = memfd_create("bytes", MFD_CLOEXEC);
		if (source < 0 || write(source, block, CHUNK) != CHUNK)
			truth_die("memfd");
	}
	return sendfile(fd, source, &offset, n);
}

static ssize_t send_splice(int fd, size_t n)
{
	static int pipes[2] = {-1, -1};
	ssize_t filled, total = 0;

	if (pipes[0] < 0 && pipe2(pipes, O_CLOEXEC) < 0)
		truth_die("pipe2");
	if (n > 4096)
		n = 4096; /* fits any pipe */
	filled = write(pipes[1], block, n);
	while (filled > total) {
		ssize_t moved = splice(pipes[0], NULL, fd, NULL, (size_t)(filled - total), 0);

		if (moved <= 0)
			return -1;
		total += moved;
	}
	return total;
}

/* Each receives up to @n bytes and returns how many came, 0 at the end. */
static ssize_t receive_read(int fd, size_t n)
{
	char buffer[CHUNK];

	return read(fd, buffer, n);
}

static ssize_t receive_recv(int fd, size_t n)
{
	char buffer[CHUNK];

	return recv(fd, buffer, n, 0);
}

static ssize_t receive_peek(int fd, size_t n)
{
	char buffer[CHUNK];
	ssize_t seen = recv(fd, buffer, n, MSG_PEEK);

	return seen <= 0 ? seen : recv(fd, buffer, (size_t)seen, 0);
}

static ssize_t receive_msg(int fd, size_t n)
{
	char buffer[CHUNK];
	struct iovec part = {buffer, n};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return recvmsg(fd, &message, 0);
}

static ssize_t receive_mmsg(int fd, size_t n)
{
	char buffer[CHUNK];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	ssize_t total = 0;
	int received;

	for (unsigned int i = 0; i < BATCH; i++) {
		size_t from = n * i / BATCH, to = n * (i + 1) / BATCH;

		parts[i] = (struct iovec){buffer + from, to - from};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
	if (received < 0)
		return -1;
	for (int i = 0; i < received; i++)
		total += messages[i].msg_len;
	return total;
}

static ssize_t receive_splice(int fd, size_t n)
{
	static int pipes[2] = {-1, -1};
	char buffer[CHUNK];
	ssize_t moved;

	if (pipes[0] < 0 && pipe2(pipes, O_CLOEXEC) < 0)
		truth_die("pipe2");
	moved = splice(fd, NULL, pipes[1], NULL, n < 4096 ? n : 4096, 0);
	if (moved > 0 && read(pipes[0], buffer, (size_t)moved) != moved)
		truth_die("pipe");
	return moved;
}

static const struct method {
	const char *name;
	int domain, type;
	ssize_t (*send)(int fd, size_t n);
	ssize_t (*receive)(int fd, size_t n);
} methods[] = {
	{"write", AF_INET, SOCK_STREAM, send_write, receive_read},
	{"send", AF_INET, SOCK_STREAM, send_send, receive_read},
	{"sendmsg", AF_INET, SOCK_STREAM, send_msg, receive_read},
	{"sendmmsg", AF_INET, SOCK_STREAM, send_mmsg, receive_read},
	{"sendfile", AF_INET, SOCK_STREAM, send_file, receive_read},
	{"splice", AF_INET, SOCK_STREAM, send_splice, receive_read},
	{"peek", AF_INET, SOCK_STREAM, send_write, receive_peek},
	{"udp", AF_INET, SOCK_DGRAM, send_write, receive_recv},
	{"unix", AF_UNIX, SOCK_STREAM, send_write, receive_read},
};

static const struct reader {
	const char *name;
	ssize_t (*receive)(int fd, size_t n);
} readers[] = {
	{"read", receive_read},     {"recv", receive_recv},     {"recvmsg", receive_msg},
	{"recvmmsg", receive_mmsg}, {"splice", receive_splice},
};

struct transfer {
	const struct method *method;
	ssize_t (*receive)(int fd, size_t n);
	size_t bytes;
	size_t chunk; /* sent at a time; 0: uneven sizes */
	int domain;
	int in, out; /* the receiver's socket (of a stream: the listening one), the sender's */
	sem_t *turn; /* of datagrams: one at a time, so that none is dropped */
};

/* A loopback address of @domain without a port (of AF_UNIX: one that the kernel chooses). */
static socklen_t loopback_address(int domain, struct sockaddr_storage *storage)
{
	struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)storage;
	struct sockaddr_in *inet = (struct sockaddr_in *)storage;

	memset(storage, 0, sizeof(*storage));
	storage->ss_family = (sa_family_t)domain;
	if (domain == AF_UNIX)
		return sizeof(sa_family_t);
	if (domain == AF_INET6) {
		inet6->sin6_addr = in6addr_loopback;
		return sizeof(*inet6);
	}
	inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*inet);
}

static void transfer_open(struct transfer *transfer)
{
	int type = transfer->method->type;
	struct sockaddr_storage address;
	socklen_t length = loopback_address(transfer->domain, &address);

	transfer->in = socket(transfer->domain, type | SOCK_CLOEXEC, 0);
	if (transfer->in < 0 || bind(transfer->in, (struct sockaddr *)&address, length) < 0)
		truth_die("bind");
	if (type == SOCK_STREAM && listen(transfer->in, 1) < 0)
		truth_die("listen");
	length = sizeof(address);
	if (getsockname(transfer->in, (struct sockaddr *)&address, &length) < 0)
		truth_die("getsockname");
	transfer->out = socket(transfer->domain, type | SOCK_CLOEXEC, 0);
	if (transfer->out < 0 || connect(transfer->out, (struct sockaddr *)&address, length) < 0)
		truth_die("connect");
	transfer->turn =
		mmap(NULL, TRUTH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (transfer->turn == MAP_FAILED || sem_init(transfer->turn, 1, 1) < 0)
		truth_die("sem_init");
}

static void send_all(const struct transfer *transfer)
{
	/* Uneven sizes: 1, 4097, 8193 … of a stream, and not more than a datagram holds. */
	bool datagrams = transfer->method->type == SOCK_DGRAM;
	size_t limit = datagrams ? DATAGRAM : CHUNK, done = 0;
	size_t size = transfer->chunk ? transfer->chunk : 1;

	while (done < transfer->bytes) {
		size_t left = transfer->bytes - done, n = size < left ? size : left;
		ssize_t sent;

		if (datagrams)
			sem_wait(transfer->turn);
		sent = transfer->method->send(transfer->out, n);
		if (sent <= 0)
			truth_die("cannot send");
		done += (size_t)sent;
		if (!transfer->chunk)
			size = (size + 4096) % limit + 1;
	}
	if (!datagrams)
		shutdown(transfer->out, SHUT_WR);
}

static void receive_all(const struct transfer *transfer)
{
	bool datagrams = transfer->method->type == SOCK_DGRAM;
	int fd = datagrams ? transfer->in : accept4(transfer->in, NULL, NULL, SOCK_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		truth_die("accept");
	while (done < transfer->bytes) {
		ssize_t received = transfer->receive(fd, CHUNK);

		if (received <= 0)
			truth_die("cannot receive: %zu bytes came", done);
		done += (size_t)received;
		if (datagrams)
			sem_post(transfer->turn);
	}
	/* A stream ends here, and no byte more. */
	if (!datagrams && transfer->receive(fd, CHUNK) != 0)
		truth_die("more came than was sent");
	close(fd);
}

static void *receive_thread(void *transfer)
{
	receive_all(transfer);
	return NULL;
}

static pid_t run_in_child(struct transfer *transfer)
{
	pid_t pid = truth_fork();

	if (pid == 0) {
		close(transfer->out);
		receive_all(transfer);
		_exit(0);
	}
	send_all(transfer);
	truth_wait(pid);
	return pid;
}

static pid_t run_in_thread(struct transfer *transfer)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, receive_thread, transfer);
	if (errno)
		truth_die("pthread_create");
	send_all(transfer);
	pthread_join(thread, NULL);
	return getpid();
}

static void choose(struct transfer *transfer, const char *method, const char *reader)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, method) == 0)
			transfer->method = &methods[i];
	}
	if (!transfer->method)
		truth_die("no such method: %s", method);
	transfer->receive = reader ? NULL : transfer->method->receive;
	for (size_t i = 0; reader && i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (strcmp(readers[i].name, reader) == 0)
			transfer->receive = readers[i].receive;
	}
	if (!transfer->receive)
		truth_die("no such way to read: %s", reader);
}

static const char *family_name(int domain)
{
	return domain == AF_UNIX ? "unix" : domain == AF_INET6 ? "inet6" : "inet";
}

int main(int argc, char **argv)
{
	struct transfer transfer = {0};
	const char *reader;
	bool in_child, inet6, tcp;
	pid_t peer;

	truth_start(&argc, argv);
	in_child = truth_flag(&argc, argv, "--fork");
	inet6 = truth_flag(&argc, argv, "--inet6");
	reader = truth_option(&argc, argv, "--read", NULL);
	transfer.chunk = (size_t)truth_count(truth_option(&argc, argv, "--chunk", "0"), CHUNK);
	if (argc < 3)
		truth_usage(
			"METHOD N [--fork] [--inet6] [--read HOW] [--chunk SIZE] [--truth FILE]");
	choose(&transfer, argv[1], reader);
	transfer.bytes = (size_t)truth_count(argv[2], 1L << 32);
	transfer.domain =
		inet6 && transfer.method->domain == AF_INET ? AF_INET6 : transfer.method->domain;
	alarm((unsigned int)TRUTH_MAX_SEC);
	transfer_open(&transfer);
	peer = in_child ? run_in_child(&transfer) : run_in_thread(&transfer);
	tcp = transfer.domain != AF_UNIX && transfer.method->type == SOCK_STREAM;
	truth_print("{\"pid\": %d, \"peer_pid\": %d, \"method\": \"%s\", \"family\": \"%s\", "
		    "\"tx_bytes\": %zu, \"rx_bytes\": %zu, \"connections_opened\": %d, "
		    "\"connections_accepted\": %d}",
		    getpid(), peer, transfer.method->name, family_name(transfer.domain),
		    transfer.bytes, transfer.bytes, tcp, tcp);
	return 0;
}
