/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the driver tells: the report of a window, words for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "drive/kafka/kafka.h"
#include "measure/latency.h"
#include "record/distribution.h"
#include "util/clock.h"
#include "util/units.h"

/* JSON knows no NaN: what is not known is null. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *numbers(const double *values, size_t n)
{
	json_t *json = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(json, json_real(values[i]));
	return json;
}

static json_t *latency(const struct histogram *h)
{
	struct record_latency l;
	json_t *json;

	if (latency_fill(&l, NULL, h))
		return json_null();
	json = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count",
			 (json_int_t)l.count, "min_seconds", number(l.min_seconds), "mean_seconds",
			 number(l.mean_seconds), "p50_seconds", number(l.p50_seconds),
			 "p90_seconds", number(l.p90_seconds), "p95_seconds", number(l.p95_seconds),
			 "p99_seconds", number(l.p99_seconds), "p999_seconds",
			 number(l.p999_seconds), "max_seconds", number(l.max_seconds),
			 "bucket_upper_seconds", numbers(l.bucket_upper_seconds, l.n_buckets),
			 "bucket_counts", numbers(l.bucket_counts, l.n_buckets));
	latency_clear(&l);
	return json;
}

/* What all groups together got of the messages that are counted, and what they did not. */
struct got {
	struct ledger_group_counts counts;
	uint64_t lost;
};

static struct got all_groups(const struct driver *driver, bool counted)
{
	struct got got = {0};

	for (int i = 0; driver->n_consumers && i < driver->config->groups; i++) {
		const struct ledger_group_counts *counts =
			ledger_group_counts(driver->ledger, (uint32_t)i, counted);

		got.counts.consumed += counts->consumed;
		got.counts.duplicated += counts->duplicated;
		got.counts.redelivered += counts->redelivered;
		got.counts.reordered += counts->reordered;
		got.counts.unacknowledged += counts->unacknowledged;
		got.counts.uncertain += counts->uncertain;
		got.lost += ledger_missing(driver->ledger, (uint32_t)i, counted);
	}
	return got;
}

/* Both belong to the groups together. */
static struct kafka_flow consumed_flow(const struct driver *driver)
{
	struct kafka_flow sum = {0};

	for (int i = 0; driver->groups && i < driver->config->groups; i++) {
		const struct kafka_flow *flow = &driver->groups[i].flow;

		sum.messages += flow->messages;
		sum.bytes += flow->bytes;
		if (flow->first_ns && (!sum.first_ns || flow->first_ns < sum.first_ns))
			sum.first_ns = flow->first_ns;
		if (flow->last_ns > sum.last_ns)
			sum.last_ns = flow->last_ns;
	}
	return sum;
}

static uint64_t produced_bytes(const struct driver *driver)
{
	return ledger_counts(driver->ledger, true)->acknowledged * driver->config->message_size;
}

/*
 * The tally's own words, and the driver's. Its window and the stamps' can differ by what was under
 * way while the window's end was told; the messages are what must add up, so the stamps' it is.
 */
