/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/tree.h"

#include <stdlib.h>
#include <string.h>

struct tree {
	const struct pb_slot *slots;
	struct tree_process *processes;
	size_t n, capacity;
	uint32_t by_slot[PB_SLOTS]; /* index + 1 of the live process in that slot; 0: none */
	uint32_t slots_seen;        /* the highest slot in by_slot, + 1 */
	size_t spare; /* index + 1 of an entry to be used again, chained through its slot */
	struct pb_totals overflow_base;
	struct pb_totals ended; /* of processes that have ended, and of those no longer listed */
	struct pb_totals
		lost_base;  /* of processes whose end never came: it is in the overflow slot */
	uint64_t window_ns; /* when it opened, 0: not yet */
	uint64_t closed_ns;
	uint64_t last_exit_ns;
	size_t n_ended;
	uint64_t unlisted, malformed;
	struct threads threads;
	uint64_t largest_peak, largest_vms;
	uint64_t *address_spaces; /* hash set, scratch of tree_sum */
	size_t address_capacity;
};

void totals_subtract(struct pb_totals *c, const struct pb_totals *a, const struct pb_totals *b)
{
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;
	uint64_t *z = (uint64_t *)c;

	for (size_t i = 0; i < PB_TOTALS_FIELDS; i++)
		z[i] = x[i] > y[i] ? x[i] - y[i] : 0;
}

void totals_accumulate(struct pb_totals *into, const struct pb_totals *from)
{
	uint64_t *z = (uint64_t *)into;
	const uint64_t *x = (const uint64_t *)from;

	for (size_t i = 0; i < PB_TOTALS_FIELDS; i++)
		z[i] += x[i];
}

struct tree *tree_new(const struct pb_slot *slots)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (tree)
		tree->slots = slots;
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	threads_clear(&tree->threads);
	free(tree->processes);
	free(tree->address_spaces);
	free(tree);
}

static struct tree_process *live_in(struct tree *tree, uint32_t slot, uint64_t id)
{
	uint32_t index = slot < PB_SLOTS ? tree->by_slot[slot] : 0;

	if (!index || tree->processes[index - 1].id != id)
		return NULL;
	return &tree->processes[index - 1];
}

static void entry_free(struct tree *tree, struct tree_process *process)
{
	process->id = 0;
	process->slot = (uint32_t)tree->spare;
	tree->spare = (size_t)(process - tree->processes) + 1;
}

/* The list is bounded: what ended is still in the totals. */
static void list_ended(struct tree *tree, struct tree_process *process)
{
	if (tree->n_ended < TREE_MAX_ENDED) {
		tree->n_ended++;
		return;
	}
	tree->unlisted++;
	entry_free(tree, process);
}

/* Its end never came (the ring was full), and its slot is free or has another process now. */
static void give_up(struct tree *tree, struct tree_process *process)
{
	totals_accumulate(&tree->lost_base, &process->base);
	tree->by_slot[process->slot] = 0;
	/* Of how it ended and what it used nothing is known: it is not listed. */
	tree->unlisted++;
	entry_free(tree, process);
}

static struct tree_process *entry_new(struct tree *tree)
{
	struct tree_process *entry;

	if (tree->spare) {
		entry = &tree->processes[tree->spare - 1];
		tree->spare = entry->slot;
		return entry;
	}
	if (tree->n == tree->capacity) {
		size_t capacity = tree->capacity ? tree->capacity * 2 : 64;
		struct tree_process *larger = realloc(tree->processes, capacity * sizeof(*larger));

		if (!larger)
			return NULL;
		tree->processes = larger;
		tree->capacity = capacity;
	}
	return &tree->processes[tree->n++];
}

static struct tree_process *process_add(struct tree *tree, uint32_t slot, uint64_t id)
{
	struct tree_process *process;

	if (tree->by_slot[slot])
		give_up(tree, &tree->processes[tree->by_slot[slot] - 1]);
	process = entry_new(tree);
	if (!process)
		return NULL;
	memset(process, 0, sizeof(*process));
	process->id = id;
	process->slot = slot;
	tree->by_slot[slot] = (uint32_t)(process - tree->processes) + 1;
	if (slot >= tree->slots_seen)
		tree->slots_seen = slot + 1;
	return process;
}

