/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/report.h"
#include "util/clock.h"
#include "util/file.h"

#define RESULTS_ROOT "perfbpf-results"
#define MAX_ATTEMPTS 100
/* Between two times that a record is saved, how many times as long as that takes. */
#define SAVE_COST_MAX 10

/* @attempt: two runs can begin in the same second. */
static char *default_path(const char *label, int attempt)
{
	char stamp[32], suffix[16] = "", *path, *slash;
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	if (attempt)
		snprintf(suffix, sizeof(suffix), "-%d", attempt + 1);
	if (asprintf(&path, RESULTS_ROOT "/%s-%s%s", stamp, label, suffix) < 0)
		return NULL;
	/* The label is one name: "kubelogs/basic" is no folder in a folder here. */
	for (slash = path + strlen(RESULTS_ROOT) + 1; *slash; slash++)
		if (*slash == '/' || *slash == ' ')
			*slash = '-';
	return path;
}

static bool is_empty(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool empty = true;

	if (!dir)
		return true;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = false;
	closedir(dir);
	return empty;
}

static int cannot(const char *path, int error, struct error *err)
{
	return error_set(err,
			 error == EEXIST || error == ENOTDIR || error == EACCES || error == EROFS ||
					 error == EPERM
				 ? EXIT_CODE_USAGE
				 : EXIT_CODE_FAILED,
			 "cannot make the results folder %s: %s; say another with -o DIR", path,
			 strerror(error));
}

/* Only what perfbpf made as root itself is given away: never a folder that was there. */
static void give(const char *path, const struct identity *owner)
{
	if (geteuid() == 0 && owner->uid != 0 && lchown(path, owner->uid, owner->gid))
		return; /* seen at once by the write that fails */
}

/* Makes @path with its parents. *@made: the last of them was not there before. */
static int make(const char *path, const struct identity *owner, bool *made, struct error *err)
{
	char *copy = strdup(path), *slash;
	int failed = 0;

	if (!copy)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (slash = copy + 1; !failed; slash++) {
		char end = *slash;

		if (end && end != '/')
			continue;
		*slash = 0;
		*made = !mkdir(copy, 0755);
		if (*made)
			give(copy, owner);
		else if (errno != EEXIST)
			failed = errno;
		*slash = end;
		if (!end)
			break;
	}
	free(copy);
	return failed ? cannot(path, failed, err) : 0;
}

static int make_default(struct results *results, const char *label, const struct identity *owner,
			struct error *err)
{
	bool made = false;

	for (int attempt = 0; !made && attempt < MAX_ATTEMPTS; attempt++) {
		free(results->path);
		results->path = default_path(label, attempt);
		if (!results->path)
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
		if (make(results->path, owner, &made, err))
			return -1;
	}
	return 0;
}

