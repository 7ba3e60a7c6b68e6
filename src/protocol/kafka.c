/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kafka. Each request is one, matched by its correlation id, but for those that ask for no
 * answer (Produce with acks=0). It has failed where the error code stands near enough to the
 * beginning of the answer: that of the whole, or that of the first partition.
 */
#include <string.h>

#include "protocol/internal.h"

#define REQUEST_HEADER 14 /* length, key, version, correlation id, length of the client's name */
#define ANSWER_HEADER  8
#define LENGTH_MAX     (1U << 28)
#define FIRST_MAX      (1U << 24) /* of a message that tells the protocol */
#define VERSION_MAX    30
#define LOOKED_AT      512 /* bytes of a message in which what matters is sought */
#define NEVER          127
#define KEY(id)        ((uint64_t)(id) | 1ULL << 32)
#define PRODUCE        0

enum error_place {
	NOWHERE,
	AT_START,       /* from version `since` on behind the throttle time */
	AFTER_THROTTLE, /* and before version `since` nowhere */
	IN_PARTITION,   /* of the first topic; from version `since` on behind the throttle time */
};

struct api {
	const char *name;
	int8_t flexible; /* the first version with tagged fields */
	uint8_t error;   /* enum error_place */
	int8_t since;
	int8_t until; /* the last version of which this is true; 0: all */
};

