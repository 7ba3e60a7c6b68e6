/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "fault/journal_format.h"
#include "util/file.h"

#define TRIES 10

struct journal {
	int fd;
	char *path;
	uint64_t last_id;
	size_t n_open;
	uint64_t *open; /* ids */
	bool is_broken; /* a line is there in part: all further ones would be lost behind it */
};

char *journal_folder(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;

	/* Not where the environment says: every start has to find it, however it was called. */
	if (geteuid() == 0)
		return strdup("/run/perfbpf");
	if (state && *state == '/') {
		if (asprintf(&path, "%s/perfbpf", state) < 0)
			return NULL;
	} else if (home && *home == '/') {
		if (asprintf(&path, "%s/.local/state/perfbpf", home) < 0)
			return NULL;
	}
	return path;
}

/* Takes the reference of @line. 0 or -errno. */
static int put_line(struct journal *journal, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL, *whole = NULL;
	int n = -1, failed = 0;
	off_t before;

	json_decref(line);
	if (text)
		n = asprintf(&whole, "%08lx %s\n",
			     crc32(0, (const Bytef *)text, (uInt)strlen(text)), text);
	free(text);
	if (n < 0)
		return -ENOMEM;
	before = lseek(journal->fd, 0, SEEK_END);
	errno = 0;
	if (journal->is_broken)
		failed = -EIO;
	else if (before + n > JOURNAL_BYTES_MAX)
		failed = -EFBIG;
	else if (write(journal->fd, whole, (size_t)n) != n || fsync(journal->fd))
		failed = errno ? -errno : -EIO;
	free(whole);
	if (failed && before >= 0 && ftruncate(journal->fd, before))
		journal->is_broken = true;
	return failed;
}

static int put_header(struct journal *journal)
{
	char boot[sizeof(((struct journal_content *)NULL)->boot)];
	struct process_stat self;
	int failed;

	failed = process_stat_read(getpid(), &self);
	if (failed)
		return failed;
	journal_boot(boot);
	return put_line(journal,
			json_pack("{s:i, s:s, s:I, s:i, s:I}", "journal", JOURNAL_VERSION, "boot",
				  boot, "pid_namespace", (json_int_t)journal_pid_namespace(), "pid",
				  (int)getpid(), "start", (json_int_t)self.start_ticks));
}

/* One that is there and locked. Between its making and its lock, another's start may have taken it
 * for one that was left over. */
static int make_locked(struct journal *journal, const char *folder)
{
	for (int i = 0; i < TRIES; i++) {
		struct stat stat;

		free(journal->path);
		if (asprintf(&journal->path, "%s/" JOURNAL_PREFIX "%d-%d" JOURNAL_SUFFIX, folder,
			     (int)getpid(), i) < 0) {
			journal->path = NULL;
			return -ENOMEM;
		}
		journal->fd =
			open(journal->path,
			     O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (journal->fd < 0 && errno == EEXIST)
			continue;
		if (journal->fd < 0)
			return -errno;
		if (!flock(journal->fd, LOCK_EX | LOCK_NB) && !fstat(journal->fd, &stat) &&
		    stat.st_nlink)
			return 0;
		close(journal->fd);
		journal->fd = -1;
	}
	return -EEXIST;
}

/* The name is to outlive a crash too. */
static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed;

	if (fd < 0)
		return -errno;
	failed = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return failed;
}

struct journal *journal_open(const char *folder, struct error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int failed;

	if (!journal) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	journal->fd = -1;
	failed = dir_make(folder, 0700);
	if (!failed)
		failed = make_locked(journal, folder);
	if (!failed)
		failed = put_header(journal);
	if (!failed)
		failed = sync_folder(folder);
	if (!failed)
		return journal;
	error_set(err, EXIT_CODE_FAILED,
		  "cannot keep a journal of faults in %s: %s; without it they could not be undone "
		  "after a crash",
		  folder, strerror(-failed));
	journal_close(journal);
	return NULL;
}

static json_t *pack_processes(const struct process *processes, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		json_array_append_new(list, json_pack("[i, I]", (int)processes[i].pid,
						      (json_int_t)processes[i].start_ticks));
	return list;
}

static json_t *pack_words(char *const *argv)
{
	json_t *list = json_array();

	for (; list && argv && *argv; argv++) {
		char *word = journal_word_escape(*argv);

		json_array_append_new(list, word ? json_string(word) : NULL);
		free(word);
	}
	return list;
}

static int fail_write(int failed, const char *fault, struct error *err)
{
	return error_set(err, EXIT_CODE_FAILED,
			 "fault '%s' was not applied: the journal of faults cannot be written: %s",
			 fault, strerror(-failed));
}

uint64_t journal_add(struct journal *journal, const struct journal_entry *entry, struct error *err)
{
	uint64_t id = journal->last_id + 1, *open;
	char *name = journal_word_escape(entry->fault);
	int failed = -ENOMEM;

	open = realloc(journal->open, (journal->n_open + 1) * sizeof(*open));
	if (open)
		journal->open = open;
	if (open && name)
		failed = put_line(journal,
				  json_pack("{s:I, s:s, s:s, s:o, s:o}", "add", (json_int_t)id,
					    "kind", journal_kind_name(entry->kind), "fault", name,
					    "processes",
					    pack_processes(entry->processes, entry->n_processes),
					    "argv", pack_words(entry->argv)));
	free(name);
	if (failed) {
		fail_write(failed, entry->fault, err);
		return 0;
	}
	journal->open[journal->n_open++] = id;
	journal->last_id = id;
	return id;
}

int journal_add_processes(struct journal *journal, uint64_t id, const struct process *processes,
			  size_t n, struct error *err)
{
	int failed = put_line(journal, json_pack("{s:I, s:o}", "more", (json_int_t)id, "processes",
						 pack_processes(processes, n)));

	return failed ? error_set(err, EXIT_CODE_FAILED,
				  "the journal of faults cannot be written: %s", strerror(-failed))
		      : 0;
}

void journal_strike(struct journal *journal, uint64_t id)
{
	for (size_t i = 0; i < journal->n_open; i++) {
		if (journal->open[i] != id)
			continue;
		journal->open[i] = journal->open[--journal->n_open];
		(void)put_line(journal, json_pack("{s:I}", "done", (json_int_t)id));
		return;
	}
}

size_t journal_n_open(const struct journal *journal)
{
	return journal->n_open;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	/* Root's folder is closed to who perfbpf has become: then the next start removes it. */
	if (journal->fd >= 0) {
		if (!journal->n_open && unlink(journal->path))
			journal->is_broken = ftruncate(journal->fd, 0) != 0;
		close(journal->fd);
	}
	free(journal->path);
	free(journal->open);
	free(journal);
}
