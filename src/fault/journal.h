/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What has to be undone, on disk: each fault is written here, and that is waited for, before it is
 * applied, and is struck out when it has been undone. A perfbpf that was killed leaves its journal
 * behind, and the next start undoes what it says (fault/recover.h).
 *
 * A journal belongs to one run, which holds a lock on it (flock(2)) as long as it lives: nobody
 * undoes the faults of a run that goes on. The file is lines of "CRC JSON": the checksum (CRC-32 of
 * the JSON, eight hexadecimal digits) tells a line that was cut off, whose fault was not yet
 * applied.
 */
#ifndef PERFBPF_FAULT_JOURNAL_H
#define PERFBPF_FAULT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault/process.h"
#include "util/error.h"

#define JOURNAL_PREFIX        "faults-"
#define JOURNAL_SUFFIX        ".journal"
#define JOURNAL_BYTES_MAX     (16 * 1024 * 1024)
#define JOURNAL_PROCESSES_MAX 4096 /* of one entry */
#define JOURNAL_WORDS_MAX     256

enum journal_kind {
	JOURNAL_STOP, /* processes that are stopped: undone by SIGCONT */
	JOURNAL_RUN,  /* a program that is run: undone by its end */
	JOURNAL_NOTE, /* something that leaves nothing to be undone when perfbpf has gone */
};

struct journal_entry {
	uint64_t id;
	enum journal_kind kind;
	char *fault; /* the fault's name */
	size_t n_processes;
	struct process *processes;
	char **argv; /* of a program, NULL-terminated; NULL: none */
};

/*
 * Where journals are: /run/perfbpf for root, since what they tell of does not outlive the machine;
 * else $XDG_STATE_HOME/perfbpf or ~/.local/state/perfbpf. To be freed; NULL where there is no home.
 */
char *journal_folder(void);

struct journal;
/* Makes the folder and a journal in it, locked. NULL with @err. */
struct journal *journal_open(const char *folder, struct error *err);
/* Writes an entry, on disk when it returns. Its id, or 0 with @err: then nothing may be applied. */
uint64_t journal_add(struct journal *journal, const struct journal_entry *entry, struct error *err);
/* More processes of an entry, known only after it has been applied. 0 or -1 with @err. */
int journal_add_processes(struct journal *journal, uint64_t id, const struct process *processes,
			  size_t n, struct error *err);
/* It has been undone. What cannot be written is undone again by the next start, which finds
 * nothing. */
void journal_strike(struct journal *journal, uint64_t id);
/* Entries that are not struck out. */
size_t journal_n_open(const struct journal *journal);
/* Removes the file where all has been undone, otherwise leaves it to the next start. Takes NULL. */
void journal_close(struct journal *journal);

/* A journal as it was read. */
struct journal_content {
	char boot[40];          /* the kernel's boot id */
	uint64_t pid_namespace; /* in which its process ids are valid */
	struct process owner;
	size_t n_entries; /* not struck out, in their order */
	struct journal_entry *entries;
	size_t damaged; /* lines that could not be understood; a last one without an end is none */
};

/* Any bytes as a journal: 0, or -ENOMEM; what has no valid first line has damaged > 0 and no
 * entries. */
int journal_parse(const char *text, size_t size, struct journal_content *content);
void journal_content_clear(struct journal_content *content);
/* Is it of this boot and of this process's namespace of process ids? */
bool journal_is_of_this_boot(const struct journal_content *content);
bool journal_is_of_this_namespace(const struct journal_content *content);

#endif
