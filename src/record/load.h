/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a load did, as a record holds it: added up, and asked for its shares. */
#ifndef PERFBPF_RECORD_LOAD_H
#define PERFBPF_RECORD_LOAD_H

#include "record/record.h"

/* Sets all to "not known". */
void record_load_init(struct record_load *load);
/* Adds @from to @into, which is empty (record_load_init()) or came from here: counts are summed,
 * distributions added up exactly, the latest is kept, the rate is that of both times together. -1
 * without memory. */
int record_load_merge(struct record_load *into, const struct record_load *from);

/* Adds to a sum, which may not be known yet; what is not known is passed over, and what would
 * overflow stays at the end. */
void record_add_count(int64_t *sum, int64_t value);
/* Is it a round of a driver that asks, rather than of one that counts lines? */
bool record_has_operations(const struct record_round *round);
/* What a rate is of: good answers that came in the window, or all of them where the driver does not
 * tell these apart. RECORD_NONE: not known. */
int64_t record_completed(const struct record_work *work);
/* What was tried: good answers and errors; NAN: not known. What was dropped is not in it. */
double record_tried(int64_t operations, int64_t errors);
/* Share of good answers in [0, 1]; NAN where nothing was tried or it is not known. */
double record_success(int64_t operations, int64_t errors);
/* The phase of that name; NULL where the round has none with a load. */
const struct record_round_phase *record_load_phase(const struct record_round *round,
						   const char *name);

#endif
