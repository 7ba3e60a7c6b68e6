/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/kinds.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REST "(rest)"
/* More than there are names in protocol_request.protocol. */
#define PROTOCOL_NAMES 16
/* A power of two, twice as large as there are connections. */
#define TABLE_SIZE (2 * KINDS_MAX_CONNECTIONS)

struct followed {
	uint64_t number; /* of the connection, 0: free */
	struct protocol_connection *tracker;
	uint32_t next_sequence;
	enum pb_role role;
};

struct kinds {
	unsigned int set;
	size_t n, n_followed;
	uint64_t unparsed;
	struct kind list[KINDS_MAX + 2 * PROTOCOL_NAMES];
	struct followed table[TABLE_SIZE]; /* open addressing */
};

struct kinds *kinds_new(unsigned int set)
{
	struct kinds *kinds = calloc(1, sizeof(*kinds));

	if (kinds)
		kinds->set = set;
	return kinds;
}

void kinds_free(struct kinds *kinds)
{
	if (!kinds)
		return;
	for (size_t i = 0; i < kinds->n; i++) {
		free(kinds->list[i].service);
		free(kinds->list[i].response);
	}
	for (size_t i = 0; i < TABLE_SIZE; i++)
		protocol_connection_free(kinds->table[i].tracker);
	free(kinds);
}

static size_t home_of(uint64_t number)
{
	return (size_t)(number * 0x9e3779b97f4a7c15ULL >> 40) & (TABLE_SIZE - 1);
}

static struct followed *find(struct kinds *kinds, uint64_t number)
{
	size_t at = home_of(number);

	while (kinds->table[at].number && kinds->table[at].number != number)
		at = (at + 1) & (TABLE_SIZE - 1);
	return &kinds->table[at];
}

/* Entries that were pushed on by this one move back, so that they are still found. */
static void forget(struct kinds *kinds, struct followed *followed)
{
	size_t hole = (size_t)(followed - kinds->table), at = hole;

	protocol_connection_free(followed->tracker);
	kinds->n_followed--;
	for (;;) {
		size_t home;

		at = (at + 1) & (TABLE_SIZE - 1);
		if (!kinds->table[at].number)
			break;
		home = home_of(kinds->table[at].number);
		if (((at - home) & (TABLE_SIZE - 1)) < ((at - hole) & (TABLE_SIZE - 1)))
			continue;
		kinds->table[hole] = kinds->table[at];
		hole = at;
	}
	memset(&kinds->table[hole], 0, sizeof(kinds->table[hole]));
}

static struct kind *kind_at(struct kinds *kinds, const char *protocol, enum pb_role role,
			    const char *label)
{
	for (size_t i = 0; i < kinds->n; i++)
		if (kinds->list[i].role == role && !strcmp(kinds->list[i].protocol, protocol) &&
		    !strcmp(kinds->list[i].label, label))
			return &kinds->list[i];
	return NULL;
}

static struct kind *kind_add(struct kinds *kinds, const char *protocol, enum pb_role role,
			     const char *label)
{
	struct kind kind = {.protocol = protocol, .role = role};

	if (kinds->n == sizeof(kinds->list) / sizeof(kinds->list[0]))
		return NULL;
	strncpy(kind.label, label, sizeof(kind.label) - 1);
	kind.service = malloc(sizeof(*kind.service));
	kind.response = malloc(sizeof(*kind.response));
	if (!kind.service || !kind.response) {
		free(kind.service);
		free(kind.response);
		return NULL;
	}
	histogram_init(kind.service);
	histogram_init(kind.response);
	kinds->list[kinds->n] = kind;
	return &kinds->list[kinds->n++];
}

static struct kind *kind_of(struct kinds *kinds, const struct protocol_request *request,
			    enum pb_role role)
{
	struct kind *kind = kind_at(kinds, request->protocol, role, request->label);

	if (kind)
		return kind;
	if (kinds->n < KINDS_MAX)
		return kind_add(kinds, request->protocol, role, request->label);
	kind = kind_at(kinds, request->protocol, role, REST);
	return kind ? kind : kind_add(kinds, request->protocol, role, REST);
}

struct context {
	struct kinds *kinds;
	enum pb_role role;
};

static uint64_t between(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void take_request(void *context, const struct protocol_request *request)
{
	struct context *to = context;
	struct kind *kind = kind_of(to->kinds, request, to->role);

	if (!kind) {
		to->kinds->unparsed++;
		return;
	}
	kind->count++;
	kind->errors += request->failed;
	if (to->role == PB_ROLE_SERVER)
		histogram_add(kind->service, between(request->read_ns, request->first_ns));
	/* Where the arrival was not seen, so much of it as is known. */
	histogram_add(kind->response,
		      between(request->arrived_ns ? request->arrived_ns : request->read_ns,
			      request->last_ns));
}

static struct followed *follow(struct kinds *kinds, const struct pb_event_payload *event)
{
	struct followed *followed = find(kinds, event->connection);

	if (followed->number)
		return followed;
	if (kinds->n_followed == KINDS_MAX_CONNECTIONS)
		return NULL;
	followed->tracker = protocol_connection_new(kinds->set);
	if (!followed->tracker)
		return NULL;
	followed->number = event->connection;
	followed->role = (enum pb_role)event->role;
	followed->next_sequence = event->sequence;
	kinds->n_followed++;
	return followed;
}

static struct protocol_chunk chunk_of(const struct pb_event_payload *event)
{
	return (struct protocol_chunk){
		.is_request = (event->role == PB_ROLE_SERVER) != (event->is_write != 0),
		.arrived_ns = event->arrived_ns && !event->is_write ? event->arrived_ns
								    : event->event.time_ns,
		.time_ns = event->event.time_ns,
		.length = event->length,
		.n_prefix = event->n_prefix,
		.prefix = (const uint8_t *)(event + 1),
	};
}

void kinds_event(struct kinds *kinds, const struct pb_event_payload *event, size_t size)
{
	struct context context = {.kinds = kinds};
	struct protocol_chunk chunk;
	struct followed *followed;

	if (size < sizeof(*event) || event->n_prefix > size - sizeof(*event) ||
	    event->n_prefix > event->length || !event->connection) {
		kinds->unparsed++;
		return;
	}
	followed = follow(kinds, event);
	if (!followed) {
		kinds->unparsed++;
		return;
	}
	context.role = (enum pb_role)event->role;
	chunk = chunk_of(event);
	chunk.gap = event->sequence != followed->next_sequence;
	followed->next_sequence = event->sequence + 1;
	if (!event->length) {
		protocol_connection_finish(followed->tracker, take_request, &context);
		forget(kinds, followed);
	} else if (!protocol_connection_feed(followed->tracker, &chunk, take_request, &context)) {
		kinds->unparsed++;
	}
}

void kinds_finish(struct kinds *kinds)
{
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		struct context context = {.kinds = kinds, .role = kinds->table[i].role};

		if (kinds->table[i].tracker)
			protocol_connection_finish(kinds->table[i].tracker, take_request, &context);
	}
}

static int by_count(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->label, y->label);
}

const struct kind *kinds_list(struct kinds *kinds, size_t *n)
{
	*n = kinds->n;
	if (kinds->n)
		qsort(kinds->list, kinds->n, sizeof(kinds->list[0]), by_count);
	return kinds->list;
}

uint64_t kinds_unparsed(const struct kinds *kinds)
{
	return kinds->unparsed;
}
