/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/threshold.h"
#include "stats/stats.h"

const struct summary_field summary_work_fields[] = {
	{"expected", offsetof(struct record_work, expected_lines)},
	{"delivered", offsetof(struct record_work, lines)},
	{"lost", offsetof(struct record_work, lost)},
	{"doubled", offsetof(struct record_work, duplicated)},
	{"malformed", offsetof(struct record_work, malformed)},
	{"reordered", offsetof(struct record_work, reordered)},
	{"of its own", offsetof(struct record_work, foreign)},
};
const size_t summary_n_work_fields = sizeof(summary_work_fields) / sizeof(summary_work_fields[0]);

const struct summary_field summary_losses_fields[] = {
	{"tasks not followed", offsetof(struct record_losses, storage)},
	{"lifecycle events", offsetof(struct record_losses, ring)},
	{"processes without a row", offsetof(struct record_losses, map_full)},
	{"events met their own program", offsetof(struct record_losses, recursion)},
	{"sockets not followed", offsetof(struct record_losses, sockets)},
	{"stack samples", offsetof(struct record_losses, stacks)},
	{"processes not listed", offsetof(struct record_losses, unlisted)},
	{"threads not listed", offsetof(struct record_losses, threads)},
	{"pieces of payload", offsetof(struct record_losses, requests)},
	{"block requests without times", offsetof(struct record_losses, block)},
};
const size_t summary_n_losses_fields =
	sizeof(summary_losses_fields) / sizeof(summary_losses_fields[0]);

int64_t summary_field_of(const void *base, const struct summary_field *field)
{
	return *(const int64_t *)(const void *)((const char *)base + field->offset);
}

/* Unknown ones are passed over; what a broken record would overflow stays at the end. */
static void add(int64_t *sum, int64_t value)
{
	if (value == RECORD_NONE)
		return;
	if (*sum == RECORD_NONE)
		*sum = 0;
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = value < 0 ? INT64_MIN + 1 : INT64_MAX;
}

static void add_fields(void *sums, const void *values, const struct summary_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add((int64_t *)(void *)((char *)sums + fields[i].offset),
		    summary_field_of(values, &fields[i]));
}

static void raise(int64_t *max, int64_t value)
{
	if (value != RECORD_NONE && (*max == RECORD_NONE || value > *max))
		*max = value;
}

static double add_known(double sum, double value)
{
	return isnan(value) ? sum : isnan(sum) ? value : sum + value;
}

static void init_side(struct summary_side *side, const struct record *rec, enum side which)
{
	struct record_round unknown = {0};

	record_round_init(&unknown);
	side->name = which == SIDE_A ? "A" : "B";
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == which)
			side->target = &rec->targets[i];
	if (side->target && side->target->name)
		side->name = side->target->name;
	side->work = unknown.work;
	side->driver = unknown.driver;
	side->losses = unknown.observer.losses;
	side->probe_events = side->rss_peak_bytes = RECORD_NONE;
}

static void add_round(struct summary_side *side, const struct record_round *round)
{
	const struct record_observer *observer = &round->observer;

	side->rounds++;
	side->invalid += !round->validity.valid;
	if (round->has_work) {
		side->has_work = true;
		side->has_lines |= round->work.lines != RECORD_NONE ||
				   round->work.expected_lines != RECORD_NONE;
		add_fields(&side->work, &round->work, summary_work_fields, summary_n_work_fields);
	}
	if (round->has_driver) {
		side->has_driver = true;
		side->driver.cpu_seconds =
			add_known(side->driver.cpu_seconds, round->driver.cpu_seconds);
		side->driver.late_seconds_max =
			fmax(side->driver.late_seconds_max, round->driver.late_seconds_max);
		add(&side->driver.dropped, round->driver.dropped);
	}
	add_fields(&side->losses, &observer->losses, summary_losses_fields,
		   summary_n_losses_fields);
	add(&side->probe_events, observer->probe_events);
	raise(&side->rss_peak_bytes, observer->rss_peak_bytes);
}

/* Shares of the windows of the rounds in which the cost is known. */
static void share_costs(struct summary_side *side, const struct record *rec, enum side which)
{
	double probe = NAN, userspace = NAN, probe_window = 0, userspace_window = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		if (round->side != which || isnan(round->window_seconds))
			continue;
		probe = add_known(probe, round->observer.probe_seconds);
		userspace = add_known(userspace, round->observer.userspace_cpu_seconds);
		if (!isnan(round->observer.probe_seconds))
			probe_window += round->window_seconds;
		if (!isnan(round->observer.userspace_cpu_seconds))
			userspace_window += round->window_seconds;
	}
	side->probe_share = probe_window > 0 ? probe / probe_window : NAN;
	side->userspace_share = userspace_window > 0 ? userspace / userspace_window : NAN;
	side->probe_ns = side->probe_events > 0 ? probe / (double)side->probe_events * 1e9 : NAN;
}

