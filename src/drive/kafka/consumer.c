/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Consumers: what each gets, and when they join and leave their groups. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/kafka/consumer.h"
#include "util/clock.h"

/* Of one consumer between two looks at what else there is to do. */
#define BURST_MAX 2000
/* How often a member that leaves is asked whether it has. */
#define LEAVE_CHECK_NS (5 * NSEC_PER_MSEC)

/* --- messages ------------------------------------------------------------------------- */

static void take_times(struct consumer *consumer, const struct stamp *stamp, uint64_t now_ns)
{
	struct driver *driver = consumer->driver;
	uint64_t took_ns = now_ns > stamp->intended_ns ? now_ns - stamp->intended_ns : 0;
	size_t phase = kafka_phase_at(driver, stamp->intended_ns);

	histogram_add(&driver->phase_end_to_end[phase], took_ns);
	if (stamp->flags & STAMP_COUNTED)
		histogram_add(&driver->end_to_end, took_ns);
}

/* One that was in the topic before: nobody asked for it at any time, so it took none. */
static void tell_tally(struct driver *driver, const struct stamp *stamp, uint64_t now_ns)
{
	struct tally_request request = {
		.phase = kafka_phase_at(driver, now_ns),
		.intended_ns = now_ns,
		.begun_ns = now_ns,
		.ended_ns = now_ns,
		.bytes = stamp->size,
	};

	tally_add(driver->tally, &request);
}

/* A message that its group did not have yet. */
static void take_new(struct consumer *consumer, const struct stamp *stamp, uint64_t now_ns)
{
	struct driver *driver = consumer->driver;
	bool is_preloaded = stamp->flags & STAMP_PRELOAD, is_counted = stamp->flags & STAMP_COUNTED;

	driver->progress_ns = now_ns;
	if (is_counted)
		driver->counted_progress_ns = now_ns;
	/* What was there before belongs to the window in which it is read. */
	if (is_preloaded ? tally_is_in_window(driver->tally, now_ns) : is_counted)
		kafka_flow_add(&driver->groups[consumer->group].flow, now_ns, stamp->size);
	if (is_preloaded)
		tell_tally(driver, stamp, now_ns);
	else
		take_times(consumer, stamp, now_ns);
}

/* -1: the driver cannot go on. */
static int take_message(struct consumer *consumer, const rd_kafka_message_t *message,
			uint64_t now_ns)
{
	struct driver *driver = consumer->driver;
	struct ledger_message entry;
	struct stamp stamp;
	int mark;

	if (!stamp_read(&stamp, message->payload, message->len)) {
		driver->malformed++;
		return 0;
	}
	if (stamp.run != driver->run) {
		driver->foreign++;
		return 0;
	}
	entry = (struct ledger_message){stamp.producer, stamp.sequence,
					stamp.flags & STAMP_COUNTED};
	mark = ledger_consume(driver->ledger, consumer->group, (uint32_t)message->partition,
			      message->offset, &entry);
	if (mark < 0)
		return -1;
	if (mark == LEDGER_ALIEN)
		driver->malformed++;
	if (mark == LEDGER_NEW || mark == LEDGER_LATE)
		take_new(consumer, &stamp, now_ns);
	return 0;
}

/* While it leaves, only what has to do with that is wanted: messages are its successors'. */
static void serve_leaving(struct consumer *consumer)
{
	const struct kafka_api *api = &consumer->driver->api;
	rd_kafka_event_t *event;

	while ((event = api->queue_poll(consumer->closing, 0))) {
		if (api->event_type(event) == RD_KAFKA_EVENT_REBALANCE)
			group_rebalanced(consumer->rk, api->event_error(event),
					 api->event_topic_partition_list(event), consumer);
		api->event_destroy(event);
	}
	if (!api->consumer_closed(consumer->rk))
		return;
	consumer->is_gone = true;
	group_look_at(consumer->driver, consumer->group);
}

int consumers_ready(struct driver *driver, size_t i, struct error *err)
{
	struct consumer *consumer = driver->consumers[i];
	rd_kafka_message_t *message;
	int rc = 0;

	kafka_take(consumer->event_fd);
	if (consumer->is_gone)
		return 0;
	if (consumer->is_leaving) {
		serve_leaving(consumer);
		return 0;
	}
	for (int n = 0; !rc && n < BURST_MAX; n++) {
		message = driver->api.consumer_poll(consumer->rk, 0);
		if (!message)
			return 0;
		if (message->err)
			kafka_errors_add(&driver->consumer_errors,
					 driver->api.err2name(message->err));
		else
			rc = take_message(consumer, message, clock_now_ns());
		driver->api.message_destroy(message);
	}
	/* It is not known to be empty. */
	kafka_raise(consumer->event_fd);
	return rc ? error_set(err, EXIT_CODE_FAILED, "kafka: out of memory") : 0;
}

