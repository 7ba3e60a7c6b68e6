/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/file.h"

#define COMMAND_LINE_MAX (256 * 1024)

/* A file of /proc/PID whole, NUL-terminated; its length, or -errno. */
static ssize_t read_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	n = fread(text, 1, size - 1, file);
	/* A process that went away meanwhile. */
	if (!n && ferror(file)) {
		int failed = errno;

		fclose(file);
		return -failed;
	}
	fclose(file);
	text[n] = '\0';
	return (ssize_t)n;
}

int process_stat_read(pid_t pid, struct process_stat *stat)
{
	unsigned long long user, system, start;
	ssize_t n;
	char text[1024], *after;
	int parent;
	long pages;

	n = read_of(pid, "stat", text, sizeof(text));
	if (n < 0)
		return (int)n;
	/* "PID (NAME) STATE": a name may hold anything, parentheses too. */
	after = strrchr(text, ')');
	if (!after ||
	    sscanf(after + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d "
		   "%llu %*u %ld",
		   &stat->state, &parent, &user, &system, &start, &pages) != 6)
		return -ESRCH;
	stat->parent = parent;
	stat->start_ticks = start;
	stat->cpu_ticks = user + system;
	stat->resident_bytes = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
	return 0;
}

bool process_lives(const struct process *process, struct process_stat *stat)
{
	struct process_stat own;

	if (!stat)
		stat = &own;
	return !process_stat_read(process->pid, stat) &&
	       stat->start_ticks == process->start_ticks && stat->state != 'Z' &&
	       stat->state != 'X';
}

int process_signal(const struct process *process, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, process->pid, 0), failed;

	if (fd < 0)
		return -errno;
	/* What is held by the file now is what it will be. */
	if (!process_lives(process, NULL))
		failed = -ESRCH;
	else
		failed = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) ? -errno : 0;
	close(fd);
	return failed;
}

static bool is_in_mask(const char *status, const char *key, int signal)
{
	const char *line = strstr(status, key);

	return line && (strtoull(line + strlen(key), NULL, 16) >> (signal - 1) & 1);
}

enum signal_fate process_signal_fate(pid_t pid, int signal)
{
	char status[8192];

	if (read_of(pid, "status", status, sizeof(status)) < 0)
		return SIGNAL_TAKEN;
	if (is_in_mask(status, "\nSigIgn:", signal))
		return SIGNAL_IGNORED;
	return is_in_mask(status, "\nShdPnd:", signal) ? SIGNAL_PENDING : SIGNAL_TAKEN;
}

struct all {
	struct entry {
		struct process process;
		pid_t parent;
		bool in;
	} * entries;
	size_t n;
};

static void take_all(struct all *all)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t room = 0;

	while (dir && (entry = readdir(dir))) {
		struct process_stat stat;
		pid_t pid = (pid_t)atol(entry->d_name);

		if (!isdigit((unsigned char)entry->d_name[0]) || process_stat_read(pid, &stat))
			continue;
		if (all->n == room) {
			struct entry *larger;

			room = room ? room * 2 : 256;
			larger = realloc(all->entries, room * sizeof(*larger));
			if (!larger)
				break;
			all->entries = larger;
		}
		all->entries[all->n++] = (struct entry){
			.process = {pid, stat.start_ticks},
			.parent = stat.parent,
		};
	}
	if (dir)
		closedir(dir);
}

static bool is_in(const struct all *all, pid_t pid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->entries[i].in && all->entries[i].process.pid == pid)
			return true;
	return false;
}

size_t process_tree(pid_t pid, struct process *tree, size_t max)
{
	struct all all = {0};
	bool grown = true;
	size_t n = 0;

	take_all(&all);
	for (size_t i = 0; i < all.n; i++)
		all.entries[i].in = all.entries[i].process.pid == pid;
	while (grown) {
		grown = false;
		for (size_t i = 0; i < all.n; i++) {
			if (all.entries[i].in || !is_in(&all, all.entries[i].parent))
				continue;
			all.entries[i].in = grown = true;
		}
	}
	for (size_t i = 0; i < all.n && n < max; i++)
		if (all.entries[i].in)
			tree[n++] = all.entries[i].process;
	free(all.entries);
	return n;
}

bool process_has_command(pid_t pid, char *const *argv)
{
	char path[64], *text;
	size_t size, at = 0;
	bool same = true;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	text = file_read(path, COMMAND_LINE_MAX, &size);
	if (!text)
		return false;
	for (; *argv && same; argv++) {
		size_t length = strlen(*argv) + 1;

		same = length <= size - at && !memcmp(text + at, *argv, length);
		at += length;
	}
	same = same && at == size;
	free(text);
	return same;
}

size_t process_find_command(char *const *argv, struct process *found, size_t max)
{
	struct all all = {0};
	size_t n = 0;

	take_all(&all);
	for (size_t i = 0; i < all.n && n < max; i++)
		if (process_has_command(all.entries[i].process.pid, argv))
			found[n++] = all.entries[i].process;
	free(all.entries);
	return n;
}

uint64_t process_written_bytes(pid_t pid)
{
	unsigned long long bytes = 0;
	char text[1024], *line;

	if (read_of(pid, "io", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nwrite_bytes: ");
	if (!line || sscanf(line, "\nwrite_bytes: %llu", &bytes) != 1)
		return 0;
	return bytes;
}
