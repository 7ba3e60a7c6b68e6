/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "probe/stacks.h"
#include "util/clock.h"

static int add_fd(struct collector *collector, int fd, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(collector->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return error_set(err, EXIT_CODE_FAILED, "cannot wait for events: %s",
				 strerror(errno));
	return 0;
}

/* Ticks are counted from the window's opening, so that all points have the same length. */
static void arm_timer(struct collector *collector)
{
	uint64_t tick = collector->conductor->options->tick_ns;
	struct itimerspec timer = {
		.it_value = {(time_t)(tick / NSEC_PER_SEC), (long)(tick % NSEC_PER_SEC)},
		.it_interval = {(time_t)(tick / NSEC_PER_SEC), (long)(tick % NSEC_PER_SEC)},
	};

	timerfd_settime(collector->timer_fd, 0, &timer, NULL);
}

int collector_init(struct collector *collector, struct conductor *conductor, struct error *err)
{
	memset(collector, 0, sizeof(*collector));
	collector->conductor = conductor;
	collector->timer_fd = -1;
	collector->tree = tree_new(probe_slots(conductor->probe));
	if (conductor->options->probe.payload)
		collector->kinds = kinds_new(conductor->options->protocols);
	if (!collector->tree || (conductor->options->probe.payload && !collector->kinds))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	collector->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	collector->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	collector->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (collector->epoll_fd < 0 || collector->timer_fd < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot make a timer: %s", strerror(errno));
	arm_timer(collector);
	if (profiler_round_begin(conductor->profiler))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (conductor->profiler && (add_fd(collector, probe_stacks_fd(conductor->probe), err) ||
				    add_fd(collector, probe_mapped_fd(conductor->probe), err)))
		return -1;
	if (add_fd(collector, collector->timer_fd, err) ||
	    add_fd(collector, conductor->signal_fd, err) ||
	    add_fd(collector, probe_event_fd(conductor->probe), err) ||
	    (conductor->keeper && add_fd(collector, keeper_fd(conductor->keeper), err)))
		return -1;
	return 0;
}

void collector_clear(struct collector *collector)
{
	tree_free(collector->tree);
	kinds_free(collector->kinds);
	free(collector->edges);
	window_clear(&collector->window);
	if (collector->epoll_fd > 0)
		close(collector->epoll_fd);
	if (collector->timer_fd > 0)
		close(collector->timer_fd);
	memset(collector, 0, sizeof(*collector));
}

int collector_add_driver(struct collector *collector, struct driver_process *driver,
			 struct error *err)
{
	collector->driver = driver;
	return add_fd(collector, driver_process_fd(driver), err);
}

int collector_add_fd(struct collector *collector, int fd, struct error *err)
{
	return add_fd(collector, fd, err);
}

void collector_remove_fd(struct collector *collector, int fd)
{
	epoll_ctl(collector->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void collector_remove_driver(struct collector *collector)
{
	if (!collector->driver)
		return;
	epoll_ctl(collector->epoll_fd, EPOLL_CTL_DEL, driver_process_fd(collector->driver), NULL);
	collector->driver = NULL;
}

static void take_event(void *context, const struct pb_event *event, size_t size)
{
	struct collector *collector = context;
	uint32_t slot;

	if (event->kind == PB_EVENT_PAYLOAD) {
		if (collector->kinds)
			kinds_event(collector->kinds, (const struct pb_event_payload *)event, size);
		return;
	}
	profiler_event(collector->conductor->profiler, event);
	slot = tree_event(collector->tree, event, size);
	if (slot)
		probe_slot_free(collector->conductor->probe, slot);
}

void collector_drain(struct collector *collector)
{
	struct profiler *profiler = collector->conductor->profiler;

	profiler_fetch(profiler);
	probe_drain(collector->conductor->probe, take_event, collector);
	profiler_settle(profiler);
}

/*
 * Settles and reads all accounts, which are those of *@at_ns: taking in what has come meanwhile can
 * take long.
 */
static int read_tree(struct collector *collector, struct tree_sum *sum, uint64_t *at_ns,
		     struct error *err)
{
	int failed = probe_snapshot(collector->conductor->probe);

	*at_ns = clock_now_ns();
	if (failed)
		return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks: %s",
				 strerror(-failed));
	collector_drain(collector);
	tree_sum(collector->tree, sum);
	return 0;
}

static void take_runnable(struct collector *collector)
{
	int runnable = machine_runnable();

	if (runnable < 0)
		return;
	collector->runnable_samples++;
	if (runnable > collector->cpus)
		collector->runnable_beyond += runnable - collector->cpus;
}

static int tick(struct collector *collector, struct error *err)
{
	uint64_t expired = 0, at_ns;
	struct tree_sum sum;

	if (read(collector->timer_fd, &expired, sizeof(expired)) != sizeof(expired))
		return 0;
	progress_tick(&collector->conductor->progress);
	if (!collector->counting) {
		collector_drain(collector);
		return 0;
	}
	collector->late_ticks += (unsigned int)(expired - 1);
	take_runnable(collector);
	if (read_tree(collector, &sum, &at_ns, err))
		return -1;
	if (window_tick(&collector->window, at_ns, (unsigned int)expired, &sum))
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the time series");
	return 0;
}

static void take_signal(struct collector *collector)
{
	struct signalfd_siginfo info;

	while (read(collector->conductor->signal_fd, &info, sizeof(info)) == sizeof(info))
		collector->conductor->interrupted = (int)info.ssi_signo;
}

static int handle(struct collector *collector, int fd, struct error *err)
{
	struct conductor *conductor = collector->conductor;

	if (fd == collector->timer_fd)
		return tick(collector, err);
	if (fd == conductor->signal_fd)
		take_signal(collector);
	else if (collector->driver && fd == driver_process_fd(collector->driver))
		return driver_process_step(collector->driver, err);
	else if (conductor->keeper && fd == keeper_fd(conductor->keeper))
		return keeper_check(conductor->keeper, err);
	else
		collector_drain(collector);
	return 0;
}

/* Milliseconds until @until_ns for epoll, rounded up; -1: no end. */
static int timeout_ms(uint64_t until_ns)
{
	uint64_t now = clock_now_ns();

	if (!until_ns)
		return -1;
	return now >= until_ns ? 0 : (int)((until_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

static int tend(struct collector *collector, uint64_t *next_ns, struct error *err)
{
	int failed;

	if (!collector->tend || collector->is_tending)
		return 0;
	collector->is_tending = true;
	failed = collector->tend(collector->tended, next_ns, err);
	collector->is_tending = false;
	return failed;
}

/* The earlier of two moments of which either may be 0, which is never. */
static uint64_t earlier(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

enum collector_result collector_wait(struct collector *collector, uint64_t until_ns,
				     bool (*done)(void *context), void *context, struct error *err)
{
	struct epoll_event events[8];

	for (;;) {
		uint64_t next_ns = 0;
		int n;

		if (collector->conductor->interrupted)
			return COLLECTOR_INTERRUPTED;
		if (tend(collector, &next_ns, err))
			return COLLECTOR_FAILED;
		if (done && done(context))
			return COLLECTOR_DONE;
		if (until_ns && clock_now_ns() >= until_ns)
			return COLLECTOR_TIMEOUT;
		n = epoll_wait(collector->epoll_fd, events, 8,
			       timeout_ms(earlier(until_ns, next_ns)));
		if (n < 0 && errno != EINTR) {
			error_set(err, EXIT_CODE_FAILED, "cannot wait: %s", strerror(errno));
			return COLLECTOR_FAILED;
		}
		for (int i = 0; i < n; i++)
			if (handle(collector, events[i].data.fd, err))
				return COLLECTOR_FAILED;
	}
}

int collector_window_open(struct collector *collector, uint64_t planned_ns, struct error *err)
{
	struct probe *probe = collector->conductor->probe;
	struct tree_sum sum;
	uint64_t now;
	int failed;

	probe_cost(probe, &collector->cost_at_open);
	getrusage(RUSAGE_SELF, &collector->own_at_open);
	if (collector->driver)
		collector->driver_cpu_at_open = driver_process_cpu_ns(collector->driver);
	if (read_tree(collector, &sum, &now, err))
		return -1;
	machine_read(&collector->machine_before);
	failed = probe_window_open(probe);
	if (failed)
		return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks: %s",
				 strerror(-failed));
	now = clock_now_ns();
	tree_window_open(collector->tree, now);
	tree_sum(collector->tree, &sum);
	window_open(&collector->window, now, collector->conductor->options->tick_ns, &sum);
	arm_timer(collector);
	collector->timed_from_ns = planned_ns ? planned_ns : now;
	probe_time_window(probe, collector->timed_from_ns, UINT64_MAX);
	collector->counting = true;
	profiler_looks_begin(collector->conductor->profiler, now);
	if (collector->driver)
		driver_process_window_open(collector->driver, planned_ns ? planned_ns : now,
					   collector->conductor->options->tick_ns);
	conductor_debug(collector->conductor, "window open");
	return 0;
}

static int add_edge(struct collector *collector, const char *name, struct error *err)
{
	struct phase_edge *edge,
		*edges = reallocarray(collector->edges, collector->n_edges + 1, sizeof(*edges));

	if (!edges)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	collector->edges = edges;
	edge = &edges[collector->n_edges++];
	edge->name = name;
	edge->at_ns = clock_now_ns();
	if (name)
		profiler_phase(collector->conductor->profiler, (uint32_t)collector->n_edges - 1,
			       edge->at_ns);
	edge->time = threads_so_far(tree_threads(collector->tree));
	edge->driver_cpu_ns = collector->driver ? driver_process_cpu_ns(collector->driver) : 0;
	edge->block_errors = collector->window.last.used.block_errors;
	edge->runnable_beyond = collector->runnable_beyond;
	edge->runnable_samples = collector->runnable_samples;
	/* At the opening it was read before: in an open window as little is done as can be. */
	if (collector->n_edges == 1)
		edge->machine = collector->machine_before;
	else
		machine_read(&edge->machine);
	return 0;
}

int collector_phase(struct collector *collector, const char *name, uint64_t planned_ns,
		    struct error *err)
{
	int failed = 0;

	if (collector->driver && collector->n_edges)
		driver_process_phase(collector->driver, planned_ns ? planned_ns : clock_now_ns());
	/* At the opening nothing has been used yet. */
	threads_look(tree_threads(collector->tree));
	if (collector->n_edges)
		failed = probe_window_look(collector->conductor->probe);
	if (failed)
		return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks: %s",
				 strerror(-failed));
	collector_drain(collector);
	return add_edge(collector, name, err);
}

static double seconds_of(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

static void take_own_cost(struct collector *collector)
{
	struct rusage now;

	getrusage(RUSAGE_SELF, &now);
	collector->own_cpu_seconds = seconds_of(&now.ru_utime) + seconds_of(&now.ru_stime) -
				     seconds_of(&collector->own_at_open.ru_utime) -
				     seconds_of(&collector->own_at_open.ru_stime);
	probe_cost(collector->conductor->probe, &collector->cost);
	for (size_t i = 0; i < collector->cost.n_programs; i++) {
		struct probe_program_cost *one = &collector->cost.programs[i];
		const struct probe_program_cost *before = &collector->cost_at_open.programs[i];

		one->run_ns -= before->run_ns;
		one->events -= before->events;
		one->recursion -= before->recursion;
	}
	for (int i = 0; i < PB_LOSSES; i++)
		collector->cost.losses[i] -= collector->cost_at_open.losses[i];
}

int collector_window_close(struct collector *collector, uint64_t at_ns, uint64_t planned_ns,
			   struct error *err)
{
	struct tree_sum sum = {};
	uint64_t read_ns;
	int failed, looks_failed;

	if (!collector->counting)
		return 0;
	failed = probe_window_close(collector->conductor->probe);
	if (failed)
		error_set(err, EXIT_CODE_FAILED, "cannot close the window: %s", strerror(-failed));
	looks_failed = profiler_looks_end(collector->conductor->profiler);
	if (looks_failed)
		failed = error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks: %s",
				   strerror(-looks_failed));
	if (!at_ns)
		at_ns = clock_now_ns();
	probe_time_window(collector->conductor->probe, collector->timed_from_ns,
			  planned_ns ? planned_ns : at_ns);
	failed = read_tree(collector, &sum, &read_ns, err) || failed ? -1 : 0;
	tree_window_close(collector->tree, at_ns);
	window_close(&collector->window, at_ns, &sum);
	collector->counting = false;
	take_own_cost(collector);
	if (collector->driver) {
		collector->driver_cpu_ns =
			driver_process_cpu_ns(collector->driver) - collector->driver_cpu_at_open;
		driver_process_window_close(collector->driver, planned_ns ? planned_ns : at_ns);
	}
	conductor_debug(collector->conductor, "window closed");
	threads_look(tree_threads(collector->tree));
	if (add_edge(collector, NULL, err))
		failed = -1;
	return failed;
}
