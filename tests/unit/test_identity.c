/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who the side runs as, and what it finds in its environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conduct/identity.h"

/* The runner shows the reason beside the test. */
#define skip_because(reason)                                                                       \
	do {                                                                                       \
		print_message("skip: " reason "\n");                                               \
		skip();                                                                            \
	} while (0)

/* All but what tells cmocka how to report. */
static void clear_environment(void)
{
	const char *output = getenv("CMOCKA_MESSAGE_OUTPUT");
	char kept[64];

	snprintf(kept, sizeof(kept), "%s", output ? output : "stdout");
	clearenv();
	setenv("CMOCKA_MESSAGE_OUTPUT", kept, 1);
}

/* Each test begins with a small environment of its own, whoever runs it. */
static int set_up(void **state)
{
	(void)state;
	clear_environment();
	return setenv("HOME", "/home/before", 1) || setenv("USER", "before", 1) ||
	       setenv("LOGNAME", "before", 1) || setenv("PATH", "/usr/bin:/bin", 1) ||
	       setenv("EMPTY", "", 1) || setenv("EQUALS", "a=b=c", 1);
}

/* The value of @name, NULL: none. Fails where it is there twice. */
static const char *value_of(char *const *list, const char *name)
{
	const char *value = NULL;
	size_t length = strlen(name);

	for (size_t i = 0; list[i]; i++) {
		if (strncmp(list[i], name, length) || list[i][length] != '=')
			continue;
		if (value)
			fail_msg("%s is there twice", name);
		value = list[i] + length + 1;
	}
	return value;
}

static void assert_value(char *const *list, const char *name, const char *wanted)
{
	const char *value = value_of(list, name);

	if (!value)
		fail_msg("%s is missing", name);
	assert_string_equal(value, wanted);
}

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

static void environment_of_oneself(void **state)
{
	char name[] = "somebody", home[] = "/home/somebody";
	struct identity self = {.uid = geteuid(), .gid = getegid(), .name = name, .home = home};
	char **list = identity_environment(&self, NULL, 0);

	(void)state;
	assert_non_null(list);
	assert_int_equal(count(list), 7);
	assert_value(list, "HOME", "/home/before");
	assert_value(list, "USER", "before");
	assert_value(list, "LOGNAME", "before");
	assert_value(list, "PATH", "/usr/bin:/bin");
	assert_value(list, "EMPTY", "");
	assert_value(list, "EQUALS", "a=b=c");
	strings_free(list);
}

static void environment_of_another(void **state)
{
	char name[] = "somebody", home[] = "/home/somebody";
	struct identity other = {.uid = 1, .is_other = true, .name = name, .home = home};
	char **list;

	(void)state;
	unsetenv("LOGNAME");
	list = identity_environment(&other, NULL, 0);
	assert_non_null(list);
	assert_int_equal(count(list), 7);
	assert_value(list, "HOME", "/home/somebody");
	assert_value(list, "USER", "somebody");
	assert_value(list, "LOGNAME", "somebody");
	assert_value(list, "PATH", "/usr/bin:/bin");
	strings_free(list);
	assert_string_equal(getenv("HOME"), "/home/before");
}

static void extra_variables_win(void **state)
{
	char name[] = "somebody", home[] = "/home/somebody";
	struct identity other = {.uid = 1, .is_other = true, .name = name, .home = home};
	char new_home[] = "HOME=/round/home", path[] = "PATH=", first[] = "NEW=1",
	     second[] = "NEW=2", longer[] = "PATHS=x";
	char *extra[] = {new_home, path, first, second, longer};
	char **list = identity_environment(&other, extra, 5);

	(void)state;
	assert_non_null(list);
	assert_int_equal(count(list), 9);
	assert_value(list, "HOME", "/round/home");
	assert_value(list, "USER", "somebody");
	assert_value(list, "PATH", "");
	assert_value(list, "NEW", "2");
	assert_value(list, "PATHS", "x");
	strings_free(list);
}

static void from_an_empty_environment(void **state)
{
	char name[] = "n", home[] = "/";
	struct identity other = {.uid = 1, .is_other = true, .name = name, .home = home};
	char variable[] = "A=1", *extra[] = {variable};
	char **list;

	(void)state;
	clear_environment();
	setenv("A", "0", 1);
	list = identity_environment(&other, extra, 1);
	assert_non_null(list);
	assert_int_equal(count(list), 5);
	assert_value(list, "A", "1");
	assert_value(list, "HOME", "/");
	strings_free(list);
	strings_free(NULL);
}

static void without_sudo(void **state)
{
	struct passwd *entry = getpwuid(geteuid());
	struct identity identity;
	struct error err = {};
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%u", geteuid());
	assert_int_equal(identity_of_invoker(&identity, &err), 0);
	assert_int_equal(identity.uid, geteuid());
	assert_int_equal(identity.gid, getegid());
	assert_string_equal(identity.name, entry ? entry->pw_name : text);
	assert_string_equal(identity.home, entry ? entry->pw_dir : "/");
	assert_true(identity.n_groups >= 1);
	identity_clear(&identity);
	assert_null(identity.name);
	identity_clear(&identity);
}

