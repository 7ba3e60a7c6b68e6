/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Causes that are no metrics: system calls by name, processes, what limited the sides. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/insight_list.h"
#include "report/summary.h"

/* Names in one sentence. */
#define MAX_NAMED 3
/* Of the difference; less explains nothing. */
#define LEAST_SHARE 0.10
/* Who asked for them wants to see them. */
#define SYSCALL_WEIGHT 0.95
#define PROCESS_WEIGHT 0.6
#define LIMIT_WEIGHT   0.45
/* Of a side's rounds, for a limit to be the side's. */
#define LIMIT_ROUNDS 0.8
/* A process lives that long at least, or it is a short one. */
#define SHORT_SECONDS 0.1
/* What a process can cost at most just for being there. */
#define PROCESS_SECONDS 20e-3

static const struct record_syscall *find_syscall(const struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_syscalls; i++)
		if (round->syscalls[i].name && !strcmp(round->syscalls[i].name, name))
			return &round->syscalls[i];
	return NULL;
}

/* A name that a round with system calls does not have was never called in it. */
static double calls_of(const struct record_round *round, const void *name)
{
	const struct record_syscall *call = find_syscall(round, name);

	return call ? (double)call->count : round->n_syscalls ? 0 : NAN;
}

static double seconds_of(const struct record_round *round, const void *name)
{
	const struct record_syscall *call = find_syscall(round, name);

	return call ? call->total_seconds : round->n_syscalls ? 0 : NAN;
}

struct calls {
	const char *name;
	struct insight_difference count, seconds;
};

static int compare_calls(const void *a, const void *b)
{
	const struct calls *x = a, *y = b;
	double by = fabs(y->seconds.delta) - fabs(x->seconds.delta);

	return by > 0 ? 1 : by < 0 ? -1 : strcmp(x->name, y->name);
}

/* The names of all rounds, each once; *@n of them. To be freed. */
static struct calls *collect_names(const struct insights *list, size_t *n)
{
	struct calls *all = NULL;
	size_t most = 0;

	*n = 0;
	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < list->n_rounds[side]; i++)
			most += list->rounds[side][i]->n_syscalls;
	all = calloc(most + 1, sizeof(*all));
	for (int side = 0; all && side < SIDES; side++)
		for (size_t i = 0; i < list->n_rounds[side]; i++)
			for (size_t j = 0; j < list->rounds[side][i]->n_syscalls; j++) {
				const char *name = list->rounds[side][i]->syscalls[j].name;
				size_t at = 0;

				while (at < *n && name && strcmp(all[at].name, name) != 0)
					at++;
				if (name && at == *n)
					all[(*n)++].name = name;
			}
	return all;
}

/* Leaves those that were called more often by the side that needs more, and took longer. */
static size_t keep_telling(const struct insights *list, const struct insight_target *target,
			   struct calls *all, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct calls call = {.name = all[i].name};

		call.count = insights_difference_of(list, calls_of, call.name, &target->unit);
		call.seconds = insights_difference_of(list, seconds_of, call.name, &target->unit);
		if (insights_goes_along(target, &call.count) &&
		    insights_goes_along(target, &call.seconds) &&
		    fabs(call.seconds.delta) >= LEAST_SHARE * target->seconds)
			all[kept++] = call;
	}
	return kept;
}

void insights_add_syscalls(struct insights *list, const struct insight_target *target)
{
	char named[512] = "", a[32], b[32], seconds[32];
	size_t n, used = 0;
	struct calls *calls = collect_names(list, &n);

	if (!calls) {
		list->failed = true;
		return;
	}
	n = keep_telling(list, target, calls, n);
	qsort(calls, n, sizeof(*calls), compare_calls);
	for (size_t i = 0; i < n && i < MAX_NAMED && used < sizeof(named); i++)
		used += (size_t)snprintf(
			named + used, sizeof(named) - used,
			"%s%.64s (%s of A against %s of B, %s more in them)", i ? ", " : "",
			calls[i].name,
			summary_value(a, sizeof(a), METRIC_COUNT, calls[i].count.values[SIDE_A]),
			summary_value(b, sizeof(b), METRIC_COUNT, calls[i].count.values[SIDE_B]),
			summary_value(seconds, sizeof(seconds), METRIC_SECONDS,
				      fabs(calls[i].seconds.delta)));
	if (n)
		insights_add(list, "cause", NULL, calls[0].seconds.delta, SYSCALL_WEIGHT,
			     "%s goes along with more system calls: %s%s", target->extra, named,
			     target->unit.text);
	free(calls);
}

