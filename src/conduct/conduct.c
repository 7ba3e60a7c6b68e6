/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/conduct.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "conduct/acquire.h"
#include "conduct/conductor.h"
#include "conduct/host.h"
#include "conduct/judge.h"
#include "conduct/plan.h"
#include "conduct/turns.h"
#include "conduct/version.h"
#include "record/stopping.h"
#include "report/insight.h"
#include "report/overview.h"
#include "report/report.h"
#include "util/clock.h"
#include "util/terminal.h"
#include "util/utf8.h"

#define DEFAULT_TICK_NS (100 * NSEC_PER_MSEC)
#define ADVISED_PAIRS   10

void conduct_options_init(struct conduct_options *options)
{
	memset(options, 0, sizeof(*options));
	options->warmup_ns = options->duration_ns = options->cooldown_ns = DURATION_UNSET;
	options->ready_timeout_ns = DURATION_UNSET;
	options->rate = options->work_bound = options->margin = options->until_width = NAN;
	options->tick_ns = DEFAULT_TICK_NS;
	options->probe = (struct probe_options){.stats = true,
						.requests = true,
						.time = true,
						.io = true,
						.oncpu = true,
						.offcpu = true,
						.frequency = PROBE_FREQUENCY,
						.unwind_bytes = PROBE_UNWIND_BYTES};
}

void conductor_debug(struct conductor *conductor, const char *fmt, ...)
{
	uint64_t now = clock_now_ns();
	char text[2048];
	va_list args;

	if (!conductor->options->debug)
		return;
	progress_clear(&conductor->progress);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	utf8_clean(text);
	fprintf(stderr, "perfbpf: debug: %llu.%06llu %s\n",
		(unsigned long long)(now / NSEC_PER_SEC),
		(unsigned long long)(now % NSEC_PER_SEC / NSEC_PER_USEC), text);
	fflush(stderr);
}

static uint64_t draw_seed(void)
{
	uint64_t seed = 0;

	/* 32 bits: enough to be different, short enough to be typed again. */
	if (getrandom(&seed, 4, 0) != 4)
		seed = clock_now_ns() & 0xffffffff;
	return seed;
}

static char **copy_words(char *const *words, size_t n)
{
	char **copy = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = strdup(words[i]);
	return copy;
}

static void describe_phases(struct record *rec, const struct scenario *scenario)
{
	static const char *const roles[] = {
		[PHASE_WARMUP] = "warmup",
		[PHASE_MEASURED] = "measured",
		[PHASE_COOLDOWN] = "cooldown",
	};

	rec->scenario.phases = calloc(scenario->n_phases + 1, sizeof(*rec->scenario.phases));
	for (size_t i = 0; rec->scenario.phases && i < scenario->n_phases; i++) {
		rec->scenario.phases[i] = (struct record_phase){
			.name = strdup(scenario->phases[i].name),
			.role = strdup(roles[scenario->phases[i].role]),
			.duration_seconds = (double)scenario->phases[i].duration_ns / 1e9,
			.rate = NAN,
		};
		rec->scenario.n_phases++;
	}
}

static void describe_targets(struct record *rec, struct conductor *conductor,
			     const struct plan *plan)
{
	rec->targets = calloc(SIDES, sizeof(*rec->targets));
	for (int i = 0; rec->targets && i < SIDES; i++) {
		struct record_target *to = &rec->targets[rec->n_targets];
		char name[32];

		if (!plan->targets[i] && (i || !conductor->options->n_pids))
			continue;
		to->side = (enum side)i;
		if (plan->targets[i]) {
			to->name = strdup(plan->targets[i]->name);
			to->version = target_version(conductor, plan->targets[i]);
		} else {
			snprintf(name, sizeof(name), "pid:%d", conductor->options->pids[0]);
			to->name = strdup(name);
		}
		rec->n_targets++;
	}
}

static struct record *new_record(struct conductor *conductor, const struct plan *plan,
				 const struct scenario *scenario, uint64_t seed)
{
	struct record *rec = record_new();

	if (!rec)
		return NULL;
	free(rec->version);
	rec->version = strdup(PERFBPF_VERSION);
	rec->n_argv = (size_t)conductor->options->argc;
	rec->argv = copy_words(conductor->options->argv, rec->n_argv);
	rec->seed = seed;
	host_describe(rec);
	rec->scenario.name = strdup(scenario                     ? scenario->name
				    : conductor->options->n_pids ? "attach"
								 : "command");
	if (scenario) {
		rec->scenario.driver = strdup(scenario->driver);
		describe_phases(rec, scenario);
	}
	describe_targets(rec, conductor, plan);
	return rec;
}

