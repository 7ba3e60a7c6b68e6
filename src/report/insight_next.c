/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What to run next, as command lines to paste: the run's own with other options. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "report/escape.h"
#include "report/insight_list.h"
#include "stats/paired.h"

/* `run` takes no more, and nobody waits for so many. */
#define MOST_PAIRS 1000
/* With an interval, and some room to spare. */
#define USUAL_PAIRS 10
/* So many that one asks whether the machine is fit for it. */
#define MANY_PAIRS 30
/* Samples of a side: with fewer hardly a function differs by more than chance. */
#define FEW_SAMPLES  200
#define HIGH_HERTZ   999
#define OTHERS_SHARE 0.10
#define STOLEN_SHARE 0.01

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

/* An option, and how it may have been given before. */
struct change {
	const char *option, *letter; /* "--rounds", "-n"; NULL: it has none */
	const char *value;           /* NULL: it takes none */
};

static bool is_run(const struct record *rec)
{
	return rec->n_argv >= 2 && rec->argv[0] && rec->argv[1] && !strcmp(rec->argv[1], "run");
}

/* A process that runs already cannot take turns with itself. */
static bool is_of_pid(const struct record *rec)
{
	for (size_t i = 2; i < rec->n_argv; i++) {
		const char *word = rec->argv[i] ? rec->argv[i] : "";

		if (!strncmp(word, "pid:", 4) || !strncmp(word, "--pid", 5) || !strcmp(word, "-p"))
			return true;
	}
	return false;
}

/* How many words at @i give the option: 0, 1 or 2. */
static size_t words_of(const struct record *rec, size_t i, const struct change *change)
{
	const char *word = rec->argv[i];
	size_t length = strlen(change->option);

	if (!word)
		return 0;
	if (!strcmp(word, change->option) || (change->letter && !strcmp(word, change->letter)))
		return change->value ? 2 : 1;
	return !strncmp(word, change->option, length) && word[length] == '=';
}

/* What is left out: into the same results folder it could not go. */
static const struct change folder[] = {{"--output", "-o", ""}};
/* What `noise` has none of, since it has no other side. */
static const struct change of_two_sides[] = {
	{"--output", "-o", ""},     {"--vs", NULL, ""},     {"--threshold", NULL, ""},
	{"--gate", NULL, ""},       {"--margin", NULL, ""}, {"--until-width", NULL, ""},
	{"--max-rounds", NULL, ""}, {"--soak", NULL, NULL},
};

/* Options in the place of those that were given. */
struct plan {
	const char *subcommand;
	const struct change *added, *dropped;
	size_t n_added, n_dropped;
};

static size_t words_to_skip(const struct record *rec, size_t i, const struct plan *plan)
{
	size_t skip = 0;

	for (size_t j = 0; j < plan->n_added && !skip; j++)
		skip = words_of(rec, i, &plan->added[j]);
	for (size_t j = 0; j < plan->n_dropped && !skip; j++)
		skip = words_of(rec, i, &plan->dropped[j]);
	return skip;
}

/* To be freed; NULL without memory. What stands after "--" is a side's own. */
static char *command_of(const struct record *rec, const struct plan *plan)
{
	const char **words = calloc(rec->n_argv + 2 * plan->n_added + 1, sizeof(*words));
	size_t used = 0;
	bool is_over = false;
	char *text;

	if (!words)
		return NULL;
	words[used++] = rec->argv[0];
	words[used++] = plan->subcommand;
	for (size_t i = 0; i < plan->n_added; i++) {
		words[used++] = plan->added[i].option;
		if (plan->added[i].value)
			words[used++] = plan->added[i].value;
	}
	for (size_t i = 2; i < rec->n_argv;) {
		size_t skip;

		is_over |= rec->argv[i] && !strcmp(rec->argv[i], "--");
		skip = is_over ? 0 : words_to_skip(rec, i, plan);
		if (!skip)
			words[used++] = rec->argv[i];
		i += skip ? skip : 1;
	}
	text = escape_own_argv((char *const *)words, used);
	free(words);
	return text;
}

/* @why, and the command line, which a reader finds by its ": $ ". */
static void add_command(struct insights *list, const char *metric, double value,
			const struct plan *plan, const char *why)
{
	char *command;

	if (!is_run(list->rec))
		return;
	command = command_of(list->rec, plan);
	if (command)
		insights_add(list, "next", metric, value, 0, "%s: $ %s", why, command);
	else
		list->failed = true;
	free(command);
}

