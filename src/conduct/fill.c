/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From what was measured to a round of the record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "conduct/fill.h"
#include "util/file.h"

/*
 * The kernel samples at ticks whether a thread is in user or system mode; as it does
 * for getrusage, the exact total is split in that proportion. Without any sample the
 * time counts as the user's.
 */
static void fill_cpu(struct record_cpu *cpu, const struct collector *collector, double seconds)
{
	const struct pb_totals *used = &collector->window.last.used;
	double ticks = (double)used->user_ticks_ns + (double)used->system_ticks_ns;

	cpu->total_seconds = (double)used->cpu_ns / 1e9;
	cpu->user_seconds = cpu->total_seconds;
	cpu->system_seconds = 0;
	if (used->system_ticks_ns && used->user_ticks_ns) {
		cpu->user_seconds = cpu->total_seconds * (double)used->user_ticks_ns / ticks;
		cpu->system_seconds = cpu->total_seconds - cpu->user_seconds;
	} else if (used->system_ticks_ns) {
		cpu->user_seconds = 0;
		cpu->system_seconds = cpu->total_seconds;
	}
	cpu->utilization_avg = seconds > 0 ? cpu->total_seconds / seconds : NAN;
	/* Less than a tick long: the average is all there is. */
	cpu->utilization_peak = collector->window.utilization_peak > cpu->utilization_avg
					? collector->window.utilization_peak
					: cpu->utilization_avg;
	cpu->context_switches = (int64_t)(used->voluntary_switches + used->involuntary_switches);
	cpu->involuntary_switches = (int64_t)used->involuntary_switches;
	cpu->migrations = (int64_t)used->migrations;
}

static void fill_memory(struct record_memory *memory, const struct window *window)
{
	memory->rss_avg_bytes = window->rss_time > 0 ? window->rss_seconds / window->rss_time : NAN;
	memory->rss_peak_bytes = (int64_t)window->rss_peak_bytes;
	memory->vms_peak_bytes = (int64_t)window->vms_peak_bytes;
	/* The parts are seen at ticks only: of a shorter run they are not known. */
	if (window->anon_peak_bytes + window->file_peak_bytes + window->shmem_peak_bytes) {
		memory->rss_anon_peak_bytes = (int64_t)window->anon_peak_bytes;
		memory->rss_file_peak_bytes = (int64_t)window->file_peak_bytes;
		memory->rss_shmem_peak_bytes = (int64_t)window->shmem_peak_bytes;
	}
	memory->minor_faults = (int64_t)window->last.used.minor_faults;
	memory->major_faults = (int64_t)window->last.used.major_faults;
}

static int64_t sum_of(const uint64_t *families)
{
	uint64_t bytes = 0;

	for (int i = 0; i < PB_FAMILIES; i++)
		bytes += families[i];
	return (int64_t)bytes;
}

/* A kernel that does not tell leaves its fields "not known" instead of 0. */
static void fill_network(struct record_network *network, const struct collector *collector)
{
	const struct pb_totals *used = &collector->window.last.used;
	struct record_network_family *families[PB_FAMILIES] = {
		[PB_FAMILY_INET] = &network->inet,
		[PB_FAMILY_INET6] = &network->inet6,
		[PB_FAMILY_UNIX] = &network->unix_,
		[PB_FAMILY_OTHER] = &network->other,
	};

	network->connections_opened = (int64_t)used->connections_opened;
	network->connections_accepted = (int64_t)used->connections_accepted;
	network->retransmits = (int64_t)used->retransmits;
	if (!probe_has_socket_bytes(collector->conductor->probe))
		return;
	network->tx_bytes = sum_of(used->tx_bytes);
	network->rx_bytes = sum_of(used->rx_bytes);
	for (int i = 0; i < PB_FAMILIES; i++) {
		families[i]->tx_bytes = (int64_t)used->tx_bytes[i];
		families[i]->rx_bytes = (int64_t)used->rx_bytes[i];
	}
}

static void fill_process(struct record_process *process, const struct tree_process *from,
			 const struct collector *collector)
{
	uint64_t opened = collector->window.opened_ns;
	bool ended = from->exited_ns && from->exited_ns <= collector->window.closed_ns;

	process->pid = from->pid;
	process->ppid = from->ppid;
	process->comm = strdup(from->comm);
	process->exe = from->exe[0] ? strdup(from->exe) : NULL;
	process->started_at = ((double)from->started_ns - (double)opened) / 1e9;
	process->exited_at = ended ? ((double)from->exited_ns - (double)opened) / 1e9 : NAN;
	process->exit_code =
		ended && WIFEXITED(from->exit_code) ? WEXITSTATUS(from->exit_code) : RECORD_NONE;
	process->signal =
		ended && WIFSIGNALED(from->exit_code) ? WTERMSIG(from->exit_code) : RECORD_NONE;
	process->cpu_seconds = (double)from->used.cpu_ns / 1e9;
	process->threads = from->threads_peak;
	process->rss_peak_bytes = (int64_t)from->rss_peak_bytes;
	process->minor_faults = (int64_t)from->used.minor_faults;
	process->major_faults = (int64_t)from->used.major_faults;
	if (probe_has_socket_bytes(collector->conductor->probe)) {
		process->tx_bytes = sum_of(from->used.tx_bytes);
		process->rx_bytes = sum_of(from->used.rx_bytes);
	} else {
		process->tx_bytes = process->rx_bytes = RECORD_NONE;
	}
	fill_thread_time(&process->time,
			 probe_has_time(collector->conductor->probe) ? &from->time : NULL);
}