/* Ctrl-C is how an open-ended attach ends: nothing was cut short. */
static bool is_cut_short(const struct conductor *conductor)
{
	return conductor->interrupted &&
	       !(conductor->options->n_pids && conductor->interrupted == SIGINT);
}

static int flush_report(const struct results *results, struct error *err)
{
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return error_set(
			err, EXIT_CODE_FAILED,
			"cannot write the report to standard output: %s; all of it is in %s",
			strerror(errno ? errno : EIO), results->path);
	return 0;
}

static int print_report(const struct record *rec, const struct conductor *conductor,
			struct error *err)
{
	struct report_options options = {
		.colour = stream_has_colour(stdout),
		.all_metrics = conductor->options->all_metrics,
		.width = stream_width(stdout),
	};
	const struct report_format *report =
		conductor->options->is_noise ? &report_noise : &report_text;

	if (conductor->options->quiet)
		return 0;
	if (report->write(rec, &options, stdout, err))
		return -1;
	printf("\nResults: %s\n", conductor->results->path);
	return flush_report(conductor->results, err);
}

/* Why the record is not complete, for who reads it later. */
static void note_failure(struct record *rec, const struct error *err)
{
	char text[sizeof(err->text) + 32];

	snprintf(text, sizeof(text), "the run failed: %s", err->text);
	record_note(rec, text);
}

/* What cannot be settled is said before it costs its time. */
static void warn_of_few(struct conductor *conductor, const struct judge *judge,
			const struct stopping *stopping)
{
	const char *const *names;
	size_t n = judge_gates(judge, &names);
	int pairs = stopping->max_pairs;
	int fewest = stopping_fewest(n ? n : STOPPING_DEFAULT_GATES);
	bool is_important = n || conductor->options->is_strict;

	if (!conductor->options->versus || pairs >= fewest)
		return;
	if (pairs < STOPPING_MIN_PAIRS)
		progress_note(&conductor->progress, is_important,
			      "%d pair%s cannot settle anything at 95 %%: at least %d, e.g. "
			      "--rounds %d",
			      pairs, pairs == 1 ? "" : "s", STOPPING_MIN_PAIRS, ADVISED_PAIRS);
	else
		progress_note(&conductor->progress, is_important,
			      "%d pairs are too few where %d metrics decide, each of which may "
			      "differ by chance: at least %d, e.g. --rounds %d",
			      pairs, n ? (int)n : STOPPING_DEFAULT_GATES, fewest,
			      fewest > ADVISED_PAIRS ? fewest : ADVISED_PAIRS);
}

/* The scenario's own, below that of all of them. */
static const char *folder_of(const struct conductor *conductor)
{
	return strrchr(conductor->results->path, '/') + 1;
}

/* From its rounds to its report; @code is what they ended with. Returns the exit code. */
static int finish_scenario(struct conductor *conductor, const struct plan *plan,
			   const struct judge *judge, struct record *rec,
			   const struct stopping *stopping, int code, struct error *err)
{
	struct error late;

	if ((judge_record(judge, rec, stopping) ||
	     baselines_compare(&conductor->baselines, plan, judge, rec) || report_insights(rec)) &&
	    !code)
		code = error_set(err, EXIT_CODE_FAILED, "out of memory"), code = EXIT_CODE_FAILED;
	if (results_write(conductor->results, rec, &late) && !code) {
		*err = late;
		code = (int)late.exit_code;
	}
	if (print_report(rec, conductor, &late) && !code) {
		*err = late;
		code = (int)late.exit_code;
	}
	if (overview_add(conductor->overview, rec, folder_of(conductor)) && !code)
		code = error_set(err, EXIT_CODE_FAILED, "out of memory"), code = EXIT_CODE_FAILED;
	if (code)
		return code;
	judge_tell(judge, rec, &conductor->progress);
	return judge_code(judge, rec);
}

/* One scenario from its record's beginning to its report. Returns the exit code. */
static int run_scenario(struct conductor *conductor, const struct plan *plan,
			const struct scenario *scenario, uint64_t seed, struct error *err)
{
	struct record *rec = new_record(conductor, plan, scenario, seed);
	const struct judge judge = {conductor->options, scenario};
	struct stopping stopping;
	int failed, code;

	if (!rec)
		return error_set(err, EXIT_CODE_FAILED, "out of memory"), EXIT_CODE_FAILED;
	plan_stopping(conductor->options, scenario, &stopping);
	warn_of_few(conductor, &judge, &stopping);
	conductor->next_pair_seed = seed;
	conductor->record = rec;
	failed = turns_run(conductor, rec, plan, scenario, &stopping, err);
	progress_clear(&conductor->progress);
	code = failed ? (int)err->exit_code : EXIT_CODE_OK;
	rec->complete = !failed && !is_cut_short(conductor);
	if (failed)
		note_failure(rec, err);
	if (rec->n_rounds)
		code = finish_scenario(conductor, plan, &judge, rec, &stopping, code, err);
	record_free(rec);
	return code;
}

