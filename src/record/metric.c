/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/metric.h"

#include <math.h>
#include <string.h>

#include "record/distribution.h"
#include "record/load.h"
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

static double lines(const struct record_round *round)
{
	return round->has_work ? known(round->work.lines) : NAN;
}

static double operations(const struct record_round *round)
{
	return round->has_work ? known(round->work.operations) : NAN;
}

static double network_bytes(const struct record_round *round)
{
	return known(round->network.tx_bytes) + known(round->network.rx_bytes);
}

static double success(const struct record_round *round)
{
	return round->has_work ? record_success(round->work.operations, round->work.errors) : NAN;
}

/* An arbitrary sum, of wake's own benchmark: 10 MB of memory count as much as 1 % of a CPU. */
static double composite_score(const struct record_round *round)
{
	return round->cpu.utilization_avg * 100 + round->memory.rss_avg_bytes / (1 << 20) / 10;
}

/* The longest of the round's; one from which it never came back is not known. */
static double longest_outage(const struct record_round *round)
{
	double longest = NAN;

	for (size_t i = 0; i < round->n_recovery; i++) {
		if (isnan(round->recovery[i].outage_seconds))
			return NAN;
		longest = fmax(longest, round->recovery[i].outage_seconds);
	}
	return longest;
}

static double longest_recovery(const struct record_round *round)
{
	double longest = NAN;

	for (size_t i = 0; i < round->n_recovery; i++) {
		if (isnan(round->recovery[i].p95_normal_after_seconds))
			return NAN;
		longest = fmax(longest, round->recovery[i].p95_normal_after_seconds);
	}
	return longest;
}

/* Served ones; of a side that serves none, those that it sent. */
static double requests(const struct record_round *round)
{
	double served = round->has_requests ? known(round->requests.served) : NAN;

	return served > 0 || !round->has_requests ? served : known(round->requests.sent);
}

#define GET(name, value)                                                                           \
	static double name(const struct record_round *round)                                       \
	{                                                                                          \
		return value;                                                                      \
	}