static void put_work(const struct driver *driver, json_t *report)
{
	const struct ledger_counts *sent = ledger_counts(driver->ledger, true);
	struct got got = all_groups(driver, true);
	struct kafka_flow consumed = consumed_flow(driver);
	json_t *work = json_object_get(report, "work");
	bool produces = kafka_produces(driver), consumes = driver->config->consumers;
	const struct {
		const char *key;
		uint64_t value;
		bool is_known;
	} rows[] = {
		{"operations", produces ? sent->acknowledged : consumed.messages, true},
		{"errors", produces ? sent->failed : 0, true},
		{"bytes", produces ? produced_bytes(driver) : consumed.bytes, true},
		{"messages_produced", sent->acknowledged + sent->failed, true},
		{"messages_acknowledged", sent->acknowledged, true},
		{"messages_consumed", got.counts.consumed, consumes},
		{"lost", got.lost, consumes},
		{"duplicated", got.counts.duplicated, consumes},
		{"redelivered", got.counts.redelivered, consumes},
		{"reordered", got.counts.reordered, consumes},
		{"unacknowledged", got.counts.unacknowledged, consumes},
		{"malformed", driver->malformed, consumes},
		{"foreign", driver->foreign, consumes},
	};

	if (!work) {
		work = json_object();
		json_object_set_new(report, "work", work);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_set_new(work, rows[i].key,
				    rows[i].is_known ? whole(rows[i].value) : json_null());
}

static void put_latencies(const struct driver *driver, json_t *report)
{
	json_t *latencies = json_object_get(report, "latency");
	json_t *phases = json_object_get(report, "phases");

	if (!latencies) {
		latencies = json_object();
		json_object_set_new(report, "latency", latencies);
	}
	if (!kafka_produces(driver))
		json_object_clear(latencies);
	if (!driver->config->consumers)
		return;
	if (kafka_produces(driver))
		json_object_set_new(latencies, "end_to_end", latency(&driver->end_to_end));
	json_object_set_new(latencies, "assignment", latency(&driver->assignment));
	if (driver->rebalance.count)
		json_object_set_new(latencies, "rebalance", latency(&driver->rebalance));
	for (size_t i = 0; kafka_produces(driver) && i < json_array_size(phases); i++)
		json_object_set_new(json_array_get(phases, i), "end_to_end",
				    latency(&driver->phase_end_to_end[i]));
}

static json_t *flow(const struct kafka_flow *of, double seconds)
{
	double messages = (double)of->messages, bytes = (double)of->bytes;

	return json_pack("{s:I, s:I, s:o, s:o}", "messages", (json_int_t)of->messages, "bytes",
			 (json_int_t)of->bytes, "messages_per_second",
			 number(seconds > 0 ? messages / seconds : NAN), "bytes_per_second",
			 number(seconds > 0 ? bytes / seconds : NAN));
}

static double window_seconds(const struct driver *driver)
{
	uint64_t end_ns = driver->close_ns ? driver->close_ns : clock_now_ns();

	/* Once nothing is sent any more, the window goes on for the consumers' sake only. */
	if (driver->end_ns && driver->end_ns < end_ns)
		end_ns = driver->end_ns;
	return driver->open_ns && end_ns > driver->open_ns
		       ? (double)(end_ns - driver->open_ns) / 1e9
		       : 0;
}

/* Messages and bytes a second: of producers over the window; of consumers from its beginning to
 * the last message, since what was preloaded ends. */
static void put_throughput(const struct driver *driver, json_t *report)
{
	const struct ledger_counts *sent = ledger_counts(driver->ledger, true);
	struct kafka_flow produced = {.messages = sent->acknowledged,
				      .bytes = produced_bytes(driver)};
	struct kafka_flow consumed = consumed_flow(driver);
	json_t *throughput = json_object();

	if (kafka_produces(driver)) {
		json_object_set_new(throughput, "produce", flow(&produced, window_seconds(driver)));
		json_object_set_new(report, "producers",
				    producers_report(driver, window_seconds(driver)));
	}
	if (driver->config->consumers)
		json_object_set_new(throughput, "consume",
				    flow(&consumed, consumed.last_ns > driver->open_ns
							    ? (double)(consumed.last_ns -
								       driver->open_ns) /
								      1e9
							    : 0));
	json_object_set_new(report, "throughput", throughput);
}

static void put_errors(json_t *report, const char *key, const struct kafka_errors *errors)
{
	json_t *json;

	if (!errors->n)
		return;
	json = json_object();
	for (size_t i = 0; i < errors->n; i++)
		json_object_set_new(json, errors->rows[i].name, whole(errors->rows[i].count));
	json_object_set_new(report, key, json);
}

static void note(json_t *notes, uint64_t n, const char *text)
{
	char line[200];

	if (!n)
		return;
	snprintf(line, sizeof(line), "%llu %s", (unsigned long long)n, text);
	json_array_append_new(notes, json_string(line));
}

static void put_notes(const struct driver *driver, json_t *report)
{
	struct got counted = all_groups(driver, true), others = all_groups(driver, false);
	json_t *notes = json_object_get(report, "notes");

	if (!notes) {
		notes = json_array();
		json_object_set_new(report, "notes", notes);
	}
	note(notes, driver->queue_full,
	     "times the producers' own buffer was full: messages waited in perfbpf; raise "
	     "buffer_size");
	note(notes, counted.counts.uncertain + others.counts.uncertain,
	     "messages had failed, and it is not known whether they were consumed: 'lost' can be "
	     "too small by as many");
	/* While messages are under way, what is not consumed yet is not lost. */
	if (driver->end_ns)
		note(notes, others.lost, "messages outside of the window were lost");
	note(notes, others.counts.duplicated, "messages outside of the window came twice");
	note(notes, driver->rebalances,
	     "times a group shared its partitions anew without having been asked to");
	note(notes, driver->foreign, "messages in the topic were those of others");
}

json_t *kafka_report(struct driver *driver)
{
	json_t *report = driver->tally ? tally_report(driver->tally) : NULL;

	if (!report)
		report = json_object();
	if (!driver->ledger)
		return report;
	put_work(driver, report);
	put_latencies(driver, report);
	put_throughput(driver, report);
	put_errors(report, "connection_errors", &driver->connection_errors);
	put_errors(report, "consumer_errors", &driver->consumer_errors);
	put_notes(driver, report);
	return report;
}

void kafka_print_usage(const struct driver *driver, FILE *out)
{
	const struct kafka_config *config = driver->config;
	char size[32];

	format_bytes(size, sizeof(size), (double)config->message_size);
	fprintf(out,
		"Messages of %s to the topic '%s' at %s: %d producers, %d partitions, %d groups of "
		"%d consumers.\nCtrl-C ends it.\n",
		size, driver->topic, driver->bootstrap, config->producers, config->partitions,
		config->consumers ? config->groups : 0, config->consumers);
}

void kafka_print_progress(const struct driver *driver, FILE *out)
{
	char sent[32], got[32], bad[32];
	struct got counted, others;

	if (!driver->ledger) {
		fputs("waiting for the broker", out);
		return;
	}
	counted = all_groups(driver, true);
	others = all_groups(driver, false);
	fprintf(out, "%s acknowledged, %s consumed, %s failed, %llu under way",
		format_count(sent, sizeof(sent),
			     (double)(ledger_counts(driver->ledger, true)->acknowledged +
				      ledger_counts(driver->ledger, false)->acknowledged)),
		format_count(got, sizeof(got),
			     (double)(counted.counts.consumed + others.counts.consumed)),
		format_count(bad, sizeof(bad),
			     (double)(ledger_counts(driver->ledger, true)->failed +
				      ledger_counts(driver->ledger, false)->failed)),
		(unsigned long long)producers_in_flight(driver));
}
