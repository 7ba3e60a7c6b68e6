/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages there and back; none that is cut short or damaged does harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conduct/wire.h"

#define MIB (1024 * 1024)

struct link {
	int here, there;
};

static int set_up(void **state)
{
	struct link *link = calloc(1, sizeof(*link));
	int ends[2];

	if (!link || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	link->here = ends[0];
	link->there = ends[1];
	*state = link;
	return 0;
}

static int tear_down(void **state)
{
	struct link *link = *state;

	close(link->here);
	close(link->there);
	free(link);
	return 0;
}

/* Sends, receives into @back, and frees @message. */
static void pass(struct link *link, struct wire_message *message, struct wire_message *back)
{
	assert_int_equal(wire_send(link->here, message), 0);
	assert_int_equal(wire_receive(link->there, back), 0);
	wire_free(message);
}

static void numbers(void **state)
{
	const int64_t values[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1LL << 40};
	struct wire_message message, back;

	wire_begin(&message, 0xfedcba98);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		wire_put_i64(&message, values[i]);
	pass(*state, &message, &back);
	assert_int_equal(back.type, 0xfedcba98);
	assert_int_equal(back.n_fds, 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		assert_true(wire_get_i64(&back) == values[i]);
	assert_false(back.broken);
	assert_true(wire_get_i64(&back) == 0);
	assert_true(back.broken);
	wire_free(&back);
}

static void strings(void **state)
{
	struct wire_message message, back;

	wire_begin(&message, 1);
	wire_put_string(&message, "one");
	wire_put_string(&message, NULL);
	wire_put_string(&message, "");
	wire_put_string(&message, "two\nlines, ü");
	wire_put_i64(&message, 7);
	pass(*state, &message, &back);
	assert_string_equal(wire_get_string(&back), "one");
	assert_null(wire_get_string(&back));
	assert_string_equal(wire_get_string(&back), "");
	assert_string_equal(wire_get_string(&back), "two\nlines, ü");
	assert_true(wire_get_i64(&back) == 7);
	assert_false(back.broken);
	assert_null(wire_get_string(&back));
	assert_true(back.broken);
	wire_free(&back);
}

static void lists(void **state)
{
	char a[] = "a", empty[] = "", c[] = "ccc";
	char *const list[] = {a, empty, c, NULL}, *const none[] = {NULL};
	struct wire_message message, back;
	char **got;

	wire_begin(&message, 1);
	wire_put_strings(&message, list);
	wire_put_strings(&message, none);
	wire_put_strings(&message, NULL);
	wire_put_string(&message, "after");
	pass(*state, &message, &back);
	got = wire_get_strings(&back);
	assert_non_null(got);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(got[i], list[i]);
	assert_null(got[3]);
	free(got);
	for (size_t i = 0; i < 2; i++) {
		got = wire_get_strings(&back);
		assert_non_null(got);
		assert_null(got[0]);
		free(got);
	}
	assert_string_equal(wire_get_string(&back), "after");
	assert_false(back.broken);
	assert_null(wire_get_strings(&back));
	assert_true(back.broken);
	wire_free(&back);
}

static void an_empty_message(void **state)
{
	struct wire_message message, back;

	wire_begin(&message, 42);
	pass(*state, &message, &back);
	assert_int_equal(back.type, 42);
	assert_int_equal(back.size, 0);
	assert_false(back.broken);
	wire_get_i64(&back);
	assert_true(back.broken);
	wire_free(&back);
}

static void several_in_a_row(void **state)
{
	struct link *link = *state;
	struct wire_message message, back;

	for (uint32_t i = 0; i < 5; i++) {
		wire_begin(&message, i);
		wire_put_i64(&message, i * 10);
		assert_int_equal(wire_send(link->here, &message), 0);
		wire_free(&message);
	}
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(wire_receive(link->there, &back), 0);
		assert_int_equal(back.type, i);
		assert_int_equal(wire_get_i64(&back), i * 10);
		wire_free(&back);
	}
}

/* What is written into the file that was sent comes out of the one that is held. */
static void open_files(void **state)
{
	for (size_t n = 1; n <= WIRE_MAX_FDS; n++) {
		struct wire_message message, back;
		int pipes[WIRE_MAX_FDS][2];

		wire_begin(&message, 1);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(pipe(pipes[i]), 0);
			wire_put_fd(&message, pipes[i][1]);
		}
		wire_put_string(&message, "with files");
		pass(*state, &message, &back);
		assert_string_equal(wire_get_string(&back), "with files");
		assert_int_equal(back.n_fds, n);
		for (size_t i = 0; i < n; i++) {
			char sent = (char)('a' + i), got = 0;

			assert_true(fcntl(back.fds[i], F_GETFD) & FD_CLOEXEC);
			close(pipes[i][1]);
			assert_int_equal(write(back.fds[i], &sent, 1), 1);
			close(back.fds[i]);
			assert_int_equal(read(pipes[i][0], &got, 1), 1);
			assert_int_equal(got, sent);
			close(pipes[i][0]);
		}
		wire_free(&back);
	}
}