#define GET_REAL(group, field)    GET(group##_##field, round->group.field)
#define GET_INTEGER(group, field) GET(group##_##field, known(round->group.field))
#define GET_WORK(field)           GET(work_##field, round->has_work ? known(round->work.field) : NAN)
#define GET_TIME(field)           GET(time_##field, round->has_time ? round->time.field : NAN)
#define GET_IO(field)             GET(io_##field, round->has_io ? known(round->io.field) : NAN)
#define GET_REQUESTS(field)                                                                        \
	GET(requests_##field, round->has_requests ? known(round->requests.field) : NAN)
/* Of the latency that is called @name. */
#define GET_LATENCY(name, field)                                                                   \
	static double name##_##field(const struct record_round *round)                             \
	{                                                                                          \
		const struct record_latency *latency = latency_find(round, #name);                 \
                                                                                                   \
		return latency ? latency->field : NAN;                                             \
	}
#define GET_LATENCY_COUNT(name)                                                                    \
	static double name##_count(const struct record_round *round)                               \
	{                                                                                          \
		const struct record_latency *latency = latency_find(round, #name);                 \
                                                                                                   \
		return latency ? known(latency->count) : NAN;                                      \
	}
#define GET_LATENCY_FEW(name)                                                                      \
	GET_LATENCY_COUNT(name)                                                                    \
	GET_LATENCY(name, p50_seconds)                                                             \
	GET_LATENCY(name, p99_seconds)
#define GET_LATENCY_ALL(name)                                                                      \
	GET_LATENCY_FEW(name)                                                                      \
	GET_LATENCY(name, mean_seconds)                                                            \
	GET_LATENCY(name, p90_seconds)                                                             \
	GET_LATENCY(name, p95_seconds)                                                             \
	GET_LATENCY(name, p999_seconds)                                                            \
	GET_LATENCY(name, max_seconds)

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
GET_WORK(errors)
GET_WORK(dropped)
GET_WORK(rows)
GET_LATENCY_ALL(delivery)
GET_LATENCY(delivery, min_seconds)
GET_LATENCY_ALL(queue)
GET_LATENCY_ALL(service)
GET_LATENCY_ALL(response)
GET_LATENCY_ALL(round_trip)
GET_LATENCY_FEW(server_service)
GET_LATENCY_FEW(server_response)
GET_LATENCY_FEW(run_queue)
GET_LATENCY(run_queue, max_seconds)
GET_LATENCY_FEW(connect)
GET_LATENCY_FEW(rtt)
GET_LATENCY_FEW(fsync)
GET_LATENCY_FEW(block_read)
GET_LATENCY_FEW(block_write)
GET_REQUESTS(served)
GET_REQUESTS(sent)
GET_REQUESTS(in_flight)
GET_TIME(on_cpu_seconds)
GET_TIME(stolen_seconds)
GET_TIME(run_queue_seconds)
GET_TIME(futex_seconds)
GET_TIME(lock_seconds)
GET_TIME(socket_seconds)
GET_TIME(pipe_seconds)
GET_TIME(disk_seconds)
GET_TIME(timer_seconds)
GET_TIME(other_seconds)
GET_IO(read_bytes)
GET_IO(write_bytes)
GET_IO(storage_read_bytes)
GET_IO(storage_write_bytes)
GET_IO(block_reads)
GET_IO(block_writes)
GET_IO(block_read_bytes)
GET_IO(block_write_bytes)
GET_IO(block_errors)
GET_IO(fsyncs)
GET(requests_per_second, per(requests(round), round->window_seconds))
GET(cpu_per_thousand_requests, per(round->cpu.total_seconds, requests(round)) * 1e3)
GET(cpu_per_million_lines, per(round->cpu.total_seconds, lines(round)) * 1e6)
GET(switches_per_thousand_lines, per(known(round->cpu.context_switches), lines(round)) * 1e3)
GET(bytes_received_per_line, per(known(round->network.rx_bytes), lines(round)))
GET(lines_per_second, per(lines(round), round->window_seconds))
GET(operations_per_second, per(known(record_completed(&round->work)), round->window_seconds))
GET(rows_per_second, per(work_rows(round), round->window_seconds))
GET(cpu_per_thousand_operations, per(round->cpu.total_seconds, operations(round)) * 1e3)
GET(network_bytes_per_operation, per(network_bytes(round), operations(round)))

/* Rows of one kind each; the members are in the order of struct metric. */
#define SECONDS(name, label, headline, text, get)                                                  \
	{                                                                                          \
		name, label, "s", METRIC_SECONDS, true, headline, text, get                        \
	}
#define TIME(field, label, text)                                                                   \
	SECONDS("time." #field "_seconds", "time " label, false, text, time_##field##_seconds)
#define IO_COUNT(field, label, text)                                                               \
	{                                                                                          \
		"io." #field, label, "", METRIC_COUNT, true, false, text, io_##field               \
	}
#define IO_BYTES(field, label, text)                                                               \
	{                                                                                          \
		"io." #field, label, "bytes", METRIC_BYTES, true, false, text, io_##field          \
	}
#define LATENCY_COUNT(name, label, things)                                                         \
	{                                                                                          \
		"latency." #name ".count", label " timed", "", METRIC_COUNT, false, false,         \
			things " that were timed", name##_count                                    \
	}
#define LATENCY(name, field, label, headline, text)                                                \
	SECONDS("latency." #name "." #field, label, headline, text, name##_##field)
#define LATENCY_P50(name, label, headline, things)                                                 \
	LATENCY(name, p50_seconds, label ", p50", headline, "half of " things " took no longer")
#define LATENCY_P99(name, label, headline, things)                                                 \
	LATENCY(name, p99_seconds, label ", p99", headline, "99 % of " things " took no longer")
#define LATENCY_MAX(name, label, things)                                                           \
	LATENCY(name, max_seconds, label ", max", false, "longest of " things)
#define LATENCY_FEW(name, label, things)                                                           \
	LATENCY_COUNT(name, label, things), LATENCY_P50(name, label, false, things),               \
		LATENCY_P99(name, label, false, things)
#define LATENCY_ALL(name, label, things)                                                           \
	LATENCY_COUNT(name, label, things),                                                        \
		LATENCY(name, mean_seconds, label ", mean", false, "mean of " things),             \
		LATENCY_P50(name, label, true, things),                                            \
		LATENCY(name, p90_seconds, label ", p90", false,                                   \
			"90 % of " things " took no longer"),                                      \
		LATENCY(name, p95_seconds, label ", p95", false,                                   \
			"95 % of " things " took no longer"),                                      \
		LATENCY_P99(name, label, true, things),                                            \
		LATENCY(name, p999_seconds, label ", p99.9", false,                                \
			"99.9 % of " things " took no longer"),                                    \
		LATENCY_MAX(name, label, things)

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
	{"work.operations", "operations", "", METRIC_COUNT, false, true,
	 "good answers to the load driver", operations},
	{"work.operations_per_second", "operations per second", "", METRIC_COUNT, false, true,
	 "good answers that came in the window over its length; derived", operations_per_second},
	{"work.success", "success rate", "", METRIC_RATIO, false, true,
	 "good answers over good ones and errors; derived", success},
	{"work.errors", "errors", "", METRIC_COUNT, true, true,
	 "answers that were not good, or none", work_errors},
	{"work.dropped", "never sent", "", METRIC_COUNT, true, false,
	 "due, and never sent as every user was busy until the phase ended", work_dropped},
	{"work.rows", "rows", "", METRIC_COUNT, false, false,
	 "what the answers held, in the driver's own terms: rows, messages", work_rows},
	{"work.rows_per_second", "rows per second", "", METRIC_COUNT, false, false,
	 "the same over the window; derived", rows_per_second},
	SECONDS("cpu.seconds_per_thousand_operations", "CPU per 1000 operations", true,
		"CPU time over good answers, times 1,000; derived", cpu_per_thousand_operations),
	{"network.bytes_per_operation", "network per operation", "bytes", METRIC_BYTES, true, false,
	 "bytes sent and received by sockets over good answers; derived",
	 network_bytes_per_operation},
	SECONDS("recovery.outage_seconds", "longest outage", true,
		"last good answer before a fault to the first after it; the longest, not known "
		"where none came; derived",
		longest_outage),
	SECONDS("recovery.p95_normal_after_seconds", "longest recovery", false,
		"a fault's begin until p95 was as before; the longest, not known where it never "
		"was; derived",
		longest_recovery),
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
	{"requests.served", "requests served", "", METRIC_COUNT, false, false,
	 "requests that the side answered", requests_served},
	{"requests.sent", "requests sent", "", METRIC_COUNT, false, false,
	 "requests of the side that were answered", requests_sent},
	{"requests.in_flight", "requests in flight", "", METRIC_COUNT, true, false,
	 "begun in the window and not answered at its end", requests_in_flight},
	{"requests.per_second", "requests per second", "", METRIC_COUNT, false, true,
	 "served requests (where there are none, sent ones) over the window; derived",
	 requests_per_second},
	SECONDS("cpu.seconds_per_thousand_requests", "CPU per 1000 requests", false,
		"CPU time over these requests, times 1,000; derived", cpu_per_thousand_requests),
	LATENCY_ALL(queue, "queue", "waits of requests to be read"),
	/* A load driver's where there is one: of what was sent, and of what was due. */
	LATENCY_ALL(
		service, "service",
		"times from reading a request to answering it (a load driver: from sending it)"),
	LATENCY_COUNT(response, "response", "times from a request's arrival to the answer's end"),
	LATENCY(response, mean_seconds, "response, mean", false, "mean of response times"),
	LATENCY_P50(response, "response", true,
		    "times from a request's arrival (a load driver: from when it was due) to the "
		    "answer's end"),
	LATENCY(response, p90_seconds, "response, p90", false,
		"90 % of response times took no longer"),
	LATENCY(response, p95_seconds, "response, p95", true,
		"95 % of response times took no longer"),
	LATENCY_P99(response, "response", true, "response times"),
	LATENCY(response, p999_seconds, "response, p99.9", false,
		"99.9 % of response times took no longer"),
	LATENCY_MAX(response, "response", "response times"),
	LATENCY_FEW(
		server_service, "server service",
		"times from reading a request to answering it, where a load driver tells its own"),
	LATENCY_FEW(
		server_response, "server response",
		"times from a request's arrival to the answer's end, where a load driver tells its "
		"own"),
	LATENCY_ALL(round_trip, "round trip",
		    "times from a request sent to the first byte of its answer"),
	LATENCY_COUNT(run_queue, "run queue waits", "waits for a CPU"),
	LATENCY_P50(run_queue, "run queue", false, "waits for a CPU"),
	LATENCY_P99(run_queue, "run queue", true, "waits for a CPU"),
	LATENCY_MAX(run_queue, "run queue", "waits for a CPU"),
	LATENCY_FEW(connect, "connect", "times from connect to established"),
	LATENCY_FEW(rtt, "TCP round trip", "round-trip times that the kernel estimated"),
	LATENCY_FEW(fsync, "fsync", "fsyncs and the like"),
	LATENCY_FEW(block_read, "block read", "reads of block devices"),
	LATENCY_FEW(block_write, "block write", "writes to block devices"),
	TIME(on_cpu, "on a CPU", "all threads' time on a CPU"),
	TIME(stolen, "stolen", "taken from threads on a CPU, by the host or by interrupts"),
	TIME(run_queue, "in run queues", "all threads' time runnable and not running"),
	TIME(futex, "waiting, threads", "all threads' time waiting for another thread"),
	TIME(lock, "waiting, locks", "of that, waiting for a mutex"),
	TIME(socket, "waiting, sockets", "all threads' time waiting for sockets"),
	TIME(pipe, "waiting, pipes", "all threads' time waiting for pipes"),
	TIME(disk, "waiting, storage", "all threads' time waiting for storage"),
	TIME(timer, "asleep", "all threads' time asleep by their own wish"),
	TIME(other, "waiting, other", "all threads' time waiting for all else"),
	IO_BYTES(read_bytes, "read", "by read calls on any kind of file"),
	IO_BYTES(write_bytes, "written", "by write calls on any kind of file"),
	IO_BYTES(storage_read_bytes, "fetched from storage", "what was not in the page cache"),
	IO_BYTES(storage_write_bytes, "made dirty", "what must go to storage"),
	IO_COUNT(block_reads, "block reads", "read requests to block devices, by the side itself"),
	IO_COUNT(block_writes, "block writes",
		 "write requests to block devices, by the side itself; no write-back"),
	IO_BYTES(block_read_bytes, "read in blocks", "of the read requests"),
	IO_BYTES(block_write_bytes, "written in blocks", "of the write requests"),
	IO_COUNT(block_errors, "block errors", "requests to block devices that failed"),
	IO_COUNT(fsyncs, "fsyncs", "fsync, fdatasync and the like that had to wait"),
	{"score.composite", "score: CPU % + MB/10", "", METRIC_COUNT, true, true,
	 "composite score (CPU % + MB/10), wake's arbitrary sum: average CPU use in % and average "
	 "RSS in units of 10 MB (2^20 bytes); shown beside the rest, it never decides; derived",
	 composite_score},
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

bool metric_is_score(const char *name)
{
	return name && !strncmp(name, "score.", 6);
}

bool metric_is_neutral(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length > 14 && !strncmp(name, "latency.", 8) && !strcmp(name + length - 6, ".count");
}
