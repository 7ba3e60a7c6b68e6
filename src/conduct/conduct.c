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
#include <sys/signalfd.h>
#include <sys/prctl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "conduct/conductor.h"
#include "conduct/host.h"
#include "conduct/plan.h"
#include "conduct/version.h"
#include "probe/stacks.h"
#include "record/compare.h"
#include "record/endurance.h"
#include "fault/recover.h"
#include "record/threshold.h"
#include "report/report.h"
#include "stats/stats.h"
#include "util/clock.h"
#include "util/terminal.h"
#include "util/utf8.h"

#define DEFAULT_TICK_NS    (100 * NSEC_PER_MSEC)
#define DEFAULT_WORK_BOUND 0.001
#define DEFAULT_READY_NS   (30 * NSEC_PER_SEC)

void conduct_options_init(struct conduct_options *options)
{
	memset(options, 0, sizeof(*options));
	options->warmup_ns = options->duration_ns = options->cooldown_ns = DURATION_UNSET;
	options->ready_timeout_ns = DURATION_UNSET;
	options->rate = options->work_bound = NAN;
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

static int open_signals(struct conductor *conductor, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	conductor->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (conductor->signal_fd < 0)
		return error_set(err, EXIT_CODE_FAILED, "cannot take signals: %s", strerror(errno));
	return 0;
}

static uint64_t draw_seed(void)
{
	uint64_t seed = 0;

	/* 32 bits: enough to be different, short enough to be typed again. */
	if (getrandom(&seed, 4, 0) != 4)
		seed = clock_now_ns() & 0xffffffff;
	return seed;
}

/* Stacks, where they are wanted; the kernel's names while they may be read. */
static int acquire_profiler(struct conductor *conductor, struct error *err)
{
	const struct conduct_options *options = conductor->options;

	if (!probe_has_oncpu(conductor->probe) && !probe_has_offcpu(conductor->probe))
		return 0;
	conductor->profiler = profiler_new(conductor->probe, conductor->keeper,
					   fopen("/proc/kallsyms", "re"), options->inlines);
	return conductor->profiler ? 0 : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

const struct identity *conductor_user(const struct conductor *conductor, const char *user)
{
	for (size_t i = 0; user && i < conductor->n_users; i++)
		if (!strcmp(conductor->users[i].name, user))
			return &conductor->users[i];
	return &conductor->identity;
}

/* NULL is the invoking user, who is known already. */
static int add_user(struct conductor *conductor, const char *user, const char *what,
		    struct error *err)
{
	struct identity *larger;

	if (!user || conductor_user(conductor, user) != &conductor->identity)
		return 0;
	larger = reallocarray(conductor->users, conductor->n_users + 1, sizeof(*larger));
	if (!larger)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	conductor->users = larger;
	if (identity_of_named(&larger[conductor->n_users], user, what, err)) {
		identity_clear(&larger[conductor->n_users]);
		return -1;
	}
	/* Under a number it is found by what the files call it. */
	free(larger[conductor->n_users].name);
	larger[conductor->n_users].name = strdup(user);
	conductor->n_users++;
	return larger[conductor->n_users - 1].name
		       ? 0
		       : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

static int add_users_of(struct conductor *conductor, const struct component *components, size_t n,
			const char *of, struct error *err)
{
	char what[200];

	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%.80s, component '%.60s', user", of,
			 components[i].name);
		if (add_user(conductor, components[i].user, what, err))
			return -1;
	}
	return 0;
}

/* All that anything is to run as besides the invoking user. */
static int find_users(struct conductor *conductor, const struct plan *plan, struct error *err)
{
	char what[200];

	for (int i = 0; i < SIDES; i++) {
		const struct target *target = plan->targets[i];

		if (!target)
			continue;
		snprintf(what, sizeof(what), "target '%.100s', user", target->name);
		if (add_user(conductor, target->user, what, err) ||
		    add_users_of(conductor, target->components, target->n_components, target->name,
				 err))
			return -1;
	}
	for (size_t i = 0; i < plan->n_scenarios; i++)
		if (add_users_of(conductor, plan->scenarios[i]->components,
				 plan->scenarios[i]->n_components, plan->scenarios[i]->name, err))
			return -1;
	return 0;
}

static void note_recovery(void *context, const char *text)
{
	struct conductor *conductor = context;

	progress_note(&conductor->progress, true, "%s", text);
}

/*
 * What an earlier perfbpf could not undo would be measured with. While all rights are there still:
 * what it started may run as somebody else.
 */
static void undo_left_faults(struct conductor *conductor)
{
	struct recovery recovery;
	int failed = faults_recover(NULL, note_recovery, conductor, &recovery);

	if (failed)
		progress_note(&conductor->progress, true,
			      "faults that an earlier perfbpf may have left are not known: %s",
			      strerror(-failed));
}

/*
 * Where every start looks, whoever it is for: so it is opened while all rights are there, and after
 * the keeper was forked, whose copy would hold its lock.
 */
static int open_journal(struct conductor *conductor, const struct plan *plan, struct error *err)
{
	bool is_needed = false;
	char *folder;

	for (size_t i = 0; i < plan->n_scenarios; i++)
		is_needed |= plan->scenarios[i]->n_faults || plan->scenarios[i]->n_proxies;
	if (!is_needed)
		return 0;
	folder = journal_folder();
	if (!folder)
		return error_set(
			err, EXIT_CODE_FAILED,
			"there is no folder for the journal of faults; set HOME to one that "
			"can be written");
	conductor->journal = journal_open(folder, err);
	free(folder);
	return conductor->journal ? 0 : -1;
}

/*
 * Everything that takes privileges, in this order: the keeper is forked while the
 * process is small, the programs are loaded, the results folder is made; then all of it
 * is given up.
 */
static int acquire(struct conductor *conductor, struct results *results, const struct plan *plan,
		   struct error *err)
{
	const struct conduct_options *options = conductor->options;
	struct probe_options probe_options = options->probe;
	struct keeper_users users;
	int failed;

	if (options->user ? identity_of_user(&conductor->identity, options->user, err)
			  : identity_of_invoker(&conductor->identity, err))
		return -1;
	if (open_signals(conductor, err))
		return -1;
	undo_left_faults(conductor);
	if (find_users(conductor, plan, err))
		return -1;
	users = (struct keeper_users){
		.identity = &conductor->identity,
		.n_others = conductor->n_users,
		.others = conductor->users,
		.n_attached = options->n_pids,
		.attached = options->pids,
	};
	conductor->keeper = keeper_start(&users, err);
	if (!conductor->keeper)
		return -1;
	probe_options.timed = plan_times_children(plan);
	conductor->probe = probe_open(&probe_options, err);
	if (!conductor->probe || acquire_profiler(conductor, err))
		return -1;
	if (results_open(results, options->output, plan->label, &conductor->identity, err))
		return -1;
	if (open_journal(conductor, plan, err))
		return -1;
	failed = identity_become(&conductor->identity);
	if (failed)
		return error_set(err, EXIT_CODE_PRIVILEGE, "cannot become user %s: %s",
				 conductor->identity.name, strerror(-failed));
	if (*probe_sampling_refused(conductor->probe))
		progress_note(&conductor->progress, true, "measuring without stacks: %s",
			      probe_sampling_refused(conductor->probe));
	if (options->probe.stats && !probe_has_stats(conductor->probe))
		progress_note(
			&conductor->progress, true,
			"perfbpf's cost in the kernel is not known: timing its programs needs "
			"CAP_SYS_ADMIN (as with --observer off)");
	return 0;
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

static void keep_argv(struct record *rec, enum side side, char **argv)
{
	for (size_t i = 0; i < rec->n_targets; i++) {
		struct record_target *target = &rec->targets[i];

		if (target->side != side || target->argv || !argv)
			continue;
		target->argv = argv;
		while (argv[target->n_argv])
			target->n_argv++;
		return;
	}
	strings_free(argv);
}

static struct round_plan plan_round(const struct conduct_options *options, const struct plan *plan,
				    const struct scenario *scenario)
{
	struct round_plan round = {.scenario = scenario};

	if (scenario) {
		round.warmup_ns = scenario_duration_ns(scenario, PHASE_WARMUP);
		round.duration_ns = scenario_duration_ns(scenario, PHASE_MEASURED);
		round.cooldown_ns = scenario_duration_ns(scenario, PHASE_COOLDOWN);
		round.ready_timeout_ns = scenario->ready_timeout_ns;
	} else {
		round.warmup_ns = options->warmup_ns == DURATION_UNSET ? 0 : options->warmup_ns;
		round.duration_ns =
			options->duration_ns == DURATION_UNSET ? 0 : options->duration_ns;
	}
	if (options->ready_timeout_ns != DURATION_UNSET)
		round.ready_timeout_ns = options->ready_timeout_ns;
	else if (!round.ready_timeout_ns)
		round.ready_timeout_ns = DEFAULT_READY_NS;
	round.target = plan->targets[SIDE_A];
	return round;
}

static int run_round(struct conductor *conductor, struct record *rec, const struct plan *plan,
		     struct round_plan *round, int index, struct error *err)
{
	const struct target *target = plan->targets[round->side];
	struct record_round out = {.pair = 0};
	char label[128], **argv = NULL;
	int failed;

	snprintf(label, sizeof(label), "%c %s", round->side == SIDE_A ? 'A' : 'B',
		 target ? target->name : rec->targets[0].name);
	progress_round(&conductor->progress, index, label);
	round->target = target;
	failed = round_run(conductor, round, &out, &argv, err);
	keep_argv(rec, round->side, argv);
	/* A round without a window has measured nothing. */
	if (isnan(out.window_seconds)) {
		record_round_clear(&out);
		return failed;
	}
	if (failed)
		record_invalid(&out, "%s", err->text);
	else if (conductor->interrupted && !conductor->options->n_pids)
		record_invalid(&out, "interrupted by signal %d", conductor->interrupted);
	if (record_add_round(rec, &out))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (results_save_often(conductor->results, rec, err))
		return -1;
	return failed;
}

/* The rounds that are left would fail like the last one, and cost their time. */
static void note_abort(struct conductor *conductor, struct record *rec)
{
	const struct record_round *last = &rec->rounds[rec->n_rounds - 1];
	char text[500];

	snprintf(text, sizeof(text),
		 "the threshold %.300s failed in round %d of side %c, which ended the run: %zu of "
		 "%d rounds were begun",
		 last->aborted_by, (int)last->pair + 1, last->side == SIDE_A ? 'A' : 'B',
		 rec->n_rounds, conductor->progress.rounds);
	record_note(rec, text);
}

/* All pairs of one scenario (or of the commands, or the attach). */
static int run_pairs(struct conductor *conductor, struct record *rec, const struct plan *plan,
		     const struct scenario *scenario, struct error *err)
{
	struct round_plan round = plan_round(conductor->options, plan, scenario);
	int pairs = plan_rounds(conductor->options, scenario);
	int sides = plan->targets[SIDE_B] ? 2 : 1;
	uint64_t length = round.warmup_ns + round.duration_ns + round.cooldown_ns;

	conductor->progress.rounds = pairs * sides;
	conductor->progress.scenario = scenario ? scenario->name : NULL;
	conductor->progress.run_start_ns = clock_now_ns();
	conductor->progress.round_ns = round.duration_ns ? length : 0;
	for (int pair = 0; pair < pairs; pair++) {
		bool b_first = sides == 2 && stats_random_u64(&conductor->next_pair_seed) & 1;

		for (int position = 0; position < sides; position++) {
			round.pair = pair;
			round.position = position;
			round.side = (position == 1) != b_first ? SIDE_B : SIDE_A;
			if (run_round(conductor, rec, plan, &round, pair * sides + position, err))
				return -1;
			if (conductor->interrupted)
				return 0;
			if (record_is_aborted(rec)) {
				note_abort(conductor, rec);
				return 0;
			}
		}
	}
	return 0;
}

/* Ctrl-C is how an open-ended attach ends: nothing was cut short. */
static bool is_cut_short(const struct conductor *conductor)
{
	return conductor->interrupted &&
	       !(conductor->options->n_pids && conductor->interrupted == SIGINT);
}

static int print_report(const struct record *rec, const struct conductor *conductor,
			struct error *err)
{
	struct report_options options = {
		.colour = stream_has_colour(stdout),
		.all_metrics = conductor->options->all_metrics,
		.width = stream_width(stdout),
	};

	if (conductor->options->quiet)
		return 0;
	if (report_text.write(rec, &options, stdout, err))
		return -1;
	printf("\nResults: %s\n", conductor->results->path);
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return error_set(
			err, EXIT_CODE_FAILED,
			"cannot write the report to standard output: %s; all of it is in %s",
			strerror(errno ? errno : EIO), conductor->results->path);
	return 0;
}

static double work_bound(const struct conduct_options *options, const struct scenario *scenario)
{
	if (!isnan(options->work_bound))
		return options->work_bound;
	return scenario ? scenario->work_bound : DEFAULT_WORK_BOUND;
}

/* The scenario's thresholds and those of the command line, on the whole record. */
static int judge_thresholds(struct record *rec, const struct conduct_options *options,
			    const struct scenario *scenario)
{
	size_t n = 0, of_scenario = scenario ? scenario->n_thresholds : 0;
	struct threshold_rule *rules =
		calloc(of_scenario + options->n_thresholds + 1, sizeof(*rules));
	int failed;

	if (!rules)
		return -1;
	for (size_t i = 0; i < of_scenario; i++)
		rules[n++] = (struct threshold_rule){scenario->thresholds[i].metric,
						     scenario->thresholds[i].expression,
						     scenario->thresholds[i].level};
	for (size_t i = 0; i < options->n_thresholds; i++)
		rules[n++] = options->thresholds[i];
	failed = record_thresholds(rec, rules, n);
	free(rules);
	return failed;
}

/* All that is judged once the rounds are there; validity last, which thresholds have a say in. */
static int judge(struct record *rec, const struct conduct_options *options,
		 const struct scenario *scenario)
{
	bool is_soak = options->is_soak || (scenario && scenario->is_soak);

	for (size_t i = 0; is_soak && i < rec->n_rounds; i++)
		if (record_endurance(&rec->rounds[i]))
			return -1;
	if (judge_thresholds(rec, options, scenario))
		return -1;
	return record_compare(
		rec, &(struct compare_options){.work_bound = work_bound(options, scenario)});
}

static bool all_rounds_valid(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (!rec->rounds[i].validity.valid)
			return false;
	return true;
}

/* Of a record that has been judged: the worst first. */
static int code_of(const struct record *rec)
{
	if (!all_rounds_valid(rec) || (!rec->verdict.valid && !record_is_aborted(rec)))
		return EXIT_CODE_INVALID;
	if (record_is_aborted(rec) || record_thresholds_failed(rec) || record_endurance_failed(rec))
		return EXIT_CODE_THRESHOLD;
	return EXIT_CODE_OK;
}

/* Why the record is not complete, for who reads it later. */
static void note_failure(struct record *rec, const struct error *err)
{
	char text[sizeof(err->text) + 32];

	snprintf(text, sizeof(text), "the run failed: %s", err->text);
	record_note(rec, text);
}

/* One scenario from its record's beginning to its report. Returns the exit code. */
static int run_scenario(struct conductor *conductor, const struct plan *plan,
			const struct scenario *scenario, uint64_t seed, struct error *err)
{
	struct record *rec = new_record(conductor, plan, scenario, seed);
	int failed, code;

	if (!rec)
		return error_set(err, EXIT_CODE_FAILED, "out of memory"), EXIT_CODE_FAILED;
	conductor->next_pair_seed = seed;
	conductor->record = rec;
	failed = run_pairs(conductor, rec, plan, scenario, err);
	progress_clear(&conductor->progress);
	code = failed ? (int)err->exit_code : EXIT_CODE_OK;
	rec->complete = !failed && !is_cut_short(conductor);
	if (failed)
		note_failure(rec, err);
	if (rec->n_rounds) {
		struct error late;

		if (judge(rec, conductor->options, scenario) && !code)
			code = error_set(err, EXIT_CODE_FAILED, "out of memory"),
			code = EXIT_CODE_FAILED;
		if (results_write(conductor->results, rec, &late) && !code) {
			*err = late;
			code = (int)late.exit_code;
		}
		if (print_report(rec, conductor, &late) && !code) {
			*err = late;
			code = (int)late.exit_code;
		}
		if (!code)
			code = code_of(rec);
	}
	record_free(rec);
	return code;
}

/* What was measured is there, and found wanting. */
static bool is_judgement(int code)
{
	return code == EXIT_CODE_INVALID || code == EXIT_CODE_THRESHOLD;
}

/* One folder for one scenario; several each have their own in it. */
static int run_all(struct conductor *conductor, const struct plan *plan, struct results *results,
		   uint64_t seed, struct error *err)
{
	int code = EXIT_CODE_OK;

	conductor->results = results;
	if (plan->n_scenarios <= 1)
		return run_scenario(conductor, plan, plan->n_scenarios ? plan->scenarios[0] : NULL,
				    seed, err);
	for (size_t i = 0; i < plan->n_scenarios && !conductor->interrupted; i++) {
		struct results below;
		int one;

		if (results_open_below(&below, results, plan->scenarios[i]->name, err))
			return (int)err->exit_code;
		conductor->results = &below;
		one = run_scenario(conductor, plan, plan->scenarios[i], seed, err);
		results_close(&below);
		/* A scenario that is invalid or fails does not keep the others from being measured.
		 */
		if (one && !is_judgement(one))
			return one;
		if (one && code != EXIT_CODE_INVALID)
			code = one;
	}
	return code;
}

static void release(struct conductor *conductor)
{
	profiler_free(conductor->profiler);
	probe_free(conductor->probe);
	keeper_stop(conductor->keeper);
	journal_close(conductor->journal);
	for (size_t i = 0; i < conductor->n_users; i++)
		identity_clear(&conductor->users[i]);
	free(conductor->users);
	identity_clear(&conductor->identity);
	if (conductor->signal_fd >= 0)
		close(conductor->signal_fd);
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
	if (plan_make(&plan, options, err)) {
		plan_clear(&plan);
		return (int)err->exit_code;
	}
	progress_init(&conductor.progress, options->quiet);
	if (acquire(&conductor, &results, &plan, err)) {
		code = (int)err->exit_code;
	} else {
		if (plan.targets[SIDE_B])
			progress_note(&conductor.progress, false,
				      "the order of each pair is drawn from --seed %llu",
				      (unsigned long long)seed);
		code = run_all(&conductor, &plan, &results, seed, err);
		if (is_cut_short(&conductor) && (!code || is_judgement(code)))
			code = EXIT_CODE_SIGNAL_BASE + conductor.interrupted;
	}
	progress_clear(&conductor.progress);
	release(&conductor);
	results_close(&results);
	plan_clear(&plan);
	return code;
}
