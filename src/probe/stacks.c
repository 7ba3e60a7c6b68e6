/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/stacks.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "probe/internal.h"
#include "probe/perf_ring.h"
#include "util/clock.h"

struct probe_sampling {
	struct ring_buffer *ring;
	struct perf_rings *mapped;
	size_t n_events;
	int *events; /* fds of the sampling events, one for each CPU */
	struct bpf_link **links;
	struct table_memory tables;
	uint64_t cycles; /* a second, that it samples by; 0: by the CPU's clock */
	probe_event_fn event_fn;
	void *event_context;
};

static int handle_stack(void *context, void *data, size_t size)
{
	struct probe_sampling *sampling = context;

	if (size >= sizeof(struct pb_event) && sampling->event_fn)
		sampling->event_fn(sampling->event_context, data, size);
	return 0;
}

/* The pages of @map that hold @size bytes from @from on; NULL with errno. */
static void *map_window(const struct bpf_map *map, size_t from, size_t size)
{
	size_t within = from % (size_t)sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, within + size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map),
			(off_t)(from - within));

	return at == MAP_FAILED ? NULL : at + within;
}

static const struct bpf_map *map_of(const struct probe *probe, enum table_part part, size_t *size)
{
	const struct perfbpf *skel = probe->skel;

	*size = part == TABLE_ROWS ? sizeof(struct pb_row) : sizeof(struct pb_mapping);
	return part == TABLE_ROWS ? skel->maps.pb_rows : skel->maps.pb_mappings;
}

static void *open_table(void *context, enum table_part part, uint32_t first, uint32_t n)
{
	size_t size;
	const struct bpf_map *map = map_of(context, part, &size);

	return map_window(map, first * size, n * size);
}

static void close_table(void *context, enum table_part part, void *elements, uint32_t n)
{
	size_t size, within = (uintptr_t)elements % (size_t)sysconf(_SC_PAGESIZE);

	map_of(context, part, &size);
	munmap((char *)elements - within, within + n * size);
}

static int map_tables(struct probe *probe, struct table_memory *tables, struct error *err)
{
	struct perfbpf *skel = probe->skel;

	*tables = (struct table_memory){
		.n_rows = bpf_map__max_entries(skel->maps.pb_rows),
		.objects = probe_map_array(skel->maps.pb_objects,
					   sizeof(struct pb_object) * PB_OBJECTS, err),
		.spaces = probe_map_array(skel->maps.pb_spaces, sizeof(struct pb_space) * PB_SPACES,
					  err),
		.open = open_table,
		.close = close_table,
		.context = probe,
	};
	return tables->objects && tables->spaces ? 0 : -1;
}

static void close_events(struct probe_sampling *sampling)
{
	for (size_t i = 0; i < sampling->n_events; i++)
		close(sampling->events[i]);
	sampling->n_events = 0;
}

/* 0 or -errno, of *@cpu. A CPU that is not there runs nothing. */
static int open_each(struct probe_sampling *sampling, long cpus, uint64_t frequency, int *cpu)
{
	for (*cpu = 0; *cpu < cpus; ++*cpu) {
		int fd = perf_sampling_open(*cpu, frequency, sampling->cycles);

		if (fd == -ENODEV)
			continue;
		if (fd < 0)
			return fd;
		sampling->events[sampling->n_events++] = fd;
	}
	return 0;
}

static int open_events(struct probe_sampling *sampling, uint64_t frequency, struct error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int failed, cpu = 0;

	sampling->events = calloc((size_t)cpus, sizeof(*sampling->events));
	sampling->links = calloc((size_t)cpus, sizeof(struct bpf_link *));
	if (!sampling->events || !sampling->links)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	sampling->cycles = perf_cycles_per_second();
	/* All of them alike: where one CPU's counter is taken, none is used. */
	if (sampling->cycles && open_each(sampling, cpus, frequency, &cpu)) {
		close_events(sampling);
		sampling->cycles = 0;
	}
	failed = sampling->n_events ? 0 : open_each(sampling, cpus, frequency, &cpu);
	if (failed)
		return error_set(err, EXIT_CODE_PRIVILEGE,
				 "the kernel refused to sample CPU %d %llu times a second: %s; "
				 "--profile none measures without stacks, --freq N "
				 "(kernel.perf_event_max_sample_rate) samples less often",
				 cpu, (unsigned long long)frequency, strerror(-failed));
	return 0;
}

