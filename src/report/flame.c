/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From rows of a profile to a tree of names; what they cost is in flame_values.c. */
#include "report/flame.h"

#include <stdlib.h>
#include <string.h>

#include "report/flame_values.h"
#include "util/hash_index.h"

struct grower {
	struct flame *flame;
	const struct profile *profile;
	size_t room;
	struct hash_index by_name; /* a node by its parent and name */
	/* Where a node of the profile is, below a process: so each is walked once. */
	struct hash_index by_place;
	struct place {
		uint32_t top, node, at;
	} * places;
	size_t n_places, places_room;
};

static bool same_node(const void *table, uint32_t at, const void *key)
{
	const struct flame_node *a = (const struct flame_node *)table + at, *b = key;

	return a->parent == b->parent && a->name == b->name;
}

static bool same_place(const void *table, uint32_t at, const void *key)
{
	const struct place *a = (const struct place *)table + at, *b = key;

	return a->top == b->top && a->node == b->node;
}

/* A longer list; NULL without memory, and then the old one is as it was. */
static void *longer(void *list, size_t n, size_t *room, size_t size)
{
	void *grown;

	if (n < *room)
		return list;
	grown = reallocarray(list, *room ? 2 * *room : 256, size);
	if (grown)
		*room = *room ? 2 * *room : 256;
	return grown;
}

/* The child of @parent with @name, made where there is none. FLAME_NONE without memory. */
static uint32_t child_of(struct grower *grower, uint32_t parent, uint32_t name)
{
	const struct flame_node key = {.parent = parent, .name = name};
	uint32_t hash = hash_u64((uint64_t)parent << 32 | name), at;
	struct flame *flame = grower->flame;
	struct flame_node *nodes;

	at = hash_index_find(&grower->by_name, hash, same_node, flame->nodes, &key);
	if (at != HASH_INDEX_NONE)
		return at;
	if (flame->n_nodes >= FLAME_MAX_NODES)
		return parent;
	nodes = longer(flame->nodes, flame->n_nodes, &grower->room, sizeof(*nodes));
	if (!nodes)
		return FLAME_NONE;
	flame->nodes = nodes;
	at = (uint32_t)flame->n_nodes;
	nodes[flame->n_nodes++] = key;
	return hash_index_add(&grower->by_name, hash, at) ? FLAME_NONE : at;
}

static int remember(struct grower *grower, uint32_t top, uint32_t node, uint32_t at)
{
	struct place *places =
		longer(grower->places, grower->n_places, &grower->places_room, sizeof(*places));

	if (!places)
		return -1;
	grower->places = places;
	places[grower->n_places] = (struct place){top, node, at};
	return hash_index_add(&grower->by_place, hash_u64((uint64_t)top << 32 | node),
			      (uint32_t)grower->n_places++);
}

static uint32_t find_place(const struct grower *grower, uint32_t top, uint32_t node)
{
	const struct place key = {.top = top, .node = node};
	uint32_t at = hash_index_find(&grower->by_place, hash_u64((uint64_t)top << 32 | node),
				      same_place, grower->places, &key);

	return at == HASH_INDEX_NONE ? FLAME_NONE : grower->places[at].at;
}

/* The innermost frame of the stack that ends in @node of the profile, below @top. */
static uint32_t grow_stack(struct grower *grower, uint32_t top, uint32_t node)
{
	uint32_t path[PROFILE_MAX_DEPTH], n = 0, at = FLAME_NONE;

	for (; node != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     node = grower->profile->nodes[node].parent) {
		at = find_place(grower, top, node);
		if (at != FLAME_NONE)
			break;
		path[n++] = node;
	}
	if (at == FLAME_NONE)
		at = top;
	while (n-- > 0) {
		uint32_t frame = grower->profile->nodes[path[n]].frame;

		at = child_of(grower, at, grower->flame->names->of_frame[frame]);
		if (at == FLAME_NONE || remember(grower, top, path[n], at))
			return FLAME_NONE;
	}
	return at;
}

/* A mark that is there already says more than "[truncated]". */
static bool is_marked(const struct profile *profile, uint32_t node)
{
	if (node == PROFILE_NONE)
		return false;
	while (profile->nodes[node].parent != PROFILE_NONE)
		node = profile->nodes[node].parent;
	return profile->frames[profile->nodes[node].frame].kind == PROFILE_FRAME_MARK;
}

