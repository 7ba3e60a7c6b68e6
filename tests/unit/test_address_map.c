/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/address_map.h"

static struct address_map *read_kallsyms(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct address_map *map;

	assert_non_null(in);
	map = address_map_read_kallsyms(in);
	assert_non_null(map);
	fclose(in);
	return map;
}

static struct address_map *read_perf(const char *text, size_t max_bytes)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct address_map *map;

	assert_non_null(in);
	map = address_map_read_perf(in, max_bytes);
	assert_non_null(map);
	fclose(in);
	return map;
}

static void expect(const struct address_map *map, uint64_t address, const char *name,
		   const char *module)
{
	const char *its_module = "untouched", *got = address_map_find(map, address, &its_module);

	if (!got != !name || (got && name && strcmp(got, name) != 0))
		fail_msg("%#lx: \"%s\" instead of \"%s\"", address, got ? got : "-",
			 name ? name : "-");
	if (!its_module != !module || (module && its_module && strcmp(its_module, module) != 0))
		fail_msg("%#lx: module \"%s\" instead of \"%s\"", address,
			 its_module ? its_module : "-", module ? module : "-");
	assert_ptr_equal(got, address_map_find(map, address, NULL));
}

static void kallsyms(void **state)
{
	struct address_map *map =
		read_kallsyms("0000000000000000 A fixed_percpu_data\n"
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
			      "ffffffffc0000000 t ext4_read\t[ext4]\n"
			      "ffffffffc0000080 d ext4_data\t[ext4]\n"
			      "ffffffffc0400000 t bpf_prog_6deef7357e7b4530\t[bpf]\n");

	(void)state;
	assert_int_equal(address_map_count(map), 8);
	assert_int_equal(address_map_broken(map), 0);
	expect(map, 0, NULL, NULL);
	expect(map, 0xffffffff80ffffff, NULL, NULL);
	expect(map, 0xffffffff81000000, "_text", NULL);
	expect(map, 0xffffffff8100003f, "_text", NULL);
	expect(map, 0xffffffff81000040, "do_work", NULL);
	expect(map, 0xffffffff810000ff, "do_work", NULL);
	expect(map, 0xffffffff81000100, "weak_one", NULL);
	expect(map, 0xffffffff81000180, "weak_reference", NULL);
	expect(map, 0xffffffff810002ff, "last", NULL);
	expect(map, 0xffffffff81000300, NULL, NULL);
	expect(map, 0xffffffff81000350, NULL, NULL);
	expect(map, 0xffffffffc0000000, "ext4_read", "ext4");
	expect(map, 0xffffffffc000007f, "ext4_read", "ext4");
	expect(map, 0xffffffffc0000080, NULL, NULL);
	expect(map, 0xffffffffc0400010, "bpf_prog_6deef7357e7b4530", "bpf");
	expect(map, 0xffffffffc0500000, NULL, NULL);
	address_map_free(map);
}

static void kallsyms_hidden(void **state)
{
	struct address_map *map = read_kallsyms("0000000000000000 T _text\n"
						"0000000000000000 t do_work\t[ext4]\n");

	(void)state;
	assert_int_equal(address_map_count(map), 0);
	expect(map, 0, NULL, NULL);
	address_map_free(map);
	map = read_kallsyms("\n");
	assert_int_equal(address_map_count(map), 0);
	address_map_free(map);
	address_map_free(NULL);
}

static void kallsyms_broken(void **state)
{
	struct address_map *map = read_kallsyms("\n"
						"ffffffff81000000\n"
						"ffffffff81000000 T\n"
						"ffffffff81000000 T \n"
						"fffffffff81000000 T seventeen_digits\n"
						"xyz T name\n"
						"ffffffff81000000 T good\n"
						"ffffffff81000010 T \t[module]\n"
						"ffffffff81000010 T name\tmodule\n"
						"ffffffff81000010 T name\t[module\n"
						"ffffffff81000020 T cut");

	(void)state;
	assert_int_equal(address_map_count(map), 1);
	assert_int_equal(address_map_broken(map), 10);
	expect(map, 0xffffffff81000005, "good", NULL);
	address_map_free(map);
}

/* What this machine has, whoever may see it. */
static void kallsyms_real(void **state)
{
	FILE *in = fopen("/proc/kallsyms", "r");
	struct address_map *map;

	(void)state;
	if (!in) {
		print_message("skip: there is no /proc/kallsyms\n");
		skip();
	}
	map = address_map_read_kallsyms(in);
	fclose(in);
	assert_non_null(map);
	assert_int_equal(address_map_broken(map), 0);
	assert_null(address_map_find(map, 0, NULL));
	address_map_free(map);
}

static void many_symbols(void **state)
{
	enum { N = 200000 };
	char *text = malloc((size_t)N * 48), *at = text;
	struct address_map *map;

	(void)state;
	for (size_t i = 0; i < N; i++)
		at += sprintf(at, "%016lx t function_%zu\n", 0xffffffff81000000 + 64 * i, i);
	map = read_kallsyms(text);
	free(text);
	assert_int_equal(address_map_count(map), N);
	for (size_t i = 0; i < N; i += 1013) {
		char name[32];

		sprintf(name, "function_%zu", i);
		expect(map, 0xffffffff81000000 + 64 * i + 63, name, NULL);
	}
	address_map_free(map);
}

