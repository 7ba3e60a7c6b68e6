/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A virtual user: what it draws, the request that it has under way, the files that it watches. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "drive/load/load_internal.h"
#include "util/clock.h"
#include "util/random.h"

/* --- shares ------------------------------------------------------------------------ */

/* Each user in turn gets the class that lacks most: any first n users are shared out fairly. */
static void share_users(struct load *load, double *given)
{
	const struct load_plan *plan = &load->plan;
	double total = load->class_ends[plan->n_classes - 1];

	for (unsigned int i = 0; i < load->users_max; i++) {
		size_t best = 0;
		double lacks = -1;

		for (size_t j = 0; j < plan->n_classes; j++) {
			double share = plan->classes[j].weight / total * (i + 1.0);

			if (share - given[j] > lacks + 1e-9) {
				lacks = share - given[j];
				best = j;
			}
		}
		given[best]++;
		load->class_of[i] = (uint16_t)best;
	}
}

static size_t class_kinds(const struct load *load, size_t class)
{
	const struct load_class *c = &load->plan.classes[class];

	return c->n_kinds ? c->n_kinds : load->plan.n_kinds;
}

static size_t class_kind(const struct load *load, size_t class, size_t i)
{
	const struct load_class *c = &load->plan.classes[class];

	return c->n_kinds ? c->kinds[i] : i;
}

int load_shares_make(struct load *load)
{
	const struct load_plan *plan = &load->plan;
	double sum = 0, *given = calloc(plan->n_classes, sizeof(*given));

	load->class_of = calloc((size_t)load->users_max + 1, sizeof(*load->class_of));
	load->class_ends = calloc(plan->n_classes, sizeof(*load->class_ends));
	load->kind_ends = calloc(plan->n_classes, sizeof(*load->kind_ends));
	for (size_t i = 0; load->kind_ends && i < plan->n_classes; i++) {
		load->kind_ends[i] = calloc(class_kinds(load, i), sizeof(double));
		if (!load->kind_ends[i])
			goto failed;
		sum = 0;
		for (size_t j = 0; j < class_kinds(load, i); j++)
			load->kind_ends[i][j] = sum += plan->kinds[class_kind(load, i, j)].weight;
	}
	if (!given || !load->class_of || !load->class_ends || !load->kind_ends)
		goto failed;
	sum = 0;
	for (size_t i = 0; i < plan->n_classes; i++)
		load->class_ends[i] = sum += plan->classes[i].weight;
	share_users(load, given);
	free(given);
	return 0;
failed:
	free(given);
	return -1;
}

void load_shares_free(struct load *load)
{
	for (size_t i = 0; load->kind_ends && i < load->plan.n_classes; i++)
		free(load->kind_ends[i]);
	free(load->kind_ends);
	free(load->class_ends);
	free(load->class_of);
}

/* Which of @n stretches that end at @ends a random point falls into. */
static size_t draw(uint64_t *random, const double *ends, size_t n)
{
	double at;
	size_t i = 0;

	if (n == 1)
		return 0;
	at = (double)(random_next(random) >> 11) * 0x1p-53 * ends[n - 1];
	while (i < n - 1 && at >= ends[i])
		i++;
	return i;
}

/* --- its life ----------------------------------------------------------------------- */

struct load_user *load_user_new(struct load *load, unsigned int number, struct error *err)
{
	struct load_user *user = calloc(1, sizeof(*user) + load->plan.protocol->user_size);

	if (!user) {
		error_set(err, EXIT_CODE_FAILED,
			  "no memory for another user beside %u; set fewer vus or maxVUs",
			  load->n_users);
		return NULL;
	}
	if (number == UINT_MAX) {
		while (load->users[load->lowest_free])
			load->lowest_free++;
		number = load->lowest_free;
	}
	user->load = load;
	user->number = number;
	user->iterated_phase = SIZE_MAX;
	load->users[number] = user;
	load->n_users++;
	return user;
}

void load_user_close(struct load_user *user)
{
	struct load *load = user->load;

	load->plan.protocol->close(load->plan.context, user);
	while (user->watches)
		load_unwatch(user, user->watches->fd);
	load->users[user->number] = NULL;
	load->n_users--;
	if (user->number < load->lowest_free)
		load->lowest_free = user->number;
	free(user);
}

void *load_user_state(struct load_user *user)
{
	return user->state_of_protocol;
}

unsigned int load_user_number(const struct load_user *user)
{
	return user->number;
}

uint64_t load_user_iteration(const struct load_user *user)
{
	return user->iterations - 1;
}

uint64_t load_user_random(struct load_user *user)
{
	return random_next(&user->random);
}

/* --- the request under way ------------------------------------------------------------ */

/* As it begins, it is the newest; so the oldest is the first to run out of time. */
static void put_under_way(struct load_user *user)
{
	struct load *load = user->load;

	user->older = load->newest;
	user->newer = NULL;
	*(load->newest ? &load->newest->newer : &load->oldest) = user;
	load->newest = user;
	load->n_under_way++;
}

static void take_from_under_way(struct load_user *user)
{
	struct load *load = user->load;

	*(user->older ? &user->older->newer : &load->oldest) = user->newer;
	*(user->newer ? &user->newer->older : &load->newest) = user->older;
	load->n_under_way--;
}

