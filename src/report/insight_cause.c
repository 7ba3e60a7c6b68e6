/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What goes along with the difference, from the metrics of both sides. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/load.h"
#include "record/metric.h"
#include "report/insight_list.h"
#include "report/summary.h"

/* So many differences are explained. */
#define MAX_TARGETS 2
/* What is less of the difference than this explains nothing. */
#define LEAST_SHARE 0.10
/* What is only counted comes after what is timed. */
#define COUNTED_WEIGHT 0.5
#define WAITING_WEIGHT 0.9

static double thousand_operations(const struct record_round *round)
{
	return round->has_work ? (double)round->work.operations / 1e3 : NAN;
}

/* Did the sides do as much as each could, so that only what an operation cost compares? */
static bool is_closed_loop(const struct insights *list)
{
	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < list->n_rounds[side]; i++)
			if (record_has_operations(list->rounds[side][i]) &&
			    !list->rounds[side][i]->work.is_fixed)
				return true;
	return false;
}

static struct insight_unit unit_of(const struct insights *list)
{
	if (is_closed_loop(list))
		return (struct insight_unit){thousand_operations, " for 1,000 operations"};
	return (struct insight_unit){NULL, " a round"};
}

/* False where it is no time of the sides, or they do not differ in it, or it is one of many that
 * nobody asked about: of twenty of those one differs by chance. */
static bool make_target(const struct insights *list, const char *metric,
			struct insight_target *target)
{
	const struct metric *row = metric_find(metric);
	const struct record_comparison *comparison = insights_row(list, metric);
	const char *measured = metric;
	char seconds[32];

	if (!row || !insights_is_decided(comparison) || comparison->exploratory)
		return false;
	*target = (struct insight_target){
		.metric = metric, .label = row->label, .unit = unit_of(list)};
	if (!strncmp(metric, "latency.", 8) && row->kind == METRIC_SECONDS) {
		target->kind = INSIGHT_LATENCY;
		target->unit = (struct insight_unit){NULL, ""};
	} else if (!strncmp(metric, "cpu.", 4) && row->kind == METRIC_SECONDS) {
		target->kind = INSIGHT_CPU;
		measured = "cpu.total_seconds";
		target->label = "CPU time";
	} else if (!strcmp(metric, "window_seconds") ||
		   (target->unit.get && !strcmp(metric, "work.operations_per_second"))) {
		target->kind = INSIGHT_WALL;
		measured = "window_seconds";
		target->label = "wall time";
	} else {
		return false;
	}
	target->difference = insights_difference(list, measured, &target->unit);
	target->seconds = fabs(target->difference.delta);
	target->more = target->difference.delta > 0 ? SIDE_B : SIDE_A;
	summary_value(seconds, sizeof(seconds), METRIC_SECONDS, target->seconds);
	snprintf(target->extra, sizeof(target->extra), "%s's extra %s (%s%s)",
		 target->more == SIDE_A ? "A" : "B", target->label, seconds, target->unit.text);
	return target->seconds > 0 && isfinite(target->seconds);
}

/* The parts add up to the whole: no evidence is needed but that the part differs at all. */
static void add_modes(struct insights *list, const struct insight_target *target)
{
	static const struct {
		const char *metric, *name;
	} modes[] = {
		{"cpu.system_seconds", "system time"},
		{"cpu.user_seconds", "user time"},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct insight_difference part =
			insights_difference(list, modes[i].metric, &target->unit);
		double share = part.delta / target->difference.delta;
		char seconds[32], whole[32];

		if (!insights_goes_along(target, &part) || !(share >= 0.5))
			continue;
		summary_value(seconds, sizeof(seconds), METRIC_SECONDS, fabs(part.delta));
		summary_value(whole, sizeof(whole), METRIC_SECONDS, target->seconds);
		if (share > 1)
			insights_add(list, "cause", modes[i].metric, part.delta, 2,
				     "all of %s's extra CPU time is %s: %s more of it, and less of "
				     "the other, make %s%s",
				     target->more == SIDE_A ? "A" : "B", modes[i].name, seconds,
				     whole, target->unit.text);
		else
			insights_add(list, "cause", modes[i].metric, part.delta, 1 + share,
				     "%.0f %% of %s's extra CPU time is %s: %s of %s%s",
				     100 * share, target->more == SIDE_A ? "A" : "B", modes[i].name,
				     seconds, whole, target->unit.text);
	}
}

