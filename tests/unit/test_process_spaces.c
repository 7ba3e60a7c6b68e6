/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What processes have mapped, through forks, copies, execs and ends, whatever the order in which
 * they are told; and what the kernel is told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "conduct/process_spaces.h"
#include "made_tables.h"

struct fixture {
	struct made_tables *made;
	struct tables *tables;
	struct objects *objects;
	struct pb_slot *slots;
	struct process_spaces *spaces;
	uint32_t sweep;
	uint64_t now;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->made = made_tables_new(1000);
	fixture->tables = tables_new(&fixture->made->memory, 0);
	fixture->objects = objects_new();
	fixture->slots = calloc(PB_SLOTS, sizeof(*fixture->slots));
	fixture->spaces = process_spaces_new(fixture->objects, fixture->tables, fixture->slots);
	*state = fixture;
	return fixture->spaces ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	process_spaces_free(fixture->spaces);
	objects_free(fixture->objects);
	tables_free(fixture->tables);
	assert_int_equal(fixture->made->n_open, 0);
	made_tables_free(fixture->made);
	free(fixture->slots);
	free(fixture);
	return 0;
}

static void settle_until(struct fixture *fixture, uint64_t until_ns)
{
	process_spaces_sort(fixture->spaces);
	process_spaces_settle(fixture->spaces, until_ns);
	tables_settle(fixture->tables, ++fixture->sweep);
}

static void settle(struct fixture *fixture)
{
	settle_until(fixture, UINT64_MAX);
}

/* As the kernel does at a fork: the child's account has what the parent's has. The slot of a
 * process has the number of its id. */
static void fork_untold(struct fixture *fixture, uint64_t id, uint64_t parent)
{
	struct pb_slot *slot = &fixture->slots[id], *from = &fixture->slots[parent];

	*slot = (struct pb_slot){.id = id};
	if (parent)
		slot->space = from->space >> 32 == from->execs ? (uint32_t)from->space : 0;
}

static void tell_start(struct fixture *fixture, uint64_t id, int pid, int ppid, uint32_t enrolled,
		       uint64_t time_ns)
{
	struct pb_event_start start = {
		.event = {PB_EVENT_START, (uint32_t)id, id, time_ns},
		.pid = pid,
		.ppid = ppid,
		.enrolled = enrolled,
	};

	process_spaces_event(fixture->spaces, &start.event);
}

static void fork_at(struct fixture *fixture, uint64_t id, uint64_t parent, uint64_t time_ns)
{
	fork_untold(fixture, id, parent);
	tell_start(fixture, id, 100 + (int)id, parent ? 100 + (int)parent : 1, 0, time_ns);
}

static void end_at(struct fixture *fixture, uint64_t id, uint64_t time_ns)
{
	struct pb_event_exit end = {.event = {PB_EVENT_EXIT, (uint32_t)id, id, time_ns}};

	process_spaces_event(fixture->spaces, &end.event);
}

static void map_pid(struct fixture *fixture, int pid, uint64_t start, const char *path,
		    uint64_t time_ns)
{
	struct perf_mapped mapped = {
		.time_ns = time_ns,
		.pid = pid,
		.start = start,
		.end = start + 0x1000,
		.path = path,
	};

	process_spaces_mapped(fixture->spaces, &mapped);
}

static void map_at(struct fixture *fixture, uint64_t id, uint64_t start, const char *path,
		   uint64_t time_ns)
{
	map_pid(fixture, 100 + (int)id, start, path, time_ns);
}

/* The image's number counts up a little later, when exec is done. */
static void exec_at(struct fixture *fixture, uint64_t id, uint64_t time_ns)
{
	struct perf_mapped mapped = {
		.time_ns = time_ns, .pid = 100 + (int)id, .is_exec = true, .path = ""};

	process_spaces_mapped(fixture->spaces, &mapped);
}

static const struct space *space_of(struct fixture *fixture, uint64_t id)
{
	struct process_space *process = process_spaces_find(fixture->spaces, id);

	assert_non_null(process);
	assert_int_equal(process->id, id);
	return process->space;
}

