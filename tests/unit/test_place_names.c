/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of places: each is asked for once, and of each file all at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "conduct/place_names.h"
#include "made_elf.h"

#define KERNEL 0xffffffff81000000

struct fixture {
	struct place_names *names;
	struct name_sources sources;
	char path[32];
	uint32_t file, missing; /* objects */
	int asked;              /* of code that is in no file */
	char text[64];
};

static const char *jit(void *context, uint64_t process, uint64_t address)
{
	struct fixture *fixture = context;

	fixture->asked++;
	if (address != 0x7000)
		return NULL;
	snprintf(fixture->text, sizeof(fixture->text), "of %d", (int)process);
	return fixture->text;
}

static FILE *open_kallsyms(void)
{
	static char text[] = "ffffffff81000000 T first\n"
			     "ffffffff81000100 T second\t[module]\n"
			     "ffffffff81000200 D data\n";

	return fmemopen(text, strlen(text), "r");
}

static void write_file(const char *path)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x5000, NULL, 0x300);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	made_symbol(made, "one", 0x5000, 0x100, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "two", 0x5100, 0x100, STT_FUNC, STB_GLOBAL, text);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	fwrite(made->bytes, 1, made->size, out);
	fclose(out);
	made_free(made);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct object_sight sight = {.path = fixture->path, .pid = getpid()};
	struct stat st;
	int fd;

	strcpy(fixture->path, "/tmp/test_names.XXXXXX");
	fd = mkstemp(fixture->path);
	if (fd < 0)
		return -1;
	close(fd);
	write_file(fixture->path);
	fixture->names = place_names_new();
	fixture->sources = (struct name_sources){
		.objects = objects_new(),
		.kallsyms = open_kallsyms(),
		.jit = jit,
		.context = fixture,
		.profile = profile_new(),
	};
	if (stat(fixture->path, &st))
		return -1;
	sight.inode = (struct object_inode){
		.major = major(st.st_dev), .minor = minor(st.st_dev), .number = st.st_ino};
	fixture->file = objects_add(fixture->sources.objects, &sight);
	sight.path = "/no/such";
	fixture->missing = objects_add(fixture->sources.objects, &sight);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	place_names_free(fixture->names);
	objects_free(fixture->sources.objects);
	profile_free(fixture->sources.profile);
	if (fixture->sources.kallsyms)
		fclose(fixture->sources.kallsyms);
	unlink(fixture->path);
	free(fixture);
	return 0;
}

static void add(struct fixture *fixture, uint32_t object, uint64_t address, uint64_t process)
{
	struct stack_frame frame = {.address = address, .object = object};
	uint32_t place = place_names_add(fixture->names, &frame, process);

	assert_int_not_equal(place, HASH_INDEX_NONE);
	assert_int_equal(place_names_add(fixture->names, &frame, process), place);
	assert_int_equal(place_names_find(fixture->names, &frame, process), place);
}

static void look_up(struct fixture *fixture)
{
	assert_int_equal(place_names_look_up(fixture->names, &fixture->sources), 0);
	assert_null(objects_at(fixture->sources.objects, fixture->file)->file);
}

/* @label: as a flame graph would call it. */
static void expect(const struct fixture *fixture, uint32_t object, uint64_t address,
		   uint64_t process, const char *label, bool is_known)
{
	struct stack_frame frame = {.address = address, .object = object};
	uint32_t place = place_names_find(fixture->names, &frame, process);
	struct place_name name;
	char text[256];

	assert_int_not_equal(place, HASH_INDEX_NONE);
	name = place_names_at(fixture->names, place);
	assert_int_equal(name.n, 1);
	assert_int_equal(name.is_known, is_known);
	assert_string_equal(
		profile_frame_label(fixture->sources.profile, name.frames[0], text, sizeof(text)),
		label);
}

