/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The percentiles of each latency as HdrHistogram prints them, for what plots those. One
 * section for each side and latency, over the side's valid rounds.
 */
#include <inttypes.h>
#include <math.h>

#include "record/distribution.h"
#include "report/escape.h"
#include "report/merged.h"
#include "report/report.h"

/* As HdrHistogram's own default: steps in each half of what is left to 100 %. */
#define TICKS_PER_HALF 5
/* HdrHistogram's plotter takes milliseconds. */
#define MS_PER_SECOND 1e3

/* The middle, as percentiles are told everywhere: the ends are twice as far from what is in it. */
static double value_of(const struct record_latency *latency, size_t i)
{
	double middle = (latency_bucket_lower(latency, i) + latency->bucket_upper_seconds[i]) / 2;

	return fmax(fmin(middle, latency->max_seconds), latency->min_seconds);
}

static void put_row(FILE *out, double seconds, double percentile, double total)
{
	fprintf(out, "%12.6f %2.12f %10.0f", seconds * MS_PER_SECOND, percentile, total);
	if (percentile < 1)
		fprintf(out, " %14.2f", 1 / (1 - percentile));
	putc('\n', out);
}

/* The next level after @percentile: the steps are halved as what is left to 1 is halved. */
static double next_level(double percentile)
{
	double halves = floor(log2(1 / (1 - percentile))) + 1;

	return percentile + 1 / (TICKS_PER_HALF * exp2(halves));
}

static void put_rows(FILE *out, const struct record_latency *latency)
{
	double count = (double)latency->count, level = 0, total = 0;
	size_t last = latency->n_buckets - 1;

	for (size_t i = 0; i <= last; i++) {
		total += latency->bucket_counts[i];
		while (total > 0 && level <= total / count + 1e-9 &&
		       latency_carries(count, level)) {
			put_row(out, value_of(latency, i), level, total);
			level = next_level(level);
		}
	}
	put_row(out, isnan(latency->max_seconds) ? value_of(latency, last) : latency->max_seconds,
		1, count);
}

static double deviation(const struct record_latency *latency)
{
	double sum = 0, count = 0;

	for (size_t i = 0; i < latency->n_buckets; i++) {
		double middle =
			(latency_bucket_lower(latency, i) + latency->bucket_upper_seconds[i]) / 2;

		sum += latency->bucket_counts[i] * pow(middle - latency->mean_seconds, 2);
		count += latency->bucket_counts[i];
	}
	return count > 0 ? sqrt(sum / count) : NAN;
}

static void put_footer(FILE *out, const struct record_latency *latency)
{
	size_t last = latency->n_buckets - 1;

	fprintf(out, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n",
		latency->mean_seconds * MS_PER_SECOND, deviation(latency) * MS_PER_SECOND);
	fprintf(out, "#[Max     = %12.6f, Total count    = %12" PRId64 "]\n",
		(isnan(latency->max_seconds) ? value_of(latency, last) : latency->max_seconds) *
			MS_PER_SECOND,
		latency->count);
	fprintf(out, "#[Buckets = %12zu, SubBuckets     = %12d]\n\n", latency->n_buckets,
		latency_is_fine(latency) ? LATENCY_SUB_BUCKETS : 1);
}

static const char *target_name(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name)
			return rec->targets[i].name;
	return "";
}

static void put_latency(FILE *out, const struct record *rec, const struct merged *merged,
			const struct record_latency *latency)
{
	if (latency->count <= 0 || !latency->n_buckets)
		return;
	fprintf(out, "#[Latency %c ", merged->sum.side == SIDE_A ? 'A' : 'B');
	escape_text(out, latency->name);
	fputs(", target ", out);
	escape_text(out, target_name(rec, merged->sum.side));
	fprintf(out, ", %zu valid round%s, %" PRId64 " values]\n", merged->rounds,
		merged->rounds == 1 ? "" : "s", latency->count);
	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	put_rows(out, latency);
	put_footer(out, latency);
}

static int write_hdr(const struct record *rec, const struct report_options *options, FILE *out,
		     struct error *err)
{
	if (!options->continued)
		fputs("#[perfbpf: milliseconds; all valid rounds of a side together; a percentile "
		      "needs 10 values beyond it, but for the longest]\n\n",
		      out);
	for (int side = 0; side < SIDES; side++) {
		struct merged *merged = merged_new(rec, (enum side)side, true);

		if (!merged)
			return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
		for (size_t i = 0; i < merged->sum.n_latency; i++)
			put_latency(out, rec, merged, &merged->sum.latency[i]);
		merged_free(merged);
	}
	return 0;
}

const struct report_format report_hdr = {
	.name = "hdr",
	.file_name = "latency.hdr.txt",
	.description = "percentiles of all latencies, as HdrHistogram prints them",
	.write = write_hdr,
};
