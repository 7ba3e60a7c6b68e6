/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the driver tells: the report of a window, words for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "drive/kafka/kafka.h"
#include "drive/latency_json.h"
#include "util/clock.h"
#include "util/units.h"

static json_t *whole(uint64_t value)
{
	return json_integer((json_int_t)value);
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
		{"errors", produces ? sent->failed + driver->unsent : 0, true},
		{"bytes", produces ? produced_bytes(driver) : consumed.bytes, true},
		{"messages_produced", sent->acknowledged + sent->failed, true},
		{"messages_acknowledged", sent->acknowledged, true},
		{"messages_consumed", got.counts.consumed, consumes},
		/* What is missing or doubled of them makes a round invalid. */
		{"expected_lines", sent->acknowledged * (uint64_t)driver->config->groups, consumes},
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
	json_object_set_new(report, "has_threads", json_true());
	/* What was there before is the same for both sides, where they came to its end. */
	if (!produces)
		json_object_set_new(report, "work_is_fixed",
				    json_boolean(consumers_have_all(driver, true)));
}

static void put_phase(const struct driver *driver, json_t *phase, size_t i)
{
	if (kafka_produces(driver)) {
		json_object_set_new(phase, "end_to_end",
				    latency_json(&driver->phase_end_to_end[i]));
		return;
	}
	json_object_del(phase, "response");
	json_object_del(phase, "service");
}

static void put_latencies(const struct driver *driver, json_t *report)
{
	json_t *latencies = json_object_get(report, "latency");
	json_t *phases = json_object_get(report, "phases");

	if (!latencies) {
		latencies = json_object();
		json_object_set_new(report, "latency", latencies);
	}
	for (size_t i = 0; driver->config->consumers && i < json_array_size(phases); i++)
		put_phase(driver, json_array_get(phases, i), i);
	/* Nobody asks for what was there before: it takes no time to come. */
	if (!kafka_produces(driver)) {
		json_object_clear(latencies);
		json_object_del(report, "response_p95_seconds");
		json_object_del(report, "response_p95_interval_seconds");
	} else if (driver->config->consumers) {
		json_object_set_new(latencies, "end_to_end", latency_json(&driver->end_to_end));
	}
	if (driver->config->consumers)
		json_object_set_new(latencies, "assignment", latency_json(&driver->assignment));
	if (driver->rebalance.count)
		json_object_set_new(latencies, "rebalance", latency_json(&driver->rebalance));
}

static json_t *flow(const struct kafka_flow *of, double seconds)
{
	double messages = (double)of->messages, bytes = (double)of->bytes;

	return json_pack("{s:I, s:I, s:o, s:o}", "messages", (json_int_t)of->messages, "bytes",
			 (json_int_t)of->bytes, "messages_per_second",
			 number_json(seconds > 0 ? messages / seconds : NAN), "bytes_per_second",
			 number_json(seconds > 0 ? bytes / seconds : NAN));
}

/* Of the load; what comes behind it is waiting. */
static double window_seconds(const struct driver *driver)
{
	uint64_t end_ns = driver->close_ns ? driver->close_ns : clock_now_ns();
	uint64_t load_end_ns =
		driver->start_ns + schedule_phase_begin_ns(driver->schedule, driver->n_phases);

	/* Iterations can be done before their time. */
	if (driver->end_ns && driver->end_ns < load_end_ns)
		load_end_ns = driver->end_ns;
	if (load_end_ns < end_ns)
		end_ns = load_end_ns;
	return end_ns > driver->open_ns ? (double)(end_ns - driver->open_ns) / 1e9 : 0;
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
		json_object_set_new(
			throughput, "consume",
			flow(&consumed, consumed.last_ns > driver->open_ns
						? (double)(consumed.last_ns - driver->open_ns) / 1e9
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
	if (kafka_is_drained(driver))
		note(notes, others.lost, "messages outside of the window were lost");
	else
		note(notes, counted.lost + others.lost,
		     "messages are not consumed yet, and were not waited for: they count as lost");
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

	if (!driver->start_ns) {
		fprintf(out, "waiting for the broker%s%s", *driver->last_error ? ": " : "",
			driver->last_error);
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
