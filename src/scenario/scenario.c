/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/clock.h"

#define ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define PHASE_SECONDS_MAX  (7.0 * 24 * 3600)
#define DEFAULT_ROUNDS     3
#define DEFAULT_WORK_BOUND 0.001
#define DEFAULT_READY_NS   (30 * NSEC_PER_SEC)

_Static_assert(sizeof(enum phase_role) == sizeof(int), "a YAML_ENUM is an int");
_Static_assert(sizeof(struct filter_clause) == sizeof(struct yaml_strings) &&
		       offsetof(struct filter_clause, words) ==
			       offsetof(struct yaml_strings, strings),
	       "a filter clause is an item of YAML_STRING_LISTS");

static const char *const role_names[] = {
	[PHASE_WARMUP] = "warmup",
	[PHASE_MEASURED] = "measured",
	[PHASE_COOLDOWN] = "cooldown",
	NULL,
};

static const struct yaml_field phase_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct phase, name),
		.required = true,
		.help = "what reports call the phase",
	},
	{
		.key = "role",
		.type = YAML_ENUM,
		.offset = offsetof(struct phase, role),
		.choices = role_names,
		.required = true,
		.help = "warmup, measured or cooldown",
	},
	{
		.key = "duration",
		.type = YAML_DURATION,
		.offset = offsetof(struct phase, duration_ns),
		.max = PHASE_SECONDS_MAX,
		.required = true,
		.help = "how long it lasts: 30s, 5m",
	},
};

static const struct yaml_schema phase_schema = {
	.name = "a phase",
	.size = sizeof(struct phase),
	.fields = phase_fields,
	.n_fields = ARRAY_SIZE(phase_fields),
};

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
		.help = "a list of {name, role, duration}",
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
		.key = "rounds",
		.type = YAML_INT,
		.offset = offsetof(struct scenario, rounds),
		.min = 1,
		.max = 1000,
		.help = "pairs of rounds, where --rounds does not say",
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
};

static void scenario_defaults(void *object)
{
	struct scenario *scenario = object;

	scenario->rounds = DEFAULT_ROUNDS;
	scenario->work_bound = DEFAULT_WORK_BOUND;
	scenario->ready_timeout_ns = DEFAULT_READY_NS;
}

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
	made->schema = (struct yaml_schema){
		.name = "a scenario",
		.size = sizeof(struct scenario),
		.fields = made->fields,
		.n_fields = n,
		.defaults = scenario_defaults,
	};
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

static int check_phase(const struct scenario *scenario, size_t i, const struct yaml_file *file,
		       struct error *err)
{
	const struct phase *phase = &scenario->phases[i];
	char where[64];

	if (phase->role == PHASE_MEASURED && !phase->duration_ns) {
		snprintf(where, sizeof(where), "phases[%zu].duration", i);
		return yaml_file_error(file, where, err,
				       "is 0; a measured phase has to last, write 30s or more");
	}
	/* There is one window in a round, so what is measured is one stretch. */
	if (i && phase->role < scenario->phases[i - 1].role) {
		snprintf(where, sizeof(where), "phases[%zu].role", i);
		return yaml_file_error(file, where, err,
				       "'%s' comes after '%s'; order the phases as warmup, "
				       "measured, cooldown",
				       role_names[phase->role],
				       role_names[scenario->phases[i - 1].role]);
	}
	for (size_t j = 0; j < i; j++) {
		if (strcmp(scenario->phases[j].name, phase->name) != 0)
			continue;
		snprintf(where, sizeof(where), "phases[%zu].name", i);
		return yaml_file_error(file, where, err,
				       "'%.60s' is taken by an earlier phase; choose another",
				       phase->name);
	}
	return 0;
}

