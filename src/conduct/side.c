/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/side.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conduct/hook.h"
#include "conduct/parts.h"
#include "drive/driver.h"
#include "util/clock.h"

#define SETUP_NS (5 * 60 * NSEC_PER_SEC)

static int collect(struct variables *variables, const struct side_process *side,
		   const struct conductor *conductor, const struct round_plan *plan)
{
	const struct identity *identity = conductor_user(conductor, plan->target->user);

	return variables_add(variables, "home", "%s", side->home) ||
	       variables_add(variables, "user", "%s", identity->name);
}

/* What a driver that serves gives: the embedded API's, of which a real cluster lacks some. */
static int add_served(struct variables *variables, bool is_external)
{
	static const char *const names[] = {"kubeconfig", "namespace", "selector", "container",
					    "port",       "url",       "pods_glob"};
	size_t n = sizeof(names) / sizeof(names[0]) - (is_external ? 3 : 0);

	for (size_t i = 0; i < n; i++)
		if (variables_add(variables, names[i], "x"))
			return -1;
	return 0;
}

/* The texts of one file, and the variables of a round. */
struct look {
	const char *path;
	const struct variables *variables;
};

static int look(void *context, const char *where, const char *text, struct error *err)
{
	const struct look *at = context;
	struct error found = {.text = ""};

	if (!variables_check(text, at->variables->list, at->variables->n, false, &found))
		return 0;
	return file_complain(at->path, where, found.text, err);
}

static int check_texts(const struct target *target, const struct scenario *scenario,
		       const struct variables *variables, struct error *err)
{
	struct look of_target = {target->path, variables};
	struct look of_scenario = {scenario ? scenario->path : NULL, variables};

	/* A command line has no other texts than its command. */
	if (target->path && target_texts(target, look, &of_target, err))
		return -1;
	if (!scenario)
		return 0;
	if (scenario_texts(scenario, look, &of_scenario, err))
		return -1;
	return driver_check(scenario, variables->list, variables->n, false, err);
}

static int check_all(const struct target *target, const struct scenario *scenario,
		     const struct variables *variables, struct error *err)
{
	static const struct filter none;
	struct command *command;

	if (check_texts(target, scenario, variables, err))
		return -1;
	if (parts_check(target->components, target->n_components, variables, target->name, err))
		return -1;
	if (scenario && parts_check(scenario->components, scenario->n_components, variables,
				    scenario->name, err))
		return -1;
	if (!target->n_command)
		return 0;
	command = target_command(target, scenario ? &scenario->filter : &none, variables->list,
				 variables->n, err);
	if (!command)
		return -1;
	command_free(command);
	return 0;
}

int side_check(const struct target *target, const struct scenario *scenario, const char *kubeconfig,
	       struct error *err)
{
	const struct driver_ops *driver = scenario ? driver_find(scenario->driver) : NULL;
	struct variables variables = {.n = 0};
	int failed =
		variables_add(&variables, "home", "x") || variables_add(&variables, "user", "x");

	if (!failed && (!driver || driver->variables))
		failed = add_served(&variables, kubeconfig);
	/* A cluster of its own has no address: what needs one is told so. */
	if (!failed && !kubeconfig)
		failed = variables_hand_out(&variables, target, scenario, "x", err);
	else if (failed)
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (!failed && check_all(target, scenario, &variables, err))
		failed = kubeconfig ? error_prefix(err, "--kubeconfig %s", kubeconfig) : -1;
	variables_clear(&variables);
	return failed ? -1 : 0;
}

/* A file that the tool wants to find in its HOME. */
static int write_file(const struct side_process *side, const struct conductor *conductor,
		      const struct identity *identity, const struct target_file *file,
		      const struct variables *variables, struct error *err)
{
	char *path = NULL, *text;
	int failed;

	text = variables_fill(file->text, variables->list, variables->n, err);
	if (!text)
		return -1;
	if (asprintf(&path, "%s/%s", side->home, file->path) < 0)
		path = NULL;
	failed = path ? keeper_put_file(conductor->keeper, path, text, identity, err)
		      : error_set(err, EXIT_CODE_FAILED, "out of memory");
	free(path);
	free(text);
	return failed;
}

static int prepare_home(const struct side_process *side, const struct conductor *conductor,
			const struct target *target, const struct variables *variables,
			struct error *err)
{
	const struct identity *identity = conductor_user(conductor, target->user);

	if (keeper_make_dir(conductor->keeper, side->home, identity, err))
		return -1;
	for (size_t i = 0; i < target->n_files; i++)
		if (write_file(side, conductor, identity, &target->files[i], variables, err))
			return -1;
	return 0;
}

/* What the target is set up with, before it is started. */
static int set_up(const struct side_process *side, struct collector *collector,
		  const struct target *target, const struct variables *variables, struct error *err)
{
	char what[160];
	struct hook_setting setting = {
		.collector = collector,
		.variables = variables,
		.identity = conductor_user(collector->conductor, target->user),
		.directory = side->home,
		.environment = (const struct yaml_pair *)target->environment,
		.n_environment = target->n_environment,
		.log_name = side->log_name,
		.what = what,
		.timeout_ns = SETUP_NS,
	};

	snprintf(what, sizeof(what), "target '%.100s', setup", target->name);
	return hooks_run(&setting, target->setup, target->n_setup, err);
}

