/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PERFBPF_REPORT_MARKDOWN_CHARTS_H
#define PERFBPF_REPORT_MARKDOWN_CHARTS_H

#include <stdio.h>

#include "record/record.h"

/* The charts that lie beside the report, each with its figures in words, and those that the record
 * has nothing for. -1 without memory. */
int markdown_put_charts(FILE *out, const struct record *rec);

#endif
