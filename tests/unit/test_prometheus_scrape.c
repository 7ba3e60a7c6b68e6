/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `scrape` of a scenario, and fetching from a server on loopback that misbehaves. */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conduct/scrape.h"
#include "record/distribution.h"

/* A driver without a section. */
static const struct yaml_schema none_schema = {.name = "none", .size = 1};

static const struct yaml_schema *schema_of(const char *driver)
{
	return strcmp(driver, "none") ? NULL : &none_schema;
}

#define START                                                                                      \
	"driver: none\n"                                                                           \
	"phases: [{name: m, role: measured, duration: 10s}]\n"                                     \
	"scrape:\n"

static struct scenario *take(const char *text)
{
	struct error err;
	struct scenario *scenario =
		scenario_load_memory("s.yaml", text, strlen(text), schema_of, &err);

	if (!scenario)
		fail_msg("refused: %s", err.text);
	return scenario;
}

static void refuse(const char *text, const char *begins, const char *holds)
{
	struct error err = {0};

	if (scenario_load_memory("s.yaml", text, strlen(text), schema_of, &err))
		fail_msg("taken: %s", text);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
}

static void the_section(void **state)
{
	struct scenario *scenario =
		take(START "  - url: http://127.0.0.1:8080/metrics\n"
			   "    histogram: http:request_seconds\n"
			   "    labels: {handler: /users, code: \"200\"}\n"
			   "    as: handler.users-1\n"
			   "  - {url: \"${url}/metrics\", histogram: h, as: other}\n");

	(void)state;
	assert_int_equal(scenario->n_scrapes, 2);
	assert_string_equal(scenario->scrapes[0].url, "http://127.0.0.1:8080/metrics");
	assert_string_equal(scenario->scrapes[0].histogram, "http:request_seconds");
	assert_int_equal(scenario->scrapes[0].n_labels, 2);
	assert_string_equal(scenario->scrapes[0].labels[1].value, "200");
	assert_string_equal(scenario->scrapes[0].as, "handler.users-1");
	assert_int_equal(scenario->scrapes[1].n_labels, 0);
	scenario_free(scenario);
	scenario = take("driver: none\nphases: [{name: m, role: measured, duration: 10s}]\n");
	assert_int_equal(scenario->n_scrapes, 0);
	scenario_free(scenario);
}

static void what_is_wrong_in_it(void **state)
{
	(void)state;
	refuse(START "  - {url: http://x/, as: a}\n", "s.yaml:4:5: ", "histogram");
	refuse(START "  - {url: http://x/, histogram: h, as: a, every: 1s}\n",
	       "s.yaml:4:43: ", "every");
	refuse(START "  - {url: file:///etc/passwd, histogram: h, as: a}\n",
	       "s.yaml:4:11: key 'scrape[0].url': ", "write http://");
	refuse(START "  - {url: http://x/, histogram: \"h{}\", as: a}\n",
	       "s.yaml:4:33: key 'scrape[0].histogram': ", "no name of a metric");
	refuse(START "  - {url: http://x/, histogram: h, as: a b}\n",
	       "s.yaml:4:40: key 'scrape[0].as': ", "no name");
	refuse(START "  - {url: http://x/, histogram: h, as: queue}\n",
	       "s.yaml:4:40: key 'scrape[0].as': ", "measures itself");
	refuse(START "  - {url: http://x/, histogram: h, as: wait_x}\n",
	       "s.yaml:4:40: key 'scrape[0].as': ", "measures itself");
	refuse(START "  - {url: http://x/, histogram: h, as: a}\n"
		     "  - {url: http://y/, histogram: h, as: a}\n",
	       "s.yaml:5:40: key 'scrape[1].as': ", "taken by an earlier");
	refuse(START "  - {url: http://x/, histogram: h, as: a, labels: {le: \"1\"}}\n",
	       "s.yaml:4:56: key 'scrape[0].labels.le': ", "leave it out");
	refuse(START "  - {url: http://x/, histogram: h, as: a, labels: [x]}\n",
	       "s.yaml:4:51: ", "labels");
	refuse("driver: none\nphases: [{name: m, role: measured, duration: 10s}]\nscrape: 5\n",
	       "s.yaml:3:9: ", "scrape");
}

