/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/profiler.h"

#include <stdlib.h>
#include <string.h>

#include "conduct/profiler_internal.h"
#include "measure/walk.h"
#include "probe/stacks.h"
#include "util/clock.h"

/* Looks at what does not run are so much rarer than samples of what does: each looks at all of it.
 */
#define LOOKS_PER_SAMPLE 4
#define MIN_LOOK_NS      (20 * NSEC_PER_MSEC)
/* Threads in one look; of more than these every second, third, … is taken. */
#define MAX_LOOKED_AT 400
/*
 * Settlings, some ten a second, for which a file's rows are kept after their last use: those of one
 * working set that does not fit must not take turns, each being read anew at every stack.
 */
#define KEEP_SWEEPS 50
/* Samples that wait for the next settling: what the largest ring holds. Room for so much is kept.
 */
#define MAX_WAITING_BYTES  (64 << 20)
#define WAITING_BYTES_KEPT (1 << 20)

static int open_by_keeper(void *keeper, const struct mapped_file *file)
{
	return keeper_open_mapped(keeper, file);
}

struct profiler *profiler_new(struct probe *probe, struct keeper *keeper, FILE *kallsyms,
			      bool inlines)
{
	struct profiler *profiler = calloc(1, sizeof(*profiler));
	struct table_memory memory;

	if (!profiler)
		return NULL;
	profiler->probe = probe;
	profiler->keeper = keeper;
	profiler->inlines = inlines;
	profiler->kallsyms = kallsyms;
	profiler->period_ns = (uint64_t)(1e9 / probe_oncpu_frequency(probe)) * LOOKS_PER_SAMPLE;
	if (profiler->period_ns < MIN_LOOK_NS)
		profiler->period_ns = MIN_LOOK_NS;
	probe_tables(probe, &memory);
	profiler->objects = objects_new();
	if (profiler->objects && keeper)
		objects_open_by(profiler->objects, open_by_keeper, keeper);
	profiler->tables = tables_new(&memory, KEEP_SWEEPS);
	profiler->names = place_names_new();
	if (probe_has_offcpu(probe))
		profiler->looker = looker_new(probe, profiler->period_ns);
	if (profiler->objects && profiler->tables && profiler->names &&
	    (profiler->looker || !probe_has_offcpu(probe)))
		return profiler;
	profiler_free(profiler);
	return NULL;
}

static void forget_round(struct profiler *profiler)
{
	process_spaces_free(profiler->spaces);
	profiler->spaces = NULL;
	stacks_clear(&profiler->stacks);
	hash_index_clear(&profiler->last_index);
	free(profiler->last);
	free(profiler->phase_begins_ns);
	profiler->last = NULL;
	profiler->phase_begins_ns = NULL;
	profiler->n_last = profiler->last_room = profiler->n_phases = 0;
	profiler->deferred[0] = profiler->deferred[1] = profiler->mapped_lost = 0;
	profiler->lost[0] = profiler->lost[1] = 0;
	profiler->n_samples = profiler->n_bytes = 0;
}

void profiler_free(struct profiler *profiler)
{
	if (!profiler)
		return;
	looker_free(profiler->looker);
	forget_round(profiler);
	objects_free(profiler->objects);
	tables_free(profiler->tables);
	place_names_free(profiler->names);
	if (profiler->kallsyms)
		fclose(profiler->kallsyms);
	free(profiler->samples);
	free(profiler->bytes);
	free(profiler);
}

int profiler_round_begin(struct profiler *profiler)
{
	if (!profiler)
		return 0;
	forget_round(profiler);
	profiler->stride = 1;
	profiler->evicted_before = tables_evicted(profiler->tables);
	profiler->objects_lost_before = objects_lost(profiler->objects);
	profiler->spaces = process_spaces_new(profiler->objects, profiler->tables,
					      probe_slots(profiler->probe));
	return profiler->spaces ? 0 : -1;
}

int profiler_attached(struct profiler *profiler)
{
	return profiler ? probe_mappings_tell(profiler->probe) : 0;
}

void profiler_prepare(struct profiler *profiler)
{
	if (!profiler || !profiler->spaces)
		return;
	process_spaces_prepare(profiler->spaces);
	objects_rest_all(profiler->objects);
}

