/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a server notes of each request, and what it tells of all of them at its end. */
#ifndef PERFBPF_TRUTH_SERVED_H
#define PERFBPF_TRUTH_SERVED_H

#include <pthread.h>

#include "net.h"

/* What is known of a request: the client's stamp, and the server's own. */
struct request {
	uint64_t sent_ns, first_read_ns, read_ns;
	uint64_t write_ns, written_ns;           /* first write of the answer: begin and end */
	uint64_t last_write_ns, last_written_ns; /* the last one */
};

struct served {
	pthread_mutex_t lock;
	struct request *requests;
	size_t n_requests, capacity, streams, lines, accepted, closed;
};

static inline void served_add(struct served *served, const struct request *request)
{
	pthread_mutex_lock(&served->lock);
	if (served->n_requests == served->capacity) {
		served->capacity = served->capacity ? 2 * served->capacity : 65536;
		served->requests =
			realloc(served->requests, served->capacity * sizeof(*served->requests));
		if (!served->requests)
			truth_die("no memory");
	}
	served->requests[served->n_requests++] = *request;
	pthread_mutex_unlock(&served->lock);
}

static inline void served_count(struct served *served, size_t *counter)
{
	pthread_mutex_lock(&served->lock);
	(*counter)++;
	pthread_mutex_unlock(&served->lock);
}

static inline int served_order(const void *a, const void *b)
{
	uint64_t x = ((const struct request *)a)->sent_ns, y = ((const struct request *)b)->sent_ns;

	return (x > y) - (x < y);
}

#define SERVED_MAX_SERVERS 64

/*
 * The waits in a queue from which @n_servers take requests in the order of their arrival, one at a
 * time, each of which needs @service_ns.
 */
static inline void served_simulate(const struct served *served, uint64_t service_ns,
				   size_t n_servers, struct samples *waits)
{
	uint64_t free_ns[SERVED_MAX_SERVERS] = {0};

	for (size_t i = 0; i < served->n_requests; i++) {
		uint64_t sent_ns = served->requests[i].sent_ns;
		uint64_t begin_ns;
		size_t first = 0;

		for (size_t j = 1; j < n_servers; j++)
			if (free_ns[j] < free_ns[first])
				first = j;
		begin_ns = sent_ns > free_ns[first] ? sent_ns : free_ns[first];
		samples_add(waits, sent_ns, begin_ns);
		free_ns[first] = begin_ns + service_ns;
	}
}

/* Waits until all connections have ended, for at most 2 s: what they do until then counts. */
static inline void served_settle(struct served *served)
{
	for (int i = 0; i < 200; i++) {
		bool open;

		pthread_mutex_lock(&served->lock);
		open = served->accepted != served->closed;
		pthread_mutex_unlock(&served->lock);
		if (!open)
			return;
		truth_sleep_ns(10000000);
	}
}

/* Writes the truth. The lock is kept: whatever comes later is no part of it. */
static inline void served_tell(struct served *served, uint64_t service_ns, size_t n_servers)
{
	struct samples queue = {0}, simulated = {0}, service = {0}, service_written = {0},
		       response = {0}, response_written = {0};
	struct net_text text = {.length = 0};

	pthread_mutex_lock(&served->lock);
	if (served->n_requests)
		qsort(served->requests, served->n_requests, sizeof(*served->requests),
		      served_order);
	served_simulate(served, service_ns, n_servers, &simulated);
	for (size_t i = 0; i < served->n_requests; i++) {
		const struct request *request = &served->requests[i];

		samples_add(&queue, request->sent_ns, request->first_read_ns);
		samples_add(&service, request->read_ns, request->write_ns);
		samples_add(&service_written, request->read_ns, request->written_ns);
		samples_add(&response, request->sent_ns, request->last_write_ns);
		samples_add(&response_written, request->sent_ns, request->last_written_ns);
	}
	net_append(&text,
		   "{\"pid\": %d, \"served\": %zu, \"streams\": %zu, \"lines\": %zu, "
		   "\"accepted\": %zu",
		   getpid(), served->n_requests, served->streams, served->lines, served->accepted);
	net_append_samples(&text, "queue", &queue);
	net_append_samples(&text, "simulated_queue", &simulated);
	net_append_samples(&text, "service", &service);
	net_append_samples(&text, "service_written", &service_written);
	net_append_samples(&text, "response", &response);
	net_append_samples(&text, "response_written", &response_written);
	truth_print("%s}", text.text);
}

#endif
