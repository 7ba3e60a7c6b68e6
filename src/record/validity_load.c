/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Equal work in the terms of drivers that ask: operations, errors, rows, messages. See compare.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/load.h"
#include "record/pairs.h"
#include "record/threshold.h"
#include "util/grouped.h"

/* What of a fault reaches so little into a phase is the end of one before. */
#define FAULT_EDGE_SECONDS 1.0

static double count(int64_t value)
{
	return value > 0 ? (double)value : 0; /* RECORD_NONE too */
}

static double tried(const struct record_work *work)
{
	return count(work->operations) + count(work->errors);
}

/* All that the plan had due. */
static double offered(const struct record_work *work)
{
	return tried(work) + count(work->dropped);
}

/* "A, pair 1: 12 of 1,000 operations failed (1.2 %), bound 0.1 %", of one phase where it has a
 * name. */
static void invalid_share_in(struct record_round *round, const char *phase, double part, double of,
			     double bound, const char *things, const char *what, const char *remedy)
{
	char a[GROUPED_MAX], b[GROUPED_MAX], where[120] = "";

	if (phase)
		snprintf(where, sizeof(where), ", phase '%.100s'", phase);
	record_invalid(round, "%s, pair %" PRId64 "%s: %s of %s %s %s (%.3g %%), bound %.3g %%%s",
		       validity_side(round->side), validity_pair(round), where,
		       format_grouped(a, sizeof(a), (int64_t)part),
		       format_grouped(b, sizeof(b), (int64_t)of), things, what, 100 * part / of,
		       100 * bound, remedy);
}

static void invalid_share(struct record_round *round, double part, double of, double bound,
			  const char *things, const char *what, const char *remedy)
{
	invalid_share_in(round, NULL, part, of, bound, things, what, remedy);
}

static const char *commonest_error(const struct record_round *round, char *buf, size_t size)
{
	buf[0] = '\0';
	if (round->n_errors && round->errors[0].kind)
		snprintf(buf, size, "; most often: %.80s", round->errors[0].kind);
	return buf;
}

/* --- what a fault may cost ---------------------------------------------------------- */

/* Until when it could be felt, in seconds from the opening of the window: for ever where nothing
 * undoes it, and until all was as before where that is known to have taken longer. */
static double felt_until(const struct record_round *round, const struct record_fault *fault)
{
	double until = isnan(fault->ended_at) ? INFINITY : fault->ended_at;

	for (size_t i = 0; i < round->n_recovery && fault->name; i++) {
		const struct record_recovery *recovery = &round->recovery[i];

		if (recovery->fault && !strcmp(recovery->fault, fault->name))
			until = fmax(until,
				     recovery->at_seconds + recovery->p95_normal_after_seconds);
	}
	return until;
}

/* Was a fault begun in the phase, or felt in more than its first moments? */
static bool has_fault(const struct record_round *round, const struct record_round_phase *phase)
{
	double from = phase->started_at, to = from + phase->duration_seconds;

	for (size_t i = 0; i < round->n_faults; i++) {
		const struct record_fault *fault = &round->faults[i];

		/* Where the phase's time is not known it may be the fault's. */
		if (isnan(fault->applied_at) || fault->applied_at >= to)
			continue;
		if (!(fault->applied_at < from) ||
		    !(felt_until(round, fault) < from + FAULT_EDGE_SECONDS))
			return true;
	}
	return false;
}

static bool is_felt(const struct record_round *round, double from, double to)
{
	for (size_t i = 0; i < round->n_faults; i++)
		if (round->faults[i].applied_at < to &&
		    felt_until(round, &round->faults[i]) + FAULT_EDGE_SECONDS > from)
			return true;
	return false;
}

/*
 * Errors of a phase without a fault. What was under way when a fault began, or still was when it
 * ended, is the fault's: so no more of them than came in the phase's time while none was felt.
 */
static double own_errors(const struct record_round *round, const struct record_round_phase *phase)
{
	const struct record_series *series = &round->series;
	double tick = series->interval_seconds, sum = 0;

	if (!series->errors_per_second || !(tick > 0) || isnan(phase->started_at))
		return count(phase->load.errors);
	for (size_t i = 0; i < series->n; i++) {
		double from = (double)i * tick, value = series->errors_per_second[i];

		if (value > 0 && from + tick > phase->started_at &&
		    from < phase->started_at + phase->duration_seconds &&
		    !is_felt(round, from, from + tick))
			sum += value * tick;
	}
	/* Ticks are rates: the sum is a whole number but for the division. */
	return fmin(count(phase->load.errors), rint(sum));
}

/* --- errors and what was never sent ------------------------------------------------- */

static void check_errors_of_phase(const struct record *rec, struct record_round *round,
				  const struct record_round_phase *phase, double bound)
{
	double of = count(phase->load.operations) + count(phase->load.errors);
	double errors = count(phase->load.errors);
	char most[100];

	if (errors <= bound * of || record_bounds_errors(rec, phase->name) ||
	    has_fault(round, phase))
		return;
	if (round->n_faults)
		errors = own_errors(round, phase);
	if (errors > bound * of)
		invalid_share_in(round, phase->name, errors, of, bound, "operations", "failed",
				 commonest_error(round, most, sizeof(most)));
}

