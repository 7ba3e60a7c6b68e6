/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/symbols_inline.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"

/* Namespaces and classes, or blocks and inlined functions, within each other; deeper ones only a
 * broken file has. */
#define MAX_DEPTH 256

/* Entries and ranges to look at, for all units, and for one address: a hundred times what large
 * programs have. Small files can claim more, by what entries share. */
#define STEPS_OF_UNITS   (64U << 20)
#define STEPS_OF_ADDRESS (1U << 20)

/* Ranges of code, and the entry (by its offset in .debug_info) that they belong to. */
struct owner {
	uint64_t low, high;
	Dwarf_Off offset;
};

struct owners {
	size_t n, room;
	struct owner *owners; /* ascending */
};

/* A compilation unit whose functions were looked for. */
struct unit {
	Dwarf_Off offset; /* first, for tsearch */
	struct owners functions;
};

/* The name of a function's entry, so that it lives as long as the table. */
struct known_name {
	Dwarf_Off offset; /* first */
	char *name;
};

struct inlines {
	Dwarf *dwarf;
	uint64_t steps; /* left; with none, the file is held for broken, and nothing is inlined */
	struct owners units;
	void *known_units; /* trees of struct unit and struct known_name */
	void *known_names;
};

bool inlines_present(struct elf_file *file)
{
	Elf *elf = elf_file_elf(file);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && !strcmp(name, ".debug_info"))
			return true;
	}
	return false;
}

static void add_owner(struct owners *owners, const struct owner *owner)
{
	if (owner->low >= owner->high)
		return;
	if (owners->n == owners->room) {
		size_t room = owners->room ? 2 * owners->room : 16;
		struct owner *grown = reallocarray(owners->owners, room, sizeof(*grown));

		if (!grown)
			return; /* its addresses have no inlined frames then */
		owners->owners = grown;
		owners->room = room;
	}
	owners->owners[owners->n++] = *owner;
}

static bool take_step(struct inlines *inlines)
{
	if (!inlines->steps)
		return false;
	inlines->steps--;
	return true;
}

static void add_ranges(struct inlines *inlines, struct owners *owners, Dwarf_Die *die)
{
	struct owner owner = {.offset = dwarf_dieoffset(die)};
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while (take_step(inlines) && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		owner.low = low;
		owner.high = high;
		add_owner(owners, &owner);
	}
}

static int compare_owners(const void *a, const void *b)
{
	const struct owner *one = a, *other = b;

	return (one->low > other->low) - (one->low < other->low);
}

static void sort_owners(struct owners *owners)
{
	if (owners->n)
		qsort(owners->owners, owners->n, sizeof(*owners->owners), compare_owners);
}

