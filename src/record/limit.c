/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/limit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/load.h"
#include "util/grouped.h"
#include "util/units.h"

/* What the rules look at. */
struct evidence {
	const struct record_round *round;
	const struct record_round_phase *phase;
	int64_t cpus;
	bool is_part;                   /* the round has other phases too */
	double duration;                /* of the phase, NAN: not known */
	const struct record_time *time; /* of all threads, NULL: not known */
	double busy;                    /* seconds of all threads; 0 where there are none */
};

/* Writes the sentence to @out where the rule holds. */
typedef bool rule(const struct evidence *evidence, FILE *out);

static double or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

static double percent(double ratio)
{
	return ratio * 100;
}

/* Behind a number that is not known of single phases. */
static const char *of_round(const struct evidence *evidence)
{
	return evidence->is_part ? " in all phases together" : "";
}

/* Not waiting for others' work: where the thread had something to do. */
static double busy_of(const struct record_time *time)
{
	return or_zero(time->on_cpu_seconds) + or_zero(time->stolen_seconds) +
	       or_zero(time->run_queue_seconds) + or_zero(time->lock_seconds) +
	       or_zero(time->disk_seconds);
}

/* Of that what is neither waiting for a CPU nor for a lock. */
static double running_of(const struct record_time *time)
{
	return or_zero(time->on_cpu_seconds) + or_zero(time->stolen_seconds) +
	       or_zero(time->disk_seconds);
}

static bool is_driver(const struct evidence *evidence, FILE *out)
{
	const struct record_use *driver = &evidence->phase->driver;
	/* What a load never sent found every user waiting for the side: that is the side's doing.
	 */
	bool dropped = driver->errors != RECORD_NONE && driver->errors > 0 &&
		       !record_has_operations(evidence->round);
	bool late = driver->saturation > LIMIT_DRIVER_LATE_SECONDS;
	char number[GROUPED_MAX], behind[32];

	if (!dropped && !late && !(driver->utilization >= LIMIT_DRIVER_BUSY))
		return false;
	fputs("the driver, not the side: it", out);
	if (!isnan(driver->utilization))
		fprintf(out, " used %.0f %% of a core%s", percent(driver->utilization),
			dropped && late   ? ","
			: dropped || late ? " and"
					  : "");
	if (late)
		fprintf(out, " fell %s behind its plan%s",
			format_seconds(behind, sizeof(behind), driver->saturation),
			dropped ? " and" : "");
	if (dropped)
		fprintf(out, " dropped %s pieces of work",
			format_grouped(number, sizeof(number), driver->errors));
	return true;
}

static bool is_memory(const struct evidence *evidence, FILE *out)
{
	const struct record_use *memory = &evidence->phase->memory;
	bool killed = memory->errors != RECORD_NONE && memory->errors > 0;
	bool stalled = memory->saturation >= LIMIT_MEMORY_STALL;
	int64_t faults = evidence->round->memory.major_faults;
	char number[GROUPED_MAX];

	if (!killed && !stalled)
		return false;
	fputs("memory:", out);
	if (killed)
		fprintf(out, " %s process%s killed for lack of it%s",
			format_grouped(number, sizeof(number), memory->errors),
			memory->errors == 1 ? " was" : "es were", stalled ? ", and" : "");
	if (stalled)
		fprintf(out, " tasks waited for it %.0f %% of the time",
			percent(memory->saturation));
	if (faults != RECORD_NONE && faults > 0)
		fprintf(out, "; the side had %s major faults%s",
			format_grouped(number, sizeof(number), faults), of_round(evidence));
	return true;
}

static bool is_cpu(const struct evidence *evidence, FILE *out)
{
	double busy = evidence->phase->cpu.utilization;
	double waited = evidence->phase->run_queue.saturation;
	const struct record_time *time = evidence->time;

	if (isnan(waited) && time)
		waited = time->run_queue_seconds / (time->run_queue_seconds + time->on_cpu_seconds);
	if (!(busy >= LIMIT_CPU_FULL) || !(waited >= LIMIT_CPU_WAIT))
		return false;
	if (time && (time->run_queue_seconds < LIMIT_CPU_WAITERS * evidence->duration ||
		     time->run_queue_seconds < time->lock_seconds ||
		     time->run_queue_seconds < time->disk_seconds))
		return false;
	if (evidence->cpus == RECORD_NONE || evidence->cpus < 1)
		fputs("the machine's CPUs:", out);
	else
		fprintf(out, "the machine's %lld CPU%s:", (long long)evidence->cpus,
			evidence->cpus == 1 ? "" : "s");
	fprintf(out, " %.0f %% busy", percent(busy));
	if (time && evidence->cpus > 0 && time->on_cpu_seconds > 0)
		fprintf(out, " (%.0f %% by the side)",
			percent(time->on_cpu_seconds / evidence->duration /
				(double)evidence->cpus));
	fprintf(out,
		", and the side's threads waited for one %.0f %% of the time in which they could "
		"have run",
		percent(waited));
	return true;
}

