/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stacks as other flame graph tools take them: a line each, frames from the outermost to the
 * innermost, and how much it is. On-CPU that are samples, off-CPU microseconds, of all rounds
 * together. A difference has two columns: microseconds in an average round of A, and of B
 * for the work of A.
 */
#include <math.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/flame_view.h"

#define US_PER_SECOND 1e6

static const char *suffix_of(const struct flame_name *name)
{
	static const char *const suffixes[PROFILE_FRAME_KINDS] = {
		[PROFILE_FRAME_NATIVE] = "",  [PROFILE_FRAME_KERNEL] = "_[k]",
		[PROFILE_FRAME_JIT] = "_[j]", [PROFILE_FRAME_INLINED] = "_[i]",
		[PROFILE_FRAME_MARK] = "",
	};

	return suffixes[name->kind];
}

static double count_of(const struct flame *flame, const struct flame_node *node, int side)
{
	double rounds = (double)flame->rounds[side];

	if (flame->options.side == FLAME_DIFF)
		return round(node->self_seconds[side] * US_PER_SECOND);
	if (flame->options.kind == PROFILE_ONCPU)
		return node->self_samples[side];
	return round(node->self_seconds[side] * rounds * US_PER_SECOND);
}

struct put_state {
	FILE *out;
	char **words; /* of each name, as it is written */
};

static enum flame_step put_line(void *state, const struct flame *flame, const uint32_t *path,
				size_t n)
{
	const struct flame_node *node = &flame->nodes[path[n - 1]];
	bool is_diff = flame->options.side == FLAME_DIFF;
	int side = is_diff ? SIDE_A : (int)flame->options.side;
	double count = count_of(flame, node, side);
	double other = is_diff ? count_of(flame, node, SIDE_B) : 0;
	const struct put_state *put = state;

	if (!(count > 0) && !(other > 0))
		return FLAME_GO_ON;
	for (size_t i = 1; i < n; i++) {
		fputs(i > 1 ? ";" : "", put->out);
		fputs(put->words[flame->nodes[path[i]].name], put->out);
	}
	fprintf(put->out, " %.0f", count);
	if (is_diff)
		fprintf(put->out, " %.0f", other);
	putc('\n', put->out);
	return FLAME_GO_ON;
}

static char *word_of(const struct flame_name *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	escape_folded(out, name->text);
	fputs(suffix_of(name), out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* A name is in thousands of lines, and escaped once. 0, or -1 without memory. */
static int put_lines(FILE *out, const struct flame *flame)
{
	struct put_state put = {.out = out};
	size_t n = flame->names->n, made = 0;

	put.words = calloc(n, sizeof(*put.words));
	if (!put.words)
		return -1;
	while (made < n && (put.words[made] = word_of(&flame->names->list[made])))
		made++;
	if (made == n)
		flame_walk(flame, put_line, &put);
	for (size_t i = 0; i < made; i++)
		free(put.words[i]);
	free(put.words);
	return made == n ? 0 : -1;
}

static int write_folded(const struct record *rec, const struct report_options *options, FILE *out,
			struct error *err)
{
	struct flame_view view;
	int rc = flame_view_open(&view, rec, options, err);

	if (!rc && put_lines(out, view.flame))
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	flame_view_close(&view);
	return rc;
}

const struct report_format report_folded = {
	.name = "folded",
	.file_name = "stacks-*.folded",
	.description = "stacks of one side and kind, a line each, for other flame graph tools",
	.alone = true,
	.is_of_stacks = true,
	.write = write_folded,
};
