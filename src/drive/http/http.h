/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the http driver share. */
#ifndef PERFBPF_DRIVE_HTTP_HTTP_H
#define PERFBPF_DRIVE_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "drive/load/load_driver.h"

#define HTTP_STATUSES 1000

/* An item of `requests`. */
struct http_request_config {
	char *name;
	double weight;
	char *method, *path, *body;
	size_t n_headers;
	struct yaml_pair *headers;
	size_t n_expect;
	char **expect;     /* "200" "2xx"; none: 2xx and 3xx */
	char *expect_body; /* a text that the body has to hold; NULL: any body will do */
};

/* The section `http:` of a scenario. */
struct http_config {
	struct load_config load; /* first */
	char *url;
	char *unix_socket; /* NULL: TCP, to the URL's host and port */
	bool keep_alive;
	size_t n_requests;
	struct http_request_config *requests;
};

extern const struct yaml_schema http_schema;
/* load_driver_ops.kinds */
int http_kinds(const void *config, struct load_kind **kinds, size_t *n_kinds, struct error *err);

/* --- where it goes (url.c) ---------------------------------------------------------- */

#define HTTP_ADDRESSES_MAX 8

struct http_target {
	char *host;   /* as of the Host header: "localhost:8080" */
	char *prefix; /* of paths; "" or "/base" */
	size_t n_addresses;
	struct http_address {
		socklen_t size;
		struct sockaddr_storage address;
	} addresses[HTTP_ADDRESSES_MAX];
};

/* @url is "http://host:port/base"; @unix_socket NULL: by TCP. Names are looked up here, once. -1
 * with
 * @err. */
int http_target_open(struct http_target *target, const char *url, const char *unix_socket,
		     struct error *err);
void http_target_clear(struct http_target *target);

/* --- what is sent (request.c) --------------------------------------------------------- */

/* What is put in where a request says ${iteration}, ${user} or ${random}. */
struct http_values {
	uint64_t iteration, user, random;
};

/* Bytes that are sent, growing as needed. */
struct http_buffer {
	char *data;
	size_t size, room;
};

/* -1 without memory. */
int http_buffer_add(struct http_buffer *buffer, const char *data, size_t size);

struct http_request {
	bool is_head;
	bool may_repeat; /* it does no harm to send it twice */
	bool accepts[HTTP_STATUSES];
	const char *expect_body; /* NULL: any */
	size_t expect_size;
	size_t *expect_steps; /* see http_find() */
	/* The whole request, or with variables in it. */
	bool is_constant;
	char *head, *body; /* templates: head without its last line end */
	struct http_buffer constant;
};

/* Makes what is sent of @config with @variables. -1 with @err. */
int http_request_make(struct http_request *request, const struct http_request_config *config,
		      const struct http_target *target, bool keep_alive,
		      const struct variable *variables, size_t n_variables, struct error *err);
void http_request_clear(struct http_request *request);
/* Sets @out to the request with @values, @body being room for it. -1 without memory. */
int http_request_fill(const struct http_request *request, const struct http_values *values,
		      struct http_buffer *body, struct http_buffer *out);
/*
 * Looks for expect_body in a body that comes in pieces; @found is how much of it the end of what
 * came before matches (0 at first). Returns the new @found, expect_size once it was found.
 */
size_t http_find(const struct http_request *request, size_t found, const char *data, size_t size);
/* Sets those of the HTTP_STATUSES @accepts that "200" or "2xx" means; -1: it is neither. */
int http_accept(bool *accepts, const char *word);

#endif
