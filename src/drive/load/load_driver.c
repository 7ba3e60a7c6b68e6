/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/load/load_driver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drive/load/schedule.h"
#include "util/clock.h"
#include "util/suggest.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define RATE_MAX      1e9

struct driver {
	const struct load_driver_ops *ops;
	struct driver_context context;
	const struct load_config *config;
	size_t n_phases;
	struct phase *phases; /* the scenario's, with rates of their own; names are borrowed */
	struct load_kind *kinds;
	size_t n_kinds;
	struct load_class *classes;
	size_t n_classes;
	void *protocol; /* its context; NULL: not connected yet */
	struct load *load;
	bool is_prepared;
};

/* --- the keys that all have ----------------------------------------------------- */

static const struct yaml_field users_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct load_users, name),
		.required = true,
		.help = "what messages call them",
	},
	{
		.key = "weight",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct load_users, weight),
		.min = 0.001,
		.max = 1e6,
		.help = "their share of all users; with arrival rates, of all requests (1)",
	},
	{
		.key = "wait_min",
		.type = YAML_DURATION,
		.offset = offsetof(struct load_users, wait_min_ns),
		.max = LOAD_SECONDS_MAX,
		.help = "the shortest time between an answer and the next request (0s)",
	},
	{
		.key = "wait_max",
		.type = YAML_DURATION,
		.offset = offsetof(struct load_users, wait_max_ns),
		.max = LOAD_SECONDS_MAX,
		.help = "the longest (wait_min)",
	},
	{
		.key = "requests",
		.type = YAML_STRINGS,
		.offset = offsetof(struct load_users, requests),
		.count_offset = offsetof(struct load_users, n_requests),
		.help = "names of what they draw from, by its weight (all)",
	},
};

static void users_defaults(void *object)
{
	((struct load_users *)object)->weight = 1;
}

const struct yaml_schema load_users_schema = {
	.name = "a class of users",
	.size = sizeof(struct load_users),
	.fields = users_fields,
	.n_fields = ARRAY_SIZE(users_fields),
	.defaults = users_defaults,
};

void load_config_defaults(struct load_config *config)
{
	config->timeout_ns = 10 * NSEC_PER_SEC;
	config->seed = 1;
	config->rate_override = NAN;
}

uint64_t load_config_seed(const struct load_config *config)
{
	return config->has_seed_override ? config->seed_override : (uint64_t)config->seed;
}

int load_driver_override(void *object, double rate, const uint64_t *seed, struct error *err)
{
	struct load_config *config = object;

	if (!isnan(rate) && (rate <= 0 || rate > RATE_MAX))
		return error_set(err, EXIT_CODE_USAGE,
				 "--rate %g: give more than 0 and at most 1G requests a second",
				 rate);
	config->rate_override = rate;
	if (seed) {
		config->has_seed_override = true;
		config->seed_override = *seed;
	}
	return 0;
}

/* --- classes of users ------------------------------------------------------------ */

static int no_such_request(const struct driver *driver, const struct load_users *users,
			   const char *name, struct error *err)
{
	const char **names = calloc(driver->n_kinds + 1, sizeof(*names));
	const char *near = NULL;

	for (size_t i = 0; names && i < driver->n_kinds; i++)
		names[i] = driver->kinds[i].name;
	if (names)
		near = suggest_nearest(name, names, driver->n_kinds);
	error_set(err, EXIT_CODE_USAGE,
		  "%s: %s: the users '%.60s' are to send '%.60s', which is no request of this "
		  "scenario%s%.60s%s",
		  driver->context.scenario->path, driver->ops->name, users->name, name,
		  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	free(names);
	return -1;
}

static int find_kinds(const struct driver *driver, const struct load_users *users,
		      struct load_class *class, struct error *err)
{
	size_t *kinds = calloc(users->n_requests + 1, sizeof(*kinds));

	if (!kinds)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	class->kinds = kinds;
	class->n_kinds = users->n_requests;
	for (size_t i = 0; i < users->n_requests; i++) {
		size_t kind = 0;

		while (kind < driver->n_kinds &&
		       strcmp(driver->kinds[kind].name, users->requests[i]) != 0)
			kind++;
		if (kind == driver->n_kinds)
			return no_such_request(driver, users, users->requests[i], err);
		kinds[i] = kind;
	}
	return 0;
}

static int make_classes(struct driver *driver, struct error *err)
{
	const struct load_config *config = driver->config;

	if (!driver->n_kinds)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: %s: there is nothing to send; list at least one",
				 driver->context.scenario->path, driver->ops->name);
	driver->n_classes = config->n_users ? config->n_users : 1;
	driver->classes = calloc(driver->n_classes, sizeof(*driver->classes));
	if (!driver->classes)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	driver->classes[0] = (struct load_class){.name = "users", .weight = 1};
	for (size_t i = 0; i < config->n_users; i++) {
		const struct load_users *users = &config->users[i];
		struct load_class *class = &driver->classes[i];

		*class = (struct load_class){
			.name = users->name,
			.weight = users->weight,
			.wait_min_ns = users->wait_min_ns,
			.wait_max_ns = users->wait_max_ns ? users->wait_max_ns : users->wait_min_ns,
		};
		if (class->wait_max_ns < class->wait_min_ns)
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: %s: the users '%.60s' have a wait_max below their "
					 "wait_min; exchange them",
					 driver->context.scenario->path, driver->ops->name,
					 users->name);
		if (find_kinds(driver, users, class, err))
			return -1;
	}
	return 0;
}