/* A parent forks while it lives, so only the live ones need be looked at. */
static const struct tree_process *find_live(const struct tree *tree, int32_t pid)
{
	for (uint32_t slot = 1; slot < tree->slots_seen; slot++) {
		uint32_t index = tree->by_slot[slot];

		if (index && tree->processes[index - 1].pid == pid)
			return &tree->processes[index - 1];
	}
	return NULL;
}

static void take_start(struct tree *tree, const struct pb_event_start *start)
{
	const struct tree_process *parent;
	struct tree_process *process;
	char exe[PB_EXE_LEN] = "";

	/* A fork runs its parent's program until it execs another. */
	parent = start->enrolled ? NULL : find_live(tree, start->ppid);
	if (parent)
		memcpy(exe, parent->exe, sizeof(exe));
	process = process_add(tree, start->event.slot, start->event.id);
	if (!process)
		return;
	memcpy(process->exe, exe, sizeof(exe));
	process->pid = start->pid;
	process->ppid = start->ppid;
	process->started_ns = start->event.time_ns;
	memcpy(process->comm, start->comm, sizeof(process->comm));
	process->comm[sizeof(process->comm) - 1] = 0;
}

static void take_exec(struct tree *tree, const struct pb_event_exec *exec)
{
	struct tree_process *process = live_in(tree, exec->event.slot, exec->event.id);

	if (!process)
		return;
	memcpy(process->comm, exec->comm, sizeof(process->comm));
	memcpy(process->exe, exec->exe, sizeof(process->exe));
	process->comm[sizeof(process->comm) - 1] = 0;
	process->exe[sizeof(process->exe) - 1] = 0;
	process->execs++;
	process->peak_at_base = 0; /* that was of the image before */
	if (process->held) {
		process->held = false;
		process->rss_peak_bytes = 0;
		process->vms_peak_bytes = 0;
	}
}

/* The kernel's mark says something of the window only where it rose in it. */
static void take_peak(struct tree *tree, struct tree_process *process,
		      const struct pb_memory *memory)
{
	uint64_t now = memory->rss_anon_bytes + memory->rss_file_bytes + memory->rss_shmem_bytes;
	uint64_t peak =
		memory->rss_peak_bytes > process->peak_at_base ? memory->rss_peak_bytes : now;

	if (process->held)
		return;
	if (peak > process->rss_peak_bytes)
		process->rss_peak_bytes = peak;
	if (memory->vms_peak_bytes > process->vms_peak_bytes)
		process->vms_peak_bytes = memory->vms_peak_bytes;
	if (!tree->window_ns || tree->closed_ns)
		return;
	if (peak > tree->largest_peak)
		tree->largest_peak = peak;
	if (memory->vms_peak_bytes > tree->largest_vms)
		tree->largest_vms = memory->vms_peak_bytes;
}

static uint32_t take_exit(struct tree *tree, const struct pb_event_exit *end)
{
	struct tree_process *process = live_in(tree, end->event.slot, end->event.id);

	if (!process)
		return end->event.slot;
	tree->by_slot[process->slot] = 0;
	process->exited_ns = end->event.time_ns;
	process->exit_code = end->exit_code;
	process->threads_peak = end->threads_peak;
	memcpy(process->comm, end->comm, sizeof(process->comm));
	process->comm[sizeof(process->comm) - 1] = 0;
	if (end->event.time_ns > tree->last_exit_ns)
		tree->last_exit_ns = end->event.time_ns;
	/* Between the last events taken in and the opening: not part of the window. */
	if (end->event.time_ns < tree->window_ns) {
		entry_free(tree, process);
		return end->event.slot;
	}
	if (!tree->closed_ns) {
		take_peak(tree, process, &end->memory);
		totals_subtract(&process->used, &end->totals, &process->base);
		totals_accumulate(&tree->ended, &process->used);
	}
	list_ended(tree, process);
	return end->event.slot;
}

