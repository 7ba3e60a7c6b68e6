/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loop: which request begins when. What a user is, load_user.c says. */
#include "drive/load/load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drive/load/load_internal.h"
#include "util/clock.h"

/* So many requests begin in one step at most: the conductor's word must come through. */
#define BEGINS_MAX 1024
/* As long as events come at once the loop goes on by itself, for this long. */
#define STEP_NS NSEC_PER_MSEC

/* --- its life ----------------------------------------------------------------------- */

static int open_loop_fds(struct load *load)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	load->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return load->epoll_fd < 0 || load->timer_fd < 0 ||
			       epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, load->timer_fd, &event)
		       ? -1
		       : 0;
}

static int make(struct load *load)
{
	const struct load_plan *plan = &load->plan;
	const char **names = calloc(plan->n_kinds + 1, sizeof(*names));

	for (size_t i = 0; names && i < plan->n_kinds; i++)
		names[i] = plan->kinds[i].name;
	load->schedule = schedule_new(plan->phases, plan->n_phases);
	if (names)
		load->tally = tally_new(plan->phases, plan->n_phases, names, plan->n_kinds);
	free(names);
	if (!load->schedule || !load->tally)
		return -1;
	load->users_max = schedule_users_max(load->schedule);
	load->users = calloc((size_t)load->users_max + 1, sizeof(*load->users));
	return load->users ? load_shares_make(load) : -1;
}

struct load *load_new(const struct load_plan *plan, struct error *err)
{
	struct load *load = calloc(1, sizeof(*load));

	if (!load) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	load->plan = *plan;
	load->epoll_fd = load->timer_fd = -1;
	load->armed_ns = load->wanted_change_ns = load->next_due_ns = UINT64_MAX;
	if (make(load))
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	else if (open_loop_fds(load))
		error_set(err, EXIT_CODE_FAILED, "cannot open a timer: %s", strerror(errno));
	else
		return load;
	load_free(load);
	return NULL;
}

void load_free(struct load *load)
{
	if (!load)
		return;
	for (unsigned int i = 0; load->users && i < load->users_max; i++) {
		struct load_user *user = load->users[i];

		if (!user)
			continue;
		if (user->state == USER_BUSY && !user->is_done)
			load->plan.protocol->give_up(load->plan.context, user);
		load_user_close(user);
	}
	load_bury_watches(load);
	while (load->watches_free) {
		struct watch *watch = load->watches_free;

		load->watches_free = watch->next;
		free(watch);
	}
	load_shares_free(load);
	wakes_clear(&load->wakes);
	tally_free(load->tally);
	schedule_free(load->schedule);
	free(load->users);
	if (load->timer_fd >= 0)
		close(load->timer_fd);
	if (load->epoll_fd >= 0)
		close(load->epoll_fd);
	free(load);
}

int load_fd(const struct load *load)
{
	return load->epoll_fd;
}

/* --- users --------------------------------------------------------------------------- */

static bool is_open_loop(const struct load *load)
{
	return load->is_started && load_phase_now(load) && phase_is_open_loop(load_phase_now(load));
}

/* How many users there may be now. */
static unsigned int users_allowed(const struct load *load)
{
	return is_open_loop(load) ? (unsigned int)load_phase_now(load)->max_vus : load->wanted;
}

static void make_idle(struct load_user *user)
{
	struct load *load = user->load;

	user->state = USER_IDLE;
	user->next = load->idle;
	load->idle = user;
}

static bool has_done_iterations(const struct load_user *user)
{
	const struct phase *phase = load_phase_now(user->load);

	return phase && phase->executor == EXECUTOR_PER_VU_ITERATIONS &&
	       user->iterated_phase == user->load->phase &&
	       user->phase_iterations >= (uint64_t)phase->iterations;
}

