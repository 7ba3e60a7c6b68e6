/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/symbols_table.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/alias.h"

/* Indices are of 32 bits, and there may be twice as many spans as symbols. */
#define MAX_SYMBOLS (UINT32_MAX / 2)

static int compare_ranges(const void *a, const void *b)
{
	const struct text_range *one = a, *other = b;

	return (one->start > other->start) - (one->start < other->start);
}

/* In order, and those that overlap (in broken files) as one. */
static void sort_ranges(struct symbol_table *table)
{
	size_t n = 0;

	qsort(table->text, table->n_text, sizeof(*table->text), compare_ranges);
	for (size_t i = 0; i < table->n_text; i++) {
		struct text_range *last = n ? &table->text[n - 1] : NULL;

		if (!last || table->text[i].start >= last->end)
			table->text[n++] = table->text[i];
		else if (table->text[i].end > last->end)
			last->end = table->text[i].end;
	}
	table->n_text = n;
}

static bool is_code(const GElf_Shdr *header)
{
	const uint64_t wanted = SHF_ALLOC | SHF_EXECINSTR;

	return (header->sh_flags & wanted) == wanted && header->sh_size &&
	       header->sh_addr <= UINT64_MAX - header->sh_size;
}

int symbol_table_init(struct symbol_table *table, struct elf_file *file)
{
	Elf *elf = elf_file_elf(file);
	Elf_Scn *section = NULL;
	struct text_range segments;
	GElf_Shdr header;
	size_t n = 0;

	*table = (struct symbol_table){0};
	while ((section = elf_nextscn(elf, section)))
		n += gelf_getshdr(section, &header) && is_code(&header);
	table->text = calloc(n + 1, sizeof(*table->text));
	if (!table->text)
		return -ENOMEM;
	section = NULL;
	while (table->n_text < n && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && is_code(&header))
			table->text[table->n_text++] = (struct text_range){
				header.sh_addr, header.sh_addr + header.sh_size};
	if (!n && elf_file_text(file, &segments.start, &segments.end) &&
	    segments.start < segments.end)
		table->text[table->n_text++] = segments;
	sort_ranges(table);
	return 0;
}

void symbol_table_drop(struct symbol_table *table, size_t n)
{
	table->n_symbols -= n;
	if (n)
		memmove(table->symbols, table->symbols + n,
			table->n_symbols * sizeof(*table->symbols));
}

void symbol_table_clear(struct symbol_table *table)
{
	free(table->text);
	free(table->symbols);
	free(table->spans);
	free(table->blocks);
	*table = (struct symbol_table){0};
}

