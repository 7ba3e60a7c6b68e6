/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * OpenMetrics text: every metric as a gauge for each round, and the latencies of a side's
 * valid rounds as histograms.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "record/distribution.h"
#include "record/metric.h"
#include "report/escape.h"
#include "report/merged.h"
#include "report/report.h"

/*
 * Bounds that do not depend on what was measured, so that runs can be put side by side: powers
 * of two nanoseconds, 1.024 us to 68.7 s. They are edges of perfbpf's own buckets, so the
 * counts are exact: a time of n ns in a record lay between n and n + 1 ns.
 */
#define FIRST_BOUND_BITS 10
#define LAST_BOUND_BITS  36
/* Kinds of requests for each side, those with most requests first: each is some 30 lines. */
#define MANY_PROTOCOLS 50

static const char *side_name(enum side side)
{
	return side == SIDE_A ? "A" : "B";
}

static const char *target_name(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side)
			return rec->targets[i].name;
	return NULL;
}

static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	escape_openmetrics(out, value);
	putc('"', out);
}

/* {side="A",target="kubectl", which every sample begins with; the brace is not closed. */
static void put_side(FILE *out, const struct record *rec, enum side side)
{
	putc('{', out);
	put_label(out, "side", side_name(side));
	putc(',', out);
	put_label(out, "target", target_name(rec, side));
}

static void put_info(FILE *out, const struct record *rec)
{
	fputs("# HELP perfbpf_run_info What was run, and where.\n# TYPE perfbpf_run_info gauge\n"
	      "perfbpf_run_info{",
	      out);
	put_label(out, "version", rec->version);
	putc(',', out);
	put_label(out, "scenario", rec->scenario.name);
	putc(',', out);
	put_label(out, "host", rec->host.hostname);
	putc(',', out);
	put_label(out, "kernel", rec->host.kernel);
	fprintf(out, ",seed=\"%" PRIu64 "\",valid=\"%s\"} 1\n", rec->seed,
		rec->verdict.valid ? "true" : "false");
}

/* "cpu.total_seconds" is perfbpf_cpu_total_seconds. */
static void metric_name(char *buf, size_t size, const char *metric)
{
	snprintf(buf, size, "perfbpf_%s", metric);
	for (char *c = buf; *c; c++)
		if (*c == '.')
			*c = '_';
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);

	return length >= n && !strcmp(text + length - n, end);
}

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s ", name);
	escape_openmetrics(out, help);
	fprintf(out, "\n# TYPE %s %s\n", name, type);
	if (ends_in(name, "_seconds"))
		fprintf(out, "# UNIT %s seconds\n", name);
	else if (ends_in(name, "_bytes"))
		fprintf(out, "# UNIT %s bytes\n", name);
}

static bool is_known(const struct record *rec, const struct metric *metric)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (isfinite(metric->get(&rec->rounds[i])))
			return true;
	return false;
}

static void put_metric(FILE *out, const struct record *rec, const struct metric *metric)
{
	char name[96];

	metric_name(name, sizeof(name), metric->name);
	put_head(out, name, "gauge", metric->description);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];
		double value = metric->get(round);

		if (!isfinite(value))
			continue;
		fputs(name, out);
		put_side(out, rec, round->side);
		/* Rounds and pairs from 1, as in all texts; the round's number tells those apart
		 * that have no pair. */
		fprintf(out, ",round=\"%zu\",pair=\"", i + 1);
		if (round->pair >= 0 && round->pair < INT64_MAX)
			fprintf(out, "%" PRId64, round->pair + 1);
		fprintf(out, "\",valid=\"%s\"} %.15g\n", round->validity.valid ? "true" : "false",
			value);
	}
}

/* The latencies are histograms, below. */
static void put_metrics(FILE *out, const struct record *rec)
{
	size_t n;
	const struct metric *metrics = metric_table(&n);

	for (size_t i = 0; i < n; i++)
		if (strncmp(metrics[i].name, "latency.", 8) && is_known(rec, &metrics[i]))
			put_metric(out, rec, &metrics[i]);
}

/* What a sample of a histogram is labelled with: a latency's name, or a kind of request. */
struct labels {
	const struct record *rec;
	enum side side;
	const char *name;
	const struct record_protocol *protocol; /* NULL: a latency */
};

static void put_sample(FILE *out, const struct labels *labels, const char *suffix)
{
	fprintf(out, "%s%s",
		labels->protocol ? "perfbpf_request_seconds" : "perfbpf_latency_seconds", suffix);
	put_side(out, labels->rec, labels->side);
	putc(',', out);
	put_label(out, "name", labels->name);
	if (!labels->protocol)
		return;
	putc(',', out);
	put_label(out, "protocol", labels->protocol->protocol);
	putc(',', out);
	put_label(out, "role", labels->protocol->role);
	putc(',', out);
	put_label(out, "label", labels->protocol->label);
}

static void put_bucket(FILE *out, const struct labels *labels, double upper, double count)
{
	put_sample(out, labels, "_bucket");
	if (isinf(upper))
		fputs(",le=\"+Inf\"", out);
	else
		fprintf(out, ",le=\"%.15g\"", upper);
	fprintf(out, "} %.15g\n", count);
}

