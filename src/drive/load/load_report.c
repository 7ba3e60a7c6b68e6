/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the engine is told of a round, and what it tells. */
#include "drive/load/load_internal.h"
#include "util/clock.h"
#include "util/units.h"

void load_window_open(struct load *load, uint64_t at_ns, uint64_t tick_ns)
{
	tally_window_open(load->tally, at_ns, tick_ns);
}

void load_window_close(struct load *load, uint64_t at_ns)
{
	tally_window_close(load->tally, at_ns);
}

void load_fault(struct load *load, const char *name, uint64_t at_ns, bool ended)
{
	tally_fault(load->tally, name, at_ns, ended);
}

/* Does the present phase want nothing more, and is none with a length behind it? */
static bool has_no_more(const struct load *load)
{
	const struct phase *phase = load_phase_now(load);

	if (!phase)
		return true;
	if (phase->executor != EXECUTOR_PER_VU_ITERATIONS ||
	    load->n_finished < (unsigned int)phase->vus)
		return false;
	for (size_t i = load->phase + 1; i < load->plan.n_phases; i++)
		if (load->plan.phases[i].duration_ns)
			return false;
	return true;
}

bool load_is_finished(const struct load *load)
{
	return load->is_started && !load->n_under_way && !load->done_first && has_no_more(load);
}

/* Does an arrival wait that was due in the window? */
static bool has_waiting(const struct load *load)
{
	return load->next_due_ns <= clock_now_ns() &&
	       tally_is_in_window(load->tally, load->next_due_ns);
}

bool load_is_drained(const struct load *load)
{
	for (const struct load_user *user = load->oldest; user; user = user->newer)
		if (tally_is_in_window(load->tally, user->intended_ns))
			return false;
	return !has_waiting(load);
}

/* What will not be waited for any longer. */
static void count_unanswered(struct load *load)
{
	uint64_t now_ns = clock_now_ns();

	for (struct load_user *user = load->oldest; user; user = user->newer) {
		struct tally_request request = {
			.phase = user->phase,
			.kind = user->kind,
			.intended_ns = user->intended_ns,
			.begun_ns = user->begun_ns,
			.ended_ns = now_ns,
			.error = "unanswered",
		};

		if (user->is_disowned || !tally_is_in_window(load->tally, user->intended_ns))
			continue;
		tally_add(load->tally, &request);
		user->is_disowned = true;
	}
	while (has_waiting(load)) {
		tally_dropped(load->tally, load->phase, load->next_due_ns);
		load_next_arrival(load, load->next_arrival + 1);
	}
}

json_t *load_report(struct load *load)
{
	if (tally_is_closed(load->tally))
		count_unanswered(load);
	return tally_report(load->tally);
}

void load_print_progress(const struct load *load, FILE *out)
{
	const struct phase *phase = load_phase_now(load);
	char rate[32], total[32];

	fprintf(out, "%s: %u of %u users at work, %s answers/s, %s in all, %llu errors",
		!load->is_started ? "not begun"
		: phase           ? phase->name
				  : "over",
		load->n_under_way, load->n_users, format_count(rate, sizeof(rate), load->rate),
		format_count(total, sizeof(total), (double)tally_good(load->tally)),
		(unsigned long long)tally_errors(load->tally));
}