/* The same run with a fixed number of pairs. */
static void add_rounds(struct insights *list, const char *metric, int64_t pairs, const char *why)
{
	static const struct change of_stopping[] = {
		{"--output", "-o", ""}, {"--until-width", NULL, ""}, {"--max-rounds", NULL, ""}};
	char number[32];
	const struct change rounds = {"--rounds", "-n", number};

	snprintf(number, sizeof(number), "%lld", (long long)pairs);
	add_command(list, metric, (double)pairs,
		    &(struct plan){"run", &rounds, of_stopping, 1,
				   sizeof(of_stopping) / sizeof(of_stopping[0])},
		    why);
}

/* The same run with @n other options. */
static void add_run(struct insights *list, const char *metric, double value,
		    const struct change *changes, size_t n, const char *why)
{
	const struct plan plan = {"run", changes, folder, n, 1};

	add_command(list, metric, value, &plan, why);
}

/*
 * Pairs from which on p can be below 0.05 after Holm's correction: that of n pairs is 2^(1 - n) at
 * least, times the metrics that a gate is on.
 */
static int64_t pairs_for_winner(const struct record *rec)
{
	double gated = 0;
	int64_t n = 1;

	for (size_t i = 0; i < rec->n_comparison; i++)
		gated += !isnan(rec->comparison[i].p_adjusted);
	while (n < MOST_PAIRS && !(ldexp(gated, (int)(1 - n)) < COMPARE_SIGNIFICANT))
		n++;
	return n;
}

/* The sides differ, but chance is not ruled out where several metrics are judged at once. */
static void add_pairs_for_winner(struct insights *list, const struct record_comparison *row)
{
	int64_t needed = pairs_for_winner(list->rec);
	char why[160];

	if (list->rec->verdict.winner >= 0 || row->n >= needed)
		return;
	needed = needed < USUAL_PAIRS ? USUAL_PAIRS : needed;
	snprintf(why, sizeof(why), "%lld pairs (%lld more) can name a winner", (long long)needed,
		 (long long)(needed - row->n));
	add_rounds(list, row->metric, needed, why);
}

static void add_pairs(struct insights *list)
{
	const struct record_comparison *row = insights_row(list, list->rec->statistics.primary);
	char why[256];
	int64_t needed;
	bool is_new;

	if (!row || !list->rec->verdict.valid)
		return;
	if (insights_is_decided(row)) {
		add_pairs_for_winner(list, row);
		return;
	}
	if (row->verdict && strcmp(row->verdict, "inconclusive") != 0)
		return;
	/* The spread of so few is no measure of how many it takes. */
	is_new = row->n < (int64_t)stats_min_pairs(COMPARE_CONFIDENCE);
	needed = is_new ? USUAL_PAIRS : row->pairs_needed;
	if (needed <= row->n)
		return;
	if (needed > MOST_PAIRS) {
		insights_add(
			list, "next", row->metric, (double)needed, 0,
			"to settle %s at this noise it would take %lld pairs: longer rounds, a "
			"quieter machine or a wider margin (--margin) first",
			insights_label(row->metric), (long long)needed);
		return;
	}
	snprintf(why, sizeof(why), "%lld pairs (%lld more) %s %s", (long long)needed,
		 (long long)(needed - row->n),
		 is_new ? "give an interval of" : "would settle, at this noise,",
		 insights_label(row->metric));
	add_rounds(list, row->metric, needed, why);
}

/* Where nothing is settled: as long as it takes, and what could be settled here at all. */
static void add_patience(struct insights *list)
{
	const struct record *rec = list->rec;
	const struct record_comparison *row = insights_row(list, rec->statistics.primary);
	char width[32], most[32];

	if (!row || !rec->verdict.valid || !row->verdict ||
	    strcmp(row->verdict, "inconclusive") != 0 || !(row->pairs_needed > row->n) ||
	    row->n < (int64_t)stats_min_pairs(COMPARE_CONFIDENCE))
		return;
	snprintf(width, sizeof(width), "%.4g%%", 100 * rec->statistics.margin);
	snprintf(most, sizeof(most), "%d", MOST_PAIRS);
	if (isnan(rec->statistics.until_width) && row->pairs_needed <= MOST_PAIRS)
		add_run(list, row->metric, rec->statistics.margin,
			(struct change[]){{"--until-width", NULL, width},
					  {"--max-rounds", NULL, most}},
			2, "or as many pairs as it takes, whatever the noise will be by then");
	if (row->pairs_needed > MANY_PAIRS && !is_of_pid(rec))
		add_command(
			list, row->metric, NAN,
			&(struct plan){"noise", NULL, of_two_sides, 0,
				       sizeof(of_two_sides) / sizeof(of_two_sides[0])},
			"what difference could be seen on this machine, and with how many pairs");
}

