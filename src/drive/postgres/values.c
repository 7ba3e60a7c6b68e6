/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/random.h"
#include "drive/postgres/vector.h"

#define NAMES_AT_A_TIME_MAX 100
#define NUMBER_TEXT         24

static bool read_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return !errno && end != text && !*end && *text != ' ';
}

static const char *read_range(char *const *texts, size_t n, struct value *value)
{
	if (n != 2 || !read_number(texts[0], &value->low) || !read_number(texts[1], &value->high) ||
	    value->low > value->high)
		return "is no range; write [lowest, highest]";
	/* The numbers between both must fit where they are drawn. */
	if (value->low < -INT64_MAX / 2 || value->high > INT64_MAX / 2)
		return "is too wide a range; stay within 62 bits";
	return NULL;
}

static const char *read_names(char *const *texts, size_t n, struct value *value)
{
	if (n != 2 || !read_number(texts[0], &value->low) || !read_number(texts[1], &value->high) ||
	    value->low < 1 || value->low > NAMES_AT_A_TIME_MAX || value->high < value->low ||
	    value->high > NAMESPACES_MAX)
		return "is no choice of namespaces; write [5, 200] for 5 of 200, at most 100 of "
		       "1000000";
	return NULL;
}

const char *value_read(const struct postgres_parameter *parameter, struct value *value)
{
	int given = (parameter->integer != NULL) + (parameter->text > 0) + (parameter->vector > 0) +
		    (parameter->name_of > 0) + (parameter->names_of != NULL) +
		    (parameter->words != NULL);

	memset(value, 0, sizeof(*value));
	if (given != 1)
		return "must say one of int, text, vector, namespace, namespaces and one_of";
	if (parameter->integer) {
		value->kind = VALUE_INTEGER;
		return read_range(parameter->integer, parameter->n_integer, value);
	}
	if (parameter->names_of) {
		value->kind = VALUE_NAMESPACES;
		return read_names(parameter->names_of, parameter->n_names_of, value);
	}
	if (parameter->words) {
		value->kind = VALUE_WORD;
		value->high = (int64_t)parameter->n_words;
		value->words = parameter->words;
		return value->high ? NULL : "is an empty list; write the texts to choose from";
	}
	value->kind = parameter->text     ? VALUE_TEXT
		      : parameter->vector ? VALUE_VECTOR
					  : VALUE_NAMESPACE;
	value->high = parameter->text     ? parameter->text
		      : parameter->vector ? parameter->vector
					  : parameter->name_of;
	return NULL;
}

void values_free(struct values *values)
{
	free(values->bytes);
	free(values->offsets);
	free(values->texts);
	free(values->vector);
	values->bytes = NULL;
	values->offsets = NULL;
	values->texts = NULL;
	values->vector = NULL;
	values->n_capacity = values->capacity = 0;
	values_clear(values);
}

void values_clear(struct values *values)
{
	values->n = values->length = 0;
}

static bool add_slot(struct values *values)
{
	size_t capacity = values->n_capacity ? values->n_capacity * 2 : 16, *offsets;
	const char **texts;

	if (values->n < values->n_capacity)
		return true;
	offsets = realloc(values->offsets, capacity * sizeof(*offsets));
	if (offsets)
		values->offsets = offsets;
	texts = realloc(values->texts, capacity * sizeof(*texts));
	if (texts)
		values->texts = texts;
	if (!offsets || !texts)
		return false;
	values->n_capacity = capacity;
	return true;
}

/* Room for a text of @size bytes with its NUL; NULL: no memory. */
static char *add_room(struct values *values, size_t size)
{
	if (!add_slot(values))
		return NULL;
	if (values->length + size > values->capacity) {
		size_t capacity = (values->length + size) * 2;
		char *larger = realloc(values->bytes, capacity);

		if (!larger)
			return NULL;
		values->bytes = larger;
		values->capacity = capacity;
	}
	values->offsets[values->n] = values->length;
	return values->bytes + values->length;
}

/* The text of @length bytes in that room is one more value. */
static bool end_text(struct values *values, char *text, size_t length)
{
	text[length] = '\0';
	values->length += length + 1;
	values->n++;
	return true;
}

int namespace_write(char *out, uint64_t i)
{
	return snprintf(out, NAMESPACE_TEXT, "ns-%" PRIu64, i);
}

