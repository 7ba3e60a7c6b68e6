/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "test_protocol_talk.h"

#define MYSQL ONLY(PROTOCOL_MYSQL)

/* As mariadb and its server said it, of version 10.11. */
static void session(void **state)
{
	static const struct talk talk[] = {
		REPLY("d\0\0\0\n5.5.5-10.11.19-MariaDB-0+deb12u1\0\5\0\0\0&u>rE?ON\0\376\367-"
		      "\2\0\377\201\25\0\0\0\0\0\0\35\0\0\0y9N^k~Y\"9;Y2\0mysql_native_password\0"),
		ASK("&\0\0\1\204\242\277\0\0\0\0\1!"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\0"),
		REPLY("\7\0\0\2\0\0\0\2\0\0\0"),
		ASK("\22\0\0\0\3create database d"),
		REPLY("\7\0\0\1\0\1\0\2\0\0\0"),
		ASK("\22\0\0\0\3SELECT DATABASE()"),
		REPLY("\2\0\0\1\1\1!\0\0\2\3def\0\0\0\nDATABASE()\0\0\14!\0\300\0\0\0\375\0\0'"
		      "\0\0\5\0\0\3\376\0\0\2\0\1\0\0\4\373\5\0\0\5\376\0\0\2\0"),
		ASK("\2\0\0\0\2d"),
		REPLY("\r\0\0\1\0\0\0\2@\0\0\0\4\1\2\1d"),
		ASK("\25\0\0\0\3select * from nosuch"),
		REPLY("'\0\0\1\377z\4#42S02Table 'd.nosuch' doesn't exist"),
		ASK("\1\0\0\0\16"),
		REPLY("\7\0\0\1\0\0\0\2\0\0\0"),
		ASK("\1\0\0\0\1"),
	};
	static const struct expected expected[] = {{"mysql", "CREATE DATABASE", false},
						   {"mysql", "SELECT", false},
						   {"mysql", "INIT DB", false},
						   {"mysql", "SELECT nosuch", true},
						   {"mysql", "PING", false}};

	(void)state;
	CHECK_TALK(MYSQL, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

/* What is prepared is known by its number; what has no answer is not waited for. */
static void statements(void **state)
{
	static const struct talk talk[] = {
		ASK("\33\0\0\0\26select * from t where id=?"),
		REPLY("\14\0\0\1\0\7\0\0\0\1\0\1\0\0\0\0\4\0\0\2\3def"),
		ASK("\n\0\0\0\27\7\0\0\0\0\1\0\0\0"),
		REPLY("\1\0\0\1\1\27\0\0\2\3def\0\0\0\1a\0\14?"
		      "\0\1\0\0\0\3\201\0\0\0\0\5\0\0\3\376\0\0\2\0\2\0\0\4\1"
		      "1\5\0\0\5\376\0\0\2\0"),
		ASK("\5\0\0\0\31\7\0\0\0\n\0\0\0\27\11\0\0\0\0\1\0\0\0"),
		REPLY("#\0\0\1\377\333\4#HY000Unknown prepared statement"),
		ASK("\20\0\0\0\3\0\1delete from t"),
		REPLY("\7\0\0\1\0\0\0\2\0\0\0"),
	};
	static const struct expected expected[] = {{"mysql", "PREPARE SELECT t", false},
						   {"mysql", "SELECT t", false},
						   {"mysql", "EXECUTE", true},
						   {"mysql", "DELETE t", false}};

	(void)state;
	CHECK_TALK(MYSQL, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

/* A file that is asked for belongs to its query. */
static void files(void **state)
{
	static const struct talk talk[] = {
		ASK("(\0\0\0\3load data local infile 'x' into table t"),
		REPLY("\2\0\0\1\373x"),
		ASK("\4\0\0\2"
		    "1,2\n\0\0\0\3"),
		REPLY("\7\0\0\4\0\1\0\2\0\0\0"),
		ASK("\1\0\0\0\16"),
		REPLY("\7\0\0\1\0\0\0\2\0\0\0"),
	};
	static const struct expected expected[] = {{"mysql", "LOAD", false},
						   {"mysql", "PING", false}};

	(void)state;
	CHECK_TALK(MYSQL, talk, expected);
}

static void rows_end_with_the_turn(void **state)
{
	static const char query[] = "\x10\0\0\0\3select 1 from t";
	static const char rows[] = "\1\0\0\1\1\30\0\0\2\3def";
	struct heard *heard = heard_new(MYSQL);

	(void)state;
	assert_true(hear(heard, true, query, 4, 4)); /* the header by itself */
	assert_true(hear(heard, true, query + 4, sizeof(query) - 5, sizeof(query) - 5));
	assert_true(hear(heard, false, rows, sizeof(rows) - 1, 16384));
	assert_true(hear(heard, false, NULL, 0, 16384));
	assert_int_equal(heard->n, 0);
	HEAR_ASK(heard, "\1\0\0\0\16");
	assert_int_equal(heard->n, 1);
	assert_string_equal(heard->requests[0].label, "SELECT t");
	assert_int_equal(heard->requests[0].arrived_ns, 95);
	assert_int_equal(heard->requests[0].read_ns, 200);
	assert_int_equal(heard->requests[0].first_ns, 300);
	assert_int_equal(heard->requests[0].last_ns, 400);
	heard_free(heard);
}

static void encrypted(void **state)
{
	struct heard *heard = heard_new(MYSQL);
	char ask[36] = "\40\0\0\1\5\256";

	(void)state;
	HEAR_REPLY(heard, "\50\0\0\0\n8.0.36\0................................");
	hear(heard, true, ask, sizeof(ask), sizeof(ask));
	assert_false(HEAR_ASK(heard, "\26\3\1\2\0"));
	assert_false(HEAR_ASK(heard, "\1\0\0\0\16"));
	heard_finish(heard);
	assert_int_equal(heard->n, 0);
	heard_free(heard);
}

static void gaps(void **state)
{
	struct heard *heard = heard_new(MYSQL);

	(void)state;
	HEAR_ASK(heard, "\1\0\0\0\16");
	hear_gap(heard, false, "\3def", 4);
	HEAR_ASK(heard, "\2\0\0\0\2d");
	HEAR_REPLY(heard, "\7\0\0\1\0\0\0\2\0\0\0");
	assert_int_equal(heard->n, 1);
	assert_string_equal(heard->requests[0].label, "INIT DB");
	assert_false(HEAR_ASK(heard, "garbage"));
	heard_free(heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session),   cmocka_unit_test(statements),
		cmocka_unit_test(files),     cmocka_unit_test(rows_end_with_the_turn),
		cmocka_unit_test(encrypted), cmocka_unit_test(gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
