/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/keeper.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conduct/keeper_process.h"
#include "conduct/stage.h"
#include "conduct/wire.h"
#include "util/clock.h"
#include "util/file.h"

#define ORPHANS_NS (2 * NSEC_PER_SEC)
/* Room for so many more ends is made at once. */
#define EXITS_STEP 64

struct keeper {
	pid_t pid;
	int socket;
	char private_dir[256];
	/* Ends of processes, until they are forgotten: whoever has started one may ask late. */
	struct keeper_exit {
		pid_t pid;
		int status;
	} * exits;
	size_t n_exits, room;
	bool gone;
};

static int make_private_dir(struct keeper *keeper, const struct keeper_users *users,
			    struct error *err)
{
	const struct identity *identity = users->identity;
	const char *base = getenv("TMPDIR");

	if (!base || !*base || geteuid() == 0)
		base = "/tmp";
	snprintf(keeper->private_dir, sizeof(keeper->private_dir), "%s/perfbpf-XXXXXX", base);
	if (!mkdtemp(keeper->private_dir)) {
		keeper->private_dir[0] = 0;
		return error_set(
			err, EXIT_CODE_FAILED,
			"cannot make a private folder in %s: %s; set TMPDIR to one that can be "
			"written",
			base, strerror(errno));
	}
	if (geteuid() == 0 && chown(keeper->private_dir, identity->uid, identity->gid))
		return error_set(err, EXIT_CODE_FAILED, "cannot give %s to user %s: %s",
				 keeper->private_dir, identity->name, strerror(errno));
	/* Others must come to folders of their own below it; what they are called they must know.
	 */
	if (users->n_others && chmod(keeper->private_dir, 0711))
		return error_set(err, EXIT_CODE_FAILED, "cannot open %s for users: %s",
				 keeper->private_dir, strerror(errno));
	return 0;
}

/*
 * The kernel gave the keeper's children to this process, which is a subreaper too. Those of another
 * user only the keeper could end: they are not waited for.
 */
static void keeper_end_orphans(void)
{
	uint64_t until = clock_now_ns() + ORPHANS_NS;
	struct descendants found;
	size_t left = 1;

	while (left && clock_now_ns() < until && !descendants_find(&found, NULL, 0)) {
		left = found.n;
		for (size_t i = 0; i < found.n; i++)
			if (descendant_signal(found.pids[i], SIGKILL))
				left--;
		descendants_free(&found);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (left)
			usleep(5000);
	}
}

struct keeper *keeper_start(const struct keeper_users *users, struct error *err)
{
	struct keeper_setting setting = {.users = users};
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int sockets[2];

	if (!keeper) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	if (make_private_dir(keeper, users, err))
		goto fail;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		error_set(err, EXIT_CODE_FAILED, "cannot make a socket pair: %s", strerror(errno));
		goto fail;
	}
	keeper->pid = fork();
	if (keeper->pid == 0) {
		close(sockets[0]);
		setting.private_dir = keeper->private_dir;
		keeper_process(sockets[1], &setting);
	}
	close(sockets[1]);
	keeper->socket = sockets[0];
	/* Should the keeper be killed, what it has started comes here. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (keeper->pid > 0)
		return keeper;
	error_set(err, EXIT_CODE_FAILED, "cannot fork: %s", strerror(errno));
	close(keeper->socket);
fail:
	if (keeper->private_dir[0])
		rmdir(keeper->private_dir);
	free(keeper);
	return NULL;
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->socket);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	/* Only where the keeper did not live to do it. */
	if (keeper->gone) {
		keeper_end_orphans();
		dir_remove(keeper->private_dir);
	}
	free(keeper->exits);
	free(keeper);
}

bool keeper_is_gone(struct keeper *keeper)
{
	if (keeper->gone)
		keeper_end_orphans();
	return keeper->gone;
}

const char *keeper_private_dir(const struct keeper *keeper)
{
	return keeper->private_dir;
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->socket;
}

static int keeper_gone(struct keeper *keeper, struct error *err)
{
	keeper->gone = true;
	return error_set(err, EXIT_CODE_FAILED,
			 "perfbpf's keeper process ended unexpectedly (was it killed?)");
}

static void note_exit(struct keeper *keeper, struct wire_message *message)
{
	struct keeper_exit end, *larger;

	end.pid = (pid_t)wire_get_i64(message);
	end.status = (int)wire_get_i64(message);
	if (keeper->n_exits == keeper->room) {
		larger = reallocarray(keeper->exits, keeper->room + EXITS_STEP, sizeof(*larger));
		/* As if the keeper could not be heard any more: a lost end would be waited for. */
		if (!larger) {
			keeper->gone = true;
			return;
		}
		keeper->exits = larger;
		keeper->room += EXITS_STEP;
	}
	keeper->exits[keeper->n_exits++] = end;
}

