/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests, latencies, peers, system calls and storage: from what was measured to the record. */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/fill.h"
#include "conduct/syscall_name.h"
#include "measure/latency.h"
#include "record/distribution.h"

static const struct {
	enum pb_hist_kind kind;
	const char *name;
} latencies[] = {
	{PB_HIST_QUEUE, "queue"},
	{PB_HIST_SERVICE, "service"},
	{PB_HIST_RESPONSE, "response"},
	{PB_HIST_ROUND_TRIP, "round_trip"},
	{PB_HIST_RUN_QUEUE, "run_queue"},
	{PB_HIST_WAIT + PB_WAIT_FUTEX, "wait_futex"},
	{PB_HIST_WAIT + PB_WAIT_SOCKET, "wait_socket"},
	{PB_HIST_WAIT + PB_WAIT_PIPE, "wait_pipe"},
	{PB_HIST_WAIT + PB_WAIT_DISK, "wait_disk"},
	{PB_HIST_WAIT + PB_WAIT_TIMER, "wait_timer"},
	{PB_HIST_WAIT + PB_WAIT_OTHER, "wait_other"},
	{PB_HIST_BLOCK_READ, "block_read"},
	{PB_HIST_BLOCK_WRITE, "block_write"},
	{PB_HIST_FSYNC, "fsync"},
	{PB_HIST_CONNECT, "connect"},
	{PB_HIST_RTT, "rtt"},
	{PB_HIST_EXEC, "exec"},
};

/* One that has no values is left out: nothing of that kind happened. */
static int add_latency(struct record_round *out, const char *name, const struct histogram *h)
{
	struct record_latency filled, *to;

	if (!h->count)
		return 0;
	if (latency_fill(&filled, name, h))
		return -1;
	to = latency_add(out, name);
	if (!to)
		return -1;
	free(to->name);
	*to = filled;
	return 0;
}

int fill_latencies(struct record_round *out, const struct collector *collector)
{
	struct histogram *h = malloc(sizeof(*h));
	int failed = h ? 0 : -1;

	for (size_t i = 0; !failed && i < sizeof(latencies) / sizeof(latencies[0]); i++) {
		probe_histogram(collector->conductor->probe, latencies[i].kind, h);
		failed = add_latency(out, latencies[i].name, h);
	}
	free(h);
	return failed;
}

static int fill_kinds(struct record_round *out, struct kinds *kinds)
{
	const struct kind *list;
	size_t n;

	list = kinds_list(kinds, &n);
	out->requests.unparsed = (int64_t)kinds_unparsed(kinds);
	out->protocols = calloc(n + 1, sizeof(*out->protocols));
	if (!out->protocols)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct record_protocol *to = &out->protocols[out->n_protocols++];

		to->protocol = strdup(list[i].protocol);
		to->role = strdup(list[i].role == PB_ROLE_SERVER ? "server" : "client");
		to->label = strdup(list[i].label);
		to->count = (int64_t)list[i].count;
		to->errors = (int64_t)list[i].errors;
		if (latency_fill(&to->service, NULL, list[i].service) ||
		    latency_fill(&to->response, NULL, list[i].response))
			return -1;
	}
	return 0;
}

static void peer_address(char *text, size_t size, const struct pb_peer_key *key)
{
	snprintf(text, size, "unix");
	if (key->family == PB_FAMILY_INET)
		inet_ntop(AF_INET, key->address, text, (socklen_t)size);
	else if (key->family == PB_FAMILY_INET6)
		inet_ntop(AF_INET6, key->address, text, (socklen_t)size);
}

static void fill_peer(struct record_peer *to, const struct pb_peer *from, bool is_rest)
{
	char address[INET6_ADDRSTRLEN] = "rest";

	if (!is_rest)
		peer_address(address, sizeof(address), &from->key);
	to->address = strdup(address);
	to->port = is_rest || from->key.family == PB_FAMILY_UNIX ? RECORD_NONE : from->key.port;
	to->role = is_rest || from->key.role == PB_ROLE_UNKNOWN
			   ? NULL
			   : strdup(from->key.role == PB_ROLE_SERVER ? "server" : "client");
	to->connections = (int64_t)from->connections;
	to->requests = (int64_t)from->requests;
	to->tx_bytes = (int64_t)from->tx_bytes;
	to->rx_bytes = (int64_t)from->rx_bytes;
	to->retransmits = (int64_t)from->retransmits;
	to->connect_mean_seconds = to->connect_max_seconds = NAN;
	to->rtt_mean_seconds = to->rtt_max_seconds = NAN;
	if (from->connects) {
		to->connect_mean_seconds = (double)from->connect_ns / (double)from->connects / 1e9;
		to->connect_max_seconds = (double)from->connect_max_ns / 1e9;
	}
	if (from->rtts) {
		to->rtt_mean_seconds = (double)from->rtt_us / (double)from->rtts / 1e6;
		to->rtt_max_seconds = (double)from->rtt_max_us / 1e6;
	}
}

