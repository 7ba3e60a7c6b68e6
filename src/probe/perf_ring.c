/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Newer than some headers. */
#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

#define RING_PAGES 32

struct perf_ring {
	int fd;
	void *base; /* one page of control, then RING_PAGES of records */
};

struct perf_rings {
	size_t n, page;
	struct perf_ring *list;
};

/* As the kernel writes it (perf_event_open(2), PERF_RECORD_MMAP2). */
struct record_mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, length, offset;
	union {
		struct {
			uint32_t major, minor;
			uint64_t inode, generation;
		};
		struct {
			uint8_t build_id_size, reserved1;
			uint16_t reserved2;
			uint8_t build_id[20];
		};
	};
	uint32_t protection, flags;
	char path[];
};

struct record_comm {
	struct perf_event_header header;
	uint32_t pid, tid;
	char comm[];
};

struct record_lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

static int perf_open(struct perf_event_attr *attr, int cpu)
{
	int fd = (int)syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int perf_sampling_open(int cpu, uint64_t frequency, bool *cycles)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.freq = 1,
		.sample_freq = frequency,
		.disabled = 1,
	};

	if (*cycles) {
		int fd;

		attr.type = PERF_TYPE_HARDWARE;
		attr.config = PERF_COUNT_HW_CPU_CYCLES;
		fd = perf_open(&attr, cpu);
		if (fd >= 0)
			return fd;
		*cycles = false;
	}
	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_CPU_CLOCK;
	return perf_open(&attr, cpu);
}

static int ring_open(struct perf_ring *ring, int cpu, size_t page)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.build_id = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		/* It is read at ticks: nobody is woken for it. */
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX,
	};

	ring->fd = perf_open(&attr, cpu);
	if (ring->fd < 0)
		return ring->fd;
	ring->base = mmap(NULL, (1 + RING_PAGES) * page, PROT_READ | PROT_WRITE, MAP_SHARED,
			  ring->fd, 0);
	return ring->base == MAP_FAILED ? -errno : 0;
}

struct perf_rings *perf_rings_open(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct perf_rings *rings = calloc(1, sizeof(*rings));
	int failed = rings && cpus > 0 ? 0 : -ENOMEM;

	if (!failed) {
		rings->page = (size_t)sysconf(_SC_PAGESIZE);
		rings->list = calloc((size_t)cpus, sizeof(*rings->list));
		failed = rings->list ? 0 : -ENOMEM;
	}
	for (int cpu = 0; !failed && cpu < cpus; cpu++) {
		struct perf_ring *ring = &rings->list[rings->n];

		ring->base = MAP_FAILED;
		failed = ring_open(ring, cpu, rings->page);
		/* A CPU that is not there runs nothing that maps. */
		if (failed == -ENODEV)
			failed = 0;
		else
			rings->n++;
	}
	if (!failed)
		return rings;
	perf_rings_free(rings);
	errno = -failed;
	return NULL;
}

void perf_rings_free(struct perf_rings *rings)
{
	if (!rings)
		return;
	for (size_t i = 0; i < rings->n; i++) {
		if (rings->list[i].base != MAP_FAILED)
			munmap(rings->list[i].base, (1 + RING_PAGES) * rings->page);
		if (rings->list[i].fd >= 0)
			close(rings->list[i].fd);
	}
	free(rings->list);
	free(rings);
}

/* Its last words are when it was. */
static uint64_t time_of(const struct perf_event_header *header)
{
	uint64_t time_ns;

	memcpy(&time_ns, (const char *)header + header->size - sizeof(time_ns), sizeof(time_ns));
	return time_ns;
}

static void take_mapped(const struct record_mmap2 *record, probe_mapped_fn fn, void *context)
{
	struct probe_mapped mapped = {
		.time_ns = time_of(&record->header),
		.pid = (int32_t)record->pid,
		.start = record->address,
		.end = record->address + record->length,
		.offset = record->offset,
		.path = record->path,
	};

	if (record->header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID &&
	    record->build_id_size <= sizeof(record->build_id)) {
		mapped.build_id_size = record->build_id_size;
		memcpy(mapped.build_id, record->build_id, record->build_id_size);
	}
	fn(context, &mapped);
}

static void take_exec(const struct record_comm *record, probe_mapped_fn fn, void *context)
{
	struct probe_mapped mapped = {
		.time_ns = time_of(&record->header),
		.pid = (int32_t)record->pid,
		.is_exec = true,
		.path = "",
	};

	if (record->header.misc & PERF_RECORD_MISC_COMM_EXEC)
		fn(context, &mapped);
}

static uint64_t take_record(const struct perf_event_header *header, probe_mapped_fn fn,
			    void *context)
{
	switch (header->type) {
	case PERF_RECORD_MMAP2:
		take_mapped((const struct record_mmap2 *)header, fn, context);
		return 0;
	case PERF_RECORD_COMM:
		take_exec((const struct record_comm *)header, fn, context);
		return 0;
	case PERF_RECORD_LOST:
		return ((const struct record_lost *)header)->lost;
	default:
		return 0;
	}
}

static uint64_t ring_drain(struct perf_ring *ring, size_t page, probe_mapped_fn fn, void *context)
{
	struct perf_event_mmap_page *control = ring->base;
	const char *data = (const char *)ring->base + page;
	uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = control->data_tail, size = RING_PAGES * page, lost = 0;

	while (tail < head) {
		/* A record may go around the ring's end; it is at most 64 KiB - 8 long. */
		char whole[UINT16_MAX + 1] __attribute__((aligned(8)));
		const struct perf_event_header *header =
			(const struct perf_event_header *)(data + tail % size);
		uint64_t length = header->size, first = size - tail % size;

		if (length < sizeof(*header) || length > head - tail)
			break;
		if (length > first) {
			memcpy(whole, header, first);
			memcpy(whole + first, data, length - first);
			header = (const struct perf_event_header *)whole;
		}
		lost += take_record(header, fn, context);
		tail += length;
	}
	__atomic_store_n(&control->data_tail, tail, __ATOMIC_RELEASE);
	return lost;
}

uint64_t perf_rings_drain(struct perf_rings *rings, probe_mapped_fn fn, void *context)
{
	uint64_t lost = 0;

	for (size_t i = 0; rings && i < rings->n; i++)
		lost += ring_drain(&rings->list[i], rings->page, fn, context);
	return lost;
}
