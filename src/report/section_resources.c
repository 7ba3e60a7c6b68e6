/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was in use by phase; storage, peers and system calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "report/builder.h"
#include "util/units.h"

#define MANY_PEERS    5
#define MANY_SYSCALLS 10

enum use_figure {
	FIGURE_USE,
	FIGURE_SATURATION,
	FIGURE_ERRORS,
	FIGURES,
};

/* A resource, and what its saturation is: behind the number stands what is counted. */
struct use_row {
	const char *label;
	size_t offset; /* of a struct record_use in a phase */
	double scale;
	enum metric_kind kind;
	const char *unit;
	bool is_most; /* of the rounds, the largest counts */
};

static const struct use_row use_rows[] = {
#define ROW(label, member, ...)                                                                    \
	{                                                                                          \
		label, offsetof(struct record_round_phase, member), __VA_ARGS__                    \
	}
	ROW("CPUs", cpu, 1, METRIC_COUNT, " too many", false),
	ROW("run queue", run_queue, 1, METRIC_RATIO, " waited", false),
	ROW("memory", memory, 1, METRIC_RATIO, " stalled", false),
	ROW("disk", disk, 1, METRIC_COUNT, " at a time", false),
	ROW("network", network, 1e-3, METRIC_RATIO, " resent", false),
	ROW("driver", driver, 1, METRIC_SECONDS, " late", true),
#undef ROW
};

static double figure_of(const struct record_round_phase *phase, const struct use_row *row,
			enum use_figure figure)
{
	const struct record_use *use = (const void *)((const char *)phase + row->offset);

	return figure == FIGURE_USE          ? use->utilization
	       : figure == FIGURE_SATURATION ? use->saturation
					     : as_real(use->errors);
}

/* Over the side's rounds: all errors, and on average what was in use and how much it lacked. */
static double figure_of_rounds(const struct builder *b, size_t side, size_t phase,
			       const struct use_row *row, enum use_figure figure)
{
	double sum = 0, most = NAN, n = 0;

	for (size_t i = 0; i < b->rec->n_rounds; i++) {
		const struct record_round *round = &b->rec->rounds[i];
		double value;

		if (round->side != side || phase >= round->n_phases)
			continue;
		value = figure_of(&round->phases[phase], row, figure);
		if (isnan(value))
			continue;
		sum += value;
		most = fmax(most, value);
		n++;
	}
	if (figure == FIGURE_ERRORS)
		return n ? sum : NAN;
	return figure == FIGURE_SATURATION && row->is_most ? most : n ? sum / n : NAN;
}

static void add_figure(const struct builder *b, const struct use_row *row, enum use_figure figure,
		       double value)
{
	char text[32];

	if (figure == FIGURE_ERRORS)
		section_value(b->out, METRIC_COUNT, value);
	else if (figure == FIGURE_USE || !isfinite(value))
		section_value(b->out, METRIC_RATIO, value);
	else
		section_cellf(b->out, "%s%s",
			      summary_value(text, sizeof(text), row->kind, value * row->scale),
			      row->unit);
}

/* True: the row was shown. */
static bool add_use_row(const struct builder *b, size_t phase, const struct use_row *row,
			bool name_phase)
{
	double values[FIGURES][SIDES];
	bool is_known = false;

	for (enum use_figure figure = 0; figure < FIGURES; figure++)
		for (size_t side = 0; side < sides_of(b); side++) {
			values[figure][side] = figure_of_rounds(b, side, phase, row, figure);
			is_known |= !isnan(values[figure][side]);
		}
	if (!is_known)
		return false;
	section_label(b->out, name_phase ? builder_phase_name(b, phase) : "");
	section_cell(b->out, row->label);
	for (enum use_figure figure = 0; figure < FIGURES; figure++)
		for (size_t side = 0; side < sides_of(b); side++)
			add_figure(b, row, figure, values[figure][side]);
	return true;
}

void builder_add_use(const struct builder *b)
{
	static const char *const titles[FIGURES] = {"use", "saturation", "errors"};
	size_t phases = builder_phases(b);
	char title[32];

	if (phases < 2 && !b->always_use)
		return;
	section_begin(b->out, "What was in use by phase, all rounds");
	section_column(b->out, "phase", false);
	section_column(b->out, "resource", false);
	for (enum use_figure figure = 0; figure < FIGURES; figure++)
		for (size_t side = 0; side < sides_of(b); side++) {
			snprintf(title, sizeof(title), "%s%s", titles[figure],
				 builder_of_side(b, side));
			section_column(b->out, title, true);
		}
	for (size_t phase = 0; phase < phases; phase++) {
		bool is_named = false;

		for (size_t i = 0; i < sizeof(use_rows) / sizeof(use_rows[0]); i++)
			is_named |= add_use_row(b, phase, &use_rows[i], !is_named);
	}
	section_end(b->out);
}

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
