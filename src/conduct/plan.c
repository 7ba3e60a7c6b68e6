/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/plan.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conduct/side.h"
#include "drive/driver.h"
#include "record/threshold.h"
#include "util/file.h"

#define DEFAULT_COMMAND_ROUNDS 10
#define PF_KTHREAD             0x00200000

static struct target *load_target(const char *text, struct error *err)
{
	return target_is_name(text) ? target_load(text, err) : target_from_command(text, err);
}

static int load_targets(struct plan *plan, const struct conduct_options *options, struct error *err)
{
	if (!options->target)
		return 0;
	plan->targets[SIDE_A] = load_target(options->target, err);
	if (!plan->targets[SIDE_A])
		return error_prefix(err, "--target");
	if (!options->versus)
		return 0;
	plan->targets[SIDE_B] = load_target(options->versus, err);
	return plan->targets[SIDE_B] ? 0 : error_prefix(err, "--vs");
}

static int add_scenario(struct plan *plan, const char *name, struct error *err)
{
	if (plan->n_scenarios == CONDUCT_MAX_SCENARIOS)
		return error_set(err, EXIT_CODE_USAGE, "more than %d scenarios",
				 CONDUCT_MAX_SCENARIOS);
	plan->scenarios[plan->n_scenarios] = scenario_load(name, driver_schema_of, err);
	if (!plan->scenarios[plan->n_scenarios])
		return -1;
	plan->n_scenarios++;
	return 0;
}

/* The driver that the named targets are made for; NULL: none says. */
static const char *driver_of(const struct plan *plan)
{
	for (int i = 0; i < SIDES; i++)
		if (plan->targets[i] && plan->targets[i]->driver)
			return plan->targets[i]->driver;
	return NULL;
}

/* "all": every scenario in the folder of the targets' driver. */
static int add_all(struct plan *plan, struct error *err)
{
	const char *driver = driver_of(plan);
	size_t n, length = driver ? strlen(driver) : 0;
	char **names;
	int failed;

	if (!driver)
		return error_set(
			err, EXIT_CODE_USAGE,
			"--scenario all: no target says which driver it works with; name the "
			"scenarios ('perfbpf list scenarios' shows them)");
	if (scenario_names(&names, &n, err))
		return -1;
	failed = 0;
	for (size_t i = 0; i < n && !failed; i++)
		if (!strncmp(names[i], driver, length) && names[i][length] == '/')
			failed = add_scenario(plan, names[i], err);
	names_free(names, n);
	return failed;
}

static int load_scenarios(struct plan *plan, const struct conduct_options *options,
			  struct error *err)
{
	const char *standard = NULL;

	for (size_t i = 0; i < options->n_scenarios; i++)
		if (!strcmp(options->scenarios[i], "all")
			    ? add_all(plan, err)
			    : add_scenario(plan, options->scenarios[i], err))
			return -1;
	for (int i = 0; i < SIDES && !standard; i++)
		standard = plan->targets[i] ? plan->targets[i]->scenario : NULL;
	if (!options->n_scenarios && standard)
		return add_scenario(plan, standard, err);
	return 0;
}

static int override(struct scenario *scenario, enum phase_role role, uint64_t ns, struct error *err)
{
	return ns == DURATION_UNSET ? 0 : scenario_set_duration(scenario, role, ns, err);
}

static int apply_options(struct plan *plan, const struct conduct_options *options,
			 struct error *err)
{
	if (options->duration_ns == 0)
		return error_set(err, EXIT_CODE_USAGE,
				 "--duration 0 measures nothing; say e.g. 30s");
	for (size_t i = 0; i < plan->n_scenarios; i++) {
		struct scenario *scenario = plan->scenarios[i];
		const struct driver_ops *driver = driver_find(scenario->driver);

		if (override(scenario, PHASE_WARMUP, options->warmup_ns, err) ||
		    override(scenario, PHASE_MEASURED, options->duration_ns, err) ||
		    override(scenario, PHASE_COOLDOWN, options->cooldown_ns, err))
			return -1;
		/* The driver's own process applies it again; here it is only checked. */
		if (driver && driver->override &&
		    driver->override(scenario->driver_config, options->rate,
				     options->has_seed ? &options->seed : NULL, err))
			return -1;
	}
	if (!plan->n_scenarios && options->kubeconfig)
		return error_set(err, EXIT_CODE_USAGE,
				 "--kubeconfig is for a scenario's tools; say --scenario S too");
	if (!plan->n_scenarios && !isnan(options->rate))
		return error_set(
			err, EXIT_CODE_USAGE,
			"--rate is a scenario's; a command line has none: say --scenario S too");
	return 0;
}

