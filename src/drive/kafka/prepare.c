/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is asked of the broker before the load: the topic, and where it ends. The library has this
 * as calls that wait, so a thread of its own waits for them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/kafka/kafka.h"
#include "util/clock.h"

/* Of one call: between them it looks whether it is still wanted. */
#define CALL_MS  1000
#define PAUSE_US 20000

struct prepare {
	struct driver *driver; /* only what does not change meanwhile is read */
	rd_kafka_t *rk;
	pthread_t thread;
	int event_fd;
	uint64_t deadline_ns;
	atomic_bool is_cancelled;
	int n_partitions;
	int64_t *starts;
	struct error err;
	bool has_failed;
};

static bool goes_on(const struct prepare *prepare)
{
	return !prepare->is_cancelled && clock_now_ns() < prepare->deadline_ns;
}

/* Waits for what came of CreateTopics; what is there already is as good. */
static int take_created(struct prepare *prepare, rd_kafka_event_t *event)
{
	const struct kafka_api *api = &prepare->driver->api;
	const rd_kafka_topic_result_t **topics;
	rd_kafka_resp_err_t code = api->event_error(event);
	size_t n = 0;

	if (code)
		return error_set(&prepare->err, EXIT_CODE_FAILED,
				 "kafka: cannot make the topic '%s' at %s: %s",
				 prepare->driver->topic, prepare->driver->bootstrap,
				 api->event_error_string(event));
	topics = api->CreateTopics_result_topics(api->event_CreateTopics_result(event), &n);
	code = n ? api->topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_NO_ERROR;
	if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return 0;
	return error_set(&prepare->err, EXIT_CODE_FAILED,
			 "kafka: the broker makes no topic '%s': %s", prepare->driver->topic,
			 api->topic_result_error_string(topics[0]));
}

