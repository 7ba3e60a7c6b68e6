/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "conduct/keeper_process.h"

/* Above any number that a process is given, so that putting one in place closes no other. */
#define PARKED_FD 64

/* A stage is looked at so often, for so long at most, until it sleeps. */
#define ASLEEP_STEP_NS 20000L
#define ASLEEP_STEPS   5000

struct plan {
	const struct identity *identity;
	const struct cgroup *group; /* NULL: none */
	const char *directory;      /* NULL: as it is */
	cpu_set_t cpus;
	bool has_cpus;
	bool side;
	size_t n_stages;
	const char *files[KEEPER_MAX_STAGES];
	char **argvs[KEEPER_MAX_STAGES];
	char **environment;
	const int *fds;
	size_t n_fds;
};

void stages_put(struct wire_message *message, const struct keeper_spawn *spawn)
{
	wire_put_i64(message, spawn->identity->uid);
	wire_put_i64(message, spawn->group);
	wire_put_string(message, spawn->directory);
	wire_put_string(message, spawn->cpus);
	wire_put_i64(message, spawn->side);
	wire_put_i64(message, (int64_t)spawn->n_stages);
	for (size_t i = 0; i < spawn->n_stages; i++) {
		wire_put_string(message, spawn->stages[i].file);
		wire_put_strings(message, spawn->stages[i].argv);
	}
	wire_put_strings(message, spawn->environment);
	for (size_t i = 0; i < spawn->n_fds; i++)
		wire_put_fd(message, spawn->fds[i]);
}

/* "0-1,3", which has been checked where it was read. */
static void get_cpus(struct plan *plan, const char *text)
{
	CPU_ZERO(&plan->cpus);
	plan->has_cpus = text && *text;
	while (text && *text) {
		char *end;
		long first = strtol(text, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long cpu = first; cpu >= 0 && cpu <= last && cpu < CPU_SETSIZE; cpu++)
			CPU_SET((size_t)cpu, &plan->cpus);
		if (end == text)
			return;
		text = *end == ',' ? end + 1 : end;
	}
}

static int get_plan(struct wire_message *message, const struct keeper_users *users,
		    const struct cgroup *groups, size_t n_groups, struct plan *plan)
{
	size_t group;

	memset(plan, 0, sizeof(*plan));
	plan->identity = keeper_user(users, (uid_t)wire_get_i64(message));
	group = (size_t)wire_get_i64(message);
	if (!plan->identity)
		return EPERM;
	if (message->broken || group > n_groups)
		return EPROTO;
	plan->group = group ? &groups[group - 1] : NULL;
	plan->directory = wire_get_string(message);
	get_cpus(plan, wire_get_string(message));
	plan->side = wire_get_i64(message);
	plan->n_stages = (size_t)wire_get_i64(message);
	if (message->broken || plan->n_stages == 0 || plan->n_stages > KEEPER_MAX_STAGES)
		return EPROTO;
	for (size_t i = 0; i < plan->n_stages; i++) {
		plan->files[i] = wire_get_string(message);
		plan->argvs[i] = wire_get_strings(message);
	}
	plan->environment = wire_get_strings(message);
	plan->fds = message->fds;
	plan->n_fds = message->n_fds;
	return message->broken || plan->n_fds < 3 ? EPROTO : 0;
}

static void free_plan(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_stages && i < KEEPER_MAX_STAGES; i++)
		free(plan->argvs[i]);
	free(plan->environment);
}

/* Makes @fds the process's 0, 1, 2, …; everything else is close-on-exec already. */
static bool place_fds(const int *fds, size_t n)
{
	int parked[WIRE_MAX_FDS];

	for (size_t i = 0; i < n; i++) {
		parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, PARKED_FD);
		if (parked[i] < 0)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(parked[i], (int)i) < 0)
			return false;
	return true;
}

