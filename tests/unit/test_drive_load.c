/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The engine, with a made-up protocol whose requests take as long as they are told to. */
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive/load/load.h"
#include "util/clock.h"

#define MS         NSEC_PER_MSEC
#define SECOND     NSEC_PER_SEC
#define DRAWN_MAX  4096
#define PATIENCE_S 10

static char first[] = "first", second[] = "second", third[] = "third";

/* What requests do, and what came of them. */
struct fake {
	uint64_t service_ns; /* 0: done at once; UINT64_MAX: never */
	unsigned int users, users_most, given_up, begun;
	uint64_t drawn[DRAWN_MAX]; /* kind and number of each request that begins */
	unsigned int by_kind[4], by_user[64];
};

struct fake_user {
	int fd;
	bool is_open;
};

static int fake_begin(void *context, struct load_user *user, size_t kind, struct error *err)
{
	struct load_outcome outcome = {.bytes = 100, .rows = 2};
	struct fake_user *state = load_user_state(user);
	struct fake *fake = context;
	struct itimerspec spec = {
		{0, 0}, {(time_t)(fake->service_ns / SECOND), (long)(fake->service_ns % SECOND)}};

	(void)err;
	if (!state->is_open) {
		state->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		assert_true(state->fd >= 0);
		assert_int_equal(load_watch(user, state->fd, EPOLLIN), 0);
		state->is_open = true;
		if (++fake->users > fake->users_most)
			fake->users_most = fake->users;
	}
	if (fake->begun < DRAWN_MAX)
		fake->drawn[fake->begun] = load_user_random(user) * 4 + kind;
	fake->begun++;
	fake->by_kind[kind]++;
	if (load_user_number(user) < 64)
		fake->by_user[load_user_number(user)]++;
	load_count(user, "begun", 1);
	if (!fake->service_ns)
		load_done(user, &outcome);
	else if (fake->service_ns != UINT64_MAX)
		timerfd_settime(state->fd, 0, &spec, NULL);
	return 0;
}

static int fake_ready(void *context, struct load_user *user, int fd, uint32_t events,
		      struct error *err)
{
	struct load_outcome outcome = {.bytes = 100, .rows = 2};
	uint64_t expiries;

	(void)context;
	(void)err;
	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd, &expiries, sizeof(expiries)), sizeof(expiries));
	load_done(user, &outcome);
	return 0;
}

static void fake_give_up(void *context, struct load_user *user)
{
	static const struct itimerspec never;

	((struct fake *)context)->given_up++;
	timerfd_settime(((struct fake_user *)load_user_state(user))->fd, 0, &never, NULL);
}

static void fake_close(void *context, struct load_user *user)
{
	struct fake_user *state = load_user_state(user);

	if (!state->is_open)
		return;
	load_unwatch(user, state->fd);
	close(state->fd);
	((struct fake *)context)->users--;
}

static const struct load_protocol fake_protocol = {
	.user_size = sizeof(struct fake_user),
	.begin = fake_begin,
	.ready = fake_ready,
	.give_up = fake_give_up,
	.close = fake_close,
};

static const struct load_kind one_kind[] = {{"only", 1}};
static const struct load_class one_class[] = {{.name = "users", .weight = 1}};

static struct load_plan plan_of(struct fake *fake, const struct phase *phases, size_t n)
{
	return (struct load_plan){
		.phases = phases,
		.n_phases = n,
		.kinds = one_kind,
		.n_kinds = 1,
		.classes = one_class,
		.n_classes = 1,
		.protocol = &fake_protocol,
		.context = fake,
		.timeout_ns = 5 * SECOND,
		.seed = 1,
	};
}

static struct phase open_phase(char *name, double rate, int max_vus, uint64_t duration_ns)
{
	return (struct phase){
		.name = name,
		.role = PHASE_MEASURED,
		.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE,
		.duration_ns = duration_ns,
		.rate = rate,
		.spawn_rate = NAN,
		.time_unit_ns = SECOND,
		.max_vus = max_vus,
	};
}

static struct phase closed_phase(char *name, int vus, uint64_t duration_ns)
{
	return (struct phase){
		.name = name,
		.role = PHASE_MEASURED,
		.executor = EXECUTOR_CONSTANT_VUS,
		.duration_ns = duration_ns,
		.vus = vus,
		.spawn_rate = NAN,
		.time_unit_ns = SECOND,
	};
}

