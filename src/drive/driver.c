/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of drivers, and the two loops that run one. */
#include "drive/driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/clock.h"

/* A command of the conductor is short; what is longer is not its. */
#define COMMAND_MAX 65536
#define DRAIN_NS    (2 * NSEC_PER_SEC)

/* That build loads no libraries, even where their headers are there. */
#ifdef PERFBPF_STATIC
#undef HAVE_POSTGRES
#undef HAVE_KAFKA
#define WITHOUT(library, package)                                                                  \
	"the static build loads no libraries, and this driver needs " library                      \
	"; perfbpf built by 'make' has it"
#else
#define WITHOUT(library, package)                                                                  \
	"the headers of " library                                                                  \
	" were missing where perfbpf was built (Debian's package " package ")"
#endif

static const struct driver_ops *const drivers[] = {
	&driver_kubelogs, &driver_http, &driver_exec, &driver_command,
#ifdef HAVE_POSTGRES
	&driver_postgres,
#endif
#ifdef HAVE_KAFKA
	&driver_kafka,
#endif
};

/* What this build lacks, and why. */
static const struct absent {
	const char *name, *reason;
} absents[] = {
#ifndef HAVE_POSTGRES
	{"postgres", WITHOUT("libpq", "libpq-dev")},
#endif
#ifndef HAVE_KAFKA
	{"kafka", WITHOUT("librdkafka", "librdkafka-dev")},
#endif
	{NULL, NULL},
};

const struct driver_ops *driver_at(size_t i)
{
	return i < sizeof(drivers) / sizeof(drivers[0]) ? drivers[i] : NULL;
}

const char *driver_absent_at(size_t i)
{
	return i < sizeof(absents) / sizeof(absents[0]) ? absents[i].name : NULL;
}

const char *driver_absent(const char *name)
{
	for (size_t i = 0; absents[i].name; i++)
		if (!strcmp(absents[i].name, name))
			return absents[i].reason;
	return NULL;
}

const struct driver_ops *driver_find(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}

const struct yaml_schema *driver_schema_of(const char *name)
{
	const struct driver_ops *ops = driver_find(name);

	return ops ? ops->schema : NULL;
}

/* --- under a conductor ------------------------------------------------------ */

struct service {
	const struct driver_ops *ops;
	struct driver *driver;
	int control_fd;
	bool is_ended; /* the conductor has hung up */
	bool has_told_attached, has_told_finished;
	bool is_connected; /* or need not be */
	bool is_report_wanted;
	uint64_t report_by_ns;
	size_t length;
	char input[COMMAND_MAX];
};

