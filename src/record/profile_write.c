/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "record/json_put.h"
#include "record/profile_table.h"

#define TEMPORARY   "." PROFILE_FILE_NAME ".tmp"
#define BUFFER_SIZE (64 * 1024)
/* Numbers in columns are alike: more effort of zlib takes twice the time and saves little. */
#define GZIP_MODE "wb1"

/* A million of them in a large profile: fprintf() would be most of the time. */
static void put_number(FILE *out, uint64_t value)
{
	char digits[24], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	fwrite_unlocked(at, 1, (size_t)(digits + sizeof(digits) - at), out);
}

/* A uint8_t or an enum, whichever the field is. */
static uint64_t word_of(const struct column *column, const void *at)
{
	unsigned int value;

	if (column->size == sizeof(uint8_t))
		return *(const uint8_t *)at;
	memcpy(&value, at, sizeof(value));
	return value;
}

static void put_optional(FILE *out, const struct column *column, uint32_t value)
{
	if (column->nullable && value == PROFILE_NONE)
		fputs("null", out);
	else
		put_number(out, value);
}

static void put_value(FILE *out, const struct column *column, const void *at)
{
	switch (column->kind) {
	case COLUMN_STRING:
		json_put_string(out, *(char *const *)at);
		break;
	case COLUMN_INDEX:
	case COLUMN_NUMBER:
		put_optional(out, column, *(const uint32_t *)at);
		break;
	case COLUMN_COUNT:
		put_number(out, *(const uint64_t *)at);
		break;
	case COLUMN_ADDRESS:
		fprintf(out, "\"0x%" PRIx64 "\"", *(const uint64_t *)at);
		break;
	case COLUMN_WORD:
		put_number(out, word_of(column, at));
		break;
	case COLUMN_FLAG:
		put_number(out, *(const bool *)at);
		break;
	case COLUMN_SECONDS:
		json_put_real(out, *(const double *)at);
		break;
	}
}

static void put_table(FILE *out, const struct profile_table *table, const struct profile *profile)
{
	size_t n = profile_count_in(profile, table->count);
	const char *list = profile_list(table, profile);

	fprintf(out, ",\n\"%s\": {", table->key);
	for (size_t i = 0; i < table->n_columns; i++) {
		const struct column *column = &table->columns[i];

		fprintf(out, "%s\n\"%s\": [", i ? "," : "", column->key);
		for (size_t j = 0; j < n; j++) {
			if (j)
				putc_unlocked(',', out);
			put_value(out, column, list + j * table->size + column->offset);
		}
		putc(']', out);
	}
	putc('}', out);
}

static void put_words(FILE *out, enum profile_words words)
{
	fprintf(out, ",\n\"%s\": [", profile_words_key(words));
	for (size_t i = 0; i < profile_words_count(words); i++) {
		fputs(i ? ", " : "", out);
		json_put_string(out, profile_word(words, i));
	}
	putc(']', out);
}

static void put_profile(FILE *out, const struct profile *profile)
{
	fputs("{\"schema\": \"" PROFILE_SCHEMA "\"", out);
	for (int words = 0; words < PROFILE_WORDS; words++)
		put_words(out, (enum profile_words)words);
	for (size_t i = 0; i < PROFILE_TABLES; i++)
		put_table(out, &profile_tables[i], profile);
	fputs("}\n", out);
}

char *profile_to_json(const struct profile *profile)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_profile(out, profile);
	if (ferror(out) | fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static ssize_t write_compressed(void *cookie, const char *buf, size_t size)
{
	int n = gzwrite(cookie, buf, (unsigned int)size);

	return n > 0 ? n : -1;
}

/* 0 or -errno. */
static int write_stream(const struct profile *profile, gzFile gz)
{
	FILE *out = fopencookie(gz, "w", (cookie_io_functions_t){.write = write_compressed});

	if (!out)
		return -ENOMEM;
	errno = 0;
	setvbuf(out, NULL, _IOFBF, BUFFER_SIZE);
	put_profile(out, profile);
	if (ferror(out) | fclose(out))
		return errno ? -errno : -EIO;
	return 0;
}

/* 0 or -errno; @fd is closed in any case. */
static int write_file(const struct profile *profile, int fd)
{
	gzFile gz = gzdopen(fd, GZIP_MODE);
	int rc;

	if (!gz) {
		close(fd);
		return -ENOMEM;
	}
	rc = write_stream(profile, gz);
	errno = 0;
	if (!rc && (gzflush(gz, Z_FINISH) != Z_OK || fsync(fd)))
		rc = errno ? -errno : -EIO;
	if (gzclose(gz) != Z_OK && !rc)
		rc = errno ? -errno : -EIO;
	return rc;
}

int profile_write(const struct profile *profile, int dirfd, const char *dir, struct error *err)
{
	int fd, rc;

	/* As run.json: the folder may belong to another user, never follow what lies there. */
	unlinkat(dirfd, TEMPORARY, 0);
	fd = openat(dirfd, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	rc = fd < 0 ? -errno : write_file(profile, fd);
	if (!rc && renameat(dirfd, TEMPORARY, dirfd, PROFILE_FILE_NAME))
		rc = -errno;
	if (!rc)
		return 0;
	unlinkat(dirfd, TEMPORARY, 0);
	return error_set(err, EXIT_CODE_FAILED, "cannot write %s/" PROFILE_FILE_NAME ": %s%s", dir,
			 strerror(-rc),
			 rc == -ENOSPC || rc == -EDQUOT
				 ? "; make room, or say another folder with -o DIR"
				 : "");
}
