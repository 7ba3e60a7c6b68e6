/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Complaints about the faults and proxies of a scenario. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/loopback.h"

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define FAULTS_MAX      64
#define PROXIES_MAX     16
#define NAME_MAX_LENGTH 60

/* --- which keys a kind has ---------------------------------------------------- */

#define KIND(kind) (1U << (kind))
#define PRESSURES  (KIND(FAULT_CPU) | KIND(FAULT_MEMORY) | KIND(FAULT_IO))

/* A key that not all kinds have: whose it is, and whose it must be. */
struct key_rule {
	const char *key;
	unsigned int allowed, needed;
	bool given;
};

static int check_rules(const struct fault *fault, size_t i, const struct yaml_file *file,
		       struct error *err)
{
	const unsigned int signal = KIND(FAULT_SIGNAL), connections = KIND(FAULT_CONNECTIONS),
			   proxy = KIND(FAULT_PROXY), memory = KIND(FAULT_MEMORY);
	const struct key_rule rules[] = {
		{"component", signal, 0, fault->component},
		{"leader", signal, 0, fault->n_leader},
		{"signal", signal, signal, fault->signal},
		{"restart", signal, 0, fault->restart},
		{"workers", PRESSURES, 0, fault->workers},
		{"bytes", memory | KIND(FAULT_IO), memory, fault->bytes},
		{"count", connections, connections, fault->count},
		{"address", connections, connections, fault->address},
		{"proxy", proxy, proxy, fault->proxy},
		{"effect", proxy, proxy, fault->effect != PROXY_NONE},
		{"delay", proxy, 0, fault->delay_ns},
		{"bandwidth", proxy, 0, fault->bytes_per_second},
		{"probability", proxy, 0, !isnan(fault->probability)},
	};
	char where[64];

	for (size_t k = 0; k < ARRAY_SIZE(rules); k++) {
		const char *kind = fault_kind_name(fault->kind);

		if (rules[k].given && !(rules[k].allowed & KIND(fault->kind))) {
			snprintf(where, sizeof(where), "faults[%zu].%s", i, rules[k].key);
			return yaml_file_error(file, where, err,
					       "is no key of kind %s; leave it out", kind);
		}
		if (!rules[k].given && rules[k].needed & KIND(fault->kind)) {
			snprintf(where, sizeof(where), "faults[%zu].kind", i);
			return yaml_file_error(file, where, err, "%s needs the key '%s'", kind,
					       rules[k].key);
		}
	}
	return 0;
}

static int check_effect(const struct fault *fault, size_t i, const struct yaml_file *file,
			struct error *err)
{
	const struct {
		const char *key;
		enum proxy_effect of;
		bool given;
	} rules[] = {
		{"delay", PROXY_DELAY, fault->delay_ns != 0},
		{"bandwidth", PROXY_BANDWIDTH, fault->bytes_per_second != 0},
	};
	char where[64];

	for (size_t k = 0; k < ARRAY_SIZE(rules); k++) {
		bool is_its = fault->effect == rules[k].of;

		if (rules[k].given == is_its)
			continue;
		snprintf(where, sizeof(where), "faults[%zu].%s", i,
			 is_its ? "effect" : rules[k].key);
		if (is_its)
			return yaml_file_error(file, where, err, "%s needs the key '%s'",
					       proxy_effect_name(fault->effect), rules[k].key);
		return yaml_file_error(file, where, err, "is no key of effect %s; leave it out",
				       proxy_effect_name(fault->effect));
	}
	return 0;
}

/* --- whom it meets -------------------------------------------------------------- */

static const struct proxy *find_proxy(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->n_proxies; i++)
		if (!strcmp(scenario->proxies[i].name, name))
			return &scenario->proxies[i];
	return NULL;
}

/* Of an address that has variables, what it becomes is looked at when it is filled in. */
static int check_address(const char *address, const char *where, const struct yaml_file *file,
			 struct error *err)
{
	union loopback parsed;
	socklen_t length;
	int failed;

	if (strstr(address, "${"))
		return 0;
	failed = loopback_parse(address, &parsed, &length);
	if (!failed)
		return 0;
	return yaml_file_error(file, where, err, "'%.60s' is %s; write 127.0.0.1:${port.NAME}",
			       address,
			       failed == -EINVAL ? "no address and port" : "not of this machine");
}

