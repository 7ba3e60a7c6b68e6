/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * server [OPTION]...: takes a known time for each request, and tells when it read it and
 * when it wrote the answer. Ends by SIGTERM, then the truth is written.
 *
 * --port N | --unix PATH   where it listens (default: any free port of 127.0.0.1)
 * --ready FILE             "PID PORT", once it listens
 * --mode single            accepts a connection, serves it to its end, then the next one
 *        threads           each of --threads N does that
 *        acceptor          one thread accepts, the others serve
 *        split             one thread accepts and reads, the others answer
 *        epoll             one thread, a request at a time, in the order of their arrival
 *        uring             the same by io_uring; ends in 77 where that is not allowed
 * --service MS             from the read of a request to its answer; --burn: on the CPU
 * --paced                  keep to the times of a queue that is served without any loss
 *                          between two requests (not with acceptor and split)
 * --close                  end a connection once it was answered
 * --read whole|half|splice in one piece; 5 bytes, then the rest; by way of a pipe
 * --answer BYTES --by write|sendfile|splice --writes N --pause MS
 *                          in N equal pieces with pauses between them
 *
 * A request of the kind NET_STREAM is answered by a line every 10 ms for as long as its
 * connection lasts (not in the modes of one thread).
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>

#include "net.h"
#include "served.h"
#include "uring.h"

#define MAX_THREADS 64
#define MAX_ANSWER  65536
#define HALF_READ   5
#define LINE_NS     10000000ULL

enum mode { SINGLE, THREADS, ACCEPTOR, SPLIT, EPOLL, URING };
enum method { WRITE, SENDFILE, SPLICE };
enum reading { WHOLE, HALF, BY_PIPE };

static const char *const modes[] = {"single", "threads", "acceptor", "split",
				    "epoll",  "uring",   NULL};
static const char *const methods[] = {"write", "sendfile", "splice", NULL};
static const char *const readings[] = {"whole", "half", "splice", NULL};

struct connection {
	int fd;
	size_t have; /* of the request that is being read */
	struct net_message message;
	struct request request;
	struct connection *next; /* in the queue of a worker */
};

struct server {
	struct net_place place;
	int mode, method, reading;
	bool burn, paced, close_after;
	uint64_t service_ns, pause_ns;
	size_t answer, writes;
	int listener, epoll, file;
	/* What is waiting for a worker. */
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct connection *first, **last;
	struct served served;
};

/* --- a request and its answer ------------------------------------------------------- */

static struct connection *connection_new(struct server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		truth_die("no memory");
	connection->fd = fd;
	net_no_delay(&server->place, fd);
	served_count(&server->served, &server->served.accepted);
	return connection;
}

static void connection_free(struct server *server, struct connection *connection)
{
	close(connection->fd);
	free(connection);
	served_count(&server->served, &server->served.closed);
}

/* One pipe a thread, for splice(2). */
static int *thread_pipe(void)
{
	static _Thread_local int ends[2] = {-1, -1};

	if (ends[0] < 0 && pipe2(ends, O_CLOEXEC) < 0)
		truth_die("pipe");
	return ends;
}

static ssize_t read_piece(const struct server *server, struct connection *connection)
{
	char *to = (char *)&connection->message + connection->have;
	size_t length = NET_MESSAGE - connection->have;
	ssize_t n;

	if (server->reading == HALF && connection->have < HALF_READ)
		length = HALF_READ - connection->have;
	if (server->reading != BY_PIPE)
		return read(connection->fd, to, length);
	n = splice(connection->fd, NULL, thread_pipe()[1], NULL, length, SPLICE_F_MOVE);
	if (n > 0 && read(thread_pipe()[0], to, (size_t)n) != n)
		truth_die("cannot read back what was spliced");
	return n;
}

/* Takes in @n bytes that were just read. Is the request complete? */
static bool connection_take(struct connection *connection, size_t n)
{
	connection->request.read_ns = truth_now_ns();
	if (!connection->have)
		connection->request.first_read_ns = connection->request.read_ns;
	connection->have += n;
	return connection->have == NET_MESSAGE;
}

/* 1: a request has been read; 0: nothing more to read now; -1: the connection has ended. */
static int connection_read(const struct server *server, struct connection *connection)
{
	for (;;) {
		ssize_t n = read_piece(server, connection);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -1;
		if (connection_take(connection, (size_t)n))
			return 1;
	}
}

