/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HTTP/1.1 as a protocol of the load engine: each user has a connection of its own. */
#include "drive/http/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "drive/http/response.h"

#define RECEIVE_SIZE 65536

struct http {
	const struct http_config *config;
	struct http_target target;
	size_t address; /* of the target's, the one that answers */
	bool is_address_known;
	struct http_request *requests;
	size_t n_requests;
	struct http_buffer body, out;         /* room for what is sent */
	char status_names[HTTP_STATUSES][24]; /* "status 200" */
	char received[RECEIVE_SIZE];
};

enum connection_state {
	CONNECTION_CLOSED,
	CONNECTION_CONNECTING,
	CONNECTION_OPEN,
};

/* A user's state. */
struct connection {
	int fd; /* where it is not closed */
	enum connection_state state;
	bool is_busy;   /* a request is under way */
	bool is_reused; /* an earlier request went over this connection */
	bool is_repeated;
	bool was_lost; /* the target closed the last one, and that was not asked for */
	const struct http_request *request;
	struct http_values values;
	size_t address, tried; /* the one in use, and how many for this request */
	size_t found;          /* of the text that is expected */
	struct response response;
	/* What did not fit into the socket. */
	char *unsent;
	size_t unsent_size, unsent_at;
};

/* --- ends ---------------------------------------------------------------------------- */

static void disconnect(struct load_user *user, struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	load_unwatch(user, connection->fd);
	close(connection->fd);
	connection->state = CONNECTION_CLOSED;
	free(connection->unsent);
	connection->unsent = NULL;
}

static void finish(struct load_user *user, struct connection *connection, const char *error)
{
	struct load_outcome outcome = {.error = error, .bytes = connection->response.bytes};

	connection->is_busy = false;
	load_done(user, &outcome);
}

static void fail(struct load_user *user, struct connection *connection, const char *error)
{
	disconnect(user, connection);
	finish(user, connection, error);
}

static const char *error_kind(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ENOENT: /* a Unix socket that is not there */
		return "refused";
	case ECONNRESET:
	case EPIPE:
		return "reset";
	case ETIMEDOUT:
		return "timeout";
	case EADDRNOTAVAIL:
		return "no local port free";
	case EAGAIN:
		return "backlog full";
	case ENETUNREACH:
	case EHOSTUNREACH:
		return "unreachable";
	default:
		return "broken connection";
	}
}

static int begin_connecting(struct http *http, struct load_user *user, struct error *err);

/*
 * The connection has broken. Where it had been idle the target may have closed it just before
 * the request came: it goes out once more, over a new one. So it does to another address while
 * none is known to answer.
 */
static int broken(struct http *http, struct load_user *user, int error, struct error *err)
{
	struct connection *connection = load_user_state(user);
	bool was_connecting = connection->state == CONNECTION_CONNECTING;

	disconnect(user, connection);
	if (was_connecting && !http->is_address_known &&
	    ++connection->tried < http->target.n_addresses) {
		connection->address = (connection->address + 1) % http->target.n_addresses;
		return begin_connecting(http, user, err);
	}
	if (connection->is_reused && !connection->is_repeated && connection->request->may_repeat &&
	    !connection->response.bytes) {
		connection->is_repeated = connection->was_lost = true;
		return begin_connecting(http, user, err);
	}
	finish(user, connection, error ? error_kind(error) : "closed early");
	return 0;
}

/* --- sending -------------------------------------------------------------------------- */

static int watch(struct load_user *user, int fd, uint32_t events, struct error *err)
{
	int rc = load_watch(user, fd, events);

	return rc ? error_set(err, EXIT_CODE_FAILED, "http: cannot watch a connection: %s",
			      strerror(-rc))
		  : 0;
}

/* What the socket does not take now is kept. */
static int keep_unsent(struct load_user *user, struct connection *connection, const char *data,
		       size_t size, struct error *err)
{
	connection->unsent = malloc(size);
	if (!connection->unsent)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	memcpy(connection->unsent, data, size);
	connection->unsent_size = size;
	connection->unsent_at = 0;
	return watch(user, connection->fd, EPOLLIN | EPOLLOUT, err);
}