static int by_start(const void *a, const void *b)
{
	const struct record_process *x = a, *y = b;

	if (x->started_at != y->started_at)
		return x->started_at < y->started_at ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int fill_processes(struct record_round *out, const struct collector *collector)
{
	const struct tree_process *from;
	size_t n;

	from = tree_processes(collector->tree, &n);
	out->processes = calloc(n ? n : 1, sizeof(*out->processes));
	if (!out->processes)
		return -1;
	for (size_t i = 0; i < n; i++) {
		/* One that started while the side was being ended is not of the window. */
		if (!from[i].id || from[i].started_ns > collector->window.closed_ns)
			continue;
		fill_process(&out->processes[out->n_processes++], &from[i], collector);
	}
	qsort(out->processes, out->n_processes, sizeof(*out->processes), by_start);
	return 0;
}

static int fill_series(struct record_series *series, const struct window *window)
{
	size_t n = window->n;

	series->interval_seconds = window_interval_seconds(window);
	series->cpu_utilization = calloc(n + 1, sizeof(double));
	series->rss_bytes = calloc(n + 1, sizeof(double));
	series->tx_bytes_per_second = calloc(n + 1, sizeof(double));
	series->rx_bytes_per_second = calloc(n + 1, sizeof(double));
	if (!series->cpu_utilization || !series->rss_bytes || !series->tx_bytes_per_second ||
	    !series->rx_bytes_per_second)
		return -1;
	for (size_t i = 0; i < n; i++) {
		series->cpu_utilization[i] = window->points[i].cpu_utilization;
		series->rss_bytes[i] = window->points[i].rss_bytes;
		series->tx_bytes_per_second[i] = window->points[i].tx_bytes_per_second;
		series->rx_bytes_per_second[i] = window->points[i].rx_bytes_per_second;
	}
	series->n = n;
	return 0;
}

/* Of perfbpf itself; its window is closed, so its own /proc may be read. */
static int64_t own_rss_peak(void)
{
	char *text = file_read("/proc/self/status", 1 << 16, NULL);
	const char *line = text ? strstr(text, "\nVmHWM:") : NULL;
	int64_t bytes = line ? strtoll(line + strlen("\nVmHWM:"), NULL, 10) * 1024 : RECORD_NONE;

	free(text);
	return bytes;
}

static int fill_observer(struct record_observer *observer, const struct collector *collector)
{
	const struct probe_cost *cost = &collector->cost;
	bool stats = probe_has_stats(collector->conductor->probe);

	observer->mode = strdup(stats ? "stats" : "off");
	observer->userspace_cpu_seconds = collector->own_cpu_seconds;
	observer->rss_peak_bytes = own_rss_peak();
	observer->losses = (struct record_losses){
		.ring = (int64_t)cost->losses[PB_LOSS_RING],
		.map_full = (int64_t)cost->losses[PB_LOSS_MAP_FULL],
		.storage = (int64_t)cost->losses[PB_LOSS_STORAGE],
		.stacks = (int64_t)cost->losses[PB_LOSS_STACKS],
		.sockets = (int64_t)cost->losses[PB_LOSS_SOCKETS],
		.unlisted = (int64_t)tree_unlisted(collector->tree),
		.requests = (int64_t)cost->losses[PB_LOSS_REQUESTS],
		.block = (int64_t)cost->losses[PB_LOSS_BLOCK],
	};
	observer->programs = calloc(cost->n_programs + 1, sizeof(*observer->programs));
	if (!observer->mode || !observer->programs)
		return -1;
	if (stats) {
		observer->probe_seconds = 0;
		observer->probe_events = 0;
	}
	for (size_t i = 0; i < cost->n_programs; i++) {
		const struct probe_program_cost *one = &cost->programs[i];
		struct record_program *program = &observer->programs[i];

		observer->losses.recursion += (int64_t)one->recursion;
		program->name = strdup(one->name);
		program->events = stats ? (int64_t)one->events : RECORD_NONE;
		program->seconds = stats ? (double)one->run_ns / 1e9 : NAN;
		if (!stats)
			continue;
		observer->probe_seconds += program->seconds;
		observer->probe_events += program->events;
	}
	observer->n_programs = cost->n_programs;
	return 0;
}

int collector_fill(struct collector *collector, struct record_round *out)
{
	const struct window *window = &collector->window;

	if (!window->opened_ns)
		return 0;
	out->window_seconds = (double)(window->closed_ns - window->opened_ns) / 1e9;
	fill_cpu(&out->cpu, collector, out->window_seconds);
	fill_memory(&out->memory, window);
	fill_network(&out->network, collector);
	if (fill_processes(out, collector) || fill_series(&out->series, window) ||
	    fill_observer(&out->observer, collector))
		return -1;
	fill_io(out, collector);
	if (fill_latencies(out, collector) || fill_requests(out, collector) ||
	    fill_syscalls(out, collector) || fill_threads(out, collector))
		return -1;
	if (fill_phases(out, collector))
		return -1;
	return profiler_fill(collector->conductor->profiler, collector->conductor->record,
			     (uint32_t)collector->conductor->record->n_rounds, out,
			     collector->tree);
}
