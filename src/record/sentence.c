/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verdict as one sentence: what B is of A, in the order in which the tables have them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/load.h"
#include "record/metric.h"
#include "record/stopping.h"
#include "record/verdict.h"
#include "stats/stats.h"
#include "util/grouped.h"
#include "util/units.h"

#define NUMBER_MAX 64
#define PART_MAX   256
#define DASH       "\xe2\x80\x93"
#define PRICES_MAX 3

static const char *target_name(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name)
			return rec->targets[i].name;
	return side == SIDE_A ? "A" : "B";
}

/* "kubectl", or "kubectl (A)" where both sides have one name. To be freed. */
static char *side_label(const struct record *rec, enum side side)
{
	const char *name = target_name(rec, side);
	bool same = !strcmp(name, target_name(rec, side == SIDE_A ? SIDE_B : SIDE_A));
	char *label;

	if (asprintf(&label, "%s%s", name, !same ? "" : side == SIDE_A ? " (A)" : " (B)") < 0)
		return NULL;
	return label;
}

/* How a ratio of the primary metric is told: "B VERB 0.41x THING of A". */
struct wording {
	const char *metric;
	const char *verb, *thing;
};

static const struct wording wordings[] = {
	{"window_seconds", "took", "time"},
	{"cpu.total_seconds", "used", "CPU time"},
	{"cpu.seconds_per_thousand_operations", "used", "CPU time per operation"},
	{"memory.rss_peak_bytes", "had", "peak resident set"},
	{"work.operations_per_second", "did", "operations per second"},
	{"latency.delivery.p99_seconds", "had", "delivery p99"},
	{"latency.response.p99_seconds", "had", "response p99"},
	{"latency.round_trip.p99_seconds", "had", "round-trip p99"},
	{"network.tx_bytes", "sent", "bytes"},
	{"network.rx_bytes", "received", "bytes"},
	{"io.read_bytes", "read", "bytes"},
	{"io.write_bytes", "wrote", "bytes"},
};

/* Of others there is only the label: @verb is "had". */
static bool has_wording(const char *name)
{
	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++)
		if (!strcmp(wordings[i].metric, name))
			return true;
	return false;
}

static struct wording wording_of(const char *name)
{
	const struct metric *metric = metric_find(name);

	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++)
		if (!strcmp(wordings[i].metric, name))
			return wordings[i];
	return (struct wording){name, "had", metric ? metric->label : name};
}

/* 0.42x, 24.1x, 135x; close to 1 it is the third place that tells. */
static int places(double ratio)
{
	if (fabs(ratio - 1) < 0.02)
		return 3;
	return ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0;
}

/* As many as the interval needs to be more than one number. */
static int places_of_interval(const struct record_comparison *row)
{
	bool is_narrow = row->ci_high - row->ci_low < 0.05 && row->ratio < 9.995;

	return is_narrow ? 3 : places(row->ratio);
}

static void put_ratio(char *buf, double ratio, int places)
{
	if (ratio < 0.0995 || ratio >= 1e6)
		snprintf(buf, NUMBER_MAX, "%.3g", ratio);
	else
		snprintf(buf, NUMBER_MAX, "%.*f", places, ratio);
}

static void put_value(char *buf, const char *unit, double value)
{
	if (!strcmp(unit, "s"))
		format_seconds(buf, NUMBER_MAX, value);
	else if (!strcmp(unit, "bytes"))
		format_bytes(buf, NUMBER_MAX, value);
	else
		snprintf(buf, NUMBER_MAX, "%.3g", value);
}

/* "95 % interval 2.3–2.5, 10 pairs", or the pairs alone where there is no interval. */
static void put_basis(char *buf, const struct record *rec, const struct record_comparison *row)
{
	char low[NUMBER_MAX], high[NUMBER_MAX], pairs[NUMBER_MAX];
	bool is_ratio = !isnan(row->ratio);
	const char *to = is_ratio ? DASH : " to ";

	snprintf(pairs, sizeof(pairs), "%lld pair%s", (long long)row->n, row->n == 1 ? "" : "s");
	if (isnan(row->difference_low)) {
		snprintf(buf, PART_MAX, "%s", pairs);
		return;
	}
	if (is_ratio) {
		put_ratio(low, row->ci_low, places_of_interval(row));
		put_ratio(high, row->ci_high, places_of_interval(row));
	} else {
		put_value(low, row->unit, row->difference_low);
		put_value(high, row->unit, row->difference_high);
	}
	snprintf(buf, PART_MAX, "%.3g %% interval %s%s%s, %s", rec->statistics.confidence * 100,
		 low, to, high, pairs);
}

static double median_of(const struct record *rec, int64_t (*get)(const struct record_round *round))
{
	double *values = calloc(rec->n_rounds + 1, sizeof(*values)), median = NAN;
	size_t n = 0;

	for (size_t i = 0; values && i < rec->n_rounds; i++) {
		int64_t value = rec->rounds[i].has_work ? get(&rec->rounds[i]) : RECORD_NONE;

		if (value != RECORD_NONE)
			values[n++] = (double)value;
	}
	if (values)
		median = stats_median(values, n);
	free(values);
	return median;
}

