/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/process_spaces.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/hash_index.h"

/* A tick's worth on a busy machine with many CPUs, in some 10 MB. */
#define MAX_CHANGES (64 * 1024)
/* Room for so many is kept from tick to tick. */
#define CHANGES_KEPT 1024
/* Of preparing: from when on large files wait for a stack that leads there, and all do. */
#define PREPARE_LARGE_NS (200 * NSEC_PER_MSEC)
#define PREPARE_MAX_NS   (1 * NSEC_PER_SEC)
#define LARGE_TEXT_BYTES (64ULL << 20)

enum change_kind {
	CHANGE_START, /* by a fork */
	CHANGE_ENROL, /* it ran already: what it has mapped is told */
	CHANGE_END,
	CHANGE_EXEC,   /* all that was mapped is gone */
	CHANGE_EXECED, /* the same, told otherwise and after it */
	CHANGE_MAP,
};

struct change {
	uint64_t time_ns;
	uint64_t order; /* of changes at one moment, the one that came first */
	enum change_kind kind;
	uint64_t id; /* 0: told by pid */
	int32_t pid, ppid;
	uint32_t slot;
	struct space_mapping mapping;
	struct object_sight sight; /* its path is owned */
};

struct process_spaces {
	struct objects *objects;
	struct tables *tables;
	struct pb_slot *slots;
	size_t n_changes, changes_room, applied;
	struct change *changes;
	uint64_t next_order;
	size_t n, room;
	struct process_space *list;
	struct hash_index by_id, by_pid; /* made anew when ended ones have gone */
	uint64_t lost;
};

struct process_spaces *process_spaces_new(struct objects *objects, struct tables *tables,
					  struct pb_slot *slots)
{
	struct process_spaces *spaces = calloc(1, sizeof(*spaces));

	if (!spaces)
		return NULL;
	spaces->objects = objects;
	spaces->tables = tables;
	spaces->slots = slots;
	return spaces;
}

/* One holder less; where it was the last, the kernel need not know it either. */
static void space_drop(struct process_spaces *spaces, struct space *space)
{
	uint32_t table = space ? space->table : 0;

	if (space_unref(space))
		tables_retire(spaces->tables, table);
}

static void drop_walked(struct process_spaces *spaces, struct process_space *process)
{
	space_drop(spaces, process->walked);
	process->walked = NULL;
}

static void drop_both(struct process_spaces *spaces, struct process_space *process)
{
	drop_walked(spaces, process);
	space_drop(spaces, process->space);
}

void process_spaces_free(struct process_spaces *spaces)
{
	if (!spaces)
		return;
	for (size_t i = 0; i < spaces->n; i++)
		drop_both(spaces, &spaces->list[i]);
	for (size_t i = spaces->applied; i < spaces->n_changes; i++)
		free((char *)spaces->changes[i].sight.path);
	free(spaces->changes);
	free(spaces->list);
	hash_index_clear(&spaces->by_id);
	hash_index_clear(&spaces->by_pid);
	free(spaces);
}

static struct change *add_change(struct process_spaces *spaces, enum change_kind kind,
				 uint64_t time_ns)
{
	struct change *change;

	if (spaces->n_changes == spaces->changes_room) {
		size_t room = spaces->changes_room ? spaces->changes_room * 2 : 256;
		struct change *larger =
			room <= MAX_CHANGES ? reallocarray(spaces->changes, room, sizeof(*larger))
					    : NULL;

		if (!larger) {
			spaces->lost++;
			return NULL;
		}
		spaces->changes = larger;
		spaces->changes_room = room;
	}
	change = &spaces->changes[spaces->n_changes++];
	*change = (struct change){.time_ns = time_ns, .kind = kind, .order = spaces->next_order++};
	return change;
}

void process_spaces_event(struct process_spaces *spaces, const struct pb_event *event)
{
	const struct pb_event_start *start = (const struct pb_event_start *)event;
	enum change_kind kind = CHANGE_END;
	struct change *change;

	if ((event->kind != PB_EVENT_START && event->kind != PB_EVENT_EXIT &&
	     event->kind != PB_EVENT_EXEC) ||
	    !event->id || event->slot >= PB_SLOTS)
		return;
	if (event->kind == PB_EVENT_EXEC)
		kind = CHANGE_EXECED;
	if (event->kind == PB_EVENT_START)
		kind = start->enrolled ? CHANGE_ENROL : CHANGE_START;
	change = add_change(spaces, kind, event->time_ns);
	if (!change)
		return;
	change->id = event->id;
	change->slot = event->slot;
	if (event->kind == PB_EVENT_START) {
		change->pid = start->pid;
		change->ppid = start->ppid;
	}
}

