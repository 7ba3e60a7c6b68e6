/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/load/schedule.h"

#include <math.h>
#include <stdlib.h>

#include "util/clock.h"

/* Numbers of arrivals and users are sums of products: what is nearer to a whole number than this
 * is that number. Users by time: at one a second, a tenth of a nanosecond. */
#define ROUNDING       1e-6
#define ROUNDING_USERS 1e-10

/* A stretch of an open loop in which the rate changes linearly. */
struct segment {
	double begin_ns, length_ns; /* from its phase's begin */
	double from, to;            /* arrivals a nanosecond */
	double before;              /* arrivals of the phase until it begins */
};

struct schedule_phase {
	uint64_t begin_ns;
	uint64_t arrivals;
	size_t n_segments;
	struct segment *segments;
};

struct schedule {
	const struct phase *phases;
	size_t n_phases;
	struct schedule_phase entries[]; /* one more than there are phases */
};

bool phase_is_open_loop(const struct phase *phase)
{
	return phase->executor == EXECUTOR_CONSTANT_ARRIVAL_RATE ||
	       phase->executor == EXECUTOR_RAMPING_ARRIVAL_RATE;
}

static double add_segment(struct schedule_phase *entry, double from, double to, uint64_t length_ns,
			  double before)
{
	struct segment *segment = &entry->segments[entry->n_segments];
	const struct segment *last = entry->n_segments ? segment - 1 : NULL;

	*segment = (struct segment){
		.begin_ns = last ? last->begin_ns + last->length_ns : 0,
		.length_ns = (double)length_ns,
		.from = from,
		.to = to,
		.before = before,
	};
	entry->n_segments++;
	return before + (from + to) / 2 * (double)length_ns;
}

static int fill_arrivals(struct schedule_phase *entry, const struct phase *phase)
{
	double unit = (double)phase->time_unit_ns, rate = phase->start_rate / unit, total = 0;

	if (!phase_is_open_loop(phase))
		return 0;
	entry->segments = calloc(phase->n_stages + 1, sizeof(*entry->segments));
	if (!entry->segments)
		return -1;
	if (phase->executor == EXECUTOR_CONSTANT_ARRIVAL_RATE) {
		rate = phase->rate / unit;
		total = add_segment(entry, rate, rate, phase->duration_ns, 0);
	} else {
		for (size_t i = 0; i < phase->n_stages; i++) {
			double target = phase->stages[i].target / unit;

			total = add_segment(entry, rate, target, phase->stages[i].duration_ns,
					    total);
			rate = target;
		}
	}
	/* The i-th is due where the integral is i, and belongs here if that is before the end. */
	total = ceil(total - ROUNDING);
	entry->arrivals = total > 0 ? (uint64_t)total : 0;
	return 0;
}

struct schedule *schedule_new(const struct phase *phases, size_t n_phases)
{
	struct schedule *schedule =
		calloc(1, sizeof(*schedule) + (n_phases + 1) * sizeof(schedule->entries[0]));
	uint64_t begin_ns = 0;

	if (!schedule)
		return NULL;
	schedule->phases = phases;
	schedule->n_phases = n_phases;
	for (size_t i = 0; i < n_phases; i++) {
		schedule->entries[i].begin_ns = begin_ns;
		begin_ns += phases[i].duration_ns;
		if (!fill_arrivals(&schedule->entries[i], &phases[i]))
			continue;
		schedule_free(schedule);
		return NULL;
	}
	schedule->entries[n_phases].begin_ns = begin_ns;
	return schedule;
}

void schedule_free(struct schedule *schedule)
{
	if (!schedule)
		return;
	for (size_t i = 0; i < schedule->n_phases; i++)
		free(schedule->entries[i].segments);
	free(schedule);
}

uint64_t schedule_phase_begin_ns(const struct schedule *schedule, size_t phase)
{
	return schedule->entries[phase].begin_ns;
}

size_t schedule_phase_at(const struct schedule *schedule, uint64_t at_ns)
{
	size_t phase = 0;

	while (phase < schedule->n_phases && at_ns >= schedule->entries[phase + 1].begin_ns)
		phase++;
	return phase;
}

/* --- open loop -------------------------------------------------------------------- */

uint64_t schedule_arrivals(const struct schedule *schedule, size_t phase)
{
	return schedule->entries[phase].arrivals;
}