/* What is said of a comparison needs one. */
static int check_comparison(const struct plan *plan, const struct conduct_options *options,
			    struct error *err)
{
	const char *of_gates = options->n_gates ? "--gate" : options->is_strict ? "--strict" : NULL;
	const char *option = !isnan(options->until_width) ? "--until-width"
			     : !isnan(options->margin)    ? "--margin"
			     : options->max_rounds        ? "--max-rounds"
							  : NULL;
	bool has_width = !isnan(options->until_width);

	if (of_gates && !options->versus && !options->baseline)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s is about a comparison with another side, or an earlier run; "
				 "say --vs T or --baseline DIR too",
				 of_gates);
	if (option && !options->versus)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s is about a comparison with another side; say --vs T too",
				 option);
	if ((options->n_baseline_rules || options->accept_differences) && !options->baseline)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s is about a comparison with an earlier run; say --baseline DIR "
				 "too",
				 options->accept_differences ? "--accept-differences"
							     : "--baseline-threshold");
	for (size_t i = 0; i < plan->n_scenarios; i++)
		has_width |= !isnan(plan->scenarios[i]->until_width);
	if (options->max_rounds && !has_width)
		return error_set(err, EXIT_CODE_USAGE,
				 "--max-rounds is where --until-width ends at the latest; say "
				 "--until-width 2%% too, or --rounds instead");
	if (options->max_rounds && options->max_rounds < options->rounds)
		return error_set(err, EXIT_CODE_USAGE,
				 "--max-rounds %d is less than --rounds %d, which is the fewest",
				 options->max_rounds, options->rounds);
	return 0;
}

/* A server that one client works with, another one does that leaves the protocol to what it runs.
 */
static bool goes_with(const struct target *target, const struct scenario *scenario)
{
	const struct driver_ops *own, *other = driver_find(scenario->driver);

	if (!target->driver || !strcmp(target->driver, scenario->driver))
		return true;
	own = driver_find(target->driver);
	return own && own->connect && other && other->runs_programs;
}

/* Both would be ${port.NAME}, and write one folder and one log. */
static int check_names(const struct target *target, const struct scenario *scenario,
		       struct error *err)
{
	for (size_t i = 0; i < target->n_components; i++) {
		const char *name = target->components[i].name;

		if (component_exists(scenario->components, scenario->n_components, name))
			return error_set(err, EXIT_CODE_USAGE,
					 "%s and %s both have a component '%s', and ${port.%s} can "
					 "only be one of them; rename one",
					 scenario->path, target->path, name, name);
	}
	return 0;
}

static int check_targets(const struct plan *plan, const struct conduct_options *options,
			 struct error *err)
{
	for (int i = 0; i < SIDES; i++) {
		const struct target *target = plan->targets[i];

		if (!target)
			continue;
		if (target->driver && !plan->n_scenarios)
			return error_set(err, EXIT_CODE_USAGE,
					 "target '%s' works with the driver '%s': name one of its "
					 "scenarios with --scenario",
					 target->name, target->driver);
		for (size_t j = 0; j < plan->n_scenarios; j++) {
			if (!goes_with(target, plan->scenarios[j]))
				return error_set(
					err, EXIT_CODE_USAGE,
					"target '%s' works with the driver '%s', scenario '%s' has "
					"'%s'",
					target->name, target->driver, plan->scenarios[j]->name,
					plan->scenarios[j]->driver);
			if (check_names(target, plan->scenarios[j], err) ||
			    side_check(target, plan->scenarios[j], options->kubeconfig, err) ||
			    faults_check_target(plan->scenarios[j], target, err))
				return -1;
		}
		if (!plan->n_scenarios && side_check(target, NULL, NULL, err))
			return -1;
	}
	return 0;
}

/* The flags field of /proc/PID/stat, before any window. */
static bool is_kernel_thread(pid_t pid)
{
	char path[64], *text, *after;
	unsigned int flags = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = file_read(path, 4096, NULL);
	after = text ? strrchr(text, ')') : NULL;
	if (after)
		sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
	free(text);
	return flags & PF_KTHREAD;
}

static int check_pid(pid_t pid, struct error *err)
{
	if (pid == getpid())
		return error_set(err, EXIT_CODE_USAGE,
				 "process %d is perfbpf itself; its own cost is in every result",
				 pid);
	if (kill(pid, 0) && errno == ESRCH)
		return error_set(err, EXIT_CODE_USAGE, "there is no process %d (it may have ended)",
				 pid);
	if (is_kernel_thread(pid))
		return error_set(err, EXIT_CODE_USAGE,
				 "process %d is a thread of the kernel; perfbpf measures programs",
				 pid);
	return 0;
}

/* The program's own name, without its folder and arguments. */
static const char *program_of(const struct target *target)
{
	const char *slash = strrchr(target->command[0], '/');

	return slash ? slash + 1 : target->command[0];
}

