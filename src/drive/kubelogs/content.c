/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/random.h"

/* Room for a stamp with its JSON head and the largest numbers that it can hold. */
#define STAMP_MAX        80
#define TEXT_MAX         (CONTENT_LINE_MAX - STAMP_MAX)
#define STAMPS_TRIED     4
#define JSON_HEAD_LENGTH (sizeof(CONTENT_JSON_HEAD) - 1)
#define MARK_LENGTH      (sizeof(CONTENT_MARK) - 1)

/* A text that is being rendered. What does not fit is cut; a test sees that nothing is. */
struct render {
	char text[TEXT_MAX];
	size_t length;
	uint64_t random;
	enum level level;
	const char *body;
};

static void put(struct render *render, const char *text, size_t length)
{
	size_t room = sizeof(render->text) - 2 - render->length;

	if (length > room)
		length = room;
	memcpy(render->text + render->length, text, length);
	render->length += length;
}

static void put_slot(struct render *render, const struct slot *slot)
{
	char text[24];
	uint32_t n = 0;
	int length;

	if (slot->words) {
		while (slot->words[n])
			n++;
		n = random_below(&render->random, n);
		put(render, slot->words[n], strlen(slot->words[n]));
		return;
	}
	if (slot->hex_digits)
		length = snprintf(text, sizeof(text), "%0*llx", slot->hex_digits,
				  (unsigned long long)random_next(&render->random) >>
					  (64 - 4 * slot->hex_digits));
	else
		length = snprintf(
			text, sizeof(text), "%u",
			slot->low + random_below(&render->random, slot->high - slot->low + 1));
	put(render, text, (size_t)length);
}

/* An address of the blocks that are set aside for documentation. */
static void put_address(struct render *render)
{
	static const char *const blocks[] = {"192.0.2", "198.51.100", "203.0.113"};
	char text[24];
	int length;

	length = snprintf(text, sizeof(text), "%s.%u", blocks[random_below(&render->random, 3)],
			  1 + random_below(&render->random, 254));
	put(render, text, (size_t)length);
}

static void expand(struct render *render, const char *template)
{
	while (*template) {
		size_t plain = strcspn(template, "<"), name;
		const struct slot *slot;

		put(render, template, plain);
		template += plain;
		if (!*template)
			break;
		name = strcspn(template, ">") - 1;
		slot = slot_find(template + 1, name);
		if (slot)
			put_slot(render, slot);
		else if (!strncmp(template, "<level>", 7))
			put(render, level_name(render->level), strlen(level_name(render->level)));
		else if (!strncmp(template, "<ip4>", 5))
			put_address(render);
		else if (!strncmp(template, "<text>", 6) && render->body)
			put(render, render->body, strlen(render->body));
		else
			put(render, template,
			    name + 2); /* unknown: left as it is for the test to find */
		template += name + 2;
	}
}

static const char *pick_text(const struct flavour *flavour, enum level level, uint64_t *random)
{
	const char *const *texts = level >= LEVEL_WARN ? flavour->alarm : flavour->calm;
	uint32_t n = 0;

	while (n < FLAVOUR_TEXTS && texts[n])
		n++;
	return texts[random_below(random, n)];
}

static int render_message(struct message *message, const struct flavour *flavour, enum level level,
			  size_t index, uint64_t random)
{
	const char *layout = flavour->layout;
	struct render body = {.random = random, .level = level}, line = {.level = level};

	if (flavour->other_layout && index % 4 == 0)
		layout = flavour->other_layout;
	expand(&body, pick_text(flavour, level, &body.random));
	body.text[body.length] = '\0';
	line.random = body.random;
	line.body = body.text;
	message->level = level;
	message->is_json = *layout == '"';
	message->is_wanted = true;
	put(&line, message->is_json ? "\"," : " ", message->is_json ? 2 : 1);
	expand(&line, layout);
	line.text[line.length++] = '\n';
	message->length = (uint32_t)line.length;
	message->text = malloc(line.length);
	if (!message->text)
		return -1;
	memcpy(message->text, line.text, line.length);
	return 0;
}

/* The levels are shared out by quota, not drawn: the mix is right to 1/CONTENT_POOL. */
static enum level level_at(const struct flavour *flavour, size_t index)
{
	int percent = 0;

	for (int level = 0; level < LEVELS; level++) {
		percent += flavour->percent[level];
		if (index * 100 + 50 < (size_t)percent * CONTENT_POOL)
			return level;
	}
	return LEVEL_INFO;
}

struct content *content_new(uint64_t seed)
{
	struct content *content = calloc(1, sizeof(*content));
	uint64_t random = random_mix(seed + RANDOM_STEP);