/* Which path lies at @address of the process, "" where nothing does. */
static const char *path_at(struct fixture *fixture, uint64_t id, uint64_t address)
{
	const struct process_space *process = process_spaces_find(fixture->spaces, id);
	const struct space_mapping *mapping =
		process ? process_spaces_locate(fixture->spaces, process, address) : NULL;
	const struct object *object =
		mapping ? objects_at(fixture->objects, mapping->object) : NULL;

	return object ? object->path : mapping ? "anon" : "";
}

static void publish(struct fixture *fixture, uint64_t id, uint32_t execs)
{
	process_spaces_publish(fixture->spaces, process_spaces_find(fixture->spaces, id), execs);
}

/* What the kernel would walk the process's stacks by; 0: nothing. */
static uint32_t table_of(const struct fixture *fixture, uint64_t id)
{
	const struct pb_slot *slot = &fixture->slots[id];

	return slot->space >> 32 == slot->execs ? (uint32_t)slot->space : 0;
}

static uint64_t told_start(const struct fixture *fixture, uint64_t id)
{
	const struct pb_space *space = &fixture->made->memory.spaces[table_of(fixture, id)];

	return fixture->made->mappings[space->first].start;
}

static void mapped_and_told(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	map_at(fixture, 1, 0x9000, "//anon", 30);
	map_pid(fixture, 5555, 0x3000, "/no/b", 30);
	settle(fixture);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	assert_string_equal(path_at(fixture, 1, 0x1fff), "/no/a");
	assert_string_equal(path_at(fixture, 1, 0x2000), "");
	assert_string_equal(path_at(fixture, 1, 0x9000), "anon");
	assert_int_equal(space_of(fixture, 1)->n, 2);
	/* Nobody else's file is kept. */
	assert_null(objects_at(fixture->objects, 2));
	assert_int_equal(table_of(fixture, 1), 0);
	publish(fixture, 1, 0);
	assert_int_not_equal(table_of(fixture, 1), 0);
	assert_int_equal(told_start(fixture, 1), 0x1000);
	/* What it maps then makes that old. */
	map_at(fixture, 1, 0x0, "/no/c", 40);
	settle(fixture);
	assert_int_equal(table_of(fixture, 1), 0);
	publish(fixture, 1, 0);
	assert_int_equal(told_start(fixture, 1), 0);
	assert_int_equal(process_spaces_lost(fixture->spaces), 0);
}

/* Memory that is made executable again, as run-time compilers do: what the kernel knows stays
 * right. */
static void mapped_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	uint32_t table;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "//anon", 20);
	settle(fixture);
	publish(fixture, 1, 0);
	table = table_of(fixture, 1);
	assert_int_not_equal(table, 0);
	map_at(fixture, 1, 0x1000, "//anon", 30);
	settle(fixture);
	assert_int_equal(table_of(fixture, 1), table);
	map_at(fixture, 1, 0x1000, "/no/a", 40);
	settle(fixture);
	assert_int_equal(table_of(fixture, 1), 0);
}

static void forks_inherit(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	fork_at(fixture, 2, 1, 30);
	map_at(fixture, 1, 0x2000, "/no/b", 40);
	fork_at(fixture, 3, 1, 50);
	settle(fixture);
	assert_string_equal(path_at(fixture, 2, 0x1000), "/no/a");
	assert_string_equal(path_at(fixture, 2, 0x2000), "");
	assert_string_equal(path_at(fixture, 3, 0x2000), "/no/b");
	assert_ptr_equal(space_of(fixture, 3), space_of(fixture, 1));
	/* Copied when one of them maps. */
	map_at(fixture, 3, 0x3000, "/no/c", 60);
	settle(fixture);
	assert_string_equal(path_at(fixture, 3, 0x1000), "/no/a");
	assert_string_equal(path_at(fixture, 3, 0x3000), "/no/c");
	assert_string_equal(path_at(fixture, 1, 0x3000), "");
	assert_int_equal(space_of(fixture, 1)->refs, 1);
	/* A grandchild whose parent has ended by then. */
	fork_at(fixture, 4, 3, 70);
	end_at(fixture, 3, 80);
	settle(fixture);
	assert_null(process_spaces_find(fixture->spaces, 3));
	assert_string_equal(path_at(fixture, 4, 0x3000), "/no/c");
}