static struct load *begun(const struct load_plan *plan)
{
	struct error err = {0};
	struct load *load = load_new(plan, &err);

	if (!load)
		fail_msg("%s", err.text);
	load_start(load, clock_now_ns());
	return load;
}

/* Until it is finished, or for @ns. */
static void run_for(struct load *load, uint64_t ns)
{
	struct pollfd pollfd = {.fd = load_fd(load), .events = POLLIN};
	uint64_t until = clock_now_ns() + ns;
	struct error err = {0};

	while (!load_is_finished(load) && clock_now_ns() < until) {
		if (poll(&pollfd, 1, 5) > 0 && load_step(load, &err))
			fail_msg("%s", err.text);
	}
}

static json_t *run(const struct load_plan *plan)
{
	struct load *load = begun(plan);
	json_t *report;

	run_for(load, PATIENCE_S * SECOND);
	assert_true(load_is_finished(load));
	assert_true(load_is_drained(load));
	report = load_report(load);
	assert_non_null(report);
	load_free(load);
	return report;
}

static double at(const json_t *json, const char *path)
{
	char text[128], *part, *rest = text;

	snprintf(text, sizeof(text), "%s", path);
	while ((part = strsep(&rest, ".")))
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part))
					   : json_object_get(json, part);
	if (!json)
		fail_msg("there is no %s", path);
	return json_is_number(json) ? json_number_value(json) : NAN;
}

/* --- open loop ------------------------------------------------------------------------ */

static void an_open_loop_sends_exactly_what_is_due(void **state)
{
	struct fake fake = {.service_ns = 2 * MS};
	struct phase phases[] = {open_phase(first, 1000, 100, 200 * MS),
				 open_phase(second, 333, 100, 100 * MS)};
	struct load_plan plan = plan_of(&fake, phases, 2);
	json_t *report = run(&plan);

	(void)state;
	assert_int_equal(at(report, "work.operations"), 200 + 34);
	assert_int_equal(at(report, "phases.0.operations"), 200);
	assert_int_equal(at(report, "phases.1.operations"), 34);
	assert_int_equal(at(report, "work.dropped"), 0);
	assert_int_equal(at(report, "work.rows"), 2 * 234);
	assert_int_equal(at(report, "work.counts.begun"), 234);
	assert_true(at(report, "latency.service.p50_seconds") >= 0.002 * 0.99);
	/* Users that are free are used again. */
	assert_true(fake.users_most < 100);
	assert_int_equal(fake.users, 0);
	json_decref(report);
}

