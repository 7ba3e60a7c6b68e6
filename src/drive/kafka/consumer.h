/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What consumers and their groups know of each other. */
#ifndef PERFBPF_DRIVE_KAFKA_CONSUMER_H
#define PERFBPF_DRIVE_KAFKA_CONSUMER_H

#include "drive/kafka/kafka.h"

struct consumer {
	struct driver *driver;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;   /* what it gets */
	rd_kafka_queue_t *closing; /* what it gets while it leaves */
	int event_fd;
	uint32_t group;
	uint64_t subscribed_ns;
	rd_kafka_topic_partition_list_t *held; /* its share, while the load has not begun */
	int n_owned;                           /* partitions */
	bool is_assigned; /* it has been told its share, which may be nothing */
	bool is_told;     /* how long that took is in the histogram */
	bool is_leaving, is_gone;
};

/* From @now_ns on the group is not whole, unless it has not been before. */
void group_begin_change(struct driver *driver, uint32_t group, uint64_t now_ns);
/* Something has changed in the group: is it whole now? Then it is told how long that took. */
void group_look_at(struct driver *driver, uint32_t group);
/* The library's callback: the consumer @opaque gets partitions, or has to give them back. */
void group_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code,
		      rd_kafka_topic_partition_list_t *list, void *opaque);

#endif