static bool is_found(const struct insights *list, const char *metric)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->found[i].insight.metric && !strcmp(list->found[i].insight.metric, metric))
			return true;
	return false;
}

/* What goes along with targets. */
struct candidate {
	const char *metric, *name;
	/* What one of them can cost at most, in seconds. It is shown nowhere: where all of them at
	 * that cost come to nothing, they explain nothing. 0: is seconds itself. */
	double most;
};

static void add_candidate(struct insights *list, const struct insight_target *target,
			  const struct candidate *candidate, double weight)
{
	const struct metric *metric = metric_find(candidate->metric);
	struct insight_difference part =
		insights_difference(list, candidate->metric, &target->unit);
	double most = fabs(part.delta) * (candidate->most > 0 ? candidate->most : 1);
	char a[32], b[32];

	if (!metric || is_found(list, candidate->metric) || !insights_goes_along(target, &part) ||
	    !(most >= LEAST_SHARE * target->seconds))
		return;
	insights_add(
		list, "cause", candidate->metric, part.delta,
		weight * fmin(1, most / target->seconds),
		"%s goes along with more %s: %s of A against %s of B%s", target->extra,
		candidate->name, summary_value(a, sizeof(a), metric->kind, part.values[SIDE_A]),
		summary_value(b, sizeof(b), metric->kind, part.values[SIDE_B]), target->unit.text);
}

/* What costs CPU time. A fault may fill a huge page, and a byte be sent alone. */
static void add_work(struct insights *list, const struct insight_target *target)
{
	static const struct candidate work[] = {
		{"memory.minor_faults", "minor faults", 200e-6},
		{"cpu.context_switches", "context switches", 20e-6},
		{"cpu.migrations", "moves to another CPU", 50e-6},
		{"network.tx_bytes", "bytes sent", 20e-9},
		{"network.rx_bytes", "bytes received", 20e-9},
		{"network.connections_opened", "connections opened", 200e-6},
		{"network.connections_accepted", "connections accepted", 200e-6},
		{"io.read_bytes", "bytes read", 20e-9},
		{"io.write_bytes", "bytes written", 20e-9},
	};

	insights_add_syscalls(list, target);
	insights_add_processes(list, target);
	for (size_t i = 0; i < sizeof(work) / sizeof(work[0]); i++)
		add_candidate(list, target, &work[i], COUNTED_WEIGHT);
}

/* What makes wait. */
static void add_delays(struct insights *list, const struct insight_target *target)
{
	static const struct candidate delays[] = {
		{"memory.major_faults", "major faults", 20e-3},
		{"network.retransmits", "TCP segments sent again", 200e-3},
		{"io.block_reads", "reads of block devices", 20e-3},
		{"io.block_writes", "writes to block devices", 20e-3},
		{"io.fsyncs", "fsyncs", 50e-3},
	};

	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++)
		add_candidate(list, target, &delays[i], COUNTED_WEIGHT);
}

