/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What of the first row is numbers. */
static struct metric_look read_row(const struct session *session)
{
	const struct libpq *pq = session->pq;
	struct metric_look look = {0};

	if (session_rows(session) < 1 || pq->nfields(session->result) > 2)
		return look;
	for (int i = 0; i < pq->nfields(session->result); i++) {
		const char *text = pq->getvalue(session->result, 0, i);
		char *end;

		look.values[i] = strtod(text, &end);
		if (pq->getisnull(session->result, 0, i) || end == text || *end ||
		    !isfinite(look.values[i]))
			return (struct metric_look){0};
		look.n = i + 1;
	}
	return look;
}

void metrics_look(const struct postgres_config *config, char *const *texts,
		  struct dialogue *dialogue, bool is_first, struct metric_reading *readings)
{
	for (size_t i = 0; i < config->n_metrics; i++) {
		struct metric_reading *reading = &readings[i];
		struct metric_look *look = is_first ? &reading->first : &reading->last;
		struct error err;

		*look = (struct metric_look){0};
		if (dialogue->session.state != SESSION_IDLE) {
			snprintf(reading->why, sizeof(reading->why), "the connection was lost");
		} else if (dialogue_run(dialogue, texts[i], &err)) {
			snprintf(reading->why, sizeof(reading->why), "%.255s", err.text);
		} else {
			*look = read_row(&dialogue->session);
			if (!look->n)
				snprintf(reading->why, sizeof(reading->why),
					 "its SQL did not return one or two numbers");
		}
	}
}

double metric_value(const struct metric_reading *reading)
{
	const struct metric_look *first = &reading->first, *last = &reading->last;
	double growth = last->values[1] - first->values[1];

	if (last->n == 1)
		return last->values[0];
	if (last->n != 2 || first->n != 2 || growth <= 0)
		return NAN;
	return (last->values[0] - first->values[0]) / growth;
}