static void too_many_of_it(void **state)
{
	char text[2048] = START;
	int n = (int)strlen(text);

	(void)state;
	for (int i = 0; i < 17; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "  - {url: http://x/, histogram: h, as: a%d}\n", i);
	refuse(text, "s.yaml:4:3: key 'scrape': ", "at most 16");
}

/* --- a server that gives one answer after another, each on a connection of its own -------- */

struct server {
	int fd;
	char port[8];
	pthread_t thread;
	const char *const *answers; /* whole HTTP answers; NULL: the end; "": says nothing */
	int asked;
};

static void answer(struct server *server, int fd, const char *text)
{
	char request[4096];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(request) - 1 &&
	       (got = read(fd, request + n, sizeof(request) - 1 - n)) > 0) {
		n += (size_t)got;
		request[n] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	server->asked++;
	if (!*text)
		sleep(3);
	/* One that is too large is sent until the other side has had enough. */
	if (!strcmp(text, "large")) {
		static const char block[65536];
		static const char head[] = "HTTP/1.0 200 OK\r\n\r\n";

		send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
		for (int i = 0; i < 160 && send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0; i++)
			;
	} else {
		send(fd, text, strlen(text), MSG_NOSIGNAL);
	}
	close(fd);
}

static void *serve(void *argument)
{
	struct server *server = argument;

	for (size_t i = 0; server->answers[i]; i++) {
		int fd = accept(server->fd, NULL, NULL);

		if (fd < 0)
			break;
		answer(server, fd, server->answers[i]);
	}
	return NULL;
}

