/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Undoing what a perfbpf that was killed has left behind. */
#ifndef PERFBPF_FAULT_RECOVER_H
#define PERFBPF_FAULT_RECOVER_H

#include <stdbool.h>
#include <stddef.h>

struct recovery {
	size_t live;    /* faults of runs that go on: they are theirs */
	size_t undone;  /* faults that were left, and are gone now */
	size_t left;    /* those that could not be undone, or (looking only) are to be undone */
	size_t foreign; /* journals of another namespace of process ids (a container) */
	size_t damaged; /* lines of journals that could not be read */
};

/* Told of each, one line without newline: "fault 'freeze' of perfbpf 1234: …". */
typedef void recover_tell(void *context, const char *text);

/*
 * Undoes what the journals in @folder (NULL: journal_folder()) say that has no living owner:
 * continues processes that were stopped, ends programs that were started. Never touches a process
 * that is not the very one. Takes up to some seconds where a program does not end at once.
 * 0, or -errno where the folder cannot be read; that there is none is 0.
 */
int faults_recover(const char *folder, recover_tell *tell, void *context,
		   struct recovery *recovery);
/* The same without touching anything. */
int faults_look(const char *folder, recover_tell *tell, void *context, struct recovery *recovery);

#endif
