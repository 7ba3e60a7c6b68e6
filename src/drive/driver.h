/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A driver produces the work and checks that the target did it. It runs as a
 * process of its own (`perfbpf drive`), as the invoking user, without BPF.
 *
 * Adding one: a folder or file with a `const struct driver_ops`, and one row in
 * driver.c.
 */
#ifndef PERFBPF_DRIVE_DRIVER_H
#define PERFBPF_DRIVE_DRIVER_H

#include <jansson.h>
#include <stdint.h>

#include "scenario/scenario.h"
#include "util/error.h"

/* What a driver is started with. */
struct driver_context {
	const struct scenario *scenario;
	int output_fd; /* read end of the target's standard output, -1: none (the driver runs alone)
			*/
	const char *private_dir; /* exists, empty, removed by the caller afterwards */
	const char *external; /* --kubeconfig: serve nothing, the tools talk to this cluster; NULL
				 otherwise */
};

struct driver;
struct load_kind; /* drive/load/load.h */

struct driver_ops {
	const char *name;
	const char *description;
	/* Its operations reach the target by sockets: a side that received nothing has not answered
	 * them, somebody else has. */
	bool by_socket;
	const struct yaml_schema
		*schema; /* of its section in a scenario; the section is named as the driver */
	/* Command-line overrides that the user may give: --rate and --seed. NAN / NULL: not given.
	 * -1 with err. */
	int (*override)(void *config, double rate, const uint64_t *seed, struct error *err);
	/* Opens sockets, writes files; nothing runs yet. NULL with err. */
	struct driver *(*open)(const struct driver_context *context, struct error *err);
	/* Object of strings for target files: {"port": "1234", "kubeconfig": "/tmp/…"}. New
	 * reference. NULL: it gives none. */
	json_t *(*variables)(const struct driver *driver);
	/*
	 * Of a driver that is the target's client: the target and all its components are ready.
	 * Fills the texts of its section with @variables (${port}, ${port.NAME}, ${dir.NAME} …) and
	 * begins what it has to do before the load (schema, data, connections); is_attached() holds
	 * once that is done. -1 with err. NULL: the target comes to the driver.
	 */
	int (*connect)(struct driver *driver, const struct variable *variables, size_t n_variables,
		       struct error *err);
	/* An epoll or other pollable fd that becomes readable when step() has something to do. */
	int (*fd)(const struct driver *driver);
	/* Does what is due and returns at once. 0, or -1 with err: the driver cannot go on. */
	int (*step)(struct driver *driver, struct error *err);
	/* Is the target connected and working, so that a measurement may begin? */
	bool (*is_attached)(const struct driver *driver);
	/*
	 * The target is attached: the work begins anew, so that a stretch of time after this
	 * moment holds the same work in every round. Returns the moment (CLOCK_MONOTONIC).
	 */
	uint64_t (*restart)(struct driver *driver);
	/* The window in CLOCK_MONOTONIC ns. Called once each, open first. */
	void (*window_open)(struct driver *driver, uint64_t at_ns, uint64_t tick_ns);
	/*
	 * Inside the window the next measured phase begins; the first began with the window. NULL:
	 * the driver keeps no account of phases.
	 */
	void (*phase)(struct driver *driver, uint64_t at_ns);
	void (*window_close)(struct driver *driver, uint64_t at_ns);
	/* A fault began, or @ended, at @at_ns: how long the target took to recover is counted from
	 * here. May be NULL. */
	void (*fault)(struct driver *driver, const char *name, uint64_t at_ns, bool ended);
	/* Has it no more to do, whatever the phases' lengths (per-vu-iterations)? May be NULL: no.
	 */
	bool (*is_finished)(const struct driver *driver);
	/* Has everything expected in the window been seen (or can no more come)? */
	bool (*is_drained)(const struct driver *driver);
	/*
	 * {"work": {...}, "latency": {NAME: {...}}, "lines_per_second": [...],
	 *  "late_seconds_max": x, "dropped": n, "notes": ["..."]} with the keys of run.json, and
	 * with phase() "phases": [{"late_seconds_max": x, "dropped": n}, ...], one for each. What
	 * is in "invalid": ["..."] makes the round invalid, "side_metrics": {NAME: x} are shown.
	 * "has_threads": true where more than one thread makes the load, so that a whole core is no
	 * bound for it.
	 */
	json_t *(*report)(struct driver *driver);
	/* For `perfbpf drive` by itself: what a person needs to use it, and a line of progress. */
	void (*print_usage)(const struct driver *driver, FILE *out);
	void (*print_progress)(const struct driver *driver, FILE *out);
	void (*close)(struct driver *driver); /* takes NULL */
	/*
	 * The kinds of requests that reports tell apart, of the section @config; to be freed with
	 * free(), names live as long as @config. -1 with @err. NULL: nobody can say ahead.
	 */
	int (*kinds)(const void *config, struct load_kind **kinds, size_t *n, struct error *err);
	/* Of a client: names of the variables that it has in its section beside those of a round,
	 * NULL behind the last. NULL: none. */
	const char *const *own_variables;
	/* What it runs are children of its process, each of which is timed in the kernel (the
	 * latency "exec"): from its first exec to its end. */
	bool times_children;
	/* What is said to the target, the programs say that it runs: any server will do. */
	bool runs_programs;
};

