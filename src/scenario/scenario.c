/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scenario/scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "record/gate.h"
#include "record/metric.h"
#include "scenario/internal.h"
#include "util/clock.h"

#define ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define DEFAULT_ROUNDS     8 /* fewer name no winner where four metrics decide */
#define SHARE_MIN          0.0001
#define WIDTH_MAX          1.0
#define DEFAULT_WORK_BOUND 0.001
#define DEFAULT_READY_NS   (30 * NSEC_PER_SEC)
#define DEFAULT_STOP_NS    (30 * NSEC_PER_SEC)

_Static_assert(sizeof(struct filter_clause) == sizeof(struct yaml_strings) &&
		       offsetof(struct filter_clause, words) ==
			       offsetof(struct yaml_strings, strings),
	       "a filter clause is an item of YAML_STRING_LISTS");

static const struct yaml_field filter_fields[] = {
	{
		.key = "match",
		.type = YAML_STRING_LISTS,
		.offset = offsetof(struct filter, clauses),
		.count_offset = offsetof(struct filter, n_clauses),
		.help = "a word of each list: [[ERROR, WARN], [user]]",
	},
	{
		.key = "regex",
		.type = YAML_STRING,
		.offset = offsetof(struct filter, regex),
		.help = "a POSIX extended regular expression over the message",
	},
	{
		.key = "prefixed_regex",
		.type = YAML_STRING,
		.offset = offsetof(struct filter, prefixed_regex),
		.help = "the same for tools that print a prefix before the message",
	},
};

static const struct yaml_schema filter_schema = {
	.name = "filter",
	.size = sizeof(struct filter),
	.fields = filter_fields,
	.n_fields = ARRAY_SIZE(filter_fields),
};

static const struct yaml_field scenario_fields[] = {
	{
		.key = "description",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario, description),
		.help = "one line for 'perfbpf list scenarios'",
	},
	{
		.key = "driver",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario, driver),
		.required = true,
		.help = "the name of what produces the work, such as kubelogs",
	},
	{
		.key = "phases",
		.type = YAML_MAPS,
		.offset = offsetof(struct scenario, phases),
		.count_offset = offsetof(struct scenario, n_phases),
		.nested = &phase_schema,
		.required = true,
		.help = "a list of {name, role, duration, executor, …}",
	},
	{
		.key = "filter",
		.type = YAML_MAP,
		.offset = offsetof(struct scenario, filter),
		.nested = &filter_schema,
		.help = "what of the stream is wanted; without it, everything is",
	},
	{
		.key = "scrape",
		.type = YAML_MAPS,
		.offset = offsetof(struct scenario, scrapes),
		.count_offset = offsetof(struct scenario, n_scrapes),
		.nested = &scrape_schema,
		.help = "a list of {url, histogram, labels, as}: what the target tells Prometheus",
	},
	{
		.key = "components",
		.type = YAML_MAPS,
		.offset = offsetof(struct scenario, components),
		.count_offset = offsetof(struct scenario, n_components),
		.nested = &component_schema,
		.help = "what runs beside the target, started in this order: {name, command, "
			"ready}",
	},
	{
		.key = "hooks",
		.type = YAML_MAP,
		.offset = offsetof(struct scenario, hooks),
		.nested = &hooks_schema,
		.help = "commands around each round: {setup, prepare, conclude, cleanup}",
	},
	{
		.key = "thresholds",
		.type = YAML_CUSTOM,
		.offset = offsetof(struct scenario, thresholds),
		.count_offset = offsetof(struct scenario, n_thresholds),
		.custom = &thresholds_custom,
		.help = "what must hold: a mapping of metrics to expressions, latency.response: "
			"p(95)<50ms",
	},
	{
		.key = "soak",
		.type = YAML_BOOL,
		.offset = offsetof(struct scenario, is_soak),
		.help = "true: what grows and what wears off is judged at the end",
	},
	{
		.key = "proxies",
		.type = YAML_MAPS,
		.offset = offsetof(struct scenario, proxies),
		.count_offset = offsetof(struct scenario, n_proxies),
		.nested = &proxy_schema,
		.help = "a list of {name, to}: each listens on ${port.NAME}, for faults between "
			"two parts",
	},
	{
		.key = "faults",
		.type = YAML_MAPS,
		.offset = offsetof(struct scenario, faults),
		.count_offset = offsetof(struct scenario, n_faults),
		.nested = &fault_schema,
		.help = "what goes wrong, and for how long: {name, kind, phase, at, for, …}",
	},
	{
		.key = "driver_cpus",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario, driver_cpus),
		.help = "CPUs that the driver is pinned to: 0-1,3",
	},
	{
		.key = "target_cpus",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario, target_cpus),
		.help = "CPUs that the target is pinned to",
	},
	{
		.key = "target_limits",
		.type = YAML_MAP,
		.offset = offsetof(struct scenario, target_limits),
		.nested = &limits_schema,
		.help = "what the target may take: {cpus: 0.5, memory: 512MiB}",
	},
	{
		.key = "rounds",
		.type = YAML_INT,
		.offset = offsetof(struct scenario, rounds),
		.min = 1,
		.max = 1000,
		.help = "pairs of rounds, where --rounds does not say",
	},
	{
		.key = "until_width",
		.type = YAML_SHARE,
		.offset = offsetof(struct scenario, until_width),
		.min = SHARE_MIN,
		.max = WIDTH_MAX,
		.help = "go on after rounds, until half of the primary metric's interval is not "
			"wider: 2%",
	},
	{
		.key = "max_rounds",
		.type = YAML_INT,
		.offset = offsetof(struct scenario, max_rounds),
		.min = 1,
		.max = 10000,
		.help = "but not beyond so many pairs (50)",
	},
	{
		.key = "margin",
		.type = YAML_SHARE,
		.offset = offsetof(struct scenario, margin),
		.min = SHARE_MIN,
		.max = GATE_MARGIN_MAX,
		.help = "differences up to this are none (2%)",
	},
	{
		.key = "gates",
		.type = YAML_STRINGS,
		.offset = offsetof(struct scenario, gates),
		.count_offset = offsetof(struct scenario, n_gates),
		.help = "metrics in which B may not be worse, or the exit code is 98: "
			"[cpu.total_seconds]",
	},
	{
		.key = "work_bound",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct scenario, work_bound),
		.min = 0,
		.max = 1,
		.help = "share of unequal work that makes a round invalid",
	},
	{
		.key = "ready_timeout",
		.type = YAML_DURATION,
		.offset = offsetof(struct scenario, ready_timeout_ns),
		.min = 0.001,
		.max = 3600,
		.help = "how long a target may take until it works",
	},
	{
		.key = "gracefulStop",
		.type = YAML_DURATION,
		.offset = offsetof(struct scenario, graceful_stop_ns),
		.max = 3600,
		.help = "how long requests under way at the end of the load may take; what is "
			"unanswered then is an error",
	},
};

