/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/vector.h"

#include <math.h>

#include "util/random.h"

#define NOISE  0.5    /* of a component, where that of a centre is 1 */
#define SCALE  100000 /* of what is written, five digits: float4 has seven */
#define DIGITS 5

/* In [-1, 1), by the 53 bits that a double has. */
static double random_signed(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-52 - 1;
}

void vector_make(uint64_t seed, uint64_t *state, size_t dimensions, float *out)
{
	uint64_t cluster = random_below(state, VECTOR_CLUSTERS);
	uint64_t centre = random_mix(seed + (cluster + 1) * RANDOM_STEP);
	double squares = 0, factor;

	for (size_t i = 0; i < dimensions; i++) {
		double x = random_signed(&centre) + NOISE * random_signed(state);

		out[i] = (float)x;
		squares += x * x;
	}
	factor = squares > 0 ? 1 / sqrt(squares) : 0;
	for (size_t i = 0; i < dimensions; i++)
		out[i] = (float)(out[i] * factor);
}

static char *write_component(char *out, float value)
{
	long scaled = lround((double)value * SCALE);
	unsigned long digits = (unsigned long)(scaled < 0 ? -scaled : scaled);

	if (scaled < 0)
		*out++ = '-';
	*out++ = (char)('0' + digits / SCALE);
	*out++ = '.';
	for (int i = DIGITS - 1; i >= 0; i--) {
		out[i] = (char)('0' + digits % 10);
		digits /= 10;
	}
	return out + DIGITS;
}

size_t vector_write(const float *vector, size_t dimensions, const char *brackets, char *out)
{
	char *at = out;

	*at++ = brackets[0];
	for (size_t i = 0; i < dimensions; i++) {
		at = write_component(at, vector[i]);
		*at++ = ',';
	}
	/* In place of the last comma. */
	at[-1] = brackets[1];
	*at = '\0';
	return (size_t)(at - out);
}
