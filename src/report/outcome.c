/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/outcome.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline.h"
#include "record/threshold.h"

#define MANY_DETAILS 100

static char letter_of(enum side side)
{
	return side == SIDE_A ? 'A' : 'B';
}

const char *outcome_scenario(const struct record *rec)
{
	return rec->scenario.name && *rec->scenario.name ? rec->scenario.name : "command";
}

/* As people count them; a broken record may hold any number. */
static const char *round_name(char *buf, size_t size, const struct record_round *round)
{
	if (round->pair < 0 || round->pair == INT64_MAX)
		snprintf(buf, size, "round ?");
	else
		snprintf(buf, size, "round %" PRId64, round->pair + 1);
	return buf;
}

static char *print(const char *fmt, va_list args)
{
	char *text;

	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

struct outcome *outcome_add(struct outcomes *outcomes, const char *group, enum outcome_state state,
			    const char *fmt, ...)
{
	struct outcome *longer, *outcome;
	va_list args;

	longer = reallocarray(outcomes->list, outcomes->n + 1, sizeof(*longer));
	if (!longer)
		return NULL;
	outcomes->list = longer;
	outcome = &longer[outcomes->n++];
	*outcome = (struct outcome){.group = group, .state = state};
	va_start(args, fmt);
	outcome->name = print(fmt, args);
	va_end(args);
	return outcome->name ? outcome : NULL;
}

int outcome_say(struct outcome *outcome, const char *fmt, ...)
{
	va_list args;

	if (!outcome)
		return -1;
	free(outcome->text);
	va_start(args, fmt);
	outcome->text = print(fmt, args);
	va_end(args);
	return outcome->text ? 0 : -1;
}

int outcome_detail(struct outcome *outcome, const char *fmt, ...)
{
	char **longer;
	va_list args;

	if (!outcome)
		return -1;
	if (outcome->n_details == MANY_DETAILS)
		return 0;
	longer = reallocarray(outcome->details, outcome->n_details + 1, sizeof(*longer));
	if (!longer)
		return -1;
	outcome->details = longer;
	va_start(args, fmt);
	longer[outcome->n_details] = print(fmt, args);
	va_end(args);
	return longer[outcome->n_details++] ? 0 : -1;
}

size_t outcomes_count(const struct outcomes *outcomes, enum outcome_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < outcomes->n; i++)
		n += outcomes->list[i].state == state;
	return n;
}

/* --- validity ------------------------------------------------------------------------ */

/* The rounds of a side: the work first, and why it does not count. */
static int add_side(struct outcomes *outcomes, const struct record *rec,
		    const struct summary_side *side, enum side which)
{
	struct outcome *outcome =
		outcome_add(outcomes, "validity", side->invalid ? OUTCOME_FAILS : OUTCOME_HOLDS,
			    "work of %c", letter_of(which));
	char name[32];
	int rc;

	if (!side->rounds)
		rc = outcome_say(outcome, "no round of %s was measured", side->name);
	else
		rc = outcome_say(outcome, "%zu of %zu rounds of %s are valid",
				 side->rounds - side->invalid, side->rounds, side->name);
	if (rc)
		return -1;
	if (!side->rounds)
		outcome->state = OUTCOME_FAILS;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		if (round->side != which)
			continue;
		if (isfinite(round->window_seconds) && round->window_seconds > 0)
			outcome->seconds += round->window_seconds;
		for (size_t j = 0; !rc && j < round->validity.n_reasons; j++)
			rc = outcome_detail(
				outcome, "%s: %s", round_name(name, sizeof(name), round),
				round->validity.reasons[j] ? round->validity.reasons[j] : "?");
	}
	return rc;
}

static const char *aborted_by(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].aborted_by)
			return rec->rounds[i].aborted_by;
	return NULL;
}

/* What concerns no side alone: the end of it all. */
static int add_run(struct outcomes *outcomes, const struct record *rec)
{
	const char *text = rec->verdict.text ? rec->verdict.text : "no verdict was made";
	const char *aborted = aborted_by(rec);
	struct outcome *outcome = outcome_add(outcomes, "validity", OUTCOME_HOLDS, "run");

	if (aborted ? outcome_say(outcome, "ended before its time by the threshold %s", aborted)
		    : outcome_say(outcome, "%s", text))
		return -1;
	if (aborted || !rec->verdict.valid)
		outcome->state = OUTCOME_FAILS;
	if (rec->complete)
		return 0;
	outcome->state = OUTCOME_FAILS;
	return outcome_detail(outcome, "The run did not come to its end: this is what was measured "
				       "until then.");
}

/* --- thresholds ---------------------------------------------------------------------- */

