/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "util/suggest.h"

#define HELP_COLUMN 30

static void print_spec(const struct option_spec *spec)
{
	char left[80];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", spec->letter ? '-' : ' ',
		     spec->letter ? spec->letter : ' ', spec->letter ? ", " : "  ", spec->name,
		     spec->argument ? " " : "", spec->argument ? spec->argument : "");
	if (n >= HELP_COLUMN)
		printf("%s\n%*s%s\n", left, HELP_COLUMN, "", spec->help);
	else
		printf("%-*s%s\n", HELP_COLUMN, left, spec->help);
}

static void print_help(const struct option_table *table)
{
	static const struct option_spec help = {
		.name = "help", .letter = 'h', .help = "show this and end"};

	printf("%s\n\nUsage: perfbpf %s\n\nOptions:\n", table->summary, table->usage);
	for (size_t i = 0; i < table->n_specs; i++)
		print_spec(&table->specs[i]);
	print_spec(&help);
	if (table->examples)
		printf("\nExamples:\n%s", table->examples);
}

static const struct option_spec *find_long(const struct option_table *table, const char *name,
					   size_t length)
{
	for (size_t i = 0; i < table->n_specs; i++)
		if (strlen(table->specs[i].name) == length &&
		    !strncmp(table->specs[i].name, name, length))
			return &table->specs[i];
	return NULL;
}

static int unknown_option(const struct option_table *table, const char *command, const char *word,
			  struct error *err)
{
	const char *names[table->n_specs + 1], *near;
	char name[64];

	for (size_t i = 0; i < table->n_specs; i++)
		names[i] = table->specs[i].name;
	names[table->n_specs] = "help";
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	near = word[1] == '-' ? suggest_nearest(name, names, table->n_specs + 1) : NULL;
	if (near)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: unknown option '%s'; did you mean '--%s'?", command, word,
				 near);
	return error_set(err, EXIT_CODE_USAGE,
			 "%s: unknown option '%s'; 'perfbpf %s --help' lists them", command, word,
			 command);
}

static const struct option_spec *find_letter(const struct option_table *table, char letter)
{
	for (size_t i = 0; i < table->n_specs; i++)
		if (letter && table->specs[i].letter == letter)
			return &table->specs[i];
	return NULL;
}

/* One option at argv[*i]; *i moves over its value where that is a word of its own. */
static int parse_option(const struct option_table *table, int argc, char **argv, int *i,
			void *state, struct error *err)
{
	const char *word = argv[*i], *value = NULL;
	const struct option_spec *spec;

	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");

		spec = find_long(table, word + 2, length);
		if (word[2 + length] == '=')
			value = word + 2 + length + 1;
	} else {
		spec = find_letter(table, word[1]);
		if (word[2])
			value = word + 2;
	}
	if (!spec)
		return unknown_option(table, argv[0], word, err);
	if (!spec->argument && value)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: --%s takes no value, and '%s' gives one", argv[0], spec->name,
				 word);
	if (spec->argument && !value) {
		if (*i + 1 >= argc)
			return error_set(err, EXIT_CODE_USAGE, "%s: --%s needs a value: --%s %s",
					 argv[0], spec->name, spec->name, spec->argument);
		value = argv[++*i];
	}
	return spec->set(state, value, err);
}

static int parse_word(const struct option_table *table, char **argv, const char *word, void *state,
		      struct error *err)
{
	if (!table->positional)
		return error_set(
			err, EXIT_CODE_USAGE,
			"%s: '%s' is not expected here; 'perfbpf %s --help' shows the usage",
			argv[0], word, argv[0]);
	return table->positional(state, word, err);
}

enum options_result options_parse(const struct option_table *table, int argc, char **argv,
				  void *state, struct error *err)
{
	bool options_end = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		bool is_option = !options_end && word[0] == '-' && word[1];
		int failed;

		if (is_option && !strcmp(word, "--")) {
			options_end = true;
			continue;
		}
		if (is_option && (!strcmp(word, "-h") || !strcmp(word, "--help"))) {
			print_help(table);
			return OPTIONS_DONE;
		}
		failed = is_option ? parse_option(table, argc, argv, &i, state, err)
				   : parse_word(table, argv, word, state, err);
		if (failed)
			return OPTIONS_ERROR;
	}
	return OPTIONS_OK;
}

int stream_finish(FILE *stream, const char *name, struct error *err)
{
	errno = 0;
	if (fflush(stream) || ferror(stream))
		return error_set(err, EXIT_CODE_FAILED, "cannot write to %s: %s", name,
				 strerror(errno ? errno : EIO));
	return 0;
}

int cmd_fail(const struct error *err)
{
	bool colour = stream_has_colour(stderr);

	fflush(stdout);
	fprintf(stderr, "%sperfbpf: %s%s\n", colour ? "\033[31m" : "", err->text,
		colour ? "\033[0m" : "");
	return (int)err->exit_code;
}
