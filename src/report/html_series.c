/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/html_series.h"

#include <math.h>
#include <stdlib.h>

#include "report/chart_data.h"

#define BAND_LOW  0.1
#define BAND_HIGH 0.9

/* What is needed while a series is made. */
struct work {
	const struct record *rec;
	html_series_get *get;
	struct html_series *series;
	double *means; /* round by round */
	double *values;
};

static void find_extremes(struct html_series *series, const double *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(y[i]))
			continue;
		series->least = fmin(series->least, y[i]);
		series->most = fmax(series->most, y[i]);
	}
}

/* The axis: as long as the longest round, and no finer than the coarsest. */
static void find_axis(const struct work *work)
{
	struct html_series *series = work->series;
	double span = 0, coarsest = 0, interval;
	size_t n;

	for (size_t i = 0; i < work->rec->n_rounds; i++) {
		const double *y = work->get(&work->rec->rounds[i], &n, &interval);

		if (!y || !n || !(interval > 0) || !isfinite(interval))
			continue;
		span = fmax(span, (double)n * interval);
		coarsest = fmax(coarsest, interval);
		find_extremes(series, y, n);
		series->rounds[work->rec->rounds[i].side]++;
	}
	if (!(span > 0) || isnan(series->most))
		return;
	series->is_thinned = span > coarsest * (HTML_MAX_POINTS + 0.5);
	series->step = series->is_thinned ? span / HTML_MAX_POINTS : coarsest;
	series->n = series->is_thinned ? HTML_MAX_POINTS : (size_t)ceil(span / coarsest - 1e-6);
	series->is_banded = series->rounds[SIDE_A] + series->rounds[SIDE_B] > HTML_MAX_ROUNDS;
}

static size_t point_of(const struct html_series *series, size_t tick, double interval)
{
	size_t point = (size_t)(((double)tick + 0.5) * interval / series->step);

	return point < series->n ? point : series->n - 1;
}

static void put_means(const struct html_series *series, const double *y, size_t n, double interval,
		      double *means)
{
	size_t at = 0, count = 0;
	double sum = 0;

	for (size_t i = 0; i < series->n; i++)
		means[i] = NAN;
	for (size_t i = 0; i < n; i++) {
		size_t point = point_of(series, i, interval);

		if (point != at) {
			sum = 0;
			count = 0;
			at = point;
		}
		if (!isfinite(y[i]))
			continue;
		sum += y[i];
		means[point] = sum / (double)++count;
	}
}

/* Of each two points one is the smallest value of their stretch, one the largest. */
static void put_extremes(const struct html_series *series, const double *y, size_t n,
			 double interval, double *into)
{
	size_t low_at = 0, high_at = 0, last = SIZE_MAX;

	for (size_t i = 0; i < series->n; i++)
		into[i] = NAN;
	for (size_t i = 0; i < n; i++) {
		size_t stretch = point_of(series, i, interval) / 2;

		if (!isfinite(y[i]))
			continue;
		if (stretch != last) {
			low_at = high_at = i;
			last = stretch;
		}
		if (y[i] < y[low_at])
			low_at = i;
		if (y[i] > y[high_at])
			high_at = i;
		into[2 * stretch] = y[low_at < high_at ? low_at : high_at];
		into[2 * stretch + 1] = y[low_at < high_at ? high_at : low_at];
	}
}

static int add_line(struct html_series *series, const struct record_round *round, const double *y,
		    size_t n, double interval)
{
	struct html_line *line = &series->lines[series->n_lines];

	line->side = round->side;
	line->pair = round->pair;
	line->y = calloc(series->n, sizeof(*line->y));
	if (!line->y)
		return -1;
	series->n_lines++;
	if (series->is_thinned)
		put_extremes(series, y, n, interval, line->y);
	else
		put_means(series, y, n, interval, line->y);
	return 0;
}

static int add_rounds(const struct work *work)
{
	double *means = work->means, interval;
	size_t n;

	for (size_t i = 0; i < work->rec->n_rounds; i++) {
		const struct record_round *round = &work->rec->rounds[i];
		const double *y = work->get(round, &n, &interval);

		if (!y || !n || !(interval > 0) || !isfinite(interval))
			continue;
		if (!work->series->is_banded && add_line(work->series, round, y, n, interval))
			return -1;
		put_means(work->series, y, n, interval, means);
		means += work->series->n;
	}
	return 0;
}

/* Means of the rounds of @side at a point, sorted; those not known are left out. */
static size_t gather(const struct work *work, enum side side, size_t point)
{
	const double *means = work->means;
	size_t n = 0, length;
	double interval;

	for (size_t i = 0; i < work->rec->n_rounds; i++) {
		const double *y = work->get(&work->rec->rounds[i], &length, &interval);

		if (!y || !length || !(interval > 0) || !isfinite(interval))
			continue;
		if (work->rec->rounds[i].side == side && isfinite(means[point]))
			work->values[n++] = means[point];
		means += work->series->n;
	}
	qsort(work->values, n, sizeof(*work->values), chart_compare);
	return n;
}

static int add_medians(const struct work *work, enum side side)
{
	struct html_series *series = work->series;
	double **all[] = {&series->median[side], &series->low[side], &series->high[side]};
	static const double quantiles[] = {0.5, BAND_LOW, BAND_HIGH};

	if (!series->rounds[side])
		return 0;
	for (size_t i = 0; i < (series->is_banded ? 3 : 1); i++) {
		*all[i] = calloc(series->n, sizeof(double));
		if (!*all[i])
			return -1;
	}
	for (size_t point = 0; point < series->n; point++) {
		size_t n = gather(work, side, point);

		for (size_t i = 0; i < (series->is_banded ? 3 : 1); i++)
			(*all[i])[point] = n && 2 * n >= series->rounds[side]
						   ? chart_quantile(work->values, n, quantiles[i])
						   : NAN;
	}
	return 0;
}

static int fill(struct work *work)
{
	struct html_series *series = work->series;
	size_t rounds = series->rounds[SIDE_A] + series->rounds[SIDE_B];
	int rc = -1;

	work->means = calloc(rounds * series->n, sizeof(*work->means));
	work->values = calloc(rounds, sizeof(*work->values));
	if (!series->is_banded)
		series->lines = calloc(rounds, sizeof(*series->lines));
	if (work->means && work->values && (series->lines || series->is_banded))
		rc = add_rounds(work) || add_medians(work, SIDE_A) || add_medians(work, SIDE_B) ? -1
												: 0;
	free(work->means);
	free(work->values);
	return rc;
}

struct html_series *html_series_new(const struct record *rec, html_series_get *get)
{
	struct html_series *series = calloc(1, sizeof(*series));
	struct work work = {.rec = rec, .get = get, .series = series};

	if (!series)
		return NULL;
	series->least = series->most = NAN;
	find_axis(&work);
	if (series->n && fill(&work)) {
		html_series_free(series);
		return NULL;
	}
	return series;
}

void html_series_free(struct html_series *series)
{
	if (!series)
		return;
	for (size_t i = 0; i < series->n_lines; i++)
		free(series->lines[i].y);
	free(series->lines);
	for (size_t side = 0; side < SIDES; side++) {
		free(series->median[side]);
		free(series->low[side]);
		free(series->high[side]);
	}
	free(series);
}
