/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/costs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "record/stopping.h"
#include "report/summary.h"
#include "stats/stats.h"

/* perfbpf's own part of a side's CPU time is told beside the table from here on, where the sides
 * differ in it by so much. */
#define OWN_SHARE      0.05
#define OWN_DIFFERENCE 0.02

#define DASH "\xe2\x80\x93"

bool costs_have_intervals(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (isfinite(rec->comparison[i].ci_low) ||
		    isfinite(rec->comparison[i].difference_low))
			return true;
	return false;
}

/* Places that keep both ends apart. */
static void put_ends(char *buf, double low, double high)
{
	int places = high - low < 0.05 && high < 9.995 ? 3
		     : high < 9.995                    ? 2
		     : high < 99.95                    ? 1
						       : 0;

	if (high >= 1e6 || low < 0.001)
		snprintf(buf, COSTS_CELL_MAX, "%.2g" DASH "%.2g", low, high);
	else
		snprintf(buf, COSTS_CELL_MAX, "%.*f" DASH "%.*f", places, low, places, high);
}

static int64_t most_pairs(const struct record *rec)
{
	int64_t most = 0;

	for (size_t i = 0; i < rec->n_comparison; i++)
		most = rec->comparison[i].n > most ? rec->comparison[i].n : most;
	return most;
}

char *costs_interval(char buf[COSTS_CELL_MAX], const struct record *rec,
		     const struct record_comparison *row)
{
	size_t used;

	enum metric_kind kind = summary_row(NULL, row, true).kind;
	char low[32], high[32];

	snprintf(buf, COSTS_CELL_MAX, "-");
	if (isfinite(row->ci_low) && isfinite(row->ci_high)) {
		put_ends(buf, row->ci_low, row->ci_high);
	} else if (isfinite(row->difference_low) && isfinite(row->difference_high)) {
		summary_value(low, sizeof(low), kind, row->difference_low);
		summary_value(high, sizeof(high), kind, row->difference_high);
		snprintf(buf, COSTS_CELL_MAX, "%s%s to %s%s", row->difference_low > 0 ? "+" : "",
			 low, row->difference_high > 0 ? "+" : "", high);
	}
	/* In the place of the dash, or after the interval. */
	used = strcmp(buf, "-") != 0 ? strlen(buf) : 0;
	if (row->n > 0 && row->n < most_pairs(rec))
		snprintf(buf + used, COSTS_CELL_MAX - used, "%s%lld pair%s", used ? ", " : "",
			 (long long)row->n, row->n == 1 ? "" : "s");
	return buf;
}

const char *costs_verdict(const struct record_comparison *row)
{
	static const char *const words[][2] = {
		{"B_lower", "B lower"},
		{"B_higher", "B higher"},
		{"equivalent", "equivalent"},
		{"inconclusive", "?"},
	};

	for (size_t i = 0; row->verdict && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(row->verdict, words[i][0]))
			return words[i][1];
	return "-";
}

char *costs_detectable(char buf[COSTS_CELL_MAX], const struct record_comparison *row)
{
	/* Of fewer there is no verdict, and hardly a spread. */
	return summary_value(buf, COSTS_CELL_MAX, METRIC_RATIO,
			     row->n >= STOPPING_MIN_PAIRS ? row->mde : NAN);
}

/* "LABEL WHAT; LABEL WHAT" of the rows that a gate is on; what() may leave a row out. NULL without
 * memory. */
static char *list_gated(const struct record *rec,
			bool (*what)(char buf[COSTS_CELL_MAX], const struct record_comparison *row))
{
	char *list = NULL, cell[COSTS_CELL_MAX];
	const char *separator = "";
	size_t size;
	FILE *out = open_memstream(&list, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *row = &rec->comparison[i];

		if (row->exploratory || !row->n || !what(cell, row))
			continue;
		fprintf(out, "%s%s%s", separator, summary_row(rec, row, true).label, cell);
		separator = "; ";
	}
	if (fclose(out)) {
		free(list);
		return NULL;
	}
	return list;
}

static bool nothing_more(char buf[COSTS_CELL_MAX], const struct record_comparison *row)
{
	(void)row;
	*buf = '\0';
	return true;
}

static bool what_it_shows(char buf[COSTS_CELL_MAX], const struct record_comparison *row)
{
	char share[COSTS_CELL_MAX];

	snprintf(buf, COSTS_CELL_MAX, " %.90s", costs_detectable(share, row));
	return isfinite(row->mde) && row->n >= STOPPING_MIN_PAIRS;
}

