/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Symbols that were stripped: compressed in the file, and in debug files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "made_symbols.h"
#include "util/file.h"

static void expect_source(const struct made_elf *made, const char *path, const char *root,
			  const char *source)
{
	struct named named = open_made(made, path, root);

	if (strcmp(symbols_source(named.symbols), source) != 0)
		fail_msg("\"%s\" instead of \"%s\"", symbols_source(named.symbols), source);
	close_named(&named);
}

static uint8_t *compress_xz(const void *bytes, size_t size, size_t *compressed)
{
	size_t room = lzma_stream_buffer_bound(size);
	uint8_t *out = malloc(room);

	*compressed = 0;
	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, bytes, size, out,
						 compressed, room),
			 LZMA_OK);
	return out;
}

/* A stripped file with @bytes as .gnu_debugdata. */
static struct made_elf *made_minidebug(const void *bytes, size_t size)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x100);

	made_symbol(made, "exported", 0x10a0, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_table(made, ".dynsym", SHT_DYNSYM);
	made_section(made, ".gnu_debugdata", SHT_PROGBITS, 0, 0, bytes, size);
	made_finish(made);
	return made;
}

static void minidebuginfo(void **state)
{
	struct made_elf *inner = made_debug(0), *made;
	size_t size;
	uint8_t *compressed = compress_xz(inner->bytes, inner->size, &size);
	struct named named;

	(void)state;
	made = made_minidebug(compressed, size);
	named = open_made(made, NULL, NULL);
	assert_string_equal(symbols_source(named.symbols), "minidebuginfo");
	expect(&named, 0x1000, "inner");
	expect(&named, 0x1090, NULL);
	expect(&named, 0x10a0, "exported");
	close_named(&named);
	made_free(made);
	/* Cut anywhere, it is not there. */
	for (size_t cut = 0; cut < size; cut += 17) {
		made = made_minidebug(compressed, cut);
		expect_source(made, NULL, NULL, "dynsym");
		made_free(made);
	}
	free(compressed);
	made_free(inner);
}

/* 64 MiB of zeros in some kilobytes, with a sound file before them. */
static void minidebuginfo_bomb(void **state)
{
	struct made_elf *inner = made_debug(0), *made;
	size_t size, large = 64U << 20;
	uint8_t *bytes = calloc(1, large), *compressed;

	(void)state;
	memcpy(bytes, inner->bytes, inner->size);
	compressed = compress_xz(bytes, large, &size);
	assert_true(size < (64 << 10));
	made = made_minidebug(compressed, size);
	expect_source(made, NULL, NULL, "dynsym");
	made_free(made);
	free(compressed);
	free(bytes);
	made_free(inner);
}

struct folder {
	char path[64];
};

