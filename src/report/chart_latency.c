/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long it took: how the times are spread, up to which share of the values, by percentile
 * with the range of the rounds, and over time.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "report/chart_panel.h"
#include "report/charts.h"

#define BINS       56
#define ROW_HEIGHT 30
#define LEFT       70
#define RIGHT      200
/* Fewer values make no curve: it would end at the median. */
#define LEAST_VALUES 20

struct percentile {
	const char *label;
	size_t offset; /* of a double in struct record_latency */
};

static const struct percentile percentiles[] = {
	{"p50", offsetof(struct record_latency, p50_seconds)},
	{"p90", offsetof(struct record_latency, p90_seconds)},
	{"p95", offsetof(struct record_latency, p95_seconds)},
	{"p99", offsetof(struct record_latency, p99_seconds)},
	{"p99.9", offsetof(struct record_latency, p999_seconds)},
	{"max", offsetof(struct record_latency, max_seconds)},
};
#define PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

/* What the chart is of, the most telling first, and what it says in words. */
struct subject {
	const char *name, *words;
};

static const struct subject subjects[] = {
	{"response", "Response time, from when a request was due or came in to its answer's end."},
	{"delivery", "Delivery of lines, from when they were due to the target's output."},
	{"round_trip", "Round trips of the target's own requests."},
	{"exec", "Commands, from exec to exit."},
	{"service", "Service time of requests."},
};

static const struct chart_measure seconds = {"", METRIC_SECONDS, "", NULL};

static const struct subject *subject_of(const struct record *rec)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		for (size_t j = 0; j < rec->n_rounds; j++) {
			const struct record_latency *latency =
				latency_find(&rec->rounds[j], subjects[i].name);

			if (latency && latency->count > 0 && latency->p50_seconds > 0)
				return &subjects[i];
		}
	return NULL;
}

static bool has_latency(const struct record *rec)
{
	return subject_of(rec);
}

static int take_percentile(struct chart_sample *sample, const struct record *rec, enum side side,
			   const char *name, const struct percentile *percentile)
{
	*sample = (struct chart_sample){.values = calloc(rec->n_rounds + 1, sizeof(double))};
	if (!sample->values)
		return -1;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_latency *latency =
			rec->rounds[i].side == side ? latency_find(&rec->rounds[i], name) : NULL;
		double value = latency ? *(const double *)(const void *)((const char *)latency +
									 percentile->offset)
				       : NAN;

		if (value > 0 && value < CHART_HUGE)
			sample->values[sample->n++] = value;
	}
	chart_sample_sort(sample);
	return 0;
}

static int describe_latency(const struct record *rec, FILE *out)
{
	const char *name = subject_of(rec)->name;
	struct chart_sample sample;
	char value[64];

	for (size_t i = 0; i < PERCENTILES; i++) {
		bool any = false;

		for (int side = 0; side < SIDES; side++) {
			if (take_percentile(&sample, rec, (enum side)side, name, &percentiles[i]))
				return -1;
			if (sample.n && !any)
				fprintf(out, "%s %s:", name, percentiles[i].label);
			if (sample.n)
				fprintf(out, "%s %s %s", any ? "," : "", side == SIDE_A ? "A" : "B",
					chart_value(value, sizeof(value), &seconds, sample.median));
			any |= sample.n > 0;
			chart_sample_clear(&sample);
		}
		fputs(any ? ". " : "", out);
	}
	return 0;
}

/* The distributions of all rounds of each side, and whether there is a curve in them. */
struct spread {
	struct record_latency latency[SIDES];
	bool usable[SIDES];
	double low, high; /* of both */
};

static void spread_clear(struct spread *spread)
{
	latency_clear(&spread->latency[SIDE_A]);
	latency_clear(&spread->latency[SIDE_B]);
}

static bool is_usable(const struct record_latency *latency)
{
	return latency->count >= LEAST_VALUES && latency->n_buckets > 0 &&
	       latency->min_seconds > 0 && latency->max_seconds >= latency->min_seconds &&
	       latency->max_seconds < CHART_HUGE;
}

