/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The phases of a scenario: how long each lasts, and how it makes its work (k6's executors). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/clock.h"

#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
#define PHASE_SECONDS_MAX (7.0 * 24 * 3600)
#define RATE_MAX          1e9
#define USERS_MAX         100000
#define DEFAULT_USERS_MAX 1000 /* of an open loop: that many can be under way at a time */
#define STAGES_MAX        256

_Static_assert(sizeof(enum phase_role) == sizeof(int), "a YAML_ENUM is an int");
_Static_assert(sizeof(enum executor) == sizeof(int), "a YAML_ENUM is an int");

static const char *const role_names[] = {
	[PHASE_WARMUP] = "warmup",
	[PHASE_MEASURED] = "measured",
	[PHASE_COOLDOWN] = "cooldown",
	NULL,
};

static const char *const executor_names[] = {
	[EXECUTOR_NONE] = "default",
	[EXECUTOR_CONSTANT_ARRIVAL_RATE] = "constant-arrival-rate",
	[EXECUTOR_RAMPING_ARRIVAL_RATE] = "ramping-arrival-rate",
	[EXECUTOR_CONSTANT_VUS] = "constant-vus",
	[EXECUTOR_RAMPING_VUS] = "ramping-vus",
	[EXECUTOR_PER_VU_ITERATIONS] = "per-vu-iterations",
	NULL,
};

/* What k6 has and phases have not, or by another name. */
static const struct yaml_synonym executor_synonyms[] = {
	{"shared-iterations", "write per-vu-iterations, with the iterations of each user"},
	{"externally-controlled", "write ramping-vus, with stages"},
	{NULL, NULL},
};

static const struct yaml_synonym phase_synonyms[] = {
	{"preAllocatedVUs", "users are made as they are needed; write maxVUs, the most of them"},
	{"startTime", "phases follow one another; put a phase of that length before it"},
	{"maxDuration", "write duration"},
	{"gracefulStop", "write it for the whole scenario, outside phases"},
	{"gracefulRampDown", "a user that goes ends after its request; remove it"},
	{"exec", "what is sent is in the driver's section; remove it"},
	{NULL, NULL},
};

static const struct yaml_field stage_fields[] = {
	{
		.key = "duration",
		.type = YAML_DURATION,
		.offset = offsetof(struct phase_stage, duration_ns),
		.max = PHASE_SECONDS_MAX,
		.required = true,
		.help = "how long it takes to get there; 0s: at once",
	},
	{
		.key = "target",
		.type = YAML_COUNT,
		.offset = offsetof(struct phase_stage, target),
		.max = RATE_MAX,
		.required = true,
		.help = "the rate, or the number of users, at its end",
	},
};

static const struct yaml_schema stage_schema = {
	.name = "a stage",
	.size = sizeof(struct phase_stage),
	.fields = stage_fields,
	.n_fields = ARRAY_SIZE(stage_fields),
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
		.help = "how long it lasts: 30s, 5m; where there are stages, they say",
	},
	{
		.key = "executor",
		.type = YAML_ENUM,
		.offset = offsetof(struct phase, executor),
		.choices = executor_names,
		.synonyms = executor_synonyms,
		.help = "constant-arrival-rate, ramping-arrival-rate, constant-vus, ramping-vus or "
			"per-vu-iterations",
	},
	{
		.key = "rate",
		.type = YAML_COUNT,
		.offset = offsetof(struct phase, rate),
		.max = RATE_MAX,
		.help = "requests (or lines) a timeUnit: 14k",
	},
	{
		.key = "startRate",
		.type = YAML_COUNT,
		.offset = offsetof(struct phase, start_rate),
		.max = RATE_MAX,
		.help = "the rate where the first stage begins",
	},
	{
		.key = "timeUnit",
		.type = YAML_DURATION,
		.offset = offsetof(struct phase, time_unit_ns),
		.min = 0.001,
		.max = 86400,
		.help = "of rates: 1s, 1m",
	},
	{
		.key = "vus",
		.type = YAML_INT,
		.offset = offsetof(struct phase, vus),
		.max = USERS_MAX,
		.help = "virtual users, each with one request at a time",
	},
	{
		.key = "startVUs",
		.type = YAML_INT,
		.offset = offsetof(struct phase, start_vus),
		.max = USERS_MAX,
		.help = "users where the first stage begins",
	},
	{
		.key = "maxVUs",
		.type = YAML_INT,
		.offset = offsetof(struct phase, max_vus),
		.min = 1,
		.max = USERS_MAX,
		.help = "of an arrival rate: requests under way at a time at most",
	},
	{
		.key = "spawn_rate",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct phase, spawn_rate),
		.min = 0.001,
		.max = USERS_MAX,
		.help = "users that begin a second; without it, all at once",
	},
	{
		.key = "iterations",
		.type = YAML_INT,
		.offset = offsetof(struct phase, iterations),
		.min = 1,
		.max = 1e9,
		.help = "requests of each user, of per-vu-iterations",
	},
	{
		.key = "stages",
		.type = YAML_MAPS,
		.offset = offsetof(struct phase, stages),
		.count_offset = offsetof(struct phase, n_stages),
		.nested = &stage_schema,
		.help = "a list of {duration, target}",
	},
};

