/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/insight.h"

#include <stdlib.h>
#include <string.h>

#include "report/insight_list.h"

static int collect_rounds(struct insights *list)
{
	const struct record *rec = list->rec;

	list->room = calloc(rec->n_rounds + 1, sizeof(*list->room));
	for (int side = 0; side < SIDES; side++) {
		list->rounds[side] = calloc(rec->n_rounds + 1, sizeof(*list->rounds[side]));
		if (!list->rounds[side])
			return -1;
	}
	for (size_t i = 0; i < rec->n_rounds; i++) {
		enum side side = rec->rounds[i].side;

		if (!rec->rounds[i].aborted_by)
			list->rounds[side][list->n_rounds[side]++] = &rec->rounds[i];
	}
	list->two_sided = rec->n_targets > 1 || list->n_rounds[SIDE_B];
	return list->room ? 0 : -1;
}

static void free_insight(struct record_insight *insight)
{
	free(insight->kind);
	free(insight->metric);
	free(insight->text);
}

static void clear_earlier(struct record *rec)
{
	for (size_t i = 0; i < rec->n_insights; i++)
		free_insight(&rec->insights[i]);
	free(rec->insights);
	rec->insights = NULL;
	rec->n_insights = 0;
}

/* Those from @first on, the heavier first; those alike stay as they were found. */
static void sort_from(struct insights *list, size_t first)
{
	struct insight_found *found = list->found;

	for (size_t i = first + 1; i < list->n; i++)
		for (size_t j = i; j > first && found[j - 1].weight < found[j].weight; j--) {
			struct insight_found swap = found[j];

			found[j] = found[j - 1];
			found[j - 1] = swap;
		}
}

static void find_all(struct insights *list)
{
	size_t n;

	insights_find_causes(list);
	sort_from(list, 0);
	while (list->n > INSIGHT_MAX_CAUSES)
		free_insight(&list->found[--list->n].insight);
	n = list->n;
	insights_find_quality(list);
	insights_find_machine(list);
	sort_from(list, n);
	insights_find_next(list);
}

static int hand_over(struct insights *list)
{
	struct record *rec = list->rec;

	rec->insights = calloc(list->n + 1, sizeof(*rec->insights));
	if (!rec->insights)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		rec->insights[i] = list->found[i].insight;
	rec->n_insights = list->n;
	list->n = 0;
	return 0;
}

int report_insights(struct record *rec)
{
	struct insights list = {.rec = rec};
	int rc = -1;

	clear_earlier(rec);
	if (!collect_rounds(&list))
		find_all(&list);
	else
		list.failed = true;
	if (!list.failed)
		rc = hand_over(&list);
	for (size_t i = 0; i < list.n; i++)
		free_insight(&list.found[i].insight);
	free(list.found);
	free(list.rounds[SIDE_A]);
	free(list.rounds[SIDE_B]);
	free(list.room);
	return rc;
}
