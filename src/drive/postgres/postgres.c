/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The driver `postgres`: users of a PostgreSQL server. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/load/load_driver.h"
#include "drive/postgres/assistant.h"
#include "drive/postgres/request.h"

#define NOTE_TEXT 512

struct client {
	struct requests requests; /* the protocol's context, and therefore first */
	const struct postgres_config *config;
	struct assistant *assistant;
	bool is_ready;
	bool is_closed; /* the window */
};

static void client_close(void *context)
{
	struct client *client = context;

	if (!client)
		return;
	assistant_end(client->assistant);
	script_free(&client->requests.script);
	values_free(&client->requests.values);
	free(client->requests.connection);
	free(client);
}

static void *client_connect(const struct driver_context *context, const struct variable *variables,
			    size_t n_variables, struct error *err)
{
	const struct postgres_config *config = context->scenario->driver_config;
	struct client *client = calloc(1, sizeof(*client));
	struct requests *requests;

	if (!client) {
		error_set(err, EXIT_CODE_FAILED, "postgres: out of memory");
		return NULL;
	}
	requests = &client->requests;
	client->config = config;
	requests->values.seed = load_config_seed(&config->load);
	if (libpq_load(&requests->pq, err) || script_make(&requests->script, config, err)) {
		client_close(client);
		return NULL;
	}
	requests->connection = variables_fill(config->connection, variables, n_variables, err);
	if (requests->connection)
		client->assistant = assistant_start(config, &requests->pq, requests->connection,
						    variables, n_variables, err);
	else
		error_prefix(err, "%s: postgres.connection", context->scenario->path);
	if (client->assistant)
		return client;
	client_close(client);
	return NULL;
}

static int client_prepare(void *context, struct error *err)
{
	struct client *client = context;
	const struct variable *variables;
	size_t n;
	int rc = assistant_setup(client->assistant, err);

	if (rc <= 0)
		return rc;
	client->requests.values.brackets =
		assistant_result(client->assistant)->has_extension ? "[]" : "{}";
	variables = assistant_variables(client->assistant, &n);
	if (script_fill(&client->requests.script, variables, n, err))
		return -1;
	client->is_ready = true;
	return 1;
}

static int client_prepare_fd(const void *context)
{
	return assistant_fd(((const struct client *)context)->assistant);
}

static void client_window(void *context, bool opens)
{
	struct client *client = context;

	client->is_closed = !opens;
	assistant_look(client->assistant, opens);
}

static void add_note(json_t *notes, const char *text)
{
	json_array_append_new(notes, json_string(text));
}

static void note_setup(const struct client *client, json_t *notes)
{
	const struct setup *setup = assistant_result(client->assistant);
	const struct postgres_dataset *dataset = &client->config->dataset;
	char text[NOTE_TEXT];

	snprintf(text, sizeof(text), "PostgreSQL %s", setup->server_version);
	add_note(notes, text);
	if (!dataset->table)
		return;
	if (setup->has_extension)
		snprintf(text, sizeof(text), "vectors: the extension vector %s, %s",
			 setup->extension_version,
			 dataset->index ? "with an HNSW index" : "without an index");
	else
		snprintf(
			text, sizeof(text),
			"vectors: this server has no extension vector%s%.200s; distances are plain "
			"SQL over float4[], and exact",
			*setup->why_not ? " that could be created: " : "", setup->why_not);
	add_note(notes, text);
	snprintf(text, sizeof(text),
		 "%s: %d rows of %d dimensions in %d namespaces, loaded in "
		 "%.1f s",
		 dataset->table, dataset->rows, dataset->dimensions, dataset->namespaces,
		 setup->load_seconds);
	add_note(notes, text);
}

static void note_rows(const struct client *client, json_t *notes)
{
	const struct script *script = &client->requests.script;
	char text[NOTE_TEXT];

	for (size_t i = 0; i < script->n_statements; i++) {
		const struct row_faults *faults = &client->requests.faults[i];
		const struct script_statement *statement = &script->statements[i];

		snprintf(text, sizeof(text),
			 "statement '%.100s': %" PRIu64 " answers had fewer rows than %" PRIu64
			 ", the fewest %" PRIu64,
			 statement->source->name, faults->n_short, statement->rows_min,
			 faults->fewest);
		if (faults->n_short)
			add_note(notes, text);
		snprintf(text, sizeof(text),
			 "statement '%.100s': %" PRIu64 " answers had more rows than %" PRIu64
			 ", the most %" PRIu64,
			 statement->source->name, faults->n_over, statement->rows_max,
			 faults->most);
		if (faults->n_over)
			add_note(notes, text);
	}
}

static void add_metrics(const struct client *client, json_t *report, json_t *notes)
{
	const struct metric_reading *readings = assistant_readings(client->assistant);
	json_t *metrics = json_object();
	char text[NOTE_TEXT];

	for (size_t i = 0; readings && i < client->config->n_metrics; i++) {
		const char *name = client->config->metrics[i].name;
		double value = metric_value(&readings[i]);

		json_object_set_new(metrics, name, isnan(value) ? json_null() : json_real(value));
		if (!isnan(value))
			continue;
		snprintf(text, sizeof(text), "side metric '%.100s' is not known: %s", name,
			 *readings[i].why ? readings[i].why : "what it counts did not grow");
		add_note(notes, text);
	}
	if (!readings && client->is_closed && client->config->n_metrics)
		add_note(notes, "side metrics are not known: the server did not answer in time");
	json_object_set_new(report, "side_metrics", metrics);
}

/* It is work as rows and bytes are, and not one of the counts that only a driver has. */
static void move_rows_expected(json_t *report)
{
	json_t *work = json_object_get(report, "work"), *counts = json_object_get(work, "counts");
	json_t *expected = json_object_get(counts, ROWS_EXPECTED);

	if (!expected)
		return;
	json_object_set(work, ROWS_EXPECTED, expected);
	json_object_del(counts, ROWS_EXPECTED);
}

static void client_report(void *context, json_t *report)
{
	struct client *client = context;
	json_t *notes = json_object_get(report, "notes");

	if (!client->is_ready)
		return;
	if (!notes) {
		notes = json_array();
		json_object_set_new(report, "notes", notes);
	}
	note_setup(client, notes);
	note_rows(client, notes);
	add_metrics(client, report, notes);
	move_rows_expected(report);
}

static const struct load_driver_ops postgres_load = {
	.name = "postgres",
	.protocol = &postgres_protocol,
	.kinds = script_kinds,
	.connect = client_connect,
	.prepare = client_prepare,
	.prepare_fd = client_prepare_fd,
	.window = client_window,
	.report = client_report,
	.close = client_close,
};

static struct driver *postgres_open(const struct driver_context *context, struct error *err)
{
	return load_driver_open(&postgres_load, context, err);
}

/* The type of vectors in this server. */
static const char *const own_variables[] = {"vector", NULL};

const struct driver_ops driver_postgres = {
	.name = "postgres",
	.description = "users of a PostgreSQL server: prepared statements, rows checked",
	.by_socket = true,
	.schema = &postgres_schema,
	.open = postgres_open,
	.kinds = script_kinds,
	.own_variables = own_variables,
	LOAD_DRIVER_FUNCTIONS,
};
