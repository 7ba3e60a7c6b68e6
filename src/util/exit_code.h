/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The exit codes: the only table of them. docs/exit-codes.md is made from it
 * (`make docs`), and a unit test holds the two together.
 */
#ifndef PERFBPF_UTIL_EXIT_CODE_H
#define PERFBPF_UTIL_EXIT_CODE_H

#include <stdio.h>

/* clang-format off */
#define EXIT_CODE_TABLE(X) \
	X(OK,           0,  "done; every gate that was asked for passed") \
	X(FAILED,       1,  "something failed while running") \
	X(USAGE,        2,  "usage or scenario error; the message names file:line:column and the key") \
	X(PRIVILEGE,    3,  "privileges or kernel do not allow it; the message names what is missing and the remedy") \
	X(INVALID,      96, "the run is invalid: unequal work, events lost above the bound, driver saturated") \
	X(INCONCLUSIVE, 97, "inconclusive, where --strict asked for a conclusion") \
	X(REGRESSION,   98, "regression or B-worse, where a gate was asked for") \
	X(THRESHOLD,    99, "a threshold failed, or a soak found a leak or a drift")
/* clang-format on */

enum exit_code {
#define X(name, number, text) EXIT_CODE_##name = (number),
	EXIT_CODE_TABLE(X)
#undef X
	/* 128 + n: ended by signal n, after the children were stopped and what was measured was
	   saved */
	EXIT_CODE_SIGNAL_BASE = 128,
};

/*
 * The worse of two codes, where several things were judged: what failed to run before all that was
 * measured and judged, of these invalid, then thresholds, regressions, what is inconclusive, 0.
 */
int exit_code_worse(int a, int b);

/* docs/exit-codes.md, as a whole. */
void exit_code_print_markdown(FILE *out);

#endif
