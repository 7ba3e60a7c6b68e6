/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of B against A, and of the run against an earlier one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "record/gate.h"
#include "report/outcome.h"

/* Both sides are the same: no difference is what was asked for. */
static bool is_noise(const struct record *rec)
{
	return rec->n_argv > 1 && rec->argv[1] && !strcmp(rec->argv[1], "noise");
}

/* By its interval, or by p after the correction for all gates. */
static bool is_inconclusive(const struct record_comparison *c)
{
	return !strcmp(c->verdict, "inconclusive") ||
	       (strcmp(c->verdict, "equivalent") != 0 && c->p_adjusted >= COMPARE_SIGNIFICANT);
}

static bool is_worse(const struct record_comparison *c)
{
	return !strcmp(c->verdict, c->lower_is_better ? "B_higher" : "B_lower");
}

static const char *words_of(const struct record_comparison *c)
{
	if (is_inconclusive(c))
		return "inconclusive";
	if (is_worse(c))
		return "B is worse";
	return strcmp(c->verdict, "equivalent") != 0 ? "B is better" : "equivalent";
}

/* --- gates that were asked for -------------------------------------------------------- */

static enum outcome_state state_of_gate(const struct record *rec, enum gate_result result)
{
	if (!rec->verdict.valid)
		return OUTCOME_OPEN; /* which is what the run fails with */
	if (gate_fails(result) || (result == GATE_INCONCLUSIVE && rec->statistics.strict))
		return OUTCOME_FAILS;
	return result == GATE_INCONCLUSIVE ? OUTCOME_OPEN : OUTCOME_HOLDS;
}

static int add_gate(struct outcomes *outcomes, const struct record *rec, const char *metric)
{
	enum outcome_state state = state_of_gate(rec, gate_judge(rec, metric));
	struct outcome *outcome =
		outcome_add(outcomes, "comparison", state, "B against A: %s", metric);
	char *text = gate_text(rec, metric);
	int rc = text ? outcome_say(outcome, "%s", text) : -1;

	free(text);
	return rc;
}

/* --- what is gated by default, and fails nothing -------------------------------------- */

static enum outcome_state state_of(const struct record *rec, const struct record_comparison *c)
{
	const char *primary = rec->statistics.primary;

	if (is_inconclusive(c))
		return rec->statistics.strict && !is_noise(rec) && primary &&
				       !strcmp(primary, c->metric)
			       ? OUTCOME_FAILS
			       : OUTCOME_OPEN;
	if (is_noise(rec) && strcmp(c->verdict, "equivalent") != 0)
		return rec->statistics.strict ? OUTCOME_FAILS : OUTCOME_WARNS;
	return is_worse(c) ? OUTCOME_WARNS : OUTCOME_HOLDS;
}

/* Of the ratio, or of the difference where there is none: "1.66x (95 % interval 1.6x to 1.7x". */
static void name_size(const struct record *rec, const struct record_comparison *c,
		      enum metric_kind kind, char *buf, size_t size)
{
	char number[32], low[32], high[32];
	double confidence = rec->statistics.confidence;

	if (isnan(c->ratio)) {
		summary_value(number, sizeof(number), kind, c->difference);
		summary_value(low, sizeof(low), kind, c->difference_low);
		summary_value(high, sizeof(high), kind, c->difference_high);
	} else {
		summary_ratio(number, sizeof(number), c->ratio);
		summary_ratio(low, sizeof(low), c->ci_low);
		summary_ratio(high, sizeof(high), c->ci_high);
	}
	snprintf(buf, size, "%s %s (%.3g %% interval %s to %s",
		 isnan(c->ratio) ? "B - A is" : "B/A is", number,
		 isfinite(confidence) && confidence > 0 ? confidence * 100 : 95, low, high);
}

