/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * client [OPTION]...: asks a server, in an open loop: requests leave at the times of a plan,
 * whatever the answers do.
 *
 * --port N | --unix PATH | --ready FILE   where the server is; FILE is what it wrote
 * --rate N          requests a second; 0: closed loop, the next one follows the answer
 * --duration S      the length of the plan; ends when all of it is answered
 * --poisson         at random times (default: evenly), of --seed N
 * --connections N   that are kept (default 1); a request takes one that is idle
 * --reconnect       a new connection for each request instead; --sources N: from N of the
 *                   loopback's addresses in turn
 * --pipeline K      K requests at once, in one write
 * --depth N         up to N requests in flight on a connection, each in a write of its own
 * --half MS         5 bytes of a request, and the rest MS later
 * --answer BYTES    the length of an answer, as the server was told
 * --streams N       N connections more that ask for a stream, and read it all the time
 * --ping MS         ... and say something on it each MS milliseconds
 * --stop            ends the server with SIGTERM at the end; needs --ready
 */
#include <sys/epoll.h>

#include "net.h"

#define MAX_CONNECTIONS 4096
#define MAX_PIPELINE    64
#define MAX_SOURCES     2000
#define MAX_STREAMS     16
#define MAX_PLAN        4000000
#define HALF            5

struct connection {
	int fd;
	bool streams;
	bool is_idle; /* in the list of those */
	int waiting;  /* answers that are still to come */
	size_t got;   /* bytes of the first of them */
	uint64_t half_due_ns, first_ns;
	struct net_message request, answer;
	struct connection *next;
};

/* A list to which is added at the end. */
struct list {
	struct connection *first, **last;
};

struct client {
	struct net_place place;
	pid_t server;
	double rate, duration;
	bool poisson, reconnect;
	int pipeline, depth;
	unsigned int sources;
	uint64_t half_ns, ping_ns, next_ping_ns, end_ns;
	size_t answer, n_connections, n_streams;
	uint64_t *plan; /* when to send, in order */
	size_t n_plan, next;
	int epoll;
	struct connection *streams[MAX_STREAMS];
	struct list idle, halves; /* halves: the rest of their request is still to be sent */
	/* What came of it. */
	size_t opened, sent, answered, busy, late, lines;
	uint64_t latest_ns;
	struct samples first_byte, last_byte, round_trip, connect;
};

static void list_add(struct list *list, struct connection *connection)
{
	connection->next = NULL;
	*list->last = connection;
	list->last = &connection->next;
}

static struct connection *list_take(struct list *list)
{
	struct connection *connection = list->first;

	if (connection) {
		list->first = connection->next;
		if (!list->first)
			list->last = &list->first;
	}
	return connection;
}

/* --- connections ----------------------------------------------------------------------- */

static struct connection *connection_open(struct client *client)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	unsigned int source =
		client->sources ? (unsigned int)(client->opened % client->sources) : 0;
	uint64_t began_ns;

	if (!connection)
		truth_die("no memory");
	connection->fd = net_connect(&client->place, client->sources ? source + 1 : 0, &began_ns);
	samples_add(&client->connect, began_ns, truth_now_ns());
	net_no_delay(&client->place, connection->fd);
	client->opened++;
	net_nonblocking(connection->fd);
	if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		truth_die("epoll_ctl");
	return connection;
}

static void connection_close(struct connection *connection)
{
	close(connection->fd);
	free(connection);
}