/* Reads until an answer of @type; ends of processes on the way are kept. */
static int await(struct keeper *keeper, uint32_t type, struct wire_message *answer,
		 struct error *err)
{
	for (;;) {
		if (wire_receive(keeper->socket, answer)) {
			wire_free(answer);
			return keeper_gone(keeper, err);
		}
		if (answer->type == type)
			return 0;
		if (answer->type == KEEPER_EXIT)
			note_exit(keeper, answer);
		wire_free(answer);
	}
}

static int request(struct keeper *keeper, struct wire_message *message, uint32_t type,
		   struct wire_message *answer, struct error *err)
{
	int failed = wire_send(keeper->socket, message);

	wire_free(message);
	if (failed == -E2BIG)
		return error_set(err, EXIT_CODE_USAGE, "the command line is too long");
	if (failed)
		return keeper_gone(keeper, err);
	return await(keeper, type, answer, err);
}

void keeper_forget(struct keeper *keeper, pid_t pid)
{
	for (size_t i = 0; i < keeper->n_exits; i++)
		if (keeper->exits[i].pid == pid)
			keeper->exits[i--] = keeper->exits[--keeper->n_exits];
}

int keeper_spawn(struct keeper *keeper, const struct keeper_spawn *spawn, pid_t *pids,
		 struct error *err)
{
	struct wire_message message, answer;
	int failed;
	int64_t n;

	wire_begin(&message, KEEPER_SPAWN);
	stages_put(&message, spawn);
	if (request(keeper, &message, KEEPER_SPAWNED, &answer, err))
		return -1;
	failed = (int)wire_get_i64(&answer);
	n = wire_get_i64(&answer);
	for (int64_t i = 0; i < n && (size_t)i < spawn->n_stages; i++) {
		pids[i] = (pid_t)wire_get_i64(&answer);
		/* The number may have been used before. */
		keeper_forget(keeper, pids[i]);
	}
	wire_free(&answer);
	if (failed)
		return error_set(err, EXIT_CODE_FAILED, "cannot start '%s': %s",
				 spawn->stages[0].file, strerror(failed));
	return 0;
}

int keeper_release(struct keeper *keeper, size_t *stage, struct error *err)
{
	struct wire_message message, answer;
	int failed;

	wire_begin(&message, KEEPER_RELEASE);
	if (request(keeper, &message, KEEPER_RELEASED, &answer, err))
		return -1;
	failed = (int)wire_get_i64(&answer);
	*stage = (size_t)wire_get_i64(&answer);
	wire_free(&answer);
	if (!failed)
		return 0;
	return error_set(err, EXIT_CODE_USAGE, "it cannot be run: %s%s", strerror(failed),
			 failed == ENOEXEC ? "; a script needs a first line like '#!/bin/sh'"
			 : failed == ENOENT
				 ? "; the interpreter that its first line names is not there"
			 : failed == EACCES ? "; the user that it runs as may not execute it"
					    : "");
}

static void receive_pending(struct keeper *keeper, int timeout_ms)
{
	struct pollfd fd = {.fd = keeper->socket, .events = POLLIN};

	while (!keeper->gone && poll(&fd, 1, timeout_ms) > 0) {
		struct wire_message message;

		if (wire_receive(keeper->socket, &message))
			keeper->gone = true;
		else if (message.type == KEEPER_EXIT)
			note_exit(keeper, &message);
		wire_free(&message);
		timeout_ms = 0;
	}
}

bool keeper_ended(struct keeper *keeper, pid_t pid, int *status)
{
	receive_pending(keeper, 0);
	for (size_t i = keeper->n_exits; i-- > 0;) {
		if (keeper->exits[i].pid == pid) {
			*status = keeper->exits[i].status;
			return true;
		}
	}
	return false;
}

int keeper_check(struct keeper *keeper, struct error *err)
{
	receive_pending(keeper, 0);
	return keeper->gone ? keeper_gone(keeper, err) : 0;
}

bool keeper_wait(struct keeper *keeper, pid_t pid, uint64_t timeout_ns, int *status)
{
	uint64_t until = clock_now_ns() + timeout_ns;

	while (!keeper_ended(keeper, pid, status)) {
		uint64_t now = clock_now_ns();

		if (now >= until || keeper->gone)
			return false;
		receive_pending(keeper, (int)((until - now) / NSEC_PER_MSEC) + 1);
	}
	return true;
}

void keeper_end_helper(struct keeper *keeper, pid_t pid, uint64_t grace_ns)
{
	struct wire_message message, answer;
	struct error ignored;

	wire_begin(&message, KEEPER_END_HELPER);
	wire_put_i64(&message, pid);
	wire_put_i64(&message, (int64_t)grace_ns);
	if (!request(keeper, &message, KEEPER_ENDED, &answer, &ignored))
		wire_free(&answer);
}

