/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `scrape` of a scenario: what the target itself publishes. */
#include <stdio.h>
#include <string.h>

#include "scenario/internal.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Each may take seconds at both ends of a window. */
#define SCRAPES_MAX      16
#define LABELS_MAX       16
#define LATENCY_NAME_MAX 64
#define METRIC_NAME_MAX  200
#define LABEL_VALUE_MAX  500

static const struct yaml_field scrape_fields[] = {
	{
		.key = "url",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario_scrape, url),
		.required = true,
		.help = "where the target publishes its metrics: http://127.0.0.1:8080/metrics",
	},
	{
		.key = "histogram",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario_scrape, histogram),
		.help = "its name without _bucket: http_request_duration_seconds",
	},
	{
		.key = "metric",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario_scrape, metric),
		.help = "in place of a histogram, a gauge or counter: process_open_fds",
	},
	{
		.key = "counter",
		.type = YAML_BOOL,
		.offset = offsetof(struct scenario_scrape, is_counter),
		.help = "true: what was added to the metric in the window, not its value at the "
			"end",
	},
	{
		.key = "labels",
		.type = YAML_PAIRS,
		.offset = offsetof(struct scenario_scrape, labels),
		.count_offset = offsetof(struct scenario_scrape, n_labels),
		.help = "that a series must have: {handler: /users}; all others are added up",
	},
	{
		.key = "as",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario_scrape, as),
		.required = true,
		.help = "what reports call the latency",
	},
};

const struct yaml_schema scrape_schema = {
	.name = "a scrape",
	.size = sizeof(struct scenario_scrape),
	.fields = scrape_fields,
	.n_fields = ARRAY_SIZE(scrape_fields),
};

const char *latency_own_name(size_t i)
{
	static const char *const own[] = {
		"delivery",  "queue",      "service",     "response", "round_trip",
		"run_queue", "block_read", "block_write", "fsync",    "connect",
		"rtt",       "exec",       "failed",
	};

	return i < ARRAY_SIZE(own) ? own[i] : NULL;
}

static bool is_taken(const char *name)
{
	for (size_t i = 0; latency_own_name(i); i++)
		if (!strcmp(name, latency_own_name(i)))
			return true;
	return !strncmp(name, "wait_", 5);
}

static bool is_made_of(const char *text, const char *characters)
{
	return *text && !text[strspn(text, characters)] && strlen(text) <= METRIC_NAME_MAX;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static int check_name(const struct scenario *scenario, size_t i, const struct yaml_file *file,
		      const char *where, struct error *err)
{
	const char *as = scenario->scrapes[i].as;

	if (!is_made_of(as, LETTERS DIGITS "_.-") || strlen(as) > LATENCY_NAME_MAX)
		return yaml_file_error(file, where, err,
				       "'%.60s' is no name; write letters, digits, '_', '-' and "
				       "'.', at most %d",
				       as, LATENCY_NAME_MAX);
	if (is_taken(as))
		return yaml_file_error(file, where, err,
				       "'%.60s' is what perfbpf measures itself; choose another",
				       as);
	for (size_t j = 0; j < i; j++)
		if (!strcmp(scenario->scrapes[j].as, as))
			return yaml_file_error(file, where, err,
					       "'%.60s' is taken by an earlier scrape; choose "
					       "another",
					       as);
	return 0;
}

static int check_labels(const struct scenario_scrape *scrape, size_t i,
			const struct yaml_file *file, struct error *err)
{
	char where[200];

	snprintf(where, sizeof(where), "scrape[%zu].labels", i);
	if (scrape->n_labels > LABELS_MAX)
		return yaml_file_error(file, where, err, "has %zu labels; write at most %d",
				       scrape->n_labels, LABELS_MAX);
	for (size_t j = 0; j < scrape->n_labels; j++) {
		const struct yaml_pair *label = &scrape->labels[j];

		snprintf(where, sizeof(where), "scrape[%zu].labels.%.100s", i, label->name);
		if (!is_made_of(label->name, LETTERS DIGITS "_"))
			return yaml_file_error(file, where, err,
					       "is no name of a label; write letters, digits and "
					       "'_'");
		if (!strcmp(label->name, "le"))
			return yaml_file_error(file, where, err,
					       "is the bounds of the buckets, of which all are "
					       "taken; leave it out");
		if (strlen(label->value) > LABEL_VALUE_MAX)
			return yaml_file_error(file, where, err, "is over %d bytes long",
					       LABEL_VALUE_MAX);
	}
	return 0;
}

static int check_scrape(const struct scenario *scenario, size_t i, const struct yaml_file *file,
			struct error *err)
{
	const struct scenario_scrape *scrape = &scenario->scrapes[i];
	char where[64];

	/* With a variable in front, what it becomes is looked at when it is fetched. */
	snprintf(where, sizeof(where), "scrape[%zu].url", i);
	if (strncmp(scrape->url, "http://", 7) != 0 && strncmp(scrape->url, "https://", 8) != 0 &&
	    strncmp(scrape->url, "${", 2) != 0)
		return yaml_file_error(file, where, err,
				       "'%.60s' is no address; write http://… or https://…",
				       scrape->url);
	snprintf(where, sizeof(where), "scrape[%zu]", i);
	if (!scrape->histogram == !scrape->metric)
		return yaml_file_error(
			file, where, err,
			"wants either a histogram or a metric; write one of the two");
	if (scrape->histogram && scrape->is_counter)
		return yaml_file_error(file, where, err,
				       "has a histogram, of which all that was added counts; leave "
				       "counter out");
	snprintf(where, sizeof(where), "scrape[%zu].%s", i,
		 scrape->histogram ? "histogram" : "metric");
	if (!is_made_of(scrape->histogram ? scrape->histogram : scrape->metric,
			LETTERS DIGITS "_:"))
		return yaml_file_error(file, where, err,
				       "'%.60s' is no name of a metric; write letters, digits, '_' "
				       "and ':'",
				       scrape->histogram ? scrape->histogram : scrape->metric);
	snprintf(where, sizeof(where), "scrape[%zu].as", i);
	if (check_name(scenario, i, file, where, err))
		return -1;
	return check_labels(scrape, i, file, err);
}

int scrape_check(const struct scenario *scenario, const struct yaml_file *file, struct error *err)
{
	if (scenario->n_scrapes > SCRAPES_MAX)
		return yaml_file_error(file, "scrape", err, "has %zu items; write at most %d",
				       scenario->n_scrapes, SCRAPES_MAX);
	for (size_t i = 0; i < scenario->n_scrapes; i++)
		if (check_scrape(scenario, i, file, err))
			return -1;
	return 0;
}
