/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/kubelogs/api.h"
#include "drive/kubelogs/connection.h"
#include "util/clock.h"

/* In the tag beside SERVER_TAG: the slot, and a count that tells its users apart. */
#define TAG_SLOT       0xffffULL
#define TAG_LISTEN     TAG_SLOT
#define TAG_COUNT_UNIT 0x10000ULL

/* Buffers that one stream may fill before the others have their turn. */
#define TURN_BUFFERS 4
#define ACCEPT_TURN  64
#define SLOTS        (SERVER_CONNECTIONS_MAX + 32)
#define CLOSE_WAIT   (2 * NSEC_PER_SEC)

struct server {
	const struct source *source;
	int epoll_fd, listen_fd;
	bool is_listening; /* false while there are no descriptors left */
	uint16_t port;
	uint64_t next_tag;
	uint32_t *followers; /* of each pod */
	struct server_counts counts;
	/* Only [0, n_slots) were ever used. The spare ones are for telling that the server is full.
	 */
	uint32_t n_slots;
	struct connection *connections[SLOTS];
	struct http_request
		request; /* of the connection that is looked at: large, so not on the stack */
};

static void count_follower(struct server *server, const struct connection *connection, int step)
{
	uint32_t *followers = &server->followers[connection->stream.log.pod];

	if (!connection->stream.log.follow)
		return;
	server->counts.pods_followed += (uint32_t)(step > 0 ? *followers == 0 : -(*followers == 1));
	*followers += (uint32_t)step;
	server->counts.streams += (uint32_t)step;
}

/* The answer that was under way is out, or in the buffer. */
static void end_answer(struct server *server, struct connection *connection)
{
	if (connection->state == CONNECTION_DEAD)
		return;
	if (connection->state == CONNECTION_LOG) {
		count_follower(server, connection, -1);
		connection->stream.log.follow = false;
	}
	connection->state = connection->keep_alive ? CONNECTION_READING : CONNECTION_ENDING;
}

static void note_late(struct server *server, uint64_t oldest_ns)
{
	uint64_t now = clock_now_ns();

	if (oldest_ns < now && now - oldest_ns > server->counts.late_max_ns)
		server->counts.late_max_ns = now - oldest_ns;
}

/* True: the next buffer can be filled. */
static bool flush_log(struct server *server, struct connection *connection)
{
	if (!connection_flush(connection)) {
		connection->is_blocked = true;
		connection_arm(connection, true);
		return false;
	}
	if (connection->is_blocked)
		stream_unblocked(&connection->stream, server->source, clock_now_ns());
	connection->is_blocked = false;
	return true;
}

/* Fills the buffer, which is empty, with what is due. True: there may be more. */
static bool fill_log(struct server *server, struct connection *connection, uint64_t now_ns)
{
	struct log_stream *stream = &connection->stream;
	uint64_t lines = stream->lines, wanted = stream->wanted, oldest_ns;
	char *room = connection_room(connection, STREAM_BUFFER);

	if (!room)
		return false;
	connection->out_length = stream_fill(stream, server->source, now_ns, connection->chunked,
					     room, STREAM_BUFFER, &oldest_ns);
	server->counts.lines += stream->lines - lines;
	server->counts.wanted += stream->wanted - wanted;
	note_late(server, oldest_ns);
	/* A buffer that is not half full was not left for want of room. */
	return connection->out_length > STREAM_BUFFER / 2 || stream_is_finished(stream);
}

/* Writes the lines that are due. */
static void pump_log(struct server *server, struct connection *connection)
{
	struct log_stream *stream = &connection->stream;
	/* One time for the whole turn, or there would always be one line more. */
	uint64_t now_ns = clock_now_ns();
	bool has_more = true;

	for (int i = 0; i < TURN_BUFFERS && has_more; i++) {
		if (!flush_log(server, connection))
			return;
		if (stream_is_finished(stream)) {
			if (connection->chunked)
				connection_put_end(connection);
			end_answer(server, connection);
			return;
		}
		has_more = fill_log(server, connection, now_ns);
	}
	if (flush_log(server, connection))
		connection_arm(connection, has_more);
}

static void start_log(struct server *server, struct connection *connection,
		      const struct log_request *log)
{
	stream_start(&connection->stream, server->source, log, clock_now_ns());
	connection->is_blocked = false;
	connection->state = CONNECTION_LOG;
	count_follower(server, connection, 1);
	pump_log(server, connection);
}

