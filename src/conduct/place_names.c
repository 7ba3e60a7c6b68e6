/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/place_names.h"

#include <stdlib.h>
#include <string.h>

#include "symbol/function_start.h"
#include "symbol/kallsyms.h"
#include "util/hash_index.h"

/* More are not kept from round to round: some 6 MB. */
#define MAX_KEPT (100 * 1000)

struct place {
	uint64_t address;
	uint64_t process; /* of code that is in no file; else 0 */
	uint32_t object;
	uint32_t first; /* in frames */
	uint16_t n;
	bool is_known;
};

struct place_names {
	size_t n, room;
	size_t n_named; /* the others come behind them */
	struct place *list;
	struct hash_index index;
	size_t n_frames, frames_room;
	uint32_t *frames;
};

struct place_names *place_names_new(void)
{
	return calloc(1, sizeof(struct place_names));
}

static void clear(struct place_names *names)
{
	free(names->list);
	free(names->frames);
	hash_index_clear(&names->index);
	*names = (struct place_names){0};
}

void place_names_free(struct place_names *names)
{
	if (!names)
		return;
	clear(names);
	free(names);
}

void place_names_rest(struct place_names *names)
{
	/* What could not be named, for want of memory, is not kept for having no name. */
	if (names->n > MAX_KEPT || names->n_named < names->n)
		clear(names);
}

static bool same_place(const void *table, uint32_t at, const void *key)
{
	const struct place *place = &((const struct place_names *)table)->list[at], *wanted = key;

	return place->address == wanted->address && place->object == wanted->object &&
	       place->process == wanted->process;
}

static struct place place_of(const struct stack_frame *frame, uint64_t process)
{
	return (struct place){
		.address = frame->address,
		.object = frame->object,
		.process = frame->object == PB_OBJECT_ANON ? process : 0,
	};
}

static uint32_t hash_of(const struct place *place)
{
	return hash_mix(hash_u64(place->address), place->process ^ (uint64_t)place->object << 32);
}

uint32_t place_names_find(const struct place_names *names, const struct stack_frame *frame,
			  uint64_t process)
{
	struct place wanted = place_of(frame, process);

	return hash_index_find(&names->index, hash_of(&wanted), same_place, names, &wanted);
}

uint32_t place_names_add(struct place_names *names, const struct stack_frame *frame,
			 uint64_t process)
{
	struct place wanted = place_of(frame, process);
	uint32_t at = place_names_find(names, frame, process);

	if (at != HASH_INDEX_NONE)
		return at;
	if (names->n == names->room) {
		size_t room = names->room ? names->room * 2 : 1024;
		struct place *larger = reallocarray(names->list, room, sizeof(*larger));

		if (!larger)
			return HASH_INDEX_NONE;
		names->list = larger;
		names->room = room;
	}
	if (hash_index_add(&names->index, hash_of(&wanted), (uint32_t)names->n))
		return HASH_INDEX_NONE;
	names->list[names->n] = wanted;
	return (uint32_t)names->n++;
}

struct place_name place_names_at(const struct place_names *names, uint32_t at)
{
	const struct place *place = &names->list[at];

	return (struct place_name){names->frames + place->first, place->n, place->is_known};
}

/* --- looking up --------------------------------------------------------------------------- */

struct look_up {
	struct place_names *names;
	const struct name_sources *sources;
	uint32_t *order; /* those without a name, by object and address */
	size_t n;
	bool failed;
};

static struct place *place_at(struct look_up *look_up, size_t i)
{
	return &look_up->names->list[look_up->order[i]];
}

static bool make_room(struct place_names *names)
{
	size_t room = names->frames_room ? names->frames_room * 2 : 1024;
	uint32_t *larger;

	if (names->n_frames < names->frames_room)
		return true;
	larger = reallocarray(names->frames, room, sizeof(*larger));
	if (!larger)
		return false;
	names->frames = larger;
	names->frames_room = room;
	return true;
}

/* One more of the place's, which is the one that is being named. */
static void add_frame(struct look_up *look_up, struct place *place,
		      const struct profile_frame *frame)
{
	struct place_names *names = look_up->names;
	int64_t index = profile_add_frame(look_up->sources->profile, frame);

	if (index < 0 || !make_room(names)) {
		look_up->failed = true;
		return;
	}
	if (!place->n)
		place->first = (uint32_t)names->n_frames;
	names->frames[names->n_frames++] = (uint32_t)index;
	place->n++;
}

static uint32_t add_module(struct look_up *look_up, const char *path, const char *build_id)
{
	int64_t index = profile_add_module(look_up->sources->profile, path, build_id);

	if (index < 0)
		look_up->failed = true;
	return index < 0 ? PROFILE_NONE : (uint32_t)index;
}

