/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/json_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_ROOM (256 << 10)

_Static_assert(JSON_SCAN_AHEAD > DECIMAL_MAX_TEXT, "a number is whole");

uint64_t json_scan_offset(const struct json_scan *scan)
{
	return scan->bytes_before + (uint64_t)(scan->at - scan->begin);
}

int json_scan_open(struct json_scan *scan, int fd, uint64_t max)
{
	scan->source = (struct json_source){
		.is_open = true,
		.fd = fd,
		.buffer = malloc(FIRST_ROOM),
		.room = FIRST_ROOM,
		.max = max,
	};
	scan->at = scan->end = scan->begin = scan->source.buffer;
	return scan->source.buffer ? 0 : -1;
}

void json_scan_close(struct json_scan *scan)
{
	free(scan->source.buffer);
	scan->source = (struct json_source){0};
	scan->at = scan->end = scan->begin = NULL;
}

bool json_scan_rewind(struct json_scan *scan)
{
	struct json_source *source = &scan->source;

	scan->at = scan->begin;
	if (source->buffer) {
		if (lseek(source->fd, 0, SEEK_SET) != 0)
			return false;
		source->is_open = true;
		source->error = 0;
		scan->at = scan->end = scan->begin = source->buffer;
	}
	scan->bytes_before = scan->lines_before = scan->column_before = 0;
	return true;
}

/* What has been gone through makes room; where in the text it was is kept. */
static void drop(struct json_scan *scan)
{
	size_t left = (size_t)(scan->end - scan->at);
	const char *line = scan->begin, *next;

	while ((next = memchr(line, '\n', (size_t)(scan->at - line)))) {
		scan->lines_before++;
		scan->column_before = 0;
		line = next + 1;
	}
	scan->column_before += (uint64_t)(scan->at - line);
	scan->bytes_before += (uint64_t)(scan->at - scan->begin);
	memmove(scan->source.buffer, scan->at, left);
	scan->at = scan->begin = scan->source.buffer;
	scan->end = scan->begin + left;
}

/* For a string that is longer than all of the buffer. */
static int enlarge(struct json_scan *scan)
{
	struct json_source *source = &scan->source;
	size_t left = (size_t)(scan->end - scan->at);
	char *larger = realloc(source->buffer, source->room * 2);

	if (!larger)
		return -1;
	source->buffer = larger;
	source->room *= 2;
	scan->at = scan->begin = larger;
	scan->end = larger + left;
	return 0;
}

static bool fail(struct json_scan *scan, int error)
{
	scan->source.error = error;
	scan->source.is_open = false;
	return false;
}

bool json_source_more(struct json_scan *scan)
{
	struct json_source *source = &scan->source;
	ssize_t got;
	size_t left;

	if (!source->is_open)
		return false;
	drop(scan);
	left = (size_t)(scan->end - scan->at);
	if (left == source->room && enlarge(scan))
		return fail(scan, ENOMEM);
	do
		got = read(source->fd, source->buffer + left, source->room - left);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(scan, errno);
	scan->end += got;
	if (scan->bytes_before + left + (uint64_t)got > source->max)
		return fail(scan, EFBIG);
	source->is_open = got > 0;
	return got > 0;
}
