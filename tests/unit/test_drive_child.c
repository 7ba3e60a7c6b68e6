/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs that a driver starts: their end, their group, their environment, and nothing left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive/child.h"

#define PATIENCE_MS 10000

static int null_fd;

static int setup(void **state)
{
	(void)state;
	null_fd = null_open();
	return null_fd > STDERR_FILENO ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	close(null_fd);
	return 0;
}

/* Starts `sh -c @script` with its output in a pipe, whose read end it returns. */
static int start_shell(struct child *child, const char *script)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
	struct child_plan plan = {
		.file = "/bin/sh", .argv = argv, .environment = environ, .input_fd = null_fd};
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	plan.output_fd = fds[1];
	assert_int_equal(child_start(child, &plan), 0);
	close(fds[1]);
	return fds[0];
}

static void wait_end(const struct child *child)
{
	struct pollfd fd = {.fd = child->pidfd, .events = POLLIN};

	assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
}

static const char *error_of(const char *script, int expected)
{
	static char text[32];
	struct child child;
	int output = start_shell(&child, script), status;
	const char *error;

	wait_end(&child);
	assert_true(child_reap(&child, &status));
	assert_int_equal(child.pid, 0);
	error = child_error(status, expected, text, sizeof(text));
	close(output);
	return error;
}

static void ends_are_told_apart(void **state)
{
	(void)state;
	assert_null(error_of("exit 0", 0));
	assert_string_equal(error_of("exit 3", 0), "exit 3");
	assert_null(error_of("exit 3", 3));
	assert_string_equal(error_of("exit 0", 3), "exit 0");
	assert_string_equal(error_of("kill -9 $$", 0), "signal 9");
}

static void one_that_runs_has_no_end(void **state)
{
	struct child child;
	int output = start_shell(&child, "sleep 100"), status;

	(void)state;
	assert_false(child_reap(&child, &status));
	child_end(&child);
	assert_int_equal(child.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	close(output);
}

static void what_cannot_be_executed_leaves_nothing(void **state)
{
	char *argv[] = {(char *)"nothing", NULL};
	struct child_plan plan = {.file = "/nonexistent/nothing",
				  .argv = argv,
				  .environment = environ,
				  .input_fd = null_fd,
				  .output_fd = null_fd};
	struct child child;

	(void)state;
	assert_int_equal(child_start(&child, &plan), -ENOENT);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.pidfd, -1);
	plan.file = "/etc/passwd";
	assert_int_equal(child_start(&child, &plan), -EACCES);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The pipe is at its end only when nobody holds it any more. */
static void what_it_leaves_in_its_group_ends_with_it(void **state)
{
	struct child child;
	int output = start_shell(&child, "sleep 100 & exit 0"), status;
	struct pollfd fd = {.fd = output, .events = POLLIN};
	char byte;

	(void)state;
	wait_end(&child);
	assert_true(child_reap(&child, &status));
	assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
	assert_int_equal(read(output, &byte, 1), 0);
	close(output);
}

static void it_begins_with_signals_as_they_are_by_default(void **state)
{
	struct child child;
	char text[4096];
	ssize_t n;
	int output, status;
	unsigned long long ignored = 1, blocked = 1;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	output = start_shell(&child, "exec cat /proc/self/status");
	wait_end(&child);
	n = read(output, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_true(child_reap(&child, &status));
	assert_int_equal(sscanf(strstr(text, "SigIgn:"), "SigIgn: %llx", &ignored), 1);
	assert_int_equal(sscanf(strstr(text, "SigBlk:"), "SigBlk: %llx", &blocked), 1);
	assert_int_equal(ignored & (1ULL << (SIGPIPE - 1) | 1ULL << (SIGINT - 1)), 0);
	assert_int_equal(blocked, 0);
	close(output);
}

/* A driver that is killed cannot clean up: the kernel does. */
static void it_is_gone_with_the_driver(void **state)
{
	int fds[2];
	char byte = 0;
	struct pollfd fd;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {(char *)"sh", (char *)"-c", (char *)"echo x; exec sleep 100", NULL};
		struct child_plan plan = {.file = "/bin/sh",
					  .argv = argv,
					  .environment = environ,
					  .input_fd = null_fd,
					  .output_fd = fds[1]};
		struct child child;

		if (child_start(&child, &plan))
			_exit(1);
		pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = (struct pollfd){.fd = fds[0], .events = POLLIN};
	while (poll(&fd, 1, PATIENCE_MS) == 1 && read(fds[0], &byte, 1) == 1)
		;
	/* Ready and at its end, not out of patience. */
	assert_int_equal(fd.revents & POLLHUP, POLLHUP);
	close(fds[0]);
}

static void the_environment_is_its_own_with_some_replaced(void **state)
{
	const struct yaml_pair pairs[] = {{(char *)"HOME", (char *)"/x/${port}"},
					  {(char *)"NEW", (char *)"1"}};
	const struct variable variables[] = {{"port", "7"}};
	struct error err = {.text = ""};
	size_t homes = 0, found = 0;
	char **list;

	(void)state;
	setenv("HOME", "/before", 1);
	setenv("HOMES", "kept", 1);
	list = child_environment(pairs, 2, variables, 1, &err);
	assert_non_null(list);
	for (char **entry = list; *entry; entry++) {
		homes += !strncmp(*entry, "HOME=", 5);
		found += !strcmp(*entry, "HOME=/x/7") || !strcmp(*entry, "HOMES=kept") ||
			 !strcmp(*entry, "NEW=1");
	}
	assert_int_equal(homes, 1);
	assert_int_equal(found, 3);
	strings_drop(list);
	assert_null(child_environment(pairs, 2, NULL, 0, &err));
	assert_non_null(strstr(err.text, "port"));
}

static void last_words_are_one_clean_line(void **state)
{
	char words[64], small[8];
	static const char text[] = "first\nsecond \x1b[31mred\xff\n\n \n";

	(void)state;
	last_words(text, sizeof(text) - 1, words, sizeof(words));
	assert_string_equal(words, "second ?[31mred?");
	last_words(text, sizeof(text) - 1, small, sizeof(small));
	assert_string_equal(small, "second ");
	last_words("\n\n", 2, words, sizeof(words));
	assert_string_equal(words, "");
	last_words("alone", 5, words, sizeof(words));
	assert_string_equal(words, "alone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_told_apart),
		cmocka_unit_test(one_that_runs_has_no_end),
		cmocka_unit_test(what_cannot_be_executed_leaves_nothing),
		cmocka_unit_test(what_it_leaves_in_its_group_ends_with_it),
		cmocka_unit_test(it_begins_with_signals_as_they_are_by_default),
		cmocka_unit_test(it_is_gone_with_the_driver),
		cmocka_unit_test(the_environment_is_its_own_with_some_replaced),
		cmocka_unit_test(last_words_are_one_clean_line),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
