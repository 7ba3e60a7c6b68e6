/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart_data.h"

#include <math.h>
#include <stdlib.h>

int chart_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double chart_quantile(const double *sorted, size_t n, double q)
{
	double at;
	size_t i;

	if (!n)
		return NAN;
	at = q * (double)(n - 1);
	i = (size_t)at;
	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

void chart_sample_sort(struct chart_sample *sample)
{
	qsort(sample->values, sample->n, sizeof(double), chart_compare);
	sample->low = chart_quantile(sample->values, sample->n, 0);
	sample->q1 = chart_quantile(sample->values, sample->n, 0.25);
	sample->median = chart_quantile(sample->values, sample->n, 0.5);
	sample->q3 = chart_quantile(sample->values, sample->n, 0.75);
	sample->high = chart_quantile(sample->values, sample->n, 1);
}

int chart_sample_take(struct chart_sample *sample, const struct record *rec, enum side side,
		      double (*get)(const struct record_round *round))
{
	*sample = (struct chart_sample){.values = calloc(rec->n_rounds + 1, sizeof(double))};
	if (!sample->values)
		return -1;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		double value = rec->rounds[i].side == side ? get(&rec->rounds[i]) : NAN;

		if (fabs(value) < CHART_HUGE)
			sample->values[sample->n++] = value;
	}
	chart_sample_sort(sample);
	return 0;
}

void chart_sample_clear(struct chart_sample *sample)
{
	free(sample->values);
	*sample = (struct chart_sample){0};
}

static const double *by_interval(const struct record_series *series, const double *values,
				 size_t *n, double *interval_seconds)
{
	*n = series->n;
	*interval_seconds = series->interval_seconds;
	return values && series->n && series->interval_seconds > 0 ? values : NULL;
}

const double *chart_series_cpu(const struct record_series *series, size_t *n, double *interval)
{
	return by_interval(series, series->cpu_utilization, n, interval);
}

const double *chart_series_rss(const struct record_series *series, size_t *n, double *interval)
{
	return by_interval(series, series->rss_bytes, n, interval);
}

const double *chart_series_sent(const struct record_series *series, size_t *n, double *interval)
{
	return by_interval(series, series->tx_bytes_per_second, n, interval);
}

const double *chart_series_received(const struct record_series *series, size_t *n, double *interval)
{
	return by_interval(series, series->rx_bytes_per_second, n, interval);
}

const double *chart_series_lines(const struct record_series *series, size_t *n, double *interval)
{
	return by_interval(series, series->lines_per_second, n, interval);
}

const double *chart_series_operations(const struct record_series *series, size_t *n,
				      double *interval)
{
	return by_interval(series, series->operations_per_second, n, interval);
}

const double *chart_series_p95(const struct record_series *series, size_t *n, double *interval)
{
	*n = series->n_response_p95_seconds;
	*interval = series->response_p95_interval_seconds;
	return *n && *interval > 0 ? series->response_p95_seconds : NULL;
}

static bool is_known(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isfinite(values[i]))
			return true;
	return false;
}

/* The side's i-th round's values, NULL where it has none that are known. */
static const double *values_of(const struct record_round *round, enum side side,
			       chart_series *series, size_t *n, double *interval)
{
	const double *values = round->side == side ? series(&round->series, n, interval) : NULL;

	return values && is_known(values, *n) ? values : NULL;
}

double chart_series_end(const struct record *rec, chart_series *series)
{
	double end = 0, interval;
	size_t n;

	for (size_t i = 0; i < rec->n_rounds; i++)
		if (values_of(&rec->rounds[i], rec->rounds[i].side, series, &n, &interval))
			end = fmax(end, (double)n * interval);
	return isfinite(end) ? end : 0;
}

