/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A label as RFC 1123 has it, which is what Kubernetes takes for a namespace. */
static bool is_label(const char *text)
{
	size_t length = strlen(text);

	if (!length || length >= SOURCE_NAME_MAX || text[0] == '-' || text[length - 1] == '-')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

int source_open(struct source *source, const char *namespace_name,
		const struct schedule_config *schedule, uint64_t start_ns, uint64_t to_real_ns,
		struct error *err)
{
	memset(source, 0, sizeof(*source));
	if (!is_label(namespace_name))
		return error_set(err, EXIT_CODE_USAGE,
				 "kubelogs: namespace '%s' is not a Kubernetes name: use 1 to 63 "
				 "lower-case letters, digits and '-'",
				 namespace_name);
	strcpy(source->namespace_name, namespace_name);
	source->deployments = schedule->deployments;
	source->replicas = schedule->replicas;
	source->n_pods = (uint32_t)(schedule->deployments * schedule->replicas);
	source->seed = random_mix(schedule->seed);
	source->start_ns = start_ns;
	source->restart_ns = UINT64_MAX;
	source->to_real_ns = to_real_ns;
	source->pods = calloc(source->n_pods, sizeof(*source->pods));
	source->n_before = calloc(source->n_pods, sizeof(*source->n_before));
	source->content = content_new(schedule->seed);
	if (!source->pods || !source->n_before || !source->content) {
		source_close(source);
		return error_set(err, EXIT_CODE_FAILED, "kubelogs: out of memory");
	}
	schedule_fill(schedule, source->pods);
	return 0;
}

void source_close(struct source *source)
{
	free(source->pods);
	free(source->n_before);
	content_free(source->content);
	source->pods = NULL;
	source->n_before = NULL;
	source->content = NULL;
}

void source_restart(struct source *source, uint64_t at_ns)
{
	if (source->restart_ns != UINT64_MAX)
		return;
	for (uint32_t pod = 0; pod < source->n_pods; pod++)
		source->n_before[pod] = source_due(source, pod, at_ns - 1);
	source->restart_ns = at_ns;
}

uint64_t source_back(const struct source *source, uint32_t pod, uint64_t seq, uint64_t n)
{
	if (source->restart_ns != UINT64_MAX && seq >= SOURCE_RESTART_SEQ) {
		if (n <= seq - SOURCE_RESTART_SEQ)
			return seq - n;
		n -= seq - SOURCE_RESTART_SEQ;
		seq = source->n_before[pod];
	}
	return n < seq ? seq - n : 0;
}

void source_pod_name(const struct source *source, uint32_t pod, char *name)
{
	uint32_t replicas = (uint32_t)source->replicas;

	snprintf(name, SOURCE_NAME_MAX, SOURCE_APP "-%02u-x-%05u", pod / replicas + 1,
		 pod % replicas);
}

bool source_pod_find(const struct source *source, const char *name, uint32_t *pod)
{
	char known[SOURCE_NAME_MAX];
	unsigned int deployment, replica;

	if (sscanf(name, SOURCE_APP "-%2u-x-%5u", &deployment, &replica) != 2 || !deployment ||
	    deployment > (unsigned int)source->deployments ||
	    replica >= (unsigned int)source->replicas)
		return false;
	*pod = (deployment - 1) * (uint32_t)source->replicas + replica;
	source_pod_name(source, *pod, known);
	return !strcmp(name, known);
}
