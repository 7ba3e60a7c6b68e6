/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A scenario file and a target file, read strictly and checked whole: a plan that
 * can be run. Every error names file:line:column and the key.
 */
#ifndef PERFBPF_SCENARIO_SCENARIO_H
#define PERFBPF_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/yaml_map.h"
#include "util/error.h"

enum phase_role {
	PHASE_WARMUP,
	PHASE_MEASURED,
	PHASE_COOLDOWN,
};

#define SCENARIO_PHASES_MAX 64

struct phase {
	char *name;
	enum phase_role role;
	uint64_t duration_ns;
};

/*
 * What of the stream is wanted, independent of any tool's syntax. Either a
 * conjunction of clauses, each a disjunction of plain words (letters, digits,
 * '_' and '-'), or a POSIX extended regular expression over the message. No
 * clause and no regex: every line is wanted.
 */
struct filter {
	size_t n_clauses;
	struct filter_clause {
		size_t n_words;
		char **words;
	} * clauses;
	char *regex;
	char *prefixed_regex; /* the same for tools that print a prefix before the message */
};

/* A histogram of the target's own, that it tells Prometheus; see conduct/scrape.h. */
struct scenario_scrape {
	char *url;       /* http or https; variables are filled in */
	char *histogram; /* its name, without _bucket */
	size_t n_labels;
	struct yaml_pair *labels; /* that a series must have, with these values */
	char *as;                 /* name in the record's latencies */
};

struct scenario {
	char *name; /* "kubelogs/basic": the path below scenarios/ without .yaml */
	char *path;
	char *description;
	char *driver;        /* a name of the drivers' table */
	void *driver_config; /* what the driver's schema says, filled with its defaults */
	size_t n_phases;
	struct phase *phases;
	struct filter filter;
	size_t n_scrapes;
	struct scenario_scrape *scrapes;
	int rounds;        /* pairs, where --rounds does not say */
	double work_bound; /* share of unequal work that makes a round invalid */
	uint64_t ready_timeout_ns;
	const struct yaml_schema *driver_schema;
};

/* A file that a target wants to find, written before each start into the private HOME. */
struct target_file {
	char *path; /* relative to ${home} */
	char *text; /* variables are filled in */
};

struct target {
	char *name;
	char *path; /* NULL: an ad-hoc command line */
	char *description;
	char *driver;   /* the driver it works with; NULL: any or none */
	char *scenario; /* where --scenario is not given */
	size_t n_command;
	char **command; /* argv with ${variables}; command[0] is looked up in PATH */
	/* Stage put behind the command by a pipe, once a clause of the filter (or once for its
	 * regex). */
	size_t n_filter_stage;
	char **filter_stage; /* ${pattern} is the clause as an extended regular expression */
	size_t n_filter_arguments;
	char **filter_arguments; /* appended to command where the scenario filters: ${filter_regex},
				    ${filter_words} */
	size_t n_unfiltered_arguments;
	char **unfiltered_arguments; /* appended where it does not */
	size_t n_environment;
	struct target_variable {
		char *name, *value;
	} * environment;
	size_t n_files;
	struct target_file *files;
	size_t n_version;
	char **version; /* argv that prints the version on its first line */
	char *install;  /* one line: how to get the tool */
};

/* A driver's own section, by driver name; see drive/driver.h. NULL: no such driver. */
typedef const struct yaml_schema *(*scenario_schema_fn)(const char *driver);

/*
 * Reads @name: a path to a .yaml file, or a name below one of the scenario
 * folders ("kubelogs/basic", or "basic" where only one folder has it). An unknown
 * name is EXIT_CODE_USAGE with the nearest known one. NULL with @err on failure.
 */
struct scenario *scenario_load(const char *name, scenario_schema_fn schema_of, struct error *err);
/* The same from memory, for tests; @name stands for the path. */
struct scenario *scenario_load_memory(const char *name, const char *text, size_t size,
				      scenario_schema_fn schema_of, struct error *err);
void scenario_free(struct scenario *scenario);
/* Total length of the phases with @role. */
uint64_t scenario_duration_ns(const struct scenario *scenario, enum phase_role role);
/* Sets the total length of a role: one phase is set, many are scaled; 0 removes them (not for
 * measured). */
int scenario_set_duration(struct scenario *scenario, enum phase_role role, uint64_t ns,
			  struct error *err);

/* The same for a target: a path, or a name below targets/. */
struct target *target_load(const char *name, struct error *err);
struct target *target_load_memory(const char *name, const char *text, size_t size,
				  struct error *err);
/* Is @text a name or path of a target file, rather than a command line? */
bool target_is_name(const char *text);
/* An ad-hoc target from a command line in quotes, split as a shell splits words, no shell run. */
struct target *target_from_command(const char *text, struct error *err);
void target_free(struct target *target);

/*
 * Names of all scenarios or targets that can be found ("kubelogs/basic" …),
 * sorted; @names and its strings to be freed by names_free(). -1 with @err.
 */
int scenario_names(char ***names, size_t *n, struct error *err);
int target_names(char ***names, size_t *n, struct error *err);
void names_free(char **names, size_t n);

/* A command as it will be run: stages connected by pipes, all variables filled in. */
struct command {
	size_t n_stages;
	struct command_stage {
		char **argv; /* NULL-terminated */
		char *file;  /* full path of argv[0] */
	} * stages;
	size_t n_environment;
	char **environment; /* "NAME=value" to be set over the inherited ones */
};

struct variable {
	const char *name, *value;
};

/*
 * Fills @target for @filter with @vars (a name that is not there is an error
 * naming it). A program that is not on PATH is EXIT_CODE_USAGE with its name and
 * the target's `install` line. command_free() frees.
 */
struct command *target_command(const struct target *target, const struct filter *filter,
			       const struct variable *vars, size_t n_vars, struct error *err);
void command_free(struct command *command);
/* Fills ${…} in @text; to be freed; NULL with @err for an unknown variable. "$$" is one '$'. */
char *variables_fill(const char *text, const struct variable *vars, size_t n_vars,
		     struct error *err);

/* filter_regex: one extended regex that any order of the clauses' words matches; NULL: no filter.
 * To be freed. */
char *filter_regex(const struct filter *filter);
/* filter_words: "(ERROR || WARN) && (user || auth)", or the regex. To be freed. */
char *filter_words(const struct filter *filter);
bool filter_is_empty(const struct filter *filter);
/*
 * A compiled filter: does the message match? The same meaning for every tool:
 * the driver uses it to know which lines to expect.
 */
struct filter_matcher;
struct filter_matcher *filter_matcher_new(const struct filter *filter, struct error *err);
bool filter_matches(const struct filter_matcher *matcher, const char *message, size_t length);
void filter_matcher_free(struct filter_matcher *matcher);

#endif
