/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/cfi_internal.h"

#include <dwarf.h>
#include <string.h>

static void break_off(struct cfi_cursor *cursor)
{
	cursor->broken = true;
	cursor->at = cursor->end;
}

static size_t left(const struct cfi_cursor *cursor)
{
	return cursor->at < cursor->end ? (size_t)(cursor->end - cursor->at) : 0;
}

uint64_t cfi_read(struct cfi_cursor *cursor, size_t size)
{
	uint64_t value = 0;

	if (left(cursor) < size) {
		break_off(cursor);
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)cursor->at[i] << 8 * i;
	cursor->at += size;
	return value;
}

/* @shift takes how many bits there were, @last the last byte. */
static uint64_t read_leb(struct cfi_cursor *cursor, unsigned int *shift, uint8_t *last)
{
	uint64_t value = 0;

	*shift = 0;
	*last = 0;
	do {
		if (!left(cursor)) {
			break_off(cursor);
			return 0;
		}
		*last = *cursor->at++;
		if (*shift < 64)
			value |= (uint64_t)(*last & 0x7f) << *shift;
		*shift += 7;
	} while (*last & 0x80);
	return value;
}

uint64_t cfi_read_uleb(struct cfi_cursor *cursor)
{
	unsigned int shift;
	uint8_t last;

	/* Nearly all are of one byte. */
	if (cursor->at < cursor->end && *cursor->at < 0x80)
		return *cursor->at++;
	return read_leb(cursor, &shift, &last);
}

int64_t cfi_read_sleb(struct cfi_cursor *cursor)
{
	unsigned int shift;
	uint8_t last;
	uint64_t value = read_leb(cursor, &shift, &last);

	if (last & 0x40 && shift < 64)
		value |= UINT64_MAX << shift;
	return (int64_t)value;
}

struct cfi_cursor cfi_read_block(struct cfi_cursor *cursor, uint64_t size)
{
	struct cfi_cursor block = {.at = cursor->at, .end = cursor->at};

	if (left(cursor) < size) {
		break_off(cursor);
		return block;
	}
	cursor->at += size;
	block.end = cursor->at;
	return block;
}

static uint64_t read_format(struct cfi_cursor *cursor, uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_udata2:
		return cfi_read(cursor, 2);
	case DW_EH_PE_sdata2:
		return (uint64_t)(int16_t)cfi_read(cursor, 2);
	case DW_EH_PE_udata4:
		return cfi_read(cursor, 4);
	case DW_EH_PE_sdata4:
		return (uint64_t)(int32_t)cfi_read(cursor, 4);
	case DW_EH_PE_absptr:
	case DW_EH_PE_signed:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return cfi_read(cursor, 8);
	case DW_EH_PE_uleb128:
		return cfi_read_uleb(cursor);
	case DW_EH_PE_sleb128:
		return (uint64_t)cfi_read_sleb(cursor);
	default:
		break_off(cursor);
		return 0;
	}
}

uint64_t cfi_read_address(const struct cfi_section *section, struct cfi_cursor *cursor,
			  uint8_t encoding)
{
	uint64_t base = 0;

	/* Of DW_EH_PE_indirect the address lies in memory, and of the other bases nobody knows. */
	switch (encoding & 0xf0) {
	case DW_EH_PE_absptr:
		break;
	case DW_EH_PE_pcrel:
		base = section->address + (uint64_t)(cursor->at - (uint8_t *)section->data.d_buf);
		break;
	case DW_EH_PE_datarel:
		base = section->got_address;
		if (!base)
			break_off(cursor);
		break;
	default:
		break_off(cursor);
	}
	return base + read_format(cursor, encoding);
}
