/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/pods.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

#define NODE "perfbpf-node"

struct attribute {
	const char *name, *value;
};

static void start_text(const struct source *source, char *text, size_t size)
{
	time_t seconds = (time_t)((source->start_ns + source->to_real_ns) / NSEC_PER_SEC);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static void deployment_name(const struct source *source, uint32_t pod, char *name)
{
	snprintf(name, SOURCE_NAME_MAX, SOURCE_APP "-%02u", pod / (uint32_t)source->replicas + 1);
}

static json_t *container_status(const char *started, uint32_t pod)
{
	char id[96];

	snprintf(id, sizeof(id), "containerd://%064u", pod);
	return json_pack("{s:s, s:b, s:b, s:i, s:s, s:s, s:s, s:{s:{s:s}}, s:{}}", "name",
			 SOURCE_CONTAINER, "ready", 1, "started", 1, "restartCount", 0, "image",
			 SOURCE_CONTAINER, "imageID", "", "containerID", id, "state", "running",
			 "startedAt", started, "lastState");
}

static json_t *metadata(const struct source *source, uint32_t pod, const char *started)
{
	char name[SOURCE_NAME_MAX], deployment[SOURCE_NAME_MAX], uid[40], version[16];
	uint64_t hash = random_mix(source->seed + pod);

	source_pod_name(source, pod, name);
	deployment_name(source, pod, deployment);
	snprintf(uid, sizeof(uid), "%08x-0000-4000-8000-%012llx", pod,
		 (unsigned long long)(hash >> 16));
	snprintf(version, sizeof(version), "%u", 100 + pod % 800);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "name", name, "namespace",
			 source->namespace_name, "uid", uid, "resourceVersion", version,
			 "creationTimestamp", started, "labels", "app", SOURCE_APP, "deployment",
			 deployment);
}

static json_t *pod_parts(const struct source *source, uint32_t pod)
{
	char started[32];

	start_text(source, started, sizeof(started));
	return json_pack("{s:o, s:{s:s, s:[{s:s, s:s}]}, s:{s:s, s:s, s:[{s:s, s:s}], s:[o]}}",
			 "metadata", metadata(source, pod, started), "spec", "nodeName", NODE,
			 "containers", "name", SOURCE_CONTAINER, "image", SOURCE_CONTAINER,
			 "status", "phase", "Running", "startTime", started, "conditions", "type",
			 "Ready", "status", "True", "containerStatuses",
			 container_status(started, pod));
}

json_t *pods_object(const struct source *source, uint32_t pod)
{
	json_t *object = json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "Pod");
	json_t *item = pod_parts(source, pod);

	if (!object || !item || json_object_update(object, item)) {
		json_decref(object);
		object = NULL;
	}
	json_decref(item);
	return object;
}

static const char *find(const struct attribute *attributes, size_t n, const char *name,
			size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(attributes[i].name) == length &&
		    !memcmp(attributes[i].name, name, length))
			return attributes[i].value;
	return NULL;
}

/*
 * One requirement: "name", "!name", "name=value", "name==value", "name!=value".
 * The set forms ("name in (a, b)") are refused: they would be guessed at otherwise.
 */
static int match_one(const char *text, size_t length, const struct attribute *attributes, size_t n,
		     bool must_know)
{
	const char *equals = memchr(text, '=', length), *value;
	bool negated = *text == '!', equal;
	size_t name_length;

	for (size_t i = 0; i < length; i++)
		if (strchr(" ()<>", text[i]))
			return -EINVAL;
	if (!equals) {
		text += negated;
		length -= negated;
		if (must_know || !length)
			return -EINVAL;
		return negated != (find(attributes, n, text, length) != NULL);
	}
	name_length = (size_t)(equals - text);
	negated = name_length && equals[-1] == '!';
	name_length -= negated;
	equals += equals + 1 < text + length && equals[1] == '=';
	length -= (size_t)(equals + 1 - text);
	if (!name_length || (negated && equals[-1] == '='))
		return -EINVAL;
	value = find(attributes, n, text, name_length);
	if (!value && must_know)
		return -EINVAL;
	equal = value && strlen(value) == length && !memcmp(value, equals + 1, length);
	return equal != negated;
}

static int match(const char *selector, const struct attribute *attributes, size_t n, bool must_know)
{
	int chosen = 1;

	while (selector && *selector) {
		size_t length = strcspn(selector, ",");
		int one = match_one(selector, length, attributes, n, must_know);

		if (one < 0)
			return one;
		chosen &= one;
		selector += length;
		selector += *selector == ',';
	}
	return chosen;
}

int pods_match_labels(const struct source *source, uint32_t pod, const char *selector)
{
	char deployment[SOURCE_NAME_MAX];
	struct attribute labels[] = {{"app", SOURCE_APP}, {"deployment", deployment}};

	deployment_name(source, pod, deployment);
	return match(selector, labels, 2, false);
}

int pods_match_fields(const struct source *source, uint32_t pod, const char *selector)
{
	char name[SOURCE_NAME_MAX];
	struct attribute fields[] = {{"metadata.name", name},
				     {"metadata.namespace", source->namespace_name},
				     {"spec.nodeName", NODE},
				     {"status.phase", "Running"}};

	source_pod_name(source, pod, name);
	return match(selector, fields, 4, true);
}
