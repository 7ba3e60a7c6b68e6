/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Go's own table of functions, which its run-time needs and no linker flag leaves out: a header,
 * names, and pairs of a function's offset and where its description lies. Before Go 1.18 it was
 * another one, which is not read.
 */
#include <string.h>

#include "symbol/symbols_read.h"

#define MAGIC_118 0xfffffff0
#define MAGIC_120 0xfffffff1

/* Words of the header behind its first 8 bytes. */
enum {
	WORD_FUNCTIONS,
	WORD_FILES,
	WORD_TEXT,
	WORD_NAMES,
	WORD_UNITS,
	WORD_FILE_NAMES,
	WORD_PROGRAM_COUNTERS,
	WORD_TABLE,
	WORDS,
};

/* Words of the run-time's module data: their first is where the table is, another where code
 * begins. The same from Go 1.18 on. */
#define MODULE_TABLE 0
#define MODULE_TEXT  22
#define MODULE_WORDS 23

struct go_table {
	struct section section;
	uint64_t text;  /* the address of what function offsets begin with */
	uint64_t start; /* of the pairs, in the section; what they tell of is relative to it */
	uint64_t n;     /* functions; behind their pairs is the offset where the last one ends */
	struct strings names;
};

struct go_function {
	uint32_t entry, description;
};

static uint64_t word_at(const struct section *section, uint64_t offset)
{
	uint64_t word;

	memcpy(&word, section->bytes + offset, sizeof(word));
	return word;
}

static bool is_known(const struct section *section)
{
	uint32_t magic;

	if (section->size < 8 * (1 + WORDS))
		return false;
	memcpy(&magic, section->bytes, sizeof(magic));
	return (magic == MAGIC_118 || magic == MAGIC_120) && section->bytes[7] == 8;
}

/* The name in the description of @function: its second word of 32 bits says where. */
static const char *name_of(const struct go_table *table, const struct go_function *function)
{
	uint64_t left = table->section.size - table->start;
	uint32_t name;

	if (left < 8 || function->description > left - 8)
		return NULL;
	memcpy(&name, table->section.bytes + table->start + function->description + 4,
	       sizeof(name));
	return string_at(&table->names, name);
}

static struct go_function function_at(const struct go_table *table, uint64_t index)
{
	struct go_function function;

	memcpy(&function, table->section.bytes + table->start + index * sizeof(function),
	       sizeof(function));
	return function;
}

/* Is the program's entry point the function that Go's programs begin with? */
static bool begins_there(struct elf_file *file, const struct go_table *table)
{
	GElf_Ehdr header;

	if (!gelf_getehdr(elf_file_elf(file), &header))
		return false;
	for (uint64_t i = 0; i < table->n; i++) {
		struct go_function function = function_at(table, i);
		const char *name;

		if (table->text + function.entry != header.e_entry)
			continue;
		name = name_of(table, &function);
		return name && !strncmp(name, "_rt0_", 5);
	}
	return false;
}

/*
 * Go 1.26 leaves the header's word for it empty, and with it comes a section for the module data.
 * Without both it is where .text begins, unless a C linker put its own in front: the entry point
 * says so.
 */
static bool find_text(struct elf_file *file, struct go_table *table)
{
	struct section section;

	table->text = word_at(&table->section, 8 + 8 * WORD_TEXT);
	if (table->text)
		return true;
	if (section_by_name(file, ".go.module", &section) && section.size >= 8 * MODULE_WORDS &&
	    word_at(&section, 8 * MODULE_TABLE) == table->section.header.sh_addr) {
		table->text = word_at(&section, 8 * MODULE_TEXT);
		return true;
	}
	if (!section_by_name(file, ".text", &section))
		return false;
	table->text = section.header.sh_addr;
	return begins_there(file, table);
}

static bool open_table(struct elf_file *file, struct go_table *table)
{
	const struct section *section = &table->section;
	uint64_t names;

	if (!section_by_name(file, ".gopclntab", &table->section) &&
	    !section_by_name(file, ".data.rel.ro.gopclntab", &table->section))
		return false;
	if (!is_known(section))
		return false;
	table->n = word_at(section, 8 + 8 * WORD_FUNCTIONS);
	table->start = word_at(section, 8 + 8 * WORD_TABLE);
	names = word_at(section, 8 + 8 * WORD_NAMES);
	if (table->start > section->size || names > section->size)
		return false;
	table->names = strings_of(section->bytes + names, section->size - names);
	/* The pairs, and the end. */
	return table->n < (section->size - table->start) / sizeof(struct go_function) &&
	       find_text(file, table);
}

static int add_function(struct symbol_table *table, const struct go_table *go,
			const struct go_function *function, uint32_t end)
{
	const char *name = name_of(go, function);

	if (!name || end <= function->entry)
		return 0;
	return symbol_table_add(table, &(struct symbol){.address = go->text + function->entry,
							.name = name,
							.size = end - function->entry,
							.flags = SYMBOL_GLOBAL});
}

int symbols_read_go(struct symbol_table *table, struct elf_file *file)
{
	struct go_table go;
	int rc = 0;

	if (!open_table(file, &go))
		return 0;
	for (uint64_t i = 0; !rc && i < go.n; i++) {
		struct go_function function = function_at(&go, i), next = {0};

		memcpy(&next.entry,
		       go.section.bytes + go.start + (i + 1) * sizeof(struct go_function),
		       sizeof(next.entry));
		rc = add_function(table, &go, &function, next.entry);
	}
	return rc;
}
