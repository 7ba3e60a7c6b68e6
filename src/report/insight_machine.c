/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How good the data are: the machine, the driver, and perfbpf itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/limit.h"
#include "report/insight_list.h"
#include "report/summary.h"
#include "stats/stats.h"

/* Shares below these are worth no word: of a side's time on CPUs, of the machine, of a side's CPU
 * time, of its stacks. */
#define STOLEN_SHARE    0.01
#define OTHERS_SHARE    0.10
#define OWN_COST_SHARE  0.02
#define TRUNCATED_SHARE 0.10
/* A driver's schedule is kept by ticks of a few milliseconds. */
#define LATE_SECONDS 0.010

double insights_stolen(const struct insights *list, enum side side)
{
	double stolen = 0, all = 0;

	for (size_t i = 0; i < list->n_rounds[side]; i++) {
		const struct record_round *round = list->rounds[side][i];

		if (!round->has_time || isnan(round->time.stolen_seconds))
			continue;
		stolen += round->time.stolen_seconds;
		all += round->time.stolen_seconds + round->time.on_cpu_seconds;
	}
	return all > 0 ? stolen / all : NAN;
}

static double others_of(const struct record_round *round, const void *what)
{
	double cpus = (double)*(const int64_t *)what, used = 0, seconds = 0, own;

	for (size_t i = 0; i < round->n_phases; i++) {
		if (isnan(round->phases[i].cpu.utilization))
			return NAN;
		used += round->phases[i].cpu.utilization * round->phases[i].duration_seconds;
		seconds += round->phases[i].duration_seconds;
	}
	own = round->cpu.total_seconds + (round->has_driver ? round->driver.cpu_seconds : 0) +
	      fmax(0, round->observer.userspace_cpu_seconds);
	/* A window shorter than a tick says nothing of the machine. */
	if (!(seconds > 0) || !(cpus > 0) || !(round->window_seconds >= LIMIT_MIN_SECONDS))
		return NAN;
	return fmax(0, used / seconds - own / round->window_seconds / cpus);
}

double insights_others(const struct insights *list, enum side side)
{
	return insights_range(list, side, others_of, &list->rec->host.cpus).median;
}

static void add_machine(struct insights *list)
{
	const char *machine = list->rec->host.virtualization;
	bool is_virtual = machine && *machine && strcmp(machine, "none") != 0;
	double stolen = fmax(insights_stolen(list, SIDE_A), insights_stolen(list, SIDE_B));

	if (stolen >= STOLEN_SHARE)
		insights_add(list, "quality", "time.stolen_seconds", stolen, 4,
			     "the host or interrupts took %.3g %% of the time that threads had a "
			     "CPU: that is in wall time and latency, not in CPU time",
			     100 * stolen);
	if (is_virtual)
		insights_add(
			list, "quality", NULL, NAN, 0,
			"a virtual machine: what its host does to clock rate, caches and memory "
			"is not seen from inside%s",
			stolen < STOLEN_SHARE ? " (it took less than 1 % of the CPU time)" : "");
	if (list->rec->host.governor && strcmp(list->rec->host.governor, "performance") != 0)
		insights_add(list, "quality", NULL, NAN, 2,
			     "the CPU frequency governor is %s: the clock rate follows the load",
			     list->rec->host.governor);
	else if (!list->rec->host.governor && machine && !is_virtual)
		insights_add(
			list, "quality", NULL, NAN, 0.5,
			"the CPU frequency governor is not known: the clock rate may follow the "
			"load");
}

static void add_others(struct insights *list)
{
	double a = insights_others(list, SIDE_A), b = insights_others(list, SIDE_B);
	char of_b[48] = "";

	if (!(fmax(a, b) >= OTHERS_SHARE))
		return;
	if (list->two_sided && !isnan(a) && !isnan(b))
		snprintf(of_b, sizeof(of_b), " (A) and %.0f %% (B)", 100 * b);
	insights_add(
		list, "quality", NULL, fmax(a, b), 4,
		"others kept the machine busy: in the median round %.0f %%%s of its CPUs' time "
		"went to neither side, driver nor perfbpf",
		100 * (isnan(a) ? b : a), of_b);
}

static double own_cost_of(const struct record_round *round, const void *what)
{
	double probes = round->observer.probe_seconds;

	(void)what;
	return round->cpu.total_seconds > 0 ? probes / round->cpu.total_seconds : NAN;
}

static double syscall_cost_of(const struct record_round *round, const void *what)
{
	double calls = 0;

	(void)what;
	for (size_t i = 0; i < round->n_syscalls; i++)
		calls += (double)round->syscalls[i].count;
	return round->cpu.total_seconds > 0
		       ? calls * round->observer.syscall_slowdown_seconds / round->cpu.total_seconds
		       : NAN;
}