static int add_threshold(struct outcomes *outcomes, const struct record_threshold *threshold)
{
	bool is_gate = threshold_is_gate(threshold->level);
	enum outcome_state state = threshold->passed ? OUTCOME_HOLDS
				   : is_gate         ? OUTCOME_FAILS
						     : OUTCOME_WARNS;
	struct outcome *outcome = outcome_add(
		outcomes, "threshold", state, "%c: %s %s%s%s%s", letter_of(threshold->side),
		threshold->metric ? threshold->metric : "?",
		threshold->expression ? threshold->expression : "?", threshold->level ? " (" : "",
		threshold->level ? threshold->level : "", threshold->level ? ")" : "");
	char value[32];

	summary_value(value, sizeof(value), summary_kind(threshold->unit), threshold->value);
	if (isnan(threshold->value))
		return outcome_say(outcome, "fails: %s%s",
				   threshold->text ? threshold->text : "there is no value",
				   is_gate ? "" : " (no gate)");
	return outcome_say(outcome, "%s: %s%s%s%s", threshold->passed ? "holds" : "does not hold",
			   value, threshold->text ? ", " : "",
			   threshold->text ? threshold->text : "",
			   is_gate || threshold->passed ? "" : " (no gate)");
}

/* --- endurance ----------------------------------------------------------------------- */

static enum outcome_state state_of_endurance(const char *verdict)
{
	if (verdict && (!strcmp(verdict, "leak") || !strcmp(verdict, "drift")))
		return OUTCOME_FAILS;
	return verdict && !strcmp(verdict, "steady") ? OUTCOME_HOLDS : OUTCOME_OPEN;
}

static int add_endurance(struct outcomes *outcomes, const struct record_round *round)
{
	char name[32];

	for (size_t i = 0; i < round->n_endurance; i++) {
		const struct record_endurance *e = &round->endurance[i];
		struct outcome *outcome =
			outcome_add(outcomes, "endurance", state_of_endurance(e->verdict),
				    "%c, %s: %s", letter_of(round->side),
				    round_name(name, sizeof(name), round), e->name ? e->name : "?");

		if (outcome_say(outcome, "%s",
				e->text      ? e->text
				: e->verdict ? e->verdict
					     : "no verdict"))
			return -1;
	}
	return 0;
}

static int add_all(struct outcomes *outcomes, const struct record *rec,
		   const struct summary *summary)
{
	if (add_run(outcomes, rec))
		return -1;
	for (size_t side = 0; side < (summary->two_sided ? SIDES : 1); side++)
		if (add_side(outcomes, rec, &summary->sides[side], (enum side)side))
			return -1;
	for (size_t i = 0; i < rec->n_thresholds; i++)
		if (add_threshold(outcomes, &rec->thresholds[i]))
			return -1;
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (add_endurance(outcomes, &rec->rounds[i]))
			return -1;
	return outcomes_add_comparison(outcomes, rec, summary) ||
			       outcomes_add_baseline(outcomes, rec, rec->statistics.strict)
		       ? -1
		       : 0;
}

/* --- the comparison alone ------------------------------------------------------------- */

/* Of the run itself only what keeps it from being compared: it was judged when it was made. */
static int add_compared(struct outcomes *outcomes, const struct record *rec,
			const struct report_options *options)
{
	const char *unfit = options->not_compared ? options->not_compared : record_unfit(rec);
	bool fails = options->not_compared ? options->is_failure : unfit != NULL;
	struct outcome *outcome = outcome_add(outcomes, "validity",
					      fails   ? OUTCOME_FAILS
					      : unfit ? OUTCOME_OPEN
						      : OUTCOME_HOLDS,
					      "run");

	if (outcome_say(outcome, "%s", unfit ? unfit : "valid"))
		return -1;
	if (options->missing &&
	    outcome_say(outcome_add(outcomes, "baseline",
				    options->strict ? OUTCOME_FAILS : OUTCOME_OPEN,
				    "all of the baseline"),
			"not compared: %s", options->missing))
		return -1;
	return outcomes_add_baseline(outcomes, rec, options->strict);
}

struct outcomes *outcomes_new(const struct record *rec, const struct summary *summary,
			      const struct report_options *options)
{
	struct outcomes *outcomes = calloc(1, sizeof(*outcomes));

	if (!outcomes || !(options->only_baseline ? add_compared(outcomes, rec, options)
						  : add_all(outcomes, rec, summary)))
		return outcomes;
	outcomes_free(outcomes);
	return NULL;
}

void outcomes_free(struct outcomes *outcomes)
{
	if (!outcomes)
		return;
	for (size_t i = 0; i < outcomes->n; i++) {
		struct outcome *outcome = &outcomes->list[i];

		free(outcome->name);
		free(outcome->text);
		for (size_t j = 0; j < outcome->n_details; j++)
			free(outcome->details[j]);
		free(outcome->details);
	}
	free(outcomes->list);
	free(outcomes);
}
