/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Goes on with the walk of a stack where the kernel stopped for want of a file's rows. Pure. */
#ifndef PERFBPF_MEASURE_WALK_H
#define PERFBPF_MEASURE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "perfbpf.h"

struct walk_result {
	uint32_t n; /* addresses that were added */
	enum pb_walk end;
	bool by_fp;
};

/*
 * What is known of the code at @pc: its rule and *@by_fp as of tables_rule() (code in no file: by
 * frame pointers, and PB_CFA_NONE; in a file without CFI PB_CFA_FP, since a thread may start
 * there); -1, or PB_WALK_UNMAPPED or PB_WALK_UNLOADED where nothing is.
 */
typedef int walk_rule_fn(void *context, uint64_t pc, uint32_t *rule, bool *by_fp);

/*
 * @event stopped with PB_WALK_UNMAPPED or PB_WALK_UNLOADED, and @copy holds its n_copied bytes of
 * stack. Further addresses go to @addresses, at most @max. The last one of the event is where it
 * begins.
 */
void walk_on(const struct pb_event_stack *event, const void *copy, walk_rule_fn *rule,
	     void *context, uint64_t *addresses, uint32_t max, struct walk_result *result);

#endif
