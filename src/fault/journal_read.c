/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "fault/journal_format.h"
#include "util/file.h"

static const char *const kind_names[] = {
	[JOURNAL_STOP] = "stop",
	[JOURNAL_RUN] = "run",
	[JOURNAL_NOTE] = "note",
};

#define KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

const char *journal_kind_name(enum journal_kind kind)
{
	return kind_names[kind];
}

void journal_boot(char boot[40])
{
	char *text = file_read("/proc/sys/kernel/random/boot_id", 4096, NULL);

	snprintf(boot, 40, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
	free(text);
}

uint64_t journal_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : (uint64_t)st.st_ino;
}

bool journal_is_of_this_boot(const struct journal_content *content)
{
	char boot[sizeof(content->boot)];

	journal_boot(boot);
	return !strcmp(boot, content->boot);
}

bool journal_is_of_this_namespace(const struct journal_content *content)
{
	return content->pid_namespace == journal_pid_namespace();
}

/* --- words ---------------------------------------------------------------------- */

char *journal_word_escape(const char *word)
{
	char *escaped = malloc(3 * strlen(word) + 1), *out = escaped;

	for (; escaped && *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (c >= 0x20 && c < 0x7f && c != '%')
			*out++ = (char)c;
		else
			out += sprintf(out, "%%%02x", c);
	}
	if (escaped)
		*out = '\0';
	return escaped;
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *journal_word_unescape(const char *word)
{
	char *plain = malloc(strlen(word) + 1), *out = plain;

	while (plain && *word) {
		if (*word == '%' && hex_value(word[1]) >= 0 && hex_value(word[2]) >= 0) {
			*out++ = (char)(hex_value(word[1]) * 16 + hex_value(word[2]));
			word += 3;
		} else {
			*out++ = *word++;
		}
	}
	if (plain)
		*out = '\0';
	return plain;
}

/* --- lines ---------------------------------------------------------------------- */

static void entry_clear(struct journal_entry *entry)
{
	for (size_t i = 0; entry->argv && entry->argv[i]; i++)
		free(entry->argv[i]);
	free(entry->argv);
	free(entry->processes);
	free(entry->fault);
	memset(entry, 0, sizeof(*entry));
}

/* All below: 0, -EINVAL for what is no such line, or -ENOMEM. */

static int take_process(const json_t *pair, struct process *process)
{
	const json_t *pid = json_array_get(pair, 0), *start = json_array_get(pair, 1);

	if (!json_is_integer(pid) || !json_is_integer(start) || json_integer_value(pid) < 1 ||
	    json_integer_value(pid) > INT_MAX || json_integer_value(start) < 0)
		return -EINVAL;
	*process = (struct process){.pid = (pid_t)json_integer_value(pid),
				    .start_ticks = (uint64_t)json_integer_value(start)};
	return 0;
}

static int take_processes(struct journal_entry *entry, const json_t *list)
{
	size_t n = json_array_size(list);
	struct process *larger;

	if (!json_is_array(list) || entry->n_processes + n > JOURNAL_PROCESSES_MAX)
		return -EINVAL;
	larger = realloc(entry->processes, (entry->n_processes + n + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	entry->processes = larger;
	for (size_t i = 0; i < n; i++) {
		if (take_process(json_array_get(list, i), &larger[entry->n_processes]))
			return -EINVAL;
		entry->n_processes++;
	}
	return 0;
}

static int take_words(struct journal_entry *entry, const json_t *list)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > JOURNAL_WORDS_MAX)
		return -EINVAL;
	if (!n)
		return 0;
	entry->argv = calloc(n + 1, sizeof(*entry->argv));
	if (!entry->argv)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (!word)
			return -EINVAL;
		entry->argv[i] = journal_word_unescape(word);
		if (!entry->argv[i])
			return -ENOMEM;
	}
	return 0;
}

static int take_kind(struct journal_entry *entry, const json_t *name)
{
	for (size_t i = 0; json_is_string(name) && i < KINDS; i++) {
		if (strcmp(kind_names[i], json_string_value(name)) != 0)
			continue;
		entry->kind = (enum journal_kind)i;
		return 0;
	}
	return -EINVAL;
}

static struct journal_entry *find_entry(struct journal_content *content, const json_t *id)
{
	for (size_t i = 0; json_is_integer(id) && i < content->n_entries; i++)
		if ((json_int_t)content->entries[i].id == json_integer_value(id))
			return &content->entries[i];
	return NULL;
}

