/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JUnit's XML as Jenkins, GitLab and others read it: a test suite for the record, a test case for
 * each thing that was judged. What is bad but has no gate, and what could not be told, is skipped
 * with what was found: a suite is red only where perfbpf's exit code is.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/outcome.h"
#include "report/report.h"

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	escape_xml(out, value);
	putc('"', out);
}

static void put_property(FILE *out, const char *name, const char *value)
{
	if (!value)
		return;
	fputs("<property", out);
	put_attribute(out, "name", name);
	put_attribute(out, "value", value);
	fputs("/>\n", out);
}

static void put_properties(FILE *out, const struct record *rec)
{
	char *command = escape_argv(rec->argv, rec->n_argv), seed[32], name[16];

	snprintf(seed, sizeof(seed), "%" PRIu64, rec->seed);
	fputs("<properties>\n", out);
	put_property(out, "perfbpf", rec->version);
	put_property(out, "command", command);
	put_property(out, "seed", seed);
	put_property(out, "kernel", rec->host.kernel);
	put_property(out, "cpu", rec->host.cpu_model);
	for (size_t i = 0; i < rec->n_targets; i++) {
		const struct record_target *target = &rec->targets[i];

		snprintf(name, sizeof(name), "%c", target->side == SIDE_A ? 'A' : 'B');
		put_property(out, name, target->name);
		snprintf(name, sizeof(name), "%c.version", target->side == SIDE_A ? 'A' : 'B');
		put_property(out, name, target->version);
	}
	if (rec->has_baseline)
		put_property(out, "baseline", rec->baseline.path);
	fputs("</properties>\n", out);
	free(command);
}

static void put_details(FILE *out, const struct outcome *outcome)
{
	escape_xml(out, outcome->text);
	for (size_t i = 0; i < outcome->n_details; i++) {
		putc('\n', out);
		escape_xml(out, outcome->details[i]);
	}
}

/* A class is what readers group by: they cut its name at dots, not at slashes. */
static void put_class(FILE *out, const char *scenario, const char *group)
{
	fputs(" classname=\"", out);
	for (const char *rest = scenario; *rest;) {
		size_t n = strcspn(rest, "/");
		char *part = strndup(rest, n);

		escape_xml(out, part);
		free(part);
		fputs(rest[n] ? "." : "", out);
		rest += rest[n] ? n + 1 : n;
	}
	fprintf(out, ".%s\"", group);
}

static void put_case(FILE *out, const char *scenario, const struct outcome *outcome)
{
	fputs("<testcase", out);
	put_class(out, scenario, outcome->group);
	put_attribute(out, "name", outcome->name);
	fprintf(out, " time=\"%.3f\">\n", outcome->seconds);
	switch (outcome->state) {
	case OUTCOME_HOLDS:
		fputs("<system-out>", out);
		put_details(out, outcome);
		fputs("</system-out>\n", out);
		break;
	case OUTCOME_FAILS:
		fputs("<failure", out);
		put_attribute(out, "type", outcome->group);
		put_attribute(out, "message", outcome->text);
		putc('>', out);
		put_details(out, outcome);
		fputs("</failure>\n", out);
		break;
	case OUTCOME_WARNS:
	case OUTCOME_OPEN:
		fputs("<skipped", out);
		put_attribute(out, "message", outcome->text);
		fputs("/>\n", out);
		break;
	}
	fputs("</testcase>\n", out);
}

static double measured_seconds(const struct outcomes *outcomes)
{
	double seconds = 0;

	for (size_t i = 0; i < outcomes->n; i++)
		seconds += outcomes->list[i].seconds;
	return seconds;
}

static void put_counts(FILE *out, const struct outcomes *outcomes)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\"", outcomes->n,
		outcomes_count(outcomes, OUTCOME_FAILS), measured_seconds(outcomes));
}

static void put_suite(FILE *out, const struct record *rec, const struct outcomes *outcomes,
		      const char *headline)
{
	fputs("<testsuite", out);
	put_attribute(out, "name", outcome_scenario(rec));
	put_counts(out, outcomes);
	fprintf(out, " skipped=\"%zu\"",
		outcomes_count(outcomes, OUTCOME_WARNS) + outcomes_count(outcomes, OUTCOME_OPEN));
	if (rec->n_rounds && rec->rounds[0].started_at)
		put_attribute(out, "timestamp", rec->rounds[0].started_at);
	if (rec->host.hostname)
		put_attribute(out, "hostname", rec->host.hostname);
	fputs(">\n", out);
	put_properties(out, rec);
	for (size_t i = 0; i < outcomes->n; i++)
		put_case(out, outcome_scenario(rec), &outcomes->list[i]);
	fputs("<system-out>", out);
	escape_xml(out, headline);
	for (size_t i = 0; i < rec->n_notes; i++) {
		putc('\n', out);
		escape_xml(out, rec->notes[i]);
	}
	fputs("</system-out>\n</testsuite>\n", out);
}

static int write_junit(const struct record *rec, const struct report_options *options, FILE *out,
		       struct error *err)
{
	struct summary *summary = summary_new(rec);
	struct outcomes *outcomes = summary ? outcomes_new(rec, summary, options) : NULL;
	char *headline = report_headline(rec, options);
	int rc = outcomes && headline ? 0 : -1;

	if (!rc) {
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"perfbpf\"",
		      out);
		put_counts(out, outcomes);
		fputs(">\n", out);
		put_suite(out, rec, outcomes, headline);
		fputs("</testsuites>\n", out);
	}
	outcomes_free(outcomes);
	summary_free(summary);
	free(headline);
	return rc ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_junit = {
	.name = "junit",
	.file_name = "junit.xml",
	.description = "JUnit's XML: what was judged, as test cases for CI",
	.alone = true,
	.has_baseline = true,
	.write = write_junit,
};
