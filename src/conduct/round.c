/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One round: start a side, open the window, close it, end the side, keep what was measured. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conduct/fill.h"
#include "conduct/round.h"
#include "conduct/work.h"
#include "drive/driver.h"
#include "record/limit.h"
#include "util/clock.h"

#define END_GRACE_NS   (3 * NSEC_PER_SEC)
#define DRAIN_NS       (2 * NSEC_PER_SEC)
#define PATIENCE_NS    (5 * NSEC_PER_SEC)
#define LATE_NS        (20 * NSEC_PER_MSEC)
#define PEEK_NS        NSEC_PER_SEC
#define SCRAPE_LEAD_NS (500 * NSEC_PER_MSEC)
/* Longer than preparing and scraping take. */
#define PREPARE_LEAD_NS (2 * NSEC_PER_SEC)

static void started_now(struct record_round *out)
{
	struct timespec now;
	char text[64];
	struct tm utc;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + n, sizeof(text) - n, ".%03ldZ", now.tv_nsec / 1000000);
	free(out->started_at);
	out->started_at = strdup(text);
}

static bool is_tree_gone(void *context)
{
	struct round *round = context;

	return probe_live(round->conductor->probe) <= 0;
}

static bool has_report(void *context)
{
	struct round *round = context;

	return driver_process_report(round->driver) != NULL;
}

/* A number of iterations can be over before its time. */
static bool is_finished(const struct round *round)
{
	return round->driver && round->collector.counting &&
	       driver_process_is_finished(round->driver);
}

static bool need_not_wait(void *context)
{
	struct round *round = context;

	return has_ended_early(round) || is_finished(round);
}

static bool has_abort(const struct scenario *scenario)
{
	for (size_t i = 0; scenario && i < scenario->n_thresholds; i++)
		if (scenario->thresholds[i].abort_on_fail)
			return true;
	return false;
}

/* A threshold that is to end the round where it fails is looked at once a second. */
static int look_at_thresholds(struct round *round, struct error *err)
{
	const struct scenario *scenario = round->plan->scenario;
	uint64_t now = clock_now_ns();
	size_t which;
	int fails;

	if (!round->driver || !round->collector.counting || now < round->next_peek_ns ||
	    !has_abort(scenario))
		return 0;
	round->next_peek_ns = now + PEEK_NS;
	fails = driver_process_peeked(round->driver)
			? work_fails_live(scenario->thresholds, scenario->n_thresholds,
					  driver_process_peeked(round->driver),
					  now - round->collector.window.opened_ns, &which)
			: 0;
	if (fails < 0)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (fails) {
		round->is_aborted = true;
		if (asprintf(&round->aborted_by, "%s of %s", scenario->thresholds[which].expression,
			     scenario->thresholds[which].metric) < 0) {
			round->aborted_by = NULL;
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
		}
		progress_note(&round->conductor->progress, true,
			      "side %c: ended, as the threshold '%s' of %s failed",
			      side_letter(round), scenario->thresholds[which].expression,
			      scenario->thresholds[which].metric);
	}
	driver_process_peek(round->driver);
	return 0;
}

/* What is to be done while a phase passes, and when it is to be looked at again. */
static int look(struct round *round, uint64_t *next_ns, struct error *err)
{
	if (look_at_thresholds(round, err))
		return -1;
	if (round->collector.counting && has_abort(round->plan->scenario) &&
	    round->next_peek_ns < *next_ns)
		*next_ns = round->next_peek_ns;
	return 0;
}

static bool is_cut_short(const struct round *round)
{
	return round->conductor->interrupted || round->is_aborted || is_finished(round);
}

