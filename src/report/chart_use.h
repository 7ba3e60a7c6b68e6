/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the charts of CPU use and of memory have alike; used by these two only. */
#ifndef PERFBPF_REPORT_CHART_USE_H
#define PERFBPF_REPORT_CHART_USE_H

#include "report/chart_panel.h"

struct chart_use {
	struct chart_over_time over_time;
	struct chart_measure average, maximum;
	const char *maximum_title; /* "Maximum of a tick" */
	const char *note;          /* what is measured */
};

bool chart_use_has_data(const struct record *rec, const struct chart_use *use);
/* 0, or -1 without memory; so both. */
int chart_use_describe(const struct record *rec, const struct chart_use *use, FILE *out);
/* Over time, its average and maximum as bars, its average as boxes, and how all is to be read. */
int chart_use_draw(struct chart *chart, const struct record *rec, const struct chart_use *use);

#endif
