/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Validity before speed: did both sides do the same work, and was all of it seen?
 * Pairs are counted from 1 in what people read.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/load.h"
#include "record/pairs.h"
#include "util/grouped.h"

/* Share of the observer's events that may be missing before its totals cannot be trusted. */
#define OBSERVER_BOUND 0.001

const char *validity_side(enum side side)
{
	return side == SIDE_A ? "A" : "B";
}

/* Pairs as people count them; a broken record may hold any number. */
int64_t validity_pair(const struct record_round *round)
{
	return round->pair == RECORD_NONE || round->pair == INT64_MAX ? 0 : round->pair + 1;
}

static int64_t at_least_zero(int64_t value)
{
	return value > 0 ? value : 0; /* RECORD_NONE too */
}

/* Lost lines as counted, or what is missing from those expected. */
static int64_t lost_lines(const struct record_work *work)
{
	if (work->lost != RECORD_NONE)
		return at_least_zero(work->lost);
	if (work->lines == RECORD_NONE)
		return 0;
	return at_least_zero(work->expected_lines - at_least_zero(work->lines));
}

/* "1,204 lost, 3 doubled"; kinds of which there are none are left out. */
static void name_faults(char *buf, size_t size, const int64_t counts[3])
{
	static const char *const kinds[] = {"lost", "doubled", "malformed"};
	char number[GROUPED_MAX];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < 3 && used < size; i++)
		if (counts[i])
			used += (size_t)snprintf(
				buf + used, size - used, "%s%s %s", used ? ", " : "",
				format_grouped(number, sizeof(number), counts[i]), kinds[i]);
}

static void check_expected(struct record_round *round, double bound)
{
	const struct record_work *work = &round->work;
	int64_t counts[3];
	double faults, expected = (double)work->expected_lines;
	char names[128], number[GROUPED_MAX];
	const char *what = record_has_operations(round) ? "messages" : "lines";

	if (work->expected_lines == RECORD_NONE || expected < 0)
		return;
	counts[0] = lost_lines(work);
	counts[1] = at_least_zero(work->duplicated);
	counts[2] = at_least_zero(work->malformed);
	faults = (double)counts[0] + (double)counts[1] + (double)counts[2];
	if (faults <= bound * expected)
		return;
	name_faults(names, sizeof(names), counts);
	format_grouped(number, sizeof(number), work->expected_lines);
	if (expected > 0)
		record_invalid(round, "%s, pair %" PRId64 ": of %s %s %s (%.3g %%), bound %.3g %%",
			       validity_side(round->side), validity_pair(round), number, what,
			       names, 100 * faults / expected, 100 * bound);
	else
		record_invalid(round, "%s, pair %" PRId64 ": %s, where no %s were expected",
			       validity_side(round->side), validity_pair(round), names, what);
}

/* How a command ended, for people: "exit code 2", "signal 9". */
static const char *name_end(char *buf, size_t size, const struct record_round *round)
{
	if (round->signal != RECORD_NONE)
		snprintf(buf, size, "signal %" PRId64, round->signal);
	else if (round->exit_code != RECORD_NONE)
		snprintf(buf, size, "exit code %" PRId64, round->exit_code);
	else
		snprintf(buf, size, "no end of its own");
	return buf;
}

static bool ended_alike(const struct record_round *x, const struct record_round *y)
{
	return x->exit_code == y->exit_code && x->signal == y->signal;
}

/* Commands to completion: the way they ended is all that is known of their work. */
static void check_ends_of_side(struct record *rec, enum side side)
{
	const struct record_round *first = NULL;
	char was[48], is[48];

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		if (round->side != side || round->has_work)
			continue;
		if (!first)
			first = round;
		if (ended_alike(first, round))
			continue;
		record_invalid(round,
			       "%s, pair %" PRId64 ": ended with %s, in pair %" PRId64
			       " with %s: unequal work",
			       validity_side(side), validity_pair(round),
			       name_end(is, sizeof(is), round), validity_pair(first),
			       name_end(was, sizeof(was), first));
	}
}

static void check_ends_of_pair(const struct pair *pair)
{
	char a[48], b[48];

	if (ended_alike(pair->a, pair->b))
		return;
	name_end(a, sizeof(a), pair->a);
	name_end(b, sizeof(b), pair->b);
	for (int i = 0; i < SIDES; i++)
		record_invalid(i ? pair->b : pair->a,
			       "pair %" PRId64 ": A ended with %s, B with %s: unequal work",
			       validity_pair(pair->a), a, b);
}

void validity_invalidate_pair(const struct pair *pair, const char *reason)
{
	record_invalid(pair->a, "pair %" PRId64 ": %s", validity_pair(pair->a), reason);
	record_invalid(pair->b, "pair %" PRId64 ": %s", validity_pair(pair->a), reason);
}

