/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/baseline_options.h"
#include "cmd/cmd.h"
#include "cmd/run_options.h"
#include "util/units.h"

static int set_target(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	if (!strncmp(value, "pid:", 4))
		return add_pid(state, value + 4, err);
	if (!*value)
		return error_set(err, EXIT_CODE_USAGE, "--target is empty");
	options->target = value;
	return 0;
}

static int set_versus(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	if (!*value)
		return error_set(err, EXIT_CODE_USAGE, "--vs is empty");
	if (!strncmp(value, "pid:", 4))
		return error_set(
			err, EXIT_CODE_USAGE,
			"--vs %s: running processes cannot take turns; attach to one at a time",
			value);
	options->versus = value;
	return 0;
}

static int add_scenario(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	if (options->n_scenarios == CONDUCT_MAX_SCENARIOS)
		return error_set(err, EXIT_CODE_USAGE, "more than %d scenarios",
				 CONDUCT_MAX_SCENARIOS);
	options->scenarios[options->n_scenarios++] = value;
	return 0;
}

static int set_rounds(void *state, const char *value, struct error *err)
{
	return set_pairs("rounds", value, &((struct conduct_options *)state)->rounds, err);
}

static int set_rate(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	if (parse_count(value, &options->rate) || options->rate <= 0)
		return error_set(
			err, EXIT_CODE_USAGE,
			"--rate '%s' is no rate; write lines or requests per second, e.g. 14000 "
			"or 14k",
			value);
	return 0;
}

static int set_seed(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;
	char *end;

	errno = 0;
	options->seed = strtoull(value, &end, 10);
	options->has_seed = true;
	if (*end || end == value || *value == '-' || errno)
		return error_set(err, EXIT_CODE_USAGE, "--seed '%s' is no whole number", value);
	return 0;
}

static int set_user(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct conduct_options *)state)->user = value;
	return 0;
}

static int set_kubeconfig(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct conduct_options *)state)->kubeconfig = value;
	return 0;
}

static const struct option_spec specs[] = {
	{"target", 't', "T", "side A: a target's name, pid:N, or a command line in quotes",
	 set_target},
	{"vs", 0, "T", "side B, to compare with", set_versus},
	{"scenario", 's', "S",
	 "the work to be done; may be repeated; 'all': every one of the driver", add_scenario},
	{"rounds", 'n', "N",
	 "pairs of rounds (10 for commands, else the scenario's); fewer than 6 settle nothing",
	 set_rounds},
	{"duration", 'd', "D", "length of the measured window, e.g. 30s, 5m", set_duration},
	{"warmup", 0, "D", "before the window", set_warmup},
	{"cooldown", 0, "D", "after the window", set_cooldown},
	{"rate", 'r', "R", "work per second, e.g. 14k", set_rate},
	{"seed", 0, "N", "for the order of the pairs and the generated work", set_seed},
	{"pid", 'p', "PID", "measure a running process and its tree instead", add_pid},
	{"user", 'u', "U", "run the sides as this user (default: who called sudo)", set_user},
	{"output", 'o', "DIR", "results folder (default: perfbpf-results/TIME-SCENARIO)",
	 set_output},
	{"kubeconfig", 0, "FILE", "a real cluster instead of the embedded log API", set_kubeconfig},
	{"margin", 0, "SHARE", "differences up to this are none (2%)", set_margin},
	{"gate", 0, "METRIC",
	 "the exit code is 98 where B is worse in it; may be repeated, or have commas ('perfbpf "
	 "list "
	 "metrics')",
	 add_gates},
	{"strict", 0, NULL,
	 "the exit code is 97 where a gate, or what names the winner, is inconclusive", set_strict},
	{"until-width", 0, "SHARE",
	 "go on after --rounds until half of the interval is not wider, e.g. 2%", set_until_width},
	{"max-rounds", 0, "N", "but not beyond so many pairs (50)", set_max_rounds},
	{"work-bound", 0, "SHARE", "unequal work that makes the run invalid (0.1%)",
	 set_work_bound},
	{"threshold", 0, "M:E",
	 "what must hold, or the exit code is 99: 'latency.response:p(95)<50ms'; may be repeated",
	 add_threshold},
	{"baseline", 0, "DIR",
	 "compare with the results of an earlier run; the exit code is 98 where it has regressed",
	 set_baseline},
	{"baseline-threshold", 0, "[M=]P",
	 "a change for the worse by more is a regression (10%); of one metric: M=5%",
	 add_baseline_threshold},
	{"baseline-severity", 0, "[M=]P,P,P",
	 "from where on it is minor, major and critical (10%,50%,100%)", add_baseline_severity},
	{"accept-differences", 0, NULL,
	 "of host and scenario to the earlier run: a regression is one all the same",
	 set_accept_differences},
	{"soak", 0, NULL,
	 "judge what grows and what wears off: leaks, throughput, response, errors", set_soak},
	{"ready-timeout", 0, "D", "how long a side may take to connect (30s)", set_ready_timeout},
	{"observer", 0, "off|stats",
	 "time perfbpf's own programs (default stats; about 20 ns an event)", set_observer},
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
	{"tick", 0, "D", "interval of the time series (100ms)", set_tick},
	{"all", 'a', NULL, "show all metrics, not only the headline", set_all},
	{"quiet", 'q', NULL, "no progress, no report: only the results folder", set_quiet},
	{"debug", 0, NULL, "tell on standard error when the window opens and closes", set_debug},
};

const struct option_table run_table = {
	.usage = "run --target T [--vs T] [--scenario S]... [options]",
	.summary = "Measures one side, or compares two on the same work, round by round in random "
		   "order.",
	.examples = "  sudo perfbpf run --target wake --vs stern\n"
		    "  sudo perfbpf run --target kubectl --vs curl --scenario kubelogs/basic "
		    "--rounds 5 \\\n"
		    "       --warmup 3s --duration 10s --cooldown 1s\n"
		    "  sudo perfbpf run --target 'gzip -k9c big' --vs 'zstd -19c big' --rounds 10\n"
		    "  sudo perfbpf run --target old --vs new --gate cpu.total_seconds "
		    "--margin 1% --until-width 1%\n"
		    "  sudo perfbpf run --target \"sh -c 'make -j2 > /dev/null'\"\n",
	.specs = specs,
	.n_specs = sizeof(specs) / sizeof(specs[0]),
};

static int run(int argc, char **argv)
{
	return run_by_table(&run_table, argc, argv);
}

const struct subcommand cmd_run = {
	.name = "run",
	.summary = "compare two programs on the same work, or measure one",
	.run = run,
};
