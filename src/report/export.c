/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool export_wants(const struct report_options *options, enum side side)
{
	return options->side == REPORT_SIDE_ANY ||
	       options->side == (side == SIDE_A ? REPORT_SIDE_A : REPORT_SIDE_B);
}

bool export_has(const struct record_round *round, enum side side)
{
	return round->side == side && round->validity.valid;
}

int export_check(const struct record *rec, const struct report_options *options, const char *format,
		 struct error *err)
{
	if (options->side == REPORT_SIDE_DIFF)
		return error_set(err, EXIT_CODE_USAGE,
				 "--side of %s is A or B: what reads it compares by itself",
				 format);
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (export_wants(options, rec->rounds[i].side) && rec->rounds[i].validity.valid)
			return 0;
	return error_set(err, EXIT_CODE_INVALID,
			 "%s holds valid rounds only, and there is none%s: perfbpf report DIR says "
			 "why",
			 format, options->side == REPORT_SIDE_ANY ? "" : " of this side");
}

static const char *name_of(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name && *rec->targets[i].name)
			return rec->targets[i].name;
	return "target";
}

char *export_target(const struct record *rec, enum side side)
{
	const char *a = name_of(rec, SIDE_A), *b = name_of(rec, SIDE_B);
	const char *name = side == SIDE_A ? a : b;
	char *text;

	if (strcmp(a, b))
		return strdup(name);
	return asprintf(&text, "%s (%c)", name, side == SIDE_A ? 'A' : 'B') < 0 ? NULL : text;
}

double *export_values(const struct record *rec, enum side side, const struct metric *metric,
		      size_t *n)
{
	double *values = calloc(rec->n_rounds + 1, sizeof(*values));

	*n = 0;
	for (size_t i = 0; values && i < rec->n_rounds; i++) {
		double value =
			export_has(&rec->rounds[i], side) ? metric->get(&rec->rounds[i]) : NAN;

		if (isfinite(value))
			values[(*n)++] = value;
	}
	return values;
}
