/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a window used of the machine: on made-up counters, and on those of this machine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conduct/machine.h"

#define NOT_KNOWN         UINT64_MAX
#define SECONDS           2.0
#define GIGABIT           (1e9 / 8)
#define assert_near(a, b) assert_true(fabs((a) - (b)) <= 1e-9 * fabs(b))

/* A machine before and after, of which nothing is known, and a phase of which nothing is. */
struct looks {
	struct machine before, after;
	struct record_round_phase phase;
};

static void nothing_known(struct record_use *use)
{
	use->utilization = use->saturation = NAN;
	use->errors = RECORD_NONE;
}

static int set_up(void **state)
{
	struct looks *looks = calloc(1, sizeof(*looks));
	struct machine *machine = &looks->before;

	machine->cpu_total = machine->memory_stall_us = machine->oom_kills = machine->tcp_segments =
		NOT_KNOWN;
	machine->memory_used = NAN;
	looks->after = looks->before;
	nothing_known(&looks->phase.cpu);
	nothing_known(&looks->phase.run_queue);
	nothing_known(&looks->phase.memory);
	nothing_known(&looks->phase.disk);
	nothing_known(&looks->phase.network);
	nothing_known(&looks->phase.driver);
	*state = looks;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void use_machine(struct looks *looks)
{
	machine_use(&looks->phase, &looks->before, &looks->after, SECONDS);
}

/* A disk that was busy for so many milliseconds, with so many requests at a time while it was. */
static void add_disk(struct looks *looks, const char *name, uint64_t busy_ms, uint64_t queued)
{
	struct machine_disk *then = &looks->before.disks[looks->before.n_disks++];
	struct machine_disk *now = &looks->after.disks[looks->after.n_disks++];

	snprintf(then->name, sizeof(then->name), "%s", name);
	then->busy_ms = 123456789;
	then->weighted_ms = 987654321;
	*now = *then;
	now->busy_ms += busy_ms;
	now->weighted_ms += busy_ms * queued;
}

static void add_interface(struct looks *looks, const char *name, double speed, uint64_t rx_bytes,
			  uint64_t tx_bytes, uint64_t errors)
{
	struct machine_interface *then = &looks->before.interfaces[looks->before.n_interfaces++];
	struct machine_interface *now = &looks->after.interfaces[looks->after.n_interfaces++];

	snprintf(then->name, sizeof(then->name), "%s", name);
	then->bytes_per_second = speed;
	then->rx_bytes = 1ULL << 40;
	then->tx_bytes = 1ULL << 41;
	then->errors = 17;
	*now = *then;
	now->rx_bytes += rx_bytes;
	now->tx_bytes += tx_bytes;
	now->errors += errors;
}

static void assert_nothing_known(const struct record_use *use)
{
	assert_true(isnan(use->utilization));
	assert_true(isnan(use->saturation));
	assert_int_equal(use->errors, RECORD_NONE);
}

static void busy_share(void **state)
{
	struct looks *looks = *state;

	looks->before.cpu_busy = 1000;
	looks->before.cpu_total = 9000;
	looks->after.cpu_busy = 1300;
	looks->after.cpu_total = 9400;
	use_machine(looks);
	assert_near(looks->phase.cpu.utilization, 0.75);
	/* What waited for a CPU is counted elsewhere. */
	assert_true(isnan(looks->phase.cpu.saturation));
	assert_nothing_known(&looks->phase.run_queue);
	assert_nothing_known(&looks->phase.driver);
}

static void all_idle_or_all_busy(void **state)
{
	struct looks *looks = *state;

	looks->before.cpu_busy = looks->after.cpu_busy = 1000;
	looks->before.cpu_total = 9000;
	looks->after.cpu_total = 9400;
	use_machine(looks);
	assert_true(looks->phase.cpu.utilization == 0);
	looks->after.cpu_busy = 1400;
	use_machine(looks);
	assert_near(looks->phase.cpu.utilization, 1.0);
}

static void memory(void **state)
{
	struct looks *looks = *state;

	looks->before.memory_used = 0.25;
	looks->after.memory_used = 0.5;
	looks->before.memory_stall_us = 5000000;
	looks->after.memory_stall_us = 5300000;
	looks->before.oom_kills = 7;
	looks->after.oom_kills = 9;
	use_machine(looks);
	assert_near(looks->phase.memory.utilization, 0.5);
	assert_near(looks->phase.memory.saturation, 0.15);
	assert_int_equal(looks->phase.memory.errors, 2);
}

static void the_busiest_disk(void **state)
{
	struct looks *looks = *state;

	add_disk(looks, "sda", 500, 1);
	add_disk(looks, "nvme0n1", 1500, 3);
	add_disk(looks, "sdb", 1000, 40);
	use_machine(looks);
	assert_near(looks->phase.disk.utilization, 0.75);
	/* Of the same disk: 4500 ms of requests in 2 s. */
	assert_near(looks->phase.disk.saturation, 2.25);
	/* The side's own are counted elsewhere. */
	assert_int_equal(looks->phase.disk.errors, RECORD_NONE);
}

/* Disks come and go, and the kernel lists them in another order then. */
static void disks_go_by_name(void **state)
{
	struct looks *looks = *state;
	struct machine_disk one;

	add_disk(looks, "sda", 200, 1);
	add_disk(looks, "sdb", 600, 2);
	one = looks->after.disks[0];
	looks->after.disks[0] = looks->after.disks[1];
	looks->after.disks[1] = one;
	/* One that was not there before has no beginning to count from. */
	looks->after.n_disks = 3;
	snprintf(looks->after.disks[2].name, sizeof(looks->after.disks[2].name), "sdc");
	looks->after.disks[2].busy_ms = 1999;
	use_machine(looks);
	assert_near(looks->phase.disk.utilization, 0.3);
	assert_near(looks->phase.disk.saturation, 0.6);
}

static void disks_at_rest_and_over(void **state)
{
	struct looks *looks = *state;

	add_disk(looks, "sda", 0, 0);
	use_machine(looks);
	assert_true(looks->phase.disk.utilization == 0);
	assert_true(looks->phase.disk.saturation == 0);
	/* Ticks count whole milliseconds: never over all of it. */
	add_disk(looks, "sdb", 2009, 1);
	use_machine(looks);
	assert_true(looks->phase.disk.utilization == 1);
	assert_near(looks->phase.disk.saturation, 1.0045);
}

/* Each direction has the whole speed: the fuller one counts, not both together. */
static void network_by_direction(void **state)
{
	struct looks *looks = *state;

	add_interface(looks, "eth0", GIGABIT, 100000000, 50000000, 0);
	use_machine(looks);
	assert_near(looks->phase.network.utilization, 0.4);
	looks->before.n_interfaces = looks->after.n_interfaces = 0;
	nothing_known(&looks->phase.network);
	add_interface(looks, "eth0", GIGABIT, 50000000, 150000000, 0);
	use_machine(looks);
	assert_near(looks->phase.network.utilization, 0.6);
}

/* By each one's own speed; without one, how full it is cannot be said, but its errors can. */
static void network_by_speed(void **state)
{
	struct looks *looks = *state;

	add_interface(looks, "lo", 0, 900000000, 900000000, 1);
	add_interface(looks, "eth0", 10 * GIGABIT, 500000000, 0, 2);
	add_interface(looks, "eth1", GIGABIT / 10, 0, 20000000, 3);
	use_machine(looks);
	assert_near(looks->phase.network.utilization, 0.8);
	assert_int_equal(looks->phase.network.errors, 6);
	/* All others than the loopback unplugged. */
	looks->before.n_interfaces = looks->after.n_interfaces = 1;
	nothing_known(&looks->phase.network);
	use_machine(looks);
	assert_true(isnan(looks->phase.network.utilization));
	assert_int_equal(looks->phase.network.errors, 1);
}

static void a_new_interface_has_no_beginning(void **state)
{
	struct looks *looks = *state;

	add_interface(looks, "eth0", GIGABIT, 25000000, 0, 1);
	add_interface(looks, "eth1", GIGABIT, 0, 0, 0);
	snprintf(looks->before.interfaces[1].name, sizeof(looks->before.interfaces[1].name),
		 "eth7");
	looks->after.interfaces[1].errors += 1000;
	looks->after.interfaces[1].rx_bytes += 1ULL << 42;
	use_machine(looks);
	assert_near(looks->phase.network.utilization, 0.1);
	assert_int_equal(looks->phase.network.errors, 1);
}

static void segments_sent_again(void **state)
{
	struct looks *looks = *state;

	looks->before.tcp_segments = 1000000;
	looks->before.tcp_resent = 40;
	looks->before.tcp_resets = 3;
	looks->after.tcp_segments = 1004000;
	looks->after.tcp_resent = 46;
	looks->after.tcp_resets = 8;
	add_interface(looks, "lo", 0, 1, 1, 2);
	use_machine(looks);
	/* Of a thousand. */
	assert_near(looks->phase.network.saturation, 1.5);
	assert_int_equal(looks->phase.network.errors, 7);
}

static void what_is_not_known_stays_so(void **state)
{
	struct looks *looks = *state;

	use_machine(looks);
	assert_nothing_known(&looks->phase.cpu);
	assert_nothing_known(&looks->phase.run_queue);
	assert_nothing_known(&looks->phase.memory);
	assert_nothing_known(&looks->phase.disk);
	assert_true(isnan(looks->phase.network.utilization));
	assert_true(isnan(looks->phase.network.saturation));
	assert_nothing_known(&looks->phase.driver);
}

/* The second look may fail where the first did not. */
static void known_before_only(void **state)
{
	struct looks *looks = *state;

	looks->before.cpu_busy = 5;
	looks->before.cpu_total = 10;
	looks->before.memory_used = 0.5;
	looks->before.memory_stall_us = 1;
	looks->before.oom_kills = 1;
	looks->before.tcp_segments = 1;
	use_machine(looks);
	assert_nothing_known(&looks->phase.cpu);
	assert_nothing_known(&looks->phase.memory);
	assert_true(isnan(looks->phase.network.saturation));
}

static void counters_that_stand_still(void **state)
{
	struct looks *looks = *state;
	struct machine *machine = &looks->before;

	machine->cpu_busy = 40;
	machine->cpu_total = 100;
	machine->memory_used = 0.5;
	machine->memory_stall_us = machine->oom_kills = 5;
	machine->tcp_segments = machine->tcp_resent = machine->tcp_resets = 5;
	looks->after = looks->before;
	add_disk(looks, "sda", 0, 0);
	add_interface(looks, "eth0", GIGABIT, 0, 0, 0);
	use_machine(looks);
	/* No tick has passed: busy or not, that cannot be said. */
	assert_true(isnan(looks->phase.cpu.utilization));
	assert_near(looks->phase.memory.utilization, 0.5);
	assert_true(looks->phase.memory.saturation == 0);
	assert_int_equal(looks->phase.memory.errors, 0);
	assert_true(looks->phase.disk.utilization == 0);
	assert_true(looks->phase.network.utilization == 0);
	assert_true(looks->phase.network.saturation == 0);
	assert_int_equal(looks->phase.network.errors, 0);
}

static void no_time_has_passed(void **state)
{
	struct looks *looks = *state;

	looks->before.cpu_busy = looks->before.cpu_total = 0;
	looks->after.cpu_busy = looks->after.cpu_total = 10;
	looks->after.memory_used = 0.5;
	add_disk(looks, "sda", 5, 1);
	add_interface(looks, "eth0", GIGABIT, 5, 5, 5);
	machine_use(&looks->phase, &looks->before, &looks->after, 0);
	machine_use(&looks->phase, &looks->before, &looks->after, -1);
	assert_nothing_known(&looks->phase.cpu);
	assert_nothing_known(&looks->phase.memory);
	assert_nothing_known(&looks->phase.disk);
	assert_nothing_known(&looks->phase.network);
}

/* --- this machine ---------------------------------------------------------------- */

static void assert_share(double share)
{
	assert_true(share >= 0 && share <= 1);
}

static void check_look(const struct machine *machine)
{
	assert_true(machine->cpu_total != NOT_KNOWN && machine->cpu_total > 0);
	assert_true(machine->cpu_busy > 0 && machine->cpu_busy <= machine->cpu_total);
	assert_true(machine->memory_used > 0 && machine->memory_used < 1);
	assert_in_range(machine->n_disks, 0, MACHINE_MAX_DISKS);
	assert_in_range(machine->n_interfaces, 0, MACHINE_MAX_INTERFACES);
	for (size_t i = 0; i < machine->n_disks; i++) {
		assert_true(machine->disks[i].name[0]);
		assert_true(strncmp(machine->disks[i].name, "loop", 4) != 0);
	}
	for (size_t i = 0; i < machine->n_interfaces; i++) {
		const struct machine_interface *one = &machine->interfaces[i];

		assert_true(one->name[0] && one->name[0] != ' ' && !strchr(one->name, ':'));
		assert_true(one->bytes_per_second >= 0);
		if (!strcmp(one->name, "lo"))
			assert_true(one->bytes_per_second == 0);
	}
}

/* Ticks of a hundredth of a second: until some have passed, or it is clear that none does. */
static void look_until_it_moves(struct looks *looks)
{
	const struct timespec nap = {.tv_nsec = 20000000};

	for (int i = 0; i < 250; i++) {
		nanosleep(&nap, NULL);
		machine_read(&looks->after);
		if (looks->after.cpu_total > looks->before.cpu_total)
			return;
	}
	fail_msg("the ticks of /proc/stat do not grow");
}

static void this_machine(void **state)
{
	struct looks *looks = *state;

	memset(&looks->before, 0x55, sizeof(looks->before));
	machine_read(&looks->before);
	look_until_it_moves(looks);
	check_look(&looks->before);
	check_look(&looks->after);
	assert_true(looks->after.cpu_busy >= looks->before.cpu_busy);
	assert_int_equal(looks->after.n_disks, looks->before.n_disks);
	if (looks->before.tcp_segments != NOT_KNOWN)
		assert_true(looks->after.tcp_segments >= looks->before.tcp_segments &&
			    looks->after.tcp_segments != NOT_KNOWN);
	machine_use(&looks->phase, &looks->before, &looks->after, SECONDS);
	assert_share(looks->phase.cpu.utilization);
	assert_share(looks->phase.memory.utilization);
	if (!isnan(looks->phase.memory.saturation))
		assert_true(looks->phase.memory.saturation >= 0);
	if (looks->after.n_disks)
		assert_share(looks->phase.disk.utilization);
	if (!isnan(looks->phase.network.utilization))
		assert_true(looks->phase.network.utilization >= 0);
}

static void runnable_now(void **state)
{
	int runnable = machine_runnable();

	(void)state;
	if (runnable < 0)
		skip();
	assert_in_range(runnable, 0, 1 << 22);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(busy_share),
		TEST(all_idle_or_all_busy),
		TEST(memory),
		TEST(the_busiest_disk),
		TEST(disks_go_by_name),
		TEST(disks_at_rest_and_over),
		TEST(network_by_direction),
		TEST(network_by_speed),
		TEST(a_new_interface_has_no_beginning),
		TEST(segments_sent_again),
		TEST(what_is_not_known_stays_so),
		TEST(known_before_only),
		TEST(counters_that_stand_still),
		TEST(no_time_has_passed),
		TEST(this_machine),
		cmocka_unit_test(runnable_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
