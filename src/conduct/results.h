/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The results folder: made before privileges are given up, and given to the invoking user. */
#ifndef PERFBPF_CONDUCT_RESULTS_H
#define PERFBPF_CONDUCT_RESULTS_H

#include <stdint.h>

#include "conduct/identity.h"
#include "record/record.h"
#include "report/overview.h"

struct results {
	char *path;
	int dirfd;
	uint64_t saved_ns, save_cost_ns; /* of results_save_often() */
};

/*
 * Makes @path, or perfbpf-results/<UTC time>-<label>/ where it is NULL. A folder that
 * exists and is not empty is EXIT_CODE_USAGE: nothing is ever written over.
 */
int results_open(struct results *results, const char *path, const char *label,
		 const struct identity *owner, struct error *err);
/* A sub-folder (a scenario's). */
int results_open_below(struct results *results, const struct results *parent, const char *name,
		       struct error *err);
void results_close(struct results *results);
/* A file in the folder for writing, close-on-exec; -1 with @err. */
int results_create(const struct results *results, const char *name, struct error *err);
/* run.json and the stacks beside it. */
int results_save(const struct results *results, const struct record *rec, struct error *err);
/*
 * The same after each of many rounds, so that nothing that ends perfbpf loses what was measured. It
 * is passed over where saving would take more than a tenth of the time, as of a large record: what
 * is lost then is never more than ten times as long as saving takes.
 */
int results_save_often(struct results *results, const struct record *rec, struct error *err);
/* run.json, the stacks, and every format that `run` writes. */
int results_write(const struct results *results, const struct record *rec, struct error *err);
/* overview.txt and index.html, of several scenarios in sub-folders. */
int results_write_overview(const struct results *results, const struct overview *overview,
			   struct error *err);

#endif
