/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands that are run again and again: each is a request of the load engine. */
#include "drive/exec/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drive/child.h"

/* Kept of a run's output; what is beyond is read and counted. */
#define OUTPUT_KEPT (64 * 1024) /* where something is expected of it, */
#define WORDS_KEPT  1024        /* and where it is for people only */
#define READ_BYTES  (16 * 1024)
#define READS_MAX   64 /* at a time: others wait */

/* What the load engine keeps of a user. */
struct run {
	const struct exec_plan *plan;
	struct template_values values;
	struct child child;
	int output_fd; /* -1: at its end */
	size_t length, capacity;
	char *output; /* with room for a NUL */
	uint64_t bytes;
};

struct exec {
	struct exec_plan *plans;
	size_t n_plans;
	char (*first_errors)[320]; /* of each plan, for people */
	int null_fd;
	/* Killed, and not yet gone. */
	size_t n_dying, dying_room;
	struct child *dying;
};

/* --- those that were given up ------------------------------------------------ */

static void reap_dying(struct exec *exec)
{
	size_t kept = 0;
	int status;

	for (size_t i = 0; i < exec->n_dying; i++)
		if (!child_reap(&exec->dying[i], &status))
			exec->dying[kept++] = exec->dying[i];
	exec->n_dying = kept;
}

static void add_dying(struct exec *exec, struct child *child)
{
	if (exec->n_dying == exec->dying_room) {
		size_t room = exec->dying_room ? 2 * exec->dying_room : 16;
		struct child *larger = realloc(exec->dying, room * sizeof(*larger));

		if (!larger) {
			child_end(child);
			return;
		}
		exec->dying = larger;
		exec->dying_room = room;
	}
	exec->dying[exec->n_dying++] = *child;
	*child = (struct child){.pidfd = -1};
}

/* --- a run ------------------------------------------------------------------- */

/* The file that the program reads: the scenario's text, or nothing. -errno. */
static int open_input(const struct exec *exec, const struct run *run)
{
	const struct template *input = &run->plan->input;
	size_t length;
	char *text;
	int fd;

	if (!input->text)
		return exec->null_fd;
	text = malloc(input->size);
	if (!text)
		return -ENOMEM;
	length = (size_t)(template_fill(input, &run->values, text) - text) - 1;
	fd = memfd_create("perfbpf-stdin", MFD_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	else if (write(fd, text, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		fd = -ENOSPC;
	}
	free(text);
	return fd;
}

static int open_output(struct run *run, int *write_fd)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	/* Only the driver's end: the program's is as programs know it. */
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK)) {
		int failed = -errno;

		close(fds[0]);
		close(fds[1]);
		return failed;
	}
	run->output_fd = fds[0];
	*write_fd = fds[1];
	return 0;
}

static int make_room(struct run *run)
{
	size_t wanted = exec_plan_reads_output(run->plan) ? OUTPUT_KEPT : WORDS_KEPT;
	char *larger;

	run->length = 0;
	run->bytes = 0;
	if (run->capacity >= wanted)
		return 0;
	larger = realloc(run->output, wanted + 1);
	if (!larger)
		return -ENOMEM;
	run->output = larger;
	run->capacity = wanted;
	return 0;
}

/* 0, or the -errno of what kept it from its start; nothing is open then. */
static int start(const struct exec *exec, struct run *run)
{
	struct child_plan plan = {.file = run->plan->file, .environment = run->plan->environment};
	char **argv = exec_plan_argv(run->plan, &run->values);
	int failed = argv ? make_room(run) : -ENOMEM, write_fd = -1;

	plan.argv = argv;
	plan.input_fd = failed ? failed : open_input(exec, run);
	failed = plan.input_fd < 0 ? plan.input_fd : open_output(run, &write_fd);
	if (!failed) {
		plan.output_fd = write_fd;
		failed = child_start(&run->child, &plan);
		close(write_fd);
		if (failed) {
			close(run->output_fd);
			run->output_fd = -1;
		}
	}
	if (plan.input_fd >= 0 && plan.input_fd != exec->null_fd)
		close(plan.input_fd);
	free(argv);
	return failed;
}

static void close_output(struct load_user *user, struct run *run)
{
	if (run->output_fd < 0)
		return;
	load_unwatch(user, run->output_fd);
	close(run->output_fd);
	run->output_fd = -1;
}

