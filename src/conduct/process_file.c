/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/process_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/clock.h"

#define DELETED " (deleted)"

/* What @path_fd, which is O_PATH, leads to, opened only once it is known to be a regular file.
 * Takes it over. */
static int open_regular(int path_fd)
{
	struct stat st;
	char path[64];
	int fd;

	if (path_fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	if (fstat(path_fd, &st)) {
		fd = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		fd = -EINVAL;
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(path_fd);
	return fd;
}

int process_file_regular(const char *path)
{
	return open_regular(open(path, O_PATH | O_CLOEXEC));
}

int process_file_own(const char *path)
{
	return open_regular(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

/* @path below the process's root, which it does not leave; O_PATH. -1 with errno. */
static int open_below_root(int32_t pid, const char *path, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	char root[64];
	int root_fd, fd, failed;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	failed = errno;
	close(root_fd);
	errno = failed;
	return fd;
}

/* --- mapped files --------------------------------------------------------------------------- */

/* A line of /proc/PID/maps. */
struct maps_line {
	uint64_t start, end, inode;
	unsigned int major, minor;
};

static size_t length_alive(const char *path)
{
	size_t n = strlen(path), tail = sizeof(DELETED) - 1;

	return n > tail && !strcmp(path + n - tail, DELETED) ? n - tail : n;
}

/* @escaped: as the kernel writes it, with newlines as \012. */
static bool same_path(char *escaped, const char *path)
{
	char *to = escaped;

	for (const char *from = escaped; *from; to++) {
		bool is_newline = !strncmp(from, "\\012", 4);

		*to = is_newline ? '\n' : *from;
		from += is_newline ? 4 : 1;
	}
	*to = '\0';
	return length_alive(escaped) == length_alive(path) &&
	       !strncmp(escaped, path, length_alive(path));
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = length_alive(text), tail = length_alive(end);

	return n >= tail && !strncmp(text + n - tail, end, tail);
}

/* How well the line is what is looked for: 0, not at all. */
static int match(char *text, const struct mapped_file *file, struct maps_line *line)
{
	bool is_there, is_same;
	int path_at = 0;
	char executable;

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %*c%*c%c%*c %*x %x:%x %" SCNu64 " %n",
		   &line->start, &line->end, &executable, &line->major, &line->minor, &line->inode,
		   &path_at) < 6 ||
	    executable != 'x' || !line->inode || !path_at)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	is_there = line->start <= file->start && file->start < line->end;
	is_same = same_path(text + path_at, file->path);
	if (is_same)
		return is_there ? 3 : 2;
	/* Of a process in a chroot, paths that it was told by are not those that are seen here. Of
	 * overlayfs, they may be told as they are below the layer's folder. */
	return is_there && (!file->by_path || ends_with(text + path_at, file->path));
}

/* The mapping of code that is most like it. 0 or -errno. */
static int find_line(const struct mapped_file *file, struct maps_line *found)
{
	struct maps_line line;
	char path[64], *text = NULL;
	size_t room = 0;
	int best = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", file->pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (best < 3 && getline(&text, &room, maps) > 0) {
		int good = match(text, file, &line);

		if (good <= best)
			continue;
		best = good;
		*found = line;
	}
	free(text);
	fclose(maps);
	return best ? 0 : -ENOENT;
}

/* These number their files' devices otherwise than the kernel's account of mappings does. */
static bool has_own_devices(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (fs.f_type == (typeof(fs.f_type))BTRFS_SUPER_MAGIC ||
				     fs.f_type == (typeof(fs.f_type))OVERLAYFS_SUPER_MAGIC);
}

static bool is_of_line(int fd, const struct maps_line *line)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == line->inode &&
	       (st.st_dev == makedev(line->major, line->minor) || has_own_devices(fd));
}

int process_file_mapped(const struct mapped_file *file)
{
	struct maps_line line = {0};
	char path[96], *alive;
	int fd = find_line(file, &line);

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, file->pid,
		 line.start, line.end);
	fd = open_regular(open(path, O_PATH | O_CLOEXEC));
	/* That takes CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; what has not been deleted has a path.
	 */
	if (fd >= 0 || fd == -EINVAL)
		return fd;
	alive = strndup(file->path, length_alive(file->path));
	if (!alive)
		return -ENOMEM;
	fd = open_regular(open_below_root(file->pid, alive, RESOLVE_NO_SYMLINKS));
	free(alive);
	if (fd < 0 || is_of_line(fd, &line))
		return fd;
	close(fd);
	return -ESTALE;
}

/* --- perf maps ------------------------------------------------------------------------------ */

/* What /proc/PID/status has of it. */
struct owner {
	uid_t uid;
	int innermost_pid; /* its number in its own pid namespace, which it names its map by */
};

static int read_owner(int32_t pid, struct owner *owner)
{
	char path[64], line[512];
	bool has_uid = false;
	FILE *status;

	owner->innermost_pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return -errno;
	while (fgets(line, sizeof(line), status)) {
		const char *last = strrchr(line, '\t');

		if (sscanf(line, "Uid: %*u %u", &owner->uid) == 1)
			has_uid = true;
		if (!strncmp(line, "NSpid:", 6) && last)
			owner->innermost_pid = atoi(last + 1);
	}
	fclose(status);
	return has_uid ? 0 : -ESRCH;
}

/* Anybody can write to /tmp. Takes @path_fd over. */
static int open_owned(int path_fd, uid_t uid)
{
	int fd = open_regular(path_fd);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && (!st.st_uid || st.st_uid == uid)))
		return fd;
	close(fd);
	return -EACCES;
}

int process_file_perf_map(int32_t pid)
{
	struct owner owner;
	char path[64];
	int fd = read_owner(pid, &owner);

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "tmp/perf-%d.map", owner.innermost_pid);
	fd = open_owned(open_below_root(pid, path, 0), owner.uid);
	if (fd >= 0)
		return fd;
	/* What an agent outside of its container has written of it */
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", pid);
	return open_owned(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), owner.uid);
}

uint64_t process_file_started_ns(int32_t pid)
{
	unsigned long long ticks = 0;
	char path[64], text[1024];
	const char *after;
	FILE *stat;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "re");
	if (!stat)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, stat);
	fclose(stat);
	text[n] = '\0';
	/* The name between the parentheses may hold anything, parentheses too. */
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			     "%*d %*d %llu",
			     &ticks) != 1)
		return 0;
	return ticks * (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}
