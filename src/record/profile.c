/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/profile_table.h"
#include "util/hash_index.h"

struct profile_index {
	struct hash_index modules, frames, nodes, processes, rows;
};

const char *const profile_reasons[PROFILE_REASONS] = {
	"futex", "socket", "pipe", "disk", "timer", "other", "run queue", "",
};

const char *profile_kind_name(enum profile_kind kind)
{
	static const char *const names[PROFILE_KINDS] = {"oncpu", "offcpu"};

	return names[kind];
}

const char *profile_frame_kind_name(enum profile_frame_kind kind)
{
	static const char *const names[PROFILE_FRAME_KINDS] = {"native", "kernel", "jit", "inlined",
							       "mark"};

	return names[kind];
}

const char *profile_end_name(enum profile_end end)
{
	static const char *const names[PROFILE_ENDS] = {
		[PROFILE_END_COMPLETE] = "complete",
		[PROFILE_END_NO_USER] = "no user stack",
		[PROFILE_END_DEPTH] = "too deep",
		[PROFILE_END_MEMORY] = "stack not readable",
		[PROFILE_END_UNMAPPED] = "address in no file",
		[PROFILE_END_UNLOADED] = "rows not loaded",
		[PROFILE_END_EXPRESSION] = "rule not held by rows",
		[PROFILE_END_BROKEN] = "broken",
		[PROFILE_END_WOKEN] = "woken while looked at",
	};

	return names[end];
}

bool profile_end_is_truncated(enum profile_end end)
{
	return end != PROFILE_END_COMPLETE && end != PROFILE_END_NO_USER;
}

struct profile *profile_new(void)
{
	return calloc(1, sizeof(struct profile));
}

static void index_free(struct profile_index *index)
{
	if (!index)
		return;
	hash_index_clear(&index->modules);
	hash_index_clear(&index->frames);
	hash_index_clear(&index->nodes);
	hash_index_clear(&index->processes);
	hash_index_clear(&index->rows);
	free(index);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile->n_modules; i++) {
		free(profile->modules[i].path);
		free(profile->modules[i].build_id);
	}
	for (size_t i = 0; i < profile->n_frames; i++) {
		free(profile->frames[i].function);
		free(profile->frames[i].source);
	}
	for (size_t i = 0; i < profile->n_processes; i++)
		free(profile->processes[i]);
	free(profile->modules);
	free(profile->frames);
	free(profile->nodes);
	free(profile->processes);
	free(profile->rows);
	index_free(profile->index);
	free(profile);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static uint32_t hash_module(const struct profile_module *module)
{
	return hash_mix(hash_string(module->path), hash_string(module->build_id));
}

static bool same_module(const void *table, uint32_t at, const void *key)
{
	const struct profile_module *a = (const struct profile_module *)table + at, *b = key;

	return same_text(a->path, b->path) && same_text(a->build_id, b->build_id);
}

static uint32_t hash_frame(const struct profile_frame *frame)
{
	uint32_t hash = hash_mix(hash_string(frame->function), frame->address);

	hash = hash_mix(hash, (uint64_t)frame->module << 32 | frame->line);
	return hash_mix(hash, (uint64_t)hash_string(frame->source) << 8 | frame->kind);
}

static bool same_frame(const void *table, uint32_t at, const void *key)
{
	const struct profile_frame *a = (const struct profile_frame *)table + at, *b = key;

	return a->module == b->module && a->address == b->address && a->line == b->line &&
	       a->kind == b->kind && same_text(a->function, b->function) &&
	       same_text(a->source, b->source);
}

static uint32_t hash_node(const struct profile_node *node)
{
	return hash_u64((uint64_t)node->parent << 32 | node->frame);
}

static bool same_node(const void *table, uint32_t at, const void *key)
{
	const struct profile_node *a = (const struct profile_node *)table + at, *b = key;

	return a->parent == b->parent && a->frame == b->frame;
}

static bool same_process(const void *table, uint32_t at, const void *key)
{
	return !strcmp(((char *const *)table)[at], key);
}

static uint32_t hash_row(const struct profile_row *row)
{
	uint32_t hash = hash_u64((uint64_t)row->round << 32 | row->phase);

	hash = hash_mix(hash, (uint64_t)row->process << 32 | row->node);
	return hash_mix(hash, (uint64_t)row->kind << 24 | (uint64_t)row->reason << 16 |
				      (uint64_t)row->end << 8 | row->by_fp);
}

static bool same_row(const void *table, uint32_t at, const void *key)
{
	const struct profile_row *a = (const struct profile_row *)table + at, *b = key;

	return a->round == b->round && a->phase == b->phase && a->process == b->process &&
	       a->node == b->node && a->kind == b->kind && a->reason == b->reason &&
	       a->end == b->end && a->by_fp == b->by_fp;
}

/* Of a profile that was read: what is in it already must be found. */
static int index_fill(struct profile_index *index, const struct profile *profile)
{
	int rc = 0;

	for (uint32_t i = 0; i < profile->n_modules && !rc; i++)
		rc = hash_index_add(&index->modules, hash_module(&profile->modules[i]), i);
	for (uint32_t i = 0; i < profile->n_frames && !rc; i++)
		rc = hash_index_add(&index->frames, hash_frame(&profile->frames[i]), i);
	for (uint32_t i = 0; i < profile->n_nodes && !rc; i++)
		rc = hash_index_add(&index->nodes, hash_node(&profile->nodes[i]), i);
	for (uint32_t i = 0; i < profile->n_processes && !rc; i++)
		rc = hash_index_add(&index->processes, hash_string(profile->processes[i]), i);
	for (uint32_t i = 0; i < profile->n_rows && !rc; i++)
		rc = hash_index_add(&index->rows, hash_row(&profile->rows[i]), i);
	return rc;
}

