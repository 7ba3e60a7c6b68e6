/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bencher Metric Format (bencher.dev/docs/reference/bencher-metric-format): a benchmark for each
 * side, its measures by slug. Value, lower and upper value are the median, the smallest and the
 * largest of the valid rounds.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/json_put.h"
#include "report/export.h"
#include "stats/stats.h"

/* Bencher's bound for names is 1,024 characters. */
#define NAME_MAX_BYTES 1000

/* Bencher's own two measures, and what they are of; the first that is known counts. */
static const struct {
	const char *slug, *metric;
	double factor;
	bool of_commands; /* false: of scenarios */
} built_in[] = {
	{"latency", "window_seconds", 1e9, true}, /* in ns */
	{"throughput", "work.operations_per_second", 1, false},
	{"throughput", "work.lines_per_second", 1, false},
};

static void put_slug(FILE *out, const char *name)
{
	for (; *name; name++)
		putc(*name == '.' || *name == '_' ? '-' : *name, out);
}

/* false: it is not known in any round; -1 in @failed without memory. */
static bool put_measure(FILE *out, const struct record *rec, enum side side, const char *slug,
			const struct metric *metric, double factor, const char *before, int *failed)
{
	size_t n;
	double *values = export_values(rec, side, metric, &n);

	if (!values)
		*failed = -1;
	if (!values || !n) {
		free(values);
		return false;
	}
	fprintf(out, "%s    \"", before);
	put_slug(out, slug);
	fputs("\": {\"value\": ", out);
	json_put_real(out, stats_median(values, n) * factor);
	fputs(", \"lower_value\": ", out);
	json_put_real(out, stats_min(values, n) * factor);
	fputs(", \"upper_value\": ", out);
	json_put_real(out, stats_max(values, n) * factor);
	putc('}', out);
	free(values);
	return true;
}

static int put_measures(FILE *out, const struct record *rec, const struct report_options *options,
			enum side side)
{
	size_t n;
	const struct metric *metrics = metric_table(&n);
	const char *before = "\n", *last = "";
	int failed = 0;

	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		if (built_in[i].of_commands != !rec->scenario.driver ||
		    !strcmp(last, built_in[i].slug) ||
		    !put_measure(out, rec, side, built_in[i].slug, metric_find(built_in[i].metric),
				 built_in[i].factor, before, &failed))
			continue;
		before = ",\n";
		last = built_in[i].slug;
	}
	for (size_t i = 0; i < n; i++)
		if ((metrics[i].headline || options->all_metrics) &&
		    put_measure(out, rec, side, metrics[i].name, &metrics[i], 1, before, &failed))
			before = ",\n";
	return failed;
}

/* "basic: kubectl"; what is too long is cut, and told apart by the side at its end. */
static void benchmark_name(char *buf, size_t size, const struct record *rec, const char *target,
			   enum side side)
{
	int length = snprintf(buf, size, "%s: %s", rec->scenario.name ? rec->scenario.name : "run",
			      target);

	if (length >= (int)size)
		snprintf(buf + size - 5, 5, " (%c)", side == SIDE_A ? 'A' : 'B');
}

static bool has_side(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (export_has(&rec->rounds[i], side))
			return true;
	return false;
}

static int put_side(FILE *out, const struct record *rec, const struct report_options *options,
		    enum side side, const char *before)
{
	char *target = export_target(rec, side), name[NAME_MAX_BYTES];
	int failed;

	if (!target)
		return -1;
	benchmark_name(name, sizeof(name), rec, target, side);
	free(target);
	fprintf(out, "%s  ", before);
	json_put_string(out, name);
	fputs(": {", out);
	failed = put_measures(out, rec, options, side);
	fputs("\n  }", out);
	return failed;
}

static int write_bencher(const struct record *rec, const struct report_options *options, FILE *out,
			 struct error *err)
{
	const char *before = "\n";
	int failed = 0;

	if (export_check(rec, options, "bencher", err))
		return -1;
	putc('{', out);
	for (int side = 0; !failed && side < SIDES; side++)
		if (export_wants(options, (enum side)side) && has_side(rec, (enum side)side)) {
			failed = put_side(out, rec, options, (enum side)side, before);
			before = ",\n";
		}
	fputs("\n}\n", out);
	return failed ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_bencher = {
	.name = "bencher",
	.own_name = "bencher.json",
	.description =
		"Bencher Metric Format: a benchmark for each side, a measure for each metric",
	.alone = true,
	.takes_side = true,
	.write = write_bencher,
};
