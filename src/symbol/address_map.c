/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/address_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"

#define MAX_TEXT_BYTES   UINT32_MAX
#define FIRST_READ_BYTES (1U << 20)
/* Ten times what a large Java program has; some 70 bytes each. */
#define MAX_ENTRIES (2U << 20)

struct entry {
	uint64_t start;
	uint32_t size;
	uint32_t name; /* where in the text */
};

/* A part of an entry that no later one covers. */
struct piece {
	uint64_t start;
	uint32_t size;
	uint32_t entry;
};

struct address_map {
	char *text;
	size_t n_entries, room, n_pieces, broken, n_named;
	struct entry *entries;
	struct piece *pieces; /* ascending, without overlap */
	char **names;         /* demangled, of those that were asked for */
};

/* All of @in, up to @most bytes, with a NUL behind it. */
static char *read_text(FILE *in, size_t most, size_t *size)
{
	size_t room = FIRST_READ_BYTES < most ? FIRST_READ_BYTES : most, n = 0, got;
	char *text = malloc(room + 1);

	while (text && (got = fread(text + n, 1, room - n, in)) > 0) {
		n += got;
		if (n == room && room < most) {
			char *grown;

			room = room < most / 2 ? 2 * room : most;
			grown = realloc(text, room + 1);
			if (!grown)
				free(text);
			text = grown;
		}
	}
	if (text)
		text[n] = '\0';
	*size = n;
	return text;
}

static bool add_entry(struct address_map *map, const struct entry *entry)
{
	if (map->n_entries == map->room) {
		size_t room = map->room ? 2 * map->room : 4096;
		struct entry *grown;

		grown = reallocarray(map->entries, room, sizeof(*grown));
		if (!grown)
			return false;
		map->entries = grown;
		map->room = room;
	}
	map->entries[map->n_entries++] = *entry;
	return true;
}

/* A hexadecimal number and the blanks behind it; false where there is none, or more than 64 bits.
 */
static bool take_hex(char **at, uint64_t *value)
{
	char *p = *at;

	*value = 0;
	if (p[0] == '0' && p[1] == 'x')
		p += 2;
	for (*at = p;; p++) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			digit = (unsigned int)((*p | 0x20) - 'a') + 10;
		else
			break;
		if (*value >> 60)
			return false;
		*value = *value << 4 | digit;
	}
	if (p == *at || *p != ' ')
		return false;
	while (*p == ' ')
		p++;
	*at = p;
	return true;
}

/* "START SIZE NAME" */
static bool parse_line(const char *text, char *line, struct entry *entry)
{
	uint64_t size;

	*entry = (struct entry){0};
	if (!take_hex(&line, &entry->start) || !take_hex(&line, &size) || !*line)
		return false;
	entry->size = (uint32_t)size;
	entry->name = (uint32_t)(line - text);
	return entry->start && size && size <= UINT32_MAX && size <= UINT64_MAX - entry->start;
}

/* The lines of the text become entries. A last line without an end is still being written. */
static bool parse(struct address_map *map, size_t size)
{
	char *at = map->text, *stop = map->text + size, *end;

	for (; at < stop; at = end + 1) {
		struct entry entry;

		end = memchr(at, '\n', (size_t)(stop - at));
		if (!end) {
			map->broken++;
			break;
		}
		*end = '\0';
		if (end > at && end[-1] == '\r')
			end[-1] = '\0';
		if (!parse_line(map->text, at, &entry) || map->n_entries == MAX_ENTRIES)
			map->broken++;
		else if (entry.start && !add_entry(map, &entry))
			return false;
	}
	return true;
}

/* Entries that cover the place that is looked at, or have ended before it; the latest on top. */
struct heap {
	uint32_t *entries;
	size_t n;
};

static void push(struct heap *heap, uint32_t entry)
{
	size_t at = heap->n++;

	for (; at && heap->entries[(at - 1) / 2] < entry; at = (at - 1) / 2)
		heap->entries[at] = heap->entries[(at - 1) / 2];
	heap->entries[at] = entry;
}

static void pop(struct heap *heap)
{
	uint32_t last = heap->entries[--heap->n];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < heap->n) {
		if (child + 1 < heap->n && heap->entries[child + 1] > heap->entries[child])
			child++;
		if (heap->entries[child] <= last)
			break;
		heap->entries[at] = heap->entries[child];
		at = child;
	}
	heap->entries[at] = last;
}

