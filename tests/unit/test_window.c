/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates, averages and peaks from made-up sums of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "measure/window.h"

#define MS   1000000ULL
#define TICK (100 * MS)
#define MIB  1048576ULL

static void assert_near(double x, double wanted)
{
	if (!(fabs(x - wanted) <= 1e-9 * fmax(1, fabs(wanted))))
		fail_msg("%.17g is not %.17g", x, wanted);
}

static struct tree_sum sum_of(uint64_t cpu_ms, uint64_t rss_mib)
{
	return (struct tree_sum){
		.used.cpu_ns = cpu_ms * MS, .rss_anon_bytes = rss_mib * MIB, .live = 1};
}

static struct tree_sum gone(uint64_t cpu_ms)
{
	return (struct tree_sum){.used.cpu_ns = cpu_ms * MS};
}

static void open_at(struct window *window, uint64_t now_ms, struct tree_sum sum)
{
	window_open(window, now_ms * MS, TICK, &sum);
}

static void tick_at(struct window *window, uint64_t now_ms, unsigned int ticks, struct tree_sum sum)
{
	assert_int_equal(window_tick(window, now_ms * MS, ticks, &sum), 0);
}

static void close_at(struct window *window, uint64_t now_ms, struct tree_sum sum)
{
	window_close(window, now_ms * MS, &sum);
}

static double rss_avg_mib(const struct window *window)
{
	return window->rss_seconds / window->rss_time / (double)MIB;
}

static void rates(void **state)
{
	struct window window;
	struct tree_sum sum = sum_of(0, 8);

	(void)state;
	open_at(&window, 1000, sum);
	sum.used.cpu_ns = 150 * MS;
	sum.used.tx_bytes[PB_FAMILY_INET] = 100;
	sum.used.tx_bytes[PB_FAMILY_OTHER] = 1000;
	sum.used.rx_bytes[PB_FAMILY_INET6] = 20;
	sum.used.rx_bytes[PB_FAMILY_UNIX] = 3;
	sum.rss_file_bytes = 2 * MIB;
	sum.rss_shmem_bytes = 1 * MIB;
	tick_at(&window, 1100, 1, sum);
	sum.used.tx_bytes[PB_FAMILY_INET6] = 5;
	tick_at(&window, 1200, 1, sum);
	assert_int_equal(window.n, 2);
	assert_near(window.points[0].cpu_utilization, 1.5);
	assert_near(window.points[0].tx_bytes_per_second, 11000);
	assert_near(window.points[0].rx_bytes_per_second, 230);
	assert_near(window.points[0].rss_bytes, 11.0 * MIB);
	assert_near(window.points[1].cpu_utilization, 0);
	assert_near(window.points[1].tx_bytes_per_second, 50);
	assert_near(window.points[1].rx_bytes_per_second, 0);
	assert_near(window_interval_seconds(&window), 0.1);
	close_at(&window, 1250, sum);
	assert_int_equal(window.n, 2);
	assert_int_equal(window.opened_ns, 1000 * MS);
	assert_int_equal(window.closed_ns, 1250 * MS);
	assert_int_equal(window.last.used.tx_bytes[PB_FAMILY_INET6], 5);
	assert_near(window.utilization_peak, 1.5);
	window_clear(&window);
	assert_null(window.points);
}

/* perfbpf was kept from three ticks: the mean of that time stands for each. */
static void a_late_tick(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 0, sum_of(0, 8));
	tick_at(&window, 100, 1, sum_of(100, 8));
	tick_at(&window, 400, 3, sum_of(250, 8));
	tick_at(&window, 500, 1, sum_of(260, 8));
	assert_int_equal(window.n, 5);
	assert_near(window.points[0].cpu_utilization, 1);
	for (size_t i = 1; i <= 3; i++)
		assert_near(window.points[i].cpu_utilization, 0.5);
	assert_near(window.points[4].cpu_utilization, 0.1);
	assert_near(window.utilization_peak, 1);
	window_clear(&window);
}

static double mean_utilization(const struct window *window)
{
	double sum = 0;

	for (size_t i = 0; i < window->n; i++)
		sum += window->points[i].cpu_utilization;
	return sum / (double)window->n;
}

/* Tick @i runs for i % 7 * 10 ms, and holds i % 5 MiB at its end. */
static void run_ticks(struct window *window, uint64_t from, uint64_t to, uint64_t *cpu_ms)
{
	for (uint64_t i = from; i < to; i++) {
		*cpu_ms += i % 7 * 10;
		tick_at(window, (i + 1) * 100, 1, sum_of(*cpu_ms, i % 5));
	}
}

