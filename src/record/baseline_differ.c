/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In what two runs differ besides what they measured. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline.h"
#include "record/noise.h"
#include "util/units.h"

/* The kernel keeps a part of the memory, and not always the same. */
#define SAME_MEMORY 0.02
#define SAME_RATE   1e-9
#define SAME_OTHERS 0.05 /* of all CPUs */

struct differ {
	struct record_baseline *out;
	const struct record *rec, *base;
	bool comparable;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void say(struct differ *differ, const char *fmt, ...)
{
	char **larger = reallocarray(differ->out->differences, differ->out->n_differences + 1,
				     sizeof(*larger));
	char *text = NULL;
	va_list args;

	if (larger)
		differ->out->differences = larger;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!larger || !text) {
		free(text);
		differ->failed = true;
		return;
	}
	differ->out->differences[differ->out->n_differences++] = text;
}

static bool is_same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static bool any_syscalls(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].n_syscalls)
			return true;
	return false;
}

/* One that is not known on a side says nothing. */
static void differ_in_host(struct differ *differ, const char *what, const char *base,
			   const char *now)
{
	if (!base || !now || !strcmp(base, now))
		return;
	say(differ, "%s: '%s' in the earlier run, '%s' now", what, base, now);
	differ->comparable = false;
}

static void differ_in_size(struct differ *differ)
{
	int64_t base = differ->base->host.memory_bytes, now = differ->rec->host.memory_bytes;
	char then[32], today[32];

	if (differ->base->host.cpus != RECORD_NONE && differ->rec->host.cpus != RECORD_NONE &&
	    differ->base->host.cpus != differ->rec->host.cpus) {
		say(differ, "CPUs: %" PRId64 " in the earlier run, %" PRId64 " now",
		    differ->base->host.cpus, differ->rec->host.cpus);
		differ->comparable = false;
	}
	if (base == RECORD_NONE || now == RECORD_NONE ||
	    fabs((double)base - (double)now) <= SAME_MEMORY * fabs((double)base))
		return;
	say(differ, "memory: %s in the earlier run, %s now",
	    format_bytes(then, sizeof(then), (double)base),
	    format_bytes(today, sizeof(today), (double)now));
	differ->comparable = false;
}

static bool is_same_number(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= SAME_RATE * fabs(a);
}

/* "10 s at 14000/s" */
static const char *describe(char buf[80], const struct record_phase *phase)
{
	char duration[32];
	int n = snprintf(buf, 80, "%s",
			 format_seconds(duration, sizeof(duration), phase->duration_seconds));

	if (!isnan(phase->rate))
		snprintf(buf + n, 80 - (size_t)n, " at %.10g/s", phase->rate);
	return buf;
}

static void differ_in_phases(struct differ *differ)
{
	size_t n = differ->rec->scenario.n_phases, n_base = differ->base->scenario.n_phases;
	char then[80], now[80];

	if (n != n_base) {
		say(differ, "phases: %zu in the earlier run, %zu now", n_base, n);
		differ->comparable = false;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct record_phase *a = &differ->base->scenario.phases[i];
		const struct record_phase *b = &differ->rec->scenario.phases[i];

		if (is_same(a->name, b->name) && is_same(a->role, b->role) &&
		    is_same_number(a->duration_seconds, b->duration_seconds) &&
		    is_same_number(a->rate, b->rate))
			continue;
		say(differ, "phase %zu: '%s', %s, in the earlier run, '%s', %s, now", i + 1,
		    a->name ? a->name : "", describe(then, a), b->name ? b->name : "",
		    describe(now, b));
		differ->comparable = false;
	}
}

static void differ_in_scenario(struct differ *differ)
{
	const struct record *base = differ->base, *rec = differ->rec;

	if (!is_same(base->scenario.name, rec->scenario.name)) {
		say(differ, "scenario: '%s' in the earlier run, '%s' now",
		    base->scenario.name ? base->scenario.name : "unknown",
		    rec->scenario.name ? rec->scenario.name : "unknown");
		differ->comparable = false;
	}
	if (!is_same(base->scenario.driver, rec->scenario.driver)) {
		say(differ, "driver: '%s' in the earlier run, '%s' now",
		    base->scenario.driver ? base->scenario.driver : "none",
		    rec->scenario.driver ? rec->scenario.driver : "none");
		differ->comparable = false;
	}
	differ_in_phases(differ);
}

static bool is_same_argv(const struct record_target *a, const struct record_target *b)
{
	if (a->n_argv != b->n_argv)
		return false;
	for (size_t i = 0; i < a->n_argv; i++)
		if (!is_same(a->argv[i], b->argv[i]))
			return false;
	return true;
}

static const struct record_target *target_of(const struct record *rec, int side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if ((int)rec->targets[i].side == side)
			return &rec->targets[i];
	return NULL;
}

