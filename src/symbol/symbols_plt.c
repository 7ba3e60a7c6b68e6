/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of other files go through stubs, which have no symbols. A stub jumps to where a slot
 * points, and a relocation says whose address goes there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/symbols_read.h"

/* Slots and the names of what they point to. */
struct slot {
	uint64_t address;
	const char *name; /* NULL: of the function whose resolver is at @resolver */
	uint64_t resolver;
};

struct slots {
	size_t n, room;
	struct slot *slots;
	struct section
		lazy; /* .rela.plt: stubs that bind lazily say which of its entries they are */
	struct section symbols;
	struct strings names;
};

static int add_slot(struct slots *slots, const struct slot *slot)
{
	if (slots->n == slots->room) {
		size_t room = slots->room ? 2 * slots->room : 64;
		struct slot *grown = reallocarray(slots->slots, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		slots->slots = grown;
		slots->room = room;
	}
	slots->slots[slots->n++] = *slot;
	return 0;
}

static bool take_slot(const struct slots *slots, const uint8_t *bytes, struct slot *slot)
{
	Elf64_Rela entry;
	Elf64_Sym symbol;
	uint64_t index;

	memcpy(&entry, bytes, sizeof(entry));
	*slot = (struct slot){.address = entry.r_offset, .resolver = (uint64_t)entry.r_addend};
	if (ELF64_R_TYPE(entry.r_info) == R_X86_64_IRELATIVE)
		return true;
	index = ELF64_R_SYM(entry.r_info);
	if ((ELF64_R_TYPE(entry.r_info) != R_X86_64_JUMP_SLOT &&
	     ELF64_R_TYPE(entry.r_info) != R_X86_64_GLOB_DAT) ||
	    index >= slots->symbols.size / sizeof(symbol))
		return false;
	memcpy(&symbol, slots->symbols.bytes + index * sizeof(symbol), sizeof(symbol));
	slot->name = string_at(&slots->names, symbol.st_name);
	return slot->name && *slot->name;
}

static int read_slots(struct slots *slots, const struct section *relocations)
{
	const size_t size = sizeof(Elf64_Rela);

	for (size_t at = 0; relocations->size - at >= size; at += size) {
		struct slot slot;
		int rc = take_slot(slots, relocations->bytes + at, &slot) ? add_slot(slots, &slot)
									  : 0;

		if (rc)
			return rc;
	}
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *one = a, *other = b;

	return (one->address > other->address) - (one->address < other->address);
}

static int collect_slots(struct slots *slots, struct elf_file *file)
{
	struct section text, others;
	int rc = 0;

	if (section_by_type(file, SHT_DYNSYM, &slots->symbols) &&
	    section_linked(file, &slots->symbols.header, SHT_STRTAB, &text))
		slots->names = strings_of(text.bytes, text.size);
	if (section_by_name(file, ".rela.plt", &slots->lazy))
		rc = read_slots(slots, &slots->lazy);
	if (!rc && section_by_name(file, ".rela.dyn", &others))
		rc = read_slots(slots, &others);
	if (slots->n)
		qsort(slots->slots, slots->n, sizeof(*slots->slots), compare_slots);
	return rc;
}

/* The slot that the stub of @size bytes at @address jumps through: "jmp *DISTANCE(%rip)" somewhere
 * in it, at a slot that a relocation fills. */
static const struct slot *jump_slot(const struct slots *slots, const uint8_t *stub, size_t size,
				    uint64_t address)
{
	for (size_t i = 0; i + 6 <= size; i++) {
		struct slot key;
		const struct slot *slot;
		int32_t distance;

		if (stub[i] != 0xff || stub[i + 1] != 0x25)
			continue;
		memcpy(&distance, stub + i + 2, sizeof(distance));
		key.address = address + i + 6 + (uint64_t)distance;
		slot = bsearch(&key, slots->slots, slots->n, sizeof(key), compare_slots);
		if (slot)
			return slot;
	}
	return NULL;
}

/* With .plt.sec, what is in .plt pushes the number of its relocation and jumps to the section's
 * start: "endbr64; push NUMBER; [bnd] jmp START". */
static bool lazy_slot(const struct slots *slots, const uint8_t *stub, uint64_t offset,
		      struct slot *slot)
{
	static const uint8_t begin[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x68};
	size_t jump = stub[9] == 0xf2 ? 10 : 9;
	uint32_t number;
	int32_t distance;

	if (memcmp(stub, begin, sizeof(begin)) != 0 || stub[jump] != 0xe9)
		return false;
	memcpy(&number, stub + 5, sizeof(number));
	memcpy(&distance, stub + jump + 1, sizeof(distance));
	if (offset + jump + 5 + (uint64_t)distance != 0 ||
	    number >= slots->lazy.size / sizeof(Elf64_Rela))
		return false;
	return take_slot(slots, slots->lazy.bytes + number * sizeof(Elf64_Rela), slot);
}

static int add_stub(struct symbol_table *table, const struct slot *slot, uint64_t address,
		    uint32_t size)
{
	const struct symbol *target;
	struct symbol stub = {
		.address = address, .name = slot->name, .size = size, .flags = SYMBOL_PLT};

	if (!stub.name) {
		target = symbol_table_at(table, slot->resolver);
		if (!target)
			return 0;
		stub.name = target->name;
	}
	return symbol_table_add(table, &stub);
}

#define STUB_BYTES  16
#define SMALL_BYTES 8

/* Those of .plt.got, and of static programs, are nothing but the jump, and two bytes to fill up. */
static size_t stub_size(const uint8_t *stub, size_t left)
{
	if (left >= SMALL_BYTES && stub[0] == 0xff && stub[1] == 0x25 && stub[6] == 0x66 &&
	    stub[7] == 0x90)
		return SMALL_BYTES;
	return left < STUB_BYTES ? left : STUB_BYTES;
}

static int read_stubs(struct symbol_table *table, const struct slots *slots,
		      const struct section *section)
{
	size_t offset = 0, size;

	for (; offset < section->size; offset += size) {
		const uint8_t *stub = section->bytes + offset;
		uint64_t address = section->header.sh_addr + offset;
		const struct slot *slot;
		struct slot lazy;
		int rc;

		size = stub_size(stub, section->size - offset);
		slot = jump_slot(slots, stub, size, address);
		if (!slot && size == STUB_BYTES && lazy_slot(slots, stub, offset, &lazy))
			slot = &lazy;
		rc = slot ? add_stub(table, slot, address, (uint32_t)size) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

int symbols_read_plt(struct symbol_table *table, struct elf_file *file)
{
	static const char *const names[] = {".plt", ".plt.sec", ".plt.got"};
	struct slots slots = {0};
	struct section section;
	int rc;

	if (elf_file_machine(file) != EM_X86_64)
		return 0;
	symbol_table_merge(table);
	rc = collect_slots(&slots, file);
	for (size_t i = 0; !rc && slots.n && i < sizeof(names) / sizeof(*names); i++)
		if (section_by_name(file, names[i], &section))
			rc = read_stubs(table, &slots, &section);
	free(slots.slots);
	return rc;
}
