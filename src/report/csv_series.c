/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One row for each tick of each round, RFC 4180. The first columns are those, by name, order
 * and unit, that the benchmark scripts of Wake write and read; the others are called as in
 * run.json. What is not known is an empty cell. There may be millions of rows: they are put
 * together without printf.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/chart_data.h"
#include "report/escape.h"
#include "report/report.h"

#define BYTES_PER_MB (1 << 20) /* the scripts divide what /proc calls kB by 1024 */
#define NUMBERS_MAX  512       /* of a row, without its texts */

static const char header[] =
	"timestamp,tool,scenario,cpu_percent,memory_mb,rss_mb,vms_mb,logs_processed,"
	"duration_seconds,side,pair,position,valid,phase,tx_bytes_per_second,rx_bytes_per_second,"
	"lines_per_second,operations_per_second,errors_per_second,response_p95_seconds\r\n";

/* A row while it is put together; its text has room for the longest of the round. */
struct row {
	char *text;
	size_t used;
};

/* What is the same in all rows of a round: cells with what separates them. */
struct cells {
	char *names; /* tool and scenario */
	char *place; /* side to valid */
	char **phases;
	/* The second that was written last, up to its fraction: most rows have the same. */
	time_t second;
	char written[24];
};

static void put_byte(struct row *row, char byte)
{
	row->text[row->used++] = byte;
}

static void put_digits(struct row *row, uint64_t value, int least)
{
	char digits[24];
	int n = 0;

	for (; value || n < least; value /= 10)
		digits[n++] = (char)('0' + value % 10);
	while (n)
		put_byte(row, digits[--n]);
}

/* A cell with up to @decimals places, none of them a zero at the end; empty where not known. */
static void put_real(struct row *row, double value, int decimals)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	double scaled = fabs(value) * powers[decimals];
	uint64_t whole, part, power = (uint64_t)powers[decimals];

	if (!isfinite(value)) {
		put_byte(row, ',');
		return;
	}
	if (scaled >= 1e17) {
		row->used += (size_t)snprintf(row->text + row->used, 32, "%.15g,", value);
		return;
	}
	if (value < 0)
		put_byte(row, '-');
	whole = (uint64_t)(scaled + 0.5) / power;
	part = (uint64_t)(scaled + 0.5) % power;
	put_digits(row, whole, 1);
	for (; decimals && part % 10 == 0; decimals--)
		part /= 10;
	if (decimals) {
		put_byte(row, '.');
		put_digits(row, part, decimals);
	}
	put_byte(row, ',');
}