/* What is there of the output. */
static void read_output(struct load_user *user, struct run *run)
{
	char rest[READ_BYTES];

	for (int i = 0; i < READS_MAX && run->output_fd >= 0; i++) {
		size_t room = run->capacity - run->length;
		char *to = room ? run->output + run->length : rest;
		ssize_t n = read(run->output_fd, to, room ? room : sizeof(rest));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_output(user, run);
			return;
		}
		run->bytes += (uint64_t)n;
		if (room)
			run->length += (size_t)n;
	}
}

/* As C has it: texts have no NUL. */
static void finish_output(struct run *run)
{
	for (size_t i = 0; i < run->length; i++)
		if (!run->output[i])
			run->output[i] = ' ';
	run->output[run->length] = '\0';
}

/* The first error of each command is told with the last line that it printed. */
static void keep_error(struct exec *exec, const struct run *run, const char *error)
{
	char *to = exec->first_errors[run->plan - exec->plans], words[160];

	if (*to)
		return;
	last_words(run->output, run->length, words, sizeof(words));
	snprintf(to, sizeof(exec->first_errors[0]), "command '%.60s' first failed with '%.40s'%s%s",
		 run->plan->command->name, error, *words ? "; it said: " : "", words);
}

static void judge(struct exec *exec, struct load_user *user, struct run *run, int status)
{
	struct load_outcome outcome = {.bytes = run->bytes};
	char text[32];

	finish_output(run);
	outcome.error = child_error(status, run->plan->command->expect_exit, text, sizeof(text));
	if (!outcome.error && !exec_plan_expects(run->plan, &run->values, run->output))
		outcome.error = "output";
	if (outcome.error)
		keep_error(exec, run, outcome.error);
	load_done(user, &outcome);
}

/* --- the engine's protocol ------------------------------------------------------ */

static int exec_begin(void *context, struct load_user *user, size_t kind, struct error *err)
{
	struct exec *exec = context;
	struct run *run = load_user_state(user);
	int failed;

	reap_dying(exec);
	run->plan = &exec->plans[kind];
	run->values = (struct template_values){
		.iteration = load_user_iteration(user),
		.user = load_user_number(user),
		.random = load_user_random(user),
	};
	failed = start(exec, run);
	if (failed == -ENOMEM)
		return error_set(err, EXIT_CODE_FAILED, "exec: out of memory");
	if (failed) {
		struct load_outcome outcome = {.error = "start"};

		run->length = 0;
		keep_error(exec, run, strerror(-failed));
		load_done(user, &outcome);
		return 0;
	}
	failed = load_watch(user, run->child.pidfd, EPOLLIN);
	if (!failed)
		failed = load_watch(user, run->output_fd, EPOLLIN);
	return failed ? error_set(err, EXIT_CODE_FAILED, "exec: cannot watch a command: %s",
				  strerror(-failed))
		      : 0;
}

static int exec_ready(void *context, struct load_user *user, int fd, uint32_t events,
		      struct error *err)
{
	struct run *run = load_user_state(user);
	int status;

	(void)events;
	(void)err;
	if (!run->child.pid)
		return 0;
	read_output(user, run);
	if (fd != run->child.pidfd)
		return 0;
	load_unwatch(user, fd);
	if (!child_reap(&run->child, &status)) {
		load_watch(user, fd, EPOLLIN);
		return 0;
	}
	close_output(user, run);
	judge(context, user, run, status);
	return 0;
}

static void exec_give_up(void *context, struct load_user *user)
{
	struct run *run = load_user_state(user);
	struct exec *exec = context;

	if (!run->child.pid)
		return;
	read_output(user, run);
	close_output(user, run);
	keep_error(exec, run, "timeout");
	load_unwatch(user, run->child.pidfd);
	child_signal(&run->child, SIGKILL);
	add_dying(exec, &run->child);
}

static void exec_user_close(void *context, struct load_user *user)
{
	struct run *run = load_user_state(user);

	(void)context;
	free(run->output);
	run->output = NULL;
}

static const struct load_protocol protocol = {
	.user_size = sizeof(struct run),
	.begin = exec_begin,
	.ready = exec_ready,
	.give_up = exec_give_up,
	.close = exec_user_close,
};

/* --- the driver -------------------------------------------------------------------- */

static int check_command(const struct exec_command *command, size_t i, struct error *err)
{
	regex_t regex;
	int failed;

	if (!command->n_command)
		return error_set(err, EXIT_CODE_USAGE,
				 "exec.commands[%zu].command: has no program; write [program, "
				 "argument]",
				 i);
	if (!command->expect_regex)
		return 0;
	failed = regcomp(&regex, command->expect_regex, REG_EXTENDED | REG_NOSUB);
	if (!failed) {
		regfree(&regex);
		return 0;
	}
	return error_set(err, EXIT_CODE_USAGE,
			 "exec.commands[%zu].expect_regex: '%.200s' is no extended regular "
			 "expression",
			 i, command->expect_regex);
}

