/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Truth programs: small programs whose cost is known. Each one does a fixed piece
 * of work and tells what it cost by a source other than perfbpf (getrusage,
 * its own /proc/self/status, or simply what it was told to do) as one JSON object
 * on the last line of its standard output, or in the FILE of `--truth FILE`.
 *
 * The last thing a program does before it ends is to take its figures and to
 * write that line: what comes after is a few system calls.
 */
#ifndef PERFBPF_TRUTH_H
#define PERFBPF_TRUTH_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRUTH_PAGE    4096UL
#define TRUTH_MAX_SEC 120.0 /* no truth program runs for longer */

static int truth_fd = STDOUT_FILENO;

static inline void __attribute__((noreturn, format(printf, 1, 2))) truth_die(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	exit(1);
}

static inline void __attribute__((noreturn)) truth_usage(const char *usage)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, usage);
	exit(2);
}

/* Takes word @i out of argv. */
static inline void truth_drop(int *argc, char **argv, int i)
{
	memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
	(*argc)--;
}

/* Is the option @name there? It is taken out of argv. */
static inline bool truth_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], name) == 0) {
			truth_drop(argc, argv, i);
			return true;
		}
	}
	return false;
}

/* The word after the option @name, or @otherwise. Both are taken out of argv. */
static inline const char *truth_option(int *argc, char **argv, const char *name,
				       const char *otherwise)
{
	for (int i = 1; i + 1 < *argc; i++) {
		if (strcmp(argv[i], name) == 0) {
			const char *value = argv[i + 1];

			truth_drop(argc, argv, i);
			truth_drop(argc, argv, i);
			return value;
		}
	}
	return otherwise;
}

/* Writes the truth in one write(2). */
static inline void __attribute__((format(printf, 1, 2))) truth_print(const char *fmt, ...)
{
	char line[4096];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (length < 0 || length >= (int)sizeof(line) - 1)
		truth_die("the truth is too long");
	line[length++] = '\n';
	if (write(truth_fd, line, (size_t)length) != length)
		truth_die("cannot write the truth");
}

/* Goes once through what truth_print() will need, so that it costs no page fault later. */
static inline void truth_warm(void)
{
	char line[4096];

	memset(line, 0, sizeof(line));
	snprintf(line, sizeof(line), "%d %ld %zu %.6f %s", 1, 1L, sizeof(line), 0.1, "x");
	if (write(truth_fd, line, 0) != 0)
		truth_die("cannot write the truth");
}

/* Takes `--truth FILE` out of argv and opens FILE. To be called first in main(). */
static inline void truth_start(int *argc, char **argv)
{
	const char *path = truth_option(argc, argv, "--truth", NULL);

	if (path) {
		truth_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (truth_fd < 0)
			truth_die("cannot write %s", path);
	}
	truth_warm();
}

static inline long truth_count(const char *text, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || end == text || value < 0 || value > max) {
		errno = 0;
		truth_die("not a count from 0 to %ld: %s", max, text);
	}
	return value;
}

static inline double truth_number(const char *text, double max)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (errno || *end || end == text || !(value >= 0 && value <= max)) {
		errno = 0;
		truth_die("not a number from 0 to %g: %s", max, text);
	}
	return value;
}

static inline uint64_t truth_clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		truth_die("clock_gettime");
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static inline uint64_t truth_now_ns(void)
{
	return truth_clock_ns(CLOCK_MONOTONIC);
}

static inline void truth_sleep_ns(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / 1000000000ULL),
		.tv_nsec = (long)(ns % 1000000000ULL),
	};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static inline void truth_spin(unsigned int turns)
{
	volatile unsigned int sink = 0;

	for (unsigned int i = 0; i < turns; i++)
		sink += i;
}

/* Burns CPU until the clock shows @end_ns. */
static inline void truth_burn_until(clockid_t clock, uint64_t end_ns)
{
	while (truth_clock_ns(clock) < end_ns)
		truth_spin(1000);
}

/* Burns @ns of this thread's own CPU time. */
static inline void truth_burn_cpu(uint64_t ns)
{
	truth_burn_until(CLOCK_THREAD_CPUTIME_ID, truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns);
}

static inline double truth_seconds(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

static inline struct rusage truth_rusage(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage) < 0)
		truth_die("getrusage");
	return usage;
}

static inline double truth_cpu_seconds(const struct rusage *usage)
{
	return truth_seconds(&usage->ru_utime) + truth_seconds(&usage->ru_stime);
}

/* A line "NAME:  123 kB" of /proc/self/status, in bytes. */
static inline long truth_status_bytes(const char *name)
{
	char line[256];
	long kib = -1;
	size_t length = strlen(name);
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		truth_die("cannot read /proc/self/status");
	while (kib < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			kib = strtol(line + length + 1, NULL, 10);
	}
	fclose(file);
	if (kib < 0)
		truth_die("/proc/self/status has no %s", name);
	return kib * 1024;
}

/* fork() that ends the program where it fails. */
static inline pid_t truth_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		truth_die("fork");
	return pid;
}

/* Waits for @pid, which must end well. */
static inline void truth_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			truth_die("waitpid");
	}
	if (status) {
		errno = 0;
		truth_die("a child ended with status %#x", (unsigned int)status);
	}
}

/*
 * With `--fork`, the work is done in a child: getrusage of the child begins at
 * zero at its fork, so its truth holds nothing from before the program's start.
 * Returns in the process that does the work; the parent waits and ends.
 */
static inline void truth_in_child(int *argc, char **argv)
{
	pid_t pid;

	if (!truth_flag(argc, argv, "--fork"))
		return;
	pid = truth_fork();
	if (pid == 0) {
		truth_warm();
		return;
	}
	truth_wait(pid);
	exit(0);
}

#endif