int sampling_open(struct probe *probe, struct error *err)
{
	const struct probe_options *options = &probe->options;
	struct probe_sampling *sampling;

	if (!options->oncpu && !options->offcpu)
		return 0;
	sampling = probe->sampling = calloc(1, sizeof(*sampling));
	if (!sampling)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (map_tables(probe, &sampling->tables, err))
		return -1;
	sampling->ring = ring_buffer__new(bpf_map__fd(probe->skel->maps.pb_stack_ring),
					  handle_stack, sampling, NULL);
	if (!sampling->ring)
		return error_set(err, EXIT_CODE_PRIVILEGE, "cannot map the ring of stacks: %s",
				 strerror(errno));
	sampling->mapped = perf_rings_open();
	if (!sampling->mapped)
		return error_set(err, EXIT_CODE_PRIVILEGE,
				 "the kernel refused to tell which code is mapped: %s; --profile "
				 "none measures without stacks",
				 strerror(errno));
	return options->oncpu ? open_events(sampling, options->frequency, err) : 0;
}

/*
 * The events of the CPUs are begun one after the other, a part of the period apart, so that they do
 * not all interrupt at once.
 */
int sampling_attach(struct probe *probe)
{
	struct probe_sampling *sampling = probe->sampling;
	struct timespec apart = {0};

	if (!sampling || !sampling->n_events)
		return 0;
	apart.tv_nsec = (long)(NSEC_PER_SEC / probe->options.frequency / sampling->n_events);
	for (size_t i = 0; i < sampling->n_events; i++) {
		/* The link closes its fd. */
		int fd = dup(sampling->events[i]);

		if (fd < 0)
			return -errno;
		sampling->links[i] =
			bpf_program__attach_perf_event(probe->skel->progs.profile_oncpu, fd);
		if (!sampling->links[i]) {
			int failed = -errno;

			close(fd);
			return failed;
		}
		if (apart.tv_nsec < (long)NSEC_PER_SEC / 100)
			nanosleep(&apart, NULL);
	}
	return 0;
}

void sampling_detach(struct probe *probe)
{
	struct probe_sampling *sampling = probe->sampling;

	for (size_t i = 0; sampling && i < sampling->n_events; i++) {
		if (!sampling->links)
			return;
		bpf_link__destroy(sampling->links[i]);
		sampling->links[i] = NULL;
	}
}

static void unmap_tables(struct table_memory *tables)
{
	probe_unmap(tables->objects, sizeof(struct pb_object) * PB_OBJECTS);
	probe_unmap(tables->spaces, sizeof(struct pb_space) * PB_SPACES);
}

void sampling_free(struct probe *probe)
{
	struct probe_sampling *sampling = probe->sampling;

	if (!sampling)
		return;
	sampling_detach(probe);
	close_events(sampling);
	free(sampling->events);
	free(sampling->links);
	perf_rings_free(sampling->mapped);
	ring_buffer__free(sampling->ring);
	unmap_tables(&sampling->tables);
	free(sampling);
	probe->sampling = NULL;
}

bool probe_has_oncpu(const struct probe *probe)
{
	return probe->sampling && probe->options.oncpu;
}

bool probe_has_offcpu(const struct probe *probe)
{
	return probe->sampling && probe->options.offcpu;
}

void probe_tables(const struct probe *probe, struct table_memory *tables)
{
	*tables = probe->sampling->tables;
}

const char *probe_oncpu_event(const struct probe *probe)
{
	return probe->sampling->cycles ? "cycles" : "cpu-clock";
}

double probe_oncpu_frequency(const struct probe *probe)
{
	return (double)probe->options.frequency;
}

int probe_stacks_drain(struct probe *probe, probe_event_fn fn, void *context)
{
	struct probe_sampling *sampling = probe->sampling;
	int n;

	sampling->event_fn = fn;
	sampling->event_context = context;
	n = ring_buffer__consume(sampling->ring);
	sampling->event_fn = NULL;
	return n;
}

int probe_mapped_fd(const struct probe *probe)
{
	return perf_rings_fd(probe->sampling->mapped);
}

int probe_stacks_fd(const struct probe *probe)
{
	return ring_buffer__epoll_fd(probe->sampling->ring);
}

int probe_offcpu_look(struct probe *probe, uint64_t from_ns, uint64_t weight_ns, uint32_t stride)
{
	probe->control->offcpu_from_ns = from_ns;
	probe->control->offcpu_weight_ns = weight_ns * (stride ? stride : 1);
	probe->control->offcpu_stride = stride;
	probe->control->offcpu_pass++;
	return iterator_run(probe->skel->links.profile_offcpu);
}

int probe_mappings_tell(struct probe *probe)
{
	return iterator_run(probe->skel->links.profile_mappings);
}

uint32_t probe_sweep(struct probe *probe)
{
	return ++probe->control->sweep;
}

uint64_t probe_mapped_drain(struct probe *probe, perf_mapped_fn fn, void *context)
{
	return perf_rings_drain(probe->sampling->mapped, fn, context);
}