/* One without a process of its own (slot 0) counts in the sum alone. */
static void take_thread(struct tree *tree, const struct pb_event_thread *thread)
{
	struct tree_process *process = live_in(tree, thread->event.slot, thread->event.id);
	struct thread_time time = thread_time_of(thread);

	threads_add(&tree->threads, thread);
	if (process && thread->how != PB_THREAD_SO_FAR)
		thread_time_add(&process->time, &time);
}

struct threads *tree_threads(struct tree *tree)
{
	return &tree->threads;
}

uint32_t tree_event(struct tree *tree, const struct pb_event *event, size_t size)
{
	if (size >= sizeof(struct pb_event_thread) && event->kind == PB_EVENT_THREAD &&
	    event->slot < PB_SLOTS) {
		take_thread(tree, (const struct pb_event_thread *)event);
		return 0;
	}
	if (size < sizeof(*event) || event->slot == 0 || event->slot >= PB_SLOTS) {
		tree->malformed++;
		return 0;
	}
	if (event->kind == PB_EVENT_START && size >= sizeof(struct pb_event_start))
		take_start(tree, (const struct pb_event_start *)event);
	else if (event->kind == PB_EVENT_EXEC && size >= sizeof(struct pb_event_exec))
		take_exec(tree, (const struct pb_event_exec *)event);
	else if (event->kind == PB_EVENT_EXIT && size >= sizeof(struct pb_event_exit))
		return take_exit(tree, (const struct pb_event_exit *)event);
	else
		tree->malformed++;
	return 0;
}

const struct tree_process *tree_find(const struct tree *tree, int32_t pid)
{
	for (size_t i = tree->n; i-- > 0;)
		if (tree->processes[i].pid == pid && tree->processes[i].id)
			return &tree->processes[i];
	return NULL;
}

static struct tree_process *find_mutable(struct tree *tree, int32_t pid)
{
	return (struct tree_process *)tree_find(tree, pid);
}

void tree_set_held(struct tree *tree, int32_t pid)
{
	struct tree_process *process = find_mutable(tree, pid);

	if (process)
		process->held = true;
}

/* Is that process still the one in its slot? */
static const struct pb_slot *slot_of(const struct tree *tree, const struct tree_process *process)
{
	const struct pb_slot *slot;

	if (process->exited_ns || !process->id)
		return NULL;
	slot = &tree->slots[process->slot];
	return slot->id == process->id ? slot : NULL;
}

/* Those whose end never came: what they used is in the overflow slot from then on. */
static void give_up_lost(struct tree *tree)
{
	for (uint32_t i = 1; i < tree->slots_seen; i++) {
		struct tree_process *process;

		if (!tree->by_slot[i])
			continue;
		process = &tree->processes[tree->by_slot[i] - 1];
		if (!slot_of(tree, process))
			give_up(tree, process);
	}
}

/* Forgets what ended before the window: it is not part of it. */
static void drop_ended(struct tree *tree)
{
	size_t kept = 0;

	for (size_t i = 0; i < tree->n; i++) {
		struct tree_process *process = &tree->processes[i];

		if (process->exited_ns || !process->id)
			continue;
		tree->by_slot[process->slot] = (uint32_t)kept + 1;
		if (kept != i)
			tree->processes[kept] = *process;
		kept++;
	}
	tree->n = kept;
	tree->spare = 0;
	tree->n_ended = 0;
	tree->unlisted = 0;
	memset(&tree->ended, 0, sizeof(tree->ended));
}

void tree_window_open(struct tree *tree, uint64_t now_ns)
{
	give_up_lost(tree);
	drop_ended(tree);
	threads_clear(&tree->threads);
	tree->window_ns = now_ns;
	tree->closed_ns = 0;
	tree->largest_peak = tree->largest_vms = 0;
	tree->overflow_base = tree->slots[PB_SLOT_OVERFLOW].totals;
	memset(&tree->lost_base, 0, sizeof(tree->lost_base));
	for (size_t i = 0; i < tree->n; i++) {
		struct tree_process *process = &tree->processes[i];
		const struct pb_slot *slot = slot_of(tree, process);

		if (!slot)
			continue;
		process->base = slot->totals;
		memset(&process->time, 0, sizeof(process->time));
		process->peak_at_base = slot->memory.rss_peak_bytes;
		process->rss_peak_bytes = 0;
		process->vms_peak_bytes = 0;
		take_peak(tree, process, &slot->memory);
	}
}

