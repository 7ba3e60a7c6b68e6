/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * perfbpf fault: only the faults of a scenario, against processes that run already; for trying
 * them out by hand, and for tests. Not shown in the list of commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "drive/driver.h"
#include "fault/fault.h"
#include "fault/recover.h"
#include "util/clock.h"
#include "util/file.h"

#define VARIABLES_MAX 32
#define VICTIMS_MAX   16
#define SPAWN_FDS_MAX 8

struct fault_command {
	const char *scenario;
	size_t n_variables;
	struct variable variables[VARIABLES_MAX];
	size_t n_victims;
	struct victim {
		const char *component;
		pid_t pid;
	} victims[VICTIMS_MAX];
	int signal_fd;
	int interrupted; /* 0: not */
};

static int set_scenario(void *state, const char *word, struct error *err)
{
	struct fault_command *command = state;

	if (command->scenario)
		return error_set(err, EXIT_CODE_USAGE,
				 "fault: one scenario at a time; '%s' is a second one", word);
	command->scenario = word;
	return 0;
}

/* NAME=VALUE; the word is cut in place, NULL: it is none. */
static const char *cut(const char *word)
{
	char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return NULL;
	*equals = '\0';
	return equals + 1;
}

static int set_variable(void *state, const char *word, struct error *err)
{
	struct fault_command *command = state;
	const char *value = cut(word);

	if (!value || command->n_variables == VARIABLES_MAX)
		return error_set(err, EXIT_CODE_USAGE,
				 "fault: --set '%s' is no variable, or one too many; write "
				 "port.db=5432",
				 word);
	command->variables[command->n_variables++] = (struct variable){word, value};
	return 0;
}

static int set_victim(void *state, const char *word, struct error *err)
{
	struct fault_command *command = state;
	const char *value = cut(word);
	char *end = NULL;
	long pid = value ? strtol(value, &end, 10) : 0;

	if (pid < 1 || pid > INT_MAX || *end || command->n_victims == VICTIMS_MAX)
		return error_set(err, EXIT_CODE_USAGE,
				 "fault: --pid '%s' is no process, or one too many; write db=1234",
				 word);
	command->victims[command->n_victims++] =
		(struct victim){.component = word, .pid = (pid_t)pid};
	return 0;
}

static const struct option_spec specs[] = {
	{"pid", 0, "NAME=PID", "the process that a component (or target) is", set_victim},
	{"set", 0, "NAME=VALUE", "a variable: port.db=5432", set_variable},
};

static const struct option_table table = {
	.usage = "fault SCENARIO [--pid NAME=PID]... [--set NAME=VALUE]...",
	.summary = "Only the faults of a scenario, against processes that run already: for trying "
		   "them out by hand",
	.examples = "  perfbpf fault my.yaml --pid target=1234\n"
		    "  perfbpf fault my.yaml --set port.db=5432 --set port.slow_db=7001\n",
	.specs = specs,
	.n_specs = sizeof(specs) / sizeof(specs[0]),
	.positional = set_scenario,
};

/* --- what faults need of a host ---------------------------------------------------- */

static int pids_of(void *context, const char *component, pid_t *pids, size_t max)
{
	const struct fault_command *command = context;

	for (size_t i = 0; i < command->n_victims; i++) {
		const struct victim *victim = &command->victims[i];
		struct process *tree;
		size_t n;

		if (strcmp(victim->component, component) != 0)
			continue;
		tree = calloc(FAULT_PROCESSES_MAX, sizeof(*tree));
		n = tree ? process_tree(victim->pid, tree, FAULT_PROCESSES_MAX) : 0;
		n = n < max ? n : max;
		/* The one that was named comes first. */
		for (size_t j = 0, at = 1; j < n; j++)
			pids[tree[j].pid == victim->pid || at == n ? 0 : at++] = tree[j].pid;
		free(tree);
		return (int)n;
	}
	return -ENOENT;
}

static int spawn(void *context, char *const *argv, const int *fds, size_t n_fds, pid_t *pid,
		 struct error *err)
{
	int moved[SPAWN_FDS_MAX];
	sigset_t none;

	(void)context;
	*pid = fork();
	if (*pid < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot fork: %s", strerror(errno));
	if (*pid)
		return 0;
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* First out of the way of one another. */
	for (size_t i = 0; i < n_fds; i++)
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, SPAWN_FDS_MAX);
	for (size_t i = 0; i < n_fds; i++)
		dup2(moved[i], (int)i);
	execv(argv[0], argv);
	_exit(127);
}

static bool ended(void *context, pid_t pid, int *status)
{
	(void)context;
	return waitpid(pid, status, WNOHANG) != 0;
}

