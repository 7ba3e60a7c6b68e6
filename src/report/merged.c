/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/merged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/load.h"

static void add_real(double *sum, double value)
{
	if (!isnan(value))
		*sum = isnan(*sum) ? value : *sum + value;
}

/* Structs of one type of number only, which record.h fills in the order of their members. */
static void add_all(int64_t *sums, const int64_t *values, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(*sums); i++)
		record_add_count(&sums[i], values[i]);
}

static void add_all_real(double *sums, const double *values, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(*sums); i++)
		add_real(&sums[i], values[i]);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* Elements of lists in rounds that stand for one thing each, by what names it. */
struct kind {
	size_t list_offset, count_offset, size;
	int (*compare)(const void *a, const void *b);
	int (*start)(void *into, const void *first); /* the name, and sums of nothing */
	int (*add)(void *into, const void *from);
	int (*order)(const void *a, const void *b); /* NULL: that of the first appearance */
};

static int compare_latencies(const void *a, const void *b)
{
	return compare_text(((const struct record_latency *)a)->name,
			    ((const struct record_latency *)b)->name);
}

static int start_latency(void *into, const void *first)
{
	const struct record_latency *from = first;
	struct record_latency *latency = into;

	latency_init(latency);
	latency->name = strdup(from->name ? from->name : "?");
	return latency->name ? 0 : -1;
}

static int add_latency(void *into, const void *from)
{
	return latency_merge(into, from);
}

static int compare_protocols(const void *a, const void *b)
{
	const struct record_protocol *x = a, *y = b;
	int order = compare_text(x->protocol, y->protocol);

	order = order ? order : compare_text(x->role, y->role);
	return order ? order : compare_text(x->label, y->label);
}

static int start_protocol(void *into, const void *first)
{
	const struct record_protocol *from = first;
	struct record_protocol *protocol = into;

	protocol->protocol = copy(from->protocol);
	protocol->role = copy(from->role);
	protocol->label = copy(from->label);
	protocol->count = protocol->errors = RECORD_NONE;
	latency_init(&protocol->service);
	latency_init(&protocol->response);
	return 0;
}

static int add_protocol(void *into, const void *from)
{
	const struct record_protocol *more = from;
	struct record_protocol *protocol = into;

	record_add_count(&protocol->count, more->count);
	record_add_count(&protocol->errors, more->errors);
	return latency_merge(&protocol->service, &more->service) ||
			       latency_merge(&protocol->response, &more->response)
		       ? -1
		       : 0;
}

static int order_protocols(const void *a, const void *b)
{
	const struct record_protocol *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return compare_protocols(a, b);
}

static int compare_peers(const void *a, const void *b)
{
	const struct record_peer *x = a, *y = b;
	int order = compare_text(x->address, y->address);

	order = order ? order : compare_text(x->role, y->role);
	return order ? order : (x->port > y->port) - (x->port < y->port);
}

static int start_peer(void *into, const void *first)
{
	const struct record_peer *from = first;
	struct record_peer *peer = into;

	*peer = (struct record_peer){
		.address = copy(from->address),
		.port = from->port,
		.role = copy(from->role),
		.connections = RECORD_NONE,
		.requests = RECORD_NONE,
		.tx_bytes = RECORD_NONE,
		.rx_bytes = RECORD_NONE,
		.retransmits = RECORD_NONE,
		.connect_mean_seconds = NAN,
		.connect_max_seconds = NAN,
		.rtt_mean_seconds = NAN,
		.rtt_max_seconds = NAN,
	};
	return 0;
}

/* The mean of two means, weighted by how many stand for each; by halves where that is unknown. */
static double mean_of(double mean, int64_t n, double more, int64_t n_more)
{
	if (isnan(mean) || isnan(more))
		return isnan(mean) ? more : mean;
	if (n <= 0 || n_more <= 0)
		return (mean + more) / 2;
	return (mean * (double)n + more * (double)n_more) / ((double)n + (double)n_more);
}

static int add_peer(void *into, const void *from)
{
	const struct record_peer *more = from;
	struct record_peer *peer = into;

	peer->connect_mean_seconds = mean_of(peer->connect_mean_seconds, peer->connections,
					     more->connect_mean_seconds, more->connections);
	peer->rtt_mean_seconds = mean_of(peer->rtt_mean_seconds, peer->requests,
					 more->rtt_mean_seconds, more->requests);
	peer->connect_max_seconds = fmax(peer->connect_max_seconds, more->connect_max_seconds);
	peer->rtt_max_seconds = fmax(peer->rtt_max_seconds, more->rtt_max_seconds);
	record_add_count(&peer->connections, more->connections);
	record_add_count(&peer->requests, more->requests);
	record_add_count(&peer->tx_bytes, more->tx_bytes);
	record_add_count(&peer->rx_bytes, more->rx_bytes);
	record_add_count(&peer->retransmits, more->retransmits);
	return 0;
}

