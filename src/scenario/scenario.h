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
	PHASE_ROLES,
};

/* How a phase makes its work; the words are k6's, and so are those of its keys. */
enum executor {
	EXECUTOR_NONE, /* the driver's own way */
	EXECUTOR_CONSTANT_ARRIVAL_RATE,
	EXECUTOR_RAMPING_ARRIVAL_RATE,
	EXECUTOR_CONSTANT_VUS,
	EXECUTOR_RAMPING_VUS,
	EXECUTOR_PER_VU_ITERATIONS,
};

/* From what was before, linearly to @target, in @duration_ns. */
struct phase_stage {
	uint64_t duration_ns; /* 0: at once */
	double target;        /* arrivals a time unit, or users */
};

#define SCENARIO_PHASES_MAX 64

struct phase {
	char *name;
	enum phase_role role;
	uint64_t duration_ns; /* the sum of the stages where there are any */
	enum executor executor;
	double rate;           /* arrivals a time unit; of kubelogs lines/s; NAN: not given */
	double start_rate;     /* where the first stage begins */
	uint64_t time_unit_ns; /* of rates: a second, unless it says otherwise */
	int vus, start_vus;
	int max_vus;       /* open loop: most users at a time */
	double spawn_rate; /* closed loop: users that begin a second; NAN: all at once */
	int iterations;    /* of each user, per-vu-iterations */
	size_t n_stages;
	struct phase_stage *stages;
};

/* A file that a program wants to find, written before each start into its private folder. */
struct target_file {
	char *path; /* relative to ${home}, or to ${dir.NAME} of a component */
	char *text; /* variables are filled in */
};

/* How perfbpf knows that something that it started works. At most one of them is given. */
struct readiness {
	char *tcp;  /* "127.0.0.1:${port}": takes connections */
	char *http; /* a URL that answers with 2xx */
	char *line; /* a POSIX extended regular expression that a line of its output matches */
	size_t n_command;
	char **command; /* that ends with 0 */
	uint64_t timeout_ns;
};

/* What a component may take of the machine; enforced by a control group. */
struct limits {
	double cpus;           /* 0.5: half a core; NAN: no limit */
	uint64_t memory_bytes; /* 0: no limit */
};

/*
 * A program that a scenario or a target has running beside the target's command: a database, a
 * broker, another member of a cluster. Each gets a port of its own, ${port.NAME}.
 */
struct component {
	char *name;
	size_t n_command;
	char **command;
	size_t n_environment;
	struct yaml_pair *environment;
	char *user;      /* where perfbpf may change to it; NULL: the invoking one */
	char *directory; /* working folder; NULL: a private one, ${dir.NAME} */
	bool measured;   /* it belongs to the side: its cost is counted */
	struct readiness ready;
	struct limits limits;
	char *cpus; /* "0-1,3"; NULL: all */
	size_t n_files;
	struct target_file *files; /* written into ${dir.NAME} before its start */
	size_t n_setup;
	struct yaml_strings *setup; /* commands, run to their end before its start, each with exit
				       code 0 */
};

/* Commands around a round (argv with ${variables}; no shell), run to their end as the invoking
 * user, never measured. */
struct hooks {
	size_t n_setup, n_prepare, n_conclude, n_cleanup;
	struct yaml_strings *setup;    /* before anything is started */
	struct yaml_strings *prepare;  /* all is started and ready; before the load */
	struct yaml_strings *conclude; /* the load has ended, all still runs: what is checked */
	struct yaml_strings *cleanup;  /* all has ended; also after a failure */
	uint64_t timeout_ns;           /* of each command */
};

enum fault_kind {
	FAULT_SIGNAL,      /* a signal to a component: KILL, or STOP until the end */
	FAULT_CPU,         /* stress-ng takes CPU time */
	FAULT_MEMORY,      /* stress-ng takes memory */
	FAULT_IO,          /* stress-ng writes to storage */
	FAULT_CONNECTIONS, /* idle connections to an address */
	FAULT_PROXY,       /* what passes perfbpf's own TCP proxy is delayed, stalled, reset … */
};

enum proxy_effect {
	PROXY_NONE,
	PROXY_DELAY,
	PROXY_STALL,
	PROXY_RESET,
	PROXY_BANDWIDTH,
};

struct fault {
	char *name;
	enum fault_kind kind;
	char *phase;          /* in which it begins; NULL: the first measured one */
	uint64_t at_ns;       /* after the phase's beginning */
	uint64_t duration_ns; /* 0: until the end of the phase */
	/* Of a signal: whom. NULL or "target": the target; "target.NAME": a component that the
	 * target brings; otherwise one of the scenario's. */
	char *component;
	size_t n_leader;
	char **leader;  /* a command whose first line names the component to be hit, in its place */
	char *signal;   /* "KILL" "STOP" "TERM" … */
	bool restart;   /* what was ended is started again when the fault ends */
	int workers;    /* of CPU, memory and I/O pressure; 0: as many as there are CPUs, or one */
	uint64_t bytes; /* of memory pressure, or of the files of I/O pressure, in all */
	int count;      /* of connections */
	char *address;  /* of connections, "127.0.0.1:${port}" */
	char *proxy;    /* the proxy's name */
	enum proxy_effect effect;
	uint64_t delay_ns;
	uint64_t bytes_per_second; /* each way, of all connections together */
	double probability;        /* of the answers or connections that it meets; 1: all */
};

/* A TCP proxy between two parts: it listens on ${port.NAME}. */
struct proxy {
	char *name;
	char *to; /* "127.0.0.1:${port.db}" */
};

