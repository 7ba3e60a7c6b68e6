/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `kafka:` of a scenario. */
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "drive/kafka/kafka.h"
#include "util/clock.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRODUCERS_MAX 64
#define MEMBERS_MAX   256
#define RATE_MAX      1e8
/* Of what is remembered (ledger.h), each at most 8 KiB. */
#define STREAMS_MAX 16384

static const char *const acks[] = {"0", "1", "all", NULL};
static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};
static const char *const contents[] = {[KAFKA_TEXT] = "text", [KAFKA_RANDOM] = "random", NULL};
static const char *const assignors[] = {"range", "roundrobin", "cooperative-sticky", NULL};

static const struct yaml_field rebalance_fields[] = {
	{
		.key = "phase",
		.type = YAML_STRING,
		.offset = offsetof(struct kafka_rebalance, phase),
		.help = "in which it happens; without it, the first measured one",
	},
	{
		.key = "at",
		.type = YAML_DURATION,
		.offset = offsetof(struct kafka_rebalance, at_ns),
		.max = 7 * 24 * 3600,
		.help = "after the phase's beginning (0s)",
	},
	{
		.key = "join",
		.type = YAML_INT,
		.offset = offsetof(struct kafka_rebalance, join),
		.min = 0,
		.max = MEMBERS_MAX,
		.help = "consumers that join each group (0)",
	},
	{
		.key = "leave",
		.type = YAML_INT,
		.offset = offsetof(struct kafka_rebalance, leave),
		.min = 0,
		.max = MEMBERS_MAX,
		.help = "consumers that leave each group (0)",
	},
};

static const struct yaml_schema rebalance_schema = {
	.name = "a rebalance",
	.size = sizeof(struct kafka_rebalance),
	.fields = rebalance_fields,
	.n_fields = ARRAY_SIZE(rebalance_fields),
};

#define FIELD(name, kind, member, ...)                                                             \
	{                                                                                          \
		.key = (name), .type = (kind), .offset = offsetof(struct kafka_config, member),    \
		__VA_ARGS__                                                                        \
	}

static const struct yaml_field fields[] = {
	FIELD("bootstrap", YAML_STRING, bootstrap,
	      .help = "the broker: 127.0.0.1:${port}, which is what it is without it"),
	FIELD("topic", YAML_STRING, topic, .help = "it is made where there is none (perfbpf)"),
	FIELD("partitions", YAML_INT, partitions, .min = 1, .max = 10000,
	      .help = "of the topic (10)"),
	FIELD("replication", YAML_INT, replication, .min = 1, .max = 16,
	      .help = "copies of each partition (1)"),
	FIELD("message_size", YAML_SIZE, message_size, .min = STAMP_BYTES, .max = 64 << 20,
	      .help = "of each message, with a stamp of 48 bytes (1KiB)"),
	FIELD("batch_size", YAML_SIZE, batch_size, .min = 1, .max = INT_MAX,
	      .help = "messages for one partition go together up to this size (16KiB)"),
	FIELD("buffer_size", YAML_SIZE, buffer_size, .min = 1024, .max = 2147483647.0 * 1024,
	      .help = "of each producer, for messages under way (64MiB)"),
	FIELD("linger", YAML_DURATION, linger_ns, .min = 0, .max = 900,
	      .help = "how long a batch waits for more (10ms)"),
	FIELD("acks", YAML_ENUM, acks, .choices = acks, .help = "0, 1 or all (1)"),
	FIELD("compression", YAML_ENUM, compression, .choices = compressions,
	      .help = "none, gzip, snappy, lz4 or zstd (none)"),
	FIELD("content", YAML_ENUM, content, .choices = contents,
	      .help = "text, which compresses as logs do, or random (text)"),
	FIELD("idempotence", YAML_BOOL, idempotence,
	      .help = "true: what is sent once more is not stored twice (false)"),
	FIELD("producers", YAML_INT, producers, .min = 0, .max = PRODUCERS_MAX,
	      .help = "each with connections of its own; 0: only consume (1)"),
	FIELD("consumers", YAML_INT, consumers, .min = 0, .max = MEMBERS_MAX,
	      .help = "of each group; 0: only produce (0)"),
	FIELD("groups", YAML_INT, groups, .min = 1, .max = 64,
	      .help = "of consumers, each of which gets every message (1)"),
	FIELD("group", YAML_STRING, group, .help = "what the groups' names begin with (perfbpf)"),
	FIELD("assignor", YAML_ENUM, assignor, .choices = assignors,
	      .help = "range, roundrobin or cooperative-sticky (range)"),
	FIELD("fetch_size", YAML_SIZE, fetch_size, .min = 1, .max = 1000000000,
	      .help = "that a consumer fetches of a partition at a time (1MiB)"),
	FIELD("fetch_wait", YAML_DURATION, fetch_wait_ns, .min = 0, .max = 300,
	      .help = "how long a broker waits where it has nothing (500ms)"),
	FIELD("heartbeat", YAML_DURATION, heartbeat_ns, .min = 0.001, .max = 3600,
	      .help = "how often members tell that they live, and learn of others (3s)"),
	FIELD("session_timeout", YAML_DURATION, session_timeout_ns, .min = 0.001, .max = 3600,
	      .help = "how long a silent member stays one (45s)"),
	FIELD("timeout", YAML_DURATION, timeout_ns, .min = 0.001, .max = 3600,
	      .help = "of a message's delivery, with all that is tried once more (30s)"),
	FIELD("drain_timeout", YAML_DURATION, drain_timeout_ns, .min = 0.001, .max = 3600,
	      .help = "after the load: how long consumers may get nothing while something is "
		      "missing (10s)"),
	FIELD("preload", YAML_COUNT, preload, .min = 1, .max = 1e10,
	      .help = "messages that are in the topic before the load, for producers: 0"),
	FIELD("seed", YAML_INT, seed, .min = 0, .max = INT_MAX, .help = "of the content (1)"),
	FIELD("rebalance", YAML_MAPS, rebalances, .nested = &rebalance_schema,
	      .count_offset = offsetof(struct kafka_config, n_rebalances),
	      .help = "a list of {phase, at, join, leave}"),
	FIELD("properties", YAML_PAIRS, properties,
	      .count_offset = offsetof(struct kafka_config, n_properties),
	      .help = "of librdkafka, by their names: {socket.nagle.disable: \"false\"}"),
};

