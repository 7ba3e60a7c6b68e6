/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "record/metric.h"
#include "util/suggest.h"

const char *metric_nearest(const char *name)
{
	size_t n;
	static const char *const left_out[] = {".p99_seconds", "_seconds", "_bytes"};
	const struct metric *metrics = metric_table(&n);
	const char **names, *near = NULL;
	char longer[80];

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		const struct metric *longer_one;

		snprintf(longer, sizeof(longer), "%.60s%s", name, left_out[i]);
		longer_one = metric_find(longer);
		if (longer_one)
			return longer_one->name;
	}
	names = calloc(n, sizeof(*names));
	for (size_t i = 0; names && i < n; i++)
		names[i] = metrics[i].name;
	if (names)
		near = suggest_nearest(name, names, n);
	free(names);
	return near;
}
