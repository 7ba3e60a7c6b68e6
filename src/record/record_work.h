/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The work that a side did in a round: lines, requests, and how long they took; part of record.h.
 */
#ifndef PERFBPF_RECORD_RECORD_WORK_H
#define PERFBPF_RECORD_RECORD_WORK_H

#include <stddef.h>
#include <stdint.h>

struct record_work {
	int64_t lines; /* seen at the target's output, intended within the window */
	int64_t bytes; /* of those lines */
	int64_t expected_lines;
	int64_t lost;
	int64_t duplicated;
	int64_t reordered;
	int64_t malformed;
	int64_t foreign; /* lines of the tool's own, without a stamp */
	/* Of drivers that ask: what was answered well, what was not, and what was due and never
	 * sent. Together they are what was offered. */
	int64_t operations, errors, dropped;
	int64_t completed; /* good answers that came in the window, whenever they were due */
	int64_t rows, rows_expected; /* in the driver's own terms: rows, messages */
	/* The plan says how much is offered (open loop, iterations), not the target's speed. */
	bool is_fixed;
};

/* How many operations failed in one way. */
struct record_error {
	char *kind; /* "status 503" "refused" "timeout"; "other": all beyond the bound */
	int64_t count;
};

/*
 * A distribution of times. Its names: "delivery" (of a driver); of requests "queue",
 * "service", "response" (server) and "round_trip" (client); of threads "run_queue" and
 * "wait_REASON"; "block_read", "block_write", "fsync", "connect", "rtt"; "exec", of a driver's
 * commands from exec to exit; and what a scenario scrapes.
 */
struct record_latency {
	char *name;
	int64_t count;
	double min_seconds, mean_seconds, p50_seconds, p90_seconds, p95_seconds, p99_seconds,
		p999_seconds, max_seconds;
	/*
	 * Its histogram, buckets that are not empty only, in ascending order: how many values
	 * lie above the upper bound before (or the bucket's own lower end) and not above this
	 * one. 0 buckets: the source gave none.
	 */
	size_t n_buckets;
	double *bucket_upper_seconds, *bucket_counts;
};

/* Other things that a driver counts: "status 200", "reconnects". */
struct record_count {
	char *name;
	int64_t count;
};

/* The requests of one kind; their times are the latency "response NAME". */
struct record_kind {
	char *name;
	int64_t operations, errors, bytes, rows; /* as of struct record_work */
};

/* What a load did in one phase, or one producer in all. */
struct record_load {
	int64_t operations, errors, dropped; /* as of struct record_work */
	double late_seconds_max;             /* by the driver's own fault */
	double rate_per_second;              /* good answers */
	/* From the intended moment, and from the moment at which it was sent. */
	struct record_latency response, service;
};

struct record_producer {
	char *name;
	struct record_load load;
};

/* What passed over the members' stream sockets, as turns of a conversation. */
struct record_requests {
	int64_t served;      /* requests that a member answered */
	int64_t sent;        /* requests of a member that were answered */
	int64_t in_flight;   /* begun in the window and not answered at its end */
	int64_t streams;     /* connections that stream: left out of the times */
	int64_t overlapped;  /* turns in which more arrived before the answer: pipelining, or a
				request in parts */
	int64_t interleaved; /* of those served and sent: several in flight, no times of answers */
	int64_t no_arrival;  /* requests whose arrival was not seen: without queue and response */
	int64_t no_role;     /* connections of which nobody knows who asks: left out */
	int64_t unparsed;    /* pieces that the wanted protocols could not tell; NONE without
				--protocols */
};

/* One kind of request, as its protocol tells it; only with --protocols. */
struct record_protocol {
	char *protocol; /* "http" "http2" "grpc" "postgres" "redis" "kafka" "mysql" */
	char *role;     /* "server" or "client" */
	char *label;    /* "GET /users/:id", "SELECT", "GET", "Produce" */
	int64_t count, errors;
	struct record_latency service;  /* server only */
	struct record_latency response; /* arrival to last byte; of a client: sent to last byte */
};

#endif