/* The user has no request. A closed loop's next one begins now, or after its wait. */
static int go_on(struct load_user *user, bool waits, struct error *err)
{
	struct load *load = user->load;
	uint64_t wait_ns;

	if (user->number >= users_allowed(load)) {
		load_user_close(user);
		return 0;
	}
	if (is_open_loop(load)) {
		if (!load->idle && load->n_users >= users_allowed(load))
			load->all_busy_until_ns = clock_now_ns();
		make_idle(user);
		return 0;
	}
	if (has_done_iterations(user)) {
		user->state = USER_IDLE;
		load->n_finished++;
		return 0;
	}
	wait_ns = waits ? load_user_wait_ns(user) : 0;
	if (!wait_ns)
		return load_user_begin_next(user, err);
	user->state = USER_WAITING;
	user->wake_ns = clock_now_ns() + wait_ns;
	if (wakes_add(&load->wakes, user->wake_ns, user->number))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	return 0;
}

/* Users [from, to) of a closed loop: they begin where they are not there or idle. */
static int begin_users(struct load *load, unsigned int from, unsigned int to, struct error *err)
{
	for (unsigned int i = from; i < to; i++) {
		struct load_user *user = load->users[i];

		if (user && user->state != USER_IDLE)
			continue;
		if (!user)
			user = load_user_new(load, i, err);
		if (!user || go_on(user, false, err))
			return -1;
	}
	return 0;
}

/* Users from @from on that have nothing under way go. */
static void end_users(struct load *load, unsigned int from)
{
	for (unsigned int i = from; i < load->users_max; i++)
		if (load->users[i] && load->users[i]->state != USER_BUSY)
			load_user_close(load->users[i]);
}

static int adjust_users(struct load *load, uint64_t now_ns, struct error *err)
{
	uint64_t at_ns = now_ns - load->start_ns;
	unsigned int before = load->wanted;

	load->wanted = schedule_users(load->schedule, at_ns);
	load->wanted_change_ns = schedule_users_change_ns(load->schedule, at_ns);
	if (load->wanted_change_ns != UINT64_MAX)
		load->wanted_change_ns += load->start_ns;
	if (load->wanted < before)
		end_users(load, load->wanted);
	return load->wanted > before ? begin_users(load, before, load->wanted, err) : 0;
}

static int wake_users(struct load *load, uint64_t now_ns, struct error *err)
{
	while (wakes_next_ns(&load->wakes) <= now_ns) {
		struct wake wake = wakes_take(&load->wakes);
		struct load_user *user = load->users[wake.user];

		/* It went, or another phase has begun. */
		if (!user || user->state != USER_WAITING || user->wake_ns != wake.at_ns)
			continue;
		tally_late(load->tally, load->phase, wake.at_ns, clock_now_ns() - wake.at_ns);
		if (load_user_begin_next(user, err))
			return -1;
	}
	return 0;
}

/* Requests that have run out of time, the oldest first. */
static void give_up_late(struct load *load, uint64_t now_ns)
{
	static const struct load_outcome timeout = {.error = "timeout"};

	while (load->oldest && load->oldest->deadline_ns <= now_ns) {
		struct load_user *user = load->oldest;

		load->plan.protocol->give_up(load->plan.context, user);
		load_user_end(user, &timeout, now_ns);
	}
}

/* Those that are done go on, which can be done at once again. */
static int settle(struct load *load, unsigned int *budget, struct error *err)
{
	struct load_user *user;

	while (*budget && (user = load_user_take_done(load))) {
		--*budget;
		if (go_on(user, true, err))
			return -1;
	}
	return 0;
}

/* --- open loop ------------------------------------------------------------------------ */

void load_next_arrival(struct load *load, uint64_t i)
{
	load->next_arrival = i;
	load->next_due_ns =
		i < schedule_arrivals(load->schedule, load->phase)
			? load->start_ns + schedule_arrival_ns(load->schedule, load->phase, i)
			: UINT64_MAX;
}

static bool has_free_user(const struct load *load)
{
	return load->idle || load->n_users < users_allowed(load);
}

