/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What "%.15g" shows. */
#define DIGITS 15
/* Digits that a uint64_t holds whatever they are. */
#define MANTISSA_DIGITS 19
/* Powers of ten that a double holds exactly, as it does integers up to 2^53. */
#define EXACT_POWER    22
#define EXACT_MANTISSA (1ULL << 53)
/* Exponents beyond any double, where counting on would overflow. */
#define EXPONENT_MAX 100000

__extension__ typedef unsigned __int128 u128;

static bool is_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

/* Digits up to where the mantissa is full; those beyond make it inexact. */
static const char *parse_digits(const char *at, const char *end, struct decimal *out, int *digits,
				bool is_fraction)
{
	for (; is_digit(at, end); at++) {
		if (*digits == MANTISSA_DIGITS) {
			out->is_exact = false;
			continue;
		}
		out->mantissa = out->mantissa * 10 + (uint64_t)(*at - '0');
		if (out->mantissa) /* zeros in front are no digits */
			++*digits;
		if (is_fraction)
			out->exponent--;
	}
	return at;
}

/* After the 'e'; NULL where no digit follows. */
static const char *parse_exponent(const char *at, const char *end, struct decimal *out)
{
	bool negative = at < end && *at == '-';
	int exponent = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (!is_digit(at, end))
		return NULL;
	for (; is_digit(at, end); at++)
		if (exponent < EXPONENT_MAX)
			exponent = exponent * 10 + (*at - '0');
	out->exponent += negative ? -exponent : exponent;
	return at;
}

size_t decimal_parse(const char *at, const char *end, struct decimal *out)
{
	int digits = 0;

	*out = (struct decimal){.text = at, .is_integer = true, .is_exact = true};
	if (at < end && *at == '-') {
		out->negative = true;
		at++;
	}
	if (!is_digit(at, end))
		return 0;
	if (*at == '0')
		at++; /* and no digit after it */
	else
		at = parse_digits(at, end, out, &digits, false);
	if (at < end && *at == '.') {
		out->is_integer = false;
		if (!is_digit(at + 1, end))
			return 0;
		at = parse_digits(at + 1, end, out, &digits, true);
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		out->is_integer = false;
		at = parse_exponent(at + 1, end, out);
		if (!at)
			return 0;
	}
	out->length = (size_t)(at - out->text);
	return out->length <= DECIMAL_MAX_TEXT ? out->length : 0;
}

static double slow_real(const struct decimal *decimal)
{
	char text[DECIMAL_MAX_TEXT + 1];

	memcpy(text, decimal->text, decimal->length);
	text[decimal->length] = '\0';
	return strtod(text, NULL);
}

/*
 * Both numbers are doubles without rounding, so that one multiplication or division is rounded
 * once, and therefore right (Clinger 1990).
 */
double decimal_real(const struct decimal *decimal)
{
	static const double powers[EXACT_POWER + 1] = {
		1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
	};
	double value;

	if (!decimal->is_exact || decimal->mantissa > EXACT_MANTISSA ||
	    abs(decimal->exponent) > EXACT_POWER)
		return slow_real(decimal);
	value = (double)decimal->mantissa;
	if (decimal->exponent < 0)
		value /= powers[-decimal->exponent];
	else
		value *= powers[decimal->exponent];
	return decimal->negative ? -value : value;
}

bool decimal_integer(const struct decimal *decimal, int64_t *out)
{
	uint64_t limit = (uint64_t)INT64_MAX + decimal->negative;

	if (!decimal->is_integer || !decimal->is_exact || decimal->mantissa > limit)
		return false;
	*out = (int64_t)(decimal->negative ? -decimal->mantissa : decimal->mantissa);
	return true;
}

/* @n digits of @value at @buf. */
static void put_digits(char *buf, uint64_t value, int n)
{
	while (n-- > 0) {
		buf[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

static size_t put_integer(char *buf, uint64_t value)
{
	int n = 1;

	for (uint64_t rest = value; rest >= 10; rest /= 10)
		n++;
	put_digits(buf, value, n);
	return (size_t)n;
}

/* The 15 digits and the decimal exponent of the first, with their zeros at the end left out. */
static size_t put_fixed(char *buf, uint64_t digits, int exponent)
{
	char text[DIGITS], *to = buf;
	int n = DIGITS;

	put_digits(text, digits, DIGITS);
	while (n > 1 && text[n - 1] == '0')
		n--;
	if (exponent < 0) {
		*to++ = '0';
		*to++ = '.';
		for (int i = exponent; i < -1; i++)
			*to++ = '0';
		to = mempcpy(to, text, (size_t)n);
		return (size_t)(to - buf);
	}
	to = mempcpy(to, text, (size_t)exponent + 1); /* zeros among them, too */
	if (n > exponent + 1) {
		*to++ = '.';
		to = mempcpy(to, text + exponent + 1, (size_t)(n - exponent - 1));
	}
	return (size_t)(to - buf);
}

/*
 * @value times 10^@power, rounded to an integer as printf() does, half to even: a double is an
 * integer times a power of two, and 5^18 leaves room for it in 128 bits, so that nothing is lost
 * before.
 */
static uint64_t scale(double value, int power)
{
	int exponent;
	u128 product = (u128)ldexp(frexp(value, &exponent), 53), rest, half;

	for (int i = 0; i < power; i++)
		product *= 5;
	exponent += power - 53;
	if (exponent >= 0)
		return (uint64_t)(product << exponent);
	rest = product & (((u128)1 << -exponent) - 1);
	half = (u128)1 << (-exponent - 1);
	product >>= -exponent;
	return (uint64_t)product + (rest > half || (rest == half && (product & 1)));
}

/* 0: not of the kind that is done here. */
static size_t format_fast(char *buf, double value)
{
	static const double powers[] = {1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4, 1e5,
					1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14};
	const uint64_t least = 100000000000000ULL; /* of 15 digits */
	int exponent = -4;
	uint64_t digits;

	if (value < 1e-4 || value >= 1e15)
		return 0;
	if (value == (double)(uint64_t)value)
		return put_integer(buf, (uint64_t)value);
	while (exponent < DIGITS - 1 && value >= powers[exponent + 5])
		exponent++;
	digits = scale(value, DIGITS - 1 - exponent);
	/* Rounded up to the next power of ten; or a power of ten itself lay beside its double. */
	if (digits < least || digits >= 10 * least)
		return 0;
	return put_fixed(buf, digits, exponent);
}

size_t decimal_format(char buf[DECIMAL_MAX], double value)
{
	size_t sign = value < 0, length;

	if (value == 0) {
		strcpy(buf, "0");
		return 1;
	}
	if (sign)
		buf[0] = '-';
	length = format_fast(buf + sign, fabs(value));
	if (!length)
		return (size_t)snprintf(buf, DECIMAL_MAX, "%.15g", value);
	buf[sign + length] = '\0';
	return sign + length;
}
