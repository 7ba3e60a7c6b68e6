/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of kernel code, of what is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/kallsyms.h"

/* What is asked for, and what is to come out. */
struct expected {
	uint64_t address;
	const char *function, *module;
};

static void check(const char *text, const struct expected *expected, size_t n)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct kallsyms_name *names = calloc(n + 1, sizeof(*names));

	assert_non_null(in);
	for (size_t i = 0; i < n; i++)
		names[i].address = expected[i].address;
	assert_int_equal(kallsyms_find(in, names, n), 0);
	for (size_t i = 0; i < n; i++) {
		const char *function = expected[i].function, *module = expected[i].module;

		if (!function != !names[i].function ||
		    (function && strcmp(function, names[i].function)))
			fail_msg("%#lx: \"%s\" instead of \"%s\"", names[i].address,
				 names[i].function ? names[i].function : "-",
				 function ? function : "-");
		if (!module != !names[i].module || (module && strcmp(module, names[i].module)))
			fail_msg("%#lx: module \"%s\" instead of \"%s\"", names[i].address,
				 names[i].module ? names[i].module : "-", module ? module : "-");
	}
	kallsyms_clear(names, n);
	free(names);
	fclose(in);
}

#define CHECK(text, expected) check(text, expected, sizeof(expected) / sizeof((expected)[0]))

static const char text[] = "0000000000000000 A fixed_percpu_data\n"
			   "ffffffff81000000 T _text\n"
			   "ffffffff81000000 T _stext\n"
			   "ffffffff81000040 t __do_work\n"
			   "ffffffff81000040 T do_work\n"
			   "ffffffff81000100 W weak_one\n"
			   "ffffffff81000180 w weak_reference\n"
			   "ffffffff81000200 T __pfx_last\n"
			   "ffffffff81000210 T last\n"
			   "ffffffff81000300 D jiffies\n"
			   "ffffffff81000340 r table.0\n"
			   "ffffffff81000400 t _RNvCs1234_6kernel3foo\n"
			   "ffffffffc0000000 t ext4_read\t[ext4]\n"
			   "ffffffffc0000080 d ext4_data\t[ext4]\n"
			   "ffffffffc0400000 t bpf_prog_6deef7357e7b4530\t[bpf]\n";

static const struct expected all[] = {
	{0, NULL, NULL},
	{0xffffffff80ffffff, NULL, NULL},
	{0xffffffff81000000, "_text", NULL},
	{0xffffffff8100003f, "_text", NULL},
	{0xffffffff81000040, "do_work", NULL},
	{0xffffffff810000ff, "do_work", NULL},
	{0xffffffff81000100, "weak_one", NULL},
	{0xffffffff81000180, "weak_reference", NULL},
	{0xffffffff810002ff, "last", NULL},
	{0xffffffff81000300, NULL, NULL},
	{0xffffffff81000350, NULL, NULL},
	{0xffffffff81000404, "kernel::foo", NULL},
	{0xffffffffc0000000, "ext4_read", "ext4"},
	{0xffffffffc000007f, "ext4_read", "ext4"},
	{0xffffffffc0000080, NULL, NULL},
	{0xffffffffc0400010, "bpf_prog_6deef7357e7b4530", "bpf"},
	{0xffffffffc0500000, NULL, NULL},
	{UINT64_MAX, NULL, NULL},
};

/* All at once, and each by itself: what else is asked for makes no difference. */
static void names(void **state)
{
	(void)state;
	CHECK(text, all);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check(text, &all[i], 1);
	check(text, NULL, 0);
}

/* Of modules and programs, lines come in no order. */
static void in_any_order(void **state)
{
	static const char turned[] = "ffffffffc0000100 t third\t[a]\n"
				     "ffffffffc0000000 t first\t[a]\n"
				     "ffffffffc0000080 t __second\t[b]\n"
				     "ffffffffc0000080 t second\t[b]\n"
				     "ffffffffc0000080 t ___second\t[b]\n";
	static const struct expected expected[] = {
		{0xffffffffc0000001, "first", "a"},
		{0xffffffffc0000002, "first", "a"},
		{0xffffffffc0000081, "second", "b"},
		{0xffffffffc0000101, "third", "a"},
	};

	(void)state;
	CHECK(turned, expected);
}

static void hidden(void **state)
{
	static const struct expected expected[] = {{0, NULL, NULL}, {5, NULL, NULL}};

	(void)state;
	CHECK("0000000000000000 T _text\n0000000000000000 t do_work\t[ext4]\n", expected);
	CHECK("\n", expected);
}

static void broken(void **state)
{
	static const struct expected expected[] = {
		{0xffffffff81000005, "good", NULL},
		{0xffffffff81000015, "good", NULL},
		{0xffffffff81000025, "good", NULL},
	};

	(void)state;
	CHECK("\n"
	      "ffffffff81000000\n"
	      "ffffffff81000000 T\n"
	      "ffffffff81000000 T \n"
	      "fffffffff81000000 T seventeen_digits\n"
	      "xyz T name\n"
	      "-1 T name\n"
	      "ffffffff81000000 T good\n"
	      "ffffffff81000010 T \t[module]\n"
	      "ffffffff81000010 T name\tmodule\n"
	      "ffffffff81000010 T name\t[module\n"
	      "ffffffff81000020 T cut",
	      expected);
}

/* What this machine has, whoever may see it. */
static void this_machine(void **state)
{
	FILE *in = fopen("/proc/kallsyms", "r");
	struct kallsyms_name wanted[] = {{.address = 0}, {.address = UINT64_MAX / 2}};

	(void)state;
	if (!in) {
		print_message("skip: there is no /proc/kallsyms\n");
		skip();
	}
	/* And once more. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kallsyms_find(in, wanted, 2), 0);
		assert_null(wanted[0].function);
		assert_null(wanted[1].function);
		rewind(in);
	}
	fclose(in);
}

static void many(void **state)
{
	enum { N = 200000, WANTED = N / 10 };
	char *lines = malloc((size_t)N * 48), *at = lines;
	struct kallsyms_name *wanted = calloc(WANTED, sizeof(*wanted));
	FILE *in;

	(void)state;
	for (size_t i = 0; i < N; i++)
		at += sprintf(at, "%016lx t function_%zu\n", 0xffffffff81000000 + 64 * i, i);
	for (size_t i = 0; i < WANTED; i++)
		wanted[i].address = 0xffffffff81000000 + 640 * i + 63;
	in = fmemopen(lines, (size_t)(at - lines), "r");
	assert_int_equal(kallsyms_find(in, wanted, WANTED), 0);
	for (size_t i = 0; i < WANTED; i++) {
		char name[32];

		sprintf(name, "function_%zu", 10 * i);
		assert_string_equal(wanted[i].function, name);
	}
	kallsyms_clear(wanted, WANTED);
	assert_null(wanted[0].function);
	free(wanted);
	fclose(in);
	free(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),  cmocka_unit_test(in_any_order),
		cmocka_unit_test(hidden), cmocka_unit_test(broken),
		cmocka_unit_test(many),   cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