/*
 * The threads that wait for locks a good part of their lives, and what they did. Single threads are
 * known over the whole window only: of a part of it, all threads.
 */
struct lock_users {
	size_t n;
	double lock, wall, running, disk;
};

static struct lock_users find_lock_users(const struct evidence *evidence)
{
	const struct record_round *round = evidence->round;
	struct lock_users users = {0};

	for (size_t i = 0; i < round->n_threads && !evidence->is_part; i++) {
		const struct record_time *time = &round->threads[i].time;

		if (!(time->lock_seconds >= LIMIT_LOCK_USER * time->wall_seconds))
			continue;
		if (!(time->lock_seconds > 0))
			continue;
		users.n++;
		users.lock += time->lock_seconds;
		users.wall += time->wall_seconds;
		users.running += running_of(time);
		users.disk += or_zero(time->disk_seconds);
	}
	if (users.n)
		return users;
	users.lock = evidence->time->lock_seconds;
	users.wall = evidence->time->wall_seconds;
	users.running = running_of(evidence->time);
	users.disk = or_zero(evidence->time->disk_seconds);
	return users;
}

static bool is_lock(const struct evidence *evidence, FILE *out)
{
	const struct record_time *time = evidence->time;
	struct lock_users users;
	double share, running;

	if (!time || !(evidence->busy > 0) ||
	    !(time->lock_seconds >= LIMIT_WAITERS * evidence->duration))
		return false;
	users = find_lock_users(evidence);
	share = time->lock_seconds / evidence->busy;
	running = users.running / (users.n ? evidence->round->window_seconds : evidence->duration);
	if (share < LIMIT_LOCK_SHARE ||
	    (running > LIMIT_LOCK_RUNNING && share < LIMIT_LOCK_SHARE_ALONE))
		return false;
	if (users.n)
		fprintf(out, "%zu thread%s shared a lock:", users.n, users.n == 1 ? "" : "s");
	else
		fputs("the side's threads shared a lock:", out);
	fprintf(out,
		" %.0f %% of their time went to waiting for it, and on average %.1f of them ran",
		percent(users.lock / users.wall), running);
	if (users.disk >= users.running / 2 && users.running > 0)
		fprintf(out, "; it was held over storage, which took %.0f %% of the rest",
			percent(users.disk / users.running));
	return true;
}

static void put_mean(FILE *out, const struct evidence *evidence, const char *name, const char *what)
{
	const struct record_latency *latency = latency_find(evidence->round, name);
	char mean[32];

	if (latency && latency->count > 0 && !isnan(latency->mean_seconds))
		fprintf(out, ", %s took %s on average%s", what,
			format_seconds(mean, sizeof(mean), latency->mean_seconds),
			of_round(evidence));
}

/* Of the kernel's CPU time only the round's is known: the phase has its part by its CPU time. */
static double kernel_share(const struct evidence *evidence)
{
	const struct record_round *round = evidence->round;
	double whole = round->has_time ? round->time.on_cpu_seconds : 0;
	double kernel = or_zero(round->cpu.system_seconds);

	if (!evidence->time || evidence->time == &round->time || !(whole > 0))
		return kernel;
	return kernel * fmin(1, evidence->time->on_cpu_seconds / whole);
}

static bool is_disk(const struct evidence *evidence, FILE *out)
{
	const struct record_time *time = evidence->time;
	const struct record_use *disk = &evidence->phase->disk;
	double kernel = kernel_share(evidence);

	if (!time || !(evidence->busy > 0) ||
	    !(time->disk_seconds >= LIMIT_DISK_WAITERS * evidence->duration) ||
	    !(time->disk_seconds >= LIMIT_DISK_SHARE * (evidence->busy - kernel)) ||
	    !(time->disk_seconds >= LIMIT_DISK_SHARE_ALL * evidence->busy))
		return false;
	fprintf(out, "storage: the side's threads waited for it %.0f %% of their busy time",
		percent(time->disk_seconds / evidence->busy));
	if (kernel > 0)
		fprintf(out, ", and were in the kernel %.0f %% of it",
			percent(kernel / evidence->busy));
	if (!isnan(disk->utilization))
		fprintf(out, "; the busiest device was in use %.0f %% of the time",
			percent(disk->utilization));
	put_mean(out, evidence, "block_read", "a read");
	put_mean(out, evidence, "block_write", "a write");
	put_mean(out, evidence, "fsync", "an fsync");
	return true;
}

