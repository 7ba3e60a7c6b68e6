/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any conversation: the input is the set of protocols, then pieces, each with its direction,
 * whether some before it were lost, and how much of it is not known. What comes of it must be
 * printable and its times in order. With -DFUZZ_STANDALONE it has a main that runs over the
 * files given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"

#define IS_REQUEST 0x01
#define HAS_GAP    0x02
#define HAS_HIDDEN 0x04
#define IS_WHOLE   0x08 /* more than 255 bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
	const uint8_t *at, *end;
	uint64_t now_ns;
	size_t n_bytes, n_requests;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void on_request(void *context, const struct protocol_request *request)
{
	struct script *script = context;
	size_t length = strnlen(request->label, sizeof(request->label));

	expect(length > 0 && length < sizeof(request->label));
	for (size_t i = 0; i < length; i++)
		expect(request->label[i] >= 0x20 && request->label[i] < 0x7f);
	expect(request->protocol != NULL);
	expect(request->arrived_ns && request->arrived_ns <= request->read_ns);
	expect(request->first_ns && request->first_ns <= request->last_ns);
	expect(request->last_ns <= script->now_ns);
	script->n_requests++;
}

static unsigned int next(struct script *script)
{
	return script->at < script->end ? *script->at++ : 0;
}

/* The piece in memory of its own, so that what is read behind it is seen. */
static void feed(struct script *script, struct protocol_connection *connection)
{
	unsigned int flags = next(script);
	size_t n = next(script), left;
	uint32_t n_hidden = 0;
	uint8_t *copy;

	if (flags & IS_WHOLE)
		n += (size_t)next(script) << 8;
	if (flags & HAS_HIDDEN)
		n_hidden = next(script) << 8 | next(script);
	left = (size_t)(script->end - script->at);
	n = n < left ? n : left;
	copy = malloc(n ? n : 1);
	expect(copy != NULL);
	memcpy(copy, script->at, n);
	script->at += n;
	script->n_bytes += n + n_hidden;
	script->now_ns += 10;
	protocol_connection_feed(connection,
				 &(struct protocol_chunk){
					 .is_request = flags & IS_REQUEST,
					 .gap = flags & HAS_GAP,
					 .arrived_ns = script->now_ns - 5,
					 .time_ns = script->now_ns,
					 .length = (uint32_t)n + n_hidden,
					 .n_prefix = (uint32_t)n,
					 .prefix = n ? copy : NULL,
				 },
				 on_request, script);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {.at = data, .end = data + size, .now_ns = 1000};
	struct protocol_connection *connection = protocol_connection_new(next(&script));

	expect(connection != NULL);
	while (script.at < script.end)
		feed(&script, connection);
	protocol_connection_finish(connection, on_request, &script);
	/* A request has a byte at the least. */
	expect(script.n_requests <= script.n_bytes);
	protocol_connection_free(connection);
	return 0;
}

#include "standalone.h"
