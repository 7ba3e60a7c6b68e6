/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The http driver against a small server that does what the path says. */
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive/driver.h"
#include "drive/http/http.h"
#include "util/clock.h"

#define REQUEST_MAX 4096
#define PATIENCE_NS (10 * NSEC_PER_SEC)

/* --- the server ------------------------------------------------------------------------ */

struct server {
	int fd;
	char port[8];
	pthread_t thread;
};

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

/* What comes next is a reset. */
static void reset_next(int fd)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* false: the connection ends with it. */
static bool answer(int fd, const char *request)
{
	char text[2 * REQUEST_MAX], path[200] = "";
	const char *body = strstr(request, "\r\n\r\n");

	sscanf(request, "%*s %199s", path);
	body = body ? body + 4 : "";
	if (!strncmp(path, "/ok", 3)) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	} else if (!strcmp(path, "/chunked")) {
		say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
		usleep(2000);
		say(fd, "2\r\nlo\r\n0\r\n\r\n");
	} else if (!strcmp(path, "/close")) {
		say(fd, "HTTP/1.0 200 OK\r\n\r\nhello");
		return false;
	} else if (!strcmp(path, "/503")) {
		say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	} else if (!strcmp(path, "/once")) {
		/* Closed before the next one comes, and nobody was told. */
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
		return false;
	} else if (!strcmp(path, "/bad")) {
		say(fd, "SSH-2.0-OpenSSH_9.2\r\n");
		return false;
	} else if (!strcmp(path, "/more")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world");
	} else if (!strcmp(path, "/early")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
		return false;
	} else if (!strcmp(path, "/reset")) {
		reset_next(fd);
		return false;
	} else if (!strcmp(path, "/never")) {
		sleep(1);
		return false;
	} else {
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s %s",
			 strlen(path) + 1 + strlen(body), path, body);
		say(fd, text);
	}
	return true;
}

/* The whole of a request, with its body; false: there is none. */
static bool receive(int fd, char *request)
{
	size_t size = 0;

	for (;;) {
		ssize_t n = recv(fd, request + size, REQUEST_MAX - 1 - size, 0);
		const char *end, *length;

		if (n <= 0)
			return false;
		size += (size_t)n;
		request[size] = '\0';
		end = strstr(request, "\r\n\r\n");
		length = strstr(request, "Content-Length: ");
		if (end && strlen(end + 4) >= (length ? strtoul(length + 16, NULL, 10) : 0))
			return true;
	}
}

static void *serve_connection(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char request[REQUEST_MAX];

	while (receive(fd, request) && answer(fd, request))
		;
	close(fd);
	return NULL;
}

static void *serve(void *argument)
{
	struct server *server = argument;
	pthread_t thread;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0)
		if (!pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd))
			pthread_detach(thread);
	return NULL;
}

static void start(struct server *server, const struct sockaddr *address, socklen_t size)
{
	server->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, address, size), 0);
	assert_int_equal(listen(server->fd, 64), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void start_tcp(struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	start(server, (struct sockaddr *)&address, size);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	snprintf(server->port, sizeof(server->port), "%u", ntohs(address.sin_port));
}

static void stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* --- running the driver ------------------------------------------------------------------- */

#define HEAD                                                                                       \
	"driver: http\n"                                                                           \
	"phases:\n"                                                                                \
	"  - {name: all, role: measured, duration: 20s, executor: per-vu-iterations, vus: %d, "    \
	"iterations: %d}\n"                                                                        \
	"http:\n"

static struct scenario *scenario_of(int vus, int iterations, const char *section)
{
	struct scenario *scenario;
	struct error err = {0};
	char text[4096];

	snprintf(text, sizeof(text), HEAD "%s", vus, iterations, section);
	scenario = scenario_load_memory("http/test", text, strlen(text), driver_schema_of, &err);
	if (!scenario)
		fail_msg("%s", err.text);
	return scenario;
}

static void run_driver(struct driver *driver)
{
	uint64_t until = clock_now_ns() + PATIENCE_NS;
	struct error err = {0};

	assert_true(driver_http.is_attached(driver));
	driver_http.window_open(driver, driver_http.restart(driver), NSEC_PER_SEC);
	while (!driver_http.is_finished(driver) && clock_now_ns() < until) {
		struct pollfd pollfd = {.fd = driver_http.fd(driver), .events = POLLIN};

		if (poll(&pollfd, 1, 20) > 0 && driver_http.step(driver, &err))
			fail_msg("%s", err.text);
	}
	assert_true(driver_http.is_finished(driver));
	driver_http.window_close(driver, clock_now_ns());
}

/* What comes of @section, in which ${port} is the server's, or an own one where @port says so. */
static json_t *run(const char *port, int vus, int iterations, const char *section)
{
	struct scenario *scenario = scenario_of(vus, iterations, section);
	struct driver_context context = {.scenario = scenario, .output_fd = -1};
	struct variable variables[] = {{"port", port}};
	struct error err = {0};
	struct driver *driver = driver_http.open(&context, &err);
	json_t *report;

	if (!driver || driver_http.connect(driver, variables, 1, &err))
		fail_msg("%s", err.text);
	run_driver(driver);
	report = driver_http.report(driver);
	assert_non_null(report);
	driver_http.close(driver);
	scenario_free(scenario);
	return report;
}

static json_t *run_path(const struct server *server, const char *path, const char *more)
{
	char section[512];

	snprintf(section, sizeof(section),
		 "  url: http://127.0.0.1:${port}\n"
		 "  timeout: 200ms\n"
		 "  requests: [{name: it, path: %s%s}]\n",
		 path, more);
	return run(server->port, 2, 5, section);
}

static double at(const json_t *json, const char *path)
{
	char text[128], *part, *rest = text;

	snprintf(text, sizeof(text), "%s", path);
	while ((part = strsep(&rest, ".")))
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part))
					   : json_object_get(json, part);
	return json_is_number(json) ? json_number_value(json) : NAN;
}