static int order_peers(const void *a, const void *b)
{
	const struct record_peer *x = a, *y = b;
	double p = (double)x->tx_bytes + (double)x->rx_bytes;
	double q = (double)y->tx_bytes + (double)y->rx_bytes;

	if (p != q)
		return p < q ? 1 : -1;
	return compare_peers(a, b);
}

static int compare_syscalls(const void *a, const void *b)
{
	return compare_text(((const struct record_syscall *)a)->name,
			    ((const struct record_syscall *)b)->name);
}

static int start_syscall(void *into, const void *first)
{
	struct record_syscall *call = into;

	call->name = copy(((const struct record_syscall *)first)->name);
	call->count = call->errors = RECORD_NONE;
	call->total_seconds = NAN;
	latency_init(&call->latency);
	return 0;
}

static int add_syscall(void *into, const void *from)
{
	const struct record_syscall *more = from;
	struct record_syscall *call = into;

	record_add_count(&call->count, more->count);
	record_add_count(&call->errors, more->errors);
	add_real(&call->total_seconds, more->total_seconds);
	return latency_merge(&call->latency, &more->latency);
}

static int order_syscalls(const void *a, const void *b)
{
	const struct record_syscall *x = a, *y = b;
	double p = isnan(x->total_seconds) ? 0 : x->total_seconds;
	double q = isnan(y->total_seconds) ? 0 : y->total_seconds;

	if (p != q)
		return p < q ? 1 : -1;
	return compare_syscalls(a, b);
}

static int compare_errors(const void *a, const void *b)
{
	return compare_text(((const struct record_error *)a)->kind,
			    ((const struct record_error *)b)->kind);
}

static int start_error(void *into, const void *first)
{
	struct record_error *error = into;

	error->kind = copy(((const struct record_error *)first)->kind);
	error->count = RECORD_NONE;
	return 0;
}

static int add_error(void *into, const void *from)
{
	record_add_count(&((struct record_error *)into)->count,
			 ((const struct record_error *)from)->count);
	return 0;
}

static int order_errors(const void *a, const void *b)
{
	const struct record_error *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return compare_errors(a, b);
}

/* record_count has the same members, by other names. */
_Static_assert(sizeof(struct record_error) == sizeof(struct record_count), "counts are as errors");

static int compare_kinds(const void *a, const void *b)
{
	return compare_text(((const struct record_kind *)a)->name,
			    ((const struct record_kind *)b)->name);
}

static int start_kind(void *into, const void *first)
{
	*(struct record_kind *)into = (struct record_kind){
		.name = copy(((const struct record_kind *)first)->name),
		.operations = RECORD_NONE,
		.errors = RECORD_NONE,
		.bytes = RECORD_NONE,
		.rows = RECORD_NONE,
	};
	return 0;
}

static int add_kind(void *into, const void *from)
{
	const struct record_kind *more = from;
	struct record_kind *kind = into;

	record_add_count(&kind->operations, more->operations);
	record_add_count(&kind->errors, more->errors);
	record_add_count(&kind->bytes, more->bytes);
	record_add_count(&kind->rows, more->rows);
	return 0;
}

static int compare_phases(const void *a, const void *b)
{
	return compare_text(((const struct record_round_phase *)a)->name,
			    ((const struct record_round_phase *)b)->name);
}

static int start_phase(void *into, const void *first)
{
	struct record_round_phase *phase = into;

	phase->name = copy(((const struct record_round_phase *)first)->name);
	phase->started_at = phase->duration_seconds = NAN;
	record_load_init(&phase->load);
	return 0;
}

static int add_phase(void *into, const void *from)
{
	const struct record_round_phase *more = from;
	struct record_round_phase *phase = into;

	add_real(&phase->duration_seconds, more->duration_seconds);
	if (!more->has_load)
		return 0;
	phase->has_load = true;
	return record_load_merge(&phase->load, &more->load);
}

static int compare_producers(const void *a, const void *b)
{
	return compare_text(((const struct record_producer *)a)->name,
			    ((const struct record_producer *)b)->name);
}

static int start_producer(void *into, const void *first)
{
	struct record_producer *producer = into;

	producer->name = copy(((const struct record_producer *)first)->name);
	record_load_init(&producer->load);
	return 0;
}

static int add_producer(void *into, const void *from)
{
	return record_load_merge(&((struct record_producer *)into)->load,
				 &((const struct record_producer *)from)->load);
}

