/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finding and signalling all that descends from the keeper. Runs only outside of windows. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conduct/keeper_process.h"

struct edge {
	pid_t pid, ppid;
	bool reached;
	bool dead;
};

/*
 * The parent, and whether the process has no thread left to signal. One whose first
 * thread has ended looks like a zombie, but its other threads may go on.
 */
static pid_t parent_of(pid_t pid, bool *dead)
{
	char path[64], text[512], *after;
	int fd, ppid, threads;
	char state;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	/* The name between the parentheses may hold anything, parentheses too. */
	after = strrchr(text, ')');
	if (!after ||
	    sscanf(after + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &state,
		   &ppid, &threads) != 3)
		return -1;
	*dead = (state == 'Z' || state == 'X') && threads <= 1;
	return ppid;
}

static struct edge *all_edges(size_t *n)
{
	struct edge *edges = NULL;
	size_t capacity = 0;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	*n = 0;
	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name), ppid;
		bool dead = false;

		if (pid <= 0)
			continue;
		ppid = parent_of(pid, &dead);
		if (ppid <= 0)
			continue;
		if (*n == capacity) {
			struct edge *larger;

			capacity = capacity ? capacity * 2 : 256;
			larger = realloc(edges, capacity * sizeof(*edges));
			if (!larger)
				break;
			edges = larger;
		}
		edges[(*n)++] = (struct edge){.pid = pid, .ppid = ppid, .dead = dead};
	}
	if (proc)
		closedir(proc);
	return edges;
}

static bool is_among(pid_t pid, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static bool is_reached(pid_t pid, const struct edge *edges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (edges[i].pid == pid)
			return edges[i].reached;
	return false;
}

/* Takes up those below @root, or of what is reached already. */
static int collect(struct descendants *found, pid_t root, struct edge *edges, size_t n,
		   const pid_t *except, size_t n_except)
{
	bool more;

	do {
		more = false;
		for (size_t i = 0; found->pids && i < n; i++) {
			if (edges[i].reached || is_among(edges[i].pid, except, n_except))
				continue;
			if (edges[i].ppid != root && !is_reached(edges[i].ppid, edges, n))
				continue;
			edges[i].reached = more = true;
			/* Its children, if it has any, are still looked for. */
			if (!edges[i].dead)
				found->pids[found->n++] = edges[i].pid;
		}
	} while (more);
	free(edges);
	return found->pids ? 0 : -ENOMEM;
}

static struct edge *look(struct descendants *found, size_t *n)
{
	struct edge *edges = all_edges(n);

	memset(found, 0, sizeof(*found));
	if (edges)
		found->pids = calloc(*n + 1, sizeof(pid_t));
	return edges;
}

int descendants_find(struct descendants *found, const pid_t *except, size_t n_except)
{
	size_t n;
	struct edge *edges = look(found, &n);

	return edges ? collect(found, getpid(), edges, n, except, n_except) : -ENOMEM;
}

int descendants_of(struct descendants *found, pid_t root)
{
	size_t n;
	struct edge *edges = look(found, &n);

	if (!edges)
		return -ENOMEM;
	for (size_t i = 0; found->pids && i < n; i++) {
		if (edges[i].pid != root)
			continue;
		edges[i].reached = true;
		if (!edges[i].dead)
			found->pids[found->n++] = root;
	}
	return collect(found, root, edges, n, NULL, 0);
}

void descendants_free(struct descendants *found)
{
	free(found->pids);
	memset(found, 0, sizeof(*found));
}

/* Follows the parents up. */
bool descends_from(pid_t pid, const pid_t *ancestors, size_t n)
{
	pid_t self = getpid();
	bool dead;

	for (int depth = 0; depth < 1000 && pid > 1; depth++) {
		if (is_among(pid, ancestors, n))
			return true;
		pid = parent_of(pid, &dead);
		if (pid == self)
			return true;
	}
	return false;
}

int descendant_signal(pid_t pid, int signal)
{
	/* First hold on to the process, then ask what it is. */
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), failed = 0;

	if (fd < 0)
		return 0;
	if (descends_from(pid, NULL, 0)) {
		if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) && errno == EPERM)
			failed = -EPERM;
		if (signal == SIGTERM)
			syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
	}
	close(fd);
	return failed;
}
