/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which programs are loaded, and how they are set up. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe/capability.h"
#include "probe/internal.h"
#include "util/clock.h"

/* Distributions are kept in at most so many shards. */
#define MAX_SHARD_BITS          4
#define STACK_RING_BYTES_OF_CPU (512U << 10)
#define MAX_STACK_RING_BYTES    (64U << 20)
/* Pieces of payload are many and large. */
#define PAYLOAD_RING_BYTES (4 * PB_RING_BYTES)

/* Programs with this beginning are loaded only where it is wanted. */
struct choice {
	const char *prefix;
	bool (*wanted)(const struct probe_options *options);
};

static bool wants_time(const struct probe_options *options)
{
	return options->time;
}

static bool wants_io(const struct probe_options *options)
{
	return options->io;
}

static bool wants_syscalls(const struct probe_options *options)
{
	return options->syscalls;
}

static bool wants_requests(const struct probe_options *options)
{
	return options->requests;
}

static bool wants_oncpu(const struct probe_options *options)
{
	return options->oncpu;
}

static bool wants_offcpu(const struct probe_options *options)
{
	return options->offcpu;
}

static bool wants_timed(const struct probe_options *options)
{
	return options->timed;
}

static bool wants_stacks(const struct probe_options *options)
{
	return options->oncpu || options->offcpu;
}

static const struct choice choices[] = {
	{"sched_woken", wants_time},      {"io_", wants_io},
	{"syscall_", wants_syscalls},     {"socket_arrival", wants_requests},
	{"socket_sweep", wants_requests}, {"profile_oncpu", wants_oncpu},
	{"profile_offcpu", wants_offcpu}, {"profile_mappings", wants_stacks},
	{"timed_", wants_timed},
};

static bool is_wanted(const char *name, const struct probe_options *options)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		if (!strncmp(name, choices[i].prefix, strlen(choices[i].prefix)))
			return choices[i].wanted(options);
	return true;
}

/* What counts sockets and storage is left out where the kernel has no place for it; its numbers are
 * then not known. All else is needed. */
static bool is_optional(const char *name)
{
	return !strncmp(name, "socket_", strlen("socket_")) || !strncmp(name, "io_", strlen("io_"));
}

/* Does the kernel know the tracepoint behind "?tp_btf/NAME"? */
static bool has_tracepoint(const struct btf *kernel, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) >= 0;
}

/* The word after @kind in a section's name, or NULL. */
static const char *place_of(const struct bpf_program *prog, const char *kind)
{
	const char *at = strstr(bpf_program__section_name(prog), kind);

	return at ? at + strlen(kind) : NULL;
}

static bool has_place(const struct btf *kernel, const struct bpf_program *prog)
{
	const char *name;

	if (!kernel)
		return true;
	name = place_of(prog, "tp_btf/");
	if (name)
		return has_tracepoint(kernel, name);
	name = place_of(prog, "fexit/");
	if (!name)
		name = place_of(prog, "fentry/");
	return !name || btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) >= 0;
}

static bool is_loaded(const struct bpf_program *prog)
{
	return bpf_program__autoload(prog);
}

/* The form for kernels without the tracepoints has this in its programs' names. */
#define BY_FUNCTION "socket_6_2_"

/*
 * Two forms of the same: the functions are taken only where the tracepoints are missing, and
 * where the kernel allows it.
 */
static void choose_forms(struct probe *probe)
{
	struct perfbpf *skel = probe->skel;
	bool by_tracepoint =
		is_loaded(skel->progs.socket_send) && is_loaded(skel->progs.socket_receive);
	bool by_function = !by_tracepoint && is_loaded(skel->progs.socket_6_2_send_inet) &&
			   is_loaded(skel->progs.socket_6_2_receive) &&
			   capability_has_function_exit("inet_sendmsg");
	struct bpf_program *prog;

	bpf_program__set_autoload(skel->progs.socket_send, by_tracepoint);
	bpf_program__set_autoload(skel->progs.socket_receive, by_tracepoint);
	if (!by_function)
		bpf_object__for_each_program (prog, skel->obj)
			if (!strncmp(bpf_program__name(prog), BY_FUNCTION, strlen(BY_FUNCTION)))
				bpf_program__set_autoload(prog, false);
	/* Arrivals have had a tracepoint for as long as lengths have. */
	if (is_loaded(skel->progs.socket_arrival))
		bpf_program__set_autoload(skel->progs.socket_6_2_arrival, false);
	probe->has_socket_bytes = by_tracepoint || by_function;
	probe->has_arrivals =
		is_loaded(skel->progs.socket_arrival) || is_loaded(skel->progs.socket_6_2_arrival);
}

/* Where a request's beginning is told in its own place, the others are not needed. */
static void choose_block(struct perfbpf *skel)
{
	if (!is_loaded(skel->progs.io_block_start))
		return;
	bpf_program__set_autoload(skel->progs.io_block_insert, false);
	bpf_program__set_autoload(skel->progs.io_block_issue, false);
}