static void a_fork_takes_the_table_along(void **state)
{
	struct fixture *fixture = *state;
	uint32_t table;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	settle(fixture);
	publish(fixture, 1, 0);
	table = table_of(fixture, 1);
	fork_at(fixture, 2, 1, 30);
	assert_int_equal(table_of(fixture, 2), table);
	settle(fixture);
	assert_int_equal(table_of(fixture, 2), table);
	/* The parent goes its way: the child still has it, and nobody else gets it. */
	map_at(fixture, 1, 0x0, "/no/b", 40);
	settle(fixture);
	assert_int_equal(table_of(fixture, 1), 0);
	assert_int_equal(table_of(fixture, 2), table);
	for (int i = 0; i < 4; i++) {
		map_at(fixture, 1, 0x10000 + 0x1000 * (uint64_t)i, "/no/b", 50);
		settle(fixture);
		publish(fixture, 1, 0);
		assert_int_not_equal(table_of(fixture, 1), table);
		assert_int_equal(told_start(fixture, 2), 0x1000);
	}
	end_at(fixture, 2, 60);
	settle(fixture);
	settle(fixture);
	assert_int_equal(told_start(fixture, 2), 0x1000);
}

/* Told at the fork by the kernel, of what the parent had before a change that was not applied. */
static void a_fork_takes_an_old_table_along(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	settle(fixture);
	publish(fixture, 1, 0);
	map_at(fixture, 1, 0x2000, "/no/b", 30);
	fork_at(fixture, 2, 1, 40);
	assert_int_not_equal(table_of(fixture, 2), 0);
	settle(fixture);
	assert_int_equal(table_of(fixture, 2), 0);
	publish(fixture, 2, 0);
	assert_int_not_equal(table_of(fixture, 2), 0);
	assert_int_equal(table_of(fixture, 1), 0);
	publish(fixture, 1, 0);
	assert_int_equal(table_of(fixture, 1), table_of(fixture, 2));
}

static void an_exec_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	fork_at(fixture, 2, 1, 30);
	settle(fixture);
	publish(fixture, 2, 0);
	exec_at(fixture, 2, 40);
	map_at(fixture, 2, 0x5000, "/no/b", 41);
	fixture->slots[2].execs = 1;
	/* What the kernel knows is of the image before. */
	assert_int_equal(table_of(fixture, 2), 0);
	settle(fixture);
	assert_string_equal(path_at(fixture, 2, 0x1000), "");
	assert_string_equal(path_at(fixture, 2, 0x5000), "/no/b");
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	publish(fixture, 2, 1);
	assert_int_equal(fixture->slots[2].space >> 32, 1);
	assert_int_equal(told_start(fixture, 2), 0x5000);
	/* A child of that image: its own first one has number 0. */
	fork_at(fixture, 3, 2, 50);
	assert_int_equal(fixture->slots[3].space, table_of(fixture, 2));
	settle(fixture);
	assert_int_equal(fixture->slots[3].space, table_of(fixture, 2));
	assert_string_equal(path_at(fixture, 3, 0x5000), "/no/b");
}

/* A sample in the middle of an exec has the number of the image before. */
static void told_again_for_the_next_image(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	exec_at(fixture, 1, 20);
	map_at(fixture, 1, 0x1000, "/no/a", 30);
	settle(fixture);
	publish(fixture, 1, 0);
	fixture->slots[1].execs = 1;
	assert_int_equal(table_of(fixture, 1), 0);
	publish(fixture, 1, 1);
	assert_int_equal(told_start(fixture, 1), 0x1000);
}

/* All of it comes in the wrong order, and means what it means in the right one. */
static void told_in_any_order(void **state)
{
	struct fixture *fixture = *state;

	map_at(fixture, 2, 0x7000, "/no/c", 70);
	exec_at(fixture, 2, 60);
	map_at(fixture, 1, 0x3000, "/no/b", 50);
	fork_at(fixture, 3, 2, 45);
	map_at(fixture, 2, 0x2000, "/no/x", 40);
	fork_at(fixture, 2, 1, 30);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	fork_at(fixture, 1, 0, 10);
	settle(fixture);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	assert_string_equal(path_at(fixture, 1, 0x3000), "/no/b");
	assert_string_equal(path_at(fixture, 1, 0x2000), "");
	assert_string_equal(path_at(fixture, 2, 0x1000), "");
	assert_string_equal(path_at(fixture, 2, 0x7000), "/no/c");
	assert_string_equal(path_at(fixture, 3, 0x1000), "/no/a");
	assert_string_equal(path_at(fixture, 3, 0x2000), "/no/x");
	assert_string_equal(path_at(fixture, 3, 0x3000), "");
}

