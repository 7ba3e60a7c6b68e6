/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the formats of stacks share: from the options of a report to a tree, and the way through it.
 */
#ifndef PERFBPF_REPORT_FLAME_VIEW_H
#define PERFBPF_REPORT_FLAME_VIEW_H

#include "report/flame.h"
#include "report/report.h"

struct flame_view {
	struct flame_names *names;
	struct flame *flame;
};

/* One side is A where none is said, the kind on-CPU. 0, or -1 with @err; to be closed in any case.
 */
int flame_view_open(struct flame_view *view, const struct record *rec,
		    const struct report_options *options, struct error *err);
void flame_view_close(struct flame_view *view);

/* Root, process, mark, frames, reason. */
#define FLAME_MAX_LEVELS (PROFILE_MAX_DEPTH + 4)

enum flame_step {
	FLAME_GO_ON,
	FLAME_PASS_OVER, /* what is below the node */
};
/* @path: from the root to a node, @n nodes. */
typedef enum flame_step flame_visit(void *state, const struct flame *flame, const uint32_t *path,
				    size_t n);
/* Visits all nodes, parents before their children, those in their order. */
void flame_walk(const struct flame *flame, flame_visit *visit, void *state);

#endif
