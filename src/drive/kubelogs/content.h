/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the lines say: a pool of messages for each kind of deployment, rendered once
 * from a seed, and the stamp that makes a line of one of them.
 *
 * A line is `pb#POD/SEQ/INTENDED_NS# <message>`, or `{"stamp":"pb#…#",<message>`
 * where the message is the rest of a JSON object. What differs from line to line of
 * one message is digits only, so all of them match a filter or none does.
 */
#ifndef PERFBPF_DRIVE_KUBELOGS_CONTENT_H
#define PERFBPF_DRIVE_KUBELOGS_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/kubelogs/flavours.h"
#include "scenario/scenario.h"
#include "util/error.h"

#define CONTENT_POOL      256 /* messages of one flavour */
#define CONTENT_MARK      "pb#"
#define CONTENT_JSON_HEAD "{\"stamp\":\""

/* No line is longer, its newline included. */
#define CONTENT_LINE_MAX 512

struct message {
	char *text; /* what follows the stamp, with the newline */
	uint32_t length;
	enum level level;
	bool is_json;
	bool is_wanted; /* does the scenario's filter want it? */
};

struct content {
	struct message messages[SCHEDULE_KINDS][CONTENT_POOL];
	bool all_wanted;
};

/* NULL where memory is short. Everything is wanted until a filter is set. */
struct content *content_new(uint64_t seed);
void content_free(struct content *content);

/*
 * Marks the messages that @filter wants. A filter that would want some lines of a
 * message and not others, by the digits of their stamps, is an error: nobody could
 * say how many lines to expect.
 */
int content_set_filter(struct content *content, const struct filter *filter, struct error *err);

/* Longer is no line before its message's text. */
#define CONTENT_HEAD_MAX 80

/* What is before the message's text: the stamp, and what JSON has before it, into
 * @out[CONTENT_HEAD_MAX]. */
size_t content_write_head(char *out, const struct message *message, uint32_t pod, uint64_t seq,
			  uint64_t intended_ns);
/* The line of @message with its newline into @out[CONTENT_LINE_MAX]; its length. */
size_t content_write_line(char *out, const struct message *message, uint32_t pod, uint64_t seq,
			  uint64_t intended_ns);

/* Decimal digits of @value at @out; the end. */
char *content_write_number(char *out, uint64_t value);

/*
 * Reads "pb#POD/SEQ/NS#" at @text[0..length): true and the numbers, or false. Only
 * the form that content_write_line() gives is taken.
 */
bool content_read_stamp(const char *text, size_t length, uint32_t *pod, uint64_t *seq,
			uint64_t *intended_ns);

#endif
