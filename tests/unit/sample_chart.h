/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of which there is all to draw: a load with phases, a fault and distributions. */
#ifndef PERFBPF_TESTS_SAMPLE_CHART_H
#define PERFBPF_TESTS_SAMPLE_CHART_H

#include "record/distribution.h"
#include "sample_record.h"

/* Between 0 and 1, the same for the same @i. */
static inline double sample_noise(size_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ULL;

	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 29;
	return (double)(x >> 11) * 0x1p-53;
}

/* 20,000 values around @seconds, in buckets of a sixty-fourth of a power of two. */
static inline void sample_distribution(struct record_round *round, double seconds)
{
	struct record_latency *latency = latency_add(round, "response");
	const size_t n = 256;

	latency->bucket_upper_seconds = calloc(n, sizeof(double));
	latency->bucket_counts = calloc(n, sizeof(double));
	latency->count = 0;
	for (size_t i = 0; i < n; i++) {
		double distance = ((double)i - 100) / 30, power = exp2(floor((double)i / 64));

		latency->bucket_upper_seconds[i] =
			seconds / 3 * power * (1 + (double)(i % 64 + 1) / 64);
		latency->bucket_counts[i] = floor(400 * exp(-distance * distance)) + 1;
		latency->count += (int64_t)latency->bucket_counts[i];
	}
	latency->n_buckets = n;
	latency->min_seconds = seconds / 3;
	latency->max_seconds = latency->bucket_upper_seconds[n - 1];
	latency->p50_seconds = latency_quantile(latency, 0.5);
	latency->p90_seconds = latency_quantile(latency, 0.9);
	latency->p95_seconds = latency_quantile(latency, 0.95);
	latency->p99_seconds = latency_quantile(latency, 0.99);
}

static inline void sample_ticks(struct record_round *round, size_t n, size_t seed, double level)
{
	struct record_series *series = &round->series;
	double **lists[] = {&series->cpu_utilization,     &series->rss_bytes,
			    &series->tx_bytes_per_second, &series->rx_bytes_per_second,
			    &series->lines_per_second,    &series->operations_per_second};
	const double scales[] = {1, 64 << 20, 1e6, 2e4, 0, 5000};

	for (size_t i = 0; i < 6; i++) {
		free(*lists[i]);
		*lists[i] = calloc(n, sizeof(double));
	}
	free(series->lines_per_second);
	series->lines_per_second = NULL;
	series->n = n;
	series->interval_seconds = 0.1;
	for (size_t i = 0; i < n; i++) {
		double x = (double)i / (double)n;
		double shape = x < 0.3 ? 0.6 : x < 0.5 ? 1 : x < 0.58 ? 0.15 : 0.8;

		for (size_t j = 0; j < 6; j++)
			if (*lists[j])
				(*lists[j])[i] =
					level * scales[j] *
					(shape + 0.2 * sample_noise(seed * 7919 + i * 6 + j));
		series->rss_bytes[i] = level * (double)(32 << 20) * (1 + x);
	}
	series->response_p95_interval_seconds = 1;
	series->n_response_p95_seconds = n / 10;
	series->response_p95_seconds = calloc(n / 10 + 1, sizeof(double));
	for (size_t i = 0; i < n / 10; i++)
		series->response_p95_seconds[i] = 0.004 * (1 + sample_noise(seed + i)) * level;
	series->response_p95_seconds[n / 20] = NAN;
}

static inline void sample_load_round(struct record_round *round, enum side side, size_t pair,
				     size_t ticks)
{
	double window = (double)ticks * 0.1, level = side == SIDE_A ? 1 : 0.7;
	struct record_fault *fault;
	static const struct {
		const char *name;
		double from, to;
	} phases[] = {{"steady", 0, 0.3}, {"peak load", 0.3, 0.6}, {"after", 0.6, 1}};

	level *= 1 + 0.1 * sample_noise(pair * 2 + side);
	sample_round(round, side, (int64_t)pair, window * 0.5 * level);
	round->window_seconds = window;
	round->cpu.utilization_avg = 0.7 * level;
	round->cpu.utilization_peak = 1.2 * level;
	round->memory.rss_avg_bytes = level * (48 << 20);
	round->memory.rss_peak_bytes = (int64_t)(level * (64 << 20));
	round->work.lines = round->work.expected_lines = RECORD_NONE;
	round->work.operations = round->work.completed = (int64_t)(4000 * level * window);
	round->work.errors = round->work.dropped = 0;
	sample_ticks(round, ticks, pair * 2 + side, level);
	sample_distribution(round, 0.004 * level);
	for (size_t i = 0; i < 3; i++) {
		struct record_round_phase *phase = record_add_phase(round, phases[i].name);

		phase->started_at = phases[i].from * window;
		phase->duration_seconds = (phases[i].to - phases[i].from) * window;
	}
	fault = record_add_fault(round, "leader killed", "signal");
	fault->applied_at = 0.5 * window;
	fault->ended_at = 0.58 * window;
}

/* @rounds of @sides sides, @ticks of 100 ms each. */
static inline struct record *sample_chart_record(size_t rounds, size_t sides, size_t ticks)
{
	struct record *rec = sample_record(0, sides > 1);
	struct record_round round;

	for (size_t i = 0; i < rounds; i++)
		for (size_t side = 0; side < sides; side++) {
			sample_load_round(&round, (enum side)side, i, ticks);
			record_add_round(rec, &round);
		}
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	return rec;
}

#endif