static void as_it_was_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	map_at(fixture, 1, 0x1000, "/no/b", 30);
	end_at(fixture, 1, 40);
	process_spaces_sort(fixture->spaces);
	process_spaces_apply(fixture->spaces, 9);
	assert_null(process_spaces_find(fixture->spaces, 1));
	process_spaces_apply(fixture->spaces, 20);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	process_spaces_apply(fixture->spaces, 29);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	process_spaces_apply(fixture->spaces, 30);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/b");
	/* Until all is settled, those that have ended are still there. */
	process_spaces_apply(fixture->spaces, UINT64_MAX);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/b");
	settle(fixture);
	assert_null(process_spaces_find(fixture->spaces, 1));
}

/* A fork is heard of sooner than what the parent mapped before: it waits for that. */
static void what_is_too_new_waits(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	fork_at(fixture, 2, 1, 30);
	end_at(fixture, 1, 40);
	settle_until(fixture, 25);
	assert_null(process_spaces_find(fixture->spaces, 2));
	assert_non_null(process_spaces_find(fixture->spaces, 1));
	map_at(fixture, 1, 0x1000, "/no/a", 28);
	settle_until(fixture, 100);
	assert_string_equal(path_at(fixture, 2, 0x1000), "/no/a");
	assert_null(process_spaces_find(fixture->spaces, 1));
	/* What waits when all ends is given back. */
	map_at(fixture, 1, 0x2000, "/no/a", 200);
	settle_until(fixture, 150);
}

/* The number of one that has not been seen to end is given to another. */
static void a_number_is_given_again(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	fork_untold(fixture, 2, 0);
	tell_start(fixture, 2, 101, 1, 0, 30);
	map_pid(fixture, 101, 0x2000, "/no/b", 40);
	end_at(fixture, 1, 50);
	map_pid(fixture, 101, 0x3000, "/no/c", 60);
	process_spaces_sort(fixture->spaces);
	process_spaces_apply(fixture->spaces, 45);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	assert_string_equal(path_at(fixture, 1, 0x2000), "");
	assert_string_equal(path_at(fixture, 2, 0x2000), "/no/b");
	settle(fixture);
	assert_null(process_spaces_find(fixture->spaces, 1));
	assert_string_equal(path_at(fixture, 2, 0x3000), "/no/c");
	assert_string_equal(path_at(fixture, 2, 0x1000), "");
	/* Or after its end, as it should be, in one go. */
	end_at(fixture, 2, 70);
	fork_untold(fixture, 3, 0);
	tell_start(fixture, 3, 101, 1, 0, 80);
	map_pid(fixture, 101, 0x4000, "/no/d", 90);
	settle(fixture);
	assert_null(process_spaces_find(fixture->spaces, 2));
	assert_string_equal(path_at(fixture, 3, 0x4000), "/no/d");
	assert_string_equal(path_at(fixture, 3, 0x3000), "");
}

/* One that ran before tells all that it has mapped: what its parent has is not its. */
static void one_that_ran_before_inherits_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct pb_event_mapping told = {
		.event = {PB_EVENT_MAPPING, 2, 2, 40},
		.start = 0x5000,
		.end = 0x6000,
		.path = "/no/b",
	};

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	fork_untold(fixture, 2, 0);
	tell_start(fixture, 2, 102, 101, 1, 30);
	process_spaces_mapping(fixture->spaces, &told);
	told.path[0] = '\0';
	told.start = 0x7000;
	told.end = 0x8000;
	process_spaces_mapping(fixture->spaces, &told);
	settle(fixture);
	assert_string_equal(path_at(fixture, 2, 0x1000), "");
	assert_string_equal(path_at(fixture, 2, 0x5000), "/no/b");
	assert_string_equal(path_at(fixture, 2, 0x7000), "anon");
}