static void name_kernel(struct look_up *look_up, struct place *place,
			const struct kallsyms_name *name)
{
	char path[128] = "[kernel]";

	if (name->module)
		snprintf(path, sizeof(path), "[%s]", name->module);
	place->is_known = name->function != NULL;
	add_frame(look_up, place,
		  &(struct profile_frame){
			  .function = name->function,
			  .module = add_module(look_up, path, NULL),
			  .address = name->function ? 0 : place->address,
			  .kind = PROFILE_FRAME_KERNEL,
		  });
}

/* The @n places from @first on, whose addresses ascend. */
static void name_all_kernel(struct look_up *look_up, size_t first, size_t n)
{
	struct kallsyms_name *names = calloc(n, sizeof(*names));
	FILE *in = look_up->sources->kallsyms;

	if (!names) {
		look_up->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		names[i].address = place_at(look_up, first + i)->address;
	if (in) {
		rewind(in);
		look_up->failed |= kallsyms_find(in, names, n) != 0;
	}
	for (size_t i = 0; i < n && !look_up->failed; i++)
		name_kernel(look_up, place_at(look_up, first + i), &names[i]);
	kallsyms_clear(names, n);
	free(names);
}

static void name_jit(struct look_up *look_up, struct place *place)
{
	const struct name_sources *sources = look_up->sources;
	const char *function = sources->jit(sources->context, place->process, place->address);

	place->is_known = function != NULL;
	add_frame(look_up, place,
		  &(struct profile_frame){
			  .function = (char *)function,
			  .module = PROFILE_NONE,
			  .address = function ? 0 : place->address,
			  .kind = PROFILE_FRAME_JIT,
		  });
}

/* @module: the object's; @symbols: NULL, where it cannot be read. */
static void name_native(struct look_up *look_up, struct place *place, struct object *object,
			struct symbols *symbols, uint32_t module)
{
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	size_t n = symbols ? symbols_find(symbols, place->address, frames) : 0;

	place->is_known = n > 0;
	for (size_t i = 0; i < n; i++)
		add_frame(look_up, place,
			  &(struct profile_frame){
				  .function = (char *)frames[i].function,
				  .module = module,
				  .address = frames[i].address,
				  .source = (char *)frames[i].source,
				  .line = frames[i].line,
				  .kind = frames[i].inlined ? PROFILE_FRAME_INLINED
							    : PROFILE_FRAME_NATIVE,
			  });
	if (!n)
		add_frame(look_up, place,
			  &(struct profile_frame){
				  .module = module,
				  .address = object->file
						     ? function_start(object->file, place->address)
						     : place->address,
				  .kind = PROFILE_FRAME_NATIVE,
			  });
}

static void name_all_native(struct look_up *look_up, size_t first, size_t n)
{
	const struct name_sources *sources = look_up->sources;
	struct object *object = objects_at(sources->objects, place_at(look_up, first)->object);
	struct symbols *symbols = objects_symbols(object, sources->inlines);
	char build_id[2 * ELF_BUILD_ID_MAX + 1];
	uint32_t module;

	elf_build_id_text(object->file_id.size ? &object->file_id : &object->build_id, build_id);
	module = add_module(look_up, object->path, build_id[0] ? build_id : NULL);
	for (size_t i = 0; i < n && !look_up->failed; i++)
		name_native(look_up, place_at(look_up, first + i), object, symbols, module);
	objects_rest(object);
}

/* All of one object. */
static void name_all(struct look_up *look_up, size_t first, size_t n)
{
	uint32_t object = place_at(look_up, first)->object;

	if (object == STACKS_OBJECT_KERNEL)
		name_all_kernel(look_up, first, n);
	else if (object != PB_OBJECT_ANON)
		name_all_native(look_up, first, n);
	else
		for (size_t i = 0; i < n && !look_up->failed; i++)
			name_jit(look_up, place_at(look_up, first + i));
}

static int by_object(const void *a, const void *b, void *context)
{
	const struct place *list = context;
	const struct place *x = &list[*(const uint32_t *)a], *y = &list[*(const uint32_t *)b];

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

int place_names_look_up(struct place_names *names, const struct name_sources *sources)
{
	struct look_up look_up = {
		.names = names, .sources = sources, .n = names->n - names->n_named};
	size_t end;

	if (!look_up.n)
		return 0;
	look_up.order = calloc(look_up.n, sizeof(*look_up.order));
	if (!look_up.order)
		return -1;
	for (size_t i = 0; i < look_up.n; i++)
		look_up.order[i] = (uint32_t)(names->n_named + i);
	qsort_r(look_up.order, look_up.n, sizeof(*look_up.order), by_object, names->list);
	for (size_t first = 0; first < look_up.n && !look_up.failed; first = end) {
		for (end = first + 1; end < look_up.n; end++)
			if (place_at(&look_up, end)->object != place_at(&look_up, first)->object)
				break;
		name_all(&look_up, first, end - first);
	}
	if (!look_up.failed)
		names->n_named = names->n;
	free(look_up.order);
	return look_up.failed ? -1 : 0;
}