void profiler_event(struct profiler *profiler, const struct pb_event *event)
{
	if (profiler && profiler->spaces)
		process_spaces_event(profiler->spaces, event);
}

void profiler_phase(struct profiler *profiler, uint32_t index, uint64_t at_ns)
{
	uint64_t *larger;

	if (!profiler)
		return;
	larger = reallocarray(profiler->phase_begins_ns, index + 1, sizeof(*larger));
	if (!larger)
		return; /* its samples are the phase's before */
	profiler->phase_begins_ns = larger;
	while (profiler->n_phases <= index)
		larger[profiler->n_phases++] = at_ns;
}

/* --- what has come ------------------------------------------------------------------------ */

static bool make_room(struct profiler *profiler, size_t size)
{
	if (profiler->n_samples == profiler->samples_room) {
		size_t room = profiler->samples_room ? profiler->samples_room * 2 : 1024;
		struct sample *larger = reallocarray(profiler->samples, room, sizeof(*larger));

		if (!larger)
			return false;
		profiler->samples = larger;
		profiler->samples_room = room;
	}
	if (profiler->n_bytes + size > profiler->bytes_room) {
		size_t room = profiler->bytes_room ? profiler->bytes_room * 2 : 1 << 18;
		char *larger;

		while (room < profiler->n_bytes + size)
			room *= 2;
		larger = room <= MAX_WAITING_BYTES ? realloc(profiler->bytes, room) : NULL;
		if (!larger)
			return false;
		profiler->bytes = larger;
		profiler->bytes_room = room;
	}
	return true;
}

static bool is_sound(const struct pb_event_stack *event, size_t size)
{
	return size >= sizeof(*event) &&
	       size - sizeof(*event) >=
		       8 * (size_t)(event->n_kernel + event->n_user) + event->n_copied &&
	       event->n_kernel <= PB_KERNEL_FRAMES && event->n_user <= PB_USER_FRAMES &&
	       event->source <= PB_STACK_OFFCPU && event->reason <= PB_REASON_RUN_QUEUE &&
	       event->end < PB_WALKS;
}

static void take_event(void *context, const struct pb_event *event, size_t size)
{
	const struct pb_event_stack *stack = (const struct pb_event_stack *)event;
	struct profiler *profiler = context;

	if (event->kind == PB_EVENT_MAPPING && size >= sizeof(struct pb_event_mapping)) {
		process_spaces_mapping(profiler->spaces, (const struct pb_event_mapping *)event);
		return;
	}
	if (event->kind != PB_EVENT_STACK || !is_sound(stack, size))
		return;
	profiler->looked_at += stack->source == PB_STACK_OFFCPU;
	if (!make_room(profiler, size)) {
		profiler->lost[stack->source]++;
		return;
	}
	profiler->samples[profiler->n_samples++] =
		(struct sample){event->time_ns, profiler->n_bytes, size};
	memcpy(profiler->bytes + profiler->n_bytes, event, size);
	profiler->n_bytes += (size + 7) & ~(size_t)7;
	if (profiler->n_bytes > profiler->bytes_room)
		profiler->n_bytes = profiler->bytes_room;
}

static void take_mapped(void *context, const struct perf_mapped *mapped)
{
	process_spaces_mapped(((struct profiler *)context)->spaces, mapped);
}

/* How many threads the next looks may pass over, by what those since the last fetch have found. No
 * look goes on from one settling to the next but one: what is given up is not read any more by
 * then. */
static void choose_stride(struct profiler *profiler)
{
	uint64_t looks = looker_take(profiler->looker, profiler->stride);

	if (!looks)
		return;
	profiler->stride =
		(uint32_t)(profiler->looked_at * profiler->stride / looks / MAX_LOOKED_AT + 1);
	profiler->looked_at = 0;
}

void profiler_looks_begin(struct profiler *profiler, uint64_t now_ns)
{
	if (profiler)
		looker_begin(profiler->looker, now_ns);
}

int profiler_looks_end(struct profiler *profiler)
{
	return profiler ? looker_end(profiler->looker) : 0;
}

