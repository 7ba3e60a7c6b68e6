/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/driver_process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define START_TIMEOUT_NS (10 * NSEC_PER_SEC)
#define STOP_GRACE_NS    (2 * NSEC_PER_SEC)
#define MAX_LINE         (16U << 20) /* a report with an hour's series is under 1 MiB */
#define MAX_VARIABLES    32
#define CONTROL_FD       "3"
#define OUTPUT_FD        "4"

struct driver_process {
	struct keeper *keeper;
	pid_t pid;
	clockid_t cpu_clock;
	int control;
	char *input;
	size_t length, capacity;
	json_t *ready;
	json_t *report;
	json_t *peeked;
	bool is_finished;
	struct variable variables[MAX_VARIABLES];
	size_t n_variables;
	uint64_t attached_ns;
};

static int take_ready(struct driver_process *driver, json_t *message, struct error *err)
{
	const char *name;
	json_t *value;

	json_decref(driver->ready);
	driver->ready = json_incref(message);
	driver->n_variables = 0;
	json_object_foreach (json_object_get(message, "variables"), name, value) {
		if (driver->n_variables == MAX_VARIABLES || !json_is_string(value))
			return error_set(
				err, EXIT_CODE_FAILED,
				"the driver gave a variable '%s' that is no string, or too many",
				name);
		driver->variables[driver->n_variables++] =
			(struct variable){name, json_string_value(value)};
	}
	return 0;
}

static int take_message(struct driver_process *driver, json_t *message, struct error *err)
{
	const char *event = json_string_value(json_object_get(message, "event"));

	if (!event)
		return error_set(err, EXIT_CODE_FAILED,
				 "the driver said something without an event");
	if (!strcmp(event, "ready"))
		return take_ready(driver, message, err);
	if (!strcmp(event, "attached")) {
		json_int_t at = json_integer_value(json_object_get(message, "at_ns"));

		driver->attached_ns = at > 0 ? (uint64_t)at : clock_now_ns();
	} else if (!strcmp(event, "finished")) {
		driver->is_finished = true;
	} else if (!strcmp(event, "peek")) {
		json_decref(driver->peeked);
		driver->peeked = json_incref(message);
	} else if (!strcmp(event, "report")) {
		json_decref(driver->report);
		driver->report = json_incref(message);
	} else if (!strcmp(event, "error")) {
		const char *text = json_string_value(json_object_get(message, "text"));

		return error_set(err, EXIT_CODE_FAILED, "the driver failed: %s",
				 text ? text : "no reason given");
	}
	return 0;
}

static int take_lines(struct driver_process *driver, struct error *err)
{
	char *end;

	while ((end = memchr(driver->input, '\n', driver->length))) {
		size_t length = (size_t)(end - driver->input);
		json_t *message = json_loadb(driver->input, length, 0, NULL);
		int failed;

		failed = message ? take_message(driver, message, err)
				 : error_set(err, EXIT_CODE_FAILED,
					     "the driver said something that is no JSON");
		json_decref(message);
		driver->length -= length + 1;
		memmove(driver->input, end + 1, driver->length);
		if (failed)
			return -1;
	}
	return 0;
}

static int make_room(struct driver_process *driver, struct error *err)
{
	size_t capacity = driver->capacity ? driver->capacity * 2 : 4096;
	char *larger;

	if (driver->length < driver->capacity)
		return 0;
	larger = capacity > MAX_LINE ? NULL : realloc(driver->input, capacity);
	if (!larger)
		return error_set(err, EXIT_CODE_FAILED, "the driver's message is too long");
	driver->input = larger;
	driver->capacity = capacity;
	return 0;
}

