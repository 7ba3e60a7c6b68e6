/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "perfbpf.skel.h"
#include "probe/capability.h"
#include "probe/log.h"

/* Enough for any tree that is still forking: each pass adds what the one before missed. */
#define ENROL_PASSES 16

struct probe {
	struct perfbpf *skel;
	struct pb_control *control;
	struct pb_slot *slots;
	struct ring_buffer *ring;
	int stats_fd;
	bool has_socket_bytes;
	probe_event_fn event_fn;
	void *event_context;
};

static int handle_event(void *context, void *data, size_t size)
{
	struct probe *probe = context;

	if (size >= sizeof(struct pb_event) && probe->event_fn)
		probe->event_fn(probe->event_context, data, size);
	return 0;
}

static int map_slots(struct probe *probe, struct error *err)
{
	int fd = bpf_map__fd(probe->skel->maps.pb_slots);

	probe->slots = mmap(NULL, sizeof(struct pb_slot) * PB_SLOTS, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
	if (probe->slots == MAP_FAILED) {
		probe->slots = NULL;
		return error_set(err, EXIT_CODE_PRIVILEGE, "cannot map the process table: %s",
				 strerror(errno));
	}
	return 0;
}

/* The programs whose tracepoint a kernel may lack: what they count is then not known. */
static bool is_optional(const char *program)
{
	return !strncmp(program, "socket_", strlen("socket_"));
}

/* Does the kernel know the tracepoint behind "?tp_btf/NAME"? Other sections: yes. */
static bool has_tracepoint(const struct btf *kernel, const char *section)
{
	const char *name = strstr(section, "tp_btf/");
	char type[128];

	if (!name)
		return true;
	snprintf(type, sizeof(type), "btf_trace_%s", name + strlen("tp_btf/"));
	return btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) >= 0;
}

static void choose_programs(struct probe *probe)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, probe->skel->obj) {
		bool there = !kernel || !is_optional(bpf_program__name(prog)) ||
			     has_tracepoint(kernel, bpf_program__section_name(prog));

		bpf_program__set_autoload(prog, there);
	}
	btf__free(kernel);
	probe->has_socket_bytes = bpf_program__autoload(probe->skel->progs.socket_send) &&
				  bpf_program__autoload(probe->skel->progs.socket_receive);
}

static int load(struct probe *probe, struct error *err)
{
	struct perfbpf *skel = perfbpf__open();
	int failed;

	if (!skel)
		return error_set(err, EXIT_CODE_PRIVILEGE, "cannot open the BPF programs: %s",
				 probe_log_first());
	probe->skel = skel;
	skel->rodata->pb_cpus = (uint32_t)libbpf_num_possible_cpus();
	skel->rodata->pb_page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	choose_programs(probe);
	failed = perfbpf__load(skel);
	if (failed)
		return capability_explain(-failed, probe_log_program(), probe_log_first(), err);
	failed = perfbpf__attach(skel);
	if (failed)
		return capability_explain(-failed, probe_log_program(), probe_log_first(), err);
	probe->control = &skel->bss->pb_control;
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
	probe_log_start();
	if (capability_check(err) || load(probe, err) || map_slots(probe, err))
		goto fail;
	probe->ring =
		ring_buffer__new(bpf_map__fd(probe->skel->maps.pb_ring), handle_event, probe, NULL);
	if (!probe->ring) {
		error_set(err, EXIT_CODE_PRIVILEGE, "cannot map the event ring: %s",
			  strerror(errno));
		goto fail;
	}
	if (options->stats)
		probe->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return probe;
fail:
	probe_free(probe);
	return NULL;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	ring_buffer__free(probe->ring);
	if (probe->slots)
		munmap(probe->slots, sizeof(struct pb_slot) * PB_SLOTS);
	perfbpf__destroy(probe->skel);
	if (probe->stats_fd >= 0)
		close(probe->stats_fd);
	free(probe);
}

bool probe_has_stats(const struct probe *probe)
{
	return probe->stats_fd >= 0;
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

/* Runs an iterator program once over all it iterates. */
static int run_iterator(const struct bpf_link *link)
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
	return run_iterator(probe->skel->links.snapshot_tick);
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
		failed = run_iterator(probe->skel->links.snapshot_enrol);
		if (failed)
			return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks: %s",
					 strerror(-failed));
		if (probe->control->enrolled == before)
			break;
	}
	failed = run_iterator(probe->skel->links.socket_enrol);
	if (failed)
		return error_set(err, EXIT_CODE_FAILED, "cannot walk the tasks' files: %s",
				 strerror(-failed));
	return (int)(probe->control->enrolled - at_start);
}

void probe_window(struct probe *probe, bool open)
{
	__atomic_store_n(&probe->control->window, open, __ATOMIC_SEQ_CST);
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
		one->in_target = strncmp(bpf_program__section_name(prog), "iter", 4) &&
				 strncmp(bpf_program__section_name(prog), "?iter", 5);
		cost->n_programs++;
	}
	for (int i = 0; i < PB_LOSSES; i++)
		cost->losses[i] = __atomic_load_n(&probe->control->losses[i], __ATOMIC_RELAXED);
}