static int spread_make(struct spread *spread, const struct record *rec, const char *name)
{
	*spread = (struct spread){.low = INFINITY, .high = 0};
	latency_init(&spread->latency[SIDE_A]);
	latency_init(&spread->latency[SIDE_B]);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_latency *latency = latency_find(&rec->rounds[i], name);

		if (latency && latency_merge(&spread->latency[rec->rounds[i].side], latency))
			return -1;
	}
	for (int side = 0; side < SIDES; side++) {
		spread->usable[side] = is_usable(&spread->latency[side]);
		if (!spread->usable[side])
			continue;
		spread->low = fmin(spread->low, spread->latency[side].min_seconds);
		spread->high = fmax(spread->high, spread->latency[side].max_seconds);
	}
	return 0;
}

static double middle_of(const struct record_latency *latency, size_t i)
{
	double middle = (latency_bucket_lower(latency, i) + latency->bucket_upper_seconds[i]) / 2;

	return fmax(fmin(middle, latency->max_seconds), latency->min_seconds);
}

/* The share of the values in each of BINS steps of the axis, 0 before and after. */
static void fill_bins(double bins[BINS], const struct record_latency *latency,
		      const struct chart_axis *axis)
{
	double total = 0;

	memset(bins, 0, BINS * sizeof(*bins));
	for (size_t i = 0; i < latency->n_buckets; i++) {
		double place = log(middle_of(latency, i) / axis->low) / log(axis->high / axis->low);
		double bin = floor(place * BINS);

		bins[(size_t)fmax(0, fmin(bin, BINS - 1))] += latency->bucket_counts[i];
		total += latency->bucket_counts[i];
	}
	for (size_t i = 0; i < BINS && total > 0; i++)
		bins[i] /= total;
}

static void put_steps(struct chart *chart, const struct chart_plot *plot, enum side side,
		      const double bins[BINS])
{
	double x[2 * BINS], y[2 * BINS], zero[2 * BINS] = {0};
	double step = log(plot->x.high / plot->x.low) / BINS;

	for (size_t i = 0; i < BINS; i++) {
		x[2 * i] = plot->x.low * exp(step * (double)i);
		x[2 * i + 1] = plot->x.low * exp(step * (double)(i + 1));
		y[2 * i] = y[2 * i + 1] = bins[i];
	}
	chart_band(chart, plot, side, x, zero, y, 2 * BINS);
	chart_line(chart, plot, side, x, y, 2 * BINS);
}

static void put_histogram(struct chart *chart, const struct spread *spread)
{
	double bins[SIDES][BINS], most = 0;
	struct chart_plot plot;

	chart_cell_place(&plot, chart, (struct chart_cell){0, 2});
	chart_axis_log(&plot.x, METRIC_SECONDS, spread->low, spread->high);
	for (int side = 0; side < SIDES; side++) {
		if (!spread->usable[side])
			continue;
		fill_bins(bins[side], &spread->latency[side], &plot.x);
		for (size_t i = 0; i < BINS; i++)
			most = fmax(most, bins[side][i]);
	}
	chart_axis_linear(&plot.y, METRIC_RATIO, 0, most, 4);
	chart_plot_place(&plot);
	chart_plot_title(chart, &plot, 8, "How the times are spread, % of the values");
	chart_grid_y(chart, &plot);
	chart_grid_x(chart, &plot);
	for (int side = 0; side < SIDES; side++)
		if (spread->usable[side])
			put_steps(chart, &plot, (enum side)side, bins[side]);
}

/* Nines: each is as wide as the one before. */
static double nines(double q)
{
	return -log10(1 - q);
}

/* Up to where so many values lie beyond that it is not one value's luck. */
static double last_nines(const struct record_latency *latency)
{
	return log10((double)latency->count / LATENCY_MIN_BEYOND);
}