static const struct api apis[] = {
	[0] = {"Produce", 9, IN_PARTITION, NEVER, 12},
	[1] = {"Fetch", 12, AFTER_THROTTLE, 7, 0},
	[2] = {"ListOffsets", 6, IN_PARTITION, 2, 0},
	[3] = {"Metadata", 9, NOWHERE, 0, 0},
	[4] = {"LeaderAndIsr", 4, AT_START, NEVER, 0},
	[5] = {"StopReplica", 2, AT_START, NEVER, 0},
	[6] = {"UpdateMetadata", 6, AT_START, NEVER, 0},
	[7] = {"ControlledShutdown", 3, AT_START, NEVER, 0},
	[8] = {"OffsetCommit", 8, IN_PARTITION, 3, 9},
	[9] = {"OffsetFetch", 6, NOWHERE, 0, 0},
	[10] = {"FindCoordinator", 3, AT_START, 1, 3},
	[11] = {"JoinGroup", 6, AT_START, 2, 0},
	[12] = {"Heartbeat", 4, AT_START, 1, 0},
	[13] = {"LeaveGroup", 4, AT_START, 1, 0},
	[14] = {"SyncGroup", 4, AT_START, 1, 0},
	[15] = {"DescribeGroups", 5, NOWHERE, 0, 0},
	[16] = {"ListGroups", 3, AT_START, 1, 0},
	[17] = {"SaslHandshake", NEVER, AT_START, NEVER, 0},
	[18] = {"ApiVersions", 3, AT_START, NEVER, 0},
	[19] = {"CreateTopics", 5, NOWHERE, 0, 0},
	[20] = {"DeleteTopics", 4, NOWHERE, 0, 0},
	[21] = {"DeleteRecords", 2, NOWHERE, 0, 0},
	[22] = {"InitProducerId", 2, AFTER_THROTTLE, 0, 0},
	[23] = {"OffsetForLeaderEpoch", 4, NOWHERE, 0, 0},
	[24] = {"AddPartitionsToTxn", 3, IN_PARTITION, 0, 3},
	[25] = {"AddOffsetsToTxn", 3, AFTER_THROTTLE, 0, 0},
	[26] = {"EndTxn", 3, AFTER_THROTTLE, 0, 0},
	[27] = {"WriteTxnMarkers", 1, NOWHERE, 0, 0},
	[28] = {"TxnOffsetCommit", 3, IN_PARTITION, 0, 4},
	[29] = {"DescribeAcls", 2, AFTER_THROTTLE, 0, 0},
	[30] = {"CreateAcls", 2, NOWHERE, 0, 0},
	[31] = {"DeleteAcls", 2, NOWHERE, 0, 0},
	[32] = {"DescribeConfigs", 4, NOWHERE, 0, 0},
	[33] = {"AlterConfigs", 2, NOWHERE, 0, 0},
	[34] = {"AlterReplicaLogDirs", 2, NOWHERE, 0, 0},
	[35] = {"DescribeLogDirs", 2, AFTER_THROTTLE, 3, 0},
	[36] = {"SaslAuthenticate", 2, AT_START, NEVER, 0},
	[37] = {"CreatePartitions", 2, NOWHERE, 0, 0},
	[38] = {"CreateDelegationToken", 2, AT_START, NEVER, 0},
	[39] = {"RenewDelegationToken", 2, AT_START, NEVER, 0},
	[40] = {"ExpireDelegationToken", 2, AT_START, NEVER, 0},
	[41] = {"DescribeDelegationToken", 2, AT_START, NEVER, 0},
	[42] = {"DeleteGroups", 2, NOWHERE, 0, 0},
	[43] = {"ElectLeaders", 2, AFTER_THROTTLE, 1, 0},
	[44] = {"IncrementalAlterConfigs", 1, NOWHERE, 0, 0},
	[45] = {"AlterPartitionReassignments", 0, NOWHERE, 0, 0},
	[46] = {"ListPartitionReassignments", 0, AFTER_THROTTLE, 0, 0},
	[47] = {"OffsetDelete", NEVER, AT_START, NEVER, 0},
	[48] = {"DescribeClientQuotas", 1, AFTER_THROTTLE, 0, 0},
	[49] = {"AlterClientQuotas", 1, NOWHERE, 0, 0},
	[50] = {"DescribeUserScramCredentials", 0, AFTER_THROTTLE, 0, 0},
	[51] = {"AlterUserScramCredentials", 0, NOWHERE, 0, 0},
	[52] = {"Vote", 0, AT_START, NEVER, 0},
	[53] = {"BeginQuorumEpoch", 1, AT_START, NEVER, 0},
	[54] = {"EndQuorumEpoch", 1, AT_START, NEVER, 0},
	[55] = {"DescribeQuorum", 0, AT_START, NEVER, 0},
	[56] = {"AlterPartition", 0, AFTER_THROTTLE, 0, 0},
	[57] = {"UpdateFeatures", 0, AFTER_THROTTLE, 0, 0},
	[58] = {"Envelope", 0, NOWHERE, 0, 0},
	[59] = {"FetchSnapshot", 0, AFTER_THROTTLE, 0, 0},
	[60] = {"DescribeCluster", 0, AFTER_THROTTLE, 0, 0},
	[61] = {"DescribeProducers", 0, NOWHERE, 0, 0},
	[62] = {"BrokerRegistration", 0, AFTER_THROTTLE, 0, 0},
	[63] = {"BrokerHeartbeat", 0, AFTER_THROTTLE, 0, 0},
	[64] = {"UnregisterBroker", 0, AFTER_THROTTLE, 0, 0},
	[65] = {"DescribeTransactions", 0, NOWHERE, 0, 0},
	[66] = {"ListTransactions", 0, AFTER_THROTTLE, 0, 0},
	[67] = {"AllocateProducerIds", 0, AFTER_THROTTLE, 0, 0},
	[68] = {"ConsumerGroupHeartbeat", 0, AFTER_THROTTLE, 0, 0},
	[69] = {"ConsumerGroupDescribe", 0, NOWHERE, 0, 0},
	[70] = {"ControllerRegistration", 0, AFTER_THROTTLE, 0, 0},
	[71] = {"GetTelemetrySubscriptions", 0, AFTER_THROTTLE, 0, 0},
	[72] = {"PushTelemetry", 0, AFTER_THROTTLE, 0, 0},
	[73] = {"AssignReplicasToDirs", 0, AFTER_THROTTLE, 0, 0},
	[74] = {"ListConfigResources", 0, AFTER_THROTTLE, 0, 0},
	[75] = {"DescribeTopicPartitions", 0, NOWHERE, 0, 0},
	[76] = {"ShareGroupHeartbeat", 0, AFTER_THROTTLE, 0, 0},
	[77] = {"ShareGroupDescribe", 0, NOWHERE, 0, 0},
	[78] = {"ShareFetch", 0, AFTER_THROTTLE, 0, 0},
	[79] = {"ShareAcknowledge", 0, AFTER_THROTTLE, 0, 0},
};

