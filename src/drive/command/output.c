/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/command/command.h"

/* At a time, so that one that prints without end leaves time for all else. */
#define READS_MAX 64

int output_open(struct output *output)
{
	*output = (struct output){.text = malloc(OUTPUT_KEPT + 1)};
	return output->text ? 0 : -1;
}

void output_close(struct output *output)
{
	free(output->text);
	output->text = NULL;
}

/* A log that cannot be written (its file system is full) is shorter, and no reason to end. */
static void pass_on(struct output *output, const char *text, size_t size)
{
	if (output->passed + size > OUTPUT_PASSED)
		return;
	while (size) {
		ssize_t n = write(STDERR_FILENO, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		output->passed += (uint64_t)n;
		text += n;
		size -= (size_t)n;
	}
}

int output_read(struct output *output, int fd)
{
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n;

		if (output->length == OUTPUT_KEPT) {
			output->length = OUTPUT_KEPT / 2;
			memmove(output->text, output->text + OUTPUT_KEPT - output->length,
				output->length);
		}
		n = read(fd, output->text + output->length, OUTPUT_KEPT - output->length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return 1;
		pass_on(output, output->text + output->length, (size_t)n);
		output->length += (size_t)n;
		output->bytes += (uint64_t)n;
	}
	return 0;
}
