/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Control groups that hold what a scenario limits: of version 2, or of version 1's cpu and memory
 * hierarchies, whichever the machine has. Runs in the keeper, which has the rights for it.
 */
#ifndef PERFBPF_CONDUCT_CGROUP_H
#define PERFBPF_CONDUCT_CGROUP_H

#include <stddef.h>

#include "scenario/scenario.h"

#define CGROUP_PATH_MAX 512
/* Of names, which go on with the maker's pid and a '-': what a killed maker left is found by it. */
#define CGROUP_PREFIX "perfbpf-"
#define CGROUP_MAKER  "perfbpf-keeper" /* what its process is called */

struct cgroup {
	size_t n;
	char paths[2][CGROUP_PATH_MAX]; /* folders: one of version 2, up to two of version 1 */
};

/*
 * Makes a group @name with @limits below @root (normally /sys/fs/cgroup). 0 or -errno: -ENOENT
 * where the machine has no controller for a limit, -EACCES or -EPERM without the rights. What was
 * made until a failure is removed.
 */
int cgroup_make(struct cgroup *group, const char *root, const char *name,
		const struct limits *limits);
/* Moves the calling process into it. 0 or -errno. */
int cgroup_enter(const struct cgroup *group);
/* After all its processes have ended. -EBUSY, and it stays known, while one still lives. */
int cgroup_remove(struct cgroup *group);
/* Removes what makers that are gone have left below @root. */
void cgroup_sweep(const char *root);

#endif