static int request_topic(struct prepare *prepare, rd_kafka_NewTopic_t *topic,
			 rd_kafka_queue_t *queue)
{
	const struct kafka_api *api = &prepare->driver->api;
	uint64_t left_ns = prepare->deadline_ns - clock_now_ns();
	rd_kafka_AdminOptions_t *options =
		api->AdminOptions_new(prepare->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_event_t *event = NULL;
	int left_ms = left_ns > 3600 * NSEC_PER_SEC ? 3600000 : (int)(left_ns / NSEC_PER_MSEC) + 1;
	char why[128];
	int rc;

	if (api->AdminOptions_set_request_timeout(options, left_ms, why, sizeof(why)) ||
	    api->AdminOptions_set_operation_timeout(options, left_ms, why, sizeof(why))) {
		api->AdminOptions_destroy(options);
		return error_set(&prepare->err, EXIT_CODE_FAILED, "kafka: %s", why);
	}
	api->CreateTopics(prepare->rk, &topic, 1, options, queue);
	while (!event && goes_on(prepare))
		event = api->queue_poll(queue, CALL_MS);
	rc = event ? take_created(prepare, event)
		   : error_set(&prepare->err, EXIT_CODE_FAILED,
			       "kafka: %s does not say whether it has made the topic '%s'",
			       prepare->driver->bootstrap, prepare->driver->topic);
	if (event)
		api->event_destroy(event);
	api->AdminOptions_destroy(options);
	return rc;
}

static int create_topic(struct prepare *prepare)
{
	const struct kafka_config *config = prepare->driver->config;
	const struct kafka_api *api = &prepare->driver->api;
	char why[256];
	rd_kafka_NewTopic_t *topic = api->NewTopic_new(prepare->driver->topic, config->partitions,
						       config->replication, why, sizeof(why));
	rd_kafka_queue_t *queue;
	int rc;

	if (!topic)
		return error_set(&prepare->err, EXIT_CODE_USAGE, "kafka: topic '%s': %s",
				 prepare->driver->topic, why);
	queue = api->queue_new(prepare->rk);
	rc = request_topic(prepare, topic, queue);
	api->queue_destroy(queue);
	api->NewTopic_destroy(topic);
	return rc;
}

/* How many partitions the topic has, once each of them has a leader; 0: not yet. */
static int led_partitions(const struct rd_kafka_metadata_topic *topic)
{
	if (topic->err)
		return 0;
	for (int i = 0; i < topic->partition_cnt; i++)
		if (topic->partitions[i].err || topic->partitions[i].leader < 0)
			return 0;
	return topic->partition_cnt;
}

/*
 * Looks for the topic among all: asked for by its name, a broker may make it as it likes. Its
 * partitions go to prepare->n_partitions. What went wrong, 0 where only the topic is not there.
 */
static rd_kafka_resp_err_t look_for_topic(struct prepare *prepare)
{
	const struct kafka_api *api = &prepare->driver->api;
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code = api->metadata(prepare->rk, 1, NULL, &metadata, CALL_MS);

	if (code)
		return code;
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (!strcmp(metadata->topics[i].topic, prepare->driver->topic))
			prepare->n_partitions = led_partitions(&metadata->topics[i]);
	api->metadata_destroy(metadata);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Until it is there and can be written to, or the broker has answered once where @once. */
static rd_kafka_resp_err_t wait_for_topic(struct prepare *prepare, bool once)
{
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

	while (goes_on(prepare)) {
		code = look_for_topic(prepare);
		if (prepare->n_partitions || (once && !code))
			break;
		usleep(PAUSE_US);
	}
	return code;
}

static int find_topic(struct prepare *prepare)
{
	const struct driver *driver = prepare->driver;
	rd_kafka_resp_err_t code = wait_for_topic(prepare, true);

	if (code)
		return error_set(&prepare->err, EXIT_CODE_FAILED,
				 "kafka: no broker answers at %s: %s; is it running, and is that "
				 "its address?",
				 driver->bootstrap, driver->api.err2str(code));
	if (!prepare->n_partitions) {
		if (create_topic(prepare))
			return -1;
		code = wait_for_topic(prepare, false);
	}
	if (!prepare->n_partitions)
		return error_set(&prepare->err, EXIT_CODE_FAILED,
				 "kafka: the topic '%s' at %s does not become ready: %s",
				 driver->topic, driver->bootstrap,
				 code ? driver->api.err2str(code) : "a partition has no leader");
	if (prepare->n_partitions == driver->config->partitions)
		return 0;
	return error_set(&prepare->err, EXIT_CODE_FAILED,
			 "kafka: the topic '%s' at %s has %d partitions, the scenario wants %d; "
			 "name another topic, or write partitions: %d",
			 driver->topic, driver->bootstrap, prepare->n_partitions,
			 driver->config->partitions, prepare->n_partitions);
}

/* What others left in the topic is not read. */
static int find_starts(struct prepare *prepare)
{
	const struct driver *driver = prepare->driver;

	prepare->starts = calloc((size_t)prepare->n_partitions, sizeof(*prepare->starts));
	if (!prepare->starts)
		return error_set(&prepare->err, EXIT_CODE_FAILED, "kafka: out of memory");
	for (int i = 0; i < prepare->n_partitions; i++) {
		rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
		int64_t low;

		while (code && goes_on(prepare)) {
			code = driver->api.query_watermark_offsets(
				prepare->rk, driver->topic, i, &low, &prepare->starts[i], CALL_MS);
			if (code)
				usleep(PAUSE_US);
		}
		if (code)
			return error_set(&prepare->err, EXIT_CODE_FAILED,
					 "kafka: partition %d of the topic '%s' at %s does not "
					 "answer: %s",
					 i, driver->topic, driver->bootstrap,
					 driver->api.err2str(code));
	}
	return 0;
}

static void *work(void *object)
{
	struct prepare *prepare = object;

	prepare->has_failed = find_topic(prepare) || find_starts(prepare);
	kafka_raise(prepare->event_fd);
	return NULL;
}

struct prepare *prepare_start(struct driver *driver, rd_kafka_t *rk, struct error *err)
{
	struct prepare *prepare = calloc(1, sizeof(*prepare));
	int rc;

	if (!prepare) {
		error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
		return NULL;
	}
	prepare->driver = driver;
	prepare->rk = rk;
	prepare->deadline_ns = clock_now_ns() + driver->scenario->ready_timeout_ns;
	prepare->event_fd = kafka_eventfd(driver, KAFKA_TAG_PREPARE, err);
	if (prepare->event_fd >= 0) {
		rc = pthread_create(&prepare->thread, NULL, work, prepare);
		if (!rc)
			return prepare;
		close(prepare->event_fd);
		error_set(err, EXIT_CODE_FAILED, "kafka: cannot start a thread: %s", strerror(rc));
	}
	free(prepare);
	return NULL;
}

static void end(struct driver *driver)
{
	close(driver->prepare->event_fd);
	free(driver->prepare->starts);
	free(driver->prepare);
	driver->prepare = NULL;
}

int prepare_finish(struct driver *driver, struct error *err)
{
	struct prepare *prepare = driver->prepare;
	int rc = 0;

	pthread_join(prepare->thread, NULL);
	if (prepare->has_failed) {
		/* What the connection failed with says more than that nothing came of it. */
		rc = *driver->last_error
			     ? error_set(err, prepare->err.exit_code, "%s (%s)", prepare->err.text,
					 driver->last_error)
			     : error_set(err, prepare->err.exit_code, "%s", prepare->err.text);
	} else {
		driver->n_partitions = prepare->n_partitions;
		driver->starts = prepare->starts;
		prepare->starts = NULL;
	}
	end(driver);
	return rc;
}

void prepare_cancel(struct driver *driver)
{
	if (!driver->prepare)
		return;
	driver->prepare->is_cancelled = true;
	pthread_join(driver->prepare->thread, NULL);
	end(driver);
}
