/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/metric.h"

#include <math.h>
#include <string.h>

#include "record/record.h"

static double known(int64_t value)
{
	return value == RECORD_NONE ? NAN : (double)value;
}

/* NAN where there is nothing to divide by. */
static double per(double value, double by)
{
	return by > 0 ? value / by : NAN;
}

static const struct record_latency *delivery(const struct record_round *round)
{
	for (size_t i = 0; i < round->n_latency; i++)
		if (round->latency[i].name && !strcmp(round->latency[i].name, "delivery"))
			return &round->latency[i];
	return NULL;
}

static double lines(const struct record_round *round)
{
	return round->has_work ? known(round->work.lines) : NAN;
}

#define GET(name, value)                                                                           \
	static double name(const struct record_round *round)                                       \
	{                                                                                          \
		return value;                                                                      \
	}
#define GET_REAL(group, field)    GET(group##_##field, round->group.field)
#define GET_INTEGER(group, field) GET(group##_##field, known(round->group.field))
#define GET_WORK(field)           GET(work_##field, round->has_work ? known(round->work.field) : NAN)
#define GET_DELIVERY(field)       GET(delivery_##field, delivery(round) ? delivery(round)->field : NAN)

GET(window_seconds, round->window_seconds)
GET_REAL(cpu, total_seconds)
GET_REAL(cpu, user_seconds)
GET_REAL(cpu, system_seconds)
GET_REAL(cpu, utilization_avg)
GET_REAL(cpu, utilization_peak)
GET_INTEGER(cpu, context_switches)
GET_INTEGER(cpu, involuntary_switches)
GET_INTEGER(cpu, migrations)
GET_REAL(memory, rss_avg_bytes)
GET_INTEGER(memory, rss_peak_bytes)
GET_INTEGER(memory, vms_peak_bytes)
GET_INTEGER(memory, rss_anon_peak_bytes)
GET_INTEGER(memory, rss_file_peak_bytes)
GET_INTEGER(memory, rss_shmem_peak_bytes)
GET_INTEGER(memory, minor_faults)
GET_INTEGER(memory, major_faults)
GET_INTEGER(network, tx_bytes)
GET_INTEGER(network, rx_bytes)
GET_INTEGER(network, connections_opened)
GET_INTEGER(network, connections_accepted)
GET_INTEGER(network, retransmits)
GET_WORK(bytes)
GET_WORK(expected_lines)
GET_WORK(lost)
GET_WORK(duplicated)
GET_WORK(reordered)
GET_WORK(malformed)
GET_WORK(foreign)
GET(delivery_count, delivery(round) ? known(delivery(round)->count) : NAN)
GET_DELIVERY(min_seconds)
GET_DELIVERY(mean_seconds)
GET_DELIVERY(p50_seconds)
GET_DELIVERY(p90_seconds)
GET_DELIVERY(p95_seconds)
GET_DELIVERY(p99_seconds)
GET_DELIVERY(p999_seconds)
GET_DELIVERY(max_seconds)
GET(cpu_per_million_lines, per(round->cpu.total_seconds, lines(round)) * 1e6)
GET(switches_per_thousand_lines, per(known(round->cpu.context_switches), lines(round)) * 1e3)
GET(bytes_received_per_line, per(known(round->network.rx_bytes), lines(round)))
GET(lines_per_second, per(lines(round), round->window_seconds))

