/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files that code was mapped from: which is which, and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "conduct/objects.h"
#include "made_elf.h"
#include "made_tables.h"

struct fixture {
	struct objects *objects;
	char folder[32], path[64];
};

/* A file with one function, and the build id @byte (0: none), at the path. */
static void write_file(const struct fixture *fixture, uint8_t byte)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x5000, NULL, 0x100);
	FILE *out = fopen(fixture->path, "w");

	assert_non_null(out);
	made_symbol(made, "the_function", 0x5000, 0x100, STT_FUNC, STB_GLOBAL, text);
	made_table(made, ".symtab", SHT_SYMTAB);
	if (byte)
		made_build_id(made, byte, 20);
	made_finish(made);
	assert_int_equal(fwrite(made->bytes, 1, made->size, out), made->size);
	assert_int_equal(fclose(out), 0);
	made_free(made);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/test_objects.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/file", fixture->folder);
	fixture->objects = objects_new();
	*state = fixture;
	return fixture->objects ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	objects_free(fixture->objects);
	unlink(fixture->path);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static struct object_sight sight_of(const char *path, uint8_t byte)
{
	struct object_sight sight = {.path = path, .pid = getpid()};
	struct stat st;

	if (!byte && !stat(path, &st))
		sight.inode = (struct object_inode){
			.major = major(st.st_dev), .minor = minor(st.st_dev), .number = st.st_ino};
	if (byte)
		sight.build_id.size = 20;
	memset(sight.build_id.bytes, byte, sight.build_id.size);
	return sight;
}

static uint32_t add(const struct fixture *fixture, const char *path, uint8_t byte)
{
	struct object_sight sight = sight_of(path, byte);

	return objects_add(fixture->objects, &sight);
}

static struct object *object_of(const struct fixture *fixture, uint8_t byte)
{
	return objects_at(fixture->objects, add(fixture, fixture->path, byte));
}

static void which_is_which(void **state)
{
	const struct fixture *fixture = *state;
	uint32_t first = add(fixture, "/no/a", 1);

	assert_int_not_equal(first, PB_OBJECT_ANON);
	/* The same file elsewhere, another one at its place, and one that is only known by that. */
	assert_int_equal(add(fixture, "/no/b", 1), first);
	assert_int_not_equal(add(fixture, "/no/a", 2), first);
	assert_int_not_equal(add(fixture, "/no/a", 0), first);
	assert_int_equal(add(fixture, "/no/a", 0), add(fixture, "/no/a", 0));
	/* Until it is opened, the path is the one of the last sight. */
	assert_string_equal(objects_at(fixture->objects, first)->path, "/no/b");
	assert_int_equal(add(fixture, "//anon", 0), PB_OBJECT_ANON);
	assert_int_equal(add(fixture, "[heap]", 0), PB_OBJECT_ANON);
	assert_int_equal(add(fixture, "", 0), PB_OBJECT_ANON);
	assert_int_not_equal(add(fixture, "[vdso]", 0), PB_OBJECT_ANON);
	assert_null(objects_at(fixture->objects, PB_OBJECT_ANON));
	assert_null(objects_at(fixture->objects, 1000));
}

static void more_than_there_is_room_for(void **state)
{
	const struct fixture *fixture = *state;
	char path[32];

	for (int i = 1; i < PB_OBJECTS; i++) {
		snprintf(path, sizeof(path), "/no/%d", i);
		assert_int_equal(add(fixture, path, 0), i);
	}
	assert_true(objects_lost(fixture->objects) == 0);
	assert_int_equal(add(fixture, "/no/more", 0), PB_OBJECT_ANON);
	assert_int_equal(add(fixture, "/no/77", 0), 77);
	assert_true(objects_lost(fixture->objects) == 1);
	/* Nor is there room for another number of one that can be opened now. */
	assert_null(objects_file(objects_at(fixture->objects, 77)));
	assert_int_equal(add(fixture, "/no/77", 0), 77);
	assert_int_equal(add(fixture, "//anon", 0), PB_OBJECT_ANON);
	assert_true(objects_lost(fixture->objects) == 1);
}

