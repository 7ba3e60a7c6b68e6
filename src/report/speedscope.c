/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Profiles for speedscope (speedscope.app, or a copy of one's own): one for each side and kind, in
 * one file. Weights are seconds of an average round.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "record/json_put.h"
#include "report/flame_view.h"

#define MAX_FLAMES (SIDES * PROFILE_KINDS)
#define SCHEMA     "https://www.speedscope.app/file-format-schema.json"

struct put_state {
	FILE *out;
	size_t n; /* stacks so far */
	bool is_weight;
};

static bool has_weight(const struct flame *flame, uint32_t node)
{
	return flame->nodes[node].self_seconds[flame->options.side] > 0;
}

static enum flame_step put_stack(void *state, const struct flame *flame, const uint32_t *path,
				 size_t n)
{
	struct put_state *put = state;

	if (!has_weight(flame, path[n - 1]))
		return FLAME_GO_ON;
	fputs(put->n++ ? "," : "", put->out);
	if (put->is_weight) {
		json_put_real(put->out,
			      flame->nodes[path[n - 1]].self_seconds[flame->options.side]);
		return FLAME_GO_ON;
	}
	fputs("\n[", put->out);
	for (size_t i = 1; i < n; i++)
		fprintf(put->out, "%s%" PRIu32, i > 1 ? "," : "", flame->nodes[path[i]].name);
	putc(']', put->out);
	return FLAME_GO_ON;
}

static void put_profile(FILE *out, const struct flame *flame)
{
	int side = (int)flame->options.side;
	struct put_state put = {.out = out};
	char *name;

	if (asprintf(&name, "%s %s, %s", side == SIDE_A ? "A" : "B",
		     flame_target(flame->rec, (enum side)side),
		     flame_kind_title(flame->options.kind)) < 0)
		name = NULL;
	fputs("{\"type\": \"sampled\", \"name\": ", out);
	json_put_string(out, name ? name : "");
	fputs(", \"unit\": \"seconds\", \"startValue\": 0, \"endValue\": ", out);
	json_put_real(out, flame->nodes[0].total[side].seconds);
	fputs(",\n\"samples\": [", out);
	flame_walk(flame, put_stack, &put);
	fputs("],\n\"weights\": [", out);
	put = (struct put_state){.out = out, .is_weight = true};
	flame_walk(flame, put_stack, &put);
	fputs("]}", out);
	free(name);
}

static void put_frames(FILE *out, const struct flame_names *names, const struct profile *profile)
{
	fputs("\"shared\": {\"frames\": [", out);
	for (size_t i = 0; i < names->n; i++) {
		const struct flame_name *name = &names->list[i];

		fprintf(out, "%s\n{\"name\": ", i ? "," : "");
		json_put_string(out, name->text);
		if (name->module != PROFILE_NONE) {
			fputs(", \"file\": ", out);
			json_put_string(out, profile->modules[name->module].path);
		}
		putc('}', out);
	}
	fputs("]},\n", out);
}

/* Is a profile wanted, and is there one? With nothing said of it, all that are there. */
static bool is_wanted(const struct record *rec, const struct report_options *options, int side,
		      int kind)
{
	if (options->side != REPORT_SIDE_ANY && (int)options->side - REPORT_SIDE_A != side)
		return false;
	if (options->has_kind && (int)options->kind != kind)
		return false;
	return flame_has(rec, (enum flame_side)side, (enum profile_kind)kind);
}

/* All that are wanted; those without a sample in the phase are left out. 0, or -1 with @err. */
static int make_flames(const struct record *rec, const struct flame_names *names,
		       const struct report_options *options, struct flame *flames[MAX_FLAMES],
		       struct error *err)
{
	size_t n = 0;

	for (int i = 0; i < MAX_FLAMES; i++) {
		const struct flame_options wanted = {(enum flame_side)(i % SIDES),
						     (enum profile_kind)(i / SIDES),
						     options->phase};

		if (!is_wanted(rec, options, i % SIDES, i / SIDES))
			continue;
		flames[n] = flame_new(rec, names, &wanted, err);
		if (!flames[n] && err->exit_code != EXIT_CODE_USAGE)
			return -1;
		n += flames[n] != NULL;
	}
	return n ? 0 : -1;
}

static void put_file(FILE *out, const struct record *rec, const struct flame_names *names,
		     struct flame *const flames[MAX_FLAMES])
{
	fputs("{\"$schema\": \"" SCHEMA "\",\n\"exporter\": \"perfbpf " PERFBPF_VERSION
	      "\",\n\"name\": ",
	      out);
	json_put_string(out, rec->scenario.name ? rec->scenario.name : "perfbpf");
	fputs(",\n\"activeProfileIndex\": 0,\n", out);
	put_frames(out, names, rec->profile);
	fputs("\"profiles\": [\n", out);
	for (int i = 0; i < MAX_FLAMES && flames[i]; i++) {
		fputs(i ? ",\n" : "", out);
		put_profile(out, flames[i]);
	}
	fputs("]}\n", out);
}

/* For a record without any of what is wanted: as the other formats say it. */
static int why_none(const struct record *rec, const struct report_options *options,
		    struct error *err)
{
	struct flame_view view;
	int rc = flame_view_open(&view, rec, options, err);

	flame_view_close(&view);
	return rc ? rc : error_set(err, EXIT_CODE_FAILED, "out of memory for the stacks");
}

static int write_speedscope(const struct record *rec, const struct report_options *options,
			    FILE *out, struct error *err)
{
	struct flame *flames[MAX_FLAMES] = {NULL};
	struct flame_names *names;
	bool any = false;
	int rc;

	if (options->side == REPORT_SIDE_DIFF)
		return error_set(err, EXIT_CODE_USAGE,
				 "speedscope shows no differences: say --side A or --side B, or "
				 "--format svg --side diff");
	for (int i = 0; i < MAX_FLAMES; i++)
		any |= is_wanted(rec, options, i % SIDES, i / SIDES);
	if (!any)
		return why_none(rec, options, err);
	names = flame_names_new(rec->profile);
	if (!names)
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the stacks");
	rc = make_flames(rec, names, options, flames, err);
	if (!rc)
		put_file(out, rec, names, flames);
	for (int i = 0; i < MAX_FLAMES; i++)
		flame_free(flames[i]);
	flame_names_free(names);
	return rc;
}

const struct report_format report_speedscope = {
	.name = "speedscope",
	.file_name = "profile.speedscope.json",
	.description = "stacks of all sides and kinds, for speedscope",
	.alone = true,
	.is_of_stacks = true,
	.write = write_speedscope,
};
