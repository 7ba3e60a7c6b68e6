/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events that were lost, slots that are used again, more than is listed, and what no kernel sends.
 */
#include "sample_tree.h"

static void a_slot_is_used_again(void **state)
{
	struct side *side = *state;
	struct pb_event_exit stale;

	tree_window_open(side->tree, 100);
	start(side, 1, 10, 110)->totals.cpu_ns = 5;
	end(side, 1, 120);
	start(side, 1, 10, 130)->totals.cpu_ns = 70;
	assert_int_equal(n_listed(side), 2);
	assert_int_equal(cpu_now(side), 75);
	assert_int_equal(live_now(side), 1);
	assert_int_equal(tree_find(side->tree, 10)->started_ns, 130);
	/* Events of another process are not this one's. */
	stale = (struct pb_event_exit){.event = event_of(side, PB_EVENT_EXIT, 1, 140)};
	stale.event.id += 100;
	stale.totals.cpu_ns = 100000;
	assert_int_equal(tree_event(side->tree, &stale.event, sizeof(stale)), 1);
	assert_int_equal(cpu_now(side), 75);
	assert_int_equal(live_now(side), 1);
	/* The account is another's, whose start has not been taken in. */
	side->slots[1].id += 100;
	assert_int_equal(live_now(side), 0);
}

/* A start that found the ring full: the slot must come back all the same. */
static void an_unknown_process_gives_its_slot_back(void **state)
{
	struct side *side = *state;

	begin(side, 9, 10);
	exec_told(side, 9, "x", "/x");
	end(side, 9, 50);
	assert_int_equal(n_listed(side), 0);
}

static void a_lost_end_counts_once(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = start(side, 1, 10, 100);
	struct tree_sum sum;

	fill_totals(&account->totals, 1000, 10);
	tree_window_open(side->tree, 200);
	fill_totals(&account->totals, 1007, 13);
	end_lost(side, 1);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 7, 3);
	assert_int_equal(sum.live, 0);
	/* Nor when its slot has another process. */
	account = start(side, 1, 11, 300);
	account->totals.cpu_ns = 400;
	assert_int_equal(cpu_now(side), 407);
	assert_int_equal(cpu_now(side), 407);
	assert_int_equal(live_now(side), 1);
	end_lost(side, 1);
	start(side, 1, 12, 400);
	assert_int_equal(cpu_now(side), 407);
	end(side, 1, 500);
	assert_int_equal(cpu_now(side), 407);
	/* Another window has nothing to take off for those of this one. */
	tree_window_close(side->tree, 600);
	tree_window_open(side->tree, 700);
	assert_int_equal(cpu_now(side), 0);
	side->slots[PB_SLOT_OVERFLOW].totals.cpu_ns += 6;
	assert_int_equal(cpu_now(side), 6);
}

static void a_lost_end_before_the_window(void **state)
{
	struct side *side = *state;

	start(side, 1, 10, 100)->totals.cpu_ns = 1000;
	start(side, 2, 11, 100)->totals.cpu_ns = 2000;
	end_lost(side, 1);
	end_lost(side, 2);
	start(side, 2, 12, 150)->totals.cpu_ns = 30;
	tree_window_open(side->tree, 200);
	assert_int_equal(n_listed(side), 1);
	assert_non_null(listed(side, 12));
	assert_int_equal(cpu_now(side), 0);
	start(side, 1, 13, 250)->totals.cpu_ns = 4;
	side->slots[2].totals.cpu_ns += 5;
	assert_int_equal(cpu_now(side), 9);
}

static void the_overflow_slot(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	fill_totals(&side->slots[PB_SLOT_OVERFLOW].totals, 100, 2);
	tree_window_open(side->tree, 200);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 0, 0);
	fill_totals(&side->slots[PB_SLOT_OVERFLOW].totals, 109, 5);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 9, 3);
}

static void every_slot_at_a_time(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	tree_window_open(side->tree, 100);
	for (uint32_t i = 1; i < PB_SLOTS; i++) {
		start(side, i, (int)i, 200)->totals.cpu_ns = i;
		side->slots[i].memory.mm = i / 2 + 1;
		side->slots[i].memory.vms_bytes = 1;
	}
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.live, PB_SLOTS - 1);
	assert_int_equal(sum.used.cpu_ns, (uint64_t)PB_SLOTS * (PB_SLOTS - 1) / 2);
	assert_int_equal(sum.vms_bytes, PB_SLOTS / 2);
}

/* Of no more than the bound and the few that live, whatever has passed through. */
static void assert_bounded(const struct side *side)
{
	size_t n;

	tree_processes(side->tree, &n);
	assert_in_range(n, 1, TREE_MAX_ENDED + 5);
}

/* Two at a time, beside one that stays. */
static uint64_t pass_through(struct side *side, uint64_t processes)
{
	uint64_t cpu_ns = 0;

	for (uint64_t i = 0; i < processes; i += 2) {
		start(side, 1, (int)(10 + i), 200 + i)->totals.cpu_ns = i;
		start(side, 3, (int)(11 + i), 200 + i)->totals.cpu_ns = i + 1;
		cpu_ns += 2 * i + 1;
		end(side, 1, 201 + i);
		end(side, 3, 202 + i);
	}
	return cpu_ns;
}

static void more_than_are_listed(void **state)
{
	struct side *side = *state;
	uint64_t cpu_ns;

	start(side, 2, 1, 10)->totals.cpu_ns = 77;
	tree_window_open(side->tree, 100);
	cpu_ns = pass_through(side, TREE_MAX_ENDED + 7000);
	assert_int_equal(cpu_now(side), cpu_ns);
	assert_int_equal(tree_unlisted(side->tree), 7000);
	assert_int_equal(n_listed(side), TREE_MAX_ENDED + 1);
	assert_bounded(side);
	/* Those that live are listed in any case. */
	for (uint32_t i = 3; i < 10; i++)
		start(side, i, (int)i, 90000)->totals.cpu_ns = i;
	side->slots[2].totals.cpu_ns += 11;
	tree_window_close(side->tree, 100000);
	assert_int_equal(listed(side, 1)->used.cpu_ns, 11);
	for (int pid = 3; pid < 10; pid++)
		assert_int_equal(listed(side, pid)->used.cpu_ns, pid);
}