static const char *function_at(struct object *object, uint64_t address)
{
	static struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	struct symbols *symbols = objects_symbols(object, false);

	return symbols && symbols_find(symbols, address, frames) ? frames[0].function : NULL;
}

/* Deleted, or out of sight with its container: what was opened once can be read until the end. */
static void read_again_when_it_is_gone(void **state)
{
	const struct fixture *fixture = *state;
	struct object *object;

	write_file(fixture, 7);
	object = object_of(fixture, 7);
	assert_string_equal(function_at(object, 0x5010), "the_function");
	objects_rest(object);
	assert_null(object->file);
	assert_null(object->symbols);
	unlink(fixture->path);
	assert_string_equal(function_at(object, 0x5010), "the_function");
	objects_rest_all(fixture->objects);
	assert_null(object->file);
	assert_non_null(objects_file(object));
	/* Or replaced: it is the one that was mapped. */
	write_file(fixture, 8);
	objects_rest(object);
	assert_int_equal(elf_file_build_id(objects_file(object))->bytes[0], 7);
}

static void another_file_is_not_taken(void **state)
{
	const struct fixture *fixture = *state;
	struct object *object;

	write_file(fixture, 8);
	object = object_of(fixture, 7);
	assert_null(objects_file(object));
	assert_null(objects_symbols(object, false));
	/* That is not tried each time. */
	write_file(fixture, 7);
	assert_null(objects_file(object));
	assert_int_equal(objects_address(object, 0x1234), 0x1234);
}

static void without_a_build_id(void **state)
{
	const struct fixture *fixture = *state;
	struct object *object;

	write_file(fixture, 9);
	object = object_of(fixture, 0);
	assert_string_equal(function_at(object, 0x5010), "the_function");
	/* It has one, which is told with its names; it is found by its path as before, and by that.
	 */
	assert_int_equal(object->file_id.bytes[0], 9);
	assert_ptr_equal(object_of(fixture, 0), object);
	assert_ptr_equal(object_of(fixture, 9), object);
}

/* Another file has its path since, or has it for perfbpf. */
static void another_inode(void **state)
{
	const struct fixture *fixture = *state;
	struct object_sight sight;
	struct object *object;
	uint32_t first;

	write_file(fixture, 0);
	sight = sight_of(fixture->path, 0);
	first = objects_add(fixture->objects, &sight);
	sight.inode.number++;
	assert_int_not_equal(objects_add(fixture->objects, &sight), first);
	object = objects_at(fixture->objects, objects_add(fixture->objects, &sight));
	assert_null(objects_file(object));
	assert_int_equal(object->why_not, ESTALE);
	sight.inode.number--;
	sight.inode.minor++;
	object = objects_at(fixture->objects, objects_add(fixture->objects, &sight));
	assert_null(objects_file(object));
	sight.inode.minor--;
	sight.inode.generation++;
	assert_int_not_equal(objects_add(fixture->objects, &sight), first);
	/* What is known by its path alone is never sure to be the one. */
	sight.inode = (struct object_inode){0};
	object = objects_at(fixture->objects, objects_add(fixture->objects, &sight));
	assert_null(objects_file(object));
	assert_non_null(objects_file(objects_at(fixture->objects, first)));
}

static void memory_with_a_path(void **state)
{
	static const char *const paths[] = {"/memfd:code (deleted)",    "/memfd:",
					    "/dev/zero (deleted)",      "/dev/zero",
					    "/anon_hugepage (deleted)", "/SYSV00000000 (deleted)"};
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(add(fixture, paths[i], 0), PB_OBJECT_ANON);
	/* A program can be run from there. */
	assert_int_not_equal(add(fixture, "/memfd:runc (deleted)", 5), PB_OBJECT_ANON);
	assert_int_not_equal(add(fixture, "/dev/zeroes", 0), PB_OBJECT_ANON);
}

/* Opens what is in place of the process's. */
struct opener {
	const char *path;
	unsigned int calls;
	int pid;
	uint64_t start;
	bool by_path;
};