/* The account has another process by now, or none of its own: it is left alone. */
static void accounts_of_others(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	settle(fixture);
	fixture->slots[1] = (struct pb_slot){.id = 99, .space = 1234};
	publish(fixture, 1, 0);
	assert_int_equal(fixture->slots[1].space, 1234);
	end_at(fixture, 1, 30);
	settle(fixture);
	assert_int_equal(fixture->slots[1].space, 1234);
	/* Events that no kernel sends. */
	process_spaces_event(fixture->spaces, &(struct pb_event){PB_EVENT_EXIT, PB_SLOTS, 5, 40});
	process_spaces_event(fixture->spaces, &(struct pb_event){PB_EVENT_EXIT, 1, 0, 40});
	process_spaces_event(fixture->spaces, &(struct pb_event){PB_EVENT_EXEC, 1, 1, 40});
	map_pid(fixture, 0, 0x1000, "/no/a", 50);
	map_pid(fixture, -1, 0x1000, "/no/a", 50);
	settle(fixture);
}

/* The kernel's tables are full: it is told nothing, and told when there is room. */
static void no_room_in_the_tables(void **state)
{
	struct fixture *fixture = *state;
	struct space_mapping *list = calloc(PB_MAPPINGS, sizeof(*list));
	struct space all = {.refs = 1, .n = PB_MAPPINGS, .list = list};

	assert_int_equal(tables_publish(fixture->tables, &all), 0);
	fork_at(fixture, 1, 0, 10);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	settle(fixture);
	publish(fixture, 1, 0);
	assert_int_equal(table_of(fixture, 1), 0);
	tables_retire(fixture->tables, all.table);
	settle(fixture);
	settle(fixture);
	publish(fixture, 1, 0);
	assert_int_equal(told_start(fixture, 1), 0x1000);
	free(list);
}

/* What a machine can say in one tick is bounded, and so is what is kept of it. */
static void too_much_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	fork_at(fixture, 1, 0, 10);
	for (int i = 0; i < 70000; i++)
		map_pid(fixture, 7000 + i % 100, 0x1000, "/no/a", 20);
	assert_int_equal(process_spaces_lost(fixture->spaces), 70000 + 1 - 65536);
	settle(fixture);
	map_at(fixture, 1, 0x1000, "/no/a", 20);
	settle(fixture);
	assert_string_equal(path_at(fixture, 1, 0x1000), "/no/a");
	assert_int_equal(process_spaces_lost(fixture->spaces), 70000 + 1 - 65536);
}

static void many_processes(void **state)
{
	struct fixture *fixture = *state;
	uint64_t now = 1;

	fork_at(fixture, 1, 0, now++);
	map_at(fixture, 1, 0x1000, "/no/a", now++);
	for (uint64_t id = 2; id < 3000; id++) {
		fork_at(fixture, id, 1 + id / 3 % (id - 1), now++);
		map_at(fixture, id, 0x10000 + 0x1000 * (id % 50), "/no/b", now++);
		if (id % 100 == 0)
			settle(fixture);
	}
	settle(fixture);
	for (uint64_t id = 2; id < 3000; id++) {
		assert_string_equal(path_at(fixture, id, 0x1000), "/no/a");
		publish(fixture, id, 0);
		assert_int_equal(told_start(fixture, id), 0x1000);
	}
	for (uint64_t id = 2; id < 3000; id++)
		end_at(fixture, id, now++);
	settle(fixture);
	assert_int_equal(space_of(fixture, 1)->refs, 1);
	assert_int_equal(process_spaces_lost(fixture->spaces), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mapped_and_told),
		TEST(mapped_as_it_was),
		TEST(forks_inherit),
		TEST(a_fork_takes_the_table_along),
		TEST(a_fork_takes_an_old_table_along),
		TEST(an_exec_leaves_nothing),
		TEST(told_again_for_the_next_image),
		TEST(told_in_any_order),
		TEST(as_it_was_at_a_time),
		TEST(what_is_too_new_waits),
		TEST(a_number_is_given_again),
		TEST(one_that_ran_before_inherits_nothing),
		TEST(accounts_of_others),
		TEST(no_room_in_the_tables),
		TEST(too_much_at_a_time),
		TEST(many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