static int64_t lines_of(const struct record_round *round)
{
	const struct record_work *work = &round->work;

	return work->expected_lines != RECORD_NONE ? work->expected_lines : work->lines;
}

/* What was asked for, answered well or not. */
static int64_t requests_of(const struct record_round *round)
{
	int64_t sum = round->work.operations;

	if (sum != RECORD_NONE) {
		record_add_count(&sum, round->work.errors);
		record_add_count(&sum, round->work.dropped);
	}
	return sum;
}

/* " for the same 420,000 lines", of a round; empty where each side does what it can. */
static void put_work(char *buf, const struct record *rec)
{
	double lines = median_of(rec, lines_of), requests = median_of(rec, requests_of);
	double most = requests > 0 ? requests : lines;
	char number[GROUPED_MAX];

	*buf = '\0';
	if (!rec->scenario.driver || verdict_is_closed_loop(rec))
		return;
	if (!(most > 0 && most < 1e18)) {
		snprintf(buf, PART_MAX, " for the same work");
		return;
	}
	snprintf(buf, PART_MAX, " for the same %s %s",
		 format_grouped(number, sizeof(number), llround(most)),
		 requests > 0 ? "requests" : "lines");
}

static bool has_verdict(const struct record_comparison *row, const char *word)
{
	return row->verdict && !strcmp(row->verdict, word);
}

/* What is missing for a conclusion, or what it is worth. */
static void put_outlook(char *buf, const struct record *rec, const struct record_comparison *row)
{
	size_t gates = verdict_n_gated(rec);
	long long more = row->pairs_needed == RECORD_NONE ? 0 : row->pairs_needed - row->n;
	char number[GROUPED_MAX];

	*buf = '\0';
	if (has_verdict(row, "inconclusive") && isnan(row->difference_low)) {
		snprintf(buf, PART_MAX, "; %lld pair%s too few for an interval, which takes %d",
			 (long long)row->n, row->n == 1 ? " is" : "s are", STOPPING_MIN_PAIRS);
	} else if (has_verdict(row, "inconclusive") && row->pairs_needed == RECORD_NONE) {
		snprintf(buf, PART_MAX, "; how many more pairs would settle it is not known");
	} else if (has_verdict(row, "inconclusive") && more > VERDICT_MANY_PAIRS) {
		snprintf(buf, PART_MAX, "; not even %s more pairs would settle it",
			 format_grouped(number, sizeof(number), VERDICT_MANY_PAIRS));
	} else if (has_verdict(row, "inconclusive")) {
		snprintf(buf, PART_MAX, "; about %lld more pair%s would settle it", more,
			 more == 1 ? "" : "s");
	} else if (!has_verdict(row, "equivalent") && !(row->p_adjusted < COMPARE_SIGNIFICANT)) {
		int used = snprintf(buf, PART_MAX,
				    "; corrected for %zu metrics p is %.2g, so no winner is named",
				    gates, row->p_adjusted);

		if (row->n < stopping_fewest(gates))
			snprintf(buf + used, PART_MAX - (size_t)used,
				 ": that takes %d pairs or more", stopping_fewest(gates));
	}
}

/* Does the row, with a gate, say what the sentence does not: the opposite of the winner's, or a
 * difference where none is the winner? */
static bool is_against(const struct record *rec, const struct record_comparison *row)
{
	bool lower = has_verdict(row, "B_lower"), higher = has_verdict(row, "B_higher");
	enum side better = lower == row->lower_is_better ? SIDE_B : SIDE_A;

	if (!(lower || higher) || !(row->p_adjusted < COMPARE_SIGNIFICANT) ||
	    !metric_find(row->metric) || row == verdict_row(rec, rec->statistics.primary))
		return false;
	return rec->verdict.winner < 0 || (int)better != rec->verdict.winner;
}

/* How many times more, either way; from nothing to something is more than all else. */
static double size_of(const struct record_comparison *row)
{
	return isnan(row->ratio) ? INFINITY : fabs(log(row->ratio));
}

/* The largest first; what does not fit is left out. Returns how many there are. */
static size_t find_prices(const struct record *rec, const struct record_comparison *out[PRICES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *row = &rec->comparison[i];
		size_t at = n < PRICES_MAX ? n : PRICES_MAX;

		if (!is_against(rec, row))
			continue;
		for (; at > 0 && size_of(row) > size_of(out[at - 1]); at--)
			if (at < PRICES_MAX)
				out[at] = out[at - 1];
		if (at < PRICES_MAX)
			out[at] = row;
		n++;
	}
	return n < PRICES_MAX ? n : PRICES_MAX;
}

/* "used 9.97x the CPU time", or "had 12 more errors" where there is no ratio. */
static void put_claim(char *buf, size_t size, const struct record_comparison *row)
{
	struct wording wording = wording_of(row->metric);
	char number[NUMBER_MAX];

	if (isnan(row->ratio)) {
		put_value(number, row->unit, fabs(row->difference));
		snprintf(buf, size, "%s %s %s %s", wording.verb, number,
			 row->difference < 0 ? "less" : "more", wording.thing);
		return;
	}
	put_ratio(number, row->ratio, places(row->ratio));
	snprintf(buf, size, "%s %sx the %s", wording.verb, number, wording.thing);
}

