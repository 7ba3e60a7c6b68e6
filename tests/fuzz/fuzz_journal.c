/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a journal of faults: what is taken holds together, and names processes that could
 * be. The checksums would keep all but the first lines out, so the bytes are read once as they
 * are, and once with each line's checksum made right. With -DFUZZ_STANDALONE it runs over the files
 * given.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fault/journal.h"

#define CRC_SIZE 9 /* eight digits and a blank */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_entry(const struct journal_content *content, size_t i)
{
	const struct journal_entry *entry = &content->entries[i];

	require(entry->id && entry->fault && entry->kind <= JOURNAL_NOTE);
	require(entry->n_processes <= JOURNAL_PROCESSES_MAX);
	for (size_t j = 0; j < entry->n_processes; j++)
		require(entry->processes[j].pid > 0);
	for (size_t j = 0; entry->argv && entry->argv[j]; j++)
		require(j < JOURNAL_WORDS_MAX && strlen(entry->argv[j]) < (1 << 20));
	for (size_t j = 0; j < i; j++)
		require(content->entries[j].id != entry->id);
}

static void parse(const char *text, size_t size)
{
	struct journal_content content;

	require(!journal_parse(text, size, &content));
	require(strlen(content.boot) < sizeof(content.boot));
	require(!content.n_entries || content.owner.pid > 0);
	for (size_t i = 0; i < content.n_entries; i++)
		check_entry(&content, i);
	journal_content_clear(&content);
}

/* Each line of @data with its checksum before it. */
static char *with_checksums(const char *data, size_t size, size_t *made_size)
{
	size_t lines = 1;
	char *made, *out;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	made = out = malloc(size + lines * (CRC_SIZE + 1) + 1);
	require(made);
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(data + at, '\n', size - at);
		size_t n = newline ? (size_t)(newline - data) - at : size - at;

		out += sprintf(out, "%08lx ", crc32(0, (const Bytef *)data + at, (uInt)n));
		memcpy(out, data + at, n);
		out += n;
		*out++ = '\n';
		at += n + 1;
	}
	*made_size = (size_t)(out - made);
	return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the exact size, so that a read behind it is found. */
	char *text = malloc(size ? size : 1), *made;
	size_t made_size;

	require(text);
	memcpy(text, data, size);
	parse(text, size);
	made = with_checksums(text, size, &made_size);
	parse(made, made_size);
	free(made);
	free(text);
	return 0;
}

#include "standalone.h"