static uint32_t grow_row(struct grower *grower, const struct profile_row *row)
{
	const struct flame_names *names = grower->flame->names;
	uint32_t at = child_of(grower, 0, names->of_process[row->process]);

	if (at != FLAME_NONE && profile_end_is_truncated((enum profile_end)row->end) &&
	    !is_marked(grower->profile, row->node))
		at = child_of(grower, at, names->truncated);
	if (at != FLAME_NONE)
		at = grow_stack(grower, at, row->node);
	if (at != FLAME_NONE && row->kind == PROFILE_OFFCPU && row->reason != PROFILE_REASON_NONE)
		at = child_of(grower, at, names->of_reason[row->reason]);
	return at;
}

static bool is_of_phase(const struct record *rec, const struct profile_row *row, const char *phase)
{
	const struct record_round *round = &rec->rounds[row->round];
	const char *name;

	if (!phase)
		return true;
	if (row->phase == PROFILE_NONE || row->phase >= round->n_phases)
		return false;
	name = round->phases[row->phase].name;
	return name && !strcmp(name, phase);
}

static bool is_wanted(const struct flame *flame, const struct profile_row *row)
{
	const struct flame_options *options = &flame->options;

	return row->kind == options->kind && row->round < flame->rec->n_rounds &&
	       (options->side == FLAME_DIFF ||
		(int)flame->rec->rounds[row->round].side == (int)options->side) &&
	       is_of_phase(flame->rec, row, options->phase);
}

static int compare_rows(const void *a, const void *b, void *rows)
{
	const struct flame_row *x = a, *y = b;
	uint32_t round_x = ((const struct profile_row *)rows)[x->row].round;
	uint32_t round_y = ((const struct profile_row *)rows)[y->row].round;

	if (round_x != round_y)
		return round_x < round_y ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int grow(struct grower *grower)
{
	const struct profile *profile = grower->profile;
	struct flame *flame = grower->flame;

	flame->rows = calloc(profile->n_rows + 1, sizeof(*flame->rows));
	flame->nodes = longer(NULL, 0, &grower->room, sizeof(*flame->nodes));
	if (!flame->rows || !flame->nodes)
		return -1;
	flame->nodes[flame->n_nodes++] =
		(struct flame_node){.parent = FLAME_NONE, .name = flame->names->root};
	for (uint32_t i = 0; i < profile->n_rows; i++) {
		uint32_t at;

		if (!is_wanted(flame, &profile->rows[i]))
			continue;
		at = grow_row(grower, &profile->rows[i]);
		if (at == FLAME_NONE)
			return -1;
		if (flame->n_nodes >= FLAME_MAX_NODES)
			flame->cut_samples += (double)profile->rows[i].samples;
		flame->rows[flame->n_rows++] = (struct flame_row){i, at};
	}
	qsort_r(flame->rows, flame->n_rows, sizeof(*flame->rows), compare_rows, profile->rows);
	return 0;
}

struct branch {
	uint64_t order; /* parent, then name */
	uint32_t node;
};

static int compare_branches(const void *a, const void *b)
{
	uint64_t x = ((const struct branch *)a)->order, y = ((const struct branch *)b)->order;

	return x < y ? -1 : x > y;
}

/* Names are numbered in alphabetical order, and so are children then. */
static int sort_children(struct flame *flame)
{
	struct branch *branches = calloc(flame->n_nodes, sizeof(*branches));
	uint32_t n = 0;

	flame->children = calloc(flame->n_nodes, sizeof(*flame->children));
	if (!branches || !flame->children) {
		free(branches);
		return -1;
	}
	for (uint32_t i = 1; i < flame->n_nodes; i++)
		branches[n++] = (struct branch){
			(uint64_t)flame->nodes[i].parent << 32 | flame->nodes[i].name, i};
	qsort(branches, n, sizeof(*branches), compare_branches);
	for (uint32_t i = 0; i < n; i++) {
		struct flame_node *parent = &flame->nodes[flame->nodes[branches[i].node].parent];

		flame->children[i] = branches[i].node;
		if (!parent->n++)
			parent->first = i;
	}
	free(branches);
	return 0;
}

static struct flame *make(const struct record *rec, const struct flame_names *names,
			  const struct flame_options *options)
{
	struct flame *flame = calloc(1, sizeof(*flame));
	struct grower grower = {.flame = flame, .profile = rec->profile};
	int rc;

	if (!flame)
		return NULL;
	flame->rec = rec;
	flame->names = names;
	flame->options = *options;
	rc = grow(&grower);
	hash_index_clear(&grower.by_name);
	hash_index_clear(&grower.by_place);
	free(grower.places);
	if (!rc)
		rc = sort_children(flame);
	if (!rc)
		rc = flame_fill(flame);
	if (!rc)
		return flame;
	flame_free(flame);
	return NULL;
}

void flame_free(struct flame *flame)
{
	if (!flame)
		return;
	free(flame->nodes);
	free(flame->children);
	free(flame->rows);
	free(flame);
}

static bool has_side(const struct record *rec, int side, enum profile_kind kind)
{
	const struct profile *profile = rec->profile;

	for (size_t i = 0; profile && i < profile->n_rows; i++)
		if (profile->rows[i].kind == kind && profile->rows[i].round < rec->n_rounds &&
		    (int)rec->rounds[profile->rows[i].round].side == side)
			return true;
	return false;
}

bool flame_has(const struct record *rec, enum flame_side side, enum profile_kind kind)
{
	if (side == FLAME_DIFF)
		return has_side(rec, SIDE_A, kind) && has_side(rec, SIDE_B, kind);
	return has_side(rec, (int)side, kind);
}

/* " steady peak": each name once, as far as there is room. */
static void list_phases(const struct record *rec, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].n_phases; j++) {
			const char *name = rec->rounds[i].phases[j].name;
			char word[66];

			snprintf(word, sizeof(word), " %.64s", name ? name : "");
			if (!name || used + strlen(word) + 1 > size || strstr(buf, word))
				continue;
			used += (size_t)snprintf(buf + used, size - used, "%s", word);
		}
}

