/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/yaml_map.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct inner {
	int depth;
	char *label;
};

struct thing {
	char *name;
	size_t n_words;
	char **words;
	bool on;
	int number;
	double share, rate, at_least;
	uint64_t time_ns, bytes;
	int colour;
	struct inner inner;
	struct inner *own;
	size_t n_items;
	struct inner *items;
	size_t n_pairs;
	struct yaml_pair *pairs;
	size_t n_lists;
	struct yaml_strings *lists;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static void inner_defaults(void *object)
{
	struct inner *inner = object;

	inner->depth = 7;
	inner->label = strdup("unlabelled");
}

static const struct yaml_field inner_fields[] = {
	{.key = "depth", .type = YAML_INT, .offset = offsetof(struct inner, depth)},
	{.key = "label", .type = YAML_STRING, .offset = offsetof(struct inner, label)},
};

static const struct yaml_schema inner_schema = {
	.name = "an inner",
	.size = sizeof(struct inner),
	.fields = inner_fields,
	.n_fields = ARRAY_SIZE(inner_fields),
	.defaults = inner_defaults,
};

#define AT(member)     .offset = offsetof(struct thing, member)
#define COUNT(member)  .count_offset = offsetof(struct thing, member)
#define BOUNDS(lo, hi) .min = (lo), .max = (hi)

static const struct yaml_field thing_fields[] = {
	{.key = "name", .type = YAML_STRING, AT(name), .required = true, .help = "its name"},
	{.key = "words", .type = YAML_STRINGS, AT(words), COUNT(n_words)},
	{.key = "on", .type = YAML_BOOL, AT(on)},
	{.key = "number", .type = YAML_INT, AT(number), BOUNDS(1, 500)},
	{.key = "share", .type = YAML_DOUBLE, AT(share), BOUNDS(0, 1)},
	{.key = "rate", .type = YAML_COUNT, AT(rate), BOUNDS(1, 2000000)},
	{.key = "at_least", .type = YAML_DOUBLE, AT(at_least), BOUNDS(5, 0)},
	{.key = "time", .type = YAML_DURATION, AT(time_ns), BOUNDS(0.001, 3600)},
	{.key = "bytes", .type = YAML_SIZE, AT(bytes), BOUNDS(1, 1048576)},
	{.key = "colour", .type = YAML_ENUM, AT(colour), .choices = colours},
	{.key = "inner", .type = YAML_MAP, AT(inner), .nested = &inner_schema},
	{.key = "own", .type = YAML_OBJECT, AT(own), .nested = &inner_schema},
	{.key = "items", .type = YAML_MAPS, AT(items), COUNT(n_items), .nested = &inner_schema},
	{.key = "pairs", .type = YAML_PAIRS, AT(pairs), COUNT(n_pairs)},
	{.key = "lists", .type = YAML_STRING_LISTS, AT(lists), COUNT(n_lists)},
};

static void thing_defaults(void *object)
{
	((struct thing *)object)->number = 42;
}

static const struct yaml_schema thing_schema = {
	.name = "a thing",
	.size = sizeof(struct thing),
	.fields = thing_fields,
	.n_fields = ARRAY_SIZE(thing_fields),
	.defaults = thing_defaults,
};

static int load(const char *text, struct thing *thing, struct error *err)
{
	memset(thing, 0xaa, sizeof(*thing));
	return yaml_map_load_memory("f.yaml", text, strlen(text), &thing_schema, thing, err);
}

static void take(const char *text, struct thing *thing)
{
	struct error err = {0};

	if (load(text, thing, &err))
		fail_msg("refused: %s", err.text);
}

/* @text is refused, and the complaint begins and goes on as said. */
static void refuse(const char *text, const char *begins, const char *holds)
{
	struct thing thing, nothing = {0};
	struct error err = {0};

	if (!load(text, &thing, &err))
		fail_msg("taken: %s", text);
	assert_memory_equal(&thing, &nothing, sizeof(thing));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
	assert_null(strchr(err.text, '\n'));
}

static void everything(void **state)
{
	struct thing t;

	(void)state;
	take("name: n\nwords: [a, '', 3]\non: true\nnumber: 500\nshare: 2.5e-1\nrate: 14k\n"
	     "at_least: 1e9\ntime: 250ms\nbytes: 64KiB\ncolour: blue\n"
	     "inner: {depth: -3, label: \"l\"}\nown: {depth: 9}\n"
	     "items:\n  - {depth: 1}\n  - label: two\npairs: {A: x, B: ''}\nlists: [[a, b], [], "
	     "[c]]\n",
	     &t);
	assert_string_equal(t.name, "n");
	assert_int_equal(t.n_words, 3);
	assert_string_equal(t.words[0], "a");
	assert_string_equal(t.words[1], "");
	assert_string_equal(t.words[2], "3");
	assert_null(t.words[3]);
	assert_true(t.on);
	assert_int_equal(t.number, 500);
	assert_true(t.share == 0.25 && t.rate == 14000 && t.at_least == 1e9);
	assert_int_equal(t.time_ns, 250000000);
	assert_int_equal(t.bytes, 65536);
	assert_int_equal(t.colour, 2);
	assert_int_equal(t.inner.depth, -3);
	assert_string_equal(t.inner.label, "l");
	assert_int_equal(t.own->depth, 9);
	assert_string_equal(t.own->label, "unlabelled");
	assert_int_equal(t.n_items, 2);
	assert_int_equal(t.items[0].depth, 1);
	assert_string_equal(t.items[0].label, "unlabelled");
	assert_int_equal(t.items[1].depth, 7);
	assert_string_equal(t.items[1].label, "two");
	assert_int_equal(t.n_pairs, 2);
	assert_string_equal(t.pairs[0].name, "A");
	assert_string_equal(t.pairs[0].value, "x");
	assert_string_equal(t.pairs[1].value, "");
	assert_int_equal(t.n_lists, 3);
	assert_int_equal(t.lists[0].n, 2);
	assert_string_equal(t.lists[0].strings[1], "b");
	assert_int_equal(t.lists[1].n, 0);
	assert_string_equal(t.lists[2].strings[0], "c");
	yaml_map_free(&thing_schema, &t);
	assert_null(t.name);
	assert_null(t.own);
	yaml_map_free(&thing_schema, NULL);
}

static void defaults(void **state)
{
	struct thing t;

	(void)state;
	take("name: n\n", &t);
	assert_int_equal(t.number, 42);
	assert_int_equal(t.inner.depth, 7);
	assert_string_equal(t.inner.label, "unlabelled");
	assert_int_equal(t.own->depth, 7);
	assert_null(t.words);
	assert_int_equal(t.n_words, 0);
	yaml_map_free(&thing_schema, &t);
}

static void unknown_keys(void **state)
{
	(void)state;
	refuse("name: n\nnumbr: 1\n", "f.yaml:2:1: key 'numbr': ", "did you mean 'number'?");
	refuse("name: n\nzzzzzz: 1\n",
	       "f.yaml:2:1: key 'zzzzzz': ", "the keys of a thing are name, words, ");
	refuse("name: n\ninner:\n  dept: 1\n",
	       "f.yaml:3:3: key 'inner.dept': ", "did you mean 'depth'?");
	refuse("name: n\nitems: [{depth: 1}, {labl: x}]\n",
	       "f.yaml:2:22: key 'items[1].labl': ", "did you mean 'label'?");
	refuse("? [a]\n: b\n", "f.yaml:1:3: ", "is a list; write the name of a key");
	refuse("<<: {name: n}\n", "f.yaml:1:1: key '<<': ", "is unknown");
}

static void duplicates_and_missing(void **state)
{
	(void)state;
	refuse("name: a\non: true\nname: b\n",
	       "f.yaml:3:1: key 'name': ", "is there twice, first in line 1; remove one");
	refuse("name: n\npairs:\n  A: 1\n  A: 2\n",
	       "f.yaml:4:3: key 'pairs.A': ", "is there twice, first in line 3");
	refuse("on: true\n", "f.yaml:1:1: key 'name': ", "is missing; add it (its name)");
}

static void wrong_types(void **state)
{
	(void)state;
	refuse("name: [a]\n", "f.yaml:1:7: key 'name': ", "is a list; write a text");
	refuse("name: {a: b}\n", "f.yaml:1:7: key 'name': ", "is a mapping; write a text");
	refuse("name:\non: true\n", "f.yaml:1:6: key 'name': ", "is empty; write a text");
	refuse("name: \"a\\0b\"\n", "f.yaml:1:7: key 'name': ", "NUL");
	refuse("name: n\nwords: a\n", "f.yaml:2:8: key 'words': ", "write a list of texts");
	refuse("name: n\nwords: [a, [b]]\n", "f.yaml:2:12: key 'words[1]': ", "is a list");
	refuse("name: n\non: yes\n",
	       "f.yaml:2:5: key 'on': ", "'yes' is not understood; write true or false");
	refuse("name: n\ninner: 3\n", "f.yaml:2:8: key 'inner': ", "write a mapping");
	refuse("name: n\nown: [1]\n", "f.yaml:2:6: key 'own': ", "write a mapping");
	refuse("name: n\nitems: {a: b}\n", "f.yaml:2:8: key 'items': ", "list of mappings");
	refuse("name: n\nitems: [3]\n", "f.yaml:2:9: key 'items[0]': ", "write a mapping");
	refuse("name: n\npairs: [a]\n", "f.yaml:2:8: key 'pairs': ", "mapping of names");
	refuse("name: n\npairs: {A: [b]}\n", "f.yaml:2:12: key 'pairs.A': ", "is a list");
	refuse("name: n\nlists: a\n", "f.yaml:2:8: key 'lists': ", "list of lists");
	refuse("name: n\nlists: [[a], b]\n", "f.yaml:2:14: key 'lists[1]': ", "list of texts");
	refuse("- a\n- b\n", "f.yaml:1:1: ", "is a list; write a mapping");
	refuse("just text\n", "f.yaml:1:1: ", "'just text' is not understood");
}

static void wrong_numbers(void **state)
{
	static const char *const wrong[] = {
		"number: 1.5", "number: 0x10", "number: '+3'", "number: ' 3'",
		"number: '-'", "number: 3a",   "share: nan",   "share: .inf",
		"share: 0x1",  "share: '1 '",  "share: 1e",    "share: 1e400",
		"rate: 14q",   "rate: -1",     "time: 5",      "time: 5 s",
		"time: -5s",   "bytes: 1KB",   "bytes: x",     "number: 99999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char text[64];

		snprintf(text, sizeof(text), "name: n\n%s\n", wrong[i]);
		refuse(text, "f.yaml:2:", "is not understood; write a");
	}
}

static void out_of_bounds(void **state)
{
	(void)state;
	refuse("name: n\nnumber: 700\n",
	       "f.yaml:2:9: key 'number': ", "'700' is out of bounds; write 1 to 500");
	refuse("name: n\nnumber: 0\n", "f.yaml:2:9: key 'number': ", "write 1 to 500");
	refuse("name: n\nnumber: -1\n", "f.yaml:2:9: key 'number': ", "write 1 to 500");
	refuse("name: n\nshare: 1.01\n", "f.yaml:2:8: key 'share': ", "write 0 to 1");
	refuse("name: n\nrate: 3M\n", "f.yaml:2:7: key 'rate': ", "write 1 to 2000000");
	refuse("name: n\nat_least: 4\n", "f.yaml:2:11: key 'at_least': ", "write at least 5");
	refuse("name: n\ntime: 2h\n", "f.yaml:2:7: key 'time': ", "write 1ms to 1h");
	refuse("name: n\ntime: 0\n", "f.yaml:2:7: key 'time': ", "write 1ms to 1h");
	refuse("name: n\nbytes: 2MiB\n", "f.yaml:2:8: key 'bytes': ", "write 1 to 1MiB");
	refuse("name: n\ncolour: gren\n", "f.yaml:2:9: key 'colour': ", "did you mean 'green'?");
	refuse("name: n\ncolour: mauve\n",
	       "f.yaml:2:9: key 'colour': ", "write red, green or blue");
}

static void whole_files(void **state)
{
	(void)state;
	refuse("", "f.yaml:1:1: ", "the file is empty");
	refuse("# only this\n", "f.yaml:1:1: ", "the file is empty");
	refuse("---\n", "f.yaml:", "is empty; write a mapping");
	refuse("name: a\n---\nname: b\n", "f.yaml:2:1: ", "a second document");
	refuse("name: &x a\n", "f.yaml:1:7: ", "an anchor (&x)");
	refuse("words: &x [*x]\n", "f.yaml:1:8: ", "an anchor (&x)");
	refuse("name: *y\n", "f.yaml:1:7: ", "an alias (*y)");
	refuse("name: !!str a\n", "f.yaml:1:7: ", "a tag (tag:yaml.org,2002:str)");
	refuse("name: 'open\n", "f.yaml:", "correct the YAML");
	refuse("name: n\n  on: true\n", "f.yaml:2:5: ", "mapping values are not allowed");
	refuse("name: n\n\ton: true\n", "f.yaml:2:1: ", "violates indentation");
	refuse("name: n\non: \x01\n", "f.yaml:2:5: ", "control characters");
	refuse("name: n\non: \xff\n", "f.yaml:2:5: ", "UTF-8");
	refuse("name: [[[[[[[[[[[[[[[[[[[[\n", "f.yaml:1:22: ", "nested deeper than 16 levels");
}

static void limits(void **state)
{
	size_t size = YAML_FILE_BYTES_MAX + 1, used;
	char *text = malloc(size + 1);
	struct thing thing;
	struct error err;

	(void)state;
	memset(text, '#', size);
	memcpy(text, "name: n\n", 8);
	text[size] = '\0';
	refuse(text, "f.yaml:1:1: ", "is larger than 1 MiB");
	text[size - 1] = '\0';
	take(text, &thing);
	yaml_map_free(&thing_schema, &thing);

	used = (size_t)sprintf(text, "name: n\nwords: [a");
	for (int i = 1; i < YAML_ENTRIES_MAX; i++)
		used += (size_t)sprintf(text + used, ",a");
	strcpy(text + used, "]\n");
	take(text, &thing);
	assert_int_equal(thing.n_words, YAML_ENTRIES_MAX);
	yaml_map_free(&thing_schema, &thing);
	strcpy(text + used, ",a]\n");
	refuse(text, "f.yaml:2:8: key 'words': ", "has 1001 entries; write at most 1000");
	free(text);

	assert_int_equal(yaml_map_load("/nowhere/x.yaml", &thing_schema, &thing, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(err.text, "cannot read '/nowhere/x.yaml': No such file or directory; "
				      "check the path");
}

static void in_steps(void **state)
{
	static const char text[] = "name: n\nlists:\n  - [a, b]\n  - [c]\n";
	struct error err;
	struct yaml_file *file = yaml_file_open_memory("f.yaml", text, strlen(text), &err);

	(void)state;
	assert_non_null(file);
	assert_string_equal(yaml_file_scalar(file, "name"), "n");
	assert_null(yaml_file_scalar(file, "lists"));
	assert_null(yaml_file_scalar(file, "nam"));
	assert_string_equal(yaml_file_key(file, 1), "lists");
	assert_null(yaml_file_key(file, 2));
	assert_int_equal(yaml_file_error(file, "lists[0][1]", &err, "is %d", 5), -1);
	assert_string_equal(err.text, "f.yaml:3:9: key 'lists[0][1]': is 5");
	yaml_file_error(file, "lists[1][7]", &err, "x");
	assert_string_equal(err.text, "f.yaml:4:5: key 'lists[1][7]': x");
	yaml_file_error(file, "absent.key[2", &err, "x");
	assert_string_equal(err.text, "f.yaml:1:1: key 'absent.key[2': x");
	yaml_file_close(file);
	yaml_file_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),    cmocka_unit_test(defaults),
		cmocka_unit_test(unknown_keys),  cmocka_unit_test(duplicates_and_missing),
		cmocka_unit_test(wrong_types),   cmocka_unit_test(wrong_numbers),
		cmocka_unit_test(out_of_bounds), cmocka_unit_test(whole_files),
		cmocka_unit_test(limits),        cmocka_unit_test(in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