static void start_watch(struct connection *connection, const struct api_answer *answer)
{
	const char *event = answer->body, *end;

	connection->until_ns = answer->watch_ns ? clock_now_ns() + answer->watch_ns : 0;
	connection->state = CONNECTION_WATCH;
	for (; (end = strchr(event, '\n')); event = end + 1)
		connection_put(connection, event, (size_t)(end + 1 - event), connection->chunked);
}

/* Puts the answer's head, and its body or as much as there is of it now. */
static void send_answer(struct server *server, struct connection *connection,
			const struct api_answer *answer)
{
	bool is_whole = answer->kind == API_BODY;
	char head[HTTP_ANSWER_HEAD_MAX];
	size_t length = HTTP_CHUNKED;

	if (is_whole)
		length = strlen(answer->body);
	else if (!connection->chunked)
		length = HTTP_TILL_CLOSE;
	connection->keep_alive &= length != HTTP_TILL_CLOSE;
	connection_put(connection, head,
		       http_write_head(head, answer->status, answer->content_type, length,
				       connection->keep_alive),
		       false);
	if (connection->state == CONNECTION_DEAD)
		return;
	if (answer->kind == API_LOG) {
		start_log(server, connection, &answer->log);
	} else if (answer->kind == API_WATCH) {
		start_watch(connection, answer);
	} else {
		connection_put(connection, answer->body, length, false);
		end_answer(server, connection);
	}
}

static const char *refusal(enum http_status status)
{
	switch (status) {
	case HTTP_METHOD_NOT_ALLOWED:
		return "this server only answers GET";
	case HTTP_HEADER_TOO_LARGE:
		return "the request's head is longer than 16 KiB";
	case HTTP_VERSION_NOT_SUPPORTED:
		return "this server speaks HTTP/1.1 and HTTP/1.0";
	case HTTP_UNAVAILABLE:
		return "all connections of this server are taken";
	default:
		return "the request cannot be understood";
	}
}

static void answer_request(struct server *server, struct connection *connection,
			   enum http_status status)
{
	struct api_answer answer = {.kind = API_BODY};
	int failed;

	if ((connection->tag & TAG_SLOT) >= SERVER_CONNECTIONS_MAX)
		status = HTTP_UNAVAILABLE;
	connection->chunked = !server->request.is_http10;
	connection->keep_alive = status == HTTP_OK && server->request.keep_alive;
	if (status == HTTP_OK)
		failed = api_answer(server->source, &server->request, clock_now_ns(), &answer);
	else
		failed = api_refuse(&answer, status, "%s", refusal(status));
	if (failed)
		connection->state = CONNECTION_DEAD;
	else
		send_answer(server, connection, &answer);
	free(answer.body);
}

/* Answers the requests that are there, one after the other. */
static void serve(struct server *server, struct connection *connection)
{
	/* A client that sends requests and reads no answers waits for its turn. */
	while (connection->state == CONNECTION_READING && connection->in_length &&
	       connection_flush(connection)) {
		enum http_status status;
		size_t consumed = 0;

		status = http_parse(connection->in, connection->in_length, &server->request,
				    &consumed);
		if (status == HTTP_INCOMPLETE)
			break;
		connection->in_length -= consumed;
		memmove(connection->in, connection->in + consumed, connection->in_length);
		answer_request(server, connection, status);
	}
	if (connection->state == CONNECTION_LOG || connection->state >= CONNECTION_ENDED)
		return;
	if (!connection_flush(connection)) {
		connection_arm(connection, true);
		return;
	}
	connection_arm(connection, false);
	if (connection->state == CONNECTION_ENDING) {
		shutdown(connection->fd, SHUT_WR);
		connection->state = CONNECTION_ENDED;
		connection->until_ns = clock_now_ns() + CLOSE_WAIT;
	}
}

/* Removes the connection of @slot if it has died. */
static void reap(struct server *server, uint32_t slot)
{
	struct connection *connection = server->connections[slot];
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = SERVER_TAG | TAG_LISTEN};

	if (!connection || connection->state != CONNECTION_DEAD)
		return;
	if (connection->stream.log.follow)
		count_follower(server, connection, -1);
	connection_free(connection);
	server->connections[slot] = NULL;
	if (!server->is_listening)
		server->is_listening =
			!epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, server->listen_fd, &event);
}

