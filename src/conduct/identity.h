/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who the side under test runs as, and giving up what perfbpf no longer needs. */
#ifndef PERFBPF_CONDUCT_IDENTITY_H
#define PERFBPF_CONDUCT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

struct identity {
	uid_t uid;
	gid_t gid;
	size_t n_groups;
	gid_t *groups;
	bool is_other;     /* than who started perfbpf */
	char *name, *home; /* as the user database has them, or the number and "/" */
};

/*
 * The invoking user: under sudo (root with SUDO_UID and SUDO_GID) the one who called
 * it, otherwise who runs perfbpf. -1 with @err for broken SUDO_UID.
 */
int identity_of_invoker(struct identity *identity, struct error *err);
/* @user is a name or a number; EXIT_CODE_USAGE where there is none such, EXIT_CODE_PRIVILEGE
 * where only root could become it. */
int identity_of_user(struct identity *identity, const char *user, struct error *err);
/* The same for a user that a file names; @what says where: "target 'postgres', user". Root only
 * where root itself runs perfbpf, not under sudo: EXIT_CODE_PRIVILEGE. */
int identity_of_named(struct identity *identity, const char *user, const char *what,
		      struct error *err);
void identity_clear(struct identity *identity);

/*
 * Becomes @identity for good, with its groups, and keeps no capability, also none that
 * exec would hand on. 0 or -errno.
 */
int identity_become(const struct identity *identity);

/*
 * The environment for a process of @identity: this one's, with HOME, USER and LOGNAME
 * where the user is another one than perfbpf's own, and @extra ("NAME=value") over it.
 * NULL-terminated; to be freed by strings_free().
 */
char **identity_environment(const struct identity *identity, char *const *extra, size_t n_extra);
void strings_free(char **strings);

#endif