static struct profile_index *index_of(struct profile *profile)
{
	struct profile_index *index;

	if (profile->index)
		return profile->index;
	index = calloc(1, sizeof(*index));
	if (!index || index_fill(index, profile)) {
		index_free(index);
		return NULL;
	}
	profile->index = index;
	return index;
}

/* A copy of @text that may be NULL. -1 without memory. */
static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -1 : 0;
}

int64_t profile_add_module(struct profile *profile, const char *path, const char *build_id)
{
	const struct profile_module key = {(char *)path, (char *)build_id};
	struct profile_index *index = index_of(profile);
	struct profile_module module = {0};
	uint32_t hash = hash_module(&key), at;

	if (!index)
		return -1;
	at = hash_index_find(&index->modules, hash, same_module, profile->modules, &key);
	if (at != HASH_INDEX_NONE)
		return at;
	at = (uint32_t)profile->n_modules;
	if (profile_grow((void **)&profile->modules, at, sizeof(module)) ||
	    copy_text(&module.path, path) || copy_text(&module.build_id, build_id) ||
	    hash_index_add(&index->modules, hash, at)) {
		free(module.path);
		free(module.build_id);
		return -1;
	}
	profile->modules[profile->n_modules++] = module;
	return at;
}

int64_t profile_add_process(struct profile *profile, const char *name)
{
	struct profile_index *index = index_of(profile);
	uint32_t hash = hash_string(name), at;
	char *copy;

	if (!index)
		return -1;
	at = hash_index_find(&index->processes, hash, same_process, profile->processes, name);
	if (at != HASH_INDEX_NONE)
		return at;
	at = (uint32_t)profile->n_processes;
	copy = strdup(name);
	if (!copy || profile_grow((void **)&profile->processes, at, sizeof(copy)) ||
	    hash_index_add(&index->processes, hash, at)) {
		free(copy);
		return -1;
	}
	profile->processes[profile->n_processes++] = copy;
	return at;
}

int64_t profile_add_frame(struct profile *profile, const struct profile_frame *frame)
{
	struct profile_index *index = index_of(profile);
	struct profile_frame copy = *frame;
	uint32_t hash = hash_frame(frame), at;

	if (!index)
		return -1;
	at = hash_index_find(&index->frames, hash, same_frame, profile->frames, frame);
	if (at != HASH_INDEX_NONE)
		return at;
	at = (uint32_t)profile->n_frames;
	copy.source = NULL;
	if (copy_text(&copy.function, frame->function) || copy_text(&copy.source, frame->source) ||
	    profile_grow((void **)&profile->frames, at, sizeof(copy)) ||
	    hash_index_add(&index->frames, hash, at)) {
		free(copy.function);
		free(copy.source);
		return -1;
	}
	profile->frames[profile->n_frames++] = copy;
	return at;
}

int64_t profile_add_node(struct profile *profile, uint32_t parent, uint32_t frame)
{
	const struct profile_node node = {parent, frame};
	struct profile_index *index = index_of(profile);
	uint32_t hash = hash_node(&node), at;

	if (!index)
		return -1;
	at = hash_index_find(&index->nodes, hash, same_node, profile->nodes, &node);
	if (at != HASH_INDEX_NONE)
		return at;
	at = (uint32_t)profile->n_nodes;
	if (profile_grow((void **)&profile->nodes, at, sizeof(node)) ||
	    hash_index_add(&index->nodes, hash, at))
		return -1;
	profile->nodes[profile->n_nodes++] = node;
	return at;
}

int profile_add_row(struct profile *profile, const struct profile_row *row)
{
	struct profile_index *index = index_of(profile);
	struct profile_row key = *row;
	uint32_t hash, at;

	if (key.kind == PROFILE_ONCPU)
		key.reason = PROFILE_REASON_NONE;
	hash = hash_row(&key);
	if (!index)
		return -1;
	at = hash_index_find(&index->rows, hash, same_row, profile->rows, &key);
	if (at != HASH_INDEX_NONE) {
		profile->rows[at].samples += row->samples;
		profile->rows[at].seconds += row->seconds;
		return 0;
	}
	at = (uint32_t)profile->n_rows;
	if (profile_grow((void **)&profile->rows, at, sizeof(key)) ||
	    hash_index_add(&index->rows, hash, at))
		return -1;
	profile->rows[profile->n_rows++] = key;
	return 0;
}

const char *profile_frame_label(const struct profile *profile, uint32_t frame, char *buf,
				size_t size)
{
	const struct profile_frame *f = &profile->frames[frame];
	const char *path, *name;

	if (f->function && *f->function) {
		snprintf(buf, size, "%s", f->function);
	} else if (f->module != PROFILE_NONE) {
		path = profile->modules[f->module].path;
		name = strrchr(path, '/');
		snprintf(buf, size, "[unknown] (%s+0x%" PRIx64 ")",
			 name && name[1] ? name + 1 : path, f->address);
	} else {
		snprintf(buf, size, "[unknown] (0x%" PRIx64 ")", f->address);
	}
	return buf;
}
