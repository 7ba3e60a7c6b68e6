/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as what a kernel might tell of processes, mappings and stacks: what is known of them
 * stays in order, what the kernel is told is what is known, nothing is handed out twice, and all of
 * it is there again at the end. With -DFUZZ_STANDALONE it runs over the files that it is given.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/made_tables.h"
#include "conduct/process_spaces.h"
#include "measure/stacks.h"
#include "measure/walk.h"

#define IDS   48 /* processes in all; the slot of one is its id modulo SLOTS */
#define SLOTS 24
#define PIDS  8
#define ROWS  64
#define SP    0x7ff00000
#define WORDS 32

/* The processes are made up. */
static int open_none(void *context, const struct mapped_file *file)
{
	(void)context;
	(void)file;
	return -ENOENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct machine {
	const uint8_t *data;
	size_t size;
	struct made_tables *made;
	struct tables *tables;
	struct objects *objects;
	struct pb_slot *slots;
	struct process_spaces *spaces;
	struct stacks stacks;
	uint64_t next_id, counted;
	uint32_t sweep;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t take(struct machine *machine)
{
	if (!machine->size)
		return 0;
	machine->size--;
	return *machine->data++;
}

/* --- what holds --------------------------------------------------------------------------- */

static bool same_mapping(const struct pb_mapping *told, const struct space_mapping *known)
{
	return told->start == known->start && told->end == known->end &&
	       told->bias == known->bias && told->object == known->object;
}

static void check_space(const struct machine *machine, const struct space *space)
{
	const struct pb_space *told = &machine->made->memory.spaces[space->table];

	check(space->refs > 0 && space->table < PB_SPACES);
	for (size_t i = 0; i < space->n; i++) {
		check(space->list[i].start < space->list[i].end);
		check(!i || space->list[i - 1].end <= space->list[i].start);
	}
	if (!space->table)
		return;
	check(told->n == space->n);
	for (size_t i = 0; i < space->n; i++)
		check(same_mapping(&machine->made->mappings[told->first + i], &space->list[i]));
}

static void check_slot(const struct machine *machine, const struct process_space *process)
{
	const struct pb_slot *slot = &machine->slots[process->slot];
	uint32_t table = (uint32_t)slot->space;

	if (slot->id != process->id || !table || slot->space >> 32 != slot->execs)
		return;
	/* The kernel's own copy at a fork may be older than what is known; see inherit(). */
	check(!process->is_published || table == process->space->table);
}

/* Two spaces have two places. */
static void check_apart(const struct machine *machine, const struct space *one,
			const struct space *other)
{
	const struct pb_space *a = &machine->made->memory.spaces[one->table];
	const struct pb_space *b = &machine->made->memory.spaces[other->table];

	if (one == other || !one->table || !other->table)
		return;
	check(one->table != other->table);
	check(a->first + a->n <= b->first || b->first + b->n <= a->first);
}

static void check_all(struct machine *machine)
{
	const struct space *seen[IDS];
	size_t n = 0;

	for (uint64_t id = 1; id < machine->next_id; id++) {
		const struct process_space *process = process_spaces_find(machine->spaces, id);

		if (!process)
			continue;
		check(process->id == id);
		check_space(machine, process->space);
		check_slot(machine, process);
		for (size_t i = 0; i < n; i++)
			check_apart(machine, seen[i], process->space);
		seen[n++] = process->space;
	}
	check(machine->made->n_open <= 1);
}

static void check_rows(const struct machine *machine)
{
	const struct pb_object *objects = machine->made->memory.objects;
	uint8_t owner[ROWS] = {0};

	for (uint32_t i = 1; i < 16; i++)
		for (uint32_t j = 0; j < objects[i].n_rows; j++) {
			check(!owner[objects[i].first_row + j]);
			owner[objects[i].first_row + j] = 1;
		}
}

/* --- what happens ------------------------------------------------------------------------- */

/* As lifecycle.bpf.c does at a fork. */
static void inherit(struct machine *machine, uint64_t id, uint8_t parent)
{
	struct pb_slot *slot = &machine->slots[id % SLOTS];
	const struct pb_slot *from = &machine->slots[parent % SLOTS];

	*slot = (struct pb_slot){.id = id};
	if (from != slot && from->space >> 32 == from->execs)
		slot->space = (uint32_t)from->space;
}

static void start(struct machine *machine, uint64_t time_ns)
{
	uint64_t id = machine->next_id;
	struct pb_event_start event = {
		.event = {PB_EVENT_START, (uint32_t)(id % SLOTS), id, time_ns},
	};
	uint8_t what = take(machine);

	if (id == IDS)
		return;
	machine->next_id++;
	event.pid = what % PIDS;
	event.ppid = what / PIDS % PIDS;
	event.enrolled = what >> 7;
	if (event.event.slot != PB_SLOT_OVERFLOW)
		inherit(machine, id, take(machine));
	process_spaces_event(machine->spaces, &event.event);
}

static void end(struct machine *machine, uint64_t time_ns)
{
	uint64_t id = take(machine) % IDS;
	struct pb_event_exit event = {
		.event = {PB_EVENT_EXIT, (uint32_t)(id % SLOTS), id, time_ns}};

	process_spaces_event(machine->spaces, &event.event);
}

static void mapped(struct machine *machine, uint64_t time_ns)
{
	static const char *const paths[] = {"/no/a",  "/no/b", "/no/c",  "/no/d",
					    "//anon", "",      "[vdso]", "/no/e"};
	uint8_t what = take(machine), at = take(machine), pages = take(machine);
	struct perf_mapped event = {
		.time_ns = time_ns,
		.pid = what % PIDS,
		.start = 0x1000ULL * at,
		.end = 0x1000ULL * at + 0x1000ULL * (pages % 32),
		.offset = 0x1000ULL * (pages / 32),
		.path = paths[what / PIDS % 8],
	};

	process_spaces_mapped(machine->spaces, &event);
}

static void exec(struct machine *machine, uint64_t time_ns)
{
	uint8_t what = take(machine);
	struct perf_mapped event = {
		.time_ns = time_ns, .pid = what % PIDS, .is_exec = true, .path = ""};

	process_spaces_mapped(machine->spaces, &event);
	machine->slots[what / PIDS % SLOTS].execs++;
}

static void told(struct machine *machine, uint64_t time_ns)
{
	uint64_t id = take(machine) % IDS, at = take(machine);
	struct pb_event_mapping event = {
		.event = {PB_EVENT_MAPPING, (uint32_t)(id % SLOTS), id, time_ns},
		.start = 0x1000 * at,
		.end = 0x1000 * (at + take(machine) % 16),
		.path = "/no/f",
	};

	process_spaces_mapping(machine->spaces, &event);
}

static void load(struct machine *machine)
{
	uint32_t object = take(machine) % 16;
	struct pb_row rows[ROWS];
	uint32_t n = take(machine) % ROWS;

	for (uint32_t i = 0; i < n; i++)
		rows[i] = (struct pb_row){0x800 * i, (uint32_t)take(machine) << 22 |
							     (uint32_t)take(machine) << 4 |
							     take(machine)};
	if (!tables_has(machine->tables, object))
		tables_load(machine->tables, object, 0, rows, n);
	check_rows(machine);
}

struct walker {
	struct machine *machine;
	const struct process_space *process;
};

static int rule_of(void *context, uint64_t pc, uint32_t *rule, bool *by_fp)
{
	struct walker *walker = context;
	struct machine *machine = walker->machine;
	const struct space_mapping *mapping =
		process_spaces_locate(machine->spaces, walker->process, pc);

	if (!mapping)
		return PB_WALK_UNMAPPED;
	check(mapping->start <= pc && pc < mapping->end);
	*by_fp = mapping->object == PB_OBJECT_ANON;
	if (*by_fp)
		return -1;
	if (!tables_has(machine->tables, mapping->object))
		return PB_WALK_UNLOADED;
	*rule = tables_rule(machine->tables, mapping->object, pc - mapping->bias, by_fp);
	return -1;
}

/* Words that are places on the stack, or code. */
static uint64_t word(struct machine *machine)
{
	uint8_t kind = take(machine), value = take(machine);

	return kind & 1 ? SP + (uint64_t)value * (kind & 2 ? 8 : 1)
			: 0x1000ULL * value + 8ULL * kind;
}

static void count(struct machine *machine, const struct walk_result *walk,
		  const uint64_t *addresses)
{
	struct stack_frame frames[WORDS] = {{0}};
	struct stack_row row = {.process = 1, .end = (uint8_t)walk->end, .samples = 1};

	for (uint32_t i = 0; i < walk->n; i++)
		frames[i].address = addresses[i];
	row.stack = stacks_put(&machine->stacks, frames, (uint16_t)walk->n, 0);
	check(row.stack < machine->stacks.n_stacks);
	check(row.stack == stacks_put(&machine->stacks, frames, (uint16_t)walk->n, 0));
	stacks_count(&machine->stacks, &row);
	machine->counted++;
}

static void stack(struct machine *machine, uint64_t time_ns)
{
	uint64_t id = take(machine) % IDS, words[WORDS], addresses[WORDS];
	uint8_t flags = take(machine);
	struct pb_event_stack event = {
		.n_copied = take(machine) % (sizeof(words) + 1),
		.sp = SP,
		.bp = word(machine),
		.r10 = word(machine),
		.pc = word(machine),
		.is_inner = flags & 1,
		.is_exact = flags >> 1 & 1,
		.execs = flags >> 2 & 1,
	};
	struct walker walker = {.machine = machine};
	struct walk_result walk;

	for (size_t i = 0; i < WORDS; i++)
		words[i] = word(machine);
	process_spaces_sort(machine->spaces);
	process_spaces_apply(machine->spaces, time_ns);
	walker.process = process_spaces_find(machine->spaces, id);
	if (!walker.process)
		return;
	process_spaces_publish(machine->spaces, process_spaces_find(machine->spaces, id),
			       event.execs);
	walk_on(&event, words, rule_of, &walker, addresses, flags % WORDS, &walk);
	check(walk.n <= flags % WORDS && walk.end < PB_WALKS);
	count(machine, &walk, addresses);
	check_all(machine);
}

static void settle(struct machine *machine, uint64_t until_ns)
{
	process_spaces_sort(machine->spaces);
	process_spaces_settle(machine->spaces, until_ns);
	tables_settle(machine->tables, ++machine->sweep);
	check(!machine->made->n_open);
	check_all(machine);
	check_rows(machine);
}

static void step(struct machine *machine)
{
	uint8_t what = take(machine);
	uint64_t time_ns = take(machine);

	switch (what % 9) {
	case 0:
		start(machine, time_ns);
		break;
	case 1:
		end(machine, time_ns);
		break;
	case 2:
		mapped(machine, time_ns);
		break;
	case 3:
		exec(machine, time_ns);
		break;
	case 4:
		stack(machine, time_ns);
		break;
	case 5:
		settle(machine, time_ns % 2 ? time_ns : UINT64_MAX);
		break;
	case 6:
		load(machine);
		break;
	case 7:
		told(machine, time_ns);
		break;
	default:
		machine->slots[1 + time_ns % (SLOTS - 1)] = (struct pb_slot){0};
	}
}

/* --- all of it ---------------------------------------------------------------------------- */

/* Nobody maps anything any more: all room is there again. */
static void check_given_back(struct machine *machine)
{
	struct space all = {.refs = 1, .n = PB_MAPPINGS};
	uint32_t sweep = machine->sweep;

	for (int i = 0; i < 2; i++)
		tables_settle(machine->tables, ++sweep);
	/* What is asked for is found, and then cannot be opened. */
	machine->made->refuses = true;
	check(tables_publish(machine->tables, &all) == -ENOMEM);
	machine->made->refuses = false;
}

/* Made once: they are large. */
static struct made_tables *fresh_tables(void)
{
	static struct made_tables *made;

	if (!made)
		made = made_tables_new(ROWS);
	memset(made->memory.objects, 0, 64 * sizeof(struct pb_object));
	memset(made->memory.spaces, 0, PB_SPACES * sizeof(struct pb_space));
	return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine machine = {.data = data, .size = size, .next_id = 1};
	uint64_t samples = 0;

	machine.made = fresh_tables();
	machine.tables = tables_new(&machine.made->memory, 0);
	machine.objects = objects_new();
	if (machine.objects)
		objects_open_by(machine.objects, open_none, NULL);
	machine.slots = calloc(SLOTS, sizeof(*machine.slots));
	machine.spaces = process_spaces_new(machine.objects, machine.tables, machine.slots);
	while (machine.size)
		step(&machine);
	settle(&machine, UINT64_MAX);
	process_spaces_free(machine.spaces);
	check_given_back(&machine);
	for (size_t i = 0; i < machine.stacks.n_rows; i++)
		samples += machine.stacks.rows[i].samples;
	check(samples == machine.counted && !machine.stacks.lost);
	stacks_clear(&machine.stacks);
	tables_free(machine.tables);
	check(!machine.made->n_open);
	objects_free(machine.objects);
	free(machine.slots);
	return 0;
}

#include "standalone.h"
