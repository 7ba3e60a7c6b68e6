/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Only dispatches: one row a subcommand. */
#include <string.h>

#include "cmd/cmd.h"
#include "util/build.h"
#include "util/suggest.h"

static const struct subcommand *const subcommands[] = {
	&cmd_run,   &cmd_attach, &cmd_noise,  &cmd_report, &cmd_compare, &cmd_history,
	&cmd_drive, &cmd_list,   &cmd_doctor, &cmd_fault,  &cmd_proxy,   &cmd_idle,
};

#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_help(FILE *out)
{
	fprintf(out, "perfbpf says which of two programs is cheaper or faster at the same work, "
		     "measured in the kernel.\n\n"
		     "Usage: perfbpf COMMAND [options]\n\nCommands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		if (!subcommands[i]->hidden)
			fprintf(out, "  %-10s%s\n", subcommands[i]->name, subcommands[i]->summary);
	fprintf(out, "\n'perfbpf COMMAND --help' explains each, with examples.\n\n"
		     "Examples:\n"
		     "  sudo perfbpf run --target kubectl --vs curl --scenario kubelogs/basic\n"
		     "  sudo perfbpf run --target 'grep -c x big' --vs 'awk /x/ big' --rounds 10\n"
		     "  sudo perfbpf attach 1234 --duration 30s\n");
}

static int unknown(const char *name)
{
	const char *names[N_SUBCOMMANDS], *near;
	struct error err;

	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		names[i] = subcommands[i]->name;
	near = suggest_nearest(name, names, N_SUBCOMMANDS);
	if (near)
		error_set(&err, EXIT_CODE_USAGE, "unknown command '%s'; did you mean '%s'?", name,
			  near);
	else
		error_set(&err, EXIT_CODE_USAGE,
			  "unknown command '%s'; 'perfbpf --help' lists the commands", name);
	return cmd_fail(&err);
}

int main(int argc, char **argv)
{
	build_prepare();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_CODE_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return EXIT_CODE_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("perfbpf %s\n", PERFBPF_VERSION);
		return EXIT_CODE_OK;
	}
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		if (!strcmp(argv[1], subcommands[i]->name))
			return subcommands[i]->run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
