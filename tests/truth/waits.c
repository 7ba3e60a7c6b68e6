/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * waits ROUNDS [--tick MS]: threads that each wait in one way. Once a tick (default 50 ms)
 * the first thread gives each of them what it waits for; after ROUNDS of that all end. A
 * thread's name is its way; its `reason` is where that time belongs, and `waited_seconds` is
 * from before to after the calls that wait.
 */
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "workers.h"

struct wait;

struct plan {
	long rounds;
	uint64_t tick_ns;
};

/* A way to wait, and how what is waited for is given. */
struct way {
	const char *name, *reason;
	void (*prepare)(struct wait *wait); /* NULL: nothing is needed */
	void (*once)(struct wait *wait);    /* waits one round */
	void (*give)(struct wait *wait);    /* NULL: it ends by itself */
};

/* One thread that waits. */
struct wait {
	const struct plan *plan;
	const struct way *way;
	int fds[2];
	uint64_t began_ns; /* the present wait */
	uint32_t given, taken;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	sem_t semaphore;
	pthread_t thread;
};

/* --- sockets and pipes ------------------------------------------------------------------ */

static void make_sockets(struct wait *wait)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wait->fds) < 0)
		truth_die("socketpair");
}

static void make_tcp(struct wait *wait)
{
	struct net_place place = {.path = NULL};
	int listener = net_listen(&place);

	wait->fds[1] = net_connect(&place, 0, NULL);
	wait->fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (wait->fds[0] < 0)
		truth_die("accept");
	close(listener);
}

static void make_pipe(struct wait *wait)
{
	if (pipe2(wait->fds, O_CLOEXEC) < 0)
		truth_die("pipe");
}

static void read_byte(struct wait *wait)
{
	char byte;

	if (read(wait->fds[0], &byte, 1) != 1)
		truth_die("cannot read");
}

static void write_byte(struct wait *wait)
{
	if (write(wait->fds[1], "", 1) != 1)
		truth_die("cannot write");
}

static void poll_byte(struct wait *wait)
{
	struct pollfd fd = {.fd = wait->fds[0], .events = POLLIN};

	if (poll(&fd, 1, -1) != 1)
		truth_die("poll");
	read_byte(wait);
}

static void select_byte(struct wait *wait)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(wait->fds[0], &set);
	if (select(wait->fds[0] + 1, &set, NULL, NULL, NULL) != 1)
		truth_die("select");
	read_byte(wait);
}

static void epoll_byte(struct wait *wait)
{
	static _Thread_local int epoll = -1;
	struct epoll_event event = {.events = EPOLLIN};

	if (epoll < 0) {
		epoll = epoll_create1(EPOLL_CLOEXEC);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, wait->fds[0], &event) < 0)
			truth_die("epoll_ctl");
	}
	if (epoll_wait(epoll, &event, 1, -1) != 1)
		truth_die("epoll_wait");
	read_byte(wait);
}

/* fds: the listener, and its port. */
static void make_listener(struct wait *wait)
{
	struct net_place place = {.path = NULL};

	wait->fds[0] = net_listen(&place);
	wait->fds[1] = (int)place.port;
}

