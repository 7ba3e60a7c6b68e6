/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/command/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define NUMBER_MAX     64 /* characters; no generator prints more of them */

struct metrics {
	const struct command_metric *list;
	size_t n, n_compiled;
	regex_t *compiled;
	double *values;
};

static double scale_of(enum metric_unit unit)
{
	switch (unit) {
	case UNIT_NANOSECONDS:
		return 1e-9;
	case UNIT_MICROSECONDS:
		return 1e-6;
	case UNIT_MILLISECONDS:
		return 1e-3;
	case UNIT_NONE:
	case UNIT_OPERATIONS:
	case UNIT_SECONDS:
	case UNIT_BYTES:
		break;
	}
	return 1;
}

/* Units as generators write them behind a number. */
static const struct suffix {
	const char *text;
	double scale;
} suffixes[] = {
	{"ns", 1e-9},
	{"us", 1e-6},
	{"µs", 1e-6},
	{"ms", 1e-3},
	{"s", 1},
	{"sec", 1},
	{"secs", 1},
	{"m", 60},
	{"min", 60},
	{"h", 3600},
	{"k", 1e3},
	{"K", 1e3},
	{"M", 1e6},
	{"G", 1e9},
	{"B", 1},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"KiB", 1024},
	{"MiB", 1024.0 * 1024},
	{"GiB", 1024.0 * 1024 * 1024},
	{"%", 0.01},
};

/* NAN: nothing that is known follows the number, or nothing at all. */
static double scale_behind(const char *text)
{
	size_t length;

	while (*text == ' ')
		text++;
	length = *text == '%' ? 1 : 0;
	while (!length || isalpha((unsigned char)text[length]) || (text[length] & 0x80)) {
		if (!length && !isalpha((unsigned char)text[0]) && !(text[0] & 0x80))
			return NAN;
		length++;
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strlen(suffixes[i].text) == length && !memcmp(suffixes[i].text, text, length))
			return suffixes[i].scale;
	return NAN;
}

/* Only what is a plain decimal number: strtod also knows "nan", "infinity" and hexadecimals. */
static bool is_number(const char *text)
{
	if (*text == '-' || *text == '+')
		text++;
	if (*text == '.')
		text++;
	return isdigit((unsigned char)*text) && !(text[0] == '0' && (text[1] | 0x20) == 'x');
}

double metric_parse(const char *text, enum metric_unit unit)
{
	char digits[NUMBER_MAX], *end;
	double value, scale;
	size_t n = 0;

	while (isspace((unsigned char)*text))
		text++;
	if (!is_number(text))
		return NAN;
	/* "1,234.5": commas between digits only help to read. */
	for (; *text && n < sizeof(digits) - 1; text++)
		if (*text != ',' || !isdigit((unsigned char)text[1]))
			digits[n++] = *text;
	digits[n] = '\0';
	value = strtod(digits, &end);
	scale = scale_behind(end);
	value *= isnan(scale) ? scale_of(unit) : scale;
	return isfinite(value) ? value : NAN;
}

const char *metric_latency_field(const char *name)
{
	static const struct {
		const char *name, *field;
	} fields[] = {
		{"min", "min_seconds"},   {"mean", "mean_seconds"}, {"p50", "p50_seconds"},
		{"p90", "p90_seconds"},   {"p95", "p95_seconds"},   {"p99", "p99_seconds"},
		{"p999", "p999_seconds"}, {"max", "max_seconds"},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i].name, name))
			return fields[i].field;
	return NULL;
}

static int compile(struct metrics *metrics, size_t i, struct error *err)
{
	const struct command_metric *metric = &metrics->list[i];
	int failed = regcomp(&metrics->compiled[i], metric->regex, REG_EXTENDED);
	char text[200];

	if (failed) {
		regerror(failed, &metrics->compiled[i], text, sizeof(text));
		return error_set(err, EXIT_CODE_USAGE,
				 "command.metrics[%zu].regex: '%.200s' is no extended regular "
				 "expression: %s",
				 i, metric->regex, text);
	}
	metrics->n_compiled++;
	if (metrics->compiled[i].re_nsub != 1)
		return error_set(err, EXIT_CODE_USAGE,
				 "command.metrics[%zu].regex: '%.200s' has %zu groups; put one "
				 "pair of parentheses around the number",
				 i, metric->regex, metrics->compiled[i].re_nsub);
	if (metric->kind == METRIC_LATENCY && !metric_latency_field(metric->name))
		return error_set(err, EXIT_CODE_USAGE,
				 "command.metrics[%zu].name: a latency is named min, mean, p50, "
				 "p90, p95, p99, p999 or max, not '%.60s'",
				 i, metric->name);
	return 0;
}

struct metrics *metrics_new(const struct command_metric *list, size_t n, struct error *err)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int rc = 0;

	if (metrics) {
		metrics->list = list;
		metrics->n = n;
		metrics->compiled = calloc(n + 1, sizeof(*metrics->compiled));
		metrics->values = calloc(n + 1, sizeof(*metrics->values));
	}
	if (!metrics || !metrics->compiled || !metrics->values)
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; !rc && i < n; i++) {
		metrics->values[i] = NAN;
		rc = compile(metrics, i, err);
	}
	if (!rc)
		return metrics;
	metrics_free(metrics);
	return NULL;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	for (size_t i = 0; i < metrics->n_compiled; i++)
		regfree(&metrics->compiled[i]);
	free(metrics->compiled);
	free(metrics->values);
	free(metrics);
}

static void read_line(struct metrics *metrics, char *line)
{
	regmatch_t match[2];

	for (size_t i = 0; i < metrics->n; i++) {
		double value;
		char after;

		if (regexec(&metrics->compiled[i], line, 2, match, 0) || match[1].rm_so < 0)
			continue;
		after = line[match[1].rm_eo];
		line[match[1].rm_eo] = '\0';
		value = metric_parse(line + match[1].rm_so,
				     (enum metric_unit)metrics->list[i].unit);
		line[match[1].rm_eo] = after;
		if (!isnan(value))
			metrics->values[i] = value;
	}
}

void metrics_read(struct metrics *metrics, char *text, size_t size)
{
	char *end = text + size;

	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *next = newline ? newline : end;

		*next = '\0';
		if (next - text > LINE_MAX_BYTES)
			text[LINE_MAX_BYTES] = '\0';
		read_line(metrics, text);
		text = next + 1;
	}
}

double metrics_value(const struct metrics *metrics, size_t i)
{
	return metrics->values[i];
}