/* Reads fields one after another; once one is not there, none is. */
struct reader {
	const uint8_t *at;
	size_t n;
	bool is_out;
};

static const uint8_t *take(struct reader *reader, uint64_t n)
{
	const uint8_t *at = reader->at;

	reader->is_out |= n > reader->n;
	if (reader->is_out)
		return NULL;
	reader->at += n;
	reader->n -= n;
	return at;
}

static int16_t take16(struct reader *reader)
{
	const uint8_t *at = take(reader, 2);

	return at ? (int16_t)be16(at) : 0;
}

static uint32_t take_varint(struct reader *reader)
{
	uint32_t value = 0;

	for (int shift = 0; shift < 35; shift += 7) {
		const uint8_t *at = take(reader, 1);

		if (!at)
			return 0;
		value |= (uint32_t)(*at & 0x7f) << shift;
		if (!(*at & 0x80))
			return value;
	}
	reader->is_out = true;
	return 0;
}

static void skip_string(struct reader *reader, bool is_compact)
{
	int64_t n = is_compact ? (int64_t)take_varint(reader) - 1 : take16(reader);

	if (n > 0)
		take(reader, (uint64_t)n);
}

static void skip_tags(struct reader *reader)
{
	for (uint32_t n = take_varint(reader); n && !reader->is_out; n--) {
		take_varint(reader);
		take(reader, take_varint(reader));
	}
}

/* The number of elements of an array. */
static int64_t take_count(struct reader *reader, bool is_compact)
{
	const uint8_t *at;

	if (is_compact)
		return (int64_t)take_varint(reader) - 1;
	at = take(reader, 4);
	return at ? (int32_t)be32(at) : 0;
}

static enum look look_request(const struct view *view, uint32_t longest)
{
	const uint8_t *at = view->at;
	uint32_t length;
	int16_t name;

	if (view->n < 4)
		return view->n && at[0] > longest >> 24 ? LOOK_NO : LOOK_MORE;
	length = be32(at);
	if (length < REQUEST_HEADER - 4 || length >= longest)
		return LOOK_NO;
	if (view->n >= 6 && be16(at + 4) >= ARRAY_SIZE(apis))
		return LOOK_NO;
	if (view->n >= 8 && be16(at + 6) > VERSION_MAX)
		return LOOK_NO;
	if (view->n < REQUEST_HEADER)
		return LOOK_MORE;
	name = (int16_t)be16(at + 12);
	if (at[8] & 0x80 || name < -1 || name > 255 || name + REQUEST_HEADER > (int64_t)length + 4)
		return LOOK_NO;
	for (int i = 0; i < name && i + REQUEST_HEADER < (int)view->n; i++)
		if (at[REQUEST_HEADER + i] < 0x20)
			return LOOK_NO;
	return LOOK_YES;
}

static enum look look_answer(const struct protocol_connection *connection, const struct view *view)
{
	uint64_t key;

	if (!connection->spoken)
		return LOOK_NO;
	if (view->n < ANSWER_HEADER)
		return view->n && view->at[0] > LENGTH_MAX >> 24 ? LOOK_NO : LOOK_MORE;
	if (be32(view->at) < 4 || be32(view->at) > LENGTH_MAX)
		return LOOK_NO;
	key = KEY(be32(view->at + 4));
	for (size_t i = 0; i < connection->count; i++)
		if (connection->pending[connection->first + i].key == key)
			return LOOK_YES;
	return LOOK_NO;
}

static enum look kafka_look(const struct protocol_connection *connection, enum direction direction,
			    const struct view *view)
{
	if (direction == ANSWERS)
		return look_answer(connection, view);
	return look_request(view, connection->spoken ? LENGTH_MAX : FIRST_MAX);
}

/* What of the message is to be looked at; false where more of it is needed. */
static bool see_message(const struct view *view, struct reader *reader)
{
	uint64_t length = (uint64_t)be32(view->at) + 4;

	*reader = (struct reader){view->at, view->n < length ? view->n : (size_t)length, false};
	return view->is_cut || reader->n == length || reader->n >= LOOKED_AT;
}