void tree_window_close(struct tree *tree, uint64_t now_ns)
{
	for (size_t i = 0; i < tree->n; i++) {
		struct tree_process *process = &tree->processes[i];
		const struct pb_slot *slot = slot_of(tree, process);

		if (!slot)
			continue;
		totals_subtract(&process->used, &slot->totals, &process->base);
		process->threads_peak = slot->threads_peak;
		take_peak(tree, process, &slot->memory);
	}
	tree->closed_ns = now_ns;
}

/* Processes that share an address space (vfork, CLONE_VM) hold its pages once. */
static bool seen_before(struct tree *tree, uint64_t mm)
{
	size_t mask = tree->address_capacity - 1, at = (size_t)(mm * 0x9e3779b97f4a7c15ULL >> 32);

	for (at &= mask; tree->address_spaces[at]; at = (at + 1) & mask)
		if (tree->address_spaces[at] == mm)
			return true;
	tree->address_spaces[at] = mm;
	return false;
}

/* An empty hash set of address spaces, twice as large as there are live processes. */
static bool address_spaces_clear(struct tree *tree)
{
	size_t wanted = 64;

	while (wanted < 2 * (size_t)tree->slots_seen)
		wanted *= 2;
	if (wanted > tree->address_capacity) {
		uint64_t *larger = realloc(tree->address_spaces, wanted * sizeof(*larger));

		if (!larger)
			return false;
		tree->address_spaces = larger;
		tree->address_capacity = wanted;
	}
	memset(tree->address_spaces, 0, tree->address_capacity * sizeof(*tree->address_spaces));
	return true;
}

static void add_memory(struct tree_sum *sum, const struct pb_memory *memory)
{
	sum->rss_anon_bytes += memory->rss_anon_bytes;
	sum->rss_file_bytes += memory->rss_file_bytes;
	sum->rss_shmem_bytes += memory->rss_shmem_bytes;
	sum->vms_bytes += memory->vms_bytes;
}

/* What slot 0 has taken, less what its lost processes had used before the window. */
static void add_overflow(struct tree *tree, struct tree_sum *sum)
{
	struct pb_totals share;

	totals_subtract(&share, &tree->slots[PB_SLOT_OVERFLOW].totals, &tree->overflow_base);
	totals_subtract(&share, &share, &tree->lost_base);
	totals_accumulate(&sum->used, &share);
}

void tree_sum(struct tree *tree, struct tree_sum *sum)
{
	bool has_room = address_spaces_clear(tree);

	memset(sum, 0, sizeof(*sum));
	give_up_lost(tree);
	sum->used = tree->ended;
	add_overflow(tree, sum);
	for (uint32_t i = 1; i < tree->slots_seen; i++) {
		struct tree_process *process;
		const struct pb_slot *slot;
		struct pb_totals used;

		if (!tree->by_slot[i])
			continue;
		process = &tree->processes[tree->by_slot[i] - 1];
		slot = slot_of(tree, process);
		if (!slot)
			continue;
		sum->live++;
		totals_subtract(&used, &slot->totals, &process->base);
		totals_accumulate(&sum->used, &used);
		take_peak(tree, process, &slot->memory);
		if (!slot->memory.mm || process->held)
			continue;
		if (has_room && seen_before(tree, slot->memory.mm))
			continue;
		add_memory(sum, &slot->memory);
	}
	sum->largest_process_peak_bytes = tree->largest_peak;
	sum->largest_process_vms_bytes = tree->largest_vms;
}

const struct tree_process *tree_processes(const struct tree *tree, size_t *n)
{
	*n = tree->n;
	return tree->processes;
}

uint64_t tree_unlisted(const struct tree *tree)
{
	return tree->unlisted;
}

uint64_t tree_last_exit_ns(const struct tree *tree)
{
	return tree->last_exit_ns;
}
