/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A round's stacks into the record, with names. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conduct/profiler_internal.h"
#include "probe/stacks.h"
#include "record/profile.h"
#include "symbol/address_map.h"
#include "util/clock.h"

#define PERF_MAP_MAX_BYTES (64 << 20)
/* Files' times and those of /proc go in steps of up to 10 ms. */
#define CLOCKS_DIFFER_NS (20 * NSEC_PER_MSEC)
/* Files that could not be read are told of one by one up to here. */
#define MAX_TOLD 10

/* A process's name, and what its run-time compiler tells of its code. */
struct namesake {
	uint64_t process;
	int32_t pid;
	uint64_t started_ns, exited_ns; /* as of struct tree_process */
	char comm[PB_COMM_LEN];
	bool looked;
	struct address_map *map;
};

struct filler {
	struct profiler *profiler;
	struct profile *profile;
	size_t n_namesakes;
	struct namesake *namesakes; /* ascending by process */
	bool failed;
};

/* --- processes ---------------------------------------------------------------------------- */

static int by_process(const void *a, const void *b)
{
	const struct namesake *x = a, *y = b;

	return x->process < y->process ? -1 : x->process > y->process;
}

static void take_processes(struct filler *filler, const struct tree *tree)
{
	size_t n;
	const struct tree_process *processes = tree_processes(tree, &n);

	filler->namesakes = calloc(n + 1, sizeof(*filler->namesakes));
	if (!filler->namesakes) {
		filler->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct namesake *namesake = &filler->namesakes[i];

		namesake->process = processes[i].id;
		namesake->pid = processes[i].pid;
		namesake->started_ns = processes[i].started_ns;
		namesake->exited_ns = processes[i].exited_ns;
		memcpy(namesake->comm, processes[i].comm, sizeof(namesake->comm));
		namesake->comm[PB_COMM_LEN - 1] = '\0';
	}
	filler->n_namesakes = n;
	qsort(filler->namesakes, n, sizeof(*filler->namesakes), by_process);
}

static struct namesake *namesake_of(const struct filler *filler, uint64_t process)
{
	struct namesake wanted = {.process = process};

	return filler->n_namesakes ? bsearch(&wanted, filler->namesakes, filler->n_namesakes,
					     sizeof(wanted), by_process)
				   : NULL;
}

/* How far @clock is ahead of CLOCK_MONOTONIC now. */
static uint64_t ahead_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec - clock_now_ns();
}

/* Has nobody else got its number since? Who came later started later. */
static bool lives(const struct namesake *namesake)
{
	uint64_t started_ns = namesake->exited_ns ? 0 : process_file_started_ns(namesake->pid);

	return started_ns &&
	       started_ns <= namesake->started_ns + ahead_ns(CLOCK_BOOTTIME) + CLOCKS_DIFFER_NS;
}

/* What the process has left behind, if it was the one that wrote it. Takes @fd over. */
static int left_behind(const struct namesake *namesake, int fd)
{
	uint64_t ahead = ahead_ns(CLOCK_REALTIME), written_ns;
	struct stat st;

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && (!st.st_uid || st.st_uid == geteuid())) {
		written_ns = (uint64_t)st.st_mtim.tv_sec * NSEC_PER_SEC +
			     (uint64_t)st.st_mtim.tv_nsec + CLOCKS_DIFFER_NS;
		if (written_ns >= namesake->started_ns + ahead &&
		    (!namesake->exited_ns ||
		     written_ns <= namesake->exited_ns + ahead + 2 * CLOCKS_DIFFER_NS))
			return fd;
	}
	close(fd);
	return -ESTALE;
}

static int open_perf_map(const struct profiler *profiler, const struct namesake *namesake)
{
	char path[64];
	int fd = -EPIPE;

	if (!lives(namesake)) {
		snprintf(path, sizeof(path), "/tmp/perf-%d.map", namesake->pid);
		return left_behind(namesake, process_file_own(path));
	}
	if (profiler->keeper)
		fd = keeper_open_perf_map(profiler->keeper, namesake->pid);
	return fd < 0 ? process_file_perf_map(namesake->pid) : fd;
}

/* What run-time compilers leave in /tmp, of the process's own view of it while it lives. */
static const struct address_map *perf_map_of(const struct profiler *profiler,
					     struct namesake *namesake)
{
	FILE *in;
	int fd;

	if (namesake->looked)
		return namesake->map;
	namesake->looked = true;
	fd = open_perf_map(profiler, namesake);
	in = fd < 0 ? NULL : fdopen(fd, "r");
	if (in) {
		namesake->map = address_map_read_perf(in, PERF_MAP_MAX_BYTES);
		fclose(in);
	} else if (fd >= 0) {
		close(fd);
	}
	return namesake->map;
}

static const char *name_jit(void *context, uint64_t process, uint64_t address)
{
	const struct filler *filler = context;
	struct namesake *namesake = namesake_of(filler, process);
	const struct address_map *map = namesake ? perf_map_of(filler->profiler, namesake) : NULL;

	return map ? address_map_find(map, address) : NULL;
}