static int open_instead(void *context, const struct mapped_file *file)
{
	struct opener *opener = context;
	int fd = opener->path ? open(opener->path, O_RDONLY | O_CLOEXEC) : -1;

	opener->calls++;
	opener->pid = file->pid;
	opener->start = file->start;
	opener->by_path = file->by_path;
	return fd < 0 ? -EACCES : fd;
}

static void opened_by_the_process(void **state)
{
	const struct fixture *fixture = *state;
	struct opener opener = {.path = fixture->path};
	struct object_sight sight = sight_of("/no/such", 7);
	struct object *object;

	sight.start = 0x7000;
	write_file(fixture, 7);
	objects_open_by(fixture->objects, open_instead, &opener);
	object = objects_at(fixture->objects, objects_add(fixture->objects, &sight));
	assert_string_equal(function_at(object, 0x5010), "the_function");
	assert_int_equal(opener.calls, 1);
	assert_int_equal(opener.pid, getpid());
	assert_int_equal(opener.start, 0x7000);
	assert_false(opener.by_path);
	/* What it hands out is not believed. */
	sight = sight_of("/no/such", 8);
	object = objects_at(fixture->objects, objects_add(fixture->objects, &sight));
	assert_null(objects_file(object));
	sight = sight_of("/no/such", 0);
	sight.inode.number = 1;
	object = objects_at(fixture->objects, objects_add(fixture->objects, &sight));
	assert_null(objects_file(object));
	assert_true(opener.by_path);
}

/* What could not be opened is tried again when it is seen again, and then only. */
static void seen_again(void **state)
{
	const struct fixture *fixture = *state;
	struct opener opener = {.path = NULL};
	uint32_t first = add(fixture, "/no/such", 7);
	struct object *object = objects_at(fixture->objects, first);
	struct object_sight sight = sight_of("/no/other", 7);

	objects_open_by(fixture->objects, open_instead, &opener);
	/* Nobody has tried yet: of two sights the later one counts. */
	sight.pid = 77;
	assert_int_equal(objects_add(fixture->objects, &sight), first);
	assert_null(objects_file(object));
	assert_int_equal(opener.pid, 77);
	assert_string_equal(object->path, "/no/other");
	assert_int_equal(object->why_not, EACCES);
	assert_null(objects_file(object));
	assert_int_equal(opener.calls, 1);
	assert_int_equal(add(fixture, "/no/such", 7), first);
	assert_int_equal(opener.calls, 2);
	write_file(fixture, 7);
	opener.path = fixture->path;
	/* Its mappings so far stay without. */
	assert_int_not_equal(add(fixture, "/no/such", 7), first);
	assert_int_equal(opener.calls, 3);
	assert_int_equal(add(fixture, "/no/such", 7), first + 1);
	assert_int_equal(opener.calls, 3);
	assert_null(objects_file(object));
	assert_non_null(objects_file(objects_at(fixture->objects, first + 1)));
}

static void tried_so_often(void **state)
{
	const struct fixture *fixture = *state;
	struct opener opener = {.path = NULL};

	objects_open_by(fixture->objects, open_instead, &opener);
	assert_null(objects_file(object_of(fixture, 7)));
	for (int i = 0; i < 1000; i++)
		add(fixture, "/no/such", 7);
	assert_int_equal(opener.calls, 101);
}

/* Opening other than regular files can do things, or wait for ever. */
static void no_regular_file(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	assert_null(objects_file(object_of(fixture, 0)));
	assert_null(objects_file(objects_at(fixture->objects, add(fixture, "/dev/null", 0))));
}

static void addresses(void **state)
{
	const struct fixture *fixture = *state;
	struct object *object;
	uint64_t offset;

	write_file(fixture, 7);
	object = object_of(fixture, 7);
	/* The file begins with its header, then comes the code. */
	offset = sizeof(Elf64_Ehdr);
	assert_int_equal(objects_address(object, offset), 0x5000);
	objects_rest(object);
	assert_int_equal(objects_address(object, offset), 0x5000);
	/* For that it is not opened again, but for another place. */
	assert_null(object->file);
	assert_int_equal(objects_address(object, offset + 16), 0x5010);
	assert_non_null(object->file);
}

