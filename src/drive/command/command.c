/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any load generator as a driver: one command, started when the window opens, whose end is the
 * driver's and whose own figures are read from its output.
 */
#include "drive/command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drive/child.h"
#include "util/clock.h"
#include "util/file.h"

/* Behind the phases' end: one that runs for as long as they last may still print its summary. */
#define GRACE_NS NSEC_PER_SEC
/* From being asked to end until it is killed. */
#define TERM_NS (500 * NSEC_PER_MSEC)

enum stage {
	STAGE_WAITING, /* for the window */
	STAGE_RUNNING,
	STAGE_ASKED, /* to end */
	STAGE_KILLED,
	STAGE_ENDED,
};

struct driver {
	const struct command_config *config;
	uint64_t measured_ns;
	struct metrics *metrics;
	char *file, **argv, **environment; /* NULL: not connected yet */
	int epoll_fd, timer_fd, null_fd, output_fd;
	struct child child;
	struct output output;
	enum stage stage;
	int start_failed; /* errno */
	bool is_timed_out, is_cut;
	int status;
	char words[300]; /* the last that it said */
	uint64_t started_ns, ended_ns;
	uint64_t next_ns;    /* when it is asked to end, or killed */
	uint64_t timeout_ns; /* when the scenario gives it up; 0: the phases' end comes first */
};

static void command_close(struct driver *driver)
{
	if (!driver)
		return;
	child_end(&driver->child);
	metrics_free(driver->metrics);
	output_close(&driver->output);
	free(driver->file);
	strings_drop(driver->argv);
	strings_drop(driver->environment);
	for (size_t i = 0; i < 4; i++) {
		const int fds[] = {driver->epoll_fd, driver->timer_fd, driver->null_fd,
				   driver->output_fd};

		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(driver);
}

static int open_files(struct driver *driver, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN};

	driver->null_fd = null_open();
	driver->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	driver->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	event.data.fd = driver->timer_fd;
	if (driver->null_fd < 0 || driver->epoll_fd < 0 || driver->timer_fd < 0 ||
	    epoll_ctl(driver->epoll_fd, EPOLL_CTL_ADD, driver->timer_fd, &event))
		return error_set(err, EXIT_CODE_FAILED, "command: cannot open a timer: %s",
				 strerror(errno));
	return output_open(&driver->output)
		       ? error_set(err, EXIT_CODE_FAILED, "command: out of memory")
		       : 0;
}

static struct driver *command_open(const struct driver_context *context, struct error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	int rc;

	if (!driver) {
		error_set(err, EXIT_CODE_FAILED, "command: out of memory");
		return NULL;
	}
	driver->config = context->scenario->driver_config;
	driver->measured_ns = scenario_duration_ns(context->scenario, PHASE_MEASURED);
	driver->epoll_fd = driver->timer_fd = driver->null_fd = driver->output_fd = -1;
	driver->child.pidfd = -1;
	driver->metrics = metrics_new(driver->config->metrics, driver->config->n_metrics, err);
	rc = driver->metrics ? 0 : -1;
	if (!rc && !driver->config->n_command)
		rc = error_set(err, EXIT_CODE_USAGE,
			       "command.command: has no program; write [wrk, -d, 10s, …]");
	if (rc)
		error_prefix(err, "%s", context->scenario->path);
	if (!rc && !open_files(driver, err))
		return driver;
	command_close(driver);
	return NULL;
}

static int command_override(void *config, double rate, const uint64_t *seed, struct error *err)
{
	(void)config;
	/* A seed is the conductor's too: it draws the order of the rounds from it. */
	(void)seed;
	if (isnan(rate))
		return 0;
	return error_set(err, EXIT_CODE_USAGE,
			 "--rate: driver command cannot tell its program of a rate; write it into "
			 "the scenario's command");
}

static int command_connect(struct driver *driver, const struct variable *variables,
			   size_t n_variables, struct error *err)
{
	const struct command_config *config = driver->config;

	driver->argv = calloc(config->n_command + 1, sizeof(*driver->argv));
	if (!driver->argv)
		return error_set(err, EXIT_CODE_FAILED, "command: out of memory");
	for (size_t i = 0; i < config->n_command; i++) {
		driver->argv[i] = variables_fill(config->command[i], variables, n_variables, err);
		if (!driver->argv[i])
			return error_prefix(err, "command.command[%zu]", i);
	}
	driver->file = path_find(driver->argv[0]);
	if (!driver->file)
		return error_set(err, EXIT_CODE_USAGE,
				 "command: there is no program '%.200s' on PATH; install it, or "
				 "write its path",
				 driver->argv[0]);
	driver->environment = child_environment(config->environment, config->n_environment,
						variables, n_variables, err);
	return driver->environment ? 0 : error_prefix(err, "command.environment");
}

static int command_fd(const struct driver *driver)
{
	return driver->epoll_fd;
}

/* --- its course ------------------------------------------------------------------ */