static void a_long_window(void **state)
{
	struct window window;
	uint64_t cpu_ms = 0;

	(void)state;
	open_at(&window, 0, sum_of(0, 0));
	run_ticks(&window, 0, WINDOW_MAX_POINTS, &cpu_ms);
	assert_int_equal(window.n, WINDOW_MAX_POINTS);
	assert_near(window_interval_seconds(&window), 0.1);
	run_ticks(&window, WINDOW_MAX_POINTS, WINDOW_MAX_POINTS + 2, &cpu_ms);
	assert_int_equal(window.n, WINDOW_MAX_POINTS / 2 + 1);
	assert_near(window_interval_seconds(&window), 0.2);
	assert_near(window.points[0].cpu_utilization, 0.05);
	assert_near(window.points[1].cpu_utilization, 0.25);
	assert_near(window.points[1].rss_bytes, 2.5 * MIB);
	assert_near(mean_utilization(&window), (double)cpu_ms / 100 / (WINDOW_MAX_POINTS + 2));
	/* Again, and then again: a point is eight ticks. */
	run_ticks(&window, WINDOW_MAX_POINTS + 2, 8 * WINDOW_MAX_POINTS, &cpu_ms);
	assert_int_equal(window.n, WINDOW_MAX_POINTS);
	assert_near(window_interval_seconds(&window), 0.8);
	assert_near(mean_utilization(&window), (double)cpu_ms / 100 / (8 * WINDOW_MAX_POINTS));
	/* 0..7 mod 7 is 0 1 2 3 4 5 6 0, and mod 5 is 0 1 2 3 4 0 1 2. */
	assert_near(window.points[0].cpu_utilization, 2.1 / 8);
	assert_near(window.points[0].rss_bytes, 13.0 / 8 * MIB);
	assert_near(window.utilization_peak, 0.6);
	assert_true(window.capacity < 2 * WINDOW_MAX_POINTS);
	/* The last point may hold fewer ticks: it is their mean. */
	tick_at(&window, 57600100, 1, sum_of(cpu_ms + 30, 8));
	tick_at(&window, 57600200, 1, sum_of(cpu_ms + 80, 8));
	tick_at(&window, 57600300, 1, sum_of(cpu_ms + 90, 8));
	assert_int_equal(window.n, WINDOW_MAX_POINTS / 2 + 1);
	assert_near(window_interval_seconds(&window), 1.6);
	assert_near(window.points[window.n - 1].cpu_utilization, 0.3);
	window_clear(&window);
}

static void the_rest_is_no_peak(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 0, sum_of(0, 8));
	tick_at(&window, 100, 1, sum_of(50, 8));
	close_at(&window, 149, sum_of(90, 8));
	assert_near(window.utilization_peak, 0.5);
	assert_int_equal(window.last.used.cpu_ns, 90 * MS);
	window_clear(&window);
	/* Half a tick is enough. */
	open_at(&window, 0, sum_of(0, 8));
	tick_at(&window, 100, 1, sum_of(50, 8));
	close_at(&window, 150, sum_of(90, 8));
	assert_near(window.utilization_peak, 0.8);
	window_clear(&window);
	/* And where there is nothing else, any length is. */
	open_at(&window, 0, sum_of(0, 8));
	close_at(&window, 10, sum_of(20, 8));
	assert_near(window.utilization_peak, 2);
	assert_int_equal(window.n, 0);
	window_clear(&window);
}

static void peaks_of_memory(void **state)
{
	struct window window;
	struct tree_sum sum = sum_of(0, 8);

	(void)state;
	sum.vms_bytes = 90 * MIB;
	open_at(&window, 0, sum);
	assert_int_equal(window.rss_peak_bytes, 8 * MIB);
	assert_int_equal(window.vms_peak_bytes, 90 * MIB);
	sum.rss_anon_bytes = 3 * MIB;
	sum.rss_file_bytes = 7 * MIB;
	sum.vms_bytes = 80 * MIB;
	tick_at(&window, 100, 1, sum);
	assert_int_equal(window.rss_peak_bytes, 10 * MIB);
	sum.rss_file_bytes = MIB;
	/* Between two ticks one process rose to this by itself. */
	sum.largest_process_peak_bytes = 30 * MIB;
	tick_at(&window, 200, 1, sum);
	assert_int_equal(window.rss_peak_bytes, 30 * MIB);
	sum.rss_shmem_bytes = 40 * MIB;
	close_at(&window, 201, sum);
	assert_int_equal(window.rss_peak_bytes, 44 * MIB);
	assert_int_equal(window.anon_peak_bytes, 8 * MIB);
	assert_int_equal(window.file_peak_bytes, 7 * MIB);
	assert_int_equal(window.shmem_peak_bytes, 40 * MIB);
	assert_int_equal(window.vms_peak_bytes, 90 * MIB);
	window_clear(&window);
}