static void too_many_files(void **state)
{
	struct link *link = *state;
	struct wire_message message;
	char byte;

	wire_begin(&message, 1);
	for (size_t i = 0; i < WIRE_MAX_FDS; i++)
		wire_put_fd(&message, STDERR_FILENO);
	assert_false(message.broken);
	wire_put_fd(&message, STDERR_FILENO);
	assert_true(message.broken);
	assert_int_equal(wire_send(link->here, &message), -E2BIG);
	assert_int_equal(recv(link->there, &byte, 1, MSG_DONTWAIT), -1);
	wire_free(&message);
}

struct sending {
	int fd, result;
	const struct wire_message *message;
};

static void *send_in_thread(void *context)
{
	struct sending *sending = context;

	sending->result = wire_send(sending->fd, sending->message);
	return NULL;
}

/* Larger than any socket's buffer, and near the bound. */
static void a_large_message(void **state)
{
	struct link *link = *state;
	struct wire_message message, back;
	struct sending sending = {.fd = link->here, .message = &message};
	char *text = malloc(6 * MIB);
	pthread_t thread;

	memset(text, 'x', 6 * MIB - 1);
	text[6 * MIB - 1] = 0;
	wire_begin(&message, 1);
	wire_put_i64(&message, 5);
	wire_put_string(&message, text);
	assert_false(message.broken);
	assert_int_equal(pthread_create(&thread, NULL, send_in_thread, &sending), 0);
	assert_int_equal(wire_receive(link->there, &back), 0);
	pthread_join(thread, NULL);
	assert_int_equal(sending.result, 0);
	assert_true(wire_get_i64(&back) == 5);
	assert_string_equal(wire_get_string(&back), text);
	wire_free(&message);
	wire_free(&back);
	free(text);
}

static void above_the_bound(void **state)
{
	struct link *link = *state;
	struct wire_message message;
	size_t size;

	wire_begin(&message, 1);
	while (!message.broken && message.size < 2 * WIRE_MAX_BYTES)
		wire_put_i64(&message, 1);
	assert_true(message.broken);
	assert_int_equal(message.size, WIRE_MAX_BYTES);
	size = message.size;
	wire_put_string(&message, "no more");
	assert_int_equal(message.size, size);
	assert_int_equal(wire_send(link->here, &message), -E2BIG);
	wire_free(&message);
}

/* A header alone: the receiver must not believe its size. */
static void a_size_above_the_bound(void **state)
{
	const uint32_t sizes[] = {WIRE_MAX_BYTES + 1, UINT32_MAX};
	struct link *link = *state;
	struct wire_message back;

	for (size_t i = 0; i < 2; i++) {
		uint32_t header[2] = {1, sizes[i]};

		assert_int_equal(send(link->here, header, sizeof(header), 0), sizeof(header));
		assert_int_equal(wire_receive(link->there, &back), -EPROTO);
		wire_free(&back);
	}
}

static void the_peer_is_gone(void **state)
{
	struct link *link = *state;
	struct wire_message message, back;

	close(link->there);
	link->there = -1;
	wire_begin(&message, 1);
	wire_put_string(&message, "to nobody");
	assert_int_equal(wire_send(link->here, &message), -EPIPE);
	assert_int_equal(wire_receive(link->here, &back), -EPIPE);
	wire_free(&back);
	wire_free(&message);
}

/* A message is then half sent; no signal ends the sender. */
static void the_peer_goes_while_sent_to(void **state)
{
	struct link *link = *state;
	struct wire_message message;
	struct sending sending = {.fd = link->here, .message = &message};
	pthread_t thread;
	char header[8];

	wire_begin(&message, 1);
	while (message.size < 4 * MIB)
		wire_put_string(&message, "more than a socket takes at once");
	assert_int_equal(pthread_create(&thread, NULL, send_in_thread, &sending), 0);
	assert_int_equal(recv(link->there, header, sizeof(header), MSG_WAITALL), sizeof(header));
	close(link->there);
	link->there = -1;
	pthread_join(thread, NULL);
	assert_true(sending.result == -EPIPE || sending.result == -ECONNRESET);
	wire_free(&message);
}