static void of_all_kinds(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, STACKS_OBJECT_KERNEL, KERNEL + 0x110, 1);
	add(fixture, fixture->file, 0x5110, 1);
	add(fixture, PB_OBJECT_ANON, 0x7000, 1);
	add(fixture, fixture->missing, 0x5000, 1);
	add(fixture, STACKS_OBJECT_KERNEL, KERNEL + 0x10, 2);
	add(fixture, fixture->file, 0x5010, 2);
	add(fixture, PB_OBJECT_ANON, 0x7000, 2);
	add(fixture, PB_OBJECT_ANON, 0x8000, 2);
	add(fixture, fixture->file, 0x5210, 2);
	add(fixture, STACKS_OBJECT_KERNEL, KERNEL + 0x210, 2);
	look_up(fixture);
	expect(fixture, STACKS_OBJECT_KERNEL, KERNEL + 0x10, 9, "first", true);
	expect(fixture, STACKS_OBJECT_KERNEL, KERNEL + 0x110, 9, "second", true);
	expect(fixture, STACKS_OBJECT_KERNEL, KERNEL + 0x210, 9,
	       "[unknown] ([kernel]+0xffffffff81000210)", false);
	expect(fixture, fixture->file, 0x5010, 9, "one", true);
	expect(fixture, fixture->file, 0x5110, 9, "two", true);
	expect(fixture, fixture->missing, 0x5000, 9, "[unknown] (such+0x5000)", false);
	/* What is in no file is each process's own. */
	expect(fixture, PB_OBJECT_ANON, 0x7000, 1, "of 1", true);
	expect(fixture, PB_OBJECT_ANON, 0x7000, 2, "of 2", true);
	expect(fixture, PB_OBJECT_ANON, 0x8000, 2, "[unknown] (0x8000)", false);
}

/* The next round: what is known stays known, and is not asked for again. */
static void round_after_round(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, STACKS_OBJECT_KERNEL, KERNEL, 1);
	add(fixture, fixture->file, 0x5010, 1);
	add(fixture, PB_OBJECT_ANON, 0x7000, 1);
	look_up(fixture);
	place_names_rest(fixture->names);
	fclose(fixture->sources.kallsyms);
	fixture->sources.kallsyms = NULL;
	for (int i = 0; i < 3; i++) {
		add(fixture, STACKS_OBJECT_KERNEL, KERNEL, 2);
		add(fixture, fixture->file, 0x5010, 2);
		add(fixture, fixture->file, 0x5110 + (uint64_t)i, 2);
		add(fixture, PB_OBJECT_ANON, 0x7000, 1);
		look_up(fixture);
		expect(fixture, STACKS_OBJECT_KERNEL, KERNEL, 1, "first", true);
		expect(fixture, fixture->file, 0x5110 + (uint64_t)i, 1, "two", true);
		place_names_rest(fixture->names);
	}
	assert_int_equal(fixture->asked, 1);
	add(fixture, STACKS_OBJECT_KERNEL, KERNEL + 1, 2);
	look_up(fixture);
	expect(fixture, STACKS_OBJECT_KERNEL, KERNEL + 1, 1,
	       "[unknown] ([kernel]+0xffffffff81000001)", false);
}

/* Then they begin anew. */
static void not_more_than_are_kept(void **state)
{
	struct fixture *fixture = *state;
	struct stack_frame frame = {.address = 0x5010, .object = fixture->file};

	for (uint64_t i = 0; i < 100000; i++)
		add(fixture, fixture->file, 0x5000 + i, 1);
	look_up(fixture);
	place_names_rest(fixture->names);
	assert_int_not_equal(place_names_find(fixture->names, &frame, 1), HASH_INDEX_NONE);
	add(fixture, fixture->file, 0x4fff, 1);
	look_up(fixture);
	place_names_rest(fixture->names);
	assert_int_equal(place_names_find(fixture->names, &frame, 1), HASH_INDEX_NONE);
	add(fixture, fixture->file, 0x5010, 1);
	look_up(fixture);
	expect(fixture, fixture->file, 0x5010, 1, "one", true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_all_kinds),
		TEST(round_after_round),
		TEST(not_more_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
