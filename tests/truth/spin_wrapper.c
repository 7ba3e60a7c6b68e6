/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * spin_wrapper PERCENT COMMAND...: runs COMMAND and burns PERCENT more CPU than it does, itself,
 * all along: a slowdown whose size is known. Ends as COMMAND did.
 */
#include <sys/prctl.h>

#include "truth.h"

#define PACE_NS 20000000ULL

static uint64_t own_cpu_ns(void)
{
	return truth_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* Burns what is missing to @percent of @child_ns; what this program cost otherwise counts too. */
static void catch_up(uint64_t child_ns, double percent)
{
	uint64_t wanted = (uint64_t)((double)child_ns * percent / 100), own = own_cpu_ns();

	if (wanted > own)
		truth_burn_cpu(wanted - own);
}

/* 0: it has ended, and is still to be waited for. */
static uint64_t cpu_of(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	clockid_t clock;
	double percent;
	int status;
	pid_t pid;

	if (argc < 3)
		truth_usage("PERCENT COMMAND...");
	percent = truth_number(argv[1], 1000);
	pid = truth_fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[2], argv + 2);
		truth_die("%s", argv[2]);
	}
	if (clock_getcpuclockid(pid, &clock))
		truth_die("clock_getcpuclockid");
	while (wait4(pid, &status, WNOHANG, &usage) == 0) {
		catch_up(cpu_of(clock), percent);
		truth_sleep_ns(PACE_NS);
	}
	catch_up((uint64_t)(truth_cpu_seconds(&usage) * 1e9), percent);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