static void end(void *context, pid_t pid)
{
	(void)context;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int restart(void *context, const char *component, struct error *err)
{
	(void)context;
	return error_set(err, EXIT_CODE_FAILED,
			 "'%s' was not started by perfbpf, which cannot start it again", component);
}

static void told(void *context, const char *fault, uint64_t at_ns, bool is_end)
{
	(void)context;
	printf("{\"event\":\"%s\",\"fault\":\"%s\",\"at_ns\":%" PRIu64 "}\n",
	       is_end ? "ended" : "began", fault, at_ns);
	fflush(stdout);
}

/* --- running ------------------------------------------------------------------------- */

static int open_signals(struct fault_command *command, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	command->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return command->signal_fd >= 0 ? 0
				       : error_set(err, EXIT_CODE_FAILED, "cannot take signals: %s",
						   strerror(errno));
}

static void begin_phases(struct faults *faults, const struct scenario *scenario)
{
	uint64_t at_ns = clock_now_ns();

	for (size_t i = 0; i < scenario->n_phases; i++) {
		faults_phase(faults, i, at_ns);
		at_ns += scenario->phases[i].duration_ns;
	}
}

static int timeout_ms(const struct faults *faults)
{
	uint64_t next_ns = faults_next_ns(faults), now_ns = clock_now_ns();

	if (next_ns <= now_ns)
		return 0;
	next_ns = (next_ns - now_ns) / NSEC_PER_MSEC + 1;
	return next_ns > 1000 ? 1000 : (int)next_ns;
}

static int loop(struct fault_command *command, struct faults *faults, struct error *err)
{
	while (!faults_are_over(faults) && !command->interrupted) {
		struct pollfd fds[] = {{.fd = faults_fd(faults), .events = POLLIN},
				       {.fd = command->signal_fd, .events = POLLIN}};
		struct signalfd_siginfo info;

		poll(fds, 2, timeout_ms(faults));
		if (read(command->signal_fd, &info, sizeof(info)) == sizeof(info))
			command->interrupted = (int)info.ssi_signo;
		if (faults_step(faults, clock_now_ns(), err))
			return -1;
	}
	return 0;
}

/* One line of JSON for each; returns how many were not as they should be. */
static size_t print_results(const struct faults *faults)
{
	size_t wrong = 0;

	for (size_t i = 0; i < faults_count(faults); i++) {
		struct fault_result result = faults_result(faults, i);
		json_t *line = json_pack(
			"{s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:I, s:I, s:s?, s:s?}", "event",
			"result", "fault", result.name, "kind", fault_kind_name(result.kind),
			"applied_at_ns", (json_int_t)result.applied_at_ns, "verified_at_ns",
			(json_int_t)result.verified_at_ns, "ended_at_ns",
			(json_int_t)result.ended_at_ns, "verified", result.verified, "undone",
			result.undone, "met", (json_int_t)result.met, "affected",
			(json_int_t)result.affected, "component", result.component, "error",
			result.error);

		if (line)
			json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
		wrong += result.error != NULL;
	}
	return wrong;
}

static int run_faults(struct fault_command *command, const struct scenario *scenario,
		      struct journal *journal, const char *private_dir, struct error *err)
{
	const struct fault_host host = {.context = command,
					.pids_of = pids_of,
					.spawn = spawn,
					.ended = ended,
					.end = end,
					.restart = restart,
					.told = told};
	const struct fault_options options = {.scenario = scenario,
					      .host = &host,
					      .journal = journal,
					      .variables = command->variables,
					      .n_variables = command->n_variables,
					      .private_dir = private_dir,
					      .log_fd = STDERR_FILENO};
	struct faults *faults = faults_open(&options, err);
	int failed;

	if (!faults)
		return (int)err->exit_code;
	begin_phases(faults, scenario);
	failed = loop(command, faults, err);
	faults_undo_all(faults);
	if (print_results(faults) && !failed)
		failed = error_set(err, EXIT_CODE_FAILED,
				   "fault: not all faults were what they should be; the error of "
				   "each is in its result");
	failed = stream_finish(stdout, "standard output", err) || failed;
	faults_close(faults);
	if (command->interrupted)
		return EXIT_CODE_SIGNAL_BASE + command->interrupted;
	return failed ? (int)err->exit_code : EXIT_CODE_OK;
}

static void print_recovery(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "perfbpf: %s\n", text);
}

static int run_with_journal(struct fault_command *command, const struct scenario *scenario,
			    struct error *err)
{
	char private_dir[] = "/tmp/perfbpf-fault.XXXXXX", *folder = journal_folder();
	struct journal *journal = NULL;
	struct recovery recovery;
	int code;

	if (!folder)
		return error_set(err, EXIT_CODE_USAGE,
				 "fault: there is no folder for a journal; set XDG_STATE_HOME or "
				 "HOME"),
		       EXIT_CODE_USAGE;
	(void)faults_recover(folder, print_recovery, NULL, &recovery);
	if (open_signals(command, err) || !(journal = journal_open(folder, err))) {
		code = (int)err->exit_code;
	} else if (!mkdtemp(private_dir)) {
		error_set(err, EXIT_CODE_FAILED, "fault: cannot make a folder below /tmp: %s",
			  strerror(errno));
		code = EXIT_CODE_FAILED;
	} else {
		code = run_faults(command, scenario, journal, private_dir, err);
		dir_remove(private_dir);
	}
	journal_close(journal);
	free(folder);
	return code;
}

static int run(int argc, char **argv)
{
	struct fault_command command = {.signal_fd = -1};
	struct scenario *scenario;
	struct error err = {0};
	int code;

	switch (options_parse(&table, argc, argv, &command, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	case OPTIONS_OK:
		break;
	}
	if (!command.scenario) {
		error_set(&err, EXIT_CODE_USAGE, "fault: say which scenario");
		return cmd_fail(&err);
	}
	scenario = scenario_load(command.scenario, driver_schema_of, &err);
	if (!scenario)
		return cmd_fail(&err);
	code = run_with_journal(&command, scenario, &err);
	scenario_free(scenario);
	if (code && err.text[0])
		cmd_fail(&err);
	return code;
}

const struct subcommand cmd_fault = {
	.name = "fault",
	.summary = "only the faults of a scenario",
	.run = run,
	.hidden = true,
};
