/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as an ELF file of which somebody has code mapped: opening it and making rows of its CFI
 * must neither crash nor hang, and the rows must be what the kernel's walker takes for granted.
 * With -DFUZZ_STANDALONE it runs over the files that it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/cfi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_rows(const struct cfi_rows *rows)
{
	uint64_t gaps = 0, unknown = 0;

	for (size_t i = 0; i < rows->n; i++) {
		const struct pb_row *row = &rows->rows[i];
		uint64_t last = i + 1 < rows->n ? row[1].pc - 1 : UINT32_MAX;

		check(!i || (row[-1].pc < row->pc && row[-1].rule != row->rule));
		check(pb_rule_cfa(row->rule) <= PB_CFA_UNKNOWN);
		check(cfi_rows_find(rows, rows->base + row->pc) == row->rule);
		check(cfi_rows_find(rows, rows->base + last) == row->rule);
		unknown += pb_rule_cfa(row->rule) == PB_CFA_UNKNOWN ||
			   pb_rule_rbp(row->rule) == PB_RBP_UNKNOWN;
	}
	for (int gap = 0; gap < CFI_GAPS; gap++)
		gaps += rows->gaps[gap];
	check(gaps >= unknown);
	if (!rows->n)
		return;
	/* Nothing is said of what lies around all functions. */
	check(pb_rule_cfa(rows->rows[0].rule) != PB_CFA_NONE);
	check(pb_rule_cfa(rows->rows[rows->n - 1].rule) == PB_CFA_NONE);
	check(rows->entries > 0);
}

static void check_file(const struct elf_file *file)
{
	char text[2 * ELF_BUILD_ID_MAX + 1];
	uint64_t low, high, address, end;

	elf_build_id_text(elf_file_build_id(file), text);
	check(strlen(text) == 2U * elf_file_build_id(file)->size);
	elf_file_address(file, 0x1000, &address);
	if (!elf_file_text(file, &low, &high))
		return;
	check(low < high);
	check(elf_file_is_code(file, low, &end) && end > low && end <= high);
	check(!elf_file_is_code(file, high, &end));
}

static void check_image(const void *image, size_t size)
{
	struct elf_file *file = elf_file_open_memory(image, size);
	struct cfi_rows rows;

	if (!file)
		return;
	check_file(file);
	if (!cfi_rows_build(file, &rows))
		check_rows(&rows);
	cfi_rows_clear(&rows);
	elf_file_close(file);
}

/* What every image has before the section: code of 4 KiB, and names. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr text;
	Elf64_Shdr sections[3];
	char names[40];
};

#define NAMES "\0.shstrtab\0.eh_frame\0.debug_frame"

static struct image image_of(bool is_eh, size_t size)
{
	struct image image = {.header = {.e_ident = ELFMAG,
					 .e_type = ET_DYN,
					 .e_machine = EM_X86_64,
					 .e_version = EV_CURRENT,
					 .e_ehsize = sizeof(Elf64_Ehdr),
					 .e_phoff = offsetof(struct image, text),
					 .e_phentsize = sizeof(Elf64_Phdr),
					 .e_phnum = 1,
					 .e_shoff = offsetof(struct image, sections),
					 .e_shentsize = sizeof(Elf64_Shdr),
					 .e_shnum = 3,
					 .e_shstrndx = 1},
			      .text = {.p_type = PT_LOAD,
				       .p_flags = PF_R | PF_X,
				       .p_vaddr = 0x1000,
				       .p_filesz = 0x1000,
				       .p_memsz = 0x1000},
			      .sections = {{.sh_name = 0},
					   {.sh_name = 1,
					    .sh_type = SHT_STRTAB,
					    .sh_offset = offsetof(struct image, names),
					    .sh_size = sizeof(image.names)},
					   {.sh_name = is_eh ? 11 : 21,
					    .sh_type = SHT_PROGBITS,
					    .sh_addr = 0x2000,
					    .sh_offset = sizeof(image),
					    .sh_size = size}}};

	image.header.e_ident[EI_CLASS] = ELFCLASS64;
	image.header.e_ident[EI_DATA] = ELFDATA2LSB;
	image.header.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(image.names, NAMES, sizeof(NAMES));
	return image;
}

static void check_section(const uint8_t *bytes, size_t size)
{
	struct image image = image_of(bytes[0] % 2 == 0, size - 1);
	char *file = malloc(sizeof(image) + size);

	if (!file)
		return;
	memcpy(file, &image, sizeof(image));
	memcpy(file + sizeof(image), bytes + 1, size - 1);
	check_image(file, sizeof(image) + size - 1);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG))
		check_image(data, size);
	else if (size > 1)
		check_section(data, size);
	return 0;
}

#include "standalone.h"