static bool is_flexible(uint16_t key, uint16_t version)
{
	return version >= apis[key].flexible;
}

/* A producer that wants no answer? */
static bool is_one_way(uint16_t key, uint16_t version, struct reader reader)
{
	int16_t acks;

	if (key != PRODUCE)
		return false;
	take(&reader, REQUEST_HEADER - 2);
	skip_string(&reader, false);
	if (is_flexible(key, version))
		skip_tags(&reader);
	if (version >= 3)
		skip_string(&reader, is_flexible(key, version));
	acks = take16(&reader);
	return !reader.is_out && acks == 0;
}

static int64_t request_unit(struct protocol_connection *connection, const struct view *view)
{
	struct reader reader;
	struct pending *pending;
	enum look look = look_request(view, LENGTH_MAX);
	uint16_t key, version;

	if (look != LOOK_YES)
		return look == LOOK_MORE ? UNIT_MORE : UNIT_LOST;
	if (!see_message(view, &reader))
		return UNIT_MORE;
	key = be16(view->at + 4);
	version = be16(view->at + 6);
	connection->focus[REQUESTS] = 0;
	if (!is_one_way(key, version, reader)) {
		pending = pending_push(connection, KEY(be32(view->at + 8)));
		if (!pending)
			return UNIT_LOST;
		pending->kind = key;
		pending->version = version;
		label_add_word(pending->request.label, apis[key].name);
		connection->focus[REQUESTS] = pending->key;
	}
	return (int64_t)be32(view->at) + 4;
}

/* The error code of the first partition: topics [name, partitions [index, error]]. */
static int16_t partition_error(struct reader *reader, bool is_compact)
{
	if (take_count(reader, is_compact) <= 0)
		return 0;
	skip_string(reader, is_compact);
	if (take_count(reader, is_compact) <= 0)
		return 0;
	take(reader, 4);
	return take16(reader);
}

static bool has_error(const struct pending *pending, struct reader reader)
{
	const struct api *api = &apis[pending->kind];
	int version = pending->version;
	bool is_compact = is_flexible(pending->kind, pending->version);
	int16_t error;

	if (api->error == NOWHERE || (api->until && version > api->until) ||
	    (api->error == AFTER_THROTTLE && version < api->since))
		return false;
	take(&reader, ANSWER_HEADER);
	/* ApiVersions is asked before the two know what the other understands. */
	if (is_compact && pending->kind != 18)
		skip_tags(&reader);
	if (version >= api->since)
		take(&reader, 4);
	error = api->error == IN_PARTITION ? partition_error(&reader, is_compact) : take16(&reader);
	return !reader.is_out && error != 0;
}

static int64_t answer_unit(struct protocol_connection *connection, const struct view *view)
{
	struct pending *pending;
	struct reader reader;

	if (view->n < ANSWER_HEADER)
		return UNIT_MORE;
	if (be32(view->at) < 4 || be32(view->at) > LENGTH_MAX)
		return UNIT_LOST;
	if (!see_message(view, &reader))
		return UNIT_MORE;
	pending = pending_find(connection, KEY(be32(view->at + 4)));
	connection->focus[ANSWERS] = pending ? pending->key : 0;
	if (pending)
		pending->request.failed = has_error(pending, reader);
	return (int64_t)be32(view->at) + 4;
}

static int64_t kafka_unit(struct protocol_connection *connection, enum direction direction,
			  const struct view *view)
{
	return direction == REQUESTS ? request_unit(connection, view)
				     : answer_unit(connection, view);
}

static void kafka_unit_end(struct protocol_connection *connection, enum direction direction)
{
	struct pending *pending = pending_find(connection, connection->focus[direction]);

	if (!pending)
		return;
	if (direction == REQUESTS)
		pending->is_open = false;
	else
		pending_complete(connection, pending);
}

const struct protocol protocol_kafka = {
	.id = PROTOCOL_KAFKA,
	.name = "kafka",
	.is_keyed = true,
	.look = kafka_look,
	.unit = kafka_unit,
	.unit_end = kafka_unit_end,
};