	if (!content)
		return NULL;
	content->all_wanted = true;
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++)
		for (size_t i = 0; i < CONTENT_POOL; i++) {
			const struct flavour *flavour = flavour_of(kind);

			if (render_message(&content->messages[kind][i], flavour,
					   level_at(flavour, i), i, random_next(&random))) {
				content_free(content);
				return NULL;
			}
		}
	return content;
}

void content_free(struct content *content)
{
	if (!content)
		return;
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++)
		for (size_t i = 0; i < CONTENT_POOL; i++)
			free(content->messages[kind][i].text);
	free(content);
}

/* 1: all lines of the message are wanted, 0: none, -1: it depends on the stamp. */
static int is_wanted(const struct filter_matcher *matcher, const struct message *message,
		     uint64_t *random)
{
	char line[CONTENT_LINE_MAX];
	int wanted = 0;

	for (int i = 0; i < STAMPS_TRIED; i++) {
		uint64_t seq = random_next(random) >> (20 + random_below(random, 40));
		uint64_t intended = random_next(random) >> 3;
		size_t length =
			content_write_line(line, message, random_below(random, 100), seq, intended);

		wanted += filter_matches(matcher, line, length - 1);
	}
	return wanted == STAMPS_TRIED ? 1 : wanted ? -1 : 0;
}

int content_set_filter(struct content *content, const struct filter *filter, struct error *err)
{
	struct filter_matcher *matcher = filter_matcher_new(filter, err);
	uint64_t random = RANDOM_STEP;
	int rc = 0;

	content->all_wanted = true;
	if (!matcher)
		return -1;
	for (int kind = 0; kind < SCHEDULE_KINDS && !rc; kind++)
		for (size_t i = 0; i < CONTENT_POOL && !rc; i++) {
			struct message *message = &content->messages[kind][i];
			int wanted = is_wanted(matcher, message, &random);

			if (wanted < 0)
				rc = error_set(err, EXIT_CODE_USAGE,
					       "kubelogs: the filter matches digits of some lines' "
					       "stamps (pb#POD/SEQ/TIME#), so the lines to expect "
					       "cannot be counted; filter by words instead");
			message->is_wanted = wanted > 0;
			content->all_wanted &= message->is_wanted;
		}
	filter_matcher_free(matcher);
	return rc;
}

char *content_write_number(char *out, uint64_t value)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char digits[20], *p = digits + sizeof(digits);

	while (value >= 100) {
		p -= 2;
		memcpy(p, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		p -= 2;
		memcpy(p, pairs + 2 * value, 2);
	} else {
		*--p = (char)('0' + value);
	}
	memcpy(out, p, (size_t)(digits + sizeof(digits) - p));
	return out + (digits + sizeof(digits) - p);
}

size_t content_write_head(char *out, const struct message *message, uint32_t pod, uint64_t seq,
			  uint64_t intended_ns)
{
	char *p = out;

	if (message->is_json) {
		memcpy(p, CONTENT_JSON_HEAD, JSON_HEAD_LENGTH);
		p += JSON_HEAD_LENGTH;
	}
	memcpy(p, CONTENT_MARK, MARK_LENGTH);
	p += MARK_LENGTH;
	if (pod < 10)
		*p++ = '0';
	p = content_write_number(p, pod);
	*p++ = '/';
	p = content_write_number(p, seq);
	*p++ = '/';
	p = content_write_number(p, intended_ns);
	*p++ = '#';
	return (size_t)(p - out);
}

size_t content_write_line(char *out, const struct message *message, uint32_t pod, uint64_t seq,
			  uint64_t intended_ns)
{
	size_t length = content_write_head(out, message, pod, seq, intended_ns);

	memcpy(out + length, message->text, message->length);
	return length + message->length;
}

/* A number at @*at that @end ends; it moves behind @end. */
static bool read_number(const char **at, const char *limit, char end, uint64_t *value)
{
	const char *p = *at;
	uint64_t n = 0;

	while (p < limit && *p >= '0' && *p <= '9') {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
		p++;
	}
	if (p == *at || p == limit || *p != end)
		return false;
	*at = p + 1;
	*value = n;
	return true;
}

bool content_read_stamp(const char *text, size_t length, uint32_t *pod, uint64_t *seq,
			uint64_t *intended_ns)
{
	const char *p = text + MARK_LENGTH, *limit = text + length;
	uint64_t number;

	if (length < MARK_LENGTH || memcmp(text, CONTENT_MARK, MARK_LENGTH) ||
	    !read_number(&p, limit, '/', &number) || number > UINT32_MAX ||
	    !read_number(&p, limit, '/', seq) || !read_number(&p, limit, '#', intended_ns))
		return false;
	*pod = (uint32_t)number;
	return true;
}