static void phase_defaults(void *object)
{
	struct phase *phase = object;

	phase->rate = phase->spawn_rate = NAN;
	phase->time_unit_ns = NSEC_PER_SEC;
	phase->max_vus = DEFAULT_USERS_MAX;
}

const struct yaml_schema phase_schema = {
	.name = "a phase",
	.size = sizeof(struct phase),
	.fields = phase_fields,
	.n_fields = ARRAY_SIZE(phase_fields),
	.synonyms = phase_synonyms,
	.defaults = phase_defaults,
};

/* The keys that each goes by, besides those of every phase. */
static const char *const executor_keys[][4] = {
	[EXECUTOR_NONE] = {NULL},
	[EXECUTOR_CONSTANT_ARRIVAL_RATE] = {"rate", "timeUnit", "maxVUs"},
	[EXECUTOR_RAMPING_ARRIVAL_RATE] = {"startRate", "stages", "timeUnit", "maxVUs"},
	[EXECUTOR_CONSTANT_VUS] = {"vus", "spawn_rate"},
	[EXECUTOR_RAMPING_VUS] = {"startVUs", "stages"},
	[EXECUTOR_PER_VU_ITERATIONS] = {"vus", "iterations", "spawn_rate"},
};

static bool executor_has_key(size_t executor, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(executor_keys[0]) && executor_keys[executor][i]; i++)
		if (!strcmp(executor_keys[executor][i], key))
			return true;
	return false;
}

/* Appends ", text" (without the comma to nothing) as far as there is room. */
static void append_word(char *list, size_t size, const char *text)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%s", used ? ", " : "", text);
}

/* A key that its executor does not go by would be believed in vain. */
static int check_keys(const struct phase *phase, size_t i, const struct yaml_file *file,
		      struct error *err)
{
	char where[96], executors[160] = "", keys[80] = "";
	const char *unused = NULL;

	for (size_t k = 0; k < ARRAY_SIZE(phase_fields) && !unused; k++) {
		const char *key = phase_fields[k].key;
		bool is_of_some = false;

		for (size_t e = 0; e < ARRAY_SIZE(executor_keys); e++)
			is_of_some = is_of_some || executor_has_key(e, key);
		snprintf(where, sizeof(where), "phases[%zu].%s", i, key);
		if (is_of_some && !executor_has_key(phase->executor, key) &&
		    yaml_file_has(file, where))
			unused = key;
	}
	if (!unused)
		return 0;
	for (size_t e = 0; e < ARRAY_SIZE(executor_keys); e++)
		if (executor_has_key(e, unused))
			append_word(executors, sizeof(executors), executor_names[e]);
	if (phase->executor == EXECUTOR_NONE)
		return yaml_file_error(file, where, err,
				       "is nothing to a phase without an executor; remove it, or "
				       "write an executor that goes by it: %s",
				       executors);
	for (size_t k = 0; k < ARRAY_SIZE(executor_keys[0]); k++)
		if (executor_keys[phase->executor][k])
			append_word(keys, sizeof(keys), executor_keys[phase->executor][k]);
	return yaml_file_error(file, where, err,
			       "is nothing to executor %s, whose keys are %s; remove it, or write "
			       "an executor that goes by it: %s",
			       executor_names[phase->executor], keys, executors);
}

/* A key that its executor needs and that is not there, NULL: none. */
static const char *missing_key(const struct phase *phase)
{
	switch (phase->executor) {
	case EXECUTOR_CONSTANT_ARRIVAL_RATE:
		return phase->rate > 0 ? NULL : "rate";
	case EXECUTOR_RAMPING_ARRIVAL_RATE:
	case EXECUTOR_RAMPING_VUS:
		return phase->n_stages ? NULL : "stages";
	case EXECUTOR_CONSTANT_VUS:
		return phase->vus > 0 ? NULL : "vus";
	case EXECUTOR_PER_VU_ITERATIONS:
		return phase->vus <= 0 ? "vus" : phase->iterations <= 0 ? "iterations" : NULL;
	case EXECUTOR_NONE:
		break;
	}
	return NULL;
}

static int check_executor(const struct phase *phase, const char *where,
			  const struct yaml_file *file, struct error *err)
{
	const char *missing = missing_key(phase);

	if (missing)
		return yaml_file_error(file, where, err, "executor %s needs the key '%s' above 0",
				       executor_names[phase->executor], missing);
	if (phase->n_stages > STAGES_MAX)
		return yaml_file_error(file, where, err, "has %zu stages; write at most %d",
				       phase->n_stages, STAGES_MAX);
	return 0;
}