/* Its interval has a direction, and the gate has none all the same. */
static bool what_is_open(char buf[COSTS_CELL_MAX], const struct record_comparison *row)
{
	snprintf(buf, COSTS_CELL_MAX, " (p %.2g)", row->p_adjusted);
	return row->verdict &&
	       (!strcmp(row->verdict, "B_lower") || !strcmp(row->verdict, "B_higher")) &&
	       row->p_adjusted >= COMPARE_SIGNIFICANT;
}

static bool outliers_of(char buf[COSTS_CELL_MAX], const struct record_comparison *row)
{
	snprintf(buf, COSTS_CELL_MAX, " (%lld round%s)", (long long)row->outliers,
		 row->outliers == 1 ? "" : "s");
	return row->outliers > 0;
}

/* Adds "BEFORE list AFTER", where the list is not empty. Takes @list. */
static int add_note(char **notes, int *n, const char *before, char *list, const char *after)
{
	int rc = list ? 0 : -1;

	if (list && *list) {
		rc = asprintf(&notes[*n], "%s%s%s", before, list, after) < 0 ? -1 : 0;
		*n += !rc;
	}
	free(list);
	return rc;
}

/* Of a run that is valid, and came to its end. */
static int add_detectable(const struct record *rec, char **notes, int *n)
{
	if (!rec->verdict.valid || !rec->complete)
		return 0;
	return add_note(notes, n, "The smallest difference that these pairs could show: ",
			list_gated(rec, what_it_shows), ".");
}

static int explain(const struct record *rec, char **notes, int *n)
{
	const struct record_statistics *how = &rec->statistics;

	if (!costs_have_intervals(rec) || !isfinite(how->margin) || !isfinite(how->confidence))
		return 0;
	if (asprintf(&notes[*n],
		     "B/A over the pairs, with its %.3g %% interval (B - A where a value is zero): "
		     "all of it more than %.3g %% off is lower or higher, all of it within that "
		     "equivalent, all else ?.",
		     how->confidence * 100, how->margin * 100) < 0)
		return -1;
	++*n;
	return 0;
}

/* The median over the rounds; NAN: not known. */
static double own_share(const struct record *rec, enum side side, double *room)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];
		double share = round->observer.probe_seconds / round->cpu.total_seconds;

		if (round->side == side && isfinite(share))
			room[n++] = share;
	}
	return stats_median(room, n);
}

/* What is measured is CPU time with perfbpf's part in it, which may make up the difference. */
static int add_own_cost(const struct record *rec, char **notes, int *n)
{
	double *room = calloc(rec->n_rounds + 1, sizeof(*room)), a, b;

	if (!room)
		return -1;
	a = own_share(rec, SIDE_A, room);
	b = own_share(rec, SIDE_B, room);
	free(room);
	if (!(fmax(a, b) > OWN_SHARE) || !(fabs(a - b) > OWN_DIFFERENCE))
		return 0;
	if (asprintf(&notes[*n],
		     "Measuring is part of these CPU times, and not the same part: perfbpf's own "
		     "programs ran as long as %.3g %% of A's CPU time and %.3g %% of B's.",
		     100 * a, 100 * b) < 0)
		return -1;
	++*n;
	return 0;
}

/* "; that takes 7 pairs or more.", where these are fewer. */
static void put_fewest(char buf[COSTS_CELL_MAX], const struct record *rec)
{
	size_t gates = 0;
	int fewest;

	for (size_t i = 0; i < rec->n_comparison; i++)
		gates += !isnan(rec->comparison[i].p_adjusted);
	fewest = stopping_fewest(gates);
	snprintf(buf, COSTS_CELL_MAX, ", which is inconclusive.");
	if (most_pairs(rec) < fewest)
		snprintf(buf, COSTS_CELL_MAX,
			 ", which is inconclusive: with %zu gates a conclusion takes %d pairs or "
			 "more.",
			 gates, fewest);
}

int costs_notes(const struct record *rec, char *notes[COSTS_MAX_NOTES])
{
	char open[COSTS_CELL_MAX];
	int n = 0;

	if (!rec->statistics.primary)
		return 0;
	put_fewest(open, rec);
	if (!add_own_cost(rec, notes, &n) && !explain(rec, notes, &n) &&
	    !add_note(notes, &n,
		      "Gates, corrected for one another (Holm): ", list_gated(rec, nothing_more),
		      ". All other rows are exploratory: up to one in twenty may differ by "
		      "chance.") &&
	    !add_note(notes, &n, "Different by its interval, but not after that correction: ",
		      list_gated(rec, what_is_open), open) &&
	    !add_detectable(rec, notes, &n) &&
	    !add_note(notes, &n, "Far out, and kept: ", list_gated(rec, outliers_of), "."))
		return n;
	while (n > 0)
		free(notes[--n]);
	return -1;
}
