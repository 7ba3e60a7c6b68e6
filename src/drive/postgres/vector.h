/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Vectors as embeddings are: of length 1, in clusters. A seed has VECTOR_CLUSTERS centres, and
 * a vector is one of them with noise, so that each has neighbours. The same seed makes the same
 * vectors on every machine. Pure.
 */
#ifndef PERFBPF_DRIVE_POSTGRES_VECTOR_H
#define PERFBPF_DRIVE_POSTGRES_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#define VECTOR_CLUSTERS 64
/* A component as text and its comma are not longer: "-0.12345,". */
#define VECTOR_COMPONENT_MAX 9

/* Components into @out[dimensions]; @state is of splitmix64, and moves on. */
void vector_make(uint64_t seed, uint64_t *state, size_t dimensions, float *out);

/* "[0.1,…]" or, with @brackets "{}", "{0.1,…}", into @out with room for VECTOR_COMPONENT_MAX *
 * dimensions + 3 bytes; the length of the text, which is terminated by a NUL. */
size_t vector_write(const float *vector, size_t dimensions, const char *brackets, char *out);

#endif