static int check_victim(const struct scenario *scenario, size_t i, const struct yaml_file *file,
			struct error *err)
{
	const struct fault *fault = &scenario->faults[i];
	const char *component = fault->component;
	char where[64];

	snprintf(where, sizeof(where), "faults[%zu].leader", i);
	if (fault->n_leader && component)
		return yaml_file_error(file, where, err,
				       "and component both say whom it hits; leave one of them");
	if (fault->n_leader && !*fault->leader[0])
		return yaml_file_error(file, where, err,
				       "is empty; write the program and its arguments");
	if (!component || !strcmp(component, FAULT_TARGET) ||
	    (!strncmp(component, FAULT_TARGET ".", sizeof(FAULT_TARGET)) &&
	     component[sizeof(FAULT_TARGET)]))
		return 0;
	if (component_exists(scenario->components, scenario->n_components, component))
		return 0;
	snprintf(where, sizeof(where), "faults[%zu].component", i);
	return yaml_file_error(file, where, err,
			       "the scenario has no component '%.60s'; write the name of one, or "
			       "target.%.60s for the target's own",
			       component, component);
}

static int check_signal(const struct scenario *scenario, size_t i, const struct yaml_file *file,
			struct error *err)
{
	const struct fault *fault = &scenario->faults[i];
	int number = fault_signal_number(fault->signal);
	char where[64];

	if (!number) {
		snprintf(where, sizeof(where), "faults[%zu].signal", i);
		return yaml_file_error(file, where, err,
				       "'%.60s' is no signal of a fault; write KILL, STOP, TERM, "
				       "INT, QUIT, ABRT, SEGV, HUP, USR1 or USR2",
				       fault->signal);
	}
	if (fault->restart && !fault_signal_ends(number)) {
		snprintf(where, sizeof(where), "faults[%zu].restart", i);
		return yaml_file_error(file, where, err,
				       "only what a signal ends can be started again, and %s ends "
				       "nothing; leave it out",
				       fault->signal);
	}
	if (fault->duration_ns && number != SIGSTOP && !fault->restart) {
		snprintf(where, sizeof(where), "faults[%zu].for", i);
		return yaml_file_error(file, where, err,
				       "%s is sent once and nothing is undone after it; leave it "
				       "out%s",
				       fault->signal,
				       fault_signal_ends(number) ? ", or write restart: true" : "");
	}
	return check_victim(scenario, i, file, err);
}

static int check_proxy_fault(const struct scenario *scenario, size_t i,
			     const struct yaml_file *file, struct error *err)
{
	const struct fault *fault = &scenario->faults[i];
	char where[64];

	if (!find_proxy(scenario, fault->proxy)) {
		snprintf(where, sizeof(where), "faults[%zu].proxy", i);
		return yaml_file_error(file, where, err,
				       "the scenario has no proxy '%.60s'; add {name: %.60s, to: "
				       "…} to proxies",
				       fault->proxy, fault->proxy);
	}
	return check_effect(fault, i, file, err);
}

/* --- when ----------------------------------------------------------------------- */

static int check_time(const struct scenario *scenario, size_t i, const struct yaml_file *file,
		      struct error *err)
{
	const struct fault *fault = &scenario->faults[i];
	size_t at = fault_phase(scenario, fault);
	const struct phase *phase = &scenario->phases[at];
	char where[64];

	if (at == scenario->n_phases) {
		snprintf(where, sizeof(where), "faults[%zu].phase", i);
		return yaml_file_error(file, where, err,
				       "no phase is named '%.60s'; write one of phases",
				       fault->phase);
	}
	if (fault->at_ns >= phase->duration_ns) {
		snprintf(where, sizeof(where), "faults[%zu].at", i);
		return yaml_file_error(file, where, err,
				       "phase '%.60s' has ended by then; write a time within it",
				       phase->name);
	}
	if (fault->duration_ns > phase->duration_ns - fault->at_ns) {
		snprintf(where, sizeof(where), "faults[%zu].for", i);
		return yaml_file_error(file, where, err,
				       "phase '%.60s' has ended by then; at and for together have "
				       "to lie within it",
				       phase->name);
	}
	return 0;
}

static uint64_t end_of(const struct scenario *scenario, const struct fault *fault)
{
	const struct phase *phase = &scenario->phases[fault_phase(scenario, fault)];

	return fault->duration_ns ? fault->at_ns + fault->duration_ns : phase->duration_ns;
}

