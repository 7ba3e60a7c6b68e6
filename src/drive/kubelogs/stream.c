/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/stream.h"

#include <string.h>
#include <time.h>

#include "util/clock.h"

/* "2006-01-02T15:04:05" and ".000000000Z " */
#define SECOND_LENGTH    19
#define TIMESTAMP_LENGTH (SECOND_LENGTH + 12)
/* "3e80\r\n" before the lines of a chunk, "\r\n" behind them. */
#define CHUNK_HEAD 6
#define CHUNK_TAIL 2

void stream_start(struct log_stream *stream, const struct source *source,
		  const struct log_request *log, uint64_t now_ns)
{
	memset(stream, 0, sizeof(*stream));
	stream->log = *log;
	stream->next = log->from;
	stream_unblocked(stream, source, now_ns);
}

void stream_unblocked(struct log_stream *stream, const struct source *source, uint64_t now_ns)
{
	stream->fresh = source_due(source, stream->log.pod, now_ns);
}

/* The number behind the last line that can be written at @now_ns. */
static uint64_t due(const struct log_stream *stream, const struct source *source, uint64_t now_ns)
{
	uint64_t n = source_due(source, stream->log.pod, now_ns);

	return n < stream->log.end ? n : stream->log.end;
}

bool stream_is_finished(const struct log_stream *stream)
{
	return !stream->log.limit_bytes || stream->next >= stream->log.end;
}

bool stream_is_behind(const struct log_stream *stream, const struct source *source, uint64_t now_ns)
{
	uint64_t next = source_skip(source, stream->log.pod, stream->next);

	return stream->log.limit_bytes && next < due(stream, source, now_ns);
}

/* The time in RFC 3339 with nine digits of fraction, as container runtimes write it. */
static void write_timestamp(struct log_stream *stream, uint64_t real_ns, char *out)
{
	uint64_t second = real_ns / NSEC_PER_SEC, rest = real_ns % NSEC_PER_SEC;
	char digits[24];

	if (second != stream->second) {
		time_t seconds = (time_t)second;
		struct tm parts;

		gmtime_r(&seconds, &parts);
		strftime(stream->second_text, sizeof(stream->second_text), "%Y-%m-%dT%H:%M:%S",
			 &parts);
		stream->second = second;
	}
	memcpy(out, stream->second_text, SECOND_LENGTH);
	/* A leading 1 keeps the zeros behind it; '.' takes its place. */
	content_write_number(digits, NSEC_PER_SEC + rest);
	digits[0] = '.';
	memcpy(out + SECOND_LENGTH, digits, 10);
	memcpy(out + SECOND_LENGTH + 10, "Z ", 2);
}

static size_t write_line(struct log_stream *stream, const struct source *source, char *out)
{
	uint32_t pod = stream->log.pod;
	uint64_t seq = stream->next++;
	uint64_t real_ns = source_intended_ns(source, pod, seq) + source->to_real_ns;
	const struct message *message = source_message(source, pod, seq);
	size_t length = 0;

	if (stream->log.timestamps) {
		write_timestamp(stream, real_ns, out);
		length = TIMESTAMP_LENGTH;
	}
	length += content_write_line(out + length, message, pod, seq, real_ns);
	stream->lines++;
	stream->wanted += message->is_wanted;
	if (stream->log.limit_bytes == UINT64_MAX)
		return length;
	if (length > stream->log.limit_bytes)
		length = (size_t)stream->log.limit_bytes;
	stream->log.limit_bytes -= length;
	return length;
}

/* As many lines before @end as go into @out[size]. */
static size_t write_lines(struct log_stream *stream, const struct source *source, uint64_t end,
			  char *out, size_t size)
{
	size_t length = 0;

	for (;;) {
		stream->next = source_skip(source, stream->log.pod, stream->next);
		if (stream->next >= end || !stream->log.limit_bytes ||
		    length + TIMESTAMP_LENGTH + CONTENT_LINE_MAX > size)
			return length;
		length += write_line(stream, source, out + length);
	}
}

static void write_chunk_head(char *out, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 4; i++)
		out[i] = digits[(length >> (12 - 4 * i)) & 15];
	memcpy(out + 4, "\r\n", 2);
}

size_t stream_fill(struct log_stream *stream, const struct source *source, uint64_t now_ns,
		   bool chunked, char *out, size_t size, uint64_t *oldest_ns)
{
	uint64_t end = due(stream, source, now_ns);
	uint64_t first = source_skip(source, stream->log.pod, stream->next);
	size_t total = 0;

	*oldest_ns = UINT64_MAX;
	if (!chunked)
		total = write_lines(stream, source, end, out, size);
	while (chunked && total + CHUNK_HEAD + STREAM_CHUNK_MAX + CHUNK_TAIL <= size) {
		char *chunk = out + total;
		size_t length =
			write_lines(stream, source, end, chunk + CHUNK_HEAD, STREAM_CHUNK_MAX);

		if (!length)
			break;
		write_chunk_head(chunk, length);
		memcpy(chunk + CHUNK_HEAD + length, "\r\n", CHUNK_TAIL);
		total += CHUNK_HEAD + length + CHUNK_TAIL;
	}
	if (first < stream->fresh)
		first = stream->fresh;
	if (first < stream->next)
		*oldest_ns = source_intended_ns(source, stream->log.pod, first);
	return total;
}