static void default_signals(void)
{
	sigset_t none;

	for (int i = 1; i < SIGRTMAX; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * All that can be done before the exec is done before the hold, so that what runs in
 * the window before the target's first instruction is one read's return and the exec.
 */
static _Noreturn void run_stage(const struct plan *plan, size_t stage, const int *fds, int hold,
				int status)
{
	int failed;
	char go;

	setsid();
	default_signals();
	hold = fcntl(hold, F_DUPFD_CLOEXEC, PARKED_FD);
	status = fcntl(status, F_DUPFD_CLOEXEC, PARKED_FD);
	failed = plan->group ? -cgroup_enter(plan->group) : 0;
	if (!failed && plan->has_cpus && sched_setaffinity(0, sizeof(plan->cpus), &plan->cpus))
		failed = errno;
	if (!failed)
		failed = -identity_become(plan->identity);
	/* After the change of user, which resets it. An exec that gains rights (root's does) resets
	 * it too; then perfbpf ends the side, should the keeper be killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!failed && plan->directory && chdir(plan->directory))
		failed = errno;
	if (!failed && !place_fds(fds, plan->n_fds))
		failed = errno;
	/* From here on it only waits: what it does before that is never in a window. */
	if (!failed && write(status, &failed, sizeof(failed)) == sizeof(failed)) {
		if (read(hold, &go, 1) != 1)
			_exit(127);
		execve(plan->files[stage], plan->argvs[stage], plan->environment);
		failed = errno;
	}
	if (write(status, &failed, sizeof(failed)) < 0)
		_exit(126);
	_exit(127);
}

static char state_of(pid_t pid)
{
	char path[32], text[512], *end;
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return '?';
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	/* "PID (NAME) STATE": a name may hold anything. */
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : '?';
}

/*
 * Until it sleeps in its read of the hold, lest that is one of the calls that are counted in a
 * window. Where this cannot be seen, as in a container without /proc, it is there soon enough.
 */
static void wait_asleep(pid_t pid)
{
	const struct timespec step = {.tv_nsec = ASLEEP_STEP_NS};

	for (int i = 0; i < ASLEEP_STEPS && state_of(pid) == 'R'; i++)
		nanosleep(&step, NULL);
}

/* Until a stage waits for its exec. 0 or the errno of what kept it from that. */
static int wait_held(pid_t pid, int status)
{
	int failed;
	ssize_t n;

	do
		n = read(status, &failed, sizeof(failed));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(failed))
		return ECHILD;
	if (!failed)
		wait_asleep(pid);
	return failed;
}

static int start_one(const struct plan *plan, size_t stage, const int *fds, int hold,
		     struct stage_set *set)
{
	int status[2];
	pid_t pid;

	if (pipe2(status, O_CLOEXEC))
		return errno;
	pid = fork();
	if (pid == 0)
		run_stage(plan, stage, fds, hold, status[1]);
	close(status[1]);
	if (pid < 0) {
		close(status[0]);
		return errno;
	}
	set->pids[set->n] = pid;
	set->status[set->n] = status[0];
	set->n++;
	return wait_held(pid, status[0]);
}

/* Stages are connected by pipes: the first reads the plan's input, the last writes its output. */
static int start_all(const struct plan *plan, int hold, struct stage_set *set)
{
	int input = plan->fds[0], failed = 0;

	for (size_t i = 0; i < plan->n_stages && !failed; i++) {
		bool last = i + 1 == plan->n_stages;
		int fds[WIRE_MAX_FDS], link[2] = {-1, -1};

		memcpy(fds, plan->fds, plan->n_fds * sizeof(int));
		if (!last && pipe2(link, O_CLOEXEC))
			return errno;
		fds[0] = input;
		if (!last)
			fds[1] = link[1];
		failed = start_one(plan, i, fds, hold, set);
		if (input != plan->fds[0])
			close(input);
		if (!last)
			close(link[1]);
		input = link[0];
	}
	if (failed && input >= 0 && input != plan->fds[0])
		close(input);
	return failed;
}

int stages_start(struct wire_message *message, const struct keeper_users *users,
		 const struct cgroup *groups, size_t n_groups, struct stage_set *set, bool *side)
{
	struct plan plan;
	int hold[2];
	int failed = get_plan(message, users, groups, n_groups, &plan);
	size_t stage;

	*side = plan.side;
	if (failed || pipe2(hold, O_CLOEXEC)) {
		free_plan(&plan);
		return failed ? failed : errno;
	}
	set->hold = hold[1];
	set->open = true;
	failed = start_all(&plan, hold[0], set);
	close(hold[0]);
	free_plan(&plan);
	if (!failed && !*side)
		failed = stages_release(set, &stage);
	if (failed)
		stages_close(set);
	return failed;
}

int stages_release(struct stage_set *set, size_t *failed_stage)
{
	int first = 0;

	if (!set->open || !set->n)
		return ESRCH;
	for (size_t i = 0; i < set->n; i++)
		if (write(set->hold, "g", 1) != 1)
			return errno;
	for (size_t i = 0; i < set->n; i++) {
		int failed;

		/* End of file once the exec has closed the other end. */
		if (read(set->status[i], &failed, sizeof(failed)) == sizeof(failed) && !first) {
			first = failed;
			*failed_stage = i;
		}
	}
	return first;
}

void stages_close(struct stage_set *set)
{
	if (!set->open)
		return;
	close(set->hold);
	for (size_t i = 0; i < set->n; i++)
		close(set->status[i]);
	set->open = false;
}
