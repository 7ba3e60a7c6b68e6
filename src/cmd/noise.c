/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A side against itself: what difference could be seen on this machine, and with how many pairs. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/run_options.h"
#include "record/folder.h"
#include "record/record.h"
#include "report/report.h"

#define DEFAULT_PAIRS 10
#define MAX_SPECS     64

struct noise_state {
	struct conduct_options run; /* first: the setters of `run` take it */
	const char *folder;
};

static int set_folder(void *state, const char *word, struct error *err)
{
	struct noise_state *noise = state;

	if (noise->folder)
		return error_set(err, EXIT_CODE_USAGE,
				 "noise takes one results folder, not '%s' too", word);
	noise->folder = word;
	return 0;
}

/* Of the options of `run` those that are not about another side, or an earlier run. */
static size_t choose_specs(struct option_spec specs[MAX_SPECS])
{
	static const char *const left_out[] = {"vs",
					       "pid",
					       "threshold",
					       "soak",
					       "gate",
					       "margin",
					       "until-width",
					       "max-rounds",
					       "strict",
					       "baseline",
					       "baseline-threshold",
					       "baseline-severity",
					       "accept-differences"};
	size_t n = 0;

	for (size_t i = 0; i < run_table.n_specs && n < MAX_SPECS; i++) {
		bool wanted = true;

		for (size_t j = 0; j < sizeof(left_out) / sizeof(left_out[0]); j++)
			wanted &= strcmp(run_table.specs[i].name, left_out[j]) != 0;
		if (!wanted)
			continue;
		specs[n] = run_table.specs[i];
		if (!strcmp(specs[n].name, "rounds"))
			specs[n].help = "pairs of rounds (10)";
		else if (!strcmp(specs[n].name, "target"))
			specs[n].help = "a target's name, or a command line in quotes";
		n++;
	}
	return n;
}

/* As an ordinary user, of what a run has left. */
static int report_one(const struct noise_state *state, const char *path, bool first)
{
	struct report_options options = {
		.colour = stream_has_colour(stdout),
		.all_metrics = state->run.all_metrics,
		.width = stream_width(stdout),
	};
	struct error err;
	struct record *rec = record_read(path, &err);
	int failed;

	if (rec && !first)
		putchar('\n');
	failed = !rec || report_noise.write(rec, &options, stdout, &err) ||
		 stream_finish(stdout, "standard output", &err);
	record_free(rec);
	if (failed && rec && strcmp(path, state->folder) != 0)
		error_prefix(&err, "%s", path);
	return failed ? cmd_fail(&err) : EXIT_CODE_OK;
}

/* Of several scenarios each; one that cannot be read does not keep the others from it. */
static int report_folder(const struct noise_state *state)
{
	struct record_folders folders;
	struct error err;
	int code = EXIT_CODE_OK;

	if (record_folders_find(&folders, state->folder, &err))
		code = cmd_fail(&err);
	for (size_t i = 0; i < folders.n; i++)
		code = exit_code_worse(code, report_one(state, folders.list[i].path, !i));
	record_folders_clear(&folders);
	return code;
}

static int check(struct noise_state *state, struct error *err)
{
	if (state->folder && state->run.target)
		return error_set(err, EXIT_CODE_USAGE,
				 "noise either runs a --target or reads the folder %s, not both",
				 state->folder);
	if (state->run.n_pids)
		return error_set(err, EXIT_CODE_USAGE,
				 "a running process cannot take turns with itself; name a program "
				 "or a target that can be started");
	if (!state->folder && !state->run.target)
		return error_set(err, EXIT_CODE_USAGE,
				 "noise of what? Say --target T, or name a results folder");
	return 0;
}

static int noise(int argc, char **argv)
{
	struct option_spec specs[MAX_SPECS + 1];
	struct option_table table = {
		.usage = "noise --target T [--scenario S] [options]  |  noise DIR",
		.summary = "Runs a side against itself: what differs on this machine all the same, "
			   "how small a\ndifference could be seen, and with how many pairs.",
		.examples = "  sudo perfbpf noise --target kubectl --scenario kubelogs/basic "
			    "--duration 10s\n"
			    "  sudo perfbpf noise --target 'gzip -k9c big' --rounds 20\n"
			    "  perfbpf noise perfbpf-results/20260101T120000Z-basic     of a run "
			    "that was made before\n",
		.specs = specs,
		.positional = set_folder,
	};
	struct noise_state state = {.folder = NULL};
	struct error err = {.text = ""};

	table.n_specs = choose_specs(specs);
	specs[table.n_specs++] = (struct option_spec){
		"strict", 0, NULL, "the exit code is 97 where a side differs from itself",
		set_strict};
	switch (run_options_parse(&table, argc, argv, &state.run, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	default:
		break;
	}
	if (check(&state, &err))
		return cmd_fail(&err);
	if (state.folder)
		return report_folder(&state);
	state.run.versus = state.run.target;
	state.run.is_noise = true;
	if (!state.run.rounds)
		state.run.rounds = DEFAULT_PAIRS;
	return run_options_conduct(&state.run);
}

const struct subcommand cmd_noise = {
	.name = "noise",
	.summary = "a program against itself: what could be seen on this machine",
	.run = noise,
};
