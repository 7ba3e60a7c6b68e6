/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs whose call tree is known, with what each function has spent by the thread's own clock.
 * They are built like distributions build theirs, -O2 without frame pointers. Their truth is
 *     {"cpu_seconds": of the whole, "functions": {"alpha": seconds, …}}
 * where a function's seconds are those in which it is anywhere on the stack.
 */
#ifndef PERFBPF_TRUTH_STACKS_H
#define PERFBPF_TRUTH_STACKS_H

#include "truth.h"

/* Neither inlined, nor cloned under another name, nor specialised to its callers. */
#ifdef __clang__
#define STACKS_FUNCTION __attribute__((noinline))
#else
#define STACKS_FUNCTION __attribute__((noipa))
#endif

#define STACKS_MAX 16

struct stacks_spent {
	const char *function;
	uint64_t ns;
	const void *address; /* NULL: not told */
};

struct stacks_truth {
	uint32_t random;
	size_t n;
	struct stacks_spent spent[STACKS_MAX];
};

/* After a call, so that it is none that replaces its caller's frame. */
static inline void stacks_stay(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Of no length that keeps step with anybody's clock: @mean_ns in the mean, 0.5 to 1.5 of it. */
static inline uint64_t stacks_length(struct stacks_truth *truth, uint64_t mean_ns)
{
	truth->random = truth->random * 1664525u + 1013904223u;
	return mean_ns / 2 + mean_ns * (truth->random >> 16) / 65536;
}

static inline void stacks_add(struct stacks_truth *truth, const char *function, uint64_t ns)
{
	size_t i = 0;

	while (i < truth->n && strcmp(truth->spent[i].function, function) != 0)
		i++;
	if (i == STACKS_MAX)
		truth_die("too many functions");
	if (i == truth->n) {
		truth->spent[i] = (struct stacks_spent){.function = function};
		truth->n++;
	}
	truth->spent[i].ns += ns;
}

/* Burns about @mean_ns of this thread's CPU time; returns how much it was. */
static inline uint64_t stacks_burn(struct stacks_truth *truth, uint64_t mean_ns)
{
	uint64_t begin_ns = truth_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	truth_burn_until(CLOCK_THREAD_CPUTIME_ID, begin_ns + stacks_length(truth, mean_ns));
	return truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
}

static inline size_t stacks_append(const struct stacks_truth *truth, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "\"functions\": {");

	for (size_t i = 0; i < truth->n && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s\"%s\": %.6f", i ? ", " : "",
				       truth->spent[i].function, (double)truth->spent[i].ns / 1e9);
	if (at < size)
		at += (size_t)snprintf(text + at, size - at, "}");
	return at;
}

static inline void stacks_print(const struct stacks_truth *truth)
{
	struct rusage usage = truth_rusage(RUSAGE_SELF);
	char text[2048];

	stacks_append(truth, text, sizeof(text));
	truth_print("{\"pid\": %d, \"cpu_seconds\": %.6f, %s}", getpid(), truth_cpu_seconds(&usage),
		    text);
}

#endif
