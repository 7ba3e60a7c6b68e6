/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The faults of a round, with a host made here: processes that sleep, and helpers that are forked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault/fault.h"
#include "fault/idle.h"
#include "fault/proxy.h"
#include "util/clock.h"
#include "util/file.h"

#define SELF "/perfbpf" /* the helper's program: it is not run, but forked */

struct world {
	char folder[64];
	struct scenario *scenario;
	struct journal *journal;
	struct faults *faults;
	struct fault_host host;
	struct victim {
		const char *name;
		pid_t pid; /* 0: does not run */
	} victims[2];
	unsigned int restarts, began, ended;
	bool no_spawn;
	pid_t spawned; /* last */
	char port[8], proxy_port[8];
	struct variable variables[2];
};

/* --- the host --------------------------------------------------------------------- */

static char state_of(pid_t pid)
{
	struct process_stat stat;

	return process_stat_read(pid, &stat) ? '-' : stat.state;
}

static void await_state(pid_t pid, char state)
{
	for (int i = 0; i < 5000 && state_of(pid) != state; i++)
		usleep(1000);
	assert_int_equal(state_of(pid), state);
}

/* It and a child of its, both asleep. */
static pid_t sleeper(bool ignores_hup)
{
	int pipes[2];
	pid_t pid, child;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ignores_hup)
			signal(SIGHUP, SIG_IGN);
		child = fork();
		if (!child)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (child && write(pipes[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(pipes[0], &child, sizeof(child)), sizeof(child));
	close(pipes[0]);
	close(pipes[1]);
	await_state(pid, 'S');
	await_state(child, 'S');
	return pid;
}

static struct victim *find_victim(struct world *world, const char *name)
{
	for (size_t i = 0; i < 2; i++)
		if (world->victims[i].name && !strcmp(world->victims[i].name, name))
			return &world->victims[i];
	return NULL;
}

static int pids_of(void *context, const char *component, pid_t *pids, size_t max)
{
	const struct victim *victim = find_victim(context, component);
	struct process tree[16];
	size_t n, at = 1;

	if (!victim)
		return -ENOENT;
	n = victim->pid ? process_tree(victim->pid, tree, 16) : 0;
	for (size_t i = 0; i < n; i++) {
		if (tree[i].pid == victim->pid)
			pids[0] = tree[i].pid;
		else if (at < max)
			pids[at++] = tree[i].pid;
	}
	return (int)(n < max ? n : max);
}

static int number_after(char *const *argv, const char *name)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, name))
			return atoi(argv[1]);
	return 0;
}

static int spawn(void *context, char *const *argv, const int *fds, size_t n_fds, pid_t *pid,
		 struct error *err)
{
	struct world *world = context;

	if (world->no_spawn)
		return error_set(err, EXIT_CODE_FAILED, "no more processes");
	*pid = world->spawned = fork();
	if (*pid)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < n_fds; i++)
		dup2(fds[i], 100 + (int)i);
	close_range(3, 99, 0);
	close_range(100 + (unsigned int)n_fds, ~0U, 0);
	for (size_t i = 0; i < n_fds; i++)
		dup2(100 + (int)i, (int)i);
	close_range(100, ~0U, 0);
	if (strcmp(argv[0], SELF) != 0)
		execv(argv[0], argv);
	else if (!strcmp(argv[1], "proxy"))
		_exit(proxy_serve(argv[3], argv[5], 3, NULL));
	else
		_exit(idle_serve(argv[3], number_after(argv, "--count"), 3, NULL));
	_exit(127);
}

static bool ended(void *context, pid_t pid, int *status)
{
	(void)context;
	return waitpid(pid, status, WNOHANG) != 0;
}

