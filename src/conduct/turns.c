/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/turns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "conduct/judge.h"
#include "record/threshold.h"
#include "stats/stats.h"
#include "util/clock.h"

#define DEFAULT_READY_NS (30 * NSEC_PER_SEC)

/* What the pairs of a scenario have in common. */
struct turns {
	struct conductor *conductor;
	struct record *rec;
	const struct plan *plan;
	const struct stopping *stopping;
	const struct judge judge;
	struct round_plan round;
	int sides;
	char goal[80]; /* for the progress: how narrow the interval is */
};

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
static void note_abort(struct turns *turns)
{
	const struct record *rec = turns->rec;
	const struct record_round *last = &rec->rounds[rec->n_rounds - 1];
	char text[500];

	snprintf(text, sizeof(text),
		 "the threshold %.300s failed in round %d of side %c, which ended the run: %zu of "
		 "%d rounds were begun",
		 last->aborted_by, (int)last->pair + 1, last->side == SIDE_A ? 'A' : 'B',
		 rec->n_rounds, turns->conductor->progress.rounds);
	record_note(turns->rec, text);
}

/* Both rounds of a pair, or the one of a single side. 1: the run is over before its time. */
static int run_pair(struct turns *turns, int pair, struct error *err)
{
	struct conductor *conductor = turns->conductor;
	struct round_plan *round = &turns->round;
	bool b_first = turns->sides == 2 && stats_random_u64(&conductor->next_pair_seed) & 1;

	for (int position = 0; position < turns->sides; position++) {
		round->pair = pair;
		round->position = position;
		round->side = (position == 1) != b_first ? SIDE_B : SIDE_A;
		if (run_round(conductor, turns->rec, turns->plan, round,
			      pair * turns->sides + position, err))
			return -1;
		if (conductor->interrupted)
			return 1;
		if (record_is_aborted(turns->rec)) {
			note_abort(turns);
			return 1;
		}
	}
	return 0;
}

/* How far the interval is, and how many pairs that makes in all. */
static void show_width(struct turns *turns, const struct stopping_state *state, int done)
{
	struct progress *progress = &turns->conductor->progress;
	double target = turns->stopping->until_width * 100;

	progress->rounds = state->expected_pairs * turns->sides;
	if (isnan(state->width))
		return;
	snprintf(turns->goal, sizeof(turns->goal), "+/-%.2g %% of %.2g %%", state->width * 100,
		 target);
	progress->goal = turns->goal;
	if (!state->is_over && !progress->terminal)
		progress_note(progress, false,
			      "after %d pairs: ±%.2g %%, to reach: ±%.2g %%; about %d pairs in all",
			      done, state->width * 100, target, state->expected_pairs);
	else if (state->is_over)
		progress_note(progress, false, "%s after %d pairs: ±%.2g %%, to reach: ±%.2g %%",
			      state->is_reached ? "narrow enough" : "not narrow enough", done,
			      state->width * 100, target);
}

/* After @done pairs: is another one wanted? -1 without memory. */
static int wants_more(struct turns *turns, int done)
{
	const struct stopping *stopping = turns->stopping;
	struct stopping_state state;

	if (isnan(stopping->until_width))
		return done < stopping->min_pairs;
	if (stopping_look(stopping, turns->rec, judge_primary(&turns->judge, turns->rec), done,
			  &state))
		return -1;
	show_width(turns, &state, done);
	return !state.is_over;
}

int turns_run(struct conductor *conductor, struct record *rec, const struct plan *plan,
	      const struct scenario *scenario, const struct stopping *stopping, struct error *err)
{
	struct turns turns = {
		.conductor = conductor,
		.rec = rec,
		.plan = plan,
		.stopping = stopping,
		.judge = {conductor->options, scenario},
		.round = plan_round(conductor->options, plan, scenario),
		.sides = plan->targets[SIDE_B] ? 2 : 1,
	};
	const struct round_plan *round = &turns.round;
	struct progress *progress = &conductor->progress;
	int pair = 0, more = 1, rc = 0;

	progress->rounds = stopping->min_pairs * turns.sides;
	progress->scenario = scenario ? scenario->name : NULL;
	progress->goal = NULL;
	progress->run_start_ns = clock_now_ns();
	progress->round_ns =
		round->duration_ns ? round->warmup_ns + round->duration_ns + round->cooldown_ns : 0;
	while (more > 0 && !rc) {
		rc = run_pair(&turns, pair++, err);
		if (!rc)
			more = wants_more(&turns, pair);
	}
	progress->goal = NULL;
	if (more < 0)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	return rc < 0 ? -1 : 0;
}