static void a_new_window_lists_anew(void **state)
{
	struct side *side = *state;

	start(side, 2, 1, 10);
	tree_window_open(side->tree, 100);
	pass_through(side, TREE_MAX_ENDED + 7000);
	tree_window_close(side->tree, 100000);
	tree_window_open(side->tree, 200000);
	assert_int_equal(tree_unlisted(side->tree), 0);
	assert_int_equal(n_listed(side), 1);
	assert_int_equal(cpu_now(side), 0);
	for (uint32_t i = 3; i < 10; i++)
		start(side, i, (int)i, 200001)->totals.cpu_ns = i;
	assert_int_equal(n_listed(side), 8);
	end(side, 5, 200002);
	assert_int_equal(listed(side, 5)->used.cpu_ns, 5);
	assert_int_equal(tree_unlisted(side->tree), 0);
	assert_int_equal(cpu_now(side), 42);
}

static void lost_ends_are_bounded_too(void **state)
{
	struct side *side = *state;

	tree_window_open(side->tree, 100);
	for (int i = 0; i < TREE_MAX_ENDED + 7000; i++) {
		start(side, 1, 10 + i, 200)->totals.cpu_ns = 2;
		end_lost(side, 1);
	}
	start(side, 1, 5, 300);
	assert_int_equal(cpu_now(side), 2 * (TREE_MAX_ENDED + 7000));
	assert_int_equal(tree_unlisted(side->tree), TREE_MAX_ENDED + 7000);
	assert_int_equal(n_listed(side), 1);
	assert_bounded(side);
}

/* Of each kind, and of one that does not exist: the size of the whole, and its last byte missing.
 */
static const size_t sizes[] = {
	[PB_EVENT_START] = sizeof(struct pb_event_start),
	[PB_EVENT_EXEC] = sizeof(struct pb_event_exec),
	[PB_EVENT_EXIT] = sizeof(struct pb_event_exit),
	[PB_EVENT_THREAD] = sizeof(struct pb_event_thread),
	[PB_EVENT_PAYLOAD + 1] = 0,
};

/* A copy of the right size lets the sanitizer see what is read behind it. */
static void cut_told(struct side *side, uint32_t kind, uint32_t slot, size_t size)
{
	struct pb_event event = event_of(side, kind, 1, 200);
	uint8_t *copy = malloc(size ? size : 1);

	event.slot = slot;
	memset(copy, 0x41, size);
	memcpy(copy, &event, size < sizeof(event) ? size : sizeof(event));
	assert_int_equal(tree_event(side->tree, (struct pb_event *)copy, size), 0);
	free(copy);
}

static void malformed_events(void **state)
{
	struct side *side = *state;

	start(side, 1, 10, 100)->totals.cpu_ns = 5;
	tree_window_open(side->tree, 50);
	for (uint32_t kind = 0; kind < sizeof(sizes) / sizeof(sizes[0]); kind++) {
		size_t large = sizeof(struct pb_event_exit) + sizeof(struct pb_event_exec);

		for (size_t size = 0; size < sizes[kind]; size++)
			cut_told(side, kind, 1, size);
		cut_told(side, kind, 1, sizeof(struct pb_event));
		cut_told(side, kind, PB_SLOTS, large);
		cut_told(side, kind, PB_SLOT_PENDING, large);
		/* Threads may be of nobody, processes may not. */
		if (kind != PB_EVENT_THREAD)
			cut_told(side, kind, PB_SLOT_OVERFLOW, large);
		if (!sizes[kind])
			cut_told(side, kind, 1, large);
	}
	assert_int_equal(n_listed(side), 1);
	assert_int_equal(live_now(side), 1);
	assert_string_equal(listed(side, 10)->comm, "started");
	assert_int_equal(listed(side, 10)->execs, 0);
	assert_time(&listed(side, 10)->time, 0);
	assert_int_equal(tree_threads(side->tree)->n, 0);
	assert_time(&tree_threads(side->tree)->sum, 0);
	assert_int_equal(tree_last_exit_ns(side->tree), 0);
	assert_int_equal(cpu_now(side), 0);
	end(side, 1, 300);
	assert_int_equal(listed(side, 10)->exited_ns, 300);
}

static void totals_never_fall_below_zero(void **state)
{
	struct pb_totals a, b, c;

	(void)state;
	fill_totals(&a, 5, 1);
	fill_totals(&b, 5 + PB_TOTALS_FIELDS, 0);
	totals_subtract(&c, &a, &b);
	assert_totals(&c, 0, 0);
	totals_subtract(&c, &b, &b);
	assert_totals(&c, 0, 0);
	fill_totals(&b, 2, 1);
	totals_subtract(&a, &a, &b);
	assert_totals(&a, 3, 0);
	totals_accumulate(&a, &b);
	assert_totals(&a, 5, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slot_is_used_again),
		TEST(an_unknown_process_gives_its_slot_back),
		TEST(a_lost_end_counts_once),
		TEST(a_lost_end_before_the_window),
		TEST(the_overflow_slot),
		TEST(every_slot_at_a_time),
		TEST(more_than_are_listed),
		TEST(a_new_window_lists_anew),
		TEST(lost_ends_are_bounded_too),
		TEST(malformed_events),
		TEST(totals_never_fall_below_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
