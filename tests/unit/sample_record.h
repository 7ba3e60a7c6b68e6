/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records to test with. Everything is known, so that every path of run.json has a value. */
#ifndef PERFBPF_TESTS_SAMPLE_RECORD_H
#define PERFBPF_TESTS_SAMPLE_RECORD_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "record/record.h"

static inline char **sample_argv(const char *first, const char *second)
{
	char **argv = calloc(2, sizeof(*argv));

	argv[0] = strdup(first);
	argv[1] = strdup(second);
	return argv;
}

static inline double *sample_series(size_t n, double step)
{
	double *values = calloc(n, sizeof(*values));

	for (size_t i = 0; i < n; i++)
		values[i] = step * (double)(i + 1);
	return values;
}

static inline void sample_process(struct record_process *process, const char *comm, double cpu)
{
	*process = (struct record_process){
		.pid = 100,
		.ppid = 99,
		.comm = strdup(comm),
		.exe = strdup("/usr/bin/tool"),
		.started_at = -0.5,
		.exited_at = NAN,
		.exit_code = RECORD_NONE,
		.signal = RECORD_NONE,
		.cpu_seconds = cpu,
		.threads = 2,
		.rss_peak_bytes = 8 << 20,
		.minor_faults = 50,
		.major_faults = 1,
		.tx_bytes = 1000,
		.rx_bytes = 2000,
	};
}

static inline void sample_lists(struct record_round *round, double cpu)
{
	round->n_latency = 1;
	round->latency = calloc(1, sizeof(*round->latency));
	round->latency[0] = (struct record_latency){strdup("delivery"),
						    140000,
						    1e-5,
						    4e-4,
						    3e-4,
						    6e-4,
						    8e-4,
						    2e-3,
						    9e-3,
						    0.021,
						    0,
						    NULL,
						    NULL};
	round->n_processes = 2;
	round->processes = calloc(2, sizeof(*round->processes));
	sample_process(&round->processes[0], "tool", cpu * 0.9);
	sample_process(&round->processes[1], "grep", cpu * 0.1);
	round->series.interval_seconds = 0.1;
	round->series.n = 3;
	round->series.cpu_utilization = sample_series(3, cpu / 30);
	round->series.rss_bytes = sample_series(3, 1 << 20);
	round->series.tx_bytes_per_second = sample_series(3, 100);
	round->series.rx_bytes_per_second = sample_series(3, 200);
	round->series.lines_per_second = sample_series(3, 14000);
	round->observer.n_programs = 1;
	round->observer.programs = calloc(1, sizeof(*round->observer.programs));
	round->observer.programs[0] = (struct record_program){strdup("on_switch"), 10000, 7e-4};
}

static inline void sample_round(struct record_round *round, enum side side, int64_t pair,
				double cpu)
{
	memset(round, 0, sizeof(*round));
	record_round_init(round);
	round->side = side;
	round->pair = pair;
	round->position = side == SIDE_A ? 0 : 1;
	round->started_at = strdup("2025-01-01T12:00:00.000Z");
	round->window_seconds = 10;
	round->cpu =
		(struct record_cpu){cpu, cpu * 0.6, cpu * 0.4, cpu / 10, cpu / 8, 12345, 12, 3};
	round->memory = (struct record_memory){24 << 20, 32 << 20, 1 << 30, 20 << 20,
					       12 << 20, 0,        56076,   2};
	round->network = (struct record_network){5000,   20000000, 20,    0, 1, {5000, 20000000},
						 {0, 0}, {0, 0},   {0, 0}};
	round->has_work = true;
	round->work = (struct record_work){
		.lines = 140000,
		.bytes = 14000000,
		.expected_lines = 140000,
		.reordered = 7,
		.foreign = 1,
		.operations = RECORD_NONE,
		.errors = RECORD_NONE,
		.dropped = RECORD_NONE,
		.completed = RECORD_NONE,
		.rows = RECORD_NONE,
		.rows_expected = RECORD_NONE,
	};
	round->has_driver = true;
	round->driver = (struct record_driver){0.8, 0.0012, 0};
	round->observer.mode = strdup("stats");
	round->observer.probe_seconds = 0.004;
	round->observer.probe_events = 50000;
	round->observer.userspace_cpu_seconds = 0.01;
	round->observer.rss_peak_bytes = 9 << 20;
	round->observer.losses = (struct record_losses){.ring = 0};
	sample_lists(round, cpu);
}

static inline void sample_target(struct record_target *target, enum side side, const char *name)
{
	*target = (struct record_target){side, strdup(name), 2, sample_argv(name, "logs -f"),
					 strdup("1.2.3")};
}

/* @pairs pairs of kubectl (A) and curl (B), or rounds of kubectl alone. */
static inline struct record *sample_record(size_t pairs, bool two_sided)
{
	struct record *rec = record_new();
	struct record_round round;

	rec->n_argv = 2;
	rec->argv = sample_argv("perfbpf", "run");
	rec->seed = 42;
	rec->host.kernel = strdup("6.18.0");
	rec->host.hostname = strdup("bench");
	rec->host.cpu_model = strdup("Some CPU");
	rec->host.virtualization = strdup("kvm");
	rec->host.cpus = 2;
	rec->host.memory_bytes = 8LL << 30;
	rec->scenario.name = strdup("basic");
	rec->scenario.driver = strdup("kubelogs");
	rec->scenario.n_phases = 1;
	rec->scenario.phases = calloc(1, sizeof(*rec->scenario.phases));
	rec->scenario.phases[0] =
		(struct record_phase){strdup("main"), strdup("measured"), 10, 14000};
	rec->n_targets = two_sided ? 2 : 1;
	rec->targets = calloc(rec->n_targets, sizeof(*rec->targets));
	sample_target(&rec->targets[0], SIDE_A, "kubectl");
	if (two_sided)
		sample_target(&rec->targets[1], SIDE_B, "curl");
	rec->complete = true;
	for (size_t i = 0; i < pairs; i++) {
		sample_round(&round, SIDE_A, (int64_t)i, 1 + 0.1 * (double)i);
		record_add_round(rec, &round);
		if (!two_sided)
			continue;
		sample_round(&round, SIDE_B, (int64_t)i, (1 + 0.1 * (double)i) * 0.41);
		record_add_round(rec, &round);
	}
	return rec;
}

/* The same without a driver: commands that ran to completion with exit code 0. */
static inline struct record *sample_commands(size_t pairs)
{
	struct record *rec = sample_record(pairs, true);

	free(rec->scenario.driver);
	rec->scenario.driver = NULL;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		rec->rounds[i].has_work = false;
		rec->rounds[i].has_driver = false;
		rec->rounds[i].exit_code = 0;
	}
	return rec;
}

#endif
