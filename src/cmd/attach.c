/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/baseline_options.h"
#include "cmd/cmd.h"
#include "cmd/run_options.h"

static const struct option_spec specs[] = {
	{"duration", 'd', "D", "how long (default: until Ctrl-C or the end of the tree)",
	 set_duration},
	{"warmup", 0, "D", "before the window", set_warmup},
	{"output", 'o', "DIR", "results folder (default: perfbpf-results/TIME-pid-N)", set_output},
	{"observer", 0, "off|stats", "time perfbpf's own programs (default stats)", set_observer},
	{"protocols", 0, "LIST",
	 "tell requests apart: http,postgres,redis,kafka,mysql (reads the first bytes of what is "
	 "said)",
	 set_protocols},
	{"syscalls", 0, NULL,
	 "count and time system calls by name (slows down every call of the machine)",
	 set_syscalls},
	{"profile", 0, "LIST",
	 "stacks of what runs, oncpu, of what waits, offcpu, or none (oncpu,offcpu)", set_profile},
	{"freq", 0, "N", "samples a second on each CPU (99)", set_freq},
	{"inlines", 0, NULL, "stacks show inlined functions, where there is debug information",
	 set_inlines},
	{"without", 0, "LIST", "leave out requests, time or io (with commas between them)",
	 set_without},
	{"threshold", 0, "M:E",
	 "what must hold, or the exit code is 99: 'memory.rss_peak_bytes:value<512MiB'; may be "
	 "repeated",
	 add_threshold},
	/* Of one round there is no verdict: no gate could ever fail. */
	{"baseline", 0, "DIR",
	 "show what has changed since an earlier run; one round each is no verdict, so that the "
	 "exit code does not tell",
	 set_baseline},
	{"soak", 0, NULL, "judge what grows and what wears off: leaks above all", set_soak},
	{"tick", 0, "D", "interval of the time series (100ms)", set_tick},
	{"all", 'a', NULL, "show all metrics, not only the headline", set_all},
	{"quiet", 'q', NULL, "no progress, no report: only the results folder", set_quiet},
	{"debug", 0, NULL, "tell on standard error when the window opens and closes", set_debug},
};

static const struct option_table table = {
	.usage = "attach PID... [options]",
	.summary = "Measures running processes with all their threads and descendants.",
	.examples = "  sudo perfbpf attach 1234 --duration 30s\n"
		    "  sudo perfbpf attach $(pgrep -o nginx)          until Ctrl-C\n",
	.specs = specs,
	.n_specs = sizeof(specs) / sizeof(specs[0]),
	.positional = add_pid,
};

static int attach(int argc, char **argv)
{
	return run_by_table(&table, argc, argv);
}

const struct subcommand cmd_attach = {
	.name = "attach",
	.summary = "measure a running process and its tree",
	.run = attach,
};