/* Stages say how long their phase lasts. */
static int take_stages(struct phase *phase, const char *where, const struct yaml_file *file,
		       struct error *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < phase->n_stages; i++)
		total += phase->stages[i].duration_ns;
	if (!phase->n_stages)
		return 0;
	if (phase->duration_ns && phase->duration_ns != total)
		return yaml_file_error(file, where, err,
				       "its duration is not that of its stages; leave it out");
	if ((double)total > PHASE_SECONDS_MAX * (double)NSEC_PER_SEC)
		return yaml_file_error(file, where, err, "its stages last longer than 7 days");
	phase->duration_ns = total;
	return 0;
}

static int check_phase(struct scenario *scenario, size_t i, const struct yaml_file *file,
		       struct error *err)
{
	struct phase *phase = &scenario->phases[i];
	char where[64];

	snprintf(where, sizeof(where), "phases[%zu].executor", i);
	if (check_keys(phase, i, file, err) || check_executor(phase, where, file, err) ||
	    take_stages(phase, where, file, err))
		return -1;
	snprintf(where, sizeof(where), "phases[%zu].duration", i);
	if (phase->role == PHASE_MEASURED && !phase->duration_ns)
		return yaml_file_error(file, where, err,
				       "is 0; a measured phase has to last, write 30s or more");
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

int phases_check(struct scenario *scenario, const struct yaml_file *file, struct error *err)
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
			yaml_map_free(&phase_schema, &scenario->phases[i]);
		else
			scenario->phases[kept++] = scenario->phases[i];
	}
	scenario->n_phases = kept;
}

/* Before @like its rate, or its users, are those with which it begins; after it, with which it
 * ends. */
static double stage_value(const struct phase *like, bool is_before, double begin)
{
	if (!is_before && like->n_stages)
		return like->stages[like->n_stages - 1].target;
	return begin > 0 || !like->n_stages ? begin : like->stages[0].target;
}

/* A phase that the scenario does not have makes its work as the measured one beside it, evenly. */
static void work_as(struct phase *phase, const struct phase *like)
{
	bool is_before = phase->role < like->role;

	switch (like->executor) {
	case EXECUTOR_NONE:
		return;
	case EXECUTOR_CONSTANT_ARRIVAL_RATE:
	case EXECUTOR_RAMPING_ARRIVAL_RATE:
		phase->executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
		phase->rate = like->n_stages ? stage_value(like, is_before, like->start_rate)
					     : like->rate;
		break;
	case EXECUTOR_RAMPING_VUS:
		phase->executor = EXECUTOR_CONSTANT_VUS;
		phase->vus = (int)lround(stage_value(like, is_before, like->start_vus));
		break;
	case EXECUTOR_CONSTANT_VUS:
	case EXECUTOR_PER_VU_ITERATIONS:
		phase->executor = EXECUTOR_CONSTANT_VUS;
		phase->vus = like->vus;
		break;
	}
	phase->time_unit_ns = like->time_unit_ns;
	phase->max_vus = like->max_vus;
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
	memset(&larger[at], 0, sizeof(larger[at]));
	phase_defaults(&larger[at]);
	larger[at].name = name;
	larger[at].role = role;
	if (role == PHASE_WARMUP && at < n)
		work_as(&larger[at], &larger[at + 1]);
	else if (role == PHASE_COOLDOWN && at)
		work_as(&larger[at], &larger[at - 1]);
	scenario->n_phases = n + 1;
	return 0;
}

/* The stages of a phase keep their shares of it. */
static void scale_stages(struct phase *phase)
{
	uint64_t total = 0, left = phase->duration_ns;

	for (size_t i = 0; i < phase->n_stages; i++)
		total += phase->stages[i].duration_ns;
	for (size_t i = 0; total && i < phase->n_stages; i++) {
		struct phase_stage *stage = &phase->stages[i];
		unsigned __int128 share =
			(unsigned __int128)phase->duration_ns * stage->duration_ns / total;

		stage->duration_ns = i + 1 < phase->n_stages ? (uint64_t)share : left;
		left -= stage->duration_ns;
	}
}

/* Their shares stay; what rounding leaves over goes to the last. */
static void scale_phases(struct scenario *scenario, enum phase_role role, uint64_t ns)
{
	uint64_t total = scenario_duration_ns(scenario, role), left = ns;
	size_t n = count_phases(scenario, role);

	for (size_t i = 0; i < scenario->n_phases; i++) {
		struct phase *phase = &scenario->phases[i];
		uint64_t before_ns = phase->duration_ns;
		unsigned __int128 share;

		if (phase->role != role)
			continue;
		share = total ? (unsigned __int128)ns * phase->duration_ns / total : ns / n;
		phase->duration_ns = --n ? (uint64_t)share : left;
		left -= phase->duration_ns;
		scale_stages(phase);
		faults_scale(scenario, i, before_ns);
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
