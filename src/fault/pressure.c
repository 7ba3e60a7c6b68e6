/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CPU, memory and I/O pressure: stress-ng. It has an end of its own, should nobody end it. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault/internal.h"
#include "util/clock.h"
#include "util/file.h"

#define SPARE_SECONDS   60 /* after which stress-ng ends by itself */
#define TREE_MAX        2048
#define LEAST_TICKS     5            /* 50 ms of CPU time: it does run */
#define LEAST_WRITTEN   (256 * 1024) /* bytes */
#define MEMORY_SHARE    0.8          /* of the memory that it is to take */
#define IO_BYTES        (256ULL << 20)
#define STRESS_ARGS_MAX 24

struct pressure {
	struct helper helper;
	size_t n_tree;
	struct process *tree; /* TREE_MAX */
};

struct words {
	char *words[STRESS_ARGS_MAX + 1];
	size_t n;
	bool failed;
};

static void add(struct words *words, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *words, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (words->n == STRESS_ARGS_MAX || vasprintf(&words->words[words->n], fmt, args) < 0) {
		words->failed = true;
		words->words[words->n] = NULL;
	} else {
		words->n++;
	}
	va_end(args);
}

static void add_kind(struct words *words, const struct fault *fault)
{
	int workers = fault->workers ? fault->workers : 1;

	if (fault->kind == FAULT_CPU) {
		/* 0: one for each CPU */
		add(words, "--cpu");
		add(words, "%d", fault->workers);
	} else if (fault->kind == FAULT_MEMORY) {
		add(words, "--vm");
		add(words, "%d", workers);
		add(words, "--vm-bytes");
		add(words, "%llu", (unsigned long long)fault->bytes);
		add(words, "--vm-keep");
	} else {
		add(words, "--hdd");
		add(words, "%d", workers);
		add(words, "--hdd-bytes");
		add(words, "%llu", (unsigned long long)(fault->bytes ? fault->bytes : IO_BYTES));
		/* Or all of it would stay in memory. */
		add(words, "--hdd-opts");
		add(words, "wr-seq,fsync");
	}
}

static int make_command(const struct fault_run *run, struct words *words, struct error *err)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ns = run->end_ns > now_ns ? run->end_ns - now_ns : 0;
	char *path = path_find("stress-ng");

	if (!path)
		return error_set(err, EXIT_CODE_FAILED,
				 "fault '%s' was not applied: stress-ng is not on PATH; install "
				 "Debian's package stress-ng",
				 run->fault->name);
	add(words, "%s", path);
	free(path);
	add_kind(words, run->fault);
	add(words, "--temp-path");
	add(words, "%s", run->set->options.private_dir);
	add(words, "--timeout");
	add(words, "%llus", (unsigned long long)(left_ns / NSEC_PER_SEC + SPARE_SECONDS));
	add(words, "--quiet");
	return words->failed ? error_set(err, EXIT_CODE_FAILED, "out of memory") : 0;
}

static int apply(struct fault_run *run, struct error *err)
{
	struct pressure *own = run->own;
	struct words words = {.n = 0};
	int failed;

	own->tree = calloc(TREE_MAX, sizeof(*own->tree));
	if (!own->tree)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	failed = make_command(run, &words, err);
	if (!failed) {
		helper_init(&own->helper, run->set);
		failed = helper_start(&own->helper, run->fault->name, words.words, HELPER_PLAIN,
				      err);
	}
	for (size_t i = 0; i < words.n; i++)
		free(words.words[i]);
	if (!failed)
		run->result.applied_at_ns = clock_now_ns();
	return failed;
}

static int check_running(struct fault_run *run, struct error *err)
{
	struct pressure *own = run->own;

	if (!helper_has_ended(&own->helper))
		return 0;
	return error_set(err, EXIT_CODE_FAILED,
			 "fault '%s': stress-ng ended before its time, with status %d; what it "
			 "said is in the logs",
			 run->fault->name, own->helper.status);
}

/* Does what it has taken show that it works? */
static bool is_felt(const struct fault_run *run)
{
	const struct pressure *own = run->own;
	uint64_t ticks = 0, resident = 0, written = 0;

	for (size_t i = 0; i < own->n_tree; i++) {
		struct process_stat stat;

		if (!process_lives(&own->tree[i], &stat))
			continue;
		ticks += stat.cpu_ticks;
		resident += stat.resident_bytes;
		written += process_written_bytes(own->tree[i].pid);
	}
	switch (run->fault->kind) {
	case FAULT_MEMORY:
		return (double)resident >= MEMORY_SHARE * (double)run->fault->bytes;
	case FAULT_IO:
		/* On a file system in memory nothing is written, but it works as hard. */
		return written >= LEAST_WRITTEN || ticks >= LEAST_TICKS;
	default:
		return ticks >= LEAST_TICKS;
	}
}

/* Once stress-ng itself has gone, what it had is what is known of it. */
static void look_at_tree(struct pressure *own)
{
	if (process_lives(&own->helper.process, NULL))
		own->n_tree = process_tree(own->helper.process.pid, own->tree, TREE_MAX);
}

static int is_applied(struct fault_run *run, struct error *err)
{
	struct pressure *own = run->own;

	if (check_running(run, err))
		return -1;
	look_at_tree(own);
	if (!is_felt(run))
		return FAULT_PENDING;
	run->result.affected = own->n_tree > 1 ? own->n_tree - 1 : own->n_tree;
	/* Should stress-ng itself be killed, the next start has to know what it has started. */
	if (journal_add_processes(run->set->options.journal, own->helper.journal_id, own->tree,
				  own->n_tree, err))
		return -1;
	return FAULT_DONE;
}

static int watch(struct fault_run *run, struct error *err)
{
	return check_running(run, err);
}

static int undo(struct fault_run *run, struct error *err)
{
	struct pressure *own = run->own;

	(void)err;
	if (!own->helper.set)
		return 0;
	look_at_tree(own);
	helper_end(&own->helper);
	return 0;
}

static int is_undone(struct fault_run *run, struct error *err)
{
	struct pressure *own = run->own;

	(void)err;
	if (!helper_is_gone(&own->helper))
		return FAULT_PENDING;
	for (size_t i = 0; i < own->n_tree; i++) {
		if (!process_lives(&own->tree[i], NULL))
			continue;
		(void)fault_send(run, &own->tree[i], SIGKILL);
		return FAULT_PENDING;
	}
	if (run->result.applied_at_ns)
		run->result.ended_at_ns = clock_now_ns();
	return FAULT_DONE;
}

static void clear(struct fault_run *run)
{
	struct pressure *own = run->own;

	helper_close(&own->helper);
	free(own->tree);
}

const struct fault_ops fault_pressure = {
	.size = sizeof(struct pressure),
	.apply = apply,
	.is_applied = is_applied,
	.apply_timeout_ns = 10 * NSEC_PER_SEC,
	.watch = watch,
	.undo = undo,
	.is_undone = is_undone,
	.undo_timeout_ns = 8 * NSEC_PER_SEC,
	.clear = clear,
};
