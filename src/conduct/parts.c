/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conduct/ready.h"
#include "util/clock.h"

#define END_GRACE_NS (3 * NSEC_PER_SEC)
#define SETUP_NS     (5 * 60 * NSEC_PER_SEC)

int enrol_held(struct collector *collector, const pid_t *pids, size_t n, struct error *err)
{
	struct probe *probe = collector->conductor->probe;

	for (size_t i = 0; i < n; i++) {
		int pidfd = (int)syscall(SYS_pidfd_open, pids[i], 0), failed;

		if (pidfd < 0)
			return error_set(err, EXIT_CODE_FAILED, "the side ended before it ran: %s",
					 strerror(errno));
		failed = probe_enrol(probe, pidfd, getpid(), err);
		close(pidfd);
		if (failed < 0)
			return -1;
	}
	collector_drain(collector);
	for (size_t i = 0; i < n; i++)
		tree_set_held(collector->tree, pids[i]);
	return 0;
}

struct part *parts_find(struct parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->n; i++)
		if (!strcmp(parts->list[i].component->name, name))
			return &parts->list[i];
	return NULL;
}

struct part *parts_ended(struct parts *parts, const struct faults *faults, int *status)
{
	for (size_t i = 0; i < parts->n; i++) {
		struct part *part = &parts->list[i];

		if (!part->pid || !part->is_ready ||
		    (faults && faults_have_ended(faults, part->component->name)))
			continue;
		if (keeper_ended(parts->collector->conductor->keeper, part->pid, status))
			return part;
	}
	return NULL;
}

static const struct identity *identity_of(const struct parts *parts, const struct part *part)
{
	return conductor_user(parts->collector->conductor, part->component->user);
}

static int put_files(const struct parts *parts, const struct part *part, struct error *err)
{
	struct keeper *keeper = parts->collector->conductor->keeper;
	int failed = 0;

	for (size_t i = 0; i < part->component->n_files && !failed; i++) {
		const struct target_file *file = &part->component->files[i];
		char *path = NULL, *text = variables_fill(file->text, parts->variables->list,
							  parts->variables->n, err);

		if (!text)
			return -1;
		if (asprintf(&path, "%s/%s", part->dir, file->path) < 0)
			path = NULL;
		failed = path ? keeper_put_file(keeper, path, text, identity_of(parts, part), err)
			      : error_set(err, EXIT_CODE_FAILED, "out of memory");
		free(path);
		free(text);
	}
	return failed;
}

/* Its working folder, filled in; to be freed. */
static char *directory_of(const struct parts *parts, const struct part *part, struct error *err)
{
	const char *text = part->component->directory;

	return text ? variables_fill(text, parts->variables->list, parts->variables->n, err)
		    : strdup(part->dir);
}

static int spawn(struct parts *parts, struct part *part, const struct command *command,
		 const char *directory, struct error *err)
{
	const struct component *component = part->component;
	struct conductor *conductor = parts->collector->conductor;
	struct keeper_stage stage = {command->stages[0].file, command->stages[0].argv};
	struct keeper_spawn request = {.identity = identity_of(parts, part),
				       .n_stages = 1,
				       .stages = &stage,
				       .n_fds = 3,
				       .side = part->is_measured,
				       .directory = directory,
				       .cpus = component->cpus};
	int null, log, failed = -1;

	if (!isnan(component->limits.cpus) || component->limits.memory_bytes) {
		request.group =
			keeper_group(conductor->keeper, component->name, &component->limits, err);
		if (request.group < 0)
			return -1;
	}
	log = log_append(conductor, part->log_name, err);
	if (log < 0)
		return -1;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	request.fds[0] = null;
	request.fds[1] = request.fds[2] = log;
	request.environment = identity_environment(request.identity, command->environment,
						   command->n_environment);
	part->pid = 0;
	failed = request.environment ? keeper_spawn(conductor->keeper, &request, &part->pid, err)
				     : error_set(err, EXIT_CODE_FAILED, "out of memory");
	strings_free(request.environment);
	close(null);
	close(log);
	return failed;
}

/* One that is measured is a member before it runs. */
static int run(struct parts *parts, struct part *part, struct error *err)
{
	const struct component *component = part->component;
	const struct variables *variables = parts->variables;
	char *directory = directory_of(parts, part, err);
	struct command *command =
		directory ? command_of_words(component->command, component->n_command,
					     component->environment, component->n_environment,
					     variables->list, variables->n, err)
			  : NULL;
	size_t stage;
	int failed = command ? spawn(parts, part, command, directory, err) : -1;

	if (!failed && part->is_measured)
		failed = enrol_held(parts->collector, &part->pid, 1, err) ||
			 keeper_release(parts->collector->conductor->keeper, &stage, err);
	command_free(command);
	free(directory);
	return failed ? -1 : 0;
}

