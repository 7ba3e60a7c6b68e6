/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/file.h"

#define MAX_VARIABLES 48

struct variables {
	struct variable list[MAX_VARIABLES];
	size_t n;
};

static void add(struct variables *variables, const char *name, const char *value)
{
	if (variables->n < MAX_VARIABLES)
		variables->list[variables->n++] = (struct variable){name, value};
}

static void collect(struct variables *variables, const struct side_process *side,
		    const struct conductor *conductor, const struct driver_process *driver)
{
	const struct variable *from;
	size_t n = 0;

	variables->n = 0;
	add(variables, "home", side->home);
	add(variables, "user", conductor->identity.name);
	if (!driver)
		return;
	from = driver_process_variables(driver, &n);
	for (size_t i = 0; i < n; i++)
		add(variables, from[i].name, from[i].value);
}

int side_check(const struct target *target, const struct scenario *scenario, const char *kubeconfig,
	       struct error *err)
{
	/* The last three are the embedded API's. */
	static const char *const names[] = {"home",      "user",     "kubeconfig",
					    "namespace", "selector", "container",
					    "port",      "url",      "pods_glob"};
	static const struct filter none;
	size_t n = sizeof(names) / sizeof(names[0]) - (kubeconfig ? 3 : 0);
	struct variables variables = {.n = 0};
	struct command *command;

	for (size_t i = 0; i < n; i++)
		add(&variables, names[i], "x");
	command = target_command(target, scenario ? &scenario->filter : &none, variables.list,
				 variables.n, err);
	if (!command)
		return kubeconfig ? error_prefix(err, "--kubeconfig %s", kubeconfig) : -1;
	command_free(command);
	return 0;
}

/* A file that the tool wants to find in its HOME. */
static int write_file(const struct side_process *side, const struct target_file *file,
		      const struct variables *variables, struct error *err)
{
	char *path = NULL, *text, *slash;
	int fd = -1, failed = -1;

	text = variables_fill(file->text, variables->list, variables->n, err);
	if (!text)
		return -1;
	if (asprintf(&path, "%s/%s", side->home, file->path) < 0) {
		free(text);
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	slash = strrchr(path, '/');
	*slash = 0;
	failed = dir_make(path, 0700);
	*slash = '/';
	if (!failed) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		failed = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text);
	}
	if (failed)
		error_set(err, EXIT_CODE_FAILED, "cannot write %s for the target: %s", path,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	free(text);
	return failed ? -1 : 0;
}

static int prepare_home(struct side_process *side, const struct target *target,
			const struct variables *variables, struct error *err)
{
	if (mkdir(side->home, 0700) && errno != EEXIST)
		return error_set(err, EXIT_CODE_FAILED, "cannot make %s: %s", side->home,
				 strerror(errno));
	for (size_t i = 0; i < target->n_files; i++)
		if (write_file(side, &target->files[i], variables, err))
			return -1;
	return 0;
}

static int open_log(struct side_process *side, struct conductor *conductor,
		    const struct round_plan *plan, struct error *err)
{
	if (asprintf(&side->log_name, "logs/pair%d-%c.stderr", plan->pair,
		     plan->side == SIDE_A ? 'A' : 'B') < 0) {
		side->log_name = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	return results_create(conductor->results, side->log_name, err);
}

static int spawn(struct side_process *side, struct conductor *conductor, int output_fd, int log_fd,
		 struct error *err)
{
	const struct command *command = side->command;
	struct keeper_stage stages[KEEPER_MAX_STAGES];
	struct keeper_spawn request = {.identity = &conductor->identity,
				       .n_stages = command->n_stages,
				       .stages = stages,
				       .n_fds = 3,
				       .side = true};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), failed;

	if (command->n_stages > KEEPER_MAX_STAGES)
		return error_set(err, EXIT_CODE_USAGE, "a pipeline of %zu stages; %d is the most",
				 command->n_stages, KEEPER_MAX_STAGES);
	for (size_t i = 0; i < command->n_stages; i++)
		stages[i] = (struct keeper_stage){command->stages[i].file, command->stages[i].argv};
	request.fds[0] = null;
	request.fds[1] = output_fd >= 0 ? output_fd : null;
	request.fds[2] = log_fd;
	request.environment = identity_environment(&conductor->identity, command->environment,
						   command->n_environment);
	failed = request.environment ? keeper_spawn(conductor->keeper, &request, side->pids, err)
				     : error_set(err, EXIT_CODE_FAILED, "out of memory");
	strings_free(request.environment);
	close(null);
	if (!failed)
		side->n_pids = command->n_stages;
	return failed;
}

int side_start(struct side_process *side, struct conductor *conductor,
	       const struct round_plan *plan, const struct driver_process *driver,
	       const char *round_dir, int output_fd, struct error *err)
{
	static const struct filter none;
	const struct filter *filter = plan->scenario ? &plan->scenario->filter : &none;
	struct variables variables;
	int log_fd, failed;

	memset(side, 0, sizeof(*side));
	if (asprintf(&side->home, "%s/home", round_dir) < 0) {
		side->home = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	collect(&variables, side, conductor, driver);
	side->command = target_command(plan->target, filter, variables.list, variables.n, err);
	if (!side->command || prepare_home(side, plan->target, &variables, err))
		return -1;
	log_fd = open_log(side, conductor, plan, err);
	if (log_fd < 0)
		return -1;
	failed = spawn(side, conductor, output_fd, log_fd, err);
	close(log_fd);
	return failed;
}

int side_enrol(struct side_process *side, struct collector *collector, struct error *err)
{
	struct probe *probe = collector->conductor->probe;

	for (size_t i = 0; i < side->n_pids; i++) {
		int pidfd = (int)syscall(SYS_pidfd_open, side->pids[i], 0), failed;

		if (pidfd < 0)
			return error_set(err, EXIT_CODE_FAILED, "the side ended before it ran: %s",
					 strerror(errno));
		failed = probe_enrol(probe, pidfd, getpid(), err);
		close(pidfd);
		if (failed < 0)
			return -1;
	}
	collector_drain(collector);
	for (size_t i = 0; i < side->n_pids; i++)
		tree_set_held(collector->tree, side->pids[i]);
	return 0;
}

int side_release(struct side_process *side, struct conductor *conductor,
		 const struct round_plan *plan, struct error *err)
{
	size_t stage = 0;

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
	char tail[1024], *line;
	ssize_t n = 0;
	int fd;

	text[0] = 0;
	if (!side->log_name)
		return;
	fd = openat(conductor->results->dirfd, side->log_name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (lseek(fd, -(off_t)(sizeof(tail) - 1), SEEK_END) < 0)
		lseek(fd, 0, SEEK_SET);
	n = read(fd, tail, sizeof(tail) - 1);
	close(fd);
	while (n > 0 && (tail[n - 1] == '\n' || tail[n - 1] == '\r' || tail[n - 1] == ' '))
		n--;
	if (n <= 0)
		return;
	tail[n] = 0;
	line = strrchr(tail, '\n');
	snprintf(text, size, "%s", line ? line + 1 : tail);
}

void side_clear(struct side_process *side)
{
	command_free(side->command);
	free(side->home);
	free(side->log_name);
	memset(side, 0, sizeof(*side));
}
