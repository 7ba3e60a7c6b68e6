/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Equal work in the terms of drivers that ask: operations, errors, rows, messages. See compare.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "record/load.h"
#include "record/pairs.h"
#include "util/grouped.h"

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

/* "A, pair 1: 12 of 1,000 operations failed (1.2 %), bound 0.1 %" */
static void invalid_share(struct record_round *round, double part, double of, double bound,
			  const char *things, const char *what, const char *remedy)
{
	char a[GROUPED_MAX], b[GROUPED_MAX];

	record_invalid(round, "%s, pair %" PRId64 ": %s of %s %s %s (%.3g %%), bound %.3g %%%s",
		       validity_side(round->side), validity_pair(round),
		       format_grouped(a, sizeof(a), (int64_t)part),
		       format_grouped(b, sizeof(b), (int64_t)of), things, what, 100 * part / of,
		       100 * bound, remedy);
}

static const char *commonest_error(const struct record_round *round, char *buf, size_t size)
{
	buf[0] = '\0';
	if (round->n_errors && round->errors[0].kind)
		snprintf(buf, size, "; most often: %.80s", round->errors[0].kind);
	return buf;
}

/* Errors are what a fault is for, and a threshold says how many there may be. */
static void check_errors(struct record_round *round, double bound, bool bounds_errors)
{
	const struct record_work *work = &round->work;
	double errors = count(work->errors), of = tried(work);
	char most[100];

	if (round->n_faults || bounds_errors || errors <= bound * of)
		return;
	invalid_share(round, errors, of, bound, "operations", "failed",
		      commonest_error(round, most, sizeof(most)));
}

/* In a round with a fault every user may have had to wait for the target's end. */
static void check_dropped(struct record_round *round, double bound)
{
	double dropped = count(round->work.dropped), of = offered(&round->work);

	if (round->n_faults || dropped <= bound * of)
		return;
	invalid_share(round, dropped, of, bound, "operations", "were never sent",
		      ": every user was waiting for the target; lower the rate or raise maxVUs");
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

void validity_check_operations(struct record_round *round, double bound, bool bounds_errors)
{
	char number[GROUPED_MAX], most[100];

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
	check_errors(round, bound, bounds_errors);
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
