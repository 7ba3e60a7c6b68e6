/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `postgres` of a scenario: what is taken, what is refused and where, and what its
 * statements come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "drive/driver.h"
#include "drive/postgres/config.h"
#include "drive/postgres/script.h"

#define START                                                                                      \
	"driver: postgres\n"                                                                       \
	"phases: [{name: m, role: measured, executor: constant-vus, vus: 1, duration: 10s}]\n"     \
	"postgres:\n"                                                                              \
	"  connection: host=127.0.0.1 port=${port}\n"
#define SELECT "  statements: [{name: a, sql: SELECT 1}]\n"

static struct scenario *take(const char *text)
{
	struct error err;
	struct scenario *scenario =
		scenario_load_memory("s.yaml", text, strlen(text), driver_schema_of, &err);

	if (!scenario)
		fail_msg("refused: %s", err.text);
	return scenario;
}

static void refuse(const char *text, const char *begins, const char *holds)
{
	struct error err = {0};

	if (scenario_load_memory("s.yaml", text, strlen(text), driver_schema_of, &err))
		fail_msg("taken: %s", text);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
}

static void the_section(void **state)
{
	struct scenario *scenario =
		take(START "  dataset: {table: memories, rows: 10, dimensions: 3, namespaces: 2}\n"
			   "  prepare: [\"SET x = 1\", ANALYZE]\n"
			   "  statements:\n"
			   "    - {name: a, weight: 10, sql: SELECT $1, parameters: [{int: [1, "
			   "5]}], rows: 1}\n"
			   "    - {name: b, transaction: [a, a]}\n"
			   "  users: [{name: u, wait_min: 100ms, requests: [a]}]\n"
			   "  side_metrics: [{name: size, sql: SELECT 1}]\n");
	const struct postgres_config *config = scenario->driver_config;

	(void)state;
	assert_string_equal(config->connection, "host=127.0.0.1 port=${port}");
	assert_int_equal(config->dataset.rows, 10);
	assert_true(config->dataset.index);
	assert_false(config->dataset.replace);
	assert_int_equal(config->n_prepare, 2);
	assert_int_equal(config->n_statements, 2);
	assert_int_equal(config->statements[0].rows, 1);
	assert_int_equal(config->statements[0].rows_min, -1);
	assert_int_equal(config->statements[0].batch, 1);
	assert_int_equal(config->load.n_users, 1);
	assert_int_equal(config->n_metrics, 1);
	scenario_free(scenario);

	scenario = take(START SELECT);
	config = scenario->driver_config;
	assert_null(config->dataset.table);
	assert_int_equal(config->dataset.rows, 20000);
	assert_int_equal(config->dataset.dimensions, 384);
	assert_int_equal(load_config_seed(&config->load), 1);
	scenario_free(scenario);
}

static void what_is_wrong_in_it(void **state)
{
	(void)state;
	refuse(START, "s.yaml:4:3: ", "statements");
	refuse(START "  statements: []\n",
	       "s.yaml:5:15: key 'postgres.statements': ", "no statement with a weight");
	refuse(START "  statements: [{name: a, weight: 0, sql: SELECT 1}]\n",
	       "s.yaml:5:15: key 'postgres.statements': ", "weight above 0");
	refuse(START "  statements: [{name: a}]\n",
	       "s.yaml:5:16: key 'postgres.statements[0]': ", "either 'sql' or a 'transaction'");
	refuse(START "  statements: [{name: a, sql: SELECT 1}, {name: a, sql: SELECT 2}]\n",
	       "s.yaml:5:42: key 'postgres.statements[1]': ", "taken by an earlier");
	refuse(START "  statements: [{name: a, sql: \"SELECT $1, $2\", parameters: [{text: 3}]}]\n",
	       "s.yaml:5:16: ", "uses $1 to $2 and has 1 parameters");
	refuse(START "  statements: [{name: a, sql: SELECT 1, rows: 1, rows_min: 1}]\n",
	       "s.yaml:5:16: ", "leave one");
	refuse(START "  statements: [{name: a, sql: INSERT, batch: 2}]\n",
	       "s.yaml:5:16: ", "no 'values'");
	refuse(START "  statements: [{name: a, transaction: [b]}]\n",
	       "s.yaml:5:40: key 'postgres.statements[0].transaction[0]': ", "'b' is no statement");
	refuse(START "  statements: [{name: a, transaction: [a]}]\n",
	       "s.yaml:5:40: ", "no statement with 'sql'");
	refuse(START "  statements: [{name: a, sql: X, row: 3}]\n",
	       "s.yaml:5:34: ", "did you mean 'rows'");
	refuse(START "  dataset: {table: \"x; DROP TABLE y\"}\n" SELECT,
	       "s.yaml:5:20: key 'postgres.dataset.table': ", "no plain name");
	refuse(START "  dataset: {table: x, dimensions: 20000}\n" SELECT, "s.yaml:5:35: ", "16000");
	refuse(START SELECT "  side_metrics: [{name: a, sql: x}, {name: a, sql: y}]\n",
	       "s.yaml:6:44: key 'postgres.side_metrics[1].name': ", "taken");
	refuse(START
	       "  statements: [{name: a, sql: INSERT, values: ($1), batch: 10000, parameters: "
	       "[{text: 1}, {text: 1}, {text: 1}, {text: 1}, {text: 1}, {text: 1}, "
	       "{text: 1}]}]\n",
	       "s.yaml:5:16: ", "$1 to $1 and has 7");
	refuse(START "  statements: [{name: a, sql: I, values: \"($1,$2,$3,$4,$5,$6,$7)\", batch: "
		     "10000, parameters: [{text: 1}, {text: 1}, {text: 1}, {text: 1}, {text: 1}, "
		     "{text: 1}, {text: 1}]}]\n",
	       "s.yaml:5:16: ", "more than 65535");
}