static void the_vdso(void **state)
{
	const struct fixture *fixture = *state;
	struct object *object = objects_at(fixture->objects, add(fixture, "[vdso]", 0));

	assert_non_null(objects_file(object));
	objects_rest(object);
	assert_non_null(objects_file(object));
}

static void rows_come_into_tables(void **state)
{
	const struct fixture *fixture = *state;
	struct made_tables *made = made_tables_new(200000);
	struct tables *tables = tables_new(&made->memory, 0);
	uint32_t self, none = add(fixture, "/no/a", 0), other;
	struct object *object;
	FILE *out;

	self = add(fixture, "/proc/self/exe", 0);
	object = objects_at(fixture->objects, self);
	objects_load(fixture->objects, self, tables);
	assert_true(tables_has(tables, self));
	assert_true(object->n_rows > 10);
	assert_int_equal(made->memory.objects[self].n_rows, object->n_rows);
	/* Nothing of the file takes memory then. */
	assert_null(object->file);
	/* What cannot be opened is not known to have none. */
	objects_prepare(fixture->objects, none, tables);
	assert_false(objects_at(fixture->objects, none)->is_missed);
	objects_load(fixture->objects, none, tables);
	assert_false(tables_has(tables, none));
	assert_true(objects_at(fixture->objects, none)->is_missed);
	/* What is no ELF file has. */
	out = fopen(fixture->path, "w");
	assert_non_null(out);
	assert_int_equal(fputs("code", out) < 0 || fclose(out), 0);
	other = add(fixture, fixture->path, 0);
	objects_load(fixture->objects, other, tables);
	assert_int_equal(made->memory.objects[other].by_fp, 1);
	assert_false(objects_at(fixture->objects, other)->is_missed);
	objects_load(fixture->objects, PB_OBJECT_ANON, tables);
	tables_free(tables);
	made_tables_free(made);
}

/* Without room, the rows are made again only when there is some. */
static void rows_without_room(void **state)
{
	const struct fixture *fixture = *state;
	struct made_tables *made = made_tables_new(8);
	struct tables *tables = tables_new(&made->memory, 0);
	uint32_t self = add(fixture, "/proc/self/exe", 0);
	struct object *object = objects_at(fixture->objects, self);

	objects_load(fixture->objects, self, tables);
	assert_false(tables_has(tables, self));
	assert_true(object->n_rows > 8);
	objects_load(fixture->objects, self, tables);
	assert_null(object->file);
	assert_false(tables_has(tables, self));
	tables_free(tables);
	made_tables_free(made);
}

static void the_limit_of_open_files(void **state)
{
	struct rlimit before, after, low;
	struct objects *objects;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = low.rlim_max < 64 ? low.rlim_max : 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	objects = objects_new();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_true(after.rlim_cur == before.rlim_max || after.rlim_cur > PB_OBJECTS);
	assert_int_equal(after.rlim_max, before.rlim_max);
	objects_free(objects);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* No more of them can be opened: this one is without names, and nothing else happens. */
static void too_many_open_files(void **state)
{
	const struct fixture *fixture = *state;
	struct rlimit before, low;
	struct object *object;

	write_file(fixture, 7);
	object = object_of(fixture, 7);
	assert_non_null(objects_file(object));
	objects_rest(object);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &low);
	assert_null(objects_file(object));
	assert_int_equal(objects_address(object, 64), 64);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(objects_address(object, 64), 0x5000);
	assert_string_equal(function_at(object, 0x5010), "the_function");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(which_is_which),
		TEST(more_than_there_is_room_for),
		TEST(read_again_when_it_is_gone),
		TEST(another_file_is_not_taken),
		TEST(without_a_build_id),
		TEST(another_inode),
		TEST(memory_with_a_path),
		TEST(opened_by_the_process),
		TEST(seen_again),
		TEST(tried_so_often),
		TEST(no_regular_file),
		TEST(addresses),
		TEST(the_vdso),
		TEST(rows_come_into_tables),
		TEST(rows_without_room),
		TEST(the_limit_of_open_files),
		TEST(too_many_open_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