static int send_request(struct http *http, struct load_user *user, struct error *err)
{
	struct connection *connection = load_user_state(user);
	const struct http_request *request = connection->request;
	const struct http_buffer *out = &request->constant;
	ssize_t n;

	if (!request->is_constant) {
		if (http_request_fill(request, &connection->values, &http->body, &http->out))
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
		out = &http->out;
	}
	n = send(connection->fd, out->data, out->size, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		return broken(http, user, errno, err);
	if (n < 0)
		n = 0;
	if ((size_t)n < out->size)
		return keep_unsent(user, connection, out->data + n, out->size - (size_t)n, err);
	return 0;
}

static int send_rest(struct http *http, struct load_user *user, struct error *err)
{
	struct connection *connection = load_user_state(user);
	ssize_t n = send(connection->fd, connection->unsent + connection->unsent_at,
			 connection->unsent_size - connection->unsent_at, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return broken(http, user, errno, err);
	connection->unsent_at += (size_t)n;
	if (connection->unsent_at < connection->unsent_size)
		return 0;
	free(connection->unsent);
	connection->unsent = NULL;
	return watch(user, connection->fd, EPOLLIN, err);
}

static int connected(struct http *http, struct load_user *user, struct error *err)
{
	struct connection *connection = load_user_state(user);
	const struct http_address *address = &http->target.addresses[connection->address];
	int on = 1;

	http->address = connection->address;
	http->is_address_known = true;
	connection->state = CONNECTION_OPEN;
	connection->is_reused = false;
	if (address->address.ss_family != AF_UNIX)
		setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (watch(user, connection->fd, EPOLLIN, err))
		return -1;
	load_sent(user);
	return send_request(http, user, err);
}

static int begin_connecting(struct http *http, struct load_user *user, struct error *err)
{
	struct connection *connection = load_user_state(user);
	const struct http_address *address = &http->target.addresses[connection->address];
	int rc;

	connection->fd =
		socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		return error_set(err, EXIT_CODE_FAILED,
				 "http: cannot open another connection: %s%s", strerror(errno),
				 errno == EMFILE ? "; raise the limit of open files (ulimit -n) "
						   "or lower vus"
						 : "");
	if (connection->was_lost)
		load_count(user, "reconnects", 1);
	connection->was_lost = false;
	response_begin(&connection->response, connection->request->is_head);
	connection->found = 0;
	connection->state = CONNECTION_CONNECTING;
	rc = connect(connection->fd, (const struct sockaddr *)&address->address, address->size);
	if (!rc)
		return connected(http, user, err);
	if (errno != EINPROGRESS)
		return broken(http, user, errno, err);
	return watch(user, connection->fd, EPOLLOUT, err);
}

static int end_connecting(struct http *http, struct load_user *user, struct error *err)
{
	struct connection *connection = load_user_state(user);
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	return error ? broken(http, user, error, err) : connected(http, user, err);
}

static int http_begin(void *context, struct load_user *user, size_t kind, struct error *err)
{
	struct http *http = context;
	struct connection *connection = load_user_state(user);

	connection->request = &http->requests[kind];
	connection->is_busy = true;
	connection->is_repeated = false;
	connection->tried = 0;
	connection->address = http->address;
	if (!connection->request->is_constant)
		connection->values = (struct http_values){
			.iteration = load_user_iteration(user),
			.user = load_user_number(user),
			.random = load_user_random(user) >> 32,
		};
	if (connection->state != CONNECTION_OPEN)
		return begin_connecting(http, user, err);
	response_begin(&connection->response, connection->request->is_head);
	connection->found = 0;
	connection->is_reused = true;
	return send_request(http, user, err);
}

/* --- receiving ------------------------------------------------------------------------ */

/* The answer is whole; @has_more: and more came than belongs to it. */
static void answered(struct http *http, struct load_user *user, bool has_more)
{
	struct connection *connection = load_user_state(user);
	const struct http_request *request = connection->request;
	int status = connection->response.status;
	const char *error = NULL;

	load_count(user, http->status_names[status], 1);
	if (!request->accepts[status])
		error = http->status_names[status];
	else if (connection->found < request->expect_size)
		error = "wrong body";
	/* A request that is not yet out as a whole will not be wanted any more. */
	if (has_more || connection->unsent || !connection->response.keeps_alive ||
	    !http->config->keep_alive)
		disconnect(user, connection);
	finish(user, connection, has_more ? "malformed" : error);
}

static void take(struct http *http, struct load_user *user, size_t size)
{
	struct connection *connection = load_user_state(user);
	struct response *response = &connection->response;
	size_t at = 0;

	while (at < size && !response_is_over(response)) {
		at += response_take(response, http->received + at, size - at);
		if (connection->request->expect_body && response->piece)
			connection->found = http_find(connection->request, connection->found,
						      response->piece, response->piece_size);
	}
	if (response->state == RESPONSE_MALFORMED)
		fail(user, connection, "malformed");
	else if (response->state == RESPONSE_ENDED)
		answered(http, user, at < size);
}

/* The target has closed the connection. */
static int closed(struct http *http, struct load_user *user, int error, struct error *err)
{
	struct connection *connection = load_user_state(user);
	bool is_first = !connection->response.bytes;

	if (!connection->is_busy) {
		connection->was_lost = true;
		disconnect(user, connection);
		return 0;
	}
	if (error || is_first)
		return broken(http, user, error, err);
	response_close(&connection->response);
	if (connection->response.state == RESPONSE_ENDED)
		answered(http, user, false);
	else
		fail(user, connection, "closed early");
	return 0;
}

static int receive(struct http *http, struct load_user *user, struct error *err)
{
	struct connection *connection = load_user_state(user);
	ssize_t n = recv(connection->fd, http->received, sizeof(http->received), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return closed(http, user, n < 0 ? errno : 0, err);
	if (connection->is_busy)
		take(http, user, (size_t)n);
	else
		/* Nobody asked: what belongs to what could not be told any more. */
		disconnect(user, connection);
	return 0;
}

static int http_ready(void *context, struct load_user *user, int fd, uint32_t events,
		      struct error *err)
{
	struct http *http = context;
	struct connection *connection = load_user_state(user);

	(void)fd;
	if (connection->state == CONNECTION_CONNECTING)
		return end_connecting(http, user, err);
	if ((events & EPOLLOUT) && connection->unsent && send_rest(http, user, err))
		return -1;
	if (connection->state == CONNECTION_OPEN && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return receive(http, user, err);
	return 0;
}

static void http_give_up(void *context, struct load_user *user)
{
	struct connection *connection = load_user_state(user);

	(void)context;
	connection->is_busy = false;
	disconnect(user, connection);
}

static void http_close_user(void *context, struct load_user *user)
{
	struct connection *connection = load_user_state(user);

	(void)context;
	disconnect(user, connection);
	response_clear(&connection->response);
}

static const struct load_protocol protocol = {
	.user_size = sizeof(struct connection),
	.begin = http_begin,
	.ready = http_ready,
	.give_up = http_give_up,
	.close = http_close_user,
};

/* --- the driver ------------------------------------------------------------------------ */

static void http_close(void *context)
{
	struct http *http = context;

	if (!http)
		return;
	for (size_t i = 0; http->requests && i < http->n_requests; i++)
		http_request_clear(&http->requests[i]);
	http_target_clear(&http->target);
	free(http->requests);
	free(http->body.data);
	free(http->out.data);
	free(http);
}

static int open_target(struct http *http, const struct variable *variables, size_t n_variables,
		       struct error *err)
{
	const struct http_config *config = http->config;
	char *url = variables_fill(config->url, variables, n_variables, err), *path = NULL;
	int rc = url ? 0 : -1;

	if (!rc && config->unix_socket) {
		path = variables_fill(config->unix_socket, variables, n_variables, err);
		rc = path ? 0 : -1;
	}
	if (!rc)
		rc = http_target_open(&http->target, url, path, err);
	free(url);
	free(path);
	return rc;
}

/* One for each user. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void *http_connect(const struct driver_context *context, const struct variable *variables,
			  size_t n_variables, struct error *err)
{
	const struct http_config *config = context->scenario->driver_config;
	struct http *http = calloc(1, sizeof(*http));
	int rc;

	if (!http) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	raise_file_limit();
	http->config = config;
	for (int i = 0; i < HTTP_STATUSES; i++)
		snprintf(http->status_names[i], sizeof(http->status_names[i]), "status %d", i);
	http->n_requests = config->n_requests;
	http->requests = calloc(config->n_requests + 1, sizeof(*http->requests));
	rc = http->requests ? open_target(http, variables, n_variables, err)
			    : error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; !rc && i < config->n_requests; i++)
		rc = http_request_make(&http->requests[i], &config->requests[i], &http->target,
				       config->keep_alive, variables, n_variables, err);
	if (!rc)
		return http;
	http_close(http);
	return NULL;
}

static void http_print_usage(const void *context, FILE *out)
{
	const struct http *http = context;

	fprintf(out, "Requests go to http://%s%s. Ctrl-C ends it.\n", http->target.host,
		http->target.prefix);
}

static const struct load_driver_ops http_load = {
	.name = "http",
	.protocol = &protocol,
	.kinds = http_kinds,
	.connect = http_connect,
	.print_usage = http_print_usage,
	.close = http_close,
};

static struct driver *http_open(const struct driver_context *context, struct error *err)
{
	return load_driver_open(&http_load, context, err);
}

/* Of each request. */
static const char *const own_variables[] = {"iteration", "user", "random", NULL};

const struct driver_ops driver_http = {
	.name = "http",
	.description = "HTTP/1.1 requests, open or closed loop, weighted, their answers checked",
	.by_socket = true,
	.schema = &http_schema,
	.open = http_open,
	.kinds = http_kinds,
	.own_variables = own_variables,
	LOAD_DRIVER_FUNCTIONS,
};
