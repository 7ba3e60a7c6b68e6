/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/objects.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/hash_index.h"

struct objects {
	uint32_t n; /* with number 0, which is none */
	struct object *list[PB_OBJECTS];
	struct hash_index index;
};

#define VDSO "[vdso]"

/* Beside one for each object, what perfbpf has open itself. */
#define OTHER_FILES 1024

/* Many shells allow 1,024, and a desktop's browser alone maps half as many. */
static void allow_files(void)
{
	struct rlimit limit;
	rlim_t wanted = PB_OBJECTS + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	/* Where it may not be, files that cannot be opened stay without names. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

struct objects *objects_new(void)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (!objects)
		return NULL;
	objects->n = 1;
	allow_files();
	return objects;
}

void objects_rest(struct object *object)
{
	symbols_close(object->symbols);
	elf_file_close(object->file);
	object->symbols = NULL;
	object->file = NULL;
}

void objects_rest_all(struct objects *objects)
{
	for (uint32_t i = 1; i < objects->n; i++)
		objects_rest(objects->list[i]);
}

static void object_free(struct object *object)
{
	if (!object)
		return;
	objects_rest(object);
	if (object->fd >= 0)
		close(object->fd);
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
		return !memcmp(object->build_id.bytes, sight->build_id.bytes,
			       object->build_id.size);
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
	object->fd = -1;
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

/* The file behind the object's fd, which stays open. */
static struct elf_file *open_again(const struct object *object)
{
	int fd = object->fd < 0 ? -1 : fcntl(object->fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? NULL : elf_file_open(fd);
}

/* As far as its build id says. */
static bool is_the_one(const struct object *object, const struct elf_file *file)
{
	const struct elf_build_id *id = elf_file_build_id(file);

	return !object->build_id.size || (id->size == object->build_id.size &&
					  !memcmp(id->bytes, object->build_id.bytes, id->size));
}

/* The file at @path, if it is the one that was mapped. A regular file only: opening another can do
 * things. */
static bool open_same(struct object *object, const char *path)
{
	struct stat st;

	object->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (object->fd < 0)
		return false;
	if (!fstat(object->fd, &st) && S_ISREG(st.st_mode))
		object->file = open_again(object);
	if (object->file && is_the_one(object, object->file))
		return true;
	elf_file_close(object->file);
	close(object->fd);
	object->file = NULL;
	object->fd = -1;
	return false;
}

/* By its path where the process sees it, or, deleted, by its mapping. */
static bool open_by_process(struct object *object)
{
	char path[4200];

	snprintf(path, sizeof(path), "/proc/%d/root%s", object->pid, object->path);
	if (open_same(object, path))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", object->pid,
		 (unsigned long long)object->start, (unsigned long long)object->end);
	return open_same(object, path);
}

/* Without a build id, what has the path here may be another file than what has it there. */
static void open_first(struct object *object)
{
	if (object->build_id.size ? open_same(object, object->path) : open_by_process(object))
		return;
	if (object->build_id.size)
		open_by_process(object);
	else
		open_same(object, object->path);
}

struct elf_file *objects_file(struct object *object)
{
	if (object->file)
		return object->file;
	if (!strcmp(object->path, VDSO))
		object->file = open_vdso();
	else if (object->tried)
		object->file = open_again(object);
	else
		open_first(object);
	if (object->file && !object->tried)
		object->file_id = *elf_file_build_id(object->file);
	object->tried = true;
	return object->file;
}

uint64_t objects_address(struct object *object, uint64_t offset)
{
	struct elf_file *file;

	if (object->has_address && object->offset == offset)
		return object->address;
	file = objects_file(object);
	object->offset = object->address = offset;
	/* Not where it only could not be opened again. */
	object->has_address = file || object->fd < 0;
	if (file && !elf_file_address(file, offset, &object->address))
		object->address = offset;
	return object->address;
}

void objects_load(struct objects *objects, uint32_t index, struct tables *tables)
{
	struct object *object = objects_at(objects, index);
	struct cfi_rows rows = {0};
	struct elf_file *file;

	if (!object || object->rows_refused || tables_has(tables, index))
		return;
	/* They had to make room before, and are made again where there is room again. */
	if (object->n_rows && !tables_make_room(tables, index, object->n_rows))
		return;
	file = objects_file(object);
	if (file && cfi_rows_build(file, &rows)) {
		object->rows_refused = true;
		return;
	}
	for (int i = 0; i < CFI_GAPS; i++)
		object->gaps[i] = rows.gaps[i];
	object->n_rows = rows.n;
	tables_load(tables, index, rows.base, rows.rows, rows.n);
	cfi_rows_clear(&rows);
	objects_rest(object);
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