static void add_piece(struct address_map *map, uint64_t start, uint64_t end, uint32_t entry)
{
	struct piece *last = map->n_pieces ? &map->pieces[map->n_pieces - 1] : NULL;

	if (last && last->entry == entry && last->start + last->size == start)
		last->size += (uint32_t)(end - start);
	else
		map->pieces[map->n_pieces++] =
			(struct piece){start, (uint32_t)(end - start), entry};
}

/* Pieces of what is in the heap, from @at up to @limit. */
static void advance(struct address_map *map, struct heap *heap, uint64_t at, uint64_t limit)
{
	while (heap->n && at < limit) {
		const struct entry *latest = &map->entries[heap->entries[0]];
		uint64_t end = latest->start + latest->size;

		if (end <= at) {
			pop(heap);
			continue;
		}
		end = end < limit ? end : limit;
		add_piece(map, at, end, heap->entries[0]);
		at = end;
	}
}

static int compare_starts(const void *a, const void *b, void *context)
{
	const struct entry *entries = context;
	uint64_t one = entries[*(const uint32_t *)a].start;
	uint64_t other = entries[*(const uint32_t *)b].start;

	return (one > other) - (one < other);
}

/* @order: the entries in the order of their starts. */
static void sweep(struct address_map *map, const uint32_t *order, struct heap *heap)
{
	size_t n = map->n_entries;

	for (size_t i = 0; i < n; i++) {
		uint64_t start = map->entries[order[i]].start;
		uint64_t next = i + 1 < n ? map->entries[order[i + 1]].start : UINT64_MAX;

		push(heap, order[i]);
		if (next > start)
			advance(map, heap, start, next);
	}
}

static void count_named(struct address_map *map, bool *is_seen)
{
	for (size_t i = 0; i < map->n_pieces; i++) {
		uint32_t entry = map->pieces[i].entry;

		map->n_named += !is_seen[entry];
		is_seen[entry] = true;
	}
}

/* Where entries overlap, the place is the later one's; what it leaves of the earlier one stays. */
static bool make_pieces(struct address_map *map)
{
	size_t n = map->n_entries;
	uint32_t *order = calloc(n + 1, sizeof(*order));
	struct heap heap = {.entries = calloc(n + 1, sizeof(*heap.entries))};
	bool *is_seen = calloc(n + 1, sizeof(*is_seen)), done = false;

	map->pieces = calloc(2 * n + 1, sizeof(*map->pieces));
	if (order && heap.entries && is_seen && map->pieces) {
		for (size_t i = 0; i < n; i++)
			order[i] = (uint32_t)i;
		qsort_r(order, n, sizeof(*order), compare_starts, map->entries);
		sweep(map, order, &heap);
		count_named(map, is_seen);
		done = true;
	}
	free(order);
	free(heap.entries);
	free(is_seen);
	return done;
}

struct address_map *address_map_read_perf(FILE *in, size_t max_bytes)
{
	struct address_map *map = calloc(1, sizeof(*map));
	size_t size;

	if (!map)
		return NULL;
	map->text = read_text(in, max_bytes < MAX_TEXT_BYTES ? max_bytes : MAX_TEXT_BYTES, &size);
	if (map->text && parse(map, size) && make_pieces(map)) {
		map->names = calloc(map->n_entries + 1, sizeof(*map->names));
		if (map->names)
			return map;
	}
	address_map_free(map);
	return NULL;
}

void address_map_free(struct address_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; map->names && i < map->n_entries; i++)
		free(map->names[i]);
	free(map->names);
	free(map->pieces);
	free(map->entries);
	free(map->text);
	free(map);
}

size_t address_map_count(const struct address_map *map)
{
	return map->n_named;
}

size_t address_map_broken(const struct address_map *map)
{
	return map->broken;
}

/* Only what is mangled: elsewhere, what looks like a version may be of a path ("node_modules/@x").
 */
static const char *name_of(const struct address_map *map, uint32_t entry)
{
	const char *name = map->text + map->entries[entry].name;

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R'))
		return name;
	if (!map->names[entry])
		map->names[entry] = demangle(name);
	return map->names[entry] ? map->names[entry] : name;
}

const char *address_map_find(const struct address_map *map, uint64_t address)
{
	size_t low = 0, high = map->n_pieces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->pieces[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - map->pieces[low - 1].start >= map->pieces[low - 1].size)
		return NULL;
	return name_of(map, map->pieces[low - 1].entry);
}