static void wake_at(struct driver *driver, uint64_t at_ns)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(at_ns / NSEC_PER_SEC),
					       .tv_nsec = (long)(at_ns % NSEC_PER_SEC)}};

	driver->next_ns = at_ns;
	timerfd_settime(driver->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int watch(struct driver *driver, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(driver->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? errno : 0;
}

/* errno of what kept it from its start */
static int start(struct driver *driver)
{
	struct child_plan plan = {
		.file = driver->file,
		.argv = driver->argv,
		.environment = driver->environment,
		.input_fd = driver->null_fd,
	};
	int fds[2], failed;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	driver->output_fd = fds[0];
	plan.output_fd = fds[1];
	failed = fcntl(fds[0], F_SETFL, O_NONBLOCK) ? errno : -child_start(&driver->child, &plan);
	close(fds[1]);
	if (failed)
		return failed;
	failed = watch(driver, driver->child.pidfd);
	return failed ? failed : watch(driver, driver->output_fd);
}

/* At the window's opening: it has the measured stretch for itself. */
static void command_window_open(struct driver *driver, uint64_t at_ns, uint64_t tick_ns)
{
	uint64_t longest = driver->measured_ns + GRACE_NS;

	(void)at_ns;
	(void)tick_ns;
	if (driver->stage != STAGE_WAITING || !driver->environment)
		return;
	driver->started_ns = clock_now_ns();
	driver->start_failed = start(driver);
	driver->stage = STAGE_RUNNING;
	if (driver->config->timeout_ns && driver->config->timeout_ns < longest) {
		longest = driver->config->timeout_ns;
		driver->timeout_ns = driver->started_ns + longest;
	}
	/* What cannot be started is told by the next step. */
	wake_at(driver, driver->started_ns + (driver->start_failed ? 1 : longest));
}

/* In order: the time that it had is over, then the time that it had to end. */
static void go_on_ending(struct driver *driver)
{
	if (clock_now_ns() < driver->next_ns)
		return;
	if (driver->stage == STAGE_RUNNING) {
		driver->stage = STAGE_ASKED;
		driver->is_cut = true;
		driver->is_timed_out = driver->next_ns == driver->timeout_ns;
		child_signal(&driver->child, SIGTERM);
		wake_at(driver, clock_now_ns() + TERM_NS);
	} else if (driver->stage == STAGE_ASKED) {
		driver->stage = STAGE_KILLED;
		child_signal(&driver->child, SIGKILL);
	}
}

static void close_output(struct driver *driver)
{
	if (driver->output_fd >= 0)
		close(driver->output_fd);
	driver->output_fd = -1;
}

static void take_end(struct driver *driver)
{
	if (!child_reap(&driver->child, &driver->status))
		return;
	driver->ended_ns = clock_now_ns();
	driver->stage = STAGE_ENDED;
	if (driver->output_fd >= 0)
		output_read(&driver->output, driver->output_fd);
	close_output(driver);
	last_words(driver->output.text, driver->output.length, driver->words,
		   sizeof(driver->words));
	metrics_read(driver->metrics, driver->output.text, driver->output.length);
}

static int command_step(struct driver *driver, struct error *err)
{
	uint64_t expiries;

	if (driver->start_failed)
		return error_set(err, EXIT_CODE_FAILED, "command: cannot start '%.200s': %s",
				 driver->file, strerror(driver->start_failed));
	if (read(driver->timer_fd, &expiries, sizeof(expiries)) == sizeof(expiries))
		go_on_ending(driver);
	if (driver->output_fd >= 0 && output_read(&driver->output, driver->output_fd))
		close_output(driver);
	if (driver->stage != STAGE_WAITING && driver->stage != STAGE_ENDED)
		take_end(driver);
	return 0;
}

static bool command_is_attached(const struct driver *driver)
{
	return driver->environment;
}

static uint64_t command_restart(struct driver *driver)
{
	(void)driver;
	return clock_now_ns();
}

/* The window may close early, when somebody interrupts: then the command's time is over too. */
static void command_window_close(struct driver *driver, uint64_t at_ns)
{
	if (driver->stage == STAGE_RUNNING && driver->next_ns > at_ns + GRACE_NS)
		wake_at(driver, at_ns + GRACE_NS);
}

static bool command_is_finished(const struct driver *driver)
{
	return driver->stage == STAGE_ENDED;
}

static bool command_is_drained(const struct driver *driver)
{
	return driver->stage == STAGE_ENDED || driver->stage == STAGE_WAITING;
}

/* --- what it tells ------------------------------------------------------------------ */

/* Its kind, as tallies have them; NULL: it was a good run. */
static const char *error_of(const struct driver *driver, char *text, size_t size)
{
	const char *error = child_error(driver->status, driver->config->expect_exit, text, size);

	if (driver->stage == STAGE_WAITING)
		return "not started";
	if (driver->stage != STAGE_ENDED)
		return driver->is_cut ? "still running" : NULL;
	if (!driver->is_cut)
		return error;
	if (driver->is_timed_out)
		return "timeout";
	/* Asked to end with the phases: by the signal, or by itself. */
	return error && strcmp(error, "signal 15") ? error : NULL;
}

/* The unit belongs into the name, as everywhere in a record. */
static void put_number(json_t *into, const struct command_metric *metric, double value)
{
	bool is_time = metric->unit >= UNIT_NANOSECONDS && metric->unit <= UNIT_SECONDS;
	const char *unit = is_time ? "_seconds" : metric->unit == UNIT_BYTES ? "_bytes" : "";
	size_t length = strlen(metric->name), behind = strlen(unit);
	char *name = NULL;

	if (length >= behind && !strcmp(metric->name + length - behind, unit))
		unit = "";
	if (asprintf(&name, "%s%s", metric->name, unit) < 0)
		return;
	json_object_set_new(into, name, json_real(value));
	free(name);
}

static void add_metrics(const struct driver *driver, json_t *report, json_t *work, json_t *notes)
{
	json_t *side = json_object(), *latency = json_object();

	for (size_t i = 0; i < driver->config->n_metrics; i++) {
		const struct command_metric *metric = &driver->config->metrics[i];
		double value = metrics_value(driver->metrics, i);

		if (isnan(value) && metric->optional)
			value = 0;
		if (isnan(value))
			json_array_append_new(notes, json_sprintf("%s printed nothing that the "
								  "metric '%s' matches",
								  driver->config->command[0],
								  metric->name));
		else if (metric->kind == METRIC_LATENCY)
			json_object_set_new(latency, metric_latency_field(metric->name),
					    json_real(value));
		else if (metric->kind == METRIC_OPERATIONS)
			json_object_set_new(work, "operations", json_integer((json_int_t)value));
		else if (metric->kind == METRIC_ERRORS)
			json_object_set_new(work, "errors", json_integer((json_int_t)value));
		else
			put_number(side, metric, value);
	}
	json_object_set_new(report, "side_metrics", side);
	if (json_object_size(latency))
		json_object_set_new(report, "latency", json_pack("{s:O}", "command", latency));
	json_decref(latency);
}

/* What it did before is no work that could be compared. */
static void add_error(const struct driver *driver, json_t *errors, json_t *invalid)
{
	char text[32];
	const char *error = error_of(driver, text, sizeof(text));

	if (!error)
		return;
	json_object_set_new(errors, error, json_integer(1));
	json_array_append_new(invalid,
			      json_sprintf("%s: %s; %s%s", driver->config->command[0], error,
					   *driver->words ? "it last said: " : "it said nothing",
					   driver->words));
}

static json_t *command_report(struct driver *driver)
{
	json_t *report = json_object(), *work = json_object(), *errors = json_object();
	json_t *notes = json_array(), *invalid = json_array();

	if (driver->stage == STAGE_ENDED) {
		json_object_set_new(
			report, "command_seconds",
			json_real((double)(driver->ended_ns - driver->started_ns) / 1e9));
		add_metrics(driver, report, work, notes);
	}
	add_error(driver, errors, invalid);
	if (driver->output.bytes > driver->output.passed)
		json_array_append_new(notes,
				      json_sprintf("%s printed %llu bytes, of which %llu "
						   "are in its log",
						   driver->config->command[0],
						   (unsigned long long)driver->output.bytes,
						   (unsigned long long)driver->output.passed));
	if (json_object_size(work))
		json_object_set(report, "work", work);
	json_decref(work);
	json_object_set_new(report, "errors", errors);
	json_object_set_new(report, "notes", notes);
	json_object_set_new(report, "invalid", invalid);
	/* How much there is to do, it decides itself. */
	json_object_set_new(report, "work_is_fixed", json_false());
	return report;
}

static void command_print_usage(const struct driver *driver, FILE *out)
{
	fputs("runs:", out);
	for (char **word = driver->argv; *word; word++)
		fprintf(out, " %s", *word);
	fputs("\nIts output is passed on to standard error; its report is printed when it has "
	      "ended.\n",
	      out);
}

static void command_print_progress(const struct driver *driver, FILE *out)
{
	static const char *const stages[] = {
		[STAGE_WAITING] = "not started", [STAGE_RUNNING] = "running",
		[STAGE_ASKED] = "asked to end",  [STAGE_KILLED] = "killed",
		[STAGE_ENDED] = "has ended",
	};

	fprintf(out, "%s: %s, %llu bytes of output", driver->config->command[0],
		stages[driver->stage], (unsigned long long)driver->output.bytes);
}

const struct driver_ops driver_command = {
	.name = "command",
	.description =
		"any load generator: one command, with its exit code and the figures that it "
		"prints",
	.schema = &command_driver_schema,
	.override = command_override,
	.runs_programs = true,
	.open = command_open,
	.connect = command_connect,
	.fd = command_fd,
	.step = command_step,
	.is_attached = command_is_attached,
	.restart = command_restart,
	.window_open = command_window_open,
	.window_close = command_window_close,
	.is_finished = command_is_finished,
	.is_drained = command_is_drained,
	.report = command_report,
	.print_usage = command_print_usage,
	.print_progress = command_print_progress,
	.close = command_close,
};