static void send_all(const struct connection *connection, const void *data, size_t length)
{
	if (send(connection->fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
		truth_die("cannot send a request");
}

/* --- requests -------------------------------------------------------------------------- */

static void send_requests(struct client *client, struct connection *connection)
{
	struct net_message batch[MAX_PIPELINE] = {0};

	connection->waiting += client->pipeline;
	for (int i = 0; i < client->pipeline; i++)
		batch[i].kind = connection->streams ? NET_STREAM : NET_REQUEST;
	connection->request = batch[0];
	connection->request.sent_ns = truth_now_ns();
	for (int i = 0; i < client->pipeline; i++)
		batch[i].sent_ns = connection->request.sent_ns;
	if (client->half_ns && !connection->streams) {
		send_all(connection, batch, HALF);
		connection->half_due_ns = truth_now_ns() + client->half_ns;
		list_add(&client->halves, connection);
	} else {
		send_all(connection, batch, (size_t)client->pipeline * NET_MESSAGE);
	}
}

static void send_half(struct connection *connection)
{
	send_all(connection, (const char *)&connection->request + HALF, NET_MESSAGE - HALF);
}

/* There is room for another request on it. */
static void add_idle(struct client *client, struct connection *connection)
{
	if (connection->is_idle)
		return;
	connection->is_idle = true;
	list_add(&client->idle, connection);
}

static struct connection *take_idle(struct client *client)
{
	struct connection *connection = list_take(&client->idle);

	if (connection)
		connection->is_idle = false;
	return connection;
}

/* Sends what is planned for now. Where no connection is idle, it has to wait: that is counted. */
static void send_planned(struct client *client)
{
	struct connection *connection;
	uint64_t due_ns = client->plan[client->next], now_ns;

	connection = client->reconnect ? connection_open(client) : take_idle(client);
	if (!connection) {
		client->busy++;
		return;
	}
	now_ns = truth_now_ns();
	if (now_ns - due_ns > client->latest_ns)
		client->latest_ns = now_ns - due_ns;
	client->late += now_ns - due_ns > 1000000;
	client->next++;
	client->sent += (size_t)client->pipeline;
	send_requests(client, connection);
	if (connection->waiting < client->depth)
		add_idle(client, connection);
}

static void answered(struct client *client, struct connection *connection)
{
	/* Of several in flight the answer tells whose it is. */
	uint64_t sent_ns =
		client->depth > 1 ? connection->answer.sent_ns : connection->request.sent_ns;

	samples_add(&client->first_byte, sent_ns, connection->first_ns);
	samples_add(&client->last_byte, sent_ns, truth_now_ns());
	samples_add(&client->round_trip, sent_ns, connection->answer.answered_ns);
	client->answered++;
	connection->got = 0;
	if (--connection->waiting >= client->depth)
		return;
	if (client->reconnect) {
		connection_close(connection);
	} else if (client->rate > 0) {
		add_idle(client, connection);
	} else if (truth_now_ns() < client->end_ns) {
		client->sent += (size_t)client->pipeline;
		send_requests(client, connection);
	}
}

/* Takes in @n bytes of answers. */
static void take(struct client *client, struct connection *connection, const char *data, size_t n)
{
	while (n) {
		size_t length = client->answer - connection->got;

		if (length > n)
			length = n;
		if (connection->got == 0)
			connection->first_ns = truth_now_ns();
		if (connection->got < NET_MESSAGE) {
			size_t rest = NET_MESSAGE - connection->got;

			memcpy((char *)&connection->answer + connection->got, data,
			       length < rest ? length : rest);
		}
		connection->got += length;
		data += length;
		n -= length;
		/* The last answer may close the connection, and then nothing is left of data. */
		if (connection->got == client->answer)
			answered(client, connection);
	}
}

static void read_answers(struct client *client, struct connection *connection)
{
	char data[65536];
	ssize_t n = read(connection->fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		truth_die("the server ended a connection");
	if (connection->streams) {
		for (ssize_t i = 0; i < n; i++)
			client->lines += data[i] == '\n';
		return;
	}
	take(client, connection, data, (size_t)n);
}

/* --- the loop -------------------------------------------------------------------------- */

static void ping_streams(struct client *client)
{
	for (size_t i = 0; i < client->n_streams; i++)
		send_all(client->streams[i], "ping", 4);
	client->next_ping_ns += client->ping_ns;
}

/* Sends what is due and returns when the next is. */
static uint64_t send_due(struct client *client)
{
	uint64_t due_ns = UINT64_MAX, now_ns = truth_now_ns();

	while (client->halves.first && client->halves.first->half_due_ns <= now_ns)
		send_half(list_take(&client->halves));
	if (client->ping_ns && client->next_ping_ns <= now_ns)
		ping_streams(client);
	while (client->next < client->n_plan && client->plan[client->next] <= now_ns) {
		size_t busy = client->busy;

		send_planned(client);
		if (client->busy != busy)
			break;
	}
	if (client->halves.first)
		due_ns = client->halves.first->half_due_ns;
	if (client->next < client->n_plan && client->plan[client->next] > now_ns &&
	    client->plan[client->next] < due_ns)
		due_ns = client->plan[client->next];
	if (client->ping_ns && client->next_ping_ns < due_ns)
		due_ns = client->next_ping_ns;
	if (client->n_streams && client->end_ns > now_ns && client->end_ns < due_ns)
		due_ns = client->end_ns;
	return due_ns;
}

static bool is_done(const struct client *client)
{
	return client->next == client->n_plan && client->answered == client->sent &&
	       (!(client->n_streams || client->rate == 0) || truth_now_ns() >= client->end_ns);
}

static void run(struct client *client)
{
	struct epoll_event events[64];

	while (!is_done(client)) {
		uint64_t due_ns = send_due(client), now_ns = truth_now_ns();
		uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
		struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000ULL),
					.tv_nsec = (long)(left_ns % 1000000000ULL)};
		int n;

		n = epoll_pwait2(client->epoll, events, 64, due_ns == UINT64_MAX ? NULL : &left,
				 NULL);
		if (n < 0 && errno != EINTR)
			truth_die("epoll_pwait2");
		for (int i = 0; i < n; i++)
			read_answers(client, events[i].data.ptr);
	}
}

/* --- the plan -------------------------------------------------------------------------- */

static uint64_t random_bits(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static int plan_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * A Poisson process, given how many arrivals it had: each of them at a time of its own, all
 * equally likely.
 */
static void make_plan(struct client *client, uint64_t begin_ns, uint64_t seed)
{
	double n = client->rate * client->duration, length_ns = client->duration * 1e9;
	uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;

	if (n > MAX_PLAN)
		truth_die("%.0f requests are too many", n);
	client->n_plan = (size_t)(n + 0.5);
	client->plan = calloc(client->n_plan + 1, sizeof(*client->plan));
	if (!client->plan)
		truth_die("no memory");
	for (size_t i = 0; i < client->n_plan; i++) {
		double at = client->poisson ? (double)(random_bits(&state) >> 11) / 0x1p53
					    : (double)i / n;

		client->plan[i] = begin_ns + (uint64_t)(at * length_ns);
	}
	if (client->n_plan)
		qsort(client->plan, client->n_plan, sizeof(*client->plan), plan_order);
}

static void start(struct client *client, uint64_t seed)
{
	client->idle.last = &client->idle.first;
	client->halves.last = &client->halves.first;
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; !client->reconnect && i < client->n_connections; i++)
		add_idle(client, connection_open(client));
	for (size_t i = 0; i < client->n_streams; i++) {
		struct connection *connection = connection_open(client);

		connection->streams = true;
		client->streams[i] = connection;
		send_requests(client, connection);
	}
	make_plan(client, truth_now_ns() + 10000000, seed);
	client->next_ping_ns = truth_now_ns() + client->ping_ns;
	client->end_ns = truth_now_ns() + (uint64_t)(client->duration * 1e9);
	while (client->rate == 0 && client->idle.first) {
		client->sent += (size_t)client->pipeline;
		send_requests(client, take_idle(client));
	}
}

static void tell(struct client *client)
{
	struct net_text text = {.length = 0};

	net_append(&text,
		   "{\"pid\": %d, \"opened\": %zu, \"sent\": %zu, \"answered\": %zu, "
		   "\"lines\": %zu, \"held_back\": %zu, \"late\": %zu, \"latest_seconds\": %.9f",
		   getpid(), client->opened, client->sent, client->answered, client->lines,
		   client->busy, client->late, (double)client->latest_ns / 1e9);
	net_append_samples(&text, "first_byte", &client->first_byte);
	net_append_samples(&text, "last_byte", &client->last_byte);
	net_append_samples(&text, "round_trip", &client->round_trip);
	net_append_samples(&text, "connect", &client->connect);
	truth_print("%s}", text.text);
}

/* --- options ------------------------------------------------------------------------------ */

/* Takes the server's process and port from what it wrote, once it has. */
static void read_ready(struct client *client, const char *path)
{
	for (int i = 0; i < 1000; i++) {
		FILE *file = fopen(path, "re");
		int n = file ? fscanf(file, "%d %ld", &client->server, &client->place.port) : 0;

		if (file)
			fclose(file);
		if (n == 2)
			return;
		truth_sleep_ns(10000000);
	}
	truth_die("no server in %s", path);
}

static size_t number(int *argc, char **argv, const char *option, const char *otherwise, long max)
{
	return (size_t)truth_count(truth_option(argc, argv, option, otherwise), max);
}

static void configure(struct client *client, int *argc, char **argv)
{
	const char *ready = truth_option(argc, argv, "--ready", NULL);

	client->place = net_place_option(argc, argv);
	client->rate = truth_number(truth_option(argc, argv, "--rate", "100"), 1e6);
	client->duration = truth_number(truth_option(argc, argv, "--duration", "1"), 100);
	client->poisson = truth_flag(argc, argv, "--poisson");
	client->reconnect = truth_flag(argc, argv, "--reconnect");
	client->n_connections = number(argc, argv, "--connections", "1", MAX_CONNECTIONS);
	client->n_streams = number(argc, argv, "--streams", "0", MAX_STREAMS);
	client->sources = (unsigned int)number(argc, argv, "--sources", "0", MAX_SOURCES);
	client->pipeline = (int)number(argc, argv, "--pipeline", "1", MAX_PIPELINE);
	client->depth = (int)number(argc, argv, "--depth", "1", MAX_PIPELINE);
	client->answer = number(argc, argv, "--answer", "64", 65536);
	client->half_ns =
		(uint64_t)(truth_number(truth_option(argc, argv, "--half", "0"), 1e3) * 1e6);
	client->ping_ns =
		(uint64_t)(truth_number(truth_option(argc, argv, "--ping", "0"), 1e4) * 1e6);
	if (ready)
		read_ready(client, ready);
	if (client->answer < NET_MESSAGE || !client->pipeline || !client->depth)
		truth_die("an answer has %zu bytes or more, and a pipeline a request", NET_MESSAGE);
	if ((client->pipeline > 1) + (client->depth > 1) + (client->half_ns > 0) > 1)
		truth_die("one of --pipeline, --depth and --half");
	if (client->depth > 1 && (client->rate <= 0 || client->reconnect))
		truth_die("--depth is of planned requests on kept connections");
}

int main(int argc, char **argv)
{
	struct client client = {0};
	uint64_t seed;
	bool stop;

	truth_start(&argc, argv);
	seed = number(&argc, argv, "--seed", "1", 1000000);
	stop = truth_flag(&argc, argv, "--stop");
	configure(&client, &argc, argv);
	if (argc > 1)
		truth_usage("[OPTION]..., see the top of its source");
	alarm((unsigned int)TRUTH_MAX_SEC);
	net_exact_timers();
	start(&client, seed);
	run(&client);
	if (stop && client.server)
		kill(client.server, SIGTERM);
	tell(&client);
	return 0;
}
