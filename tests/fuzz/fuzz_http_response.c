/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as what a server answers: taken in one piece and cut at every place that the first
 * byte says, they mean the same, and never more is taken than was given. With
 * -DFUZZ_STANDALONE it has a main that runs over the files given.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drive/http/response.h"

#define RESPONSES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* What came of a conversation. */
struct outcome {
	size_t n;
	enum response_state last;
	int status[RESPONSES_MAX];
	uint64_t bytes[RESPONSES_MAX], body[RESPONSES_MAX];
	uint32_t hash[RESPONSES_MAX]; /* of the body */
	bool keeps_alive[RESPONSES_MAX];
};

static void note(struct outcome *outcome, const struct response *response)
{
	outcome->status[outcome->n] = response->status;
	outcome->bytes[outcome->n] = response->bytes;
	outcome->keeps_alive[outcome->n] = response->keeps_alive;
	outcome->n++;
}

/* One response behind the other, as long as they are whole, @piece bytes at a time. */
static void talk(const char *data, size_t size, size_t piece, bool is_head, struct outcome *outcome)
{
	struct response response = {0};
	size_t at = 0;

	memset(outcome, 0, sizeof(*outcome));
	response_begin(&response, is_head);
	while (at < size && outcome->n < RESPONSES_MAX) {
		size_t given = size - at < piece ? size - at : piece;
		size_t taken = response_take(&response, data + at, given);

		expect(taken > 0 && taken <= given);
		expect(!response.piece ||
		       (response.piece >= data + at &&
			response.piece + response.piece_size <= data + at + taken));
		for (size_t i = 0; i < response.piece_size; i++)
			outcome->hash[outcome->n] =
				outcome->hash[outcome->n] * 31 + (uint8_t)response.piece[i];
		outcome->body[outcome->n] += response.piece_size;
		at += taken;
		outcome->last = response.state;
		if (response.state == RESPONSE_MALFORMED)
			break;
		if (response.state != RESPONSE_ENDED)
			continue;
		expect(response.status >= 200 && response.status < 1000);
		note(outcome, &response);
		response_begin(&response, is_head);
	}
	expect(response.line_room <= 2 * RESPONSE_LINE_MAX);
	if (outcome->n < RESPONSES_MAX && outcome->last != RESPONSE_MALFORMED) {
		response_close(&response);
		expect(response_is_over(&response) && !response.keeps_alive);
		outcome->last = response.state;
	}
	response_clear(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole, cut;
	bool is_head;

	if (!size)
		return 0;
	is_head = data[0] & 0x80;
	talk((const char *)data + 1, size - 1, size, is_head, &whole);
	talk((const char *)data + 1, size - 1, (data[0] & 0x7f) + 1U, is_head, &cut);
	expect(!memcmp(&whole, &cut, sizeof(whole)) || whole.last == RESPONSE_MALFORMED);
	expect(whole.n == cut.n && whole.last == cut.last);
	return 0;
}

#include "standalone.h"
