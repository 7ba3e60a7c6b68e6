/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as the output of a load generator: what the expressions of real generators find in it
 * is a finite number or nothing. With -DFUZZ_STANDALONE it runs over the files that it is given.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drive/child.h"
#include "drive/command/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct command_metric list[] = {
	{.name = (char *)"rate", .regex = (char *)"^Requests/sec: +([0-9.]+)"},
	{.name = (char *)"p99", .regex = (char *)"^ +99% +([0-9.a-z]+)", .kind = METRIC_LATENCY},
	{.name = (char *)"tps", .regex = (char *)"^tps = (.*)$", .unit = UNIT_OPERATIONS},
	{.name = (char *)"any", .regex = (char *)"(.+)", .unit = UNIT_MILLISECONDS},
	{.name = (char *)"either", .regex = (char *)"x([^y]*)y|z", .unit = UNIT_BYTES},
};

#define METRICS (sizeof(list) / sizeof(list[0]))

static void expect(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	struct metrics *metrics = metrics_new(list, METRICS, &err);
	char *text = malloc(size + 1), words[100];

	expect(metrics && text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	last_words(text, size, words, sizeof(words));
	expect(strlen(words) < sizeof(words) && !strchr(words, '\n'));
	metrics_read(metrics, text, size);
	for (size_t i = 0; i < METRICS; i++)
		expect(isnan(metrics_value(metrics, i)) || isfinite(metrics_value(metrics, i)));
	metrics_free(metrics);
	free(text);
	return 0;
}

#include "standalone.h"
