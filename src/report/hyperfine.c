/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What hyperfine's --export-json writes, with the same keys and types: times are wall times of
 * commands in seconds, user and system are means.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "record/json_put.h"
#include "report/escape.h"
#include "report/export.h"
#include "stats/stats.h"

static double mean(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

/* Of a sample; null of one value, as hyperfine has it. */
static double deviation(const double *x, size_t n)
{
	double centre = mean(x, n), sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (x[i] - centre) * (x[i] - centre);
	return n > 1 ? sqrt(sum / (double)(n - 1)) : NAN;
}

static void put_number(FILE *out, const char *key, double value)
{
	fprintf(out, "      \"%s\": ", key);
	json_put_real(out, value);
	fputs(",\n", out);
}

static int put_mean(FILE *out, const struct record *rec, enum side side, const char *key,
		    const char *metric)
{
	size_t n;
	double *values = export_values(rec, side, metric_find(metric), &n);

	if (!values)
		return -1;
	put_number(out, key, n ? mean(values, n) : NAN);
	free(values);
	return 0;
}

static int put_command(FILE *out, const struct record *rec, enum side side)
{
	const struct record_target *target = NULL;
	char *text;

	for (size_t i = 0; !target && i < rec->n_targets; i++)
		if (rec->targets[i].side == side)
			target = &rec->targets[i];
	text = target && target->n_argv ? escape_argv(target->argv, target->n_argv)
					: export_target(rec, side);
	if (!text)
		return -1;
	fputs("      \"command\": ", out);
	json_put_string(out, text);
	fputs(",\n", out);
	free(text);
	return 0;
}

/* The rounds that have a time: all lists below are of the same. */
static bool is_timed(const struct record_round *round, enum side side)
{
	return export_has(round, side) && isfinite(round->window_seconds);
}

static void put_exit_codes(FILE *out, const struct record *rec, enum side side)
{
	const char *before = "";

	fputs("      \"exit_codes\": [", out);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		if (!is_timed(round, side))
			continue;
		if (round->exit_code == RECORD_NONE) /* as of one that a signal ended */
			fprintf(out, "%snull", before);
		else
			fprintf(out, "%s%" PRId64, before, round->exit_code);
		before = ", ";
	}
	fputs("]", out);
}

/* Of newer hyperfines only; left out where it is not known of each round. */
static void put_memory(FILE *out, const struct record *rec, enum side side)
{
	const char *before = ",\n      \"memory_usage_byte\": [";

	for (size_t i = 0; i < rec->n_rounds; i++)
		if (is_timed(&rec->rounds[i], side) && rec->rounds[i].memory.rss_peak_bytes < 0)
			return;
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (is_timed(&rec->rounds[i], side)) {
			fprintf(out, "%s%" PRId64, before, rec->rounds[i].memory.rss_peak_bytes);
			before = ", ";
		}
	putc(']', out);
}

static int put_result(FILE *out, const struct record *rec, enum side side, const double *times,
		      size_t n)
{
	fputs("    {\n", out);
	if (put_command(out, rec, side))
		return -1;
	put_number(out, "mean", mean(times, n));
	put_number(out, "stddev", deviation(times, n));
	put_number(out, "median", stats_median(times, n));
	if (put_mean(out, rec, side, "user", "cpu.user_seconds") ||
	    put_mean(out, rec, side, "system", "cpu.system_seconds"))
		return -1;
	put_number(out, "min", stats_min(times, n));
	put_number(out, "max", stats_max(times, n));
	fputs("      \"times\": [", out);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		json_put_real(out, times[i]);
	}
	fputs("],\n", out);
	put_exit_codes(out, rec, side);
	put_memory(out, rec, side);
	fputs("\n    }", out);
	return 0;
}

static int put_results(FILE *out, const struct record *rec, const struct report_options *options)
{
	const char *before = "\n";
	int failed = 0;

	for (int side = 0; !failed && side < SIDES; side++) {
		size_t n;
		double *times;

		if (!export_wants(options, (enum side)side))
			continue;
		times = export_values(rec, (enum side)side, metric_find("window_seconds"), &n);
		if (!times)
			return -1;
		if (n) {
			fputs(before, out);
			before = ",\n";
			failed = put_result(out, rec, (enum side)side, times, n);
		}
		free(times);
	}
	return failed;
}

static int write_hyperfine(const struct record *rec, const struct report_options *options,
			   FILE *out, struct error *err)
{
	/* Its times would be how long the scenario's window was told to be. */
	if (rec->scenario.driver)
		return error_set(err, EXIT_CODE_USAGE,
				 "hyperfine's JSON holds the times of commands that run to "
				 "completion, and this run is one of a scenario: benchfmt and "
				 "bencher hold all metrics");
	if (export_check(rec, options, "hyperfine", err))
		return -1;
	fputs("{\n  \"results\": [", out);
	if (put_results(out, rec, options))
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	fputs("\n  ]\n}\n", out);
	return 0;
}

const struct report_format report_hyperfine = {
	.name = "hyperfine",
	.own_name = "hyperfine.json",
	.description = "times of commands as hyperfine's --export-json has them",
	.alone = true,
	.takes_side = true,
	.write = write_hyperfine,
};
