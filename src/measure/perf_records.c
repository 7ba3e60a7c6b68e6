/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/perf_records.h"

#include <linux/perf_event.h>
#include <stddef.h>
#include <string.h>

/* Newer than some headers. */
#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

/* As the kernel writes it (perf_event_open(2), PERF_RECORD_MMAP2); the path and the time follow. */
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
};

struct record_comm {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct record_lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

/* One record, which may have gone around the ring's end; nobody writes to it any more. */
union record {
	struct perf_event_header header;
	struct record_mmap2 mmap2;
	struct record_comm comm;
	struct record_lost lost;
	char bytes[UINT16_MAX];
};

static size_t fixed_size(uint32_t type)
{
	switch (type) {
	case PERF_RECORD_MMAP2:
		return sizeof(struct record_mmap2);
	case PERF_RECORD_COMM:
		return sizeof(struct record_comm);
	case PERF_RECORD_LOST:
		return sizeof(struct record_lost);
	default:
		return 0;
	}
}

/* Its last words are when it was. */
static uint64_t time_of(const union record *record)
{
	uint64_t time_ns;

	memcpy(&time_ns, record->bytes + record->header.size - sizeof(time_ns), sizeof(time_ns));
	return time_ns;
}

/* The record has one of the two. */
static void take_identity(const struct record_mmap2 *mmap2, struct perf_mapped *mapped)
{
	if (!(mmap2->header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) {
		mapped->major = mmap2->major;
		mapped->minor = mmap2->minor;
		mapped->inode = mmap2->inode;
		mapped->generation = mmap2->generation;
	} else if (mmap2->build_id_size <= sizeof(mmap2->build_id)) {
		mapped->build_id_size = mmap2->build_id_size;
		memcpy(mapped->build_id, mmap2->build_id, mmap2->build_id_size);
	}
}

/* False where its path does not end. */
static bool take_mapped(const union record *record, perf_mapped_fn fn, void *context)
{
	const struct record_mmap2 *mmap2 = &record->mmap2;
	struct perf_mapped mapped = {
		.time_ns = time_of(record),
		.pid = (int32_t)mmap2->pid,
		.start = mmap2->address,
		.end = mmap2->address + mmap2->length,
		.offset = mmap2->offset,
		.path = record->bytes + sizeof(*mmap2),
	};

	if (!memchr(mapped.path, '\0', record->header.size - sizeof(*mmap2) - sizeof(uint64_t)))
		return false;
	take_identity(mmap2, &mapped);
	fn(context, &mapped);
	return true;
}

static void take_exec(const union record *record, perf_mapped_fn fn, void *context)
{
	struct perf_mapped mapped = {
		.time_ns = time_of(record),
		.pid = (int32_t)record->comm.pid,
		.is_exec = true,
		.path = "",
	};

	if (record->header.misc & PERF_RECORD_MISC_COMM_EXEC)
		fn(context, &mapped);
}

/* Returns how many are lost by it. */
static uint64_t take_record(const union record *record, perf_mapped_fn fn, void *context)
{
	size_t fixed = fixed_size(record->header.type);

	if (!fixed)
		return 0;
	if (record->header.size < fixed + sizeof(uint64_t))
		return 1;
	switch (record->header.type) {
	case PERF_RECORD_MMAP2:
		return !take_mapped(record, fn, context);
	case PERF_RECORD_COMM:
		take_exec(record, fn, context);
		return 0;
	default:
		return record->lost.lost;
	}
}

/* @n bytes of the ring from @at on. */
static void copy_out(const char *data, uint64_t size, uint64_t at, void *to, uint64_t n)
{
	uint64_t from = at % size, first = size - from < n ? size - from : n;

	memcpy(to, data + from, first);
	memcpy((char *)to + first, data, n - first);
}

uint64_t perf_records_take(const void *data, uint64_t size, uint64_t *tail, uint64_t head,
			   perf_mapped_fn fn, void *context)
{
	union record record;
	uint64_t lost = 0;

	for (uint64_t length; *tail < head; *tail += length) {
		if (head - *tail > size || head - *tail < sizeof(record.header))
			break;
		copy_out(data, size, *tail, &record, sizeof(record.header));
		length = record.header.size;
		if (length < sizeof(record.header) || length > head - *tail)
			break;
		/* But for its length, of which it was decided. */
		copy_out(data, size, *tail, &record, length);
		record.header.size = (uint16_t)length;
		lost += take_record(&record, fn, context);
	}
	if (*tail < head)
		lost++;
	*tail = head;
	return lost;
}