/* The peer goes after each of its bytes in turn. */
static void the_peer_goes_half_way(void **state)
{
	const char whole[8 + 8 + 6] = {1, 0, 0, 0, 14, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 'h'};

	(void)state;
	for (size_t n = 0; n <= sizeof(whole); n++) {
		struct wire_message back;
		int ends[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		assert_int_equal(send(ends[0], whole, n, 0), n);
		close(ends[0]);
		assert_int_equal(wire_receive(ends[1], &back), n < sizeof(whole) ? -EPIPE : 0);
		wire_free(&back);
		close(ends[1]);
	}
}

/* Gets a number, a string, a list and a string; 0 where all was there. */
static int read_all(struct wire_message *message)
{
	char **list;

	wire_get_i64(message);
	wire_get_string(message);
	list = wire_get_strings(message);
	assert_true(!list == message->broken);
	for (size_t i = 0; list && list[i]; i++)
		assert_true(strlen(list[i]) <= message->size);
	free(list);
	wire_get_string(message);
	assert_true(message->read <= message->size);
	return message->broken ? -1 : 0;
}

static void build(struct wire_message *message)
{
	char first[] = "first", second[] = "second", empty[] = "";
	char *const list[] = {first, second, empty, NULL};

	wire_begin(message, 3);
	wire_put_i64(message, 77);
	wire_put_string(message, "text");
	wire_put_strings(message, list);
	wire_put_string(message, "last");
}

/* In memory of exactly that size, so that a read beyond it is seen. */
static int read_copy(const char *data, size_t size)
{
	struct wire_message copy = {.type = 3, .size = size, .capacity = size};
	int failed;

	copy.data = malloc(size ? size : 1);
	memcpy(copy.data, data, size);
	failed = read_all(&copy);
	wire_free(&copy);
	return failed;
}

static void cut_short(void **state)
{
	struct wire_message message;

	(void)state;
	build(&message);
	for (size_t n = 0; n < message.size; n++)
		assert_int_equal(read_copy(message.data, n), -1);
	assert_int_equal(read_copy(message.data, message.size), 0);
	wire_free(&message);
}

/* Each byte replaced by all others: what is got must be sound, whatever it says. */
static void damaged(void **state)
{
	struct wire_message message;

	(void)state;
	build(&message);
	for (size_t i = 0; i < message.size; i++) {
		char was = message.data[i];

		for (int value = 0; value < 256; value++) {
			message.data[i] = (char)value;
			read_copy(message.data, message.size);
		}
		message.data[i] = was;
	}
	wire_free(&message);
}

static void assert_broken_string(int64_t length, const char *bytes, size_t n)
{
	struct wire_message message;

	wire_begin(&message, 1);
	wire_put_i64(&message, length);
	message.data = realloc(message.data, message.size + n);
	memcpy(message.data + message.size, bytes, n);
	message.size += n;
	assert_null(wire_get_string(&message));
	if (!message.broken)
		fail_msg("length %lld of %zu was believed", (long long)length, n);
	/* And stays so. */
	assert_true(wire_get_i64(&message) == 0);
	assert_null(wire_get_strings(&message));
	assert_true(message.broken);
	wire_free(&message);
}

static void wrong_lengths(void **state)
{
	(void)state;
	assert_broken_string(4, "1234", 4); /* no end */
	assert_broken_string(3, "1234", 5); /* an end elsewhere */
	assert_broken_string(5, "1234", 5);
	assert_broken_string(3, "12345678901234567890", 20);
	assert_broken_string(INT64_MAX, "1234", 5);
	assert_broken_string(-2, "1234", 5);
	assert_broken_string(INT64_MIN, "1234", 5);
}

static void wrong_counts(void **state)
{
	const int64_t counts[] = {-1, INT64_MIN, 3, 1000, INT64_MAX, INT64_MAX / 8};
	struct wire_message message;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		wire_begin(&message, 1);
		wire_put_i64(&message, counts[i]);
		wire_put_string(&message, "a");
		wire_put_string(&message, "b");
		assert_null(wire_get_strings(&message));
		assert_true(message.broken);
		wire_free(&message);
	}
	/* NULL ends a list, and is in none. */
	wire_begin(&message, 1);
	wire_put_i64(&message, 2);
	wire_put_string(&message, NULL);
	wire_put_string(&message, "b");
	assert_null(wire_get_strings(&message));
	assert_true(message.broken);
	wire_free(&message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers),
		TEST(strings),
		TEST(lists),
		TEST(an_empty_message),
		TEST(several_in_a_row),
		TEST(open_files),
		TEST(too_many_files),
		TEST(a_large_message),
		TEST(above_the_bound),
		TEST(a_size_above_the_bound),
		TEST(the_peer_is_gone),
		TEST(the_peer_goes_while_sent_to),
		TEST(the_peer_goes_half_way),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(damaged),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(wrong_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