static void failed(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct consumer *consumer = opaque;
	struct driver *driver = consumer->driver;

	(void)rk;
	kafka_errors_add(&driver->connection_errors,
			 driver->api.err2name((rd_kafka_resp_err_t)code));
	snprintf(driver->last_error, sizeof(driver->last_error), "%s", reason);
}

/* --- joining and leaving ---------------------------------------------------------------- */

static int subscribe(struct consumer *consumer, struct error *err)
{
	struct driver *driver = consumer->driver;
	rd_kafka_topic_partition_list_t *topics = driver->api.topic_partition_list_new(1);
	rd_kafka_resp_err_t code;

	driver->api.topic_partition_list_add(topics, driver->topic, RD_KAFKA_PARTITION_UA);
	consumer->subscribed_ns = clock_now_ns();
	group_begin_change(driver, consumer->group, consumer->subscribed_ns);
	code = driver->api.subscribe(consumer->rk, topics);
	driver->api.topic_partition_list_destroy(topics);
	return code ? error_set(err, EXIT_CODE_FAILED, "kafka: cannot subscribe to '%s': %s",
				driver->topic, driver->api.err2str(code))
		    : 0;
}

static int connect_one(struct consumer *consumer, struct error *err)
{
	struct driver *driver = consumer->driver;
	const uint64_t one = 1;
	rd_kafka_conf_t *conf =
		client_conf(driver, true, driver->groups[consumer->group].id, consumer, err);
	char why[256];

	if (!conf)
		return -1;
	driver->api.conf_set_rebalance_cb(conf, group_rebalanced);
	driver->api.conf_set_error_cb(conf, failed);
	consumer->rk = driver->api.new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!consumer->rk) {
		driver->api.conf_destroy(conf);
		return error_set(err, EXIT_CODE_USAGE, "%s: kafka: %s", driver->scenario->path,
				 why);
	}
	driver->api.poll_set_consumer(consumer->rk);
	consumer->queue = driver->api.queue_get_consumer(consumer->rk);
	driver->api.queue_io_event_enable(consumer->queue, consumer->event_fd, &one, sizeof(one));
	return subscribe(consumer, err);
}

static int make_room(struct driver *driver)
{
	size_t room = driver->consumers_room ? 2 * driver->consumers_room : 16;
	struct consumer **larger;

	if (driver->n_consumers < driver->consumers_room)
		return 0;
	larger = realloc(driver->consumers, room * sizeof(struct consumer *));
	if (!larger)
		return -1;
	driver->consumers = larger;
	driver->consumers_room = room;
	return 0;
}

static int join(struct driver *driver, uint32_t group, struct error *err)
{
	struct consumer *consumer = make_room(driver) ? NULL : calloc(1, sizeof(*consumer));

	if (!consumer)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	consumer->driver = driver;
	consumer->group = group;
	consumer->event_fd = kafka_eventfd(driver, KAFKA_TAG_CONSUMER + driver->n_consumers, err);
	driver->consumers[driver->n_consumers++] = consumer;
	return consumer->event_fd < 0 ? -1 : connect_one(consumer, err);
}

/* The youngest of a group. */
static int leave(struct driver *driver, uint32_t group, struct error *err)
{
	const uint64_t one = 1;

	for (size_t i = driver->n_consumers; i-- > 0;) {
		struct consumer *consumer = driver->consumers[i];
		rd_kafka_error_t *error;

		if (consumer->group != group || consumer->is_leaving)
			continue;
		group_begin_change(driver, group, clock_now_ns());
		consumer->is_leaving = true;
		consumer->closing = driver->api.queue_new(consumer->rk);
		driver->api.queue_io_event_enable(consumer->closing, consumer->event_fd, &one,
						  sizeof(one));
		error = driver->api.consumer_close_queue(consumer->rk, consumer->closing);
		if (!error)
			return 0;
		error_set(err, EXIT_CODE_FAILED, "kafka: a consumer cannot leave its group: %s",
			  driver->api.error_string(error));
		driver->api.error_destroy(error);
		return -1;
	}
	return 0;
}

