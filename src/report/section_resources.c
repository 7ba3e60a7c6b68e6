/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Storage, peers and system calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "report/builder.h"
#include "util/units.h"

#define MANY_PEERS    5
#define MANY_SYSCALLS 10

void builder_add_storage(const struct builder *b)
{
	static const struct count_row rows[] = {
#define ROW(label, member, kind) {label, offsetof(struct record_io, member), kind, false}
		ROW("read, any file", read_bytes, METRIC_BYTES),
		ROW("written, any file", write_bytes, METRIC_BYTES),
		ROW("fetched from storage", storage_read_bytes, METRIC_BYTES),
		ROW("made dirty", storage_write_bytes, METRIC_BYTES),
		ROW("block reads", block_reads, METRIC_COUNT),
		ROW("block reads, bytes", block_read_bytes, METRIC_BYTES),
		ROW("block writes", block_writes, METRIC_COUNT),
		ROW("block writes, bytes", block_write_bytes, METRIC_BYTES),
		ROW("failed block requests", block_errors, METRIC_COUNT),
		ROW("fsyncs that waited", fsyncs, METRIC_COUNT),
#undef ROW
	};
	const void *groups[SIDES];

	for (size_t side = 0; side < SIDES; side++)
		groups[side] = sum_of(b, side)->has_io ? &sum_of(b, side)->io : NULL;
	section_begin(b->out, "Storage, all rounds");
	builder_side_columns(b, false);
	builder_add_counts(b, rows, sizeof(rows) / sizeof(rows[0]), groups);
	section_end(b->out);
	builder_add_percentiles(b, "How long storage took", is_storage_latency);
}

/* "to 10.0.0.1:5432" where a member connected, "from 10.0.0.2, port 80" where it accepted. */
static void add_peer_name(const struct builder *b, const struct record_peer *peer)
{
	const char *address = peer->address ? peer->address : "?";
	bool client = peer->role && !strcmp(peer->role, "client");
	bool bracket = strchr(address, ':') != NULL;
	char name[128];

	if (!peer->role)
		snprintf(name, sizeof(name), "%s", address);
	else if (peer->port <= 0)
		snprintf(name, sizeof(name), "%s %s", client ? "to" : "from", address);
	else if (client)
		snprintf(name, sizeof(name), "to %s%s%s:%lld", bracket ? "[" : "", address,
			 bracket ? "]" : "", (long long)peer->port);
	else
		snprintf(name, sizeof(name), "from %s, port %lld", address, (long long)peer->port);
	section_label(b->out, name);
}

void builder_add_peers(const struct builder *b, size_t side)
{
	const struct record_round *sum = sum_of(b, side);
	size_t shown = b->all || sum->n_peers <= MANY_PEERS ? sum->n_peers : MANY_PEERS;

	section_begin(b->out, "Peers%s, all rounds", builder_of_side(b, side));
	section_column(b->out, "peer", false);
	section_column(b->out, "connections", true);
	section_column(b->out, "requests", true);
	section_column(b->out, "sent", true);
	section_column(b->out, "received", true);
	section_column(b->out, "resent", true);
	section_column(b->out, "connect", true);
	section_column(b->out, "TCP rtt", true);
	for (size_t i = 0; i < shown; i++) {
		const struct record_peer *peer = &sum->peers[i];

		add_peer_name(b, peer);
		section_integer(b->out, peer->connections);
		section_integer(b->out, peer->requests);
		section_value(b->out, METRIC_BYTES, as_real(peer->tx_bytes));
		section_value(b->out, METRIC_BYTES, as_real(peer->rx_bytes));
		section_integer(b->out, peer->retransmits);
		section_value(b->out, METRIC_SECONDS, peer->connect_mean_seconds);
		section_value(b->out, METRIC_SECONDS, peer->rtt_mean_seconds);
	}
	if (shown < sum->n_peers)
		section_note(b->out, "and %zu more (--all)", sum->n_peers - shown);
	section_end(b->out);
}

static double slowdown(const struct builder *b, size_t side)
{
	double most = NAN;

	for (size_t i = 0; i < b->rec->n_rounds; i++)
		if (b->rec->rounds[i].side == side)
			most = fmax(most, b->rec->rounds[i].observer.syscall_slowdown_seconds);
	return most;
}

void builder_add_syscalls(const struct builder *b, size_t side)
{
	const struct record_round *sum = sum_of(b, side);
	size_t shown = b->all || sum->n_syscalls <= MANY_SYSCALLS ? sum->n_syscalls : MANY_SYSCALLS;
	double cost = slowdown(b, side);
	char text[32];
	bool few = false;

	section_begin(b->out, "System calls%s, all rounds", builder_of_side(b, side));
	section_column(b->out, "call", false);
	section_column(b->out, "count", true);
	section_column(b->out, "errors", true);
	section_column(b->out, "time", true);
	section_column(b->out, "mean", true);
	section_column(b->out, "p99", true);
	section_column(b->out, "max", true);
	for (size_t i = 0; i < shown; i++) {
		const struct record_syscall *call = &sum->syscalls[i];

		section_label(b->out, call->name);
		section_integer(b->out, call->count);
		section_integer(b->out, call->errors);
		section_value(b->out, METRIC_SECONDS, call->total_seconds);
		section_value(b->out, METRIC_SECONDS,
			      call->count > 0 ? call->total_seconds / (double)call->count : NAN);
		section_value(b->out, METRIC_SECONDS, call->latency.p99_seconds);
		section_value(b->out, METRIC_SECONDS, call->latency.max_seconds);
		few |= !latency_carries((double)call->latency.count, 0.99);
	}
	if (shown < sum->n_syscalls)
		section_note(b->out, "and %zu more (--all)", sum->n_syscalls - shown);
	if (few)
		section_note(b->out, "-: p99 needs 1,000 calls.");
	if (sum->n_syscalls && !isnan(cost))
		section_note(b->out,
			     "To see them cost %s for each call of every process of the machine, "
			     "and for "
			     "the side's the time of syscall_enter and syscall_exit more.",
			     format_seconds(text, sizeof(text), cost));
	section_end(b->out);
}