static void check_lines_of_pair(const struct pair *pair, double bound)
{
	int64_t lines_a = pair->a->work.lines, lines_b = pair->b->work.lines;
	double apart, larger;
	char a[GROUPED_MAX], b[GROUPED_MAX], reason[200];

	if (lines_a == RECORD_NONE && lines_b == RECORD_NONE)
		return;
	if (lines_a == RECORD_NONE || lines_b == RECORD_NONE) {
		validity_invalidate_pair(pair, "the lines of one side only were counted");
		return;
	}
	apart = fabs((double)lines_a - (double)lines_b);
	larger = fmax((double)lines_a, (double)lines_b);
	if (larger <= 0) {
		validity_invalidate_pair(
			pair, "neither side delivered a line, so there is no work to compare");
	} else if (apart > bound * larger) {
		snprintf(reason, sizeof(reason),
			 "A delivered %s lines, B %s (%.3g %% apart), bound %.3g %%: unequal work",
			 format_grouped(a, sizeof(a), lines_a),
			 format_grouped(b, sizeof(b), lines_b), 100 * apart / larger, 100 * bound);
		validity_invalidate_pair(pair, reason);
	}
}

static void check_pair(const struct pair *pair, double bound)
{
	if (record_has_operations(pair->a) || record_has_operations(pair->b))
		validity_check_operations_of_pair(pair, bound);
	else if (pair->a->has_work && pair->b->has_work)
		check_lines_of_pair(pair, bound);
	else if (pair->a->has_work || pair->b->has_work)
		validity_invalidate_pair(pair, "the work of one side only was counted");
	else
		check_ends_of_pair(pair);
}

/* A loss whose share of all events is above the bound, or cannot be told. */
static void check_loss(struct record_round *round, int64_t lost, const char *what)
{
	int64_t events = round->observer.probe_events;
	char a[GROUPED_MAX], b[GROUPED_MAX];

	if (lost <= 0)
		return;
	format_grouped(a, sizeof(a), lost);
	format_grouped(b, sizeof(b), events);
	if (events == RECORD_NONE)
		record_invalid(round,
			       "%s, pair %" PRId64 ": %s: %s of an unknown number (--observer off)",
			       validity_side(round->side), validity_pair(round), what, a);
	else if ((double)lost > OBSERVER_BOUND * (double)events)
		record_invalid(round, "%s, pair %" PRId64 ": %s: %s of %s, bound %.3g %%",
			       validity_side(round->side), validity_pair(round), what, a, b,
			       100 * OBSERVER_BOUND);
}

/*
 * Totals of CPU, faults and bytes are whole without them; memory, the list of processes
 * and the moment at which the last one ended are not.
 */
static void check_records(struct record_round *round)
{
	const struct record_losses *losses = &round->observer.losses;
	int64_t lost = (losses->ring > 0 ? losses->ring : 0) +
		       (losses->map_full > 0 ? losses->map_full : 0);
	double all = (double)round->n_processes + (double)lost;
	char number[GROUPED_MAX];

	if (lost > 0 && (double)lost > OBSERVER_BOUND * all)
		record_invalid(round,
			       "%s, pair %" PRId64
			       ": records of processes lost: %s of %.0f, bound %.3g %%; "
			       "memory and the end of the window are not whole",
			       validity_side(round->side), validity_pair(round),
			       format_grouped(number, sizeof(number), lost), all,
			       100 * OBSERVER_BOUND);
}

static void check_observer(struct record_round *round)
{
	const struct record_losses *losses = &round->observer.losses;
	char number[GROUPED_MAX];

	if (losses->storage > 0)
		record_invalid(round,
			       "%s, pair %" PRId64
			       ": tasks that could not be followed, whose cost is missing: %s",
			       validity_side(round->side), validity_pair(round),
			       format_grouped(number, sizeof(number), losses->storage));
	check_records(round);
	check_loss(round, losses->recursion, "events missed while their own program ran");
}

void validity_check(struct record *rec, const struct pairs *pairs, double work_bound)
{
	for (size_t i = 0; i < rec->n_rounds; i++) {
		if (rec->rounds[i].has_work)
			check_expected(&rec->rounds[i], work_bound);
		if (record_has_operations(&rec->rounds[i]))
			validity_check_operations(rec, &rec->rounds[i], work_bound);
		check_observer(&rec->rounds[i]);
	}
	for (int side = 0; side < SIDES; side++)
		check_ends_of_side(rec, (enum side)side);
	for (size_t i = 0; i < pairs->n; i++)
		check_pair(&pairs->pairs[i], work_bound);
}