/* One of several, in a folder of its own; a failure is told here. Returns the exit code. */
static int run_below(struct conductor *conductor, const struct plan *plan,
		     const struct scenario *scenario, const struct results *above, uint64_t seed)
{
	struct results below = {.dirfd = -1};
	size_t before = overview_count(conductor->overview);
	struct error err = {.text = ""};
	int code;

	if (results_open_below(&below, above, scenario->name, &err)) {
		code = (int)err.exit_code;
	} else {
		conductor->results = &below;
		code = run_scenario(conductor, plan, scenario, seed, &err);
	}
	results_close(&below);
	if (!err.text[0])
		return code;
	progress_note(&conductor->progress, true, "%s: %s", scenario->name, err.text);
	if (overview_count(conductor->overview) == before &&
	    overview_add_failed(conductor->overview, scenario->name, err.text))
		return EXIT_CODE_FAILED;
	return code;
}

/* The table of all of them, on standard output and in their common folder. */
static int print_overview(const struct conductor *conductor, const struct results *results,
			  struct error *err)
{
	const struct text_style style = {.colour = stream_has_colour(stdout),
					 .width = stream_width(stdout)};

	if (results_write_overview(results, conductor->overview, err))
		return -1;
	if (conductor->options->quiet)
		return 0;
	if (overview_print(conductor->overview, stdout, &style))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	printf("\nAll results: %s\n", results->path);
	return flush_report(results, err);
}

/* A scenario that is invalid or fails does not keep the others from being measured; an interrupt
 * and a lack of privileges do. */
static int run_several(struct conductor *conductor, const struct plan *plan,
		       const struct results *results, uint64_t seed, struct error *err)
{
	int code = EXIT_CODE_OK, one = EXIT_CODE_OK;

	/* Of a side and itself there is nothing to win. */
	conductor->overview = conductor->options->is_noise ? NULL : overview_new();
	for (size_t i = 0;
	     i < plan->n_scenarios && !conductor->interrupted && one != EXIT_CODE_PRIVILEGE; i++) {
		one = run_below(conductor, plan, plan->scenarios[i], results, seed);
		code = exit_code_worse(code, one);
	}
	if (overview_count(conductor->overview) > 1 && print_overview(conductor, results, err))
		code = exit_code_worse(code, (int)err->exit_code);
	overview_free(conductor->overview);
	return code;
}

/* One folder for one scenario; several each have their own in it. */
static int run_all(struct conductor *conductor, const struct plan *plan, struct results *results,
		   uint64_t seed, struct error *err)
{
	if (plan->n_scenarios > 1)
		return run_several(conductor, plan, results, seed, err);
	conductor->results = results;
	return run_scenario(conductor, plan, plan->n_scenarios ? plan->scenarios[0] : NULL, seed,
			    err);
}

int conduct_run(const struct conduct_options *options, struct error *err)
{
	struct conductor conductor = {.options = options, .signal_fd = -1};
	struct results results = {.dirfd = -1};
	uint64_t seed = options->has_seed ? options->seed : draw_seed();
	struct plan plan;
	int code;

	err->text[0] = 0;
	/* What the caller has left open is not the side's. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (plan_make(&plan, options, err) ||
	    baselines_read(&conductor.baselines, options, &plan, err)) {
		baselines_clear(&conductor.baselines);
		plan_clear(&plan);
		return (int)err->exit_code;
	}
	progress_init(&conductor.progress, options->quiet);
	if (conductor_acquire(&conductor, &results, &plan, err)) {
		code = (int)err->exit_code;
	} else {
		if (plan.targets[SIDE_B])
			progress_note(&conductor.progress, false,
				      "the order of each pair is drawn from --seed %llu",
				      (unsigned long long)seed);
		code = run_all(&conductor, &plan, &results, seed, err);
		if (is_cut_short(&conductor) && (!code || judge_is_judgement(code)))
			code = EXIT_CODE_SIGNAL_BASE + conductor.interrupted;
	}
	progress_clear(&conductor.progress);
	conductor_release(&conductor);
	results_close(&results);
	baselines_clear(&conductor.baselines);
	plan_clear(&plan);
	return code;
}
