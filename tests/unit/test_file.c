/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"

/* A folder of its own for each test; the tests stand in it. */
static int enter(void **state)
{
	char template[] = "/tmp/perfbpf-test-XXXXXX";

	if (!mkdtemp(template) || chdir(template))
		return -1;
	*state = strdup(template);
	return *state ? 0 : -1;
}

static int leave(void **state)
{
	int err = chdir("/") ? -1 : dir_remove(*state);

	free(*state);
	return err;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void read_whole(void **state)
{
	size_t size = 0;
	char *text;

	(void)state;
	write_file("a", "four", 0600);
	text = file_read("a", 4, &size);
	assert_non_null(text);
	assert_string_equal(text, "four");
	assert_int_equal(size, 4);
	free(text);
	text = file_read("a", 100, NULL);
	assert_string_equal(text, "four");
	free(text);
	write_file("empty", "", 0600);
	text = file_read("empty", 0, &size);
	assert_string_equal(text, "");
	assert_int_equal(size, 0);
	free(text);
}

static void read_large(void **state)
{
	const size_t length = 100000;
	char *text = malloc(length + 1), *back;
	size_t size;

	(void)state;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 26);
	text[length] = '\0';
	write_file("large", text, 0600);
	back = file_read("large", length, &size);
	assert_non_null(back);
	assert_int_equal(size, length);
	assert_string_equal(back, text);
	free(back);
	assert_null(file_read("large", length - 1, &size));
	assert_int_equal(errno, EFBIG);
	free(text);
}

static void read_without_size(void **state)
{
	size_t size = 0;
	char *text = file_read("/proc/self/status", 1 << 20, &size);

	(void)state;
	assert_non_null(text);
	assert_true(size > 100);
	assert_non_null(strstr(text, "Name:"));
	free(text);
	assert_null(file_read("/dev/zero", 10000, NULL));
	assert_int_equal(errno, EFBIG);
}

static void read_refused(void **state)
{
	(void)state;
	assert_null(file_read("nowhere", 10, NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(file_read(".", 10, NULL));
	assert_int_equal(errno, EISDIR);
}

static void made_with_parents(void **state)
{
	char *all = NULL;
	struct stat st;

	assert_int_equal(dir_make("x/y//z/", 0700), 0);
	assert_int_equal(stat("x/y/z", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(dir_make("x/y", 0700), 0);
	assert_true(asprintf(&all, "%s/p/q", (char *)*state) > 0);
	assert_int_equal(dir_make(all, 0700), 0);
	assert_true(exists("p/q"));
	free(all);
	write_file("file", "", 0600);
	assert_int_equal(dir_make("file", 0700), -ENOTDIR);
	assert_int_equal(dir_make("file/below", 0700), -ENOTDIR);
	assert_int_equal(dir_make("", 0700), -ENOENT);
}

static void removed_with_all(void **state)
{
	(void)state;
	assert_int_equal(dir_make("tree/a/b", 0700), 0);
	write_file("tree/file", "1", 0600);
	write_file("tree/a/b/.hidden", "2", 0600);
	assert_int_equal(mkfifo("tree/a/fifo", 0600), 0);
	assert_int_equal(dir_remove("tree"), 0);
	assert_false(exists("tree"));
	assert_int_equal(dir_remove("tree"), -ENOENT);
	write_file("file", "1", 0600);
	assert_int_equal(dir_remove("file"), 0);
	assert_false(exists("file"));
}

static void links_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(dir_make("kept", 0700), 0);
	write_file("kept/file", "1", 0600);
	assert_int_equal(dir_make("tree", 0700), 0);
	assert_int_equal(symlink("../kept", "tree/link"), 0);
	assert_int_equal(symlink("../kept/file", "tree/file"), 0);
	assert_int_equal(symlink("nowhere", "tree/dangling"), 0);
	assert_int_equal(dir_remove("tree"), 0);
	assert_true(exists("kept/file"));
	assert_int_equal(symlink("kept", "link"), 0);
	assert_int_equal(dir_remove("link"), 0);
	assert_false(exists("link"));
	assert_true(exists("kept/file"));
}

static void first_failure_and_the_rest(void **state)
{
	(void)state;
	if (!geteuid())
		skip();
	assert_int_equal(dir_make("tree/locked/in", 0700), 0);
	assert_int_equal(dir_make("tree/other", 0700), 0);
	assert_int_equal(chmod("tree/locked", 0500), 0);
	assert_int_equal(dir_remove("tree"), -EACCES);
	assert_true(exists("tree/locked/in"));
	assert_false(exists("tree/other"));
	assert_int_equal(chmod("tree/locked", 0700), 0);
}

static void found_on_path(void **state)
{
	char *found;

	(void)state;
	assert_int_equal(dir_make("one/tool", 0700), 0); /* a folder is no program */
	assert_int_equal(dir_make("two", 0700), 0);
	assert_int_equal(dir_make("three", 0700), 0);
	write_file("two/tool", "", 0600); /* nor is this */
	write_file("three/tool", "#!/bin/sh\n", 0700);
	write_file("here", "#!/bin/sh\n", 0700);
	setenv("PATH", "one:nowhere:two:three", 1);
	found = path_find("tool");
	assert_non_null(found);
	assert_string_equal(found, "three/tool");
	free(found);
	assert_null(path_find("here"));
	assert_null(path_find("absent"));
	assert_null(path_find(""));
	setenv("PATH", "one:", 1);
	found = path_find("here");
	assert_non_null(found);
	assert_string_equal(found, "./here");
	free(found);
}

static void found_by_path(void **state)
{
	char *found;

	(void)state;
	assert_int_equal(dir_make("d", 0700), 0);
	write_file("d/tool", "#!/bin/sh\n", 0700);
	setenv("PATH", "/usr/bin:/bin", 1);
	found = path_find("d/tool");
	assert_non_null(found);
	assert_string_equal(found, "d/tool");
	free(found);
	assert_null(path_find("d/absent"));
	assert_null(path_find("./d"));
	found = path_find("sh");
	assert_non_null(found);
	assert_int_equal(*found, '/');
	free(found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(read_whole),
		TEST(read_large),
		TEST(read_without_size),
		TEST(read_refused),
		TEST(made_with_parents),
		TEST(removed_with_all),
		TEST(links_are_not_followed),
		TEST(first_failure_and_the_rest),
		TEST(found_on_path),
		TEST(found_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
