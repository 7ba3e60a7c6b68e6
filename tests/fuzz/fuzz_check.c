/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any output of a target: the input is a script of raw bytes, true lines, pieces of
 * them, and time that passes. What is counted must add up whatever was printed. With
 * -DFUZZ_STANDALONE it has a main that runs over the files given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/kubelogs/check.h"
#include "util/clock.h"

#define START_NS (1000 * NSEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
	const uint8_t *at, *end;
	struct check *check;
	uint64_t now_ns;
	bool is_open, is_closed;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static const struct source *the_source(void)
{
	struct schedule_config config = {
		.deployments = 10, .replicas = 1, .rate = 2000, .seed = 1, .bursts = true};
	static struct source source;

	if (!source.pods) {
		expect(!source_open(&source, "perf-test", &config, START_NS, 0, NULL));
		/* As a filter would. */
		for (int i = 0; i < CONTENT_POOL; i += 3)
			source.content->messages[1][i].is_wanted = false;
		source.content->all_wanted = false;
	}
	return &source;
}

static uint8_t next(struct script *script)
{
	return script->at < script->end ? *script->at++ : 0;
}

static void feed_raw(struct script *script)
{
	size_t n = next(script) * 4U, left = (size_t)(script->end - script->at);

	n = n < left ? n : left;
	check_feed(script->check, (const char *)script->at, n, script->now_ns);
	script->at += n;
}

/* A line that is due by now, or a piece of it. */
static void feed_line(struct script *script, bool is_whole)
{
	uint32_t pod = next(script) % the_source()->n_pods;
	uint64_t back = next(script), due = source_due(the_source(), pod, script->now_ns);
	char line[CONTENT_LINE_MAX];
	size_t length = source_line(the_source(), pod, due > back ? due - back : 0, line), from = 0;

	if (!is_whole) {
		from = next(script) % length;
		length = from + next(script) % (length - from + 1);
	}
	check_feed(script->check, line + from, length - from, script->now_ns);
}

static void open_or_close(struct script *script)
{
	uint64_t at = script->now_ns + next(script) * NSEC_PER_MSEC - 100 * NSEC_PER_MSEC;

	if (!script->is_open)
		check_open_window(script->check, at, (1 + next(script)) * NSEC_PER_MSEC);
	else if (!script->is_closed)
		check_close_window(script->check, at);
	script->is_closed = script->is_open;
	script->is_open = true;
}

static void run(struct script *script)
{
	while (script->at < script->end) {
		switch (next(script) % 6) {
		case 0:
			feed_raw(script);
			break;
		case 1:
			feed_line(script, true);
			break;
		case 2:
			feed_line(script, false);
			break;
		case 3:
			script->now_ns += next(script) * NSEC_PER_MSEC;
			break;
		case 4:
			open_or_close(script);
			break;
		case 5:
			check_advance(script->check, script->now_ns);
			break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {.at = data, .end = data + size, .now_ns = START_NS + NSEC_PER_SEC};
	const struct check_counts *counts;

	script.check = check_new(the_source());
	expect(script.check != NULL);
	run(&script);
	check_feed_end(script.check, script.now_ns);
	if (!script.is_open)
		check_open_window(script.check, script.now_ns, NSEC_PER_SEC);
	if (!script.is_closed)
		check_close_window(script.check, script.now_ns);
	check_settle(script.check);
	counts = check_counts(script.check);
	expect(counts->found + counts->unwanted + counts->duplicated == counts->lines);
	expect(counts->delivery.count == counts->found + counts->unwanted);
	expect(counts->reordered <= counts->found + counts->unwanted);
	/* The window may be told far too late here: then what is expected is not exact. */
	expect(counts->bytes >= counts->lines);
	check_free(script.check);
	return 0;
}

#include "standalone.h"