static struct load_user *take_free_user(struct load *load, struct error *err)
{
	struct load_user *user = load->idle;

	if (!user)
		return load_user_new(load, UINT_MAX, err);
	load->idle = user->next;
	return user;
}

/* What is due and finds a free user goes out. Its lateness is the driver's own since one was free.
 */
static int dispatch(struct load *load, uint64_t now_ns, unsigned int *budget, struct error *err)
{
	while (load->next_due_ns <= now_ns && has_free_user(load) && *budget) {
		uint64_t due_ns = load->next_due_ns, i = load->next_arrival;
		uint64_t free_ns = due_ns, begun_ns = clock_now_ns();
		struct load_user *user = take_free_user(load, err);

		if (!user)
			return -1;
		if (free_ns < load->all_busy_until_ns)
			free_ns = load->all_busy_until_ns;
		if (begun_ns > free_ns)
			tally_late(load->tally, load->phase, due_ns, begun_ns - free_ns);
		if (load_user_begin_arrival(user, i, due_ns, begun_ns, err))
			return -1;
		load_next_arrival(load, i + 1);
		--*budget;
	}
	return 0;
}

/* All of it; users that are done at once are free again. */
static int dispatch_all(struct load *load, uint64_t now_ns, unsigned int *budget, struct error *err)
{
	do {
		if (settle(load, budget, err) || dispatch(load, now_ns, budget, err))
			return -1;
	} while (load->done_first && load->next_due_ns <= now_ns && *budget);
	return 0;
}

/* Arrivals of the phase that found no user are not sent any more. */
static void drop_waiting(struct load *load)
{
	while (load->next_due_ns != UINT64_MAX) {
		tally_dropped(load->tally, load->phase, load->next_due_ns);
		load_next_arrival(load, load->next_arrival + 1);
	}
}

/* --- phases --------------------------------------------------------------------------- */

static uint64_t phase_end_ns(const struct load *load)
{
	if (load->phase >= load->plan.n_phases)
		return UINT64_MAX;
	return load->start_ns + schedule_phase_begin_ns(load->schedule, load->phase + 1);
}