/* Takes the reference of @event. A conductor that has gone is found at the next read. */
static void tell(struct service *service, json_t *event)
{
	char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0, sent = 0;

	json_decref(event);
	if (!text)
		return;
	text[length++] = '\n';
	while (sent < length) {
		ssize_t n = send(service->control_fd, text + sent, length - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	free(text);
}

static void tell_error(struct service *service, const struct error *err)
{
	tell(service, json_pack("{s:s, s:s}", "event", "error", "text", err->text));
}

static uint64_t member_ns(const json_t *command, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(command, name));

	return value > 0 ? (uint64_t)value : 0;
}

static int obey_connect(struct service *service, json_t *variables, struct error *err)
{
	size_t room = json_object_size(variables), n = 0;
	struct variable *list = calloc(room + 1, sizeof(*list));
	const char *name;
	json_t *value;
	int rc;

	if (!list)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	json_object_foreach (variables, name, value)
		if (json_is_string(value))
			list[n++] = (struct variable){name, json_string_value(value)};
	service->is_connected = true;
	rc = service->ops->connect ? service->ops->connect(service->driver, list, n, err) : 0;
	free(list);
	return rc;
}

static void tell_report(struct service *service, const char *event)
{
	json_t *report = service->ops->report(service->driver);

	if (report)
		json_object_set_new(report, "event", json_string(event));
	tell(service, report);
}

static int obey(struct service *service, const json_t *command, struct error *err)
{
	const char *name = json_string_value(json_object_get(command, "command"));

	if (name && !strcmp(name, "connect")) {
		return obey_connect(service, json_object_get(command, "variables"), err);
	} else if (name && !strcmp(name, "fault")) {
		const char *fault = json_string_value(json_object_get(command, "name"));

		if (service->ops->fault && fault)
			service->ops->fault(service->driver, fault, member_ns(command, "at_ns"),
					    json_is_true(json_object_get(command, "ended")));
	} else if (name && !strcmp(name, "peek")) {
		tell_report(service, "peek");
	} else if (name && !strcmp(name, "window_open")) {
		service->ops->window_open(service->driver, member_ns(command, "at_ns"),
					  member_ns(command, "tick_ns"));
	} else if (name && !strcmp(name, "phase")) {
		if (service->ops->phase)
			service->ops->phase(service->driver, member_ns(command, "at_ns"));
	} else if (name && !strcmp(name, "window_close")) {
		service->ops->window_close(service->driver, member_ns(command, "at_ns"));
	} else if (name && !strcmp(name, "report")) {
		service->is_report_wanted = true;
		service->report_by_ns = clock_now_ns() + member_ns(command, "timeout_ns");
	} else {
		return error_set(err, EXIT_CODE_FAILED, "the driver was told '%.60s'",
				 name ? name : "nothing that it knows");
	}
	return 0;
}

static int obey_lines(struct service *service, struct error *err)
{
	char *at = service->input, *end = service->input + service->length, *newline;
	int rc = 0;

	while (!rc && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		json_error_t problem;
		json_t *command = json_loadb(at, (size_t)(newline - at), 0, &problem);

		rc = command ? obey(service, command, err)
			     : error_set(err, EXIT_CODE_FAILED, "a command is not JSON: %s",
					 problem.text);
		json_decref(command);
		at = newline + 1;
	}
	service->length = (size_t)(end - at);
	memmove(service->input, at, service->length);
	return rc;
}

static int read_commands(struct service *service, struct error *err)
{
	ssize_t n;

	if (service->length == sizeof(service->input))
		return error_set(err, EXIT_CODE_FAILED, "a command is longer than %d bytes",
				 COMMAND_MAX);
	n = recv(service->control_fd, service->input + service->length,
		 sizeof(service->input) - service->length, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		service->is_ended = true;
		return 0;
	}
	service->length += (size_t)n;
	return obey_lines(service, err);
}

static void report_if_due(struct service *service)
{
	if (!service->is_report_wanted ||
	    (!service->ops->is_drained(service->driver) && clock_now_ns() < service->report_by_ns))
		return;
	service->is_report_wanted = false;
	tell_report(service, "report");
}

/* Milliseconds that poll() may wait. */
static int patience(const struct service *service)
{
	uint64_t now = clock_now_ns();

	if (!service->is_report_wanted)
		return -1;
	if (service->report_by_ns <= now)
		return 0;
	/* An hour at most, so that it fits; then it asks again. */
	if (service->report_by_ns - now > 3600 * NSEC_PER_SEC)
		return 3600 * 1000;
	return (int)((service->report_by_ns - now) / NSEC_PER_MSEC) + 1;
}

static int serve_once(struct service *service, struct error *err)
{
	struct pollfd fds[] = {
		{.fd = service->ops->fd(service->driver), .events = POLLIN},
		{.fd = service->control_fd, .events = POLLIN},
	};

	if (poll(fds, 2, patience(service)) < 0) {
		if (errno == EINTR)
			return 0;
		return error_set(err, EXIT_CODE_FAILED, "poll: %s", strerror(errno));
	}
	if (fds[0].revents && service->ops->step(service->driver, err))
		return -1;
	if (fds[1].revents && read_commands(service, err))
		return -1;
	if (!service->has_told_attached && service->is_connected &&
	    service->ops->is_attached(service->driver)) {
		service->has_told_attached = true;
		tell(service, json_pack("{s:s,s:I}", "event", "attached", "at_ns",
					(json_int_t)service->ops->restart(service->driver)));
	}
	if (!service->has_told_finished && service->has_told_attached &&
	    service->ops->is_finished && service->ops->is_finished(service->driver)) {
		service->has_told_finished = true;
		tell(service, json_pack("{s:s,s:I}", "event", "finished", "at_ns",
					(json_int_t)clock_now_ns()));
	}
	report_if_due(service);
	return 0;
}

int driver_serve(const struct driver_ops *ops, const struct driver_context *context, int control_fd)
{
	struct service *service = calloc(1, sizeof(*service));
	struct error err = {.exit_code = EXIT_CODE_FAILED};
	int rc = -1;

	if (!service)
		return EXIT_CODE_FAILED;
	service->ops = ops;
	service->control_fd = control_fd;
	service->is_connected = !ops->connect;
	service->driver = ops->open(context, &err);
	if (service->driver) {
		tell(service,
		     json_pack("{s:s, s:o}", "event", "ready", "variables",
			       ops->variables ? ops->variables(service->driver) : json_object()));
		rc = 0;
	}
	while (!rc && !service->is_ended)
		rc = serve_once(service, &err);
	if (rc)
		tell_error(service, &err);
	ops->close(service->driver);
	free(service);
	return rc ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

/* --- by a person ------------------------------------------------------------ */

/* What ends or wakes the loop besides the driver. */
struct alone {
	const struct driver_ops *ops;
	struct driver *driver;
	int signal_fd, timer_fd;
	bool shows_progress;
	bool is_client, has_begun;
	uint64_t started_ns;
	uint64_t end_ns; /* UINT64_MAX: none */
	int signal;      /* that ended it; 0: none */
};

static int open_alone(struct alone *alone, struct error *err)
{
	struct itimerspec second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	alone->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	alone->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (alone->signal_fd < 0 || alone->timer_fd < 0 ||
	    timerfd_settime(alone->timer_fd, 0, &second, NULL))
		return error_set(err, EXIT_CODE_FAILED, "cannot wait for signals: %s",
				 strerror(errno));
	return 0;
}

static void show_progress(const struct alone *alone)
{
	uint64_t ticks;

	if (read(alone->timer_fd, &ticks, sizeof(ticks)) < 0 || !alone->shows_progress)
		return;
	fputs("\r\033[K", stderr);
	alone->ops->print_progress(alone->driver, stderr);
	fflush(stderr);
}

static int run_once(struct alone *alone, uint64_t now_ns, struct error *err)
{
	uint64_t left_ms = (alone->end_ns - now_ns) / NSEC_PER_MSEC + 1;
	struct signalfd_siginfo info;
	struct pollfd fds[] = {
		{.fd = alone->ops->fd(alone->driver), .events = POLLIN},
		{.fd = alone->signal_fd, .events = POLLIN},
		{.fd = alone->timer_fd, .events = POLLIN},
	};

	if (poll(fds, 3, left_ms > 1000 ? 1000 : (int)left_ms) < 0 && errno != EINTR)
		return error_set(err, EXIT_CODE_FAILED, "poll: %s", strerror(errno));
	if (fds[0].revents && alone->ops->step(alone->driver, err))
		return -1;
	if (fds[2].revents)
		show_progress(alone);
	if (fds[1].revents && read(alone->signal_fd, &info, sizeof(info)) == sizeof(info))
		alone->signal = (int)info.ssi_signo;
	return 0;
}

static int connect_alone(struct alone *alone, const struct variable *variables, size_t n,
			 struct error *err)
{
	if (!alone->ops->connect)
		return 0;
	alone->is_client = true;
	return alone->ops->connect(alone->driver, variables, n, err);
}

/* A client begins once it is connected, and ends with its phases; what came of it is printed. */
static void begin_if_attached(struct alone *alone)
{
	if (!alone->is_client || alone->has_begun || !alone->ops->is_attached(alone->driver))
		return;
	alone->has_begun = true;
	alone->ops->window_open(alone->driver, alone->ops->restart(alone->driver), NSEC_PER_SEC);
}

static bool is_over(const struct alone *alone)
{
	return alone->has_begun && alone->ops->is_finished &&
	       alone->ops->is_finished(alone->driver);
}

/* What is under way at the end is waited for, a little. */
static int drain(struct alone *alone, struct error *err)
{
	uint64_t until_ns = clock_now_ns() + DRAIN_NS;
	int rc = 0;

	alone->end_ns = UINT64_MAX;
	while (!rc && clock_now_ns() < until_ns && !alone->ops->is_drained(alone->driver))
		rc = run_once(alone, clock_now_ns(), err);
	return rc;
}

static int print_report(struct alone *alone, struct error *err)
{
	json_t *report;

	if (!alone->has_begun)
		return 0;
	alone->ops->window_close(alone->driver, clock_now_ns());
	if (drain(alone, err))
		return -1;
	report = alone->ops->report(alone->driver);
	if (report)
		json_dumpf(report, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(report);
	return fflush(stdout) ? error_set(err, EXIT_CODE_FAILED,
					  "cannot write to standard output: %s", strerror(errno))
			      : 0;
}

static int run(struct alone *alone, struct error *err)
{
	uint64_t now_ns = clock_now_ns();
	int rc = 0;

	while (!rc && !alone->signal && now_ns < alone->end_ns && !is_over(alone)) {
		begin_if_attached(alone);
		rc = run_once(alone, now_ns, err);
		now_ns = clock_now_ns();
	}
	if (!rc)
		rc = print_report(alone, err);
	if (alone->shows_progress)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "ended after %.1f s: ", (double)(now_ns - alone->started_ns) / 1e9);
	alone->ops->print_progress(alone->driver, stderr);
	fputc('\n', stderr);
	return rc;
}

int driver_run_alone(const struct driver_ops *ops, const struct driver_context *context,
		     const struct variable *variables, size_t n_variables, uint64_t duration_ns)
{
	struct alone alone = {.ops = ops, .signal_fd = -1, .timer_fd = -1, .end_ns = UINT64_MAX};
	struct error err = {.exit_code = EXIT_CODE_FAILED};
	int rc = -1;

	alone.started_ns = clock_now_ns();
	if (duration_ns && duration_ns < UINT64_MAX - alone.started_ns)
		alone.end_ns = alone.started_ns + duration_ns;
	alone.shows_progress = isatty(STDERR_FILENO);
	if (!open_alone(&alone, &err))
		alone.driver = ops->open(context, &err);
	if (alone.driver && !connect_alone(&alone, variables, n_variables, &err)) {
		/* A client's standard output is its report. */
		ops->print_usage(alone.driver, alone.is_client ? stderr : stdout);
		rc = fflush(stdout)
			     ? error_set(&err, EXIT_CODE_FAILED,
					 "cannot write to standard output: %s", strerror(errno))
			     : run(&alone, &err);
	}
	if (rc)
		fprintf(stderr, "perfbpf: %s\n", err.text);
	ops->close(alone.driver);
	if (alone.signal_fd >= 0)
		close(alone.signal_fd);
	if (alone.timer_fd >= 0)
		close(alone.timer_fd);
	if (rc)
		return (int)err.exit_code;
	return alone.signal ? EXIT_CODE_SIGNAL_BASE + alone.signal : EXIT_CODE_OK;
}
