/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of scenario/ share; the rest of perfbpf uses scenario.h. */
#ifndef PERFBPF_SCENARIO_INTERNAL_H
#define PERFBPF_SCENARIO_INTERNAL_H

#include "scenario/scenario.h"

enum find_kind {
	FIND_SCENARIO,
	FIND_TARGET,
};

/* Is @name meant as a path rather than a name below the scenario folder? */
bool find_is_path(const char *name);
/*
 * The path of what @name names, and in @full_name the name that it goes by; both to
 * be freed. NULL with @err, naming the nearest known one.
 */
char *find_file(enum find_kind kind, const char *name, char **full_name, struct error *err);
int find_names(enum find_kind kind, char ***names, size_t *n, struct error *err);

/* An item of `scrape`, and complaints about what has been read from @file. */
extern const struct yaml_schema scrape_schema;
int scrape_check(const struct scenario *scenario, const struct yaml_file *file, struct error *err);

/* Complaints about a filter that has been read from @file. */
int filter_check(const struct filter *filter, const struct yaml_file *file, struct error *err);
/* One clause as an extended regular expression: "ERROR|WARN"; to be freed. */
char *filter_clause_regex(const struct filter_clause *clause);

/*
 * The words of @text as a shell would split it, as templates for variables_fill():
 * a '$' that a shell would leave alone is doubled. To be freed with names_free().
 */
int words_split(const char *text, char ***words, size_t *n, struct error *err);

#endif
