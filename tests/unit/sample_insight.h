/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of two commands that are alike, into which a difference is planted; and their insights.
 */
#ifndef PERFBPF_TESTS_SAMPLE_INSIGHT_H
#define PERFBPF_TESTS_SAMPLE_INSIGHT_H

#include "report/insight.h"
#include "sample_profile.h"
#include "sample_report.h"

#define ALIKE_PAIRS 10

/* Some per mille of noise, the same in each run, and of no trend. */
static inline double alike(size_t round, double value)
{
	static const double noise[] = {0.999, 1.002, 0.998, 1.003, 1, 0.997, 1.001};

	return value * noise[round * 5 % 7];
}

static inline void set_cpu(struct record *rec, enum side side, double user, double system)
{
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_cpu *cpu = &rec->rounds[i].cpu;

		if (rec->rounds[i].side != side)
			continue;
		cpu->user_seconds = alike(i, user);
		cpu->system_seconds = alike(i + 2, system);
		cpu->total_seconds = cpu->user_seconds + cpu->system_seconds;
	}
}

/* @field: of an int64_t or a double in a round. */
#define SET_EACH(rec, which, field, value)                                                         \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < (rec)->n_rounds; i_++)                                    \
			if ((rec)->rounds[i_].side == (which))                                     \
				(rec)->rounds[i_].field =                                          \
					(__typeof__((rec)->rounds[i_].field))alike(i_, value);     \
	} while (0)

static inline void set_window(struct record *rec, enum side side, double seconds)
{
	SET_EACH(rec, side, window_seconds, seconds);
}

/* Two commands that cost the same but for the noise, A and B taking turns to be first. */
static inline struct record *sample_alike(void)
{
	struct record *rec = sample_commands(ALIKE_PAIRS);

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		round->position = (round->pair + round->side) % 2;
		round->memory.minor_faults = (int64_t)alike(i, 2000);
		round->cpu.context_switches = (int64_t)alike(i + 1, 3000);
		round->network.tx_bytes = (int64_t)alike(i + 3, 5e6);
		round->network.rx_bytes = (int64_t)alike(i + 4, 6e6);
		round->has_time = true;
		round->time.wall_seconds = 2;
		round->time.on_cpu_seconds = 1;
		round->time.stolen_seconds = 0;
		round->time.run_queue_seconds = alike(i, 0.01);
		round->time.lock_seconds = alike(i, 0.01);
	}
	for (int side = 0; side < SIDES; side++) {
		set_cpu(rec, (enum side)side, 0.8, 0.2);
		set_window(rec, (enum side)side, 1.1);
	}
	free(rec->host.virtualization);
	rec->host.virtualization = NULL;
	return rec;
}

/* As `run` does it. */
static inline void find_insights(struct record *rec)
{
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_int_equal(report_insights(rec), 0);
}

static inline size_t count_insights(const struct record *rec, const char *kind)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_insights; i++)
		n += !strcmp(rec->insights[i].kind, kind);
	return n;
}

/* The first of @kind with @part in its text; NULL: none. */
static inline const struct record_insight *find_insight(const struct record *rec, const char *kind,
							const char *part)
{
	for (size_t i = 0; i < rec->n_insights; i++)
		if (!strcmp(rec->insights[i].kind, kind) && strstr(rec->insights[i].text, part))
			return &rec->insights[i];
	return NULL;
}

static inline void fail_with_all(const struct record *rec, const char *what)
{
	for (size_t i = 0; i < rec->n_insights; i++)
		print_error("%s: %s\n", rec->insights[i].kind, rec->insights[i].text);
	fail_msg("%s", what);
}

static inline const struct record_insight *assert_insight(const struct record *rec,
							  const char *kind, const char *part)
{
	const struct record_insight *insight = find_insight(rec, kind, part);

	if (!insight)
		fail_with_all(rec, part);
	return insight;
}

static inline void assert_no_insight(const struct record *rec, const char *kind, const char *part)
{
	if (find_insight(rec, kind, part))
		fail_with_all(rec, part);
}

#endif