static void the_average_is_weighted_by_time(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 0, sum_of(0, 20));
	tick_at(&window, 100, 1, sum_of(0, 10));
	tick_at(&window, 400, 3, sum_of(0, 30));
	close_at(&window, 500, sum_of(0, 50));
	/* From 20 to 10 in 100 ms, from 10 to 30 in 300 ms, from 30 to 50 in 100 ms. */
	assert_near(rss_avg_mib(&window), (15 * 0.1 + 20 * 0.3 + 40 * 0.1) / 0.5);
	assert_near(window.rss_time, 0.5);
	window_clear(&window);
}

/* Before its exec and after its end a command has no resident set that a mean could be drawn to. */
static void the_average_of_a_command(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 0, sum_of(0, 0));
	tick_at(&window, 100, 1, sum_of(90, 10));
	tick_at(&window, 200, 1, sum_of(190, 10));
	close_at(&window, 250, gone(230));
	assert_near(rss_avg_mib(&window), 10);
	window_clear(&window);
	/* Over before the first tick: not known, which is not zero. */
	open_at(&window, 0, sum_of(0, 0));
	close_at(&window, 50, gone(40));
	assert_near(window.rss_time, 0);
	assert_near(window.rss_seconds, 0);
	window_clear(&window);
	/* A wait after the end does not count. */
	open_at(&window, 0, sum_of(0, 10));
	tick_at(&window, 100, 1, sum_of(0, 10));
	tick_at(&window, 200, 1, gone(0));
	tick_at(&window, 300, 1, gone(0));
	close_at(&window, 400, gone(0));
	assert_near(rss_avg_mib(&window), 10);
	assert_near(window.rss_time, 0.2);
	window_clear(&window);
}

/* The last process ended at 190 ms; that was noticed after the tick at 200. */
static void closed_before_the_last_tick(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 0, sum_of(0, 10));
	tick_at(&window, 100, 1, sum_of(50, 10));
	tick_at(&window, 200, 1, gone(140));
	close_at(&window, 190, gone(141));
	assert_int_equal(window.closed_ns, 190 * MS);
	assert_int_equal(window.n, 2);
	assert_int_equal(window.last.used.cpu_ns, 141 * MS);
	assert_near(window.utilization_peak, 0.9);
	assert_near(rss_avg_mib(&window), 10);
	window_clear(&window);
	/* Where another lives on, the time before it is not counted twice, nor as an age. */
	open_at(&window, 0, sum_of(0, 10));
	tick_at(&window, 200, 2, sum_of(0, 10));
	close_at(&window, 190, sum_of(0, 90));
	assert_near(rss_avg_mib(&window), 10);
	assert_near(window.rss_time, 0.2);
	window_clear(&window);
}

static void no_length(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 1000, sum_of(0, 10));
	close_at(&window, 1000, sum_of(3, 20));
	assert_int_equal(window.closed_ns, window.opened_ns);
	assert_int_equal(window.n, 0);
	assert_int_equal(window.last.used.cpu_ns, 3 * MS);
	assert_near(window.utilization_peak, 0);
	assert_near(window.rss_time, 0);
	assert_int_equal(window.rss_peak_bytes, 20 * MIB);
	window_clear(&window);
	/* Two ticks at one moment: the second has nothing to divide by, and loses nothing. */
	open_at(&window, 0, sum_of(0, 10));
	tick_at(&window, 0, 1, sum_of(10, 10));
	tick_at(&window, 100, 1, sum_of(40, 10));
	assert_near(window.points[0].cpu_utilization, 0);
	assert_near(window.points[1].cpu_utilization, 0.4);
	window_clear(&window);
}

/* All had ended before it opened. */
static void closed_before_it_opened(void **state)
{
	struct window window;

	(void)state;
	open_at(&window, 1000, gone(0));
	close_at(&window, 900, gone(0));
	assert_int_equal(window.closed_ns, window.opened_ns);
	assert_near(window.utilization_peak, 0);
	window_clear(&window);
}

static void cleared(void **state)
{
	struct window window;

	(void)state;
	memset(&window, 0, sizeof(window));
	assert_near(window_interval_seconds(&window), 0);
	window_clear(&window);
	open_at(&window, 0, sum_of(0, 1));
	tick_at(&window, 100, 1, sum_of(1, 1));
	window_clear(&window);
	assert_int_equal(window.n, 0);
	window_clear(&window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(a_late_tick),
		cmocka_unit_test(a_long_window),
		cmocka_unit_test(the_rest_is_no_peak),
		cmocka_unit_test(peaks_of_memory),
		cmocka_unit_test(the_average_is_weighted_by_time),
		cmocka_unit_test(the_average_of_a_command),
		cmocka_unit_test(closed_before_the_last_tick),
		cmocka_unit_test(no_length),
		cmocka_unit_test(closed_before_it_opened),
		cmocka_unit_test(cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
