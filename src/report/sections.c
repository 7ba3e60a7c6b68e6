/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sections in their order; where the time went, and requests. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "report/builder.h"

#define MANY_LABELS 10
/* Less of the threads' time than this is not worth a row, */
#define SHOWN_SHARE 0.0005
/* and so much may be missing without a word: ticks and rounding. */
#define UNACCOUNTED_SHARE 0.001

const char *builder_of_side(const struct builder *b, size_t side)
{
	return !b->summary->two_sided ? "" : side == SIDE_A ? " of A" : " of B";
}

void builder_side_columns(const struct builder *b, bool with_share)
{
	section_column(b->out, "", false);
	for (size_t side = 0; side < sides_of(b); side++) {
		char *title = summary_side_title(b->summary, (enum side)side);

		if (with_share)
			section_column(b->out, "share", true);
		section_column(b->out, title ? title : "", true);
		free(title);
	}
}

void builder_add_counts(const struct builder *b, const struct count_row *rows, size_t n,
			const void *groups[SIDES])
{
	for (size_t i = 0; i < n; i++) {
		int64_t values[SIDES] = {RECORD_NONE, RECORD_NONE};
		bool shown = false;

		for (size_t side = 0; side < sides_of(b); side++) {
			if (groups[side])
				values[side] = *(
					const int64_t *)(const void *)((const char *)groups[side] +
								       rows[i].offset);
			shown |= values[side] > 0 || (rows[i].always && values[side] == 0);
		}
		if (!shown)
			continue;
		section_cell(b->out, rows[i].label);
		for (size_t side = 0; side < sides_of(b); side++)
			section_value(b->out, rows[i].kind, as_real(values[side]));
	}
}

static double other_futex(const struct record_time *time)
{
	return isnan(time->lock_seconds) ? time->futex_seconds
					 : time->futex_seconds - time->lock_seconds;
}

#define TIME(name, member)                                                                         \
	static double name(const struct record_time *time)                                         \
	{                                                                                          \
		return time->member;                                                               \
	}
TIME(wall, wall_seconds)
TIME(on_cpu, on_cpu_seconds)
TIME(stolen, stolen_seconds)
TIME(run_queue, run_queue_seconds)
TIME(lock, lock_seconds)
TIME(on_socket, socket_seconds)
TIME(on_pipe, pipe_seconds)
TIME(disk, disk_seconds)
TIME(timer, timer_seconds)
TIME(other, other_seconds)
TIME(unaccounted, unaccounted_seconds)

static const struct {
	const char *label;
	double (*get)(const struct record_time *time);
	double least; /* share of the wall time from which on it is shown */
} time_rows[] = {
	{"on a CPU", on_cpu, SHOWN_SHARE},
	{"taken from it there (host, interrupts)", stolen, UNACCOUNTED_SHARE},
	{"in run queues", run_queue, SHOWN_SHARE},
	{"waiting for a lock", lock, SHOWN_SHARE},
	{"waiting for another thread", other_futex, SHOWN_SHARE},
	{"waiting for a socket", on_socket, SHOWN_SHARE},
	{"waiting for a pipe", on_pipe, SHOWN_SHARE},
	{"waiting for storage", disk, SHOWN_SHARE},
	{"asleep by its own wish", timer, SHOWN_SHARE},
	{"waiting for all else", other, SHOWN_SHARE},
	{"unaccounted", unaccounted, UNACCOUNTED_SHARE},
	{"all threads together", wall, SHOWN_SHARE},
};

static void add_time(const struct builder *b)
{
	section_begin(b->out, "Where the time went, all rounds");
	builder_side_columns(b, true);
	for (size_t i = 0; i < sizeof(time_rows) / sizeof(time_rows[0]); i++) {
		double seconds[SIDES] = {NAN, NAN}, share[SIDES] = {NAN, NAN};
		bool shown = false;

		for (size_t side = 0; side < sides_of(b); side++) {
			const struct record_round *sum = sum_of(b, side);

			if (!sum->has_time)
				continue;
			seconds[side] = time_rows[i].get(&sum->time);
			share[side] = sum->time.wall_seconds > 0
					      ? seconds[side] / sum->time.wall_seconds
					      : NAN;
			shown |= fabs(share[side]) > time_rows[i].least;
		}
		if (!shown)
			continue;
		section_cell(b->out, time_rows[i].label);
		for (size_t side = 0; side < sides_of(b); side++) {
			section_value(b->out, METRIC_RATIO, share[side]);
			section_value(b->out, METRIC_SECONDS, seconds[side]);
		}
	}
	section_end(b->out);
	builder_add_percentiles(b, "How long each wait was", is_wait_latency);
}

static void add_rate(const struct builder *b)
{
	double rates[SIDES] = {NAN, NAN};

	for (size_t side = 0; side < sides_of(b); side++) {
		const struct record_round *sum = sum_of(b, side);
		int64_t served = sum->has_requests ? sum->requests.served : RECORD_NONE;
		int64_t sent = sum->has_requests ? sum->requests.sent : RECORD_NONE;

		if (sum->window_seconds > 0)
			rates[side] = as_real(served > 0 ? served : sent) / sum->window_seconds;
	}
	if (!(rates[SIDE_A] > 0) && !(rates[SIDE_B] > 0))
		return;
	section_cell(b->out, "requests per second");
	for (size_t side = 0; side < sides_of(b); side++)
		section_value(b->out, METRIC_COUNT, rates[side]);
}

