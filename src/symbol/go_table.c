/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/go_table.h"

#include <string.h>

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

/* Behind the last one is the offset where its function ends. */
struct pair {
	uint32_t entry, description;
};

/* Places in a description. */
#define DESCRIPTION_STACK      16
#define DESCRIPTION_FLAGS      37
#define DESCRIPTION_START_LINE 4 /* more, from Go 1.20 on */

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

/* The name in the description of @pair: its second word of 32 bits says where. */
static const char *name_of(const struct go_table *table, const struct pair *pair)
{
	uint64_t left = table->section.size - table->start;
	uint32_t name;

	if (left < 8 || pair->description > left - 8)
		return NULL;
	memcpy(&name, table->section.bytes + table->start + pair->description + 4, sizeof(name));
	return string_at(&table->names, name);
}

static struct pair pair_at(const struct go_table *table, uint64_t index)
{
	struct pair pair;

	memcpy(&pair, table->section.bytes + table->start + index * sizeof(pair), sizeof(pair));
	return pair;
}

/* Is the program's entry point the function that Go's programs begin with? */
static bool begins_there(struct elf_file *file, const struct go_table *table)
{
	GElf_Ehdr header;

	if (!gelf_getehdr(elf_file_elf(file), &header))
		return false;
	for (uint64_t i = 0; i < table->n; i++) {
		struct pair pair = pair_at(table, i);
		const char *name;

		if (table->text + pair.entry != header.e_entry)
			continue;
		name = name_of(table, &pair);
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

bool go_table_open(struct elf_file *file, struct go_table *table)
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
	table->counters = word_at(section, 8 + 8 * WORD_PROGRAM_COUNTERS);
	table->has_start_line = section->bytes[0] == (MAGIC_120 & 0xff);
	if (table->start > section->size || names > section->size ||
	    table->counters > section->size)
		return false;
	table->names = strings_of(section->bytes + names, section->size - names);
	/* The pairs, and the end. */
	return table->n < (section->size - table->start) / sizeof(struct pair) &&
	       find_text(file, table);
}

bool go_table_function(const struct go_table *table, uint64_t index, struct go_function *function)
{
	struct pair pair = pair_at(table, index);
	uint64_t flags = DESCRIPTION_FLAGS + (table->has_start_line ? DESCRIPTION_START_LINE : 0);
	uint64_t left = table->section.size - table->start;
	const uint8_t *description = table->section.bytes + table->start + pair.description;
	uint32_t end;

	memcpy(&end, table->section.bytes + table->start + (index + 1) * sizeof(pair), sizeof(end));
	if (end <= pair.entry || left <= flags || pair.description >= left - flags)
		return false;
	*function = (struct go_function){
		.address = table->text + pair.entry,
		.end = table->text + end,
		.name = name_of(table, &pair),
		.flags = description[flags],
	};
	memcpy(&function->stack, description + DESCRIPTION_STACK, sizeof(function->stack));
	return true;
}

void go_stack_begin(const struct go_table *table, const struct go_function *function,
		    struct go_stack *stack)
{
	uint64_t left = table->section.size - table->counters;

	*stack = (struct go_stack){.address = function->address, .bytes = -1};
	if (!function->stack || function->stack >= left)
		return;
	stack->at = table->section.bytes + table->counters + function->stack;
	stack->last = table->section.bytes + table->section.size;
}

/* Seven bits a byte, the lowest first. False at the table's end, or where it is longer than 32
 * bits. */
static bool read_number(struct go_stack *stack, uint32_t *number)
{
	*number = 0;
	for (unsigned int shift = 0; shift < 35 && stack->at < stack->last; shift += 7) {
		uint8_t byte = *stack->at++;

		*number |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Pairs: by how much the value changes (0 ends the table, but for the first), and for how far. */
bool go_stack_next(struct go_stack *stack)
{
	uint32_t change, length;

	if (!stack->at || !read_number(stack, &change) || (!change && stack->begun) ||
	    !read_number(stack, &length))
		return false;
	stack->begun = true;
	stack->bytes += change & 1 ? ~(int64_t)(change >> 1) : (int64_t)(change >> 1);
	stack->address += length;
	return true;
}
