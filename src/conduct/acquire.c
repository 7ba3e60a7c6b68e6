/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/acquire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fault/recover.h"
#include "probe/stacks.h"

static int open_signals(struct conductor *conductor, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	conductor->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (conductor->signal_fd < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot take signals: %s", strerror(errno));
	return 0;
}

/* Stacks, where they are wanted; the kernel's names while they may be read. */
static int acquire_profiler(struct conductor *conductor, struct error *err)
{
	const struct conduct_options *options = conductor->options;

	if (!probe_has_oncpu(conductor->probe) && !probe_has_offcpu(conductor->probe))
		return 0;
	conductor->profiler = profiler_new(conductor->probe, conductor->keeper,
					   fopen("/proc/kallsyms", "re"), options->inlines);
	return conductor->profiler ? 0 : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

static void note_recovery(void *context, const char *text)
{
	struct conductor *conductor = context;

	progress_note(&conductor->progress, true, "%s", text);
}

/*
 * What an earlier perfbpf could not undo would be measured with. While all rights are there still:
 * what it started may run as somebody else.
 */
static void undo_left_faults(struct conductor *conductor)
{
	struct recovery recovery;
	int failed = faults_recover(NULL, note_recovery, conductor, &recovery);

	if (failed)
		progress_note(&conductor->progress, true,
			      "faults that an earlier perfbpf may have left are not known: %s",
			      strerror(-failed));
}

/*
 * Where every start looks, whoever it is for: so it is opened while all rights are there, and after
 * the keeper was forked, whose copy would hold its lock.
 */
static int open_journal(struct conductor *conductor, const struct plan *plan, struct error *err)
{
	bool is_needed = false;
	char *folder;

	for (size_t i = 0; i < plan->n_scenarios; i++)
		is_needed |= plan->scenarios[i]->n_faults || plan->scenarios[i]->n_proxies;
	if (!is_needed)
		return 0;
	folder = journal_folder();
	if (!folder)
		return error_set(
			err, EXIT_CODE_FAILED,
			"there is no folder for the journal of faults; set HOME to one that "
			"can be written");
	conductor->journal = journal_open(folder, err);
	free(folder);
	return conductor->journal ? 0 : -1;
}

int conductor_acquire(struct conductor *conductor, struct results *results, const struct plan *plan,
		      struct error *err)
{
	const struct conduct_options *options = conductor->options;
	struct probe_options probe_options = options->probe;
	struct keeper_users users;
	int failed;

	if (options->user ? identity_of_user(&conductor->identity, options->user, err)
			  : identity_of_invoker(&conductor->identity, err))
		return -1;
	if (open_signals(conductor, err))
		return -1;
	undo_left_faults(conductor);
	if (users_find(conductor, plan, err))
		return -1;
	users = (struct keeper_users){
		.identity = &conductor->identity,
		.n_others = conductor->n_users,
		.others = conductor->users,
		.n_attached = options->n_pids,
		.attached = options->pids,
	};
	conductor->keeper = keeper_start(&users, err);
	if (!conductor->keeper)
		return -1;
	probe_options.timed = plan_times_children(plan);
	conductor->probe = probe_open(&probe_options, err);
	if (!conductor->probe || acquire_profiler(conductor, err))
		return -1;
	if (results_open(results, options->output, plan->label, &conductor->identity, err))
		return -1;
	if (open_journal(conductor, plan, err))
		return -1;
	failed = identity_become(&conductor->identity);
	if (failed)
		return error_set(err, EXIT_CODE_PRIVILEGE, "cannot become user %s: %s",
				 conductor->identity.name, strerror(-failed));
	if (*probe_sampling_refused(conductor->probe))
		progress_note(&conductor->progress, true, "measuring without stacks: %s",
			      probe_sampling_refused(conductor->probe));
	if (options->probe.stats && !probe_has_stats(conductor->probe))
		progress_note(
			&conductor->progress, true,
			"perfbpf's cost in the kernel is not known: timing its programs needs "
			"CAP_SYS_ADMIN (as with --observer off)");
	return 0;
}

void conductor_release(struct conductor *conductor)
{
	profiler_free(conductor->profiler);
	probe_free(conductor->probe);
	keeper_stop(conductor->keeper);
	journal_close(conductor->journal);
	for (size_t i = 0; i < conductor->n_users; i++)
		identity_clear(&conductor->users[i]);
	free(conductor->users);
	identity_clear(&conductor->identity);
	if (conductor->signal_fd >= 0)
		close(conductor->signal_fd);
}
