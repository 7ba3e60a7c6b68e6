/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What faults need of a round, and what came of them. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conduct/hook.h"
#include "conduct/round.h"
#include "util/clock.h"

static int pids_of(void *context, const char *component, pid_t *pids, size_t max)
{
	struct round *round = context;
	struct process tree[FAULT_PROCESSES_MAX];
	const struct part *part;
	pid_t first = 0;
	size_t n;

	if (!strcmp(component, "target")) {
		first = round->side.n_pids ? round->side.pids[0] : 0;
	} else {
		part = parts_find(&round->parts, component);
		if (!part)
			return -ENOENT;
		first = part->pid;
	}
	if (!first)
		return 0;
	n = process_tree(first, tree, max < FAULT_PROCESSES_MAX ? max : FAULT_PROCESSES_MAX);
	for (size_t i = 0; i < n; i++)
		pids[i] = tree[i].pid;
	return (int)n;
}

/* It may run as another user, whom only the keeper may signal. */
static int signal_process(void *context, const struct process *process, int signal)
{
	struct round *round = context;

	return keeper_signal(round->conductor->keeper, process, signal);
}

static int spawn(void *context, char *const *argv, const int *fds, size_t n_fds, pid_t *pid,
		 struct error *err)
{
	struct round *round = context;
	struct keeper_stage stage = {.file = argv[0], .argv = (char **)argv};
	struct keeper_spawn request = {
		.identity = &round->conductor->identity, .n_stages = 1, .stages = &stage};
	int failed;

	for (; request.n_fds < n_fds && request.n_fds < sizeof(request.fds) / sizeof(int);
	     request.n_fds++)
		request.fds[request.n_fds] = fds[request.n_fds];
	request.environment = identity_environment(request.identity, NULL, 0);
	failed = request.environment ? keeper_spawn(round->conductor->keeper, &request, pid, err)
				     : error_set(err, EXIT_CODE_FAILED, "out of memory");
	strings_free(request.environment);
	return failed;
}

static bool ended(void *context, pid_t pid, int *status)
{
	struct round *round = context;

	if (keeper_ended(round->conductor->keeper, pid, status))
		return true;
	/* Nobody tells of ends any more. */
	*status = SIGKILL;
	return keeper_is_gone(round->conductor->keeper) && kill(pid, 0) && errno == ESRCH;
}

static bool is_gone(void *context)
{
	struct round *round = context;

	return keeper_is_gone(round->conductor->keeper);
}

static void end(void *context, pid_t pid)
{
	struct round *round = context;

	keeper_end_helper(round->conductor->keeper, pid, 0);
}

static int restart(void *context, const char *component, struct error *err)
{
	struct round *round = context;
	struct part *part;

	if (!strcmp(component, "target"))
		return side_start(&round->side, &round->collector, round->plan, &round->variables,
				  -1, round->is_client, err) ||
				       side_enrol(&round->side, &round->collector, err) ||
				       side_release(&round->side, round->conductor, round->plan,
						    err)
			       ? -1
			       : 0;
	part = parts_find(&round->parts, component);
	if (!part)
		return error_set(err, EXIT_CODE_FAILED, "there is no component '%s'", component);
	return part_restart(&round->parts, part, err);
}

static void told(void *context, const char *fault, uint64_t at_ns, bool has_ended)
{
	struct round *round = context;

	if (round->driver)
		driver_process_fault(round->driver, fault, at_ns, has_ended);
}

int round_faults_tend(struct round *round, uint64_t *next_ns, struct error *err)
{
	uint64_t own_ns;

	if (!round->faults)
		return 0;
	if (faults_step(round->faults, clock_now_ns(), err))
		return -1;
	own_ns = faults_next_ns(round->faults);
	if (own_ns != UINT64_MAX)
		*next_ns = own_ns;
	return 0;
}

int round_faults_open(struct round *round, struct error *err)
{
	const struct scenario *scenario = round->plan->scenario;
	struct fault_options options = {
		.scenario = scenario,
		.host = &round->fault_host,
		.journal = round->conductor->journal,
		.variables = round->variables.list,
		.n_variables = round->variables.n,
		.private_dir = round->dir,
		.seed = round->conductor->options->has_seed ? round->conductor->options->seed : 1,
	};
	char log[64];

	if (!scenario->n_faults && !scenario->n_proxies)
		return 0;
	round->fault_host = (struct fault_host){
		.context = round,
		.pids_of = pids_of,
		.signal = signal_process,
		.spawn = spawn,
		.ended = ended,
		.end = end,
		.restart = restart,
		.told = told,
		.is_gone = is_gone,
	};
	snprintf(log, sizeof(log), "logs/pair%d-%c.faults.log", round->plan->pair,
		 side_letter(round));
	round->fault_log_fd = log_append(round->conductor, log, err);
	if (round->fault_log_fd < 0)
		return -1;
	options.log_fd = round->fault_log_fd;
	round->faults = faults_open(&options, err);
	if (!round->faults)
		return -1;
	return collector_add_fd(&round->collector, faults_fd(round->faults), err);
}

void round_faults_phase(struct round *round, const struct phase *phase, uint64_t begin_ns)
{
	const struct scenario *scenario = round->plan->scenario;

	if (round->faults)
		faults_phase(round->faults, (size_t)(phase - scenario->phases), begin_ns);
}

int round_faults_close_window(struct round *round, bool cut_short, struct error *err)
{
	uint64_t now_ns = clock_now_ns();

	if (!round->faults)
		return 0;
	if (cut_short)
		faults_cut(round->faults, now_ns);
	return faults_step(round->faults, now_ns, err);
}

static const char *const kind_names[] = {
	[FAULT_SIGNAL] = "signal",           [FAULT_CPU] = "cpu",
	[FAULT_MEMORY] = "memory",           [FAULT_IO] = "io",
	[FAULT_CONNECTIONS] = "connections", [FAULT_PROXY] = "proxy",
};

/* As the driver counts, whose recovery stands beside it: from where the work's window began. */
static double since(const struct round *round, uint64_t at_ns)
{
	if (!at_ns || !round->collector.timed_from_ns)
		return NAN;
	return ((double)at_ns - (double)round->collector.timed_from_ns) / 1e9;
}

int round_faults_end(struct round *round, struct record_round *out)
{
	size_t n, left;

	if (!round->faults)
		return 0;
	left = faults_undo_all(round->faults);
	if (left)
		progress_note(
			&round->conductor->progress, true,
			"%zu faults could not be undone; the next start of perfbpf tries again",
			left);
	n = faults_count(round->faults);
	out->faults = calloc(n + 1, sizeof(*out->faults));
	for (size_t i = 0; out->faults && i < n; i++) {
		struct fault_result result = faults_result(round->faults, i);

		out->faults[out->n_faults++] = (struct record_fault){
			.name = strdup(result.name),
			.kind = strdup(kind_names[result.kind]),
			.applied_at = since(round, result.applied_at_ns),
			.ended_at = since(round, result.ended_at_ns),
			.verified = result.verified,
			.undone = result.undone,
			.error = result.error ? strdup(result.error) : NULL,
		};
		if (result.error || !result.verified)
			record_invalid(out, "fault '%s' was not what it was to be: %s", result.name,
				       result.error ? result.error
						    : "it was not seen to take effect");
	}
	return out->faults ? 0 : -1;
}

void round_faults_close(struct round *round)
{
	if (round->faults)
		collector_remove_fd(&round->collector, faults_fd(round->faults));
	faults_close(round->faults);
	round->faults = NULL;
	if (round->fault_log_fd > 0)
		close(round->fault_log_fd);
}
