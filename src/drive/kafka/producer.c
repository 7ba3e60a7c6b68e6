/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages on their way to the broker: when each is due, how many may be under way, and what
 * came of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/kafka/kafka.h"
#include "drive/latency_json.h"
#include "util/clock.h"

/* Of one producer between two looks at what else there is to do. */
#define BURST_MAX 2000
/* Messages that are due close together go out together: more wake-ups would cost the CPU time that
 * the broker needs, too. */
#define COALESCE_NS (200 * NSEC_PER_USEC)
/* Messages under way before the load. */
#define PRELOAD_IN_FLIGHT 10000

struct producer {
	struct driver *driver;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	int event_fd;
	uint16_t number;
	uint64_t sequence; /* of the next message */
	uint64_t in_flight, counted_in_flight;
	size_t phase;
	uint64_t arrival;       /* open loop: the next of the phase that is this producer's */
	uint64_t begun;         /* closed loop: messages of this phase */
	uint64_t unblocked_ns;  /* when it last had room again, after the target had left it none */
	uint64_t acked_ns;      /* when it looked for what was delivered */
	bool is_full;           /* the library's buffer has no room */
	bool is_blocked;        /* as many messages are under way as may be */
	struct kafka_flow flow; /* acknowledged, in the window */
	uint64_t errors;        /* in the window */
	struct histogram response; /* of what was acknowledged in the window */
};

/* --- a message --------------------------------------------------------------------- */

static void tell_tally(struct producer *producer, const struct stamp *stamp, const char *error)
{
	struct tally_request request = {
		.phase = kafka_phase_at(producer->driver, stamp->intended_ns),
		.intended_ns = stamp->intended_ns,
		.begun_ns = stamp->sent_ns,
		.ended_ns =
			producer->acked_ns > stamp->sent_ns ? producer->acked_ns : stamp->sent_ns,
		.error = error,
		.bytes = stamp->size,
	};

	tally_add(producer->driver->tally, &request);
}

/* The text of a message: a piece of the content that its sequence number chooses. */
static void make_message(struct producer *producer, const struct stamp *stamp)
{
	struct driver *driver = producer->driver;
	uint64_t place = (stamp->sequence + 1) * 0x9e3779b97f4a7c15ULL + producer->number;

	memcpy(driver->message + STAMP_BYTES, driver->content + (place >> 40) % KAFKA_CONTENT_BYTES,
	       stamp->size - STAMP_BYTES);
	stamp_write(stamp, driver->message);
}

/* False: the library has no room, and it is to be tried again. */
static bool send_one(struct producer *producer, uint64_t intended_ns, uint16_t flags)
{
	struct driver *driver = producer->driver;
	struct stamp stamp = {
		.run = driver->run,
		.sequence = producer->sequence,
		.intended_ns = intended_ns,
		.sent_ns = clock_now_ns(),
		.producer = producer->number,
		.flags = flags,
		.size = (uint32_t)driver->config->message_size,
	};
	rd_kafka_resp_err_t code;

	make_message(producer, &stamp);
	if (!driver->api.produce(producer->topic,
				 (int32_t)ledger_partition(driver->ledger, stamp.sequence),
				 RD_KAFKA_MSG_F_COPY, driver->message, stamp.size, NULL, 0, NULL)) {
		producer->sequence++;
		producer->in_flight++;
		producer->counted_in_flight += !!(flags & STAMP_COUNTED);
		return true;
	}
	code = driver->api.last_error();
	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		producer->is_full = true;
		driver->queue_full++;
		return false;
	}
	/* It was never a message: it has no number, and nobody will look for it. */
	producer->acked_ns = stamp.sent_ns;
	if (!(flags & STAMP_PRELOAD))
		tell_tally(producer, &stamp, driver->api.err2name(code));
	producer->errors += !!(flags & STAMP_COUNTED);
	driver->unsent += !!(flags & STAMP_COUNTED);
	return true;
}