/* Whoever is not root cannot become another, whatever the environment says. */
static void sudo_without_root(void **state)
{
	struct identity identity;
	struct error err = {};

	(void)state;
	if (!geteuid())
		skip_because("root heeds SUDO_UID");
	setenv("SUDO_UID", "0", 1);
	setenv("SUDO_GID", "0", 1);
	assert_int_equal(identity_of_invoker(&identity, &err), 0);
	assert_int_equal(identity.uid, geteuid());
	identity_clear(&identity);
	setenv("SUDO_UID", "nonsense", 1);
	assert_int_equal(identity_of_invoker(&identity, &err), 0);
	assert_int_equal(identity.gid, getegid());
	identity_clear(&identity);
}

static void the_user_behind_sudo(void **state)
{
	struct identity identity;
	struct error err = {};
	bool has_group = false;
	char **list;

	(void)state;
	if (geteuid())
		skip_because("only root heeds SUDO_UID");
	/* A number that no user database has. */
	setenv("SUDO_UID", "3987654321", 1);
	setenv("SUDO_GID", "3987654320", 1);
	assert_int_equal(identity_of_invoker(&identity, &err), 0);
	assert_int_equal(identity.uid, 3987654321U);
	assert_int_equal(identity.gid, 3987654320U);
	assert_string_equal(identity.name, "3987654321");
	assert_string_equal(identity.home, "/");
	for (size_t i = 0; i < identity.n_groups; i++)
		has_group = has_group || identity.groups[i] == 3987654320U;
	assert_true(has_group);
	list = identity_environment(&identity, NULL, 0);
	assert_non_null(list);
	assert_value(list, "HOME", "/");
	assert_value(list, "USER", "3987654321");
	strings_free(list);
	identity_clear(&identity);
}

static void broken_sudo(void **state)
{
	const char *broken[][2] = {
		{"", "1000"},           {"alice", "1000"},      {"-1", "1000"},
		{"1000 ", "1000"},      {" 1000", "1000"},      {"0x10", "1000"},
		{"4294967295", "1000"}, {"4294967296", "1000"}, {"99999999999999999999999", "1000"},
		{"1000", ""},           {"1000", "users"},      {"1000", "4294967295"},
		{"1000", NULL},
	};

	(void)state;
	if (geteuid())
		skip_because("only root heeds SUDO_UID");
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct identity identity;
		struct error err = {};

		setenv("SUDO_UID", broken[i][0], 1);
		if (broken[i][1])
			setenv("SUDO_GID", broken[i][1], 1);
		else
			unsetenv("SUDO_GID");
		if (identity_of_invoker(&identity, &err) != -1)
			fail_msg("SUDO_UID='%s' is taken", broken[i][0]);
		assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
		assert_non_null(strstr(err.text, "--user NAME"));
		identity_clear(&identity);
	}
}

static void users_by_name_and_number(void **state)
{
	struct passwd *entry = getpwuid(geteuid());
	struct identity identity;
	struct error err = {};
	char name[256], text[32];

	(void)state;
	if (!entry)
		skip_because("who runs this is in no user database");
	snprintf(name, sizeof(name), "%s", entry->pw_name);
	snprintf(text, sizeof(text), "%u", geteuid());
	assert_int_equal(identity_of_user(&identity, name, &err), 0);
	assert_int_equal(identity.uid, geteuid());
	identity_clear(&identity);
	assert_int_equal(identity_of_user(&identity, text, &err), 0);
	assert_int_equal(identity.uid, geteuid());
	assert_string_equal(identity.name, name);
	identity_clear(&identity);
}

static void users_that_are_not_there(void **state)
{
	const char *users[] = {"no-such-user-here", "", "3987654321", "4294967295", "-1", "0x0"};

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		struct identity identity;
		struct error err = {};

		if (identity_of_user(&identity, users[i], &err) != -1)
			fail_msg("user '%s' is found", users[i]);
		assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
		identity_clear(&identity);
	}
}

static void another_user_needs_root(void **state)
{
	struct identity identity;
	struct error err = {};

	(void)state;
	if (!geteuid())
		skip_because("root may be anybody");
	assert_int_equal(identity_of_user(&identity, "0", &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_PRIVILEGE);
	assert_non_null(strstr(err.text, "sudo"));
	identity_clear(&identity);
}

static void no_file_borrows_root(void **state)
{
	static const char *const users[] = {"root", "0"};
	struct identity identity;
	struct error err;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root heeds SUDO_UID");
	setenv("SUDO_UID", "3987654321", 1);
	setenv("SUDO_GID", "3987654320", 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(identity_of_named(&identity, users[i], "target 'x', user", &err),
				 -1);
		identity_clear(&identity);
		assert_int_equal(err.exit_code, EXIT_CODE_PRIVILEGE);
		assert_non_null(strstr(err.text, "target 'x', user"));
	}
	/* Root that calls itself so has it anyway. */
	setenv("SUDO_UID", "0", 1);
	assert_int_equal(identity_of_named(&identity, "root", "target 'x', user", &err), 0);
	identity_clear(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(environment_of_oneself, set_up),
		cmocka_unit_test_setup(environment_of_another, set_up),
		cmocka_unit_test_setup(extra_variables_win, set_up),
		cmocka_unit_test_setup(from_an_empty_environment, set_up),
		cmocka_unit_test_setup(without_sudo, set_up),
		cmocka_unit_test_setup(sudo_without_root, set_up),
		cmocka_unit_test_setup(the_user_behind_sudo, set_up),
		cmocka_unit_test_setup(broken_sudo, set_up),
		cmocka_unit_test_setup(users_by_name_and_number, set_up),
		cmocka_unit_test_setup(users_that_are_not_there, set_up),
		cmocka_unit_test_setup(another_user_needs_root, set_up),
		cmocka_unit_test_setup(no_file_borrows_root, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