#define LIST(member)                                                                               \
	offsetof(struct record_round, member), offsetof(struct record_round, n_##member)

static const struct kind kinds[] = {
	{LIST(latency), sizeof(struct record_latency), compare_latencies, start_latency,
	 add_latency, NULL},
	{LIST(protocols), sizeof(struct record_protocol), compare_protocols, start_protocol,
	 add_protocol, order_protocols},
	{LIST(peers), sizeof(struct record_peer), compare_peers, start_peer, add_peer, order_peers},
	{LIST(syscalls), sizeof(struct record_syscall), compare_syscalls, start_syscall,
	 add_syscall, order_syscalls},
	{LIST(errors), sizeof(struct record_error), compare_errors, start_error, add_error,
	 order_errors},
	{LIST(counts), sizeof(struct record_count), compare_errors, start_error, add_error,
	 order_errors},
	{LIST(kinds), sizeof(struct record_kind), compare_kinds, start_kind, add_kind, NULL},
	{LIST(phases), sizeof(struct record_round_phase), compare_phases, start_phase, add_phase,
	 NULL},
	{LIST(producers), sizeof(struct record_producer), compare_producers, start_producer,
	 add_producer, NULL},
};

struct element {
	const void *at;
	const struct kind *kind;
	size_t order; /* of all rounds' elements */
};

static int compare_elements(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int order = x->kind->compare(x->at, y->at);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* The first of each group, and how many are in it. */
struct group {
	const struct element *first;
	size_t n;
};

static int compare_groups(const void *a, const void *b)
{
	size_t x = ((const struct group *)a)->first->order;
	size_t y = ((const struct group *)b)->first->order;

	return (x > y) - (x < y);
}

static bool is_wanted(const struct record_round *round, enum side side, bool valid_only)
{
	return round->side == side && (round->validity.valid || !valid_only);
}

/* All elements of the side's rounds; counts them only where @list is NULL. */
static size_t list_elements(const struct record *rec, enum side side, bool valid_only,
			    const struct kind *kind, struct element *list)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const char *round = (const char *)&rec->rounds[i];
		const char *elements = *(const char *const *)(round + kind->list_offset);
		size_t count = *(const size_t *)(round + kind->count_offset);

		if (!is_wanted(&rec->rounds[i], side, valid_only))
			continue;
		for (size_t j = 0; j < count; j++, n++)
			if (list)
				list[n] = (struct element){elements + j * kind->size, kind, n};
	}
	return n;
}

static size_t group_elements(struct element *list, size_t n, struct group *groups)
{
	size_t n_groups = 0;

	qsort(list, n, sizeof(*list), compare_elements);
	for (size_t i = 0; i < n; i++) {
		if (!i || list[i].kind->compare(list[i - 1].at, list[i].at))
			groups[n_groups++] = (struct group){.first = &list[i]};
		groups[n_groups - 1].n++;
	}
	qsort(groups, n_groups, sizeof(*groups), compare_groups);
	return n_groups;
}

static int add_groups(struct record_round *sum, const struct kind *kind, const struct group *groups,
		      size_t n_groups)
{
	char *out = calloc(n_groups + 1, kind->size);
	size_t *count = (size_t *)(void *)((char *)sum + kind->count_offset);

	if (!out)
		return -1;
	*(char **)(void *)((char *)sum + kind->list_offset) = out;
	for (size_t i = 0; i < n_groups; i++) {
		char *into = out + i * kind->size;

		++*count;
		if (kind->start(into, groups[i].first->at))
			return -1;
		for (size_t j = 0; j < groups[i].n; j++)
			if (kind->add(into, groups[i].first[j].at))
				return -1;
	}
	if (kind->order)
		qsort(out, n_groups, kind->size, kind->order);
	return 0;
}

static int merge_kind(struct merged *merged, const struct record *rec, enum side side,
		      bool valid_only, const struct kind *kind)
{
	size_t n = list_elements(rec, side, valid_only, kind, NULL);
	struct element *list = calloc(n + 1, sizeof(*list));
	struct group *groups = calloc(n + 1, sizeof(*groups));
	int rc = -1;

	if (list && groups) {
		list_elements(rec, side, valid_only, kind, list);
		rc = add_groups(&merged->sum, kind, groups, group_elements(list, n, groups));
	}
	free(list);
	free(groups);
	return rc;
}

static void add_round(struct merged *merged, const struct record_round *round)
{
	struct record_round *sum = &merged->sum;

	merged->rounds++;
	add_real(&sum->window_seconds, round->window_seconds);
	if (round->has_time) {
		sum->has_time = true;
		add_all_real((double *)&sum->time, (const double *)&round->time, sizeof(sum->time));
	}
	if (round->has_requests) {
		sum->has_requests = true;
		add_all((int64_t *)&sum->requests, (const int64_t *)&round->requests,
			sizeof(sum->requests));
	}
	if (round->has_io) {
		sum->has_io = true;
		add_all((int64_t *)&sum->io, (const int64_t *)&round->io, sizeof(sum->io));
	}
}

struct merged *merged_new(const struct record *rec, enum side side, bool valid_only)
{
	struct merged *merged = calloc(1, sizeof(*merged));
	int rc = 0;

	if (!merged)
		return NULL;
	record_round_init(&merged->sum);
	merged->sum.side = side;
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (is_wanted(&rec->rounds[i], side, valid_only))
			add_round(merged, &rec->rounds[i]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !rc; i++)
		rc = merge_kind(merged, rec, side, valid_only, &kinds[i]);
	if (!rc)
		return merged;
	merged_free(merged);
	return NULL;
}

void merged_free(struct merged *merged)
{
	if (!merged)
		return;
	record_round_clear(&merged->sum);
	free(merged);
}