static int add_row_of_comparison(struct outcomes *outcomes, const struct record *rec,
				 const struct record_comparison *c)
{
	struct outcome *outcome =
		outcome_add(outcomes, "comparison", state_of(rec, c), "B against A: %s", c->metric);
	struct summary_row row = summary_row(rec, c, true);
	char size[160], needed[GATE_OUTLOOK_MAX];

	name_size(rec, c, row.kind, size, sizeof(size));
	gate_outlook(needed, rec, c);
	return outcome_say(outcome, "%s: %s, %lld pairs%s)", words_of(c), size,
			   c->n == RECORD_NONE ? 0LL : (long long)c->n, needed);
}

int outcomes_add_comparison(struct outcomes *outcomes, const struct record *rec,
			    const struct summary *summary)
{
	for (size_t i = 0; i < rec->statistics.n_gates; i++)
		if (rec->statistics.gates[i] && add_gate(outcomes, rec, rec->statistics.gates[i]))
			return -1;
	if (rec->statistics.n_gates)
		return 0;
	for (size_t i = 0; summary->two_sided && i < rec->n_comparison; i++) {
		const struct record_comparison *c = &rec->comparison[i];

		if (c->metric && c->verdict && !c->exploratory &&
		    add_row_of_comparison(outcomes, rec, c))
			return -1;
	}
	return 0;
}

/* --- against an earlier run ---------------------------------------------------------- */

static enum outcome_state state_of_row(const struct record *rec,
				       const struct record_regression *row, bool strict)
{
	if (!strcmp(row->verdict, "regressed"))
		return rec->baseline.comparable ? OUTCOME_FAILS : OUTCOME_WARNS;
	if (strcmp(row->verdict, "unchanged") != 0 && strcmp(row->verdict, "improved") != 0)
		return strict ? OUTCOME_FAILS : OUTCOME_OPEN;
	return OUTCOME_HOLDS;
}

static int add_row(struct outcomes *outcomes, const struct record *rec,
		   const struct record_regression *row, bool strict)
{
	struct outcome *outcome =
		outcome_add(outcomes, "baseline", state_of_row(rec, row, strict), "%s: %s",
			    row->side == SIDE_A ? "A" : "B", row->metric ? row->metric : "?");
	char ratio[32];

	summary_ratio(ratio, sizeof(ratio), row->ratio);
	if (row->text) /* which has the severity */
		return outcome_say(outcome, "%s", row->text);
	return outcome_say(outcome, "%s%s%s: new/base is %s", row->severity ? row->severity : "",
			   row->severity ? ", " : "", row->verdict, ratio);
}

static bool has_gate(const struct record_baseline *baseline)
{
	for (size_t i = 0; i < baseline->n_rows; i++)
		if (baseline->rows[i].gate)
			return true;
	return false;
}

/* What differs between the runs, since it takes the weight from all else. */
static int add_differences(struct outcomes *outcomes, const struct record *rec, bool strict)
{
	const struct record_baseline *baseline = &rec->baseline;
	bool holds = baseline->comparable && has_gate(baseline);
	struct outcome *outcome = outcome_add(outcomes, "baseline",
					      holds    ? OUTCOME_HOLDS
					      : strict ? OUTCOME_FAILS
						       : OUTCOME_WARNS,
					      "the same host and scenario as the baseline");
	int rc = outcome_say(
		outcome, "%s %s", baseline->path ? baseline->path : "the baseline",
		holds ? "can be compared with this run"
		: baseline->comparable
			? "has nothing that a gate is on"
			: "differs in host, scenario or the way of measuring: no gate is on "
			  "the comparison");

	for (size_t i = 0; !rc && i < baseline->n_differences; i++)
		rc = outcome_detail(outcome, "%s",
				    baseline->differences[i] ? baseline->differences[i] : "?");
	return rc;
}

int outcomes_add_baseline(struct outcomes *outcomes, const struct record *rec, bool strict)
{
	if (!rec->has_baseline)
		return 0;
	if (add_differences(outcomes, rec, strict))
		return -1;
	for (size_t i = 0; i < rec->baseline.n_rows; i++) {
		const struct record_regression *row = &rec->baseline.rows[i];

		if (row->verdict && row->gate && add_row(outcomes, rec, row, strict))
			return -1;
	}
	return 0;
}