static int begin(struct load_user *user, uint64_t intended_ns, uint64_t now_ns, struct error *err)
{
	struct load *load = user->load;
	size_t drawn =
		draw(&user->random, load->kind_ends[user->class], class_kinds(load, user->class));

	if (user->iterated_phase != load->phase) {
		user->iterated_phase = load->phase;
		user->phase_iterations = 0;
	}
	user->iterations++;
	user->phase_iterations++;
	user->state = USER_BUSY;
	user->phase = load->phase;
	user->kind = class_kind(load, user->class, drawn);
	user->intended_ns = intended_ns;
	user->begun_ns = now_ns;
	user->deadline_ns = now_ns + load->plan.timeout_ns;
	user->is_done = user->is_disowned = false;
	put_under_way(user);
	return load->plan.protocol->begin(load->plan.context, user, user->kind, err);
}

/* The numbers of the request that is the @i-th of @whose: the same in each run of a seed. */
static uint64_t numbers_of(const struct load *load, uint64_t whose, uint64_t i)
{
	return random_mix(load->plan.seed * RANDOM_STEP ^ random_mix(whose + 1)) ^
	       random_mix(i + RANDOM_STEP);
}

int load_user_begin_arrival(struct load_user *user, uint64_t i, uint64_t intended_ns,
			    uint64_t now_ns, struct error *err)
{
	struct load *load = user->load;

	user->random = numbers_of(load, UINT64_MAX / 2 + load->phase, i);
	user->class = draw(&user->random, load->class_ends, load->plan.n_classes);
	return begin(user, intended_ns, now_ns, err);
}

int load_user_begin_next(struct load_user *user, struct error *err)
{
	uint64_t now_ns = clock_now_ns();

	user->random = numbers_of(user->load, user->number, user->iterations);
	user->class = user->load->class_of[user->number];
	return begin(user, now_ns, now_ns, err);
}

uint64_t load_user_wait_ns(struct load_user *user)
{
	const struct load_class *class = &user->load->plan.classes[user->class];
	uint64_t span = class->wait_max_ns - class->wait_min_ns;

	if (!span)
		return class->wait_min_ns;
	return class->wait_min_ns + random_next(&user->random) % (span + 1);
}

void load_sent(struct load_user *user)
{
	user->begun_ns = clock_now_ns();
}

void load_count(struct load_user *user, const char *name, uint64_t n)
{
	if (user->state == USER_BUSY && !user->is_disowned)
		tally_count(user->load->tally, name, n, user->intended_ns);
}

void load_user_end(struct load_user *user, const struct load_outcome *outcome, uint64_t now_ns)
{
	struct load *load = user->load;
	struct tally_request request = {
		.phase = user->phase,
		.kind = user->kind,
		.intended_ns = user->intended_ns,
		.begun_ns = outcome->begun_ns ? outcome->begun_ns : user->begun_ns,
		.ended_ns = outcome->ended_ns ? outcome->ended_ns : now_ns,
		.error = outcome->error,
		.bytes = outcome->bytes,
		.rows = outcome->rows,
	};

	if (user->state != USER_BUSY || user->is_done)
		return;
	user->is_done = true;
	if (!user->is_disowned)
		tally_add(load->tally, &request);
	take_from_under_way(user);
	user->next = NULL;
	*(load->done_last ? &load->done_last->next : &load->done_first) = user;
	load->done_last = user;
}

void load_done(struct load_user *user, const struct load_outcome *outcome)
{
	load_user_end(user, outcome, outcome->ended_ns ? 0 : clock_now_ns());
}

struct load_user *load_user_take_done(struct load *load)
{
	struct load_user *user = load->done_first;

	if (!user)
		return NULL;
	load->done_first = user->next;
	if (!load->done_first)
		load->done_last = NULL;
	return user;
}

/* --- files -------------------------------------------------------------------------- */

static struct watch *find_watch(const struct load_user *user, int fd)
{
	struct watch *watch = user->watches;

	while (watch && watch->fd != fd)
		watch = watch->next;
	return watch;
}

int load_watch(struct load_user *user, int fd, uint32_t events)
{
	struct load *load = user->load;
	struct watch *watch = find_watch(user, fd);
	struct epoll_event event = {.events = events};

	if (watch) {
		event.data.ptr = watch;
		return epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
	}
	watch = load->watches_free;
	if (watch)
		load->watches_free = watch->next;
	else
		watch = malloc(sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	event.data.ptr = watch;
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		int error = errno;

		watch->next = load->watches_free;
		load->watches_free = watch;
		return -error;
	}
	*watch = (struct watch){.user = user, .fd = fd, .next = user->watches};
	user->watches = watch;
	return 0;
}

void load_unwatch(struct load_user *user, int fd)
{
	struct load *load = user->load;
	struct watch *watch = find_watch(user, fd), **at = &user->watches;

	if (!watch)
		return;
	epoll_ctl(load->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	while (*at != watch)
		at = &(*at)->next;
	*at = watch->next;
	watch->user = NULL;
	watch->next = load->watches_dead;
	load->watches_dead = watch;
}

void load_bury_watches(struct load *load)
{
	while (load->watches_dead) {
		struct watch *watch = load->watches_dead;

		load->watches_dead = watch->next;
		watch->next = load->watches_free;
		load->watches_free = watch;
	}
}