/* Everybody who has nothing under way is looked at anew, by the phase's own rules. */
static int enter_phase(struct load *load, uint64_t begin_ns, struct error *err)
{
	load->idle = NULL;
	load->wakes.n = 0;
	load->n_finished = 0;
	load->all_busy_until_ns = 0;
	load->next_due_ns = UINT64_MAX;
	load->wanted = 0;
	if (is_open_loop(load)) {
		load_next_arrival(load, 0);
		load->wanted_change_ns = UINT64_MAX;
	} else if (adjust_users(load, begin_ns, err)) {
		return -1;
	}
	end_users(load, users_allowed(load));
	for (unsigned int i = 0; i < load->users_max; i++) {
		struct load_user *user = load->users[i];

		if (!user || user->state == USER_BUSY)
			continue;
		if (is_open_loop(load))
			make_idle(user);
		else if (user->state == USER_WAITING &&
			 wakes_add(&load->wakes, user->wake_ns, user->number))
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	return 0;
}

/* Phases that have ended; of the one that ends, what is due and has a user still goes out. */
static int change_phase(struct load *load, uint64_t now_ns, unsigned int *budget, struct error *err)
{
	while (now_ns >= phase_end_ns(load) && *budget) {
		uint64_t end_ns = phase_end_ns(load);

		if (is_open_loop(load)) {
			if (dispatch_all(load, end_ns, budget, err))
				return -1;
			if (!*budget)
				return 0;
			drop_waiting(load);
		}
		load->phase++;
		if (enter_phase(load, end_ns, err))
			return -1;
	}
	return 0;
}

/* --- the loop ------------------------------------------------------------------------- */

static int advance(struct load *load, unsigned int *budget, struct error *err)
{
	uint64_t now_ns = clock_now_ns();

	if (now_ns < load->start_ns)
		return 0;
	give_up_late(load, now_ns);
	if (settle(load, budget, err) || change_phase(load, now_ns, budget, err))
		return -1;
	if (now_ns >= load->wanted_change_ns && adjust_users(load, now_ns, err))
		return -1;
	if (wake_users(load, now_ns, err))
		return -1;
	if (is_open_loop(load) && dispatch_all(load, now_ns, budget, err))
		return -1;
	return settle(load, budget, err);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The next moment at which there is something to do of which no file tells; 0: now. */
static uint64_t next_moment(const struct load *load)
{
	uint64_t at_ns = phase_end_ns(load);

	if (load->done_first)
		return 0;
	if (has_free_user(load))
		at_ns = earlier(at_ns, load->next_due_ns);
	if (load->oldest)
		at_ns = earlier(at_ns, load->oldest->deadline_ns);
	at_ns = earlier(at_ns, load->wanted_change_ns);
	return earlier(at_ns, wakes_next_ns(&load->wakes));
}

/* Setting it takes back that it has gone off. */
static void arm(struct load *load, uint64_t at_ns)
{
	struct itimerspec spec = {{0, 0}, {0, 0}};

	if (at_ns == load->armed_ns)
		return;
	load->armed_ns = at_ns;
	if (at_ns != UINT64_MAX) {
		spec.it_value.tv_sec = (time_t)(at_ns / NSEC_PER_SEC);
		/* 0 would turn it off. */
		spec.it_value.tv_nsec = (long)(at_ns % NSEC_PER_SEC) + (at_ns == 0);
	}
	timerfd_settime(load->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void note_rate(struct load *load, uint64_t now_ns)
{
	uint64_t good = tally_good(load->tally);

	if (now_ns - load->rate_at_ns < NSEC_PER_SEC)
		return;
	load->rate = (double)(good - load->rate_good) * 1e9 / (double)(now_ns - load->rate_at_ns);
	load->rate_at_ns = now_ns;
	load->rate_good = good;
}

static int handle(struct load *load, const struct epoll_event *events, int n, unsigned int *budget,
		  struct error *err)
{
	for (int i = 0; i < n; i++) {
		const struct watch *watch = events[i].data.ptr;

		if (!watch || !watch->user)
			continue;
		if (load->plan.protocol->ready(load->plan.context, watch->user, watch->fd,
					       events[i].events, err) ||
		    settle(load, budget, err))
			return -1;
		/* What is due meanwhile does not wait for the rest of them. */
		if (load->next_due_ns != UINT64_MAX && dispatch(load, clock_now_ns(), budget, err))
			return -1;
	}
	return 0;
}

int load_step(struct load *load, struct error *err)
{
	struct epoll_event events[LOAD_EVENTS_MAX];
	uint64_t until_ns = clock_now_ns() + STEP_NS;
	unsigned int budget = BEGINS_MAX;
	int n, rc;

	do {
		n = epoll_wait(load->epoll_fd, events, LOAD_EVENTS_MAX, 0);
		if (n < 0 && errno != EINTR)
			return error_set(err, EXIT_CODE_FAILED, "epoll_wait: %s", strerror(errno));
		rc = handle(load, events, n, &budget, err);
		load_bury_watches(load);
		if (!rc && load->is_started)
			rc = advance(load, &budget, err);
		load_bury_watches(load);
	} while (!rc && n > 1 && budget && clock_now_ns() < until_ns);
	if (load->is_started) {
		note_rate(load, clock_now_ns());
		arm(load, next_moment(load));
	}
	return rc;
}

void load_start(struct load *load, uint64_t at_ns)
{
	load->is_started = true;
	load->start_ns = load->rate_at_ns = at_ns;
	load->phase = 0;
	tally_start(load->tally, at_ns);
	/* The first step enters the first phase. */
	load->wanted_change_ns = at_ns;
	if (is_open_loop(load))
		load_next_arrival(load, 0);
	arm(load, at_ns);
}