static const struct owner *find_owner(const struct owners *owners, uint64_t address)
{
	size_t low = 0, high = owners->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (owners->owners[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < owners->owners[low - 1].high ? &owners->owners[low - 1] : NULL;
}

/* By what the units themselves say: clang writes no .debug_aranges. */
static void collect_units(struct inlines *inlines)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;

	inlines->steps = STEPS_OF_UNITS;
	while (take_step(inlines) &&
	       !dwarf_get_units(inlines->dwarf, unit, &unit, NULL, &type, &die, NULL))
		if (type == DW_UT_compile)
			add_ranges(inlines, &inlines->units, &die);
	sort_owners(&inlines->units);
}

struct inlines *inlines_open(struct elf_file *file)
{
	struct inlines *inlines;

	if (!inlines_present(file))
		return NULL;
	inlines = calloc(1, sizeof(*inlines));
	if (!inlines)
		return NULL;
	inlines->dwarf = dwarf_begin_elf(elf_file_elf(file), DWARF_C_READ, NULL);
	if (!inlines->dwarf) {
		free(inlines);
		return NULL;
	}
	collect_units(inlines);
	return inlines;
}

static void free_unit(void *node)
{
	struct unit *unit = node;

	free(unit->functions.owners);
	free(unit);
}

static void free_name(void *node)
{
	struct known_name *known = node;

	free(known->name);
	free(known);
}

void inlines_close(struct inlines *inlines)
{
	if (!inlines)
		return;
	tdestroy(inlines->known_units, free_unit);
	tdestroy(inlines->known_names, free_name);
	free(inlines->units.owners);
	dwarf_end(inlines->dwarf);
	free(inlines);
}

static int compare_offsets(const void *a, const void *b)
{
	const Dwarf_Off *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* The entry of @size bytes that belongs to @offset in the tree; new ones are zeroed but for it.
 * NULL without memory. */
static void *tree_entry(void **tree, Dwarf_Off offset, size_t size, bool *is_new)
{
	void *found = tfind(&offset, tree, compare_offsets);
	Dwarf_Off *entry;

	*is_new = !found;
	if (found)
		return *(void **)found;
	entry = calloc(1, size);
	if (!entry)
		return NULL;
	*entry = offset;
	if (tsearch(entry, tree, compare_offsets))
		return entry;
	free(entry);
	return NULL;
}

/* Entries lie behind each other; where a broken file leads back, the list ends. */
static bool next_entry(struct inlines *inlines, Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);

	return take_step(inlines) && !dwarf_siblingof(die, die) && dwarf_dieoffset(die) > before;
}

static bool first_entry(struct inlines *inlines, Dwarf_Die *parent, Dwarf_Die *die)
{
	return take_step(inlines) && !dwarf_child(parent, die);
}

/* Functions may lie in namespaces and classes; those in functions are not looked for. */
static void collect_functions(struct inlines *inlines, struct owners *functions, Dwarf_Die *parent,
			      unsigned int depth)
{
	Dwarf_Die die;

	if (depth == MAX_DEPTH || !first_entry(inlines, parent, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			add_ranges(inlines, functions, &die);
			break;
		case DW_TAG_namespace:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
		case DW_TAG_module:
			collect_functions(inlines, functions, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (next_entry(inlines, &die));
}

static const struct owner *find_function(struct inlines *inlines, Dwarf_Die *unit_die,
					 uint64_t address)
{
	bool is_new;
	struct unit *unit = tree_entry(&inlines->known_units, dwarf_dieoffset(unit_die),
				       sizeof(*unit), &is_new);

	if (!unit)
		return NULL;
	if (is_new) {
		inlines->steps = STEPS_OF_UNITS;
		collect_functions(inlines, &unit->functions, unit_die, 0);
		sort_owners(&unit->functions);
	}
	return find_owner(&unit->functions, address);
}

static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) &&
	    !dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return NULL;
	return dwarf_formstring(&attribute);
}

/* NULL: it has none, or no memory. */
static const char *name_of(struct inlines *inlines, Dwarf_Die *die)
{
	bool is_new;
	struct known_name *known =
		tree_entry(&inlines->known_names, dwarf_dieoffset(die), sizeof(*known), &is_new);

	if (known && is_new) {
		const char *name = linkage_name(die);

		if (!name)
			name = dwarf_diename(die);
		known->name = name ? demangle(name) : NULL;
	}
	return known ? known->name : NULL;
}

static bool is_block(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

static bool holds(struct inlines *inlines, Dwarf_Die *die, uint64_t address)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while (take_step(inlines) && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0)
		if (address >= low && address < high)
			return true;
	return false;
}

/* The block or inlined function right in @die that holds @address. */
static bool step_in(struct inlines *inlines, Dwarf_Die *die, uint64_t address)
{
	Dwarf_Die child;

	if (!first_entry(inlines, die, &child))
		return false;
	do {
		if (is_block(&child) && holds(inlines, &child, address)) {
			*die = child;
			return true;
		}
	} while (next_entry(inlines, &child));
	return false;
}

/* Where the inlined function @die was called. */
static void take_call(Dwarf_Die *unit, Dwarf_Die *die, struct symbol_frame *caller)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word value;
	size_t n;

	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &value) &&
	    value <= UINT32_MAX)
		caller->line = (unsigned int)value;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &value) &&
	    !dwarf_getsrcfiles(unit, &files, &n) && value < n)
		caller->source = dwarf_filesrc(files, value, NULL, NULL);
}

static void take_line(Dwarf_Die *unit, uint64_t address, struct symbol_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number;

	if (!line || dwarf_lineno(line, &number) || number <= 0)
		return;
	frame->line = (unsigned int)number;
	frame->source = dwarf_linesrc(line, NULL, NULL);
}

/* The function whose ranges hold @address, its unit, and where it begins. */
static bool find_entry(struct inlines *inlines, uint64_t address, Dwarf_Die *unit, Dwarf_Die *die,
		       uint64_t *begin)
{
	const struct owner *owner = find_owner(&inlines->units, address);

	if (!owner || !dwarf_offdie(inlines->dwarf, owner->offset, unit))
		return false;
	owner = find_function(inlines, unit, address);
	if (!owner || !dwarf_offdie(inlines->dwarf, owner->offset, die))
		return false;
	*begin = owner->low;
	return inlines->steps;
}

size_t inlines_find(struct inlines *inlines, uint64_t address,
		    struct symbol_frame frames[SYMBOL_MAX_FRAMES])
{
	struct symbol_frame found[MAX_DEPTH + 1] = {0}; /* outermost first */
	size_t n = 1, kept = 0;
	Dwarf_Die unit, die;
	uint64_t begin;

	if (!inlines->steps || !find_entry(inlines, address, &unit, &die, &begin))
		return 0;
	inlines->steps = STEPS_OF_ADDRESS;
	found[0].function = name_of(inlines, &die);
	for (size_t i = 0; i < MAX_DEPTH && step_in(inlines, &die, address); i++) {
		if (dwarf_tag(&die) != DW_TAG_inlined_subroutine)
			continue;
		take_call(&unit, &die, &found[n - 1]);
		found[n++] =
			(struct symbol_frame){.function = name_of(inlines, &die), .inlined = true};
	}
	take_line(&unit, address, &found[n - 1]);
	for (size_t i = n; i-- > 1 && kept < SYMBOL_MAX_FRAMES - 1;)
		if (found[i].function)
			frames[kept++] = found[i];
	frames[kept++] = found[0];
	for (size_t i = 0; i < kept; i++)
		frames[i].address = begin;
	return kept;
}
