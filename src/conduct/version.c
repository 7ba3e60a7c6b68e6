/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/version.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/file.h"

#define TIMEOUT_NS (10 * NSEC_PER_SEC)

/* Up to the end of the first line, or of the output, or of the time. */
static size_t read_line(int fd, int signal_fd, char *text, size_t size)
{
	uint64_t until = clock_now_ns() + TIMEOUT_NS;
	size_t length = 0;

	while (length < size - 1) {
		struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
					{.fd = signal_fd, .events = POLLIN}};
		uint64_t now = clock_now_ns();
		ssize_t n;

		if (now >= until || poll(fds, 2, (int)((until - now) / NSEC_PER_MSEC) + 1) <= 0 ||
		    fds[1].revents)
			break;
		n = read(fd, text + length, size - 1 - length);
		if (n <= 0)
			break;
		length += (size_t)n;
		if (memchr(text, '\n', length))
			break;
	}
	text[length] = 0;
	text[strcspn(text, "\r\n")] = 0;
	return strlen(text);
}

static pid_t ask(struct conductor *conductor, const struct target *target, const char *file,
		 int output_fd)
{
	struct keeper_stage stage = {.file = file, .argv = target->version};
	struct keeper_spawn spawn = {
		.identity = &conductor->identity, .n_stages = 1, .stages = &stage, .n_fds = 3};
	char home[512], *extra[] = {home, (char *)"NO_COLOR=1"};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct error ignored;
	pid_t pid = -1;

	/* A private HOME: some tools write or ask something at their first start. */
	snprintf(home, sizeof(home), "HOME=%s", keeper_private_dir(conductor->keeper));
	spawn.fds[0] = null;
	spawn.fds[1] = output_fd;
	spawn.fds[2] = null;
	spawn.environment = identity_environment(&conductor->identity, extra, 2);
	if (!spawn.environment || keeper_spawn(conductor->keeper, &spawn, &pid, &ignored))
		pid = -1;
	strings_free(spawn.environment);
	close(null);
	return pid;
}

char *target_version(struct conductor *conductor, const struct target *target)
{
	char text[256], *file;
	int output[2], status;
	size_t length;
	pid_t pid;

	if (!target->n_version)
		return NULL;
	file = path_find(target->version[0]);
	if (!file)
		return NULL;
	if (pipe2(output, O_CLOEXEC)) {
		free(file);
		return NULL;
	}
	pid = ask(conductor, target, file, output[1]);
	free(file);
	close(output[1]);
	length = pid > 0 ? read_line(output[0], conductor->signal_fd, text, sizeof(text)) : 0;
	close(output[0]);
	if (pid > 0 && !keeper_wait(conductor->keeper, pid, NSEC_PER_SEC, &status))
		keeper_end_helper(conductor->keeper, pid, 0);
	return length ? strdup(text) : NULL;
}
