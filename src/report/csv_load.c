/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a load did, as Locust's --csv writes it: load_test_stats.csv with a row for each kind of
 * request and one of all, load_test_failures.csv with one for each kind of error. All rounds
 * of a side are together; two columns more, at the end, say whose they are. Times are
 * milliseconds; what is not known, or stands on too few values, is an empty cell.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/load.h"
#include "report/chart_data.h"
#include "report/escape.h"
#include "report/merged.h"
#include "report/report.h"

#define MS_PER_SECOND 1e3

static const char stats[] = "stats", failures[] = "failures";

static const double quantiles[] = {0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1};

/* One row: of a kind of request, or of all. */
struct load_row {
	const char *type, *name;
	int64_t operations, errors, bytes;
	const struct record_latency *latency; /* NULL: none */
};

static void put_text(FILE *out, const char *s)
{
	escape_csv(out, s);
	putc(',', out);
}

static void put_real(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.10g", value);
	putc(',', out);
}

static double known(int64_t value)
{
	return value == RECORD_NONE ? NAN : (double)value;
}

static double per(double value, double by)
{
	return by > 0 ? value / by : NAN;
}

static void put_side(FILE *out, const struct record *rec, enum side side)
{
	fprintf(out, "%s,", side == SIDE_A ? "A" : "B");
	escape_csv(out, chart_side_name(rec, side));
	fputs("\r\n", out);
}

static double quantile_of(const struct record_latency *latency, double q)
{
	return q < 1 ? latency_quantile(latency, q) : latency->max_seconds;
}

static void put_row(FILE *out, const struct load_row *row, double window_seconds)
{
	const struct record_latency *latency = row->latency;
	double tried = record_tried(row->operations, row->errors);

	put_text(out, row->type);
	put_text(out, row->name);
	put_real(out, tried);
	put_real(out, known(row->errors));
	put_real(out, latency ? latency_quantile(latency, 0.5) * MS_PER_SECOND : NAN);
	put_real(out, latency ? latency->mean_seconds * MS_PER_SECOND : NAN);
	put_real(out, latency ? latency->min_seconds * MS_PER_SECOND : NAN);
	put_real(out, latency ? latency->max_seconds * MS_PER_SECOND : NAN);
	put_real(out, per(known(row->bytes), known(row->operations)));
	put_real(out, per(tried, window_seconds));
	put_real(out, per(known(row->errors), window_seconds));
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		put_real(out, latency ? quantile_of(latency, quantiles[i]) * MS_PER_SECOND : NAN);
}

/* The sums of the rounds' work, which is not known where no round knows it. */
static struct load_row all_of(const struct record *rec, enum side side)
{
	struct load_row row = {.type = "",
			       .name = "Aggregated",
			       .operations = RECORD_NONE,
			       .errors = RECORD_NONE,
			       .bytes = RECORD_NONE};

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		if (round->side != side || !round->has_work)
			continue;
		record_add_count(&row.operations, round->work.operations);
		record_add_count(&row.errors, round->work.errors);
		record_add_count(&row.bytes, round->work.bytes);
	}
	return row;
}

static void put_stats(FILE *out, const struct record *rec, enum side side,
		      const struct record_round *sum)
{
	struct load_row all = all_of(rec, side);
	char *latency;

	for (size_t i = 0; i < sum->n_kinds; i++) {
		const struct record_kind *kind = &sum->kinds[i];
		struct load_row row = {rec->scenario.driver, kind->name,  kind->operations,
				       kind->errors,         kind->bytes, NULL};

		if (asprintf(&latency, "response %s", kind->name ? kind->name : "") >= 0) {
			row.latency = latency_find(sum, latency);
			free(latency);
		}
		put_row(out, &row, sum->window_seconds);
		put_side(out, rec, side);
	}
	all.latency = latency_find(sum, "response");
	put_row(out, &all, sum->window_seconds);
	put_side(out, rec, side);
}

static void put_failures(FILE *out, const struct record *rec, enum side side,
			 const struct record_round *sum)
{
	for (size_t i = 0; i < sum->n_errors; i++) {
		put_text(out, rec->scenario.driver);
		put_text(out, rec->scenario.name);
		put_text(out, sum->errors[i].kind);
		fprintf(out, "%" PRId64 ",", sum->errors[i].count);
		put_side(out, rec, side);
	}
}

static const char *load_part(const struct record *rec, size_t i)
{
	bool any = false;

	for (size_t j = 0; j < rec->n_rounds; j++)
		any |= record_has_operations(&rec->rounds[j]);
	return !any ? NULL : i == 0 ? stats : i == 1 ? failures : NULL;
}

static int write_csv_load(const struct record *rec, const struct report_options *options, FILE *out,
			  struct error *err)
{
	bool is_stats = !options->part || !strcmp(options->part, stats);

	if (!load_part(rec, 0))
		return error_set(err, EXIT_CODE_FAILED,
				 "no load was driven: only drivers that send requests count them");
	if (!options->continued)
		fputs(is_stats ? "Type,Name,Request Count,Failure Count,Median Response Time,"
				 "Average Response Time,Min Response Time,Max Response Time,"
				 "Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,"
				 "95%,98%,99%,99.9%,99.99%,100%,side,tool\r\n"
			       : "Method,Name,Error,Occurrences,side,tool\r\n",
		      out);
	for (int side = 0; side < SIDES; side++) {
		struct merged *merged;

		if (!chart_rounds(rec, (enum side)side))
			continue;
		merged = merged_new(rec, (enum side)side, false);
		if (!merged)
			return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
		if (is_stats)
			put_stats(out, rec, (enum side)side, &merged->sum);
		else
			put_failures(out, rec, (enum side)side, &merged->sum);
		merged_free(merged);
	}
	return 0;
}

const struct report_format report_csv_load = {
	.name = "csv-load",
	.file_name = "load_test_*.csv",
	.description = "what a load did by kind of request and of error, in Locust's columns",
	.part = load_part,
	.write = write_csv_load,
};