/* --- phases ----------------------------------------------------------------------- */

static int check_phases(const struct driver *driver, struct error *err)
{
	const struct scenario *scenario = driver->context.scenario;

	for (size_t i = 0; i < scenario->n_phases; i++)
		if (scenario->phases[i].executor == EXECUTOR_NONE)
			return error_set(
				err, EXIT_CODE_USAGE,
				"%s: the phase '%.60s' has no 'executor', which driver %s "
				"needs; write constant-arrival-rate, ramping-arrival-rate, "
				"constant-vus, ramping-vus or per-vu-iterations",
				scenario->path, scenario->phases[i].name, driver->ops->name);
	return 0;
}

static int copy_phases(struct driver *driver, struct error *err)
{
	const struct scenario *scenario = driver->context.scenario;

	driver->phases = calloc(scenario->n_phases + 1, sizeof(*driver->phases));
	if (!driver->phases)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	driver->n_phases = scenario->n_phases;
	for (size_t i = 0; i < scenario->n_phases; i++) {
		const struct phase *from = &scenario->phases[i];
		struct phase *phase = &driver->phases[i];

		*phase = *from;
		phase->stages = calloc(from->n_stages + 1, sizeof(*phase->stages));
		if (!phase->stages)
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
		for (size_t j = 0; j < from->n_stages; j++)
			phase->stages[j] = from->stages[j];
	}
	return 0;
}

/* Arrivals a second. */
static double highest_rate(const struct phase *phase)
{
	double rate =
		phase->executor == EXECUTOR_CONSTANT_ARRIVAL_RATE ? phase->rate : phase->start_rate;

	for (size_t i = 0; i < phase->n_stages; i++)
		rate = fmax(rate, phase->stages[i].target);
	return rate * 1e9 / (double)phase->time_unit_ns;
}

/* --rate */
static int scale_phases(struct driver *driver, struct error *err)
{
	double highest = 0, factor;

	if (isnan(driver->config->rate_override))
		return 0;
	for (size_t i = 0; i < driver->n_phases; i++)
		if (phase_is_open_loop(&driver->phases[i]))
			highest = fmax(highest, highest_rate(&driver->phases[i]));
	if (highest <= 0)
		return error_set(err, EXIT_CODE_USAGE,
				 "--rate: no phase of %s has an arrival rate; choose a scenario "
				 "that has one, or leave --rate out",
				 driver->context.scenario->path);
	factor = driver->config->rate_override / highest;
	for (size_t i = 0; i < driver->n_phases; i++) {
		struct phase *phase = &driver->phases[i];

		if (!phase_is_open_loop(phase))
			continue;
		phase->rate *= factor;
		phase->start_rate *= factor;
		for (size_t j = 0; j < phase->n_stages; j++)
			phase->stages[j].target *= factor;
	}
	return 0;
}

/* --- its life ----------------------------------------------------------------------- */

void load_driver_close(struct driver *driver)
{
	if (!driver)
		return;
	load_free(driver->load);
	driver->ops->close(driver->protocol);
	for (size_t i = 0; driver->classes && i < driver->n_classes; i++)
		free((size_t *)driver->classes[i].kinds);
	for (size_t i = 0; i < driver->n_phases; i++)
		free(driver->phases[i].stages);
	free(driver->classes);
	free(driver->phases);
	free(driver->kinds);
	free(driver);
}

