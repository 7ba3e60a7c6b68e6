/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fault/journal.h"
#include "util/clock.h"
#include "util/file.h"

#define GRACE_NS (2 * NSEC_PER_SEC)
#define STEP_NS  (10 * NSEC_PER_MSEC)
#define TREE_MAX 4096

struct recoverer {
	recover_tell *tell;
	void *context;
	bool only_looks;
	struct recovery *recovery;
	const struct journal_content *content; /* of the journal at hand */
};

static void say(struct recoverer *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct recoverer *r, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r->tell)
		r->tell(r->context, text);
}

static bool is_stopped(const struct process *process)
{
	struct process_stat stat;

	return process_lives(process, &stat) && (stat.state == 'T' || stat.state == 't');
}

static bool lives(const struct process *process)
{
	return process_lives(process, NULL);
}

/* How many of them still are what @is says, once it is none or @timeout_ns is over. */
static size_t await_none(const struct process *processes, size_t n,
			 bool (*is)(const struct process *), uint64_t timeout_ns)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	uint64_t until = clock_now_ns() + timeout_ns;

	for (;;) {
		size_t left = 0;

		for (size_t i = 0; i < n; i++)
			left += is(&processes[i]);
		if (!left || clock_now_ns() >= until)
			return left;
		nanosleep(&step, NULL);
	}
}

/* Each returns how many processes are still as the fault has left them; @found: were. */

static size_t undo_stop(struct recoverer *r, const struct journal_entry *entry, size_t *found)
{
	*found = 0;
	for (size_t i = 0; i < entry->n_processes; i++) {
		if (!is_stopped(&entry->processes[i]))
			continue;
		++*found;
		if (!r->only_looks)
			process_signal(&entry->processes[i], SIGCONT);
	}
	if (r->only_looks)
		return *found;
	return await_none(entry->processes, entry->n_processes, is_stopped, GRACE_NS);
}

/* The processes of the entry that live and all below them; where the crash came before their ids
 * were known, what has its command line. */
static size_t find_program(const struct journal_entry *entry, struct process *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < entry->n_processes && n < TREE_MAX; i++)
		if (lives(&entry->processes[i]))
			n += process_tree(entry->processes[i].pid, tree + n, TREE_MAX - n);
	if (!entry->n_processes && entry->argv)
		n = process_find_command(entry->argv, tree, TREE_MAX);
	return n;
}

static size_t undo_run(struct recoverer *r, const struct journal_entry *entry, size_t *found)
{
	struct process *tree = calloc(TREE_MAX, sizeof(*tree));
	size_t left;

	*found = tree ? find_program(entry, tree) : 0;
	if (r->only_looks || !tree) {
		free(tree);
		return tree ? *found : 1;
	}
	for (size_t i = 0; i < *found; i++)
		process_signal(&tree[i], SIGTERM);
	left = await_none(tree, *found, lives, GRACE_NS);
	for (size_t i = 0; left && i < *found; i++)
		process_signal(&tree[i], SIGKILL);
	if (left)
		left = await_none(tree, *found, lives, GRACE_NS);
	free(tree);
	return left;
}

/* Is it undone (or, looking only, is there nothing to be undone)? */
static bool undo_entry(struct recoverer *r, const struct journal_entry *entry)
{
	int owner = (int)r->content->owner.pid;
	size_t found = 0, left = 0;

	if (entry->kind == JOURNAL_STOP)
		left = undo_stop(r, entry, &found);
	else if (entry->kind == JOURNAL_RUN)
		left = undo_run(r, entry, &found);
	if (left && r->only_looks)
		say(r, "fault '%s' of perfbpf %d, which has ended: %zu of its processes %s",
		    entry->fault, owner, left,
		    entry->kind == JOURNAL_STOP ? "are stopped" : "still run");
	else if (left)
		say(r,
		    "fault '%s' of perfbpf %d, which has ended, cannot be undone: %zu processes "
		    "%s; end them by hand, the first is %d",
		    entry->fault, owner, left,
		    entry->kind == JOURNAL_STOP ? "stay stopped" : "do not end",
		    entry->n_processes ? (int)entry->processes[0].pid : 0);
	else if (found)
		say(r, "fault '%s' of perfbpf %d, which has ended, is undone: %zu processes %s",
		    entry->fault, owner, found,
		    entry->kind == JOURNAL_STOP ? "were stopped and go on" : "have been ended");
	r->recovery->left += left != 0;
	r->recovery->undone += !left && found;
	return !left;
}

/* Can the journal be removed? */
static bool undo_content(struct recoverer *r, const char *name)
{
	bool all = true;

	r->recovery->damaged += r->content->damaged;
	if (r->content->damaged)
		say(r, "%s: %zu lines of this journal of faults cannot be read", name,
		    r->content->damaged);
	/* No process outlives the machine. */
	if (!r->content->n_entries || !journal_is_of_this_boot(r->content))
		return true;
	if (!journal_is_of_this_namespace(r->content)) {
		r->recovery->foreign++;
		say(r, "%s: this journal of faults is of another container; start perfbpf there",
		    name);
		return false;
	}
	for (size_t i = 0; i < r->content->n_entries; i++)
		all = undo_entry(r, &r->content->entries[i]) && all;
	return all;
}

static char *read_fd(int fd, size_t *size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return file_read(path, JOURNAL_BYTES_MAX, size);
}

/* 0 or -errno. */
static int recover_one(struct recoverer *r, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), failed = 0;
	struct journal_content content = {0};
	bool is_live, is_done = false;
	struct stat st;
	size_t size;
	char *text;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* Of another user it is none of ours. Without a name another start has dealt with it. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || !st.st_nlink) {
		close(fd);
		return 0;
	}
	is_live = flock(fd, LOCK_EX | LOCK_NB) != 0;
	text = read_fd(fd, &size);
	failed = text ? journal_parse(text, size, &content) : -errno;
	free(text);
	r->content = &content;
	if (is_live)
		r->recovery->live += content.n_entries;
	else if (!failed)
		is_done = undo_content(r, name);
	if (is_done && !r->only_looks && unlinkat(folder, name, 0) && errno != ENOENT)
		failed = -errno;
	journal_content_clear(&content);
	close(fd);
	return failed;
}

static bool is_journal(const char *name)
{
	size_t length = strlen(name), suffix = strlen(JOURNAL_SUFFIX);

	return !strncmp(name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) && length > suffix &&
	       !strcmp(name + length - suffix, JOURNAL_SUFFIX);
}

static int walk(struct recoverer *r, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int failed = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		int one = is_journal(entry->d_name) ? recover_one(r, dirfd(dir), entry->d_name) : 0;

		if (one && !failed)
			failed = one;
	}
	closedir(dir);
	return failed;
}

static int walk_folder(struct recoverer *r, const char *folder)
{
	char *own = folder ? NULL : journal_folder();
	int failed = 0;

	memset(r->recovery, 0, sizeof(*r->recovery));
	if (folder || own)
		failed = walk(r, folder ? folder : own);
	free(own);
	return failed;
}

int faults_recover(const char *folder, recover_tell *tell, void *context, struct recovery *recovery)
{
	struct recoverer r = {.tell = tell, .context = context, .recovery = recovery};

	return walk_folder(&r, folder);
}

int faults_look(const char *folder, recover_tell *tell, void *context, struct recovery *recovery)
{
	struct recoverer r = {
		.tell = tell, .context = context, .recovery = recovery, .only_looks = true};

	return walk_folder(&r, folder);
}
