/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the driver postgres makes from a seed (vectors, rows, parameters), and what it finds in
 * texts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/postgres/metrics.h"
#include "drive/postgres/setup.h"
#include "drive/postgres/sql.h"
#include "drive/postgres/values.h"
#include "drive/postgres/vector.h"

#define DIMENSIONS 384

static double product(const float *a, const float *b)
{
	double sum = 0;

	for (int i = 0; i < DIMENSIONS; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

/* Length 1; near to those of the same cluster, far from the others. */
static void vectors_are_in_clusters(void **state)
{
	static float vectors[400][DIMENSIONS];
	uint64_t random = 5;
	int near = 0, far = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		vector_make(7, &random, DIMENSIONS, vectors[i]);
		assert_true(fabs(product(vectors[i], vectors[i]) - 1) < 1e-5);
	}
	for (int i = 1; i < 400; i++) {
		double cosine = product(vectors[0], vectors[i]);

		near += cosine > 0.7;
		far += fabs(cosine) < 0.3;
	}
	/* One in 64 of 399, and everything else: nothing lies between. */
	assert_in_range(near, 1, 20);
	assert_int_equal(near + far, 399);
}

static void vectors_are_their_seeds(void **state)
{
	float a[DIMENSIONS], b[DIMENSIONS];
	uint64_t x = 9, y = 9;

	(void)state;
	vector_make(1, &x, DIMENSIONS, a);
	vector_make(1, &y, DIMENSIONS, b);
	assert_memory_equal(a, b, sizeof(a));
	assert_true(x == y);
	vector_make(1, &y, DIMENSIONS, b);
	assert_memory_not_equal(a, b, sizeof(a));
	y = 9;
	vector_make(2, &y, DIMENSIONS, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void vectors_as_text(void **state)
{
	static const float vector[] = {1, -1, 0, 0.123456F, -0.000004F, -0.99999F};
	char text[sizeof(vector) / sizeof(vector[0]) * VECTOR_COMPONENT_MAX + 3];
	size_t n = vector_write(vector, 6, "[]", text);

	(void)state;
	assert_int_equal(n, strlen(text));
	assert_string_equal(text, "[1.00000,-1.00000,0.00000,0.12346,0.00000,-0.99999]");
	vector_write(vector, 1, "{}", text);
	assert_string_equal(text, "{1.00000}");
}

static void lines_of_the_dataset(void **state)
{
	static const struct postgres_dataset dataset = {
		.rows = 100, .dimensions = DIMENSIONS, .namespaces = 20};
	char *line = malloc(setup_line_size(&dataset)), *again = malloc(setup_line_size(&dataset));
	float vector[DIMENSIONS];

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		size_t n = setup_line(&dataset, 1, i, "{}", vector, line), commas = 0, tabs = 0;
		char start[32];

		assert_true(n <= setup_line_size(&dataset));
		assert_int_equal(setup_line(&dataset, 1, i, "{}", vector, again), n);
		assert_memory_equal(line, again, n);
		for (size_t j = 0; j < n; j++) {
			commas += line[j] == ',';
			tabs += line[j] == '\t';
			assert_true(line[j] != '\\' && (line[j] != '\n' || j + 1 == n));
		}
		assert_int_equal(commas, DIMENSIONS - 1);
		assert_int_equal(tabs, 2);
		assert_memory_equal(line + n - 2, "}\n", 2);
		snprintf(start, sizeof(start), "ns-%d\t", (int)(i % 20));
		assert_memory_equal(line, start, strlen(start));
	}
	setup_line(&dataset, 2, 99, "{}", vector, again);
	assert_memory_not_equal(line, again, 200);
	free(line);
	free(again);
}

static struct value value_of(const struct postgres_parameter *parameter)
{
	struct value value;

	assert_null(value_read(parameter, &value));
	return value;
}

static void parameters(void **state)
{
	char *range[] = {(char *)"-3", (char *)"3", NULL}, *words[] = {(char *)"x", (char *)"yy"};
	const struct value integer =
		value_of(&(struct postgres_parameter){.integer = range, .n_integer = 2});
	const struct value text = value_of(&(struct postgres_parameter){.text = 33});
	const struct value vector = value_of(&(struct postgres_parameter){.vector = 3});
	const struct value space = value_of(&(struct postgres_parameter){.name_of = 7});
	const struct value word =
		value_of(&(struct postgres_parameter){.words = words, .n_words = 2});
	struct values values = {.seed = 1, .brackets = "[]"};
	int seen[7] = {0}, long_words = 0;
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 700; i++) {
		const char *const *texts;
		long number;

		values_clear(&values);
		assert_true(values_add(&values, &integer, &random) &&
			    values_add(&values, &text, &random) &&
			    values_add(&values, &vector, &random) &&
			    values_add(&values, &space, &random) &&
			    values_add(&values, &word, &random));
		texts = values_texts(&values);
		number = strtol(texts[0], NULL, 10);
		assert_true(number >= -3 && number <= 3);
		seen[number + 3]++;
		assert_int_equal(strlen(texts[1]), 33);
		assert_int_equal(texts[2][0], '[');
		assert_memory_equal(texts[3], "ns-", 3);
		assert_in_range(strtol(texts[3] + 3, NULL, 10), 0, 6);
		long_words += strlen(texts[4]) == 2;
	}
	/* Six standard deviations of 700 draws. */
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 45, 155);
	assert_in_range(long_words, 270, 430);
	values_free(&values);
}

