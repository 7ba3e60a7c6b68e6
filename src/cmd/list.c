/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "drive/driver.h"
#include "record/metric.h"
#include "record/record.h"
#include "scenario/scenario.h"
#include "scenario/schema_doc.h"
#include "util/file.h"
#include "util/suggest.h"

struct list_state {
	const char *what; /* NULL: all of it */
};

/* What has to be on PATH for it; of one that is all components, the first's. */
static const char *program_of(const struct target *target)
{
	return target->n_command ? target->command[0] : target->components[0].command[0];
}

static int widest(char **names, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++)
		width = strlen(names[i]) > width ? strlen(names[i]) : width;
	return (int)width;
}

static int list_targets(struct error *err)
{
	char **names;
	size_t n;
	int width;

	if (target_names(&names, &n, err))
		return -1;
	width = widest(names, n);
	printf("Targets (a command line in quotes works too):\n");
	for (size_t i = 0; i < n; i++) {
		struct error broken;
		struct target *target = target_load(names[i], &broken);
		char *file = target ? path_find(program_of(target)) : NULL;

		printf("  %-*s  %s%s\n", width, names[i],
		       target ? target->description : broken.text,
		       target && !file ? " (not installed here)" : "");
		if (target && !file && target->install)
			printf("  %-*s  to get it: %s\n", width, "", target->install);
		free(file);
		target_free(target);
	}
	names_free(names, n);
	return 0;
}

static int list_scenarios(struct error *err)
{
	char **names;
	size_t n;
	int width;

	if (scenario_names(&names, &n, err))
		return -1;
	width = widest(names, n);
	printf("Scenarios:\n");
	for (size_t i = 0; i < n; i++) {
		struct error broken;
		struct scenario *scenario = scenario_load(names[i], driver_schema_of, &broken);

		printf("  %-*s  %s\n", width, names[i],
		       scenario ? scenario->description : broken.text);
		scenario_free(scenario);
	}
	names_free(names, n);
	return 0;
}

static int list_drivers(struct error *err)
{
	(void)err;
	printf("Drivers:\n");
	for (size_t i = 0; driver_at(i); i++)
		printf("  %-9s %s\n", driver_at(i)->name, driver_at(i)->description);
	for (size_t i = 0; driver_absent_at(i); i++)
		printf("  %-9s not in this build: %s\n", driver_absent_at(i),
		       driver_absent(driver_absent_at(i)));
	return 0;
}

static int list_metrics(struct error *err)
{
	const struct metric *metrics;
	size_t n;

	(void)err;
	metrics = metric_table(&n);
	printf("Metrics (one value a round; * in the short table):\n");
	for (size_t i = 0; i < n; i++)
		printf("%c %-34s %-7s %s\n", metrics[i].headline ? '*' : ' ', metrics[i].name,
		       metrics[i].unit, metrics[i].description);
	printf("\nWhere --gate does not say, what decides is:\n"
	       "  commands to their end: window_seconds, cpu.total_seconds, memory.rss_peak_bytes\n"
	       "  a load of given size:  cpu.total_seconds, memory.rss_peak_bytes, the p99 of "
	       "delivery or "
	       "response\n"
	       "  a closed loop:         cpu.seconds_per_thousand_operations, "
	       "work.operations_per_second, then as above\n");
	return 0;
}

static int list_keys(struct error *err)
{
	(void)err;
	printf("Keys of a scenario:\n");
	schema_print_text(&scenario_keys, NULL, stdout);
	for (size_t i = 0; driver_at(i); i++) {
		const struct driver_ops *ops = driver_at(i);

		printf("\nKeys of a scenario with 'driver: %s':\n", ops->name);
		schema_print_text(ops->schema, ops->name, stdout);
	}
	for (size_t i = 0; driver_absent_at(i); i++)
		printf("\nThe driver %s is not in this build: %s\n", driver_absent_at(i),
		       driver_absent(driver_absent_at(i)));
	printf("\nKeys of a target:\n");
	schema_print_text(&target_keys, NULL, stdout);
	return 0;
}

static int list_schema(struct error *err)
{
	(void)err;
	record_print_schema(stdout);
	return 0;
}

/* One row a list; those that are long are not in the list of all. */
static const struct {
	const char *name;
	int (*print)(struct error *err);
	bool is_long;
} lists[] = {
	{"targets", list_targets, false}, {"scenarios", list_scenarios, false},
	{"drivers", list_drivers, false}, {"metrics", list_metrics, false},
	{"keys", list_keys, true},        {"schema", list_schema, true},
};

#define N_LISTS (sizeof(lists) / sizeof(lists[0]))

static int set_what(void *state, const char *word, struct error *err)
{
	const char *names[N_LISTS], *near;

	for (size_t i = 0; i < N_LISTS; i++) {
		names[i] = lists[i].name;
		if (!strcmp(word, names[i])) {
			((struct list_state *)state)->what = names[i];
			return 0;
		}
	}
	near = suggest_nearest(word, names, N_LISTS);
	return error_set(err, EXIT_CODE_USAGE, "list: there is no list of '%s'; %s%s%s", word,
			 near ? "did you mean '"
			      : "it is targets, scenarios, drivers, metrics, keys or schema",
			 near ? near : "", near ? "'?" : "");
}

static const struct option_table table = {
	.usage = "list [targets|scenarios|drivers|metrics|keys|schema]",
	.summary = "Lists what can be measured, by which work, and what is told of it.",
	.examples = "  perfbpf list scenarios\n"
		    "  perfbpf list schema >run.schema.json\n",
	.positional = set_what,
};

static int list(int argc, char **argv)
{
	struct list_state state = {.what = NULL};
	struct error err;
	bool first = true;

	switch (options_parse(&table, argc, argv, &state, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	default:
		break;
	}
	for (size_t i = 0; i < N_LISTS; i++) {
		if (state.what ? strcmp(state.what, lists[i].name) != 0 : lists[i].is_long)
			continue;
		if (!first)
			putchar('\n');
		first = false;
		if (lists[i].print(&err))
			return cmd_fail(&err);
	}
	return stream_finish(stdout, "standard output", &err) ? cmd_fail(&err) : EXIT_CODE_OK;
}

const struct subcommand cmd_list = {
	.name = "list",
	.summary = "targets, scenarios, drivers, metrics, keys of files and the schema of run.json",
	.run = list,
};