/* A version is what one wants to compare, and arguments may have to change with it. */
static void differ_in_target(struct differ *differ, const struct record_target *target)
{
	int side = baseline_side_of(differ->rec, target->side, differ->base);
	const struct record_target *base = side < 0 ? NULL : target_of(differ->base, side);
	const char *name = target->name ? target->name : "?";

	if (!base) {
		say(differ, "'%s' was not measured in the earlier run, and is not compared", name);
		return;
	}
	if (!is_same(base->name, target->name))
		say(differ, "target: '%s' in the earlier run, '%s' now",
		    base->name ? base->name : "?", name);
	if (!is_same(base->version, target->version))
		say(differ, "version of '%s': %s in the earlier run, %s now", name,
		    base->version ? base->version : "unknown",
		    target->version ? target->version : "unknown");
	/* Of a command the name is the command already. */
	if (is_same(base->name, target->name) && !is_same_argv(base, target))
		say(differ, "'%s' was started with other arguments in the earlier run", name);
}

/* --- how it was measured ------------------------------------------------------------- */

/* What is left out by --without, or on at the one and off at the other. */
static void differ_in_option(struct differ *differ, const char *what, bool then, bool now)
{
	if (then != now)
		say(differ, "%s: %s in the earlier run, %s now", what,
		    then ? "measured" : "not measured", now ? "measured" : "not measured");
}

/* Counting and timing each system call slows all of them down. */
static void differ_in_syscalls(struct differ *differ, bool then, bool now)
{
	differ_in_option(differ, "system calls (--syscalls)", then, now);
	if (then != now)
		differ->comparable = false;
}

static void differ_in_profile(struct differ *differ, const struct record_profile *then,
			      const struct record_profile *now)
{
	if (!then->has_oncpu || !now->has_oncpu)
		return;
	if (!isnan(then->oncpu.frequency_hertz) && !isnan(now->oncpu.frequency_hertz) &&
	    !is_same_number(then->oncpu.frequency_hertz, now->oncpu.frequency_hertz))
		say(differ, "samples a second (--freq): %.4g in the earlier run, %.4g now",
		    then->oncpu.frequency_hertz, now->oncpu.frequency_hertz);
}

/* A machine that others kept busy is not the same one; that it was, the run knows by itself. */
static void differ_in_others(struct differ *differ)
{
	double then = noise_of_others(differ->base), now = noise_of_others(differ->rec);

	if (fabs(then - now) > SAME_OTHERS)
		say(differ,
		    "CPU time of others: %.1f %% of all CPUs in the earlier run, %.1f %% now",
		    100 * then, 100 * now);
}

/* All rounds of a run are measured alike. */
static void differ_in_measuring(struct differ *differ)
{
	const struct record_round *then, *now;

	if (!differ->base->n_rounds || !differ->rec->n_rounds)
		return;
	then = &differ->base->rounds[0];
	now = &differ->rec->rounds[0];
	differ_in_syscalls(differ, any_syscalls(differ->base), any_syscalls(differ->rec));
	differ_in_option(differ, "stacks (--profile)", then->has_profile, now->has_profile);
	if (then->has_profile && now->has_profile)
		differ_in_profile(differ, &then->profile, &now->profile);
	differ_in_others(differ);
	differ_in_option(differ, "requests (--without)", then->has_requests, now->has_requests);
	differ_in_option(differ, "time (--without)", then->has_time, now->has_time);
	differ_in_option(differ, "storage (--without)", then->has_io, now->has_io);
	differ_in_option(differ, "protocols (--protocols)",
			 then->has_requests && then->requests.unparsed != RECORD_NONE,
			 now->has_requests && now->requests.unparsed != RECORD_NONE);
	if (then->observer.mode && now->observer.mode &&
	    strcmp(then->observer.mode, now->observer.mode) != 0)
		say(differ,
		    "perfbpf's own programs (--observer): '%s' in the earlier run, '%s' now",
		    then->observer.mode, now->observer.mode);
}

/* What was cut short is no whole measurement: not to be the measure of another in silence. */
static void differ_in_end(struct differ *differ)
{
	if (differ->base->complete && differ->rec->complete)
		return;
	say(differ, "%s did not come to its end: what was measured until then is compared",
	    differ->base->complete  ? "this run"
	    : differ->rec->complete ? "the earlier run"
				    : "both runs");
	differ->comparable = false;
}

int baseline_differ(struct record_baseline *out, const struct record *rec,
		    const struct record *base, bool *comparable)
{
	struct differ differ = {.out = out, .rec = rec, .base = base, .comparable = true};

	differ_in_end(&differ);
	differ_in_host(&differ, "kernel", base->host.kernel, rec->host.kernel);
	differ_in_host(&differ, "CPU model", base->host.cpu_model, rec->host.cpu_model);
	differ_in_size(&differ);
	differ_in_host(&differ, "virtualization", base->host.virtualization,
		       rec->host.virtualization);
	differ_in_host(&differ, "CPU frequency governor", base->host.governor, rec->host.governor);
	differ_in_scenario(&differ);
	differ_in_measuring(&differ);
	for (size_t i = 0; i < rec->n_targets; i++)
		differ_in_target(&differ, &rec->targets[i]);
	if (!is_same(base->version, rec->version))
		say(&differ, "perfbpf: %s in the earlier run, %s now",
		    base->version ? base->version : "unknown",
		    rec->version ? rec->version : "unknown");
	*comparable = differ.comparable;
	return differ.failed ? -1 : 0;
}
