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

/* `thresholds` as a whole, and complaints about the phases and latencies that they name. */
extern const struct yaml_custom thresholds_custom;
int thresholds_check(const struct scenario *scenario, const struct yaml_file *file,
		     struct error *err);
/* The @i-th name of a latency that perfbpf measures itself; NULL behind the last. */
const char *latency_own_name(size_t i);

/* An item of `phases`, and complaints about them all. */
extern const struct yaml_schema phase_schema;
int phases_check(struct scenario *scenario, const struct yaml_file *file, struct error *err);

/* What scenarios and targets share: items of `components` and `files`, the sections `hooks`,
 * `ready` and limits. */
extern const struct yaml_schema component_schema, file_schema, hooks_schema, readiness_schema,
	limits_schema;
/* Complaints about @n of them, that the key @key holds. */
int components_check(const struct component *components, size_t n, const char *key,
		     const struct yaml_file *file, struct error *err);
int files_check(const struct target_file *files, size_t n, const char *key,
		const struct yaml_file *file, struct error *err);
int environment_check(const struct yaml_pair *environment, size_t n, const char *key,
		      const struct yaml_file *file, struct error *err);
int readiness_check(const struct readiness *ready, const char *key, const struct yaml_file *file,
		    struct error *err);
/* Each of @n commands has a program. */
int commands_check(const struct yaml_strings *commands, size_t n, const char *key,
		   const struct yaml_file *file, struct error *err);
/* A mapping that is there limits something. */
int limits_check(const struct limits *limits, const char *key, const struct yaml_file *file,
		 struct error *err);
/* "0-1,3" */
int cpus_check(const char *cpus, const char *key, const struct yaml_file *file, struct error *err);

#define FAULT_TARGET "target" /* what no component is called */
/* Items of `faults` and `proxies`, and complaints about them all; what is left to be filled in of
 * faults is filled in. */
extern const struct yaml_schema fault_schema, proxy_schema;
int faults_check(struct scenario *scenario, const struct yaml_file *file, struct error *err);
/* The phase at @index lasts as it does now, in place of @before_ns: its faults keep their shares.
 */
void faults_scale(struct scenario *scenario, size_t index, uint64_t before_ns);

/* Complaints about variables that no target could bring. */
int scenario_texts_check(const struct scenario *scenario, const struct yaml_file *file,
			 struct error *err);
int target_texts_check(const struct target *target, const struct yaml_file *file,
		       struct error *err);

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
