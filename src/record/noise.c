/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/ratios.h"
#include "record/stopping.h"
#include "stats/paired.h"
#include "stats/stats.h"

#define DETECTABLE_SPREADS 2.8 /* as of stats_detectable() */

const double noise_effects[NOISE_EFFECTS] = {0.01, 0.02, 0.05, 0.10};

/* NAN where it is one of nothing. */
static double known_share(const struct ratios *ratios, double d)
{
	double share = ratios_share(ratios, d);

	return isfinite(share) ? share : NAN;
}

int noise_of(const struct record *rec, const struct metric *metric, struct noise *out)
{
	struct ratios ratios;

	memset(out, 0, sizeof(*out));
	if (ratios_collect(rec, metric, &ratios)) {
		ratios_clear(&ratios);
		return -1;
	}
	out->n = ratios.n;
	out->without = ratios.without;
	out->by_difference = !isnan(ratios.scale);
	out->spread = stats_deviation(ratios.d, ratios.n);
	out->detectable = known_share(&ratios, stats_detectable(ratios.d, ratios.n));
	for (size_t i = 0; i < NOISE_EFFECTS; i++) {
		double root = DETECTABLE_SPREADS * out->spread /
			      ratios_of_share(&ratios, noise_effects[i]);

		out->pairs[i] = isfinite(root) ? fmax(ceil(root * root), STOPPING_MIN_PAIRS) : NAN;
	}
	if (out->by_difference)
		out->spread = known_share(&ratios, out->spread);
	ratios_clear(&ratios);
	return 0;
}

static const struct record_target *target_of(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side)
			return &rec->targets[i];
	return NULL;
}

bool noise_is_same_side(const struct record *rec)
{
	const struct record_target *a = target_of(rec, SIDE_A), *b = target_of(rec, SIDE_B);

	/* Arguments differ by the ports and folders that each round has of its own. */
	if (!a || !b || !a->name || !b->name || strcmp(a->name, b->name) != 0 ||
	    a->n_argv != b->n_argv)
		return false;
	return !a->n_argv || !strcmp(a->argv[0], b->argv[0]);
}

/* CPU time of all in the window, NAN where a phase does not know it. */
static double busy_seconds(const struct record *rec, const struct record_round *round)
{
	double busy = round->n_phases ? 0 : NAN;

	for (size_t i = 0; i < round->n_phases; i++)
		busy += round->phases[i].cpu.utilization * round->phases[i].duration_seconds *
			(double)rec->host.cpus;
	return busy;
}

static double known(double value)
{
	return isnan(value) ? 0 : value;
}

double noise_of_others(const struct record *rec)
{
	double *shares = calloc(rec->n_rounds + 1, sizeof(*shares)), median;
	size_t n = 0;

	for (size_t i = 0; shares && rec->host.cpus > 0 && i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];
		double own = round->cpu.total_seconds +
			     known(round->observer.userspace_cpu_seconds) +
			     (round->has_driver ? known(round->driver.cpu_seconds) : 0);
		double share = (busy_seconds(rec, round) - own) /
			       (round->window_seconds * (double)rec->host.cpus);

		/* Ticks and the scheduler's account do not agree to the last millisecond. */
		if (!isnan(share))
			shares[n++] = fmax(share, 0);
	}
	median = stats_median(shares, n);
	free(shares);
	return median;
}

double noise_stolen(const struct record *rec)
{
	double *shares = calloc(rec->n_rounds + 1, sizeof(*shares)), median;
	size_t n = 0;

	for (size_t i = 0; shares && i < rec->n_rounds; i++) {
		const struct record_time *time = &rec->rounds[i].time;
		double on_cpu = time->on_cpu_seconds + time->stolen_seconds;

		if (rec->rounds[i].has_time && on_cpu > 0)
			shares[n++] = time->stolen_seconds / on_cpu;
	}
	median = stats_median(shares, n);
	free(shares);
	return median;
}
