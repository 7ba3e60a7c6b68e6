/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * librdkafka, loaded where a scenario needs it: with what it needs in turn (TLS, SASL, four
 * compressors) it would cost every run of perfbpf time and memory.
 */
#ifndef PERFBPF_DRIVE_KAFKA_API_H
#define PERFBPF_DRIVE_KAFKA_API_H

#include <librdkafka/rdkafka.h>

#include "util/error.h"

/* Each is rd_kafka_NAME() of its header. */
#define KAFKA_FUNCTIONS(F)                                                                         \
	F(AdminOptions_destroy)                                                                    \
	F(AdminOptions_new)                                                                        \
	F(AdminOptions_set_operation_timeout)                                                      \
	F(AdminOptions_set_request_timeout)                                                        \
	F(CreateTopics)                                                                            \
	F(CreateTopics_result_topics)                                                              \
	F(NewTopic_destroy)                                                                        \
	F(NewTopic_new)                                                                            \
	F(assign)                                                                                  \
	F(conf_destroy)                                                                            \
	F(conf_new)                                                                                \
	F(conf_set)                                                                                \
	F(conf_set_dr_msg_cb)                                                                      \
	F(conf_set_error_cb)                                                                       \
	F(conf_set_log_cb)                                                                         \
	F(conf_set_opaque)                                                                         \
	F(conf_set_rebalance_cb)                                                                   \
	F(consumer_close_queue)                                                                    \
	F(consumer_closed)                                                                         \
	F(consumer_poll)                                                                           \
	F(destroy)                                                                                 \
	F(destroy_flags)                                                                           \
	F(err2name)                                                                                \
	F(err2str)                                                                                 \
	F(error_destroy)                                                                           \
	F(error_string)                                                                            \
	F(event_CreateTopics_result)                                                               \
	F(event_destroy)                                                                           \
	F(event_error)                                                                             \
	F(event_error_string)                                                                      \
	F(event_topic_partition_list)                                                              \
	F(event_type)                                                                              \
	F(incremental_assign)                                                                      \
	F(incremental_unassign)                                                                    \
	F(last_error)                                                                              \
	F(message_destroy)                                                                         \
	F(metadata)                                                                                \
	F(metadata_destroy)                                                                        \
	F(new)                                                                                     \
	F(poll)                                                                                    \
	F(poll_set_consumer)                                                                       \
	F(produce)                                                                                 \
	F(purge)                                                                                   \
	F(query_watermark_offsets)                                                                 \
	F(queue_destroy)                                                                           \
	F(queue_get_consumer)                                                                      \
	F(queue_get_main)                                                                          \
	F(queue_io_event_enable)                                                                   \
	F(queue_new)                                                                               \
	F(queue_poll)                                                                              \
	F(rebalance_protocol)                                                                      \
	F(subscribe)                                                                               \
	F(topic_destroy)                                                                           \
	F(topic_new)                                                                               \
	F(topic_partition_list_add)                                                                \
	F(topic_partition_list_copy)                                                               \
	F(topic_partition_list_del)                                                                \
	F(topic_partition_list_destroy)                                                            \
	F(topic_partition_list_new)                                                                \
	F(topic_result_error)                                                                      \
	F(topic_result_error_string)                                                               \
	F(version_str)

struct kafka_api {
#define KAFKA_POINTER(function) __typeof__(rd_kafka_##function) *function;
	KAFKA_FUNCTIONS(KAFKA_POINTER)
#undef KAFKA_POINTER
};

/* Fills @api. The library stays loaded. -1 with @err where it or a function of it is not there. */
int kafka_api_load(struct kafka_api *api, struct error *err);

#endif