/* "p(95)<50ms" of a metric of the record; see record/threshold.h. */
struct scenario_threshold {
	char *metric; /* "latency.response" "cpu.total_seconds" "work.errors" … */
	char *expression;
	char *level; /* "target" "critical" "good" "acceptable" "poor"; NULL: none */
	bool abort_on_fail;
	uint64_t delay_abort_ns; /* of the window, before it may abort the run */
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

/* What the target tells Prometheus of itself; see conduct/scrape.h. */
struct scenario_scrape {
	char *url;       /* http or https; variables are filled in */
	char *histogram; /* its name, without _bucket; NULL: a metric is wanted */
	char *metric;    /* of a gauge or counter; NULL: a histogram is */
	bool is_counter; /* what was added in the window counts, not the value at its end */
	size_t n_labels;
	struct yaml_pair *labels; /* that a series must have, with these values */
	char *as;                 /* name in the record's latencies, or side metrics */
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
	size_t n_components;
	struct component *components; /* started in their order, before the target */
	size_t n_proxies;
	struct proxy *proxies;
	struct hooks hooks;
	size_t n_faults;
	struct fault *faults;
	size_t n_thresholds;
	struct scenario_threshold *thresholds;
	char *driver_cpus, *target_cpus; /* CPUs to pin them to; NULL: all */
	struct limits target_limits;
	bool is_soak;       /* what grows and what wears off is judged at the end */
	int rounds;         /* pairs, where --rounds does not say */
	double until_width; /* more of them until the interval is so narrow; NAN: no more */
	int max_rounds;     /* but never more than these; 0: STOPPING_DEFAULT_MAX */
	double margin;      /* of record_compare(); NAN: its default */
	size_t n_gates;
	char **gates;      /* names of metric.h in which B may not be worse */
	double work_bound; /* share of unequal work that makes a round invalid */
	uint64_t ready_timeout_ns;
	uint64_t graceful_stop_ns; /* what is under way when the load ends may take so long */
	const struct yaml_schema *driver_schema;
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
	char *user; /* that it runs as, where perfbpf may change to it; NULL: the invoking one */
	char *directory; /* its working folder; NULL: where perfbpf was called */
	size_t n_setup;
	struct yaml_strings *setup; /* run to their end before its start */
	struct readiness ready;     /* of a server; without any, the driver tells */
	size_t n_components;
	struct component *components; /* of its own, measured with it; without a command they are
					 all of it */
	size_t n_version;
	char **version; /* argv that prints the version on its first line */
	char *install;  /* one line: how to get the tool */
};

/* What a scenario's file may hold beside its driver's section, and what a target's may. */
extern const struct yaml_schema scenario_keys, target_keys;

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

/* The index of the phase that a fault begins in; n_phases: it was left out. */
size_t fault_phase(const struct scenario *scenario, const struct fault *fault);
/* The number of a fault's signal; 0: none that a fault can be. */
int fault_signal_number(const char *name);
/* Does the signal end what it is sent to, unless that has other plans? */
bool fault_signal_ends(int number);
/* The words of scenarios: "signal" "cpu" …, and "none" "delay" …. */
const char *fault_kind_name(enum fault_kind kind);
const char *proxy_effect_name(enum proxy_effect effect);
struct target;
/*
 * What can only be said of a scenario and a target together: the components that faults hit are
 * there, and names of proxies are not those of the target's components. -1 with @err.
 */
int faults_check_target(const struct scenario *scenario, const struct target *target,
			struct error *err);
/* Is one of the @n named so? */
bool component_exists(const struct component *components, size_t n, const char *name);

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

/* The folder of scripts beside the scenarios, ${scripts}; to be freed. NULL: there is none. */
char *scripts_folder(void);

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
/* The same for plain words, such as a hook's or a component's; @environment may be NULL. */
struct command *command_of_words(char *const *words, size_t n, const struct yaml_pair *environment,
				 size_t n_environment, const struct variable *vars, size_t n_vars,
				 struct error *err);
void command_free(struct command *command);
/* Fills ${…} in @text; to be freed; NULL with @err for an unknown variable. "$$" is one '$'. */
char *variables_fill(const char *text, const struct variable *vars, size_t n_vars,
		     struct error *err);

/*
 * Is every ${name} in @text one of @vars? @is_target_open: the target is not known yet, so that
 * port.NAME, port2.NAME and dir.NAME may be of a component that it brings. -1 with @err as of
 * variables_fill().
 */
int variables_check(const char *text, const struct variable *vars, size_t n_vars,
		    bool is_target_open, struct error *err);

/* @where is the place of @text in its file: "hooks.setup[0][1]". Anything but 0 ends the walk. */
typedef int (*text_visit_fn)(void *context, const char *where, const char *text, struct error *err);
/*
 * Visits all texts in which variables are filled in: of a scenario without its driver's section; of
 * a target without its command, environment and filters, which target_command() fills; and, of a
 * driver's section, whatever is a text. -1 where a visit ended the walk.
 */
int scenario_texts(const struct scenario *scenario, text_visit_fn visit_text, void *context,
		   struct error *err);
int target_texts(const struct target *target, text_visit_fn visit_text, void *context,
		 struct error *err);
int scenario_section_texts(const struct scenario *scenario, text_visit_fn visit_text, void *context,
			   struct error *err);

/*
 * "file:line:column: key '<where>': <text>" with EXIT_CODE_USAGE, of the file at @path as it is
 * now; without the position where it cannot be read. Returns -1.
 */
int file_complain(const char *path, const char *where, const char *text, struct error *err);

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

#define LATENCY_PROBLEM_MAX 500
/*
 * Can there be a latency of that name, as "response", "response KIND", "wait_disk" or what
 * @scenario scrapes? @scenario NULL: of a command, or of a running process. 0, or -1 with @problem:
 * which there are.
 */
int scenario_check_latency(const struct scenario *scenario, const char *latency,
			   char problem[LATENCY_PROBLEM_MAX]);

#endif
