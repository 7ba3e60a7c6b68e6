/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/units.h"
#include "util/utf8.h"

#define END_GRACE_NS NSEC_PER_SEC

int log_append(struct conductor *conductor, const char *name, struct error *err)
{
	int fd = openat(conductor->results->dirfd, name, O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd >= 0 ? fd : results_create(conductor->results, name, err);
}

/* Anything may be in a log, and the text goes to a terminal. */
static void clean(char *text)
{
	for (char *at = text; *at;) {
		uint32_t code = 0;
		size_t n = utf8_decode(at, &code);

		if (!n || utf8_is_control(code))
			memset(at, ' ', n ? n : 1);
		at += n ? n : 1;
	}
}

void log_last_line(const struct conductor *conductor, const char *name, char *text, size_t size)
{
	char tail[1024], *line;
	ssize_t n = 0;
	int fd;

	text[0] = '\0';
	if (!name)
		return;
	fd = openat(conductor->results->dirfd, name, O_RDONLY | O_CLOEXEC);
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
	tail[n] = '\0';
	line = strrchr(tail, '\n');
	snprintf(text, size, "%s", line ? line + 1 : tail);
	clean(text);
}

/* A command under way. */
struct running {
	struct keeper *keeper;
	pid_t pid;
	int status;
};

static bool has_ended(void *context)
{
	struct running *running = context;

	return keeper_ended(running->keeper, running->pid, &running->status);
}

static int spawn(const struct hook_setting *setting, const struct command *command, pid_t *pid,
		 struct error *err)
{
	struct conductor *conductor = setting->collector->conductor;
	struct keeper_stage stage = {command->stages[0].file, command->stages[0].argv};
	struct keeper_spawn request = {.identity = setting->identity,
				       .n_stages = 1,
				       .stages = &stage,
				       .n_fds = 3,
				       .directory = setting->directory};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = log_append(conductor, setting->log_name, err), failed = -1;

	request.fds[0] = null;
	request.fds[1] = request.fds[2] = log;
	request.environment = identity_environment(setting->identity, command->environment,
						   command->n_environment);
	if (log >= 0)
		failed = request.environment ? keeper_spawn(conductor->keeper, &request, pid, err)
					     : error_set(err, EXIT_CODE_FAILED, "out of memory");
	strings_free(request.environment);
	close(null);
	if (log >= 0)
		close(log);
	return failed;
}

int hook_run(const struct hook_setting *setting, char *const *words, size_t n, struct error *err)
{
	struct running running = {.keeper = setting->collector->conductor->keeper};
	struct command *command =
		command_of_words(words, n, setting->environment, setting->n_environment,
				 setting->variables->list, setting->variables->n, err);
	enum collector_result result = COLLECTOR_FAILED;
	char limit[32];

	if (!command)
		return error_prefix(err, "%s", setting->what);
	if (!spawn(setting, command, &running.pid, err)) {
		result = collector_wait(setting->collector, clock_now_ns() + setting->timeout_ns,
					has_ended, &running, err);
		if (result != COLLECTOR_DONE)
			keeper_end_helper(running.keeper, running.pid, END_GRACE_NS);
		keeper_forget(running.keeper, running.pid);
		if (result == COLLECTOR_TIMEOUT)
			error_set(err, EXIT_CODE_FAILED,
				  "%s: '%s' did not end within %s; what it said is in %s",
				  setting->what, command->stages[0].file,
				  format_duration_ns(limit, sizeof(limit), setting->timeout_ns),
				  setting->log_name);
	}
	command_free(command);
	/* What asks for the end is no failure: whoever goes on from here looks for it. */
	if (result == COLLECTOR_INTERRUPTED)
		return 0;
	if (result != COLLECTOR_DONE)
		return -1;
	return WIFEXITED(running.status) ? WEXITSTATUS(running.status)
					 : EXIT_CODE_SIGNAL_BASE + WTERMSIG(running.status);
}

int hooks_run(const struct hook_setting *setting, const struct yaml_strings *commands, size_t n,
	      struct error *err)
{
	struct conductor *conductor = setting->collector->conductor;
	char words[300];

	for (size_t i = 0; i < n && !conductor->interrupted; i++) {
		int code = hook_run(setting, commands[i].strings, commands[i].n, err);

		if (code < 0)
			return -1;
		if (!code)
			continue;
		log_last_line(conductor, setting->log_name, words, sizeof(words));
		return error_set(err, EXIT_CODE_FAILED,
				 "%s: '%s' ended with exit code %d: %s%s; all of it is in %s/%s",
				 setting->what, commands[i].strings[0], code,
				 words[0] ? "it last said: " : "it said nothing", words,
				 conductor->results->path, setting->log_name);
	}
	return 0;
}