static int run_and_wait(struct parts *parts, struct part *part, struct error *err)
{
	const struct component *component = part->component;
	char what[160], setup[200];
	struct ready_subject subject = {.what = what, .log_name = part->log_name};
	struct hook_setting setting = {
		.collector = parts->collector,
		.variables = parts->variables,
		.identity = identity_of(parts, part),
		.directory = part->dir,
		.environment = component->environment,
		.n_environment = component->n_environment,
		.log_name = part->log_name,
		.what = setup,
		.timeout_ns = SETUP_NS,
	};

	snprintf(what, sizeof(what), "component '%.100s'", component->name);
	snprintf(setup, sizeof(setup), "%s, ready", what);
	if (ready_check_free(&component->ready, what, parts->variables, err))
		return -1;
	if (run(parts, part, err))
		return error_prefix(err, "%s", what);
	subject.pid = part->pid;
	if (ready_wait(&component->ready, &subject, &setting, err))
		return -1;
	part->is_ready = true;
	return 0;
}

int part_restart(struct parts *parts, struct part *part, struct error *err)
{
	return run(parts, part, err);
}

static int start(struct parts *parts, struct part *part, struct error *err)
{
	const struct component *component = part->component;
	struct conductor *conductor = parts->collector->conductor;
	char name[200], what[160];
	struct hook_setting setup = {
		.collector = parts->collector,
		.variables = parts->variables,
		.identity = identity_of(parts, part),
		.environment = component->environment,
		.n_environment = component->n_environment,
		.what = what,
		.timeout_ns = SETUP_NS,
	};

	snprintf(name, sizeof(name), "dir.%.150s", component->name);
	snprintf(what, sizeof(what), "component '%.100s', setup", component->name);
	part->dir = strdup(variables_get(parts->variables, name));
	if (!part->dir || asprintf(&part->log_name, "logs/pair%d-%c.%s.log", parts->plan->pair,
				   parts->plan->side == SIDE_A ? 'A' : 'B', component->name) < 0) {
		part->log_name = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	setup.log_name = part->log_name;
	setup.directory = part->dir;
	progress_phase(&conductor->progress, component->name, 0);
	if (keeper_make_dir(conductor->keeper, part->dir, setup.identity, err) ||
	    put_files(parts, part, err) ||
	    hooks_run(&setup, component->setup, component->n_setup, err))
		return -1;
	if (conductor->interrupted)
		return 0;
	return run_and_wait(parts, part, err);
}

int parts_start(struct parts *parts, struct collector *collector, const struct variables *variables,
		const struct round_plan *plan, struct error *err)
{
	const struct scenario *scenario = plan->scenario;
	size_t of_scenario = scenario ? scenario->n_components : 0;
	size_t n = of_scenario + plan->target->n_components;

	parts->collector = collector;
	parts->variables = variables;
	parts->plan = plan;
	parts->list = calloc(n + 1, sizeof(*parts->list));
	if (!parts->list)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; i < n && !collector->conductor->interrupted; i++) {
		struct part *part = &parts->list[parts->n++];

		part->component = i < of_scenario ? &scenario->components[i]
						  : &plan->target->components[i - of_scenario];
		/* All that a target brings along is what it costs to have it. */
		part->is_measured = i >= of_scenario || part->component->measured;
		if (start(parts, part, err))
			return -1;
	}
	return 0;
}

void parts_end(struct parts *parts)
{
	for (size_t i = parts->n; i-- > 0;) {
		struct part *part = &parts->list[i];

		if (part->pid && !part->is_measured)
			keeper_end_helper(parts->collector->conductor->keeper, part->pid,
					  END_GRACE_NS);
	}
}

void parts_clear(struct parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		if (parts->list[i].dir)
			keeper_remove_dir(parts->collector->conductor->keeper, parts->list[i].dir);
		free(parts->list[i].dir);
		free(parts->list[i].log_name);
	}
	free(parts->list);
	memset(parts, 0, sizeof(*parts));
}

int parts_check(const struct component *components, size_t n, const struct variables *variables,
		const char *of, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct component *component = &components[i];
		struct command *command = command_of_words(
			component->command, component->n_command, component->environment,
			component->n_environment, variables->list, variables->n, err);

		if (!command)
			return error_prefix(err, "%s, component '%s'", of, component->name);
		command_free(command);
	}
	return 0;
}
