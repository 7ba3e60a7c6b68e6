/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end rather than to st_size: /proc files and pipes have none. */
static char *read_all(int fd, size_t max, size_t *size)
{
	size_t room = 0, n = 0;
	char *text = NULL;
	ssize_t got;

	do {
		if (room - n < 2) {
			size_t wanted = room ? room * 2 : 4096;
			char *larger = realloc(text, wanted);

			if (!larger)
				goto fail;
			text = larger;
			room = wanted;
		}
		got = read(fd, text + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			goto fail;
		n += (size_t)got;
		if (n > max) {
			errno = EFBIG;
			goto fail;
		}
	} while (got);
	text[n] = '\0';
	if (size)
		*size = n;
	return text;
fail:
	free(text);
	return NULL;
}

char *file_read(const char *path, size_t max, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char *text;

	if (fd < 0)
		return NULL;
	text = read_all(fd, max, size);
	err = errno;
	close(fd);
	errno = err;
	return text;
}

static int make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (!mkdir(path, mode))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int dir_make(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	int err = 0;

	if (!copy)
		return -ENOMEM;
	for (char *slash = copy; *slash && !err; slash++) {
		if (*slash != '/' || slash == copy)
			continue;
		*slash = '\0';
		err = make_one(copy, mode);
		*slash = '/';
	}
	if (!err)
		err = make_one(copy, mode);
	free(copy);
	return err;
}

static void keep_first(int *first, int err)
{
	if (!*first)
		*first = err;
}

static int remove_entries(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int first = 0;

	if (!dir) {
		first = -errno;
		close(fd);
		return first;
	}
	while ((errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			keep_first(&first, dir_remove_at(dirfd(dir), entry->d_name));
	keep_first(&first, -errno);
	closedir(dir);
	return first;
}

/*
 * By descriptors, not by paths: whoever owns a folder below may replace it by a
 * link at any moment, and must not lead a privileged remover elsewhere.
 */
int dir_remove_at(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int first = 0;

	if (fd < 0) {
		if (errno != ENOTDIR && errno != ELOOP)
			return -errno;
		return unlinkat(parent, name, 0) ? -errno : 0;
	}
	first = remove_entries(fd);
	if (unlinkat(parent, name, AT_REMOVEDIR))
		keep_first(&first, -errno);
	return first;
}

int dir_remove(const char *path)
{
	return dir_remove_at(AT_FDCWD, path);
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) &&
	       !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

char *path_find(const char *name)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];

	if (!*name)
		return NULL;
	if (strchr(name, '/'))
		return is_program(name) ? strdup(name) : NULL;
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		size_t length = strcspn(path, ":");
		/* An empty entry is the working folder. */
		int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)length, path,
				 length ? "/" : "./", name);

		if (n > 0 && (size_t)n < sizeof(candidate) && is_program(candidate))
			return strdup(candidate);
		if (!path[length])
			return NULL;
		path += length + 1;
	}
}
