/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "report/flame.h"
#include "util/hash_index.h"

struct namer {
	struct flame_names *names;
	struct hash_index index;
	size_t room;
};

static bool same_name(const void *table, uint32_t at, const void *key)
{
	const struct flame_name *a = (const struct flame_name *)table + at, *b = key;

	return a->kind == b->kind && a->is_process == b->is_process && !strcmp(a->text, b->text);
}

/* 0 or -1; *@out is where the name is. */
static int add(struct namer *namer, const struct flame_name *name, uint32_t *out)
{
	struct flame_names *names = namer->names;
	uint32_t hash =
		hash_mix(hash_string(name->text), (uint64_t)name->kind << 1 | name->is_process);
	struct flame_name *at;

	*out = hash_index_find(&namer->index, hash, same_name, names->list, name);
	if (*out != HASH_INDEX_NONE) {
		at = &names->list[*out];
		if (at->module != name->module)
			at->module = PROFILE_NONE;
		return 0;
	}
	if (names->n == namer->room) {
		size_t room = namer->room ? 2 * namer->room : 64;
		struct flame_name *list = reallocarray(names->list, room, sizeof(*list));

		if (!list)
			return -1;
		names->list = list;
		namer->room = room;
	}
	*out = (uint32_t)names->n;
	at = &names->list[names->n];
	*at = *name;
	at->text = strdup(name->text);
	if (!at->text)
		return -1;
	names->n++;
	return hash_index_add(&namer->index, hash, *out);
}

static int add_mark(struct namer *namer, const char *text, uint32_t *out)
{
	const struct flame_name name = {
		.text = (char *)text, .kind = PROFILE_FRAME_MARK, .module = PROFILE_NONE};

	return add(namer, &name, out);
}

static int add_frames(struct namer *namer, const struct profile *profile)
{
	char label[FLAME_NAME_MAX];
	int rc = 0;

	for (uint32_t i = 0; i < profile->n_frames && !rc; i++) {
		const struct flame_name name = {
			.text = (char *)profile_frame_label(profile, i, label, sizeof(label)),
			.kind = profile->frames[i].kind,
			.module = profile->frames[i].module,
		};

		rc = add(namer, &name, &namer->names->of_frame[i]);
	}
	return rc;
}

static int add_processes(struct namer *namer, const struct profile *profile)
{
	int rc = 0;

	for (uint32_t i = 0; i < profile->n_processes && !rc; i++) {
		const struct flame_name name = {
			.text = *profile->processes[i] ? profile->processes[i]
						       : (char *)"[no name]",
			.kind = PROFILE_FRAME_MARK,
			.is_process = true,
			.module = PROFILE_NONE,
		};

		rc = add(namer, &name, &namer->names->of_process[i]);
	}
	return rc;
}

static int add_marks(struct namer *namer)
{
	struct flame_names *names = namer->names;
	char text[32];
	int rc;

	rc = add_mark(namer, "all", &names->root);
	if (!rc)
		rc = add_mark(namer, "[truncated]", &names->truncated);
	for (size_t i = 0; i < PROFILE_REASONS && !rc; i++) {
		snprintf(text, sizeof(text), "[%s]", profile_reasons[i]);
		rc = add_mark(namer, text, &names->of_reason[i]);
	}
	return rc;
}

static int compare_names(const void *a, const void *b, void *list)
{
	const struct flame_name *x = (const struct flame_name *)list + *(const uint32_t *)a;
	const struct flame_name *y = (const struct flame_name *)list + *(const uint32_t *)b;
	int order = strcmp(x->text, y->text);

	if (!order)
		order = (int)x->kind - (int)y->kind;
	return order ? order : (int)x->is_process - (int)y->is_process;
}

static void renumber(uint32_t *list, size_t n, const uint32_t *place)
{
	for (size_t i = 0; i < n; i++)
		list[i] = place[list[i]];
}

/* So that the order of numbers is that of names. */
static int sort(struct flame_names *names, const struct profile *profile)
{
	uint32_t *order = calloc(names->n, sizeof(*order)),
		 *place = calloc(names->n, sizeof(*place));
	struct flame_name *sorted = calloc(names->n, sizeof(*sorted));

	if (order && place && sorted) {
		for (uint32_t i = 0; i < names->n; i++)
			order[i] = i;
		qsort_r(order, names->n, sizeof(*order), compare_names, names->list);
		for (uint32_t i = 0; i < names->n; i++) {
			place[order[i]] = i;
			sorted[i] = names->list[order[i]];
		}
		free(names->list);
		names->list = sorted;
		renumber(names->of_frame, profile->n_frames, place);
		renumber(names->of_process, profile->n_processes, place);
		renumber(names->of_reason, PROFILE_REASONS, place);
		renumber(&names->root, 1, place);
		renumber(&names->truncated, 1, place);
	} else {
		free(sorted);
		sorted = NULL;
	}
	free(order);
	free(place);
	return sorted ? 0 : -1;
}

struct flame_names *flame_names_new(const struct profile *profile)
{
	struct namer namer = {.names = calloc(1, sizeof(struct flame_names))};
	struct flame_names *names = namer.names;
	int rc = -1;

	if (!names)
		return NULL;
	names->of_frame = calloc(profile->n_frames + 1, sizeof(*names->of_frame));
	names->of_process = calloc(profile->n_processes + 1, sizeof(*names->of_process));
	if (names->of_frame && names->of_process)
		rc = add_frames(&namer, profile);
	if (!rc)
		rc = add_processes(&namer, profile);
	if (!rc)
		rc = add_marks(&namer);
	if (!rc)
		rc = sort(names, profile);
	hash_index_clear(&namer.index);
	if (!rc)
		return names;
	flame_names_free(names);
	return NULL;
}

void flame_names_free(struct flame_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i].text);
	free(names->list);
	free(names->of_frame);
	free(names->of_process);
	free(names);
}