int results_open(struct results *results, const char *path, const char *label,
		 const struct identity *owner, struct error *err)
{
	bool made;

	*results = (struct results){.dirfd = -1};
	if (path && !*path)
		return error_set(err, EXIT_CODE_USAGE, "-o needs the name of a folder");
	if (path) {
		results->path = strdup(path);
		if (!results->path)
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	if (path ? make(path, owner, &made, err) : make_default(results, label, owner, err))
		return -1;
	results->dirfd = open(results->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (results->dirfd < 0)
		return cannot(results->path, errno, err);
	if (!is_empty(results->dirfd))
		return error_set(
			err, EXIT_CODE_USAGE,
			"the results folder %s exists and is not empty; nothing is written over: "
			"say another with -o DIR",
			results->path);
	if (faccessat(results->dirfd, ".", W_OK | X_OK, AT_EACCESS))
		return cannot(results->path, errno, err);
	return 0;
}

int results_open_below(struct results *results, const struct results *parent, const char *name,
		       struct error *err)
{
	*results = (struct results){.dirfd = -1};
	if (asprintf(&results->path, "%s/%s", parent->path, name) < 0) {
		results->path = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	for (char *c = results->path + strlen(parent->path) + 1; *c; c++)
		if (*c == '/')
			*c = '-';
	name = results->path + strlen(parent->path) + 1;
	if (mkdirat(parent->dirfd, name, 0755) && errno != EEXIST)
		return cannot(results->path, errno, err);
	results->dirfd = openat(parent->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return results->dirfd < 0 ? cannot(results->path, errno, err) : 0;
}

void results_close(struct results *results)
{
	if (results->dirfd >= 0)
		close(results->dirfd);
	free(results->path);
	results->path = NULL;
	results->dirfd = -1;
}

int results_create(const struct results *results, const char *name, struct error *err)
{
	int fd;

	if (!strncmp(name, "logs/", 5) && mkdirat(results->dirfd, "logs", 0755) && errno != EEXIST)
		return error_set(err, EXIT_CODE_FAILED, "cannot make %s/logs: %s", results->path,
				 strerror(errno));
	fd = openat(results->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND,
		    0644);
	if (fd < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot write %s/%s: %s", results->path,
				 name, strerror(errno));
	return fd;
}

/* NULL with @err. */
static FILE *open_file(const struct results *results, const char *name, struct error *err)
{
	int fd = results_create(results, name, err);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (fd >= 0 && !out) {
		close(fd);
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	return out;
}

/* Closes it; @failed: with @err already. */
static int close_file(const struct results *results, const char *name, FILE *out, int failed,
		      struct error *err)
{
	errno = 0;
	if (!failed && (fflush(out) || ferror(out)))
		failed = error_set(
			err, EXIT_CODE_FAILED,
			"cannot write %s/%s: %s; make room, or say another folder with -o DIR",
			results->path, name, strerror(errno ? errno : EIO));
	fclose(out);
	return failed;
}

static int write_format(const struct results *results, const struct report_format *format,
			const struct report_file *file, const struct record *rec, struct error *err)
{
	FILE *out = open_file(results, file->name, err);

	if (!out)
		return -1;
	return close_file(results, file->name, out, format->write(rec, &file->options, out, err),
			  err);
}

int results_write_overview(const struct results *results, const struct overview *overview,
			   struct error *err)
{
	const struct text_style style = {.width = 0};
	FILE *out = open_file(results, "overview.txt", err);
	int failed;

	if (!out)
		return -1;
	failed = overview_print(overview, out, &style);
	if (failed)
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (close_file(results, "overview.txt", out, failed, err))
		return -1;
	out = open_file(results, "index.html", err);
	if (!out)
		return -1;
	overview_print_html(overview, out);
	return close_file(results, "index.html", out, 0, err);
}

int results_save(const struct results *results, const struct record *rec, struct error *err)
{
	if (record_write(rec, results->dirfd, results->path, err))
		return -1;
	return rec->profile ? profile_write(rec->profile, results->dirfd, results->path, err) : 0;
}

int results_save_often(struct results *results, const struct record *rec, struct error *err)
{
	uint64_t begin = clock_now_ns();

	if (results->saved_ns && begin - results->saved_ns < SAVE_COST_MAX * results->save_cost_ns)
		return 0;
	if (results_save(results, rec, err))
		return -1;
	results->saved_ns = clock_now_ns();
	results->save_cost_ns = results->saved_ns - begin;
	return 0;
}

int results_write(const struct results *results, const struct record *rec, struct error *err)
{
	const struct report_options options = {.all_metrics = true, .width = 0, .has_charts = true};
	const struct report_format *const *formats;
	struct report_file file;
	size_t n;

	if (results_save(results, rec, err))
		return -1;
	formats = report_formats(&n);
	for (size_t i = 0; i < n; i++) {
		/* Nothing of it ran, or waited, for long enough to be met: that is no failure. */
		if (formats[i]->is_of_stacks && (!rec->profile || !rec->profile->n_rows))
			continue;
		for (size_t j = 0;
		     formats[i]->file_name && report_file(formats[i], rec, &options, j, &file); j++)
			if (write_format(results, formats[i], &file, rec, err))
				return -1;
	}
	return 0;
}
