/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as run.json: reading, writing, comparing and all reports of what was read
 * must neither crash nor put a control character on a terminal. With -DFUZZ_STANDALONE
 * it runs over the files that it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline.h"
#include "record/compare.h"
#include "record/endurance.h"
#include "record/history.h"
#include "record/record.h"
#include "record/threshold.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_harmless(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f)
			abort();
}

static void make_reports(const struct record *rec)
{
	size_t n;
	const struct report_format *const *formats = report_formats(&n);

	for (size_t i = 0; i < 2 * n; i++) {
		struct report_options options = {.all_metrics = i % 2, .width = i % 2 ? 80 : 0};
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		struct error err;

		if (!out)
			return;
		formats[i / 2]->write(rec, &options, out, &err);
		fclose(out);
		if (formats[i / 2] == &report_text)
			assert_harmless(text);
		free(text);
	}
}

/* What was read and written is what is written after it was read again. */
static void round_trip(const struct record *rec)
{
	char *first = record_to_json(rec), *second;
	struct record *again;
	struct error err;

	if (!first)
		return;
	again = record_parse(first, strlen(first), "again", &err);
	second = again ? record_to_json(again) : NULL;
	if (!second || strcmp(first, second))
		abort();
	free(first);
	free(second);
	record_free(again);
}

/* Against itself, with what is asked for and with what is the default; and as a run of a history.
 */
static void look_back(struct record *rec)
{
	static const char *const gates[] = {"cpu.total_seconds", "memory.major_faults"};
	const struct baseline_options options = {.n_gates = 2, .gates = gates};
	const struct history_options all = {.n_metrics = 2, .metrics = gates};
	struct history *history = history_new();
	struct error err;

	if (!record_baseline(rec, rec, "base",
			     baseline_check(rec, rec, &options, &err) ? NULL : &options)) {
		round_trip(rec);
		make_reports(rec);
	}
	if (history && rec->n_rounds && !history_add(history, rec, "run", &all))
		history_finish(history);
	history_free(history);
}

/* One of each class, so that all judge what was read. */
static const struct threshold_rule rules[] = {
	{"latency.response", "p(95)<50ms", NULL}, {"latency.delivery", "p(99)>1us", "target"},
	{"work.success", "rate>0.99", NULL},      {"operations{phase:main}", "rate>1", NULL},
	{"cpu.total_seconds", "med<1s", NULL},    {"side_metrics.hits", "value!=1", NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	struct record *rec = record_parse((const char *)data, size, "fuzz", &err);

	if (!rec)
		return 0;
	round_trip(rec);
	round_trip(rec);
	make_reports(rec);
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (record_endurance(&rec->rounds[i]))
			abort();
	if (!record_thresholds(rec, rules, sizeof(rules) / sizeof(rules[0])) &&
	    !record_compare(rec, &(struct compare_options){.work_bound = 0.001})) {
		round_trip(rec);
		make_reports(rec);
	}
	record_slim(rec);
	look_back(rec);
	record_free(rec);
	return 0;
}

#include "standalone.h"