static int find_window(struct summary_side *side, const struct record *rec, enum side which)
{
	double *windows = calloc(rec->n_rounds + 1, sizeof(*windows));
	size_t n = 0;

	if (!windows)
		return -1;
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].side == which && !isnan(rec->rounds[i].window_seconds))
			windows[n++] = rec->rounds[i].window_seconds;
	side->window_seconds = stats_median(windows, n);
	free(windows);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct summary_process *x = a, *y = b;
	int order = strcmp(x->comm, y->comm);

	return order ? order : strcmp(x->exe, y->exe);
}

/* Largest first; by name where alike, so that a report is the same each time it is made. */
static int compare_cost(const void *a, const void *b)
{
	const struct summary_process *x = a, *y = b;

	if (x->cpu_seconds != y->cpu_seconds)
		return x->cpu_seconds < y->cpu_seconds ? 1 : -1;
	return compare_names(a, b);
}

static size_t list_processes(const struct record *rec, enum side which,
			     struct summary_process *processes)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		for (size_t j = 0; round->side == which && j < round->n_processes; j++, n++) {
			const struct record_process *process = &round->processes[j];

			if (processes)
				processes[n] = (struct summary_process){
					.comm = process->comm ? process->comm : "?",
					.exe = process->exe ? process->exe : "",
					.count = 1,
					.cpu_seconds = isnan(process->cpu_seconds)
							       ? 0
							       : process->cpu_seconds,
					.rss_peak_bytes = process->rss_peak_bytes};
		}
	}
	return n;
}

static int fold_processes(struct summary_side *side, const struct record *rec, enum side which)
{
	size_t n = list_processes(rec, which, NULL), folded = 0;
	struct summary_process *list = calloc(n + 1, sizeof(*list));

	if (!list)
		return -1;
	list_processes(rec, which, list);
	qsort(list, n, sizeof(*list), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (!folded || compare_names(&list[folded - 1], &list[i])) {
			list[folded++] = list[i];
			continue;
		}
		list[folded - 1].count++;
		list[folded - 1].cpu_seconds += list[i].cpu_seconds;
		raise(&list[folded - 1].rss_peak_bytes, list[i].rss_peak_bytes);
	}
	qsort(list, folded, sizeof(*list), compare_cost);
	side->processes = list;
	side->n_processes = folded;
	return 0;
}

struct reason {
	const char *text;
	size_t order;
};

static int compare_reasons(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int compare_order(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

/* Both rounds of a pair carry the same reason: in the order of the rounds, each once. */
static int collect_reasons(struct summary *summary, const struct record *rec)
{
	struct reason *list;
	size_t n = 0, unique = 0;

	for (size_t i = 0; i < rec->n_rounds; i++)
		n += rec->rounds[i].validity.n_reasons;
	summary->reasons = calloc(n + 1, sizeof(*summary->reasons));
	list = calloc(n + 1, sizeof(*list));
	n = 0;
	for (size_t i = 0; list && i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].validity.n_reasons; j++)
			if (rec->rounds[i].validity.reasons[j]) {
				list[n] = (struct reason){rec->rounds[i].validity.reasons[j], n};
				n++;
			}
	if (!summary->reasons || !list) {
		free(list);
		return -1;
	}
	qsort(list, n, sizeof(*list), compare_reasons);
	for (size_t i = 0; i < n; i++)
		if (!unique || strcmp(list[unique - 1].text, list[i].text))
			list[unique++] = list[i];
	qsort(list, unique, sizeof(*list), compare_order);
	for (size_t i = 0; i < unique; i++)
		summary->reasons[i] = list[i].text;
	summary->n_reasons = unique;
	free(list);
	return 0;
}

static int compare_program_names(const void *a, const void *b)
{
	const struct record_program *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_programs(const void *a, const void *b)
{
	const struct record_program *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return compare_program_names(a, b);
}

static int fold_programs(struct summary *summary, const struct record *rec)
{
	struct record_program *list;
	size_t n = 0, folded = 0;

	for (size_t i = 0; i < rec->n_rounds; i++)
		n += rec->rounds[i].observer.n_programs;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -1;
	n = 0;
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].observer.n_programs; j++, n++) {
			list[n] = rec->rounds[i].observer.programs[j];
			if (!list[n].name)
				list[n].name = (char *)"?";
			list[n].seconds = add_known(0, list[n].seconds);
		}
	qsort(list, n, sizeof(*list), compare_program_names);
	for (size_t i = 0; i < n; i++) {
		if (!folded || compare_program_names(&list[folded - 1], &list[i])) {
			list[folded++] = list[i];
			continue;
		}
		add(&list[folded - 1].events, list[i].events);
		list[folded - 1].seconds += list[i].seconds;
	}
	qsort(list, folded, sizeof(*list), compare_programs);
	summary->programs = list;
	summary->n_programs = folded;
	return 0;
}

