/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The faults of a scenario and the proxies that some of them need. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/suggest.h"

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define WORKERS_MAX     1024
#define CONNECTIONS_MAX 20000
#define SECONDS_MAX     (7.0 * 24 * 3600)
#define DELAY_MAX       60.0

_Static_assert(sizeof(enum fault_kind) == sizeof(int), "a YAML_ENUM is an int");
_Static_assert(sizeof(enum proxy_effect) == sizeof(int), "a YAML_ENUM is an int");

static const char *const kind_names[] = {
	[FAULT_SIGNAL] = "signal",
	[FAULT_CPU] = "cpu",
	[FAULT_MEMORY] = "memory",
	[FAULT_IO] = "io",
	[FAULT_CONNECTIONS] = "connections",
	[FAULT_PROXY] = "proxy",
	NULL,
};

static const char *const effect_names[] = {
	[PROXY_NONE] = "none",   [PROXY_DELAY] = "delay",         [PROXY_STALL] = "stall",
	[PROXY_RESET] = "reset", [PROXY_BANDWIDTH] = "bandwidth", NULL,
};

/* Others have no use in a test, or would only be undone by chance. */
static const struct signal_name {
	const char *name;
	int number;
	bool ends;
} signals[] = {
	{"KILL", SIGKILL, true},  {"STOP", SIGSTOP, false}, {"TERM", SIGTERM, true},
	{"INT", SIGINT, true},    {"QUIT", SIGQUIT, true},  {"ABRT", SIGABRT, true},
	{"SEGV", SIGSEGV, true},  {"HUP", SIGHUP, false},   {"USR1", SIGUSR1, false},
	{"USR2", SIGUSR2, false},
};

int fault_signal_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (!strcmp(signals[i].name, name))
			return signals[i].number;
	return 0;
}

bool fault_signal_ends(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i].number == number)
			return signals[i].ends;
	return false;
}

const char *fault_kind_name(enum fault_kind kind)
{
	return kind_names[kind];
}

const char *proxy_effect_name(enum proxy_effect effect)
{
	return effect_names[effect];
}

static const struct yaml_field fault_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct fault, name),
		.required = true,
		.help = "what reports call it",
	},
	{
		.key = "kind",
		.type = YAML_ENUM,
		.offset = offsetof(struct fault, kind),
		.choices = kind_names,
		.required = true,
		.help = "signal, cpu, memory, io, connections or proxy",
	},
	{
		.key = "phase",
		.type = YAML_STRING,
		.offset = offsetof(struct fault, phase),
		.help = "the phase it begins in; without it the first measured one",
	},
	{
		.key = "at",
		.type = YAML_DURATION,
		.offset = offsetof(struct fault, at_ns),
		.max = SECONDS_MAX,
		.help = "when, after the beginning of its phase: 30s",
	},
	{
		.key = "for",
		.type = YAML_DURATION,
		.offset = offsetof(struct fault, duration_ns),
		.min = 0.001,
		.max = SECONDS_MAX,
		.help = "how long it lasts; without it until the end of its phase",
	},
	{
		.key = "component",
		.type = YAML_STRING,
		.offset = offsetof(struct fault, component),
		.help = "of a signal: the component that gets it; target: the target, which is "
			"the default; target.NAME: a component of the target's own",
	},
	{
		.key = "leader",
		.type = YAML_STRINGS,
		.offset = offsetof(struct fault, leader),
		.count_offset = offsetof(struct fault, n_leader),
		.help = "of a signal, in place of component: a command whose first line of output "
			"names it",
	},
	{
		.key = "signal",
		.type = YAML_STRING,
		.offset = offsetof(struct fault, signal),
		.help = "KILL, STOP (until the fault ends), TERM, INT, QUIT, ABRT, SEGV, HUP, USR1 "
			"or USR2",
	},
	{
		.key = "restart",
		.type = YAML_BOOL,
		.offset = offsetof(struct fault, restart),
		.help = "true: what the signal ended is started again when the fault ends",
	},
	{
		.key = "workers",
		.type = YAML_INT,
		.offset = offsetof(struct fault, workers),
		.min = 1,
		.max = WORKERS_MAX,
		.help = "processes of cpu (default: as many as CPUs), memory and io (1)",
	},
	{
		.key = "bytes",
		.type = YAML_SIZE,
		.offset = offsetof(struct fault, bytes),
		.min = 1048576,
		.help = "of memory: taken in all; of io: the size of the files in all",
	},
	{
		.key = "count",
		.type = YAML_INT,
		.offset = offsetof(struct fault, count),
		.min = 1,
		.max = CONNECTIONS_MAX,
		.help = "connections to be held",
	},
	{
		.key = "address",
		.type = YAML_STRING,
		.offset = offsetof(struct fault, address),
		.help = "of connections: 127.0.0.1:${port.NAME}",
	},
	{
		.key = "proxy",
		.type = YAML_STRING,
		.offset = offsetof(struct fault, proxy),
		.help = "the name of one of the proxies",
	},
	{
		.key = "effect",
		.type = YAML_ENUM,
		.offset = offsetof(struct fault, effect),
		.choices = effect_names,
		.help = "of a proxy: delay, stall, reset or bandwidth",
	},
	{
		.key = "delay",
		.type = YAML_DURATION,
		.offset = offsetof(struct fault, delay_ns),
		.min = 0.001,
		.max = DELAY_MAX,
		.help = "by which answers come later: 50ms",
	},
	{
		.key = "bandwidth",
		.type = YAML_SIZE,
		.offset = offsetof(struct fault, bytes_per_second),
		.min = 1024,
		.help = "bytes a second each way, of all connections together: 1MiB",
	},
	{
		.key = "probability",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct fault, probability),
		.min = 0.0001,
		.max = 1,
		.help = "of kind proxy only: share of the answers (of bandwidth: connections) that "
			"its effect meets: 0.05",
	},
};