/* All ten came to that: @error NULL: they are good. */
static void all_are(json_t *report, const char *error)
{
	char path[64];

	snprintf(path, sizeof(path), "errors.%s", error ? error : "");
	if (at(report, "work.operations") != (error ? 0 : 10) ||
	    at(report, "work.errors") != (error ? 10 : 0) || (error && at(report, path) != 10)) {
		json_dumpf(json_object_get(report, "errors"), stderr, 0);
		fail_msg("%g are good, %g are not", at(report, "work.operations"),
			 at(report, "work.errors"));
	}
	json_decref(report);
}

/* --- what is tested ------------------------------------------------------------------------ */

static void good_answers_are_counted(void **state)
{
	json_t *report = run_path(*state, "/ok", "");

	assert_int_equal(at(report, "work.counts.status 200"), 10);
	assert_int_equal(at(report, "work.bytes"),
			 10 * strlen("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
	assert_true(isnan(at(report, "work.counts.reconnects")));
	all_are(report, NULL);
	all_are(run_path(*state, "/chunked", ", expect_body: ello"), NULL);
	all_are(run_path(*state, "/close", ", expect_body: hello"), NULL);
	all_are(run_path(*state, "/503", ", expect: [200, 5xx]"), NULL);
}

static void errors_have_kinds(void **state)
{
	all_are(run_path(*state, "/503", ""), "status 503");
	all_are(run_path(*state, "/ok", ", expect: [201]"), "status 200");
	all_are(run_path(*state, "/ok", ", expect_body: hallo"), "wrong body");
	all_are(run_path(*state, "/bad", ""), "malformed");
	all_are(run_path(*state, "/more", ""), "malformed");
	all_are(run_path(*state, "/early", ""), "closed early");
	all_are(run_path(*state, "/reset", ""), "reset");
	all_are(run_path(*state, "/never", ""), "timeout");
}

static void nobody_there_is_refused(void **state)
{
	struct server gone = {0};

	(void)state;
	start_tcp(&gone);
	stop(&gone);
	all_are(run_path(&gone, "/ok", ""), "refused");
}

/* A server may close a connection that is idle; that is no error. */
static void what_an_idle_connection_lost_is_sent_again(void **state)
{
	json_t *report = run_path(*state, "/once", "");

	/* Each user but for its first request. */
	assert_int_equal(at(report, "work.counts.reconnects"), 8);
	all_are(report, NULL);
}

static void requests_differ(void **state)
{
	const struct server *server = *state;
	json_t *report = run(server->port, 1, 3,
			     "  url: http://localhost:${port}/base/\n"
			     "  requests:\n"
			     "    - {name: it, method: POST, path: '/${user}', body: "
			     "'<${iteration}>$$', headers: {X-It: 'a b'}, expect_body: "
			     "'/base/0 <2>$'}\n");

	assert_int_equal(at(report, "work.operations"), 1);
	assert_int_equal(at(report, "errors.wrong body"), 2);
	json_decref(report);
}

static void a_connection_each_without_keep_alive(void **state)
{
	const struct server *server = *state;
	json_t *report = run(server->port, 2, 5,
			     "  url: http://127.0.0.1:${port}\n"
			     "  keep_alive: false\n"
			     "  requests: [{name: it, path: /ok}]\n");

	assert_true(isnan(at(report, "work.counts.reconnects")));
	all_are(report, NULL);
}

static void a_unix_socket_will_do(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct server server;
	char section[400], dir[] = "/tmp/perfbpf-unit.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	start(&server, (struct sockaddr *)&address, sizeof(address));
	snprintf(section, sizeof(section),
		 "  url: http://localhost\n"
		 "  unix_socket: '%s'\n"
		 "  requests: [{name: it, path: /ok}]\n",
		 address.sun_path);
	all_are(run("1", 2, 5, section), NULL);
	stop(&server);
	unlink(address.sun_path);
	rmdir(dir);
}

static void is_refused(const char *section, const char *why)
{
	struct scenario *scenario = scenario_of(1, 1, section);
	struct driver_context context = {.scenario = scenario, .output_fd = -1};
	struct variable variables[] = {{"port", "80"}};
	struct error err = {0};
	struct driver *driver = driver_http.open(&context, &err);

	if (driver && !driver_http.connect(driver, variables, 1, &err))
		fail_msg("taken: %s", section);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
	driver_http.close(driver);
	scenario_free(scenario);
}

static void what_can_not_be_sent_is_refused(void **state)
{
	(void)state;
	is_refused("  url: https://x\n  requests: [{name: a}]\n", "https");
	is_refused("  url: http://127.0.0.1:port\n  requests: [{name: a}]\n", "host and port");
	is_refused("  url: http://[::1:80\n  requests: [{name: a}]\n", "]");
	is_refused("  url: http://127.0.0.1:${prot}\n  requests: [{name: a}]\n", "${port}");
	is_refused("  url: http://127.0.0.1/?x=1\n  requests: [{name: a}]\n", "more than a path");
	is_refused("  url: http://x\n  requests: []\n", "nothing to send");
	is_refused("  url: http://x\n  requests: [{name: a}, {name: a}]\n", "name of its own");
	is_refused("  url: http://x\n  requests: [{name: a, path: x}]\n", "no path");
	is_refused("  url: http://x\n  requests: [{name: a, method: 'A B'}]\n", "no method");
	is_refused("  url: http://x\n  requests: [{name: a, expect: [2x]}]\n", "no status");
	is_refused("  url: http://x\n  requests: [{name: a, headers: {'a b': c}}]\n", "no header");
	is_refused("  url: http://x\n  requests: [{name: a, headers: {connection: c}}]\n",
		   "leave it out");
	is_refused("  url: http://x\n  requests: [{name: read}]\n"
		   "  users: [{name: u, requests: [reed]}]\n",
		   "did you mean 'read'");
}

static void a_phase_says_how_it_makes_its_work(void **state)
{
	static const char text[] = "driver: http\n"
				   "phases: [{name: bare, role: measured, duration: 1s}]\n"
				   "http: {url: 'http://127.0.0.1', requests: [{name: a}]}\n";
	struct driver_context context = {.output_fd = -1};
	struct error err = {0};
	struct scenario *scenario =
		scenario_load_memory("x", text, strlen(text), driver_schema_of, &err);

	(void)state;
	assert_non_null(scenario);
	context.scenario = scenario;
	assert_null(driver_http.open(&context, &err));
	assert_non_null(strstr(err.text, "'bare'"));
	assert_non_null(strstr(err.text, "executor"));
	scenario_free(scenario);
}

/* The text that begins again within itself. */
static void a_text_is_found_across_pieces(void **state)
{
	struct http_request_config config = {.name = (char[]){"a"},
					     .method = (char[]){"GET"},
					     .path = (char[]){"/"},
					     .expect_body = (char[]){"ababac"}};
	struct http_target target = {.host = (char[]){"x"}, .prefix = (char[]){""}};
	static const char body[] = "abababac";
	struct http_request request = {0};
	struct error err = {0};
	size_t found;

	(void)state;
	assert_int_equal(http_request_make(&request, &config, &target, true, NULL, 0, &err), 0);
	for (size_t cut = 0; cut <= strlen(body); cut++) {
		found = http_find(&request, 0, body, cut);
		assert_true(cut == strlen(body) || found < request.expect_size);
		found = http_find(&request, found, body + cut, strlen(body) - cut);
		assert_int_equal(found, request.expect_size);
	}
	assert_true(http_find(&request, 0, "ababab", 6) < request.expect_size);
	assert_memory_equal(request.constant.data, "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			    request.constant.size);
	http_request_clear(&request);
}

static int set_up(void **state)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return -1;
	start_tcp(server);
	*state = server;
	return 0;
}

static int tear_down(void **state)
{
	stop(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_answers_are_counted),
		cmocka_unit_test(errors_have_kinds),
		cmocka_unit_test(nobody_there_is_refused),
		cmocka_unit_test(what_an_idle_connection_lost_is_sent_again),
		cmocka_unit_test(requests_differ),
		cmocka_unit_test(a_connection_each_without_keep_alive),
		cmocka_unit_test(a_unix_socket_will_do),
		cmocka_unit_test(what_can_not_be_sent_is_refused),
		cmocka_unit_test(a_phase_says_how_it_makes_its_work),
		cmocka_unit_test(a_text_is_found_across_pieces),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
