/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/holm.h"

#include <math.h>
#include <stdlib.h>

struct test {
	double p;
	size_t at;
};

static int compare_tests(const void *a, const void *b)
{
	const struct test *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

void stats_holm(const double *p, size_t n, double *out)
{
	struct test *tests = calloc(n + 1, sizeof(*tests));
	size_t known = 0;
	double largest = 0;

	for (size_t i = 0; i < n; i++) {
		if (tests && !isnan(p[i]))
			tests[known++] = (struct test){p[i], i};
		out[i] = NAN;
	}
	if (known)
		qsort(tests, known, sizeof(*tests), compare_tests);
	for (size_t i = 0; i < known; i++) {
		largest = fmax(largest, (double)(known - i) * tests[i].p);
		out[tests[i].at] = fmin(largest, 1);
	}
	free(tests);
}
