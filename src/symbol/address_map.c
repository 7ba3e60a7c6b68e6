/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/address_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/alias.h"
#include "symbol/demangle.h"

#define MAX_KALLSYMS_BYTES (64U << 20)
#define MAX_TEXT_BYTES     UINT32_MAX
#define FIRST_READ_BYTES   (1U << 20)
/* No function is longer: between two modules there is nothing. */
#define MAX_KERNEL_FUNCTION (1U << 20)
/* Ten times what a large Java program has; some 70 bytes each. */
#define MAX_ENTRIES (2U << 20)

struct entry {
	uint64_t start;
	uint32_t size;
	uint32_t name;    /* where in the text */
	uint32_t module;  /* the same; 0: none */
	bool is_function; /* else it only ends what is before it */
	bool is_global;
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

/* "ADDRESS TYPE NAME[\t[MODULE]]" */
static bool parse_kallsyms(const char *text, char *line, struct entry *entry)
{
	char *module, *end;

	*entry = (struct entry){0};
	if (!take_hex(&line, &entry->start) || !line[0] || line[1] != ' ' || !line[2])
		return false;
	entry->is_function = strchr("tTwW", line[0]) != NULL;
	entry->is_global = strchr("TwW", line[0]) != NULL;
	entry->name = (uint32_t)(line + 2 - text);
	module = strchr(line + 2, '\t');
	if (!module)
		return true;
	*module++ = '\0';
	end = strchr(module, ']');
	if (*module != '[' || !end)
		return false;
	*end = '\0';
	entry->module = (uint32_t)(module + 1 - text);
	return line[2];
}

/* "START SIZE NAME" */
static bool parse_perf(const char *text, char *line, struct entry *entry)
{
	uint64_t size;

	*entry = (struct entry){.is_function = true};
	if (!take_hex(&line, &entry->start) || !take_hex(&line, &size) || !*line)
		return false;
	entry->size = (uint32_t)size;
	entry->name = (uint32_t)(line - text);
	return entry->start && size && size <= UINT32_MAX && size <= UINT64_MAX - entry->start;
}

typedef bool line_parser(const char *text, char *line, struct entry *entry);

/* The lines of the text become entries. A last line without an end is still being written. */
static bool parse(struct address_map *map, size_t size, line_parser *parse_line)
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

static int compare_entries(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return (one->start > other->start) - (one->start < other->start);
}

static struct alias alias_of(const struct address_map *map, const struct entry *entry)
{
	return (struct alias){.name = map->text + entry->name,
			      .is_function = entry->is_function,
			      .is_global = entry->is_global};
}

static bool is_better(const struct address_map *map, const struct entry *one,
		      const struct entry *other)
{
	struct alias a = alias_of(map, one), b = alias_of(map, other);

	return alias_is_better(&a, &b);
}

/* One entry an address, and where each of them ends. */
static void merge_kallsyms(struct address_map *map)
{
	size_t n = 0;

	if (map->n_entries)
		qsort(map->entries, map->n_entries, sizeof(*map->entries), compare_entries);
	for (size_t i = 0; i < map->n_entries; i++) {
		const struct entry *entry = &map->entries[i];

		if (!n || map->entries[n - 1].start != entry->start)
			map->entries[n++] = *entry;
		else if (is_better(map, entry, &map->entries[n - 1]))
			map->entries[n - 1] = *entry;
	}
	map->n_entries = n;
	for (size_t i = 0; i < n; i++) {
		struct entry *entry = &map->entries[i];
		uint64_t most = i + 1 < n ? entry[1].start - entry->start : MAX_KERNEL_FUNCTION;

		entry->size = most < MAX_KERNEL_FUNCTION ? (uint32_t)most : MAX_KERNEL_FUNCTION;
	}
}

static bool make_kallsyms_pieces(struct address_map *map)
{
	merge_kallsyms(map);
	map->pieces = calloc(map->n_entries + 1, sizeof(*map->pieces));
	if (!map->pieces)
		return false;
	for (size_t i = 0; i < map->n_entries; i++)
		if (map->entries[i].is_function)
			map->pieces[map->n_pieces++] = (struct piece){
				map->entries[i].start, map->entries[i].size, (uint32_t)i};
	map->n_named = map->n_pieces;
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
static bool make_perf_pieces(struct address_map *map)
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

static struct address_map *read_map(FILE *in, size_t max_bytes, line_parser *parse_line,
				    bool (*make_pieces)(struct address_map *map))
{
	struct address_map *map = calloc(1, sizeof(*map));
	size_t size;

	if (!map)
		return NULL;
	map->text = read_text(in, max_bytes < MAX_TEXT_BYTES ? max_bytes : MAX_TEXT_BYTES, &size);
	if (map->text && parse(map, size, parse_line) && make_pieces(map)) {
		map->names = calloc(map->n_entries + 1, sizeof(*map->names));
		if (map->names)
			return map;
	}
	address_map_free(map);
	return NULL;
}

struct address_map *address_map_read_kallsyms(FILE *in)
{
	return read_map(in, MAX_KALLSYMS_BYTES, parse_kallsyms, make_kallsyms_pieces);
}

struct address_map *address_map_read_perf(FILE *in, size_t max_bytes)
{
	return read_map(in, max_bytes, parse_perf, make_perf_pieces);
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

static const char *module_of(const struct address_map *map, uint32_t entry)
{
	uint32_t module = map->entries[entry].module;

	return module ? map->text + module : NULL;
}

const char *address_map_find(const struct address_map *map, uint64_t address, const char **module)
{
	size_t low = 0, high = map->n_pieces;

	if (module)
		*module = NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->pieces[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - map->pieces[low - 1].start >= map->pieces[low - 1].size)
		return NULL;
	if (module)
		*module = module_of(map, map->pieces[low - 1].entry);
	return name_of(map, map->pieces[low - 1].entry);
}
