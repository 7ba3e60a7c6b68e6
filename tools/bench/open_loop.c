/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open_loop PORT RATE SECONDS: is what the driver http reports of an open loop what its requests
 * took? It runs the driver against http://127.0.0.1:PORT/ and keeps, beside it, when recv()
 * gave each answer (calls are wrapped by the linker). From these the response times are reckoned
 * as wrk2 does, without the engine's schedule and histograms: the i-th request was due at
 * begin + i/RATE. Prints one line:
 *     REPORTED_P50 RECKONED_P50 REPORTED_P99 RECKONED_P99 REQUESTS LATE
 * in seconds; LATE is what the driver says of its own lateness.
 */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "drive/driver.h"
#include "drive/load/tally.h"
#include "util/clock.h"

/* What the wrapped functions keep: they are called from within the driver. */
static struct raw {
	uint64_t received_ns; /* the last recv() returned */
	uint64_t begin_ns;
	double rate;
	size_t n, room;
	double *response_ns;
} raw;

ssize_t __real_recv(int fd, void *data, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t size, int flags);
void __real_tally_add(struct tally *tally, const struct tally_request *request);
void __wrap_tally_add(struct tally *tally, const struct tally_request *request);

ssize_t __wrap_recv(int fd, void *data, size_t size, int flags)
{
	ssize_t n = __real_recv(fd, data, size, flags);

	raw.received_ns = clock_now_ns();
	return n;
}

/* The answer that was received just before. Of the engine's times only the number of the request
 * is used. */
void __wrap_tally_add(struct tally *tally, const struct tally_request *request)
{
	double i = round((double)(request->intended_ns - raw.begin_ns) * raw.rate / 1e9);

	if (!request->error && raw.n < raw.room)
		raw.response_ns[raw.n++] =
			(double)(raw.received_ns - raw.begin_ns) - i * 1e9 / raw.rate;
	__real_tally_add(tally, request);
}

static void die(const char *what)
{
	fprintf(stderr, "open_loop: %s\n", what);
	exit(1);
}

static struct scenario *make_scenario(double rate, double seconds)
{
	struct scenario *scenario;
	struct error err;
	char text[600];

	snprintf(text, sizeof(text),
		 "driver: http\n"
		 "http:\n"
		 "  url: http://127.0.0.1:${port}\n"
		 "  requests: [{name: page}]\n"
		 "phases:\n"
		 "  - {name: all, role: measured, executor: constant-arrival-rate, rate: %.0f, "
		 "duration: %.0fms, maxVUs: 200}\n",
		 rate, seconds * 1e3);
	scenario = scenario_load_memory("open_loop", text, strlen(text), driver_schema_of, &err);
	if (!scenario)
		die(err.text);
	return scenario;
}

static json_t *run(struct driver *driver)
{
	struct error err;

	raw.begin_ns = driver_http.restart(driver);
	driver_http.window_open(driver, raw.begin_ns, 100 * NSEC_PER_MSEC);
	while (!driver_http.is_finished(driver)) {
		struct pollfd pollfd = {.fd = driver_http.fd(driver), .events = POLLIN};

		if (poll(&pollfd, 1, 100) > 0 && driver_http.step(driver, &err))
			die(err.text);
	}
	driver_http.window_close(driver, clock_now_ns());
	return driver_http.report(driver);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double reckoned(double q)
{
	return raw.response_ns[(size_t)ceil(q * (double)raw.n) - 1] / 1e9;
}

static double reported(const json_t *report, const char *quantile)
{
	const json_t *response = json_object_get(json_object_get(report, "latency"), "response");

	return json_number_value(json_object_get(response, quantile));
}

int main(int argc, char **argv)
{
	struct driver_context context = {.output_fd = -1};
	struct variable port = {"port", argc > 1 ? argv[1] : ""};
	double seconds = argc == 4 ? atof(argv[3]) : 0;
	struct scenario *scenario;
	struct driver *driver;
	struct error err;
	json_t *report;

	raw.rate = argc == 4 ? floor(atof(argv[2])) : 0;
	if (raw.rate < 1 || seconds <= 0 || raw.rate * seconds > 1e8)
		die("usage: open_loop PORT RATE SECONDS");
	raw.room = (size_t)(raw.rate * seconds) + 1;
	raw.response_ns = calloc(raw.room, sizeof(*raw.response_ns));
	scenario = make_scenario(raw.rate, seconds);
	context.scenario = scenario;
	signal(SIGPIPE, SIG_IGN);
	driver = driver_http.open(&context, &err);
	if (!raw.response_ns || !driver || driver_http.connect(driver, &port, 1, &err))
		die(err.text);
	report = run(driver);
	if (!raw.n)
		die("nothing was answered");
	qsort(raw.response_ns, raw.n, sizeof(*raw.response_ns), by_value);
	printf("%.9f %.9f %.9f %.9f %zu %.9f\n", reported(report, "p50_seconds"), reckoned(0.5),
	       reported(report, "p99_seconds"), reckoned(0.99), raw.n,
	       json_number_value(json_object_get(report, "late_seconds_max")));
	json_decref(report);
	driver_http.close(driver);
	scenario_free(scenario);
	free(raw.response_ns);
	return 0;
}