static void put_histogram(FILE *out, const struct labels *labels,
			  const struct record_latency *latency)
{
	double count = (double)latency->count, within = 0;

	if (latency->count <= 0 || !latency->n_buckets)
		return;
	if (latency_is_fine(latency)) {
		for (int bits = FIRST_BOUND_BITS; bits <= LAST_BOUND_BITS; bits++) {
			double bound = exp2(bits) / 1e9;

			put_bucket(out, labels, bound, latency_count_within(latency, bound));
		}
	} else {
		/* A scraped one: its own bounds, which are few. */
		for (size_t i = 0; i < latency->n_buckets; i++) {
			within += latency->bucket_counts[i];
			put_bucket(out, labels, latency->bucket_upper_seconds[i], within);
		}
	}
	put_bucket(out, labels, INFINITY, count);
	if (isnan(latency->mean_seconds))
		return;
	put_sample(out, labels, "_sum");
	/* The mean has 15 digits in run.json: of a product with it fewer are right. */
	fprintf(out, "} %.12g\n", latency->mean_seconds * count);
	put_sample(out, labels, "_count");
	fprintf(out, "} %" PRId64 "\n", latency->count);
}

static void put_latencies(FILE *out, const struct record *rec, struct merged *sides[SIDES])
{
	put_head(out, "perfbpf_latency_seconds", "histogram",
		 "Times of the side's valid rounds, by name; see rounds[].latency in run-json.md.");
	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < sides[side]->sum.n_latency; i++) {
			const struct record_latency *latency = &sides[side]->sum.latency[i];
			struct labels labels = {rec, (enum side)side, latency->name, NULL};

			put_histogram(out, &labels, latency);
		}
}

static void put_protocols(FILE *out, const struct record *rec, struct merged *sides[SIDES])
{
	if (!sides[SIDE_A]->sum.n_protocols && !sides[SIDE_B]->sum.n_protocols)
		return;
	put_head(out, "perfbpf_request_seconds", "histogram",
		 "Times of requests in the side's valid rounds, by protocol and label.");
	for (int side = 0; side < SIDES; side++) {
		const struct record_round *sum = &sides[side]->sum;

		for (size_t i = 0; i < sum->n_protocols && i < MANY_PROTOCOLS; i++) {
			struct labels labels = {rec, (enum side)side, "service",
						&sum->protocols[i]};

			put_histogram(out, &labels, &sum->protocols[i].service);
			labels.name = "response";
			put_histogram(out, &labels, &sum->protocols[i].response);
		}
	}
}

/* One gauge of a round, with a name of its own: {side=…,round="1",NAME="…"} */
static void put_named(FILE *out, const struct record *rec, size_t round, const char *metric,
		      const char *label, const char *name, double value)
{
	if (!isfinite(value))
		return;
	fputs(metric, out);
	put_side(out, rec, rec->rounds[round].side);
	fprintf(out, ",round=\"%zu\",", round + 1);
	put_label(out, label, name);
	fprintf(out, "} %.15g\n", value);
}

static void put_errors(FILE *out, const struct record *rec)
{
	bool any = false;

	for (size_t i = 0; i < rec->n_rounds; i++)
		any |= rec->rounds[i].n_errors > 0;
	if (!any)
		return;
	put_head(out, "perfbpf_errors", "gauge", "Operations that failed, by kind.");
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].n_errors; j++)
			if (rec->rounds[i].errors[j].count != RECORD_NONE)
				put_named(out, rec, i, "perfbpf_errors", "kind",
					  rec->rounds[i].errors[j].kind,
					  (double)rec->rounds[i].errors[j].count);
}

static void put_side_metrics(FILE *out, const struct record *rec)
{
	bool any = false;

	for (size_t i = 0; i < rec->n_rounds; i++)
		any |= rec->rounds[i].n_side_metrics > 0;
	if (!any)
		return;
	put_head(out, "perfbpf_side_metric", "gauge",
		 "Numbers read from elsewhere, in their own units.");
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].n_side_metrics; j++)
			put_named(out, rec, i, "perfbpf_side_metric", "name",
				  rec->rounds[i].side_metrics[j].name,
				  rec->rounds[i].side_metrics[j].value);
}

static void put_thresholds(FILE *out, const struct record *rec)
{
	if (!rec->n_thresholds)
		return;
	put_head(out, "perfbpf_threshold_passed", "gauge", "Whether a threshold holds: 1 or 0.");
	for (size_t i = 0; i < rec->n_thresholds; i++) {
		const struct record_threshold *threshold = &rec->thresholds[i];

		fputs("perfbpf_threshold_passed", out);
		put_side(out, rec, threshold->side);
		putc(',', out);
		put_label(out, "metric", threshold->metric);
		putc(',', out);
		put_label(out, "threshold", threshold->expression);
		putc(',', out);
		put_label(out, "level", threshold->level);
		fprintf(out, "} %d\n", threshold->passed);
	}
}

static int write_openmetrics(const struct record *rec, const struct report_options *options,
			     FILE *out, struct error *err)
{
	struct merged *sides[SIDES] = {merged_new(rec, SIDE_A, true),
				       merged_new(rec, SIDE_B, true)};
	int rc = sides[SIDE_A] && sides[SIDE_B] ? 0 : -1;

	(void)options;
	if (!rc) {
		put_info(out, rec);
		put_metrics(out, rec);
		put_latencies(out, rec, sides);
		put_protocols(out, rec, sides);
		put_errors(out, rec);
		put_side_metrics(out, rec);
		put_thresholds(out, rec);
		fputs("# EOF\n", out);
	}
	merged_free(sides[SIDE_A]);
	merged_free(sides[SIDE_B]);
	return rc ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_openmetrics = {
	.name = "openmetrics",
	.file_name = "metrics.openmetrics.txt",
	.description = "metrics and latency histograms for Prometheus and the like",
	.alone = true,
	.write = write_openmetrics,
};
