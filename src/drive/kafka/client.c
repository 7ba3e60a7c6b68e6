/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How librdkafka is set up for what a scenario says. */
#include <stdio.h>
#include <string.h>

#include "drive/kafka/kafka.h"
#include "util/clock.h"

static const char *const acks[] = {"0", "1", "all"};
static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd"};
static const char *const assignors[] = {"range", "roundrobin", "cooperative-sticky"};

/* A configuration that is being made; the first complaint stays. */
struct making {
	const struct driver *driver;
	rd_kafka_conf_t *conf;
	bool has_failed;
	struct error *err;
};

static void put(struct making *making, const char *name, const char *value)
{
	char why[256];

	if (making->has_failed || making->driver->api.conf_set(making->conf, name, value, why,
							       sizeof(why)) == RD_KAFKA_CONF_OK)
		return;
	making->has_failed = true;
	error_set(making->err, EXIT_CODE_USAGE, "%s: kafka: librdkafka %s takes no %s '%.100s': %s",
		  making->driver->scenario->path, making->driver->api.version_str(), name, value,
		  why);
}

static void put_number(struct making *making, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put(making, name, text);
}

/* At least 1 ms where there is anything at all. */
static void put_ms(struct making *making, const char *name, uint64_t ns)
{
	put_number(making, name, (ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

static void put_producer(struct making *making, const struct kafka_config *config)
{
	uint64_t request_ns = 30 * NSEC_PER_SEC;
	char linger[32];

	snprintf(linger, sizeof(linger), "%.6f", (double)config->linger_ns / 1e6);
	put(making, "linger.ms", linger);
	put_number(making, "batch.size", config->batch_size);
	/* Batches are bounded by their size alone, as those of Kafka's own client. */
	put_number(making, "batch.num.messages", 1000000);
	put(making, "acks", acks[config->acks]);
	put(making, "compression.type", compressions[config->compression]);
	put_ms(making, "message.timeout.ms", config->timeout_ns);
	if (config->timeout_ns < request_ns)
		put_ms(making, "request.timeout.ms", config->timeout_ns);
	put_number(making, "queue.buffering.max.messages", 10000000);
	put_number(making, "queue.buffering.max.kbytes", config->buffer_size / 1024);
	if (config->message_size + 1024 > 1000000)
		put_number(making, "message.max.bytes", config->message_size + 1024);
	if (config->idempotence)
		put(making, "enable.idempotence", "true");
}

static void put_consumer(struct making *making, const struct kafka_config *config,
			 const char *group)
{
	uint64_t fetch_bytes = config->fetch_size > 52428800 ? config->fetch_size : 52428800;

	put(making, "group.id", group);
	/* Where a run begins is said with each assignment; this is of partitions of which
	 * nothing was read yet. */
	put(making, "auto.offset.reset", "earliest");
	put_number(making, "fetch.message.max.bytes", config->fetch_size);
	put_number(making, "fetch.max.bytes", fetch_bytes);
	put_number(making, "receive.message.max.bytes", fetch_bytes + (1 << 20));
	put_ms(making, "fetch.wait.max.ms", config->fetch_wait_ns);
	put(making, "partition.assignment.strategy", assignors[config->assignor]);
	if (config->heartbeat_ns)
		put_ms(making, "heartbeat.interval.ms", config->heartbeat_ns);
	if (config->session_timeout_ns)
		put_ms(making, "session.timeout.ms", config->session_timeout_ns);
}

rd_kafka_conf_t *client_conf(struct driver *driver, bool is_consumer, const char *group,
			     void *opaque, struct error *err)
{
	const struct kafka_config *config = driver->config;
	struct making making = {driver, driver->api.conf_new(), false, err};

	driver->api.conf_set_opaque(making.conf, opaque);
	/* What matters of it comes as an error, too; the rest is no business of a terminal. */
	driver->api.conf_set_log_cb(making.conf, NULL);
	put(&making, "client.id", "perfbpf");
	put(&making, "bootstrap.servers", driver->bootstrap ? driver->bootstrap : "127.0.0.1:9092");
	/* Its default in later versions: latencies are no more than they have to be. */
	put(&making, "socket.nagle.disable", "true");
	if (is_consumer)
		put_consumer(&making, config, group);
	else
		put_producer(&making, config);
	for (size_t i = 0; i < config->n_properties; i++)
		put(&making, config->properties[i].name, config->properties[i].value);
	if (!making.has_failed)
		return making.conf;
	driver->api.conf_destroy(making.conf);
	return NULL;
}
