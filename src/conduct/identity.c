/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

#define MAX_GROUPS 256

static int number(const char *text, unsigned int *value)
{
	char *end;
	unsigned long n;

	if (!text || !*text || strspn(text, "0123456789") != strlen(text))
		return -1;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || n > 0xfffffffeUL)
		return -1;
	*value = (unsigned int)n;
	return 0;
}

static int load_groups(struct identity *identity, struct error *err)
{
	int n = MAX_GROUPS;

	identity->groups = calloc(MAX_GROUPS, sizeof(gid_t));
	if (!identity->groups)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (getgrouplist(identity->name, identity->gid, identity->groups, &n) < 0)
		return error_set(err, EXIT_CODE_FAILED, "user '%s' is in more than %d groups",
				 identity->name, MAX_GROUPS);
	identity->n_groups = (size_t)n;
	return 0;
}

static int fill(struct identity *identity, uid_t uid, gid_t gid, struct error *err)
{
	struct passwd *entry = getpwuid(uid);
	char text[32];

	memset(identity, 0, sizeof(*identity));
	identity->uid = uid;
	identity->gid = gid;
	identity->is_other = uid != geteuid();
	snprintf(text, sizeof(text), "%u", uid);
	identity->name = strdup(entry ? entry->pw_name : text);
	identity->home = strdup(entry ? entry->pw_dir : "/");
	if (!identity->name || !identity->home)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	return load_groups(identity, err);
}

int identity_of_invoker(struct identity *identity, struct error *err)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	unsigned int uid, gid;

	if (geteuid() != 0 || !uid_text)
		return fill(identity, geteuid(), getegid(), err);
	if (number(uid_text, &uid) || number(gid_text, &gid)) {
		memset(identity, 0, sizeof(*identity));
		return error_set(err, EXIT_CODE_USAGE,
				 "SUDO_UID='%s' and SUDO_GID='%s' name no user; unset both, or say "
				 "--user NAME",
				 uid_text, gid_text ? gid_text : "");
	}
	return fill(identity, uid, gid, err);
}

/* NULL: there is none. */
static struct passwd *look_up(const char *user)
{
	struct passwd *entry = getpwnam(user);
	unsigned int uid = 0;

	return entry || number(user, &uid) ? entry : getpwuid(uid);
}

/* Has somebody who is not root been made root for perfbpf alone? */
static bool is_lent_root(void)
{
	const char *text = getenv("SUDO_UID");
	unsigned int uid;

	return geteuid() == 0 && text && (number(text, &uid) || uid != 0);
}

static int fill_known(struct identity *identity, const char *user, const char *what,
		      struct error *err)
{
	const struct passwd *entry = look_up(user);

	memset(identity, 0, sizeof(*identity));
	if (!entry)
		return error_set(err, EXIT_CODE_USAGE, "%s: there is no user '%s' here", what,
				 user);
	if (geteuid() != 0 && entry->pw_uid != geteuid())
		return error_set(err, EXIT_CODE_PRIVILEGE,
				 "%s %s: only root can run the side as another user (CAP_SETUID, "
				 "CAP_SETGID); run perfbpf with sudo",
				 what, user);
	return fill(identity, entry->pw_uid, entry->pw_gid, err);
}

int identity_of_named(struct identity *identity, const char *user, const char *what,
		      struct error *err)
{
	const struct passwd *entry = look_up(user);

	memset(identity, 0, sizeof(*identity));
	/* Who may run perfbpf with sudo, and nothing else, gets no shell of root's by a file. */
	if (entry && entry->pw_uid == 0 && is_lent_root())
		return error_set(err, EXIT_CODE_PRIVILEGE,
				 "%s %s: a file runs nothing as root for who called perfbpf with "
				 "sudo; become root first (sudo -i), or name another user",
				 what, user);
	return fill_known(identity, user, what, err);
}

int identity_of_user(struct identity *identity, const char *user, struct error *err)
{
	return fill_known(identity, user, "--user", err);
}

void identity_clear(struct identity *identity)
{
	free(identity->groups);
	free(identity->name);
	free(identity->home);
	memset(identity, 0, sizeof(*identity));
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int failed;

	if (!none)
		return -ENOMEM;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	failed = cap_set_proc(none) ? -errno : 0;
	cap_free(none);
	return failed;
}

int identity_become(const struct identity *identity)
{
	if (geteuid() == 0 && (setgroups(identity->n_groups, identity->groups) ||
			       setresgid(identity->gid, identity->gid, identity->gid) ||
			       setresuid(identity->uid, identity->uid, identity->uid)))
		return -errno;
	return drop_capabilities();
}

void strings_free(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static bool same_name(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");

	return length == strcspn(b, "=") && !strncmp(a, b, length);
}

/* Sets "NAME=value" in @list of at most *n entries with room for one more. */
static bool set(char **list, size_t *n, const char *variable)
{
	char *copy = strdup(variable);

	if (!copy)
		return false;
	for (size_t i = 0; i < *n; i++) {
		if (same_name(list[i], variable)) {
			free(list[i]);
			list[i] = copy;
			return true;
		}
	}
	list[(*n)++] = copy;
	return true;
}

char **identity_environment(const struct identity *identity, char *const *extra, size_t n_extra)
{
	char home[512], user[128], logname[128], **list;
	size_t n = 0, count = 0;
	bool ok = true;

	while (environ[count])
		count++;
	list = calloc(count + n_extra + 4, sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++)
		ok = ok && set(list, &n, environ[i]);
	snprintf(home, sizeof(home), "HOME=%s", identity->home);
	snprintf(user, sizeof(user), "USER=%s", identity->name);
	snprintf(logname, sizeof(logname), "LOGNAME=%s", identity->name);
	if (identity->is_other)
		ok = ok && set(list, &n, home) && set(list, &n, user) && set(list, &n, logname);
	for (size_t i = 0; i < n_extra; i++)
		ok = ok && set(list, &n, extra[i]);
	if (ok)
		return list;
	strings_free(list);
	return NULL;
}