extern const struct driver_ops driver_kubelogs;
extern const struct driver_ops driver_http;
extern const struct driver_ops driver_exec;
extern const struct driver_ops driver_command;
extern const struct driver_ops driver_postgres; /* where libpq's headers are */
extern const struct driver_ops driver_kafka;    /* where librdkafka's are */

/* By name; NULL: there is none. */
const struct driver_ops *driver_find(const char *name);
/* The @i-th of the table; NULL behind the last. */
const struct driver_ops *driver_at(size_t i);
/* Why a driver is not in this build: "the library … was missing (Debian's package …)"; NULL: no
 * driver of that name is known. */
const char *driver_absent(const char *name);
/* The @i-th name that was left out of this build; NULL behind the last. */
const char *driver_absent_at(size_t i);
/*
 * What can be said of a scenario's driver ahead of a run: all variables of its section are among
 * @vars, @is_target_open as of variables_check(), and the kinds that thresholds name are its own.
 * -1 with @err, EXIT_CODE_USAGE.
 */
int driver_check(const struct scenario *scenario, const struct variable *vars, size_t n_vars,
		 bool is_target_open, struct error *err);
/* scenario_schema_fn over the table. */
const struct yaml_schema *driver_schema_of(const char *name);

/*
 * The loop of a driver process under a conductor. Messages are single lines of
 * JSON over the stream socket @control_fd:
 *   → {"event":"ready","variables":{…}}
 *   → {"event":"attached","at_ns":N}             once, when is_attached() first holds; the
 *                                                moment at which the work began anew
 *   ← {"command":"connect","variables":{…}}      to a client, once all is ready
 *   ← {"command":"window_open","at_ns":N,"tick_ns":N}
 *   ← {"command":"phase","at_ns":N}              each measured phase but the first
 *   ← {"command":"window_close","at_ns":N}
 *   ← {"command":"fault","name":"…","at_ns":N,"ended":B}
 *   → {"event":"finished","at_ns":N}             once, when is_finished() first holds
 *   ← {"command":"peek"}                         → {"event":"peek", …report() as it stands…}
 *   ← {"command":"report","timeout_ns":N}        waits for is_drained() at most that long
 *   → {"event":"report", …the object of report()…}
 *   → {"event":"error","text":"…"}               then the process ends with 1
 *   ← end of file                                the driver closes and ends with 0
 * Returns the process's exit code.
 */
int driver_serve(const struct driver_ops *ops, const struct driver_context *context,
		 int control_fd);
/*
 * `perfbpf drive` by a person: runs until @duration_ns (0: no end), a signal, or the end of a
 * client's work, whose report is then printed as JSON. @variables are what a client is connected
 * with. Returns the exit code.
 */
int driver_run_alone(const struct driver_ops *ops, const struct driver_context *context,
		     const struct variable *variables, size_t n_variables, uint64_t duration_ns);

#endif
