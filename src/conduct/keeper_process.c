/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/keeper_process.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conduct/cgroup.h"
#include "conduct/keeper.h"
#include "conduct/process_file.h"
#include "conduct/stage.h"
#include "conduct/wire.h"
#include "util/clock.h"
#include "util/file.h"

#define KILL_TIMEOUT_NS (5 * NSEC_PER_SEC)
#define CRASH_GRACE_NS  (500 * NSEC_PER_MSEC)
#define MAX_HELPERS     64
#define MAX_STARTED     256
#define MAX_GROUPS      64
#define CGROUP_ROOT     "/sys/fs/cgroup"

struct keeper_state {
	int socket;
	int signals; /* signalfd: SIGCHLD, and those that ask the keeper to end */
	const struct keeper_setting *setting;
	struct stage_set side;      /* the newest that was started held */
	pid_t started[MAX_STARTED]; /* of sides; the oldest make room */
	size_t n_started;
	pid_t helpers[MAX_HELPERS];
	size_t n_helpers;
	struct cgroup groups[MAX_GROUPS];
	size_t n_groups;
	unsigned int groups_made;
};

const struct identity *keeper_user(const struct keeper_users *users, uid_t uid)
{
	if (users->identity->uid == uid)
		return users->identity;
	for (size_t i = 0; i < users->n_others; i++)
		if (users->others[i].uid == uid)
			return &users->others[i];
	return NULL;
}

static void forget_helper(struct keeper_state *state, pid_t pid)
{
	for (size_t i = 0; i < state->n_helpers; i++)
		if (state->helpers[i] == pid)
			state->helpers[i--] = state->helpers[--state->n_helpers];
}

static bool was_started(const struct keeper_state *state, pid_t pid)
{
	for (size_t i = 0; i < state->n_helpers; i++)
		if (state->helpers[i] == pid)
			return true;
	for (size_t i = 0; i < state->n_started; i++)
		if (state->started[i] == pid)
			return true;
	return false;
}

static void remember(struct keeper_state *state, const struct stage_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (state->n_started == MAX_STARTED)
			memmove(state->started, state->started + 1,
				--state->n_started * sizeof(state->started[0]));
		state->started[state->n_started++] = set->pids[i];
	}
}

/* Reaps everything that has ended, orphans of the side included. */
static void reap(struct keeper_state *state)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct wire_message answer;

		if (!was_started(state, pid))
			continue;
		forget_helper(state, pid);
		wire_begin(&answer, KEEPER_EXIT);
		wire_put_i64(&answer, pid);
		wire_put_i64(&answer, status);
		wire_send(state->socket, &answer);
		wire_free(&answer);
	}
}

static void wait_a_little(struct keeper_state *state)
{
	struct pollfd fd = {.fd = state->signals, .events = POLLIN};
	struct signalfd_siginfo info;

	if (poll(&fd, 1, 5) > 0 && read(state->signals, &info, sizeof(info)) < 0)
		return;
	reap(state);
}

/* Signals every descendant once a call with TERM, or again and again with KILL. */
static size_t signal_tree(struct keeper_state *state, int signal, bool all)
{
	struct descendants found;
	size_t n;

	if (descendants_find(&found, state->helpers, all ? 0 : state->n_helpers))
		return 1;
	n = found.n;
	for (size_t i = 0; i < n; i++)
		descendant_signal(found.pids[i], signal);
	descendants_free(&found);
	return n;
}

/*
 * TERM to all, then KILL to what is left after the grace time. A process that forks
 * while it is being ended is found in the next round; signalling TERM to one again
 * does no harm.
 */
static size_t end_tree(struct keeper_state *state, uint64_t grace_ns, bool all)
{
	uint64_t term_until = clock_now_ns() + grace_ns, kill_until;
	uint64_t next_term = 0;
	size_t left = 1;

	while (left && clock_now_ns() < term_until) {
		/* Looking every few ms finds the end soon; TERM again only now and then. */
		bool again = clock_now_ns() >= next_term;

		left = signal_tree(state, again ? SIGTERM : 0, all);
		if (again)
			next_term = clock_now_ns() + 200 * NSEC_PER_MSEC;
		if (left)
			wait_a_little(state);
	}
	kill_until = clock_now_ns() + KILL_TIMEOUT_NS;
	while ((left = signal_tree(state, SIGKILL, all)) && clock_now_ns() < kill_until)
		wait_a_little(state);
	reap(state);
	return left;
}

