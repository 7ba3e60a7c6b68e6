/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/looker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <time.h>

#include "probe/stacks.h"
#include "stats/stats.h"
#include "util/clock.h"

#define STACK_BYTES (256 * 1024)

struct looker {
	struct probe *probe;
	uint64_t period_ns;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool wanted, leaves;
	uint64_t random;
	uint64_t from_ns, periods; /* periods since then that a look has stood for */
	uint32_t stride;
	uint64_t looks;
	int failed;
};

/* One moment in each period, anywhere in it: no rhythm of the target's can keep step. */
static uint64_t next_ns(struct looker *looker)
{
	return looker->from_ns + looker->periods * looker->period_ns +
	       stats_random_u64(&looker->random) % looker->period_ns;
}

static void look(struct looker *looker)
{
	uint64_t now = clock_now_ns();
	uint64_t periods = (now - looker->from_ns) / looker->period_ns + 1;
	/* Of the periods in which it did not run, the next look tells too. */
	uint64_t weight_ns = (periods - looker->periods) * looker->period_ns;
	int failed;

	looker->periods = periods;
	looker->looks++;
	failed = probe_offcpu_look(looker->probe, now, weight_ns, looker->stride);
	if (!looker->failed)
		looker->failed = failed;
}

/* Waits for @at_ns, or until something has changed. False: it has. */
static bool wait_until(struct looker *looker, uint64_t at_ns)
{
	struct timespec at = {(time_t)(at_ns / NSEC_PER_SEC), (long)(at_ns % NSEC_PER_SEC)};
	uint64_t from_ns = looker->from_ns;
	int rc = 0;

	while (looker->wanted && !looker->leaves && looker->from_ns == from_ns && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&looker->changed, &looker->lock, &at);
	return looker->wanted && !looker->leaves && looker->from_ns == from_ns;
}

/* Before others, whenever it wants to run, which is seldom and short. Where that is refused, later;
 * programs that perfbpf starts do not inherit it. */
static void take_right_of_way(void)
{
	struct sched_param param = {.sched_priority = 1};

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

/* Capabilities are each thread's own. */
static void give_up_rights(void)
{
	cap_t none = cap_init();

	if (none)
		cap_set_proc(none);
	cap_free(none);
}

static void *work(void *context)
{
	struct looker *looker = context;
	bool has_rights = true;

	take_right_of_way();
	pthread_mutex_lock(&looker->lock);
	while (!looker->leaves) {
		if (!looker->wanted) {
			pthread_cond_wait(&looker->changed, &looker->lock);
			continue;
		}
		/* Not before: threads that are not alike cannot become another user together. */
		if (has_rights)
			give_up_rights();
		has_rights = false;
		if (wait_until(looker, next_ns(looker)))
			look(looker);
	}
	pthread_mutex_unlock(&looker->lock);
	return NULL;
}

/* All signals are the first thread's. 0 or an errno. */
static int start_thread(struct looker *looker)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int failed;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&looker->thread, &attr, work, looker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return failed;
}

struct looker *looker_new(struct probe *probe, uint64_t period_ns)
{
	struct looker *looker = calloc(1, sizeof(*looker));
	pthread_condattr_t attr;

	if (!looker)
		return NULL;
	looker->probe = probe;
	looker->period_ns = period_ns;
	looker->random = clock_now_ns();
	looker->stride = 1;
	pthread_mutex_init(&looker->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&looker->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (!start_thread(looker))
		return looker;
	pthread_cond_destroy(&looker->changed);
	pthread_mutex_destroy(&looker->lock);
	free(looker);
	return NULL;
}

void looker_free(struct looker *looker)
{
	if (!looker)
		return;
	pthread_mutex_lock(&looker->lock);
	looker->leaves = true;
	pthread_cond_signal(&looker->changed);
	pthread_mutex_unlock(&looker->lock);
	pthread_join(looker->thread, NULL);
	pthread_cond_destroy(&looker->changed);
	pthread_mutex_destroy(&looker->lock);
	free(looker);
}

void looker_begin(struct looker *looker, uint64_t from_ns)
{
	if (!looker)
		return;
	pthread_mutex_lock(&looker->lock);
	looker->wanted = true;
	looker->from_ns = from_ns;
	looker->periods = 0;
	looker->failed = 0;
	pthread_cond_signal(&looker->changed);
	pthread_mutex_unlock(&looker->lock);
}

int looker_end(struct looker *looker)
{
	int failed;

	if (!looker)
		return 0;
	pthread_mutex_lock(&looker->lock);
	looker->wanted = false;
	failed = looker->failed;
	pthread_cond_signal(&looker->changed);
	pthread_mutex_unlock(&looker->lock);
	return failed;
}

uint64_t looker_take(struct looker *looker, uint32_t stride)
{
	uint64_t looks;

	if (!looker)
		return 0;
	pthread_mutex_lock(&looker->lock);
	looks = looker->looks;
	looker->looks = 0;
	looker->stride = stride;
	pthread_mutex_unlock(&looker->lock);
	return looks;
}