static int no_phase(const struct record *rec, const struct flame_options *options,
		    struct error *err)
{
	char known[512];

	list_phases(rec, known, sizeof(known));
	if (!*known)
		return error_set(err, EXIT_CODE_USAGE,
				 "phase '%s': this result has no phases; leave --phase out",
				 options->phase);
	return error_set(err, EXIT_CODE_USAGE, "no %s sample was taken in a phase '%s' (phases:%s)",
			 flame_kind_title(options->kind), options->phase, known);
}

/* Why there are none, and what would help. */
static int no_stacks(const struct record *rec, const struct flame_options *options,
		     struct error *err)
{
	enum profile_kind other = options->kind == PROFILE_ONCPU ? PROFILE_OFFCPU : PROFILE_ONCPU;
	enum flame_side side = options->side;
	const char *whose = side == FLAME_A ? " of side A" : side == FLAME_B ? " of side B" : "";

	if (!rec->profile)
		return error_set(
			err, EXIT_CODE_USAGE,
			"there are no stacks in this result: it was made with --profile none, or "
			"run.json was given without its folder; measure again with --profile "
			"oncpu,offcpu");
	if (side == FLAME_DIFF &&
	    (flame_has(rec, FLAME_A, options->kind) || flame_has(rec, FLAME_B, options->kind)))
		return error_set(err, EXIT_CODE_USAGE,
				 "a difference needs %s stacks of both sides, and only side %s has "
				 "any: say --side %s",
				 flame_kind_title(options->kind),
				 flame_has(rec, FLAME_A, options->kind) ? "A" : "B",
				 flame_has(rec, FLAME_A, options->kind) ? "A" : "B");
	if (flame_has(rec, side, other))
		return error_set(err, EXIT_CODE_USAGE,
				 "there are no %s stacks%s in this result, but %s ones: say --kind "
				 "%s, or measure again with --profile %s",
				 flame_kind_title(options->kind), whose, flame_kind_title(other),
				 profile_kind_name(other), profile_kind_name(options->kind));
	return error_set(err, EXIT_CODE_USAGE, "there are no %s stacks%s in this result",
			 flame_kind_title(options->kind), whose);
}

struct flame *flame_new(const struct record *rec, const struct flame_names *names,
			const struct flame_options *options, struct error *err)
{
	struct flame *flame;

	if (!flame_has(rec, options->side, options->kind)) {
		no_stacks(rec, options, err);
		return NULL;
	}
	flame = make(rec, names, options);
	if (!flame) {
		error_set(err, EXIT_CODE_FAILED, "out of memory for the stacks");
	} else if (!flame->n_rows) {
		flame_free(flame);
		flame = NULL;
		no_phase(rec, options, err);
	}
	return flame;
}
