/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How good the stacks are, in one line. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "report/flame.h"
#include "report/summary.h"

const char *flame_kind_title(enum profile_kind kind)
{
	return kind == PROFILE_ONCPU ? "on-CPU" : "off-CPU";
}

const char *flame_target(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name)
			return rec->targets[i].name;
	return side == SIDE_A ? "A" : "B";
}

static void add_integer(int64_t *sum, int64_t value)
{
	if (value == RECORD_NONE)
		return;
	if (*sum == RECORD_NONE)
		*sum = 0;
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = INT64_MAX;
}

static void add_real(double *sum, double value)
{
	if (!isnan(value))
		*sum = isnan(*sum) ? value : *sum + value;
}

static void add_stacks(struct record_stacks *sum, const struct record_stacks *stacks)
{
	sum->event = sum->event ? sum->event : stacks->event;
	sum->frequency_hertz =
		isnan(sum->frequency_hertz) ? stacks->frequency_hertz : sum->frequency_hertz;
	add_real(&sum->sampled_seconds, stacks->sampled_seconds);
	add_real(&sum->exact_seconds, stacks->exact_seconds);
	add_integer(&sum->samples, stacks->samples);
	add_integer(&sum->complete, stacks->complete);
	add_integer(&sum->truncated, stacks->truncated);
	add_integer(&sum->by_frame_pointer, stacks->by_frame_pointer);
	add_integer(&sum->deferred, stacks->deferred);
	add_integer(&sum->frames, stacks->frames);
	add_integer(&sum->frames_named, stacks->frames_named);
	add_integer(&sum->lost, stacks->lost);
	add_integer(&sum->mappings_lost, stacks->mappings_lost);
	add_integer(&sum->rows_evicted, stacks->rows_evicted);
	/* Of the same files in each round. */
	if (stacks->unknown_rules > sum->unknown_rules)
		sum->unknown_rules = stacks->unknown_rules;
}

struct record_stacks flame_stacks_of(const struct record *rec, enum side side,
				     enum profile_kind kind)
{
	struct record_stacks sum = {
		.frequency_hertz = NAN,
		.samples = RECORD_NONE,
		.sampled_seconds = NAN,
		.exact_seconds = NAN,
		.complete = RECORD_NONE,
		.truncated = RECORD_NONE,
		.by_frame_pointer = RECORD_NONE,
		.deferred = RECORD_NONE,
		.frames = RECORD_NONE,
		.frames_named = RECORD_NONE,
		.lost = RECORD_NONE,
		.mappings_lost = RECORD_NONE,
		.rows_evicted = RECORD_NONE,
		.unknown_rules = RECORD_NONE,
	};

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		if (round->side != side || !round->has_profile)
			continue;
		if (kind == PROFILE_ONCPU && round->profile.has_oncpu)
			add_stacks(&sum, &round->profile.oncpu);
		if (kind == PROFILE_OFFCPU && round->profile.has_offcpu)
			add_stacks(&sum, &round->profile.offcpu);
	}
	return sum;
}

struct line {
	char *buf;
	size_t used;
	const char *separator;
};

static void put(struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct line *line, const char *fmt, ...)
{
	size_t room = FLAME_QUALITY_MAX - line->used;
	va_list args;
	int n;

	n = snprintf(line->buf + line->used, room, "%s", line->used ? line->separator : "");
	line->used += n > 0 && (size_t)n < room ? (size_t)n : 0;
	room = FLAME_QUALITY_MAX - line->used;
	va_start(args, fmt);
	n = vsnprintf(line->buf + line->used, room, fmt, args);
	va_end(args);
	line->used += n > 0 && (size_t)n < room ? (size_t)n : 0;
	line->separator = ", ";
}

static void put_share(struct line *line, int64_t part, int64_t whole, const char *what)
{
	char share[32];

	if (part == RECORD_NONE || whole <= 0)
		return;
	summary_value(share, sizeof(share), METRIC_RATIO, (double)part / (double)whole);
	put(line, "%s %s", share, what);
}

static void put_seconds(struct line *line, double seconds, const char *what)
{
	char text[32];

	if (isnan(seconds))
		return;
	summary_value(text, sizeof(text), METRIC_SECONDS, seconds);
	put(line, "%s %s", text, what);
}

/* Losses are told where there are any. */
static void put_count(struct line *line, int64_t count, const char *what)
{
	char text[32];

	if (count > 0)
		put(line, "%s %s", summary_integer(text, sizeof(text), count), what);
}

char *flame_quality(char buf[FLAME_QUALITY_MAX], const struct record_stacks *stacks)
{
	struct line line = {buf, 0, ", "};
	char text[32];

	buf[0] = '\0';
	if (stacks->samples == RECORD_NONE) {
		put(&line, "how good the stacks are is not known");
		return buf;
	}
	put_share(&line, stacks->complete, stacks->samples,
		  "of samples complete to the thread's start");
	put_share(&line, stacks->truncated, stacks->samples, "truncated");
	put_share(&line, stacks->by_frame_pointer, stacks->samples, "with frame pointers");
	if (stacks->deferred > 0)
		put_share(&line, stacks->deferred, stacks->samples, "walked on in user space");
	put_share(&line, stacks->frames_named, stacks->frames, "of frames named");
	line.separator = "; ";
	put(&line, stacks->samples == 1 ? "%s sample" : "%s samples",
	    summary_integer(text, sizeof(text), stacks->samples));
	put_count(&line, stacks->lost, "lost");
	put_seconds(&line, stacks->sampled_seconds, "sampled");
	put_seconds(&line, stacks->exact_seconds, "exact");
	put_count(&line, stacks->mappings_lost, "mappings lost");
	put_count(&line, stacks->rows_evicted, "files' unwind rows evicted");
	put_count(&line, stacks->unknown_rules, "unwind rules that no row holds");
	return buf;
}