/* What made it wait, and what it did meanwhile. */
static void add_waiting(struct insights *list, const struct insight_target *target)
{
	static const struct candidate waiting[] = {
		{"cpu.total_seconds", "CPU time", 0},
		{"time.lock_seconds", "waiting for locks (all threads together)", 0},
		{"time.run_queue_seconds", "waiting for a CPU (all threads together)", 0},
		{"time.disk_seconds", "waiting for storage (all threads together)", 0},
		{"time.socket_seconds", "waiting for sockets (all threads together)", 0},
		{"time.pipe_seconds", "waiting for pipes (all threads together)", 0},
		{"time.timer_seconds", "sleeping by its own wish (all threads together)", 0},
		{"time.stolen_seconds", "time taken by the host or interrupts", 0},
	};

	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
		add_candidate(list, target, &waiting[i], WAITING_WEIGHT);
}

/* Parts of an answer's time, at the same percentile as far as there is one. */
static void add_parts_of_latency(struct insights *list, const struct insight_target *target)
{
	static const struct candidate parts[] = {
		{"latency.service.p99_seconds", "service time (p99)", 0},
		{"latency.queue.p99_seconds", "time in the queue (p99)", 0},
		{"latency.server_service.p99_seconds", "service time of the server (p99)", 0},
		{"latency.run_queue.p99_seconds", "waiting for a CPU (p99)", 0},
		{"latency.fsync.p99_seconds", "time for an fsync (p99)", 0},
		{"latency.block_read.p99_seconds", "time for a read of a block device (p99)", 0},
		{"latency.block_write.p99_seconds", "time for a write to a block device (p99)", 0},
		{"latency.connect.p99_seconds", "time to connect (p99)", 0},
		{"latency.rtt.p99_seconds", "TCP round-trip time (p99)", 0},
	};
	static const struct candidate waiting[] = {
		{"time.lock_seconds", "waiting for locks (all threads together)", 0},
		{"time.run_queue_seconds", "waiting for a CPU (all threads together)", 0},
		{"time.disk_seconds", "waiting for storage (all threads together)", 0},
		{"network.retransmits", "TCP segments sent again", 0},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].metric, target->metric) != 0)
			add_candidate(list, target, &parts[i], 1);
	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
		add_candidate(list, target, &waiting[i], COUNTED_WEIGHT);
}

/* @others: all targets. Where both CPU time and wall time differ, each has what is its own. */
static void explain(struct insights *list, const struct insight_target *target,
		    const struct insight_target *others, size_t n)
{
	bool has[] = {[INSIGHT_CPU] = false, [INSIGHT_WALL] = false, [INSIGHT_LATENCY] = false};

	for (size_t i = 0; i < n; i++)
		has[others[i].kind] |= others[i].more == target->more;
	switch (target->kind) {
	case INSIGHT_CPU:
		add_modes(list, target);
		insights_add_functions(list, target);
		add_work(list, target);
		if (!has[INSIGHT_WALL])
			add_delays(list, target);
		break;
	case INSIGHT_WALL:
		add_waiting(list, target);
		insights_add_functions(list, target);
		add_delays(list, target);
		if (!has[INSIGHT_CPU])
			add_work(list, target);
		insights_add_limits(list, target);
		break;
	case INSIGHT_LATENCY:
		add_parts_of_latency(list, target);
		insights_add_limits(list, target);
		break;
	}
}

void insights_find_causes(struct insights *list)
{
	const char *const metrics[] = {
		list->rec->statistics.primary,
		is_closed_loop(list) ? "cpu.seconds_per_thousand_operations" : "cpu.total_seconds",
		is_closed_loop(list)         ? "work.operations_per_second"
		: list->rec->scenario.driver ? NULL
					     : "window_seconds",
		"latency.response.p99_seconds",
		"latency.delivery.p99_seconds",
	};
	struct insight_target targets[MAX_TARGETS];
	size_t n = 0;

	/* Where the work was not the same there is nothing to explain. */
	if (!list->two_sided || !list->rec->verdict.valid)
		return;
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]) && n < MAX_TARGETS; i++) {
		if (!metrics[i] || !make_target(list, metrics[i], &targets[n]))
			continue;
		if (n && targets[0].kind == targets[n].kind)
			continue;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		explain(list, &targets[i], targets, n);
}
