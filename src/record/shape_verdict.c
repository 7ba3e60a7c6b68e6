/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run.json: what the comparison and the gates say. */
#include <stddef.h>

#include "record/record.h"
#include "record/shape_table.h"

#define T struct record_comparison
static const struct field comparison_fields[] = {
	STRING(metric, "path of a number in a round, or a name of `perfbpf list metrics`"),
	STRING(unit, "\"s\", \"bytes\" or \"\""),
	FIELD(FIELD_BETTER, better, lower_is_better, "\"lower\" or \"higher\""),
	REAL(a_median, "over the rounds of A, valid or not"),
	REAL(a_min, "the smallest round"),
	REAL(a_max, "the largest round"),
	REAL(b_median, "over the rounds of B, valid or not; null with one side"),
	REAL(b_min, "the smallest round"),
	REAL(b_max, "the largest round"),
	REAL(ratio, "B/A: exp of the Hodges-Lehmann estimate over the pairs' ln(B/A); null where a "
		    "value is zero or not known"),
	REAL(ci_low, "lower end of the ratio's interval; null where there is no verdict"),
	REAL(ci_high, "upper end"),
	REAL(p, "of the exact signed-rank test, two-sided; null where there is no verdict"),
	REAL(p_adjusted, "the same by Holm, over the metrics that a gate is on; null of others"),
	REAL(difference, "B - A, the Hodges-Lehmann estimate over the pairs, in the unit"),
	REAL(difference_low, "lower end of its interval"),
	REAL(difference_high, "upper end"),
	INTEGER(n, "pairs with this metric; rounds, with one side"),
	REAL(mde, "smallest relative difference that these pairs could show"),
	INTEGER(pairs_needed,
		"how many would settle what is inconclusive; null where settled or not known"),
	INTEGER(outliers, "rounds of both sides that lie far out (kept all the same)"),
	STRING(verdict, "\"B_lower\", \"B_higher\", \"equivalent\" or \"inconclusive\""),
	FIELD(FIELD_BOOLEAN, exploratory, exploratory, "true: no gate is on it"),
};
SHARED_SHAPE(comparison_shape, comparison_fields, true);
#undef T

#define T struct record_statistics
static const struct field statistics_fields[] = {
	REAL(margin, "ratios within 1 +- this are called equivalent"),
	REAL(confidence, "of the intervals"),
	STRING(primary, "the metric by which a winner is named; null with one side"),
	STRING(stopping,
	       "\"rounds\": after a fixed number of pairs; \"width\": once until_width was "
	       "reached"),
	REAL(until_width, "half the width of primary's interval that was asked for, relative"),
	FIELD(FIELD_BOOLEAN, width_reached, width_reached,
	      "false: the largest number of pairs "
	      "came first"),
	STRINGS(gates, "metrics that a gate was asked for: the exit code is 98 where B is worse in "
		       "one; none: no gate was asked for"),
	FIELD(FIELD_BOOLEAN, strict, strict, "true: --strict, what is inconclusive fails the run"),
};
SHARED_SHAPE(statistics_shape, statistics_fields, true);
#undef T

#define T struct record_insight
static const struct field insight_fields[] = {
	STRING(kind, "\"cause\", \"quality\" or \"next\""),
	STRING(metric, "what value is of; null where it is no metric"),
	REAL(value, "its number; of a cause B - A, in the unit of metric; null where it has none"),
	STRING(text, "one sentence"),
};
SHARED_SHAPE(insight_shape, insight_fields, true);
#undef T

#define T struct record_regression
static const struct field regression_fields[] = {
	OF_SIDE,
	STRING(metric, "a name of `perfbpf list metrics`"),
	STRING(unit, "\"s\", \"bytes\" or \"\""),
	FIELD(FIELD_BETTER, better, lower_is_better, "\"lower\" or \"higher\""),
	FIELD(FIELD_BOOLEAN, gate, gate, "the gate is on it; what is not is exploratory"),
	REAL(base_median, "over the rounds of the earlier run"),
	REAL(new_median, "over the rounds of this one"),
	REAL(ratio, "new/base: exp of the median of all ln(new) - ln(base); null where a value is "
		    "zero or not known"),
	REAL(ci_low, "lower end of its interval"),
	REAL(ci_high, "upper end"),
	REAL(p, "of the exact Mann-Whitney test, two-sided"),
	REAL(p_adjusted, "the same by Holm, over the metrics that the gate is on"),
	REAL(effect, "U/(n m): the share of pairs of rounds in which the new one is larger"),
	INTEGER(n_base, "rounds of the earlier run"),
	INTEGER(n_new, "rounds of this one"),
	REAL(threshold, "the relative change for the worse that is a regression"),
	STRING(severity, "\"minor\", \"major\" or \"critical\"; null: no regression"),
	STRING(verdict, "\"regressed\", \"improved\", \"unchanged\", \"inconclusive\" or "
			"\"unknown\""),
	STRING(text, "one sentence"),
};
SHARED_SHAPE(regression_shape, regression_fields, true);
#undef T

#define T struct record_baseline
static const struct field baseline_fields[] = {
	STRING(path, "of the earlier run, as given"),
	STRING(started_at, "of its first round"),
	STRING(version, "of the perfbpf that measured it"),
	FIELD(FIELD_BOOLEAN, comparable, comparable,
	      "false: what differs makes all of it exploratory"),
	STRINGS(differences, "host, kernel or scenario, a sentence each"),
	LIST(rows, regression_shape, "one for each metric and side"),
};
SHARED_SHAPE(baseline_shape, baseline_fields, false);
#undef T
