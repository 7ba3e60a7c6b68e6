/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From text to a threshold. */
#include "record/threshold.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/metric.h"
#include "util/suggest.h"
#include "util/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)        (1U << (n))

static const char *const aggregate_names[THRESHOLD_AGGREGATES] = {
	[THRESHOLD_PERCENTILE] = "p(N)", [THRESHOLD_AVG] = "avg",     [THRESHOLD_MED] = "med",
	[THRESHOLD_MIN] = "min",         [THRESHOLD_MAX] = "max",     [THRESHOLD_COUNT] = "count",
	[THRESHOLD_RATE] = "rate",       [THRESHOLD_VALUE] = "value",
};

#define OVER_ROUNDS                                                                                \
	(BIT(THRESHOLD_AVG) | BIT(THRESHOLD_MED) | BIT(THRESHOLD_MIN) | BIT(THRESHOLD_MAX))
#define COUNTED (BIT(THRESHOLD_COUNT) | BIT(THRESHOLD_RATE) | BIT(THRESHOLD_VALUE))

/* Which aggregates each has. */
static const unsigned int allowed[THRESHOLD_CLASSES] = {
	[THRESHOLD_LATENCY] = BIT(THRESHOLD_PERCENTILE) | OVER_ROUNDS | BIT(THRESHOLD_COUNT),
	[THRESHOLD_OF_OPERATIONS] = BIT(THRESHOLD_COUNT) | BIT(THRESHOLD_RATE),
	[THRESHOLD_OF_ERRORS] = COUNTED,
	[THRESHOLD_OF_DROPPED] = COUNTED,
	[THRESHOLD_OF_SUCCESS] = BIT(THRESHOLD_RATE) | BIT(THRESHOLD_VALUE),
	[THRESHOLD_OF_METRIC] = OVER_ROUNDS | BIT(THRESHOLD_VALUE),
	[THRESHOLD_OF_SIDE_METRIC] = OVER_ROUNDS | BIT(THRESHOLD_VALUE),
};

static const struct {
	const char *name;
	enum threshold_class class;
} named[] = {
	{"operations", THRESHOLD_OF_OPERATIONS},
	{"work.errors", THRESHOLD_OF_ERRORS},
	{"work.dropped", THRESHOLD_OF_DROPPED},
	{"work.success", THRESHOLD_OF_SUCCESS},
};

static int fail(struct threshold_problem *problem, bool in_metric, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct threshold_problem *problem, bool in_metric, const char *fmt, ...)
{
	va_list args;

	problem->in_metric = in_metric;
	va_start(args, fmt);
	vsnprintf(problem->text, sizeof(problem->text), fmt, args);
	va_end(args);
	return -1;
}

/* --- the metric ------------------------------------------------------------------ */

/* What k6 calls them. */
static const struct {
	const char *word, *instead;
} k6_metrics[] = {
	{"http_req_duration", "latency.response"},
	{"http_req_waiting", "latency.service"},
	{"iteration_duration", "latency.response"},
	{"grpc_req_duration", "latency.response"},
	{"http_req_failed", "work.errors"},
	{"http_reqs", "operations"},
	{"iterations", "operations"},
	{"checks", "work.success"},
	{"dropped_iterations", "work.dropped"},
};

static int fail_unknown(const char *name, struct threshold_problem *problem)
{
	size_t n, count = 0;
	const struct metric *metrics = metric_table(&n);
	const char **names, *near;

	for (size_t i = 0; i < ARRAY_SIZE(k6_metrics); i++)
		if (!strcmp(name, k6_metrics[i].word))
			return fail(problem, true, "'%.60s' is k6's; write %s", name,
				    k6_metrics[i].instead);
	names = calloc(n + ARRAY_SIZE(named), sizeof(*names));
	for (size_t i = 0; names && i < ARRAY_SIZE(named); i++)
		names[count++] = named[i].name;
	for (size_t i = 0; names && i < n; i++)
		names[count++] = metrics[i].name;
	near = names ? suggest_nearest(name, names, count) : NULL;
	free(names);
	if (near)
		return fail(problem, true, "no metric is named '%.60s'; did you mean '%s'?", name,
			    near);
	return fail(problem, true,
		    "no metric is named '%.60s'; write latency.NAME, operations, work.errors, "
		    "side_metrics.NAME or one of 'perfbpf list metrics'",
		    name);
}

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix)) && text[strlen(prefix)];
}

static int set_class(const char *name, struct threshold *out, struct threshold_problem *problem)
{
	snprintf(out->name, sizeof(out->name), "%s", name);
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (!strcmp(name, named[i].name)) {
			out->class = named[i].class;
			return 0;
		}
	if (metric_find(name)) {
		out->class = THRESHOLD_OF_METRIC;
	} else if (has_prefix(name, "latency.")) {
		out->class = THRESHOLD_LATENCY;
		snprintf(out->name, sizeof(out->name), "%s", name + strlen("latency."));
	} else if (has_prefix(name, "side_metrics.")) {
		out->class = THRESHOLD_OF_SIDE_METRIC;
		snprintf(out->name, sizeof(out->name), "%s", name + strlen("side_metrics."));
	} else {
		return fail_unknown(name, problem);
	}
	return 0;
}

