/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of mapped code out of a ring: whole ones, those that go around its end, and broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "measure/perf_records.h"

#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

#define RING_BYTES 4096

struct ring {
	uint8_t data[RING_BYTES];
	uint64_t tail, head;
};

struct taken {
	size_t n;
	struct perf_mapped last;
	char path[256];
	uint64_t times; /* sum */
};

static void take(void *context, const struct perf_mapped *mapped)
{
	struct taken *taken = context;

	taken->n++;
	taken->last = *mapped;
	taken->times += mapped->time_ns;
	strncpy(taken->path, mapped->path, sizeof(taken->path) - 1);
}

static uint64_t take_all(struct ring *ring, struct taken *taken)
{
	uint64_t lost;

	*taken = (struct taken){0};
	lost = perf_records_take(ring->data, RING_BYTES, &ring->tail, ring->head, take, taken);
	assert_int_equal(ring->tail, ring->head);
	return lost;
}

static void put(struct ring *ring, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring->data[ring->head++ % RING_BYTES] = ((const uint8_t *)bytes)[i];
}

/* As perf_event_open(2) has it. */
struct fixed_mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, length, offset;
	uint8_t id_size, reserved[3], id[20];
	uint32_t protection, flags;
};

/* @path_bytes: with its NUL and what fills it up. */
static void put_mmap2(struct ring *ring, uint16_t misc, uint8_t id_size, const char *path,
		      size_t path_bytes, uint64_t time_ns)
{
	struct fixed_mmap2 record = {
		.header = {PERF_RECORD_MMAP2, misc, (uint16_t)(sizeof(record) + path_bytes + 8)},
		.pid = 7,
		.tid = 8,
		.address = 0x1000,
		.length = 0x2000,
		.offset = 0x3000,
		.id_size = id_size,
	};

	char padded[64] = "";

	assert_true(path_bytes <= sizeof(padded));
	memcpy(padded, path, strlen(path));
	memset(record.id, 0xab, sizeof(record.id));
	put(ring, &record, sizeof(record));
	put(ring, padded, path_bytes);
	put(ring, &time_ns, sizeof(time_ns));
}

static void put_comm(struct ring *ring, uint16_t misc, int pid, uint64_t time_ns)
{
	struct perf_event_header header = {PERF_RECORD_COMM, misc, sizeof(header) + 8 + 8 + 8};
	uint32_t ids[] = {(uint32_t)pid, 99};

	put(ring, &header, sizeof(header));
	put(ring, ids, sizeof(ids));
	put(ring, "sh\0\0\0\0\0", 8);
	put(ring, &time_ns, sizeof(time_ns));
}

static void put_lost(struct ring *ring, uint64_t lost)
{
	struct perf_event_header header = {PERF_RECORD_LOST, 0, sizeof(header) + 16 + 8};
	uint64_t words[] = {5, lost, 1234};

	put(ring, &header, sizeof(header));
	put(ring, words, sizeof(words));
}

static void put_header(struct ring *ring, uint32_t type, uint16_t size)
{
	struct perf_event_header header = {type, 0, size};

	put(ring, &header, sizeof(header));
}

static void one_of_each(void **state)
{
	struct ring ring = {.tail = 0};
	struct taken taken;

	(void)state;
	put_mmap2(&ring, PERF_RECORD_MISC_MMAP_BUILD_ID, 20, "/bin/sh", 8, 100);
	assert_int_equal(take_all(&ring, &taken), 0);
	assert_int_equal(taken.n, 1);
	assert_string_equal(taken.path, "/bin/sh");
	assert_int_equal(taken.last.pid, 7);
	assert_int_equal(taken.last.time_ns, 100);
	assert_int_equal(taken.last.start, 0x1000);
	assert_int_equal(taken.last.end, 0x3000);
	assert_int_equal(taken.last.offset, 0x3000);
	assert_int_equal(taken.last.build_id_size, 20);
	assert_int_equal(taken.last.build_id[19], 0xab);
	assert_int_equal(taken.last.inode, 0);
	assert_false(taken.last.is_exec);

	put_comm(&ring, PERF_RECORD_MISC_COMM_EXEC, 12, 200);
	put_comm(&ring, 0, 13, 300); /* a new name only */
	assert_int_equal(take_all(&ring, &taken), 0);
	assert_int_equal(taken.n, 1);
	assert_true(taken.last.is_exec);
	assert_int_equal(taken.last.pid, 12);
	assert_int_equal(taken.last.time_ns, 200);

	put_lost(&ring, 17);
	assert_int_equal(take_all(&ring, &taken), 17);
	assert_int_equal(taken.n, 0);
	/* Of a kind that nobody has asked for. */
	put_header(&ring, PERF_RECORD_EXIT, 8);
	assert_int_equal(take_all(&ring, &taken), 0);
	assert_int_equal(taken.n, 0);
}

static void without_a_build_id(void **state)
{
	struct ring ring = {.tail = 0};
	struct taken taken;

	(void)state;
	/* Then it is the file's device and inode that lie there. */
	put_mmap2(&ring, 0, 20, "/bin/sh", 8, 100);
	assert_int_equal(take_all(&ring, &taken), 0);
	assert_int_equal(taken.last.build_id_size, 0);
	assert_int_equal(taken.last.major, 20);
	assert_int_equal(taken.last.minor, 0xabababab);
	assert_true(taken.last.inode == 0xabababababababab);
	assert_true(taken.last.generation == 0xabababababababab);
	put_mmap2(&ring, PERF_RECORD_MISC_MMAP_BUILD_ID, 21, "/bin/sh", 8, 100);
	assert_int_equal(take_all(&ring, &taken), 0);
	assert_int_equal(taken.n, 1);
	assert_int_equal(taken.last.build_id_size, 0);
}

