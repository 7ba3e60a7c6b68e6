/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/profile_table.h"

/* Each table defines T as the struct that its offsets are in. */
#define COLUMN(kind_, name, ...)                                                                   \
	{                                                                                          \
		.key = #name, .kind = kind_, .offset = offsetof(T, name),                          \
		.size = sizeof(((T *)0)->name), __VA_ARGS__                                        \
	}
#define IN(table) .of = offsetof(struct profile, n_##table)
#define TABLE(name, columns)                                                                       \
	{                                                                                          \
#name, sizeof(T), offsetof(struct profile, name),                                  \
			offsetof(struct profile, n_##name), columns,                               \
			sizeof(columns) / sizeof((columns)[0])                                     \
	}

#define T struct profile_module
static const struct column modules[] = {
	COLUMN(COLUMN_STRING, path),
	COLUMN(COLUMN_STRING, build_id, .nullable = true),
};
#undef T

#define T struct profile_frame
static const struct column frames[] = {
	COLUMN(COLUMN_STRING, function, .nullable = true),
	COLUMN(COLUMN_INDEX, module, .nullable = true, IN(modules)),
	COLUMN(COLUMN_ADDRESS, address),
	COLUMN(COLUMN_STRING, source, .nullable = true),
	COLUMN(COLUMN_NUMBER, line),
	COLUMN(COLUMN_WORD, kind, .words = WORDS_FRAME_KINDS),
};
#undef T

#define T struct profile_node
static const struct column nodes[] = {
	COLUMN(COLUMN_INDEX, parent, .nullable = true, IN(nodes)),
	COLUMN(COLUMN_INDEX, frame, IN(frames)),
};
#undef T

static const struct column processes[] = {
	{.key = "name", .kind = COLUMN_STRING, .size = sizeof(char *)},
};

#define T struct profile_row
static const struct column rows[] = {
	COLUMN(COLUMN_NUMBER, round), /* what holds the record checks these two */
	COLUMN(COLUMN_NUMBER, phase, .nullable = true),
	COLUMN(COLUMN_INDEX, process, IN(processes)),
	COLUMN(COLUMN_INDEX, node, .nullable = true, IN(nodes)),
	COLUMN(COLUMN_WORD, kind, .words = WORDS_KINDS),
	COLUMN(COLUMN_WORD, reason, .words = WORDS_REASONS),
	COLUMN(COLUMN_WORD, end, .words = WORDS_ENDS),
	COLUMN(COLUMN_FLAG, by_fp),
	COLUMN(COLUMN_COUNT, samples),
	COLUMN(COLUMN_SECONDS, seconds),
};
#undef T

const struct profile_table profile_tables[PROFILE_TABLES] = {
#define T struct profile_module
	TABLE(modules, modules),
#undef T
#define T struct profile_frame
	TABLE(frames, frames),
#undef T
#define T struct profile_node
	TABLE(nodes, nodes),
#undef T
#define T char *
	TABLE(processes, processes),
#undef T
#define T struct profile_row
	TABLE(rows, rows),
#undef T
};

const char *profile_words_key(enum profile_words words)
{
	static const char *const keys[PROFILE_WORDS] = {"kinds", "frame_kinds", "reasons", "ends"};

	return keys[words];
}

size_t profile_words_count(enum profile_words words)
{
	static const size_t counts[PROFILE_WORDS] = {PROFILE_KINDS, PROFILE_FRAME_KINDS,
						     PROFILE_REASONS, PROFILE_ENDS};

	return counts[words];
}

const char *profile_word(enum profile_words words, size_t i)
{
	switch (words) {
	case WORDS_KINDS:
		return profile_kind_name((enum profile_kind)i);
	case WORDS_FRAME_KINDS:
		return profile_frame_kind_name((enum profile_frame_kind)i);
	case WORDS_REASONS:
		return profile_reasons[i];
	case WORDS_ENDS:
		return profile_end_name((enum profile_end)i);
	case PROFILE_WORDS:
		break;
	}
	return "";
}
