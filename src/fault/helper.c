/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fault/internal.h"
#include "util/clock.h"

#define GRACE_NS (2 * NSEC_PER_SEC)
#define STEP_NS  (5 * NSEC_PER_MSEC)

void helper_init(struct helper *helper, const struct faults *set)
{
	memset(helper, 0, sizeof(*helper));
	helper->set = set;
	helper->output_fd = helper->control.fd = -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What it says is heard by faults_step(). */
static void watch(const struct helper *helper, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (fd >= 0)
		(void)epoll_ctl(helper->set->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* @theirs: the ends that the program gets, -1: none. */
static int open_pipes(struct helper *helper, enum helper_pipes pipes, int theirs[2],
		      struct error *err)
{
	int fds[2];

	theirs[0] = theirs[1] = -1;
	if (pipes & HELPER_OUTPUT) {
		if (pipe2(fds, O_CLOEXEC))
			return error_set(err, EXIT_CODE_FAILED, "cannot make a pipe: %s",
					 strerror(errno));
		helper->output_fd = fds[0];
		theirs[0] = fds[1];
		/* It is read whenever something else is done, too. */
		(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	}
	if (pipes & HELPER_CONTROL) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
			return error_set(err, EXIT_CODE_FAILED, "cannot make a socket pair: %s",
					 strerror(errno));
		lines_init(&helper->control, fds[0]);
		theirs[1] = fds[1];
	}
	return 0;
}

static int spawn(struct helper *helper, char *const *argv, const int theirs[2], struct error *err)
{
	const struct fault_host *host = helper->set->options.host;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), failed;
	int log = helper->set->options.log_fd >= 0 ? helper->set->options.log_fd : null;
	const int fds[] = {null, theirs[0] >= 0 ? theirs[0] : log, log, theirs[1]};
	struct process_stat stat;
	pid_t pid = 0;

	if (null < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot open /dev/null: %s",
				 strerror(errno));
	failed = host->spawn(host->context, argv, fds, theirs[1] >= 0 ? 4 : 3, &pid, err);
	close(null);
	if (failed)
		return -1;
	helper->process.pid = pid;
	/* One that has already ended is found to have. */
	if (!process_stat_read(pid, &stat))
		helper->process.start_ticks = stat.start_ticks;
	return journal_add_processes(helper->set->options.journal, helper->journal_id,
				     &helper->process, 1, err);
}

int helper_start(struct helper *helper, const char *fault, char *const *argv,
		 enum helper_pipes pipes, struct error *err)
{
	const struct journal_entry entry = {
		.kind = JOURNAL_RUN, .fault = (char *)fault, .argv = (char **)argv};
	int theirs[2], failed;

	helper->journal_id = journal_add(helper->set->options.journal, &entry, err);
	if (!helper->journal_id)
		return -1;
	failed = open_pipes(helper, pipes, theirs, err) || spawn(helper, argv, theirs, err);
	close_fd(&theirs[0]);
	close_fd(&theirs[1]);
	if (failed) {
		helper_close(helper);
		return -1;
	}
	watch(helper, helper->output_fd);
	watch(helper, helper->control.fd);
	return 0;
}

bool helper_is_running(const struct helper *helper)
{
	return helper->process.pid && !helper->has_ended;
}

bool helper_has_ended(struct helper *helper)
{
	const struct fault_host *host = helper->set->options.host;

	if (helper_is_running(helper))
		helper->has_ended =
			host->ended(host->context, helper->process.pid, &helper->status);
	return helper->has_ended;
}

void helper_end(struct helper *helper)
{
	if (!helper->set || helper->is_ending)
		return;
	helper->is_ending = true;
	helper->kill_ns = clock_now_ns() + GRACE_NS;
	if (helper->control.fd < 0 && helper_is_running(helper))
		process_signal(&helper->process, SIGTERM);
	close_fd(&helper->control.fd);
	close_fd(&helper->output_fd);
}

bool helper_is_gone(struct helper *helper)
{
	if (!helper->set)
		return true;
	if (helper_is_running(helper) && !helper_has_ended(helper)) {
		const struct fault_host *host = helper->set->options.host;

		if (!helper->is_ending || clock_now_ns() < helper->kill_ns)
			return false;
		host->end(host->context, helper->process.pid);
		helper->has_ended = true;
	}
	helper_end(helper);
	if (helper->journal_id)
		journal_strike(helper->set->options.journal, helper->journal_id);
	helper->journal_id = 0;
	helper->process.pid = 0;
	return true;
}

void helper_close(struct helper *helper)
{
	const struct timespec step = {.tv_nsec = STEP_NS};

	helper_end(helper);
	while (!helper_is_gone(helper))
		nanosleep(&step, NULL);
}
