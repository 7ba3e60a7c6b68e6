/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/fault.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "fault/internal.h"
#include "fault/proxies.h"
#include "util/clock.h"

#define POLL_NS  (10 * NSEC_PER_MSEC)  /* while something is awaited */
#define WATCH_NS (500 * NSEC_PER_MSEC) /* while a fault lasts */
#define UNDO_NS  (15 * NSEC_PER_SEC)   /* of all together */

static const struct fault_ops *const kinds[] = {
	[FAULT_SIGNAL] = &fault_signal,           [FAULT_CPU] = &fault_pressure,
	[FAULT_MEMORY] = &fault_pressure,         [FAULT_IO] = &fault_pressure,
	[FAULT_CONNECTIONS] = &fault_connections, [FAULT_PROXY] = &fault_proxy,
};

/* --- what kinds use ------------------------------------------------------------- */

char *fault_fill(const struct fault_run *run, const char *text, struct error *err)
{
	char *filled = variables_fill(text, run->set->options.variables,
				      run->set->options.n_variables, err);

	if (!filled)
		error_prefix(err, "fault '%s'", run->fault->name);
	return filled;
}

int fault_send(const struct fault_run *run, const struct process *process, int signal)
{
	const struct fault_host *host = run->set->options.host;

	return host->signal ? host->signal(host->context, process, signal)
			    : process_signal(process, signal);
}

uint64_t fault_note(struct fault_run *run, struct error *err)
{
	const struct journal_entry entry = {.kind = JOURNAL_NOTE, .fault = run->fault->name};

	return journal_add(run->set->options.journal, &entry, err);
}

/* --- one fault -------------------------------------------------------------------- */

/* The first thing that went wrong is what the others come from. */
static void complain(struct fault_run *run, const struct error *err)
{
	if (run->error[0])
		return;
	snprintf(run->error, sizeof(run->error), "%s", err->text);
	run->result.error = run->error;
}

static void tell(const struct fault_run *run, uint64_t at_ns, bool ended)
{
	const struct fault_host *host = run->set->options.host;

	if (host->told && at_ns)
		host->told(host->context, run->fault->name, at_ns, ended);
}

static void begin_undo(struct fault_run *run, uint64_t now_ns)
{
	struct error err = {0};

	run->state = FAULT_UNDOING;
	run->deadline_ns = now_ns + run->ops->undo_timeout_ns;
	run->poll_ns = now_ns;
	if (run->ops->undo(run, &err))
		complain(run, &err);
}

static void begin_apply(struct fault_run *run, uint64_t now_ns)
{
	struct error err = {0};

	run->state = FAULT_APPLYING;
	run->deadline_ns = now_ns + run->ops->apply_timeout_ns;
	run->poll_ns = now_ns;
	if (!run->ops->apply(run, &err))
		return;
	complain(run, &err);
	begin_undo(run, now_ns);
}

static int fail_early(const struct fault_run *run, struct error *err)
{
	return error_set(
		err, EXIT_CODE_FAILED,
		"fault '%s' was over before it was seen to take effect; let it last longer",
		run->fault->name);
}

static void step_applying(struct fault_run *run, uint64_t now_ns)
{
	struct error err = {0};
	int progress = run->ops->is_applied(run, &err);
	bool is_late =
		progress == FAULT_PENDING && (now_ns >= run->deadline_ns || now_ns >= run->end_ns);

	if (is_late && now_ns >= run->deadline_ns)
		progress = error_set(&err, EXIT_CODE_FAILED,
				     "fault '%s' was not seen to take effect within %.0f s",
				     run->fault->name, (double)run->ops->apply_timeout_ns / 1e9);
	else if (is_late)
		progress = fail_early(run, &err);
	if (!run->is_told)
		tell(run, run->result.applied_at_ns, false);
	run->is_told = run->result.applied_at_ns != 0;
	if (progress == FAULT_PENDING) {
		run->poll_ns = now_ns + POLL_NS;
		return;
	}
	if (progress == FAULT_DONE) {
		run->result.verified = true;
		run->result.verified_at_ns = clock_now_ns();
		run->state = FAULT_ACTIVE;
		run->poll_ns = now_ns;
		return;
	}
	/* A kind knows best what it waited for in vain. */
	if (is_late)
		begin_undo(run, now_ns);
	complain(run, &err);
	if (!is_late)
		begin_undo(run, now_ns);
}