static void defaults(void *object)
{
	struct kafka_config *config = object;

	config->bootstrap = strdup("127.0.0.1:${port}");
	config->topic = strdup("perfbpf");
	config->group = strdup("perfbpf");
	config->partitions = 10;
	config->replication = 1;
	config->message_size = 1024;
	config->batch_size = 16384;
	config->buffer_size = 64 << 20;
	config->linger_ns = 10 * NSEC_PER_MSEC;
	config->acks = 1;
	config->producers = 1;
	config->groups = 1;
	config->fetch_size = 1 << 20;
	config->fetch_wait_ns = 500 * NSEC_PER_MSEC;
	config->timeout_ns = 30 * NSEC_PER_SEC;
	config->drain_timeout_ns = 10 * NSEC_PER_SEC;
	config->seed = 1;
	config->rate_override = NAN;
}

const struct yaml_schema kafka_schema = {
	.name = "kafka",
	.size = sizeof(struct kafka_config),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.defaults = defaults,
};

int kafka_override(void *object, double rate, const uint64_t *seed, struct error *err)
{
	struct kafka_config *config = object;

	if (!isnan(rate) && (rate <= 0 || rate > RATE_MAX))
		return error_set(err, EXIT_CODE_USAGE,
				 "--rate %g: give more than 0 and at most 100M messages a second",
				 rate);
	config->rate_override = rate;
	if (seed) {
		config->has_seed_override = true;
		config->seed_override = *seed;
	}
	return 0;
}

uint64_t kafka_seed(const struct kafka_config *config)
{
	return config->has_seed_override ? config->seed_override : (uint64_t)config->seed;
}

size_t kafka_n_producers(const struct kafka_config *config)
{
	return config->producers ? (size_t)config->producers : 1;
}

static int check_phases(const struct scenario *scenario, struct error *err)
{
	const struct kafka_config *config = scenario->driver_config;

	for (size_t i = 0; i < scenario->n_phases; i++) {
		bool has_executor = scenario->phases[i].executor != EXECUTOR_NONE;

		if (has_executor == (config->producers > 0))
			continue;
		return error_set(err, EXIT_CODE_USAGE,
				 has_executor
					 ? "%s: kafka: phase '%s' has an executor, but with "
					   "'producers: 0' consumers read as fast as they can; "
					   "leave it out"
					 : "%s: kafka: phase '%s' has no executor; write "
					   "constant-arrival-rate with its rate, or constant-vus "
					   "with vus, the messages under way of each producer",
				 scenario->path, scenario->phases[i].name);
	}
	return 0;
}

static bool has_phase(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->n_phases; i++)
		if (!strcmp(scenario->phases[i].name, name))
			return true;
	return false;
}