/* At each place of the ring, so that each byte of a record once comes to lie at its end. */
static void around_the_end(void **state)
{
	static struct ring ring;
	struct taken taken;
	uint64_t times = 0;
	size_t n = 0;

	(void)state;
	ring.tail = ring.head = UINT64_C(1) << 40;
	for (uint64_t i = 0; i < 4000; i++) {
		put_mmap2(&ring, 0, 0, "/usr/lib/libfoo.so.1.2.3", 32, i);
		put_comm(&ring, PERF_RECORD_MISC_COMM_EXEC, 5, i);
		assert_int_equal(take_all(&ring, &taken), 0);
		assert_int_equal(taken.n, 2);
		n += taken.n;
		times += taken.times;
	}
	assert_int_equal(n, 8000);
	assert_int_equal(times, 2 * (4000 * 3999 / 2));
}

static void a_full_ring(void **state)
{
	static struct ring ring;
	struct taken taken;
	size_t n = 0;

	(void)state;
	ring.tail = ring.head = 24;
	while (ring.head - ring.tail + 120 <= RING_BYTES) {
		put_mmap2(&ring, 0, 0, "/usr/lib/libfoo.so.1.2.3", 32, 1);
		n++;
	}
	assert_int_equal(take_all(&ring, &taken), 0);
	assert_int_equal(taken.n, n);
}

static void lengths_that_make_no_sense(void **state)
{
	static const uint16_t sizes[] = {0, 1, 7, 9000, UINT16_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ring ring = {.tail = 0};
		struct taken taken;

		put_mmap2(&ring, 0, 0, "/bin/sh", 8, 100);
		put_header(&ring, PERF_RECORD_MMAP2, sizes[i]);
		put_mmap2(&ring, 0, 0, "/bin/sh", 8, 100);
		assert_int_equal(take_all(&ring, &taken), 1);
		assert_int_equal(taken.n, 1);
		/* What comes later is read again. */
		put_comm(&ring, PERF_RECORD_MISC_COMM_EXEC, 12, 200);
		assert_int_equal(take_all(&ring, &taken), 0);
		assert_int_equal(taken.n, 1);
	}
}

/* The length is sound, and too short for what it should hold: the next one is not lost by that. */
static void records_that_are_too_short(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t size;
	} cases[] = {
		{PERF_RECORD_MMAP2, 8},  {PERF_RECORD_MMAP2, 72}, {PERF_RECORD_COMM, 8},
		{PERF_RECORD_COMM, 16},  {PERF_RECORD_LOST, 8},   {PERF_RECORD_LOST, 24},
		{PERF_RECORD_MMAP2, 79},
	};
	static const uint8_t zeros[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ring ring = {.tail = 0};
		struct taken taken;

		put_header(&ring, cases[i].type, cases[i].size);
		put(&ring, zeros, cases[i].size - 8U);
		put_mmap2(&ring, 0, 0, "/bin/sh", 8, 100);
		assert_int_equal(take_all(&ring, &taken), 1);
		assert_int_equal(taken.n, 1);
		assert_string_equal(taken.path, "/bin/sh");
	}
}

static void a_path_without_an_end(void **state)
{
	struct ring ring = {.tail = 0};
	struct taken taken;

	(void)state;
	put_mmap2(&ring, 0, 0, "/bin/shx", 8, 0);
	put_mmap2(&ring, 0, 0, "", 0, 0);
	put_mmap2(&ring, 0, 0, "", 8, 100);
	assert_int_equal(take_all(&ring, &taken), 2);
	assert_int_equal(taken.n, 1);
	assert_string_equal(taken.path, "");
}

/* More than the ring holds, or less than a header: it was torn. */
static void places_that_make_no_sense(void **state)
{
	struct ring ring = {.tail = 0};
	struct taken taken;

	(void)state;
	put_mmap2(&ring, 0, 0, "/bin/sh", 8, 100);
	ring.head += RING_BYTES;
	assert_int_equal(take_all(&ring, &taken), 1);
	assert_int_equal(taken.n, 0);
	ring.head += 7;
	assert_int_equal(take_all(&ring, &taken), 1);
	assert_int_equal(taken.n, 0);
	assert_int_equal(take_all(&ring, &taken), 0);
}

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* Whatever lies there, it ends. */
static void any_bytes(void **state)
{
	static struct ring ring;
	uint64_t seed = 1;
	struct taken taken;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint8_t *data = ring.data;

		for (size_t at = 0; at < RING_BYTES; at += 8) {
			struct perf_event_header header = {
				.type = (uint32_t)random_next(&seed) % 12,
				.misc = (uint16_t)random_next(&seed),
				.size = (uint16_t)(random_next(&seed) % 160),
			};

			memcpy(data + at, &header, sizeof(header));
		}
		ring.tail = random_next(&seed);
		ring.head = ring.tail + random_next(&seed) % (RING_BYTES + 8);
		take_all(&ring, &taken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_each),
		cmocka_unit_test(without_a_build_id),
		cmocka_unit_test(around_the_end),
		cmocka_unit_test(a_full_ring),
		cmocka_unit_test(lengths_that_make_no_sense),
		cmocka_unit_test(records_that_are_too_short),
		cmocka_unit_test(a_path_without_an_end),
		cmocka_unit_test(places_that_make_no_sense),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