void programs_choose(struct probe *probe)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, probe->skel->obj) {
		const char *name = bpf_program__name(prog);

		bpf_program__set_autoload(prog,
					  is_wanted(name, &probe->options) &&
						  (!is_optional(name) || has_place(kernel, prog)));
	}
	btf__free(kernel);
	choose_forms(probe);
	choose_block(probe->skel);
}

/* One shard for each CPU, up to a bound. */
static uint32_t shard_bits(int cpus)
{
	uint32_t bits = 0;

	while (bits < MAX_SHARD_BITS && (1 << bits) < cpus)
		bits++;
	return bits;
}

/*
 * Where every sample of every CPU takes a copy of its stack along, this holds a tick's at the usual
 * rate.
 */
static uint32_t stack_ring_bytes(void)
{
	uint32_t bytes = PB_STACK_RING_BYTES, cpus = (uint32_t)libbpf_num_possible_cpus();

	while (bytes < MAX_STACK_RING_BYTES && bytes < cpus * STACK_RING_BYTES_OF_CPU)
		bytes *= 2;
	return bytes;
}

/* What walks stacks takes memory, which is asked for only where it is wanted. */
static void configure_stacks(struct probe *probe)
{
	const struct probe_options *options = &probe->options;
	struct perfbpf *skel = probe->skel;
	struct {
		struct bpf_map *map;
		bool wanted;
	} maps[] = {
		{skel->maps.pb_stack_ring, wants_stacks(options)},
		{skel->maps.pb_rows, wants_stacks(options)},
		{skel->maps.pb_objects, wants_stacks(options)},
		{skel->maps.pb_mappings, wants_stacks(options)},
		{skel->maps.pb_spaces, wants_stacks(options)},
		{skel->maps.pb_oncpu_scratch, options->oncpu},
		{skel->maps.pb_offcpu_scratch, options->offcpu},
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bpf_map__set_autocreate(maps[i].map, maps[i].wanted);
	if (!wants_stacks(options))
		return;
	bpf_map__set_max_entries(skel->maps.pb_rows,
				 (uint32_t)(options->unwind_bytes / sizeof(struct pb_row)));
	bpf_map__set_max_entries(skel->maps.pb_stack_ring, stack_ring_bytes());
	skel->rodata->pb_stacks_waiting = stack_ring_bytes() / 2;
	if (!options->oncpu)
		return;
	bpf_map__set_max_entries(skel->maps.pb_oncpu_scratch, (uint32_t)libbpf_num_possible_cpus());
	skel->rodata->pb_oncpu_period_ns = NSEC_PER_SEC / options->frequency;
}

void programs_configure(struct probe *probe)
{
	const struct probe_options *options = &probe->options;
	struct perfbpf *skel = probe->skel;
	int cpus = libbpf_num_possible_cpus();
	uint32_t bits = shard_bits(cpus);

	skel->rodata->pb_cpus = (uint32_t)cpus;
	skel->rodata->pb_page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	skel->rodata->pb_hist_shard_bits = bits;
	skel->rodata->pb_want_time = options->time;
	skel->rodata->pb_want_requests = probe_has_requests(probe);
	skel->rodata->pb_want_payload = options->payload;
	probe->n_hists = (size_t)(PB_HISTS + (options->syscalls ? PB_CALLS : 0)) << bits;
	bpf_map__set_max_entries(skel->maps.pb_hists, (uint32_t)probe->n_hists);
	if (options->payload)
		bpf_map__set_max_entries(skel->maps.pb_ring, PAYLOAD_RING_BYTES);
	skel->rodata->pb_ring_bytes = bpf_map__max_entries(skel->maps.pb_ring);
	bpf_map__set_autocreate(skel->maps.pb_timed, options->timed);
	configure_stacks(probe);
	/* Each CPU's sampling event is attached to by itself. */
	bpf_program__set_autoattach(skel->progs.profile_oncpu, false);
	/* Iterators over a map are told which: libbpf cannot attach them by itself. */
	bpf_program__set_autoattach(skel->progs.socket_sweep, false);
	bpf_program__set_autoattach(skel->progs.socket_sweep_kept, false);
}

static struct bpf_link *attach_over(struct bpf_program *prog, const struct bpf_map *map)
{
	union bpf_iter_link_info info = {.map.map_fd = (uint32_t)bpf_map__fd(map)};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	return bpf_program__attach_iter(prog, &opts);
}

int programs_attach(struct probe *probe)
{
	struct perfbpf *skel = probe->skel;
	int failed = perfbpf__attach(skel);

	if (failed || !probe_has_requests(probe))
		return failed;
	probe->sweep = attach_over(skel->progs.socket_sweep, skel->maps.pb_sockets);
	if (!probe->sweep)
		return -errno;
	probe->sweep_kept = attach_over(skel->progs.socket_sweep_kept, skel->maps.pb_unix_turns);
	return probe->sweep_kept ? 0 : -errno;
}
