/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/objects.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/hash_index.h"

struct objects {
	uint32_t n; /* with number 0, which is none */
	struct object *list[PB_OBJECTS];
	struct hash_index index;
	uint64_t lost;
	objects_open_fn open;
	void *open_context;
};

/* How often a file that could not be opened is tried again when it is seen again. */
#define MAX_TRIES 100

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

static int open_mapped(void *context, const struct mapped_file *file)
{
	(void)context;
	return process_file_mapped(file);
}

struct objects *objects_new(void)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (!objects)
		return NULL;
	objects->n = 1;
	objects->open = open_mapped;
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

void objects_open_by(struct objects *objects, objects_open_fn fn, void *context)
{
	objects->open = fn;
	objects->open_context = context;
}

/* --- which is which ----------------------------------------------------------------------- */

static bool same_id(const struct elf_build_id *a, const struct elf_build_id *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

static bool same_inode(const struct object_inode *a, const struct object_inode *b)
{
	return a->number == b->number && a->major == b->major && a->minor == b->minor &&
	       a->generation == b->generation;
}

static bool same_object(const void *table, uint32_t at, const void *key)
{
	const struct object *object = ((const struct objects *)table)->list[at];
	const struct object_sight *sight = key;

	if (object->is_replaced)
		return false;
	if (sight->build_id.size)
		return same_id(&object->build_id, &sight->build_id);
	return object->by_inode && same_inode(&object->inode, &sight->inode) &&
	       !strcmp(object->path, sight->path);
}

static uint32_t hash_of(const struct object_sight *sight)
{
	uint64_t first = 0;

	if (!sight->build_id.size)
		return hash_mix(hash_string(sight->path), sight->inode.number);
	memcpy(&first, sight->build_id.bytes,
	       sight->build_id.size < sizeof(first) ? sight->build_id.size : sizeof(first));
	return hash_u64(first);
}

static uint32_t find(const struct objects *objects, const struct object_sight *sight)
{
	return hash_index_find(&objects->index, hash_of(sight), same_object, objects, sight);
}

/* Memory that has a path only to be told by: run-time compilers put their code there. */
static bool is_unfiled(const char *path)
{
	static const char *const begins[] = {"/memfd:", "/anon_hugepage", "/SYSV"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (!strncmp(path, begins[i], strlen(begins[i])))
			return true;
	return !strcmp(path, "/dev/zero") || !strcmp(path, "/dev/zero (deleted)");
}

static bool is_file(const struct object_sight *sight)
{
	const char *path = sight->path;

	if (!strcmp(path, VDSO) || sight->build_id.size)
		return true;
	return path[0] == '/' && path[1] != '/' && !is_unfiled(path);
}

static struct object *object_new(struct objects *objects, const struct object_sight *sight)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->all = objects;
	object->fd = -1;
	object->path = strdup(sight->path);
	object->build_id = sight->build_id;
	object->by_inode = !sight->build_id.size;
	object->inode = sight->inode;
	object->pid = sight->pid;
	object->start = sight->start;
	if (object->path)
		return object;
	object_free(object);
	return NULL;
}

/* Takes @object over. */
static uint32_t insert(struct objects *objects, struct object *object,
		       const struct object_sight *sight)
{
	if (!object || objects->n == PB_OBJECTS ||
	    hash_index_add(&objects->index, hash_of(sight), objects->n)) {
		object_free(object);
		return PB_OBJECT_ANON;
	}
	object->index = objects->n;
	objects->list[objects->n] = object;
	return objects->n++;
}

/* By its build id, once it is known, it can be found, too. */
static void learn_id(struct objects *objects, struct object *object)
{
	struct object_sight told = {.path = object->path, .build_id = object->file_id};

	if (object->build_id.size || !object->file_id.size ||
	    find(objects, &told) != HASH_INDEX_NONE)
		return;
	object->build_id = object->file_id;
	/* Where that fails, two numbers stand for one file. */
	(void)hash_index_add(&objects->index, hash_of(&told), object->index);
}

/* --- opening ------------------------------------------------------------------------------- */

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
	int fd = object->fd < 0 || object->is_no_elf ? -1 : fcntl(object->fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? NULL : elf_file_open(fd);
}

static bool is_on(const struct statfs *fs, unsigned long magic)
{
	return (unsigned long)fs->f_type == magic;
}

/*
 * Is the open file what was mapped? By its build id; else by its inode. btrfs and overlayfs give
 * their files other devices than mappings are told with, overlayfs at times other numbers, too:
 * there it must be what the process has mapped by the path (@by_process).
 */
static bool is_the_one(const struct object *object, bool by_process)
{
	const struct object_inode *inode = &object->inode;
	struct statfs fs;
	struct stat st;

	if (object->build_id.size)
		return object->file && same_id(elf_file_build_id(object->file), &object->build_id);
	if (!inode->number || fstat(object->fd, &st) || fstatfs(object->fd, &fs))
		return false;
	if (is_on(&fs, OVERLAYFS_SUPER_MAGIC) && by_process)
		return true;
	return st.st_ino == inode->number &&
	       (st.st_dev == makedev(inode->major, inode->minor) ||
		is_on(&fs, OVERLAYFS_SUPER_MAGIC) || is_on(&fs, BTRFS_SUPER_MAGIC));
}

/* Takes @fd over, or the reason why there is none (-errno), and keeps it if it is the one. */
static bool take_fd(struct object *object, int fd, bool by_process)
{
	object->why_not = fd < 0 ? -fd : ESTALE;
	if (fd < 0)
		return false;
	object->fd = fd;
	object->file = open_again(object);
	if (is_the_one(object, by_process)) {
		object->is_no_elf = !object->file;
		object->why_not = 0;
		return true;
	}
	elf_file_close(object->file);
	close(fd);
	object->file = NULL;
	object->fd = -1;
	return false;
}

/* By its path, where that leads to it for perfbpf; else by the process that has it mapped. */
static void open_first(struct object *object)
{
	const struct objects *objects = object->all;
	struct mapped_file mapped = {
		.pid = object->pid,
		.start = object->start,
		.path = object->path,
		.by_path = !object->build_id.size,
	};
	int why_not;

	object->tried = true;
	if (!take_fd(object, process_file_regular(object->path), false)) {
		why_not = object->why_not;
		if (!take_fd(object, objects->open(objects->open_context, &mapped), true)) {
			/* That the process is gone says less than why its path was of no use. */
			if (object->why_not == ENOENT || object->why_not == ESRCH)
				object->why_not = why_not;
			return;
		}
	}
	if (object->file)
		object->file_id = *elf_file_build_id(object->file);
}

struct elf_file *objects_file(struct object *object)
{
	if (object->file)
		return object->file;
	if (!strcmp(object->path, VDSO)) {
		object->file = open_vdso();
		object->is_no_elf = !object->file;
	} else if (object->tried) {
		object->file = open_again(object);
	} else {
		open_first(object);
		learn_id(object->all, object);
	}
	return object->file;
}

/* A file that could not be opened is seen again: it may be there where the new sight has it. Of one
 * that nobody has tried to open, only the last sight counts: who is gone cannot show it. */
static uint32_t see_again(struct objects *objects, uint32_t at, const struct object_sight *sight)
{
	struct object *object = objects->list[at], *again;
	uint32_t index;

	if (object->fd >= 0 || !strcmp(object->path, VDSO))
		return at;
	if (object->tried && (object->tries == MAX_TRIES || objects->n == PB_OBJECTS))
		return at;
	again = object_new(objects, sight);
	if (!again)
		return at;
	if (!object->tried) {
		char *path = object->path;

		object->path = again->path;
		again->path = path;
		object->pid = sight->pid;
		object->start = sight->start;
		object_free(again);
		return at;
	}
	object->tries++;
	open_first(again);
	if (again->fd < 0) {
		object_free(again);
		return at;
	}
	index = insert(objects, again, sight);
	if (index == PB_OBJECT_ANON)
		return at;
	object->is_replaced = true;
	learn_id(objects, again);
	return index;
}

uint32_t objects_add(struct objects *objects, const struct object_sight *sight)
{
	uint32_t at;

	if (!is_file(sight))
		return PB_OBJECT_ANON;
	at = find(objects, sight);
	if (at != HASH_INDEX_NONE)
		return see_again(objects, at, sight);
	at = insert(objects, object_new(objects, sight), sight);
	if (at == PB_OBJECT_ANON)
		objects->lost++;
	return at;
}

struct object *objects_at(const struct objects *objects, uint32_t index)
{
	return index < objects->n ? objects->list[index] : NULL;
}

/* --- what is in them ------------------------------------------------------------------------ */

uint64_t objects_address(struct object *object, uint64_t offset)
{
	struct elf_file *file;

	if (object->has_address && object->offset == offset)
		return object->address;
	file = objects_file(object);
	object->offset = object->address = offset;
	/* Not where it only could not be opened again. */
	object->has_address = file || object->fd < 0 || object->is_no_elf;
	if (file && !elf_file_address(file, offset, &object->address))
		object->address = offset;
	return object->address;
}

static void load(struct object *object, struct tables *tables)
{
	struct cfi_rows rows = {0};
	struct elf_file *file;

	if (object->rows_refused || tables_has(tables, object->index))
		return;
	/* They had to make room before, and are made again where there is room again. */
	if (object->n_rows && !tables_make_room(tables, object->index, object->n_rows))
		return;
	file = objects_file(object);
	if (!file && !object->is_no_elf)
		return;
	if (file && cfi_rows_build(file, &rows)) {
		object->rows_refused = true;
		return;
	}
	for (int i = 0; i < CFI_GAPS; i++)
		object->gaps[i] = rows.gaps[i];
	object->n_rows = rows.n;
	tables_load(tables, object->index, rows.base, rows.rows, rows.n);
	cfi_rows_clear(&rows);
	objects_rest(object);
}

void objects_load(struct objects *objects, uint32_t index, struct tables *tables)
{
	struct object *object = objects_at(objects, index);

	if (!object)
		return;
	load(object, tables);
	if (object->tried && object->fd < 0)
		object->is_missed = true;
}

void objects_prepare(struct objects *objects, uint32_t index, struct tables *tables)
{
	struct object *object = objects_at(objects, index);

	if (object)
		load(object, tables);
}

uint64_t objects_lost(const struct objects *objects)
{
	return objects->lost;
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