/* The work. With --paced, the request's end is when an ideal server would have ended it. */
static void work(struct server *server, struct connection *connection)
{
	static _Thread_local uint64_t free_ns; /* with --paced: when this thread is idle again */
	uint64_t begin_ns = connection->request.read_ns;

	connection->request.sent_ns = connection->message.sent_ns;
	connection->have = 0;
	if (server->paced) {
		begin_ns = connection->message.sent_ns;
		if (begin_ns < free_ns)
			begin_ns = free_ns;
		free_ns = begin_ns + server->service_ns;
	}
	if (!server->service_ns)
		return;
	if (server->burn)
		truth_burn_until(CLOCK_MONOTONIC, begin_ns + server->service_ns);
	else
		net_sleep_until(begin_ns + server->service_ns);
}

static bool send_piece(const struct server *server, int fd, const char *from, size_t length)
{
	off_t offset = 0;

	while (length) {
		ssize_t n = 0;

		if (server->method == WRITE)
			n = send(fd, from, length, MSG_NOSIGNAL);
		else if (server->method == SENDFILE)
			n = sendfile(fd, server->file, &offset, length);
		else
			n = splice(thread_pipe()[0], NULL, fd, NULL, length, SPLICE_F_MOVE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return false;
		from += n;
		length -= (size_t)n;
	}
	return true;
}

/* Fills the pipe before the stamp of a piece is taken: that is no part of writing it. */
static void prepare_piece(const struct server *server, const char *from, size_t length)
{
	if (server->method == SPLICE && write(thread_pipe()[1], from, length) != (ssize_t)length)
		truth_die("cannot fill a pipe");
}

/* Writes the answer. Returns false where the client has gone. */
static bool answer(struct server *server, struct connection *connection)
{
	static _Thread_local char text[MAX_ANSWER];
	struct request *request = &connection->request;
	size_t piece = server->answer / server->writes;

	connection->message.answered_ns = truth_now_ns();
	memcpy(text, &connection->message, NET_MESSAGE);
	for (size_t i = 0; i < server->writes; i++) {
		size_t length = i + 1 < server->writes ? piece : server->answer - i * piece;

		if (i && server->pause_ns)
			truth_sleep_ns(server->pause_ns);
		prepare_piece(server, text + i * piece, length);
		request->last_write_ns = truth_now_ns();
		if (!send_piece(server, connection->fd, text + i * piece, length))
			return false;
		request->last_written_ns = truth_now_ns();
		if (i == 0) {
			request->write_ns = request->last_write_ns;
			request->written_ns = request->last_written_ns;
		}
	}
	served_add(&server->served, request);
	return true;
}

static void stream(struct server *server, struct connection *connection)
{
	static const char line[] = "a line of a log that is followed\n";
	uint64_t next_ns = truth_now_ns();

	served_count(&server->served, &server->served.streams);
	while (send(connection->fd, line, sizeof(line) - 1, MSG_NOSIGNAL) > 0) {
		served_count(&server->served, &server->served.lines);
		next_ns += LINE_NS;
		net_sleep_until(next_ns);
	}
}

/* Does what was asked for. Returns false where the connection is to end. */
static bool serve(struct server *server, struct connection *connection)
{
	if (connection->message.kind == NET_STREAM) {
		stream(server, connection);
		return false;
	}
	work(server, connection);
	return answer(server, connection) && !server->close_after;
}

/* --- who serves whom ------------------------------------------------------------------ */

static int accept_one(const struct server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		truth_die("accept");
	return fd;
}

static void serve_to_its_end(struct server *server, struct connection *connection)
{
	while (connection_read(server, connection) > 0 && serve(server, connection))
		;
	connection_free(server, connection);
}

static void *run_single(void *argument)
{
	struct server *server = argument;

	net_exact_timers();
	for (;;) {
		int fd = accept_one(server);

		if (fd >= 0)
			serve_to_its_end(server, connection_new(server, fd));
	}
	return NULL;
}

static void hand_over(struct server *server, struct connection *connection)
{
	connection->next = NULL;
	pthread_mutex_lock(&server->lock);
	*server->last = connection;
	server->last = &connection->next;
	pthread_cond_signal(&server->filled);
	pthread_mutex_unlock(&server->lock);
}

static struct connection *take_over(struct server *server)
{
	struct connection *connection;

	pthread_mutex_lock(&server->lock);
	while (!server->first)
		pthread_cond_wait(&server->filled, &server->lock);
	connection = server->first;
	server->first = connection->next;
	if (!server->first)
		server->last = &server->first;
	pthread_mutex_unlock(&server->lock);
	return connection;
}

static void *run_acceptor(void *argument)
{
	struct server *server = argument;

	for (;;) {
		int fd = accept_one(server);

		if (fd >= 0)
			hand_over(server, connection_new(server, fd));
	}
	return NULL;
}

static void *run_worker(void *argument)
{
	struct server *server = argument;

	net_exact_timers();
	for (;;)
		serve_to_its_end(server, take_over(server));
	return NULL;
}

/*
 * Edge-triggered: a connection goes to the end of the kernel's list of ready ones when a
 * request arrives, so that requests are read in that order. EPOLLONESHOT: whoever answers
 * turns it on again.
 */
static void watch(struct server *server, struct connection *connection, int operation)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLET | (server->mode == SPLIT ? EPOLLONESHOT : 0),
		.data.ptr = connection,
	};

	if (epoll_ctl(server->epoll, operation, connection->fd, &event) < 0)
		truth_die("epoll_ctl");
}

