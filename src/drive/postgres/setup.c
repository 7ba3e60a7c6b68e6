/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/random.h"
#include "drive/postgres/values.h"
#include "drive/postgres/vector.h"
#include "util/clock.h"

#define EXTENSION     "vector"
#define CONTENT_TEXT  96
#define UNROLLED_MAX  2000 /* dimensions; an expression is nested as deep */
#define SQL_TEXT      1024
#define HNSW_MEMORY   "256MB"    /* that the index is built in */
#define DATA_DISTINCT 0x64617461 /* sets the rows' random numbers apart from the requests' */

/* Written out, it takes a seventh of what unnest() does: 20 us for 384 dimensions. */
static void write_products(FILE *out, int dimensions)
{
	for (int i = 1; i <= dimensions; i++)
		fprintf(out, "%sa[%d]*b[%d]", i > 1 ? "+" : "", i, i);
}

char *setup_distance_sql(int dimensions)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("CREATE OR REPLACE FUNCTION perfbpf_distance(a float4[], b float4[]) "
	      "RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1::float8 - (",
	      out);
	if (dimensions <= UNROLLED_MAX)
		write_products(out, dimensions);
	else
		fputs("SELECT sum(x * y) FROM unnest(a, b) AS t(x, y)", out);
	fputs(")'; DROP OPERATOR IF EXISTS <=> (float4[], float4[]); "
	      "CREATE OPERATOR <=> (LEFTARG = float4[], RIGHTARG = float4[], "
	      "FUNCTION = perfbpf_distance, COMMUTATOR = <=>)",
	      out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static void first_text(const struct dialogue *dialogue, char *text, size_t size)
{
	const struct session *session = &dialogue->session;

	*text = '\0';
	if (session_rows(session) > 0)
		snprintf(text, size, "%s", session->pq->getvalue(session->result, 0, 0));
}

/* The extension where the server has it and lets it be created. -1 with @err. */
static int find_extension(struct setup *setup, struct dialogue *dialogue, struct error *err)
{
	if (dialogue_run(dialogue, "SHOW server_version", err))
		return -1;
	first_text(dialogue, setup->server_version, sizeof(setup->server_version));
	if (dialogue_run(dialogue,
			 "SELECT name FROM pg_available_extensions WHERE name = '" EXTENSION "'",
			 err))
		return -1;
	if (!session_rows(&dialogue->session))
		return 0;
	if (dialogue_run(dialogue, "CREATE EXTENSION IF NOT EXISTS " EXTENSION, err)) {
		if (dialogue->session.state != SESSION_IDLE)
			return -1;
		snprintf(setup->why_not, sizeof(setup->why_not), "%.255s", err->text);
		return 0;
	}
	setup->has_extension = true;
	if (dialogue_run(dialogue,
			 "SELECT extversion FROM pg_extension WHERE extname = '" EXTENSION "'",
			 err))
		return -1;
	first_text(dialogue, setup->extension_version, sizeof(setup->extension_version));
	return 0;
}

size_t setup_line_size(const struct postgres_dataset *dataset)
{
	return NAMESPACE_TEXT + CONTENT_TEXT + 8 +
	       (size_t)dataset->dimensions * VECTOR_COMPONENT_MAX;
}

size_t setup_line(const struct postgres_dataset *dataset, uint64_t seed, uint64_t i,
		  const char *brackets, float *vector, char *line)
{
	uint64_t state = random_mix((seed ^ DATA_DISTINCT) + i * RANDOM_STEP);
	size_t length = (size_t)namespace_write(line, i % (uint64_t)dataset->namespaces);

	line[length++] = '\t';
	words_write(line + length, CONTENT_TEXT, &state);
	length += CONTENT_TEXT;
	line[length++] = '\t';
	vector_make(seed, &state, (size_t)dataset->dimensions, vector);
	length += vector_write(vector, (size_t)dataset->dimensions, brackets, line + length);
	line[length++] = '\n';
	return length;
}

static int copy_lines(const struct setup *setup, const struct postgres_config *config,
		      struct dialogue *dialogue, float *vector, char *line, struct error *err)
{
	const struct postgres_dataset *dataset = &config->dataset;
	const char *brackets = setup->has_extension ? "[]" : "{}";
	uint64_t seed = load_config_seed(&config->load);

	for (uint64_t i = 0; i < (uint64_t)dataset->rows; i++) {
		size_t length = setup_line(dataset, seed, i, brackets, vector, line);

		if (!session_copy(&dialogue->session, line, length))
			return error_set(err, EXIT_CODE_FAILED, "the connection was lost");
		if (dialogue_drain(dialogue, err))
			return -1;
	}
	return dialogue_copy_end(dialogue, err);
}

static int copy_rows(const struct setup *setup, const struct postgres_config *config,
		     struct dialogue *dialogue, struct error *err)
{
	const struct postgres_dataset *dataset = &config->dataset;
	float *vector = malloc((size_t)dataset->dimensions * sizeof(*vector));
	char *line = malloc(setup_line_size(dataset)), sql[SQL_TEXT];
	int rc = -1;

	snprintf(sql, sizeof(sql), "COPY %s (namespace, content, embedding) FROM STDIN",
		 dataset->table);
	if (!vector || !line)
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	else if (!dialogue_run(dialogue, sql, err))
		rc = copy_lines(setup, config, dialogue, vector, line, err);
	if (!rc && session_rows(&dialogue->session) != (uint64_t)dataset->rows)
		rc = error_set(err, EXIT_CODE_FAILED, "the server took other than %d rows",
			       dataset->rows);
	free(line);
	free(vector);
	return rc;
}

static int make_table(const struct setup *setup, const struct postgres_dataset *dataset,
		      struct dialogue *dialogue, struct error *err)
{
	char sql[SQL_TEXT];

	snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS %s", dataset->table);
	if (dataset->replace && dialogue_run(dialogue, sql, err))
		return -1;
	snprintf(sql, sizeof(sql),
		 "CREATE TABLE %s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
		 "namespace text NOT NULL, content text NOT NULL, embedding %s NOT NULL, "
		 "created timestamptz NOT NULL DEFAULT now())",
		 dataset->table, setup->vector_type);
	return dialogue_run(dialogue, sql, err);
}

static int make_indexes(const struct setup *setup, const struct postgres_dataset *dataset,
			struct dialogue *dialogue, struct error *err)
{
	char sql[SQL_TEXT];

	snprintf(sql, sizeof(sql), "CREATE INDEX ON %s (namespace)", dataset->table);
	if (dialogue_run(dialogue, sql, err))
		return -1;
	snprintf(sql, sizeof(sql), "CREATE INDEX ON %s USING hnsw (embedding vector_cosine_ops)",
		 dataset->table);
	if (setup->has_extension && dataset->index &&
	    (dialogue_run(dialogue, "SET maintenance_work_mem = '" HNSW_MEMORY "'", err) ||
	     dialogue_run(dialogue, sql, err)))
		return -1;
	/* So that the first requests do not write what the load left to be done. */
	snprintf(sql, sizeof(sql), "VACUUM ANALYZE %s", dataset->table);
	return dialogue_run(dialogue, sql, err);
}

static int make_dataset(struct setup *setup, const struct postgres_config *config,
			struct dialogue *dialogue, struct error *err)
{
	const struct postgres_dataset *dataset = &config->dataset;
	uint64_t begun_ns = clock_now_ns();

	if (make_table(setup, dataset, dialogue, err) || copy_rows(setup, config, dialogue, err) ||
	    make_indexes(setup, dataset, dialogue, err))
		return error_prefix(err, "postgres: dataset '%s'", dataset->table);
	setup->load_seconds = (double)(clock_now_ns() - begun_ns) / 1e9;
	return 0;
}

static int make_distance(const struct postgres_dataset *dataset, struct dialogue *dialogue,
			 struct error *err)
{
	char *sql = setup_distance_sql(dataset->dimensions);
	int rc;

	if (!sql)
		return error_set(err, EXIT_CODE_FAILED, "postgres: out of memory");
	rc = dialogue_run(dialogue, sql, err);
	free(sql);
	return rc ? error_prefix(err, "postgres: a distance between vectors") : 0;
}

static int run_prepared(const struct postgres_config *config, struct dialogue *dialogue,
			const struct variable *variables, size_t n, struct error *err)
{
	for (size_t i = 0; i < config->n_prepare; i++) {
		char *sql = variables_fill(config->prepare[i], variables, n, err);
		int rc = sql ? dialogue_run(dialogue, sql, err) : -1;

		free(sql);
		if (rc)
			return error_prefix(err, "postgres: prepare[%zu]", i);
	}
	return 0;
}

int setup_run(struct setup *setup, const struct postgres_config *config, struct dialogue *dialogue,
	      struct variable *variables, size_t n, struct error *err)
{
	const struct postgres_dataset *dataset = &config->dataset;

	if (find_extension(setup, dialogue, err))
		return error_prefix(err, "postgres");
	if (setup->has_extension)
		snprintf(setup->vector_type, sizeof(setup->vector_type), "vector(%d)",
			 dataset->dimensions);
	else
		snprintf(setup->vector_type, sizeof(setup->vector_type), "float4[]");
	variables[n] = (struct variable){"vector", setup->vector_type};
	if (dataset->table && !setup->has_extension && make_distance(dataset, dialogue, err))
		return -1;
	if (dataset->table && make_dataset(setup, config, dialogue, err))
		return -1;
	return run_prepared(config, dialogue, variables, n + 1, err);
}