static void step_active(struct fault_run *run, uint64_t now_ns)
{
	struct error err = {0};

	if (run->ops->watch && run->ops->watch(run, &err)) {
		complain(run, &err);
		begin_undo(run, now_ns);
	} else if (now_ns >= run->end_ns) {
		begin_undo(run, now_ns);
	} else {
		run->poll_ns = now_ns + WATCH_NS;
	}
}

static void step_undoing(struct fault_run *run, uint64_t now_ns)
{
	struct error err = {0};
	int progress = run->ops->is_undone(run, &err);

	if (progress == FAULT_PENDING && now_ns >= run->deadline_ns)
		progress = error_set(&err, EXIT_CODE_FAILED,
				     "fault '%s' could not be undone within %.0f s; 'perfbpf "
				     "doctor' says what is left of it",
				     run->fault->name, (double)run->ops->undo_timeout_ns / 1e9);
	if (progress == FAULT_PENDING) {
		run->poll_ns = now_ns + POLL_NS;
		return;
	}
	run->state = FAULT_OVER;
	if (progress == FAULT_DONE)
		run->result.undone = true;
	else
		complain(run, &err);
	if (progress == FAULT_DONE && run->result.ended_at_ns)
		tell(run, run->result.ended_at_ns, true);
}

/* Until nothing can be done at this moment. */
static void step_run(struct fault_run *run, uint64_t now_ns)
{
	enum fault_state before;

	do {
		before = run->state;
		if (before == FAULT_WAITING && run->is_scheduled && now_ns >= run->begin_ns)
			begin_apply(run, now_ns);
		else if (before == FAULT_APPLYING)
			step_applying(run, now_ns);
		else if (before == FAULT_ACTIVE)
			step_active(run, now_ns);
		else if (before == FAULT_UNDOING)
			step_undoing(run, now_ns);
	} while (run->state != before);
}

/* --- the set ------------------------------------------------------------------------ */

static int find_self(struct faults *set, struct error *err)
{
	ssize_t n;

	if (set->options.program) {
		snprintf(set->self, sizeof(set->self), "%s", set->options.program);
		return 0;
	}
	n = readlink("/proc/self/exe", set->self, sizeof(set->self) - 1);
	if (n < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot find perfbpf's own file: %s",
				 strerror(errno));
	set->self[n] = '\0';
	return 0;
}

static int open_runs(struct faults *set, struct error *err)
{
	const struct scenario *scenario = set->options.scenario;

	set->runs = calloc(scenario->n_faults + 1, sizeof(*set->runs));
	if (!set->runs)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; i < scenario->n_faults; i++) {
		struct fault_run *run = &set->runs[i];

		run->set = set;
		run->fault = &scenario->faults[i];
		run->ops = kinds[run->fault->kind];
		run->result =
			(struct fault_result){.name = run->fault->name, .kind = run->fault->kind};
		run->own = calloc(1, run->ops->size);
		if (!run->own)
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
		set->n_runs++;
	}
	return 0;
}

struct faults *faults_open(const struct fault_options *options, struct error *err)
{
	struct faults *set = calloc(1, sizeof(*set));

	if (!set) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	set->options = *options;
	set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (set->epoll_fd < 0)
		error_set(err, EXIT_CODE_FAILED, "cannot wait for faults: %s", strerror(errno));
	else if (!find_self(set, err) && !open_runs(set, err) && !proxies_open(set, err))
		return set;
	faults_close(set);
	return NULL;
}

void faults_phase(struct faults *faults, size_t phase, uint64_t begin_ns)
{
	const struct scenario *scenario = faults->options.scenario;

	for (size_t i = 0; i < faults->n_runs; i++) {
		struct fault_run *run = &faults->runs[i];
		const struct fault *fault = run->fault;

		if (run->state != FAULT_WAITING || fault_phase(scenario, fault) != phase)
			continue;
		run->is_scheduled = true;
		run->begin_ns = begin_ns + fault->at_ns;
		run->end_ns = fault->duration_ns ? run->begin_ns + fault->duration_ns
						 : begin_ns + scenario->phases[phase].duration_ns;
	}
}

int faults_fd(const struct faults *faults)
{
	return faults->epoll_fd;
}