int keeper_end(struct keeper *keeper, uint64_t grace_ns, struct error *err)
{
	struct wire_message message, answer;
	int left;

	wire_begin(&message, KEEPER_END);
	wire_put_i64(&message, (int64_t)grace_ns);
	if (request(keeper, &message, KEEPER_ENDED, &answer, err))
		return -1;
	left = (int)wire_get_i64(&answer);
	wire_free(&answer);
	return left;
}

/* Sends @message and takes the answer's errno and number. -1 with @err where the keeper is gone. */
static int ask(struct keeper *keeper, struct wire_message *message, int *number, struct error *err)
{
	struct wire_message answer;
	int failed;

	if (request(keeper, message, KEEPER_DONE, &answer, err))
		return -1;
	failed = (int)wire_get_i64(&answer);
	*number = (int)wire_get_i64(&answer);
	wire_free(&answer);
	return failed;
}

int keeper_group(struct keeper *keeper, const char *name, const struct limits *limits,
		 struct error *err)
{
	struct wire_message message;
	int number = 0, failed;

	wire_begin(&message, KEEPER_GROUP);
	wire_put_string(&message, name);
	wire_put_i64(&message, isnan(limits->cpus) ? -1 : lround(limits->cpus * 1000));
	wire_put_i64(&message, (int64_t)limits->memory_bytes);
	failed = ask(keeper, &message, &number, err);
	if (failed > 0)
		error_set(
			err, EXIT_CODE_PRIVILEGE,
			"cannot limit '%s': no control group could be made: %s; run perfbpf as "
			"root where /sys/fs/cgroup can be written and has the controllers cpu and "
			"memory, or leave its limits out",
			name, strerror(failed));
	return failed ? -1 : number;
}

int keeper_make_dir(struct keeper *keeper, const char *path, const struct identity *identity,
		    struct error *err)
{
	struct wire_message message;
	int number, failed;

	wire_begin(&message, KEEPER_MAKE_DIR);
	wire_put_string(&message, path);
	wire_put_i64(&message, identity->uid);
	failed = ask(keeper, &message, &number, err);
	if (failed > 0)
		error_set(err, EXIT_CODE_FAILED, "cannot make %s for user %s: %s", path,
			  identity->name, strerror(failed));
	return failed ? -1 : 0;
}

int keeper_put_file(struct keeper *keeper, const char *path, const char *text,
		    const struct identity *identity, struct error *err)
{
	struct wire_message message;
	int number, failed;

	wire_begin(&message, KEEPER_PUT_FILE);
	wire_put_string(&message, path);
	wire_put_string(&message, text);
	wire_put_i64(&message, identity->uid);
	failed = ask(keeper, &message, &number, err);
	if (failed > 0)
		error_set(err, EXIT_CODE_FAILED, "cannot write %s as user %s: %s", path,
			  identity->name, strerror(failed));
	return failed ? -1 : 0;
}

int keeper_signal(struct keeper *keeper, const struct process *process, int signal)
{
	struct wire_message message;
	struct error ignored;
	int number, failed;

	wire_begin(&message, KEEPER_SIGNAL);
	wire_put_i64(&message, process->pid);
	wire_put_i64(&message, (int64_t)process->start_ticks);
	wire_put_i64(&message, signal);
	failed = ask(keeper, &message, &number, &ignored);
	return failed < 0 ? -EPIPE : -failed;
}

void keeper_remove_dir(struct keeper *keeper, const char *path)
{
	struct wire_message message;
	struct error ignored;
	int number;

	wire_begin(&message, KEEPER_REMOVE_DIR);
	wire_put_string(&message, path);
	ask(keeper, &message, &number, &ignored);
}

static int open_file(struct keeper *keeper, enum keeper_file kind, const struct mapped_file *file)
{
	struct wire_message message, answer;
	struct error ignored;
	int failed, fd = -1;

	wire_begin(&message, KEEPER_OPEN);
	wire_put_i64(&message, kind);
	wire_put_i64(&message, file->pid);
	wire_put_i64(&message, (int64_t)file->start);
	wire_put_i64(&message, file->by_path);
	wire_put_string(&message, file->path);
	if (request(keeper, &message, KEEPER_OPENED, &answer, &ignored))
		return -EPIPE;
	failed = (int)wire_get_i64(&answer);
	if (answer.n_fds)
		fd = answer.fds[0];
	wire_free(&answer);
	if (fd >= 0)
		return fd;
	/* Where the limit of open files is reached, the kernel leaves the file out. */
	return failed ? -failed : -EMFILE;
}

int keeper_open_mapped(struct keeper *keeper, const struct mapped_file *file)
{
	return open_file(keeper, KEEPER_FILE_MAPPED, file);
}

int keeper_open_perf_map(struct keeper *keeper, int32_t pid)
{
	struct mapped_file of = {.pid = pid, .path = ""};

	return open_file(keeper, KEEPER_FILE_PERF_MAP, &of);
}