/* Does nothing but wait until then; -1 with @err also where the side ends meanwhile. */
static int pass(struct round *round, const char *phase, uint64_t until_ns, struct error *err)
{
	uint64_t now = clock_now_ns();
	char when[64];

	if (until_ns <= now || round->conductor->interrupted)
		return 0;
	progress_phase(&round->conductor->progress, phase, until_ns - now);
	while (clock_now_ns() < until_ns && !is_cut_short(round)) {
		uint64_t next_ns = until_ns;
		enum collector_result result;

		if (look(round, &next_ns, err))
			return -1;
		result = collector_wait(&round->collector, next_ns,
					round->plan->target ? need_not_wait : NULL, round, err);
		if (result == COLLECTOR_FAILED)
			return -1;
		if (result == COLLECTOR_DONE && has_ended_early(round)) {
			snprintf(when, sizeof(when), "in the %s phase", phase);
			return ended_early(round, when, err);
		}
	}
	return 0;
}

/* As pass(), before a window: what takes long at first is done somewhat before it opens. */
static int warm_up(struct round *round, uint64_t open_ns, struct error *err)
{
	if (pass(round, "warm-up", open_ns - PREPARE_LEAD_NS, err))
		return -1;
	collector_drain(&round->collector);
	profiler_prepare(round->conductor->profiler);
	return pass(round, "warm-up", open_ns, err);
}

/* How long what is under way may take: a request its time, a line on its way hardly any. */
static uint64_t drain_ns(const struct round *round)
{
	bool waits = round->is_client && !round->conductor->interrupted;

	return waits ? round->plan->scenario->graceful_stop_ns : DRAIN_NS;
}

/* The driver's report comes when all has been seen, or can no more come. */
static int fetch_report(struct round *round, struct error *err)
{
	struct conductor *conductor = round->conductor;
	int interrupted = conductor->interrupted;
	uint64_t wait_ns = drain_ns(round);
	enum collector_result result;

	driver_process_ask_report(round->driver, wait_ns);
	/* An interrupt ends the measuring, not the telling of what was measured. */
	conductor->interrupted = 0;
	result = collector_wait(&round->collector, clock_now_ns() + wait_ns + NSEC_PER_SEC,
				has_report, round, err);
	if (!conductor->interrupted)
		conductor->interrupted = interrupted;
	return result == COLLECTOR_FAILED ? -1 : 0;
}

/* What the target publishes of itself is fetched a little before, so that the window opens in time.
 */
static int pass_to_opening(struct round *round, uint64_t open_ns, struct error *err)
{
	const struct scenario *scenario = round->plan->scenario;

	if (scenario->n_scrapes) {
		if (warm_up(round, open_ns - SCRAPE_LEAD_NS, err))
			return -1;
		round->scrape = scrape_open(scenario, round->variables.list, round->variables.n,
					    round->conductor->record);
		if (clock_now_ns() > open_ns + LATE_NS)
			record_note(round->conductor->record,
				    "scraping took so long that a window opened late: the work "
				    "before its opening is missing in the costs");
		return pass(round, "warm-up", open_ns, err);
	}
	return warm_up(round, open_ns, err);
}

/* Tells the faults when the phases of a role begin, one after the other. */
static void phases_begin(struct round *round, enum phase_role role, uint64_t from_ns)
{
	const struct scenario *scenario = round->plan->scenario;

	for (size_t i = 0; i < scenario->n_phases; i++) {
		if (scenario->phases[i].role != role)
			continue;
		round_faults_phase(round, &scenario->phases[i], from_ns);
		from_ns += scenario->phases[i].duration_ns;
	}
}

/* The window is open: one measured phase after the other. */
static int pass_measured(struct round *round, uint64_t from_ns, struct error *err)
{
	const struct scenario *scenario = round->plan->scenario;

	phases_begin(round, PHASE_MEASURED, from_ns);
	for (size_t i = 0; i < scenario->n_phases && !round->conductor->interrupted; i++) {
		const struct phase *phase = &scenario->phases[i];

		if (phase->role != PHASE_MEASURED)
			continue;
		if (collector_phase(&round->collector, phase->name, from_ns, err) ||
		    pass(round, phase->name, from_ns + phase->duration_ns, err))
			return -1;
		if (is_cut_short(round))
			break;
		from_ns += phase->duration_ns;
	}
	return 0;
}