void profiler_fetch(struct profiler *profiler)
{
	if (!profiler || !profiler->spaces)
		return;
	/* Samples first: what they lead into has been told by then. */
	probe_stacks_drain(profiler->probe, take_event, profiler);
	/* Starts and ends are fetched after this. */
	profiler->fetched_ns = clock_now_ns();
	profiler->mapped_lost += probe_mapped_drain(profiler->probe, take_mapped, profiler);
	choose_stride(profiler);
}

/* --- one sample --------------------------------------------------------------------------- */

static int rule_of(void *context, uint64_t pc, uint32_t *rule, bool *by_fp)
{
	struct profiler *profiler = ((void **)context)[0];
	const struct process_space *process = ((void **)context)[1];
	const struct space_mapping *mapping = process_spaces_locate(profiler->spaces, process, pc);

	if (!mapping)
		return PB_WALK_UNMAPPED;
	if (mapping->object == PB_OBJECT_ANON) {
		*by_fp = true;
		return -1;
	}
	objects_load(profiler->objects, mapping->object, profiler->tables);
	if (!tables_has(profiler->tables, mapping->object))
		return PB_WALK_UNLOADED;
	*rule = tables_rule(profiler->tables, mapping->object, pc - mapping->bias, by_fp);
	if (*by_fp)
		*rule = PB_CFA_FP;
	return -1;
}

/*
 * Where the kernel lacked what it takes: it gets that, and the walk goes on here. Where it went by
 * what was mapped before, the stack ends with the last frame that is right. Returns how many
 * addresses it has.
 */
static uint32_t finish_walk(struct profiler *profiler, struct process_space *process,
			    const struct pb_event_stack *event, uint64_t *addresses,
			    struct walk_result *walk)
{
	const uint64_t *words = (const uint64_t *)(event + 1);
	uint32_t n = event->n_kernel + event->n_user, right = event->n_user;
	void *context[] = {profiler, process};

	if (!process_spaces_verify(process, event->event.time_ns, addresses + event->n_kernel,
				   &right)) {
		walk->end = PB_WALK_UNLOADED;
		return event->n_kernel + right;
	}
	if (event->end != PB_WALK_UNMAPPED && event->end != PB_WALK_UNLOADED)
		return n;
	process_spaces_publish(profiler->spaces, process, event->execs);
	if (!event->n_copied)
		return n;
	profiler->deferred[event->source]++;
	walk_on(event, words + n, rule_of, context, addresses + n, PB_USER_FRAMES - event->n_user,
		walk);
	return n + walk->n;
}

static struct stack_frame frame_of(struct profiler *profiler, const struct process_space *process,
				   uint64_t pc)
{
	const struct space_mapping *mapping =
		process ? process_spaces_locate(profiler->spaces, process, pc) : NULL;

	if (!mapping || mapping->object == PB_OBJECT_ANON)
		return (struct stack_frame){.address = pc, .object = PB_OBJECT_ANON};
	return (struct stack_frame){.address = pc - mapping->bias, .object = mapping->object};
}

static uint32_t put_stack(struct profiler *profiler, const struct process_space *process,
			  const uint64_t *addresses, uint32_t n, uint32_t n_kernel)
{
	struct stack_frame frames[PB_KERNEL_FRAMES + PB_USER_FRAMES];

	for (uint32_t i = 0; i < n; i++)
		frames[i] = i < n_kernel ? (struct stack_frame){.address = addresses[i],
								.object = STACKS_OBJECT_KERNEL}
					 : frame_of(profiler, process, addresses[i]);
	return stacks_put(&profiler->stacks, frames, (uint16_t)n, (uint16_t)n_kernel);
}

static uint32_t phase_at(const struct profiler *profiler, uint64_t time_ns)
{
	uint32_t phase = STACKS_NO_PHASE;

	for (size_t i = 0; i < profiler->n_phases; i++)
		if (profiler->phase_begins_ns[i] <= time_ns)
			phase = (uint32_t)i;
	/* The first begins with the window. */
	return phase == STACKS_NO_PHASE && profiler->n_phases ? 0 : phase;
}

static bool same_thread(const void *table, uint32_t at, const void *key)
{
	const struct last_stack *last = &((const struct profiler *)table)->last[at];
	const struct last_stack *wanted = key;

	return last->process == wanted->process && last->tid == wanted->tid;
}

