/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/kubelogs.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/clock.h"

#define EVENTS_MAX 64
/*
 * The output is read on a timer: were the driver to wait on the pipe, each write of
 * the target would pay for waking it, and the target is what is measured.
 */
#define CHECK_INTERVAL_NS          NSEC_PER_MSEC
#define CHECK_INTERVAL_EXTERNAL_NS (10 * NSEC_PER_MSEC)
#define SWEEP_INTERVAL_NS          (250 * NSEC_PER_MSEC)
#define OUTPUT_PIPE_BYTES          (1024 * 1024)

/* What an event without SERVER_TAG is of. */
enum timer_tag {
	TAG_EMIT,
	TAG_CHECK,
	TAG_SWEEP,
};

/* 0: stop. */
static void set_timer(int fd, uint64_t interval_ns)
{
	struct timespec interval = {
		.tv_sec = (time_t)(interval_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(interval_ns % NSEC_PER_SEC),
	};
	struct itimerspec spec = {.it_interval = interval, .it_value = interval};

	timerfd_settime(fd, 0, &spec, NULL);
}

/* Takes an expiry back; the next one comes only then. */
static void take_expiry(int fd)
{
	uint64_t expiries;

	/* Nothing to read: the timer was stopped or set anew since it expired. */
	if (read(fd, &expiries, sizeof(expiries)) < 0)
		return;
}

static int add_timer(struct driver *driver, enum timer_tag tag)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0 && epoll_ctl(driver->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int open_timers(struct driver *driver, struct error *err)
{
	driver->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (driver->epoll_fd >= 0) {
		driver->emit_timer = add_timer(driver, TAG_EMIT);
		driver->check_timer = add_timer(driver, TAG_CHECK);
		driver->sweep_timer = add_timer(driver, TAG_SWEEP);
	}
	if (driver->epoll_fd < 0 || driver->emit_timer < 0 || driver->check_timer < 0 ||
	    driver->sweep_timer < 0)
		return error_set(err, EXIT_CODE_FAILED, "kubelogs: cannot open timers: %s",
				 strerror(errno));
	set_timer(driver->sweep_timer, SWEEP_INTERVAL_NS);
	return 0;
}

/* The target's output: neither it nor the driver is to wait for the other. */
static int open_output(struct driver *driver, int fd, bool is_external, struct error *err)
{
	int flags;

	driver->output_fd = fd;
	if (fd < 0)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return error_set(err, EXIT_CODE_FAILED,
				 "kubelogs: cannot use the target's output: %s", strerror(errno));
	/* An unprivileged user may be over a quota, or it is no pipe: then it is smaller. */
	(void)fcntl(fd, F_SETPIPE_SZ, OUTPUT_PIPE_BYTES);
	driver->check = check_new(is_external ? NULL : &driver->source);
	return driver->check ? 0 : error_set(err, EXIT_CODE_FAILED, "kubelogs: out of memory");
}

static uint64_t monotonic_to_real_ns(void)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	return (uint64_t)real.tv_sec * NSEC_PER_SEC + (uint64_t)real.tv_nsec - clock_now_ns();
}

static int open_service(struct driver *driver, const struct driver_context *context,
			struct error *err)
{
	const struct kubelogs_config *config = driver->config;
	struct schedule_config schedule = {
		.deployments = config->deployments,
		.replicas = config->replicas,
		.rate = config->rate,
		.seed = kubelogs_seed(config),
		.bursts = config->bursts,
	};

	const struct scenario *scenario = context->scenario;

	if (warp_new(&driver->warp, scenario->phases, scenario->n_phases,
		     isnan(config->phases_rate) ? config->rate : config->phases_rate, err))
		return -1;
	if (source_open(&driver->source, config->namespace_name, &schedule, clock_now_ns(),
			monotonic_to_real_ns(), err) ||
	    content_set_filter(driver->source.content, &context->scenario->filter, err))
		return -1;
	driver->source.warp = driver->warp;
	driver->server = server_open(&driver->source, driver->epoll_fd, err);
	if (!driver->server)
		return -1;
	if (asprintf(&driver->kubeconfig, "%s/kubeconfig", context->private_dir) < 0) {
		driver->kubeconfig = NULL;
		return error_set(err, EXIT_CODE_FAILED, "kubelogs: out of memory");
	}
	return kubelogs_write_kubeconfig(driver->kubeconfig, server_port(driver->server),
					 config->namespace_name, err);
}

static int open_external(struct driver *driver, const char *kubeconfig, struct error *err)
{
	if (access(kubeconfig, R_OK))
		return error_set(err, EXIT_CODE_USAGE, "cannot read the kubeconfig '%s': %s",
				 kubeconfig, strerror(errno));
	driver->kubeconfig = realpath(kubeconfig, NULL);
	return driver->kubeconfig ? 0
				  : error_set(err, EXIT_CODE_FAILED, "cannot find '%s': %s",
					      kubeconfig, strerror(errno));
}

static void close_timers(struct driver *driver)
{
	const int fds[] = {driver->emit_timer, driver->check_timer, driver->sweep_timer,
			   driver->epoll_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void kubelogs_close(struct driver *driver)
{
	if (!driver)
		return;
	server_close(driver->server);
	check_free(driver->check);
	source_close(&driver->source);
	warp_free(driver->warp);
	close_timers(driver);
	free(driver->kubeconfig);
	free(driver);
}

static struct driver *kubelogs_open(const struct driver_context *context, struct error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	int rc;

	if (!driver) {
		error_set(err, EXIT_CODE_FAILED, "kubelogs: out of memory");
		return NULL;
	}
	driver->scenario = context->scenario;
	driver->config = context->scenario->driver_config;
	driver->epoll_fd = driver->emit_timer = driver->check_timer = driver->sweep_timer = -1;
	rc = open_timers(driver, err);
	if (!rc)
		rc = context->external ? open_external(driver, context->external, err)
				       : open_service(driver, context, err);
	if (!rc)
		rc = open_output(driver, context->output_fd, context->external, err);
	if (!rc)
		return driver;
	kubelogs_close(driver);
	return NULL;
}

static int kubelogs_fd(const struct driver *driver)
{
	return driver->epoll_fd;
}

static int read_output(struct driver *driver, struct error *err)
{
	int rc;

	if (!driver->check || driver->output_ended)
		return 0;
	rc = check_read(driver->check, driver->output_fd);
	if (rc < 0)
		return error_set(err, EXIT_CODE_FAILED,
				 "kubelogs: cannot read the target's output: %s", strerror(-rc));
	driver->output_ended = rc > 0;
	return 0;
}

static void note_rate(struct driver *driver, uint64_t now_ns)
{
	uint64_t lines = server_counts(driver->server)->lines;

	if (now_ns - driver->rate_at_ns < NSEC_PER_SEC)
		return;
	if (driver->rate_at_ns)
		driver->lines_per_second = (double)(lines - driver->rate_lines) * 1e9 /
					   (double)(now_ns - driver->rate_at_ns);
	driver->rate_at_ns = now_ns;
	driver->rate_lines = lines;
}

static int sweep(struct driver *driver, struct error *err)
{
	uint64_t now_ns = clock_now_ns();

	if (driver->server) {
		server_sweep(driver->server);
		note_rate(driver, now_ns);
	}
	if (driver->check)
		check_advance(driver->check, now_ns);
	return read_output(driver, err);
}

/*
 * Is there output to come? All that clients were sent and the filter wants, the
 * target has to print. Where it loses or repeats lines, this stays true.
 */
static bool expects_output(const struct driver *driver)
{
	if (!driver->check || driver->output_ended)
		return false;
	if (!driver->server)
		return true;
	return server_counts(driver->server)->streams &&
	       server_counts(driver->server)->wanted != check_wanted_seen(driver->check);
}

/* The fast timers run only while there is something for them to do. */
static void update_timers(struct driver *driver)
{
	bool has_streams = driver->server && server_counts(driver->server)->streams;
	bool is_checking = expects_output(driver);

	if (has_streams != driver->is_emitting)
		set_timer(driver->emit_timer, has_streams ? driver->config->batch_ns : 0);
	if (is_checking != driver->is_checking)
		set_timer(driver->check_timer, !is_checking     ? 0
					       : driver->server ? CHECK_INTERVAL_NS
								: CHECK_INTERVAL_EXTERNAL_NS);
	driver->is_emitting = has_streams;
	driver->is_checking = is_checking;
}

static int handle_timer(struct driver *driver, enum timer_tag tag, struct error *err)
{
	switch (tag) {
	case TAG_EMIT:
		take_expiry(driver->emit_timer);
		server_emit(driver->server);
		return 0;
	case TAG_CHECK:
		take_expiry(driver->check_timer);
		return read_output(driver, err);
	case TAG_SWEEP:
		take_expiry(driver->sweep_timer);
		return sweep(driver, err);
	}
	return 0;
}

static int kubelogs_step(struct driver *driver, struct error *err)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(driver->epoll_fd, events, EVENTS_MAX, 0), rc = 0;

	if (n < 0 && errno != EINTR)
		return error_set(err, EXIT_CODE_FAILED, "kubelogs: epoll_wait: %s",
				 strerror(errno));
	for (int i = 0; i < n && !rc; i++) {
		uint64_t tag = events[i].data.u64;

		if (tag & SERVER_TAG)
			server_handle(driver->server, tag, events[i].events);
		else
			rc = handle_timer(driver, (enum timer_tag)tag, err);
	}
	update_timers(driver);
	return rc;
}

static bool kubelogs_is_attached(const struct driver *driver)
{
	if (!driver->server)
		return !driver->check || check_has_output(driver->check);
	return server_counts(driver->server)->pods_followed == driver->source.n_pods;
}

static uint64_t kubelogs_restart(struct driver *driver)
{
	uint64_t now_ns = clock_now_ns();

	if (driver->server)
		source_restart(&driver->source, now_ns);
	return now_ns;
}

static void kubelogs_window_open(struct driver *driver, uint64_t at_ns, uint64_t tick_ns)
{
	driver->open_ns = at_ns;
	if (driver->server)
		server_reset_late(driver->server);
	if (driver->check)
		check_open_window(driver->check, at_ns, tick_ns);
}

/* What is handed out late counts where it is handed out, though it may have been due before. */
static void end_phase(struct driver *driver)
{
	if (!driver->server || driver->n_phases == SCENARIO_PHASES_MAX)
		return;
	driver->late_ns[driver->n_phases++] = server_counts(driver->server)->late_max_ns;
	server_reset_late(driver->server);
}

static void kubelogs_phase(struct driver *driver, uint64_t at_ns)
{
	end_phase(driver);
	if (driver->check)
		check_phase_begin(driver->check, at_ns);
}

static void kubelogs_window_close(struct driver *driver, uint64_t at_ns)
{
	driver->close_ns = at_ns;
	end_phase(driver);
	if (driver->check)
		check_close_window(driver->check, at_ns);
}

static bool kubelogs_is_drained(const struct driver *driver)
{
	/* Of a real cluster's lines nothing is expected. */
	if (!driver->check || !driver->server || driver->output_ended)
		return true;
	return check_is_complete(driver->check);
}

const struct driver_ops driver_kubelogs = {
	.name = "kubelogs",
	.description = "Kubernetes log streams of many pods, from an API server of its own",
	.schema = &kubelogs_schema,
	.override = kubelogs_override,
	.open = kubelogs_open,
	.variables = kubelogs_variables,
	.fd = kubelogs_fd,
	.step = kubelogs_step,
	.is_attached = kubelogs_is_attached,
	.restart = kubelogs_restart,
	.window_open = kubelogs_window_open,
	.phase = kubelogs_phase,
	.window_close = kubelogs_window_close,
	.is_drained = kubelogs_is_drained,
	.report = kubelogs_report,
	.print_usage = kubelogs_print_usage,
	.print_progress = kubelogs_print_progress,
	.close = kubelogs_close,
};
