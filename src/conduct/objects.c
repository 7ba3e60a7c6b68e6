/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/objects.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/hash_index.h"

struct objects {
	uint32_t n; /* with number 0, which is none */
	struct object *list[PB_OBJECTS];
	struct hash_index index;
};

#define VDSO "[vdso]"

struct objects *objects_new(void)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (objects)
		objects->n = 1;
	return objects;
}

static void object_free(struct object *object)
{
	if (!object)
		return;
	symbols_close(object->symbols);
	elf_file_close(object->file);
	free(object->path);
	free(object);
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	for (uint32_t i = 0; i < objects->n; i++)
		object_free(objects->list[i]);
	hash_index_clear(&objects->index);
	free(objects);
}

static bool same_object(const void *table, uint32_t at, const void *key)
{
	const struct object *object = ((const struct objects *)table)->list[at];
	const struct object_sight *sight = key;

	if (object->build_id.size != sight->build_id.size)
		return false;
	if (object->build_id.size)
		return !memcmp(object->build_id.bytes, sight->build_id.bytes, object->build_id.size);
	return !strcmp(object->path, sight->path);
}

static uint32_t hash_of(const struct object_sight *sight)
{
	uint64_t first = 0;

	if (!sight->build_id.size)
		return hash_string(sight->path);
	memcpy(&first, sight->build_id.bytes,
	       sight->build_id.size < sizeof(first) ? sight->build_id.size : sizeof(first));
	return hash_u64(first);
}

static bool is_file(const char *path)
{
	return !strcmp(path, VDSO) || (path[0] == '/' && path[1] != '/');
}

uint32_t objects_add(struct objects *objects, const struct object_sight *sight)
{
	uint32_t hash, at;
	struct object *object;

	if (!is_file(sight->path))
		return PB_OBJECT_ANON;
	hash = hash_of(sight);
	at = hash_index_find(&objects->index, hash, same_object, objects, sight);
	if (at != HASH_INDEX_NONE)
		return at;
	if (objects->n == PB_OBJECTS)
		return PB_OBJECT_ANON;
	object = calloc(1, sizeof(*object));
	if (!object)
		return PB_OBJECT_ANON;
	object->path = strdup(sight->path);
	object->build_id = sight->build_id;
	object->pid = sight->pid;
	object->start = sight->start;
	object->end = sight->end;
	if (!object->path || hash_index_add(&objects->index, hash, objects->n)) {
		object_free(object);
		return PB_OBJECT_ANON;
	}
	objects->list[objects->n] = object;
	return objects->n++;
}

struct object *objects_at(const struct objects *objects, uint32_t index)
{
	return index < objects->n ? objects->list[index] : NULL;
}

/* Every 64-bit process has the same one mapped, perfbpf too. */
static struct elf_file *open_vdso(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);

	if (!header)
		return NULL;
	/* The table of sections is the last of it. */
	return elf_file_open_memory(header, header->e_shoff +
						    (size_t)header->e_shnum * header->e_shentsize);
}

/* A regular file only: opening another can do things. */
static struct elf_file *open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return elf_file_open(fd);
	close(fd);
	return NULL;
}

/* The file at @path if it is the one that was mapped, as far as its build id says. */
static struct elf_file *open_same(const struct object *object, const char *path)
{
	struct elf_file *file = open_path(path);
	const struct elf_build_id *id;

	if (!file || !object->build_id.size)
		return file;
	id = elf_file_build_id(file);
	if (id->size == object->build_id.size &&
	    !memcmp(id->bytes, object->build_id.bytes, id->size))
		return file;
	elf_file_close(file);
	return NULL;
}

/* By its path here, by its path where the process sees it, or, deleted, by its mapping. */
struct elf_file *objects_file(struct object *object)
{
	char path[4200];

	if (object->tried)
		return object->file;
	object->tried = true;
	if (!strcmp(object->path, VDSO)) {
		object->file = open_vdso();
		return object->file;
	}
	object->file = open_same(object, object->path);
	if (!object->file) {
		snprintf(path, sizeof(path), "/proc/%d/root%s", object->pid, object->path);
		object->file = open_same(object, path);
	}
	if (!object->file) {
		snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", object->pid,
			 (unsigned long long)object->start, (unsigned long long)object->end);
		object->file = open_same(object, path);
	}
	return object->file;
}

void objects_load(struct objects *objects, uint32_t index, struct tables *tables)
{
	struct object *object = objects_at(objects, index);
	struct cfi_rows rows = {0};
	struct elf_file *file;

	if (!object || object->rows_refused || tables_has(tables, index))
		return;
	file = objects_file(object);
	if (file && cfi_rows_build(file, &rows)) {
		object->rows_refused = true;
		return;
	}
	for (int i = 0; i < CFI_GAPS; i++)
		object->gaps[i] = rows.gaps[i];
	/* Without room it is tried again at the next stack, when room has been made. */
	tables_load(tables, index, rows.base, rows.rows, rows.n);
	cfi_rows_clear(&rows);
}

struct symbols *objects_symbols(struct object *object, bool inlines)
{
	struct symbols_options options = {.inlines = inlines};

	if (!object->symbols && objects_file(object))
		object->symbols = symbols_open(object->file, object->path, &options);
	return object->symbols;
}

uint64_t objects_gaps(const struct objects *objects, enum cfi_gap why)
{
	uint64_t gaps = 0;

	for (uint32_t i = 1; i < objects->n; i++)
		gaps += objects->list[i]->gaps[why];
	return gaps;
}
