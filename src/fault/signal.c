/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signals. KILL and STOP hit all processes of a component, as if its machine had lost power or
 * stood still; the others are for its main process, which is whom they say something to.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault/internal.h"
#include "util/clock.h"
#include "util/file.h"

#define ROUNDS_MAX 16 /* of looking for processes that were forked meanwhile */
#define TARGET     "target"

struct signal_fault {
	int number;
	char victim[128]; /* empty: the leader is not known yet */
	struct helper leader;
	bool is_asked; /* the leader's command was started */
	char line[256];
	size_t line_length;
	size_t n_hit;
	struct process *hit;
	size_t n_ids;
	uint64_t ids[2 * ROUNDS_MAX]; /* in the journal */
	bool is_restarting;
};

static bool is_for_all(int number)
{
	return number == SIGKILL || number == SIGSTOP;
}

static bool is_stopped(const struct process *process)
{
	struct process_stat stat;

	return process_lives(process, &stat) && stat.state == 'T';
}

/* --- whom ------------------------------------------------------------------------ */

static int set_victim(struct fault_run *run, const char *name, struct error *err)
{
	struct signal_fault *own = run->own;

	if (!name)
		name = TARGET;
	else if (!strncmp(name, TARGET ".", sizeof(TARGET)))
		name += sizeof(TARGET);
	if (!*name || strlen(name) >= sizeof(own->victim))
		return error_set(err, EXIT_CODE_FAILED,
				 "fault '%s': its leader command named no component",
				 run->fault->name);
	snprintf(own->victim, sizeof(own->victim), "%s", name);
	run->result.component = own->victim;
	return 0;
}

static void words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

/* NULL-terminated, the program as a full path; NULL with @err. */
static char **leader_command(const struct fault_run *run, struct error *err)
{
	const struct fault *fault = run->fault;
	char **words = calloc(fault->n_leader + 1, sizeof(*words)), *path;

	if (!words) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < fault->n_leader; i++) {
		words[i] = fault_fill(run, fault->leader[i], err);
		if (!words[i]) {
			words_free(words);
			return NULL;
		}
	}
	path = path_find(words[0]);
	if (!path) {
		error_set(err, EXIT_CODE_FAILED,
			  "fault '%s': the program '%s' that names the leader is not on PATH",
			  fault->name, words[0]);
		words_free(words);
		return NULL;
	}
	free(words[0]);
	words[0] = path;
	return words;
}

static int ask_leader(struct fault_run *run, struct error *err)
{
	struct signal_fault *own = run->own;
	char **words = leader_command(run, err);
	int failed;

	if (!words)
		return -1;
	helper_init(&own->leader, run->set);
	own->is_asked = true;
	failed = helper_start(&own->leader, run->fault->name, words, HELPER_OUTPUT, err);
	words_free(words);
	return failed;
}

/* FAULT_DONE once the first line is there. */
static int read_leader(struct fault_run *run, struct error *err)
{
	struct signal_fault *own = run->own;
	bool has_ended = helper_has_ended(&own->leader);
	size_t room = sizeof(own->line) - 1 - own->line_length;
	ssize_t n = read(own->leader.output_fd, own->line + own->line_length, room);
	char *newline;

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !has_ended)
		return FAULT_PENDING;
	if (n > 0)
		own->line_length += (size_t)n;
	own->line[own->line_length] = '\0';
	newline = strchr(own->line, '\n');
	/* A last line need not have an end. */
	if (!newline && n > 0 && (size_t)n < room)
		return FAULT_PENDING;
	own->line[strcspn(own->line, "\r\n")] = '\0';
	helper_end(&own->leader);
	return set_victim(run, own->line, err) ? -1 : FAULT_DONE;
}

/* --- hitting --------------------------------------------------------------------- */

static bool is_known(const struct signal_fault *own, const struct process *process)
{
	for (size_t i = 0; i < own->n_hit; i++)
		if (own->hit[i].pid == process->pid &&
		    own->hit[i].start_ticks == process->start_ticks)
			return true;
	return false;
}

/* Those of the component that are there and not yet hit, at the end of own->hit; how many, or -1.
 */