/*
 * With a driver: connect, warm up, measure while both go on, cool down, compare notes.
 * All times count from the moment at which the driver began its schedule anew, so
 * that the windows of all rounds hold the same work.
 */
static int run_scenario(struct round *round, struct record_round *out, struct error *err)
{
	struct conductor *conductor = round->conductor;
	const struct round_plan *plan = round->plan;
	uint64_t open_ns, close_ns;
	bool cut_short;

	if (launch(round, err))
		return -1;
	if (conductor->interrupted)
		return 0;
	if (wait_attached(round, err))
		return -1;
	if (conductor->interrupted)
		return 0;
	open_ns = driver_process_attached_ns(round->driver) + plan->warmup_ns;
	close_ns = open_ns + plan->duration_ns;
	phases_begin(round, PHASE_WARMUP, driver_process_attached_ns(round->driver));
	if (pass_to_opening(round, open_ns, err))
		return -1;
	if (conductor->interrupted)
		return 0;
	if (collector_window_open(&round->collector, open_ns, err) ||
	    pass_measured(round, open_ns, err))
		return -1;
	cut_short = is_cut_short(round);
	if (collector_window_close(&round->collector, 0, cut_short ? 0 : close_ns, err))
		return -1;
	/* What was over before its time is not waited for. */
	if (cut_short)
		close_ns = clock_now_ns();
	/* A target that is still held up could not answer what comes now. */
	if (round_faults_close_window(round, cut_short, err))
		return -1;
	scrape_close(round->scrape, out, (double)(close_ns - open_ns) / 1e9, conductor->record);
	round->scrape = NULL;
	if (!is_cut_short(round))
		phases_begin(round, PHASE_COOLDOWN, close_ns);
	if (pass(round, "cool-down", close_ns + plan->cooldown_ns, err) || fetch_report(round, err))
		return -1;
	return conductor->interrupted ? 0 : conclude(round, err);
}

/* The first process has ended and others of its tree go on: the side is not done. */
static void tell_of_rest(struct round *round)
{
	int status;

	if (side_has_ended(&round->side, round->conductor, &status) &&
	    probe_live(round->conductor->probe) > 0)
		progress_note(&round->conductor->progress, true,
			      "side %c: its first process has ended, %d of its tree still run; "
			      "waiting for "
			      "them (Ctrl-C ends the run, --duration bounds a round)",
			      side_letter(round), probe_live(round->conductor->probe));
}

/* Until the whole tree has ended, or the duration has passed. */
static int wait_completion(struct round *round, struct error *err)
{
	uint64_t until = round->plan->duration_ns ? clock_now_ns() + round->plan->duration_ns : 0;
	bool told = false;

	progress_phase(&round->conductor->progress, "running", round->plan->duration_ns);
	for (;;) {
		uint64_t look = clock_now_ns() + PATIENCE_NS;
		enum collector_result result =
			collector_wait(&round->collector, until && until < look ? until : look,
				       is_tree_gone, round, err);

		if (result != COLLECTOR_TIMEOUT)
			return result == COLLECTOR_FAILED ? -1 : 0;
		if (until && clock_now_ns() >= until)
			return 0;
		if (!told)
			tell_of_rest(round);
		told = true;
	}
}