/* A proxy has one effect at a time. */
static int check_overlap(const struct scenario *scenario, size_t i, size_t j,
			 const struct yaml_file *file, struct error *err)
{
	const struct fault *fault = &scenario->faults[i], *other = &scenario->faults[j];
	char where[64];

	if (fault->kind != FAULT_PROXY || other->kind != FAULT_PROXY ||
	    strcmp(fault->proxy, other->proxy) != 0 ||
	    fault_phase(scenario, fault) != fault_phase(scenario, other) ||
	    fault->at_ns >= end_of(scenario, other) || other->at_ns >= end_of(scenario, fault))
		return 0;
	snprintf(where, sizeof(where), "faults[%zu].at", i);
	return yaml_file_error(file, where, err,
			       "fault '%.60s' has proxy '%.60s' at that time; a proxy has one "
			       "effect at a time",
			       other->name, fault->proxy);
}

static int check_fault_name(const struct scenario *scenario, size_t i, const struct yaml_file *file,
			    struct error *err)
{
	const char *name = scenario->faults[i].name;
	char where[64];

	snprintf(where, sizeof(where), "faults[%zu].name", i);
	if (!*name || strlen(name) > NAME_MAX_LENGTH)
		return yaml_file_error(file, where, err,
				       "'%.20s' cannot be its name; write 1 to %d bytes", name,
				       NAME_MAX_LENGTH);
	for (size_t j = 0; j < i; j++)
		if (!strcmp(scenario->faults[j].name, name))
			return yaml_file_error(file, where, err,
					       "'%.60s' is taken by an earlier fault; choose "
					       "another",
					       name);
	return 0;
}

static int check_fault(const struct scenario *scenario, size_t i, const struct yaml_file *file,
		       struct error *err)
{
	const struct fault *fault = &scenario->faults[i];
	char where[64];

	if (check_fault_name(scenario, i, file, err) || check_rules(fault, i, file, err) ||
	    check_time(scenario, i, file, err))
		return -1;
	if (fault->kind == FAULT_SIGNAL && check_signal(scenario, i, file, err))
		return -1;
	if (fault->kind == FAULT_PROXY && check_proxy_fault(scenario, i, file, err))
		return -1;
	snprintf(where, sizeof(where), "faults[%zu].address", i);
	if (fault->kind == FAULT_CONNECTIONS && check_address(fault->address, where, file, err))
		return -1;
	for (size_t j = 0; j < i; j++)
		if (check_overlap(scenario, i, j, file, err))
			return -1;
	return 0;
}

static int check_proxy(const struct scenario *scenario, size_t i, const struct yaml_file *file,
		       struct error *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				      "0123456789";
	const char *name = scenario->proxies[i].name;
	char where[64];

	snprintf(where, sizeof(where), "proxies[%zu].name", i);
	if (!*name || name[strspn(name, letters)] || strlen(name) > NAME_MAX_LENGTH ||
	    !strcmp(name, FAULT_TARGET))
		return yaml_file_error(file, where, err,
				       "'%.60s' cannot be its name; write letters, digits and "
				       "'_', and not 'target'",
				       name);
	if (component_exists(scenario->components, scenario->n_components, name) ||
	    find_proxy(scenario, name) != &scenario->proxies[i])
		return yaml_file_error(file, where, err,
				       "'%.60s' is taken by a component or an earlier proxy; "
				       "choose another",
				       name);
	snprintf(where, sizeof(where), "proxies[%zu].to", i);
	return check_address(scenario->proxies[i].to, where, file, err);
}

int faults_check(struct scenario *scenario, const struct yaml_file *file, struct error *err)
{
	if (scenario->n_faults > FAULTS_MAX)
		return yaml_file_error(file, "faults", err, "has %zu faults; write at most %d",
				       scenario->n_faults, FAULTS_MAX);
	if (scenario->n_proxies > PROXIES_MAX)
		return yaml_file_error(file, "proxies", err, "has %zu proxies; write at most %d",
				       scenario->n_proxies, PROXIES_MAX);
	for (size_t i = 0; i < scenario->n_proxies; i++)
		if (check_proxy(scenario, i, file, err))
			return -1;
	for (size_t i = 0; i < scenario->n_faults; i++)
		if (check_fault(scenario, i, file, err))
			return -1;
	for (size_t i = 0; i < scenario->n_faults; i++)
		if (isnan(scenario->faults[i].probability))
			scenario->faults[i].probability = 1;
	return 0;
}