static void accept_one(struct wait *wait)
{
	int fd = accept4(wait->fds[0], NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		truth_die("accept");
	close(fd);
}

static void connect_one(struct wait *wait)
{
	struct net_place place = {.port = wait->fds[1]};

	close(net_connect(&place, 0, NULL));
}

/* A pipe that is full: who writes has to wait until somebody reads. */
static void make_full_pipe(struct wait *wait)
{
	static char page[TRUTH_PAGE];

	make_pipe(wait);
	net_nonblocking(wait->fds[1]);
	while (write(wait->fds[1], page, sizeof(page)) > 0)
		;
	if (fcntl(wait->fds[1], F_SETFL, 0) < 0)
		truth_die("fcntl");
}

static void write_page(struct wait *wait)
{
	static const char page[TRUTH_PAGE];

	if (write(wait->fds[1], page, sizeof(page)) != (ssize_t)sizeof(page))
		truth_die("cannot write");
}

static void read_page(struct wait *wait)
{
	char page[TRUTH_PAGE];

	if (read(wait->fds[0], page, sizeof(page)) != (ssize_t)sizeof(page))
		truth_die("cannot read");
}

/* --- other threads ---------------------------------------------------------------------- */

/* Not at 2 or below: that is what a mutex holds. */
static void make_futex(struct wait *wait)
{
	wait->given = wait->taken = 100;
}

static void futex_wait(struct wait *wait)
{
	while (__atomic_load_n(&wait->given, __ATOMIC_ACQUIRE) == wait->taken)
		syscall(SYS_futex, &wait->given, FUTEX_WAIT_PRIVATE, wait->taken, NULL, NULL, 0);
	wait->taken++;
}

static void futex_wake(struct wait *wait)
{
	__atomic_fetch_add(&wait->given, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &wait->given, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void cond_wait(struct wait *wait)
{
	pthread_mutex_lock(&wait->mutex);
	while (wait->given == wait->taken)
		pthread_cond_wait(&wait->cond, &wait->mutex);
	wait->taken++;
	pthread_mutex_unlock(&wait->mutex);
}

static void cond_signal(struct wait *wait)
{
	pthread_mutex_lock(&wait->mutex);
	wait->given++;
	pthread_mutex_unlock(&wait->mutex);
	pthread_cond_signal(&wait->cond);
}

static void make_semaphore(struct wait *wait)
{
	sem_init(&wait->semaphore, 0, 0);
}

static void semaphore_wait(struct wait *wait)
{
	while (sem_wait(&wait->semaphore) < 0)
		;
}

static void semaphore_post(struct wait *wait)
{
	sem_post(&wait->semaphore);
}

/* The first thread has the mutex all the time, but for a moment once a tick. */
static void make_locked(struct wait *wait)
{
	pthread_mutex_lock(&wait->mutex);
}

static void mutex_wait(struct wait *wait)
{
	pthread_mutex_lock(&wait->mutex);
	wait->taken++;
	pthread_mutex_unlock(&wait->mutex);
	while (__atomic_load_n(&wait->given, __ATOMIC_ACQUIRE) != wait->taken)
		truth_sleep_ns(100000);
}

static void mutex_lend(struct wait *wait)
{
	uint32_t taken = wait->taken;

	pthread_mutex_unlock(&wait->mutex);
	while (__atomic_load_n(&wait->taken, __ATOMIC_ACQUIRE) == taken)
		truth_sleep_ns(100000);
	pthread_mutex_lock(&wait->mutex);
	__atomic_fetch_add(&wait->given, 1, __ATOMIC_RELEASE);
}

/* --- timers and the rest ---------------------------------------------------------------- */

static void sleep_tick(struct wait *wait)
{
	truth_sleep_ns(wait->plan->tick_ns);
}

static void poll_tick(struct wait *wait)
{
	poll(NULL, 0, (int)(wait->plan->tick_ns / 1000000));
}

static void signal_wait(struct wait *wait)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	wait->thread = pthread_self();
	sigwaitinfo(&set, NULL);
}

static void signal_send(struct wait *wait)
{
	pthread_kill(wait->thread, SIGUSR1);
}

static void child_wait(struct wait *wait)
{
	pid_t pid = truth_fork();

	if (pid == 0) {
		truth_sleep_ns(wait->plan->tick_ns);
		_exit(0);
	}
	/* To fork is work: 1 ms of it on a slow machine. */
	wait->began_ns = truth_now_ns();
	truth_wait(pid);
}

static const struct way ways[] = {
	{"w-futex", "futex", make_futex, futex_wait, futex_wake},
	{"w-cond", "futex", NULL, cond_wait, cond_signal},
	{"w-semaphore", "futex", make_semaphore, semaphore_wait, semaphore_post},
	{"w-mutex", "lock", make_locked, mutex_wait, mutex_lend},
	{"w-socket", "socket", make_sockets, read_byte, write_byte},
	{"w-tcp", "socket", make_tcp, read_byte, write_byte},
	{"w-accept", "socket", make_listener, accept_one, connect_one},
	{"w-poll", "socket", make_tcp, poll_byte, write_byte},
	{"w-select", "socket", make_sockets, select_byte, write_byte},
	{"w-epoll", "socket", make_tcp, epoll_byte, write_byte},
	{"w-pipe", "pipe", make_pipe, read_byte, write_byte},
	{"w-pipe-full", "pipe", make_full_pipe, write_page, read_page},
	{"w-pipe-poll", "pipe", make_pipe, poll_byte, write_byte},
	{"w-sleep", "timer", NULL, sleep_tick, NULL},
	{"w-timeout", "timer", NULL, poll_tick, NULL},
	{"w-signal", "other", NULL, signal_wait, signal_send},
	{"w-child", "other", NULL, child_wait, NULL},
};

#define N_WAYS ((long)(sizeof(ways) / sizeof(ways[0])))

static void wait_all(struct worker *worker)
{
	struct wait *wait = worker->context;

	net_exact_timers();
	for (long i = 0; i < wait->plan->rounds; i++) {
		wait->began_ns = truth_now_ns();
		wait->way->once(wait);
		worker->waited_ns += truth_now_ns() - wait->began_ns;
	}
}

static void give_all(const struct plan *plan, struct wait *waits)
{
	uint64_t next_ns = truth_now_ns();

	for (long i = 0; i < plan->rounds; i++) {
		next_ns += plan->tick_ns;
		net_sleep_until(next_ns);
		for (long j = 0; j < N_WAYS; j++) {
			if (ways[j].give)
				ways[j].give(&waits[j]);
		}
	}
}

static void prepare_all(const struct plan *plan, struct wait *waits, struct worker *workers)
{
	for (long i = 0; i < N_WAYS; i++) {
		waits[i].plan = plan;
		waits[i].way = &ways[i];
		pthread_mutex_init(&waits[i].mutex, NULL);
		pthread_cond_init(&waits[i].cond, NULL);
		if (ways[i].prepare)
			ways[i].prepare(&waits[i]);
		workers[i] = (struct worker){.name = ways[i].name,
					     .reason = ways[i].reason,
					     .work = wait_all,
					     .context = &waits[i]};
	}
}

int main(int argc, char **argv)
{
	struct worker workers[N_WAYS];
	struct wait waits[N_WAYS] = {0};
	struct net_text text = {.length = 0};
	struct plan plan;
	sigset_t set;

	truth_start(&argc, argv);
	plan.tick_ns =
		(uint64_t)(truth_number(truth_option(&argc, argv, "--tick", "50"), 1e4) * 1e6);
	if (argc < 2)
		truth_usage("ROUNDS [--tick MS] [--truth FILE]");
	plan.rounds = truth_count(argv[1], 1000);
	alarm((unsigned int)TRUTH_MAX_SEC);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	net_exact_timers();
	prepare_all(&plan, waits, workers);
	workers_start(workers, N_WAYS);
	give_all(&plan, waits);
	workers_join(workers, N_WAYS);
	net_append(&text, "{\"pid\": %d", getpid());
	workers_append(&text, workers, N_WAYS);
	truth_print("%s}", text.text);
	return 0;
}