static void add_connection(struct server *server, int fd)
{
	uint32_t slot = 0;
	int on = 1;

	while (slot < SLOTS && server->connections[slot])
		slot++;
	if (slot == SLOTS) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	server->next_tag += TAG_COUNT_UNIT;
	server->connections[slot] = connection_new(
		fd, server->epoll_fd, SERVER_TAG | (server->next_tag & ~SERVER_TAG) | slot);
	if (slot >= server->n_slots)
		server->n_slots = slot + 1;
}

static void accept_clients(struct server *server)
{
	struct epoll_event none = {.data.u64 = SERVER_TAG | TAG_LISTEN};

	for (int i = 0; i < ACCEPT_TURN; i++) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			add_connection(server, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		/* Without a descriptor the client cannot be taken: it waits until one is free. */
		if (errno != EAGAIN &&
		    !epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, server->listen_fd, &none))
			server->is_listening = false;
		return;
	}
}

void server_handle(struct server *server, uint64_t tag, uint32_t events)
{
	uint32_t slot = (uint32_t)(tag & TAG_SLOT);
	struct connection *connection;

	if (slot == TAG_LISTEN) {
		accept_clients(server);
		return;
	}
	connection = slot < SLOTS ? server->connections[slot] : NULL;
	/* An event of one that was removed a moment ago. */
	if (!connection || connection->tag != tag)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		connection_read(connection);
	if (connection->state == CONNECTION_LOG && events & EPOLLOUT)
		pump_log(server, connection);
	serve(server, connection);
	reap(server, slot);
}

void server_emit(struct server *server)
{
	for (uint32_t slot = 0; slot < server->n_slots; slot++) {
		struct connection *connection = server->connections[slot];

		/* One that waits for room, or has had its turn, is called by its own event. */
		if (!connection || connection->state != CONNECTION_LOG || connection->is_armed)
			continue;
		pump_log(server, connection);
		serve(server, connection);
		reap(server, slot);
	}
}

void server_sweep(struct server *server)
{
	uint64_t now = clock_now_ns();

	for (uint32_t slot = 0; slot < server->n_slots; slot++) {
		struct connection *connection = server->connections[slot];

		if (!connection || !connection->until_ns || connection->until_ns > now)
			continue;
		connection->until_ns = 0;
		if (connection->state == CONNECTION_WATCH) {
			if (connection->chunked)
				connection_put_end(connection);
			end_answer(server, connection);
			serve(server, connection);
		} else if (connection->state == CONNECTION_ENDED) {
			connection->state = CONNECTION_DEAD;
		}
		reap(server, slot);
	}
}

/* Room for all connections and what else the process has open, as far as it may. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	rlim_t wanted = 2 * SERVER_CONNECTIONS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	/* Where that fails, clients wait to be accepted: see accept_clients(). */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_socket(struct server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = SERVER_TAG | TAG_LISTEN};
	socklen_t length = sizeof(address);

	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/*
	 * Clients inherit it. There is nothing to control on loopback, and a sender that
	 * paces itself (BBR does, where a machine is set to it) would make lines late.
	 */
	if (server->listen_fd >= 0)
		(void)setsockopt(server->listen_fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	if (server->listen_fd < 0 ||
	    bind(server->listen_fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(server->listen_fd, SOMAXCONN) ||
	    getsockname(server->listen_fd, (struct sockaddr *)&address, &length) ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &event))
		return -errno;
	server->port = ntohs(address.sin_port);
	server->is_listening = true;
	return 0;
}

struct server *server_open(const struct source *source, int epoll_fd, struct error *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int rc = -ENOMEM;

	if (server) {
		server->source = source;
		server->epoll_fd = epoll_fd;
		server->listen_fd = -1;
		server->followers = calloc(source->n_pods, sizeof(*server->followers));
		raise_file_limit();
		rc = server->followers ? open_socket(server) : -ENOMEM;
	}
	if (!rc)
		return server;
	server_close(server);
	error_set(err, EXIT_CODE_FAILED, "kubelogs: cannot listen on 127.0.0.1: %s", strerror(-rc));
	return NULL;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	for (uint32_t slot = 0; slot < server->n_slots; slot++)
		connection_free(server->connections[slot]);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	free(server->followers);
	free(server);
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

const struct server_counts *server_counts(const struct server *server)
{
	return &server->counts;
}

void server_reset_late(struct server *server)
{
	server->counts.late_max_ns = 0;
}