/* Of all stacks, since each file is to be opened once. */
static void name_places(struct filler *filler)
{
	struct profiler *profiler = filler->profiler;
	const struct stacks *stacks = &profiler->stacks;
	struct name_sources sources = {
		.objects = profiler->objects,
		.kallsyms = profiler->kallsyms,
		.inlines = profiler->inlines,
		.jit = name_jit,
		.context = filler,
		.profile = filler->profile,
	};

	for (size_t i = 0; i < stacks->n_rows; i++) {
		const struct stack *stack = &stacks->stacks[stacks->rows[i].stack];

		for (uint16_t j = 0; j < stack->n; j++)
			if (place_names_add(profiler->names, &stacks->frames[stack->first + j],
					    stacks->rows[i].process) == HASH_INDEX_NONE)
				filler->failed = true;
	}
	if (place_names_look_up(profiler->names, &sources))
		filler->failed = true;
}

/* --- stacks ------------------------------------------------------------------------------- */

static uint32_t add_node(struct filler *filler, uint32_t parent, uint32_t frame)
{
	int64_t node = profile_add_node(filler->profile, parent, frame);

	if (node < 0)
		filler->failed = true;
	return node < 0 ? PROFILE_NONE : (uint32_t)node;
}

static uint32_t mark_node(struct filler *filler, const char *text)
{
	int64_t frame = profile_add_frame(filler->profile, &(struct profile_frame){
								   .function = (char *)text,
								   .module = PROFILE_NONE,
								   .kind = PROFILE_FRAME_MARK,
							   });

	if (frame < 0) {
		filler->failed = true;
		return PROFILE_NONE;
	}
	return add_node(filler, PROFILE_NONE, (uint32_t)frame);
}

/* From the thread's start inwards. Counts frames, and those with names, into @stacks. */
static uint32_t put_nodes(struct filler *filler, const struct stack_row *row,
			  struct record_stacks *stacks)
{
	const struct stacks *from = &filler->profiler->stacks;
	const struct stack *stack = &from->stacks[row->stack];
	uint32_t node = PROFILE_NONE;

	if (row->end == PB_WALK_WOKEN)
		return mark_node(filler, "[woken while looked at]");
	for (uint16_t i = stack->n; i-- > 0 && !filler->failed;) {
		const struct place_names *names = filler->profiler->names;
		uint32_t place =
			place_names_find(names, &from->frames[stack->first + i], row->process);
		struct place_name name = place_names_at(names, place);

		stacks->frames += (int64_t)row->samples;
		stacks->frames_named += name.is_known ? (int64_t)row->samples : 0;
		for (uint32_t j = name.n; j-- > 0;)
			node = add_node(filler, node, name.frames[j]);
	}
	return node;
}

static void put_row(struct filler *filler, const struct stack_row *row, uint32_t round,
		    struct record_stacks *stacks)
{
	const struct namesake *namesake = namesake_of(filler, row->process);
	bool is_oncpu = row->source == PB_STACK_ONCPU;
	int64_t process =
		profile_add_process(filler->profile, namesake ? namesake->comm : "[unlisted]");
	struct profile_row out = {
		.round = round,
		.phase = row->phase == STACKS_NO_PHASE ? PROFILE_NONE : row->phase,
		.process = (uint32_t)process,
		.node = put_nodes(filler, row, stacks),
		.kind = is_oncpu ? PROFILE_ONCPU : PROFILE_OFFCPU,
		.reason = is_oncpu ? PROFILE_REASON_NONE : row->reason,
		.end = row->end,
		.by_fp = row->by_fp,
		.samples = row->samples,
		.seconds = (double)row->weight_ns / 1e9,
	};

	if (process < 0 || filler->failed || profile_add_row(filler->profile, &out)) {
		filler->failed = true;
		return;
	}
	stacks->samples += (int64_t)row->samples;
	stacks->sampled_seconds += out.seconds;
	if (profile_end_is_truncated((enum profile_end)row->end))
		stacks->truncated += (int64_t)row->samples;
	else
		stacks->complete += (int64_t)row->samples;
	stacks->by_frame_pointer += row->by_fp ? (int64_t)row->samples : 0;
}

static void filler_clear(struct filler *filler)
{
	for (size_t i = 0; i < filler->n_namesakes; i++)
		address_map_free(filler->namesakes[i].map);
	free(filler->namesakes);
}

static void fill_unknown(struct record_stacks *stacks, const struct objects *objects)
{
	int64_t *const kinds[CFI_GAPS] = {
		[CFI_GAP_CFA_EXPRESSION] = &stacks->unknown_cfa_expression,
		[CFI_GAP_CFA_REGISTER] = &stacks->unknown_cfa_register,
		[CFI_GAP_CFA_OFFSET] = &stacks->unknown_cfa_offset,
		[CFI_GAP_RETURN_ADDRESS] = &stacks->unknown_return_address,
		[CFI_GAP_RBP] = &stacks->unknown_frame_pointer,
		[CFI_GAP_BROKEN] = &stacks->unknown_broken,
	};

	for (int why = 0; why < CFI_GAPS; why++) {
		*kinds[why] = (int64_t)objects_gaps(objects, (enum cfi_gap)why);
		stacks->unknown_rules += *kinds[why];
	}
}