static bool has_cause(const struct insights *list, const char *metric)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct record_insight *insight = &list->found[i].insight;

		if (insight->kind && !strcmp(insight->kind, "cause") && insight->metric &&
		    !strcmp(insight->metric, metric))
			return true;
	}
	return false;
}

/* Does any round of the side have some? */
static bool has_syscalls(const struct insights *list)
{
	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < list->n_rounds[side]; i++)
			if (list->rounds[side][i]->n_syscalls)
				return true;
	return false;
}

static void add_syscalls(struct insights *list)
{
	if (has_cause(list, "cpu.system_seconds") && !has_syscalls(list))
		add_run(list, "cpu.system_seconds", NAN,
			(struct change[]){{"--syscalls", NULL, NULL}}, 1,
			"most of the difference is system time: which calls, and how many, tells");
}

/* Where the CPU time differs, the functions tell more with enough samples. */
static void add_profile(struct insights *list)
{
	const struct record_comparison *cpu = insights_row(list, "cpu.total_seconds");
	struct record_stacks stacks[SIDES];
	double samples[SIDES], most, hertz;
	char why[160];

	if (!insights_is_decided(cpu) || !list->rec->verdict.valid)
		return;
	for (int side = 0; side < SIDES; side++) {
		stacks[side] = flame_stacks_of(list->rec, (enum side)side, PROFILE_ONCPU);
		samples[side] = stacks[side].samples > 0 ? (double)stacks[side].samples : 0;
	}
	if (stacks[SIDE_A].samples == RECORD_NONE && stacks[SIDE_B].samples == RECORD_NONE) {
		add_run(list, "cpu.total_seconds", NAN,
			(struct change[]){{"--profile", NULL, "oncpu"}}, 1,
			"no stacks were sampled: they tell which functions the difference is in");
		return;
	}
	most = fmax(samples[SIDE_A], samples[SIDE_B]);
	hertz = fmax(stacks[SIDE_A].frequency_hertz, stacks[SIDE_B].frequency_hertz);
	/* So little CPU time that no rate makes enough of it is left alone. */
	if (most >= FEW_SAMPLES || !(most * HIGH_HERTZ / hertz >= FEW_SAMPLES))
		return;
	snprintf(why, sizeof(why),
		 "only %.0f sample%s of A's CPU time and %.0f of B's: more of them tell which "
		 "functions differ",
		 samples[SIDE_A], samples[SIDE_A] == 1 ? "" : "s", samples[SIDE_B]);
	add_run(list, NULL, most, (struct change[]){{"--freq", NULL, TEXT_OF(HIGH_HERTZ)}}, 1, why);
}

static void add_quiet(struct insights *list)
{
	double others = fmax(insights_others(list, SIDE_A), insights_others(list, SIDE_B));
	double stolen = fmax(insights_stolen(list, SIDE_A), insights_stolen(list, SIDE_B));
	const char *governor = list->rec->host.governor;

	if (others >= OTHERS_SHARE || stolen >= STOLEN_SHARE)
		insights_add(
			list, "next", NULL, fmax(others, stolen), 0, "a quieter machine %s: %s",
			list->two_sided ? "settles more with the same pairs"
					: "makes the next numbers steadier",
			others >= OTHERS_SHARE
				? (list->two_sided
					   ? "end what else runs here, or keep it off some CPUs "
					     "and "
					     "pin both sides to them (taskset -c)"
					   : "end what else runs here, or keep it off the CPUs of "
					     "what is measured")
				: "the host gives these CPUs to others too; a machine of its own "
				  "does not");
	if (governor && !strcmp(governor, "powersave"))
		insights_add(list, "next", NULL, NAN, 0,
			     "a clock rate that does not follow the load: $ cpupower frequency-set "
			     "-g performance");
}

void insights_find_next(struct insights *list)
{
	if (list->two_sided) {
		add_pairs(list);
		add_patience(list);
		add_syscalls(list);
		add_profile(list);
	}
	add_quiet(list);
}
