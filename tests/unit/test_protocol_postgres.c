/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "test_protocol_talk.h"

#define POSTGRES ONLY(PROTOCOL_POSTGRES)

/* As psql and a server of version 15 said it. */
static void simple_queries(void **state)
{
	static const struct talk talk[] = {
		ASK("\0\0\0\10\4\322\26/"),
		REPLY("N"),
		ASK("\0\0\0?\0\3\0\0user\0postgres\0database\0postgres\0application_"
		    "name\0psql\0\0"),
		REPLY("R\0\0\0\10\0\0\0\0S\0\0\0\25TimeZone\0Etc/"
		      "UTC\0K\0\0\0\14\0\0Xp\303T\210[Z\0\0\0\5I"),
		ASK("Q\0\0\0"
		    "7create table accounts(id int primary key, v text);\0"),
		REPLY("C\0\0\0\21CREATE TABLE\0Z\0\0\0\5I"),
		ASK("Q\0\0\0\32select * from nosuch;\0"),
		REPLY("E\0\0\0"
		      "5SERROR\0C42P01\0Mrelation \"nosuch\" does not exist\0\0Z\0\0\0\5I"),
		ASK("Q\0\0\0\5\0"),
		REPLY("I\0\0\0\4Z\0\0\0\5I"),
	};
	static const struct expected expected[] = {{"postgres", "CREATE TABLE", false},
						   {"postgres", "SELECT nosuch", true},
						   {"postgres", "?", false}};

	(void)state;
	CHECK_TALK(POSTGRES, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

/* As pgbench -M prepared said it, and a server that does not know the second statement. */
static void prepared_statements(void **state)
{
	static const struct talk talk[] = {
		ASK("P\0\0\0\21P_0\0BEGIN;\0\0\0S\0\0\0\4"),
		REPLY("1\0\0\0\4Z\0\0\0\5I"),
		ASK("B\0\0\0\21\0P_0\0\0\0\0\0\0\1\0\0D\0\0\0\6P\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4"),
		REPLY("2\0\0\0\4n\0\0\0\4C\0\0\0\nBEGIN\0Z\0\0\0\5T"),
		ASK("P\0\0\0NP_3\0UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = "
		    "$2;\0\0\0S\0\0\0\4"),
		REPLY("1\0\0\0\4Z\0\0\0\5I"),
		ASK("B\0\0\0\17\0P_3\0\0\0\0\0\0\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4"),
		REPLY("2\0\0\0\4E\0\0\0"
		      "5SERROR\0C42P01\0Mrelation \"nosuch\" does not exist\0\0Z\0\0\0\5I"),
		ASK("B\0\0\0\22\0unseen\0\0\0\0\0\0\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4"),
		REPLY("2\0\0\0\4C\0\0\0\rSELECT 1\0Z\0\0\0\5I"),
		ASK("S\0\0\0\4"),
		REPLY("Z\0\0\0\5I"),
	};
	static const struct expected expected[] = {
		{"postgres", "PREPARE BEGIN", false},
		{"postgres", "BEGIN", false},
		{"postgres", "PREPARE UPDATE pgbench_tellers", false},
		{"postgres", "UPDATE pgbench_tellers", true},
		{"postgres", "EXECUTE", false},
		{"postgres", "SYNC", false}};

	(void)state;
	CHECK_TALK(POSTGRES, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

/* Several Syncs on their way; several statements up to one of them. */
static void pipelines(void **state)
{
	static const struct talk talk[] = {
		ASK("P\0\0\0\27\0select 1 from "
		    "a\0\0\0B\0\0\0\14\0\0\0\0\0\0\0\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4P\0\0\0\"\0INSER"
		    "T INTO \"b\" VALUES "
		    "(1)\0\0\0B\0\0\0\14\0\0\0\0\0\0\0\0E\0\0\0\11\0\0\0\0\0P\0\0\0\32\0DELETE "
		    "FROM ONLY c\0\0\0B\0\0\0\14\0\0\0\0\0\0\0\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4"),
		REPLY("1\0\0\0\4"
		      "2\0\0\0\4C\0\0\0\rSELECT 1\0Z\0\0\0\5I1\0\0\0\4"
		      "2\0\0\0\4"),
		ASK("Q\0\0\0\13COMMIT\0"),
		REPLY("E\0\0\0"
		      "5SERROR\0C42P01\0Mrelation \"nosuch\" does not "
		      "exist\0\0Z\0\0\0\5IC\0\0\0\13COMMIT\0Z\0\0\0\5I"),
	};
	static const struct expected expected[] = {{"postgres", "SELECT a", false},
						   {"postgres", "INSERT b", true},
						   {"postgres", "COMMIT", false}};

	(void)state;
	CHECK_TALK(POSTGRES, talk, expected);
}

/* Into a table, simple and with the Sync that the server passes over; and out of one. */
static void copies(void **state)
{
	static const struct talk talk[] = {
		ASK("Q\0\0\0\26copy t from stdin\0"),
		REPLY("G\0\0\0\7\0\0\0"),
		ASK("d\0\0\0\10"
		    "1\11a\nd\0\0\0\10"
		    "2\11b\nc\0\0\0\4"),
		REPLY("C\0\0\0\13COPY 2\0Z\0\0\0\5I"),
		ASK("P\0\0\0\31\0COPY t FROM "
		    "STDIN\0\0\0B\0\0\0\14\0\0\0\0\0\0\0\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4"),
		REPLY("1\0\0\0\4"
		      "2\0\0\0\4G\0\0\0\7\0\0\0"),
		ASK("d\0\0\0\10"
		    "1\11a\nc\0\0\0\4S\0\0\0\4"),
		REPLY("C\0\0\0\13COPY 1\0Z\0\0\0\5I"),
		ASK("Q\0\0\0\25copy t to stdout\0"),
		REPLY("H\0\0\0\7\0\0\0d\0\0\0\10"
		      "1\11a\nc\0\0\0\4C\0\0\0\13COPY 1\0Z\0\0\0\5I"),
		ASK("S\0\0\0\4"),
		REPLY("Z\0\0\0\5I"),
	};
	static const struct expected expected[] = {{"postgres", "COPY t", false},
						   {"postgres", "COPY t", false},
						   {"postgres", "COPY t", false},
						   {"postgres", "SYNC", false}};

	(void)state;
	CHECK_TALK(POSTGRES, talk, expected);
}

/* The rows are not all captured: the next turn ends the answer. */
static void many_rows(void **state)
{
	static const char query[] = "Q\0\0\0\24select 1 from a\0";
	static const char rows[] = "D\0\0\0\13\0\1\0\0\0\1x";
	struct heard *heard = heard_new(POSTGRES);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(hear(heard, true, query, sizeof(query) - 1, 21));
		assert_true(hear(heard, false, rows, 12, 8192));
		assert_true(hear(heard, false, "garbage", 7, 8192));
		assert_int_equal(heard->n, i);
	}
	heard_finish(heard);
	assert_int_equal(heard->n, 3);
	for (uint64_t i = 0; i < 3; i++) {
		assert_string_equal(heard->requests[i].label, "SELECT a");
		assert_int_equal(heard->requests[i].read_ns, 100 + 300 * i);
		assert_int_equal(heard->requests[i].first_ns, 200 + 300 * i);
		assert_int_equal(heard->requests[i].last_ns, 300 + 300 * i);
	}
	heard_free(heard);
}

static void long_texts(void **state)
{
	char query[1024] = "Q\0\0\x20\0SELECT * FROM big WHERE id IN (1, 2, 3)";
	struct heard *heard = heard_new(POSTGRES);

	(void)state;
	memset(query + 46, ' ', sizeof(query) - 46);
	assert_true(hear(heard, true, query, sizeof(query), 4096));
	assert_true(hear(heard, true, NULL, 0, 0x2001 - 4096));
	HEAR_REPLY(heard, "C\0\0\0\15SELECT 1\0Z\0\0\0\5I");
	assert_int_equal(heard->n, 1);
	assert_string_equal(heard->requests[0].label, "SELECT big");
	assert_int_equal(heard->requests[0].read_ns, 200);
	heard_free(heard);
}

/* Where the Sync is not captured, the answer ends it. */
static void long_parameters(void **state)
{
	static const char bind[] = "B\0\0\0\x14\0s\0";
	struct heard *heard = heard_new(POSTGRES);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(hear(heard, true, bind, sizeof(bind) - 1, 3000));
		assert_true(hear(heard, true, NULL, 0, 100));
		HEAR_REPLY(heard, "2\0\0\0\4C\0\0\0\15INSERT 1\0Z\0\0\0\5I");
		assert_int_equal(heard->n, i + 1);
		assert_int_equal(heard->requests[i].read_ns, 200 + 300 * i);
		assert_int_equal(heard->requests[i].last_ns, 300 + 300 * i);
	}
	heard_free(heard);
}

/* What is said in TLS is not told. */
static void encrypted(void **state)
{
	struct heard *heard = heard_new(POSTGRES);

	(void)state;
	HEAR_ASK(heard, "\0\0\0\10\4\322\26/");
	HEAR_REPLY(heard, "S");
	assert_false(HEAR_ASK(heard, "\26\3\1\2\0"));
	assert_false(HEAR_REPLY(heard, "Z\0\0\0\5I"));
	assert_int_equal(heard->n, 0);
	heard_free(heard);
}

static void gaps(void **state)
{
	struct heard *heard = heard_new(POSTGRES);

	(void)state;
	HEAR_ASK(heard, "Q\0\0\0\12BEGIN\0");
	hear_gap(heard, true, "Q\0\0\0\13COMMIT\0", 12);
	HEAR_REPLY(heard, "C\0\0\0\13COMMIT\0Z\0\0\0\5I");
	assert_int_equal(heard->n, 1);
	assert_string_equal(heard->requests[0].label, "COMMIT");
	hear_gap(heard, false, "D\0\0", 3);
	HEAR_ASK(heard, "garbage");
	HEAR_ASK(heard, "Q\0\0\0\12BEGIN\0");
	HEAR_REPLY(heard, "C\0\0\0\12BEGIN\0Z\0\0\0\5T");
	assert_int_equal(heard->n, 2);
	assert_int_equal(heard->n_untold, 2);
	heard_free(heard);
}

static const char *label_of(const char *sql)
{
	static char label[PROTOCOL_LABEL_MAX];
	struct heard *heard = heard_new(POSTGRES);
	size_t n = strlen(sql) + 6;
	char ask[512] = {'Q', 0, 0, (char)((n - 1) >> 8), (char)(n - 1)};

	memcpy(ask + 5, sql, n - 5);
	hear(heard, true, ask, n, n);
	HEAR_REPLY(heard, "Z\0\0\0\5I");
	assert_int_equal(heard->n, 1);
	memcpy(label, heard->requests[0].label, sizeof(label));
	heard_free(heard);
	return label;
}

static void labels(void **state)
{
	(void)state;
	assert_string_equal(label_of("SELECT 1"), "SELECT");
	assert_string_equal(label_of("  (select a, 'from x' from public.users u)"),
			    "SELECT public.users");
	assert_string_equal(label_of("-- why\n/* who */ Update \"Mixed\" set a=1"), "UPDATE Mixed");
	assert_string_equal(label_of("select extract(year from d) from t"), "SELECT t");
	assert_string_equal(label_of("select * from (select 1 from a) b"), "SELECT");
	assert_string_equal(label_of("with q as (select 1 from a) insert into t select * from q"),
			    "INSERT t");
	assert_string_equal(label_of("with recursive"), "WITH");
	assert_string_equal(label_of("delete from only t"), "DELETE t");
	assert_string_equal(label_of("create unique index i on t(a)"), "CREATE INDEX");
	assert_string_equal(label_of("CREATE TEMP TABLE t(a int)"), "CREATE TABLE");
	assert_string_equal(label_of("insert ignore into `d`.`t` values (1)"), "INSERT d.t");
	assert_string_equal(label_of("truncate table t"), "TRUNCATE t");
	assert_string_equal(label_of("begin; select 1"), "BEGIN");
	assert_string_equal(label_of(";"), "?");
	assert_string_equal(label_of("'x"), "?");
	assert_string_equal(label_of("/* open"), "?");
	assert_string_equal(label_of("select \"open from"), "SELECT");
	assert_string_equal(label_of("set x to 1"), "SET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple_queries),
		cmocka_unit_test(prepared_statements),
		cmocka_unit_test(pipelines),
		cmocka_unit_test(copies),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(long_parameters),
		cmocka_unit_test(encrypted),
		cmocka_unit_test(gaps),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
