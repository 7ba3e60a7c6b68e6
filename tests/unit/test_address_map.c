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

static void expect(const struct address_map *map, uint64_t address, const char *name)
{
	const char *got = address_map_find(map, address);

	if (!got != !name || (got && name && strcmp(got, name) != 0))
		fail_msg("%#lx: \"%s\" instead of \"%s\"", address, got ? got : "-",
			 name ? name : "-");
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
	expect(map, 0x7f0000000000, "LazyCompile:*run /srv/node_modules/@scope/x.js:10:5");
	expect(map, 0x7f000000003f, "LazyCompile:*run /srv/node_modules/@scope/x.js:10:5");
	expect(map, 0x7f0000000040, NULL);
	expect(map, 0x7f0000000101, "Lorg/example/Main;::main");
	expect(map, 0x7f000000027f, "py::Handler.get:/usr/lib/python3.12/http/server.py");
	expect(map, 0x7f0000000300, "app::run()");
	expect(map, 0x7f0000000310, "mycrate::foo");
	expect(map, UINT64_MAX, NULL);
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
	expect(map, 0x100f, "good one");
	expect(map, 0x2000, "good two");
	expect(map, 0x3000, NULL);
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
	expect(map, 0x1000, "new");
	expect(map, 0x10ff, "new");
	expect(map, 0x203f, "around");
	expect(map, 0x2040, "within");
	expect(map, 0x207f, "within");
	expect(map, 0x2080, "around");
	expect(map, 0x307f, "first");
	expect(map, 0x3080, "second");
	expect(map, 0x317f, "second");
	expect(map, 0x3180, NULL);
	expect(map, 0x407f, "lower");
	expect(map, 0x40ff, "lower");
	expect(map, 0x4100, "upper");
	expect(map, 0x5005, "covers");
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
			expect(map, (uint64_t)i, painted[i] < 0 ? NULL : name);
		}
		address_map_free(map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perf_maps),
		cmocka_unit_test(perf_broken),
		cmocka_unit_test(perf_later_wins),
		cmocka_unit_test(perf_painted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
