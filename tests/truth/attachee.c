/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * attachee THREADS CHILDREN --truth FILE [--duty PERCENT]: a running tree to attach
 * to. Threads of its own, children, and below the first child a grandchild, each burns
 * PERCENT (default 20) of the time.
 *
 * SIGUSR2  all stop burning and sleep; the tree's CPU time so far is noted, and the
 *          file FILE.marked is made: now is the time to attach
 * SIGUSR1  all burn again, and two children more are forked
 * SIGTERM  all end; the truth is written: the cost of the tree since the mark
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "truth.h"

#define MAX_CHILDREN 256
#define CYCLE_NS     10000000ULL

/* In memory that all processes share. */
struct shared {
	atomic_int paused;   /* a futex: burners sleep while it is 1 */
	atomic_int sleeping; /* burners that do */
	atomic_int burners;
	atomic_int stop;
	pid_t grandchild;
};

struct tree {
	struct shared *shared;
	uint64_t duty_ns;
	int n_children;
	pid_t children[MAX_CHILDREN];
	double marked_cpu_seconds;
};

static void pause_while_asked(struct shared *shared)
{
	if (!atomic_load(&shared->paused))
		return;
	atomic_fetch_add(&shared->sleeping, 1);
	while (atomic_load(&shared->paused))
		syscall(SYS_futex, &shared->paused, FUTEX_WAIT, 1, NULL, NULL, 0);
	atomic_fetch_sub(&shared->sleeping, 1);
}

static void *burn_in_cycles(void *argument)
{
	struct tree *tree = argument;
	uint64_t end_ns = truth_now_ns() + (uint64_t)(TRUTH_MAX_SEC * 1e9);

	atomic_fetch_add(&tree->shared->burners, 1);
	while (!atomic_load(&tree->shared->stop) && truth_now_ns() < end_ns) {
		pause_while_asked(tree->shared);
		truth_burn_cpu(tree->duty_ns);
		truth_sleep_ns(CYCLE_NS - tree->duty_ns);
	}
	atomic_fetch_sub(&tree->shared->burners, 1);
	return NULL;
}

/* A child that burns, with @below processes like it under it. */
static pid_t start_child(struct tree *tree, int below)
{
	sigset_t none;
	pid_t pid = truth_fork(), child = 0;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (below) {
		child = start_child(tree, below - 1);
		tree->shared->grandchild = child;
	}
	burn_in_cycles(tree);
	if (child)
		truth_wait(child);
	_exit(0);
}

static void add_child(struct tree *tree, int below)
{
	if (tree->n_children == MAX_CHILDREN)
		return;
	tree->children[tree->n_children++] = start_child(tree, below);
}

static double process_cpu_seconds(pid_t pid)
{
	clockid_t clock;

	errno = clock_getcpuclockid(pid, &clock);
	if (errno)
		truth_die("clock_getcpuclockid(%d)", pid);
	return (double)truth_clock_ns(clock) / 1e9;
}

static void wait_until_equal(const atomic_int *a, const atomic_int *b)
{
	for (int i = 0; i < 5000 && atomic_load(a) != atomic_load(b); i++)
		truth_sleep_ns(1000000);
	truth_sleep_ns(20000000); /* until the last of them has gone to sleep in the kernel */
}

static void mark(struct tree *tree, const char *truth)
{
	char path[4096];
	int fd;

	atomic_store(&tree->shared->paused, 1);
	wait_until_equal(&tree->shared->sleeping, &tree->shared->burners);
	snprintf(path, sizeof(path), "%s.marked", truth);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		truth_die("cannot write %s", path);
	close(fd);
	tree->marked_cpu_seconds = process_cpu_seconds(tree->shared->grandchild);
	for (int i = 0; i < tree->n_children; i++)
		tree->marked_cpu_seconds += process_cpu_seconds(tree->children[i]);
	tree->marked_cpu_seconds += process_cpu_seconds(0);
}

static void go(struct tree *tree)
{
	atomic_store(&tree->shared->paused, 0);
	syscall(SYS_futex, &tree->shared->paused, FUTEX_WAKE, 1 << 20, NULL, NULL, 0);
	add_child(tree, 0);
	add_child(tree, 0);
}

static void serve_signals(struct tree *tree, const char *truth)
{
	struct signalfd_siginfo signal;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		truth_die("signalfd");
	while (read(fd, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		if (signal.ssi_signo == SIGUSR2)
			mark(tree, truth);
		else if (signal.ssi_signo == SIGUSR1)
			go(tree);
		else
			return;
	}
	truth_die("signalfd");
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void tell(const struct tree *tree, long threads)
{
	struct rusage children = truth_rusage(RUSAGE_CHILDREN), own = truth_rusage(RUSAGE_SELF);
	double all = truth_cpu_seconds(&own) + truth_cpu_seconds(&children);

	truth_print("{\"pid\": %d, \"threads\": %ld, \"processes\": %d, "
		    "\"cpu_seconds_before\": %.6f, \"cpu_seconds\": %.6f}",
		    getpid(), threads, tree->n_children + 2, tree->marked_cpu_seconds,
		    all - tree->marked_cpu_seconds);
}

int main(int argc, char **argv)
{
	const char *truth = NULL;
	struct tree tree = {0};
	pthread_t threads[64];
	long n_threads, n_children;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--truth") == 0)
			truth = argv[i + 1];
	}
	truth_start(&argc, argv);
	tree.duty_ns = (uint64_t)(truth_number(truth_option(&argc, argv, "--duty", "20"), 90) *
				  (double)CYCLE_NS / 100);
	if (argc < 3 || !truth)
		truth_usage("THREADS CHILDREN --truth FILE [--duty PERCENT]");
	n_threads = truth_count(argv[1], 64);
	n_children = truth_count(argv[2], 64);
	tree.shared =
		mmap(NULL, TRUTH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tree.shared == MAP_FAILED)
		truth_die("mmap");
	block_signals();
	alarm((unsigned int)TRUTH_MAX_SEC);
	for (long i = 0; i < n_children; i++)
		add_child(&tree, i == 0);
	for (long i = 0; i < n_threads; i++) {
		errno = pthread_create(&threads[i], NULL, burn_in_cycles, &tree);
		if (errno)
			truth_die("pthread_create");
	}
	serve_signals(&tree, truth);
	atomic_store(&tree.shared->stop, 1);
	atomic_store(&tree.shared->paused, 0);
	syscall(SYS_futex, &tree.shared->paused, FUTEX_WAKE, 1 << 20, NULL, NULL, 0);
	for (long i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < tree.n_children; i++)
		truth_wait(tree.children[i]);
	tell(&tree, n_threads);
	return 0;
}