uint64_t faults_next_ns(const struct faults *faults)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < faults->n_runs; i++) {
		const struct fault_run *run = &faults->runs[i];
		uint64_t own = run->poll_ns;

		if (run->state == FAULT_OVER || (run->state == FAULT_WAITING && !run->is_scheduled))
			continue;
		if (run->state == FAULT_WAITING)
			own = run->begin_ns;
		else if (run->state != FAULT_UNDOING && own > run->end_ns)
			own = run->end_ns;
		if (own < next)
			next = own;
	}
	return next;
}

int faults_step(struct faults *faults, uint64_t now_ns, struct error *err)
{
	int failed = proxies_read(faults, err);

	for (size_t i = 0; i < faults->n_runs; i++)
		step_run(&faults->runs[i], now_ns);
	return failed;
}

bool faults_are_over(const struct faults *faults)
{
	for (size_t i = 0; i < faults->n_runs; i++)
		if (faults->runs[i].state != FAULT_OVER)
			return false;
	return true;
}

bool faults_have_ended(const struct faults *faults, const char *component)
{
	for (size_t i = 0; i < faults->n_runs; i++) {
		const struct fault_run *run = &faults->runs[i];

		/* It runs again: should it end now, that is its own doing. */
		if (run->fault->restart && run->state == FAULT_OVER && run->result.undone)
			continue;
		if (run->fault->kind == FAULT_SIGNAL && run->result.applied_at_ns &&
		    fault_signal_ends(fault_signal_number(run->fault->signal)) &&
		    run->result.component && !strcmp(run->result.component, component))
			return true;
	}
	return false;
}

static void give_up_waiting(struct fault_run *run)
{
	struct error err;

	error_set(&err, EXIT_CODE_FAILED, "fault '%s' was not applied: %s", run->fault->name,
		  run->is_scheduled ? "the round ended before its time"
				    : "its phase did not begin");
	complain(run, &err);
	run->state = FAULT_OVER;
	run->result.undone = true;
}

void faults_cut(struct faults *faults, uint64_t now_ns)
{
	for (size_t i = 0; i < faults->n_runs; i++) {
		struct fault_run *run = &faults->runs[i];

		if (run->state == FAULT_WAITING && run->is_scheduled)
			give_up_waiting(run);
		else if (run->end_ns > now_ns)
			run->end_ns = now_ns;
	}
}

size_t faults_undo_all(struct faults *faults)
{
	const struct fault_host *host = faults->options.host;
	bool is_gone = host->is_gone && host->is_gone(host->context);
	uint64_t now_ns = clock_now_ns(), until_ns = now_ns + (is_gone ? POLL_NS : UNDO_NS);
	size_t left = 0;

	faults->is_ending = true;
	for (size_t i = 0; i < faults->n_runs; i++) {
		struct fault_run *run = &faults->runs[i];
		struct error err;

		if (run->state == FAULT_WAITING) {
			give_up_waiting(run);
		} else if (run->state == FAULT_ACTIVE) {
			begin_undo(run, now_ns);
		} else if (run->state == FAULT_APPLYING) {
			begin_undo(run, now_ns);
			(void)fail_early(run, &err);
			complain(run, &err);
		}
	}
	while (!faults_are_over(faults) && now_ns < until_ns) {
		struct pollfd fd = {.fd = faults->epoll_fd, .events = POLLIN};
		struct error ignored;

		poll(&fd, 1, (int)(POLL_NS / NSEC_PER_MSEC));
		now_ns = clock_now_ns();
		(void)faults_step(faults, now_ns, &ignored);
	}
	for (size_t i = 0; i < faults->n_runs; i++)
		left += !faults->runs[i].result.undone;
	return left;
}

size_t faults_count(const struct faults *faults)
{
	return faults->n_runs;
}

struct fault_result faults_result(const struct faults *faults, size_t i)
{
	return faults->runs[i].result;
}

void faults_close(struct faults *faults)
{
	if (!faults)
		return;
	/* What could not be undone then would not be now. */
	if (!faults->is_ending && !faults_are_over(faults))
		(void)faults_undo_all(faults);
	for (size_t i = 0; i < faults->n_runs; i++) {
		struct fault_run *run = &faults->runs[i];

		if (run->ops->clear)
			run->ops->clear(run);
		free(run->own);
	}
	proxies_close(faults);
	if (faults->epoll_fd >= 0)
		close(faults->epoll_fd);
	free(faults->runs);
	free(faults);
}