static void accept_all(struct server *server)
{
	int fd;

	while ((fd = accept_one(server)) >= 0) {
		net_nonblocking(fd);
		watch(server, connection_new(server, fd), EPOLL_CTL_ADD);
	}
}

static void look_at(struct server *server, struct connection *connection)
{
	int got;

	while ((got = connection_read(server, connection)) > 0) {
		if (server->mode == SPLIT) {
			hand_over(server, connection);
			return;
		}
		if (!serve(server, connection)) {
			got = -1;
			break;
		}
	}
	if (got < 0)
		connection_free(server, connection);
	else if (server->mode == SPLIT)
		watch(server, connection, EPOLL_CTL_MOD);
}

static void *run_epoll(void *argument)
{
	struct server *server = argument;
	struct epoll_event event = {.events = EPOLLIN};

	net_exact_timers();
	net_nonblocking(server->listener);
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) < 0)
		truth_die("epoll_ctl");
	for (;;) {
		if (epoll_wait(server->epoll, &event, 1, -1) != 1)
			continue;
		if (event.data.ptr)
			look_at(server, event.data.ptr);
		else
			accept_all(server);
	}
	return NULL;
}

static void *run_answerer(void *argument)
{
	struct server *server = argument;

	net_exact_timers();
	for (;;) {
		struct connection *connection = take_over(server);

		if (serve(server, connection))
			watch(server, connection, EPOLL_CTL_MOD);
		else
			connection_free(server, connection);
	}
	return NULL;
}

/* --- io_uring ------------------------------------------------------------------------- */

enum { URING_ACCEPT, URING_READ, URING_WRITE };

static void uring_read(struct uring *ring, struct connection *connection)
{
	uring_add(ring, IORING_OP_RECV, connection->fd,
		  (char *)&connection->message + connection->have, NET_MESSAGE - connection->have,
		  (uintptr_t)connection | URING_READ);
}

static void uring_answer(struct server *server, struct uring *ring, struct connection *connection)
{
	work(server, connection);
	connection->request.write_ns = truth_now_ns();
	connection->message.answered_ns = connection->request.write_ns;
	uring_add(ring, IORING_OP_SEND, connection->fd, &connection->message, NET_MESSAGE,
		  (uintptr_t)connection | URING_WRITE);
}

static void uring_wrote(struct server *server, struct uring *ring, struct connection *connection)
{
	struct request *request = &connection->request;

	request->last_write_ns = request->write_ns;
	request->written_ns = request->last_written_ns = truth_now_ns();
	served_add(&server->served, request);
	if (server->close_after)
		connection_free(server, connection);
	else
		uring_read(ring, connection);
}

static void *run_uring(void *argument)
{
	struct server *server = argument;
	struct uring ring;

	net_exact_timers();
	uring_open(&ring);
	uring_add(&ring, IORING_OP_ACCEPT, server->listener, NULL, 0, URING_ACCEPT);
	for (;;) {
		struct uring_event event = uring_wait(&ring);
		struct connection *connection = (void *)(uintptr_t)(event.user_data & ~7ULL);

		if (event.user_data == URING_ACCEPT) {
			if (event.res >= 0)
				uring_read(&ring, connection_new(server, event.res));
			uring_add(&ring, IORING_OP_ACCEPT, server->listener, NULL, 0, URING_ACCEPT);
		} else if (event.res <= 0) {
			connection_free(server, connection);
		} else if (event.user_data & URING_WRITE) {
			uring_wrote(server, &ring, connection);
		} else if (connection_take(connection, (size_t)event.res)) {
			uring_answer(server, &ring, connection);
		} else {
			uring_read(&ring, connection);
		}
	}
	return NULL;
}