int driver_process_step(struct driver_process *driver, struct error *err)
{
	for (;;) {
		ssize_t n;

		if (make_room(driver, err))
			return -1;
		n = recv(driver->control, driver->input + driver->length,
			 driver->capacity - driver->length, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return error_set(err, EXIT_CODE_FAILED,
					 "the driver ended unexpectedly (was it killed?); what it "
					 "said is in the newest "
					 "*.driver.stderr of the results folder's logs/");
		driver->length += (size_t)n;
		if (take_lines(driver, err))
			return -1;
	}
}

static int wait_ready(struct driver_process *driver, struct error *err)
{
	uint64_t until = clock_now_ns() + START_TIMEOUT_NS;

	while (!driver->ready) {
		struct pollfd fd = {.fd = driver->control, .events = POLLIN};
		uint64_t now = clock_now_ns();

		if (now >= until)
			return error_set(err, EXIT_CODE_FAILED,
					 "the driver was not ready within 10 s");
		poll(&fd, 1, (int)((until - now) / NSEC_PER_MSEC) + 1);
		if (driver_process_step(driver, err))
			return -1;
	}
	return 0;
}

static int spawn(struct driver_process *driver, const struct driver_start *start, int peer,
		 struct error *err)
{
	char self[4096], rate[64], seed[32], roles[80];
	char *argv[24];
	struct keeper_stage stage = {.file = self, .argv = argv};
	struct keeper_spawn spawn = {
		.identity = start->identity,
		.n_stages = 1,
		.stages = &stage,
		.fds = {start->log_fd, start->log_fd, start->log_fd, peer, start->output_fd},
		.n_fds = 5,
		.cpus = start->scenario->driver_cpus};
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t n = 0;
	int null, failed;

	if (length < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot find my own program: %s",
				 strerror(errno));
	self[length] = 0;
	argv[n++] = (char *)"perfbpf";
	argv[n++] = (char *)"drive";
	argv[n++] = (char *)"--control-fd";
	argv[n++] = (char *)CONTROL_FD;
	argv[n++] = (char *)"--output-fd";
	argv[n++] = (char *)OUTPUT_FD;
	argv[n++] = (char *)"--private-dir";
	argv[n++] = (char *)start->private_dir;
	if (!isnan(start->rate)) {
		snprintf(rate, sizeof(rate), "%.17g", start->rate);
		argv[n++] = (char *)"--rate";
		argv[n++] = rate;
	}
	if (start->seed) {
		snprintf(seed, sizeof(seed), "%llu", (unsigned long long)*start->seed);
		argv[n++] = (char *)"--seed";
		argv[n++] = seed;
	}
	if (start->kubeconfig) {
		argv[n++] = (char *)"--kubeconfig";
		argv[n++] = (char *)start->kubeconfig;
	}
	/* As the command line has made them, which the file does not know. */
	snprintf(roles, sizeof(roles), "%llu,%llu,%llu",
		 (unsigned long long)scenario_duration_ns(start->scenario, PHASE_WARMUP),
		 (unsigned long long)scenario_duration_ns(start->scenario, PHASE_MEASURED),
		 (unsigned long long)scenario_duration_ns(start->scenario, PHASE_COOLDOWN));
	argv[n++] = (char *)"--roles";
	argv[n++] = roles;
	argv[n++] = (char *)"--";
	argv[n++] = start->scenario->path;
	argv[n] = NULL;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	spawn.fds[0] = null;
	spawn.environment = identity_environment(start->identity, NULL, 0);
	failed = keeper_spawn(start->keeper, &spawn, &driver->pid, err);
	strings_free(spawn.environment);
	close(null);
	return failed;
}

struct driver_process *driver_process_start(const struct driver_start *start, struct error *err)
{
	struct driver_process *driver = calloc(1, sizeof(*driver));
	int sockets[2];

	if (!driver) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	driver->keeper = start->keeper;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		error_set(err, EXIT_CODE_FAILED, "cannot make a socket pair: %s", strerror(errno));
		free(driver);
		return NULL;
	}
	driver->control = sockets[0];
	if (spawn(driver, start, sockets[1], err)) {
		close(sockets[1]);
		driver_process_stop(driver);
		return NULL;
	}
	close(sockets[1]);
	if (clock_getcpuclockid(driver->pid, &driver->cpu_clock))
		driver->cpu_clock = CLOCK_THREAD_CPUTIME_ID;
	if (wait_ready(driver, err)) {
		driver_process_stop(driver);
		return NULL;
	}
	return driver;
}