static bool are_worth_a_word(const struct insights *list, const double shares[SIDES])
{
	return (!list->two_sided || (!isnan(shares[SIDE_A]) && !isnan(shares[SIDE_B]))) &&
	       fmax(shares[SIDE_A], shares[SIDE_B]) >= OWN_COST_SHARE;
}

/* As "3.2 % of A's CPU time and 5 % of B's". */
static char *put_shares(char *buf, size_t size, const struct insights *list,
			const double shares[SIDES])
{
	if (list->two_sided)
		snprintf(buf, size, "%.3g %% of A's CPU time and %.3g %% of B's",
			 100 * shares[SIDE_A], 100 * shares[SIDE_B]);
	else
		snprintf(buf, size, "%.3g %% of the CPU time", 100 * shares[SIDE_A]);
	return buf;
}

static void add_own_cost(struct insights *list)
{
	double probes[SIDES], calls[SIDES];
	char text[128];

	for (int side = 0; side < SIDES; side++) {
		probes[side] = insights_range(list, (enum side)side, own_cost_of, NULL).median;
		calls[side] = insights_range(list, (enum side)side, syscall_cost_of, NULL).median;
	}
	if (are_worth_a_word(list, probes))
		insights_add(list, "quality", "cpu.total_seconds",
			     fmax(probes[SIDE_A], probes[SIDE_B]), 3,
			     "perfbpf's own programs ran for as long as %s; what of it ran in the "
			     "side's "
			     "threads is in their CPU time",
			     put_shares(text, sizeof(text), list, probes));
	if (are_worth_a_word(list, calls))
		insights_add(
			list, "quality", "cpu.total_seconds", fmax(calls[SIDE_A], calls[SIDE_B]),
			3.5,
			"--syscalls made every call slower, by about %s: a difference in calls "
			"looks larger than it is without it",
			put_shares(text, sizeof(text), list, calls));
}

static void add_losses(struct insights *list)
{
	char text[512] = "", number[32];
	size_t used = 0;
	double all = 0;

	for (size_t i = 0; i < summary_n_losses_fields; i++) {
		int64_t lost = 0;

		for (int side = 0; side < SIDES; side++)
			for (size_t j = 0; j < list->n_rounds[side]; j++) {
				int64_t more =
					summary_field_of(&list->rounds[side][j]->observer.losses,
							 &summary_losses_fields[i]);

				if (more > 0 && __builtin_add_overflow(lost, more, &lost))
					lost = INT64_MAX;
			}
		if (!lost || used >= sizeof(text))
			continue;
		all += (double)lost;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s: %s",
					 used ? ", " : "", summary_losses_fields[i].label,
					 summary_integer(number, sizeof(number), lost));
	}
	if (used)
		insights_add(list, "quality", NULL, all, 4,
			     "not all that happened was recorded, in all rounds together (%s)",
			     text);
}

static void add_driver(struct insights *list)
{
	double late = NAN;
	int64_t dropped = 0;
	char seconds[32];

	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < list->n_rounds[side]; i++) {
			const struct record_round *round = list->rounds[side][i];

			if (!round->has_driver)
				continue;
			late = fmax(late, round->driver.late_seconds_max);
			if (round->driver.dropped > 0 &&
			    __builtin_add_overflow(dropped, round->driver.dropped, &dropped))
				dropped = INT64_MAX;
		}
	if (late >= LATE_SECONDS)
		insights_add(list, "quality", NULL, late, 2,
			     "the driver was up to %s behind its plan by its own fault",
			     summary_value(seconds, sizeof(seconds), METRIC_SECONDS, late));
	if (dropped)
		insights_add(list, "quality", NULL, (double)dropped, 3,
			     "the driver dropped %lld pieces of work", (long long)dropped);
}

static void add_stacks(struct insights *list)
{
	for (int side = 0; side < SIDES; side++) {
		struct record_stacks stacks =
			flame_stacks_of(list->rec, (enum side)side, PROFILE_ONCPU);
		double share = (double)stacks.truncated / (double)stacks.samples;

		if (stacks.samples > 0 && stacks.truncated > 0 && share >= TRUNCATED_SHARE)
			insights_add(
				list, "quality", NULL, share, 1,
				"%.0f %% of the on-CPU stacks of %s end before the thread's start: "
				"what their callers cost is not known",
				100 * share, insights_letter((enum side)side));
	}
}

void insights_find_machine(struct insights *list)
{
	add_machine(list);
	add_others(list);
	add_own_cost(list);
	add_losses(list);
	add_driver(list);
	add_stacks(list);
}
