/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/cmd.h"
#include "cmd/run_options.h"

static const struct option_spec specs[] = {
	{"duration", 'd', "D", "how long (default: until Ctrl-C or the end of the tree)",
	 set_duration},
	{"warmup", 0, "D", "before the window", set_warmup},
	{"output", 'o', "DIR", "results folder (default: perfbpf-results/TIME-pid-N)", set_output},
	{"observer", 0, "off|stats", "time perfbpf's own programs (default stats)", set_observer},
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
	struct conduct_options options;
	struct error err;

	conduct_options_init(&options);
	options.argc = argc + 1;
	options.argv = argv - 1;
	switch (options_parse(&table, argc, argv, &options, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	default:
		break;
	}
	if (!options.n_pids) {
		error_set(&err, EXIT_CODE_USAGE, "attach: say which process: perfbpf attach PID");
		return cmd_fail(&err);
	}
	return run_conduct(&options);
}

const struct subcommand cmd_attach = {
	.name = "attach",
	.summary = "measure a running process and its tree",
	.run = attach,
};
