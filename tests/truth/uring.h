/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As much of io_uring as the server needs, by bare system calls: no library is asked for. */
#ifndef PERFBPF_TRUTH_URING_H
#define PERFBPF_TRUTH_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "truth.h"

#define URING_ENTRIES 1024

struct uring {
	int fd;
	unsigned int to_submit;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static inline int uring_setup(struct io_uring_params *params)
{
	return (int)syscall(SYS_io_uring_setup, URING_ENTRIES, params);
}

struct uring_event {
	uint64_t user_data;
	int32_t res;
};

/* Is io_uring there, and allowed? */
static inline bool uring_works(void)
{
	struct io_uring_params params = {0};
	int fd = uring_setup(&params);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && (params.features & IORING_FEAT_SINGLE_MMAP);
}

static inline void *uring_map(int fd, size_t size, off_t what)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (map == MAP_FAILED)
		truth_die("cannot map io_uring's rings");
	return map;
}

static inline void uring_open(struct uring *ring)
{
	struct io_uring_params params = {0};
	size_t sq_size, cq_size;
	char *map;

	ring->fd = uring_setup(&params);
	ring->to_submit = 0;
	if (ring->fd < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP))
		truth_die("io_uring_setup");
	sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned int);
	cq_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	map = uring_map(ring->fd, sq_size > cq_size ? sq_size : cq_size, IORING_OFF_SQ_RING);
	ring->sqes = uring_map(ring->fd, params.sq_entries * sizeof(*ring->sqes), IORING_OFF_SQES);
	ring->sq_tail = (unsigned int *)(map + params.sq_off.tail);
	ring->sq_mask = (unsigned int *)(map + params.sq_off.ring_mask);
	ring->sq_array = (unsigned int *)(map + params.sq_off.array);
	ring->cq_head = (unsigned int *)(map + params.cq_off.head);
	ring->cq_tail = (unsigned int *)(map + params.cq_off.tail);
	ring->cq_mask = (unsigned int *)(map + params.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(map + params.cq_off.cqes);
}

/* Adds a piece of work; the next uring_wait() hands all of them to the kernel. */
static inline void uring_add(struct uring *ring, uint8_t opcode, int fd, void *data, size_t length,
			     uint64_t user_data)
{
	unsigned int tail = *ring->sq_tail, i = tail & *ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)data;
	sqe->len = (uint32_t)length;
	sqe->user_data = user_data;
	ring->sq_array[i] = i;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring->to_submit++;
}

/* Hands over what was added and waits for what is done next. */
static inline struct uring_event uring_wait(struct uring *ring)
{
	unsigned int head = *ring->cq_head;
	const struct io_uring_cqe *cqe = &ring->cqes[head & *ring->cq_mask];
	struct uring_event event;

	while (ring->to_submit || __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head) {
		bool empty = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head;
		long n = syscall(SYS_io_uring_enter, ring->fd, ring->to_submit, empty ? 1 : 0,
				 IORING_ENTER_GETEVENTS, NULL, 0);

		if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY)
			truth_die("io_uring_enter");
		if (n > 0)
			ring->to_submit -= (unsigned int)n;
	}
	event = (struct uring_event){cqe->user_data, cqe->res};
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return event;
}

#endif