static void put(const struct folder *folder, const char *dir, const char *name,
		const struct made_elf *made)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder->path, dir);
	assert_int_equal(dir_make(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", folder->path, dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(made->bytes, 1, made->size, out), made->size);
	assert_int_equal(fclose(out), 0);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	strcpy(folder->path, "/tmp/perfbpf-symbols-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	int rc = dir_remove(folder->path);

	free(folder);
	return rc;
}

/* A stripped file with a build id (0: none) and a link with @checksum (0: none). */
static struct made_elf *made_stripped(uint8_t build_id, const char *link, uint32_t checksum)
{
	struct made_elf *made = made_new();
	char text[256] = "";
	size_t at = (strlen(link) + 4) & ~(size_t)3;

	made_text(made, ".text", 0x1000, NULL, 0x100);
	if (build_id)
		made_build_id(made, build_id, 20);
	strcpy(text, link);
	memcpy(text + at, &checksum, sizeof(checksum));
	if (checksum)
		made_section(made, ".gnu_debuglink", SHT_PROGBITS, 0, 0, text, at + 4);
	made_finish(made);
	return made;
}

#define DIR_AB  "debug/.build-id/ab"
#define NAME_AB "abababababababababababababababababababab"

static void by_build_id(void **state)
{
	const struct folder *folder = *state;
	struct made_elf *same = made_debug(0xab), *other = made_debug(0xcd), *none = made_debug(0);
	struct made_elf *made = made_stripped(0xab, "", 0);
	char root[128];

	snprintf(root, sizeof(root), "%s/debug", folder->path);
	expect_source(made, "/usr/bin/prog", root, "none");
	put(folder, DIR_AB, NAME_AB ".debug" + 2, other);
	expect_source(made, "/usr/bin/prog", root, "none");
	put(folder, DIR_AB, NAME_AB ".debug" + 2, none);
	expect_source(made, "/usr/bin/prog", root, "none");
	put(folder, DIR_AB, NAME_AB ".debug" + 2, same);
	expect_source(made, "/usr/bin/prog", root, "debug file");
	expect_source(made, NULL, root, "debug file");
	made_free(made);
	made_free(same);
	made_free(other);
	made_free(none);
}

static void by_debug_link(void **state)
{
	static const char *const dirs[] = {"bin", "bin/.debug"};
	const struct folder *folder = *state;
	struct made_elf *debug = made_debug(0);
	uint32_t checksum = (uint32_t)crc32(0, debug->bytes, (uInt)debug->size);
	struct made_elf *made = made_stripped(0xab, "prog.debug", checksum);
	struct made_elf *wrong = made_stripped(0xab, "prog.debug", checksum + 1);
	char path[128], root[128], dir[256], file[512];

	snprintf(path, sizeof(path), "%s/bin/prog", folder->path);
	snprintf(root, sizeof(root), "%s/debug", folder->path);
	for (size_t i = 0; i < 3; i++) {
		/* Below the debug root, the whole path of the folder is repeated. */
		if (i < 2)
			strcpy(dir, dirs[i]);
		else
			snprintf(dir, sizeof(dir), "debug%s/bin", folder->path);
		put(folder, dir, "prog.debug", debug);
		expect_source(made, path, root, "debug file");
		expect_source(wrong, path, root, "none");
		expect_source(made, NULL, root, "none");
		snprintf(file, sizeof(file), "%s/%s/prog.debug", folder->path, dir);
		assert_int_equal(unlink(file), 0);
		expect_source(made, path, root, "none");
	}
	made_free(made);
	made_free(wrong);
	made_free(debug);
}

/* The path of a file in another root: its debug root is looked at too. */
static void in_another_root(void **state)
{
	const struct folder *folder = *state;
	struct made_elf *debug = made_debug(0xab), *plain = made_debug(0);
	uint32_t checksum = (uint32_t)crc32(0, plain->bytes, (uInt)plain->size);
	struct made_elf *made = made_stripped(0xab, "", 0);
	struct made_elf *linked = made_stripped(0, "prog.debug", checksum);
	char path[256], root[128];

	snprintf(path, sizeof(path), "/proc/%d/root/usr/bin/prog", getpid());
	snprintf(root, sizeof(root), "%s/debug", folder->path);
	put(folder, DIR_AB, NAME_AB ".debug" + 2, debug);
	put(folder, "debug/usr/bin", "prog.debug", plain);
	expect_source(made, path, root, "debug file");
	expect_source(linked, path, root, "debug file");
	expect_source(linked, "/proc/1x/root/usr/bin/prog", root, "none");
	made_free(made);
	made_free(linked);
	made_free(debug);
	made_free(plain);
}

/* What a link may not lead to. */
static void bad_debug_links(void **state)
{
	const struct folder *folder = *state;
	struct made_elf *other = made_debug(0xcd), *made;
	uint32_t checksum = (uint32_t)crc32(0, other->bytes, (uInt)other->size);
	char path[128], fifo[128];

	snprintf(path, sizeof(path), "%s/bin/prog", folder->path);
	put(folder, "bin", "prog.debug", other);
	put(folder, "bin/sub", "prog.debug", other);
	made = made_stripped(0xab, "prog.debug", checksum);
	expect_source(made, path, "/nonexistent", "none");
	made_free(made);
	made = made_stripped(0, "sub/prog.debug", checksum);
	expect_source(made, path, "/nonexistent", "none");
	made_free(made);
	snprintf(fifo, sizeof(fifo), "%s/bin/fifo.debug", folder->path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	made = made_stripped(0, "fifo.debug", checksum);
	expect_source(made, path, "/nonexistent", "none");
	made_free(made);
	made_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minidebuginfo),
		cmocka_unit_test(minidebuginfo_bomb),
		cmocka_unit_test_setup_teardown(by_build_id, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(by_debug_link, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(in_another_root, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(bad_debug_links, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