/* Errors are what a fault is for, and a threshold that fails the run says how many there may be:
 * with either, each phase is looked at by itself. */
static void check_errors(const struct record *rec, struct record_round *round, double bound)
{
	const struct record_work *work = &round->work;
	double errors = count(work->errors), of = tried(work);
	bool is_by_phase = round->n_faults > 0;
	char most[100];

	if (errors <= bound * of || record_bounds_errors(rec, NULL))
		return;
	for (size_t i = 0; i < round->n_phases; i++)
		is_by_phase |= round->phases[i].has_load &&
			       record_bounds_errors(rec, round->phases[i].name);
	if (!is_by_phase)
		invalid_share(round, errors, of, bound, "operations", "failed",
			      commonest_error(round, most, sizeof(most)));
	for (size_t i = 0; is_by_phase && i < round->n_phases; i++)
		if (round->phases[i].has_load)
			check_errors_of_phase(rec, round, &round->phases[i], bound);
}

#define DROPPED_REMEDY ": every user was waiting for the target; lower the rate or raise maxVUs"

/* With a fault every user may have had to wait for the target's end. */
static void check_dropped(struct record_round *round, double bound)
{
	double dropped = count(round->work.dropped), of = offered(&round->work);

	if (dropped <= bound * of)
		return;
	if (!round->n_faults)
		invalid_share(round, dropped, of, bound, "operations", "were never sent",
			      DROPPED_REMEDY);
	for (size_t i = 0; round->n_faults && i < round->n_phases; i++) {
		const struct record_round_phase *phase = &round->phases[i];

		dropped = count(phase->load.dropped);
		of = count(phase->load.operations) + count(phase->load.errors) + dropped;
		if (phase->has_load && dropped > bound * of && !has_fault(round, phase))
			invalid_share_in(round, phase->name, dropped, of, bound, "operations",
					 "were never sent", DROPPED_REMEDY);
	}
}

static void check_rows(struct record_round *round, double bound)
{
	double expected = count(round->work.rows_expected), rows = count(round->work.rows);

	if (round->work.rows_expected == RECORD_NONE || expected - rows <= bound * expected)
		return;
	invalid_share(round, expected - rows, expected, bound, "rows", "did not come", "");
}

/* Where lines are expected, they have been looked at already. */
static void check_messages(struct record_round *round, double bound)
{
	const struct record_work *work = &round->work;
	double of = fmax(tried(work), count(work->rows_expected));

	if (work->expected_lines != RECORD_NONE)
		return;
	if (count(work->lost) > bound * of)
		invalid_share(round, count(work->lost), of, bound, "messages", "were lost", "");
	if (count(work->duplicated) > bound * of)
		invalid_share(round, count(work->duplicated), of, bound, "messages", "came twice",
			      "");
}

void validity_check_operations(const struct record *rec, struct record_round *round, double bound)
{
	char number[GROUPED_MAX], most[100];

	/* It failed, and is compared with none. */
	if (round->aborted_by)
		return;
	if (count(round->work.operations) <= 0) {
		record_invalid(
			round,
			"%s, pair %" PRId64 ": not one good answer (%s errors%s), so there "
			"is no work to compare",
			validity_side(round->side), validity_pair(round),
			format_grouped(number, sizeof(number), (int64_t)count(round->work.errors)),
			commonest_error(round, most, sizeof(most)));
		return;
	}
	check_errors(rec, round, bound);
	check_dropped(round, bound);
	check_rows(round, bound);
	check_messages(round, bound);
}

static void check_apart(const struct pair *pair, double a, double b, double bound, const char *what)
{
	double apart = fabs(a - b), larger = fmax(a, b);
	char x[GROUPED_MAX], y[GROUPED_MAX], reason[200];

	if (apart <= bound * larger)
		return;
	snprintf(reason, sizeof(reason),
		 "A %s %s, B %s (%.3g %% apart), bound %.3g %%: unequal work", what,
		 format_grouped(x, sizeof(x), (int64_t)a), format_grouped(y, sizeof(y), (int64_t)b),
		 100 * apart / larger, 100 * bound);
	validity_invalidate_pair(pair, reason);
}

void validity_check_operations_of_pair(const struct pair *pair, double bound)
{
	const struct record_work *a = &pair->a->work, *b = &pair->b->work;

	if (!record_has_operations(pair->a) || !record_has_operations(pair->b)) {
		validity_invalidate_pair(pair, "the operations of one side only were counted");
		return;
	}
	if (a->is_fixed != b->is_fixed)
		validity_invalidate_pair(pair, "the plan fixes the work of one side only");
	if (!a->is_fixed || !b->is_fixed)
		return;
	check_apart(pair, offered(a), offered(b), bound, "was asked for");
	/* Errors have no rows, and may be allowed; what is short of expected is known already. */
	if (a->rows_expected == RECORD_NONE && b->rows_expected == RECORD_NONE && a->errors <= 0 &&
	    b->errors <= 0)
		check_apart(pair, count(a->rows), count(b->rows), bound, "gave rows:");
}