/* Averages of what lies in each moment, NAN where nothing does; @values begin at 0. */
static void put_moments(double *moments, size_t n_moments, double width, const double *values,
			size_t n, double interval)
{
	size_t count = 0, at = 0;
	double sum = 0;

	for (size_t i = 0; i < n_moments; i++)
		moments[i] = NAN;
	for (size_t i = 0; i <= n; i++) {
		double place = ((double)i + 0.5) * interval / width;
		size_t moment = i < n && place < (double)n_moments ? (size_t)place : n_moments;

		if (i == n || moment != at) {
			if (count)
				moments[at] = sum / (double)count;
			if (i == n || moment == n_moments)
				return;
			at = moment;
			count = 0;
			sum = 0;
		}
		if (isfinite(values[i])) {
			sum += values[i];
			count++;
		}
	}
}

/* @moments: of round after round, n each; @column has room for a value of each round. */
static void summarize(struct chart_track *track, const double *moments, double *column)
{
	bool quartiles = track->rounds >= CHART_QUARTILES;

	for (size_t i = 0; i < track->n; i++) {
		size_t n = 0;

		for (size_t round = 0; round < track->rounds; round++)
			if (isfinite(moments[round * track->n + i]))
				column[n++] = moments[round * track->n + i];
		if (n * 2 < track->rounds)
			n = 0;
		qsort(column, n, sizeof(*column), chart_compare);
		track->seconds[i] = ((double)i + 0.5) * track->width_seconds;
		track->median[i] = chart_quantile(column, n, 0.5);
		track->low[i] = chart_quantile(column, n, quartiles ? 0.25 : 0);
		track->high[i] = chart_quantile(column, n, quartiles ? 0.75 : 1);
	}
}

/* The longest interval of the side's rounds: a moment is no shorter. */
static double find_interval(struct chart_track *track, const struct record *rec, enum side side,
			    chart_series *series)
{
	double longest = 0, interval;
	size_t n;

	for (size_t i = 0; i < rec->n_rounds; i++)
		if (values_of(&rec->rounds[i], side, series, &n, &interval)) {
			track->rounds++;
			longest = fmax(longest, interval);
		}
	return longest;
}

int chart_track_take(struct chart_track *track, const struct record *rec, enum side side,
		     chart_series *series, double end_seconds)
{
	double *moments, *column, interval;
	size_t round = 0, n;
	int rc = -1;

	*track = (struct chart_track){0};
	interval = find_interval(track, rec, side, series);
	if (!track->rounds || !(end_seconds > 0))
		return 0;
	/* Moments of whole ticks, so that none holds more of them than its neighbour. */
	track->width_seconds = interval * ceil(end_seconds / interval / CHART_MAX_POINTS);
	track->n = (size_t)fmin(ceil(end_seconds / track->width_seconds - 1e-9), CHART_MAX_POINTS);
	moments = calloc(track->rounds * track->n + 1, sizeof(double));
	column = calloc(track->rounds + 1, sizeof(double));
	track->seconds = calloc(track->n * 4 + 1, sizeof(double));
	if (moments && column && track->seconds) {
		track->median = track->seconds + track->n;
		track->low = track->median + track->n;
		track->high = track->low + track->n;
		for (size_t i = 0; i < rec->n_rounds; i++) {
			const double *values =
				values_of(&rec->rounds[i], side, series, &n, &interval);

			if (values)
				put_moments(moments + round++ * track->n, track->n,
					    track->width_seconds, values, n, interval);
		}
		summarize(track, moments, column);
		rc = 0;
	}
	free(moments);
	free(column);
	return rc;
}

void chart_track_clear(struct chart_track *track)
{
	free(track->seconds);
	*track = (struct chart_track){0};
}

const struct record_round *chart_phased_round(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].n_phases > 1 || rec->rounds[i].n_faults)
			return &rec->rounds[i];
	return NULL;
}

const char *chart_side_name(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name)
			return rec->targets[i].name;
	return side == SIDE_A ? "A" : "B";
}

size_t chart_rounds(const struct record *rec, enum side side)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++)
		n += rec->rounds[i].side == side;
	return n;
}

bool chart_has_side(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side)
			return true;
	return chart_rounds(rec, side) > 0;
}