/* Is it told by phase (and, of times, by kind)? */
static bool is_of_driver(const struct threshold *threshold)
{
	if (threshold->class == THRESHOLD_LATENCY)
		return !strcmp(threshold->name, "response") || !strcmp(threshold->name, "service");
	return threshold->class >= THRESHOLD_OF_OPERATIONS &&
	       threshold->class <= THRESHOLD_OF_SUCCESS;
}

/* "phase:NAME" or "kind:NAME", as it stands between the braces. */
static int set_selector(const char *selector, struct threshold *out,
			struct threshold_problem *problem)
{
	size_t length = strlen(out->name);

	if (!is_of_driver(out))
		return fail(problem, true,
			    "only latency.response, latency.service, operations, work.errors, "
			    "work.dropped and work.success are known by phase; leave {%.60s} out",
			    selector);
	if (has_prefix(selector, "phase:")) {
		snprintf(out->phase, sizeof(out->phase), "%s", selector + strlen("phase:"));
		return 0;
	}
	if (!has_prefix(selector, "kind:"))
		return fail(problem, true,
			    "'{%.60s}' is not understood; write {phase:NAME} or {kind:NAME}",
			    selector);
	if (out->class != THRESHOLD_LATENCY)
		return fail(problem, true,
			    "only latency.response and latency.service are known by kind; leave "
			    "{%.60s} out",
			    selector);
	/* The times of a kind are a latency of their own, "response KIND". */
	snprintf(out->name + length, sizeof(out->name) - length, " %s", selector + strlen("kind:"));
	return 0;
}

static int parse_metric(const char *metric, struct threshold *out,
			struct threshold_problem *problem)
{
	char copy[THRESHOLD_NAME_MAX], *brace;
	size_t length = strlen(metric);

	if (length >= sizeof(copy))
		return fail(problem, true, "is over %zu bytes long", sizeof(copy) - 1);
	memcpy(copy, metric, length + 1);
	brace = strchr(copy, '{');
	if (brace && copy[length - 1] != '}')
		return fail(problem, true,
			    "'%.60s' lacks the closing brace; write METRIC{phase:NAME}", metric);
	if (brace) {
		copy[length - 1] = '\0';
		*brace++ = '\0';
	}
	if (set_class(copy, out, problem))
		return -1;
	return brace ? set_selector(brace, out, problem) : 0;
}

/* --- the expression -------------------------------------------------------------- */

static const char *skip_blanks(const char *text)
{
	while (isblank((unsigned char)*text))
		text++;
	return text;
}

/* Two characters first, so that "<=" is not taken for "<". */
static const struct {
	const char *text;
	enum threshold_operator relation;
} operators[] = {
	{"===", THRESHOLD_EQUAL},     {"==", THRESHOLD_EQUAL}, {"!=", THRESHOLD_NOT_EQUAL},
	{"<=", THRESHOLD_LESS_EQUAL}, {"<", THRESHOLD_LESS},   {">=", THRESHOLD_GREATER_EQUAL},
	{">", THRESHOLD_GREATER},
};

static const char *read_operator(const char *text, struct threshold *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (!strncmp(text, operators[i].text, strlen(operators[i].text))) {
			out->relation = operators[i].relation;
			return text + strlen(operators[i].text);
		}
	return NULL;
}

/* "p(95)" or "p(99.9)"; NULL where it is none. */
static const char *read_percentile(const char *text, struct threshold *out)
{
	double percent;
	char *end;

	if (strncmp(text, "p(", 2) != 0 || !isdigit((unsigned char)text[2]))
		return NULL;
	percent = strtod(text + 2, &end);
	if (*end != ')' || !(percent > 0 && percent <= 100))
		return NULL;
	out->aggregate = THRESHOLD_PERCENTILE;
	out->quantile = percent / 100;
	return end + 1;
}

static const char *read_aggregate(const char *text, struct threshold *out)
{
	for (int i = THRESHOLD_AVG; i < THRESHOLD_AGGREGATES; i++) {
		size_t length = strlen(aggregate_names[i]);

		if (strncmp(text, aggregate_names[i], length) != 0 ||
		    isalnum((unsigned char)text[length]))
			continue;
		out->aggregate = (enum threshold_aggregate)i;
		return text + length;
	}
	/* "<30s": of what has one number there is nothing to choose. */
	if (*text && strchr("<>=!", *text) && (allowed[out->class] & BIT(THRESHOLD_VALUE))) {
		out->aggregate = THRESHOLD_VALUE;
		return text;
	}
	return read_percentile(text, out);
}