/* What is not given must be told from any value. */
static void fault_defaults(void *object)
{
	((struct fault *)object)->probability = NAN;
}

const struct yaml_schema fault_schema = {
	.name = "a fault",
	.size = sizeof(struct fault),
	.fields = fault_fields,
	.n_fields = ARRAY_SIZE(fault_fields),
	.defaults = fault_defaults,
};

static const struct yaml_field proxy_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct proxy, name),
		.required = true,
		.help = "what faults call it; it listens on ${port.NAME}",
	},
	{
		.key = "to",
		.type = YAML_STRING,
		.offset = offsetof(struct proxy, to),
		.required = true,
		.help = "where its connections go: 127.0.0.1:${port.db}",
	},
};

const struct yaml_schema proxy_schema = {
	.name = "a proxy",
	.size = sizeof(struct proxy),
	.fields = proxy_fields,
	.n_fields = ARRAY_SIZE(proxy_fields),
};

size_t fault_phase(const struct scenario *scenario, const struct fault *fault)
{
	size_t i = 0;

	while (i < scenario->n_phases &&
	       (fault->phase ? strcmp(scenario->phases[i].name, fault->phase) != 0
			     : scenario->phases[i].role != PHASE_MEASURED))
		i++;
	return i;
}

void faults_scale(struct scenario *scenario, size_t index, uint64_t before_ns)
{
	unsigned __int128 now_ns = scenario->phases[index].duration_ns;

	for (size_t i = 0; before_ns && i < scenario->n_faults; i++) {
		struct fault *fault = &scenario->faults[i];

		if (fault_phase(scenario, fault) != index)
			continue;
		fault->at_ns = (uint64_t)(now_ns * fault->at_ns / before_ns);
		/* 0 would be until the end of the phase. */
		if (fault->duration_ns &&
		    !(fault->duration_ns = (uint64_t)(now_ns * fault->duration_ns / before_ns)))
			fault->duration_ns = 1;
	}
}

bool component_exists(const struct component *components, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(components[i].name, name))
			return true;
	return false;
}

static int fail_component(const struct scenario *scenario, const struct fault *fault,
			  const struct target *target, struct error *err)
{
	const char *wanted = fault->component + sizeof(FAULT_TARGET);
	const char **names = calloc(target->n_components + 1, sizeof(*names));
	const char *near = NULL;

	for (size_t i = 0; names && i < target->n_components; i++)
		names[i] = target->components[i].name;
	if (names)
		near = suggest_nearest(wanted, names, target->n_components);
	error_set(err, EXIT_CODE_USAGE,
		  "%s: fault '%s' hits component '%s', which target '%s' does not have%s%s%s",
		  scenario->path, fault->name, wanted, target->name, near ? "; did you mean '" : "",
		  near ? near : "; give it one of that name, or take another target",
		  near ? "'?" : "");
	free(names);
	return -1;
}

int faults_check_target(const struct scenario *scenario, const struct target *target,
			struct error *err)
{
	for (size_t i = 0; i < scenario->n_faults; i++) {
		const struct fault *fault = &scenario->faults[i];
		const char *component = fault->component;

		if (!component || strncmp(component, FAULT_TARGET ".", sizeof(FAULT_TARGET)) != 0)
			continue;
		if (!component_exists(target->components, target->n_components,
				      component + sizeof(FAULT_TARGET)))
			return fail_component(scenario, fault, target, err);
	}
	for (size_t i = 0; i < scenario->n_proxies; i++)
		if (component_exists(target->components, target->n_components,
				     scenario->proxies[i].name))
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: proxy '%s' has the name of a component of target "
					 "'%s', and ${port.%s} can only be one of them; rename it",
					 scenario->path, scenario->proxies[i].name, target->name,
					 scenario->proxies[i].name);
	return 0;
}