static bool is_empty(const struct pb_peer *peer)
{
	return !peer->connections && !peer->requests && !peer->tx_bytes && !peer->rx_bytes &&
	       !peer->retransmits;
}

static int by_bytes(const void *a, const void *b)
{
	const struct record_peer *x = a, *y = b;
	int64_t bytes = x->tx_bytes + x->rx_bytes, others = y->tx_bytes + y->rx_bytes;

	return bytes != others ? (bytes > others ? -1 : 1) : 0;
}

static int fill_peers(struct record_round *out, const struct probe *probe)
{
	const struct pb_peer *peers;
	size_t n;

	peers = probe_peers(probe, &n);
	out->peers = calloc(n + 1, sizeof(*out->peers));
	if (!out->peers)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!is_empty(&peers[i]))
			fill_peer(&out->peers[out->n_peers++], &peers[i], i == PB_PEER_REST);
	qsort(out->peers, out->n_peers, sizeof(*out->peers), by_bytes);
	return 0;
}

int fill_requests(struct record_round *out, struct collector *collector)
{
	const struct probe *probe = collector->conductor->probe;
	const struct pb_requests *from = probe_requests(probe);

	if (!probe_has_requests(probe))
		return 0;
	out->has_requests = true;
	out->requests = (struct record_requests){
		.served = (int64_t)from->served,
		.sent = (int64_t)from->sent,
		.in_flight = (int64_t)from->in_flight,
		.streams = (int64_t)from->streams,
		.overlapped = (int64_t)from->overlapped,
		.interleaved = (int64_t)from->interleaved,
		.no_arrival = (int64_t)from->no_arrival,
		.no_role = (int64_t)from->no_role,
		.unparsed = RECORD_NONE,
	};
	if (fill_peers(out, probe))
		return -1;
	if (!collector->kinds)
		return 0;
	kinds_finish(collector->kinds);
	return fill_kinds(out, collector->kinds);
}

static int by_time(const void *a, const void *b)
{
	const struct record_syscall *x = a, *y = b;

	return x->total_seconds != y->total_seconds ? (x->total_seconds > y->total_seconds ? -1 : 1)
						    : 0;
}

static int fill_syscall(struct record_syscall *to, int nr, const struct pb_call *call,
			const struct histogram *h)
{
	to->name = nr < 0 ? strdup("rest") : syscall_name(nr);
	to->count = (int64_t)call->count;
	to->errors = (int64_t)call->errors;
	to->total_seconds = h->sum_ns / 1e9;
	return to->name ? latency_fill(&to->latency, NULL, h) : -1;
}

int fill_syscalls(struct record_round *out, const struct collector *collector)
{
	const struct probe *probe = collector->conductor->probe;
	struct histogram *h;
	int failed = 0;

	out->observer.syscall_slowdown_seconds = probe_syscall_slowdown_seconds(probe);
	if (isnan(out->observer.syscall_slowdown_seconds))
		return 0;
	h = malloc(sizeof(*h));
	out->syscalls = calloc(PB_CALLS, sizeof(*out->syscalls));
	if (!h || !out->syscalls) {
		free(h);
		return -1;
	}
	for (unsigned int i = 0; !failed && i < PB_CALLS; i++) {
		struct pb_call call;
		int nr = probe_call(probe, i, &call, h);

		if (nr >= -1 && call.count)
			failed = fill_syscall(&out->syscalls[out->n_syscalls++], nr, &call, h);
	}
	free(h);
	qsort(out->syscalls, out->n_syscalls, sizeof(*out->syscalls), by_time);
	return failed;
}

void fill_io(struct record_round *out, const struct collector *collector)
{
	const struct probe *probe = collector->conductor->probe;
	const struct pb_totals *used = &collector->window.last.used;
	struct histogram *h;

	if (!probe_has_io(probe))
		return;
	out->has_io = true;
	out->io = (struct record_io){
		.read_bytes = (int64_t)used->read_bytes,
		.write_bytes = (int64_t)used->write_bytes,
		.storage_read_bytes = (int64_t)used->storage_read_bytes,
		.storage_write_bytes = (int64_t)used->storage_write_bytes,
		.block_reads = (int64_t)used->block_reads,
		.block_writes = (int64_t)used->block_writes,
		.block_read_bytes = (int64_t)used->block_read_bytes,
		.block_write_bytes = (int64_t)used->block_write_bytes,
		.block_errors = (int64_t)used->block_errors,
		.fsyncs = RECORD_NONE,
	};
	h = probe_has_time(probe) ? malloc(sizeof(*h)) : NULL;
	if (!h)
		return;
	probe_histogram(probe, PB_HIST_FSYNC, h);
	out->io.fsyncs = (int64_t)h->count;
	free(h);
}