static int take_add(struct journal_content *content, const json_t *line)
{
	const json_t *id = json_object_get(line, "add");
	const char *fault = json_string_value(json_object_get(line, "fault"));
	struct journal_entry entry = {0}, *larger;
	int failed;

	if (!json_is_integer(id) || json_integer_value(id) < 1 || !fault ||
	    find_entry(content, id) || take_kind(&entry, json_object_get(line, "kind")))
		return -EINVAL;
	larger = realloc(content->entries, (content->n_entries + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	content->entries = larger;
	entry.id = (uint64_t)json_integer_value(id);
	entry.fault = journal_word_unescape(fault);
	failed = entry.fault ? 0 : -ENOMEM;
	if (!failed)
		failed = take_processes(&entry, json_object_get(line, "processes"));
	if (!failed)
		failed = take_words(&entry, json_object_get(line, "argv"));
	if (failed) {
		entry_clear(&entry);
		return failed;
	}
	content->entries[content->n_entries++] = entry;
	return 0;
}

static int take_more(struct journal_content *content, const json_t *line)
{
	struct journal_entry *entry = find_entry(content, json_object_get(line, "more"));

	return entry ? take_processes(entry, json_object_get(line, "processes")) : -EINVAL;
}

static int take_done(struct journal_content *content, const json_t *line)
{
	struct journal_entry *entry = find_entry(content, json_object_get(line, "done"));
	size_t at;

	if (!entry)
		return -EINVAL;
	at = (size_t)(entry - content->entries);
	entry_clear(entry);
	content->n_entries--;
	memmove(entry, entry + 1, (content->n_entries - at) * sizeof(*entry));
	return 0;
}

static int take_header(struct journal_content *content, const json_t *line)
{
	const char *boot = json_string_value(json_object_get(line, "boot"));
	json_int_t namespace = json_integer_value(json_object_get(line, "pid_namespace"));
	json_int_t pid = json_integer_value(json_object_get(line, "pid"));
	json_int_t start = json_integer_value(json_object_get(line, "start"));

	if (json_integer_value(json_object_get(line, "journal")) != JOURNAL_VERSION || !boot ||
	    strlen(boot) >= sizeof(content->boot) || namespace < 0 || pid < 1 || pid > INT_MAX ||
	    start < 0)
		return -EINVAL;
	snprintf(content->boot, sizeof(content->boot), "%s", boot);
	content->pid_namespace = (uint64_t) namespace;
	content->owner = (struct process){.pid = (pid_t)pid, .start_ticks = (uint64_t)start};
	return 0;
}

/* The JSON of a line whose checksum is right; NULL: it is not. */
static json_t *load_line(const char *line, size_t length)
{
	char digits[JOURNAL_CRC_SIZE];
	const char *text = line + JOURNAL_CRC_SIZE;
	unsigned long crc;
	char *end;

	if (length <= JOURNAL_CRC_SIZE || line[JOURNAL_CRC_SIZE - 1] != ' ')
		return NULL;
	length -= JOURNAL_CRC_SIZE;
	memcpy(digits, line, JOURNAL_CRC_SIZE - 1);
	digits[JOURNAL_CRC_SIZE - 1] = '\0';
	crc = strtoul(digits, &end, 16);
	if (*end || crc != crc32(0, (const Bytef *)text, (uInt)length))
		return NULL;
	return json_loadb(text, length, 0, NULL);
}

static int take_line(struct journal_content *content, const char *text, size_t length, bool first)
{
	json_t *line = load_line(text, length);
	int failed;

	if (!line)
		failed = -EINVAL;
	else if (first)
		failed = take_header(content, line);
	else if (json_object_get(line, "add"))
		failed = take_add(content, line);
	else if (json_object_get(line, "more"))
		failed = take_more(content, line);
	else
		failed = take_done(content, line);
	json_decref(line);
	return failed;
}

int journal_parse(const char *text, size_t size, struct journal_content *content)
{
	const char *end = text + size, *newline;
	bool first = true;

	memset(content, 0, sizeof(*content));
	/* What has no newline was not yet on disk when its fault would have been applied. */
	for (; text < end && (newline = memchr(text, '\n', (size_t)(end - text)));
	     text = newline + 1) {
		int failed = take_line(content, text, (size_t)(newline - text), first);

		if (failed == -ENOMEM) {
			journal_content_clear(content);
			return failed;
		}
		content->damaged += failed != 0;
		/* Without the first, nothing is known of whose processes they are. */
		if (failed && first)
			return 0;
		first = false;
	}
	return 0;
}

void journal_content_clear(struct journal_content *content)
{
	for (size_t i = 0; i < content->n_entries; i++)
		entry_clear(&content->entries[i]);
	free(content->entries);
	memset(content, 0, sizeof(*content));
}
