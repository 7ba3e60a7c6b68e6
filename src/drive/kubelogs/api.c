/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/api.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/kubelogs/pods.h"
#include "util/clock.h"

/* The longest watch that a client can ask for; what is longer lasts as long as the client. */
#define WATCH_SECONDS_MAX 1000000

/* What all handlers need. */
struct call {
	const struct source *source;
	const struct http_request *request;
	uint64_t now_ns;
	struct api_answer *answer;
};

/* Takes the reference of @json. */
static int answer_json(struct api_answer *answer, int status, json_t *json)
{
	answer->kind = API_BODY;
	answer->status = status;
	answer->content_type = "application/json";
	answer->body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return answer->body ? 0 : -ENOMEM;
}

static const char *reason(int status)
{
	switch (status) {
	case HTTP_NOT_FOUND:
		return "NotFound";
	case HTTP_METHOD_NOT_ALLOWED:
		return "MethodNotAllowed";
	case HTTP_UNPROCESSABLE:
		return "Invalid";
	case HTTP_UNAVAILABLE:
		return "ServiceUnavailable";
	default:
		return "BadRequest";
	}
}

int api_refuse(struct api_answer *answer, int status, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* What the client sent and is no UTF-8 could not stand in JSON. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return answer_json(answer, status,
			   json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status",
				     "apiVersion", "v1", "metadata", "status", "Failure", "message",
				     text, "reason", reason(status), "code", status));
}

static bool is_own_namespace(const struct call *call, const char *name)
{
	return !name || !strcmp(name, call->source->namespace_name);
}

/* 1: the selectors of the request choose @pod, 0: not, -EINVAL. */
static int is_chosen(const struct call *call, uint32_t pod)
{
	int labels, fields;

	labels = pods_match_labels(call->source, pod,
				   http_parameter(call->request, "labelSelector"));
	fields = pods_match_fields(call->source, pod,
				   http_parameter(call->request, "fieldSelector"));
	return labels < 0 || fields < 0 ? -EINVAL : labels && fields;
}

/* The chosen pods of a namespace (NULL: of all) as a JSON array; NULL: no memory. */
static json_t *chosen_pods(const struct call *call, const char *namespace_name)
{
	json_t *items = json_array();

	for (uint32_t pod = 0; pod < call->source->n_pods; pod++)
		if (is_own_namespace(call, namespace_name) && is_chosen(call, pod) > 0 &&
		    json_array_append_new(items, pods_object(call->source, pod))) {
			json_decref(items);
			return NULL;
		}
	return items;
}

static int list_pods(const struct call *call, const char *namespace_name)
{
	json_t *items = chosen_pods(call, namespace_name);

	if (!items)
		return -ENOMEM;
	return answer_json(call->answer, HTTP_OK,
			   json_pack("{s:s, s:s, s:{s:s}, s:o}", "kind", "PodList", "apiVersion",
				     "v1", "metadata", "resourceVersion", PODS_LIST_VERSION,
				     "items", items));
}

static bool is_true(const struct call *call, const char *name)
{
	const char *value = http_parameter(call->request, name);

	return value && (!strcmp(value, "true") || !strcmp(value, "1"));
}

/* One event and its newline to @out. Takes the reference of @object. */
static int put_event(FILE *out, const char *type, json_t *object)
{
	json_t *event = json_pack("{s:s, s:o}", "type", type, "object", object);
	int failed = !event || json_dumpf(event, out, JSON_COMPACT) || fputc('\n', out) == EOF;

	json_decref(event);
	return failed ? -ENOMEM : 0;
}

/* Tells a client that asked for it that what was there at the start is now known to it. */
static json_t *initial_events_end(void)
{
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "kind", "Pod", "apiVersion", "v1",
			 "metadata", "resourceVersion", PODS_LIST_VERSION, "annotations",
			 "k8s.io/initial-events-end", "true");
}

static int watch_pods(const struct call *call, const char *namespace_name)
{
	const char *version = http_parameter(call->request, "resourceVersion");
	const char *timeout = http_parameter(call->request, "timeoutSeconds");
	bool initial = is_true(call, "sendInitialEvents");
	unsigned long seconds = timeout ? strtoul(timeout, NULL, 10) : 0;
	json_t *items = NULL, *item;
	size_t size, i;
	FILE *out;
	int rc = 0;

	call->answer->kind = API_WATCH;
	call->answer->status = HTTP_OK;
	call->answer->content_type = "application/json";
	call->answer->watch_ns = seconds > WATCH_SECONDS_MAX ? 0 : seconds * NSEC_PER_SEC;
	out = open_memstream(&call->answer->body, &size);
	if (!out)
		return -ENOMEM;
	if (initial || !version || !*version || !strcmp(version, "0")) {
		items = chosen_pods(call, namespace_name);
		rc = items ? 0 : -ENOMEM;
	}
	json_array_foreach (items, i, item)
		if (!rc)
			rc = put_event(out, "ADDED", json_incref(item));
	if (initial && !rc)
		rc = put_event(out, "BOOKMARK", initial_events_end());
	json_decref(items);
	return fclose(out) ? -ENOMEM : rc;
}

/* @namespace_name NULL: all. */
static int serve_pods(const struct call *call, const char *namespace_name)
{
	if (is_chosen(call, 0) < 0)
		return api_refuse(call->answer, HTTP_BAD_REQUEST,
				  "this server understands selectors of the forms name, !name, "
				  "name=value and name!=value, and for fields metadata.name, "
				  "metadata.namespace, spec.nodeName and status.phase");
	if (is_true(call, "watch"))
		return watch_pods(call, namespace_name);
	return list_pods(call, namespace_name);
}