static void answer_two(struct keeper_state *state, uint32_t type, int64_t a, int64_t b)
{
	struct wire_message answer;

	wire_begin(&answer, type);
	wire_put_i64(&answer, a);
	wire_put_i64(&answer, b);
	wire_send(state->socket, &answer);
	wire_free(&answer);
}

static void handle_spawn(struct keeper_state *state, struct wire_message *request)
{
	struct stage_set started = {};
	struct wire_message answer;
	bool side;
	int failed;

	failed = stages_start(request, state->setting->users, state->groups, state->n_groups,
			      &started, &side);
	wire_begin(&answer, KEEPER_SPAWNED);
	wire_put_i64(&answer, failed);
	wire_put_i64(&answer, (int64_t)started.n);
	for (size_t i = 0; i < started.n; i++)
		wire_put_i64(&answer, started.pids[i]);
	if (side) {
		stages_close(&state->side);
		state->side = started;
		remember(state, &started);
	} else {
		if (started.n && state->n_helpers < MAX_HELPERS)
			state->helpers[state->n_helpers++] = started.pids[0];
		stages_close(&started);
	}
	wire_send(state->socket, &answer);
	wire_free(&answer);
}

static void signal_helper(pid_t pid, int signal)
{
	struct descendants found;

	if (descendants_of(&found, pid)) {
		descendant_signal(pid, signal);
		return;
	}
	for (size_t i = 0; i < found.n; i++)
		descendant_signal(found.pids[i], signal);
	descendants_free(&found);
}

/* What of it outlives its first process goes with the next KEEPER_END. */
static void handle_end_helper(struct keeper_state *state, pid_t pid, uint64_t grace_ns)
{
	uint64_t until = clock_now_ns() + grace_ns;

	if (grace_ns && was_started(state, pid))
		signal_helper(pid, SIGTERM);
	while (was_started(state, pid) && clock_now_ns() < until)
		wait_a_little(state);
	if (was_started(state, pid))
		signal_helper(pid, SIGKILL);
	while (was_started(state, pid) && clock_now_ns() < until + KILL_TIMEOUT_NS)
		wait_a_little(state);
	answer_two(state, KEEPER_ENDED, 0, 0);
}

/*
 * Whoever asks has given up the rights that the keeper still has, and is to gain none by it that
 * who called perfbpf did not have: files are opened of processes only that perfbpf measures, which
 * are the keeper's descendants, the processes that it was told of before that, and those of them;
 * and only what process_file.h has proven to be a file of mapped code, or a map of the process.
 */
static int open_for(const struct keeper_setting *setting, struct wire_message *request)
{
	enum keeper_file kind = (enum keeper_file)wire_get_i64(request);
	struct mapped_file mapped;

	mapped.pid = (int32_t)wire_get_i64(request);
	mapped.start = (uint64_t)wire_get_i64(request);
	mapped.by_path = wire_get_i64(request) != 0;
	mapped.path = wire_get_string(request);
	if (request->broken || !mapped.path)
		return -EINVAL;
	if (!descends_from(mapped.pid, setting->users->attached, setting->users->n_attached))
		return -EPERM;
	return kind == KEEPER_FILE_PERF_MAP ? process_file_perf_map(mapped.pid)
					    : process_file_mapped(&mapped);
}

static void handle_open(struct keeper_state *state, struct wire_message *request)
{
	int fd = open_for(state->setting, request);
	struct wire_message answer;

	wire_begin(&answer, KEEPER_OPENED);
	wire_put_i64(&answer, fd < 0 ? -fd : 0);
	if (fd >= 0)
		wire_put_fd(&answer, fd);
	wire_send(state->socket, &answer);
	wire_free(&answer);
	if (fd >= 0)
		close(fd);
}

/* What still holds a process is tried again at the next end. */
static void remove_groups(struct keeper_state *state)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->n_groups; i++)
		if (cgroup_remove(&state->groups[i]))
			state->groups[kept++] = state->groups[i];
	state->n_groups = kept;
}

/* The kernel lets go of a group a moment after its last process. */
static void remove_all_groups(struct keeper_state *state)
{
	uint64_t until = clock_now_ns() + CRASH_GRACE_NS;

	remove_groups(state);
	while (state->n_groups && clock_now_ns() < until) {
		wait_a_little(state);
		remove_groups(state);
	}
}

