/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What writing and reading of journals share; the rest of perfbpf uses journal.h. */
#ifndef PERFBPF_FAULT_JOURNAL_FORMAT_H
#define PERFBPF_FAULT_JOURNAL_FORMAT_H

#include "fault/journal.h"

#define JOURNAL_VERSION  1
#define JOURNAL_CRC_SIZE 9 /* eight digits and a blank */

const char *journal_kind_name(enum journal_kind kind);
/* The kernel's boot id; empty where it does not tell. */
void journal_boot(char boot[40]);
/* The inode of this process's namespace of process ids; 0 where it cannot be seen. */
uint64_t journal_pid_namespace(void);
/* Bytes that JSON cannot hold as they are become %XX, and back; to be freed. */
char *journal_word_escape(const char *word);
char *journal_word_unescape(const char *word);

#endif
