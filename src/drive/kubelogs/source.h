/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All lines of all pods, past and to come, as functions of (seed, pod, sequence
 * number): nothing is stored, so a stream can begin anywhere and the checker knows
 * what every line must say.
 */
#ifndef PERFBPF_DRIVE_KUBELOGS_SOURCE_H
#define PERFBPF_DRIVE_KUBELOGS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/kubelogs/content.h"
#include "util/random.h"
#include "drive/kubelogs/schedule.h"
#include "drive/kubelogs/warp.h"
#include "util/error.h"

#define SOURCE_APP       "perf-generator"
#define SOURCE_CONTAINER "log-generator"
#define SOURCE_NAME_MAX  64
/*
 * Line numbers after the restart begin here: the lines that a round counts are the same
 * in every round, whenever its target was ready.
 */
#define SOURCE_RESTART_SEQ 1000000000ULL

struct source {
	char namespace_name[SOURCE_NAME_MAX];
	int deployments, replicas;
	uint32_t n_pods;
	uint64_t seed;
	uint64_t start_ns;       /* CLOCK_MONOTONIC of the schedule's start */
	uint64_t restart_ns;     /* the schedule began anew, UINT64_MAX: not yet */
	uint64_t *n_before;      /* lines of each pod before the restart */
	uint64_t to_real_ns;     /* added to CLOCK_MONOTONIC it gives the clock of the stamps */
	const struct warp *warp; /* of the schedule after the restart, borrowed; NULL: none */
	struct pod_schedule *pods;
	struct content *content;
};

/* 0, or -1 with @err. @namespace_name must be one that Kubernetes would take. */
int source_open(struct source *source, const char *namespace_name,
		const struct schedule_config *schedule, uint64_t start_ns, uint64_t to_real_ns,
		struct error *err);
void source_close(struct source *source);

/* "perf-generator-01-x-00000" of pod 0, into @name[SOURCE_NAME_MAX]. */
void source_pod_name(const struct source *source, uint32_t pod, char *name);
/* The pod of that name: true and its number, or false. */
bool source_pod_find(const struct source *source, const char *name, uint32_t *pod);

/* The line of @pod from which it is @n lines to @seq, or its first. */
uint64_t source_back(const struct source *source, uint32_t pod, uint64_t seq, uint64_t n);

/* The schedule begins anew at @at_ns, once, with line SOURCE_RESTART_SEQ of every pod. */
void source_restart(struct source *source, uint64_t at_ns);

/* When line @seq of @pod is due, CLOCK_MONOTONIC. */
static inline uint64_t source_intended_ns(const struct source *source, uint32_t pod, uint64_t seq)
{
	if (seq >= SOURCE_RESTART_SEQ && source->restart_ns != UINT64_MAX) {
		uint64_t ns = schedule_time_ns(&source->pods[pod], seq - SOURCE_RESTART_SEQ);

		return source->restart_ns + (source->warp ? warp_to_real(source->warp, ns) : ns);
	}
	return source->start_ns + schedule_time_ns(&source->pods[pod], seq);
}

/* The number behind the last line of @pod that is due at @at_ns (CLOCK_MONOTONIC) or before. */
static inline uint64_t source_due(const struct source *source, uint32_t pod, uint64_t at_ns)
{
	if (at_ns < source->start_ns)
		return 0;
	if (at_ns >= source->restart_ns) {
		uint64_t ns = at_ns - source->restart_ns;

		return SOURCE_RESTART_SEQ +
		       schedule_due(&source->pods[pod],
				    source->warp ? warp_to_schedule(source->warp, ns) : ns);
	}
	return schedule_due(&source->pods[pod], at_ns - source->start_ns);
}

/* @seq, or the first line after the restart where @seq was never due before it. */
static inline uint64_t source_skip(const struct source *source, uint32_t pod, uint64_t seq)
{
	if (source->restart_ns != UINT64_MAX && seq >= source->n_before[pod] &&
	    seq < SOURCE_RESTART_SEQ)
		return SOURCE_RESTART_SEQ;
	return seq;
}

/* The first line of @pod that is due at @at_ns (CLOCK_MONOTONIC) or later. */
static inline uint64_t source_first_since(const struct source *source, uint32_t pod, uint64_t at_ns)
{
	return at_ns ? source_skip(source, pod, source_due(source, pod, at_ns - 1)) : 0;
}

static inline const struct message *source_message(const struct source *source, uint32_t pod,
						   uint64_t seq)
{
	uint64_t hash = random_mix(source->seed + pod * 0xd1342543de82ef95ULL + seq * RANDOM_STEP);
	uint32_t kind = pod / (uint32_t)source->replicas % SCHEDULE_KINDS;

	return &source->content->messages[kind][hash % CONTENT_POOL];
}

/* The line up to its message's text into @out[CONTENT_HEAD_MAX]; its length. */
static inline size_t source_head(const struct source *source, uint32_t pod, uint64_t seq, char *out)
{
	return content_write_head(out, source_message(source, pod, seq), pod, seq,
				  source_intended_ns(source, pod, seq) + source->to_real_ns);
}

/* The line with its newline into @out[CONTENT_LINE_MAX]; its length. */
static inline size_t source_line(const struct source *source, uint32_t pod, uint64_t seq, char *out)
{
	return content_write_line(out, source_message(source, pod, seq), pod, seq,
				  source_intended_ns(source, pod, seq) + source->to_real_ns);
}

#endif
