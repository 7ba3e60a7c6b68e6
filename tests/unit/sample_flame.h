/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records with stacks, and what a format makes of them. */
#ifndef PERFBPF_TESTS_SAMPLE_FLAME_H
#define PERFBPF_TESTS_SAMPLE_FLAME_H

#include "sample_report.h"
#include "sample_profile.h"

static inline struct record *sample_stacks(void)
{
	struct record *rec = sample_record(3, true);

	sample_add_profile(rec, 10);
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	return rec;
}

/* @text as a function, a file, a process, a source, a phase and a scenario. */
static inline struct record *planted_stacks(const char *text)
{
	struct record *rec = sample_planted(text);
	struct profile_frame frame = {
		.function = (char *)text, .source = (char *)text, .kind = PROFILE_FRAME_INLINED};
	struct profile_row row = {.samples = 5, .seconds = 0.05};
	uint32_t inlined;

	rec->profile = profile_new();
	frame.module = (uint32_t)profile_add_module(rec->profile, text, text);
	inlined = (uint32_t)profile_add_frame(rec->profile, &frame);
	frame.kind = PROFILE_FRAME_NATIVE;
	row.process = (uint32_t)profile_add_process(rec->profile, text);
	row.node = (uint32_t)profile_add_node(rec->profile, PROFILE_NONE,
					      (uint32_t)profile_add_frame(rec->profile, &frame));
	row.node = (uint32_t)profile_add_node(rec->profile, row.node, inlined);
	for (row.round = 0; row.round < rec->n_rounds; row.round++) {
		struct record_round *round = &rec->rounds[row.round];

		round->n_phases = 1;
		round->phases = calloc(1, sizeof(*round->phases));
		round->phases[0].name = strdup(text);
		profile_add_row(rec->profile, &row);
	}
	return rec;
}

/* What @format makes of it; *@size may be NULL. */
static inline char *made(const struct record *rec, const struct report_format *format,
			 const struct report_options *options, size_t *size)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct error err;

	if (format->write(rec, options, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	if (size)
		*size = length;
	return text;
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%.4000s", part, text);
}

#endif
