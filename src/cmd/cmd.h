/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Subcommands: one file each, with one `const struct subcommand`, and one row in
 * main.c. A subcommand parses its options by a table, calls down, prints the error
 * if there is one, and returns the exit code.
 */
#ifndef PERFBPF_CMD_CMD_H
#define PERFBPF_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"
#include "util/terminal.h"

struct subcommand {
	const char *name;
	const char *summary;               /* one line in `perfbpf --help` */
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
	bool hidden;
};

extern const struct subcommand cmd_run, cmd_attach, cmd_drive, cmd_list, cmd_doctor, cmd_report,
	cmd_fault, cmd_proxy, cmd_idle, cmd_noise, cmd_compare, cmd_history;

/* One option of a subcommand. */
struct option_spec {
	const char *name;     /* "target", without the dashes */
	char letter;          /* 'o', or 0 */
	const char *argument; /* "T" for help; NULL: takes none */
	const char *help;
	/* Stores @value (NULL for an option without argument) into @state. 0, or -1 with err. */
	int (*set)(void *state, const char *value, struct error *err);
};

struct option_table {
	const char *usage; /* "run --target T [--vs T] [options]" */
	const char *summary;
	const char *examples; /* lines shown under "Examples:" */
	const struct option_spec *specs;
	size_t n_specs;
	/* A word that is no option; NULL: none is taken. */
	int (*positional)(void *state, const char *word, struct error *err);
};

enum options_result {
	OPTIONS_OK = 0,
	OPTIONS_DONE, /* --help was printed to stdout: end with 0 */
	OPTIONS_ERROR = -1,
};

/*
 * Parses "--name value", "--name=value", "-o value", "-ovalue"; "--" ends the options.
 * An unknown option is EXIT_CODE_USAGE with the nearest known one. -h/--help is always known.
 */
enum options_result options_parse(const struct option_table *table, int argc, char **argv,
				  void *state, struct error *err);

/* Prints "perfbpf: <text>" to stderr, red on a colour terminal, and returns the exit code. */
int cmd_fail(const struct error *err);
/* fflush and check; -1 with err ("cannot write to standard output: No space left on device"). */
int stream_finish(FILE *stream, const char *name, struct error *err);

#endif
