/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/prometheus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"

/* A number is at most this long: 17 digits, sign, point and exponent, and room. */
#define NUMBER_BYTES 64

/* One line, and where in it we are. */
struct line {
	const char *at, *end;
	size_t number; /* from 1 */
	struct error *err;
};

static int fail(const struct line *line, const char *what)
{
	return error_set(line->err, EXIT_CODE_FAILED, "line %zu: %s", line->number, what);
}

static void skip_blanks(struct line *line)
{
	while (line->at < line->end && (*line->at == ' ' || *line->at == '\t'))
		line->at++;
}

static bool take(struct line *line, char c)
{
	if (line->at == line->end || *line->at != c)
		return false;
	line->at++;
	return true;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == ':';
}

/* The length of the name here, which stays where it is. */
static size_t name_length(const struct line *line)
{
	size_t n = 0;

	while (line->at + n < line->end && is_name(line->at[n]))
		n++;
	return n;
}

static bool is_text(const char *at, size_t length, const char *text)
{
	return strlen(text) == length && !memcmp(at, text, length);
}

enum sample {
	SAMPLE_OTHER,
	SAMPLE_BUCKET,
	SAMPLE_SUM,
	SAMPLE_COUNT,
};

/* What the name at the beginning of a line is to the histogram @name; steps over it. */
static enum sample take_name(struct line *line, const char *name)
{
	static const char *const ends[] = {
		[SAMPLE_OTHER] = "?",
		[SAMPLE_BUCKET] = "_bucket",
		[SAMPLE_SUM] = "_sum",
		[SAMPLE_COUNT] = "_count",
	};
	size_t length = name_length(line), prefix = strlen(name);

	if (length <= prefix || memcmp(line->at, name, prefix) != 0)
		return SAMPLE_OTHER;
	for (size_t i = SAMPLE_BUCKET; i <= SAMPLE_COUNT; i++) {
		if (!is_text(line->at + prefix, length - prefix, ends[i]))
			continue;
		line->at += length;
		return (enum sample)i;
	}
	return SAMPLE_OTHER;
}

/* The number up to the next blank, comma or end; nothing else may stand there. */
static int take_number(struct line *line, double *value)
{
	char copy[NUMBER_BYTES], *end;
	size_t n = 0;

	while (line->at + n < line->end && !strchr(" \t\r,}", line->at[n]) && n < sizeof(copy) - 1)
		n++;
	memcpy(copy, line->at, n);
	copy[n] = '\0';
	*value = strtod(copy, &end);
	if (!n || *end || strlen(copy) != n)
		return fail(line, "a number is expected");
	line->at += n;
	return 0;
}

/* The quoted value here without its escapes; one that is too long is an empty string. */
static int take_value(struct line *line, char value[PROMETHEUS_MAX_VALUE])
{
	size_t n = 0;

	if (!take(line, '"'))
		return fail(line, "a label's value is to be in quotes");
	while (line->at < line->end && *line->at != '"') {
		char c = *line->at++;

		if (c == '\\' && line->at < line->end) {
			c = *line->at++;
			c = c == 'n' ? '\n' : c;
		}
		if (n < PROMETHEUS_MAX_VALUE)
			value[n] = c;
		n++;
	}
	if (!take(line, '"'))
		return fail(line, "a label's value does not end");
	value[n < PROMETHEUS_MAX_VALUE ? n : 0] = '\0';
	return 0;
}

/* The labels of a series: does it match, and which bucket is it? */
struct series {
	const struct prometheus_query *query;
	unsigned int matched; /* a bit for each label that is asked for */
	bool has_upper;
	double upper;
};

static int take_label(struct line *line, struct series *series)
{
	char value[PROMETHEUS_MAX_VALUE];
	const char *name = line->at;
	size_t length = name_length(line);

	line->at += length;
	skip_blanks(line);
	if (!length || !take(line, '='))
		return fail(line, "a label is to be name=\"value\"");
	skip_blanks(line);
	if (take_value(line, value))
		return -1;
	if (is_text(name, length, "le")) {
		struct line number = {value, value + strlen(value), line->number, line->err};

		if (take_number(&number, &series->upper) || number.at != number.end ||
		    isnan(series->upper) || series->upper < 0)
			return fail(line,
				    "the upper end of a bucket (le) is to be a number from 0");
		series->has_upper = true;
	}
	for (size_t i = 0; i < series->query->n_labels; i++)
		if (is_text(name, length, series->query->labels[i].name) &&
		    !strcmp(value, series->query->labels[i].value))
			series->matched |= 1U << i;
	return 0;
}

