/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/utf8.h"

/* For the few calls before the exec; it lies on the driver's own stack, which stands still. */
#define STACK_BYTES 16384

struct start {
	const struct child_plan *plan;
	pid_t parent;
	int failed; /* errno of what kept it from its exec */
};

/* The driver ignores some, and what is ignored stays so through an exec. */
static const int reset_signals[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* On a stack inside another frame, AddressSanitizer's marks would stay behind. */
__attribute__((no_sanitize("address"))) static int run_child(void *argument)
{
	struct start *start = argument;
	const struct child_plan *plan = start->plan;
	sigset_t none;

	for (size_t i = 0; i < sizeof(reset_signals) / sizeof(reset_signals[0]); i++)
		signal(reset_signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) ||
	    dup2(plan->input_fd, STDIN_FILENO) < 0 || dup2(plan->output_fd, STDOUT_FILENO) < 0 ||
	    dup2(plan->output_fd, STDERR_FILENO) < 0) {
		start->failed = errno;
		return 127;
	}
	/* Killed before it could ask to be told: nobody would end this one. */
	if (getppid() != start->parent)
		return 127;
	execve(plan->file, plan->argv, plan->environment);
	start->failed = errno;
	return 127;
}

int child_start(struct child *child, const struct child_plan *plan)
{
	struct start start = {.plan = plan, .parent = getpid()};
	char stack[STACK_BYTES] __attribute__((aligned(16)));
	sigset_t all, before;
	int error = 0, status;

	child->pidfd = -1;
	/* No handler may run in the child, on memory that is the driver's. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	child->pid = clone(run_child, stack + sizeof(stack),
			   CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &child->pidfd);
	if (child->pid < 0)
		error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (error) {
		child->pid = 0;
		return -error;
	}
	if (!start.failed)
		return 0;
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(child->pidfd);
	*child = (struct child){.pidfd = -1};
	return -start.failed;
}

void child_signal(const struct child *child, int number)
{
	if (child->pid)
		kill(-child->pid, number);
}

bool child_reap(struct child *child, int *status)
{
	siginfo_t info = {.si_pid = 0};

	if (!child->pid || waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return false;
	/* While it has not been waited for, its number is nobody else's. */
	kill(-child->pid, SIGKILL);
	if (waitpid(child->pid, status, WNOHANG) != child->pid)
		return false;
	close(child->pidfd);
	*child = (struct child){.pidfd = -1};
	return true;
}

void child_end(struct child *child)
{
	siginfo_t info;
	int status;

	if (!child->pid)
		return;
	child_signal(child, SIGKILL);
	while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	child_reap(child, &status);
}

const char *child_error(int status, int expected, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != expected)
		snprintf(text, size, "exit %d", WEXITSTATUS(status));
	else
		return NULL;
	return text;
}

/* At most 8 bytes a step: a character, or its replacement. */
static size_t clean_character(const char *from, char *to)
{
	uint32_t code;
	size_t n = utf8_decode(from, &code);

	if (n && !utf8_is_control(code)) {
		memcpy(to, from, n);
		to[n] = '\0';
	} else {
		strcpy(to, "?");
	}
	return n ? n : 1;
}

void last_words(const char *text, size_t length, char *out, size_t size)
{
	size_t from, used = 0;
	char line[512], one[8];

	while (length && strchr("\r\n\t ", text[length - 1]))
		length--;
	for (from = length; from && text[from - 1] != '\n'; from--)
		;
	if (length - from >= sizeof(line))
		length = from + sizeof(line) - 1;
	memcpy(line, text + from, length - from);
	line[length - from] = '\0';
	for (const char *at = line; *at;) {
		at += clean_character(at, one);
		if (used + strlen(one) >= size)
			break;
		strcpy(out + used, one);
		used += strlen(one);
	}
	out[used] = '\0';
}

void strings_drop(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static bool is_named(const char *entry, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(entry, name, length) && entry[length] == '=';
}

static bool is_replaced(const char *entry, const struct yaml_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_named(entry, pairs[i].name))
			return true;
	return false;
}

static char *fill_pair(const struct yaml_pair *pair, const struct variable *variables,
		       size_t n_variables, struct error *err)
{
	char *value = variables_fill(pair->value, variables, n_variables, err), *entry = NULL;

	if (value && asprintf(&entry, "%s=%s", pair->name, value) < 0) {
		entry = NULL;
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	free(value);
	return entry;
}

char **child_environment(const struct yaml_pair *pairs, size_t n, const struct variable *variables,
			 size_t n_variables, struct error *err)
{
	size_t room = n, used = 0;
	char **list;

	while (environ[room - n])
		room++;
	list = calloc(room + 1, sizeof(*list));
	if (!list) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	for (char **entry = environ; *entry; entry++)
		if (!is_replaced(*entry, pairs, n) && (list[used] = strdup(*entry)))
			used++;
	for (size_t i = 0; i < n; i++) {
		list[used] = fill_pair(&pairs[i], variables, n_variables, err);
		if (!list[used++]) {
			strings_drop(list);
			return NULL;
		}
	}
	return list;
}

int null_open(void)
{
	int fd;

	/* What is lower stays: a standard descriptor that was closed would be taken by a pipe. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -errno : fd;
}