/* Columns: name, label, unit, kind, lower is better, headline, description, get. */
static const struct metric metrics[] = {
	{"window_seconds", "wall time", "s", METRIC_SECONDS, true, true,
	 "length of the window; wall time of a command that runs to completion", window_seconds},
	{"cpu.total_seconds", "CPU time", "s", METRIC_SECONDS, true, true,
	 "CPU time of the whole process tree, exact", cpu_total_seconds},
	{"cpu.user_seconds", "CPU time, user", "s", METRIC_SECONDS, true, true,
	 "CPU time in user mode", cpu_user_seconds},
	{"cpu.system_seconds", "CPU time, system", "s", METRIC_SECONDS, true, true,
	 "CPU time in the kernel", cpu_system_seconds},
	{"cpu.utilization_avg", "CPU use, average", "", METRIC_RATIO, true, true,
	 "CPU time over wall time; 1.0 is one core", cpu_utilization_avg},
	{"cpu.utilization_peak", "CPU use, peak", "", METRIC_RATIO, true, true,
	 "CPU use in the busiest tick", cpu_utilization_peak},
	{"cpu.seconds_per_million_lines", "CPU per million lines", "s", METRIC_SECONDS, true, false,
	 "CPU time over delivered lines, times 1,000,000; derived", cpu_per_million_lines},
	{"cpu.context_switches", "context switches", "", METRIC_COUNT, true, true,
	 "voluntary and involuntary context switches", cpu_context_switches},
	{"cpu.involuntary_switches", "involuntary switches", "", METRIC_COUNT, true, false,
	 "context switches where the task would have gone on", cpu_involuntary_switches},
	{"cpu.switches_per_thousand_lines", "switches per 1000 lines", "", METRIC_COUNT, true,
	 false, "context switches over delivered lines, times 1,000; derived",
	 switches_per_thousand_lines},
	{"cpu.migrations", "CPU migrations", "", METRIC_COUNT, true, false,
	 "moves of a task to another CPU", cpu_migrations},
	{"memory.rss_avg_bytes", "RSS, average", "bytes", METRIC_BYTES, true, true,
	 "resident set of the tree, average", memory_rss_avg_bytes},
	{"memory.rss_peak_bytes", "RSS, peak", "bytes", METRIC_BYTES, true, true,
	 "largest resident set of the tree", memory_rss_peak_bytes},
	{"memory.rss_anon_peak_bytes", "RSS peak, anonymous", "bytes", METRIC_BYTES, true, false,
	 "largest anonymous part of the resident set", memory_rss_anon_peak_bytes},
	{"memory.rss_file_peak_bytes", "RSS peak, files", "bytes", METRIC_BYTES, true, false,
	 "largest file-backed part of the resident set", memory_rss_file_peak_bytes},
	{"memory.rss_shmem_peak_bytes", "RSS peak, shared", "bytes", METRIC_BYTES, true, false,
	 "largest shared-memory part of the resident set", memory_rss_shmem_peak_bytes},
	{"memory.vms_peak_bytes", "virtual memory, peak", "bytes", METRIC_BYTES, true, false,
	 "largest virtual memory of the tree", memory_vms_peak_bytes},
	{"memory.minor_faults", "minor faults", "", METRIC_COUNT, true, true,
	 "page faults served without I/O", memory_minor_faults},
	{"memory.major_faults", "major faults", "", METRIC_COUNT, true, true,
	 "page faults that waited for I/O", memory_major_faults},
	{"network.tx_bytes", "sent", "bytes", METRIC_BYTES, true, true, "bytes sent by sockets",
	 network_tx_bytes},
	{"network.rx_bytes", "received", "bytes", METRIC_BYTES, true, true,
	 "bytes received by sockets", network_rx_bytes},
	{"network.rx_bytes_per_line", "received per line", "bytes", METRIC_BYTES, true, false,
	 "bytes received over delivered lines; derived", bytes_received_per_line},
	{"network.connections_opened", "connections opened", "", METRIC_COUNT, true, true,
	 "TCP connections that the tree opened", network_connections_opened},
	{"network.connections_accepted", "connections accepted", "", METRIC_COUNT, true, true,
	 "TCP connections that the tree accepted", network_connections_accepted},
	{"network.retransmits", "retransmits", "", METRIC_COUNT, true, false,
	 "TCP segments sent again", network_retransmits},
	{"work.lines", "lines delivered", "", METRIC_COUNT, false, true,
	 "lines seen at the target's output", lines},
	{"work.lines_per_second", "lines per second", "", METRIC_COUNT, false, false,
	 "delivered lines over the window; derived", lines_per_second},
	{"work.bytes", "bytes delivered", "bytes", METRIC_BYTES, false, false,
	 "bytes of the delivered lines", work_bytes},
	{"work.expected_lines", "lines expected", "", METRIC_COUNT, false, false,
	 "lines that should have been delivered", work_expected_lines},
	{"work.lost", "lines lost", "", METRIC_COUNT, true, false, "lines expected and never seen",
	 work_lost},
	{"work.duplicated", "lines doubled", "", METRIC_COUNT, true, false, "lines seen again",
	 work_duplicated},
	{"work.reordered", "lines reordered", "", METRIC_COUNT, true, false,
	 "lines seen after a later one of the same stream", work_reordered},
	{"work.malformed", "lines malformed", "", METRIC_COUNT, true, false, "lines cut or altered",
	 work_malformed},
	{"work.foreign", "lines of its own", "", METRIC_COUNT, true, false,
	 "lines that the tool wrote itself", work_foreign},
	{"latency.delivery.count", "deliveries timed", "", METRIC_COUNT, false, false,
	 "lines whose delivery was timed", delivery_count},
	{"latency.delivery.min_seconds", "delivery, min", "s", METRIC_SECONDS, true, false,
	 "shortest time from intended to seen", delivery_min_seconds},
	{"latency.delivery.mean_seconds", "delivery, mean", "s", METRIC_SECONDS, true, false,
	 "mean time from intended to seen", delivery_mean_seconds},
	{"latency.delivery.p50_seconds", "delivery, p50", "s", METRIC_SECONDS, true, true,
	 "half of the lines took no longer", delivery_p50_seconds},
	{"latency.delivery.p90_seconds", "delivery, p90", "s", METRIC_SECONDS, true, false,
	 "90 % of the lines took no longer", delivery_p90_seconds},
	{"latency.delivery.p95_seconds", "delivery, p95", "s", METRIC_SECONDS, true, false,
	 "95 % of the lines took no longer", delivery_p95_seconds},
	{"latency.delivery.p99_seconds", "delivery, p99", "s", METRIC_SECONDS, true, true,
	 "99 % of the lines took no longer", delivery_p99_seconds},
	{"latency.delivery.p999_seconds", "delivery, p99.9", "s", METRIC_SECONDS, true, false,
	 "99.9 % of the lines took no longer", delivery_p999_seconds},
	{"latency.delivery.max_seconds", "delivery, max", "s", METRIC_SECONDS, true, true,
	 "longest time from intended to seen", delivery_max_seconds},
};

const struct metric *metric_table(size_t *n)
{
	*n = sizeof(metrics) / sizeof(metrics[0]);
	return metrics;
}

const struct metric *metric_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(metrics) / sizeof(metrics[0]); i++)
		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
	return NULL;
}
