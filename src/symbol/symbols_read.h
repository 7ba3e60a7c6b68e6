/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of ELF files symbols come from: internal to symbols. Nothing of the files is trusted. */
#ifndef PERFBPF_SYMBOL_SYMBOLS_READ_H
#define PERFBPF_SYMBOL_SYMBOLS_READ_H

#include <gelf.h>

#include "symbol/symbols_table.h"

/* Bytes of a section, as they are in the file; larger ones than 512 MiB are not read. */
struct section {
	GElf_Shdr header;
	const uint8_t *bytes;
	size_t size;
};

/* The first section of @name, or of @type. False where there is none, or it is not in the file. */
bool section_by_name(struct elf_file *file, const char *name, struct section *out);
bool section_by_type(struct elf_file *file, GElf_Word type, struct section *out);
/* The section that @header links to, of @type. */
bool section_linked(struct elf_file *file, const GElf_Shdr *header, GElf_Word type,
		    struct section *out);

/* A string table, up to its last NUL. */
struct strings {
	const char *text;
	size_t size;
};

struct strings strings_of(const uint8_t *bytes, size_t size);
/* NULL outside of the table. */
const char *string_at(const struct strings *strings, uint64_t offset);

/*
 * Each adds to the table and returns 0 or -ENOMEM; what is broken adds nothing. Names lie in
 * @file.
 */
/* Functions of .symtab (SHT_SYMTAB) or .dynsym (SHT_DYNSYM). */
int symbols_read_elf(struct symbol_table *table, struct elf_file *file, GElf_Word type);
/* x86-64: stubs of the procedure linkage table. Merges the table: what they jump to may be found by
 * its address only. */
int symbols_read_plt(struct symbol_table *table, struct elf_file *file);
/* Functions of .gopclntab, which Go's linker leaves in stripped programs (Go 1.18 and later). */
int symbols_read_go(struct symbol_table *table, struct elf_file *file);

#endif
