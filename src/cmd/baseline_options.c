/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/baseline_options.h"

#include "conduct/conduct.h"

typedef int parse_rule(struct baseline_rule *rule, const char *text, struct error *err);

static int add_rule(struct baseline_rule *rules, size_t *n, parse_rule *parse, const char *option,
		    const char *value, struct error *err)
{
	if (*n == BASELINE_MAX_RULES)
		return error_set(err, EXIT_CODE_USAGE, "more than %d thresholds and severities",
				 BASELINE_MAX_RULES);
	if (parse(&rules[*n], value, err))
		return error_prefix(err, "--%s", option);
	++*n;
	return 0;
}

int baseline_add_threshold(struct baseline_rule *rules, size_t *n, const char *option,
			   const char *value, struct error *err)
{
	return add_rule(rules, n, baseline_rule_threshold, option, value, err);
}

int baseline_add_severity(struct baseline_rule *rules, size_t *n, const char *option,
			  const char *value, struct error *err)
{
	return add_rule(rules, n, baseline_rule_severity, option, value, err);
}

int set_baseline(void *state, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, EXIT_CODE_USAGE,
				 "--baseline needs the results folder of an earlier run");
	((struct conduct_options *)state)->baseline = value;
	return 0;
}

int add_baseline_threshold(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	return baseline_add_threshold(options->baseline_rules, &options->n_baseline_rules,
				      "baseline-threshold", value, err);
}

int add_baseline_severity(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	return baseline_add_severity(options->baseline_rules, &options->n_baseline_rules,
				     "baseline-severity", value, err);
}

int set_accept_differences(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->accept_differences = true;
	return 0;
}