/* --- options ------------------------------------------------------------------------------ */

static int choice(int *argc, char **argv, const char *option, const char *const *words)
{
	const char *word = truth_option(argc, argv, option, words[0]);

	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	truth_die("%s: what is '%s'?", option, word);
}

static uint64_t milliseconds(int *argc, char **argv, const char *option)
{
	return (uint64_t)(truth_number(truth_option(argc, argv, option, "0"), 1e4) * 1e6);
}

static void configure(struct server *server, int *argc, char **argv)
{
	server->place = net_place_option(argc, argv);
	server->mode = choice(argc, argv, "--mode", modes);
	server->method = choice(argc, argv, "--by", methods);
	server->reading = choice(argc, argv, "--read", readings);
	server->burn = truth_flag(argc, argv, "--burn");
	server->paced = truth_flag(argc, argv, "--paced");
	server->close_after = truth_flag(argc, argv, "--close");
	server->service_ns = milliseconds(argc, argv, "--service");
	server->pause_ns = milliseconds(argc, argv, "--pause");
	server->answer =
		(size_t)truth_count(truth_option(argc, argv, "--answer", "64"), MAX_ANSWER);
	server->writes = (size_t)truth_count(truth_option(argc, argv, "--writes", "1"), 64);
	if (server->paced && (server->mode == ACCEPTOR || server->mode == SPLIT))
		truth_die("which thread is idle first is not known in this mode");
	if (server->answer < NET_MESSAGE || !server->writes)
		truth_die("an answer has %zu bytes or more, and a write", NET_MESSAGE);
	if (server->mode == URING && (server->writes > 1 || server->answer != NET_MESSAGE ||
				      server->method != WRITE || server->reading != WHOLE))
		truth_die("by io_uring only requests and answers of one piece");
}

/* A file of zeros that sendfile(2) answers from: its answers hold no stamp. */
static int answer_file(size_t length)
{
	FILE *file = tmpfile();

	if (!file || ftruncate(fileno(file), (off_t)length) < 0)
		truth_die("cannot make a file");
	return fileno(file);
}

static void start(void *(*function)(void *), struct server *server)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, function, server);
	if (errno)
		truth_die("pthread_create");
}

static void start_all(struct server *server, long threads)
{
	static void *(*const firsts[])(void *) = {run_single, run_single, run_acceptor,
						  run_epoll,  run_epoll,  run_uring};
	static void *(*const others[])(void *) = {NULL,         run_single, run_worker,
						  run_answerer, NULL,       NULL};

	start(firsts[server->mode], server);
	if (server->mode == THREADS)
		threads--;
	for (long i = 0; others[server->mode] && i < threads; i++)
		start(others[server->mode], server);
}

int main(int argc, char **argv)
{
	struct server server = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.served = {.lock = PTHREAD_MUTEX_INITIALIZER},
				.filled = PTHREAD_COND_INITIALIZER,
				.last = &server.first};
	struct timespec longest = {.tv_sec = (time_t)TRUTH_MAX_SEC};
	const char *ready;
	long threads;
	sigset_t ends;

	truth_start(&argc, argv);
	ready = truth_option(&argc, argv, "--ready", NULL);
	threads = truth_count(truth_option(&argc, argv, "--threads", "4"), MAX_THREADS);
	configure(&server, &argc, argv);
	if (argc > 1)
		truth_usage("[OPTION]..., see the top of its source");
	if (server.mode == URING && !uring_works()) {
		fprintf(stderr, "server: io_uring is not there, or not allowed\n");
		exit(NET_SKIP);
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	server.file = answer_file(server.answer);
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	server.listener = net_listen(&server.place);
	start_all(&server, threads);
	if (ready)
		net_tell_ready(&server.place, ready);
	while (sigtimedwait(&ends, NULL, &longest) < 0 && errno == EINTR)
		;
	served_settle(&server.served);
	served_tell(&server.served, server.service_ns,
		    server.mode == THREADS ? (size_t)threads : 1);
	_exit(0);
}