static int fail_aggregate(const struct threshold *threshold, const char *metric,
			  struct threshold_problem *problem)
{
	char list[64] = "";
	size_t used = 0;

	for (int i = 0; i < THRESHOLD_AGGREGATES; i++)
		if (allowed[threshold->class] & BIT(i))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", aggregate_names[i]);
	return fail(problem, false, "'%.60s' has no %s; it has %s", metric,
		    aggregate_names[threshold->aggregate], list);
}

static const char *unit_of(const struct threshold *threshold)
{
	if (threshold->class == THRESHOLD_LATENCY)
		return threshold->aggregate == THRESHOLD_COUNT ? "" : "s";
	return threshold->class == THRESHOLD_OF_METRIC ? metric_find(threshold->name)->unit : "";
}

/* "0.99", "14k", "-3" or "99%". */
static int parse_plain(const char *text, double *value)
{
	char copy[64];
	size_t length = strlen(text), sign = *text == '-';
	bool share = length && text[length - 1] == '%';

	if (length >= sizeof(copy))
		return -1;
	memcpy(copy, text + sign, length + 1 - sign);
	if (share)
		copy[length - sign - 1] = '\0';
	if (parse_count(copy, value))
		return -1;
	*value /= (sign ? -1 : 1) * (share ? 100 : 1);
	return 0;
}

static int parse_seconds(const char *text, double *value)
{
	uint64_t ns;

	if (parse_duration_ns(text, &ns))
		return -1;
	*value = (double)ns / 1e9;
	return 0;
}

static int parse_bytes(const char *text, double *value)
{
	uint64_t bytes;

	if (parse_size_bytes(text, &bytes))
		return -1;
	*value = (double)bytes;
	return 0;
}

/* Is there no doubt what a number without a unit is? */
static bool says_seconds(const struct threshold *threshold)
{
	return threshold->class == THRESHOLD_OF_METRIC && strstr(threshold->name, "seconds");
}

static int parse_bare(const char *text, double *value)
{
	return strchr(text, '%') ? -1 : parse_plain(text, value);
}

static int parse_bound(const char *text, struct threshold *out, struct threshold_problem *problem)
{
	const char *unit = unit_of(out);

	out->unit = unit;
	if (!strcmp(unit, "s")) {
		if (!parse_seconds(text, &out->bound) ||
		    (says_seconds(out) && !parse_bare(text, &out->bound)))
			return 0;
		return fail(problem, false,
			    "'%.40s' is no time; write one with its unit, as in 50ms or 1s", text);
	}
	if (!strcmp(unit, "bytes"))
		return !parse_bytes(text, &out->bound)
			       ? 0
			       : fail(problem, false, "'%.40s' is no size; write 512MiB or 1000000",
				      text);
	if (!parse_plain(text, &out->bound))
		return 0;
	/* Nobody but the author knows its unit. */
	if (out->class == THRESHOLD_OF_SIDE_METRIC &&
	    (!parse_seconds(text, &out->bound) || !parse_bytes(text, &out->bound)))
		return 0;
	return fail(problem, false, "'%.40s' is no number; write 100, 14k, 0.99 or 99%%", text);
}

/* @text without the blanks at its end. */
static int copy_trimmed(char *copy, size_t size, const char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	if (length >= size)
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return 0;
}

int threshold_parse(const char *metric, const char *expression, struct threshold *out,
		    struct threshold_problem *problem)
{
	char copy[100];
	const char *at;

	memset(out, 0, sizeof(*out));
	if (parse_metric(metric, out, problem))
		return -1;
	if (copy_trimmed(copy, sizeof(copy), expression))
		return fail(problem, false, "'%.40s…' is too long for a threshold", expression);
	at = read_aggregate(skip_blanks(copy), out);
	if (!at)
		return fail(problem, false,
			    "'%.60s' is not understood; write p(95), avg, med, min, max, count, "
			    "rate or value first, as in p(95)<50ms",
			    expression);
	if (!(allowed[out->class] & BIT(out->aggregate)))
		return fail_aggregate(out, metric, problem);
	at = read_operator(skip_blanks(at), out);
	if (!at)
		return fail(problem, false,
			    "'%.60s' lacks an operator behind '%s'; write < <= > >= == or !=",
			    expression, aggregate_names[out->aggregate]);
	return parse_bound(skip_blanks(at), out, problem);
}

const char *threshold_split(const char *text, size_t *length)
{
	const char *at = text + strcspn(text, ":{<>=!");

	if (*at == '{') {
		at += strcspn(at, "}");
		at += strcspn(at, ":<>=!");
	}
	*length = (size_t)(at - text);
	if (!*at || at == text)
		return NULL;
	return *at == ':' ? at + 1 : at;
}

static const char *const levels[] = {"target", "critical", "good", "acceptable", "poor"};

bool threshold_is_level(const char *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (!strcmp(level, levels[i]))
			return true;
	return false;
}

bool threshold_is_gate(const char *level)
{
	return !level || !strcmp(level, "critical");
}
