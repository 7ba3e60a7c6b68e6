/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Folders and files below the private folder, for the users that a run names. In the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conduct/keeper_process.h"
#include "util/file.h"

/*
 * Opens the folder of @path, which is below the private one, and points @name at its last part.
 * Links are not followed: whoever owns a folder on the way must not lead the keeper elsewhere.
 */
static int open_parent(const struct keeper_setting *setting, const char *path, const char **name)
{
	size_t length = strlen(setting->private_dir);
	const char *at;
	int fd;

	if (strncmp(path, setting->private_dir, length) || path[length] != '/')
		return -EPERM;
	fd = open(setting->private_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (*name = path + length + 1; fd >= 0 && (at = strchr(*name, '/')); *name = at + 1) {
		char part[256];
		int next;

		snprintf(part, sizeof(part), "%.*s", (int)(at - *name), *name);
		next = strcmp(part, "..")
			       ? openat(fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			       : -1;
		close(fd);
		fd = next;
	}
	if (fd < 0)
		return -errno;
	if (**name && strcmp(*name, ".") && strcmp(*name, ".."))
		return fd;
	close(fd);
	return -EPERM;
}

int keeper_folder_make(const struct keeper_setting *setting, struct wire_message *request)
{
	const char *path = wire_get_string(request), *name;
	const struct identity *owner = keeper_user(setting->users, (uid_t)wire_get_i64(request));
	int parent, fd, failed = 0;

	if (request->broken || !path || !owner)
		return EPERM;
	parent = open_parent(setting, path, &name);
	if (parent < 0)
		return -parent;
	if (mkdirat(parent, name, 0700))
		failed = errno;
	fd = failed ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!failed && (fd < 0 || (geteuid() == 0 && fchown(fd, owner->uid, owner->gid))))
		failed = errno;
	if (fd >= 0)
		close(fd);
	close(parent);
	return failed;
}

static _Noreturn void write_as(const struct identity *owner, char *path, const char *text)
{
	char *slash = strrchr(path, '/');
	int fd, failed = -identity_become(owner);

	*slash = '\0';
	if (!failed)
		failed = -dir_make(path, 0700);
	*slash = '/';
	if (failed)
		_exit(failed);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		_exit(errno ? errno : EIO);
	_exit(0);
}

/* By a process with the owner's rights: it can do nothing that the owner could not. */
int keeper_folder_put(const struct keeper_setting *setting, struct wire_message *request)
{
	const char *path = wire_get_string(request), *text = wire_get_string(request);
	const struct identity *owner = keeper_user(setting->users, (uid_t)wire_get_i64(request));
	int status;
	pid_t pid;

	if (request->broken || !path || !text || !owner || *path != '/')
		return EPERM;
	pid = fork();
	if (pid == 0) {
		char *copy = strdup(path);

		if (!copy)
			_exit(ENOMEM);
		write_as(owner, copy, text);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int keeper_folder_remove(const struct keeper_setting *setting, struct wire_message *request)
{
	const char *path = wire_get_string(request), *name;
	int parent, failed;

	if (request->broken || !path)
		return EPROTO;
	parent = open_parent(setting, path, &name);
	if (parent < 0)
		return -parent;
	failed = -dir_remove_at(parent, name);
	close(parent);
	return failed;
}
