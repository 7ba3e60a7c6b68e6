/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perfbpf.h"

#define NS_PER_SECOND 1e9

_Static_assert(LATENCY_SUB_BUCKETS == 1 << PB_HIST_SUB_BITS, "the geometry of perfbpf.h");

const struct record_latency *latency_find(const struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_latency; i++)
		if (round->latency[i].name && !strcmp(round->latency[i].name, name))
			return &round->latency[i];
	return NULL;
}

void latency_init(struct record_latency *latency)
{
	*latency = (struct record_latency){
		.count = RECORD_NONE,
		.min_seconds = NAN,
		.mean_seconds = NAN,
		.p50_seconds = NAN,
		.p90_seconds = NAN,
		.p95_seconds = NAN,
		.p99_seconds = NAN,
		.p999_seconds = NAN,
		.max_seconds = NAN,
	};
}

void latency_clear(struct record_latency *latency)
{
	free(latency->name);
	free(latency->bucket_upper_seconds);
	free(latency->bucket_counts);
	latency_init(latency);
}

struct record_latency *latency_add(struct record_round *round, const char *name)
{
	struct record_latency *all =
		reallocarray(round->latency, round->n_latency + 1, sizeof(*all));
	char *copy = all ? strdup(name) : NULL;

	if (all)
		round->latency = all;
	if (!copy)
		return NULL;
	latency_init(&all[round->n_latency]);
	all[round->n_latency].name = copy;
	return &all[round->n_latency++];
}

/* The bucket that @upper is the upper end of, or -1 where it is none of perfbpf's own. */
static int64_t fine_index(double upper)
{
	double ns = round(upper * NS_PER_SECOND);
	pb_u32 index;

	/* Beyond 2^53 nanoseconds, 104 days, a double does not tell one from the next. */
	if (!(ns >= 0) || ns > 0x1p53 || fabs(upper * NS_PER_SECOND - ns) > 1e-3 + ns * 1e-14)
		return -1;
	index = pb_hist_index((pb_u64)ns);
	if (index < PB_HIST_BUCKETS - 1 && pb_hist_index((pb_u64)ns + 1) == index)
		return -1;
	return index;
}

bool latency_is_fine(const struct record_latency *latency)
{
	for (size_t i = 0; i < latency->n_buckets; i++)
		if (fine_index(latency->bucket_upper_seconds[i]) < 0)
			return false;
	return latency->n_buckets > 0;
}

static double lower_end(const struct record_latency *latency, bool fine, size_t i)
{
	if (fine)
		return (double)pb_hist_lower((pb_u32)fine_index(latency->bucket_upper_seconds[i])) /
		       NS_PER_SECOND;
	return i ? latency->bucket_upper_seconds[i - 1] : 0;
}

double latency_bucket_lower(const struct record_latency *latency, size_t i)
{
	return lower_end(latency, latency_is_fine(latency), i);
}

double latency_count_within(const struct record_latency *latency, double seconds)
{
	double count = 0;

	for (size_t i = 0; i < latency->n_buckets && latency->bucket_upper_seconds[i] <= seconds;
	     i++)
		count += latency->bucket_counts[i];
	return count;
}

bool latency_carries(double count, double q)
{
	/* The small allowance is for 1 − q, which is not exact: 100 · (1 − 0.9) is below 10. */
	return count >= 1 && (q <= 0.5 || count * (1 - q) >= LATENCY_MIN_BEYOND - 1e-6);
}

double latency_quantile(const struct record_latency *latency, double q)
{
	double count = (double)latency->count, below = 0, rank = ceil(q * count - 1e-6), value;
	bool fine = latency_is_fine(latency);
	size_t i = 0;

	if (!latency->n_buckets || !latency_carries(count, q))
		return NAN;
	rank = fmax(fine ? rank : q * count, fine ? 1 : 0);
	while (i < latency->n_buckets && below + latency->bucket_counts[i] < rank)
		below += latency->bucket_counts[i++];
	if (i == latency->n_buckets) {
		/* Longer than the last bound: of that nothing more is known. */
		value = latency->bucket_upper_seconds[i - 1];
	} else {
		double lower = lower_end(latency, fine, i);
		double width = latency->bucket_upper_seconds[i] - lower;
		double inside = latency->bucket_counts[i];

		if (fine)
			value = lower + width / 2;
		else
			value = lower + (inside > 0 ? width * (rank - below) / inside : 0);
	}
	value = fmax(value, latency->min_seconds); /* fmax() passes over a NAN */
	return fmin(value, latency->max_seconds);
}