static void several_namespaces(void **state)
{
	char *of[] = {(char *)"5", (char *)"6", NULL};
	const struct value names =
		value_of(&(struct postgres_parameter){.names_of = of, .n_names_of = 2});
	struct values values = {.seed = 1};
	int left_out[6] = {0};
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 600; i++) {
		unsigned int seen = 0;
		char *at;

		values_clear(&values);
		assert_true(values_add(&values, &names, &random));
		at = (char *)values_texts(&values)[0];
		assert_int_equal(*at, '{');
		for (int j = 0; j < 5; j++) {
			assert_memory_equal(at + 1, "ns-", 3);
			seen |= 1U << strtoul(at + 4, &at, 10);
		}
		assert_string_equal(at, "}");
		assert_int_equal(__builtin_popcount(seen), 5);
		assert_true(seen < 64);
		left_out[__builtin_ctz(~seen)]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(left_out[i], 45, 155);
	values_free(&values);
}

/* A batch of many, whose memory is moved while it grows. */
static void many_values(void **state)
{
	const struct value vector = value_of(&(struct postgres_parameter){.vector = DIMENSIONS});
	struct values values = {.seed = 1, .brackets = "{}"}, one = {.seed = 1, .brackets = "{}"};
	uint64_t random = 1, same = 1;

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_true(values_add(&values, &vector, &random));
	for (int i = 0; i < 300; i++) {
		values_clear(&one);
		assert_true(values_add(&one, &vector, &same));
		assert_string_equal(values_texts(&values)[i], values_texts(&one)[0]);
	}
	values_free(&values);
	values_free(&one);
}

static void parameters_in_sql(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(sql_parameters("SELECT 1"), 0);
	assert_int_equal(sql_parameters("SELECT $2, $11, $1"), 11);
	assert_int_equal(sql_parameters("SELECT '$9', \"$8\", 'it''s $7', $1::text"), 1);
	assert_int_equal(sql_parameters("$body$ $0 $"), 0);
	text = sql_batch("INSERT INTO t VALUES", "($1, '$1', $2)", 2, 3);
	assert_string_equal(text, "INSERT INTO t VALUES ($1, '$1', $2), ($3, '$1', $4), "
				  "($5, '$1', $6)");
	free(text);
}

static void codes_of_errors(void **state)
{
	char code[SQLSTATE_SIZE] = "";

	(void)state;
	assert_true(sql_find_state("FATAL:  53300: sorry, too many clients already\n", code));
	assert_string_equal(code, "53300");
	assert_true(sql_find_state("connection to server at \"127.0.0.1\", port 1 failed: FATAL:  "
				   "3D000\n",
				   code));
	assert_string_equal(code, "3D000");
	assert_true(sql_find_state("FATAL:  57P03", code));
	assert_false(sql_find_state("connection to server failed: Connection refused\n", code));
	assert_false(sql_find_state("FATAL:  database does not exist", code));
	assert_false(sql_find_state("FATAL:  533001: x", code));
	assert_false(sql_find_state(":  5330", code));
	assert_false(sql_find_state("", code));
}

static void side_metrics(void **state)
{
	struct metric_reading reading = {.first = {1, {5, 0}}, .last = {1, {7, 0}}};

	(void)state;
	assert_true(metric_value(&reading) == 7);
	reading = (struct metric_reading){.first = {2, {100, 200}}, .last = {2, {190, 300}}};
	assert_true(metric_value(&reading) == 0.9);
	reading.last.values[1] = 200;
	assert_true(isnan(metric_value(&reading)));
	reading.last = (struct metric_look){0};
	assert_true(isnan(metric_value(&reading)));
}

static void the_distance(void **state)
{
	char *sql = setup_distance_sql(2);

	(void)state;
	assert_non_null(strstr(sql, "(a[1]*b[1]+a[2]*b[2])"));
	free(sql);
	sql = setup_distance_sql(DIMENSIONS_MAX);
	assert_non_null(strstr(sql, "unnest(a, b)"));
	free(sql);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_in_clusters),
		cmocka_unit_test(vectors_are_their_seeds),
		cmocka_unit_test(vectors_as_text),
		cmocka_unit_test(lines_of_the_dataset),
		cmocka_unit_test(parameters),
		cmocka_unit_test(several_namespaces),
		cmocka_unit_test(many_values),
		cmocka_unit_test(parameters_in_sql),
		cmocka_unit_test(codes_of_errors),
		cmocka_unit_test(side_metrics),
		cmocka_unit_test(the_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
