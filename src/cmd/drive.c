/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* perfbpf drive: the workload of a scenario without a target; needs neither root nor BPF. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "drive/driver.h"
#include "scenario/scenario.h"
#include "util/file.h"
#include "util/units.h"

#define VARIABLES_MAX 32

struct drive {
	const char *scenario;
	const char *kubeconfig;
	const char *private_dir;
	double rate;
	uint64_t duration_ns;
	uint64_t seed;
	bool has_seed;
	bool is_check;
	int control_fd, output_fd;
	uint64_t role_ns[PHASE_ROLES]; /* in place of the phases' own; UINT64_MAX: as they are */
	size_t n_variables;
	struct variable variables[VARIABLES_MAX];
};

static int set_scenario(void *state, const char *word, struct error *err)
{
	struct drive *drive = state;

	if (drive->scenario)
		return error_set(err, EXIT_CODE_USAGE,
				 "drive: one scenario at a time; '%s' is a second one", word);
	drive->scenario = word;
	return 0;
}

static int set_check(void *state, const char *value, struct error *err)
{
	((struct drive *)state)->is_check = true;
	return set_scenario(state, value, err);
}

static int set_rate(void *state, const char *value, struct error *err)
{
	if (parse_count(value, &((struct drive *)state)->rate))
		return error_set(err, EXIT_CODE_USAGE,
				 "drive: --rate '%s' is no rate; write 14000, 14k or 1.5M", value);
	return 0;
}

static int set_seed(void *state, const char *value, struct error *err)
{
	struct drive *drive = state;
	char *end;

	errno = 0;
	drive->seed = strtoull(value, &end, 10);
	drive->has_seed = true;
	if (errno || *end || *value < '0' || *value > '9')
		return error_set(err, EXIT_CODE_USAGE,
				 "drive: --seed '%s' is no whole number of at most 64 bits", value);
	return 0;
}

static int set_duration(void *state, const char *value, struct error *err)
{
	if (parse_duration_ns(value, &((struct drive *)state)->duration_ns))
		return error_set(err, EXIT_CODE_USAGE,
				 "drive: --duration '%s' is no duration; write 30s, 5m or 250ms",
				 value);
	return 0;
}

/* NAME=VALUE; the word is cut in place. */
static int set_variable(void *state, const char *value, struct error *err)
{
	struct drive *drive = state;
	char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return error_set(err, EXIT_CODE_USAGE,
				 "drive: --set '%s' is no variable; write port=5432", value);
	if (drive->n_variables == VARIABLES_MAX)
		return error_set(err, EXIT_CODE_USAGE, "drive: more than %d variables with --set",
				 VARIABLES_MAX);
	*equals = '\0';
	drive->variables[drive->n_variables++] = (struct variable){value, equals + 1};
	return 0;
}

/* "WARMUP,MEASURED,COOLDOWN" in nanoseconds, "-" for what stays as it is. */
static int set_roles(void *state, const char *value, struct error *err)
{
	struct drive *drive = state;
	const char *at = value;

	for (int role = 0; role < PHASE_ROLES; role++) {
		char *end = NULL;

		if (*at == '-')
			end = (char *)at + 1;
		else
			drive->role_ns[role] = strtoull(at, &end, 10);
		if (end == at || *end != (role + 1 < PHASE_ROLES ? ',' : '\0'))
			return error_set(err, EXIT_CODE_USAGE, "drive: --roles '%s' is no list",
					 value);
		at = end + 1;
	}
	return 0;
}

static int set_kubeconfig(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct drive *)state)->kubeconfig = value;
	return 0;
}

/* A descriptor that the conductor left open for this process, and for no child of it. */
static int set_fd(int *fd, const char *name, const char *value, struct error *err)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (*end || *value < '0' || *value > '9' || number > INT_MAX ||
	    fcntl((int)number, F_SETFD, FD_CLOEXEC))
		return error_set(err, EXIT_CODE_USAGE, "drive: %s '%s' is no open file", name,
				 value);
	*fd = (int)number;
	return 0;
}

static int set_control_fd(void *state, const char *value, struct error *err)
{
	return set_fd(&((struct drive *)state)->control_fd, "--control-fd", value, err);
}

static int set_output_fd(void *state, const char *value, struct error *err)
{
	return set_fd(&((struct drive *)state)->output_fd, "--output-fd", value, err);
}

static int set_private_dir(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct drive *)state)->private_dir = value;
	return 0;
}

/* The last ones are between the conductor and its driver, and not shown to people. */
#define CONDUCTOR_SPECS 4
static const struct option_spec specs[] = {
	{"rate", 'r', "R", "work a second in place of the scenario's: 14000, 14k", set_rate},
	{"seed", 0, "N", "of all that is drawn at random", set_seed},
	{"duration", 'd', "D", "end after 30s, 5m … (default: at Ctrl-C)", set_duration},
	{"kubeconfig", 0, "FILE", "use this cluster and serve nothing", set_kubeconfig},
	{"set", 0, "NAME=VALUE", "a variable of a client's section: port=5432", set_variable},
	{"check", 0, "FILE", "only check a scenario", set_check},
	{"control-fd", 0, "N", "socket of the conductor", set_control_fd},
	{"output-fd", 0, "N", "output of the target", set_output_fd},
	{"private-dir", 0, "DIR", "where to put files", set_private_dir},
	{"roles", 0, "NS,NS,NS", "lengths of the phases", set_roles},
};

