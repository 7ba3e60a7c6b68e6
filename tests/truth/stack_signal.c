/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_signal SECONDS [--altstack]: handler() runs over interrupted(), by a timer that this
 * thread's CPU time drives, and burns two fifths of it. With --altstack on a stack of its own.
 */
#include "stacks.h"

STACKS_FUNCTION void in_handler(struct stacks_truth *truth);
STACKS_FUNCTION void interrupted(uint64_t end_ns);

/* A handler gets no argument of the program's. */
static struct stacks_truth truth = {.random = 1};

void in_handler(struct stacks_truth *spent)
{
	uint64_t ns = stacks_burn(spent, 8000000);

	stacks_add(spent, "in_handler", ns);
}

static void handler(int number)
{
	(void)number;
	in_handler(&truth);
	stacks_stay();
}

void interrupted(uint64_t end_ns)
{
	truth_burn_until(CLOCK_THREAD_CPUTIME_ID, end_ns);
}

static void use_other_stack(void)
{
	static char room[65536];
	stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};

	if (sigaltstack(&stack, NULL))
		truth_die("sigaltstack");
}

static void start_timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec every = {.it_value.tv_nsec = 20000000, .it_interval.tv_nsec = 20000000};
	timer_t timer;

	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) ||
	    timer_settime(timer, 0, &every, NULL))
		truth_die("timer_create");
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	uint64_t end_ns;

	truth_start(&argc, argv);
	if (truth_flag(&argc, argv, "--altstack")) {
		use_other_stack();
		action.sa_flags |= SA_ONSTACK;
	}
	if (argc < 2)
		truth_usage("SECONDS [--altstack] [--truth FILE]");
	end_ns = (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	if (sigaction(SIGALRM, &action, NULL))
		truth_die("sigaction");
	start_timer();
	interrupted(end_ns);
	signal(SIGALRM, SIG_IGN);
	stacks_add(&truth, "interrupted", truth_clock_ns(CLOCK_THREAD_CPUTIME_ID));
	stacks_print(&truth);
	return 0;
}