static double processes_of(const struct record_round *round, const void *what)
{
	(void)what;
	return (double)round->n_processes;
}

static double short_of(const struct record_round *round, const void *what)
{
	double n = 0;

	(void)what;
	for (size_t i = 0; i < round->n_processes; i++)
		n += round->processes[i].exited_at - round->processes[i].started_at < SHORT_SECONDS;
	return n;
}

void insights_add_processes(struct insights *list, const struct insight_target *target)
{
	struct insight_difference all =
		insights_difference_of(list, processes_of, NULL, &target->unit);
	struct insight_difference brief =
		insights_difference_of(list, short_of, NULL, &target->unit);
	double most = fabs(all.delta) * PROCESS_SECONDS;
	char a[32], b[32], few_a[32], few_b[32];

	if (!insights_goes_along(target, &all) || !(most >= LEAST_SHARE * target->seconds))
		return;
	insights_add(
		list, "cause", NULL, all.delta, PROCESS_WEIGHT * fmin(1, most / target->seconds),
		"%s goes along with more processes: %s of A against %s of B%s (of them %s and %s "
		"lived less than 100 ms)",
		target->extra, summary_value(a, sizeof(a), METRIC_COUNT, all.values[SIDE_A]),
		summary_value(b, sizeof(b), METRIC_COUNT, all.values[SIDE_B]), target->unit.text,
		summary_value(few_a, sizeof(few_a), METRIC_COUNT, brief.values[SIDE_A]),
		summary_value(few_b, sizeof(few_b), METRIC_COUNT, brief.values[SIDE_B]));
}

/* What limited a side in most of its rounds, in their longest phase. */
struct limit {
	const char *name; /* "nothing" where nothing was evident; NULL: not the same in most */
	size_t n;
};

static const char *limit_of(const struct record_round *round)
{
	const struct record_round_phase *longest = NULL;

	for (size_t i = 0; i < round->n_phases; i++)
		if (!longest || round->phases[i].duration_seconds > longest->duration_seconds)
			longest = &round->phases[i];
	if (!longest)
		return NULL;
	return longest->limited_by ? longest->limited_by : "nothing evident";
}

static struct limit common_limit(const struct insights *list, enum side side)
{
	struct limit common = {NULL, 0};

	for (size_t i = 0; i < list->n_rounds[side]; i++) {
		const char *name = limit_of(list->rounds[side][i]);
		size_t n = 0;

		for (size_t j = 0; name && j < list->n_rounds[side]; j++) {
			const char *other = limit_of(list->rounds[side][j]);

			n += other && !strcmp(name, other);
		}
		if (n > common.n)
			common = (struct limit){name, n};
	}
	if ((double)common.n < LIMIT_ROUNDS * (double)list->n_rounds[side])
		common.name = NULL;
	return common;
}

void insights_add_limits(struct insights *list, const struct insight_target *target)
{
	struct limit a = common_limit(list, SIDE_A), b = common_limit(list, SIDE_B);

	if (!a.name || !b.name || !strcmp(a.name, b.name) || a.n + b.n < 8)
		return;
	insights_add(list, "cause", NULL, NAN, LIMIT_WEIGHT,
		     "%s goes along with another limit: A was limited by %s (in %zu of %zu "
		     "rounds), B by %s (in %zu of %zu)",
		     target->extra, a.name, a.n, list->n_rounds[SIDE_A], b.name, b.n,
		     list->n_rounds[SIDE_B]);
}