static int find_new(struct fault_run *run, struct error *err)
{
	const struct fault_host *host = run->set->options.host;
	struct signal_fault *own = run->own;
	size_t max = is_for_all(own->number) ? FAULT_PROCESSES_MAX : 1;
	pid_t *pids = calloc(max, sizeof(*pids));
	struct process *larger;
	int n, found = 0;

	if (!pids)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	n = host->pids_of(host->context, own->victim, pids, max);
	larger = realloc(own->hit, (own->n_hit + (n > 0 ? (size_t)n : 0) + 1) * sizeof(*larger));
	if (larger)
		own->hit = larger;
	for (int i = 0; larger && i < n; i++) {
		struct process process = {.pid = pids[i]};
		struct process_stat stat;

		if (process_stat_read(pids[i], &stat) || stat.state == 'Z')
			continue;
		process.start_ticks = stat.start_ticks;
		/* Who has stopped it must be the one to continue it. */
		if (is_known(own, &process) || (own->number == SIGSTOP && stat.state == 'T'))
			continue;
		own->hit[own->n_hit + (size_t)found++] = process;
	}
	free(pids);
	if (n < 0)
		return error_set(err, EXIT_CODE_FAILED, "fault '%s': no component is named '%s'",
				 run->fault->name, own->victim);
	return larger ? found : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

static int send_to(struct fault_run *run, const struct process *processes, size_t n,
		   struct error *err)
{
	const struct signal_fault *own = run->own;

	for (size_t i = 0; i < n; i++) {
		int failed = fault_send(run, &processes[i], own->number);

		if (failed && failed != -ESRCH)
			return error_set(err, EXIT_CODE_FAILED,
					 "fault '%s': process %d of '%s' cannot be sent SIG%s: %s",
					 run->fault->name, (int)processes[i].pid, own->victim,
					 run->fault->signal, strerror(-failed));
	}
	return 0;
}

/* Hits those that are there; those too that they fork before they are hit. */
static int hit(struct fault_run *run, struct error *err)
{
	struct signal_fault *own = run->own;
	bool is_repeated = is_for_all(own->number);
	int found = 1;

	for (int round = 0; found && round < (is_repeated ? ROUNDS_MAX : 1); round++) {
		struct journal_entry entry = {
			.kind = own->number == SIGSTOP ? JOURNAL_STOP : JOURNAL_NOTE,
			.fault = run->fault->name,
		};
		uint64_t id;

		found = find_new(run, err);
		if (found <= 0)
			return found;
		if (own->n_ids == sizeof(own->ids) / sizeof(own->ids[0]))
			return error_set(err, EXIT_CODE_FAILED,
					 "fault '%s': '%s' starts processes faster than they can "
					 "be hit",
					 run->fault->name, own->victim);
		entry.processes = own->hit + own->n_hit;
		entry.n_processes = (size_t)found;
		id = journal_add(run->set->options.journal, &entry, err);
		if (!id)
			return -1;
		own->ids[own->n_ids++] = id;
		own->n_hit += (size_t)found;
		run->result.affected = own->n_hit;
		if (!run->result.applied_at_ns)
			run->result.applied_at_ns = clock_now_ns();
		if (send_to(run, entry.processes, entry.n_processes, err))
			return -1;
	}
	return 0;
}

static int hit_first(struct fault_run *run, struct error *err)
{
	const struct signal_fault *own = run->own;

	if (hit(run, err))
		return -1;
	if (own->n_hit)
		return 0;
	return error_set(err, EXIT_CODE_FAILED,
			 "fault '%s': '%s' has no process that could be hit; does it still run?",
			 run->fault->name, own->victim);
}

static int apply(struct fault_run *run, struct error *err)
{
	struct signal_fault *own = run->own;

	own->number = fault_signal_number(run->fault->signal);
	if (run->fault->n_leader)
		return ask_leader(run, err);
	if (set_victim(run, run->fault->component, err))
		return -1;
	return hit_first(run, err);
}

/* --- what came of it ----------------------------------------------------------------- */

static int check_stopped(struct fault_run *run, struct error *err)
{
	const struct signal_fault *own = run->own;
	size_t stopped = 0;

	/* One that was about to fork has a child now. */
	if (hit(run, err))
		return -1;
	for (size_t i = 0; i < own->n_hit; i++) {
		if (is_stopped(&own->hit[i]))
			stopped++;
		else if (process_lives(&own->hit[i], NULL))
			return FAULT_PENDING;
	}
	if (stopped)
		return FAULT_DONE;
	return error_set(err, EXIT_CODE_FAILED, "fault '%s': '%s' ended before it could be stopped",
			 run->fault->name, own->victim);
}

static int check_gone(const struct fault_run *run)
{
	const struct signal_fault *own = run->own;

	for (size_t i = 0; i < own->n_hit; i++)
		if (process_lives(&own->hit[i], NULL))
			return FAULT_PENDING;
	return FAULT_DONE;
}

static int check_taken(const struct fault_run *run, struct error *err)
{
	const struct signal_fault *own = run->own;

	switch (process_signal_fate(own->hit[0].pid, own->number)) {
	case SIGNAL_PENDING:
		return FAULT_PENDING;
	case SIGNAL_IGNORED:
		return error_set(err, EXIT_CODE_FAILED, "fault '%s': '%s' ignores SIG%s",
				 run->fault->name, own->victim, run->fault->signal);
	case SIGNAL_TAKEN:
		break;
	}
	return FAULT_DONE;
}

static int is_applied(struct fault_run *run, struct error *err)
{
	struct signal_fault *own = run->own;
	int progress;

	if (!own->victim[0]) {
		progress = read_leader(run, err);
		if (progress != FAULT_DONE)
			return progress;
		if (hit_first(run, err))
			return -1;
	}
	if (own->number == SIGSTOP)
		return check_stopped(run, err);
	progress = fault_signal_ends(own->number) ? check_gone(run) : check_taken(run, err);
	/* There is nothing that lasts. */
	if (progress == FAULT_DONE && !run->fault->restart)
		run->end_ns = clock_now_ns();
	return progress;
}

/* --- undoing --------------------------------------------------------------------------- */

static int undo(struct fault_run *run, struct error *err)
{
	const struct fault_host *host = run->set->options.host;
	struct signal_fault *own = run->own;

	if (own->is_asked)
		helper_end(&own->leader);
	if (!run->result.applied_at_ns)
		return 0;
	if (own->number == SIGSTOP)
		for (size_t i = 0; i < own->n_hit; i++)
			(void)fault_send(run, &own->hit[i], SIGCONT);
	if (!run->fault->restart || run->set->is_ending)
		return 0;
	own->is_restarting = true;
	return host->restart(host->context, own->victim, err);
}

static bool runs_again(const struct fault_run *run)
{
	const struct fault_host *host = run->set->options.host;
	const struct signal_fault *own = run->own;
	struct process_stat stat;
	pid_t pid;

	if (host->pids_of(host->context, own->victim, &pid, 1) != 1 ||
	    process_stat_read(pid, &stat) || stat.state == 'Z')
		return false;
	return !is_known(own, &(struct process){pid, stat.start_ticks});
}

static int is_undone(struct fault_run *run, struct error *err)
{
	struct signal_fault *own = run->own;

	(void)err;
	if (own->is_asked && !helper_is_gone(&own->leader))
		return FAULT_PENDING;
	for (size_t i = 0; own->number == SIGSTOP && i < own->n_hit; i++)
		if (is_stopped(&own->hit[i]))
			return FAULT_PENDING;
	if (own->is_restarting && !runs_again(run))
		return FAULT_PENDING;
	for (size_t i = 0; i < own->n_ids; i++)
		journal_strike(run->set->options.journal, own->ids[i]);
	own->n_ids = 0;
	if (run->result.applied_at_ns && (own->number == SIGSTOP || own->is_restarting))
		run->result.ended_at_ns = clock_now_ns();
	return FAULT_DONE;
}

static void clear(struct fault_run *run)
{
	struct signal_fault *own = run->own;

	if (own->is_asked)
		helper_close(&own->leader);
	free(own->hit);
}

const struct fault_ops fault_signal = {
	.size = sizeof(struct signal_fault),
	.apply = apply,
	.is_applied = is_applied,
	.apply_timeout_ns = 30 * NSEC_PER_SEC,
	.undo = undo,
	.is_undone = is_undone,
	.undo_timeout_ns = 30 * NSEC_PER_SEC,
	.clear = clear,
};
