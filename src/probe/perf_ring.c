/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define RING_PAGES 32

struct perf_ring {
	int fd;
	void *base; /* one page of control, then RING_PAGES of records */
};

struct perf_rings {
	int epoll_fd; /* of all of them */
	size_t n, page;
	struct perf_ring *list;
};

static int perf_open(struct perf_event_attr *attr, int cpu)
{
	int fd = (int)syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* How long cycles are counted: a millisecond would do, but for who interrupts. */
#define CALIBRATE_NS (5 * NSEC_PER_MSEC)

static uint64_t thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t perf_cycles_per_second(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_CPU_CYCLES,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	uint64_t from = thread_ns(), ns, before = 0, after = 0;

	if (fd < 0)
		return 0;
	if (read(fd, &before, sizeof(before)) != sizeof(before))
		before = 0;
	do
		ns = thread_ns() - from;
	while (ns < CALIBRATE_NS);
	if (read(fd, &after, sizeof(after)) != sizeof(after))
		after = before;
	close(fd);
	return (uint64_t)((double)(after - before) * 1e9 / (double)ns);
}

int perf_sampling_open(int cpu, uint64_t frequency, uint64_t cycles)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config = cycles ? PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = (cycles ? cycles : NSEC_PER_SEC) / frequency,
		.disabled = 1,
	};

	return perf_open(&attr, cpu);
}

bool perf_can_sample(bool by_cycles, char *why_not, size_t size)
{
	uint64_t cycles = by_cycles ? perf_cycles_per_second() : 0;
	int fd = by_cycles && !cycles ? -ENOENT : perf_sampling_open(0, 99, cycles);

	if (fd >= 0)
		close(fd);
	else if (by_cycles && !cycles)
		snprintf(why_not, size, "the machine has no such counter");
	else
		snprintf(why_not, size, "perf_event_open: %s", strerror(-fd));
	return fd >= 0;
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
		/* It is read at ticks, and where much comes between two of them. */
		.watermark = 1,
		.wakeup_watermark = (uint32_t)(RING_PAGES * page / 2),
	};

	ring->fd = perf_open(&attr, cpu);
	if (ring->fd < 0)
		return ring->fd;
	ring->base = mmap(NULL, (1 + RING_PAGES) * page, PROT_READ | PROT_WRITE, MAP_SHARED,
			  ring->fd, 0);
	return ring->base == MAP_FAILED ? -errno : 0;
}

static int ring_watch(const struct perf_rings *rings, const struct perf_ring *ring)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(rings->epoll_fd, EPOLL_CTL_ADD, ring->fd, &event) ? -errno : 0;
}

struct perf_rings *perf_rings_open(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct perf_rings *rings = calloc(1, sizeof(*rings));
	int failed = rings && cpus > 0 ? 0 : -ENOMEM;

	if (!failed) {
		rings->page = (size_t)sysconf(_SC_PAGESIZE);
		rings->list = calloc((size_t)cpus, sizeof(*rings->list));
		rings->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		failed = rings->epoll_fd < 0 ? -errno : rings->list ? 0 : -ENOMEM;
	}
	for (int cpu = 0; !failed && cpu < cpus; cpu++) {
		struct perf_ring *ring = &rings->list[rings->n];

		ring->base = MAP_FAILED;
		failed = ring_open(ring, cpu, rings->page);
		if (!failed)
			failed = ring_watch(rings, ring);
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
	if (rings->epoll_fd > 0)
		close(rings->epoll_fd);
	free(rings->list);
	free(rings);
}

int perf_rings_fd(const struct perf_rings *rings)
{
	return rings->epoll_fd;
}

static uint64_t ring_drain(struct perf_ring *ring, size_t page, perf_mapped_fn fn, void *context)
{
	struct perf_event_mmap_page *control = ring->base;
	uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = control->data_tail, lost;

	lost = perf_records_take((const char *)ring->base + page, RING_PAGES * page, &tail, head,
				 fn, context);
	__atomic_store_n(&control->data_tail, tail, __ATOMIC_RELEASE);
	return lost;
}

bool perf_can_tell_mapped(char *why_not, size_t size)
{
	struct perf_rings *rings = perf_rings_open();

	if (!rings)
		snprintf(why_not, size, "perf_event_open: %s", strerror(errno));
	perf_rings_free(rings);
	return rings != NULL;
}

uint64_t perf_rings_drain(struct perf_rings *rings, perf_mapped_fn fn, void *context)
{
	uint64_t lost = 0;

	for (size_t i = 0; rings && i < rings->n; i++)
		lost += ring_drain(&rings->list[i], rings->page, fn, context);
	return lost;
}
