/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Header blocks of HTTP/2. */
#include <stdlib.h>
#include <string.h>

#include "protocol/hpack.h"

#define STATIC_ENTRIES 61
#define INTEGER_MAX    (1U << 28)

struct reader {
	const uint8_t *at, *end;
	bool is_broken;
};

struct field {
	enum hpack_name name;
	const char *value; /* NULL: not known */
};

/* Of the table that all begin with, what is of interest here (RFC 7541, appendix A). */
static struct field static_entry(uint32_t index)
{
	static const char *const statuses[] = {"200", "204", "206", "304", "400", "404", "500"};

	switch (index) {
	case 2:
		return (struct field){HPACK_METHOD, "GET"};
	case 3:
		return (struct field){HPACK_METHOD, "POST"};
	case 4:
		return (struct field){HPACK_PATH, "/"};
	case 5:
		return (struct field){HPACK_PATH, "/index.html"};
	case 31:
		return (struct field){HPACK_CONTENT_TYPE, ""};
	}
	if (index >= 8 && index <= 14)
		return (struct field){HPACK_STATUS, statuses[index - 8]};
	return (struct field){HPACK_OTHER, NULL};
}

static struct field entry_at(const struct hpack *hpack, uint32_t index)
{
	const struct hpack_entry *entry;

	if (index <= STATIC_ENTRIES)
		return static_entry(index);
	index -= STATIC_ENTRIES + 1;
	if (index >= hpack->n)
		return (struct field){HPACK_OTHER, NULL};
	entry = &hpack->entries[(hpack->newest + HPACK_ENTRIES - index) % HPACK_ENTRIES];
	return (struct field){entry->name, entry->value};
}

static void insert(struct hpack *hpack, const struct field *field)
{
	struct hpack_entry *entry;

	hpack->newest = (hpack->newest + 1) % HPACK_ENTRIES;
	if (hpack->n < HPACK_ENTRIES)
		hpack->n++;
	entry = &hpack->entries[hpack->newest];
	free(entry->value);
	entry->name = field->name;
	entry->value = field->name != HPACK_OTHER && field->value ? strdup(field->value) : NULL;
}

void hpack_clear(struct hpack *hpack)
{
	for (size_t i = 0; i < HPACK_ENTRIES; i++)
		free(hpack->entries[i].value);
	memset(hpack, 0, sizeof(*hpack));
}

/* A number whose first bits are the low @bits of the next byte. */
static uint32_t read_integer(struct reader *reader, unsigned int bits)
{
	uint32_t mask = (1U << bits) - 1, value;

	if (reader->at == reader->end) {
		reader->is_broken = true;
		return 0;
	}
	value = *reader->at++ & mask;
	if (value < mask)
		return value;
	for (unsigned int shift = 0; shift < 28 && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		value += (uint32_t)(byte & 0x7f) << shift;
		if (value > INTEGER_MAX)
			break;
		if (!(byte & 0x80))
			return value;
	}
	reader->is_broken = true;
	return 0;
}

/* A string, NUL-terminated in @text, as much of it as there is room for. */
static void read_string(struct reader *reader, char text[HPACK_VALUE_MAX + 1])
{
	bool is_huffman = reader->at < reader->end && *reader->at & 0x80;
	size_t n = read_integer(reader, 7), left = (size_t)(reader->end - reader->at);
	int length;

	text[0] = '\0';
	if (reader->is_broken)
		return;
	if (n > left) {
		reader->is_broken = true;
		return;
	}
	length = (int)(n < HPACK_VALUE_MAX ? n : HPACK_VALUE_MAX);
	if (is_huffman)
		length = hpack_huffman(reader->at, n, text, HPACK_VALUE_MAX);
	else
		memcpy(text, reader->at, (size_t)length);
	reader->at += n;
	reader->is_broken = length < 0;
	text[length < 0 ? 0 : length] = '\0';
}

static enum hpack_name name_of(const char *text)
{
	static const char *const names[] = {
		[HPACK_METHOD] = ":method",          [HPACK_PATH] = ":path",
		[HPACK_STATUS] = ":status",          [HPACK_CONTENT_TYPE] = "content-type",
		[HPACK_GRPC_STATUS] = "grpc-status",
	};

	for (int i = HPACK_METHOD; i <= HPACK_GRPC_STATUS; i++)
		if (!strcmp(text, names[i]))
			return (enum hpack_name)i;
	return HPACK_OTHER;
}

/* A field that is spelt out, but for a name that may be taken from the table. */
static struct field read_literal(struct hpack *hpack, struct reader *reader, unsigned int bits,
				 char value[HPACK_VALUE_MAX + 1])
{
	uint32_t index = read_integer(reader, bits);
	struct field field;

	if (index) {
		field = entry_at(hpack, index);
	} else {
		read_string(reader, value);
		field.name = name_of(value);
	}
	if (!reader->is_broken)
		read_string(reader, value);
	field.value = value;
	return field;
}

bool hpack_decode(struct hpack *hpack, const uint8_t *block, size_t n, hpack_field_fn fn,
		  void *context)
{
	struct reader reader = {block, n ? block + n : block, false};
	char value[HPACK_VALUE_MAX + 1];

	while (reader.at < reader.end) {
		uint8_t first = *reader.at;
		struct field field;

		if (first & 0x80) {
			field = entry_at(hpack, read_integer(&reader, 7));
		} else if (first & 0x40) {
			field = read_literal(hpack, &reader, 6, value);
		} else if (first & 0x20) {
			read_integer(&reader, 5); /* the table's size */
			field = (struct field){HPACK_OTHER, NULL};
		} else {
			field = read_literal(hpack, &reader, 4, value);
		}
		if (reader.is_broken)
			return false;
		if (field.name != HPACK_OTHER && field.value)
			fn(context, field.name, field.value);
		if ((first & 0xc0) == 0x40)
			insert(hpack, &field);
	}
	return true;
}
