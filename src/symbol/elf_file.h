/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An ELF file that somebody maps, opened for what symbol/ reads of it. Nothing of it is
 * trusted: it may be broken, and it may be cut short while it is read. So it is read (pread),
 * never mapped: a mapped file that shrinks ends its reader with SIGBUS.
 */
#ifndef PERFBPF_SYMBOL_ELF_FILE_H
#define PERFBPF_SYMBOL_ELF_FILE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_BUILD_ID_MAX 20

struct elf_build_id {
	uint8_t size; /* 0: the file has none */
	uint8_t bytes[ELF_BUILD_ID_MAX];
};

struct elf_file;

/*
 * Opens the ELF file behind @fd, which it takes over, also on failure (it is closed with the
 * file). NULL with errno: ENOEXEC where it is no ELF file of 64 bits and of this byte order, or
 * names of its sections do not end.
 */
struct elf_file *elf_file_open(int fd);
/* The same of an image in memory (the vDSO), copied. */
struct elf_file *elf_file_open_memory(const void *image, size_t size);
/* NULL is fine. */
void elf_file_close(struct elf_file *file);

Elf *elf_file_elf(const struct elf_file *file);
/* e_machine, e.g. EM_X86_64. */
unsigned int elf_file_machine(const struct elf_file *file);
/* Where the program begins; 0: nowhere. Of a library linkers say where .text does, which is no
 * beginning: 0. */
uint64_t elf_file_entry(const struct elf_file *file);
const struct elf_build_id *elf_file_build_id(const struct elf_file *file);
/*
 * The address (as its symbols and its CFI have it) of the byte at @offset of the file, by the
 * loadable segments; where two say something of it, by the one with code. Code is mapped from the
 * page on in which it begins, so what lies there before it has an address, too. False where no
 * segment holds it.
 */
bool elf_file_address(const struct elf_file *file, uint64_t offset, uint64_t *address);
/* The lowest and the highest address of its executable segments; false where it has none. */
bool elf_file_text(const struct elf_file *file, uint64_t *low, uint64_t *high);
/* Is @address in an executable segment? @end takes that segment's. */
bool elf_file_is_code(const struct elf_file *file, uint64_t address, uint64_t *end);
/*
 * The content of section @name (of ".debug_…" also as ".zdebug_…"), decompressed, valid until the
 * file is closed; @address takes where it is mapped. NULL where there is none (or SHT_NOBITS), or
 * it is broken, or larger than 512 MiB, or would become more than 64 times as large as it is in the
 * file.
 */
Elf_Data *elf_file_section(const struct elf_file *file, const char *name, uint64_t *address);

/* "8f3a…" of @id, or "" where it has no bytes. @text holds 2 * ELF_BUILD_ID_MAX + 1. */
void elf_build_id_text(const struct elf_build_id *id, char *text);

#endif
