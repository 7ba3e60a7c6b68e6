/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/function_start.h"

#include <stddef.h>
#include <string.h>

/* The one form that linkers write: counts of 4 bytes, entries relative to the section. */
struct header {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
};

struct entry {
	int32_t begin, entry; /* from the section's address on */
};

#define ENCODING_UDATA4         0x03
#define ENCODING_SDATA4_DATAREL 0x3b
#define ENCODING_SDATA4_PCREL   0x1b

static struct entry entry_at(const Elf_Data *data, uint32_t index)
{
	struct entry entry;

	memcpy(&entry, (const char *)data->d_buf + sizeof(struct header) + index * sizeof(entry),
	       sizeof(entry));
	return entry;
}

uint64_t function_start(const struct elf_file *file, uint64_t address)
{
	uint64_t section;
	const Elf_Data *data = elf_file_section(file, ".eh_frame_hdr", &section);
	uint32_t low = 0, high;
	struct header header;

	if (!data || !data->d_buf || data->d_size < sizeof(header))
		return address;
	memcpy(&header, data->d_buf, sizeof(header));
	if (header.version != 1 || header.frame_encoding != ENCODING_SDATA4_PCREL ||
	    header.count_encoding != ENCODING_UDATA4 ||
	    header.table_encoding != ENCODING_SDATA4_DATAREL ||
	    header.count > (data->d_size - sizeof(header)) / sizeof(struct entry))
		return address;
	high = header.count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (section + (uint64_t)(int64_t)entry_at(data, middle).begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? section + (uint64_t)(int64_t)entry_at(data, low - 1).begin : address;
}
