/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the driver share. */
#ifndef PERFBPF_DRIVE_KAFKA_KAFKA_H
#define PERFBPF_DRIVE_KAFKA_KAFKA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "drive/driver.h"
#include "drive/kafka/api.h"
#include "drive/kafka/ledger.h"
#include "drive/kafka/stamp.h"
#include "drive/load/schedule.h"
#include "drive/load/tally.h"
#include "measure/histogram.h"

/* Kinds of errors that consumers and connections are counted by; more are "other". */
#define KAFKA_ERRORS_MAX 32

enum kafka_content {
	KAFKA_TEXT,   /* words, which compress as logs do */
	KAFKA_RANDOM, /* which nothing compresses */
};

/* An item of `rebalance`: members that join each group, or leave it. */
struct kafka_rebalance {
	char *phase; /* NULL: the first measured one */
	uint64_t at_ns;
	int join, leave;
};

/* The section `kafka:` of a scenario. */
struct kafka_config {
	char *bootstrap, *topic;
	int partitions, replication;
	uint64_t message_size, batch_size, buffer_size;
	uint64_t linger_ns;
	int acks, compression, content;
	bool idempotence;
	int producers, consumers, groups;
	char *group;
	int assignor;
	uint64_t fetch_size, fetch_wait_ns;
	uint64_t heartbeat_ns, session_timeout_ns; /* 0: the library's */
	uint64_t timeout_ns, drain_timeout_ns;
	double preload;
	int seed;
	size_t n_rebalances;
	struct kafka_rebalance *rebalances;
	size_t n_properties;
	struct yaml_pair *properties;
	/* --seed takes more than a scenario's integers; --rate is NAN where it is not given. */
	bool has_seed_override;
	uint64_t seed_override;
	double rate_override;
};

extern const struct yaml_schema kafka_schema;
int kafka_override(void *config, double rate, const uint64_t *seed, struct error *err);
uint64_t kafka_seed(const struct kafka_config *config);
/* What the schema cannot see. -1 with @err. */
int kafka_check(const struct scenario *scenario, struct error *err);
/* The scenario's phases with --rate; freed with kafka_phases_free(). NULL with @err. */
struct phase *kafka_phases(const struct scenario *scenario, struct error *err);
void kafka_phases_free(struct phase *phases, size_t n);

/* Messages begin at any place of as much text. */
#define KAFKA_CONTENT_BYTES 65536

/* How often something happened, by a name that outlives this. */
struct kafka_errors {
	size_t n;
	struct {
		const char *name;
		uint64_t count;
	} rows[KAFKA_ERRORS_MAX];
};

void kafka_errors_add(struct kafka_errors *errors, const char *name);

/* How many came, at what size, and from when to when. */
struct kafka_flow {
	uint64_t messages, bytes;
	uint64_t first_ns, last_ns;
};

void kafka_flow_add(struct kafka_flow *flow, uint64_t at_ns, uint64_t bytes);

struct producer;
struct consumer;

/* A group of consumers, all of which are here. */
struct group {
	char *id;
	uint64_t changing_ns; /* since when it has been without some of its members or partitions;
				 0: it is whole */
	bool was_whole;
	struct kafka_flow flow; /* in the window */
};

/* The thread that speaks to the broker before the load; prepare.c. */
struct prepare;

struct driver {
	const struct scenario *scenario;
	const struct kafka_config *config;
	struct kafka_api api;
	struct phase *phases;
	size_t n_phases;
	struct schedule *schedule;
	struct tally *tally;
	struct ledger *ledger;
	uint64_t run; /* of the stamps */
	char *bootstrap, *topic;
	int64_t *starts; /* where this run begins in each partition */
	int n_partitions;

	int epoll_fd, timer_fd;
	struct prepare *prepare; /* while it works */
	bool is_prepared, is_preloaded;
	uint64_t start_ns;          /* of phase 0; 0: not yet */
	uint64_t open_ns, close_ns; /* of the window; 0: not yet */
	uint64_t end_ns;            /* since when nothing is sent any more; 0: not yet */
	/* When a message was last consumed: any, one of the window. */
	uint64_t progress_ns, counted_progress_ns;
	bool *rebalances_done;

	size_t n_producers;
	struct producer *producers;
	size_t n_consumers, consumers_room;
	struct consumer **consumers; /* they do not move */
	struct group *groups;

	char *content; /* that messages are cut from: KAFKA_CONTENT_BYTES and a message */
	char *message; /* the one that is made */

