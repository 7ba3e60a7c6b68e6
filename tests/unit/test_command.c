/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenario/scenario.h"
#include "util/file.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A PATH with the tools in it, whatever this machine has. */
static int make_tools(void **state)
{
	static const char *const tools[] = {"wake", "stern", "kubectl", "curl", "grep"};
	char folder[] = "/tmp/perfbpf-test-XXXXXX";

	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", folder, tools[i]);
		fd = open(path, O_WRONLY | O_CREAT, 0700);
		if (fd < 0)
			return -1;
		close(fd);
	}
	setenv("PATH", folder, 1);
	setenv("PERFBPF_SCENARIOS", "scenarios", 1);
	*state = strdup(folder);
	return *state ? 0 : -1;
}

static int remove_tools(void **state)
{
	int err = dir_remove(*state);

	free(*state);
	return err;
}

static const struct variable vars[] = {
	{"namespace", "perf-test"},     {"kubeconfig", "/run/k"},   {"selector", "app=gen"},
	{"url", "http://127.0.0.1:80"}, {"pods_glob", "p-[01-10]"}, {"home", "/h"},
};

static char *level_words[] = {(char *)"ERROR", (char *)"WARN"};
static char *topic_words[] = {(char *)"user", (char *)"auth"};
static struct filter_clause clauses[] = {{2, level_words}, {2, topic_words}};
static const struct filter no_filter;
static const struct filter two_clauses = {.n_clauses = 2, .clauses = clauses};

static struct command *make(struct target *target, const struct filter *filter)
{
	struct error err;
	struct command *command;

	assert_non_null(target);
	command = target_command(target, filter, vars, ARRAY_SIZE(vars), &err);
	if (!command)
		fail_msg("%s", err.text);
	target_free(target);
	return command;
}

/* The words of a stage with '·' between them. */
static void check_stage(const struct command *command, size_t stage, const char *expected)
{
	char text[1024] = "";

	assert_true(stage < command->n_stages);
	for (char **word = command->stages[stage].argv; *word; word++) {
		if (*text)
			strcat(text, "·");
		strcat(text, *word);
	}
	assert_string_equal(text, expected);
}

static void check_variable(const struct command *command, const char *expected)
{
	for (size_t i = 0; i < command->n_environment; i++)
		if (!strcmp(command->environment[i], expected))
			return;
	fail_msg("%s is not set", expected);
}

static void wake(void **state)
{
	struct command *command = make(target_load("wake", NULL), &no_filter);
	char text[64];

	check_stage(command, 0, "wake·-n·perf-test·--no-ui·-i·.*");
	assert_int_equal(command->n_stages, 1);
	snprintf(text, sizeof(text), "%s/wake", (char *)*state);
	assert_string_equal(command->stages[0].file, text);
	check_variable(command, "XDG_CACHE_HOME=/h/.cache");
	check_variable(command, "KUBECONFIG=/run/k");
	command_free(command);
	command = make(target_load("wake", NULL), &two_clauses);
	check_stage(command, 0, "wake·-n·perf-test·--no-ui·-i·(ERROR || WARN) && (user || auth)");
	command_free(command);
}

static void stern(void **state)
{
	static const char plain[] =
		"stern·.*·-n·perf-test·--tail·0·--max-log-requests·50·--color·never";
	struct command *command = make(target_load("stern", NULL), &no_filter);
	char filtered[256];

	(void)state;
	check_stage(command, 0, plain);
	command_free(command);
	command = make(target_load("stern", NULL), &two_clauses);
	snprintf(filtered, sizeof(filtered),
		 "%s·-i·(ERROR|WARN).*(user|auth)|(user|auth).*(ERROR|WARN)", plain);
	check_stage(command, 0, filtered);
	assert_int_equal(command->n_stages, 1);
	command_free(command);
}

