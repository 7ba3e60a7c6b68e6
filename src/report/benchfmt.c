/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Go's benchmark format (golang.org/design/14313-benchmark-format), one line for each round:
 * benchstat makes its own statistics of them. `benchstat -col target` compares the sides in one
 * file; with --side there is no key of the target, so that `benchstat a.txt b.txt` compares files.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/export.h"

/* A scenario's window is as long as it was told to be: only of commands is it a result. */
static bool is_wanted(const struct record *rec, const struct report_options *options,
		      const struct metric *metric)
{
	if (!strcmp(metric->name, "window_seconds"))
		return !rec->scenario.driver;
	if (!metric->headline && !options->all_metrics)
		return false;
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (export_wants(options, rec->rounds[i].side) && rec->rounds[i].validity.valid &&
		    isfinite(metric->get(&rec->rounds[i])))
			return true;
	return false;
}

/* @name without @end, where it ends so: its length. */
static int stem(const char *name, const char *end)
{
	size_t length = strlen(name), n = strlen(end);

	return (int)(length > n && !strcmp(name + length - n, end) ? length - n : length);
}

/*
 * "cpu.total_seconds" is "cpu.total-sec": the last word tells benchstat how to scale. It knows
 * sec and bytes.
 */
static void put_unit(FILE *out, const struct metric *metric)
{
	const char *name = metric->name;

	if (!strcmp(name, "window_seconds"))
		fputs("sec/op", out);
	else if (metric->kind == METRIC_SECONDS)
		fprintf(out, "%.*s-sec", stem(name, "_seconds"), name);
	else if (metric->kind == METRIC_BYTES)
		fprintf(out, "%.*s-bytes", stem(name, "_bytes"), name);
	else
		fputs(name, out);
}

static void put_units(FILE *out, const struct record *rec, const struct report_options *options)
{
	size_t n;
	const struct metric *metrics = metric_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(rec, options, &metrics[i]))
			continue;
		fputs("Unit ", out);
		put_unit(out, &metrics[i]);
		fprintf(out, " better=%s\n", metrics[i].lower_is_better ? "lower" : "higher");
	}
}

/* A value ends with its line; what is empty takes the key away, so that none is left from before.
 */
static void put_key(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s: ", key);
	escape_text(out, value);
	putc('\n', out);
}

/* One word that begins like a benchmark's name. A '/' or '-' would be read as parts of it. */
static void put_name(FILE *out, const char *name)
{
	name = name && *name ? name : "run";
	fputs("Benchmark", out);
	putc(isalpha((unsigned char)*name) ? toupper((unsigned char)*name) : '_', out);
	for (const char *c = isalpha((unsigned char)*name) ? name + 1 : name; *c; c++)
		putc(isalnum((unsigned char)*c) || *c == '.' ? *c : '_', out);
}

static void put_round(FILE *out, const struct record *rec, const struct report_options *options,
		      const struct record_round *round)
{
	size_t n;
	const struct metric *metrics = metric_table(&n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		double value = metrics[i].get(round);

		if (!isfinite(value) || !is_wanted(rec, options, &metrics[i]))
			continue;
		if (!any) {
			put_name(out, rec->scenario.name);
			fputs("\t1", out); /* of this: one round */
		}
		any = true;
		fprintf(out, "\t%.15g ", value);
		put_unit(out, &metrics[i]);
	}
	if (any)
		putc('\n', out);
}

static int put_side(FILE *out, const struct record *rec, const struct report_options *options,
		    enum side side)
{
	char *target = export_target(rec, side);
	size_t invalid = 0;

	if (!target)
		return -1;
	if (options->side == REPORT_SIDE_ANY)
		put_key(out, "target", target);
	free(target);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		if (export_has(&rec->rounds[i], side))
			put_round(out, rec, options, &rec->rounds[i]);
		else if (rec->rounds[i].side == side)
			invalid++;
	}
	/* Which readers pass over. */
	if (invalid)
		fprintf(out, "# invalid rounds of %c, left out: %zu\n", side == SIDE_A ? 'A' : 'B',
			invalid);
	return 0;
}

static int write_benchfmt(const struct record *rec, const struct report_options *options, FILE *out,
			  struct error *err)
{
	if (export_check(rec, options, "benchfmt", err))
		return -1;
	put_units(out, rec, options);
	put_key(out, "scenario", rec->scenario.name);
	put_key(out, "cpu", rec->host.cpu_model);
	for (int side = 0; side < SIDES; side++)
		if (export_wants(options, (enum side)side) &&
		    put_side(out, rec, options, (enum side)side))
			return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	return 0;
}

const struct report_format report_benchfmt = {
	.name = "benchfmt",
	.own_name = "benchfmt.txt",
	.description = "Go's benchmark format, a line for each valid round: for benchstat",
	.takes_side = true,
	.write = write_benchfmt,
};