/* Was anything seen at all? A program that talks to nobody has no such table. */
static bool has_any(const struct record_requests *requests)
{
	return requests && (requests->served > 0 || requests->sent > 0 || requests->in_flight > 0 ||
			    requests->streams > 0 || requests->no_role > 0);
}

static void add_requests(const struct builder *b)
{
	static const struct count_row rows[] = {
#define ROW(label, member, always)                                                                 \
	{label, offsetof(struct record_requests, member), METRIC_COUNT, always}
		ROW("served", served, true),
		ROW("sent", sent, true),
		ROW("in flight at the end", in_flight, false),
		ROW("connections that stream, left out", streams, false),
		ROW("turns that overlapped", overlapped, false),
		ROW("several in flight, not timed", interleaved, false),
		ROW("without their arrival", no_arrival, false),
		ROW("connections of unknown role, left out", no_role, false),
		ROW("pieces that no protocol could tell", unparsed, false),
#undef ROW
	};
	const void *groups[SIDES];

	for (size_t side = 0; side < SIDES; side++)
		groups[side] = sum_of(b, side)->has_requests ? &sum_of(b, side)->requests : NULL;
	section_begin(b->out, "Requests, all rounds");
	builder_side_columns(b, false);
	if (has_any(groups[SIDE_A]) || has_any(groups[SIDE_B])) {
		builder_add_counts(b, rows, sizeof(rows) / sizeof(rows[0]), groups);
		add_rate(b);
	}
	section_end(b->out);
	builder_add_percentiles(b, "How long requests took", is_request_latency);
	builder_add_percentiles(b, "How long requests took, by kind", is_kind_latency);
}

static void add_protocols(const struct builder *b, size_t side)
{
	const struct record_round *sum = sum_of(b, side);
	size_t shown = b->all || sum->n_protocols <= MANY_LABELS ? sum->n_protocols : MANY_LABELS;
	bool few = false;

	section_begin(b->out, "By protocol%s, all rounds", builder_of_side(b, side));
	section_column(b->out, "protocol", false);
	section_column(b->out, "role", false);
	section_column(b->out, "request", false);
	section_column(b->out, "count", true);
	section_column(b->out, "errors", true);
	section_column(b->out, "response p50", true);
	section_column(b->out, "p99", true);
	section_column(b->out, "service p99", true);
	for (size_t i = 0; i < shown; i++) {
		const struct record_protocol *p = &sum->protocols[i];

		section_cell(b->out, p->protocol);
		section_cell(b->out, p->role);
		section_label(b->out, p->label);
		section_integer(b->out, p->count);
		section_value(b->out, METRIC_RATIO,
			      p->count > 0 ? as_real(p->errors) / (double)p->count : NAN);
		section_value(b->out, METRIC_SECONDS, p->response.p50_seconds);
		section_value(b->out, METRIC_SECONDS, p->response.p99_seconds);
		section_value(b->out, METRIC_SECONDS, p->service.p99_seconds);
		few |= !latency_carries((double)p->response.count, 0.99);
	}
	if (shown < sum->n_protocols)
		section_note(b->out, "and %zu more kinds (--all)", sum->n_protocols - shown);
	if (few)
		section_note(b->out, "-: p99 needs 1,000 requests.");
	section_end(b->out);
}

static void add_all(const struct builder *b)
{
	builder_add_insights(b);
	builder_add_thresholds(b);
	builder_add_baseline(b);
	builder_add_endurance(b);
	b->out->n_judgements = b->out->n;
	builder_add_load(b);
	builder_add_faults(b);
	builder_add_side_metrics(b);
	builder_add_limits(b);
	builder_add_use(b);
	add_time(b);
	add_requests(b);
	for (size_t side = 0; side < sides_of(b); side++)
		add_protocols(b, side);
	builder_add_profile(b);
	builder_add_storage(b);
	for (size_t side = 0; side < sides_of(b); side++)
		builder_add_peers(b, side);
	builder_add_percentiles(b, "How long connections took", is_connection_latency);
	for (size_t side = 0; side < sides_of(b); side++)
		builder_add_syscalls(b, side);
	builder_add_percentiles(b, "Other latencies", is_other_latency);
}

static struct sections *build(const struct record *rec, const struct summary *summary, bool all,
			      bool always_use, void (*add)(const struct builder *b))
{
	struct builder b = {
		.rec = rec,
		.summary = summary,
		.sides = {merged_new(rec, SIDE_A, false), merged_new(rec, SIDE_B, false)},
		.out = calloc(1, sizeof(struct sections)),
		.all = all,
		.always_use = all || always_use};

	if (b.out && b.sides[SIDE_A] && b.sides[SIDE_B])
		add(&b);
	else if (b.out)
		b.out->failed = true;
	merged_free(b.sides[SIDE_A]);
	merged_free(b.sides[SIDE_B]);
	if (b.out && b.out->failed) {
		sections_free(b.out);
		return NULL;
	}
	return b.out;
}

struct sections *sections_new(const struct record *rec, const struct summary *summary, bool all,
			      bool always_use)
{
	return build(rec, summary, all, always_use, add_all);
}

struct sections *sections_of_baseline(const struct record *rec, const struct summary *summary,
				      bool all)
{
	return build(rec, summary, all, false, builder_add_baseline);
}