static struct option_table options(int argc, char **argv)
{
	struct option_table table = {
		.usage =
			"drive SCENARIO [--rate R] [--seed N] [--duration D] [--set NAME=VALUE]... "
			"[--kubeconfig FILE]",
		.summary = "Only the workload of a scenario: for trying tools out by hand",
		.examples = "  perfbpf drive kubelogs/basic\n"
			    "  perfbpf drive kubelogs/basic --rate 50k --duration 1m\n"
			    "  perfbpf drive http/nginx --set port=8080\n"
			    "  perfbpf drive --check my-scenario.yaml\n",
		.specs = specs,
		.n_specs = sizeof(specs) / sizeof(specs[0]) - CONDUCTOR_SPECS,
		.positional = set_scenario,
	};

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--control-fd"))
			table.n_specs = sizeof(specs) / sizeof(specs[0]);
	return table;
}

/* The ones that end a program must wait until there is a loop that can clean up. */
static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int run_alone(const struct driver_ops *ops, struct driver_context *context,
		     const struct drive *drive, struct error *err)
{
	const char *parent = getenv("TMPDIR");
	char dir[PATH_MAX];
	int code, rc;

	if (!parent || !*parent)
		parent = "/tmp";
	snprintf(dir, sizeof(dir), "%s/perfbpf-drive.XXXXXX", parent);
	block_signals();
	if (!mkdtemp(dir)) {
		error_set(err, EXIT_CODE_FAILED,
			  "cannot make a folder below %s: %s; set TMPDIR to one that can be "
			  "written",
			  parent, strerror(errno));
		return cmd_fail(err);
	}
	context->private_dir = dir;
	code = driver_run_alone(ops, context, drive->variables, drive->n_variables,
				drive->duration_ns);
	rc = dir_remove(dir);
	if (rc) {
		error_set(err, EXIT_CODE_FAILED, "cannot remove %s: %s", dir, strerror(-rc));
		return cmd_fail(err);
	}
	return code;
}

/* As the conductor has it of the command line. */
static int set_durations(const struct drive *drive, struct scenario *scenario, struct error *err)
{
	for (int role = 0; role < PHASE_ROLES; role++)
		if (drive->role_ns[role] != UINT64_MAX &&
		    scenario_set_duration(scenario, (enum phase_role)role, drive->role_ns[role],
					  err))
			return -1;
	return 0;
}

static int run_scenario(const struct drive *drive, struct scenario *scenario, struct error *err)
{
	const struct driver_ops *ops = driver_find(scenario->driver);
	struct driver_context context = {
		.scenario = scenario,
		.output_fd = drive->output_fd,
		.private_dir = drive->private_dir,
		.external = drive->kubeconfig,
	};

	if (!ops) {
		error_set(err, EXIT_CODE_USAGE, "%s: driver '%s' is not known", scenario->path,
			  scenario->driver);
		return cmd_fail(err);
	}
	if (set_durations(drive, scenario, err))
		return cmd_fail(err);
	if (ops->override(scenario->driver_config, drive->rate,
			  drive->has_seed ? &drive->seed : NULL, err))
		return cmd_fail(err);
	/* Without a target all variables are a person's. */
	if (drive->control_fd < 0 &&
	    driver_check(scenario, drive->variables, drive->n_variables, false, err)) {
		if (strstr(err->text, "unknown variable"))
			error_prefix(err, "drive: variables come from --set NAME=VALUE");
		return cmd_fail(err);
	}
	/* A client that goes away is an error of its write, not the end. */
	signal(SIGPIPE, SIG_IGN);
	if (drive->control_fd < 0)
		return run_alone(ops, &context, drive, err);
	/* The terminal's Ctrl-C is the conductor's, which then hangs up. */
	signal(SIGINT, SIG_IGN);
	return driver_serve(ops, &context, drive->control_fd);
}

/* What a round has, whatever its target; what that brings is looked at when a run is planned. */
static int check_scenario(const struct scenario *scenario, struct error *err)
{
	static const struct variable common[] = {
		{"port", ""}, {"port2", ""}, {"home", ""}, {"user", ""}, {"scripts", ""},
	};

	if (driver_check(scenario, common, sizeof(common) / sizeof(common[0]), true, err))
		return cmd_fail(err);
	printf("%s: a scenario of driver %s that can be run\n", scenario->path, scenario->driver);
	return stream_finish(stdout, "standard output", err) ? cmd_fail(err) : EXIT_CODE_OK;
}

static int run(int argc, char **argv)
{
	struct drive drive = {.rate = NAN,
			      .control_fd = -1,
			      .output_fd = -1,
			      .role_ns = {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
	struct option_table table = options(argc, argv);
	struct scenario *scenario;
	struct error err = {0};
	int code;

	switch (options_parse(&table, argc, argv, &drive, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	case OPTIONS_OK:
		break;
	}
	if (!drive.scenario || (drive.control_fd >= 0 && !drive.private_dir)) {
		error_set(&err, EXIT_CODE_USAGE,
			  "drive: say which scenario, as in 'perfbpf drive kubelogs/basic'; "
			  "'perfbpf list scenarios' names them");
		return cmd_fail(&err);
	}
	scenario = scenario_load(drive.scenario, driver_schema_of, &err);
	if (!scenario)
		return cmd_fail(&err);
	code = drive.is_check ? check_scenario(scenario, &err)
			      : run_scenario(&drive, scenario, &err);
	scenario_free(scenario);
	return code;
}

const struct subcommand cmd_drive = {
	.name = "drive",
	.summary = "only the workload of a scenario; needs no root and no BPF",
	.run = run,
};