/* What the better side has to pay for it; where none is better, in what else they differ. */
static void put_price(char *buf, const struct record *rec)
{
	const struct record_comparison *rows[PRICES_MAX];
	size_t n = find_prices(rec, rows), used = 0;

	*buf = '\0';
	for (size_t i = 0; i < n && used < PART_MAX; i++) {
		char claim[PART_MAX];

		put_claim(claim, sizeof(claim), rows[i]);
		used += (size_t)snprintf(buf + used, PART_MAX - used, "%s%s",
					 !i          ? "; but it "
					 : i < n - 1 ? ", "
						     : " and ",
					 claim);
	}
}

/* In a closed loop what it cost is half of the story. */
static void put_pace(char *buf, const struct record *rec, const struct record_comparison *primary)
{
	const struct record_comparison *pace = verdict_row(rec, "work.operations_per_second");
	char ratio[NUMBER_MAX];

	*buf = '\0';
	if (!verdict_is_closed_loop(rec))
		return;
	if (!pace || pace == primary || isnan(pace->ratio)) {
		snprintf(buf, PART_MAX, "; closed loop");
		return;
	}
	put_ratio(ratio, pace->ratio, places(pace->ratio));
	snprintf(buf, PART_MAX, "; closed loop, at %sx the operations per second", ratio);
}

/* "curl used 0.41x the CPU time of kubectl", to be freed. */
static char *claim_of(const struct record *rec, const struct record_comparison *row, const char *a,
		      const char *b)
{
	struct wording wording = wording_of(row->metric);
	char part[PART_MAX], *claim;
	int n;

	put_claim(part, sizeof(part), row);
	if (has_verdict(row, "equivalent") && !has_wording(row->metric))
		n = asprintf(&claim, "%s of %s and of %s: the same within %.3g %%", wording.thing,
			     b, a, rec->statistics.margin * 100);
	else if (has_verdict(row, "equivalent"))
		n = asprintf(&claim, "%s %s the same %s as %s within %.3g %%", b, wording.verb,
			     wording.thing, a, rec->statistics.margin * 100);
	else
		n = asprintf(&claim, "%s %s %s %s", b, part, isnan(row->ratio) ? "than" : "of", a);
	return n < 0 ? NULL : claim;
}

static char *sentence_of_row(const struct record *rec, const struct record_comparison *row)
{
	char *a = side_label(rec, SIDE_A), *b = side_label(rec, SIDE_B), *text = NULL;
	char *claim = a && b ? claim_of(rec, row, a, b) : NULL;
	char basis[PART_MAX], work[PART_MAX], outlook[PART_MAX], pace[PART_MAX], price[PART_MAX];
	char ratio[NUMBER_MAX] = "";

	put_basis(basis, rec, row);
	put_work(work, rec);
	put_outlook(outlook, rec, row);
	put_pace(pace, rec, row);
	put_price(price, rec);
	/* Of what is called the same it still says how much the same. */
	if (has_verdict(row, "equivalent") && !isnan(row->ratio)) {
		put_ratio(ratio, row->ratio, places(row->ratio));
		strcat(ratio, "x, ");
	}
	if (claim && asprintf(&text, "%s%s%s (%s%s%s)%s%s",
			      has_verdict(row, "inconclusive") ? "no conclusion: " : "", claim,
			      work, ratio, basis, pace, outlook, price) < 0)
		text = NULL;
	free(a);
	free(b);
	free(claim);
	return text;
}

char *sentence_of_two(const struct record *rec)
{
	const struct record_comparison *row = verdict_row(rec, rec->statistics.primary);
	const char *name = row ? row->metric : NULL;
	const struct metric *metric = metric_find(name);
	char *text;

	if (row && row->verdict)
		return sentence_of_row(rec, row);
	if (asprintf(&text, "no conclusion: in no pair was the %s of both sides measured",
		     metric ? metric->label
		     : name ? name
			    : "metrics") < 0)
		return NULL;
	return text;
}

char *sentence_of_one(const struct record *rec, const struct pairs *pairs)
{
	const struct record_comparison *cpu = verdict_row(rec, "cpu.total_seconds");
	const struct record_comparison *wall = verdict_row(rec, "window_seconds");
	const struct record_comparison *rss = verdict_row(rec, "memory.rss_peak_bytes");
	size_t n = pairs->n_rounds[SIDE_A];
	char a[32], b[32], c[32], *text;

	if (asprintf(&text,
		     "%s used %s of CPU time in %s, resident set up to %s (median of %zu round%s)",
		     target_name(rec, SIDE_A),
		     format_seconds(a, sizeof(a), cpu ? cpu->a_median : NAN),
		     format_seconds(b, sizeof(b), wall ? wall->a_median : NAN),
		     format_bytes(c, sizeof(c), rss ? rss->a_median : NAN), n,
		     n == 1 ? "" : "s") < 0)
		return NULL;
	return text;
}
