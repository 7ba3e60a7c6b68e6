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
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "made_elf.h"
#include "symbol/elf_file.h"

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))

/* An ELF file of program headers alone. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[80];
	uint8_t content[256];
};

static struct image image_of(const Elf64_Phdr *segments, size_t n)
{
	struct image image = {.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
						     ELFDATA2LSB, EV_CURRENT},
					 .e_type = ET_DYN,
					 .e_machine = EM_X86_64,
					 .e_version = EV_CURRENT,
					 .e_ehsize = sizeof(Elf64_Ehdr),
					 .e_phoff = offsetof(struct image, segments),
					 .e_phentsize = sizeof(Elf64_Phdr),
					 .e_phnum = (uint16_t)n}};

	memcpy(image.segments, segments, n * sizeof(*segments));
	return image;
}

static struct elf_file *open_segments(const Elf64_Phdr *segments, size_t n)
{
	struct image image = image_of(segments, n);
	struct elf_file *file = elf_file_open_memory(&image, sizeof(image));

	assert_non_null(file);
	return file;
}

static Elf64_Phdr load(uint32_t flags, uint64_t offset, uint64_t address, uint64_t size)
{
	return (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_flags = flags,
			    .p_offset = offset,
			    .p_vaddr = address,
			    .p_filesz = size,
			    .p_memsz = size};
}

static void assert_address(struct elf_file *file, uint64_t offset, uint64_t expected)
{
	uint64_t address = 0;

	assert_true(elf_file_address(file, offset, &address));
	assert_int_equal(address, expected);
}

static void addresses_of_offsets(void **state)
{
	Elf64_Phdr segments[] = {load(PF_R, 0, 0x400000, 0x1000),
				 load(PF_R | PF_X, 0x1000, 0x401000, 0x2000),
				 load(PF_R | PF_W, 0x3000, 0x405000, 0x10)};
	struct elf_file *file = open_segments(segments, 3);
	uint64_t address;

	(void)state;
	assert_int_equal(elf_file_machine(file), EM_X86_64);
	assert_address(file, 0, 0x400000);
	assert_address(file, 0xfff, 0x400fff);
	assert_address(file, 0x1000, 0x401000);
	assert_address(file, 0x2fff, 0x402fff);
	assert_address(file, 0x300f, 0x40500f);
	assert_false(elf_file_address(file, 0x3010, &address));
	assert_false(elf_file_address(file, UINT64_MAX, &address));
	elf_file_close(file);
}

/* lld puts segments right behind each other in the file, and far apart in memory: the page where
 * code begins is mapped with the end of what lies before it. */
static void addresses_where_segments_share_a_page(void **state)
{
	const uint64_t cut = 2 * PAGE + 0x234, code = 0x200000 + 3 * PAGE + 0x234;
	Elf64_Phdr segments[] = {load(PF_R, 0, 0x200000, cut), load(PF_R | PF_X, cut, code, PAGE),
				 load(PF_R | PF_W, cut + PAGE, code + 2 * PAGE, 0x1000)};
	struct elf_file *file = open_segments(segments, 3);

	(void)state;
	/* Where the kernel says that code is mapped from. */
	assert_address(file, 2 * PAGE, code - 0x234);
	assert_address(file, cut - 1, code - 1);
	assert_address(file, cut, code);
	assert_address(file, cut + PAGE - 1, code + PAGE - 1);
	/* Nothing of the code's page. */
	assert_address(file, 2 * PAGE - 1, 0x200000 + 2 * PAGE - 1);
	assert_address(file, cut + PAGE, code + 2 * PAGE);
	elf_file_close(file);
}

