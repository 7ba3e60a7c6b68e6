/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which sequence numbers of one pod have been seen, in bounded memory. Pure. */
#ifndef PERFBPF_DRIVE_KUBELOGS_SEEN_H
#define PERFBPF_DRIVE_KUBELOGS_SEEN_H

#include <stdint.h>

/* Numbers that are remembered behind the highest. */
#define SEEN_WINDOW (1ULL << 20)

struct seen {
	uint64_t *bits; /* of number n at n % SEEN_WINDOW; made when first needed */
	uint64_t next;  /* the highest that was seen, and 1 */
};

enum seen_mark {
	SEEN_NEW,
	SEEN_LATE,  /* new, but a higher one came first */
	SEEN_AGAIN, /* or so far behind that nobody knows */
};

enum seen_mark seen_mark(struct seen *seen, uint64_t number);
void seen_free(struct seen *seen);

#endif