static void kubectl(void **state)
{
	static const char plain[] =
		"kubectl·logs·-n·perf-test·-f·-l·app=gen·--prefix·--max-log-requests=50·--tail=0";
	char regex[] = "^x$", prefixed[] = "^(p )?x$";
	const struct filter bare = {.regex = regex};
	const struct filter both = {.regex = regex, .prefixed_regex = prefixed};
	struct command *command = make(target_load("kubectl", NULL), &no_filter);

	(void)state;
	check_stage(command, 0, plain);
	assert_int_equal(command->n_stages, 1);
	command_free(command);
	command = make(target_load("kubectl", NULL), &two_clauses);
	check_stage(command, 0, plain);
	check_stage(command, 1, "grep·--line-buffered·-E·ERROR|WARN");
	check_stage(command, 2, "grep·--line-buffered·-E·user|auth");
	assert_int_equal(command->n_stages, 3);
	command_free(command);
	command = make(target_load("kubectl", NULL), &bare);
	check_stage(command, 1, "grep·--line-buffered·-E·^x$");
	assert_int_equal(command->n_stages, 2);
	command_free(command);
	command = make(target_load("kubectl", NULL), &both);
	check_stage(command, 1, "grep·--line-buffered·-E·^(p )?x$");
	assert_int_equal(command->n_stages, 2);
	command_free(command);
}

static void curl(void **state)
{
	struct command *command = make(target_load("curl", NULL), &no_filter);
	char **word = command->stages[0].argv;

	(void)state;
	while (word[1])
		word++;
	assert_string_equal(*word, "http://127.0.0.1:80/api/v1/namespaces/perf-test/pods/p-[01-10]/"
				   "log?follow=true&tailLines=0");
	command_free(command);
}