/* Without a driver: from just before the exec until the whole tree has ended. */
static int run_command(struct round *round, struct error *err)
{
	struct conductor *conductor = round->conductor;
	uint64_t warmup = round->plan->warmup_ns;
	uint64_t closed = 0;

	if (launch_command(round, err))
		return -1;
	if (warmup && (release(round, err) || warm_up(round, clock_now_ns() + warmup, err)))
		return -1;
	if (conductor->interrupted || collector_window_open(&round->collector, 0, err) ||
	    collector_phase(&round->collector, "measured", 0, err))
		return conductor->interrupted ? 0 : -1;
	if (!warmup && release(round, err))
		return -1;
	if (wait_completion(round, err))
		return -1;
	collector_drain(&round->collector);
	if (is_tree_gone(round))
		closed = tree_last_exit_ns(round->collector.tree);
	return collector_window_close(&round->collector, closed, 0, err);
}

static int enrol_pid(struct round *round, pid_t pid, struct error *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), n;

	if (pidfd < 0)
		return error_set(err, EXIT_CODE_USAGE, "process %d is gone", pid);
	n = probe_enrol(round->conductor->probe, pidfd, getpid(), err);
	close(pidfd);
	if (n == 0)
		return error_set(err, EXIT_CODE_USAGE, "process %d has ended", pid);
	return n < 0 ? -1 : 0;
}

/* A running process and its tree, which is neither started nor ended by perfbpf. */
static int run_attach(struct round *round, struct error *err)
{
	const struct conduct_options *options = round->conductor->options;
	uint64_t duration = round->plan->duration_ns, closed = 0;

	for (size_t i = 0; i < options->n_pids; i++)
		if (enrol_pid(round, options->pids[i], err))
			return -1;
	/* Before the window, so that the kernel can walk stacks from its beginning on. */
	if (profiler_attached(round->conductor->profiler))
		return error_set(err, EXIT_CODE_FAILED, "cannot walk what is mapped");
	collector_drain(&round->collector);
	if (warm_up(round, clock_now_ns() + round->plan->warmup_ns, err) ||
	    collector_window_open(&round->collector, 0, err) ||
	    collector_phase(&round->collector, "measured", 0, err))
		return -1;
	progress_phase(&round->conductor->progress, "measuring", duration);
	if (collector_wait(&round->collector, duration ? clock_now_ns() + duration : 0,
			   is_tree_gone, round, err) == COLLECTOR_FAILED)
		return -1;
	collector_drain(&round->collector);
	if (is_tree_gone(round))
		closed = tree_last_exit_ns(round->collector.tree);
	return collector_window_close(&round->collector, closed, 0, err);
}

/* A server of somebody else's at the target's address would be measured at no cost. */
static void check_answerer(const struct round *round, struct record_round *out)
{
	const struct driver_ops *ops = driver_find(round->plan->scenario->driver);

	if (ops && ops->by_socket && out->work.operations > 0 && out->network.rx_bytes == 0)
		record_invalid(out,
			       "the driver had answers, but the side received no byte: somebody "
			       "else answered it");
}

static void take_status(struct round *round, struct record_round *out)
{
	int status;

	if (!round->side.n_pids)
		return;
	/* The kernel's word of the end can be here before the reaper's. */
	if (!keeper_wait(round->conductor->keeper, round->side.pids[0],
			 is_tree_gone(round) ? NSEC_PER_SEC : 0, &status))
		return;
	if (WIFEXITED(status))
		out->exit_code = WEXITSTATUS(status);
	else if (WIFSIGNALED(status))
		out->signal = WTERMSIG(status);
}

static void end_side(struct round *round, struct record_round *out)
{
	struct conductor *conductor = round->conductor;
	struct error err;
	int left;

	if (!round->plan->target)
		return;
	/* Before it is ended: how it ended by itself is what counts. */
	take_status(round, out);
	progress_phase(&conductor->progress, "ending", 0);
	left = keeper_end(conductor->keeper, END_GRACE_NS, &err);
	if (left < 0)
		progress_note(&conductor->progress, true, "side %c could not be ended: %s",
			      side_letter(round), err.text);
	if (left > 0)
		progress_note(&conductor->progress, true,
			      "%d processes of side %c could not be ended", left,
			      side_letter(round));
}