/* Seconds since 1970, NAN where it is not "2025-01-01T12:00:00.000Z". */
static double start_of(const struct record_round *round)
{
	struct tm tm = {0};
	const char *rest =
		round->started_at ? strptime(round->started_at, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	double fraction = 0;
	int used = 0;

	if (!rest)
		return NAN;
	if (*rest == '.' && sscanf(rest, "%lf%n", &fraction, &used) == 1)
		rest += used;
	return strcmp(rest, "Z") ? NAN : (double)timegm(&tm) + fraction;
}

static void put_cell(struct row *row, const char *cell)
{
	size_t length = strlen(cell);

	memcpy(row->text + row->used, cell, length);
	row->used += length;
}

/* As the scripts write it, but in UTC and with milliseconds. */
static void put_timestamp(struct row *row, struct cells *cells, double seconds)
{
	double ms = floor(seconds * 1e3 + 0.5);
	struct tm tm;

	if (ms >= 0 && ms < 1e14) {
		time_t second = (time_t)(ms / 1e3);

		if (second != cells->second || !*cells->written) {
			gmtime_r(&second, &tm);
			strftime(cells->written, sizeof(cells->written), "%Y-%m-%d %H:%M:%S.", &tm);
			cells->second = second;
		}
		put_cell(row, cells->written);
		put_digits(row, (uint64_t)(ms - (double)second * 1e3), 3);
	}
	put_byte(row, ',');
}

static double at(const double *values, size_t i, double scale)
{
	return values ? values[i] * scale : NAN;
}

/* The phase in which a tick ended, n_phases where in none. */
static size_t phase_at(const struct record_round *round, double seconds)
{
	size_t i = 0;

	while (i < round->n_phases &&
	       !(seconds > round->phases[i].started_at + 1e-9 &&
		 seconds <= round->phases[i].started_at + round->phases[i].duration_seconds + 1e-9))
		i++;
	return i;
}

/* Its intervals are longer than ticks: each value stands in the row in which its own ended. */
static double p95_at(const struct record_series *series, double seconds)
{
	double interval = series->response_p95_interval_seconds;
	double index = interval > 0 ? floor(seconds / interval + 1e-6) - 1 : NAN;
	double before = floor((seconds - series->interval_seconds) / interval + 1e-6) - 1;

	if (!(index >= 0) || index >= (double)series->n_response_p95_seconds || before >= index)
		return NAN;
	return series->response_p95_seconds[(size_t)index];
}

static void put_tick(struct row *row, const struct record_round *round, struct cells *cells,
		     double start, size_t i, double lines)
{
	const struct record_series *series = &round->series;
	double seconds = (double)(i + 1) * series->interval_seconds;
	double rss = at(series->rss_bytes, i, 1.0 / BYTES_PER_MB);

	row->used = 0;
	put_timestamp(row, cells, start + seconds);
	put_cell(row, cells->names);
	put_real(row, at(series->cpu_utilization, i, 100), 4);
	put_real(row, rss, 6);
	put_real(row, rss, 6);
	put_byte(row, ','); /* of the virtual size only the round's peak is known */
	put_real(row, lines, 0);
	put_real(row, seconds, 6);
	put_cell(row, cells->place);
	put_cell(row, cells->phases[phase_at(round, seconds)]);
	put_real(row, at(series->tx_bytes_per_second, i, 1), 3);
	put_real(row, at(series->rx_bytes_per_second, i, 1), 3);
	put_real(row, at(series->lines_per_second, i, 1), 3);
	put_real(row, at(series->operations_per_second, i, 1), 3);
	put_real(row, at(series->errors_per_second, i, 1), 3);
	put_real(row, p95_at(series, seconds), 9);
	row->used--; /* no separator after the last */
	put_cell(row, "\r\n");
}

/* A cell of a text from outside, to be freed; NULL without memory. */
static char *cell_of(const char *text)
{
	char *cell = NULL;
	size_t size;
	FILE *out = open_memstream(&cell, &size);

	if (!out)
		return NULL;
	escape_csv(out, text);
	putc(',', out);
	if (!fclose(out))
		return cell;
	free(cell);
	return NULL;
}

static char *names_of(const struct record *rec, const struct record_round *round)
{
	char *tool = cell_of(chart_side_name(rec, round->side));
	char *scenario = cell_of(rec->scenario.name), *both = NULL;

	if (tool && scenario && asprintf(&both, "%s%s", tool, scenario) < 0)
		both = NULL;
	free(tool);
	free(scenario);
	return both;
}

static char *place_of(const struct record_round *round)
{
	char text[80];
	struct row row = {.text = text};

	put_cell(&row, round->side == SIDE_A ? "A," : "B,");
	put_real(&row, round->pair == RECORD_NONE ? NAN : (double)round->pair, 0);
	put_real(&row, round->position == RECORD_NONE ? NAN : (double)round->position, 0);
	put_cell(&row, round->validity.valid ? "true," : "false,");
	return strndup(text, row.used);
}

static void cells_clear(struct cells *cells, size_t n_phases)
{
	for (size_t i = 0; cells->phases && i <= n_phases; i++)
		free(cells->phases[i]);
	free(cells->phases);
	free(cells->names);
	free(cells->place);
}

/* @room: what a row takes at most. */
static int cells_make(struct cells *cells, const struct record *rec,
		      const struct record_round *round, size_t *room)
{
	*cells = (struct cells){
		.names = names_of(rec, round),
		.place = place_of(round),
		.phases = calloc(round->n_phases + 1, sizeof(*cells->phases)),
	};
	if (!cells->names || !cells->place || !cells->phases)
		return -1;
	*room = NUMBERS_MAX + strlen(cells->names) + strlen(cells->place);
	for (size_t i = 0; i <= round->n_phases; i++) {
		cells->phases[i] = cell_of(i < round->n_phases ? round->phases[i].name : NULL);
		if (!cells->phases[i])
			return -1;
		*room += strlen(cells->phases[i]);
	}
	return 0;
}

static int put_round(FILE *out, const struct record *rec, const struct record_round *round)
{
	const struct record_series *series = &round->series;
	double start = start_of(round), lines = series->lines_per_second ? 0 : NAN;
	struct row row = {.text = NULL};
	struct cells cells;
	size_t room = 0;
	int rc = cells_make(&cells, rec, round, &room);

	if (!rc) {
		row.text = malloc(room);
		rc = row.text ? 0 : -1;
	}
	for (size_t i = 0; !rc && i < series->n; i++) {
		double rate = at(series->lines_per_second, i, series->interval_seconds);

		lines += isfinite(rate) ? rate : 0;
		put_tick(&row, round, &cells, start, i, lines);
		fwrite_unlocked(row.text, 1, row.used, out);
	}
	free(row.text);
	cells_clear(&cells, round->n_phases);
	return rc;
}

static int write_csv_series(const struct record *rec, const struct report_options *options,
			    FILE *out, struct error *err)
{
	if (!options->continued)
		fputs(header, out);
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (put_round(out, rec, &rec->rounds[i]))
			return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	return 0;
}

const struct report_format report_csv_series = {
	.name = "csv-series",
	.file_name = "series.csv",
	.description = "one row for each tick of each round, in the columns of Wake's scripts",
	.write = write_csv_series,
};