	struct histogram assignment, rebalance, end_to_end;
	struct histogram *phase_end_to_end; /* of each phase; NULL without consumers */
	uint64_t malformed, foreign, queue_full, rebalances;
	uint64_t unsent; /* messages of the window that the library did not even take */
	struct kafka_errors connection_errors, consumer_errors;
	char last_error[256]; /* what the library last said of a connection */
	struct error failed;  /* of a callback, which cannot return it */
	bool has_failed;
};

/* The producers that there are to be: of what is consumed only, one that fills the topic before. */
size_t kafka_n_producers(const struct kafka_config *config);
/* Are messages sent while the load lasts? */
bool kafka_produces(const struct driver *driver);
/* Watches @fd, whose events are then handed to producers_ready() or consumers_ready(). */
#define KAFKA_TAG_TIMER    0
#define KAFKA_TAG_PREPARE  1
#define KAFKA_TAG_PRODUCER 0x100000000ULL
#define KAFKA_TAG_CONSUMER 0x200000000ULL
/* An eventfd that is watched with @tag. -1 with @err. */
int kafka_eventfd(struct driver *driver, uint64_t tag, struct error *err);
/* Takes what an eventfd holds; it is set anew by kafka_raise(), so that it is ready once more. */
void kafka_take(int event_fd);
void kafka_raise(int event_fd);
/* For callbacks: the driver ends with this at its next step. */
void kafka_fail(struct driver *driver, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The phase of what was due at @at_ns; what comes after the last belongs to it. */
size_t kafka_phase_at(const struct driver *driver, uint64_t at_ns);
/* Have the groups all of the window, or has nothing come for so long that nothing will? */
bool kafka_is_drained(const struct driver *driver);

/* --- client.c: how librdkafka is set up ------------------------------------------ */

/* @opaque is what callbacks get. NULL with @err; else rd_kafka_new() takes it. */
rd_kafka_conf_t *client_conf(struct driver *driver, bool is_consumer, const char *group,
			     void *opaque, struct error *err);

/* --- prepare.c: the topic --------------------------------------------------------- */

/* Begins; the eventfd of KAFKA_TAG_PREPARE is ready once it is done. @rk outlives it. */
struct prepare *prepare_start(struct driver *driver, rd_kafka_t *rk, struct error *err);
/* Waits for its end, takes over what it found, and frees it. -1 with @err. */
int prepare_finish(struct driver *driver, struct error *err);
/* Gives it up. */
void prepare_cancel(struct driver *driver);

/* --- producer.c ------------------------------------------------------------------- */

int producers_open(struct driver *driver, struct error *err);
void producers_close(struct driver *driver);
/* Client of the first, which is there after producers_open(). */
rd_kafka_t *producers_client(const struct driver *driver);
/* Delivery reports of the @i-th. */
void producers_ready(struct driver *driver, size_t i);
/* Sends what is due at @now_ns; returns when to be called next (UINT64_MAX: not before something
 * is delivered). */
uint64_t producers_emit(struct driver *driver, uint64_t now_ns);
/* The messages before the load. */
void producers_preload(struct driver *driver);
bool producers_have_preloaded(const struct driver *driver);
/* Nothing is sent any more, and nothing is under way. */
bool producers_are_done(const struct driver *driver);
/* Nothing is under way that belongs to the window. */
bool producers_are_drained(const struct driver *driver);
uint64_t producers_in_flight(const struct driver *driver);
json_t *producers_report(const struct driver *driver, double seconds);

/* --- consumer.c -------------------------------------------------------------------- */

/* The first members of all groups subscribe. */
int consumers_open(struct driver *driver, struct error *err);
void consumers_close(struct driver *driver);
/* Messages or more for the @i-th. -1 with @err. */
int consumers_ready(struct driver *driver, size_t i, struct error *err);
/* Has each group all that was acknowledged, of the window or of what was outside? */
bool consumers_have_all(const struct driver *driver, bool counted);
/* Lets members join and leave where it is time. Returns when the next is due; UINT64_MAX: never. */
uint64_t consumers_change(struct driver *driver, uint64_t now_ns, struct error *err);

/* --- group.c ---------------------------------------------------------------------- */

/* All groups are whole: each member has its share, each partition its member. */
bool consumers_are_whole(const struct driver *driver);
/* They read from now on. */
void consumers_resume(struct driver *driver);

/* --- report.c ---------------------------------------------------------------------- */

json_t *kafka_report(struct driver *driver);
void kafka_print_usage(const struct driver *driver, FILE *out);
void kafka_print_progress(const struct driver *driver, FILE *out);

#endif
