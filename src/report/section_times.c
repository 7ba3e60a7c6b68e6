/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Latencies as percentiles, with how many values they stand on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/metric.h"
#include "report/builder.h"

static void percentile_columns(const struct builder *b, const char *first)
{
	section_column(b->out, first, false);
	if (b->summary->two_sided)
		section_column(b->out, "side", false);
	section_column(b->out, "count", true);
	section_column(b->out, "p50", true);
	section_column(b->out, "p95", true);
	section_column(b->out, "p99", true);
	section_column(b->out, "p99.9", true);
	section_column(b->out, "max", true);
}

/* True where a percentile is left out for want of values. */
static bool percentile_row(const struct builder *b, const char *label, size_t side,
			   const struct record_latency *latency)
{
	section_label(b->out, label);
	if (b->summary->two_sided)
		section_cell(b->out, side == SIDE_A ? "A" : "B");
	section_integer(b->out, latency->count);
	section_value(b->out, METRIC_SECONDS, latency->p50_seconds);
	section_value(b->out, METRIC_SECONDS, latency->p95_seconds);
	section_value(b->out, METRIC_SECONDS, latency->p99_seconds);
	section_value(b->out, METRIC_SECONDS, latency->p999_seconds);
	section_value(b->out, METRIC_SECONDS, latency->max_seconds);
	return !latency_carries((double)latency->count, 0.999);
}

static void note_few(const struct builder *b, bool few)
{
	if (few)
		section_note(b->out,
			     "-: a percentile needs %d values beyond it: p95 200, p99 1,000 and "
			     "p99.9 10,000 in all.",
			     LATENCY_MIN_BEYOND);
}

/* "run_queue" is "run queue", "wait_disk" is "disk". */
static void make_label(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s", !strncmp(name, "wait_", 5) ? name + 5 : name);
	for (char *c = buf; *c; c++)
		if (*c == '_')
			*c = ' ';
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

bool is_request_latency(const char *name)
{
	static const char *const names[] = {"queue",           "service",    "response",
					    "failed",          "round_trip", "server_service",
					    "server_response", NULL};

	return is_one_of(name, names);
}

bool is_wait_latency(const char *name)
{
	return !strcmp(name, "run_queue") || !strncmp(name, "wait_", 5);
}

bool is_storage_latency(const char *name)
{
	static const char *const names[] = {"block_read", "block_write", "fsync", NULL};

	return is_one_of(name, names);
}

bool is_connection_latency(const char *name)
{
	static const char *const names[] = {"connect", "rtt", NULL};

	return is_one_of(name, names);
}

bool is_kind_latency(const char *name)
{
	return !strncmp(name, "response ", 9) || !strncmp(name, "service ", 8);
}

bool is_other_latency(const char *name)
{
	return !is_request_latency(name) && !is_kind_latency(name) && !is_wait_latency(name) &&
	       !is_storage_latency(name) && !is_connection_latency(name);
}

/* Is it the first time that the name is met, going through A and then B? */
static bool is_first(const struct builder *b, size_t side, const char *name)
{
	return side == SIDE_A || !latency_find(sum_of(b, SIDE_A), name);
}

void builder_add_percentiles(const struct builder *b, const char *title, wanted_latency *wanted)
{
	bool few = false;
	char label[96];

	section_begin(b->out, "%s", title);
	percentile_columns(b, "");
	for (size_t first = 0; first < sides_of(b); first++)
		for (size_t i = 0; i < sum_of(b, first)->n_latency; i++) {
			const char *name = sum_of(b, first)->latency[i].name;

			if (!wanted(name) || !is_first(b, first, name))
				continue;
			make_label(label, sizeof(label), name);
			for (size_t side = first; side < sides_of(b); side++) {
				const struct record_latency *latency =
					latency_find(sum_of(b, side), name);

				/* Of several rounds without buckets only the sum is known. */
				if (latency && latency->count > 0 && !isnan(latency->p50_seconds))
					few |= percentile_row(b, label, side, latency);
			}
		}
	note_few(b, few);
	section_end(b->out);
}

/* Of one latency, "queue 20,000 (A), 19,998 (B)". */
static void put_counts(FILE *out, const struct record_comparison *count, const char *name,
		       bool first)
{
	char label[96], a[32], b[32];

	make_label(label, sizeof(label), name);
	summary_value(a, sizeof(a), METRIC_COUNT, count->a_median);
	summary_value(b, sizeof(b), METRIC_COUNT, count->b_median);
	fprintf(out, "%s%s %s", first ? "" : ", ", label, a);
	if (!isnan(count->b_median) && strcmp(a, b))
		fprintf(out, " (A) and %s (B)", b);
}

/* Does the table of costs show a percentile of the latency whose count this is? */
static bool shows_percentile(const struct record *rec, const char *count, bool all)
{
	size_t prefix = strlen(count) - strlen("count");

	for (size_t i = 0; i < rec->n_comparison; i++) {
		const char *metric = rec->comparison[i].metric;

		if (metric && !strncmp(metric, count, prefix) && metric[prefix] == 'p' &&
		    summary_row(rec, &rec->comparison[i], all).shown)
			return true;
	}
	return false;
}

/* The name in "latency.NAME.count", to be freed; NULL where it is something else. */
static char *name_of_count(const char *metric)
{
	static const char begin[] = "latency.", end[] = ".count";
	size_t length = metric ? strlen(metric) : 0;

	if (length <= strlen(begin) + strlen(end) || strncmp(metric, begin, strlen(begin)) ||
	    strcmp(metric + length - strlen(end), end))
		return NULL;
	return strndup(metric + strlen(begin), length - strlen(begin) - strlen(end));
}

char *sections_percentile_note(const struct record *rec, bool all)
{
	char *text = NULL, *name;
	size_t size = 0, n = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < rec->n_comparison; i++) {
		name = name_of_count(rec->comparison[i].metric);
		if (name && shows_percentile(rec, rec->comparison[i].metric, all)) {
			fputs(n ? "" : "Values behind the percentiles, in each round: ", out);
			put_counts(out, &rec->comparison[i], name, !n++);
		}
		free(name);
	}
	if (fclose(out) || !n) {
		free(text);
		return NULL;
	}
	return text;
}