static int make_group(struct keeper_state *state, struct wire_message *request)
{
	const char *name = wire_get_string(request);
	int64_t cpus = wire_get_i64(request);
	struct limits limits = {.cpus = cpus < 0 ? NAN : (double)cpus / 1000};
	char label[160];

	limits.memory_bytes = (uint64_t)wire_get_i64(request);
	if (request->broken || !name || strchr(name, '/'))
		return EPROTO;
	if (state->n_groups == MAX_GROUPS)
		return ENOSPC;
	snprintf(label, sizeof(label), CGROUP_PREFIX "%d-%u-%.100s", getpid(), state->groups_made++,
		 name);
	return -cgroup_make(&state->groups[state->n_groups], CGROUP_ROOT, label, &limits);
}

static void answer_done(struct keeper_state *state, int failed, int64_t number)
{
	answer_two(state, KEEPER_DONE, failed, number);
}

static void handle_group(struct keeper_state *state, struct wire_message *request)
{
	int failed = make_group(state, request);

	if (!failed)
		state->n_groups++;
	answer_done(state, failed, (int64_t)state->n_groups);
}

static int signal_one(const struct keeper_state *state, struct wire_message *request)
{
	struct process process = {.pid = (pid_t)wire_get_i64(request)};
	int number;

	process.start_ticks = (uint64_t)wire_get_i64(request);
	number = (int)wire_get_i64(request);
	if (request->broken)
		return EPROTO;
	if (!descends_from(process.pid, state->setting->users->attached,
			   state->setting->users->n_attached))
		return EPERM;
	return -process_signal(&process, number);
}

static void handle(struct keeper_state *state, struct wire_message *request)
{
	size_t stage = 0;
	int failed;
	pid_t pid;

	switch (request->type) {
	case KEEPER_SPAWN:
		handle_spawn(state, request);
		break;
	case KEEPER_RELEASE:
		failed = stages_release(&state->side, &stage);
		answer_two(state, KEEPER_RELEASED, failed, (int64_t)stage);
		break;
	case KEEPER_END:
		stages_close(&state->side);
		answer_two(state, KEEPER_ENDED,
			   (int64_t)end_tree(state, (uint64_t)wire_get_i64(request), false), 0);
		remove_groups(state);
		break;
	case KEEPER_GROUP:
		handle_group(state, request);
		break;
	case KEEPER_MAKE_DIR:
		answer_done(state, keeper_folder_make(state->setting, request), 0);
		break;
	case KEEPER_PUT_FILE:
		answer_done(state, keeper_folder_put(state->setting, request), 0);
		break;
	case KEEPER_SIGNAL:
		answer_done(state, signal_one(state, request), 0);
		break;
	case KEEPER_REMOVE_DIR:
		answer_done(state, keeper_folder_remove(state->setting, request), 0);
		break;
	case KEEPER_END_HELPER:
		pid = (pid_t)wire_get_i64(request);
		handle_end_helper(state, pid, (uint64_t)wire_get_i64(request));
		break;
	case KEEPER_OPEN:
		handle_open(state, request);
		break;
	default:
		break;
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Terminal signals are perfbpf's to answer; SIGTERM to the keeper itself means the end of all. */
static bool asks_to_end(struct keeper_state *state)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(state->signals, &info, sizeof(info)) == sizeof(info))
		end = end || info.ssi_signo == SIGTERM;
	return end;
}

static void serve(struct keeper_state *state)
{
	struct pollfd fds[2] = {{.fd = state->socket, .events = POLLIN},
				{.fd = state->signals, .events = POLLIN}};

	for (;;) {
		struct wire_message request;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents) {
			if (asks_to_end(state))
				return;
			reap(state);
		}
		if (!fds[0].revents)
			continue;
		if (wire_receive(state->socket, &request)) {
			wire_free(&request);
			return;
		}
		handle(state, &request);
		for (size_t i = 0; i < request.n_fds; i++)
			close(request.fds[i]);
		wire_free(&request);
	}
}

void keeper_process(int socket, const struct keeper_setting *setting)
{
	struct keeper_state state = {.socket = socket, .setting = setting};

	prctl(PR_SET_NAME, CGROUP_MAKER, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	/* Out of the terminal's foreground group, so that Ctrl-C reaches perfbpf alone. */
	setpgid(0, 0);
	signal(SIGPIPE, SIG_IGN);
	state.signals = open_signals();
	cgroup_sweep(CGROUP_ROOT);
	serve(&state);
	stages_close(&state.side);
	end_tree(&state, CRASH_GRACE_NS, true);
	remove_all_groups(&state);
	/* The side could write there: what it cannot remove itself is not removed for it. Others
	 * that scenarios name have folders of their own there. */
	if (setting->private_dir[0] &&
	    (setting->users->n_others || !identity_become(setting->users->identity)))
		dir_remove(setting->private_dir);
	_exit(0);
}