static void code_of_segments(void **state)
{
	Elf64_Phdr segments[] = {
		load(PF_R, 0, 0x400000, 0x1000), load(PF_R | PF_X, 0x5000, 0x501000, 0x10),
		load(PF_R | PF_X, 0x1000, 0x401000, 0x2000), load(PF_R | PF_X, 0x9000, 0x100, 0)};
	struct elf_file *file = open_segments(segments, 4);
	uint64_t low, high, end;

	(void)state;
	assert_true(elf_file_text(file, &low, &high));
	assert_int_equal(low, 0x401000);
	assert_int_equal(high, 0x501010);
	assert_true(elf_file_is_code(file, 0x401000, &end));
	assert_int_equal(end, 0x403000);
	assert_true(elf_file_is_code(file, 0x50100f, &end));
	assert_int_equal(end, 0x501010);
	assert_false(elf_file_is_code(file, 0x400fff, &end));
	assert_false(elf_file_is_code(file, 0x403000, &end));
	assert_false(elf_file_is_code(file, 0x501010, &end));
	assert_false(elf_file_is_code(file, 0, &end));
	elf_file_close(file);
	file = open_segments(segments, 1);
	assert_false(elf_file_text(file, &low, &high));
	elf_file_close(file);
}

/* Sums that wrap around would make one segment of all memory. */
static void segments_that_make_no_sense(void **state)
{
	Elf64_Phdr segments[80] = {load(PF_R | PF_X, UINT64_MAX, 0x1000, 0x10),
				   load(PF_R | PF_X, 0, UINT64_MAX - 8, 0x10),
				   load(PF_R | PF_X, 0x10, 0x10, UINT64_MAX)};
	struct elf_file *file;
	uint64_t low, high, address;

	(void)state;
	file = open_segments(segments, 3);
	assert_false(elf_file_text(file, &low, &high));
	assert_false(elf_file_address(file, 0x20, &address));
	elf_file_close(file);
	/* More than are kept. */
	for (size_t i = 0; i < 80; i++)
		segments[i] = load(PF_R | PF_X, 0x1000 * i, 0x1000 * i, 0x1000);
	file = open_segments(segments, 80);
	assert_true(elf_file_text(file, &low, &high));
	assert_true(high >= 0x1000 * 64 && high <= 0x1000 * 80);
	elf_file_close(file);
}

static struct elf_file *open_made(struct made_elf *made)
{
	struct elf_file *file;

	made_finish(made);
	file = elf_file_open_memory(made->bytes, made->size);
	assert_non_null(file);
	made_free(made);
	return file;
}

static void assert_build_id(const struct elf_file *file, const char *expected)
{
	char text[2 * ELF_BUILD_ID_MAX + 1];

	elf_build_id_text(elf_file_build_id(file), text);
	assert_string_equal(text, expected);
}

static void build_ids_of_sections(void **state)
{
	static const char *const expected[] = {"", "5a", "5a5a5a5a5a5a5a5a"};
	static const size_t sizes[] = {0, 1, 8};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct made_elf *made = made_new();
		struct elf_file *file;

		made_build_id(made, 0x5a, sizes[i]);
		file = open_made(made);
		assert_build_id(file, expected[i]);
		assert_int_equal(elf_file_build_id(file)->size, sizes[i]);
		elf_file_close(file);
	}
}

static void build_ids_of_other_sizes(void **state)
{
	struct made_elf *made = made_new();
	struct elf_file *file;

	(void)state;
	made_build_id(made, 0xab, ELF_BUILD_ID_MAX);
	file = open_made(made);
	assert_build_id(file, "abababababababababababababababababababab");
	elf_file_close(file);
	/* A longer one than is kept would be taken for another file's. */
	made = made_new();
	made_build_id(made, 0xab, ELF_BUILD_ID_MAX + 1);
	file = open_made(made);
	assert_build_id(file, "");
	elf_file_close(file);
	file = open_made(made_new());
	assert_build_id(file, "");
	elf_file_close(file);
}

/* Without sections, as after sstrip; behind another note. */
static void build_ids_of_segments(void **state)
{
	static const uint8_t notes[] = {4,   0, 0, 0, 4,   0,   0,   0, 1, 0, 0, 0, 'G', 'N',
					'U', 0, 9, 9, 9,   9,   4,   0, 0, 0, 3, 0, 0,   0,
					3,   0, 0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 0};
	Elf64_Phdr note = {.p_type = PT_NOTE,
			   .p_offset = offsetof(struct image, content),
			   .p_filesz = sizeof(notes),
			   .p_align = 4};
	struct image image;
	struct elf_file *file;

	(void)state;
	for (size_t cut = 0; cut < 2; cut++) {
		note.p_filesz = sizeof(notes) - 4 * cut;
		image = image_of(&note, 1);
		memcpy(image.content, notes, sizeof(notes));
		file = elf_file_open_memory(&image, sizeof(image));
		assert_non_null(file);
		assert_build_id(file, cut ? "" : "010203");
		elf_file_close(file);
	}
	note.p_offset = UINT64_MAX - 4;
	file = open_segments(&note, 1);
	assert_build_id(file, "");
	elf_file_close(file);
}