static int check_rebalances(const struct scenario *scenario, struct error *err)
{
	const struct kafka_config *config = scenario->driver_config;
	int members = config->consumers;

	for (size_t i = 0; i < config->n_rebalances; i++) {
		const struct kafka_rebalance *rebalance = &config->rebalances[i];

		if (rebalance->phase && !has_phase(scenario, rebalance->phase))
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: kafka: rebalance[%zu] is in a phase '%.60s', which "
					 "is not there",
					 scenario->path, i, rebalance->phase);
		if (!rebalance->join && !rebalance->leave)
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: kafka: rebalance[%zu] changes nothing; write join: 1 "
					 "or leave: 1",
					 scenario->path, i);
		members += rebalance->join - rebalance->leave;
		if (members < 1 || members > MEMBERS_MAX)
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: kafka: rebalance[%zu] leaves %d consumers in a "
					 "group; it has to have 1 to %d",
					 scenario->path, i, members, MEMBERS_MAX);
	}
	return 0;
}

int kafka_check(const struct scenario *scenario, struct error *err)
{
	const struct kafka_config *config = scenario->driver_config;

	if (!config->producers &&
	    (!config->consumers || isnan(config->preload) || config->preload < 1))
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: kafka: with 'producers: 0' it has to have consumers, and "
				 "'preload' messages for them",
				 scenario->path);
	if (config->producers && config->preload > 0)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: kafka: 'preload' is for 'producers: 0'; leave one of both "
				 "out",
				 scenario->path);
	if (config->consumers &&
	    kafka_n_producers(config) * (size_t)config->partitions * (size_t)config->groups >
		    STREAMS_MAX)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: kafka: producers × partitions × groups is more than %d, "
				 "which is more than can be remembered; lower one of them",
				 scenario->path, STREAMS_MAX);
	if (config->buffer_size < config->message_size)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: kafka: buffer_size is less than a message", scenario->path);
	if (check_phases(scenario, err))
		return -1;
	return check_rebalances(scenario, err);
}

/* --- phases with --rate ------------------------------------------------------------ */

/* The highest rate of a phase, in a second; 0: it is no open loop. */
static double highest_rate(const struct phase *phase)
{
	double rate =
		phase->executor == EXECUTOR_CONSTANT_ARRIVAL_RATE ? phase->rate : phase->start_rate;

	if (!phase_is_open_loop(phase))
		return 0;
	for (size_t i = 0; i < phase->n_stages; i++)
		rate = fmax(rate, phase->stages[i].target);
	return rate * (double)NSEC_PER_SEC / (double)phase->time_unit_ns;
}

static void scale(struct phase *phases, size_t n, double factor)
{
	for (size_t i = 0; i < n; i++) {
		if (!phase_is_open_loop(&phases[i]))
			continue;
		phases[i].rate *= factor;
		phases[i].start_rate *= factor;
		for (size_t j = 0; j < phases[i].n_stages; j++)
			phases[i].stages[j].target *= factor;
	}
}

struct phase *kafka_phases(const struct scenario *scenario, struct error *err)
{
	const struct kafka_config *config = scenario->driver_config;
	size_t n = scenario->n_phases;
	struct phase *phases = calloc(n + 1, sizeof(*phases));
	double highest = 0;
	bool is_complete = phases;

	for (size_t i = 0; phases && i < n; i++) {
		const struct phase *from = &scenario->phases[i];

		phases[i] = *from;
		phases[i].stages = calloc(from->n_stages + 1, sizeof(*from->stages));
		if (phases[i].stages)
			for (size_t j = 0; j < from->n_stages; j++)
				phases[i].stages[j] = from->stages[j];
		is_complete &= !!phases[i].stages;
		highest = fmax(highest, highest_rate(from));
	}
	if (!is_complete)
		error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	else if (!isnan(config->rate_override) && highest <= 0)
		error_set(err, EXIT_CODE_USAGE,
			  "--rate: no phase of %s has an arrival rate; choose a scenario that has "
			  "one, or leave --rate out",
			  scenario->path);
	else
		highest = isnan(config->rate_override) ? 1 : config->rate_override / highest;
	if (!is_complete || highest <= 0) {
		kafka_phases_free(phases, n);
		return NULL;
	}
	scale(phases, n, highest);
	return phases;
}

void kafka_phases_free(struct phase *phases, size_t n)
{
	for (size_t i = 0; phases && i < n; i++)
		free(phases[i].stages);
	free(phases);
}