void words_write(char *out, size_t n, uint64_t *state)
{
	static const char *const words[] = {
		"agent",    "answer",  "asked",   "before",  "build",   "call",   "customer",
		"decided",  "failed",  "found",   "learned", "memory",  "minute", "noted",
		"order",    "plan",    "project", "query",   "release", "report", "result",
		"reviewed", "service", "session", "step",    "table",   "task",   "told",
		"tool",     "user",    "value",   "worked",
	};
	size_t at = 0;

	while (at < n) {
		const char *word = words[random_below(state, sizeof(words) / sizeof(words[0]))];
		size_t length = strlen(word);

		if (at)
			out[at++] = ' ';
		if (length > n - at)
			length = n - at;
		memcpy(out + at, word, length);
		at += length;
	}
}

static bool add_integer(struct values *values, const struct value *value, uint64_t *state)
{
	char *out = add_room(values, NUMBER_TEXT);
	uint64_t span = (uint64_t)(value->high - value->low) + 1;

	/* The bias of 62 bits modulo a span that people write is of no consequence. */
	return out && end_text(values, out,
			       (size_t)snprintf(out, NUMBER_TEXT, "%" PRId64,
						value->low + (int64_t)(random_next(state) % span)));
}

static bool add_words(struct values *values, const struct value *value, uint64_t *state)
{
	size_t n = (size_t)value->high;
	char *out = add_room(values, n + 1);

	if (!out)
		return false;
	words_write(out, n, state);
	return end_text(values, out, n);
}

static bool add_vector(struct values *values, const struct value *value, uint64_t *state)
{
	size_t n = (size_t)value->high;
	char *out = add_room(values, n * VECTOR_COMPONENT_MAX + 3);

	if (!values->vector)
		values->vector = malloc(DIMENSIONS_MAX * sizeof(*values->vector));
	if (!out || !values->vector)
		return false;
	vector_make(values->seed, state, n, values->vector);
	return end_text(values, out, vector_write(values->vector, n, values->brackets, out));
}

static bool add_namespace(struct values *values, const struct value *value, uint64_t *state)
{
	char *out = add_room(values, NAMESPACE_TEXT);

	return out &&
	       end_text(values, out,
			(size_t)namespace_write(out, random_below(state, (uint32_t)value->high)));
}

static bool add_namespaces(struct values *values, const struct value *value, uint64_t *state)
{
	size_t n = (size_t)value->low, length = 0;
	char *out = add_room(values, n * (NAMESPACE_TEXT + 1) + 3);
	uint32_t chosen[NAMES_AT_A_TIME_MAX];

	if (!out)
		return false;
	out[length++] = '{';
	/* Floyd's way to draw @n different ones: the j-th of the last n, where what was drawn of
	 * those before it is taken. */
	for (size_t i = 0; i < n; i++) {
		uint32_t last = (uint32_t)(value->high - value->low) + (uint32_t)i;
		uint32_t drawn = random_below(state, last + 1);

		for (size_t j = 0; j < i; j++)
			if (chosen[j] == drawn)
				drawn = last;
		chosen[i] = drawn;
		if (i)
			out[length++] = ',';
		length += (size_t)namespace_write(out + length, drawn);
	}
	out[length++] = '}';
	return end_text(values, out, length);
}

static bool add_word(struct values *values, const struct value *value, uint64_t *state)
{
	const char *word = value->words[random_below(state, (uint32_t)value->high)];
	size_t n = strlen(word);
	char *out = add_room(values, n + 1);

	if (!out)
		return false;
	memcpy(out, word, n);
	return end_text(values, out, n);
}

static bool (*const adders[])(struct values *values, const struct value *value, uint64_t *state) = {
	[VALUE_INTEGER] = add_integer,       [VALUE_TEXT] = add_words,
	[VALUE_VECTOR] = add_vector,         [VALUE_NAMESPACE] = add_namespace,
	[VALUE_NAMESPACES] = add_namespaces, [VALUE_WORD] = add_word,
};

bool values_add(struct values *values, const struct value *value, uint64_t *state)
{
	return adders[value->kind](values, value, state);
}

const char *const *values_texts(struct values *values)
{
	for (size_t i = 0; i < values->n; i++)
		values->texts[i] = values->bytes + values->offsets[i];
	return values->texts;
}