static void perf_maps(void **state)
{
	struct address_map *map = read_perf(
		/* Node, Java, Python, mangled ones (of a WebAssembly engine) */
		"7f0000000000 40 LazyCompile:*run /srv/node_modules/@scope/x.js:10:5\n"
		"0x7f0000000100 0x20 Lorg/example/Main;::main\r\n"
		"7f0000000200 80 py::Handler.get:/usr/lib/python3.12/http/server.py\n"
		"7F0000000300 10   _ZN3app3runEv\n"
		"7f0000000310 10 _RNvCs1234_7mycrate3foo\n",
		1 << 20);

	(void)state;
	assert_int_equal(address_map_count(map), 5);
	assert_int_equal(address_map_broken(map), 0);
	expect(map, 0x7f0000000000, "LazyCompile:*run /srv/node_modules/@scope/x.js:10:5", NULL);
	expect(map, 0x7f000000003f, "LazyCompile:*run /srv/node_modules/@scope/x.js:10:5", NULL);
	expect(map, 0x7f0000000040, NULL, NULL);
	expect(map, 0x7f0000000101, "Lorg/example/Main;::main", NULL);
	expect(map, 0x7f000000027f, "py::Handler.get:/usr/lib/python3.12/http/server.py", NULL);
	expect(map, 0x7f0000000300, "app::run()", NULL);
	expect(map, 0x7f0000000310, "mycrate::foo", NULL);
	expect(map, UINT64_MAX, NULL, NULL);
	address_map_free(map);
}

static void perf_broken(void **state)
{
	static const char text[] = "\n"
				   "1000\n"
				   "1000 10\n"
				   "1000 10 \n"
				   "1000 0 nothing\n"
				   "0 10 nowhere\n"
				   "-1000 10 negative\n"
				   "1000 zz name\n"
				   "1000 100000000 too_large\n"
				   "fffffffffffffff8 10 wraps\n"
				   "1000 10 good one\n"
				   "2000 10 good two\n"
				   "3000 10 being wri";
	struct address_map *map = read_perf(text, 1 << 20);

	(void)state;
	assert_int_equal(address_map_count(map), 2);
	assert_int_equal(address_map_broken(map), 11);
	expect(map, 0x100f, "good one", NULL);
	expect(map, 0x2000, "good two", NULL);
	expect(map, 0x3000, NULL, NULL);
	address_map_free(map);
	/* Not read to its end, which is counted as a line that is cut. */
	map = read_perf(text, sizeof(text) - 20);
	assert_int_equal(address_map_count(map), 1);
	assert_int_equal(address_map_broken(map), 11);
	address_map_free(map);
	map = read_perf(text, 0);
	assert_int_equal(address_map_count(map), 0);
	address_map_free(map);
}

static void perf_later_wins(void **state)
{
	struct address_map *map = read_perf("1000 100 old\n"
					    "1000 100 new\n"
					    "2000 100 around\n"
					    "2040 40 within\n"
					    "3000 100 first\n"
					    "3080 100 second\n"
					    "4080 100 upper\n"
					    "4000 100 lower\n"
					    "5000 10 covered\n"
					    "4ff0 100 covers\n",
					    1 << 20);

	(void)state;
	assert_int_equal(address_map_count(map), 8);
	expect(map, 0x1000, "new", NULL);
	expect(map, 0x10ff, "new", NULL);
	expect(map, 0x203f, "around", NULL);
	expect(map, 0x2040, "within", NULL);
	expect(map, 0x207f, "within", NULL);
	expect(map, 0x2080, "around", NULL);
	expect(map, 0x307f, "first", NULL);
	expect(map, 0x3080, "second", NULL);
	expect(map, 0x317f, "second", NULL);
	expect(map, 0x3180, NULL, NULL);
	expect(map, 0x407f, "lower", NULL);
	expect(map, 0x40ff, "lower", NULL);
	expect(map, 0x4100, "upper", NULL);
	expect(map, 0x5005, "covers", NULL);
	address_map_free(map);
}

/* Against an array that each line is painted into. */
static void perf_painted(void **state)
{
	enum { ROUNDS = 200, LINES = 60, PLACES = 256 };

	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		char text[LINES * 32] = "", *at = text, name[16];
		int painted[PLACES + 64];
		struct address_map *map;

		memset(painted, 0xff, sizeof(painted));
		for (int line = 0; line < LINES; line++) {
			int start = 1 + rand() % (PLACES - 1),
			    size = 1 + rand() % (1 << rand() % 7);

			at += sprintf(at, "%x %x f%d\n", start, size, line);
			for (int i = start; i < start + size; i++)
				painted[i] = line;
		}
		map = read_perf(text, sizeof(text));
		for (int i = 0; i < PLACES + 64; i++) {
			sprintf(name, "f%d", painted[i]);
			expect(map, (uint64_t)i, painted[i] < 0 ? NULL : name, NULL);
		}
		address_map_free(map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kallsyms),        cmocka_unit_test(kallsyms_hidden),
		cmocka_unit_test(kallsyms_broken), cmocka_unit_test(kallsyms_real),
		cmocka_unit_test(many_symbols),    cmocka_unit_test(perf_maps),
		cmocka_unit_test(perf_broken),     cmocka_unit_test(perf_later_wins),
		cmocka_unit_test(perf_painted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