/* A delivery report. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct producer *producer = opaque;
	struct driver *driver = producer->driver;
	struct ledger_message entry;
	struct stamp stamp;

	(void)rk;
	if (!stamp_read(&stamp, message->payload, message->len)) {
		kafka_fail(driver, "kafka: a delivery report is of no message that was sent");
		return;
	}
	entry = (struct ledger_message){stamp.producer, stamp.sequence,
					stamp.flags & STAMP_COUNTED};
	producer->in_flight--;
	producer->counted_in_flight -= entry.counted;
	if (message->err) {
		ledger_fail(driver->ledger, &entry);
		producer->errors += entry.counted;
	} else {
		ledger_acknowledge(driver->ledger, &entry);
		if (entry.counted && !(stamp.flags & STAMP_PRELOAD)) {
			kafka_flow_add(&producer->flow, producer->acked_ns, stamp.size);
			histogram_add(&producer->response, producer->acked_ns - stamp.intended_ns);
		}
	}
	if (!(stamp.flags & STAMP_PRELOAD))
		tell_tally(producer, &stamp,
			   message->err ? driver->api.err2name(message->err) : NULL);
	else if (message->err)
		kafka_fail(driver, "kafka: the messages before the load cannot be sent: %s",
			   driver->api.err2str(message->err));
}

static void failed(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct producer *producer = opaque;
	struct driver *driver = producer->driver;

	(void)rk;
	kafka_errors_add(&driver->connection_errors,
			 driver->api.err2name((rd_kafka_resp_err_t)code));
	snprintf(driver->last_error, sizeof(driver->last_error), "%s", reason);
}

void producers_ready(struct driver *driver, size_t i)
{
	struct producer *producer = &driver->producers[i];

	kafka_take(producer->event_fd);
	/* All that is delivered so far has come by now; how long it takes to go through them is
	 * not the broker's. */
	producer->acked_ns = clock_now_ns();
	driver->api.poll(producer->rk, 0);
	producer->is_full = false;
	if (producer->is_blocked) {
		producer->is_blocked = false;
		producer->unblocked_ns = producer->acked_ns;
	}
}

/* --- when ---------------------------------------------------------------------------- */

static uint64_t phase_end_ns(const struct producer *producer)
{
	const struct driver *driver = producer->driver;

	return driver->start_ns + schedule_phase_begin_ns(driver->schedule, producer->phase + 1);
}

static void next_phase(struct producer *producer)
{
	producer->phase++;
	producer->arrival = producer->number;
	producer->begun = 0;
}

static uint16_t flags_at(const struct driver *driver, uint64_t intended_ns)
{
	return tally_is_in_window(driver->tally, intended_ns) ? STAMP_COUNTED : 0;
}

/* Messages that may be under way: the phase's, shared among the producers. */
static uint64_t open_limit(const struct producer *producer)
{
	const struct driver *driver = producer->driver;
	uint64_t all = (uint64_t)driver->phases[producer->phase].max_vus;
	uint64_t share =
		all / driver->n_producers + (producer->number < all % driver->n_producers ? 1 : 0);

	return share ? share : 1;
}

/* One that is due: it goes out, or is dropped, or waits (false). */
static bool serve_arrival(struct producer *producer, uint64_t due_ns, uint64_t now_ns)
{
	struct driver *driver = producer->driver;
	bool has_room = producer->in_flight < open_limit(producer);
	uint64_t since_ns = due_ns > producer->unblocked_ns ? due_ns : producer->unblocked_ns;

	if (has_room && !producer->is_full) {
		uint64_t sent_ns = clock_now_ns();

		if (send_one(producer, due_ns, flags_at(driver, due_ns))) {
			tally_late(driver->tally, producer->phase, due_ns,
				   sent_ns > since_ns ? sent_ns - since_ns : 0);
			return true;
		}
	}
	if (!has_room)
		producer->is_blocked = true;
	if (now_ns < phase_end_ns(producer))
		return false;
	tally_dropped(driver->tally, producer->phase, due_ns);
	return true;
}