static char *make_label(const struct plan *plan, const struct conduct_options *options)
{
	char *label = NULL;
	int n;

	if (plan->n_scenarios > 1)
		return strdup("all");
	if (plan->n_scenarios)
		return strdup(plan->scenarios[0]->name);
	if (options->n_pids)
		n = asprintf(&label, "pid-%d", options->pids[0]);
	else if (plan->targets[SIDE_B])
		n = asprintf(&label, "%.20s-vs-%.20s", program_of(plan->targets[SIDE_A]),
			     program_of(plan->targets[SIDE_B]));
	else
		n = asprintf(&label, "%.40s", program_of(plan->targets[SIDE_A]));
	if (n < 0)
		return NULL;
	/* A program's name can hold anything: keep what is plain. */
	for (char *c = label; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *c))
			*c = '-';
	return label;
}

/* A latency that no round can have would be found missing only after all has been measured. */
static int check_thresholds(const struct plan *plan, const struct conduct_options *options,
			    struct error *err)
{
	char problem[LATENCY_PROBLEM_MAX];
	struct threshold_problem ignored;

	for (size_t i = 0; i < options->n_thresholds; i++) {
		const struct threshold_rule *rule = &options->thresholds[i];
		struct threshold parsed;
		size_t j = 0;
		int unknown = -1;

		if (threshold_parse(rule->metric, rule->expression, &parsed, &ignored) ||
		    parsed.class != THRESHOLD_LATENCY)
			continue;
		do
			unknown = scenario_check_latency(plan->n_scenarios ? plan->scenarios[j]
									   : NULL,
							 parsed.name, problem);
		while (unknown && ++j < plan->n_scenarios);
		if (unknown)
			return error_set(err, EXIT_CODE_USAGE, "--threshold %s: %s", rule->metric,
					 problem);
	}
	return 0;
}

int plan_make(struct plan *plan, const struct conduct_options *options, struct error *err)
{
	memset(plan, 0, sizeof(*plan));
	if (!options->target && !options->n_pids)
		return error_set(err, EXIT_CODE_USAGE,
				 "nothing to measure: name a process id (attach PID), or --target "
				 "NAME, or --target 'COMMAND'");
	if (options->n_pids && options->n_scenarios)
		return error_set(
			err, EXIT_CODE_USAGE,
			"--scenario does not go with a running process: it is measured as it is");
	if (options->target && options->n_pids)
		return error_set(err, EXIT_CODE_USAGE, "--target and --pid exclude each other");
	if (options->versus && !options->target)
		return error_set(err, EXIT_CODE_USAGE, "--vs needs a --target to compare with");
	for (size_t i = 0; i < options->n_pids; i++)
		if (check_pid(options->pids[i], err))
			return -1;
	if (options->kubeconfig && access(options->kubeconfig, R_OK))
		return error_set(err, EXIT_CODE_USAGE, "--kubeconfig %s: %s", options->kubeconfig,
				 strerror(errno));
	if (load_targets(plan, options, err) || load_scenarios(plan, options, err) ||
	    apply_options(plan, options, err) || check_targets(plan, options, err) ||
	    check_comparison(plan, options, err) || check_thresholds(plan, options, err))
		return -1;
	plan->label = make_label(plan, options);
	return plan->label ? 0 : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

void plan_clear(struct plan *plan)
{
	for (int i = 0; i < SIDES; i++)
		target_free(plan->targets[i]);
	for (size_t i = 0; i < plan->n_scenarios; i++)
		scenario_free(plan->scenarios[i]);
	free(plan->label);
	memset(plan, 0, sizeof(*plan));
}

bool plan_times_children(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_scenarios; i++)
		if (driver_find(plan->scenarios[i]->driver)->times_children)
			return true;
	return false;
}

int plan_rounds(const struct conduct_options *options, const struct scenario *scenario)
{
	if (options->n_pids)
		return 1;
	if (options->rounds > 0)
		return options->rounds;
	return scenario && scenario->rounds > 0 ? scenario->rounds : DEFAULT_COMMAND_ROUNDS;
}

void plan_stopping(const struct conduct_options *options, const struct scenario *scenario,
		   struct stopping *stopping)
{
	double width = scenario && isnan(options->until_width) ? scenario->until_width
							       : options->until_width;
	int max = options->max_rounds ? options->max_rounds : scenario ? scenario->max_rounds : 0;
	int pairs = plan_rounds(options, scenario);

	*stopping = (struct stopping){pairs, pairs, NAN};
	/* One side has no interval of a ratio. */
	if (!options->versus || isnan(width))
		return;
	if (!options->rounds && !scenario)
		pairs = stopping_fewest(options->n_gates ? options->n_gates
							 : STOPPING_DEFAULT_GATES);
	stopping->until_width = width;
	stopping->max_pairs = max > 0 ? max : STOPPING_DEFAULT_MAX;
	if (stopping->max_pairs < pairs && !max)
		stopping->max_pairs = pairs;
	stopping->min_pairs = pairs < stopping->max_pairs ? pairs : stopping->max_pairs;
}