static int take_labels(struct line *line, struct series *series)
{
	skip_blanks(line);
	if (!take(line, '{'))
		return 0;
	skip_blanks(line);
	while (!take(line, '}')) {
		if (take_label(line, series))
			return -1;
		skip_blanks(line);
		if (take(line, ','))
			skip_blanks(line);
		else if (line->at == line->end || *line->at != '}')
			return fail(line, "the labels do not end in }");
	}
	return 0;
}

static bool matches(const struct series *series)
{
	return series->matched == (1U << series->query->n_labels) - 1;
}

/* Adds up series by series: those of one histogram have the same bounds. */
static int add_bucket(struct prometheus_histogram *out, const struct line *line, double upper,
		      double value)
{
	size_t i = out->n;

	while (i && out->upper[i - 1] >= upper)
		i--;
	if (i < out->n && out->upper[i] == upper) {
		out->within[i] += value;
		return 0;
	}
	if (out->n == PROMETHEUS_MAX_BUCKETS)
		return fail(line, "the histogram has too many buckets");
	memmove(&out->upper[i + 1], &out->upper[i], (out->n - i) * sizeof(out->upper[0]));
	memmove(&out->within[i + 1], &out->within[i], (out->n - i) * sizeof(out->within[0]));
	out->upper[i] = upper;
	out->within[i] = value;
	out->n++;
	return 0;
}

/* Sums by what the text says of all values, which it may say in two ways. */
struct totals {
	double infinite, count, sum;
	size_t n_infinite, n_count, n_sum;
};

static int add_sample(struct prometheus_histogram *out, struct totals *totals,
		      const struct line *line, enum sample sample, const struct series *series,
		      double value)
{
	if (sample == SAMPLE_SUM) {
		totals->sum += value;
		totals->n_sum++;
		return 0;
	}
	if (!(value >= 0) || isinf(value))
		return fail(line, "a count is to be a number from 0");
	if (sample == SAMPLE_COUNT) {
		totals->count += value;
		totals->n_count++;
		return 0;
	}
	if (!series->has_upper)
		return fail(line, "a bucket has no upper end (le)");
	if (!isinf(series->upper))
		return add_bucket(out, line, series->upper, value);
	totals->infinite += value;
	totals->n_infinite++;
	return 0;
}

static int read_line(struct line *line, const struct prometheus_query *query,
		     struct prometheus_histogram *out, struct totals *totals)
{
	struct series series = {.query = query};
	enum sample sample;
	double value;

	skip_blanks(line);
	sample = take_name(line, query->name);
	if (sample == SAMPLE_OTHER)
		return 0;
	if (take_labels(line, &series))
		return -1;
	skip_blanks(line);
	/* A time stamp or an exemplar may follow; neither is of interest. */
	if (take_number(line, &value))
		return -1;
	return matches(&series) ? add_sample(out, totals, line, sample, &series, value) : 0;
}

/* One line's value, where its series is asked for; leaves *@value alone otherwise. */
static int read_scalar(struct line *line, const struct prometheus_query *query, double *sum)
{
	struct series series = {.query = query};
	double value;

	skip_blanks(line);
	if (!is_text(line->at, name_length(line), query->name))
		return 0;
	line->at += strlen(query->name);
	if (take_labels(line, &series))
		return -1;
	skip_blanks(line);
	if (take_number(line, &value))
		return -1;
	if (matches(&series))
		*sum = isnan(*sum) ? value : *sum + value;
	return 0;
}

int prometheus_scalar(const char *text, size_t size, const struct prometheus_query *query,
		      double *value, struct error *err)
{
	struct line line = {text, text, 0, err};
	const char *end = text + size;

	*value = NAN;
	if (query->n_labels > PROMETHEUS_MAX_LABELS)
		return error_set(err, EXIT_CODE_USAGE, "at most %d labels can be asked for",
				 PROMETHEUS_MAX_LABELS);
	for (const char *next = text; next && next < end;) {
		const char *newline = memchr(next, '\n', (size_t)(end - next));

		line.at = next;
		line.end = newline ? newline : end;
		line.number++;
		next = newline ? newline + 1 : NULL;
		if (read_scalar(&line, query, value))
			return -1;
	}
	return 0;
}