static void begin(struct record_stacks *stacks, const struct profiler *profiler, const char *event,
		  double frequency, double exact_seconds, enum pb_stack_source source)
{
	uint64_t unplaced = profiler->mapped_lost + process_spaces_lost(profiler->spaces) +
			    objects_lost(profiler->objects) - profiler->objects_lost_before;

	*stacks = (struct record_stacks){
		.event = strdup(event),
		.frequency_hertz = frequency,
		.exact_seconds = exact_seconds,
		.lost = (int64_t)profiler->lost[source],
		.mappings_lost = (int64_t)unplaced,
		.rows_evicted =
			(int64_t)(tables_evicted(profiler->tables) - profiler->evicted_before),
	};
	fill_unknown(stacks, profiler->objects);
}

static void tell_one(struct record *rec, const struct object *object)
{
	char *text;

	if (asprintf(&text, "the file %s of process %d could not be read: %s: stacks end there",
		     object->path, object->pid,
		     object->why_not == ESTALE ? "another file has its path now"
					       : strerror(object->why_not)) < 0)
		return;
	record_note(rec, text);
	free(text);
}

/* Of files that stacks led to, each once in a run. */
static void tell_missed(struct record *rec, const struct objects *objects)
{
	struct object *object;
	unsigned int n = 0;
	char text[96];

	for (uint32_t i = 1; (object = objects_at(objects, i)); i++) {
		if (!object->is_missed || object->is_told)
			continue;
		object->is_told = true;
		if (n++ < MAX_TOLD)
			tell_one(rec, object);
	}
	if (n <= MAX_TOLD)
		return;
	snprintf(text, sizeof(text), "%u more files could not be read: stacks end there",
		 n - MAX_TOLD);
	record_note(rec, text);
}

static double off_seconds(const struct record_round *round)
{
	return round->has_time ? round->time.run_queue_seconds + round->time.waiting_seconds : NAN;
}

/* What the ring and the table had no room for may be of either kind: it stands with the first. */
static void tell_losses(const struct profiler *profiler, struct record_profile *profile,
			int64_t *lost)
{
	struct record_stacks *first = profile->has_oncpu ? &profile->oncpu : &profile->offcpu;

	first->lost += *lost + (int64_t)profiler->stacks.lost;
	*lost += (int64_t)(profiler->lost[0] + profiler->lost[1] + profiler->stacks.lost);
}

/* A scenario's first round: what places are called in the profile of the one before is forgotten.
 */
static int begin_profile(struct profiler *profiler, struct record *rec)
{
	place_names_free(profiler->names);
	profiler->names = place_names_new();
	rec->profile = profiler->names ? profile_new() : NULL;
	return rec->profile ? 0 : -1;
}

int profiler_fill(struct profiler *profiler, struct record *rec, uint32_t index,
		  struct record_round *out, const struct tree *tree)
{
	struct filler filler = {.profiler = profiler};
	struct record_profile *profile = &out->profile;

	if (!profiler || !profiler->spaces)
		return 0;
	if (!rec->profile && begin_profile(profiler, rec))
		return -1;
	filler.profile = rec->profile;
	out->has_profile = true;
	profile->has_oncpu = probe_has_oncpu(profiler->probe);
	profile->has_offcpu = probe_has_offcpu(profiler->probe);
	if (profile->has_oncpu)
		begin(&profile->oncpu, profiler, probe_oncpu_event(profiler->probe),
		      probe_oncpu_frequency(profiler->probe), out->cpu.total_seconds,
		      PB_STACK_ONCPU);
	if (profile->has_offcpu)
		begin(&profile->offcpu, profiler, "task walk", 1e9 / (double)profiler->period_ns,
		      off_seconds(out), PB_STACK_OFFCPU);
	take_processes(&filler, tree);
	name_places(&filler);
	for (size_t i = 0; i < profiler->stacks.n_rows && !filler.failed; i++) {
		const struct stack_row *row = &profiler->stacks.rows[i];

		put_row(&filler, row, index,
			row->source == PB_STACK_ONCPU ? &profile->oncpu : &profile->offcpu);
	}
	profile->oncpu.deferred = (int64_t)profiler->deferred[PB_STACK_ONCPU];
	profile->offcpu.deferred = (int64_t)profiler->deferred[PB_STACK_OFFCPU];
	tell_losses(profiler, profile, &out->observer.losses.stacks);
	tell_missed(rec, profiler->objects);
	place_names_rest(profiler->names);
	filler_clear(&filler);
	return filler.failed ? -1 : 0;
}
