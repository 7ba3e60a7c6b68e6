/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "conduct/syscall_name.h"

static void check_name(int nr, const char *wanted)
{
	char *name = syscall_name(nr);

	assert_non_null(name);
	assert_string_equal(name, wanted);
	free(name);
}

/* Some that all architectures have, by the numbers of this one. */
static void known(void **state)
{
	static const struct {
		int nr;
		const char *name;
	} calls[] = {
		{SYS_read, "read"},
		{SYS_write, "write"},
		{SYS_close, "close"},
		{SYS_openat, "openat"},
		{SYS_futex, "futex"},
		{SYS_ppoll, "ppoll"},
		{SYS_epoll_pwait, "epoll_pwait"},
		{SYS_nanosleep, "nanosleep"},
		{SYS_fsync, "fsync"},
		{SYS_sendto, "sendto"},
		{SYS_recvfrom, "recvfrom"},
		{SYS_clone, "clone"},
		{SYS_execve, "execve"},
		{SYS_exit_group, "exit_group"},
		{SYS_getppid, "getppid"},
		{SYS_io_uring_enter, "io_uring_enter"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		check_name(calls[i].nr, calls[i].name);
}

static void unknown(void **state)
{
	static const int numbers[] = {-1, -39, INT_MIN, 5000, 100000, INT_MAX};
	char wanted[32];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(wanted, sizeof(wanted), "call %d", numbers[i]);
		check_name(numbers[i], wanted);
	}
}

/* A name, or the number where there is none: nothing else, and no name twice. */
static void all(void **state)
{
	static char *names[1024];
	size_t n_named = 0;

	(void)state;
	for (int nr = 0; nr < 1024; nr++) {
		char wanted[32];

		names[nr] = syscall_name(nr);
		assert_non_null(names[nr]);
		snprintf(wanted, sizeof(wanted), "call %d", nr);
		if (!strcmp(names[nr], wanted))
			continue;
		n_named++;
		assert_true(strlen(names[nr]) < 40);
		assert_int_equal(strspn(names[nr], "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(names[nr]));
		for (int other = 0; other < nr; other++)
			if (!strcmp(names[other], names[nr]))
				fail_msg("%d and %d are both '%s'", other, nr, names[nr]);
	}
	/* Linux 5.10 has over 300 on each architecture. */
	assert_true(n_named > 280);
	for (int nr = 0; nr < 1024; nr++)
		free(names[nr]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(unknown),
		cmocka_unit_test(all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