static void add_mapping(struct process_spaces *spaces, struct change *change, uint64_t start,
			uint64_t end, uint64_t offset, const char *path)
{
	change->mapping = (struct space_mapping){.start = start, .end = end, .offset = offset};
	change->sight.path = strdup(path);
	change->sight.start = start;
	if (change->sight.path)
		return;
	spaces->lost++;
	spaces->n_changes--;
}

void process_spaces_mapping(struct process_spaces *spaces, const struct pb_event_mapping *event)
{
	struct change *change = add_change(spaces, CHANGE_MAP, event->event.time_ns);

	if (!change)
		return;
	change->id = event->event.id;
	change->sight.inode = (struct object_inode){.major = event->major,
						    .minor = event->minor,
						    .number = event->inode,
						    .generation = event->generation};
	add_mapping(spaces, change, event->start, event->end, event->offset,
		    event->path[0] ? event->path : "//anon");
}

void process_spaces_mapped(struct process_spaces *spaces, const struct perf_mapped *mapped)
{
	struct change *change =
		add_change(spaces, mapped->is_exec ? CHANGE_EXEC : CHANGE_MAP, mapped->time_ns);

	if (!change)
		return;
	change->pid = mapped->pid;
	if (mapped->is_exec)
		return;
	change->sight.build_id.size = mapped->build_id_size;
	memcpy(change->sight.build_id.bytes, mapped->build_id, mapped->build_id_size);
	change->sight.inode = (struct object_inode){.major = mapped->major,
						    .minor = mapped->minor,
						    .number = mapped->inode,
						    .generation = mapped->generation};
	add_mapping(spaces, change, mapped->start, mapped->end, mapped->offset, mapped->path);
}