static int serve_log(const struct call *call, uint32_t pod)
{
	struct api_answer *answer = call->answer;
	enum http_status status;
	char why[256];

	answer->log.pod = pod;
	status = log_request_parse(call->source, call->request, call->now_ns, &answer->log, why,
				   sizeof(why));
	if (status != HTTP_OK)
		return api_refuse(answer, status, "%s", why);
	answer->kind = API_LOG;
	answer->status = HTTP_OK;
	answer->content_type = "text/plain";
	return 0;
}

static json_t *namespace_item(const struct source *source)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{}, s:{s:s}}", "apiVersion", "v1", "kind",
			 "Namespace", "metadata", "name", source->namespace_name, "uid",
			 "00000000-0000-4000-8000-00000000ffff", "resourceVersion", "1", "spec",
			 "status", "phase", "Active");
}

static int not_found(const struct call *call, const char *kind, const char *name)
{
	return api_refuse(call->answer, HTTP_NOT_FOUND, "%s \"%.100s\" not found", kind, name);
}

/* What is below /api/v1/namespaces. */
static int serve_namespaces(const struct call *call, const char *const *path, size_t n)
{
	uint32_t pod;

	if (n == 0)
		return answer_json(call->answer, HTTP_OK,
				   json_pack("{s:s, s:s, s:{s:s}, s:[o]}", "kind", "NamespaceList",
					     "apiVersion", "v1", "metadata", "resourceVersion",
					     PODS_LIST_VERSION, "items",
					     namespace_item(call->source)));
	if (n == 1 && is_own_namespace(call, path[0]))
		return answer_json(call->answer, HTTP_OK, namespace_item(call->source));
	if (n == 1)
		return not_found(call, "namespaces", path[0]);
	if (strcmp(path[1], "pods") || n > 4 || (n == 4 && strcmp(path[3], "log")))
		return api_refuse(call->answer, HTTP_NOT_FOUND,
				  "the server could not find the requested resource");
	if (n == 2)
		return serve_pods(call, path[0]);
	if (!is_own_namespace(call, path[0]) || !source_pod_find(call->source, path[2], &pod))
		return not_found(call, "pods", path[2]);
	if (n == 4)
		return serve_log(call, pod);
	return answer_json(call->answer, HTTP_OK, pods_object(call->source, pod));
}

/* The answers that say what this server is; NULL: @path is none of them. */
static json_t *discovery(const char *const *path, size_t n)
{
	if (n == 1 && !strcmp(path[0], "version"))
		return json_pack("{s:s, s:s, s:s, s:s}", "major", "1", "minor", "32", "gitVersion",
				 "v1.32.0", "platform", "linux/amd64");
	if (n == 1 && !strcmp(path[0], "api"))
		return json_pack("{s:s, s:[s], s:[]}", "kind", "APIVersions", "versions", "v1",
				 "serverAddressByClientCIDRs");
	if (n == 1 && !strcmp(path[0], "apis"))
		return json_pack("{s:s, s:s, s:[]}", "kind", "APIGroupList", "apiVersion", "v1",
				 "groups");
	if (n == 2 && !strcmp(path[0], "api") && !strcmp(path[1], "v1"))
		return json_pack("{s:s, s:s, s:[{s:s, s:s, s:b, s:s, s:[s, s, s], s:[s]}, "
				 "{s:s, s:s, s:b, s:s, s:[s]}, "
				 "{s:s, s:s, s:b, s:s, s:[s, s], s:[s]}]}",
				 "kind", "APIResourceList", "groupVersion", "v1", "resources",
				 "name", "pods", "singularName", "pod", "namespaced", 1, "kind",
				 "Pod", "verbs", "get", "list", "watch", "shortNames", "po", "name",
				 "pods/log", "singularName", "", "namespaced", 1, "kind", "Pod",
				 "verbs", "get", "name", "namespaces", "singularName", "namespace",
				 "namespaced", 0, "kind", "Namespace", "verbs", "get", "list",
				 "shortNames", "ns");
	return NULL;
}

int api_answer(const struct source *source, const struct http_request *request, uint64_t now_ns,
	       struct api_answer *answer)
{
	struct call call = {source, request, now_ns, answer};
	const char *const *path = request->segments;
	size_t n = request->n_segments;
	json_t *json;

	memset(answer, 0, sizeof(*answer));
	json = discovery(path, n);
	if (json)
		return answer_json(answer, HTTP_OK, json);
	if (n >= 3 && !strcmp(path[0], "api") && !strcmp(path[1], "v1")) {
		if (!strcmp(path[2], "namespaces"))
			return serve_namespaces(&call, path + 3, n - 3);
		if (n == 3 && !strcmp(path[2], "pods"))
			return serve_pods(&call, NULL);
	}
	if (n == 1 && (!strcmp(path[0], "healthz") || !strcmp(path[0], "livez") ||
		       !strcmp(path[0], "readyz"))) {
		answer->kind = API_BODY;
		answer->status = HTTP_OK;
		answer->content_type = "text/plain";
		answer->body = strdup("ok");
		return answer->body ? 0 : -ENOMEM;
	}
	return api_refuse(answer, HTTP_NOT_FOUND,
			  "the server could not find the requested resource");
}
