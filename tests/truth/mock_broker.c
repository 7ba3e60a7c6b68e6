/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mock_broker [TOPIC PARTITIONS]...: librdkafka's mock broker as a server of its own. It keeps the
 * last 5 MiB of each partition and forgets what was before.
 *
 * Prints {"bootstrap": "127.0.0.1:PORT", "port": PORT}, and obeys lines on standard input until
 * their end:
 *   refuse N       the next N Produce requests are refused (not stored; with acks=0, nobody is
 * told) delay N MS     the next N Produce requests are stored, and answered MS later down, up
 * connections are closed and none taken; taken again Each is answered with "done".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define API_PRODUCE 0
#define BROKER      1
#define COUNT_MAX   100000

static void push(rd_kafka_mock_cluster_t *cluster, int count, rd_kafka_resp_err_t err, int rtt_ms)
{
	for (int i = 0; i < count && i < COUNT_MAX; i++)
		rd_kafka_mock_broker_push_request_error_rtts(cluster, BROKER, API_PRODUCE, 1, err,
							     rtt_ms);
}

static void obey(rd_kafka_mock_cluster_t *cluster, const char *line)
{
	int count, rtt_ms;

	if (sscanf(line, "refuse %d", &count) == 1)
		push(cluster, count, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 0);
	else if (sscanf(line, "delay %d %d", &count, &rtt_ms) == 2)
		push(cluster, count, RD_KAFKA_RESP_ERR_NO_ERROR, rtt_ms);
	else if (!strcmp(line, "down\n"))
		rd_kafka_mock_broker_set_down(cluster, BROKER);
	else if (!strcmp(line, "up\n"))
		rd_kafka_mock_broker_set_up(cluster, BROKER);
	else
		fprintf(stderr, "mock_broker: what is '%s'?\n", line);
	puts("done");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	rd_kafka_mock_cluster_t *cluster;
	const char *bootstrap;
	char line[128], why[256];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, why, sizeof(why));

	cluster = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;
	if (!cluster) {
		fprintf(stderr, "mock_broker: it does not start\n");
		return 1;
	}
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!rd_kafka_mock_topic_create(cluster, argv[i], atoi(argv[i + 1]), 1))
			continue;
		fprintf(stderr, "mock_broker: no topic %s\n", argv[i]);
		return 1;
	}
	bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
	printf("{\"bootstrap\": \"%s\", \"port\": %s}\n", bootstrap, strrchr(bootstrap, ':') + 1);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(cluster, line);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	return 0;
}