uint64_t schedule_arrival_ns(const struct schedule *schedule, size_t phase, uint64_t i)
{
	const struct schedule_phase *entry = &schedule->entries[phase];
	const struct segment *segment = entry->segments;
	size_t left = entry->n_segments;
	double count, root, at = 0;

	/* The last one that begins with no more arrivals than that: there the integral passes it,
	 * and not where the rate was 0. */
	while (--left && segment[1].before <= (double)i + ROUNDING)
		segment++;
	count = (double)i - segment->before;
	if (count > 0) {
		/* The root of (to − from)/2T·t² + from·t = count, in the form without
		 * cancellation. */
		root = segment->from * segment->from +
		       2 * (segment->to - segment->from) * count / segment->length_ns;
		at = 2 * count / (segment->from + sqrt(fmax(root, 0)));
	}
	at = fmin(at, segment->length_ns);
	return entry->begin_ns + (uint64_t)llround(segment->begin_ns + at);
}

/* --- closed loop ------------------------------------------------------------------ */

/* When the number of users changes next, from the begin of a phase or stage: before its end or
 * never. */
struct step {
	unsigned int users;
	double next_ns;
};

/* All at once, or by and by, the first at the begin. */
static struct step spawned(const struct phase *phase, double at_ns)
{
	struct step step = {(unsigned int)phase->vus, INFINITY};
	double begun;

	if (isnan(phase->spawn_rate))
		return step;
	begun = floor(at_ns * phase->spawn_rate / 1e9 + ROUNDING_USERS) + 1;
	if (begun < phase->vus) {
		step.users = (unsigned int)begun;
		step.next_ns = begun * 1e9 / phase->spawn_rate;
	}
	return step;
}

/* On its way from @from to @to, a user begins where the line reaches the next whole number,
 * and one goes where it reaches the one below. */
static struct step ramped(double from, double to, double length_ns, double at_ns)
{
	double slope = (to - from) / length_ns, exact = from + slope * at_ns, users;

	if (from <= to)
		users = floor(exact + ROUNDING_USERS);
	else
		users = ceil(exact - ROUNDING_USERS);
	return (struct step){
		(unsigned int)fmax(users, 0),
		from == to ? INFINITY : (users + (to > from ? 1 : -1) - from) / slope,
	};
}

static struct step step_at(const struct phase *phase, double at_ns)
{
	double users = phase->start_vus, begin_ns = 0;

	if (phase->executor == EXECUTOR_CONSTANT_VUS ||
	    phase->executor == EXECUTOR_PER_VU_ITERATIONS)
		return spawned(phase, at_ns);
	for (size_t i = 0; phase->executor == EXECUTOR_RAMPING_VUS && i < phase->n_stages; i++) {
		double length_ns = (double)phase->stages[i].duration_ns;
		double target = round(phase->stages[i].target);

		if (at_ns < begin_ns + length_ns) {
			struct step step = ramped(users, target, length_ns, at_ns - begin_ns);

			step.next_ns = begin_ns + fmin(step.next_ns, length_ns);
			return step;
		}
		users = target;
		begin_ns += length_ns;
	}
	return (struct step){0, INFINITY};
}

unsigned int schedule_users(const struct schedule *schedule, uint64_t at_ns)
{
	size_t phase = schedule_phase_at(schedule, at_ns);

	if (phase == schedule->n_phases)
		return 0;
	return step_at(&schedule->phases[phase],
		       (double)(at_ns - schedule->entries[phase].begin_ns))
		.users;
}

uint64_t schedule_users_change_ns(const struct schedule *schedule, uint64_t at_ns)
{
	size_t phase = schedule_phase_at(schedule, at_ns);
	uint64_t begin_ns, end_ns;
	double next_ns;

	if (phase == schedule->n_phases)
		return UINT64_MAX;
	begin_ns = schedule->entries[phase].begin_ns;
	end_ns = schedule->entries[phase + 1].begin_ns;
	next_ns = step_at(&schedule->phases[phase], (double)(at_ns - begin_ns)).next_ns;
	if (next_ns >= (double)(end_ns - begin_ns))
		return end_ns;
	next_ns = ceil(next_ns);
	return begin_ns + (uint64_t)next_ns > at_ns ? begin_ns + (uint64_t)next_ns : at_ns + 1;
}

unsigned int schedule_users_max(const struct schedule *schedule)
{
	unsigned int most = 0;

	for (size_t i = 0; i < schedule->n_phases; i++) {
		const struct phase *phase = &schedule->phases[i];
		double users = phase_is_open_loop(phase) ? phase->max_vus : phase->vus;

		if (phase->executor == EXECUTOR_RAMPING_VUS) {
			users = phase->start_vus;
			for (size_t j = 0; j < phase->n_stages; j++)
				users = fmax(users, round(phase->stages[j].target));
		}
		if (users > most)
			most = (unsigned int)users;
	}
	return most;
}