static int summarize_side(struct summary_side *side, const struct record *rec, enum side which)
{
	init_side(side, rec, which);
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].side == which)
			add_round(side, &rec->rounds[i]);
	share_costs(side, rec, which);
	return find_window(side, rec, which) || fold_processes(side, rec, which) ? -1 : 0;
}

static int add_failure(struct summary *summary, char *text)
{
	if (!text)
		return -1;
	summary->failures[summary->n_failures++] = text;
	return 0;
}

static char *text_of_threshold(const struct record_threshold *threshold)
{
	char value[32], *text;
	bool has_value = !isnan(threshold->value);
	const char *more = threshold->text ? threshold->text : has_value ? "" : "there is no value";

	summary_value(value, sizeof(value), summary_kind(threshold->unit), threshold->value);
	if (asprintf(&text, "%s: %s of %s %s: %s%s%s", threshold->side == SIDE_A ? "A" : "B",
		     threshold->expression ? threshold->expression : "?",
		     threshold->metric ? threshold->metric : "?",
		     has_value ? "does not hold" : "fails", has_value ? value : "",
		     has_value && *more ? ", " : "", more) < 0)
		return NULL;
	return text;
}

static bool is_bad(const struct record_endurance *endurance)
{
	return endurance->verdict &&
	       (!strcmp(endurance->verdict, "leak") || !strcmp(endurance->verdict, "drift"));
}

static char *text_of_endurance(const struct record_round *round,
			       const struct record_endurance *endurance)
{
	char *text;

	if (asprintf(&text, "%s, %s: %s", round->side == SIDE_A ? "A" : "B",
		     endurance->name ? endurance->name : "?",
		     endurance->text ? endurance->text : endurance->verdict) < 0)
		return NULL;
	return text;
}

static bool fails(const struct record *rec, const struct record_regression *row)
{
	return rec->has_baseline && rec->baseline.comparable && row->gate && row->text &&
	       row->verdict && !strcmp(row->verdict, "regressed");
}

static int collect_failures(struct summary *summary, const struct record *rec)
{
	size_t most = rec->n_thresholds + rec->baseline.n_rows;

	for (size_t i = 0; i < rec->n_rounds; i++)
		most += rec->rounds[i].n_endurance;
	summary->failures = calloc(most + 1, sizeof(*summary->failures));
	if (!summary->failures)
		return -1;
	for (size_t i = 0; i < rec->n_thresholds; i++)
		if (!rec->thresholds[i].passed && threshold_is_gate(rec->thresholds[i].level) &&
		    add_failure(summary, text_of_threshold(&rec->thresholds[i])))
			return -1;
	for (size_t i = 0; i < rec->baseline.n_rows; i++)
		if (fails(rec, &rec->baseline.rows[i]) &&
		    add_failure(summary, strdup(rec->baseline.rows[i].text)))
			return -1;
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].n_endurance; j++)
			if (is_bad(&rec->rounds[i].endurance[j]) &&
			    add_failure(summary, text_of_endurance(&rec->rounds[i],
								   &rec->rounds[i].endurance[j])))
				return -1;
	return 0;
}

struct summary *summary_new(const struct record *rec)
{
	struct summary *summary = calloc(1, sizeof(*summary));

	if (!summary)
		return NULL;
	if (summarize_side(&summary->sides[SIDE_A], rec, SIDE_A) ||
	    summarize_side(&summary->sides[SIDE_B], rec, SIDE_B) || collect_reasons(summary, rec) ||
	    fold_programs(summary, rec) || collect_failures(summary, rec)) {
		summary_free(summary);
		return NULL;
	}
	summary->invalid = summary->sides[SIDE_A].invalid + summary->sides[SIDE_B].invalid;
	summary->two_sided = summary->sides[SIDE_B].target || summary->sides[SIDE_B].rounds;
	return summary;
}

void summary_free(struct summary *summary)
{
	if (!summary)
		return;
	free(summary->sides[SIDE_A].processes);
	free(summary->sides[SIDE_B].processes);
	free(summary->reasons);
	for (size_t i = 0; i < summary->n_failures; i++)
		free(summary->failures[i]);
	free(summary->failures);
	free(summary->programs);
	free(summary);
}
