/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/window.h"

#include <stdlib.h>
#include <string.h>

static void raise(uint64_t *peak, uint64_t value)
{
	if (value > *peak)
		*peak = value;
}

static uint64_t resident(const struct tree_sum *sum)
{
	return sum->rss_anon_bytes + sum->rss_file_bytes + sum->rss_shmem_bytes;
}

static void take_peaks(struct window *window, const struct tree_sum *sum)
{
	raise(&window->rss_peak_bytes, resident(sum));
	/* Between two ticks a process may have risen and fallen; the kernel's mark has seen it. */
	raise(&window->rss_peak_bytes, sum->largest_process_peak_bytes);
	raise(&window->vms_peak_bytes, sum->vms_bytes);
	raise(&window->vms_peak_bytes, sum->largest_process_vms_bytes);
	raise(&window->anon_peak_bytes, sum->rss_anon_bytes);
	raise(&window->file_peak_bytes, sum->rss_file_bytes);
	raise(&window->shmem_peak_bytes, sum->rss_shmem_bytes);
}

static uint64_t bytes_of(const uint64_t *families)
{
	uint64_t bytes = 0;

	for (int i = 0; i < PB_FAMILIES; i++)
		bytes += families[i];
	return bytes;
}

void window_open(struct window *window, uint64_t now_ns, uint64_t tick_ns,
		 const struct tree_sum *sum)
{
	memset(window, 0, sizeof(*window));
	window->opened_ns = window->last_ns = now_ns;
	window->tick_ns = tick_ns;
	window->last = *sum;
	window->merged = 1;
	take_peaks(window, sum);
}

/*
 * Before its exec and after its end a side has no resident set, and it neither rose
 * from 0 nor fell to it: what one end of the interval tells stands for all of it.
 */
static void add_resident(struct window *window, double seconds, double before, double after)
{
	if (before <= 0 && after <= 0)
		return;
	if (before <= 0)
		before = after;
	if (after <= 0)
		after = before;
	window->rss_seconds += (before + after) / 2 * seconds;
	window->rss_time += seconds;
}

/* Rates since the last tick; takes the peaks and the integral along. */
static struct window_point advance(struct window *window, uint64_t now_ns,
				   const struct tree_sum *sum)
{
	double seconds = (double)(now_ns - window->last_ns) / 1e9;
	const struct pb_totals *now = &sum->used, *before = &window->last.used;
	struct window_point point = {.rss_bytes = (double)resident(sum)};

	take_peaks(window, sum);
	if (seconds <= 0)
		return point;
	point.cpu_utilization = (double)(now->cpu_ns - before->cpu_ns) / 1e9 / seconds;
	point.tx_bytes_per_second =
		(double)(bytes_of(now->tx_bytes) - bytes_of(before->tx_bytes)) / seconds;
	point.rx_bytes_per_second =
		(double)(bytes_of(now->rx_bytes) - bytes_of(before->rx_bytes)) / seconds;
	add_resident(window, seconds, (double)resident(&window->last), (double)resident(sum));
	window->last = *sum;
	window->last_ns = now_ns;
	return point;
}

static struct window_point mean_of(struct window_point a, struct window_point b, double share)
{
	return (struct window_point){
		.cpu_utilization =
			a.cpu_utilization + (b.cpu_utilization - a.cpu_utilization) * share,
		.rss_bytes = a.rss_bytes + (b.rss_bytes - a.rss_bytes) * share,
		.tx_bytes_per_second = a.tx_bytes_per_second +
				       (b.tx_bytes_per_second - a.tx_bytes_per_second) * share,
		.rx_bytes_per_second = a.rx_bytes_per_second +
				       (b.rx_bytes_per_second - a.rx_bytes_per_second) * share,
	};
}

static void merge_neighbours(struct window *window)
{
	for (size_t i = 0; i + 1 < window->n; i += 2)
		window->points[i / 2] = mean_of(window->points[i], window->points[i + 1], 0.5);
	window->n /= 2;
	window->merged *= 2;
}

static int add_point(struct window *window, struct window_point point)
{
	if (window->pending) {
		struct window_point *open = &window->points[window->n - 1];

		window->pending++;
		*open = mean_of(*open, point, 1.0 / (double)window->pending);
		if (window->pending == window->merged)
			window->pending = 0;
		return 0;
	}
	if (window->n == WINDOW_MAX_POINTS)
		merge_neighbours(window);
	if (window->n == window->capacity) {
		size_t capacity = window->capacity ? window->capacity * 2 : 256;
		struct window_point *larger = realloc(window->points, capacity * sizeof(*larger));

		if (!larger)
			return -1;
		window->points = larger;
		window->capacity = capacity;
	}
	window->points[window->n++] = point;
	window->pending = window->merged > 1 ? 1 : 0;
	return 0;
}

int window_tick(struct window *window, uint64_t now_ns, unsigned int ticks,
		const struct tree_sum *sum)
{
	struct window_point point = advance(window, now_ns, sum);

	if (point.cpu_utilization > window->utilization_peak)
		window->utilization_peak = point.cpu_utilization;
	for (unsigned int i = 0; i < ticks; i++)
		if (add_point(window, point))
			return -1;
	return 0;
}

void window_close(struct window *window, uint64_t now_ns, const struct tree_sum *sum)
{
	/* The last process may have ended just before the last tick. */
	uint64_t length = now_ns > window->last_ns ? now_ns - window->last_ns : 0;
	struct window_point point = advance(window, window->last_ns + length, sum);

	window->last = *sum;

	/* A short rest is no measure of a peak, unless there is nothing else. */
	if ((length * 2 >= window->tick_ns || !window->n) &&
	    point.cpu_utilization > window->utilization_peak)
		window->utilization_peak = point.cpu_utilization;
	/* Or before the window opened. */
	window->closed_ns = now_ns > window->opened_ns ? now_ns : window->opened_ns;
}

void window_clear(struct window *window)
{
	free(window->points);
	memset(window, 0, sizeof(*window));
}

double window_interval_seconds(const struct window *window)
{
	return (double)window->tick_ns / 1e9 * (double)(window->merged ? window->merged : 1);
}
