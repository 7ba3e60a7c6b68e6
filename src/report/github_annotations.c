/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Workflow commands of GitHub Actions, a line each: what failed is an error, what came out badly
 * without a gate a warning, the verdict a notice. GitHub shows ten errors and ten warnings of a
 * step, so what is beyond is summed up in the last of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/outcome.h"
#include "report/report.h"
#include "util/utf8.h"

#define MANY         10
#define MANY_DETAILS 10
#define TEXT_MAX     1000

/*
 * Data of a command ends with the line, a property also at ',' and ':': these and '%' are written
 * as %XX. At most TEXT_MAX characters.
 */
static void put_escaped(FILE *out, const char *text, const char *also)
{
	uint32_t code;
	size_t length;

	for (size_t n = 0; text && *text; text += length, n++) {
		length = utf8_decode(text, &code);
		if (n == TEXT_MAX) {
			fputs("\xe2\x80\xa6", out);
			return;
		}
		if (length == 1 && (strchr("%\r\n", *text) || strchr(also, *text)))
			fprintf(out, "%%%02X", (unsigned int)*text);
		else if (!length || utf8_is_control(code))
			fputs(UTF8_REPLACEMENT, out);
		else
			fwrite(text, 1, length, out);
		length = length ? length : 1;
	}
}

static void put_data(FILE *out, const char *text)
{
	put_escaped(out, text, "");
}

static void begin_command(FILE *out, const char *command, const struct record *rec,
			  const char *group)
{
	fprintf(out, "::%s title=", command);
	put_escaped(out, outcome_scenario(rec), ":,");
	fprintf(out, " %s::", group);
}

static void put_outcome(FILE *out, const char *command, const struct record *rec,
			const struct outcome *outcome)
{
	begin_command(out, command, rec, outcome->group);
	put_data(out, outcome->name);
	fputs(": ", out);
	put_data(out, outcome->text);
	for (size_t i = 0; i < outcome->n_details && i < MANY_DETAILS; i++) {
		fputs("%0A", out);
		put_data(out, outcome->details[i]);
	}
	if (outcome->n_details > MANY_DETAILS)
		fprintf(out, "%%0Aand %zu more", outcome->n_details - MANY_DETAILS);
	putc('\n', out);
}

static void put_all(FILE *out, const char *command, const struct record *rec,
		    const struct outcomes *outcomes, enum outcome_state state)
{
	size_t n = outcomes_count(outcomes, state), shown = n > MANY ? MANY - 1 : n, done = 0;

	for (size_t i = 0; i < outcomes->n && done < shown; i++) {
		if (outcomes->list[i].state != state)
			continue;
		put_outcome(out, command, rec, &outcomes->list[i]);
		done++;
	}
	if (shown == n)
		return;
	begin_command(out, command, rec, "more");
	fprintf(out, "and %zu more; the report has all\n", n - shown);
}

static int write_annotations(const struct record *rec, const struct report_options *options,
			     FILE *out, struct error *err)
{
	struct summary *summary = summary_new(rec);
	struct outcomes *outcomes = summary ? outcomes_new(rec, summary, options) : NULL;
	char *headline = report_headline(rec, options);
	int rc = outcomes && headline ? 0 : -1;

	if (!rc) {
		put_all(out, "error", rec, outcomes, OUTCOME_FAILS);
		put_all(out, "warning", rec, outcomes, OUTCOME_WARNS);
		begin_command(out, "notice", rec, "verdict");
		put_data(out, headline);
		putc('\n', out);
	}
	outcomes_free(outcomes);
	summary_free(summary);
	free(headline);
	return rc ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_github_annotations = {
	.name = "github-annotations",
	.description = "workflow commands of GitHub Actions: errors, warnings, the verdict",
	.has_baseline = true,
	.write = write_annotations,
};
