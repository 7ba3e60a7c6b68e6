/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/units.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Enough for each uint64_t in any unit; times the largest unit, below 2^44, 128 bits hold them. */
#define MAX_DIGITS 24

typedef unsigned __int128 u128;

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* Longest first: the first that divides gives the shortest form. */
static const struct unit duration_units[] = {
	{"h", 3600 * NSEC_PER_SEC}, {"m", 60 * NSEC_PER_SEC}, {"s", NSEC_PER_SEC},
	{"ms", NSEC_PER_MSEC},      {"us", NSEC_PER_USEC},    {"ns", 1},
};

static const struct unit count_units[] = {
	{"", 1},
	{"k", 1000},
	{"M", 1000000},
	{"G", 1000000000},
};

static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"KiB", 1ULL << 10},
	{"MiB", 1ULL << 20},
	{"GiB", 1ULL << 30},
	{"TiB", 1ULL << 40},
	{"kB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"TB", 1000000000000},
};

/* A decimal number as digits / scale, so that "0.1s" is exactly 100 ms. */
struct decimal {
	u128 digits;
	u128 scale;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads "12" or "12.5" and leaves *text behind it. */
static int decimal_read(const char **text, struct decimal *decimal)
{
	const char *c = *text;
	bool fraction = false;
	int n = 0;

	decimal->digits = 0;
	decimal->scale = 1;
	if (!is_digit(*c))
		return -EINVAL;
	for (;; c++) {
		if (*c == '.' && !fraction && is_digit(c[1])) {
			fraction = true;
			continue;
		}
		if (!is_digit(*c))
			break;
		/* Leading zeros are no digits that count, and the tail of a long fraction says
		 * nothing. */
		if (n >= MAX_DIGITS - 1 && fraction)
			continue;
		if (n == MAX_DIGITS)
			return -ERANGE;
		decimal->digits = decimal->digits * 10 + (u128)(*c - '0');
		n += decimal->digits != 0 || fraction;
		if (fraction)
			decimal->scale *= 10;
	}
	*text = c;
	return 0;
}

static const struct unit *unit_find(const struct unit *units, size_t n, const char *suffix)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(units[i].suffix, suffix))
			return &units[i];
	return NULL;
}

static int parse(const char *text, const struct unit *units, size_t n, struct decimal *decimal,
		 uint64_t *factor)
{
	const struct unit *unit;
	int err = decimal_read(&text, decimal);

	if (err)
		return err;
	unit = unit_find(units, n, text);
	if (!unit)
		return -EINVAL;
	*factor = unit->factor;
	return 0;
}

/* To the nearest whole; what is more than nothing must not become nothing. */
static int decimal_times(const struct decimal *decimal, uint64_t factor, uint64_t *value)
{
	u128 product = decimal->digits * factor;
	u128 whole = (product + decimal->scale / 2) / decimal->scale;

	if (whole > UINT64_MAX || (!whole && product))
		return -ERANGE;
	*value = (uint64_t)whole;
	return 0;
}

int parse_duration_ns(const char *text, uint64_t *ns)
{
	struct decimal decimal;
	uint64_t factor;
	int err;

	if (!strcmp(text, "0")) {
		*ns = 0;
		return 0;
	}
	err = parse(text, duration_units, ARRAY_SIZE(duration_units), &decimal, &factor);
	return err ? err : decimal_times(&decimal, factor, ns);
}

int parse_count(const char *text, double *value)
{
	struct decimal decimal;
	uint64_t factor;
	int err = parse(text, count_units, ARRAY_SIZE(count_units), &decimal, &factor);

	if (err)
		return err;
	*value = (double)(decimal.digits * factor) / (double)decimal.scale;
	return 0;
}

int parse_share(const char *text, double *share)
{
	static const struct unit units[] = {{"", 100}, {"%", 1}};
	struct decimal decimal;
	uint64_t factor;
	int err = parse(text, units, ARRAY_SIZE(units), &decimal, &factor);

	if (err)
		return err;
	*share = (double)(decimal.digits * factor) / (double)(decimal.scale * 100);
	return 0;
}

int parse_size_bytes(const char *text, uint64_t *bytes)
{
	struct decimal decimal;
	uint64_t factor;
	int err = parse(text, size_units, ARRAY_SIZE(size_units), &decimal, &factor);

	return err ? err : decimal_times(&decimal, factor, bytes);
}

/* Would @value be shown as a number of the next unit, once it is rounded to three digits? */
static bool is_over(double value, double base)
{
	return fabs(value) >= base - 0.5;
}

static char *format_digits(char *buf, size_t size, double value, const char *unit)
{
	double magnitude = fabs(value);
	int places = magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;

	if (magnitude == 0)
		places = 0;
	snprintf(buf, size, "%.*f%s%s", places, value, *unit ? " " : "", unit);
	return buf;
}

static char *format_scaled(char *buf, size_t size, double value, double base,
			   const char *const *units, size_t n)
{
	size_t i = 0;

	if (isnan(value)) {
		snprintf(buf, size, "-");
		return buf;
	}
	/* Below the first step there are no fractions to show, unless the value is an average. */
	if (!is_over(value, base) && value == floor(value)) {
		snprintf(buf, size, "%.0f%s%s", value, *units[0] ? " " : "", units[0]);
		return buf;
	}
	for (; i + 1 < n && is_over(value, base); i++)
		value /= base;
	return format_digits(buf, size, value, units[i]);
}

char *format_seconds(char *buf, size_t size, double seconds)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double value = seconds * 1e9;
	size_t i = 0;

	if (isnan(seconds)) {
		snprintf(buf, size, "-");
		return buf;
	}
	if (seconds == 0)
		return format_digits(buf, size, 0, "s");
	for (; i + 1 < ARRAY_SIZE(units) && is_over(value, 1000); i++)
		value /= 1000;
	return format_digits(buf, size, value, units[i]);
}

char *format_bytes(char *buf, size_t size, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};

	return format_scaled(buf, size, bytes, 1024, units, ARRAY_SIZE(units));
}

char *format_count(char *buf, size_t size, double count)
{
	static const char *const units[] = {"", "k", "M", "G"};

	return format_scaled(buf, size, count, 1000, units, ARRAY_SIZE(units));
}

/* @ns in @unit as an exact decimal of at most nine places; false where it is none. */
static bool format_exact(char *buf, size_t size, uint64_t ns, const struct unit *unit)
{
	uint64_t rest = ns % unit->factor;
	char fraction[12];
	size_t n = 0;

	while (rest && n < 9) {
		u128 next = (u128)rest * 10;

		fraction[n++] = (char)('0' + (int)(next / unit->factor));
		rest = (uint64_t)(next % unit->factor);
	}
	if (rest)
		return false;
	fraction[n] = '\0';
	snprintf(buf, size, "%llu%s%s%s", (unsigned long long)(ns / unit->factor), n ? "." : "",
		 fraction, unit->suffix);
	return true;
}

char *format_duration_ns(char *buf, size_t size, uint64_t ns)
{
	char best[48] = "0", text[48];
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(duration_units) && ns; i++) {
		/* "0.1s" is shorter than "100ms", but nobody reads it so. */
		if (ns < duration_units[i].factor ||
		    !format_exact(text, sizeof(text), ns, &duration_units[i]))
			continue;
		if (!found || strlen(text) < strlen(best))
			memcpy(best, text, sizeof(best));
		found = true;
	}
	snprintf(buf, size, "%s", best);
	return buf;
}
