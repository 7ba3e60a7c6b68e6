/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe/capability.h"
#include "probe/internal.h"
#include "probe/log.h"
#include "util/clock.h"

/* Enough for any tree that is still forking: each pass adds what the one before missed. */
#define ENROL_PASSES 16

static int handle_event(void *context, void *data, size_t size)
{
	struct probe *probe = context;

	if (size >= sizeof(struct pb_event) && probe->event_fn)
		probe->event_fn(probe->event_context, data, size);
	return 0;
}

void *probe_map_array(const struct bpf_map *map, size_t size, struct error *err)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (at != MAP_FAILED)
		return at;
	error_set(err, EXIT_CODE_PRIVILEGE, "cannot map the table %s: %s", bpf_map__name(map),
		  strerror(errno));
	return NULL;
}

static int map_arrays(struct probe *probe, struct error *err)
{
	struct perfbpf *skel = probe->skel;

	probe->slots = probe_map_array(skel->maps.pb_slots, sizeof(struct pb_slot) * PB_SLOTS, err);
	probe->hists =
		probe_map_array(skel->maps.pb_hists, sizeof(struct pb_hist) * probe->n_hists, err);
	probe->peers = probe_map_array(skel->maps.pb_peers, sizeof(struct pb_peer) * PB_PEERS, err);
	probe->calls = probe_map_array(skel->maps.pb_calls, sizeof(struct pb_call) * PB_CALLS, err);
	return probe->slots && probe->hists && probe->peers && probe->calls ? 0 : -1;
}

/* Few enough not to be interrupted, enough to be told from the clock's own cost. */
#define CALLS 100

/* The shortest time of a system call that does nothing, of many. */
static double call_seconds(void)
{
	uint64_t shortest = UINT64_MAX;

	for (int batch = 0; batch < 300; batch++) {
		uint64_t start = clock_now_ns();

		for (int i = 0; i < CALLS; i++)
			syscall(SYS_getppid);
		start = clock_now_ns() - start;
		if (start < shortest)
			shortest = start;
	}
	return (double)shortest / CALLS / 1e9;
}

static int load(struct probe *probe, struct error *err)
{
	struct perfbpf *skel = perfbpf__open();
	double before = NAN;
	int failed;

	if (!skel)
		return error_set(err, EXIT_CODE_PRIVILEGE, "cannot open the BPF programs: %s",
				 probe_log_first());
	probe->skel = skel;
	programs_choose(probe);
	programs_configure(probe);
	failed = perfbpf__load(skel);
	if (failed)
		return capability_explain(-failed, probe_log_program(), probe_log_first(), err);
	if (probe->options.syscalls)
		before = call_seconds();
	failed = programs_attach(probe);
	if (failed)
		return capability_explain(-failed, probe_log_program(), probe_log_first(), err);
	probe->syscall_slowdown_seconds = NAN;
	probe->control = &skel->bss->pb_control;
	if (probe->options.syscalls) {
		/* As it is while a window is open: then the programs look whose call it is. */
		probe->control->window = UINT32_MAX;
		probe->syscall_slowdown_seconds = fmax(0, call_seconds() - before);
		probe->control->window = 0;
	}
	return 0;
}

/* Where nobody has asked for stacks, a kernel that gives none can be measured all the same. */
static int sample(struct probe *probe, struct error *err)
{
	int failed = sampling_open(probe, err), error;

	error = failed ? 0 : sampling_attach(probe);
	if (error)
		failed = capability_explain(-error, "profile_oncpu", "sampling", err);
	if (!failed || probe->options.must_sample)
		return failed;
	snprintf(probe->refused, sizeof(probe->refused), "%s", err->text);
	sampling_free(probe);
	return 0;
}

struct probe *probe_open(const struct probe_options *options, struct error *err)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	probe->stats_fd = -1;
	probe->options = *options;
	probe_log_start();
	if (capability_check(err) || load(probe, err) || map_arrays(probe, err))
		goto fail;
	probe->ring =
		ring_buffer__new(bpf_map__fd(probe->skel->maps.pb_ring), handle_event, probe, NULL);
	if (!probe->ring) {
		error_set(err, EXIT_CODE_PRIVILEGE, "cannot map the event ring: %s",
			  strerror(errno));
		goto fail;
	}
	if (sample(probe, err))
		goto fail;
	if (options->stats)
		probe->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return probe;
fail:
	probe_free(probe);
	return NULL;
}

void probe_unmap(void *at, size_t size)
{
	if (at)
		munmap(at, size);
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	ring_buffer__free(probe->ring);
	sampling_free(probe);
	probe_unmap(probe->slots, sizeof(struct pb_slot) * PB_SLOTS);
	probe_unmap(probe->hists, sizeof(struct pb_hist) * probe->n_hists);
	probe_unmap(probe->peers, sizeof(struct pb_peer) * PB_PEERS);
	probe_unmap(probe->calls, sizeof(struct pb_call) * PB_CALLS);
	bpf_link__destroy(probe->sweep);
	bpf_link__destroy(probe->sweep_kept);
	perfbpf__destroy(probe->skel);
	if (probe->stats_fd >= 0)
		close(probe->stats_fd);
	free(probe);
}