static int exec_kinds(const void *object, struct load_kind **kinds, size_t *n, struct error *err)
{
	const struct exec_config *config = object;

	if (!config->n_commands)
		return error_set(err, EXIT_CODE_USAGE,
				 "exec.commands: has no command; write {name: …, command: "
				 "[program, argument]}");
	*kinds = calloc(config->n_commands, sizeof(**kinds));
	if (!*kinds)
		return error_set(err, EXIT_CODE_FAILED, "exec: out of memory");
	*n = config->n_commands;
	for (size_t i = 0; i < *n; i++) {
		(*kinds)[i] =
			(struct load_kind){config->commands[i].name, config->commands[i].weight};
		if (check_command(&config->commands[i], i, err))
			return -1;
	}
	return 0;
}

static void exec_context_close(void *context)
{
	struct exec *exec = context;

	if (!exec)
		return;
	for (size_t i = 0; i < exec->n_dying; i++)
		child_end(&exec->dying[i]);
	for (size_t i = 0; i < exec->n_plans; i++)
		exec_plan_clear(&exec->plans[i]);
	if (exec->null_fd >= 0)
		close(exec->null_fd);
	free(exec->dying);
	free(exec->first_errors);
	free(exec->plans);
	free(exec);
}

static int make_plans(struct exec *exec, const struct exec_config *config,
		      const struct variable *variables, size_t n_variables, struct error *err)
{
	exec->plans = calloc(config->n_commands, sizeof(*exec->plans));
	exec->first_errors = calloc(config->n_commands, sizeof(*exec->first_errors));
	if (!exec->plans || !exec->first_errors)
		return error_set(err, EXIT_CODE_FAILED, "exec: out of memory");
	exec->null_fd = null_open();
	if (exec->null_fd < 0)
		return error_set(err, EXIT_CODE_FAILED, "exec: cannot open /dev/null: %s",
				 strerror(-exec->null_fd));
	while (exec->n_plans < config->n_commands) {
		size_t i = exec->n_plans++;

		if (exec_plan_make(&exec->plans[i], &config->commands[i], variables, n_variables,
				   err))
			return -1;
	}
	return 0;
}

static void *exec_connect(const struct driver_context *context, const struct variable *variables,
			  size_t n_variables, struct error *err)
{
	struct exec *exec = calloc(1, sizeof(*exec));

	if (!exec) {
		error_set(err, EXIT_CODE_FAILED, "exec: out of memory");
		return NULL;
	}
	exec->null_fd = -1;
	if (!make_plans(exec, context->scenario->driver_config, variables, n_variables, err))
		return exec;
	error_prefix(err, "%s", context->scenario->path);
	exec_context_close(exec);
	return NULL;
}

static void exec_report(void *context, json_t *report)
{
	const struct exec *exec = context;
	json_t *notes = json_object_get(report, "notes");

	if (!notes) {
		notes = json_array();
		json_object_set_new(report, "notes", notes);
	}
	for (size_t i = 0; i < exec->n_plans; i++)
		if (*exec->first_errors[i])
			json_array_append_new(notes, json_string(exec->first_errors[i]));
}

static void exec_print_usage(const void *context, FILE *out)
{
	const struct exec *exec = context;

	for (size_t i = 0; i < exec->n_plans; i++)
		fprintf(out, "%s: %s\n", exec->plans[i].command->name, exec->plans[i].file);
}

static const struct load_driver_ops ops = {
	.name = "exec",
	.protocol = &protocol,
	.kinds = exec_kinds,
	.connect = exec_connect,
	.report = exec_report,
	.print_usage = exec_print_usage,
	.close = exec_context_close,
};

static struct driver *exec_open(const struct driver_context *context, struct error *err)
{
	return load_driver_open(&ops, context, err);
}

/* Of each request. */
static const char *const own_variables[] = {"iteration", "user", "random", NULL};

const struct driver_ops driver_exec = {
	.name = "exec",
	.description =
		"commands, repeated by virtual users or at a rate, each timed from exec to exit",
	.schema = &exec_schema,
	.open = exec_open,
	.times_children = true,
	.runs_programs = true,
	.kinds = exec_kinds,
	.own_variables = own_variables,
	LOAD_DRIVER_FUNCTIONS,
};
