/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `kubelogs:` of a scenario, and the kubeconfig that comes of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive/kubelogs/kubelogs.h"
#include "util/clock.h"

#define RATE_MAX 10e6

static const struct yaml_field fields[] = {
	{
		.key = "namespace",
		.type = YAML_STRING,
		.offset = offsetof(struct kubelogs_config, namespace_name),
		.help = "of the pods (perf-test)",
	},
	{
		.key = "deployments",
		.type = YAML_INT,
		.offset = offsetof(struct kubelogs_config, deployments),
		.min = 1,
		.max = 50,
		.help = "each with a flavour of its own, the eleventh as the first (10)",
	},
	{
		.key = "replicas",
		.type = YAML_INT,
		.offset = offsetof(struct kubelogs_config, replicas),
		.min = 1,
		.max = 50,
		.help = "pods of each deployment (2)",
	},
	{
		.key = "rate",
		.type = YAML_COUNT,
		.offset = offsetof(struct kubelogs_config, rate),
		.min = 1,
		.max = RATE_MAX,
		.help = "lines a second over all pods, on average (14000)",
	},
	{
		.key = "seed",
		.type = YAML_INT,
		.offset = offsetof(struct kubelogs_config, seed),
		.min = 0,
		.max = INT_MAX,
		.help = "of all texts and times (1)",
	},
	{
		.key = "bursts",
		.type = YAML_BOOL,
		.offset = offsetof(struct kubelogs_config, bursts),
		.help = "the tenth deployment alternates between 1000 fast and 1000 slow lines "
			"(true)",
	},
	{
		.key = "batch",
		.type = YAML_DURATION,
		.offset = offsetof(struct kubelogs_config, batch_ns),
		.min = 0.001,
		.max = 0.1,
		.help = "how often due lines are sent (8ms)",
	},
};

static void defaults(void *object)
{
	struct kubelogs_config *config = object;

	config->namespace_name = strdup("perf-test");
	config->deployments = 10;
	config->replicas = 2;
	config->rate = 14000;
	config->phases_rate = NAN;
	config->seed = 1;
	config->bursts = true;
	config->batch_ns = 8 * NSEC_PER_MSEC;
}

const struct yaml_schema kubelogs_schema = {
	.name = "kubelogs",
	.size = sizeof(struct kubelogs_config),
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.defaults = defaults,
};

int kubelogs_override(void *object, double rate, const uint64_t *seed, struct error *err)
{
	struct kubelogs_config *config = object;

	if (!isnan(rate)) {
		if (rate < 1 || rate > RATE_MAX)
			return error_set(err, EXIT_CODE_USAGE,
					 "--rate %g: give 1 to 10M lines a second", rate);
		/* It may be called twice. */
		if (isnan(config->phases_rate))
			config->phases_rate = config->rate;
		config->rate = rate;
	}
	if (seed) {
		config->has_seed_override = true;
		config->seed_override = *seed;
	}
	return 0;
}

uint64_t kubelogs_seed(const struct kubelogs_config *config)
{
	return config->has_seed_override ? config->seed_override : (uint64_t)config->seed;
}

int kubelogs_write_kubeconfig(const char *path, uint16_t port, const char *namespace_name,
			      struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), n = -1;

	if (fd >= 0)
		n = dprintf(fd,
			    "apiVersion: v1\n"
			    "kind: Config\n"
			    "clusters:\n"
			    "- name: perfbpf\n"
			    "  cluster:\n"
			    "    server: http://127.0.0.1:%u\n"
			    "users:\n"
			    "- name: perfbpf\n"
			    "  user: {}\n"
			    "contexts:\n"
			    "- name: perfbpf\n"
			    "  context:\n"
			    "    cluster: perfbpf\n"
			    "    user: perfbpf\n"
			    "    namespace: %s\n"
			    "current-context: perfbpf\n",
			    port, namespace_name);
	if (fd < 0 || n < 0 || close(fd))
		return error_set(err, EXIT_CODE_FAILED, "cannot write '%s': %s", path,
				 strerror(errno));
	return 0;
}
