/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/flame_view.h"

int flame_view_open(struct flame_view *view, const struct record *rec,
		    const struct report_options *options, struct error *err)
{
	struct flame_options wanted = {
		.side = options->side == REPORT_SIDE_ANY
				? FLAME_A
				: (enum flame_side)(options->side - REPORT_SIDE_A),
		.kind = options->has_kind ? options->kind : PROFILE_ONCPU,
		.phase = options->phase,
	};

	*view = (struct flame_view){0};
	if (rec->profile) {
		view->names = flame_names_new(rec->profile);
		if (!view->names)
			return error_set(err, EXIT_CODE_FAILED, "out of memory for the stacks");
	}
	view->flame = flame_new(rec, view->names, &wanted, err);
	return view->flame ? 0 : -1;
}

void flame_view_close(struct flame_view *view)
{
	flame_free(view->flame);
	flame_names_free(view->names);
	*view = (struct flame_view){0};
}

void flame_walk(const struct flame *flame, flame_visit *visit, void *state)
{
	uint32_t path[FLAME_MAX_LEVELS] = {0}, next[FLAME_MAX_LEVELS] = {0};
	size_t n = visit(state, flame, path, 1) == FLAME_GO_ON;

	while (n) {
		const struct flame_node *node = &flame->nodes[path[n - 1]];

		if (next[n - 1] == node->n || n == FLAME_MAX_LEVELS) {
			n--;
			continue;
		}
		path[n] = flame->children[node->first + next[n - 1]++];
		next[n] = 0;
		if (visit(state, flame, path, n + 1) == FLAME_GO_ON)
			n++;
	}
}