static int settle(struct prometheus_histogram *out, const struct totals *totals, struct error *err)
{
	out->n_series = totals->n_infinite ? totals->n_infinite : totals->n_count;
	out->count = totals->n_infinite ? totals->infinite : totals->count;
	out->sum = totals->n_sum ? totals->sum : NAN;
	if (out->n && !out->n_series)
		return error_set(err, EXIT_CODE_FAILED,
				 "the histogram has buckets, but no count of all");
	for (size_t i = 0; i < out->n; i++)
		if (out->within[i] > (i + 1 < out->n ? out->within[i + 1] : out->count))
			return error_set(err, EXIT_CODE_FAILED,
					 "the buckets are not cumulative: more values lie within "
					 "%g than within the next",
					 out->upper[i]);
	return 0;
}

int prometheus_read(const char *text, size_t size, const struct prometheus_query *query,
		    struct prometheus_histogram *out, struct error *err)
{
	struct totals totals = {0};
	struct line line = {text, text, 0, err};
	const char *end = text + size;

	memset(out, 0, sizeof(*out));
	if (query->n_labels > PROMETHEUS_MAX_LABELS)
		return error_set(err, EXIT_CODE_USAGE, "at most %d labels can be asked for",
				 PROMETHEUS_MAX_LABELS);
	for (const char *next = text; next < end;) {
		const char *newline = memchr(next, '\n', (size_t)(end - next));

		line.at = next;
		line.end = newline ? newline : end;
		line.number++;
		next = line.end + 1;
		if (read_line(&line, query, out, &totals))
			return -1;
		if (!newline)
			break;
	}
	return settle(out, &totals, err);
}

static int check_pair(const struct prometheus_histogram *open,
		      const struct prometheus_histogram *close, struct error *err)
{
	if (!close->n_series)
		return error_set(err, EXIT_CODE_FAILED, "there is no such histogram");
	if (!close->n)
		return error_set(err, EXIT_CODE_FAILED, "the histogram has no buckets");
	if (!open->n_series)
		return 0; /* its first value came within the window */
	for (size_t i = 0; i < close->n; i++)
		if (close->n != open->n || close->upper[i] != open->upper[i])
			return error_set(err, EXIT_CODE_FAILED,
					 "the bounds of the histogram changed in the window");
	for (size_t i = 0; i <= close->n; i++)
		if (i == close->n ? close->count < open->count : close->within[i] < open->within[i])
			return error_set(err, EXIT_CODE_FAILED,
					 "the histogram went back in the window: the program was "
					 "started anew");
	return 0;
}

static void fill_buckets(const struct prometheus_histogram *open,
			 const struct prometheus_histogram *close, struct record_latency *out)
{
	double below = 0;

	out->n_buckets = close->n;
	for (size_t i = 0; i < close->n; i++) {
		double within = close->within[i] - (open->n_series ? open->within[i] : 0);

		out->bucket_upper_seconds[i] = close->upper[i];
		/* Counts are whole; large ones may differ by rounding. */
		out->bucket_counts[i] = fmax(within - below, 0);
		below = within;
	}
}

int prometheus_between(const struct prometheus_histogram *open,
		       const struct prometheus_histogram *close, const char *name,
		       struct record_latency *out, struct error *err)
{
	double count = close->count - open->count;

	latency_init(out);
	if (check_pair(open, close, err))
		return -1;
	if (count >= 0x1p53)
		return error_set(err, EXIT_CODE_FAILED, "the histogram counts too much");
	out->name = strdup(name);
	out->bucket_upper_seconds = calloc(close->n, sizeof(double));
	out->bucket_counts = calloc(close->n, sizeof(double));
	if (!out->name || !out->bucket_upper_seconds || !out->bucket_counts) {
		latency_clear(out);
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	fill_buckets(open, close, out);
	out->count = (int64_t)llround(count);
	if (out->count > 0 && (!open->n_series || !isnan(open->sum)))
		out->mean_seconds = (close->sum - (open->n_series ? open->sum : 0)) / count;
	if (!isfinite(out->mean_seconds))
		out->mean_seconds = NAN;
	out->p50_seconds = latency_quantile(out, 0.5);
	out->p90_seconds = latency_quantile(out, 0.9);
	out->p95_seconds = latency_quantile(out, 0.95);
	out->p99_seconds = latency_quantile(out, 0.99);
	out->p999_seconds = latency_quantile(out, 0.999);
	return 0;
}