static void end(void *context, pid_t pid)
{
	(void)context;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int restart(void *context, const char *component, struct error *err)
{
	struct world *world = context;
	struct victim *victim = find_victim(world, component);

	(void)err;
	waitpid(victim->pid, NULL, 0);
	victim->pid = sleeper(false);
	world->restarts++;
	return 0;
}

static void told(void *context, const char *fault, uint64_t at_ns, bool is_end)
{
	struct world *world = context;

	assert_non_null(fault);
	assert_true(at_ns <= clock_now_ns());
	world->began += !is_end;
	world->ended += is_end;
}

static const struct yaml_schema empty_schema = {.name = "none", .size = 1};

static const struct yaml_schema *schema_of(const char *driver)
{
	return strcmp(driver, "none") != 0 ? NULL : &empty_schema;
}

/* --- a round ------------------------------------------------------------------------ */

static struct world *open_world(const char *faults, const char *proxies)
{
	struct world *world = calloc(1, sizeof(*world));
	struct error err = {0};
	char text[4096];

	assert_non_null(world);
	snprintf(text, sizeof(text),
		 "driver: none\n"
		 "phases: [{name: m, role: measured, duration: 1s}]\n"
		 "components: [{name: db, command: [x]}]\n"
		 "%sfaults:\n%s",
		 proxies, faults);
	world->scenario = scenario_load_memory("s", text, strlen(text), schema_of, &err);
	if (!world->scenario)
		fail_msg("%s", err.text);
	strcpy(world->folder, "/tmp/perfbpf-test-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	world->journal = journal_open(world->folder, &err);
	if (!world->journal)
		fail_msg("%s", err.text);
	world->host = (struct fault_host){.context = world,
					  .pids_of = pids_of,
					  .spawn = spawn,
					  .ended = ended,
					  .end = end,
					  .restart = restart,
					  .told = told};
	return world;
}

static void open_faults(struct world *world)
{
	struct fault_options options = {.scenario = world->scenario,
					.host = &world->host,
					.journal = world->journal,
					.variables = world->variables,
					.n_variables = 2,
					.private_dir = world->folder,
					.log_fd = -1,
					.program = SELF};
	struct error err = {0};

	world->variables[0] = (struct variable){"port.db", world->port};
	world->variables[1] = (struct variable){"port.slow", world->proxy_port};
	world->faults = faults_open(&options, &err);
	if (!world->faults)
		fail_msg("%s", err.text);
}

static void begin(struct world *world)
{
	open_faults(world);
	faults_phase(world->faults, 0, clock_now_ns());
}

static void step(struct world *world)
{
	struct pollfd fd = {.fd = faults_fd(world->faults), .events = POLLIN};
	struct error err = {0};

	assert_true(faults_next_ns(world->faults) != UINT64_MAX);
	poll(&fd, 1, 5);
	if (faults_step(world->faults, clock_now_ns(), &err))
		fail_msg("%s", err.text);
}

static void run_to_end(struct world *world)
{
	uint64_t until_ns = clock_now_ns() + 10 * NSEC_PER_SEC;

	while (!faults_are_over(world->faults)) {
		step(world);
		assert_true(clock_now_ns() < until_ns);
	}
	assert_true(faults_next_ns(world->faults) == UINT64_MAX);
}

static void step_until_verified(struct world *world)
{
	uint64_t until_ns = clock_now_ns() + 5 * NSEC_PER_SEC;

	while (!faults_result(world->faults, 0).verified) {
		step(world);
		assert_true(clock_now_ns() < until_ns);
	}
}

static void close_world(struct world *world)
{
	faults_close(world->faults);
	assert_int_equal(journal_n_open(world->journal), 0);
	journal_close(world->journal);
	for (size_t i = 0; i < 2; i++) {
		if (!world->victims[i].pid)
			continue;
		kill(world->victims[i].pid, SIGKILL);
		waitpid(world->victims[i].pid, NULL, 0);
	}
	scenario_free(world->scenario);
	assert_int_equal(dir_remove(world->folder), 0);
	free(world);
}

/* --- tests ---------------------------------------------------------------------------- */

static void stopped_for_a_time(void **state)
{
	struct world *world = open_world(
		"  - {name: a, kind: signal, signal: STOP, at: 100ms, for: 200ms}\n", "");
	uint64_t start_ns = clock_now_ns();
	struct fault_result result;

	(void)state;
	world->victims[0] = (struct victim){"target", sleeper(false)};
	begin(world);
	assert_true(faults_next_ns(world->faults) >= start_ns + 100 * NSEC_PER_MSEC);
	step(world);
	step_until_verified(world);
	assert_int_equal(state_of(world->victims[0].pid), 'T');
	assert_int_equal(journal_n_open(world->journal), 1);
	assert_int_equal(world->began, 1);
	run_to_end(world);
	await_state(world->victims[0].pid, 'S');
	result = faults_result(world->faults, 0);
	assert_true(result.verified && result.undone);
	assert_null(result.error);
	/* It and its child. */
	assert_int_equal(result.affected, 2);
	assert_string_equal(result.component, "target");
	assert_true(result.verified_at_ns >= result.applied_at_ns);
	assert_true(result.applied_at_ns >= start_ns + 100 * NSEC_PER_MSEC);
	assert_true(result.ended_at_ns >= start_ns + 300 * NSEC_PER_MSEC);
	assert_int_equal(world->ended, 1);
	assert_false(faults_have_ended(world->faults, "target"));
	close_world(world);
}

static void killed_and_restarted(void **state)
{
	struct world *world =
		open_world("  - {name: a, kind: signal, signal: KILL, component: db, restart: true,"
			   " for: 200ms}\n",
			   "");
	struct fault_result result;
	pid_t first;

	(void)state;
	world->victims[0] = (struct victim){"target", sleeper(false)};
	world->victims[1] = (struct victim){"db", first = sleeper(false)};
	begin(world);
	run_to_end(world);
	result = faults_result(world->faults, 0);
	assert_null(result.error);
	assert_true(result.verified && result.undone);
	assert_true(result.ended_at_ns > result.applied_at_ns);
	assert_int_equal(world->restarts, 1);
	assert_int_not_equal(world->victims[1].pid, first);
	assert_int_equal(state_of(world->victims[0].pid), 'S');
	/* It runs again: should it end now, that is its own doing. */
	assert_false(faults_have_ended(world->faults, "db"));
	assert_false(faults_have_ended(world->faults, "target"));
	close_world(world);
}

static void leader_is_asked(void **state)
{
	struct world *world = open_world(
		"  - {name: a, kind: signal, signal: KILL, leader: [printf, 'd%s\\nx', b]}\n"
		"  - {name: b, kind: signal, signal: KILL, leader: [echo, nobody]}\n"
		"  - {name: c, kind: signal, signal: KILL, leader: ['true']}\n"
		"  - {name: d, kind: signal, signal: KILL, leader: [no-such-program]}\n",
		"");

	(void)state;
	world->victims[0] = (struct victim){"target", sleeper(false)};
	world->victims[1] = (struct victim){"db", sleeper(false)};
	begin(world);
	run_to_end(world);
	assert_null(faults_result(world->faults, 0).error);
	assert_true(faults_result(world->faults, 0).verified);
	assert_string_equal(faults_result(world->faults, 0).component, "db");
	assert_int_equal(faults_result(world->faults, 0).ended_at_ns, 0);
	assert_non_null(strstr(faults_result(world->faults, 1).error, "'nobody'"));
	assert_non_null(strstr(faults_result(world->faults, 2).error, "named no component"));
	assert_non_null(strstr(faults_result(world->faults, 3).error, "'no-such-program'"));
	for (size_t i = 1; i < 4; i++) {
		assert_true(faults_result(world->faults, i).undone);
		assert_false(faults_result(world->faults, i).verified);
		assert_int_equal(faults_result(world->faults, i).applied_at_ns, 0);
	}
	assert_int_equal(state_of(world->victims[0].pid), 'S');
	close_world(world);
}

static void without_effect(void **state)
{
	struct world *world =
		open_world("  - {name: a, kind: signal, signal: HUP}\n"
			   "  - {name: b, kind: signal, signal: STOP, component: db}\n",
			   "");

	(void)state;
	world->victims[0] = (struct victim){"target", sleeper(true)};
	world->victims[1] = (struct victim){"db", 0};
	begin(world);
	run_to_end(world);
	assert_non_null(strstr(faults_result(world->faults, 0).error, "ignores SIGHUP"));
	assert_false(faults_result(world->faults, 0).verified);
	assert_non_null(strstr(faults_result(world->faults, 1).error, "no process"));
	close_world(world);
}

/* What another has stopped is not continued by the end of a fault. */
static void stopped_by_another(void **state)
{
	struct world *world =
		open_world("  - {name: a, kind: signal, signal: STOP, for: 100ms}\n", "");
	struct process tree[4];
	size_t n;

	(void)state;
	world->victims[0] = (struct victim){"target", sleeper(false)};
	n = process_tree(world->victims[0].pid, tree, 4);
	for (size_t i = 0; i < n; i++)
		kill(tree[i].pid, SIGSTOP);
	for (size_t i = 0; i < n; i++)
		await_state(tree[i].pid, 'T');
	begin(world);
	run_to_end(world);
	assert_non_null(faults_result(world->faults, 0).error);
	assert_int_equal(state_of(world->victims[0].pid), 'T');
	close_world(world);
}

static void round_ends_early(void **state)
{
	struct world *world =
		open_world("  - {name: a, kind: signal, signal: STOP}\n"
			   "  - {name: b, kind: cpu, at: 900ms}\n"
			   "  - {name: c, kind: signal, signal: KILL, component: db, restart: true,"
			   " for: 900ms}\n",
			   "");

	(void)state;
	world->victims[0] = (struct victim){"target", sleeper(false)};
	world->victims[1] = (struct victim){"db", sleeper(false)};
	begin(world);
	step_until_verified(world);
	assert_int_equal(state_of(world->victims[0].pid), 'T');
	assert_int_equal(faults_undo_all(world->faults), 0);
	await_state(world->victims[0].pid, 'S');
	assert_null(faults_result(world->faults, 0).error);
	assert_non_null(strstr(faults_result(world->faults, 1).error, "before its time"));
	/* What is about to be ended is not started. */
	assert_int_equal(world->restarts, 0);
	assert_true(faults_are_over(world->faults));
	close_world(world);
}

static void helpers_that_fail(void **state)
{
	struct world *world =
		open_world("  - {name: a, kind: cpu}\n"
			   "  - {name: b, kind: connections, count: 5, address: '127.0.0.1:9'}\n",
			   "");
	char *path = strdup(getenv("PATH"));

	(void)state;
	world->no_spawn = true;
	setenv("PATH", "/nonexistent", 1);
	begin(world);
	run_to_end(world);
	setenv("PATH", path, 1);
	free(path);
	assert_non_null(strstr(faults_result(world->faults, 0).error, "install"));
	assert_string_equal(faults_result(world->faults, 1).error, "no more processes");
	assert_true(faults_result(world->faults, 1).undone);
	close_world(world);
}

/* A listening socket on a port that is told in @port. */
static int listener(char *port, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 512), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	snprintf(port, size, "%d", ntohs(address.sin_port));
	return fd;
}

static int connect_to(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(port)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void idle_connections(void **state)
{
	struct world *world = open_world("  - {name: a, kind: connections, count: 100, for: 300ms,"
					 " address: '127.0.0.1:${port.db}'}\n",
					 "");
	int fd = listener(world->port, sizeof(world->port)), taken[100];
	struct fault_result result;
	char byte;

	(void)state;
	begin(world);
	step_until_verified(world);
	for (int i = 0; i < 100; i++)
		taken[i] = accept(fd, NULL, NULL);
	assert_int_equal(recv(taken[99], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	run_to_end(world);
	result = faults_result(world->faults, 0);
	assert_null(result.error);
	assert_int_equal(result.affected, 100);
	/* All of them have been let go. */
	for (int i = 0; i < 100; i++) {
		assert_int_equal(recv(taken[i], &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(taken[i]);
	}
	close(fd);
	close_world(world);
}

static void nobody_listens(void **state)
{
	struct world *world = open_world("  - {name: a, kind: connections, count: 3, for: 300ms,"
					 " address: '127.0.0.1:${port.db}'}\n",
					 "");

	(void)state;
	close(listener(world->port, sizeof(world->port)));
	begin(world);
	run_to_end(world);
	assert_false(faults_result(world->faults, 0).verified);
	assert_true(faults_result(world->faults, 0).undone);
	assert_non_null(strstr(faults_result(world->faults, 0).error, "0 of 3"));
	close_world(world);
}

/* Sends a byte there and back, and says how long that took. */
static uint64_t trip_ns(int client, int server)
{
	uint64_t start_ns = clock_now_ns();
	char byte = 'x';

	assert_int_equal(send(client, &byte, 1, 0), 1);
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	assert_int_equal(send(server, &byte, 1, 0), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	return clock_now_ns() - start_ns;
}

#define PROXIES "proxies: [{name: slow, to: '127.0.0.1:${port.db}'}]\n"

static void proxy_delays(void **state)
{
	struct world *world = open_world("  - {name: a, kind: proxy, proxy: slow, effect: delay,"
					 " delay: 40ms, at: 10ms, for: 300ms}\n"
					 "  - {name: b, kind: proxy, proxy: slow, effect: stall,"
					 " at: 400ms, for: 100ms}\n",
					 PROXIES);
	int fd = listener(world->port, sizeof(world->port)), client, server;
	struct fault_result result;
	uint64_t plain_ns;

	(void)state;
	close(listener(world->proxy_port, sizeof(world->proxy_port)));
	begin(world);
	client = connect_to(world->proxy_port);
	server = accept(fd, NULL, NULL);
	plain_ns = trip_ns(client, server);
	step_until_verified(world);
	assert_true(trip_ns(client, server) >= 40 * NSEC_PER_MSEC);
	assert_true(trip_ns(client, server) >= 40 * NSEC_PER_MSEC);
	run_to_end(world);
	assert_true(plain_ns < 40 * NSEC_PER_MSEC);
	assert_true(trip_ns(client, server) < 40 * NSEC_PER_MSEC);
	result = faults_result(world->faults, 0);
	assert_null(result.error);
	assert_true(result.verified && result.undone);
	assert_int_equal(result.met, 2);
	assert_int_equal(result.affected, 2);
	/* The stall met the connection that there was. */
	assert_int_equal(faults_result(world->faults, 1).affected, 1);
	assert_true(faults_result(world->faults, 1).verified);
	close(client);
	close(server);
	close(fd);
	close_world(world);
}

static void proxy_meets_nothing(void **state)
{
	struct world *world = open_world(
		"  - {name: a, kind: proxy, proxy: slow, effect: reset, for: 50ms}\n", PROXIES);

	(void)state;
	close(listener(world->port, sizeof(world->port)));
	close(listener(world->proxy_port, sizeof(world->proxy_port)));
	begin(world);
	run_to_end(world);
	assert_false(faults_result(world->faults, 0).verified);
	assert_true(faults_result(world->faults, 0).undone);
	assert_non_null(strstr(faults_result(world->faults, 0).error, "met nothing"));
	close_world(world);
}

static void proxy_that_ends(void **state)
{
	struct world *world = open_world(
		"  - {name: a, kind: proxy, proxy: slow, effect: stall, at: 900ms}\n", PROXIES);
	struct error err = {0};

	(void)state;
	close(listener(world->port, sizeof(world->port)));
	close(listener(world->proxy_port, sizeof(world->proxy_port)));
	begin(world);
	kill(world->spawned, SIGKILL);
	await_state(world->spawned, 'Z');
	assert_int_equal(faults_step(world->faults, clock_now_ns(), &err), -1);
	assert_non_null(strstr(err.text, "proxy 'slow' has ended"));
	/* Told once. */
	assert_int_equal(faults_step(world->faults, clock_now_ns(), &err), 0);
	close_world(world);
}

/* A megabyte each way at once, through a proxy that is delayed, stalled and narrowed meanwhile. */
static void nothing_is_lost(void **state)
{
	static unsigned char sent[1 << 20], back[2][1 << 20];
	struct world *world = open_world(
		"  - {name: a, kind: proxy, proxy: slow, effect: delay, delay: 5ms, for: 300ms}\n"
		"  - {name: b, kind: proxy, proxy: slow, effect: stall, at: 300ms, for: 200ms}\n"
		"  - {name: c, kind: proxy, proxy: slow, effect: bandwidth, bandwidth: 8MiB,"
		" at: 500ms, for: 300ms}\n",
		PROXIES);
	int fd = listener(world->port, sizeof(world->port)), ends[2];
	size_t out[2] = {0}, in[2] = {0};
	uint64_t until_ns = clock_now_ns() + 20 * NSEC_PER_SEC;

	(void)state;
	close(listener(world->proxy_port, sizeof(world->proxy_port)));
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (unsigned char)(i * 2654435761U >> 13);
	begin(world);
	ends[0] = connect_to(world->proxy_port);
	ends[1] = accept(fd, NULL, NULL);
	while (in[0] < sizeof(sent) || in[1] < sizeof(sent) || !faults_are_over(world->faults)) {
		struct error err;

		assert_true(clock_now_ns() < until_ns);
		assert_int_equal(faults_step(world->faults, clock_now_ns(), &err), 0);
		for (int i = 0; i < 2; i++) {
			/* Little at a time, so that all effects meet some of it. */
			size_t n = sizeof(sent) - out[i] < 4096 ? sizeof(sent) - out[i] : 4096;
			ssize_t done = send(ends[i], sent + out[i], n, MSG_DONTWAIT);

			out[i] += done > 0 ? (size_t)done : 0;
			done = recv(ends[i], back[i] + in[i], sizeof(sent) - in[i], MSG_DONTWAIT);
			in[i] += done > 0 ? (size_t)done : 0;
		}
		usleep(1500);
	}
	for (int i = 0; i < 2; i++)
		assert_memory_equal(back[i], sent, sizeof(sent));
	for (size_t i = 0; i < 3; i++)
		assert_null(faults_result(world->faults, i).error);
	/* The end of one side passes, and the other still speaks. */
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(recv(ends[1], back[0], 1, 0), 0);
	assert_int_equal(send(ends[1], "y", 1, 0), 1);
	assert_int_equal(recv(ends[0], back[0], 1, 0), 1);
	close(ends[0]);
	close(ends[1]);
	close(fd);
	close_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_for_a_time),  cmocka_unit_test(killed_and_restarted),
		cmocka_unit_test(leader_is_asked),     cmocka_unit_test(without_effect),
		cmocka_unit_test(stopped_by_another),  cmocka_unit_test(round_ends_early),
		cmocka_unit_test(helpers_that_fail),   cmocka_unit_test(idle_connections),
		cmocka_unit_test(nobody_listens),      cmocka_unit_test(proxy_delays),
		cmocka_unit_test(proxy_meets_nothing), cmocka_unit_test(proxy_that_ends),
		cmocka_unit_test(nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
