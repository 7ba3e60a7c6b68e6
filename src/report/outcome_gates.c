/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of B against A, and of the run against an earlier one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/baseline.h"
#include "report/outcome.h"

/* Was the option on the command line of the run? */
static bool was_asked(const struct record *rec, const char *option)
{
	size_t n = strlen(option);

	for (size_t i = 0; i < rec->n_argv; i++)
		if (rec->argv[i] && !strncmp(rec->argv[i], option, n) &&
		    (!rec->argv[i][n] || rec->argv[i][n] == '='))
			return true;
	return false;
}

static bool is_worse(const struct record_comparison *c)
{
	return !strcmp(c->verdict, c->lower_is_better ? "B_higher" : "B_lower");
}

/*
 * Without a gate that was asked for, nothing of it fails the run: it is told all the same.
 * --strict makes what cannot be told a failure.
 */
static enum outcome_state state_of(const struct record *rec, const struct record_comparison *c)
{
	bool is_gate = was_asked(rec, "--gate");

	if (is_worse(c))
		return is_gate ? OUTCOME_FAILS : OUTCOME_WARNS;
	if (!strcmp(c->verdict, "inconclusive"))
		return was_asked(rec, "--strict") ? OUTCOME_FAILS : OUTCOME_OPEN;
	return OUTCOME_HOLDS;
}

static const char *words_of(const struct record_comparison *c)
{
	if (is_worse(c))
		return "B is worse";
	if (!strcmp(c->verdict, "inconclusive"))
		return "inconclusive";
	return strcmp(c->verdict, "equivalent") != 0 ? "B is better" : "equivalent";
}

static int add_comparison(struct outcomes *outcomes, const struct record *rec,
			  const struct record_comparison *c)
{
	struct summary_row row = summary_row(rec, c, true);
	struct outcome *outcome = outcome_add(outcomes, "comparison", state_of(rec, c),
					      "B against A: %s (%s)", row.label, c->metric);
	char number[32], low[32], high[32], needed[64] = "";

	if (isnan(c->ratio)) {
		summary_value(number, sizeof(number), row.kind, c->difference);
		summary_value(low, sizeof(low), row.kind, c->difference_low);
		summary_value(high, sizeof(high), row.kind, c->difference_high);
	} else {
		summary_ratio(number, sizeof(number), c->ratio);
		summary_ratio(low, sizeof(low), c->ci_low);
		summary_ratio(high, sizeof(high), c->ci_high);
	}
	if (c->pairs_needed != RECORD_NONE)
		snprintf(needed, sizeof(needed), "; about %lld would settle it",
			 (long long)c->pairs_needed);
	return outcome_say(outcome, "%s: %s %s (%g %% interval %s to %s, %lld pairs%s)",
			   words_of(c), isnan(c->ratio) ? "B - A is" : "B/A is", number,
			   isnan(rec->statistics.confidence) ? 95
							     : rec->statistics.confidence * 100,
			   low, high, c->n == RECORD_NONE ? 0LL : (long long)c->n, needed);
}

int outcomes_add_comparison(struct outcomes *outcomes, const struct record *rec,
			    const struct summary *summary)
{
	for (size_t i = 0; summary->two_sided && i < rec->n_comparison; i++) {
		const struct record_comparison *c = &rec->comparison[i];

		if (c->metric && c->verdict && !c->exploratory && add_comparison(outcomes, rec, c))
			return -1;
	}
	return 0;
}

/* --- against an earlier run ---------------------------------------------------------- */

static enum outcome_state state_of_row(const struct record *rec,
				       const struct record_regression *row)
{
	if (!strcmp(row->verdict, "regressed"))
		return rec->baseline.comparable ? OUTCOME_FAILS : OUTCOME_WARNS;
	if (strcmp(row->verdict, "unchanged") != 0 && strcmp(row->verdict, "improved") != 0)
		return OUTCOME_OPEN;
	return OUTCOME_HOLDS;
}

static int add_row(struct outcomes *outcomes, const struct record *rec,
		   const struct record_regression *row)
{
	struct outcome *outcome =
		outcome_add(outcomes, "baseline", state_of_row(rec, row), "%s: %s",
			    row->side == SIDE_A ? "A" : "B", row->metric ? row->metric : "?");
	char ratio[32];

	summary_ratio(ratio, sizeof(ratio), row->ratio);
	if (row->text)
		return outcome_say(outcome, "%s%s%s", row->severity ? row->severity : "",
				   row->severity ? ": " : "", row->text);
	return outcome_say(outcome, "%s%s%s: new/base is %s", row->severity ? row->severity : "",
			   row->severity ? ", " : "", row->verdict, ratio);
}

/* What differs between the runs, since it takes the weight from all else. */
static int add_differences(struct outcomes *outcomes, const struct record_baseline *baseline)
{
	struct outcome *outcome = outcome_add(outcomes, "baseline",
					      baseline->comparable ? OUTCOME_HOLDS : OUTCOME_WARNS,
					      "the same host and scenario as the baseline");
	int rc = outcome_say(outcome, "%s %s", baseline->path ? baseline->path : "the baseline",
			     baseline->comparable
				     ? "can be compared with"
				     : "differs in host or scenario: no gate is on the comparison");

	for (size_t i = 0; !rc && i < baseline->n_differences; i++)
		rc = outcome_detail(outcome, "%s",
				    baseline->differences[i] ? baseline->differences[i] : "?");
	return rc;
}

int outcomes_add_baseline(struct outcomes *outcomes, const struct record *rec)
{
	if (!rec->has_baseline)
		return 0;
	if (add_differences(outcomes, &rec->baseline))
		return -1;
	for (size_t i = 0; i < rec->baseline.n_rows; i++) {
		const struct record_regression *row = &rec->baseline.rows[i];

		/* By Holm over what the gate is on: of nothing else. */
		if (row->verdict && !isnan(row->p_adjusted) && add_row(outcomes, rec, row))
			return -1;
	}
	return 0;
}