/* One user, and 100 ms a request at 100/s: nine of ten can not be sent. */
static void what_finds_no_user_waits_and_is_dropped_at_the_end(void **state)
{
	struct fake fake = {.service_ns = 100 * MS};
	struct phase phases[] = {open_phase(first, 100, 1, 500 * MS)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	json_t *report = run(&plan);
	double sent = at(report, "work.operations");

	(void)state;
	assert_in_range(sent, 2, 6);
	assert_int_equal(sent + at(report, "work.dropped"), 50);
	assert_int_equal(fake.users_most, 1);
	/* The second was due at 10 ms and sent at 100 ms: the target's time, not the driver's. */
	assert_true(at(report, "latency.response.max_seconds") > 0.25);
	assert_true(at(report, "latency.service.max_seconds") < 0.25);
	assert_true(at(report, "late_seconds_max") < 0.08);
	json_decref(report);
}

static void a_driver_that_sleeps_is_late(void **state)
{
	struct fake fake = {.service_ns = MS};
	struct phase phases[] = {open_phase(first, 200, 100, 300 * MS)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	struct load *load = begun(&plan);
	json_t *report;

	(void)state;
	run_for(load, 50 * MS);
	usleep(120000);
	run_for(load, PATIENCE_S * SECOND);
	report = load_report(load);
	/* What was due meanwhile is sent all the same. */
	assert_int_equal(at(report, "work.operations"), 60);
	assert_true(at(report, "late_seconds_max") > 0.1);
	assert_true(at(report, "latency.response.max_seconds") > 0.1);
	json_decref(report);
	load_free(load);
}

/* --- closed loop ---------------------------------------------------------------------- */

static void iterations_are_counted_for_each_user(void **state)
{
	struct fake fake = {.service_ns = MS};
	struct phase phases[] = {closed_phase(first, 5, 60 * SECOND)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	json_t *report;

	(void)state;
	phases[0].executor = EXECUTOR_PER_VU_ITERATIONS;
	phases[0].iterations = 20;
	report = run(&plan);
	assert_int_equal(at(report, "work.operations"), 100);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fake.by_user[i], 20);
	json_decref(report);
}

/* Done before begin() has returned: the engine goes round, and does not grow a stack. */
static void requests_that_are_done_at_once_go_on(void **state)
{
	struct fake fake = {.service_ns = 0};
	struct phase phases[] = {closed_phase(first, 3, 60 * SECOND)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	json_t *report;

	(void)state;
	phases[0].executor = EXECUTOR_PER_VU_ITERATIONS;
	phases[0].iterations = 20000;
	report = run(&plan);
	assert_int_equal(at(report, "work.operations"), 60000);
	json_decref(report);
}

static void users_wait_between_their_requests(void **state)
{
	struct load_class class = {"users", 1, 20 * MS, 40 * MS, NULL, 0};
	struct fake fake = {.service_ns = MS};
	struct phase phases[] = {closed_phase(first, 4, 60 * SECOND)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	uint64_t from = clock_now_ns();
	json_t *report;

	(void)state;
	phases[0].executor = EXECUTOR_PER_VU_ITERATIONS;
	phases[0].iterations = 10;
	plan.classes = &class;
	report = run(&plan);
	assert_int_equal(at(report, "work.operations"), 40);
	/* Nine waits of 30 ms on average, ten answers of 1 ms. */
	assert_true(clock_now_ns() - from >= 9 * 20 * MS);
	assert_true(at(report, "latency.response.p50_seconds") < 0.015);
	json_decref(report);
}

static void users_come_and_go_with_the_ramp(void **state)
{
	struct phase_stage stages[] = {{100 * MS, 10}, {100 * MS, 10}, {100 * MS, 2}};
	struct fake fake = {.service_ns = 2 * MS};
	struct phase phases[] = {closed_phase(first, 0, 300 * MS)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	struct load *load;

	(void)state;
	phases[0].executor = EXECUTOR_RAMPING_VUS;
	phases[0].stages = stages;
	phases[0].n_stages = 3;
	load = begun(&plan);
	run_for(load, 50 * MS);
	assert_in_range(fake.users, 2, 9);
	run_for(load, 100 * MS);
	assert_int_equal(fake.users, 10);
	run_for(load, PATIENCE_S * SECOND);
	assert_true(load_is_finished(load));
	assert_int_equal(fake.users_most, 10);
	assert_int_equal(fake.users, 0);
	/* The last one to come was there for a third of the time or so. */
	assert_true(fake.by_user[0] > fake.by_user[9]);
	load_free(load);
}

static void phases_of_all_kinds_follow_one_another(void **state)
{
	struct fake fake = {.service_ns = MS};
	struct phase phases[] = {closed_phase(first, 8, 60 * MS),
				 open_phase(second, 500, 4, 60 * MS),
				 closed_phase(third, 6, 60 * SECOND)};
	struct load_plan plan = plan_of(&fake, phases, 3);
	json_t *report;

	(void)state;
	phases[2].executor = EXECUTOR_PER_VU_ITERATIONS;
	phases[2].iterations = 7;
	report = run(&plan);
	assert_true(at(report, "phases.0.operations") > 50);
	assert_int_equal(at(report, "phases.1.operations") + at(report, "phases.1.dropped"), 30);
	assert_int_equal(at(report, "phases.2.operations"), 42);
	assert_int_equal(fake.users_most, 8);
	json_decref(report);
}

/* --- what is drawn ---------------------------------------------------------------------- */

static const struct load_kind kinds[] = {{"a", 10}, {"b", 3}, {"c", 2}, {"d", 1}};

static void kinds_are_drawn_by_weight_and_seed(void **state)
{
	struct fake *fake = calloc(3, sizeof(*fake));
	struct phase phases[] = {open_phase(first, 20000, 4, 100 * MS)};
	struct load_plan plan = plan_of(fake, phases, 1);

	(void)state;
	plan.kinds = kinds;
	plan.n_kinds = 4;
	for (int i = 0; i < 3; i++) {
		plan.context = &fake[i];
		plan.seed = i < 2 ? 7 : 8;
		json_decref(run(&plan));
		assert_int_equal(fake[i].begun, 2000);
		/* 1,250, 375, 250, 125: within four standard deviations. */
		assert_in_range(fake[i].by_kind[0], 1250 - 87, 1250 + 87);
		assert_in_range(fake[i].by_kind[1], 375 - 70, 375 + 70);
		assert_in_range(fake[i].by_kind[2], 250 - 59, 250 + 59);
		assert_in_range(fake[i].by_kind[3], 125 - 43, 125 + 43);
	}
	assert_memory_equal(fake[0].drawn, fake[1].drawn, 2000 * sizeof(fake->drawn[0]));
	assert_memory_not_equal(fake[0].drawn, fake[2].drawn, 2000 * sizeof(fake->drawn[0]));
	free(fake);
}

/* Two of three users are readers, who draw from a and b only. */
static void classes_share_out_users(void **state)
{
	static const size_t readers[] = {0, 1}, writers[] = {3};
	static const struct load_class classes[] = {{"readers", 2, 0, 0, readers, 2},
						    {"writers", 1, 0, 0, writers, 1}};
	struct fake fake = {.service_ns = MS};
	struct phase phases[] = {closed_phase(first, 9, 60 * SECOND)};
	struct load_plan plan = plan_of(&fake, phases, 1);

	(void)state;
	phases[0].executor = EXECUTOR_PER_VU_ITERATIONS;
	phases[0].iterations = 5;
	plan.kinds = kinds;
	plan.n_kinds = 4;
	plan.classes = classes;
	plan.n_classes = 2;
	json_decref(run(&plan));
	assert_int_equal(fake.by_kind[0] + fake.by_kind[1], 30);
	assert_int_equal(fake.by_kind[2], 0);
	assert_int_equal(fake.by_kind[3], 15);
}

/* --- what goes wrong ---------------------------------------------------------------------- */

static void what_takes_too_long_is_given_up(void **state)
{
	struct fake fake = {.service_ns = UINT64_MAX};
	struct phase phases[] = {open_phase(first, 100, 100, 100 * MS)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	json_t *report;

	(void)state;
	plan.timeout_ns = 50 * MS;
	report = run(&plan);
	assert_int_equal(at(report, "work.operations"), 0);
	assert_int_equal(at(report, "errors.timeout"), 10);
	assert_int_equal(fake.given_up, 10);
	json_decref(report);
}

static void what_is_not_answered_is_told_once_the_window_is_closed(void **state)
{
	struct fake fake = {.service_ns = UINT64_MAX};
	struct phase phases[] = {open_phase(first, 100, 6, 100 * MS)};
	struct load_plan plan = plan_of(&fake, phases, 1);
	struct load *load = begun(&plan);
	uint64_t from = clock_now_ns();
	json_t *report;

	(void)state;
	load_window_open(load, from - MS, 100 * MS);
	run_for(load, 55 * MS);
	report = load_report(load);
	assert_int_equal(at(report, "work.errors"), 0);
	json_decref(report);
	load_window_close(load, clock_now_ns());
	assert_false(load_is_drained(load));
	for (int i = 0; i < 2; i++) {
		report = load_report(load);
		assert_true(at(report, "errors.unanswered") >= 4);
		assert_int_equal(at(report, "errors.unanswered"), at(report, "work.errors"));
		assert_int_equal(at(report, "work.errors"), fake.begun);
		json_decref(report);
	}
	load_free(load);
	assert_int_equal(fake.users, 0);
	assert_int_equal(fake.given_up, fake.begun);
	load_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_loop_sends_exactly_what_is_due),
		cmocka_unit_test(what_finds_no_user_waits_and_is_dropped_at_the_end),
		cmocka_unit_test(a_driver_that_sleeps_is_late),
		cmocka_unit_test(iterations_are_counted_for_each_user),
		cmocka_unit_test(requests_that_are_done_at_once_go_on),
		cmocka_unit_test(users_wait_between_their_requests),
		cmocka_unit_test(users_come_and_go_with_the_ramp),
		cmocka_unit_test(phases_of_all_kinds_follow_one_another),
		cmocka_unit_test(kinds_are_drawn_by_weight_and_seed),
		cmocka_unit_test(classes_share_out_users),
		cmocka_unit_test(what_takes_too_long_is_given_up),
		cmocka_unit_test(what_is_not_answered_is_told_once_the_window_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