static int earlier(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void process_spaces_sort(struct process_spaces *spaces)
{
	if (spaces->n_changes > spaces->applied)
		qsort(spaces->changes + spaces->applied, spaces->n_changes - spaces->applied,
		      sizeof(*spaces->changes), earlier);
}

static bool same_id(const void *table, uint32_t at, const void *key)
{
	return ((const struct process_spaces *)table)->list[at].id == *(const uint64_t *)key;
}

struct process_space *process_spaces_find(struct process_spaces *spaces, uint64_t id)
{
	uint32_t at = hash_index_find(&spaces->by_id, hash_u64(id), same_id, spaces, &id);

	return at == HASH_INDEX_NONE ? NULL : &spaces->list[at];
}

/* The one that has the number now. */
static bool same_pid(const void *table, uint32_t at, const void *key)
{
	const struct process_space *process = &((const struct process_spaces *)table)->list[at];

	return process->pid == *(const int32_t *)key && !process->has_ended;
}

static struct process_space *find_pid(struct process_spaces *spaces, int32_t pid)
{
	uint32_t at =
		hash_index_find(&spaces->by_pid, hash_u64((uint32_t)pid), same_pid, spaces, &pid);

	/* 0: one that is not seen from this pid namespace, or has no number any more */
	return pid <= 0 || at == HASH_INDEX_NONE ? NULL : &spaces->list[at];
}

/* What the kernel walks the process's stacks by, unless the slot is somebody else's by now. */
static void tell_kernel(struct process_spaces *spaces, const struct process_space *process,
			uint32_t execs, uint32_t table)
{
	struct pb_slot *slot = &spaces->slots[process->slot];

	if (process->slot != PB_SLOT_OVERFLOW && slot->id == process->id)
		__atomic_store_n(&slot->space, (uint64_t)execs << 32 | table, __ATOMIC_SEQ_CST);
}

static int index_one(struct process_spaces *spaces, uint32_t at)
{
	const struct process_space *process = &spaces->list[at];

	return hash_index_add(&spaces->by_id, hash_u64(process->id), at) ||
			       hash_index_add(&spaces->by_pid, hash_u64((uint32_t)process->pid), at)
		       ? -1
		       : 0;
}

/* Room for one more at the end of the list, which may move. */
static bool make_room(struct process_spaces *spaces)
{
	size_t room = spaces->room ? spaces->room * 2 : 64;
	struct process_space *larger;

	if (spaces->n < spaces->room)
		return true;
	larger = reallocarray(spaces->list, room, sizeof(*larger));
	if (!larger)
		return false;
	spaces->list = larger;
	spaces->room = room;
	return true;
}

/* Of a forked one that of its parent: at its fork it took what the kernel knew of that. */
static void take_first_space(struct process_spaces *spaces, const struct change *change,
			     struct process_space *process)
{
	const struct process_space *parent =
		change->kind == CHANGE_START ? find_pid(spaces, change->ppid) : NULL;

	process->space = parent ? space_ref(parent->space) : space_new();
	if (!parent || !parent->walked)
		return;
	process->walked = space_ref(parent->walked);
	process->walked_until_ns = clock_now_ns();
	process->settles = 2;
}

static void start(struct process_spaces *spaces, const struct change *change)
{
	struct process_space *process;

	if (!make_room(spaces)) {
		spaces->lost++;
		return;
	}
	process = find_pid(spaces, change->pid);
	/* A number is given anew before the last that is heard of the one who had it. */
	if (process)
		process->pid = 0;
	process = &spaces->list[spaces->n];
	*process = (struct process_space){
		.id = change->id,
		.slot = change->slot,
		.pid = change->pid,
		/* Of one that ran already, what it had executed is told. */
		.execs_mapped = change->kind == CHANGE_ENROL,
	};
	take_first_space(spaces, change, process);
	if (!process->space || index_one(spaces, (uint32_t)spaces->n)) {
		drop_both(spaces, process);
		spaces->lost++;
		return;
	}
	spaces->n++;
	process->is_published = process->space->table != 0;
	tell_kernel(spaces, process, 0, process->space->table);
}

/* A space of its own for a process, empty or a copy of what it shares with others. */
static bool own_space(struct process_spaces *spaces, struct process_space *process, bool empty)
{
	struct space *own = empty ? space_new() : space_copy(process->space);

	process->is_published = false;
	tell_kernel(spaces, process, 0, 0);
	if (!own) {
		spaces->lost++;
		return false;
	}
	space_drop(spaces, process->space);
	process->space = own;
	return true;
}

/* The kernel walks by the present space until it is told that it is no more. */
static void keep_walked(struct process_space *process)
{
	if (!process->space->table)
		return;
	if (!process->walked)
		process->walked = space_ref(process->space);
	process->walked_until_ns = clock_now_ns();
	process->settles = 2;
}

static void map(struct process_spaces *spaces, struct process_space *process, struct change *change)
{
	change->sight.pid = process->pid;
	change->mapping.object = objects_add(spaces->objects, &change->sight);
	if (space_has(process->space, &change->mapping))
		return;
	keep_walked(process);
	/* The kernel's table is of what was mapped before: it is never changed in place. */
	if ((process->space->refs > 1 || process->space->table) &&
	    !own_space(spaces, process, false))
		return;
	process->is_published = false;
	if (space_map(process->space, &change->mapping))
		spaces->lost++;
}

/* Where the record of an exec was lost, what was mapped before must not stand for the new image. */
static void execute(struct process_spaces *spaces, struct process_space *process,
		    enum change_kind kind)
{
	if (kind == CHANGE_EXECED && ++process->execs_told <= process->execs_mapped)
		return;
	process->execs_mapped++;
	drop_walked(spaces, process);
	own_space(spaces, process, true);
}

static void apply(struct process_spaces *spaces, struct change *change)
{
	struct process_space *process = change->id ? process_spaces_find(spaces, change->id)
						   : find_pid(spaces, change->pid);

	if (change->kind == CHANGE_START || change->kind == CHANGE_ENROL)
		start(spaces, change);
	else if (!process)
		return; /* somebody else's */
	else if (change->kind == CHANGE_END)
		process->has_ended = true;
	else if (change->kind == CHANGE_MAP)
		map(spaces, process, change);
	else
		execute(spaces, process, change->kind);
}

void process_spaces_apply(struct process_spaces *spaces, uint64_t until_ns)
{
	while (spaces->applied < spaces->n_changes &&
	       spaces->changes[spaces->applied].time_ns <= until_ns) {
		struct change *change = &spaces->changes[spaces->applied++];

		apply(spaces, change);
		free((char *)change->sight.path);
		change->sight.path = NULL;
	}
}

/* What was applied goes; the rest comes first. */
static void keep_rest(struct process_spaces *spaces)
{
	size_t n = spaces->n_changes - spaces->applied;

	if (n)
		memmove(spaces->changes, spaces->changes + spaces->applied,
			n * sizeof(*spaces->changes));
	spaces->n_changes = n;
	spaces->applied = 0;
	if (!n && spaces->changes_room > CHANGES_KEPT) {
		free(spaces->changes);
		spaces->changes = NULL;
		spaces->changes_room = 0;
	}
}

void process_spaces_settle(struct process_spaces *spaces, uint64_t until_ns)
{
	size_t n = 0;

	process_spaces_apply(spaces, until_ns);
	keep_rest(spaces);
	for (size_t i = 0; i < spaces->n; i++) {
		if (spaces->list[i].walked && !--spaces->list[i].settles)
			drop_walked(spaces, &spaces->list[i]);
		if (spaces->list[i].has_ended)
			drop_both(spaces, &spaces->list[i]);
		else
			spaces->list[n++] = spaces->list[i];
	}
	if (n == spaces->n)
		return;
	spaces->n = n;
	hash_index_clear(&spaces->by_id);
	hash_index_clear(&spaces->by_pid);
	for (size_t i = 0; i < n; i++)
		if (index_one(spaces, (uint32_t)i))
			spaces->lost++;
}

/* By how much the file's addresses differ from those in memory. */
static void find_bias(struct objects *objects, struct space_mapping *mapping)
{
	struct object *object = objects_at(objects, mapping->object);
	uint64_t address = object ? objects_address(object, mapping->offset) : mapping->offset;

	mapping->bias = mapping->start - address;
	mapping->has_bias = true;
}

const struct space_mapping *process_spaces_locate(struct process_spaces *spaces,
						  const struct process_space *process, uint64_t pc)
{
	struct space_mapping *mapping = space_find(process->space, pc);

	if (mapping && !mapping->has_bias)
		find_bias(spaces->objects, mapping);
	return mapping;
}

void process_spaces_publish(struct process_spaces *spaces, struct process_space *process,
			    uint32_t execs)
{
	struct space *space = process->space;

	for (size_t i = 0; i < space->n; i++)
		if (!space->list[i].has_bias)
			find_bias(spaces->objects, &space->list[i]);
	if (process->is_published && process->execs == execs)
		return;
	if (!space->table && tables_publish(spaces->tables, space))
		return;
	process->is_published = true;
	process->execs = execs;
	tell_kernel(spaces, process, execs, space->table);
}

/* False where it is time to stop. */
static bool prepare_one(struct process_spaces *spaces, const struct space_mapping *mapping,
			uint64_t elapsed_ns)
{
	if (mapping->object == PB_OBJECT_ANON || tables_has(spaces->tables, mapping->object))
		return true;
	if (elapsed_ns > PREPARE_MAX_NS)
		return false;
	if (elapsed_ns > PREPARE_LARGE_NS && mapping->end - mapping->start > LARGE_TEXT_BYTES)
		return true;
	objects_prepare(spaces->objects, mapping->object, spaces->tables);
	return true;
}

void process_spaces_prepare(struct process_spaces *spaces)
{
	uint64_t evicted = tables_evicted(spaces->tables), begun_ns = clock_now_ns();

	for (size_t i = 0; i < spaces->n; i++) {
		const struct space *space = spaces->list[i].space;

		for (size_t j = 0; j < space->n; j++)
			/* What no stack has led to yet is not to take the room of what one has. */
			if (tables_evicted(spaces->tables) != evicted ||
			    !prepare_one(spaces, &space->list[j], clock_now_ns() - begun_ns))
				return;
	}
}

bool process_spaces_verify(const struct process_space *process, uint64_t time_ns,
			   const uint64_t *pcs, uint32_t *n)
{
	if (!process->walked || time_ns > process->walked_until_ns)
		return true;
	for (uint32_t i = 0; i < *n; i++) {
		const struct space_mapping *walked = space_find(process->walked, pcs[i]);
		const struct space_mapping *real = space_find(process->space, pcs[i]);

		if (walked && (!real || real->object != walked->object ||
			       real->start - real->offset != walked->start - walked->offset)) {
			*n = i + 1;
			return false;
		}
	}
	return true;
}

uint64_t process_spaces_lost(const struct process_spaces *spaces)
{
	return spaces->lost;
}
