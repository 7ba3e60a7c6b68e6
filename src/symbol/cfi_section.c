/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entries of .eh_frame and .debug_frame. libdw finds their bounds and reads what is common to
 * several functions (CIEs); it checks that all of it lies within the section. A CIE is evaluated
 * once, however many functions refer to it.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/cfi_internal.h"

struct cies {
	struct cfi_cie *list; /* by ascending offset */
	size_t n, capacity;
};

enum found {
	FOUND_ENTRY,
	FOUND_BROKEN,
	FOUND_PADDING,
	FOUND_END,
};

/* Where entries of several files were put together, each may have brought its terminator. */
static bool is_terminator(const struct cfi_section *section, uint64_t offset)
{
	static const uint8_t zeroes[4];

	return offset + sizeof(zeroes) < section->data.d_size &&
	       !memcmp((const uint8_t *)section->data.d_buf + offset, zeroes, sizeof(zeroes));
}

/* The entry at @offset, which moves on to the next. */
static enum found next_entry(const struct cfi_section *section, uint64_t *offset,
			     Dwarf_CFI_Entry *entry)
{
	Elf_Data data = section->data;
	Dwarf_Off next = *offset;
	int result = dwarf_next_cfi(section->ident, &data, section->is_eh, *offset, &next, entry);

	if (result > 0) {
		if (!is_terminator(section, *offset))
			return FOUND_END;
		*offset += 4;
		return FOUND_PADDING;
	}
	/* An entry without a usable length: where the next one begins is not known. */
	if (next <= *offset)
		next = section->data.d_size;
	*offset = next;
	return result < 0 ? FOUND_BROKEN : FOUND_ENTRY;
}

/* Augmentation data, as the letters after 'z' say. Without 'z' there may be none. */
static bool take_augmentation(const struct cfi_section *section, const Dwarf_CIE *entry,
			      struct cfi_cie *cie)
{
	struct cfi_cursor data = {.at = entry->augmentation_data};
	const char *letter = entry->augmentation;

	if (!*letter)
		return true;
	if (*letter != 'z')
		return false;
	cie->is_sized = true;
	data.end = data.at + entry->augmentation_data_size;
	while (*++letter) {
		switch (*letter) {
		case 'R':
			cie->encoding = (uint8_t)cfi_read(&data, 1);
			break;
		case 'L':
			cfi_read(&data, 1);
			break;
		case 'P':
			/* Where the personality routine is does not matter, but how long that is.
			 */
			cfi_read_address(section, &data, (uint8_t)cfi_read(&data, 1) & 0x0f);
			break;
		case 'S': /* a signal's frame, which is told by its expressions */
		case 'B': /* of AArch64 */
			break;
		default:
			return false;
		}
	}
	return !data.broken;
}

static void take_cie(const struct cfi_section *section, const Dwarf_CIE *entry, struct cfi_cie *cie)
{
	struct cfi_cursor code = {
		.at = entry->initial_instructions,
		.end = entry->initial_instructions_end,
	};

	cie->code_factor = entry->code_alignment_factor;
	cie->data_factor = entry->data_alignment_factor;
	cie->encoding = DW_EH_PE_absptr;
	cie->is_broken = entry->return_address_register != CFI_RETURN_ADDRESS ||
			 !take_augmentation(section, entry, cie) ||
			 !cfi_program_begin(section, cie, code);
}

static struct cfi_cie *add_cie(struct cies *cies)
{
	size_t capacity = cies->capacity ? 2 * cies->capacity : 16;
	struct cfi_cie *list;

	if (cies->n == cies->capacity) {
		list = reallocarray(cies->list, capacity, sizeof(*list));
		if (!list)
			return NULL;
		cies->list = list;
		cies->capacity = capacity;
	}
	cies->list[cies->n] = (struct cfi_cie){.encoding = DW_EH_PE_absptr};
	return &cies->list[cies->n++];
}

/* All of them first: in .debug_frame one may follow what refers to it. */
static int read_cies(const struct cfi_section *section, struct cies *cies)
{
	uint64_t offset = 0, at = 0;
	Dwarf_CFI_Entry entry;
	enum found found;

	for (; (found = next_entry(section, &offset, &entry)) != FOUND_END; at = offset) {
		struct cfi_cie *cie;

		if (found != FOUND_ENTRY || !dwarf_cfi_cie_p(&entry))
			continue;
		cie = add_cie(cies);
		if (!cie)
			return -ENOMEM;
		cie->offset = at;
		take_cie(section, &entry.cie, cie);
	}
	return 0;
}

static int by_offset(const void *key, const void *element)
{
	uint64_t offset = *(const uint64_t *)key;
	const struct cfi_cie *cie = element;

	return offset < cie->offset ? -1 : offset > cie->offset;
}

static bool read_fde(const struct cfi_section *section, const struct cfi_cie *cie,
		     const Dwarf_FDE *entry, struct cfi_fde *fde)
{
	struct cfi_cursor cursor = {.at = entry->start, .end = entry->end};
	uint64_t size;

	fde->start = cfi_read_address(section, &cursor, cie->encoding);
	size = cfi_read_address(section, &cursor, cie->encoding & 0x0f);
	if (cie->is_sized)
		cfi_read_block(&cursor, cfi_read_uleb(&cursor));
	if (cursor.broken || __builtin_add_overflow(fde->start, size, &fde->end))
		return false;
	fde->instructions = cursor;
	return true;
}

static int visit_fdes(const struct cfi_section *section, const struct cies *cies,
		      cfi_visit_fn *visit, void *context, uint64_t *broken)
{
	const struct cfi_cie *cie = NULL;
	Dwarf_CFI_Entry entry;
	uint64_t offset = 0;
	enum found found;
	int err = 0;

	while (!err && (found = next_entry(section, &offset, &entry)) != FOUND_END) {
		struct cfi_fde fde;

		if (found == FOUND_PADDING || (found == FOUND_ENTRY && dwarf_cfi_cie_p(&entry)))
			continue;
		/* Neighbours mostly share theirs. */
		if (found == FOUND_ENTRY && (!cie || cie->offset != entry.fde.CIE_pointer))
			cie = bsearch(&entry.fde.CIE_pointer, cies->list, cies->n,
				      sizeof(*cies->list), by_offset);
		if (found == FOUND_BROKEN || !cie || cie->is_broken ||
		    !read_fde(section, cie, &entry.fde, &fde))
			++*broken;
		else
			err = visit(context, section, cie, &fde);
	}
	return err;
}

int cfi_section_visit(const struct cfi_section *section, cfi_visit_fn *visit, void *context,
		      uint64_t *broken)
{
	struct cies cies = {.n = 0};
	int err = read_cies(section, &cies);

	if (!err && cies.n)
		err = visit_fdes(section, &cies, visit, context, broken);
	free(cies.list);
	return err;
}