/* Writes the union of both lists of buckets, or only counts them where @out is NULL. */
static size_t join(const struct record_latency *a, const struct record_latency *b,
		   struct record_latency *out)
{
	size_t i = 0, j = 0, n = 0;

	while (i < a->n_buckets || j < b->n_buckets) {
		double x = i < a->n_buckets ? a->bucket_upper_seconds[i] : INFINITY;
		double y = j < b->n_buckets ? b->bucket_upper_seconds[j] : INFINITY;
		double upper = fmin(x, y), count = 0;

		/* Not "<=": a broken record may hold what is no number, and this must end. */
		if (i < a->n_buckets && !(x > y))
			count += a->bucket_counts[i++];
		if (j < b->n_buckets && !(y > x))
			count += b->bucket_counts[j++];
		if (out) {
			out->bucket_upper_seconds[n] = upper;
			out->bucket_counts[n] = count;
		}
		n++;
	}
	return n;
}

static int add_buckets(struct record_latency *into, const struct record_latency *from)
{
	size_t n = join(into, from, NULL);
	struct record_latency sum = {
		.n_buckets = n,
		.bucket_upper_seconds = calloc(n + 1, sizeof(double)),
		.bucket_counts = calloc(n + 1, sizeof(double)),
	};

	if (!sum.bucket_upper_seconds || !sum.bucket_counts) {
		free(sum.bucket_upper_seconds);
		free(sum.bucket_counts);
		return -1;
	}
	join(into, from, &sum);
	free(into->bucket_upper_seconds);
	free(into->bucket_counts);
	into->bucket_upper_seconds = sum.bucket_upper_seconds;
	into->bucket_counts = sum.bucket_counts;
	into->n_buckets = n;
	return 0;
}

static void drop_buckets(struct record_latency *latency)
{
	free(latency->bucket_upper_seconds);
	free(latency->bucket_counts);
	latency->bucket_upper_seconds = latency->bucket_counts = NULL;
	latency->n_buckets = 0;
}

/* A record from outside may lack an array, or hold what is no number there. */
static bool has_buckets(const struct record_latency *latency)
{
	if (!latency->n_buckets || !latency->bucket_upper_seconds || !latency->bucket_counts)
		return false;
	for (size_t i = 0; i < latency->n_buckets; i++)
		if (!isfinite(latency->bucket_upper_seconds[i]) ||
		    !(latency->bucket_counts[i] >= 0) || !isfinite(latency->bucket_counts[i]) ||
		    (i && latency->bucket_upper_seconds[i] <= latency->bucket_upper_seconds[i - 1]))
			return false;
	return true;
}

static int copy_first(struct record_latency *into, const struct record_latency *from)
{
	char *name = into->name;

	*into = *from;
	into->name = name;
	into->n_buckets = 0;
	into->bucket_upper_seconds = into->bucket_counts = NULL;
	return has_buckets(from) ? add_buckets(into, from) : 0;
}

int latency_merge(struct record_latency *into, const struct record_latency *from)
{
	int64_t a = into->count, b = from->count;

	if (b <= 0) {
		if (a == RECORD_NONE)
			into->count = b < 0 ? RECORD_NONE : 0;
		return 0;
	}
	if (a <= 0)
		return copy_first(into, from);
	if (__builtin_add_overflow(a, b, &into->count))
		into->count = INT64_MAX;
	into->mean_seconds = (into->mean_seconds * (double)a + from->mean_seconds * (double)b) /
			     ((double)a + (double)b);
	/* Where one part's is not known, that of the sum is not. */
	into->min_seconds = isnan(into->min_seconds) || isnan(from->min_seconds)
				    ? NAN
				    : fmin(into->min_seconds, from->min_seconds);
	into->max_seconds = isnan(into->max_seconds) || isnan(from->max_seconds)
				    ? NAN
				    : fmax(into->max_seconds, from->max_seconds);
	if (!into->n_buckets || !has_buckets(from))
		drop_buckets(into);
	else if (add_buckets(into, from))
		return -1;
	into->p50_seconds = latency_quantile(into, 0.5);
	into->p90_seconds = latency_quantile(into, 0.9);
	into->p95_seconds = latency_quantile(into, 0.95);
	into->p99_seconds = latency_quantile(into, 0.99);
	into->p999_seconds = latency_quantile(into, 0.999);
	return 0;
}
