/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as the text of stacks.json.gz: reading, writing, and all that is made of stacks must
 * neither crash, nor hang, nor put a control character where one does harm. With -DFUZZ_STANDALONE
 * it runs over the files that it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/profile.h"
#include "record/record.h"
#include "report/report.h"

#define ROUNDS 4
#define PHASES 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
	if (!holds)
		abort();
}

/* What was read and written is what is written after it was read again. */
static void round_trip(const struct profile *profile)
{
	char *first = profile_to_json(profile), *second;
	struct profile *again;
	struct error err;

	if (!first)
		return;
	again = profile_parse(first, strlen(first), "again", &err);
	second = again ? profile_to_json(again) : NULL;
	expect(second && !strcmp(first, second));
	free(first);
	free(second);
	profile_free(again);
}

/* Two pairs, with phases that have one name in common. */
static struct record *make_record(void)
{
	struct record *rec = record_new();

	expect(rec != NULL);
	for (int i = 0; i < ROUNDS; i++) {
		struct record_round round = {0};

		record_round_init(&round);
		round.side = i % 2 ? SIDE_B : SIDE_A;
		round.pair = i / 2;
		round.window_seconds = 1;
		round.has_profile = i != 3; /* one that knows nothing of its samples */
		round.profile.has_oncpu = true;
		round.profile.oncpu.exact_seconds = i;
		round.n_phases = PHASES;
		round.phases = calloc(PHASES, sizeof(*round.phases));
		expect(round.phases != NULL);
		round.phases[1].name = strdup("p");
		expect(!record_add_round(rec, &round));
	}
	return rec;
}

/* As reading a folder does: rows of rounds and phases that there are. */
static void fit(struct profile *profile)
{
	for (size_t i = 0; i < profile->n_rows; i++) {
		struct profile_row *row = &profile->rows[i];

		row->round %= ROUNDS;
		if (row->phase != PROFILE_NONE)
			row->phase %= PHASES;
	}
}

static void assert_harmless(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		expect((unsigned char)text[i] >= 0x20 || text[i] == '\n');
}

static void make(const struct record *rec, const struct report_format *format,
		 const struct report_options *options)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	if (!out)
		return;
	format->write(rec, options, out, &err);
	fclose(out);
	if (!format->is_binary)
		assert_harmless(text, size);
	free(text);
}

static void make_all(const struct record *rec)
{
	size_t n;
	const struct report_format *const *formats = report_formats(&n);

	for (size_t i = 0; i < n; i++) {
		struct report_options options = {.width = 80};
		struct report_file file;

		if (!formats[i]->is_of_stacks)
			continue;
		for (size_t j = 0; report_file(formats[i], rec, &options, j, &file); j++) {
			make(rec, formats[i], &file.options);
			file.options.phase = "p";
			make(rec, formats[i], &file.options);
		}
	}
	make(rec, &report_text, &(struct report_options){.width = 80});
	make(rec, &report_markdown, &(struct report_options){0});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	struct profile *profile = profile_parse((const char *)data, size, "fuzz", &err);
	struct record *rec;

	if (!profile)
		return 0;
	round_trip(profile);
	fit(profile);
	rec = make_record();
	rec->profile = profile;
	make_all(rec);
	record_free(rec);
	return 0;
}

#include "standalone.h"