static void server_start(struct server *server, const char *const *answers)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*server = (struct server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
				  .answers = answers};
	assert_true(server->fd >= 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->fd, 8), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	snprintf(server->port, sizeof(server->port), "%u", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

#define OK "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"

struct result {
	struct record *rec;
	struct record_round round;
	int asked;
};

/* One window of the scenario in @text, whose addresses may have ${port}. */
static struct result run(const char *text, const char *const *answers)
{
	struct scenario *scenario = take(text);
	struct result result = {.rec = record_new()};
	struct server server;
	struct variable port;
	struct scrape *scrape;

	record_round_init(&result.round);
	server_start(&server, answers);
	port = (struct variable){"port", server.port};
	scrape = scrape_open(scenario, &port, 1, result.rec);
	assert_non_null(scrape);
	scrape_close(scrape, &result.round, NAN, result.rec);
	server_stop(&server);
	result.asked = server.asked;
	scenario_free(scenario);
	return result;
}

static void result_free(struct result *result)
{
	record_round_clear(&result->round);
	record_free(result->rec);
}

#define ONE START "  - {url: \"http://127.0.0.1:${port}/metrics\", histogram: h, as: a}\n"

/* One note that says why, and no latency. */
static void assert_nothing(const char *text, const char *const *answers, const char *why)
{
	struct result result = run(text, answers);

	assert_int_equal(result.round.n_latency, 0);
	assert_true(result.round.validity.valid);
	assert_int_equal(result.rec->n_notes, 1);
	if (!strstr(result.rec->notes[0], why))
		fail_msg("\"%s\" is not in \"%s\"", why, result.rec->notes[0]);
	result_free(&result);
}

static void two_of_one_address(void **state)
{
	static const char *const answers[] = {
		OK "h_bucket{code=\"200\",le=\"0.1\"} 5\nh_bucket{code=\"200\",le=\"+Inf\"} 5\n"
		   "h_sum{code=\"200\"} 1\n",
		OK "h_bucket{code=\"200\",le=\"0.1\"} 305\nh_bucket{code=\"200\",le=\"+Inf\"} 405\n"
		   "h_sum{code=\"200\"} 21\n"
		   "h_bucket{code=\"500\",le=\"0.1\"} 0\nh_bucket{code=\"500\",le=\"+Inf\"} 2\n"
		   "h_sum{code=\"500\"} 8\n",
		NULL};
	struct result result =
		run(ONE "  - {url: \"http://127.0.0.1:${port}/metrics\", histogram: h,"
			" as: refused, labels: {code: \"500\"}}\n",
		    answers);
	const struct record_latency *all = latency_find(&result.round, "a");
	const struct record_latency *failed = latency_find(&result.round, "refused");

	(void)state;
	assert_int_equal(result.rec->n_notes, 0);
	assert_int_equal(result.asked, 2); /* once at each end */
	assert_non_null(all);
	assert_int_equal(all->count, 402);
	assert_true(fabs(all->mean_seconds - 28.0 / 402) < 1e-12);
	assert_true(all->bucket_counts[0] == 300);
	assert_int_equal(failed->count, 2);
	assert_true(failed->mean_seconds == 4);
	result_free(&result);
}

static void what_cannot_be_had(void **state)
{
	static const char *const missing[] = {"HTTP/1.0 404 Not Found\r\n\r\nh_count 5\n", NULL};
	static const char *const moved[] = {"HTTP/1.0 302 Found\r\nLocation: /other\r\n\r\n", NULL};
	static const char *const broken[] = {OK "h_bucket{le=\"0.1\" 5\n", NULL};
	static const char *const other[] = {OK "x 1\n", OK, NULL};
	static const char *const closed[] = {"garbage", NULL};
	static const char *const large[] = {"large", NULL};
	static const char *const anew[] = {OK "h_bucket{le=\"1\"} 5\nh_count 5\n",
					   OK "h_bucket{le=\"1\"} 2\nh_count 2\n", NULL};
	static const char *const gone[] = {OK "h_bucket{le=\"1\"} 5\nh_count 5\n", NULL};

	(void)state;
	assert_nothing(ONE, missing, ": HTTP status 404; it is not in the results");
	assert_nothing(ONE, moved, "HTTP status 302");
	assert_nothing(ONE, broken, "line 1: the labels do not end");
	assert_nothing(ONE, other, "there is no such histogram");
	assert_nothing(ONE, closed, "scrape 'a' of http://127.0.0.1:");
	assert_nothing(ONE, large, "larger than 8 MiB");
	assert_nothing(ONE, anew, "started anew");
	assert_nothing(ONE, gone, "scrape 'a' of http://127.0.0.1:");
}

static void addresses_that_are_none(void **state)
{
	static const char *const never[] = {NULL};

	(void)state;
	refuse(START "  - {url: \"${nothing}/metrics\", histogram: h, as: a}\n",
	       "s.yaml:4:", "unknown variable '${nothing}'");
	assert_nothing(START "  - {url: \"${port.nobody}/metrics\", histogram: h, as: a}\n", never,
		       "unknown variable '${port.nobody}'");
	assert_nothing(START "  - {url: \"${port}:/etc/passwd\", histogram: h, as: a}\n", never,
		       "scrape 'a' of ");
	assert_nothing(START "  - {url: \"http://127.0.0.1:1/\", histogram: h, as: a}\n", never,
		       "onnect");
}

static void one_that_never_answers(void **state)
{
	static const char *const silent[] = {"", NULL};
	struct timespec before, after;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_nothing(ONE, silent, "imeout");
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec <= 8);
}

static void nothing_to_scrape(void **state)
{
	struct scenario *scenario =
		take("driver: none\nphases: [{name: m, role: measured, duration: 10s}]\n");

	(void)state;
	assert_null(scrape_open(NULL, NULL, 0, NULL));
	assert_null(scrape_open(scenario, NULL, 0, NULL));
	scrape_close(NULL, NULL, NAN, NULL);
	scrape_free(NULL);
	scenario_free(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_section),
		cmocka_unit_test(what_is_wrong_in_it),
		cmocka_unit_test(too_many_of_it),
		cmocka_unit_test(two_of_one_address),
		cmocka_unit_test(what_cannot_be_had),
		cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(one_that_never_answers),
		cmocka_unit_test(nothing_to_scrape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
