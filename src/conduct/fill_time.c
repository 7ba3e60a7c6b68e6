/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where time went, and what was used of the machine: from what was measured to the record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/fill.h"

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

/* The struct holds nothing but doubles. */
static void forget_time(struct record_time *out)
{
	double *fields = (double *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(*fields); i++)
		fields[i] = NAN;
}

void fill_thread_time(struct record_time *out, const struct thread_time *time)
{
	if (!time) {
		forget_time(out);
		return;
	}
	out->wall_seconds = seconds(time->wall_ns);
	out->on_cpu_seconds = seconds(time->cpu_ns);
	out->stolen_seconds = seconds(time->stolen_ns);
	out->run_queue_seconds = seconds(time->run_queue_ns);
	out->futex_seconds = seconds(time->wait_ns[PB_WAIT_FUTEX]);
	out->socket_seconds = seconds(time->wait_ns[PB_WAIT_SOCKET]);
	out->pipe_seconds = seconds(time->wait_ns[PB_WAIT_PIPE]);
	out->disk_seconds = seconds(time->wait_ns[PB_WAIT_DISK]);
	out->timer_seconds = seconds(time->wait_ns[PB_WAIT_TIMER]);
	out->other_seconds = seconds(time->wait_ns[PB_WAIT_OTHER]);
	out->lock_seconds = seconds(time->lock_ns);
	out->waiting_seconds = 0;
	for (int i = 0; i < PB_WAITS; i++)
		out->waiting_seconds += seconds(time->wait_ns[i]);
	out->unaccounted_seconds = out->wall_seconds - out->on_cpu_seconds - out->stolen_seconds -
				   out->run_queue_seconds - out->waiting_seconds;
}

int fill_threads(struct record_round *out, struct collector *collector)
{
	struct threads *threads = tree_threads(collector->tree);
	double opened = (double)collector->window.opened_ns;

	if (!probe_has_time(collector->conductor->probe))
		return 0;
	out->has_time = true;
	fill_thread_time(&out->time, &threads->sum);
	out->observer.losses.threads = (int64_t)threads->unlisted;
	threads_sort(threads);
	out->threads = calloc(threads->n + 1, sizeof(*out->threads));
	if (!out->threads)
		return -1;
	for (size_t i = 0; i < threads->n; i++) {
		const struct thread *from = &threads->list[i];
		struct record_thread *to = &out->threads[out->n_threads++];

		to->pid = from->pid;
		to->tid = from->tid;
		to->comm = strdup(from->comm);
		to->started_at = ((double)from->began_ns - opened) / 1e9;
		to->exited_at = from->ended_ns ? ((double)from->ended_ns - opened) / 1e9 : NAN;
		fill_thread_time(&to->time, &from->time);
	}
	return 0;
}

static void use_init(struct record_use *use)
{
	use->utilization = use->saturation = NAN;
	use->errors = RECORD_NONE;
}

static void use_of_run_queue(struct record_use *use, const struct record_time *time)
{
	double had = time->on_cpu_seconds + time->stolen_seconds;
	double wanted = had + time->run_queue_seconds;

	if (!(wanted > 0))
		return;
	use->utilization = had / wanted;
	use->saturation = time->run_queue_seconds / wanted;
}

static int fill_phase(struct record_round *out, const struct collector *collector,
		      const struct phase_edge *from, const struct phase_edge *to)
{
	struct record_round_phase *phase = &out->phases[out->n_phases++];
	double length = seconds(to->at_ns - from->at_ns);
	unsigned int samples = to->runnable_samples - from->runnable_samples;
	struct thread_time time = thread_time_between(&from->time, &to->time);

	phase->name = strdup(from->name);
	phase->started_at = ((double)from->at_ns - (double)collector->window.opened_ns) / 1e9;
	phase->duration_seconds = length;
	use_init(&phase->cpu);
	use_init(&phase->run_queue);
	use_init(&phase->memory);
	use_init(&phase->disk);
	use_init(&phase->network);
	use_init(&phase->driver);
	machine_use(phase, &from->machine, &to->machine, length);
	if (samples)
		phase->cpu.saturation =
			(to->runnable_beyond - from->runnable_beyond) / (double)samples;
	if (out->has_io)
		phase->disk.errors = (int64_t)(to->block_errors - from->block_errors);
	if (collector->driver)
		phase->driver.utilization =
			seconds(to->driver_cpu_ns - from->driver_cpu_ns) / length;
	fill_thread_time(&phase->time, out->has_time ? &time : NULL);
	if (out->has_time)
		use_of_run_queue(&phase->run_queue, &phase->time);
	return phase->name ? 0 : -1;
}

/* The driver's part comes later, with its report. */
int fill_phases(struct record_round *out, const struct collector *collector)
{
	int failed = 0;

	if (collector->n_edges < 2)
		return 0;
	out->phases = calloc(collector->n_edges, sizeof(*out->phases));
	if (!out->phases)
		return -1;
	for (size_t i = 0; !failed && i + 1 < collector->n_edges; i++)
		failed = fill_phase(out, collector, &collector->edges[i], &collector->edges[i + 1]);
	return failed;
}