static int check_phases(const struct scenario *scenario, const struct yaml_file *file,
			struct error *err)
{
	if (scenario->n_phases > SCENARIO_PHASES_MAX)
		return yaml_file_error(file, "phases", err, "has %zu phases; write at most %d",
				       scenario->n_phases, SCENARIO_PHASES_MAX);
	for (size_t i = 0; i < scenario->n_phases; i++)
		if (check_phase(scenario, i, file, err))
			return -1;
	if (!scenario_duration_ns(scenario, PHASE_MEASURED))
		return yaml_file_error(file, "phases", err,
				       "has no phase with role measured; add one");
	return 0;
}

static struct scenario *load(const struct yaml_file *file, scenario_schema_fn schema_of,
			     struct error *err)
{
	const char *driver = yaml_file_scalar(file, "driver");
	const struct yaml_schema *driver_schema = driver ? schema_of(driver) : NULL;
	struct scenario *scenario;
	struct scenario_schema made;

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
	if (check_phases(scenario, file, err) || filter_check(&scenario->filter, file, err) ||
	    scrape_check(scenario, file, err)) {
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

uint64_t scenario_duration_ns(const struct scenario *scenario, enum phase_role role)
{
	uint64_t total = 0;

	for (size_t i = 0; i < scenario->n_phases; i++)
		if (scenario->phases[i].role == role)
			total += scenario->phases[i].duration_ns;
	return total;
}

static size_t count_phases(const struct scenario *scenario, enum phase_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < scenario->n_phases; i++)
		n += scenario->phases[i].role == role;
	return n;
}

static void remove_phases(struct scenario *scenario, enum phase_role role)
{
	size_t kept = 0;

	for (size_t i = 0; i < scenario->n_phases; i++) {
		if (scenario->phases[i].role == role)
			free(scenario->phases[i].name);
		else
			scenario->phases[kept++] = scenario->phases[i];
	}
	scenario->n_phases = kept;
}

static int add_phase(struct scenario *scenario, enum phase_role role, struct error *err)
{
	size_t n = scenario->n_phases, at = 0;
	struct phase *larger = realloc(scenario->phases, (n + 1) * sizeof(*larger));
	char *name = strdup(role_names[role]);

	if (larger)
		scenario->phases = larger;
	if (!larger || !name) {
		free(name);
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	while (at < n && larger[at].role <= role)
		at++;
	memmove(&larger[at + 1], &larger[at], (n - at) * sizeof(*larger));
	larger[at] = (struct phase){.name = name, .role = role};
	scenario->n_phases = n + 1;
	return 0;
}

/* Their shares stay; what rounding leaves over goes to the last. */
static void scale_phases(struct scenario *scenario, enum phase_role role, uint64_t ns)
{
	uint64_t total = scenario_duration_ns(scenario, role), left = ns;
	size_t n = count_phases(scenario, role);

	for (size_t i = 0; i < scenario->n_phases; i++) {
		struct phase *phase = &scenario->phases[i];
		unsigned __int128 share;

		if (phase->role != role)
			continue;
		share = total ? (unsigned __int128)ns * phase->duration_ns / total : ns / n;
		phase->duration_ns = --n ? (uint64_t)share : left;
		left -= phase->duration_ns;
		if (!n)
			return;
	}
}

int scenario_set_duration(struct scenario *scenario, enum phase_role role, uint64_t ns,
			  struct error *err)
{
	if (!ns && role == PHASE_MEASURED)
		return error_set(
			err, EXIT_CODE_USAGE,
			"the measured phase cannot last 0; write a --duration such as 30s");
	if ((double)ns > PHASE_SECONDS_MAX * (double)NSEC_PER_SEC)
		return error_set(err, EXIT_CODE_USAGE,
				 "a %s phase cannot last longer than 7 days (168h); shorten it",
				 role_names[role]);
	if (!ns) {
		remove_phases(scenario, role);
		return 0;
	}
	if (!count_phases(scenario, role) && add_phase(scenario, role, err))
		return -1;
	if (role == PHASE_MEASURED && ns < NSEC_PER_MSEC * count_phases(scenario, role))
		return error_set(err, EXIT_CODE_USAGE,
				 "the measured phases need at least 1ms each; write a longer "
				 "--duration");
	scale_phases(scenario, role, ns);
	return 0;
}
