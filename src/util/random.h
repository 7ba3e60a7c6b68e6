/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* splitmix64 (Steele, Lea, Flood 2014): a seed's numbers are the same on every machine. */
#ifndef PERFBPF_UTIL_RANDOM_H
#define PERFBPF_UTIL_RANDOM_H

#include <stdint.h>

#define RANDOM_STEP 0x9e3779b97f4a7c15ULL

static inline uint64_t random_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint64_t random_next(uint64_t *state)
{
	*state += RANDOM_STEP;
	return random_mix(*state);
}

/* Uniform in [0, n); the bias of n / 2^32 is of no consequence for texts. */
static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(((random_next(state) >> 32) * n) >> 32);
}

#endif
