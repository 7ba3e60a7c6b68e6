/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the members of a group share the partitions, and how long that takes them. */
#include <string.h>

#include "drive/kafka/consumer.h"
#include "util/clock.h"

/*
 * Each member has been told its share, each partition is somebody's, and the shares are even: all
 * assignors make them so, but the cooperative one in several steps, with each partition owned
 * between them, too.
 */
static bool is_whole(const struct driver *driver, uint32_t group)
{
	int n_owned = 0, least = driver->n_partitions, most = 0;

	for (size_t i = 0; i < driver->n_consumers; i++) {
		const struct consumer *consumer = driver->consumers[i];

		if (consumer->group != group || consumer->is_gone)
			continue;
		if (consumer->is_leaving || !consumer->is_assigned)
			return false;
		n_owned += consumer->n_owned;
		least = consumer->n_owned < least ? consumer->n_owned : least;
		most = consumer->n_owned > most ? consumer->n_owned : most;
	}
	return n_owned == driver->n_partitions && most - least <= 1;
}

bool consumers_are_whole(const struct driver *driver)
{
	for (int group = 0; driver->n_consumers && group < driver->config->groups; group++)
		if (driver->groups[group].changing_ns)
			return false;
	return true;
}

void group_begin_change(struct driver *driver, uint32_t group, uint64_t now_ns)
{
	if (!driver->groups[group].changing_ns)
		driver->groups[group].changing_ns = now_ns;
}

/* Something has changed in a group that was not whole: is it now? */
void group_look_at(struct driver *driver, uint32_t number)
{
	struct group *group = &driver->groups[number];
	uint64_t now_ns = clock_now_ns();

	if (!group->changing_ns || !is_whole(driver, number))
		return;
	if (group->was_whole)
		histogram_add(&driver->rebalance, now_ns - group->changing_ns);
	for (size_t i = 0; i < driver->n_consumers; i++) {
		struct consumer *consumer = driver->consumers[i];

		if (consumer->group != number || consumer->is_told || consumer->is_gone)
			continue;
		consumer->is_told = true;
		histogram_add(&driver->assignment, now_ns - consumer->subscribed_ns);
	}
	group->was_whole = true;
	group->changing_ns = 0;
}

/* A group's first look at a partition is where this run begins; later, what it committed. */
static void set_offsets(const struct consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
	const struct driver *driver = consumer->driver;

	for (int i = 0; i < list->cnt; i++) {
		int32_t partition = list->elems[i].partition;

		if (partition >= 0 && partition < driver->n_partitions &&
		    !ledger_has_read(driver->ledger, consumer->group, (uint32_t)partition))
			list->elems[i].offset = driver->starts[partition];
	}
}

/* Adds to what it reads, or replaces it. */
static void assign(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list,
		   bool is_incremental)
{
	struct driver *driver = consumer->driver;
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_error_t *error = NULL;

	if (is_incremental)
		error = driver->api.incremental_assign(consumer->rk, list);
	else
		code = driver->api.assign(consumer->rk, list);
	if (error || code)
		kafka_fail(driver, "kafka: a consumer cannot take its partitions: %s",
			   error ? driver->api.error_string(error) : driver->api.err2str(code));
	if (error)
		driver->api.error_destroy(error);
}

/*
 * What is in the topic already is left until the load begins. (A partition that is paused would not
 * do: it goes on up to a second after it is resumed.)
 */
static void hold(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list,
		 bool is_incremental)
{
	const struct kafka_api *api = &consumer->driver->api;
	rd_kafka_topic_partition_list_t *none = api->topic_partition_list_new(1);

	if (!consumer->held || !is_incremental) {
		if (consumer->held)
			api->topic_partition_list_destroy(consumer->held);
		consumer->held = api->topic_partition_list_copy(list);
	} else {
		for (int i = 0; i < list->cnt; i++)
			api->topic_partition_list_add(consumer->held, list->elems[i].topic,
						      list->elems[i].partition)
				->offset = list->elems[i].offset;
	}
	assign(consumer, none, is_incremental);
	api->topic_partition_list_destroy(none);
}

static void assigned(struct consumer *consumer, rd_kafka_topic_partition_list_t *list,
		     bool is_incremental)
{
	struct driver *driver = consumer->driver;

	set_offsets(consumer, list);
	if (!kafka_produces(driver) && !driver->start_ns)
		hold(consumer, list, is_incremental);
	else
		assign(consumer, list, is_incremental);
	consumer->n_owned = list->cnt + (is_incremental ? consumer->n_owned : 0);
	consumer->is_assigned = true;
	group_look_at(driver, consumer->group);
}

/* Of what it holds nothing is read, so there is nothing to give back but its claim. */
static void unassign_incremental(struct consumer *consumer,
				 const rd_kafka_topic_partition_list_t *list)
{
	struct driver *driver = consumer->driver;
	rd_kafka_topic_partition_list_t *none = driver->api.topic_partition_list_new(1);
	rd_kafka_error_t *error;

	for (int i = 0; consumer->held && i < list->cnt; i++)
		driver->api.topic_partition_list_del(consumer->held, list->elems[i].topic,
						     list->elems[i].partition);
	error = driver->api.incremental_unassign(consumer->rk, consumer->held ? none : list);
	if (error) {
		kafka_fail(driver, "kafka: a consumer cannot give its partitions back: %s",
			   driver->api.error_string(error));
		driver->api.error_destroy(error);
	}
	driver->api.topic_partition_list_destroy(none);
	consumer->n_owned -= list->cnt;
}

static void revoked(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list,
		    bool is_incremental)
{
	struct driver *driver = consumer->driver;
	struct group *group = &driver->groups[consumer->group];

	/* Nobody asked for it: a member was too slow, or a coordinator has gone. */
	if (group->was_whole && !group->changing_ns)
		driver->rebalances++;
	group_begin_change(driver, consumer->group, clock_now_ns());
	if (is_incremental) {
		unassign_incremental(consumer, list);
		return;
	}
	driver->api.assign(consumer->rk, NULL);
	if (consumer->held)
		driver->api.topic_partition_list_destroy(consumer->held);
	consumer->held = NULL;
	consumer->n_owned = 0;
	consumer->is_assigned = false;
}

/* Does its group hand over single partitions, rather than all of them anew? */
static bool shares_incrementally(const struct consumer *consumer)
{
	const char *protocol = consumer->driver->api.rebalance_protocol(consumer->rk);

	return protocol && !strcmp(protocol, "COOPERATIVE");
}

void group_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code,
		      rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct consumer *consumer = opaque;
	const struct kafka_api *api = &consumer->driver->api;

	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		assigned(consumer, list, shares_incrementally(consumer));
	} else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
		revoked(consumer, list, shares_incrementally(consumer));
	} else {
		kafka_errors_add(&consumer->driver->consumer_errors, api->err2name(code));
		api->assign(rk, NULL);
	}
}

void consumers_resume(struct driver *driver)
{
	const struct kafka_api *api = &driver->api;

	for (size_t i = 0; i < driver->n_consumers; i++) {
		struct consumer *consumer = driver->consumers[i];

		if (!consumer->held)
			continue;
		assign(consumer, consumer->held, shares_incrementally(consumer));
		api->topic_partition_list_destroy(consumer->held);
		consumer->held = NULL;
	}
}