void probe_detach(struct probe *probe)
{
	bpf_link__destroy(probe->sweep);
	bpf_link__destroy(probe->sweep_kept);
	probe->sweep = probe->sweep_kept = NULL;
	sampling_detach(probe);
	perfbpf__detach(probe->skel);
}

int probe_attach(struct probe *probe)
{
	int failed = programs_attach(probe);

	return failed ? failed : sampling_attach(probe);
}

bool probe_has_stats(const struct probe *probe)
{
	return probe->stats_fd >= 0;
}

const char *probe_sampling_refused(const struct probe *probe)
{
	return probe->refused;
}

bool probe_has_socket_bytes(const struct probe *probe)
{
	return probe->has_socket_bytes;
}

bool probe_has_exact_rss(const struct probe *probe)
{
	return probe->skel->bss->pb_cpu_offsets[0] != 0;
}

bool probe_has_exact_edges(const struct probe *probe)
{
	return probe->control->sched_offset_ns != 0;
}

void probe_round_begin(struct probe *probe)
{
	probe->control->window = 0;
	probe->control->epoch++;
	probe->control->live = 0;
	memset(&probe->slots[PB_SLOT_OVERFLOW], 0, sizeof(struct pb_slot));
}

int iterator_run(const struct bpf_link *link)
{
	char nothing[64];
	ssize_t n;
	int fd, failed;

	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return -errno;
	do
		n = read(fd, nothing, sizeof(nothing));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	failed = n < 0 ? -errno : 0;
	close(fd);
	return failed;
}

/*
 * Makes the kernel bring the scheduler's clock of this CPU up to date; the program
 * that runs next takes its offset to CLOCK_MONOTONIC from there.
 */
static void touch_scheduler_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
}

int probe_snapshot(struct probe *probe)
{
	probe->control->pass++;
	touch_scheduler_clock();
	return iterator_run(probe->skel->links.snapshot_tick);
}

int probe_enrol(struct probe *probe, int pidfd, int observer_pid, struct error *err)
{
	struct pb_task root = {.slot = PB_SLOT_PENDING, .epoch = probe->control->epoch}, present;
	int tasks = bpf_map__fd(probe->skel->maps.pb_tasks), failed;
	uint32_t at_start = probe->control->enrolled;

	probe->control->observer_pid = observer_pid;
	/* A descendant of one that was named before is a member already, and stays as it is. */
	if (!bpf_map_lookup_elem(tasks, &pidfd, &present) && present.epoch == root.epoch)
		return 1;
	if (bpf_map_update_elem(tasks, &pidfd, &root, BPF_ANY))
		return error_set(err, EXIT_CODE_FAILED,
				 "cannot make the process a member of the side: %s",
				 strerror(errno));
	for (int pass = 0; pass < ENROL_PASSES; pass++) {
		uint32_t before = probe->control->enrolled;

		touch_scheduler_clock();
		failed = iterator_run(probe->skel->links.snapshot_enrol);
		if (failed)
			return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks: %s",
					 strerror(-failed));
		if (probe->control->enrolled == before)
			break;
	}
	failed = iterator_run(probe->skel->links.socket_listeners);
	if (!failed)
		failed = iterator_run(probe->skel->links.socket_enrol);
	if (failed)
		return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks' files: %s",
				 strerror(-failed));
	return (int)(probe->control->enrolled - at_start);
}

struct pb_slot *probe_slots(const struct probe *probe)
{
	return probe->slots;
}

void probe_slot_free(struct probe *probe, uint32_t slot)
{
	if (slot == PB_SLOT_OVERFLOW || slot >= PB_SLOTS)
		return;
	memset(&probe->slots[slot], 0, sizeof(struct pb_slot));
	/* A full queue cannot be: it has room for every slot. */
	bpf_map_update_elem(bpf_map__fd(probe->skel->maps.pb_free_slots), NULL, &slot, BPF_ANY);
}

int probe_live(const struct probe *probe)
{
	return __atomic_load_n(&probe->control->live, __ATOMIC_SEQ_CST);
}

int probe_event_fd(const struct probe *probe)
{
	return ring_buffer__epoll_fd(probe->ring);
}

int probe_drain(struct probe *probe, probe_event_fn fn, void *context)
{
	int n;

	probe->event_fn = fn;
	probe->event_context = context;
	n = ring_buffer__consume(probe->ring);
	probe->event_fn = NULL;
	return n;
}

void probe_cost(const struct probe *probe, struct probe_cost *cost)
{
	struct bpf_program *prog;

	memset(cost, 0, sizeof(*cost));
	bpf_object__for_each_program (prog, probe->skel->obj) {
		struct probe_program_cost *one = &cost->programs[cost->n_programs];
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (cost->n_programs == PROBE_MAX_PROGRAMS)
			break;
		if (bpf_program__fd(prog) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
			continue;
		one->name = bpf_program__name(prog);
		one->run_ns = info.run_time_ns;
		one->events = info.run_cnt;
		one->recursion = info.recursion_misses;
		one->verified = info.verified_insns;
		one->in_target = strncmp(bpf_program__section_name(prog), "iter", 4) &&
				 strncmp(bpf_program__section_name(prog), "?iter", 5);
		cost->n_programs++;
	}
	for (int i = 0; i < PB_LOSSES; i++)
		cost->losses[i] = __atomic_load_n(&probe->control->losses[i], __ATOMIC_RELAXED);
}