static void make_nines_axis(struct chart_axis *axis, double end)
{
	static const struct {
		double q;
		const char *label;
	} ticks[] = {{0, "0"},          {0.5, "50 %"},       {0.9, "90 %"},        {0.99, "99 %"},
		     {0.999, "99.9 %"}, {0.9999, "99.99 %"}, {0.99999, "99.999 %"}};

	*axis = (struct chart_axis){.low = 0, .high = end, .unit = ""};
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
		if (nines(ticks[i].q) <= end + 1e-9) {
			axis->ticks[axis->n] = nines(ticks[i].q);
			snprintf(axis->labels[axis->n++], CHART_LABEL, "%s", ticks[i].label);
		}
}

/* Where it ends goes into @x_end and @y_end. */
static int put_curve(struct chart *chart, const struct chart_plot *plot, enum side side,
		     const struct record_latency *latency, double *x_end, double *y_end)
{
	double *x = calloc(latency->n_buckets + 1, sizeof(*x));
	double *y = calloc(latency->n_buckets + 1, sizeof(*y));
	double below = 0, end = last_nines(latency);
	size_t n = 0;

	for (size_t i = 0; x && y && i < latency->n_buckets; i++) {
		double q = below / (double)latency->count;

		if (q >= 1 || nines(q) > end)
			break;
		x[n] = nines(q);
		y[n++] = middle_of(latency, i);
		below += latency->bucket_counts[i];
	}
	if (n) {
		chart_line(chart, plot, side, x, y, n);
		*x_end = chart_axis_place(&plot->x, x[n - 1]);
		*y_end = chart_axis_place(&plot->y, y[n - 1]);
	}
	free(x);
	free(y);
	return x && y ? 0 : -1;
}

static int put_curves(struct chart *chart, const struct spread *spread)
{
	double end = 0, x[SIDES] = {NAN, NAN}, y[SIDES] = {NAN, NAN};
	struct chart_plot plot;
	int rc = 0;

	chart_cell_place(&plot, chart, (struct chart_cell){1, 2});
	plot.left += 14;
	plot.width -= 24;
	for (int side = 0; side < SIDES; side++)
		if (spread->usable[side])
			end = fmax(end, last_nines(&spread->latency[side]));
	make_nines_axis(&plot.x, end);
	chart_axis_log(&plot.y, METRIC_SECONDS, spread->low, spread->high);
	chart_plot_place(&plot);
	chart_plot_title(chart, &plot, 8, "By percentile");
	chart_grid_y(chart, &plot);
	chart_grid_x(chart, &plot);
	for (int side = 0; side < SIDES; side++)
		if (spread->usable[side])
			rc |= put_curve(chart, &plot, (enum side)side, &spread->latency[side],
					&x[side], &y[side]);
	chart_put_tags(chart, x, y);
	return rc;
}

static int put_spread(struct chart *chart, const struct record *rec, const char *name)
{
	struct spread spread;
	int rc = spread_make(&spread, rec, name);

	if (!rc && (spread.usable[SIDE_A] || spread.usable[SIDE_B])) {
		put_histogram(chart, &spread);
		rc = put_curves(chart, &spread);
		chart->y += CHART_ROW_HEIGHT;
	}
	spread_clear(&spread);
	return rc;
}

/* The medians of the rounds' percentiles, one row each; n is 0 where a side has none. */
struct rows {
	struct chart_sample samples[PERCENTILES][SIDES];
	size_t n[PERCENTILES]; /* of both sides */
	size_t shown;
	double low, high;
};

static void rows_clear(struct rows *rows)
{
	for (size_t i = 0; i < PERCENTILES; i++)
		for (int side = 0; side < SIDES; side++)
			chart_sample_clear(&rows->samples[i][side]);
}

static int rows_make(struct rows *rows, const struct record *rec, const char *name)
{
	*rows = (struct rows){.low = INFINITY};
	for (size_t i = 0; i < PERCENTILES; i++) {
		for (int side = 0; side < SIDES; side++) {
			struct chart_sample *sample = &rows->samples[i][side];

			if (take_percentile(sample, rec, (enum side)side, name, &percentiles[i]))
				return -1;
			rows->n[i] += sample->n;
			if (!sample->n)
				continue;
			rows->low = fmin(rows->low, sample->low);
			rows->high = fmax(rows->high, sample->high);
		}
		rows->shown += rows->n[i] > 0;
	}
	return 0;
}

