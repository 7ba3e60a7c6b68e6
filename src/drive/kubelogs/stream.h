/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One answer to a log request: which lines come next, and their bytes. Pure. */
#ifndef PERFBPF_DRIVE_KUBELOGS_STREAM_H
#define PERFBPF_DRIVE_KUBELOGS_STREAM_H

#include "drive/kubelogs/log_request.h"
#include "drive/kubelogs/source.h"

/*
 * Lines of one chunk: a client that hands chunks on as they come (curl does, in
 * pieces of 16 KiB) then writes whole lines, as long as it keeps up.
 */
#define STREAM_CHUNK_MAX 16000
#define STREAM_BUFFER    65536

struct log_stream {
	struct log_request log;
	uint64_t next;   /* sequence number of the line that comes next */
	uint64_t fresh;  /* lines from here on became due while the client could take them */
	uint64_t lines;  /* sent so far */
	uint64_t wanted; /* of these, the ones that the filter wants */
	uint64_t second; /* what second_text is for */
	char second_text[24];
};

void stream_start(struct log_stream *stream, const struct source *source,
		  const struct log_request *log, uint64_t now_ns);

/* From now on lateness counts again: what became due before @now_ns waited for the client. */
void stream_unblocked(struct log_stream *stream, const struct source *source, uint64_t now_ns);

/*
 * Writes what is due at @now_ns into @out[size], size >= STREAM_BUFFER, as chunks of
 * whole lines (or bare lines where not @chunked); the number of bytes. @oldest_ns
 * becomes the intended time of the first line among them for whose lateness the
 * client is not to blame, UINT64_MAX where there is none.
 */
size_t stream_fill(struct log_stream *stream, const struct source *source, uint64_t now_ns,
		   bool chunked, char *out, size_t size, uint64_t *oldest_ns);

/* Is more due at @now_ns than has been written? */
bool stream_is_behind(const struct log_stream *stream, const struct source *source,
		      uint64_t now_ns);
/* Has all that was asked for been written? Never with follow, but for limitBytes. */
bool stream_is_finished(const struct log_stream *stream);

#endif
