/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the probes beyond CPU, memory and sockets tell of a round, all of it known. */
#ifndef PERFBPF_TESTS_SAMPLE_DETAILS_H
#define PERFBPF_TESTS_SAMPLE_DETAILS_H

#include "measure/latency.h"
#include "record/distribution.h"
#include "sample_record.h"

/* @n times with @median, from it over e to it times e. */
static inline void sample_fill(struct record_latency *out, const char *name, double median,
			       size_t n)
{
	struct histogram *h = malloc(sizeof(*h));

	histogram_init(h);
	for (size_t i = 0; i < n; i++)
		histogram_add(h, (uint64_t)(median * 1e9 *
					    exp(2 * (((double)i + 0.5) / (double)n - 0.5))));
	latency_fill(out, name, h);
	free(h);
}

static inline void sample_latencies(struct record_round *round, double times)
{
	static const struct {
		const char *name;
		double median;
		size_t n;
	} rows[] = {
		{"queue", 20e-6, 20000},      {"service", 800e-6, 20000},
		{"response", 900e-6, 20000},  {"round_trip", 2e-3, 500},
		{"run_queue", 5e-6, 50000},   {"wait_futex", 1e-3, 4000},
		{"connect", 120e-6, 12},      {"rtt", 40e-6, 20000},
		{"block_read", 300e-6, 1200}, {"block_write", 1e-3, 400},
		{"fsync", 4e-3, 300},         {"handler", 0.005, 30000},
	};
	size_t n = sizeof(rows) / sizeof(rows[0]);

	round->latency =
		reallocarray(round->latency, round->n_latency + n, sizeof(*round->latency));
	for (size_t i = 0; i < n; i++)
		sample_fill(&round->latency[round->n_latency++], rows[i].name,
			    rows[i].median * times, rows[i].n);
}

static inline void sample_protocols(struct record_round *round, double times)
{
	static const struct {
		const char *protocol, *role, *label;
		int64_t count, errors;
	} rows[] = {{"http", "server", "GET /users/:id", 15000, 30},
		    {"http", "server", "POST /orders", 5000, 0},
		    {"redis", "client", "GET", 500, 1}};

	round->n_protocols = 3;
	round->protocols = calloc(3, sizeof(*round->protocols));
	for (size_t i = 0; i < 3; i++) {
		struct record_protocol *protocol = &round->protocols[i];

		*protocol = (struct record_protocol){
			.protocol = strdup(rows[i].protocol),
			.role = strdup(rows[i].role),
			.label = strdup(rows[i].label),
			.count = rows[i].count,
			.errors = rows[i].errors,
		};
		latency_init(&protocol->service);
		if (i < 2)
			sample_fill(&protocol->service, NULL, 1e-3 * times, (size_t)rows[i].count);
		sample_fill(&protocol->response, NULL, 2e-3 * times, (size_t)rows[i].count);
	}
}

static inline void sample_peers(struct record_round *round)
{
	round->n_peers = 2;
	round->peers = calloc(2, sizeof(*round->peers));
	round->peers[0] = (struct record_peer){strdup("192.168.10.20"),
					       6379,
					       strdup("client"),
					       4,
					       500,
					       20000,
					       1 << 20,
					       2,
					       130e-6,
					       200e-6,
					       45e-6,
					       90e-6};
	round->peers[1] = (struct record_peer){strdup("127.0.0.1"),
					       8080,
					       strdup("server"),
					       20,
					       20000,
					       18 << 20,
					       5 << 20,
					       0,
					       NAN,
					       NAN,
					       30e-6,
					       80e-6};
}

static inline void sample_syscalls(struct record_round *round)
{
	round->n_syscalls = 2;
	round->syscalls = calloc(2, sizeof(*round->syscalls));
	round->syscalls[0] = (struct record_syscall){.name = strdup("futex"), 4000, 12, 4.25, {0}};
	round->syscalls[1] = (struct record_syscall){.name = strdup("read"), 40000, 0, 0.04, {0}};
	sample_fill(&round->syscalls[0].latency, NULL, 1e-3, 4000);
	sample_fill(&round->syscalls[1].latency, NULL, 1e-6, 40000);
	round->observer.syscall_slowdown_seconds = 310e-9;
}

static inline void sample_phase(struct record_round *round)
{
	round->n_phases = 1;
	round->phases = calloc(1, sizeof(*round->phases));
	round->phases[0] = (struct record_round_phase){
		.name = strdup("main"),
		.started_at = 0,
		.duration_seconds = 10,
		.cpu = {0.6, 0.1, RECORD_NONE},
		.run_queue = {0.9, 0.1, RECORD_NONE},
		.memory = {0.3, 0, 0},
		.disk = {0.2, 0.3, 0},
		.network = {NAN, 0, 0},
		.driver = {0.1, 0.001, 0},
		.limited_by = strdup("lock"),
		.limit = strdup("20 threads shared a lock: 94 % of their time went to waiting for "
				"it, and on average 1.0 of them ran"),
	};
}

static inline void sample_thread(struct record_round *round)
{
	round->n_threads = 1;
	round->threads = calloc(1, sizeof(*round->threads));
	round->threads[0] = (struct record_thread){.pid = 100,
						   .tid = 101,
						   .comm = strdup("tool"),
						   .started_at = -0.5,
						   .exited_at = NAN,
						   .time = round->time};
}

/* Adds to a round of sample_record() all that the probes tell; @times slower than A. */
static inline void sample_details(struct record_round *round, double times)
{
	sample_latencies(round, times);
	round->has_requests = true;
	round->requests = (struct record_requests){.served = 20000,
						   .sent = 500,
						   .in_flight = 3,
						   .streams = 2,
						   .overlapped = 7,
						   .interleaved = 5,
						   .no_arrival = 0,
						   .no_role = 0,
						   .unparsed = 11};
	sample_protocols(round, times);
	round->has_time = true;
	round->time = (struct record_time){.wall_seconds = 40,
					   .on_cpu_seconds = 1.0 * times,
					   .stolen_seconds = 0.01,
					   .run_queue_seconds = 0.25,
					   .waiting_seconds = 38.74 - times,
					   .futex_seconds = 9,
					   .socket_seconds = 20,
					   .pipe_seconds = 0.5,
					   .disk_seconds = 1.5,
					   .timer_seconds = 5,
					   .other_seconds = 2.74 - times,
					   .lock_seconds = 8,
					   .unaccounted_seconds = 0.01};
	round->has_io = true;
	round->io = (struct record_io){.read_bytes = 30 << 20,
				       .write_bytes = 20 << 20,
				       .storage_read_bytes = 5 << 20,
				       .storage_write_bytes = 3 << 20,
				       .block_reads = 1200,
				       .block_writes = 400,
				       .block_read_bytes = 5 << 20,
				       .block_write_bytes = 2 << 20,
				       .block_errors = 0,
				       .fsyncs = 300};
	sample_peers(round);
	sample_syscalls(round);
	sample_phase(round);
	sample_thread(round);
}

/* sample_record() with all details. */
static inline struct record *sample_detailed(size_t pairs, bool two_sided)
{
	struct record *rec = sample_record(pairs, two_sided);

	for (size_t i = 0; i < rec->n_rounds; i++)
		sample_details(&rec->rounds[i], rec->rounds[i].side == SIDE_A ? 1 : 1.25);
	return rec;
}

#endif
