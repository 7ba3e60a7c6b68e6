/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the protocols share. A direction of a connection is a stream of units (a message,
 * a frame, a line): the protocol is shown what is known from a unit's first byte on and says
 * how long the unit is, and what of it was not captured is stepped over. Where a unit's end
 * is not known, the stream is out of step until the next turn or the next beginning.
 */
#ifndef PERFBPF_PROTOCOL_INTERNAL_H
#define PERFBPF_PROTOCOL_INTERNAL_H

#include "protocol/protocol.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Of a unit that comes in pieces, the most that is kept. */
#define HELD_MAX 4096
/* Requests of a connection that wait for an answer. */
#define PENDING_MAX 256

enum direction { REQUESTS, ANSWERS, DIRECTIONS };

/* Known bytes from the first of a unit on. */
struct view {
	const uint8_t *at;
	size_t n;
	bool is_cut; /* no more of this unit will be known */
};

/* What a protocol says of a view, instead of the unit's length. */
#define UNIT_MORE 0    /* more bytes are needed; never with is_cut */
#define UNIT_OPEN (-1) /* the message is told, but where it ends is not known */
#define UNIT_LOST (-2) /* this is no unit, or what it means is not known */
/* Keeps sums of lengths far from overflow. */
#define UNIT_MAX (INT64_MAX / 4)

/* Is this the beginning of a message? */
enum look { LOOK_NO, LOOK_MORE, LOOK_YES };

enum stream_state {
	STREAM_IN_STEP,
	STREAM_OPEN, /* inside a message whose end is not known */
	STREAM_LOST,
};

struct stream {
	enum stream_state state;
	bool in_unit;      /* its head was understood */
	bool is_aside;     /* the unit is no part of a request or an answer; set by the protocol */
	uint64_t skip;     /* bytes of the unit that are still to come */
	uint64_t begin_ns; /* when the unit's first byte came */
	uint64_t held_ns;  /* when the first byte of those held came */
	uint8_t *held;     /* the beginning of a unit that was not yet understood */
	uint32_t n_held, held_size;
};

/* A request that is not yet answered. */
struct pending {
	uint64_t key;
	bool is_open;     /* more of it is to be read */
	bool is_answered; /* some of the answer was seen */
	bool is_doubtful; /* its end may have passed unseen */
	uint16_t kind;    /* the protocol's own */
	uint16_t version;
	uint32_t n_left;
	struct protocol_request request;
};

struct protocol;

struct protocol_connection {
	unsigned int wanted;
	const struct protocol *spoken; /* NULL until it is found out */
	void *state;                   /* the protocol's own */
	bool is_opaque; /* nothing that follows is to be understood: TLS, WebSocket */
	bool is_told;   /* and that is no loss */
	bool is_turn;   /* answers came since the requests got out of step */
	unsigned int misses;
	struct stream streams[DIRECTIONS];
	struct pending *pending;
	size_t first, count, size;
	uint64_t focus[DIRECTIONS]; /* of keyed protocols: whose bytes these are; 0: nobody's */

	/* Of the piece that is being fed. */
	uint64_t arrived_ns, time_ns;
	protocol_request_fn fn;
	void *context;
};

struct protocol {
	enum protocol_id id;
	const char *name;
	bool is_keyed; /* answers name their request; else they come in the order of the requests */
	size_t state_size; /* 0: it has none */
	/* The connection's state may be NULL: it is not yet known what is spoken. */
	enum look (*look)(const struct protocol_connection *connection, enum direction direction,
			  const struct view *view);
	/* The length of the unit, > 0, or one of UNIT_*. With UNIT_MORE nothing has changed. */
	int64_t (*unit)(struct protocol_connection *connection, enum direction direction,
			const struct view *view);
	/* All bytes of a unit have passed. */
	void (*unit_end)(struct protocol_connection *connection, enum direction direction);
	/* The direction begins anew with a message. May be NULL, as may state_free. */
	void (*reset)(struct protocol_connection *connection, enum direction direction);
	void (*state_free)(void *state);
};

extern const struct protocol protocol_http1, protocol_http2, protocol_postgres, protocol_redis,
	protocol_kafka, protocol_mysql;

/* --- stream.c --- */

/* Takes in a piece; false where some of it could not be told. */
bool stream_feed(struct protocol_connection *connection, enum direction direction,
		 const struct protocol_chunk *chunk);
/* Keeps bytes whose meaning is not yet known; false where there is no room. */
bool stream_hold(struct stream *stream, const uint8_t *at, size_t n, uint64_t now_ns);
/* The next byte is the first of a unit. */
void stream_restart(struct stream *stream);
/* What of the answer or request in progress was seen counts for its times. */
void stream_touch(struct protocol_connection *connection, enum direction direction,
		  uint64_t time_ns);

/* --- pending.c --- */

/*
 * A request begins: with the times of the unit that is being looked at, is_open, and without
 * a label. Where answers were out of step this is the next turn. NULL without room: the
 * unit is lost. Valid until the next push or completion.
 */
struct pending *pending_push(struct protocol_connection *connection, uint64_t key);
/* The oldest, the latest, the one with the key; NULL where there is none. */
struct pending *pending_first(struct protocol_connection *connection);
struct pending *pending_last(struct protocol_connection *connection);
struct pending *pending_find(struct protocol_connection *connection, uint64_t key);
/* The one that is being read, NULL where none is. */
struct pending *pending_open(struct protocol_connection *connection);
/* Hands it over, and forgets it. */
void pending_complete(struct protocol_connection *connection, struct pending *pending);
void pending_drop(struct protocol_connection *connection, struct pending *pending);
void pending_clear(struct protocol_connection *connection);
/* A new request begins, or none will: hands over those whose answers got out of step. */
void pending_turn(struct protocol_connection *connection);

/* --- label.c --- */

/* Appends what is printable of @text, other bytes as '?'; cut where the label is full. */
void label_add(char label[PROTOCOL_LABEL_MAX], const void *text, size_t n);
void label_add_word(char label[PROTOCOL_LABEL_MAX], const char *word);
/* Appends in upper case. */
void label_add_upper(char label[PROTOCOL_LABEL_MAX], const void *text, size_t n);
/* Appends the path of a request target, with what names one thing among many folded. */
void label_add_route(char label[PROTOCOL_LABEL_MAX], const void *target, size_t n);

/* --- sql.c --- */

/* Appends the verb and, where it is easy to see, the table: "SELECT accounts". */
void label_add_sql(char label[PROTOCOL_LABEL_MAX], const void *text, size_t n);

/* --- names.c --- */

/* The labels of prepared statements: the latest NAMES_MAX of them. */
#define NAMES_MAX 64
struct names {
	struct name *names;
	unsigned int n, size, next;
};

uint64_t statements_hash(const void *name, size_t n);
void statements_put(struct names *names, uint64_t key, const char *label);
/* NULL where it is not known. */
const char *statements_get(const struct names *names, uint64_t key);
void statements_free(struct names *names);

/* --- numbers as they are on the wire --- */

static inline uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint32_t le24(const uint8_t *at)
{
	return (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

#endif
