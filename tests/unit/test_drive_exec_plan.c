/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands with their texts filled in, once for the target and once for each run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/exec/exec.h"

static const struct variable variables[] = {{"port", "2379"}, {"dir.m1", "/tmp/m 1"}};
static const struct template_values values = {.iteration = 42, .user = 7, .random = 1ULL << 33 | 5};

static char *fill(const char *text)
{
	struct template template;
	struct error err = {.text = ""};
	char *out, *end;

	if (template_make(&template, text, variables, 2, &err))
		fail_msg("%s", err.text);
	out = malloc(template.size);
	end = template_fill(&template, &values, out);
	assert_ptr_equal(end, out + strlen(out) + 1);
	assert_true((size_t)(end - out) <= template.size);
	template_clear(&template);
	return out;
}

static void expect(const char *text, const char *filled)
{
	char *out = fill(text);

	assert_string_equal(out, filled);
	free(out);
}

static void texts_are_filled(void **state)
{
	(void)state;
	expect("", "");
	expect("plain", "plain");
	expect("http://127.0.0.1:${port}", "http://127.0.0.1:2379");
	expect("k-${user}-${iteration}", "k-7-42");
	expect("${iteration}${iteration}", "4242");
	expect("${random}", "5");
	expect("${dir.m1}/x", "/tmp/m 1/x");
	expect("$${user} $5", "${user} $5");
}

static void the_longest_numbers_fit(void **state)
{
	const struct template_values longest = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	struct error err = {.text = ""};
	struct template template;
	char *out;

	(void)state;
	assert_int_equal(template_make(&template, "${iteration}${user}${random}", NULL, 0, &err),
			 0);
	out = malloc(template.size);
	template_fill(&template, &longest, out);
	assert_string_equal(out, "18446744073709551615184467440737095516154294967295");
	free(out);
	template_clear(&template);
}

static void mistakes_in_texts_are_named(void **state)
{
	struct error err = {.text = ""};
	struct template template;

	(void)state;
	assert_int_equal(template_make(&template, "${itration}", variables, 2, &err), -1);
	assert_non_null(strstr(err.text, "did you mean '${iteration}'"));
	assert_int_equal(template_make(&template, "a\002b", variables, 2, &err), -1);
	assert_non_null(strstr(err.text, "control character"));
	template_clear(&template);
}

static struct exec_command command(char **words, size_t n)
{
	return (struct exec_command){
		.name = (char *)"c", .weight = 1, .n_command = n, .command = words};
}

static void arguments_differ_from_run_to_run(void **state)
{
	char *words[] = {(char *)"sh", (char *)"-c", (char *)"${user}/${iteration}/${port}"};
	struct exec_command c = command(words, 3);
	struct error err = {.text = ""};
	struct exec_plan plan;
	char **argv;

	(void)state;
	assert_int_equal(exec_plan_make(&plan, &c, variables, 2, &err), 0);
	assert_int_equal(plan.file[0], '/');
	argv = exec_plan_argv(&plan, &values);
	assert_string_equal(argv[0], "sh");
	assert_string_equal(argv[1], "-c");
	assert_string_equal(argv[2], "7/42/2379");
	assert_null(argv[3]);
	free(argv);
	assert_false(exec_plan_reads_output(&plan));
	assert_true(exec_plan_expects(&plan, &values, ""));
	exec_plan_clear(&plan);
}

static void output_is_compared(void **state)
{
	char *words[] = {(char *)"sh"};
	struct exec_command c = command(words, 1);
	struct error err = {.text = ""};
	struct exec_plan plan;

	(void)state;
	c.expect_output = (char *)"value-${iteration}";
	c.expect_regex = (char *)"^OK|done$";
	assert_int_equal(exec_plan_make(&plan, &c, variables, 2, &err), 0);
	assert_true(exec_plan_reads_output(&plan));
	assert_true(exec_plan_expects(&plan, &values, "x\nOK value-42\n"));
	assert_true(exec_plan_expects(&plan, &values, "value-42 done\nx"));
	assert_false(exec_plan_expects(&plan, &values, "x\nOK value-41\n"));
	assert_false(exec_plan_expects(&plan, &values, "value-42\n"));
	assert_false(exec_plan_expects(&plan, &values, ""));
	exec_plan_clear(&plan);
}

static void refuse(const struct exec_command *c, const char *why)
{
	struct error err = {.text = ""};
	struct exec_plan plan;

	assert_int_equal(exec_plan_make(&plan, c, variables, 2, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (!strstr(err.text, "command 'c'") || !strstr(err.text, why))
		fail_msg("%s", err.text);
	exec_plan_clear(&plan);
}

static void mistakes_are_named(void **state)
{
	char *absent[] = {(char *)"no-such-program-anywhere"}, *varying[] = {(char *)"${user}"};
	char *empty[] = {(char *)""}, *good[] = {(char *)"sh"};
	struct yaml_pair pair = {(char *)"A", (char *)"${nothing}"};
	struct exec_command c = command(absent, 1);

	(void)state;
	refuse(&c, "no program 'no-such-program-anywhere' on PATH");
	c = command(varying, 1);
	refuse(&c, "cannot differ");
	c = command(empty, 1);
	refuse(&c, "has no program");
	c = command(good, 1);
	c.expect_regex = (char *)"(";
	refuse(&c, "expect_regex");
	c = command(good, 1);
	c.environment = &pair;
	c.n_environment = 1;
	refuse(&c, "unknown variable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_filled),
		cmocka_unit_test(the_longest_numbers_fit),
		cmocka_unit_test(mistakes_in_texts_are_named),
		cmocka_unit_test(arguments_differ_from_run_to_run),
		cmocka_unit_test(output_is_compared),
		cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