static char **copy_argv(const struct command *command)
{
	size_t n = 0, at = 0;
	char **argv;

	for (size_t i = 0; i < command->n_stages; i++, n++)
		for (char **word = command->stages[i].argv; *word; word++)
			n++;
	argv = calloc(n + 1, sizeof(*argv));
	for (size_t i = 0; argv && i < command->n_stages; i++) {
		if (i)
			argv[at++] = strdup("|");
		for (char **word = command->stages[i].argv; *word; word++)
			argv[at++] = strdup(*word);
	}
	return argv;
}

/* What this kernel does not give, where the numbers show it. */
static void note_limits(struct conductor *conductor)
{
	if (!probe_has_exact_rss(conductor->probe))
		record_note(conductor->record, "this kernel does not tell the per-CPU parts of the "
					       "resident set: it may be off "
					       "by some dozens of pages for each CPU");
	if (!probe_has_exact_edges(conductor->probe))
		record_note(conductor->record,
			    "this kernel does not tell what a running thread has used since its "
			    "last tick: CPU "
			    "time may be off by a tick for each CPU at a window's edges");
	if (!probe_has_socket_bytes(conductor->probe))
		record_note(conductor->record,
			    "this kernel does not tell socket bytes (Linux 6.3 does)");
}

/* What was started first is to be there still when the last is ready. */
static int tend(void *context, uint64_t *next_ns, struct error *err)
{
	struct round *round = context;
	int status;

	if (round->is_launching && parts_ended(&round->parts, round->faults, &status))
		return ended_early(round, "while the round was being prepared", err);
	return round_faults_tend(round, next_ns, err);
}

int round_run(struct conductor *conductor, const struct round_plan *plan, struct record_round *out,
	      char ***argv_out, struct error *err)
{
	struct round round = {.conductor = conductor, .plan = plan, .output = {-1, -1}};
	bool has_driver;
	int failed;

	record_round_init(out);
	out->side = plan->side;
	out->pair = plan->pair;
	out->position = plan->position;
	started_now(out);
	probe_round_begin(conductor->probe);
	failed = collector_init(&round.collector, conductor, err);
	round.collector.tend = tend;
	round.collector.tended = &round;
	if (!failed)
		failed = !plan->target    ? run_attach(&round, err)
			 : plan->scenario ? run_scenario(&round, out, err)
					  : run_command(&round, err);
	/* What was measured until a failure or an interrupt is kept; names while they can be had.
	 */
	if (round.collector.tree && round.collector.counting) {
		struct error ignored;

		collector_window_close(&round.collector, 0, 0, &ignored);
	}
	if (round.collector.tree && !round.is_void && collector_fill(&round.collector, out) &&
	    !failed)
		failed = error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (round_faults_end(&round, out) && !failed)
		failed = error_set(err, EXIT_CODE_FAILED, "out of memory");
	has_driver = round.driver != NULL;
	hang_up(&round);
	end_side(&round, out);
	if (has_driver && !round.is_void && round.collector.window.opened_ns) {
		if (work_take(out, round.report, round.collector.driver_cpu_ns) && !failed)
			failed = error_set(err, EXIT_CODE_FAILED, "out of memory");
		work_fix(out, round.report, plan->scenario);
		work_check_busy(out, round.report, plan->scenario);
		check_answerer(&round, out);
		work_notes(conductor->record, round.report);
	}
	if (!round.is_void && record_limit(out, conductor->record->host.cpus) && !failed)
		failed = error_set(err, EXIT_CODE_FAILED, "out of memory");
	note_limits(conductor);
	out->aborted_by = round.aborted_by;
	if (round.collector.late_ticks)
		record_note(conductor->record, "perfbpf was kept from some of its ticks: those "
					       "points of the series repeat their "
					       "neighbour; totals are not touched");
	if (argv_out && round.side.command)
		*argv_out = copy_argv(round.side.command);
	round_clear(&round);
	return failed;
}
