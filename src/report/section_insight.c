/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What explains the difference, how good the data are, and what to run next. */
#include <string.h>

#include "report/builder.h"

/* A command line comes last, and on a line of its own. */
static void add_note(const struct builder *b, const char *text)
{
	const char *command = strstr(text, ": " SECTION_COMMAND);

	if (!command) {
		section_note(b->out, "%s", text);
		return;
	}
	section_note(b->out, "%.*s:", (int)(command - text), text);
	section_note(b->out, "%s", command + 2);
}

void builder_add_insights(const struct builder *b)
{
	static const struct {
		const char *kind, *title;
	} kinds[] = {
		{"cause", "Insights: what the difference goes along with"},
		{"quality", "Data quality"},
		{"next", "Recommendations: what to run next"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		section_begin(b->out, "%s", kinds[i].title);
		for (size_t j = 0; j < b->rec->n_insights; j++) {
			const struct record_insight *insight = &b->rec->insights[j];

			if (insight->kind && insight->text && !strcmp(insight->kind, kinds[i].kind))
				add_note(b, insight->text);
		}
		section_end(b->out);
	}
}