static void not_on_path(void **state)
{
	static const char text[] = "command: [nonesuch]\n";
	struct target *stern_target = target_load("stern", NULL);
	struct target *bare = target_load_memory("bare", text, strlen(text), NULL);
	struct target *path = target_from_command("./nonesuch -x", NULL);
	struct error err;

	setenv("PATH", "/nowhere", 1);
	assert_null(target_command(stern_target, &no_filter, vars, ARRAY_SIZE(vars), &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(err.text,
			    "target 'stern': 'stern' is not on PATH; to get it: go install "
			    "github.com/stern/stern@v1.33.1, or tools/install-peers.sh");
	assert_null(target_command(bare, &no_filter, vars, ARRAY_SIZE(vars), &err));
	assert_string_equal(err.text, "target 'bare': 'nonesuch' is not on PATH; install it, or "
				      "write its whole path");
	assert_null(target_command(path, &no_filter, vars, ARRAY_SIZE(vars), &err));
	assert_string_equal(err.text, "target './nonesuch -x': './nonesuch' is no program that can "
				      "be run; check the path");
	setenv("PATH", *state, 1);
	target_free(stern_target);
	target_free(bare);
	target_free(path);
}

static void unknown_variables(void **state)
{
	static const char text[] = "command: [grep, '${namespac}']\n";
	static const char later[] = "command: [grep]\nenvironment: {A: '${zzz}'}\n";
	struct target *target = target_load_memory("t", text, strlen(text), NULL);
	struct error err;

	(void)state;
	assert_null(target_command(target, &no_filter, vars, ARRAY_SIZE(vars), &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(err.text, "target 't': unknown variable '${namespac}'; did you mean "
				      "'${namespace}'?");
	target_free(target);
	target = target_load_memory("t", later, strlen(later), NULL);
	assert_null(target_command(target, &no_filter, vars, ARRAY_SIZE(vars), &err));
	assert_non_null(strstr(err.text, "unknown variable '${zzz}'; there are: namespace, "));
	/* Where nothing is filtered, there is nothing to fill in. */
	assert_null(strstr(err.text, "filter_regex"));
	assert_null(target_command(target, &two_clauses, NULL, 0, &err));
	assert_non_null(strstr(err.text, "there are: filter_regex, filter_words "));
	target_free(target);
}

static void check_fill(const char *text, const char *expected)
{
	char *filled = variables_fill(text, vars, ARRAY_SIZE(vars), NULL);

	assert_non_null(filled);
	assert_string_equal(filled, expected);
	free(filled);
}

static void filling(void **state)
{
	struct error err;

	(void)state;
	check_fill("", "");
	check_fill("plain", "plain");
	check_fill("${home}/a${home}", "/h/a/h");
	check_fill("$$", "$");
	check_fill("$${home}", "${home}");
	check_fill("$$${home}", "$/h");
	check_fill("^a$", "^a$");
	check_fill("$x", "$x");
	check_fill("{home}", "{home}");
	assert_null(variables_fill("${home", vars, ARRAY_SIZE(vars), &err));
	assert_non_null(strstr(err.text, "'${home' is not closed"));
	assert_null(variables_fill("${}", vars, ARRAY_SIZE(vars), &err));
	assert_null(variables_fill("${hom}", vars, ARRAY_SIZE(vars), &err));
	assert_null(variables_fill("${homes}", NULL, 0, &err));
}

static void check_words(const char *text, const char *expected)
{
	struct target *target = target_from_command(text, NULL);
	struct command *command;

	assert_non_null(target);
	assert_null(target->path);
	assert_string_equal(target->name, text);
	command = make(target, &no_filter);
	check_stage(command, 0, expected);
	command_free(command);
}

static void command_lines(void **state)
{
	(void)state;
	check_words("grep -c x big", "grep·-c·x·big");
	check_words("  grep\t a\nb  ", "grep·a·b");
	check_words("grep 'a b' \"c d\" e\\ f", "grep·a b·c d·e f");
	check_words("grep a'b'\"c\"d", "grep·abcd");
	check_words("g'r'ep 'it'\\''s'", "grep·it's");
	check_words("grep \"a\\\"b\\\\c\\d\"", "grep·a\"b\\c\\d");
	check_words("grep 'a\\b'", "grep·a\\b");
	check_words("grep a\\\nb \"c\\\nd\"", "grep·ab·cd");
	check_words("grep 'a|b>c<d;e&f`g$(h'", "grep·a|b>c<d;e&f`g$(h");
	check_words("grep \"a|b>c;d&\" \\| \\$\\(x\\)", "grep·a|b>c;d&·|·$(x)");
	check_words("grep * ~ #x {a,b} !x [z] (y)", "grep·*·~·#x·{a,b}·!x·[z]·(y)");
	check_words("grep \xc3\xa9", "grep·\xc3\xa9");
}

static void empty_words(void **state)
{
	struct target *target = target_from_command("grep '' \"\"x ''", NULL);
	struct command *command = make(target, &no_filter);

	(void)state;
	assert_string_equal(command->stages[0].argv[1], "");
	assert_string_equal(command->stages[0].argv[2], "x");
	assert_string_equal(command->stages[0].argv[3], "");
	assert_null(command->stages[0].argv[4]);
	command_free(command);
}

/* A variable is one where a shell would look for one too. */
static void variables_in_command_lines(void **state)
{
	(void)state;
	check_words("grep ${home}/x \"-n ${namespace}\"", "grep·/h/x·-n perf-test");
	check_words("grep '${home}' \\${home} \"\\${home}\"", "grep·${home}·${home}·${home}");
	check_words("grep a$ $b $$ '$$' \"$$\"", "grep·a$·$b·$$·$$·$$");
}

static void refuse_line(const char *text, const char *holds)
{
	struct error err;

	if (target_from_command(text, &err))
		fail_msg("taken: %s", text);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (!strstr(err.text, holds))
		fail_msg("'%s' lacks '%s'", err.text, holds);
}

static void command_lines_refused(void **state)
{
	static const char *const operators[] = {
		"grep x | wc", "grep x>y",   "grep <y",        "grep x; ls",    "grep &",
		"grep `ls`",   "grep $(ls)", "grep \"$(ls)\"", "grep \"`ls`\"", "a&&b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		refuse_line(operators[i], "no shell is run");
	refuse_line("grep x | wc", "'|' would do nothing; write: sh -c '...'");
	refuse_line("grep \"$(ls)\"", "'$(' would");
	refuse_line("grep 'x", "the quote ' is not closed");
	refuse_line("grep \"x", "the quote \" is not closed");
	refuse_line("grep \"x\\\"", "the quote \" is not closed");
	refuse_line("'", "the quote ' is not closed");
	refuse_line("grep \\", "nothing follows the \\");
	refuse_line("", "names no program");
	refuse_line("  \n ", "names no program");
	refuse_line("'' x", "names no program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wake),
		cmocka_unit_test(stern),
		cmocka_unit_test(kubectl),
		cmocka_unit_test(curl),
		cmocka_unit_test(not_on_path),
		cmocka_unit_test(unknown_variables),
		cmocka_unit_test(filling),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(empty_words),
		cmocka_unit_test(variables_in_command_lines),
		cmocka_unit_test(command_lines_refused),
	};

	return cmocka_run_group_tests(tests, make_tools, remove_tools);
}