struct driver *load_driver_open(const struct load_driver_ops *ops,
				const struct driver_context *context, struct error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	if (!driver) {
		error_set(err, EXIT_CODE_FAILED, "%s: out of memory", ops->name);
		return NULL;
	}
	driver->ops = ops;
	driver->context = *context;
	driver->config = context->scenario->driver_config;
	if (!check_phases(driver, err) && !copy_phases(driver, err) && !scale_phases(driver, err) &&
	    !ops->kinds(driver->config, &driver->kinds, &driver->n_kinds, err) &&
	    !make_classes(driver, err))
		return driver;
	load_driver_close(driver);
	return NULL;
}

/* -1 with err; is_prepared says whether it is done. */
static int go_on_preparing(struct driver *driver, struct error *err)
{
	int rc = driver->ops->prepare ? driver->ops->prepare(driver->protocol, err) : 1;

	driver->is_prepared = rc > 0;
	return rc < 0 ? -1 : 0;
}

int load_driver_connect(struct driver *driver, const struct variable *variables, size_t n_variables,
			struct error *err)
{
	struct load_plan plan = {
		.phases = driver->phases,
		.n_phases = driver->n_phases,
		.kinds = driver->kinds,
		.n_kinds = driver->n_kinds,
		.classes = driver->classes,
		.n_classes = driver->n_classes,
		.protocol = driver->ops->protocol,
		.timeout_ns = driver->config->timeout_ns,
		.seed = load_config_seed(driver->config),
	};

	driver->protocol = driver->ops->connect(&driver->context, variables, n_variables, err);
	if (!driver->protocol)
		return -1;
	plan.context = driver->protocol;
	driver->load = load_new(&plan, err);
	return driver->load ? go_on_preparing(driver, err) : -1;
}

/* -1, which poll() passes over, before it is connected. */
int load_driver_fd(const struct driver *driver)
{
	if (!driver->load)
		return -1;
	return driver->is_prepared ? load_fd(driver->load)
				   : driver->ops->prepare_fd(driver->protocol);
}

int load_driver_step(struct driver *driver, struct error *err)
{
	if (!driver->load)
		return 0;
	return driver->is_prepared ? load_step(driver->load, err) : go_on_preparing(driver, err);
}

bool load_driver_is_attached(const struct driver *driver)
{
	return driver->is_prepared;
}

uint64_t load_driver_restart(struct driver *driver)
{
	uint64_t now_ns = clock_now_ns();

	load_start(driver->load, now_ns);
	return now_ns;
}

void load_driver_window_open(struct driver *driver, uint64_t at_ns, uint64_t tick_ns)
{
	if (!driver->load)
		return;
	load_window_open(driver->load, at_ns, tick_ns);
	if (driver->ops->window)
		driver->ops->window(driver->protocol, true);
}

void load_driver_window_close(struct driver *driver, uint64_t at_ns)
{
	if (!driver->load)
		return;
	load_window_close(driver->load, at_ns);
	if (driver->ops->window)
		driver->ops->window(driver->protocol, false);
}

void load_driver_fault(struct driver *driver, const char *name, uint64_t at_ns, bool ended)
{
	if (driver->load)
		load_fault(driver->load, name, at_ns, ended);
}

bool load_driver_is_finished(const struct driver *driver)
{
	return driver->load && load_is_finished(driver->load);
}

bool load_driver_is_drained(const struct driver *driver)
{
	return !driver->load || load_is_drained(driver->load);
}

/* --- what it tells ------------------------------------------------------------------ */

json_t *load_driver_report(struct driver *driver)
{
	json_t *report = driver->load ? load_report(driver->load) : json_object();

	if (report && driver->protocol && driver->ops->report)
		driver->ops->report(driver->protocol, report);
	return report;
}

void load_driver_print_usage(const struct driver *driver, FILE *out)
{
	if (driver->protocol && driver->ops->print_usage)
		driver->ops->print_usage(driver->protocol, out);
}

void load_driver_print_progress(const struct driver *driver, FILE *out)
{
	if (driver->load)
		load_print_progress(driver->load, out);
	else
		fputs("not connected", out);
}
