/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline.h"
#include "record/gate.h"
#include "record/metric.h"

#define LEVELS 3

int baseline_check_metric(const char *name, struct error *err)
{
	const char *near;

	if (metric_find(name))
		return 0;
	near = metric_nearest(name);
	if (near)
		return error_set(err, EXIT_CODE_USAGE, "unknown metric '%s'; did you mean '%s'?",
				 name, near);
	return error_set(err, EXIT_CODE_USAGE,
			 "unknown metric '%s'; 'perfbpf list metrics' has them all", name);
}

int baseline_check_gate(const char *name, struct error *err)
{
	char problem[GATE_PROBLEM_MAX];

	if (baseline_check_metric(name, err))
		return -1;
	return gate_find(name, problem) ? 0 : error_set(err, EXIT_CODE_USAGE, "%s", problem);
}

/* Takes "METRIC=" off @text, if it begins so. */
static int take_metric(struct baseline_rule *rule, const char **text, struct error *err)
{
	const char *equals = strchr(*text, '=');
	size_t length = equals ? (size_t)(equals - *text) : 0;

	rule->metric[0] = '\0';
	rule->minor = rule->major = rule->critical = NAN;
	if (!equals)
		return 0;
	if (length >= sizeof(rule->metric))
		length = sizeof(rule->metric) - 1;
	memcpy(rule->metric, *text, length);
	rule->metric[length] = '\0';
	*text = equals + 1;
	return baseline_check_metric(rule->metric, err);
}

/* "10%" or "0.1" up to @end; what is over 1 needs its sign, lest 10 be taken for 1000 %. */
static double parse_share(const char *text, const char *end)
{
	const char *rest = text + strspn(text, "0123456789.");
	char *parsed;
	double share = strtod(text, &parsed);

	if (rest == text || parsed != rest)
		return NAN;
	if (*rest == '%')
		return rest + 1 == end ? share / 100 : NAN;
	return rest == end && share <= 1 ? share : NAN;
}

int baseline_rule_threshold(struct baseline_rule *rule, const char *text, struct error *err)
{
	const char *share = text;

	if (take_metric(rule, &share, err))
		return -1;
	rule->minor = parse_share(share, share + strlen(share));
	if (!isfinite(rule->minor))
		return error_set(err, EXIT_CODE_USAGE,
				 "'%s': write a share for all metrics or for one, as in 10%% or "
				 "cpu.total_seconds=5%%",
				 text);
	return 0;
}

int baseline_rule_severity(struct baseline_rule *rule, const char *text, struct error *err)
{
	const char *shares = text;
	double levels[LEVELS] = {NAN, NAN, NAN};

	if (take_metric(rule, &shares, err))
		return -1;
	for (size_t i = 0; i < LEVELS; i++) {
		const char *end = shares + strcspn(shares, ",");

		levels[i] = (*end == ',') == (i < LEVELS - 1) ? parse_share(shares, end) : NAN;
		if (!isfinite(levels[i]) || (i && levels[i] < levels[i - 1]))
			return error_set(err, EXIT_CODE_USAGE,
					 "'%s': write from where on a change for the worse is "
					 "minor, major and critical, as in 10%%,50%%,100%% or "
					 "memory.rss_peak_bytes=20%%,40%%,80%%",
					 text);
		shares = end + (*end == ',');
	}
	rule->minor = levels[0];
	rule->major = levels[1];
	rule->critical = levels[2];
	return 0;
}

static void apply(struct baseline_rule *to, const struct baseline_rule *rule)
{
	to->minor = isnan(rule->minor) ? to->minor : rule->minor;
	to->major = isnan(rule->major) ? to->major : rule->major;
	to->critical = isnan(rule->critical) ? to->critical : rule->critical;
}

struct baseline_rule baseline_rule_of(const struct baseline_options *options, const char *metric)
{
	struct baseline_rule rule = {
		.minor = BASELINE_THRESHOLD,
		.major = BASELINE_MAJOR,
		.critical = BASELINE_CRITICAL,
	};

	for (size_t i = 0; options && i < options->n_rules; i++)
		if (!*options->rules[i].metric)
			apply(&rule, &options->rules[i]);
	for (size_t i = 0; options && i < options->n_rules; i++)
		if (!strcmp(options->rules[i].metric, metric))
			apply(&rule, &options->rules[i]);
	return rule;
}