static void sections_by_name(void **state)
{
	struct made_elf *made = made_new();
	struct elf_file *file;
	uint64_t address = 0;
	Elf_Data *data;

	(void)state;
	made_section(made, ".one", SHT_PROGBITS, SHF_ALLOC, 0x1234, "first", 5);
	made_section(made, ".none", SHT_NOBITS, SHF_ALLOC, 0x2000, NULL, 64);
	made_section(made, ".two", SHT_PROGBITS, 0, 0, "second", 6);
	file = open_made(made);
	data = elf_file_section(file, ".one", &address);
	assert_non_null(data);
	assert_int_equal(address, 0x1234);
	assert_int_equal(data->d_size, 5);
	assert_memory_equal(data->d_buf, "first", 5);
	data = elf_file_section(file, ".two", &address);
	assert_non_null(data);
	assert_int_equal(address, 0);
	assert_memory_equal(data->d_buf, "second", 6);
	assert_null(elf_file_section(file, ".none", &address));
	assert_null(elf_file_section(file, ".three", &address));
	assert_null(elf_file_section(file, "", &address));
	elf_file_close(file);
}

/* Such a file would keep libelf busy for hours, where it has many sections and many names. */
static void sections_whose_names_are_broken(void **state)
{
	static const struct {
		uint32_t size, flags;
		bool opens, has_name;
	} cases[] = {
		/* "\0.name\0" is whole from 7 bytes on. */
		{7, 0, true, true},   {0, 0, true, false},
		{1, 0, true, false},  {UINT32_MAX, 0, true, false},
		{6, 0, false, false}, {7, SHF_COMPRESSED, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made_elf *made = made_new();
		struct elf_file *file;
		Elf64_Shdr *headers;
		uint64_t address;

		made_section(made, ".name", SHT_PROGBITS, 0, 0, "content", 7);
		made_finish(made);
		headers = (Elf64_Shdr *)(void *)(made->bytes +
						 ((Elf64_Ehdr *)(void *)made->bytes)->e_shoff);
		headers[2].sh_size = cases[i].size;
		headers[2].sh_flags = cases[i].flags;
		file = elf_file_open_memory(made->bytes, made->size);
		assert_int_equal(file != NULL, cases[i].opens);
		if (file)
			assert_int_equal(elf_file_section(file, ".name", &address) != NULL,
					 cases[i].has_name);
		elf_file_close(file);
		made_free(made);
	}
}

static struct elf_file *open_compressed(uint64_t claimed, size_t n_zeros)
{
	struct made_elf *made = made_new();
	uint8_t *zeros = calloc(1, n_zeros), *bytes = calloc(1, n_zeros + 1024);
	uLongf size = n_zeros + 1024 - sizeof(Elf64_Chdr);

	assert_int_equal(compress(bytes + sizeof(Elf64_Chdr), &size, zeros, n_zeros), Z_OK);
	*(Elf64_Chdr *)(void *)bytes =
		(Elf64_Chdr){.ch_type = ELFCOMPRESS_ZLIB, .ch_size = claimed, .ch_addralign = 1};
	made_section(made, ".debug_x", SHT_PROGBITS, SHF_COMPRESSED, 0, bytes,
		     size + sizeof(Elf64_Chdr));
	free(zeros);
	free(bytes);
	return open_made(made);
}

static void compressed_sections(void **state)
{
	struct elf_file *file = open_compressed(1000, 1000);
	uint64_t address;

	(void)state;
	/* Decompressed once, however often it is asked for. */
	for (int i = 0; i < 2; i++) {
		Elf_Data *data = elf_file_section(file, ".debug_x", &address);

		assert_non_null(data);
		assert_int_equal(data->d_size, 1000);
	}
	elf_file_close(file);
	/* That is larger than it says, or says that it is larger. */
	file = open_compressed(999, 1000);
	assert_null(elf_file_section(file, ".debug_x", &address));
	elf_file_close(file);
	file = open_compressed(1001, 1000);
	assert_null(elf_file_section(file, ".debug_x", &address));
	elf_file_close(file);
	/* Made to fill the memory: a thousand zeros of each byte; or it only claims so. */
	file = open_compressed(1000 * 1000, 1000 * 1000);
	assert_null(elf_file_section(file, ".debug_x", &address));
	elf_file_close(file);
	file = open_compressed(1ULL << 62, 1000);
	assert_null(elf_file_section(file, ".debug_x", &address));
	elf_file_close(file);
}

static void assert_refused(const void *image, size_t size)
{
	errno = 0;
	assert_null(elf_file_open_memory(image, size));
	assert_int_equal(errno, ENOEXEC);
}

static void what_is_no_such_file(void **state)
{
	Elf64_Phdr segment = load(PF_R | PF_X, 0, 0, 0x100);
	struct image image = image_of(&segment, 1);

	(void)state;
	assert_refused("", 0);
	assert_refused("#!/bin/sh\n", 10);
	assert_refused("!<arch>\n", 8);
	assert_refused("\177ELF", 4);
	assert_refused(&image, sizeof(Elf64_Ehdr) - 1);
	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused(&image, sizeof(image));
	image = image_of(&segment, 1);
	image.header.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused(&image, sizeof(image));
}

static void descriptors_are_taken_over(void **state)
{
	static const char *const paths[] = {"/", "/dev/null", "/proc/self/maps"};
	struct elf_file *file;
	int fd;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_null(elf_file_open(fd));
		assert_int_equal(errno, ENOEXEC);
		assert_int_equal(fcntl(fd, F_GETFD), -1);
	}
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	file = elf_file_open(fd);
	assert_non_null(file);
	assert_non_null(elf_file_elf(file));
	elf_file_close(file);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	elf_file_close(NULL);
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("made", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

/* What was written over, or is being written, while it is read. */
static void files_that_are_cut_short(void **state)
{
	struct made_elf *made = made_new();
	struct elf_file *file;
	uint64_t address;

	(void)state;
	made_text(made, ".text", 0x1000, NULL, 64 * 1024);
	made_build_id(made, 0x11, 20);
	made_finish(made);
	for (size_t size = 0; size < made->size; size += size < 512 ? 1 : 4093) {
		file = elf_file_open(file_of(made->bytes, size));
		if (file)
			elf_file_section(file, ".text", &address);
		elf_file_close(file);
	}
	file = elf_file_open(file_of(made->bytes, made->size));
	assert_non_null(file);
	assert_build_id(file, "1111111111111111111111111111111111111111");
	elf_file_close(file);
	made_free(made);
}

static void files_that_shrink_while_open(void **state)
{
	struct made_elf *made = made_new();
	struct elf_file *file;
	uint64_t address;
	int fd;

	(void)state;
	made_text(made, ".text", 0x1000, NULL, 64 * 1024);
	made_finish(made);
	fd = file_of(made->bytes, made->size);
	file = elf_file_open(dup(fd));
	assert_non_null(file);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_null(elf_file_section(file, ".text", &address));
	elf_file_close(file);
	close(fd);
	made_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_offsets),
		cmocka_unit_test(addresses_where_segments_share_a_page),
		cmocka_unit_test(code_of_segments),
		cmocka_unit_test(segments_that_make_no_sense),
		cmocka_unit_test(build_ids_of_sections),
		cmocka_unit_test(build_ids_of_other_sizes),
		cmocka_unit_test(build_ids_of_segments),
		cmocka_unit_test(sections_by_name),
		cmocka_unit_test(sections_whose_names_are_broken),
		cmocka_unit_test(compressed_sections),
		cmocka_unit_test(what_is_no_such_file),
		cmocka_unit_test(descriptors_are_taken_over),
		cmocka_unit_test(files_that_are_cut_short),
		cmocka_unit_test(files_that_shrink_while_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
