/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was said on a connection, from bounded prefixes of what was read and written:
 * requests matched with their answers, each with a label and whether it failed. Pure:
 * it knows neither BPF nor sockets, and is fed with whatever came from outside.
 *
 * What is one request:
 *   http      a head with its body; "GET /users/:id"; failed: status >= 400. After 101 or a granted
 *             CONNECT nothing more is counted. Answered by the first head that is not 1xx.
 *   http2     a stream of the client that was not reset; as http
 *   grpc      the same with content-type application/grpc; "/pkg.Service/Method"; failed:
 *             grpc-status other than 0, or status >= 400
 *   postgres  a simple query, or all that is sent up to a Sync; "SELECT accounts"; failed: it
 *             had an ErrorResponse. "PREPARE …" where nothing was executed.
 *   redis     a command, each of a pipeline; "GET"; failed: an error is the answer itself
 *   kafka     a request that wants an answer; "Fetch"; failed: the error code of the whole,
 *             or of the first partition, where it stands near the beginning
 *   mysql     a command that has an answer; "SELECT t"; failed: its first packet is an error
 * How a session begins (startup, login, TLS) is no request. "?" is what could not be seen.
 *
 * An answer whose end is not captured (rows, chunks, frames beyond the prefix) is complete with the
 * next request, or at the end; whether it failed is then as far as it was seen.
 *
 * Adding a protocol: one file with a `const struct protocol`, and one row in protocol.c.
 */
#ifndef PERFBPF_PROTOCOL_PROTOCOL_H
#define PERFBPF_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_LABEL_MAX 96

enum protocol_id {
	PROTOCOL_HTTP,
	PROTOCOL_POSTGRES,
	PROTOCOL_REDIS,
	PROTOCOL_KAFKA,
	PROTOCOL_MYSQL,
	PROTOCOLS,
};

/* "http,postgres" → a set of 1u << protocol_id; -1 and the unknown word in @unknown (of size 64,
 * "" for an empty word). HTTP/2 and gRPC belong to "http". */
int protocol_set_parse(const char *words, unsigned int *set, char unknown[64]);
/* The name of one, as on the command line. */
const char *protocol_name(enum protocol_id id);

/* One piece of payload: what one read or write call moved. */
struct protocol_chunk {
	bool is_request;     /* it flows from the one who asks to the one who answers */
	bool gap;            /* pieces before this one, in either direction, were lost */
	uint64_t arrived_ns; /* request: when its first byte came into the socket; else equal to
				time_ns */
	uint64_t time_ns;    /* when it was read or written; never runs backwards by more than the
				interplay of two threads */
	uint32_t length;     /* of the piece */
	uint32_t n_prefix;   /* of it that is known, <= length; 0: nothing (sendfile, io_uring) */
	const uint8_t *prefix;
};

/* One request with its answer. */
struct protocol_request {
	const char *protocol; /* "http" "http2" "grpc" "postgres" "redis" "kafka" "mysql" */
	char label[PROTOCOL_LABEL_MAX]; /* printable ASCII only, never empty */
	bool failed;                    /* as the protocol tells it */
	uint64_t arrived_ns;        /* of the request's first byte; of a client: when it was sent */
	uint64_t read_ns;           /* of the request's last byte */
	uint64_t first_ns, last_ns; /* of the answer's first and last byte */
};

/* Called for each answered request, in the order of the answers. */
typedef void (*protocol_request_fn)(void *context, const struct protocol_request *request);

/* What one connection's tracker remembers: some hundred bytes to a few KiB; never more than about
 * 130 KiB, with hundreds of requests in flight on HTTP/2. */
struct protocol_connection;

/*
 * @set: the protocols that are wanted; which of them is spoken is found out from the
 * first pieces. NULL without memory.
 */
struct protocol_connection *protocol_connection_new(unsigned int set);
void protocol_connection_free(struct protocol_connection *connection);
/*
 * Takes in one piece and calls @fn for each request whose answer is complete with it, or
 * that the next turn shows to be complete. Returns false where the piece could not be told
 * (no wanted protocol, out of step, nothing known of it): the caller counts it. What was not
 * captured of a message that is understood is told.
 */
bool protocol_connection_feed(struct protocol_connection *connection,
			      const struct protocol_chunk *chunk, protocol_request_fn fn,
			      void *context);
/* The connection or the window has ended: hands over what was answered and only waited for the
 * next turn. */
void protocol_connection_finish(struct protocol_connection *connection, protocol_request_fn fn,
				void *context);

#endif
