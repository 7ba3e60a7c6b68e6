/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "test_protocol_talk.h"

#define KAFKA ONLY(PROTOCOL_KAFKA)

/* Answers out of order, old and flexible headers, a producer that wants no answer. */
static void by_correlation(void **state)
{
	static const struct talk talk[] = {
		ASK("\0\0\0\27\0\22\0\3\0\0\0\1\0\3app\0\4app\4"
		    "1.0\0"),
		REPLY("\0\0\0\23\0\0\0\1\0\0\2\0\0\0\0\0\13\0\0\0\0\0\0"),
		ASK("\0\0\0,"
		    "\0\0\0\3\0\0\0\2\0\3app\377\377\0\0\0\0\3\350\0\0\0\1\0\1t\0\0\0\1\0\0\0\0\0\0"
		    "\0\4abcd\0\0\0%"
		    "\0\0\0\11\0\0\0\3\0\3app\0\0\377\377\0\0\3\350\2\2t\2\0\0\0\0\5abcd\0\0\0\0\0"
		    "\0"
		    "0\0\1\0\13\0\0\0\4\0\3app\377\377\377\377\0\0\1\364\0\0\0\1\0\20\0\0\0\0\0\0\0"
		    "\377\377\377\377\0\0\0\0\0\0\0\0\0\0\0\0\0\30\0\14\0\4\0\0\0\5\0\3app\0\2g\0\0"
		    "\0\1\2m\0\0"),
		REPLY("\0\0\0\14\0\0\0\5\0\0\0\0\0\0\33\0\0\0\0"
		      "0\0\0\0\3\0\2\2t\2\0\0\0\0\0\3\377\377\377\377\377\377\377\377\377\377\377"
		      "\377\377\377\377\377\377\377\377\377\377\377\377\377\1\1\0\0\0\0\0\0\0\0\0\0"
		      "\22\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		ASK("\0\0\0\21\0\3\0\1\0\0\0\6\0\3app\377\377\377\377"),
		REPLY("\0\0\0\20\0\0\0\6\0\0\0\0\0\0\0\1\0\0\0\0"),
	};
	static const struct expected expected[] = {{"kafka", "ApiVersions", false},
						   {"kafka", "Heartbeat", true},
						   {"kafka", "Produce", true},
						   {"kafka", "Fetch", false},
						   {"kafka", "Metadata", false}};

	(void)state;
	CHECK_TALK(KAFKA, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

/* As servers read: the length, then the rest; and an answer by sendfile. */
static void sizes_first(void **state)
{
	static const char ask[] = "\0\0\0\x14\0\1\0\4\0\0\0\7\0\3app\0\0\0\0\0\0\0";
	struct heard *heard = heard_new(KAFKA);

	(void)state;
	assert_true(hear(heard, true, ask, 4, 4));
	assert_true(hear(heard, true, ask + 4, 20, 20));
	assert_true(HEAR_REPLY(heard, "\0\1\0\0\0\0\0\7\0\0\0\0"));
	assert_true(hear(heard, false, NULL, 0, 60000));
	assert_int_equal(heard->n, 0);
	assert_true(hear(heard, false, NULL, 0, 65536 + 4 - 12 - 60000));
	assert_int_equal(heard->n, 1);
	assert_string_equal(heard->requests[0].label, "Fetch");
	assert_int_equal(heard->requests[0].arrived_ns, 95);
	assert_int_equal(heard->requests[0].read_ns, 200);
	assert_int_equal(heard->requests[0].first_ns, 300);
	assert_int_equal(heard->requests[0].last_ns, 500);
	heard_free(heard);
}

/* An answer still finds its request. */
static void gaps(void **state)
{
	static const char ask[] = "\0\0\0\x14\0\3\0\1\0\0\0\7\0\3app\0\0\0\0\0\0\0";
	static const char other[] = "\0\0\0\x14\0\3\0\1\0\0\0\10\0\3app\0\0\0\0\0\0\0";
	struct heard *heard = heard_new(KAFKA);

	(void)state;
	hear(heard, true, ask, 24, 24);
	hear(heard, true, other, 24, 24);
	hear_gap(heard, false, "rest of what was lost", 21);
	assert_int_equal(heard->n_untold, 1);
	HEAR_REPLY(heard, "\0\0\0\x08\0\0\0\10\0\0\0\0");
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->requests[0].read_ns, 200);
	HEAR_REPLY(heard, "\0\0\0\x08\0\0\0\7\0\0\0\0");
	assert_int_equal(heard->n, 2);
	assert_int_equal(heard->n_untold, 1);
	assert_false(HEAR_ASK(heard, "garbage garbage garbage"));
	hear(heard, true, ask, 24, 24);
	HEAR_REPLY(heard, "\0\0\0\x08\0\0\0\7\0\0\0\0");
	assert_int_equal(heard->n, 3);
	heard_free(heard);
}

static void error_places(void **state)
{
	static const struct {
		uint8_t key, version;
		const char *body;
		size_t n;
		bool failed;
	} cases[] = {
		{0, 2, "\0\0\0\1\0\1t\0\0\0\1\0\0\0\0\0\6", 17, true},
		{0, 2, "\0\0\0\1\0\1t\0\0\0\1\0\0\0\0\0\0", 17, false},
		{1, 4, "\0\0\0\0\0\1", 6, false},
		{1, 7, "\0\0\0\0\0\1", 6, true},
		{1, 12, "\0\0\0\0\0\0\1", 7, true},
		{8, 3, "\0\0\0\0\0\0\0\1\0\1t\0\0\0\1\0\0\0\0\0\31", 21, true},
		{10, 0, "\0\17", 2, true},
		{10, 1, "\0\0\0\0\0\17", 6, true},
		{10, 4, "\0\0\0\0\0\17", 6, false},
		{12, 0, "\0\33", 2, true},
		{18, 3, "\0\43", 2, true},
		{22, 1, "\0\0\0\1\0\63", 6, true},
		{3, 9, "\0\1\1\1\1\1", 6, false},
		{11, 5, "\0", 1, false}, /* cut short */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct heard *heard = heard_new(KAFKA);
		char ask[] = "\0\0\0\x14\0\1\0\4\0\0\0\7\0\3app\0\0\0\0\0\0\0";
		char reply[64] = "\0\0\0\0\0\0\0\7";

		ask[5] = (char)cases[i].key;
		ask[7] = (char)cases[i].version;
		ask[18] = 1; /* acks of a producer */
		reply[3] = (char)(4 + cases[i].n);
		memcpy(reply + 8, cases[i].body, cases[i].n);
		hear(heard, true, ask, 24, 24);
		hear(heard, false, reply, 8 + cases[i].n, 8 + cases[i].n);
		assert_int_equal(heard->n, 1);
		assert_int_equal(heard->requests[0].failed, cases[i].failed);
		heard_free(heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_correlation),
		cmocka_unit_test(sizes_first),
		cmocka_unit_test(gaps),
		cmocka_unit_test(error_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
