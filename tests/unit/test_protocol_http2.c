/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "test_protocol_talk.h"

#include "protocol/hpack.h"

#define HTTP ONLY(PROTOCOL_HTTP)

/* As curl and nginx said it. */
static void one_request(void **state)
{
	static const struct talk talk[] = {
		ASK("PRI * "
		    "HTTP/"
		    "2."
		    "0\r\n\r\nSM\r\n\r\n\0\0\22\4\0\0\0\0\0\0\3\0\0\0d\0\4\2\0\0\0\0\2\0\0\0\0\0\0"
		    "\4\10\0\0\0\0\0\1\377\0\1\0\0\36\1\5\0\0\0\1\202\204\206A\212\10\235\\\13\201p"
		    "\334x\17\13z\210%\266P\303\253\274\362\341S\3*/*"),
		REPLY("\0\0\22\4\0\0\0\0\0\0\3\0\0\0\200\0\4\0\1\0\0\0\5\0\377\377\377\0\0\4\10\0\0"
		      "\0\0\0\177\377\0\0\0\0\0\4\1\0\0\0\0\0\0h\1\4\0\0\0\1\210v\211\252cU\345\200"
		      "\256!.\37a\226\334"
		      "4\375( "
		      "\251\244\375\324\20\4\342\200f\340\234\270\333\352b\321\277_\207I|"
		      "\245\211\323M\37\\\1"
		      "6l\226\334"
		      "4\375( "
		      "\251\244\375\324\20\4\342\200f\340\233\270\323\252b\321\277\0\203*"
		      "G7\212\376\\\214\1\4\254\306\263\237\317\0\211\31\10Z\322\265\203\252b\243"
		      "\204\217\322J\217\0\0\6\0\1\0\0\0\1hello\n"),
		ASK("\0\0\0\4\1\0\0\0\0"),
	};
	static const struct expected expected[] = {{"http2", "GET /", false}};

	(void)state;
	CHECK_TALK(HTTP, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

static void grpc(void **state)
{
	static const struct talk talk[] = {
		ASK("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
		REPLY("\0\0\6\4\0\0\0\0\0\0\5\0\0@\0\0\0\0\4\1\0\0\0\0"),
		ASK("\0\0\0\4\1\0\0\0\0\0\0J\1\4\0\0\0\1\203\206D\225br\321A\374\36\312$_\25\205*"
		    "Kc\33\207\353\31h\240\377A\213\240\344\35\23\235\11\270\330\0\330\177_"
		    "\213\35u\320b\r&=LMed@\202I\177\206M\203"
		    "5\5\261\37z\212\232\312\310\264\307`+"
		    "\270\5\301\0\0\n\0\1\0\0\0\1\0\0\0\0\5\n\3abc"),
		REPLY("\0\0\16\1\4\0\0\0\1\210_\213\35u\320b\r&="
		      "LMed\0\0\n\0\0\0\0\0\1\0\0\0\0\5\n\3xyz\0\0\30\1\5\0\0\0\1@"
		      "\210\232\312\310\262\22"
		      "4\332\217\201\7@\211\232\312\310\265%B\7"
		      "1\177\200"),
		ASK("\0\0\7\1\4\0\0\0\3\203\206\302\301\300\277\276\0\0\n\0\1\0\0\0\3\0\0\0\0\5\n\3"
		    "abc\0\0\24\1\4\0\0\0\5\203\206D\214b\261\372_X\375"
		    "1zq\331"
		    "1\177\302\301\300\277\0\0\n\0\1\0\0\0\5\0\0\0\0\5\n\3abc"),
		REPLY("\0\0\22\1\5\0\0\0\5\210\300\177\0\202\13_"
		      "\177\0\210\266\241\367\31\250\34t\27\0\0\1\1\0\0\0\0\3\210\0\0\1\11\4\0\0\0"
		      "\3\302\0\0\10\6\0\0\0\0\0"
		      "12345678\0\0\n\0\0\0\0\0\3\0\0\0\0\5\n\3xyz\0\0\4\1\5\0\0\0\3\301\177\1"
		      "\200"),
	};
	static const struct expected expected[] = {{"grpc", "/helloworld.Greeter/SayHello", false},
						   {"grpc", "/pay.Pay/Charge", true},
						   {"grpc", "/helloworld.Greeter/SayHello", false}};

	(void)state;
	CHECK_TALK(HTTP, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

/* Padding, priorities, interim answers, what is pushed or reset, unknown frames. */
static void frames(void **state)
{
	static const struct talk talk[] = {
		ASK("PRI * "
		    "HTTP/"
		    "2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\32\1-"
		    "\0\0\0\1\3\0\0\0\0\20\202\206D\212b\324\26\304"
		    "0\27\177\316\320\13A\201\37\0\0\0\0\0\r\1\4\0\0\0\3B\205\327\16\373\330\377"
		    "\206D\202c\317\300\0\0\4\10\0\0\0\0\0\0\0\1\0\0\0\5\0\11\0\0\0\3\2hi\0\0"),
		REPLY("\0\0\0\4\0\0\0\0\0\0\0\4\1\4\0\0\0\3H\202\10\1\0\0\11\1\5\0\0\0\3H\202hB@"
		      "\201\363\201\365\0\0\3\20\0\0\0\0\0new"),
		ASK("\0\0\11\1\5\0\0\0\5\202\206D\204bc\324_\301\0\0\4\3\0\0\0\0\5\0\0\0\10"),
		REPLY("\0\0\20\5\4\0\0\0\1\0\0\0\2\202\206D\205b\273Q9dA\201\37\0\0\5\1\4\0\0\0\2"
		      "\210\177\1\201\367\0\0\6\0\1\0\0\0\2pushed\0\0\2\1\4\0\0\0\1\210\276\0\0\4\0"
		      "\0\0\0\0\1body\0\0\0\0\1\0\0\0\1"),
	};
	static const struct expected expected[] = {{"http2", "PATCH /x", true},
						   {"http2", "GET /users/:id", false}};

	(void)state;
	CHECK_TALK(HTTP, talk, expected);
}

/* What was inserted before is not known; what comes after is. */
static void attached_late(void **state)
{
	static const struct talk talk[] = {
		ASK("\0\0\3\1\5\0\0\0\7\203\277\276"),
		REPLY("\0\0\2\1\4\0\0\0\7\210\277\0\0\1\1\5\0\0\0\7\276"),
		ASK("\0\0\6\1\5\0\0\0\11\203D\202b?\277"),
		REPLY("\0\0\2\1\4\0\0\0\11\210\277\0\0\3\1\5\0\0\0\11~\201k"),
		ASK("\0\0\3\1\5\0\0\0\13\203\276\277"),
		REPLY("\0\0\2\1\4\0\0\0\13\210\300\0\0\1\1\5\0\0\0\13\276"),
	};
	static const struct expected expected[] = {{"http2", "POST ?", false},
						   {"http2", "POST /b", false},
						   {"http2", "POST /b", false}};

	(void)state;
	CHECK_TALK(HTTP, talk, expected);
}

/* Frames that nobody saw: the answer ends with the next request. */
static void hidden_frames(void **state)
{
	static const char ask[] = "\0\0\3\1\5\0\0\0\1\x82\x84\x86";
	static const char again[] = "\0\0\3\1\5\0\0\0\3\x82\x85\x86";
	static const char reply[] = "\0\0\1\1\4\0\0\0\1\x88\0\x20\0\0\0\0\0\0\1abc";
	static const char next[] = "\0\0\1\1\5\0\0\0\3\x8d";
	static const struct expected expected[] = {{"http2", "GET /", false},
						   {"http2", "GET /index.html", true}};
	struct heard *heard = heard_new(HTTP);

	(void)state;
	assert_true(hear(heard, true, ask, sizeof(ask) - 1, sizeof(ask) - 1));
	assert_true(hear(heard, false, reply, sizeof(reply) - 1, 16000));
	assert_true(hear(heard, false, "zzzzzzzzzzzz", 12, 16000));
	assert_int_equal(heard->n, 0);
	assert_true(hear(heard, true, again, sizeof(again) - 1, sizeof(again) - 1));
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->requests[0].first_ns, 200);
	assert_int_equal(heard->requests[0].last_ns, 300);
	assert_true(hear(heard, false, next, sizeof(next) - 1, sizeof(next) - 1));
	check_heard(heard, expected, 2);
	heard_free(heard);
}

/* All symbols, as another encoder wrote them; and what no encoder writes. */
static void huffman(void **state)
{
	static const char all[] =
		"\377\307\377\375\217\377\377\342\377\377\376?\377\377\344\377\377\376_"
		"\377\377\346\377\377\376\177\377\377\350\377\377\352\377\377\377\363\377\377\372"
		"\177"
		"\377\377\253\377\377\377\337\377\377\353\377\377\376\317\377\377\355\377\377\376"
		"\357\377\377\357\377\377\377\17\377\377\361\377\377\377/\377\377\377\277\377"
		"\377\317\377\377\375?\377\377\327\377\377\375\277\377\377\337\377\377\376?"
		"\377\377\347\377\377\376\277\377\377\355O\343\371\377\257\374\253\361\376\277"
		"\257\357\347\375\375,\273\0\10\231i\267\35y\373\237\177\377 "
		"\377\277\363\377P\335\275\177\6\34X\362e\315\237F\235Z\366m\335"
		"\277\207\36_\234\377\177\367\377\374?\371\377\344_\377G\31$,"
		"\263Nn\235h\246\243\327\332\304&\336\376<\372\367\377\373\376\177"
		"\373\377\337\377\377\374\377\376o\377\364\277\377\237\377\372?"
		"\377\323\377\377S\377\375_\377\373?\377\353\177\377\332\377\377\267\377\377s\377"
		"\376\357\377\375\357\377\376\277\377\373\377\377\375\237\377\375\277\377\353\377"
		"\377\340\377\377\356\377\377\303\377\377\213\377\377\37\377\376O\377\356\177"
		"\377\261\377\377\227\377\375\237\377\374\337\377\371\377\377\373\377\377\332\377"
		"\376\357\377\364\377\377\267\377\376\347\377\376\217\377\375?\377\336\377\377"
		"\325\377\376\357\377\373\337\377\376\37\377\337\377\377\177\377\377_"
		"\377\376\317\377\360\177\377\207\377\376\17\377\361\177\377\355\377\377\207\377"
		"\377w"
		"\377\376\377\377\352\377\377\213\377\376?\377\371?\377\370\177\377\313\377\377"
		"7\377\377\37\377\377\203\377\377\341\377\376\277\377\343\377\377?\377"
		"\377/"
		"\377\372?"
		"\377\375\237\377\377\27\377\377\307\377\377\362\177\377\375\357\377\377\277\377"
		"\377\362\377\377\370\377\377\373\177\377\227\377\370\377\377"
		"\376o\377\377\301\377\377\370\177\377\376\177\377\377\305\377\377\345\377\376O\377"
		"\362\377\377\375\37\377\377O\377\377\376\377\377\376?\377\377\311"
		"\377\377\371\177\377\263\377\377\317\377\373\177\377\315\377\377O\377\371\377\377"
		"\321\377\377\317\377\376\257\377\372\377\377\375\337\377\376\377\377\377O"
		"\377\377_"
		"\377\377\253\377\377\247\377\377\327\377\377\371\277\377\376\317\377\377\267\377"
		"\377\363\377\377\376\217\377\377\323\377\377\372\277\377\377_\377"
		"\377\377\177\377\376\317\377\377\333\377\377\373\277\377\377\177\377\377\360\377"
		"\377\373\277";
	char text[300];

	(void)state;
	assert_int_equal(hpack_huffman((const uint8_t *)all, sizeof(all) - 1, text, sizeof(text)),
			 256);
	for (int i = 0; i < 256; i++)
		assert_int_equal((uint8_t)text[i], i);
	assert_int_equal(hpack_huffman((const uint8_t *)all, sizeof(all) - 1, text, 10), 10);
	assert_int_equal(hpack_huffman((const uint8_t *)"", 0, text, sizeof(text)), 0);
	assert_int_equal(hpack_huffman((const uint8_t *)"\377\377\377\377", 4, text, 300), -1);
	assert_int_equal(hpack_huffman((const uint8_t *)"\377", 1, text, 300), -1);
	assert_int_equal(hpack_huffman((const uint8_t *)"\0", 1, text, 300), -1);
}

static void garbage(void **state)
{
	static const char *const asks[] = {"PRI * HTTP/1.1\r\n\r\n", "\1\1\1\1\1\1\1\1\1\1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct heard *heard = heard_new(HTTP);

		assert_false(hear(heard, true, asks[i], strlen(asks[i]), strlen(asks[i])));
		heard_finish(heard);
		assert_int_equal(heard->n, 0);
		heard_free(heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request),   cmocka_unit_test(grpc),
		cmocka_unit_test(frames),        cmocka_unit_test(attached_late),
		cmocka_unit_test(hidden_frames), cmocka_unit_test(huffman),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