static bool is_thread(const struct evidence *evidence, FILE *out)
{
	const struct record_round *round = evidence->round;
	const struct record_thread *busiest = NULL;
	double window = round->window_seconds, needed = LIMIT_THREAD_BUSY * window;
	double machine = evidence->phase->cpu.utilization;
	size_t n = 0;

	for (size_t i = 0; i < round->n_threads; i++) {
		const struct record_thread *thread = &round->threads[i];

		if (!(thread->time.on_cpu_seconds >= needed))
			continue;
		n++;
		if (!busiest || thread->time.on_cpu_seconds > busiest->time.on_cpu_seconds)
			busiest = thread;
	}
	/* In this part of the window, too, some thread has to have run. */
	if (!busiest || (evidence->is_part && evidence->time &&
			 evidence->time->on_cpu_seconds < LIMIT_THREAD_BUSY * evidence->duration))
		return false;
	if (n == 1)
		fputs("one thread: ", out);
	else
		fprintf(out, "%zu threads: the busiest, ", n);
	fprintf(out, "'%s' (%lld)%s was on a CPU %.0f %% of the time%s",
		busiest->comm ? busiest->comm : "?", (long long)busiest->tid, n == 1 ? "" : ",",
		percent(busiest->time.on_cpu_seconds / window), of_round(evidence));
	if (machine < LIMIT_CPU_FULL)
		fprintf(out,
			", while the machine was %.0f %% busy: the program has no more parallel "
			"work",
			percent(machine));
	else
		fputs(" and hardly waited for one: more CPUs would not have helped it", out);
	return true;
}

static bool is_network(const struct evidence *evidence, FILE *out)
{
	const struct record_use *network = &evidence->phase->network;
	int64_t resent = evidence->round->network.retransmits;
	char number[GROUPED_MAX];

	if (network->utilization >= LIMIT_NETWORK_FULL) {
		fprintf(out, "the network: the busiest interface was %.0f %% full",
			percent(network->utilization));
		return true;
	}
	if (!(network->saturation >= LIMIT_NETWORK_RESENT) || resent == RECORD_NONE ||
	    resent < LIMIT_NETWORK_MIN_RESENT)
		return false;
	fprintf(out,
		"the network: %.1f %% of the machine's TCP segments had to be sent again, %s%s by "
		"the side%s",
		network->saturation / 10, format_grouped(number, sizeof(number), resent),
		evidence->is_part ? "" : " of them", of_round(evidence));
	return true;
}

/*
 * Waiting for children or for other threads ends when those have done their part, so it is left
 * out. A side that waits for sockets or pipes waits for others: its sleeping threads
 * are then no evidence.
 */
static bool is_sleep(const struct evidence *evidence, FILE *out)
{
	const struct record_time *time = evidence->time;
	double waits, outside;

	if (!time)
		return false;
	outside = or_zero(time->socket_seconds) + or_zero(time->pipe_seconds);
	waits = evidence->busy + outside + or_zero(time->timer_seconds);
	if (!(time->timer_seconds >= LIMIT_SLEEP_SHARE * waits) ||
	    !(time->timer_seconds >= LIMIT_WAITERS * evidence->duration) ||
	    outside >= LIMIT_WAITERS * evidence->duration)
		return false;
	fprintf(out,
		"its own sleeping: the side's threads asked to sleep %.0f %% of their time; "
		"nothing else was short",
		percent(time->timer_seconds / waits));
	return true;
}

static const struct {
	const char *name;
	rule *holds;
} rules[] = {
	{"driver", is_driver}, {"memory", is_memory}, {"cpu", is_cpu},         {"lock", is_lock},
	{"disk", is_disk},     {"thread", is_thread}, {"network", is_network}, {"sleep", is_sleep},
};

static int limit_phase(struct record_round_phase *phase, const struct evidence *evidence)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		bool holds;

		if (!out)
			return -1;
		holds = rules[i].holds(evidence, out);
		if (fclose(out)) {
			free(text);
			return -1;
		}
		if (!holds) {
			free(text);
			continue;
		}
		phase->limit = text;
		phase->limited_by = strdup(rules[i].name);
		return phase->limited_by ? 0 : -1;
	}
	return 0;
}

int record_limit(struct record_round *round, int64_t cpus)
{
	int rc = 0;

	for (size_t i = 0; i < round->n_phases && !rc; i++) {
		struct record_round_phase *phase = &round->phases[i];
		struct evidence evidence = {
			.round = round,
			.phase = phase,
			.cpus = cpus,
			.is_part = round->n_phases > 1,
			.duration = round->window_seconds,
			.time = round->has_time ? &round->time : NULL,
		};

		if (round->has_time && phase->time.wall_seconds > 0) {
			evidence.time = &phase->time;
			evidence.duration = phase->duration_seconds;
		}
		evidence.busy = evidence.time ? busy_of(evidence.time) : 0;
		free(phase->limited_by);
		free(phase->limit);
		phase->limited_by = phase->limit = NULL;
		if (evidence.duration < LIMIT_MIN_SECONDS)
			continue;
		rc = limit_phase(phase, &evidence);
	}
	return rc;
}