static double figures_at(const struct chart_plot *plot, enum side side)
{
	return plot->left + plot->width + 14 + (side == SIDE_A ? 0 : 92);
}

static void put_row(struct chart *chart, const struct chart_plot *plot, double y, const char *label,
		    const struct chart_sample samples[SIDES])
{
	char value[64];

	chart_text(chart, "legend", CHART_END, plot->left - 10, y + 4, label);
	for (int side = 0; side < SIDES; side++) {
		const struct chart_sample *sample = &samples[side];
		double at = y + (side == SIDE_A ? -5 : 5);

		if (!sample->n)
			continue;
		chart_rule(chart, side == SIDE_A ? "span a" : "span b",
			   chart_axis_place(&plot->x, sample->low), at,
			   chart_axis_place(&plot->x, sample->high), at);
		chart_mark(chart, (enum side)side, "", chart_axis_place(&plot->x, sample->median),
			   at, 3.6);
		chart_textf(chart, side == SIDE_A ? "tag a" : "tag b", CHART_START,
			    figures_at(plot, (enum side)side), y + 4, "%s",
			    chart_value(value, sizeof(value), &seconds, sample->median));
	}
}

static int put_rows(struct chart *chart, const struct record *rec, const char *name)
{
	struct chart_plot plot;
	struct rows rows;
	double y;
	int rc = rows_make(&rows, rec, name);

	if (!rc && rows.shown) {
		plot = (struct chart_plot){.left = LEFT,
					   .top = chart->y + 30,
					   .width = CHART_WIDTH - LEFT - RIGHT,
					   .height = ROW_HEIGHT * (double)rows.shown};
		chart_axis_log(&plot.x, METRIC_SECONDS, rows.low * 0.9, rows.high * 1.1);
		chart_plot_place(&plot);
		chart_text(chart, "head", CHART_START, CHART_EDGE, plot.top - 12,
			   "Percentiles, median and range of the rounds");
		chart_grid_x(chart, &plot);
		for (int side = 0; side < SIDES; side++)
			if (chart_has_side(rec, (enum side)side))
				chart_text(chart, side == SIDE_A ? "tag a" : "tag b", CHART_START,
					   figures_at(&plot, (enum side)side), plot.top - 12,
					   side == SIDE_A ? "A" : "B");
		y = plot.top + ROW_HEIGHT / 2.0;
		for (size_t i = 0; i < PERCENTILES; i++) {
			if (!rows.n[i])
				continue;
			put_row(chart, &plot, y, percentiles[i].label, rows.samples[i]);
			y += ROW_HEIGHT;
		}
		chart->y = plot.top + plot.height + 30;
	}
	rows_clear(&rows);
	return rc;
}

static int draw_latency(const struct record *rec, struct chart *chart)
{
	static const struct chart_over_time over_time = {"p95 of the responses over time",
							 METRIC_SECONDS, "", chart_series_p95};
	const struct subject *subject = subject_of(rec);
	int rc = put_spread(chart, rec, subject->name);

	rc |= put_rows(chart, rec, subject->name);
	if (chart_has_series(rec, chart_series_p95))
		rc |= chart_put_over_time(chart, rec, &over_time);
	chart_note(chart, subject->words);
	chart_note(chart, "The upper plots hold the values of all rounds; curves end where fewer "
			  "than 10 values lie beyond.");
	if (chart_has_series(rec, chart_series_p95))
		chart_note_lines(chart, rec);
	return rc ? -1 : 0;
}

const struct chart_kind chart_latency = {
	.name = "latency_distribution",
	.title = "Latency",
	.has_data = has_latency,
	.describe = describe_latency,
	.draw = draw_latency,
};