static const struct text_range *find_range(const struct symbol_table *table, uint64_t address)
{
	size_t low = 0, high = table->n_text;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->text[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->n_text && table->text[low].start <= address ? &table->text[low] : NULL;
}

/* "$x", "$d.12" say what the bytes are (arm64), ".L12" is a compiler's label. */
static bool is_for_tools(const char *name)
{
	if (name[0] == '$')
		return strchr("adtx", name[1]) && name[1] && (!name[2] || name[2] == '.');
	return !name[0] || (name[0] == '.' && name[1] == 'L');
}

int symbol_table_add(struct symbol_table *table, const struct symbol *symbol)
{
	if (is_for_tools(symbol->name) || !find_range(table, symbol->address))
		return 0;
	if (table->n_symbols == table->room) {
		size_t room = table->room ? 2 * table->room : 1024;
		struct symbol *grown;

		if (room > MAX_SYMBOLS)
			return -ENOMEM;
		grown = reallocarray(table->symbols, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		table->symbols = grown;
		table->room = room;
	}
	table->symbols[table->n_symbols++] = *symbol;
	return 0;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *one = a, *other = b;

	return (one->address > other->address) - (one->address < other->address);
}

static struct alias alias_of(const struct symbol *symbol)
{
	return (struct alias){
		.name = symbol->name,
		.is_function = !(symbol->flags & SYMBOL_LABEL),
		.is_sized = symbol->size,
		.is_global = symbol->flags & SYMBOL_GLOBAL,
	};
}

static void take_better(struct symbol *best, const struct symbol *symbol)
{
	struct alias one = alias_of(symbol), other = alias_of(best);
	uint32_t size = best->size > symbol->size ? best->size : symbol->size;

	if (alias_is_better(&one, &other))
		*best = *symbol;
	best->size = size;
}

void symbol_table_merge(struct symbol_table *table)
{
	size_t n = 0;

	if (table->n_symbols)
		qsort(table->symbols, table->n_symbols, sizeof(*table->symbols), compare_symbols);
	for (size_t i = 0; i < table->n_symbols; i++) {
		struct symbol *last = n ? &table->symbols[n - 1] : NULL;

		if (last && last->address == table->symbols[i].address)
			take_better(last, &table->symbols[i]);
		else
			table->symbols[n++] = table->symbols[i];
	}
	table->n_symbols = table->n_merged = n;
}

/* Where it ends: by its size, else with the next symbol, and always with its section. */
static uint64_t end_of(const struct symbol_table *table, size_t index)
{
	const struct symbol *symbol = &table->symbols[index];
	uint64_t most = find_range(table, symbol->address)->end - symbol->address;

	if (symbol->size && symbol->size < most)
		most = symbol->size;
	if (!symbol->size && index + 1 < table->n_symbols &&
	    symbol[1].address - symbol->address < most)
		most = symbol[1].address - symbol->address;
	return symbol->address + (most < UINT32_MAX ? most : UINT32_MAX);
}

/* The symbols with a size that were begun and have not ended, outermost first. */
struct nest {
	struct symbol_table *table;
	uint32_t *open;
	size_t n_open;
	uint64_t at; /* what is below has its span, or none */
};

static void emit(struct nest *nest, uint32_t symbol, uint64_t end)
{
	if (nest->at < end)
		nest->table->spans[nest->table->n_spans++] = (struct span){
			.start = nest->at, .size = (uint32_t)(end - nest->at), .symbol = symbol};
	nest->at = end;
}

/* Gives spans to what is open, up to @address. */
static void advance(struct nest *nest, uint64_t address)
{
	while (nest->n_open) {
		uint32_t innermost = nest->open[nest->n_open - 1];
		uint64_t end = end_of(nest->table, innermost);

		if (end > address) {
			emit(nest, innermost, address);
			return;
		}
		if (end > nest->at)
			emit(nest, innermost, end);
		nest->n_open--;
	}
	nest->at = address;
}

/*
 * Where symbols with sizes overlap, the one that began last has the place, and the one around it
 * goes on behind it. Without a size it is a function only outside of all others, else a label.
 */
static void make_spans(struct nest *nest)
{
	struct symbol_table *table = nest->table;

	for (size_t i = 0; i < table->n_symbols; i++) {
		advance(nest, table->symbols[i].address);
		if (table->symbols[i].size)
			nest->open[nest->n_open++] = (uint32_t)i;
		else if (!nest->n_open)
			emit(nest, (uint32_t)i, end_of(table, i));
	}
	advance(nest, UINT64_MAX);
}

/* Some four spans a block: a search in all of a million waits for memory twenty times. */
static int make_blocks(struct symbol_table *table)
{
	size_t n = table->n_spans, most = n / 4 + 2, at = 0;
	uint64_t length;

	if (!n)
		return 0;
	length = table->spans[n - 1].start - table->spans[0].start;
	table->block_bits = 0;
	while (length >> table->block_bits >= most)
		table->block_bits++;
	table->n_blocks = (length >> table->block_bits) + 1;
	table->blocks = calloc(table->n_blocks + 1, sizeof(*table->blocks));
	if (!table->blocks)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_blocks; i++) {
		while (table->spans[at].start - table->spans[0].start <
		       (uint64_t)i << table->block_bits)
			at++;
		table->blocks[i] = (uint32_t)at;
	}
	table->blocks[table->n_blocks] = (uint32_t)n;
	return 0;
}

int symbol_table_build(struct symbol_table *table)
{
	struct nest nest = {.table = table};

	symbol_table_merge(table);
	nest.open = calloc(table->n_symbols + 1, sizeof(*nest.open));
	table->spans = calloc(2 * table->n_symbols + 1, sizeof(*table->spans));
	if (!nest.open || !table->spans) {
		free(nest.open);
		return -ENOMEM;
	}
	make_spans(&nest);
	free(nest.open);
	return make_blocks(table);
}

const struct symbol *symbol_table_at(const struct symbol_table *table, uint64_t address)
{
	const struct symbol key = {.address = address};

	if (!table->n_merged)
		return NULL;
	return bsearch(&key, table->symbols, table->n_merged, sizeof(key), compare_symbols);
}

const struct symbol *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
	size_t low, high, block;
	const struct span *span;

	if (!table->n_spans || address < table->spans[0].start)
		return NULL;
	block = (address - table->spans[0].start) >> table->block_bits;
	if (block >= table->n_blocks)
		block = table->n_blocks - 1;
	low = table->blocks[block];
	high = table->blocks[block + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->spans[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* At least the first span begins before it, perhaps in a block before. */
	span = &table->spans[low - 1];
	return address - span->start < span->size ? &table->symbols[span->symbol] : NULL;
}
