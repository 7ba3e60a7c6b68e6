/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What makes a protocol of the load engine (load.h) a driver (driver.h): the part that http,
 * postgres and exec share. Such a driver is
 *
 *	static const struct load_driver_ops http_load = { … };
 *
 *	static struct driver *http_open(const struct driver_context *context, struct error *err)
 *	{
 *		return load_driver_open(&http_load, context, err);
 *	}
 *
 *	const struct driver_ops driver_http = {
 *		.name = "http", .description = "…", .schema = &http_schema, .open = http_open,
 *		LOAD_DRIVER_FUNCTIONS,
 *	};
 */
#ifndef PERFBPF_DRIVE_LOAD_LOAD_DRIVER_H
#define PERFBPF_DRIVE_LOAD_LOAD_DRIVER_H

#include "drive/driver.h"
#include "drive/load/load.h"

/* An item of `users`: a struct load_class as a scenario has it. */
struct load_users {
	char *name;
	double weight;
	uint64_t wait_min_ns, wait_max_ns;
	size_t n_requests;
	char **requests; /* names of kinds; none: all */
};

/*
 * The keys that all load drivers have. The struct of a driver's section begins with one, its
 * fields with LOAD_CONFIG_FIELDS, and its defaults() calls load_config_defaults().
 */
struct load_config {
	uint64_t timeout_ns; /* of one request */
	int seed;
	size_t n_users;
	struct load_users *users; /* none: all are alike, and do not wait */
	/* --seed and --rate */
	bool has_seed_override;
	uint64_t seed_override;
	double rate_override; /* NAN: not given */
};

extern const struct yaml_schema load_users_schema;

#define LOAD_SECONDS_MAX (7.0 * 24 * 3600)
/* clang-format off */
#define LOAD_CONFIG_FIELDS                                                                         \
	{                                                                                          \
		.key = "timeout",                                                                  \
		.type = YAML_DURATION,                                                             \
		.offset = offsetof(struct load_config, timeout_ns),                                \
		.min = 0.001,                                                                      \
		.max = LOAD_SECONDS_MAX,                                                           \
		.help = "of one request (10s)",                                                    \
	},                                                                                         \
	{                                                                                          \
		.key = "seed",                                                                     \
		.type = YAML_INT,                                                                  \
		.offset = offsetof(struct load_config, seed),                                      \
		.max = 0x7fffffff,                                                                 \
		.help = "of what is drawn at random (1)",                                          \
	},                                                                                         \
	{                                                                                          \
		.key = "users",                                                                    \
		.type = YAML_MAPS,                                                                 \
		.offset = offsetof(struct load_config, users),                                     \
		.count_offset = offsetof(struct load_config, n_users),                             \
		.nested = &load_users_schema,                                                      \
		.help = "classes of users: a list of {name, weight, wait_min, wait_max, requests}", \
	}
/* clang-format on */

void load_config_defaults(struct load_config *config);
uint64_t load_config_seed(const struct load_config *config);

/* What a driver adds to its protocol. @context is what connect() gave. */
struct load_driver_ops {
	const char *name; /* of the driver, for messages */
	const struct load_protocol *protocol;
	/*
	 * The kinds of requests of @config, in an array that is freed with free(); names live as
	 * long as @config. Complains of what the schema cannot see. -1 with @err.
	 */
	int (*kinds)(const void *config, struct load_kind **kinds, size_t *n_kinds,
		     struct error *err);
	/*
	 * The target is ready: the protocol's context, with the texts of the section filled by
	 * variables_fill(). What takes time is begun here and gone on with in prepare(). Variables
	 * are gone afterwards. NULL with @err.
	 */
	void *(*connect)(const struct driver_context *context, const struct variable *variables,
			 size_t n_variables, struct error *err);
	/*
	 * What is to be done before the load (a schema, data). Called after connect(), and
	 * whenever prepare_fd() (an epoll descriptor, perhaps) is readable; it returns at once.
	 * 1: ready, 0: not yet, -1 with @err. Both NULL: there is nothing to prepare.
	 */
	int (*prepare)(void *context, struct error *err);
	int (*prepare_fd)(const void *context);
	/* The window @opens, or closes, just now. NULL: nothing is to be done then. */
	void (*window)(void *context, bool opens);
	/* Adds to the engine's report what the driver can say beside it, e.g. notes. NULL: nothing.
	 */
	void (*report)(void *context, json_t *report);
	/* What a person is told when the load begins: the target's address, say. May be NULL. */
	void (*print_usage)(const void *context, FILE *out);
	/* Frees the context; all users have been closed. Takes NULL. */
	void (*close)(void *context);
};

/* Functions for struct driver_ops. */
struct driver *load_driver_open(const struct load_driver_ops *ops,
				const struct driver_context *context, struct error *err);
/*
 * --seed is the config's; --rate R makes R the highest rate of all phases with an arrival rate, and
 * changes the others in proportion.
 */
int load_driver_override(void *config, double rate, const uint64_t *seed, struct error *err);
int load_driver_connect(struct driver *driver, const struct variable *variables, size_t n_variables,
			struct error *err);
int load_driver_fd(const struct driver *driver);
int load_driver_step(struct driver *driver, struct error *err);
bool load_driver_is_attached(const struct driver *driver);
uint64_t load_driver_restart(struct driver *driver);
void load_driver_window_open(struct driver *driver, uint64_t at_ns, uint64_t tick_ns);
void load_driver_window_close(struct driver *driver, uint64_t at_ns);
void load_driver_fault(struct driver *driver, const char *name, uint64_t at_ns, bool ended);
bool load_driver_is_finished(const struct driver *driver);
bool load_driver_is_drained(const struct driver *driver);
json_t *load_driver_report(struct driver *driver);
void load_driver_print_usage(const struct driver *driver, FILE *out);
void load_driver_print_progress(const struct driver *driver, FILE *out);
void load_driver_close(struct driver *driver); /* takes NULL */

/* clang-format off */
#define LOAD_DRIVER_FUNCTIONS                                                                      \
	.override = load_driver_override, .connect = load_driver_connect, .fd = load_driver_fd,    \
	.step = load_driver_step, .is_attached = load_driver_is_attached,                          \
	.restart = load_driver_restart, .window_open = load_driver_window_open,                    \
	.window_close = load_driver_window_close, .fault = load_driver_fault,                      \
	.is_finished = load_driver_is_finished, .is_drained = load_driver_is_drained,              \
	.report = load_driver_report, .print_usage = load_driver_print_usage,                      \
	.print_progress = load_driver_print_progress, .close = load_driver_close
/* clang-format on */

#endif
