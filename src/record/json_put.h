/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values as JSON on a stream; for run.json, the stacks beside it, and reports. */
#ifndef PERFBPF_RECORD_JSON_PUT_H
#define PERFBPF_RECORD_JSON_PUT_H

#include <stdio.h>

/* Quoted and escaped; what is no valid UTF-8 becomes U+FFFD. NULL is null. */
void json_put_string(FILE *out, const char *s);
/* 15 significant digits; what is not finite is null. */
void json_put_real(FILE *out, double value);
/* An array of them, on one line. */
void json_put_reals(FILE *out, const double *values, size_t n);

#endif
