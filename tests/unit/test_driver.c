/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a conductor tells a driver, and what it hears: the loop of driver_serve(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/driver.h"

/* Writes down what it is told. */
struct driver {
	int fd;
	char told[256];
};

static void note(struct driver *driver, const char *word, uint64_t at_ns)
{
	size_t n = strlen(driver->told);

	snprintf(driver->told + n, sizeof(driver->told) - n, "%s %llu, ", word,
		 (unsigned long long)at_ns);
}

static struct driver *fake_open(const struct driver_context *context, struct error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	(void)context;
	(void)err;
	driver->fd = eventfd(0, EFD_CLOEXEC);
	return driver;
}

static json_t *fake_variables(const struct driver *driver)
{
	(void)driver;
	return json_object();
}

static int fake_fd(const struct driver *driver)
{
	return driver->fd;
}

static int fake_step(struct driver *driver, struct error *err)
{
	(void)driver;
	(void)err;
	return 0;
}

static bool fake_holds(const struct driver *driver)
{
	return driver->fd >= 0;
}

static uint64_t fake_restart(struct driver *driver)
{
	note(driver, "restart", 0);
	return 77;
}

static void fake_window_open(struct driver *driver, uint64_t at_ns, uint64_t tick_ns)
{
	note(driver, "open", at_ns);
	note(driver, "tick", tick_ns);
}

static void fake_phase(struct driver *driver, uint64_t at_ns)
{
	note(driver, "phase", at_ns);
}

static void fake_window_close(struct driver *driver, uint64_t at_ns)
{
	note(driver, "close", at_ns);
}

static json_t *fake_report(struct driver *driver)
{
	return json_pack("{s:s}", "told", driver->told);
}

static void fake_close(struct driver *driver)
{
	if (driver)
		close(driver->fd);
	free(driver);
}

static const struct driver_ops fake = {
	.name = "fake",
	.open = fake_open,
	.variables = fake_variables,
	.fd = fake_fd,
	.step = fake_step,
	.is_attached = fake_holds,
	.restart = fake_restart,
	.window_open = fake_window_open,
	.phase = fake_phase,
	.window_close = fake_window_close,
	.is_drained = fake_holds,
	.report = fake_report,
	.close = fake_close,
};

/* Says @commands, hangs up, and puts what the driver said into @said. The exit code. */
static int serve(const struct driver_ops *ops, const char *commands, char *said, size_t size)
{
	struct driver_context context = {.output_fd = -1};
	int fds[2], rc;
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	n = (ssize_t)strlen(commands);
	assert_int_equal(write(fds[0], commands, (size_t)n), n);
	shutdown(fds[0], SHUT_WR);
	rc = driver_serve(ops, &context, fds[1]);
	close(fds[1]);
	n = read(fds[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	return rc;
}

#define COMMANDS                                                                                   \
	"{\"command\":\"window_open\",\"at_ns\":10,\"tick_ns\":5}\n"                               \
	"{\"command\":\"phase\",\"at_ns\":20}\n{\"command\":\"phase\",\"at_ns\":30}\n"             \
	"{\"command\":\"window_close\",\"at_ns\":40}\n{\"command\":\"report\",\"timeout_ns\":1}\n"

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void a_round(void **state)
{
	char said[4096];

	(void)state;
	assert_int_equal(serve(&fake, COMMANDS, said, sizeof(said)), 0);
	assert_has(said, "{\"event\":\"ready\",\"variables\":{}}\n");
	assert_has(said, "{\"event\":\"attached\",\"at_ns\":77}\n");
	assert_has(said, "open 10, tick 5, phase 20, phase 30, close 40, ");
	assert_has(said, "\"event\":\"report\"");
}

static void without_phases(void **state)
{
	struct driver_ops ops = fake;
	char said[4096];

	(void)state;
	ops.phase = NULL;
	assert_int_equal(serve(&ops, COMMANDS, said, sizeof(said)), 0);
	assert_has(said, "open 10, tick 5, close 40, ");
}

static void what_it_does_not_know(void **state)
{
	char said[4096];

	(void)state;
	assert_int_equal(serve(&fake, "{\"command\":\"dance\"}\n", said, sizeof(said)), 1);
	assert_has(said, "{\"event\":\"error\",\"text\":\"the driver was told 'dance'\"}\n");
	assert_int_equal(serve(&fake, "[]\n", said, sizeof(said)), 1);
	assert_has(said, "nothing that it knows");
	assert_int_equal(serve(&fake, "{]\n", said, sizeof(said)), 1);
	assert_has(said, "a command is not JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round),
		cmocka_unit_test(without_phases),
		cmocka_unit_test(what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