void driver_process_stop(struct driver_process *driver)
{
	int status;

	if (!driver)
		return;
	/* End of file asks it to go. */
	close(driver->control);
	if (driver->pid > 0 && !keeper_wait(driver->keeper, driver->pid, STOP_GRACE_NS, &status))
		keeper_end_helper(driver->keeper, driver->pid, 0);
	json_decref(driver->ready);
	json_decref(driver->report);
	json_decref(driver->peeked);
	free(driver->input);
	free(driver);
}

pid_t driver_process_pid(const struct driver_process *driver)
{
	return driver->pid;
}

int driver_process_fd(const struct driver_process *driver)
{
	return driver->control;
}

const struct variable *driver_process_variables(const struct driver_process *driver, size_t *n)
{
	*n = driver->n_variables;
	return driver->variables;
}

bool driver_process_is_attached(const struct driver_process *driver)
{
	return driver->attached_ns != 0;
}

uint64_t driver_process_attached_ns(const struct driver_process *driver)
{
	return driver->attached_ns;
}

uint64_t driver_process_cpu_ns(const struct driver_process *driver)
{
	struct timespec ts;

	if (driver->cpu_clock == CLOCK_THREAD_CPUTIME_ID || clock_gettime(driver->cpu_clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* A line that cannot be sent shows as the driver's end at the next step. */
static void say(struct driver_process *driver, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct driver_process *driver, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (n > 0 && send(driver->control, line, (size_t)n, MSG_NOSIGNAL) != n)
		shutdown(driver->control, SHUT_WR);
}

void driver_process_connect(struct driver_process *driver, json_t *variables)
{
	json_t *command = json_pack("{s:s,s:o}", "command", "connect", "variables", variables);
	char *text = command ? json_dumps(command, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;

	json_decref(command);
	if (text)
		text[length++] = '\n';
	if (!text || send(driver->control, text, length, MSG_NOSIGNAL) != (ssize_t)length)
		shutdown(driver->control, SHUT_WR);
	free(text);
}

bool driver_process_is_finished(const struct driver_process *driver)
{
	return driver->is_finished;
}

void driver_process_fault(struct driver_process *driver, const char *name, uint64_t at_ns,
			  bool ended)
{
	json_t *quoted = json_string(name);
	char *text = quoted ? json_dumps(quoted, JSON_ENCODE_ANY) : NULL;

	json_decref(quoted);
	if (text)
		say(driver, "{\"command\":\"fault\",\"name\":%.150s,\"at_ns\":%llu,\"ended\":%s}\n",
		    text, (unsigned long long)at_ns, ended ? "true" : "false");
	free(text);
}

void driver_process_peek(struct driver_process *driver)
{
	say(driver, "{\"command\":\"peek\"}\n");
}

const json_t *driver_process_peeked(const struct driver_process *driver)
{
	return driver->peeked;
}

void driver_process_window_open(struct driver_process *driver, uint64_t at_ns, uint64_t tick_ns)
{
	say(driver, "{\"command\":\"window_open\",\"at_ns\":%llu,\"tick_ns\":%llu}\n",
	    (unsigned long long)at_ns, (unsigned long long)tick_ns);
}

void driver_process_phase(struct driver_process *driver, uint64_t at_ns)
{
	say(driver, "{\"command\":\"phase\",\"at_ns\":%llu}\n", (unsigned long long)at_ns);
}

void driver_process_window_close(struct driver_process *driver, uint64_t at_ns)
{
	say(driver, "{\"command\":\"window_close\",\"at_ns\":%llu}\n", (unsigned long long)at_ns);
}

void driver_process_ask_report(struct driver_process *driver, uint64_t timeout_ns)
{
	say(driver, "{\"command\":\"report\",\"timeout_ns\":%llu}\n",
	    (unsigned long long)timeout_ns);
}

const json_t *driver_process_report(const struct driver_process *driver)
{
	return driver->report;
}
