/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is sent, and what is expected of the answer. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "drive/http/http.h"

/* In a template these stand for what differs from request to request. */
#define MARK           '\x01'
#define MARK_ITERATION "\x01i"
#define MARK_USER      "\x01u"
#define MARK_RANDOM    "\x01r"
#define OWN_VARIABLES  3

int http_buffer_add(struct http_buffer *buffer, const char *data, size_t size)
{
	size_t room = buffer->room ? buffer->room : 512;
	char *larger;

	while (room < buffer->size + size)
		room *= 2;
	if (room > buffer->room) {
		larger = realloc(buffer->data, room);
		if (!larger)
			return -1;
		buffer->data = larger;
		buffer->room = room;
	}
	if (size)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	return 0;
}

int http_accept(bool *accepts, const char *word)
{
	bool is_class = !strcasecmp(word + (*word != '\0'), "xx");

	if (*word < '1' || *word > '9' || strlen(word) != 3 ||
	    (!is_class && strspn(word, "0123456789") != 3))
		return -1;
	if (is_class)
		memset(accepts + (*word - '0') * 100, true, 100);
	else
		accepts[atoi(word)] = true;
	return 0;
}

/* --- the text that an answer holds ------------------------------------------------------ */

/* How much of the text is matched where its next byte does not follow (Knuth, Morris, Pratt). */
static size_t *make_steps(const char *text, size_t size)
{
	size_t *steps = calloc(size + 1, sizeof(*steps)), found = 0;

	for (size_t i = 1; steps && i < size; i++) {
		while (found && text[i] != text[found])
			found = steps[found - 1];
		found += text[i] == text[found];
		steps[i] = found;
	}
	return steps;
}

size_t http_find(const struct http_request *request, size_t found, const char *data, size_t size)
{
	for (size_t i = 0; i < size && found < request->expect_size; i++) {
		while (found && data[i] != request->expect_body[found])
			found = request->expect_steps[found - 1];
		found += data[i] == request->expect_body[found];
	}
	return found;
}

/* --- making ------------------------------------------------------------------------------- */

/* Fills the variables that are known now, and leaves marks for the others. To be freed. */
static char *fill(const char *text, const struct variable *variables, size_t n_variables,
		  struct error *err)
{
	struct variable *all = calloc(n_variables + OWN_VARIABLES, sizeof(*all));
	char *filled = NULL;

	if (!all) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	all[0] = (struct variable){"iteration", MARK_ITERATION};
	all[1] = (struct variable){"user", MARK_USER};
	all[2] = (struct variable){"random", MARK_RANDOM};
	if (n_variables)
		memcpy(all + OWN_VARIABLES, variables, n_variables * sizeof(*all));
	if (strchr(text, MARK))
		error_set(err, EXIT_CODE_USAGE, "http: a request has the character \\x01 in it");
	else
		filled = variables_fill(text, all, n_variables + OWN_VARIABLES, err);
	free(all);
	return filled;
}

/* The status line and the headers but for Content-Length and the end, as a template of fill(). */
static char *head_template(const struct http_request_config *config,
			   const struct http_target *target, bool keep_alive)
{
	bool has_host = false;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s %s%s HTTP/1.1\r\n", config->method, target->prefix, config->path);
	for (size_t i = 0; i < config->n_headers; i++) {
		has_host |= !strcasecmp(config->headers[i].name, "host");
		fprintf(out, "%s: %s\r\n", config->headers[i].name, config->headers[i].value);
	}
	if (!has_host)
		fprintf(out, "Host: %s\r\n", target->host);
	if (!keep_alive)
		fputs("Connection: close\r\n", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool is_any(const char *word, const char *const *words, size_t n)
{
	while (n)
		if (!strcmp(word, words[--n]))
			return true;
	return false;
}

static int make_expectation(struct http_request *request, const struct http_request_config *config,
			    struct error *err)
{
	if (!config->n_expect)
		memset(request->accepts + 200, true, 200);
	for (size_t i = 0; i < config->n_expect; i++)
		http_accept(request->accepts, config->expect[i]);
	if (!config->expect_body)
		return 0;
	request->expect_body = config->expect_body;
	request->expect_size = strlen(config->expect_body);
	request->expect_steps = make_steps(request->expect_body, request->expect_size);
	return request->expect_steps ? 0 : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

int http_request_make(struct http_request *request, const struct http_request_config *config,
		      const struct http_target *target, bool keep_alive,
		      const struct variable *variables, size_t n_variables, struct error *err)
{
	static const char *const repeatable[] = {"GET",    "HEAD",    "PUT",
						 "DELETE", "OPTIONS", "TRACE"};
	static const char *const with_body[] = {"POST", "PUT", "PATCH"};
	static const struct http_values none;
	const char *text = config->body;
	char *head = head_template(config, target, keep_alive);
	struct http_buffer body = {0};
	int rc;

	if (!head)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	request->is_head = !strcmp(config->method, "HEAD");
	request->may_repeat =
		is_any(config->method, repeatable, sizeof(repeatable) / sizeof(repeatable[0]));
	request->head = fill(head, variables, n_variables, err);
	free(head);
	if (!text && is_any(config->method, with_body, sizeof(with_body) / sizeof(with_body[0])))
		text = "";
	if (request->head && text)
		request->body = fill(text, variables, n_variables, err);
	if (!request->head || (text && !request->body))
		return error_prefix(err, "http: request '%.60s'", config->name);
	if (strchr(request->head, MARK) || (request->body && strchr(request->body, MARK)))
		return make_expectation(request, config, err);
	rc = http_request_fill(request, &none, &body, &request->constant);
	free(body.data);
	if (rc)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	request->is_constant = true;
	return make_expectation(request, config, err);
}

void http_request_clear(struct http_request *request)
{
	free(request->expect_steps);
	free(request->head);
	free(request->body);
	free(request->constant.data);
	memset(request, 0, sizeof(*request));
}

/* --- filling -------------------------------------------------------------------------------- */

static int add_filled(struct http_buffer *out, const char *template,
		      const struct http_values *values)
{
	char number[24];

	for (;;) {
		size_t plain = strcspn(template, "\x01");
		uint64_t value;

		if (http_buffer_add(out, template, plain))
			return -1;
		if (!template[plain])
			return 0;
		template += plain + 1;
		value = *template == MARK_ITERATION[1] ? values->iteration
			: *template == MARK_USER[1]    ? values->user
						       : values->random;
		template ++;
		if (http_buffer_add(out, number,
				    (size_t)snprintf(number, sizeof(number), "%" PRIu64, value)))
			return -1;
	}
}

int http_request_fill(const struct http_request *request, const struct http_values *values,
		      struct http_buffer *body, struct http_buffer *out)
{
	char length[48] = "\r\n";
	size_t size = 2;

	body->size = out->size = 0;
	if (request->body) {
		if (add_filled(body, request->body, values))
			return -1;
		size = (size_t)snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n",
					body->size);
	}
	if (add_filled(out, request->head, values) || http_buffer_add(out, length, size))
		return -1;
	return http_buffer_add(out, body->data, body->size);
}