static void parameters_that_say_nothing(void **state)
{
	static const struct {
		const char *parameter, *holds;
	} wrong[] = {
		{"{}", "must say one of"},
		{"{int: [1, 2], text: 3}", "must say one of"},
		{"{int: [2, 1]}", "no range"},
		{"{int: [1]}", "no range"},
		{"{int: [a, 2]}", "no range"},
		{"{int: [0, 9223372036854775807]}", "too wide"},
		{"{int: [0, 92233720368547758070]}", "no range"},
		{"{namespaces: [5, 4]}", "no choice"},
		{"{namespaces: [101, 1000]}", "no choice"},
		{"{one_of: []}", "empty list"},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text),
			 START "  statements: [{name: a, sql: SELECT $1, parameters: [%s]}]\n",
			 wrong[i].parameter);
		refuse(text,
		       "s.yaml:5:55: key 'postgres.statements[0].parameters[0]': ", wrong[i].holds);
	}
}

static void what_statements_come_to(void **state)
{
	static const struct variable variables[] = {{"vector", "float4[]"}, {"t", "memories"}};
	struct scenario *scenario = take(
		START "  statements:\n"
		      "    - {name: part, weight: 0, sql: SELECT 1, rows: 1}\n"
		      "    - {name: bulk, weight: 3, sql: \"INSERT INTO ${t} VALUES\", batch: 2,\n"
		      "       values: \"($1, $2::${vector}, '$3')\",\n"
		      "       parameters: [{text: 1}, {vector: 3}]}\n"
		      "    - {name: many, sql: SELECT 2, rows_min: 4}\n"
		      "    - {name: any, sql: SELECT 3}\n"
		      "    - {name: both, transaction: [part, bulk]}\n");
	struct script script = {0};
	struct load_kind *kinds;
	struct error err;
	size_t n;

	(void)state;
	assert_int_equal(script_make(&script, scenario->driver_config, &err), 0);
	assert_int_equal(script_fill(&script, variables, 2, &err), 0);
	assert_string_equal(script.statements[1].sql,
			    "INSERT INTO memories VALUES ($1, $2::float4[], '$3'), "
			    "($3, $4::float4[], '$3')");
	assert_int_equal(script.n_requests, 4);
	/* Those of the batch, unless it says otherwise. */
	assert_int_equal(script.statements[1].rows_max, 2);
	assert_true(script.requests[3].is_transaction);
	assert_ptr_equal(script.requests[3].steps[1], &script.statements[1]);

	assert_null(script_judge_rows(&script.statements[1], 2));
	assert_string_equal(script_judge_rows(&script.statements[1], 1), "rows short");
	assert_string_equal(script_judge_rows(&script.statements[1], 3), "rows over");
	assert_string_equal(script_judge_rows(&script.statements[2], 3), "rows short");
	assert_null(script_judge_rows(&script.statements[2], 400));
	assert_null(script_judge_rows(&script.statements[3], 0));

	assert_int_equal(script_kinds(scenario->driver_config, &kinds, &n, &err), 0);
	assert_int_equal(n, 4);
	assert_string_equal(kinds[0].name, "bulk");
	assert_true(kinds[0].weight == 3);
	free(kinds);
	script_free(&script);

	assert_int_equal(script_make(&script, scenario->driver_config, &err), 0);
	assert_int_equal(script_fill(&script, variables, 1, &err), -1);
	assert_non_null(strstr(err.text, "statement 'bulk'"));
	assert_non_null(strstr(err.text, "${t}"));
	script_free(&script);
	scenario_free(scenario);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_section),
		cmocka_unit_test(what_is_wrong_in_it),
		cmocka_unit_test(parameters_that_say_nothing),
		cmocka_unit_test(what_statements_come_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
