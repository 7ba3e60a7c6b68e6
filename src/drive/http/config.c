/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `http:` of a scenario. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "drive/http/http.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WEIGHT_MAX    1e6

static const struct yaml_field request_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct http_request_config, name),
		.required = true,
		.help = "what reports call it",
	},
	{
		.key = "weight",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct http_request_config, weight),
		.min = 0.001,
		.max = WEIGHT_MAX,
		.help = "its share of the requests (1)",
	},
	{
		.key = "method",
		.type = YAML_STRING,
		.offset = offsetof(struct http_request_config, method),
		.help = "GET, HEAD, POST, PUT … (GET)",
	},
	{
		.key = "path",
		.type = YAML_STRING,
		.offset = offsetof(struct http_request_config, path),
		.help = "with ${iteration}, ${user} or ${random}, so that requests differ (/)",
	},
	{
		.key = "headers",
		.type = YAML_PAIRS,
		.offset = offsetof(struct http_request_config, headers),
		.count_offset = offsetof(struct http_request_config, n_headers),
		.help = "beside those that the driver sets",
	},
	{
		.key = "body",
		.type = YAML_STRING,
		.offset = offsetof(struct http_request_config, body),
		.help = "variables as in the path",
	},
	{
		.key = "expect",
		.type = YAML_STRINGS,
		.offset = offsetof(struct http_request_config, expect),
		.count_offset = offsetof(struct http_request_config, n_expect),
		.help = "good status codes: [200, 4xx] ([2xx, 3xx])",
	},
	{
		.key = "expect_body",
		.type = YAML_STRING,
		.offset = offsetof(struct http_request_config, expect_body),
		.help = "a text that a good answer's body holds",
	},
};

static void request_defaults(void *object)
{
	struct http_request_config *config = object;

	config->weight = 1;
	config->method = strdup("GET");
	config->path = strdup("/");
}

static const struct yaml_schema request_schema = {
	.name = "a request",
	.size = sizeof(struct http_request_config),
	.fields = request_fields,
	.n_fields = ARRAY_SIZE(request_fields),
	.defaults = request_defaults,
};

static const struct yaml_field fields[] = {
	LOAD_CONFIG_FIELDS,
	{
		.key = "url",
		.type = YAML_STRING,
		.offset = offsetof(struct http_config, url),
		.required = true,
		.help = "http://127.0.0.1:${port}; with a path, which comes before those of the "
			"requests",
	},
	{
		.key = "unix_socket",
		.type = YAML_STRING,
		.offset = offsetof(struct http_config, unix_socket),
		.help = "path of the socket to connect to, in place of the URL's host and port",
	},
	{
		.key = "keep_alive",
		.type = YAML_BOOL,
		.offset = offsetof(struct http_config, keep_alive),
		.help = "one connection for each user; false: a new one for each request (true)",
	},
	{
		.key = "requests",
		.type = YAML_MAPS,
		.offset = offsetof(struct http_config, requests),
		.count_offset = offsetof(struct http_config, n_requests),
		.nested = &request_schema,
		.required = true,
		.help = "a list of {name, weight, method, path, headers, body, expect, "
			"expect_body}",
	},
};

static void defaults(void *object)
{
	struct http_config *config = object;

	load_config_defaults(&config->load);
	config->keep_alive = true;
}

const struct yaml_schema http_schema = {
	.name = "http",
	.size = sizeof(struct http_config),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.defaults = defaults,
};

/* What a name of a method or a header is made of (RFC 9110, 5.6.2). */
static bool is_token(const char *text)
{
	size_t n = strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n && !text[n];
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int check_headers(const struct http_request_config *request, struct error *err)
{
	static const char *const own[] = {"content-length", "transfer-encoding", "connection"};

	for (size_t i = 0; i < request->n_headers; i++) {
		const struct yaml_pair *header = &request->headers[i];

		if (!is_token(header->name) || has_control(header->value))
			return error_set(
				err, EXIT_CODE_USAGE,
				"http: request '%.60s': '%.60s' is no header; write a name "
				"without blanks, and its value in one line",
				request->name, header->name);
		for (size_t j = 0; j < ARRAY_SIZE(own); j++)
			if (!strcasecmp(header->name, own[j]))
				return error_set(err, EXIT_CODE_USAGE,
						 "http: request '%.60s': the driver sets '%s' "
						 "itself; leave it out",
						 request->name, header->name);
	}
	return 0;
}

static int check_request(const struct http_request_config *request, struct error *err)
{
	bool accepts[HTTP_STATUSES];

	if (!is_token(request->method))
		return error_set(err, EXIT_CODE_USAGE,
				 "http: request '%.60s': '%.60s' is no method; write GET or POST",
				 request->name, request->method);
	if (request->path[0] != '/' || has_control(request->path) || strchr(request->path, ' '))
		return error_set(err, EXIT_CODE_USAGE,
				 "http: request '%.60s': '%.60s' is no path; begin it with a / and "
				 "write blanks as %%20",
				 request->name, request->path);
	for (size_t i = 0; i < request->n_expect; i++)
		if (http_accept(accepts, request->expect[i]))
			return error_set(err, EXIT_CODE_USAGE,
					 "http: request '%.60s': '%.60s' is no status that can be "
					 "expected; write 200 or 2xx",
					 request->name, request->expect[i]);
	return check_headers(request, err);
}

int http_kinds(const void *object, struct load_kind **kinds, size_t *n_kinds, struct error *err)
{
	const struct http_config *config = object;

	*n_kinds = config->n_requests;
	*kinds = calloc(config->n_requests + 1, sizeof(**kinds));
	if (!*kinds)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; i < config->n_requests; i++) {
		const struct http_request_config *request = &config->requests[i];

		(*kinds)[i] = (struct load_kind){request->name, request->weight};
		if (check_request(request, err))
			return -1;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(config->requests[j].name, request->name))
				return error_set(err, EXIT_CODE_USAGE,
						 "http: two requests are called '%.60s'; give each "
						 "a name of its own",
						 request->name);
	}
	return 0;
}
