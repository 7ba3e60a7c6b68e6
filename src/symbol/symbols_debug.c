/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/symbols_debug.h"

#include <fcntl.h>
#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "symbol/symbols_read.h"

/* What a file may be to be read whole for its checksum: some seconds' worth. */
#define MAX_CHECKED_BYTES (4LL << 30)

/* Symbols shrink to a quarter, or a tenth; a bomb to a thousandth. */
#define MAX_INFLATION       64
#define MAX_INFLATED_BYTES  (256U << 20)
#define MAX_DECODER_BYTES   (128U << 20)
#define LEAST_INFLATED_ROOM (1U << 20)

/* Where it was found, it is a file by somebody else: it may be a pipe, or a device. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return -1;
}

/* The checksum of .gnu_debuglink over all of the file. */
static bool has_checksum(int fd, uint32_t wanted)
{
	unsigned char buf[1 << 16];
	uLong sum = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t n;

	while (at < MAX_CHECKED_BYTES && (n = pread(fd, buf, sizeof(buf), at)) > 0) {
		sum = crc32(sum, buf, (uInt)n);
		at += n;
	}
	return at < MAX_CHECKED_BYTES && !n && sum == wanted;
}

static bool have_other_build_ids(const struct elf_file *a, const struct elf_file *b)
{
	const struct elf_build_id *one = elf_file_build_id(a), *other = elf_file_build_id(b);

	return one->size && other->size &&
	       (one->size != other->size || memcmp(one->bytes, other->bytes, one->size) != 0);
}

/* @checksum: NULL where the build ids are to be the same. */
static struct elf_file *try_file(struct elf_file *file, const char *path, const uint32_t *checksum)
{
	int fd = open_regular(path), again;
	struct elf_file *debug;

	if (fd < 0)
		return NULL;
	again = checksum ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	debug = elf_file_open(fd);
	if (debug &&
	    (have_other_build_ids(file, debug) ||
	     (checksum ? !has_checksum(again, *checksum) : !elf_file_build_id(debug)->size))) {
		elf_file_close(debug);
		debug = NULL;
	}
	if (again >= 0)
		close(again);
	return debug;
}

static struct elf_file *by_build_id(struct elf_file *file, const char *root)
{
	char text[2 * ELF_BUILD_ID_MAX + 1], path[PATH_MAX];
	const struct elf_build_id *id = elf_file_build_id(file);

	if (id->size < 2)
		return NULL;
	elf_build_id_text(id, text);
	if (snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", root, text, text + 2) >=
	    (int)sizeof(path))
		return NULL;
	return try_file(file, path, NULL);
}

/* A file name and the checksum behind it, at the next multiple of four bytes. */
static const char *debug_link(struct elf_file *file, uint32_t *checksum)
{
	struct section section;
	const char *name;
	size_t at;

	if (!section_by_name(file, ".gnu_debuglink", &section))
		return NULL;
	name = (const char *)section.bytes;
	at = (strnlen(name, section.size) + 4) & ~(size_t)3;
	if (!*name || at > section.size || section.size - at < sizeof(*checksum) ||
	    strchr(name, '/') || strlen(name) > NAME_MAX)
		return NULL;
	memcpy(checksum, section.bytes + at, sizeof(*checksum));
	return name;
}

/* The length of "/proc/PID/root" at the beginning of @path, or 0. */
static size_t root_length(const char *path)
{
	size_t digits;

	if (strncmp(path, "/proc/", 6) != 0)
		return 0;
	digits = strspn(path + 6, "0123456789");
	if (!digits || strncmp(path + 6 + digits, "/root/", 6) != 0)
		return 0;
	return 6 + digits + 5;
}

/* "@root/@dir/@between/@name", where @dir are @length bytes of a path. */
static struct elf_file *try_place(struct elf_file *file, const char *root, const char *dir,
				  size_t length, const char *between, const char *name,
				  uint32_t checksum)
{
	char path[PATH_MAX];

	if (length >= sizeof(path) || snprintf(path, sizeof(path), "%s%.*s/%s%s", root, (int)length,
					       dir, between, name) >= (int)sizeof(path))
		return NULL;
	return try_file(file, path, &checksum);
}

/* @outside: how much of @path is the root of a process. */
static struct elf_file *by_debug_link(struct elf_file *file, const char *path, size_t outside,
				      const char *const roots[2])
{
	uint32_t checksum;
	const char *name = debug_link(file, &checksum), *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	struct elf_file *debug;

	/* What was deleted, or is no file ("[vdso]"), has no neighbours. */
	if (!name || path[0] != '/' || length < outside)
		return NULL;
	debug = try_place(file, "", path, length, "", name, checksum);
	if (!debug)
		debug = try_place(file, "", path, length, ".debug/", name, checksum);
	for (size_t i = 0; !debug && i < 2; i++)
		if (roots[i])
			debug = try_place(file, roots[i], path + outside, length - outside, "",
					  name, checksum);
	return debug;
}

struct elf_file *symbols_debug_file(struct elf_file *file, const char *path, const char *root)
{
	size_t outside = path ? root_length(path) : 0;
	const char *roots[2] = {root};
	char inside[PATH_MAX];
	struct elf_file *debug;

	if (outside && snprintf(inside, sizeof(inside), "%.*s%s", (int)outside, path, root) <
			       (int)sizeof(inside))
		roots[1] = inside;
	debug = by_build_id(file, roots[0]);
	if (!debug && roots[1])
		debug = by_build_id(file, roots[1]);
	if (!debug && path)
		debug = by_debug_link(file, path, outside, roots);
	return debug;
}

/* Where @stream goes on writing; false where it may not grow further, or there is no memory. */
static bool make_room(lzma_stream *stream, uint8_t **out, size_t *room, size_t most)
{
	size_t used = *room - stream->avail_out, grown = *room ? 2 * *room : LEAST_INFLATED_ROOM;
	uint8_t *larger;

	grown = grown < most ? grown : most;
	if (grown <= *room)
		return false;
	larger = realloc(*out, grown);
	if (!larger)
		return false;
	*out = larger;
	stream->next_out = larger + used;
	stream->avail_out = grown - used;
	*room = grown;
	return true;
}

/* @section, decompressed, to be freed; NULL where it is broken or claims too much. */
static uint8_t *inflate_xz(const struct section *section, size_t *size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room = 0, most = MAX_INFLATED_BYTES;
	uint8_t *out = NULL;
	lzma_ret rc;

	if (section->size < most / MAX_INFLATION)
		most = section->size * MAX_INFLATION;
	if (lzma_stream_decoder(&stream, MAX_DECODER_BYTES, 0) != LZMA_OK)
		return NULL;
	stream.next_in = section->bytes;
	stream.avail_in = section->size;
	do
		rc = stream.avail_out || make_room(&stream, &out, &room, most)
			     ? lzma_code(&stream, LZMA_FINISH)
			     : LZMA_MEM_ERROR;
	while (rc == LZMA_OK);
	*size = room - stream.avail_out;
	lzma_end(&stream);
	if (rc == LZMA_STREAM_END)
		return out;
	free(out);
	return NULL;
}

struct elf_file *symbols_minidebuginfo(struct elf_file *file)
{
	struct section section;
	struct elf_file *inner = NULL;
	uint8_t *image;
	size_t size;

	if (!section_by_name(file, ".gnu_debugdata", &section))
		return NULL;
	image = inflate_xz(&section, &size);
	if (image)
		inner = elf_file_open_memory(image, size);
	free(image);
	return inner;
}