/* What k6 calls them. */
static const struct yaml_synonym scenario_synonyms[] = {
	{"scenarios", "write phases, one after the other"},
	{"stages", "write them in a phase with executor ramping-vus or ramping-arrival-rate"},
	{"vus", "write it in a phase with executor constant-vus"},
	{"duration", "write it in a phase"},
	{"iterations", "write it in a phase with executor per-vu-iterations"},
	{NULL, NULL},
};

static void scenario_defaults(void *object)
{
	struct scenario *scenario = object;

	scenario->rounds = DEFAULT_ROUNDS;
	scenario->margin = scenario->until_width = NAN;
	scenario->work_bound = DEFAULT_WORK_BOUND;
	scenario->ready_timeout_ns = DEFAULT_READY_NS;
	scenario->graceful_stop_ns = DEFAULT_STOP_NS;
	hooks_schema.defaults(&scenario->hooks);
	limits_schema.defaults(&scenario->target_limits);
}

const struct yaml_schema scenario_keys = {
	.name = "a scenario",
	.size = sizeof(struct scenario),
	.fields = scenario_fields,
	.n_fields = ARRAY_SIZE(scenario_fields),
	.synonyms = scenario_synonyms,
	.defaults = scenario_defaults,
};

/* The fields above and one more: the driver's section, named as the driver. */
struct scenario_schema {
	struct yaml_schema schema;
	struct yaml_field fields[ARRAY_SIZE(scenario_fields) + 1];
};

static bool has_required(const struct yaml_schema *schema)
{
	for (size_t i = 0; i < schema->n_fields; i++)
		if (schema->fields[i].required)
			return true;
	return false;
}

static void schema_make(struct scenario_schema *made, const char *driver,
			const struct yaml_schema *driver_schema)
{
	size_t n = ARRAY_SIZE(scenario_fields);

	memcpy(made->fields, scenario_fields, sizeof(scenario_fields));
	if (driver_schema) {
		made->fields[n++] = (struct yaml_field){
			.key = driver,
			.type = YAML_OBJECT,
			.offset = offsetof(struct scenario, driver_config),
			.nested = driver_schema,
			.required = has_required(driver_schema),
			.help = "the driver's own section",
		};
	}
	made->schema = scenario_keys;
	made->schema.fields = made->fields;
	made->schema.n_fields = n;
}

/* A driver is often misspelled where its section is not. */
static int fail_driver(const struct yaml_file *file, const char *driver,
		       scenario_schema_fn schema_of, struct error *err)
{
	const char *key;

	for (size_t i = 0; (key = yaml_file_key(file, i)) != NULL; i++)
		if (schema_of(key))
			return yaml_file_error(file, "driver", err,
					       "no driver is named '%.60s'; did you mean '%s'?",
					       driver, key);
	return yaml_file_error(file, "driver", err,
			       "no driver is named '%.60s'; write one that a scenario of 'perfbpf "
			       "list scenarios' uses",
			       driver);
}