/* Returns when it is to be called next. */
static uint64_t emit_open(struct producer *producer, uint64_t now_ns)
{
	struct driver *driver = producer->driver;

	for (int i = 0; i < BURST_MAX; i++) {
		uint64_t due_ns;

		if (producer->arrival >= schedule_arrivals(driver->schedule, producer->phase)) {
			/* It is not over yet: messages of the next phase are due later. */
			next_phase(producer);
			return now_ns;
		}
		due_ns = driver->start_ns +
			 schedule_arrival_ns(driver->schedule, producer->phase, producer->arrival);
		if (due_ns > now_ns)
			return due_ns > now_ns + COALESCE_NS ? due_ns : now_ns + COALESCE_NS;
		if (!serve_arrival(producer, due_ns, now_ns))
			return phase_end_ns(producer);
		producer->arrival += driver->n_producers;
	}
	return now_ns;
}

static uint64_t iterations_of(const struct phase *phase)
{
	if (phase->executor != EXECUTOR_PER_VU_ITERATIONS)
		return UINT64_MAX;
	return (uint64_t)phase->vus * (uint64_t)phase->iterations;
}

static uint64_t emit_closed(struct producer *producer, uint64_t now_ns)
{
	struct driver *driver = producer->driver;
	uint64_t at_ns = now_ns - driver->start_ns, next_ns;
	uint64_t users = schedule_users(driver->schedule, at_ns);
	uint64_t iterations = iterations_of(&driver->phases[producer->phase]);

	if (now_ns >= phase_end_ns(producer)) {
		next_phase(producer);
		return now_ns;
	}
	for (int i = 0; producer->in_flight < users && producer->begun < iterations; i++) {
		uint64_t intended_ns = clock_now_ns();

		if (i == BURST_MAX)
			return now_ns;
		if (producer->is_full ||
		    !send_one(producer, intended_ns, flags_at(driver, intended_ns)))
			break;
		producer->begun++;
	}
	next_ns = schedule_users_change_ns(driver->schedule, at_ns);
	next_ns = next_ns == UINT64_MAX ? next_ns : next_ns + driver->start_ns;
	return next_ns < phase_end_ns(producer) ? next_ns : phase_end_ns(producer);
}

/* When the phase that it is in begins, for what has been sent before its time. */
static uint64_t emit(struct producer *producer, uint64_t now_ns)
{
	struct driver *driver = producer->driver;
	uint64_t next_ns = now_ns;

	while (next_ns <= now_ns) {
		uint64_t begin_ns = driver->start_ns +
				    schedule_phase_begin_ns(driver->schedule, producer->phase);
		size_t phase = producer->phase;

		if (phase == driver->n_phases)
			return UINT64_MAX;
		if (begin_ns > now_ns)
			return begin_ns;
		next_ns = phase_is_open_loop(&driver->phases[phase])
				  ? emit_open(producer, now_ns)
				  : emit_closed(producer, now_ns);
		/* A burst has ended: others have their turn. */
		if (next_ns <= now_ns && producer->phase == phase)
			return now_ns;
	}
	return next_ns;
}

uint64_t producers_emit(struct driver *driver, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	if (!kafka_produces(driver))
		return next_ns;
	for (size_t i = 0; i < driver->n_producers; i++) {
		uint64_t at_ns = emit(&driver->producers[i], now_ns);

		next_ns = at_ns < next_ns ? at_ns : next_ns;
	}
	return next_ns;
}

void producers_preload(struct driver *driver)
{
	struct producer *producer = &driver->producers[0];

	while (producer->sequence < (uint64_t)driver->config->preload &&
	       producer->in_flight < PRELOAD_IN_FLIGHT && !producer->is_full)
		send_one(producer, clock_now_ns(), STAMP_COUNTED | STAMP_PRELOAD);
}

bool producers_have_preloaded(const struct driver *driver)
{
	const struct producer *producer = &driver->producers[0];

	return producer->sequence >= (uint64_t)driver->config->preload && !producer->in_flight;
}

/* --- their life ---------------------------------------------------------------------- */

