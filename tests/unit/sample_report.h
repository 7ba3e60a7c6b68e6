/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records with strings that mean harm, and what a format makes of them. */
#ifndef PERFBPF_TESTS_SAMPLE_REPORT_H
#define PERFBPF_TESTS_SAMPLE_REPORT_H

#include "report/report.h"
#include "sample_record.h"

/* Markup, quotes, a new line, a terminal's escape sequence, broken UTF-8, text turned round. */
#define PLANTED "<script>\"'`|\n\x1b[31m\xff\xe2\x80\xae"

static inline void sample_replace(char **string, const char *with)
{
	free(*string);
	*string = strdup(with);
}

/* @text wherever a record holds a string from outside. */
static inline struct record *sample_planted(const char *text)
{
	struct record *rec = sample_record(1, true);

	sample_replace(&rec->argv[1], text);
	sample_replace(&rec->host.hostname, text);
	sample_replace(&rec->host.cpu_model, text);
	sample_replace(&rec->scenario.name, text);
	for (size_t i = 0; i < rec->n_targets; i++) {
		sample_replace(&rec->targets[i].name, text);
		sample_replace(&rec->targets[i].argv[1], text);
		sample_replace(&rec->targets[i].version, text);
	}
	for (size_t i = 0; i < rec->n_rounds; i++) {
		sample_replace(&rec->rounds[i].processes[0].comm, text);
		sample_replace(&rec->rounds[i].processes[0].exe, text);
		sample_replace(&rec->rounds[i].observer.programs[0].name, text);
		record_invalid(&rec->rounds[i], "%s", text);
	}
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	return rec;
}

/* Ten pairs that are compared: CPU time differs, memory does not, of delivery nobody can say. */
static inline struct record *sample_compared(void)
{
	struct record *rec = sample_record(10, true);

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		round->cpu.total_seconds *= 1 + (double)(i * 7 % 10) / 1000;
		round->memory.rss_peak_bytes += (int64_t)(i * 13 % 7) * 100000;
		round->memory.major_faults = (int64_t)((i * 3 % 5) * (i % 2));
		round->latency[0].p99_seconds *= 1 + (double)(i * 5 % 11) / 10;
	}
	rec->rounds[5].latency[0].p99_seconds = 1;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	return rec;
}

/* What @format makes of @rec, to be freed. */
static inline char *sample_report(const struct record *rec, const struct report_format *format,
				  int width, bool all)
{
	struct report_options options = {.width = width, .all_metrics = all};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	if (format->write(rec, &options, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return text;
}

/* No byte of @text may steer a terminal, but those of @allowed. */
static inline void sample_assert_harmless(const char *text, const char *allowed)
{
	for (const char *c = text; *c; c++)
		if (((unsigned char)*c < 0x20 || *c == 0x7f) && !strchr(allowed, *c))
			fail_msg("control character %#x at byte %td", *c, c - text);
	assert_null(strchr(text, '\xff'));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

#endif