static int hooks_check(const struct hooks *hooks, const struct yaml_file *file, struct error *err)
{
	if (commands_check(hooks->setup, hooks->n_setup, "hooks.setup", file, err) ||
	    commands_check(hooks->prepare, hooks->n_prepare, "hooks.prepare", file, err) ||
	    commands_check(hooks->conclude, hooks->n_conclude, "hooks.conclude", file, err))
		return -1;
	return commands_check(hooks->cleanup, hooks->n_cleanup, "hooks.cleanup", file, err);
}

static int gates_check(const struct scenario *scenario, const struct yaml_file *file,
		       struct error *err)
{
	char where[48], problem[GATE_PROBLEM_MAX];

	for (size_t i = 0; i < scenario->n_gates; i++) {
		if (gate_find(scenario->gates[i], problem))
			continue;
		snprintf(where, sizeof(where), "gates[%zu]", i);
		return yaml_file_error(file, where, err, "%s", problem);
	}
	if (scenario->n_gates > COMPARE_MAX_GATES)
		return yaml_file_error(file, "gates", err, "are more than %d", COMPARE_MAX_GATES);
	if (scenario->max_rounds && isnan(scenario->until_width))
		return yaml_file_error(file, "max_rounds", err,
				       "is where until_width ends at the latest; write until_width "
				       "too, or rounds instead");
	if (scenario->max_rounds && scenario->max_rounds < scenario->rounds)
		return yaml_file_error(file, "max_rounds", err,
				       "is less than rounds, %d, which is the fewest",
				       scenario->rounds);
	return 0;
}

/* What the tables cannot say of a section. */
static int sections_check(struct scenario *scenario, const struct yaml_file *file,
			  struct error *err)
{
	if (phases_check(scenario, file, err) || filter_check(&scenario->filter, file, err) ||
	    scrape_check(scenario, file, err) || hooks_check(&scenario->hooks, file, err))
		return -1;
	if (cpus_check(scenario->driver_cpus, "driver_cpus", file, err) ||
	    cpus_check(scenario->target_cpus, "target_cpus", file, err) ||
	    limits_check(&scenario->target_limits, "target_limits", file, err))
		return -1;
	if (components_check(scenario->components, scenario->n_components, "components", file, err))
		return -1;
	if (gates_check(scenario, file, err) || faults_check(scenario, file, err) ||
	    thresholds_check(scenario, file, err))
		return -1;
	return scenario_texts_check(scenario, file, err);
}

static struct scenario *load(const struct yaml_file *file, scenario_schema_fn schema_of,
			     struct error *err)
{
	const char *driver = yaml_file_scalar(file, "driver");
	const struct yaml_schema *driver_schema = driver ? schema_of(driver) : NULL;
	struct scenario *scenario;
	struct scenario_schema made;

	/* Of a scenario, `command` is a section. */
	if (!yaml_file_has(file, "phases") && yaml_file_has(file, "command[0]")) {
		yaml_file_error(file, "command", err,
				"this is a target, not a scenario; name it with --target");
		return NULL;
	}
	if (driver && *driver && !driver_schema) {
		fail_driver(file, driver, schema_of, err);
		return NULL;
	}
	scenario = calloc(1, sizeof(*scenario));
	if (!scenario) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	schema_make(&made, driver, driver_schema);
	if (yaml_file_map(file, &made.schema, scenario, err)) {
		free(scenario);
		return NULL;
	}
	scenario->driver_schema = driver_schema;
	if (sections_check(scenario, file, err) ||
	    (driver_schema && driver_schema->check &&
	     driver_schema->check(scenario->driver_config, driver, file, err))) {
		scenario_free(scenario);
		return NULL;
	}
	return scenario;
}

/* Takes @file, @name and @path, of which any may be NULL. */
static struct scenario *load_named(struct yaml_file *file, char *name, char *path,
				   scenario_schema_fn schema_of, struct error *err)
{
	struct scenario *scenario = NULL;

	if (file && (!name || !path))
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	else if (file)
		scenario = load(file, schema_of, err);
	yaml_file_close(file);
	if (!scenario) {
		free(name);
		free(path);
		return NULL;
	}
	scenario->name = name;
	scenario->path = path;
	return scenario;
}

struct scenario *scenario_load(const char *name, scenario_schema_fn schema_of, struct error *err)
{
	char *full_name, *path = find_file(FIND_SCENARIO, name, &full_name, err);

	if (!path)
		return NULL;
	return load_named(yaml_file_open(path, err), full_name, path, schema_of, err);
}

struct scenario *scenario_load_memory(const char *name, const char *text, size_t size,
				      scenario_schema_fn schema_of, struct error *err)
{
	return load_named(yaml_file_open_memory(name, text, size, err), strdup(name), strdup(name),
			  schema_of, err);
}

void scenario_free(struct scenario *scenario)
{
	struct scenario_schema made;

	if (!scenario)
		return;
	free(scenario->name);
	free(scenario->path);
	schema_make(&made, scenario->driver, scenario->driver_schema);
	yaml_map_free(&made.schema, scenario);
	free(scenario);
}