static int open_one(struct driver *driver, size_t i, struct error *err)
{
	struct producer *producer = &driver->producers[i];
	const uint64_t one = 1;
	rd_kafka_conf_t *conf;
	char why[256];

	producer->driver = driver;
	producer->number = (uint16_t)i;
	histogram_init(&producer->response);
	producer->arrival = i;
	producer->event_fd = kafka_eventfd(driver, KAFKA_TAG_PRODUCER + i, err);
	if (producer->event_fd < 0)
		return -1;
	conf = client_conf(driver, false, NULL, producer, err);
	if (!conf)
		return -1;
	driver->api.conf_set_dr_msg_cb(conf, delivered);
	driver->api.conf_set_error_cb(conf, failed);
	producer->rk = driver->api.new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!producer->rk) {
		driver->api.conf_destroy(conf);
		return error_set(err, EXIT_CODE_USAGE, "%s: kafka: %s", driver->scenario->path,
				 why);
	}
	producer->queue = driver->api.queue_get_main(producer->rk);
	driver->api.queue_io_event_enable(producer->queue, producer->event_fd, &one, sizeof(one));
	producer->topic = driver->api.topic_new(producer->rk, driver->topic, NULL);
	if (!producer->topic)
		return error_set(err, EXIT_CODE_USAGE, "kafka: topic '%s': %s", driver->topic,
				 driver->api.err2str(driver->api.last_error()));
	return 0;
}

int producers_open(struct driver *driver, struct error *err)
{
	size_t n = kafka_n_producers(driver->config);

	driver->producers = calloc(n, sizeof(*driver->producers));
	if (!driver->producers)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	for (size_t i = 0; i < n; i++)
		driver->producers[i].event_fd = -1;
	driver->n_producers = n;
	for (size_t i = 0; i < n; i++)
		if (open_one(driver, i, err))
			return -1;
	return 0;
}

void producers_close(struct driver *driver)
{
	const struct kafka_api *api = &driver->api;

	for (size_t i = 0; i < driver->n_producers; i++) {
		struct producer *producer = &driver->producers[i];

		if (producer->rk)
			api->purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE |
							 RD_KAFKA_PURGE_F_INFLIGHT |
							 RD_KAFKA_PURGE_F_NON_BLOCKING);
		if (producer->topic)
			api->topic_destroy(producer->topic);
		if (producer->queue) {
			api->queue_io_event_enable(producer->queue, -1, NULL, 0);
			api->queue_destroy(producer->queue);
		}
		if (producer->rk)
			api->destroy(producer->rk);
		if (producer->event_fd >= 0)
			close(producer->event_fd);
	}
	free(driver->producers);
	driver->producers = NULL;
	driver->n_producers = 0;
}

rd_kafka_t *producers_client(const struct driver *driver)
{
	return driver->producers[0].rk;
}

uint64_t producers_in_flight(const struct driver *driver)
{
	uint64_t n = 0;

	for (size_t i = 0; i < driver->n_producers; i++)
		n += driver->producers[i].in_flight;
	return n;
}

/* Has it sent all that it ever will? */
static bool has_sent_all(const struct producer *producer)
{
	const struct driver *driver = producer->driver;

	if (producer->phase == driver->n_phases)
		return true;
	return producer->phase + 1 == driver->n_phases &&
	       producer->begun >= iterations_of(&driver->phases[producer->phase]);
}

bool producers_are_done(const struct driver *driver)
{
	for (size_t i = 0; i < driver->n_producers; i++)
		if (driver->producers[i].in_flight ||
		    (kafka_produces(driver) && !has_sent_all(&driver->producers[i])))
			return false;
	return true;
}

bool producers_are_drained(const struct driver *driver)
{
	for (size_t i = 0; i < driver->n_producers; i++)
		if (driver->producers[i].counted_in_flight)
			return false;
	return true;
}

json_t *producers_report(const struct driver *driver, double seconds)
{
	json_t *list = json_array();
	char name[32];

	for (size_t i = 0; kafka_produces(driver) && i < driver->n_producers; i++) {
		const struct producer *producer = &driver->producers[i];
		double messages = (double)producer->flow.messages;
		double bytes = (double)producer->flow.bytes;

		snprintf(name, sizeof(name), "producer %zu", i);
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "name", name,
					"operations", (json_int_t)producer->flow.messages, "bytes",
					(json_int_t)producer->flow.bytes, "errors",
					(json_int_t)producer->errors, "operations_per_second",
					number_json(seconds > 0 ? messages / seconds : NAN),
					"bytes_per_second",
					number_json(seconds > 0 ? bytes / seconds : NAN),
					"response", latency_json(&producer->response)));
	}
	return list;
}
