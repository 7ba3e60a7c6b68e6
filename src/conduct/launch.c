/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starting what runs in a round, in its order, and ending it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conduct/hook.h"
#include "conduct/ready.h"
#include "conduct/round.h"
#include "drive/driver.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/units.h"

#define OUTPUT_PIPE  (1 << 20)
#define END_GRACE_NS (3 * NSEC_PER_SEC)

char side_letter(const struct round *round)
{
	return round->plan->side == SIDE_A ? 'A' : 'B';
}

static bool has_target_ended(struct round *round, int *status)
{
	if (round->faults && faults_have_ended(round->faults, "target"))
		return false;
	return side_has_ended(&round->side, round->conductor, status);
}

bool has_ended_early(void *context)
{
	struct round *round = context;
	int status;

	return has_target_ended(round, &status) ||
	       parts_ended(&round->parts, round->faults, &status);
}

static bool is_attached(void *context)
{
	struct round *round = context;

	return driver_process_is_attached(round->driver) || has_ended_early(round);
}

static void name_end(char *text, size_t size, int status)
{
	if (WIFEXITED(status))
		snprintf(text, size, "with exit code %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(text, size, "by signal %d", WTERMSIG(status));
}

/* What a scenario has running has no business ending before it is ended. */
int ended_early(struct round *round, const char *when, struct error *err)
{
	char words[300], how[64] = "of itself", what[160], after[64];
	const char *log = round->side.log_name;
	const struct part *part;
	int status;

	snprintf(what, sizeof(what), "target '%.100s'", round->plan->target->name);
	if (has_target_ended(round, &status)) {
		name_end(how, sizeof(how), status);
	} else if ((part = parts_ended(&round->parts, round->faults, &status)) != NULL) {
		name_end(how, sizeof(how), status);
		snprintf(what, sizeof(what), "component '%.100s'", part->component->name);
		log = part->log_name;
	}
	/* Components come first. */
	snprintf(after, sizeof(after), "before the target was started");
	if (round->released_ns)
		snprintf(after, sizeof(after), "after %.1f s",
			 (double)(clock_now_ns() - round->released_ns) / 1e9);
	log_last_line(round->conductor, log, words, sizeof(words));
	return error_set(err, EXIT_CODE_FAILED, "side %c, %s, ended %s %s, %s; %s%s%s%s/%s",
			 side_letter(round), what, how, after, when,
			 words[0] ? "it last said: " : "it said nothing", words,
			 words[0] ? "; all of it is in " : "; its standard error is in ",
			 round->conductor->results->path, log);
}

static int make_dir(struct round *round, struct error *err)
{
	struct conductor *conductor = round->conductor;

	if (asprintf(&round->dir, "%s/round%u", keeper_private_dir(conductor->keeper),
		     conductor->rounds_started++) < 0) {
		round->dir = NULL;
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	/* Users that files name have folders of their own in it. */
	if (mkdir(round->dir, conductor->n_users ? 0711 : 0700))
		return error_set(err, EXIT_CODE_FAILED, "cannot make %s: %s", round->dir,
				 strerror(errno));
	return 0;
}

/* The pipe from the target to the driver, which reads what the target delivers. */
static int start_driver(struct round *round, struct error *err)
{
	struct conductor *conductor = round->conductor;
	const struct conduct_options *options = conductor->options;
	char *dir = NULL, log[64];
	struct driver_start start = {
		.keeper = conductor->keeper,
		.identity = &conductor->identity,
		.scenario = round->plan->scenario,
		.rate = options->rate,
		.seed = options->has_seed ? &options->seed : NULL,
		.kubeconfig = options->kubeconfig,
	};

	if (pipe2(round->output, O_CLOEXEC))
		return error_set(err, EXIT_CODE_FAILED, "cannot make a pipe: %s", strerror(errno));
	fcntl(round->output[1], F_SETPIPE_SZ, OUTPUT_PIPE);
	if (asprintf(&dir, "%s/driver", round->dir) < 0)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	start.private_dir = dir;
	start.output_fd = round->output[0];
	if (mkdir(dir, 0700)) {
		error_set(err, EXIT_CODE_FAILED, "cannot make %s: %s", dir, strerror(errno));
	} else {
		snprintf(log, sizeof(log), "logs/pair%d-%c.driver.stderr", round->plan->pair,
			 side_letter(round));
		start.log_fd = results_create(conductor->results, log, err);
		if (start.log_fd >= 0) {
			round->driver = driver_process_start(&start, err);
			close(start.log_fd);
		}
	}
	free(dir);
	close(round->output[0]);
	round->output[0] = -1;
	return round->driver ? collector_add_driver(&round->collector, round->driver, err) : -1;
}

/* Its children are what it runs: the kernel times them. */
static int time_children(struct round *round, struct error *err)
{
	int pidfd, failed;

	if (!driver_find(round->plan->scenario->driver)->times_children)
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, driver_process_pid(round->driver), 0);
	if (pidfd < 0)
		return error_set(err, EXIT_CODE_FAILED, "the driver has ended: %s",
				 strerror(errno));
	failed = probe_time_children(round->conductor->probe, pidfd, !round->plan->warmup_ns, err);
	close(pidfd);
	return failed;
}

/* What a driver that serves gives comes first; the rest is handed out here. */
static int take_variables(struct round *round, struct error *err)
{
	const struct variable *from;
	size_t n = 0;

	from = round->driver ? driver_process_variables(round->driver, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (variables_add(&round->variables, from[i].name, "%s", from[i].value))
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
	/* A real cluster's address is its kubeconfig's. */
	if (round->conductor->options->kubeconfig)
		return 0;
	return variables_hand_out(&round->variables, round->plan->target, round->plan->scenario,
				  round->dir, err);
}

static int run_hooks(struct round *round, const char *name, const struct yaml_strings *commands,
		     size_t n, struct error *err)
{
	const struct scenario *scenario = round->plan->scenario;
	char log[64], what[64];
	struct hook_setting setting = {
		.collector = &round->collector,
		.variables = &round->variables,
		.identity = &round->conductor->identity,
		.log_name = log,
		.what = what,
		.timeout_ns = scenario->hooks.timeout_ns,
	};

	if (!n)
		return 0;
	snprintf(log, sizeof(log), "logs/pair%d-%c.hooks.log", round->plan->pair,
		 side_letter(round));
	snprintf(what, sizeof(what), "hook %s", name);
	progress_phase(&round->conductor->progress, what, 0);
	return hooks_run(&setting, commands, n, err);
}

static int wait_ready(struct round *round, struct error *err)
{
	const struct target *target = round->plan->target;
	char what[160];
	struct ready_subject subject = {
		.what = what,
		.log_name = round->side.log_name,
		.pid = round->side.n_pids ? round->side.pids[0] : 0,
	};
	struct hook_setting setting = {
		.collector = &round->collector,
		.variables = &round->variables,
		.identity = conductor_user(round->conductor, target->user),
		.directory = round->side.home,
		.environment = (const struct yaml_pair *)target->environment,
		.n_environment = target->n_environment,
		.log_name = round->side.log_name,
		.what = what,
	};

	snprintf(what, sizeof(what), "target '%.100s'", target->name);
	return ready_wait(&target->ready, &subject, &setting, err);
}

/* Until the target's command is held before its exec. */
static int start_side(struct round *round, struct error *err)
{
	int failed;

	failed = side_start(&round->side, &round->collector, round->plan, &round->variables,
			    round->output[1], round->is_client, err);
	if (round->output[1] >= 0)
		close(round->output[1]);
	round->output[1] = -1;
	return failed ? failed : side_enrol(&round->side, &round->collector, err);
}

static int prepare(struct round *round, struct error *err)
{
	if (take_variables(round, err))
		return -1;
	return side_prepare(&round->side, &round->collector, round->plan, &round->variables,
			    round->dir, round->is_client, err);
}

static int start_command(struct round *round, struct error *err)
{
	if (make_dir(round, err) || prepare(round, err) ||
	    parts_start(&round->parts, &round->collector, &round->variables, round->plan, err))
		return -1;
	return start_side(round, err);
}

int launch_command(struct round *round, struct error *err)
{
	int failed;

	round->is_launching = true;
	failed = start_command(round, err);
	round->is_launching = false;
	return failed;
}

static int start_all(struct round *round, struct error *err)
{
	const struct scenario *scenario = round->plan->scenario;
	const struct driver_ops *ops = driver_find(scenario->driver);
	const struct hooks *hooks = &scenario->hooks;
	char what[160];

	round->is_client = ops && ops->connect;
	if (make_dir(round, err) || start_driver(round, err) || time_children(round, err) ||
	    prepare(round, err))
		return -1;
	round->is_prepared = true;
	if (round_faults_open(round, err))
		return -1;
	if (run_hooks(round, "setup", hooks->setup, hooks->n_setup, err) ||
	    parts_start(&round->parts, &round->collector, &round->variables, round->plan, err))
		return -1;
	if (round->conductor->interrupted)
		return 0;
	snprintf(what, sizeof(what), "target '%.100s'", round->plan->target->name);
	if (ready_check_free(&round->plan->target->ready, what, &round->variables, err) ||
	    start_side(round, err) || release(round, err) || wait_ready(round, err))
		return -1;
	if (round->conductor->interrupted)
		return 0;
	if (run_hooks(round, "prepare", hooks->prepare, hooks->n_prepare, err))
		return -1;
	if (round->is_client)
		driver_process_connect(round->driver, variables_json(&round->variables));
	return 0;
}

int launch(struct round *round, struct error *err)
{
	int failed;

	round->is_launching = true;
	failed = start_all(round, err);
	round->is_launching = false;
	return failed;
}

int release(struct round *round, struct error *err)
{
	round->released_ns = clock_now_ns();
	/* Where it cannot be executed there is nothing that was measured. */
	round->is_void = true;
	if (side_release(&round->side, round->conductor, round->plan, err))
		return -1;
	round->is_void = false;
	return 0;
}

int wait_attached(struct round *round, struct error *err)
{
	uint64_t timeout = round->plan->ready_timeout_ns;
	char words[300], limit[32];
	enum collector_result result;

	progress_phase(&round->conductor->progress, "connecting", 0);
	result = collector_wait(&round->collector, clock_now_ns() + timeout, is_attached, round,
				err);
	if (result == COLLECTOR_DONE && !driver_process_is_attached(round->driver))
		return ended_early(round, "before it was ready", err);
	if (result != COLLECTOR_TIMEOUT)
		return result == COLLECTOR_FAILED ? -1 : 0;
	side_last_words(&round->side, round->conductor, words, sizeof(words));
	return error_set(err, EXIT_CODE_FAILED,
			 "side %c, target '%s', was not ready within %s: %s; %s%s; "
			 "give it longer with --ready-timeout",
			 side_letter(round), round->plan->target->name,
			 format_duration_ns(limit, sizeof(limit), timeout),
			 round->is_client ? "the driver could not begin its work on it"
					  : "it did not follow every pod",
			 words[0] ? "it last said: " : "it said nothing on standard error", words);
}

int conclude(struct round *round, struct error *err)
{
	const struct hooks *hooks = &round->plan->scenario->hooks;

	return run_hooks(round, "conclude", hooks->conclude, hooks->n_conclude, err);
}

void hang_up(struct round *round)
{
	if (!round->driver)
		return;
	if (!round->report)
		round->report = json_incref((json_t *)driver_process_report(round->driver));
	if (!round->is_client)
		return;
	/* A server that ends waits for its clients. */
	collector_remove_driver(&round->collector);
	driver_process_stop(round->driver);
	round->driver = NULL;
}

/* Owed once the setup hooks may have run, whatever came after. */
static void clean_up(struct round *round)
{
	const struct scenario *scenario = round->plan->scenario;
	int interrupted = round->conductor->interrupted;
	struct error err;

	if (!round->is_prepared || !scenario || !scenario->hooks.n_cleanup)
		return;
	round->conductor->interrupted = 0;
	if (run_hooks(round, "cleanup", scenario->hooks.cleanup, scenario->hooks.n_cleanup, &err))
		progress_note(&round->conductor->progress, true, "%s", err.text);
	if (!round->conductor->interrupted)
		round->conductor->interrupted = interrupted;
}

/* With what has left their trees: it must reach neither the cleanup nor the next round. */
static void end_parts(struct round *round)
{
	struct conductor *conductor = round->conductor;
	struct error err;
	int left;

	if (!round->parts.n)
		return;
	parts_end(&round->parts);
	left = keeper_end(conductor->keeper, END_GRACE_NS, &err);
	if (left > 0)
		progress_note(&conductor->progress, true,
			      "%d processes of components of side %c could not be ended", left,
			      side_letter(round));
}

void round_clear(struct round *round)
{
	if (round->plan->target)
		end_parts(round);
	round_faults_close(round);
	clean_up(round);
	driver_process_stop(round->driver);
	json_decref(round->report);
	scrape_free(round->scrape);
	parts_clear(&round->parts);
	collector_clear(&round->collector);
	if (round->side.home)
		keeper_remove_dir(round->conductor->keeper, round->side.home);
	side_clear(&round->side);
	variables_clear(&round->variables);
	for (int i = 0; i < 2; i++)
		if (round->output[i] >= 0)
			close(round->output[i]);
	if (round->dir)
		dir_remove(round->dir);
	free(round->dir);
}
