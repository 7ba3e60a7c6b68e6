/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel's own default, at which a limit is enforced ten times a second. */
#define PERIOD_US 100000

static int put(const char *folder, const char *file, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int put(const char *folder, const char *file, const char *fmt, ...)
{
	char path[CGROUP_PATH_MAX + 64], text[64];
	va_list args;
	int fd, n, failed = 0;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)n) != n)
		failed = -errno;
	close(fd);
	return failed;
}

/* The number may be somebody else's by now. */
static bool is_keeper(long pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strcmp(name, CGROUP_MAKER "\n");
}

/* Groups of a keeper that was killed: rmdir() takes none that still holds a process. */
static void sweep(const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		long pid;

		if (sscanf(entry->d_name, CGROUP_PREFIX "%ld-", &pid) != 1 || pid <= 0)
			continue;
		if (!is_keeper(pid))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
}

/* A folder of its own; it is remembered, so that it is removed. */
static int make_folder(struct cgroup *group, const char *parent, const char *name)
{
	char *path = group->paths[group->n];

	sweep(parent);
	if (snprintf(path, CGROUP_PATH_MAX, "%s/%s", parent, name) >= CGROUP_PATH_MAX)
		return -ENAMETOOLONG;
	if (mkdir(path, 0755))
		return -errno;
	group->n++;
	return 0;
}

static long quota_us(const struct limits *limits)
{
	long quota = lround(limits->cpus * PERIOD_US);

	return quota < 1000 ? 1000 : quota; /* the kernel takes no less */
}

static int make_version_2(struct cgroup *group, const char *root, const char *name,
			  const struct limits *limits)
{
	const char *folder = group->paths[0];
	int failed;

	/* They are on already where the machine's init made use of them. */
	if (!isnan(limits->cpus))
		put(root, "cgroup.subtree_control", "+cpu");
	if (limits->memory_bytes)
		put(root, "cgroup.subtree_control", "+memory");
	failed = make_folder(group, root, name);
	if (!failed && !isnan(limits->cpus))
		failed = put(folder, "cpu.max", "%ld %d", quota_us(limits), PERIOD_US);
	if (!failed && limits->memory_bytes)
		failed = put(folder, "memory.max", "%" PRIu64, limits->memory_bytes);
	/* Otherwise what is above the limit goes to swap, and is no limit at all. */
	if (!failed && limits->memory_bytes)
		put(folder, "memory.swap.max", "0");
	return failed;
}

/* The hierarchy of a controller of version 1, inside of what this process is itself limited to. */
static void hierarchy_of(char *path, size_t size, const char *root, const char *controller)
{
	char line[CGROUP_PATH_MAX], wanted[32];
	struct stat st;
	FILE *own = fopen("/proc/self/cgroup", "re");

	snprintf(wanted, sizeof(wanted), ":%s:", controller);
	while (own && fgets(line, sizeof(line), own)) {
		const char *at = strstr(line, wanted);

		if (!at)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, size, "%s/%s%s", root, controller, at + strlen(wanted));
		fclose(own);
		if (!stat(path, &st))
			return;
		own = NULL;
	}
	if (own)
		fclose(own);
	snprintf(path, size, "%s/%s", root, controller);
}

static int make_version_1(struct cgroup *group, const char *root, const char *name,
			  const struct limits *limits)
{
	char parent[CGROUP_PATH_MAX + 128];
	int failed = 0;

	if (!isnan(limits->cpus)) {
		hierarchy_of(parent, sizeof(parent), root, "cpu");
		failed = make_folder(group, parent, name);
		if (!failed)
			failed = put(group->paths[group->n - 1], "cpu.cfs_period_us", "%d",
				     PERIOD_US);
		if (!failed)
			failed = put(group->paths[group->n - 1], "cpu.cfs_quota_us", "%ld",
				     quota_us(limits));
	}
	if (!failed && limits->memory_bytes) {
		hierarchy_of(parent, sizeof(parent), root, "memory");
		failed = make_folder(group, parent, name);
		if (!failed)
			failed = put(group->paths[group->n - 1], "memory.limit_in_bytes",
				     "%" PRIu64, limits->memory_bytes);
		if (!failed)
			put(group->paths[group->n - 1], "memory.memsw.limit_in_bytes", "%" PRIu64,
			    limits->memory_bytes);
	}
	return failed;
}

int cgroup_make(struct cgroup *group, const char *root, const char *name,
		const struct limits *limits)
{
	char path[CGROUP_PATH_MAX];
	struct stat st;
	int failed;

	memset(group, 0, sizeof(*group));
	snprintf(path, sizeof(path), "%s/cgroup.controllers", root);
	failed = stat(path, &st) ? make_version_1(group, root, name, limits)
				 : make_version_2(group, root, name, limits);
	if (failed)
		cgroup_remove(group);
	return failed;
}

int cgroup_enter(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++) {
		int failed = put(group->paths[i], "cgroup.procs", "0");

		if (failed)
			return failed;
	}
	return 0;
}

int cgroup_remove(struct cgroup *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->n; i++) {
		if (!rmdir(group->paths[i]) || errno != EBUSY)
			continue;
		if (kept != i)
			memcpy(group->paths[kept], group->paths[i], CGROUP_PATH_MAX);
		kept++;
	}
	group->n = kept;
	return kept ? -EBUSY : 0;
}

void cgroup_sweep(const char *root)
{
	static const char *const controllers[] = {"cpu", "memory"};
	char path[CGROUP_PATH_MAX + 128];

	sweep(root);
	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		hierarchy_of(path, sizeof(path), root, controllers[i]);
		sweep(path);
	}
}