int consumers_open(struct driver *driver, struct error *err)
{
	const struct kafka_config *config = driver->config;

	driver->groups = calloc((size_t)config->groups, sizeof(*driver->groups));
	if (!driver->groups)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	/* Groups of their own in each run: what others committed is not theirs. */
	for (int i = 0; i < config->groups; i++)
		if (asprintf(&driver->groups[i].id, "%s-%016llx-%d", config->group,
			     (unsigned long long)driver->run, i) < 0) {
			driver->groups[i].id = NULL;
			return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
		}
	for (int i = 0; i < config->groups; i++)
		for (int j = 0; j < config->consumers; j++)
			if (join(driver, (uint32_t)i, err))
				return -1;
	return 0;
}

static void close_one(struct consumer *consumer)
{
	const struct kafka_api *api = &consumer->driver->api;

	if (consumer->queue) {
		api->queue_io_event_enable(consumer->queue, -1, NULL, 0);
		api->queue_destroy(consumer->queue);
	}
	if (consumer->closing) {
		api->queue_io_event_enable(consumer->closing, -1, NULL, 0);
		api->queue_destroy(consumer->closing);
	}
	if (consumer->held)
		api->topic_partition_list_destroy(consumer->held);
	/* Nobody else is in its group, so nobody waits for it to say goodbye. */
	if (consumer->rk)
		api->destroy_flags(consumer->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	if (consumer->event_fd >= 0)
		close(consumer->event_fd);
	free(consumer);
}

void consumers_close(struct driver *driver)
{
	for (size_t i = 0; i < driver->n_consumers; i++)
		close_one(driver->consumers[i]);
	free(driver->consumers);
	for (int i = 0; driver->groups && i < driver->config->groups; i++)
		free(driver->groups[i].id);
	free(driver->groups);
	driver->consumers = NULL;
	driver->groups = NULL;
	driver->n_consumers = 0;
}

/* In the schedule's time: when a change is due. */
static uint64_t due_ns(const struct driver *driver, const struct kafka_rebalance *rebalance)
{
	size_t phase = 0;

	while (phase + 1 < driver->n_phases &&
	       (rebalance->phase ? strcmp(driver->phases[phase].name, rebalance->phase) != 0
				 : driver->phases[phase].role != PHASE_MEASURED))
		phase++;
	return schedule_phase_begin_ns(driver->schedule, phase) + rebalance->at_ns;
}

static int change(struct driver *driver, const struct kafka_rebalance *rebalance, struct error *err)
{
	for (int group = 0; group < driver->config->groups; group++) {
		for (int i = 0; i < rebalance->join; i++)
			if (join(driver, (uint32_t)group, err))
				return -1;
		for (int i = 0; i < rebalance->leave; i++)
			if (leave(driver, (uint32_t)group, err))
				return -1;
	}
	return 0;
}

uint64_t consumers_change(struct driver *driver, uint64_t now_ns, struct error *err)
{
	uint64_t next_ns = UINT64_MAX;

	for (size_t i = 0; i < driver->n_consumers; i++) {
		struct consumer *consumer = driver->consumers[i];

		if (consumer->is_leaving && !consumer->is_gone)
			serve_leaving(consumer);
		if (consumer->is_leaving && !consumer->is_gone)
			next_ns = now_ns + LEAVE_CHECK_NS;
	}
	for (size_t i = 0; driver->start_ns && i < driver->config->n_rebalances; i++) {
		const struct kafka_rebalance *rebalance = &driver->config->rebalances[i];
		uint64_t at_ns = driver->start_ns + due_ns(driver, rebalance);

		if (driver->rebalances_done[i])
			continue;
		if (at_ns > now_ns) {
			next_ns = at_ns < next_ns ? at_ns : next_ns;
			continue;
		}
		driver->rebalances_done[i] = true;
		/* That the driver cannot go on is told by the step. */
		if (change(driver, rebalance, err))
			kafka_fail(driver, "%s", err->text);
		next_ns = now_ns;
	}
	return next_ns;
}

bool consumers_have_all(const struct driver *driver, bool counted)
{
	for (int group = 0; driver->n_consumers && group < driver->config->groups; group++)
		if (ledger_missing(driver->ledger, (uint32_t)group, counted))
			return false;
	return true;
}
