/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a row of the comparison with an earlier run says; used inside record/ only. */
#ifndef PERFBPF_RECORD_BASELINE_TEXT_H
#define PERFBPF_RECORD_BASELINE_TEXT_H

#include <stddef.h>

#include "record/record.h"

/*
 * One sentence about @row, of @target (NULL: not known), to be freed; NULL without memory. @tests:
 * how many p were corrected for together.
 */
char *baseline_text(const struct record_regression *row, const char *target, size_t tests);

#endif