static struct last_stack *last_of(struct profiler *profiler, const struct pb_event_stack *event,
				  bool make)
{
	struct last_stack wanted = {.process = event->event.id, .tid = event->tid};
	uint32_t hash = hash_mix(hash_u64(wanted.process), (uint32_t)wanted.tid);
	uint32_t at = hash_index_find(&profiler->last_index, hash, same_thread, profiler, &wanted);

	if (at != HASH_INDEX_NONE)
		return &profiler->last[at];
	if (!make)
		return NULL;
	if (profiler->n_last == profiler->last_room) {
		size_t room = profiler->last_room ? profiler->last_room * 2 : 64;
		struct last_stack *larger = reallocarray(profiler->last, room, sizeof(*larger));

		if (!larger)
			return NULL;
		profiler->last = larger;
		profiler->last_room = room;
	}
	if (hash_index_add(&profiler->last_index, hash, (uint32_t)profiler->n_last))
		return NULL;
	profiler->last[profiler->n_last] = wanted;
	return &profiler->last[profiler->n_last++];
}

static void count(struct profiler *profiler, const struct pb_event_stack *event,
		  const struct last_stack *what)
{
	stacks_count(&profiler->stacks, &(struct stack_row){
						.process = event->event.id,
						.stack = what->stack,
						.phase = phase_at(profiler, event->event.time_ns),
						.source = event->source,
						.reason = event->reason,
						.end = what->end,
						.by_fp = what->by_fp,
						.samples = 1,
						.weight_ns = event->weight_ns,
					});
}

static void settle_again(struct profiler *profiler, const struct pb_event_stack *event)
{
	const struct last_stack *last = last_of(profiler, event, false);

	if (last)
		count(profiler, event, last);
	else
		profiler->lost[event->source]++;
}

static void settle_one(struct profiler *profiler, const struct pb_event_stack *event)
{
	uint64_t addresses[PB_KERNEL_FRAMES + PB_USER_FRAMES];
	struct process_space *process = process_spaces_find(profiler->spaces, event->event.id);
	uint32_t n = event->n_kernel + event->n_user;
	struct walk_result walk = {.end = event->end, .by_fp = event->by_fp > 0};
	struct last_stack what = {0}, *last;

	memcpy(addresses, event + 1, n * sizeof(*addresses));
	if (process)
		n = finish_walk(profiler, process, event, addresses, &walk);
	what.stack = put_stack(profiler, process, addresses, n, event->n_kernel);
	what.end = (uint8_t)walk.end;
	what.by_fp = walk.by_fp;
	if (what.stack == HASH_INDEX_NONE) {
		profiler->lost[event->source]++;
		return;
	}
	count(profiler, event, &what);
	if (event->source != PB_STACK_OFFCPU)
		return;
	last = last_of(profiler, event, true);
	if (last) {
		last->stack = what.stack;
		last->end = what.end;
		last->by_fp = what.by_fp;
	}
}

static int earlier(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* A tick in which no stack could be walked is much larger than those that follow. */
static void forget_samples(struct profiler *profiler)
{
	profiler->n_samples = profiler->n_bytes = 0;
	if (profiler->bytes_room <= WAITING_BYTES_KEPT)
		return;
	free(profiler->bytes);
	profiler->bytes = NULL;
	profiler->bytes_room = 0;
}

void profiler_settle(struct profiler *profiler)
{
	if (!profiler || !profiler->spaces)
		return;
	if (profiler->n_samples > 1)
		qsort(profiler->samples, profiler->n_samples, sizeof(*profiler->samples), earlier);
	process_spaces_sort(profiler->spaces);
	for (size_t i = 0; i < profiler->n_samples; i++) {
		const struct pb_event_stack *event =
			(const void *)(profiler->bytes + profiler->samples[i].at);

		process_spaces_apply(profiler->spaces, event->event.time_ns);
		if (event->is_again)
			settle_again(profiler, event);
		else
			settle_one(profiler, event);
	}
	forget_samples(profiler);
	process_spaces_settle(profiler->spaces, profiler->fetched_ns);
	tables_settle(profiler->tables, probe_sweep(profiler->probe));
	objects_rest_all(profiler->objects);
}
