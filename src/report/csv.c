/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One row for each round, RFC 4180: what is not known is an empty cell. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "record/metric.h"
#include "report/escape.h"
#include "report/report.h"

static void put_text(FILE *out, const char *s)
{
	escape_csv(out, s);
	putc(',', out);
}

static void put_integer(FILE *out, int64_t value)
{
	if (value != RECORD_NONE)
		fprintf(out, "%" PRId64, value);
	putc(',', out);
}

/* 15 digits as in run.json, which hold every count below 10^15 exactly. */
static void put_real(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.15g", value);
	putc(',', out);
}

static const char *target_name(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side)
			return rec->targets[i].name;
	return NULL;
}

static void put_reasons(FILE *out, const struct record_validity *validity)
{
	char *text = NULL;
	size_t size = 0;
	FILE *joined = open_memstream(&text, &size);

	if (!joined)
		return;
	for (size_t i = 0; i < validity->n_reasons; i++)
		fprintf(joined, "%s%s", i ? "; " : "",
			validity->reasons[i] ? validity->reasons[i] : "");
	if (!fclose(joined))
		escape_csv(out, text);
	free(text);
}

/* "timeout=3; status 503=1"; such names are no columns, since no two runs have the same. */
static void put_errors(FILE *out, const struct record_round *round)
{
	char *text = NULL;
	size_t size = 0;
	FILE *joined = open_memstream(&text, &size);

	if (!joined)
		return;
	for (size_t i = 0; i < round->n_errors; i++)
		fprintf(joined, "%s%s=%" PRId64, i ? "; " : "",
			round->errors[i].kind ? round->errors[i].kind : "", round->errors[i].count);
	if (!fclose(joined))
		put_text(out, text);
	free(text);
}

static void put_side_metrics(FILE *out, const struct record_round *round)
{
	char *text = NULL;
	size_t size = 0;
	FILE *joined = open_memstream(&text, &size);

	if (!joined)
		return;
	for (size_t i = 0; i < round->n_side_metrics; i++)
		fprintf(joined, "%s%s=%.15g", i ? "; " : "",
			round->side_metrics[i].name ? round->side_metrics[i].name : "",
			round->side_metrics[i].value);
	if (!fclose(joined))
		put_text(out, text);
	free(text);
}

static void put_round(FILE *out, const struct record *rec, const struct record_round *round)
{
	size_t n;
	const struct metric *metrics = metric_table(&n);

	put_text(out, rec->scenario.name);
	put_text(out, round->side == SIDE_A ? "A" : "B");
	put_text(out, target_name(rec, round->side));
	put_integer(out, round->pair);
	put_integer(out, round->position);
	put_text(out, round->started_at);
	put_text(out, round->validity.valid ? "true" : "false");
	put_integer(out, round->exit_code);
	put_integer(out, round->signal);
	for (size_t i = 0; i < n; i++)
		put_real(out, metrics[i].get(round));
	put_errors(out, round);
	put_side_metrics(out, round);
	put_reasons(out, &round->validity);
	fputs("\r\n", out);
}

static void put_header(FILE *out)
{
	size_t n;
	const struct metric *metrics = metric_table(&n);

	fputs("scenario,side,target,pair,position,started_at,valid,exit_code,signal,", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s,", metrics[i].name);
	fputs("errors_by_kind,side_metrics,reasons\r\n", out);
}

static int write_csv(const struct record *rec, const struct report_options *options, FILE *out,
		     struct error *err)
{
	(void)err;
	if (!options->continued)
		put_header(out);
	for (size_t i = 0; i < rec->n_rounds; i++)
		put_round(out, rec, &rec->rounds[i]);
	return 0;
}

const struct report_format report_csv = {
	.name = "csv",
	.file_name = "rounds.csv",
	.description = "one row for each round, with all metrics",
	.write = write_csv,
};
