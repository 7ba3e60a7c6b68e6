/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "test_protocol_talk.h"

#define REDIS ONLY(PROTOCOL_REDIS)

/* As redis-cli and redis-server 7.0 said it. */
static void commands(void **state)
{
	static const struct talk talk[] = {
		ASK("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"),
		REPLY("+OK\r\n"),
		ASK("*2\r\n$3\r\nget\r\n$6\r\nnosuch\r\n"),
		REPLY("$-1\r\n"),
		ASK("*3\r\n$5\r\nLPUSH\r\n$1\r\na\r\n$1\r\n2\r\n"),
		REPLY("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"),
		ASK("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$3\r\nmax\r\n"),
		REPLY("*4\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n*2\r\n*0\r\n:5\r\n*-1\r\n"),
		ASK("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
		REPLY("|1\r\n+ttl\r\n:3\r\n%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n+modules\r\n~1\r\n_"
		      "\r\n"),
		ASK("PING\r\n\r\nECHO a b\r\n"),
		REPLY("+PONG\r\n-ERR wrong number of arguments\r\n"),
	};
	static const struct expected expected[] = {
		{"redis", "SET", false},    {"redis", "GET", false},   {"redis", "LPUSH", true},
		{"redis", "CONFIG", false}, {"redis", "HELLO", false}, {"redis", "PING", false},
		{"redis", "ECHO", true},
	};

	(void)state;
	CHECK_TALK(REDIS, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

static void pipelined(void **state)
{
	static const struct talk talk[] = {
		ASK("*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n*1\r\n$4\r\nEXEC\r\n"
		    "*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"),
		REPLY("+OK\r\n+QUEUED\r\n*1\r\n:1\r\n"),
		ASK("*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n"),
		REPLY("$1\r\n1\r\n"),
		REPLY("-READONLY You can't write against a read only replica.\r\n"),
	};
	static const struct expected expected[] = {
		{"redis", "MULTI", false}, {"redis", "INCR", false}, {"redis", "EXEC", false},
		{"redis", "GET", false},   {"redis", "DEL", true},
	};

	(void)state;
	CHECK_TALK(REDIS, talk, expected);
}

/* Messages answer nobody; each channel is confirmed. */
static void subscribers(void **state)
{
	static const struct talk talk[] = {
		ASK("*3\r\n$9\r\nSUBSCRIBE\r\n$3\r\nch1\r\n$3\r\nch2\r\n"),
		REPLY("*3\r\n$9\r\nsubscribe\r\n$3\r\nch1\r\n:1\r\n"
		      "*3\r\n$7\r\nmessage\r\n$3\r\nch1\r\n$5\r\nhello\r\n"
		      "*3\r\n$9\r\nsubscribe\r\n$3\r\nch2\r\n:2\r\n"
		      "*3\r\n$7\r\nmessage\r\n$3\r\nch1\r\n$5\r\nhello\r\n"),
		ASK("*1\r\n$4\r\nPING\r\n"),
		REPLY(">3\r\n$7\r\nmessage\r\n$3\r\nch1\r\n$5\r\nhello\r\n"
		      "*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
	};
	static const struct expected expected[] = {{"redis", "SUBSCRIBE", false},
						   {"redis", "PING", false}};

	(void)state;
	CHECK_TALK(REDIS, talk, expected);
}

static void large_values(void **state)
{
	static const char set[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nxxxx";
	static const char value[] = "$100000\r\nxxxx";
	static const struct expected expected[] = {{"redis", "SET", false},
						   {"redis", "GET", false}};
	struct heard *heard = heard_new(REDIS);

	(void)state;
	assert_true(hear(heard, true, set, sizeof(set) - 1, 60000));
	assert_true(hear(heard, true, NULL, 0, sizeof(set) - 1 - 4 + 100002 - 60000));
	HEAR_REPLY(heard, "+OK\r\n");
	assert_int_equal(heard->requests[0].read_ns, 200);
	HEAR_ASK(heard, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
	assert_true(hear(heard, false, value, sizeof(value) - 1, 9 + 100002));
	check_heard(heard, expected, 2);
	heard_free(heard);
}

/* Of a batch whose end is not known, the first commands are told; then the next turn is. */
static void hidden_batch(void **state)
{
	static const char batch[] = "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
	static const char values[] = "+PONG\r\n$1\r\n1\r\n";
	struct heard *heard = heard_new(REDIS);

	(void)state;
	assert_false(hear(heard, true, batch, sizeof(batch) - 1, 8000));
	hear(heard, false, values, sizeof(values) - 1, 4000);
	assert_int_equal(heard->n, 2);
	HEAR_ASK(heard, "*1\r\n$4\r\nTIME\r\n");
	HEAR_REPLY(heard, "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
	assert_int_equal(heard->n, 3);
	assert_string_equal(heard->requests[2].label, "TIME");
	assert_int_equal(heard->requests[2].first_ns, 400);
	heard_free(heard);
}

static void hidden_answer(void **state)
{
	static const char rows[] = "*5000\r\n$1\r\n1\r\n";
	struct heard *heard = heard_new(REDIS);

	(void)state;
	HEAR_ASK(heard, "*1\r\n$4\r\nKEYS\r\n");
	assert_true(hear(heard, false, rows, sizeof(rows) - 1, 16000));
	assert_true(hear(heard, false, "$1\r\n", 4, 16000));
	assert_int_equal(heard->n, 0);
	HEAR_ASK(heard, "*1\r\n$4\r\nPING\r\n");
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->requests[0].first_ns, 200);
	assert_int_equal(heard->requests[0].last_ns, 300);
	HEAR_REPLY(heard, "+PONG\r\n");
	assert_int_equal(heard->n, 2);
	heard_free(heard);
}

/* More than can be remembered: back in step with the next turn. */
static void many_in_flight(void **state)
{
	struct heard *heard = heard_new(REDIS);

	(void)state;
	for (int i = 0; i < 300; i++)
		HEAR_ASK(heard, "*1\r\n$4\r\nPING\r\n");
	HEAR_REPLY(heard, "+PONG\r\n");
	HEAR_ASK(heard, "*1\r\n$4\r\nTIME\r\n");
	HEAR_REPLY(heard, "+x\r\n");
	assert_true(heard->n >= 1);
	assert_string_equal(heard->requests[heard->n - 1].label, "TIME");
	heard_free(heard);
}

static void garbage(void **state)
{
	static const char *const asks[] = {"*0\r\n",        "*-1\r\n$1\r\nx\r\n",  "*1\r\n:5\r\n",
					   "*1\r\n$-1\r\n", "*99999999999999\r\n", "hello\r\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct heard *heard = heard_new(REDIS);

		assert_false(hear(heard, true, asks[i], strlen(asks[i]), strlen(asks[i])));
		HEAR_REPLY(heard, "+OK\r\n");
		assert_int_equal(heard->n, 0);
		heard_free(heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),       cmocka_unit_test(pipelined),
		cmocka_unit_test(subscribers),    cmocka_unit_test(large_values),
		cmocka_unit_test(hidden_batch),   cmocka_unit_test(hidden_answer),
		cmocka_unit_test(many_in_flight), cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
