/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/warp.h"

#include <math.h>
#include <stdlib.h>

#include "util/clock.h"

/* A stretch over which the speed changes linearly; 1 is the schedule's own. */
struct stretch {
	uint64_t real_ns, schedule_ns; /* where it begins */
	uint64_t length_ns;            /* UINT64_MAX: for ever */
	double from, to;
};

struct warp {
	size_t n, room;
	struct stretch *list;
	uint64_t real_ns, schedule_ns; /* where the next stretch begins */
};

static uint64_t within(const struct stretch *stretch, uint64_t ns)
{
	double t = (double)ns;
	double slope = stretch->from == stretch->to
			       ? 0
			       : (stretch->to - stretch->from) / (double)stretch->length_ns;

	return (uint64_t)(t * (stretch->from + slope * t / 2));
}

static int add(struct warp *warp, uint64_t length_ns, double from, double to)
{
	struct stretch *larger;

	if (!length_ns)
		return 0;
	if (warp->n == warp->room) {
		warp->room = warp->room ? warp->room * 2 : 16;
		larger = reallocarray(warp->list, warp->room, sizeof(*larger));
		if (!larger)
			return -1;
		warp->list = larger;
	}
	warp->list[warp->n] = (struct stretch){
		.real_ns = warp->real_ns,
		.schedule_ns = warp->schedule_ns,
		.length_ns = length_ns,
		.from = from,
		.to = to,
	};
	if (length_ns != UINT64_MAX) {
		warp->schedule_ns += within(&warp->list[warp->n], length_ns);
		warp->real_ns += length_ns;
	}
	warp->n++;
	return 0;
}

static double per_second(const struct phase *phase, double rate)
{
	return rate * (double)NSEC_PER_SEC / (double)phase->time_unit_ns;
}

static int add_phase(struct warp *warp, const struct phase *phase, double rate)
{
	double from = per_second(phase, phase->start_rate) / rate;

	if (phase->executor == EXECUTOR_CONSTANT_ARRIVAL_RATE)
		return add(warp, phase->duration_ns, per_second(phase, phase->rate) / rate,
			   per_second(phase, phase->rate) / rate);
	if (phase->executor == EXECUTOR_NONE)
		return add(warp, phase->duration_ns, 1, 1);
	for (size_t i = 0; i < phase->n_stages; i++) {
		double to = per_second(phase, phase->stages[i].target) / rate;

		if (add(warp, phase->stages[i].duration_ns, from, to))
			return -1;
		from = to;
	}
	return 0;
}

static bool has_users(const struct phase *phase)
{
	return phase->executor != EXECUTOR_NONE &&
	       phase->executor != EXECUTOR_CONSTANT_ARRIVAL_RATE &&
	       phase->executor != EXECUTOR_RAMPING_ARRIVAL_RATE;
}

int warp_new(struct warp **warp, const struct phase *phases, size_t n_phases, double rate,
	     struct error *err)
{
	bool is_needed = false;

	*warp = NULL;
	for (size_t i = 0; i < n_phases; i++) {
		if (has_users(&phases[i]))
			return error_set(
				err, EXIT_CODE_USAGE,
				"kubelogs: phase '%s' has an executor of virtual users, but "
				"pods log by rates; write constant-arrival-rate or "
				"ramping-arrival-rate",
				phases[i].name);
		is_needed |= phases[i].executor != EXECUTOR_NONE;
	}
	if (!is_needed)
		return 0;
	*warp = calloc(1, sizeof(**warp));
	for (size_t i = 0; *warp && i < n_phases; i++) {
		if (!add_phase(*warp, &phases[i], rate))
			continue;
		warp_free(*warp);
		*warp = NULL;
	}
	if (*warp && !add(*warp, UINT64_MAX, 1, 1))
		return 0;
	warp_free(*warp);
	*warp = NULL;
	return error_set(err, EXIT_CODE_FAILED, "kubelogs: out of memory");
}

void warp_free(struct warp *warp)
{
	if (!warp)
		return;
	free(warp->list);
	free(warp);
}

/* A day of stages is some hundreds of stretches. */
static const struct stretch *at_real(const struct warp *warp, uint64_t real_ns)
{
	size_t low = 0, high = warp->n - 1;

	while (low < high) {
		size_t middle = (low + high + 1) / 2;

		if (warp->list[middle].real_ns <= real_ns)
			low = middle;
		else
			high = middle - 1;
	}
	return &warp->list[low];
}

uint64_t warp_to_schedule(const struct warp *warp, uint64_t real_ns)
{
	const struct stretch *stretch = at_real(warp, real_ns);

	return stretch->schedule_ns + within(stretch, real_ns - stretch->real_ns);
}

/* The first stretch that reaches @schedule_ns: while the rate is 0, time stands still. */
static const struct stretch *at_schedule(const struct warp *warp, uint64_t schedule_ns)
{
	size_t low = 0, high = warp->n - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (warp->list[middle + 1].schedule_ns >= schedule_ns)
			high = middle;
		else
			low = middle + 1;
	}
	return &warp->list[low];
}

uint64_t warp_to_real(const struct warp *warp, uint64_t schedule_ns)
{
	const struct stretch *stretch = at_schedule(warp, schedule_ns);
	double far = (double)(schedule_ns - stretch->schedule_ns), root;
	double slope = stretch->from == stretch->to
			       ? 0
			       : (stretch->to - stretch->from) / (double)stretch->length_ns;
	uint64_t real_ns;

	if (schedule_ns <= stretch->schedule_ns)
		return stretch->real_ns;
	/* far = from·t + slope·t²/2, in the form that does not cancel; at least 0 by rounding. */
	root = sqrt(fmax(stretch->from * stretch->from + 2 * slope * far, 0));
	real_ns = (uint64_t)(2 * far / (stretch->from + root));
	if (real_ns > stretch->length_ns)
		real_ns = stretch->length_ns;
	/* A double is some nanoseconds off; both ways must agree to the nanosecond. */
	while (stretch->schedule_ns + within(stretch, real_ns) < schedule_ns)
		real_ns++;
	while (real_ns && stretch->schedule_ns + within(stretch, real_ns - 1) >= schedule_ns)
		real_ns--;
	return stretch->real_ns + real_ns;
}
