/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/load.h"

#include <math.h>
#include <string.h>

#include "record/distribution.h"

void record_load_init(struct record_load *load)
{
	*load = (struct record_load){
		.operations = RECORD_NONE,
		.errors = RECORD_NONE,
		.dropped = RECORD_NONE,
		.late_seconds_max = NAN,
		.rate_per_second = NAN,
	};
	latency_init(&load->response);
	latency_init(&load->service);
}

void record_add_count(int64_t *sum, int64_t value)
{
	if (value == RECORD_NONE)
		return;
	if (*sum == RECORD_NONE)
		*sum = 0;
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = value < 0 ? INT64_MIN + 1 : INT64_MAX;
}

/* Each rate says how long its operations took: together they took both times. */
static double rate_of_both(const struct record_load *a, const struct record_load *b)
{
	double n = (double)a->operations + (double)b->operations, seconds;

	if (a->operations == RECORD_NONE || isnan(a->rate_per_second))
		return b->rate_per_second;
	if (b->operations == RECORD_NONE || isnan(b->rate_per_second))
		return a->rate_per_second;
	seconds = (a->rate_per_second > 0 ? (double)a->operations / a->rate_per_second : 0) +
		  (b->rate_per_second > 0 ? (double)b->operations / b->rate_per_second : 0);
	return seconds > 0 ? n / seconds : 0;
}

int record_load_merge(struct record_load *into, const struct record_load *from)
{
	into->rate_per_second = rate_of_both(into, from);
	record_add_count(&into->operations, from->operations);
	record_add_count(&into->errors, from->errors);
	record_add_count(&into->dropped, from->dropped);
	into->late_seconds_max = fmax(into->late_seconds_max, from->late_seconds_max);
	if (latency_merge(&into->response, &from->response) ||
	    latency_merge(&into->service, &from->service))
		return -1;
	return 0;
}

bool record_has_operations(const struct record_round *round)
{
	return round->has_work && round->work.operations != RECORD_NONE;
}

int64_t record_completed(const struct record_work *work)
{
	return work->completed == RECORD_NONE ? work->operations : work->completed;
}

double record_tried(int64_t operations, int64_t errors)
{
	if (operations == RECORD_NONE)
		return NAN;
	return (double)operations + (errors == RECORD_NONE ? 0 : (double)errors);
}

double record_success(int64_t operations, int64_t errors)
{
	double tried = record_tried(operations, errors);

	return tried > 0 && errors != RECORD_NONE ? (double)operations / tried : NAN;
}

const struct record_round_phase *record_load_phase(const struct record_round *round,
						   const char *name)
{
	for (size_t i = 0; i < round->n_phases; i++)
		if (round->phases[i].has_load && round->phases[i].name &&
		    !strcmp(round->phases[i].name, name))
			return &round->phases[i];
	return NULL;
}