/* A server says on its standard output what others say on standard error: both are one log. */
static int name_log(struct side_process *side, const struct round_plan *plan, bool is_server,
		    struct error *err)
{
	if (asprintf(&side->log_name, "logs/pair%d-%c.%s", plan->pair,
		     plan->side == SIDE_A ? 'A' : 'B', is_server ? "log" : "stderr") < 0) {
		side->log_name = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	return 0;
}

static int limit(const struct round_plan *plan, struct keeper *keeper, struct keeper_spawn *request,
		 struct error *err)
{
	const struct scenario *scenario = plan->scenario;

	if (!scenario)
		return 0;
	request->cpus = scenario->target_cpus;
	if (isnan(scenario->target_limits.cpus) && !scenario->target_limits.memory_bytes)
		return 0;
	request->group = keeper_group(keeper, "target", &scenario->target_limits, err);
	return request->group < 0 ? -1 : 0;
}

static int spawn(struct side_process *side, struct conductor *conductor,
		 const struct round_plan *plan, const char *directory, int output_fd, int log_fd,
		 struct error *err)
{
	const struct command *command = side->command;
	struct keeper_stage stages[KEEPER_MAX_STAGES];
	struct keeper_spawn request = {.identity = conductor_user(conductor, plan->target->user),
				       .n_stages = command->n_stages,
				       .stages = stages,
				       .n_fds = 3,
				       .side = true,
				       .directory = directory};
	int null, failed;

	if (command->n_stages > KEEPER_MAX_STAGES)
		return error_set(err, EXIT_CODE_USAGE, "a pipeline of %zu stages; %d is the most",
				 command->n_stages, KEEPER_MAX_STAGES);
	if (limit(plan, conductor->keeper, &request, err))
		return -1;
	for (size_t i = 0; i < command->n_stages; i++)
		stages[i] = (struct keeper_stage){command->stages[i].file, command->stages[i].argv};
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	request.fds[0] = null;
	request.fds[1] = output_fd >= 0 ? output_fd : null;
	request.fds[2] = log_fd;
	request.environment = identity_environment(request.identity, command->environment,
						   command->n_environment);
	failed = request.environment ? keeper_spawn(conductor->keeper, &request, side->pids, err)
				     : error_set(err, EXIT_CODE_FAILED, "out of memory");
	strings_free(request.environment);
	close(null);
	if (!failed)
		side->n_pids = command->n_stages;
	return failed;
}

static int make_command(struct side_process *side, const struct round_plan *plan,
			const struct variables *variables, char **directory, struct error *err)
{
	static const struct filter none;
	const struct filter *filter = plan->scenario ? &plan->scenario->filter : &none;

	side->command = target_command(plan->target, filter, variables->list, variables->n, err);
	if (!side->command)
		return -1;
	if (!plan->target->directory)
		return 0;
	*directory = variables_fill(plan->target->directory, variables->list, variables->n, err);
	return *directory ? 0 : -1;
}

int side_prepare(struct side_process *side, struct collector *collector,
		 const struct round_plan *plan, struct variables *variables, const char *round_dir,
		 bool is_server, struct error *err)
{
	struct conductor *conductor = collector->conductor;

	memset(side, 0, sizeof(*side));
	if (asprintf(&side->home, "%s/home", round_dir) < 0) {
		side->home = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	if (name_log(side, plan, is_server, err))
		return -1;
	if (collect(variables, side, conductor, plan))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	return prepare_home(side, conductor, plan->target, variables, err);
}

int side_start(struct side_process *side, struct collector *collector,
	       const struct round_plan *plan, const struct variables *variables, int output_fd,
	       bool is_server, struct error *err)
{
	char *directory = NULL;
	int log_fd = -1, failed = -1;

	if (!plan->target->n_command)
		return 0;
	if (make_command(side, plan, variables, &directory, err) ||
	    set_up(side, collector, plan->target, variables, err))
		goto out;
	log_fd = log_append(collector->conductor, side->log_name, err);
	if (log_fd < 0)
		goto out;
	failed = spawn(side, collector->conductor, plan, directory, is_server ? log_fd : output_fd,
		       log_fd, err);
	close(log_fd);
out:
	free(directory);
	return failed;
}

int side_enrol(struct side_process *side, struct collector *collector, struct error *err)
{
	return enrol_held(collector, side->pids, side->n_pids, err);
}

int side_release(struct side_process *side, struct conductor *conductor,
		 const struct round_plan *plan, struct error *err)
{
	size_t stage = 0;

	if (!side->n_pids)
		return 0;
	if (!keeper_release(conductor->keeper, &stage, err))
		return 0;
	if (stage >= side->command->n_stages)
		stage = 0;
	return error_prefix(err, "target '%s' (%s)", plan->target->name,
			    side->command->stages[stage].file);
}

bool side_has_ended(const struct side_process *side, struct conductor *conductor, int *status)
{
	return side->n_pids && keeper_ended(conductor->keeper, side->pids[0], status);
}

void side_last_words(const struct side_process *side, const struct conductor *conductor, char *text,
		     size_t size)
{
	log_last_line(conductor, side->log_name, text, size);
}

void side_clear(struct side_process *side)
{
	command_free(side->command);
	free(side->home);
	free(side->log_name);
	memset(side, 0, sizeof(*side));
}
