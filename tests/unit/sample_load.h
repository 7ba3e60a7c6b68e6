/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a load driver tells of a round, all of it known. */
#ifndef PERFBPF_TESTS_SAMPLE_LOAD_H
#define PERFBPF_TESTS_SAMPLE_LOAD_H

#include "sample_details.h"

static inline void sample_load_of(struct record_load *load, int64_t operations, double times)
{
	*load = (struct record_load){
		.operations = operations,
		.errors = 10,
		.dropped = 3,
		.late_seconds_max = 0.002,
		.rate_per_second = (double)operations / 5,
	};
	sample_fill(&load->response, NULL, 2e-3 * times, (size_t)operations);
	sample_fill(&load->service, NULL, 1e-3 * times, (size_t)operations);
}

static inline void sample_load_lists(struct record_round *round, double times)
{
	round->n_errors = 2;
	round->errors = calloc(2, sizeof(*round->errors));
	round->errors[0] = (struct record_error){strdup("status 503"), 15};
	round->errors[1] = (struct record_error){strdup("timeout"), 5};
	round->n_counts = 1;
	round->counts = calloc(1, sizeof(*round->counts));
	round->counts[0] = (struct record_count){strdup("status 200"), 19980};
	round->n_kinds = 2;
	round->kinds = calloc(2, sizeof(*round->kinds));
	round->kinds[0] = (struct record_kind){strdup("read"), 15000, 20, 15 << 20, 150000};
	round->kinds[1] = (struct record_kind){strdup("write"), 4980, 0, 1 << 20, 0};
	round->n_producers = 1;
	round->producers = calloc(1, sizeof(*round->producers));
	round->producers[0].name = strdup("first");
	sample_load_of(&round->producers[0].load, 19980, times);
}

static inline void sample_fault(struct record_round *round)
{
	struct record_fault *fault = record_add_fault(round, "leader", "signal");

	fault->applied_at = 3;
	fault->ended_at = 4.5;
	fault->verified = fault->undone = true;
	fault->error = strdup("the leader had to be looked for twice");
	round->n_recovery = 1;
	round->recovery = calloc(1, sizeof(*round->recovery));
	round->recovery[0] =
		(struct record_recovery){strdup("leader"), 3, 2.99, 4.21, 1.22, 0.0048, 2.5};
}

static inline void sample_endurance(struct record_round *round)
{
	round->n_endurance = 1;
	round->endurance = calloc(1, sizeof(*round->endurance));
	round->endurance[0] = (struct record_endurance){
		.name = strdup("memory"),
		.verdict = strdup("steady"),
		.unit = strdup("bytes/h"),
		.value = 1000,
		.ci_low = -500,
		.ci_high = 2500,
		.text = strdup("steady: 1000 B/h"),
	};
}

static inline void sample_times(struct record_round *round, const char *name, double median)
{
	struct record_latency *latency = latency_add(round, name);

	free(latency->name);
	sample_fill(latency, name, median, 19980);
}

/* Adds all of it to a round of sample_detailed(); @times slower than A. */
static inline void sample_load(struct record_round *round, double times)
{
	round->work.operations = 19980;
	round->work.completed = RECORD_NONE;
	round->work.errors = 20;
	round->work.dropped = 6;
	round->work.rows = 150000;
	round->work.rows_expected = 150000;
	round->work.is_fixed = true;
	for (int i = 0; i < 2; i++) {
		struct record_round_phase *phase = record_add_phase(round, i ? "peak" : "normal");

		phase->duration_seconds = 5;
		phase->has_load = true;
		sample_load_of(&phase->load, i ? 14980 : 5000, times);
	}
	sample_load_lists(round, times);
	sample_fault(round);
	sample_endurance(round);
	record_add_side_metric(round, "cache_hit_ratio", 0.97);
	sample_times(round, "server_response", 1.5e-3 * times);
	sample_times(round, "server_service", 1e-3 * times);
	round->series.operations_per_second = sample_series(3, 1000);
	round->series.errors_per_second = sample_series(3, 1);
	round->series.response_p95_interval_seconds = 1;
	round->series.n_response_p95_seconds = 2;
	round->series.response_p95_seconds = sample_series(2, 0.004);
}

/* sample_detailed() under a load, of which lines are no part. */
static inline struct record *sample_loaded(size_t pairs, bool two_sided)
{
	struct record *rec = sample_detailed(pairs, two_sided);

	free(rec->scenario.driver);
	rec->scenario.driver = strdup("http");
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		sample_load(round, round->side == SIDE_A ? 1 : 1.25);
		round->work.lines = round->work.expected_lines = RECORD_NONE;
		round->work.lost = round->work.duplicated = round->work.malformed = RECORD_NONE;
		round->work.reordered = round->work.foreign = RECORD_NONE;
	}
	return rec;
}

#endif
