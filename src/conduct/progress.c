/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"
#include "util/terminal.h"
#include "util/utf8.h"

#define BAR_CELLS     20
#define DRAW_EVERY_NS (200 * NSEC_PER_MSEC)

void progress_init(struct progress *progress, bool quiet)
{
	memset(progress, 0, sizeof(*progress));
	progress->quiet = quiet;
	progress->terminal = stream_is_terminal(stderr);
	progress->colour = stream_has_colour(stderr);
	progress->run_start_ns = clock_now_ns();
}

void progress_round(struct progress *progress, int round, const char *side)
{
	progress->round = round;
	progress->side = side;
	progress->phase = "start";
	progress->round_start_ns = progress->phase_start_ns = clock_now_ns();
	progress->phase_ns = 0;
	progress->drawn_ns = 0;
	if (!progress->terminal)
		progress_note(progress, false, "round %d of %d: %s", round + 1, progress->rounds,
			      side);
}

void progress_phase(struct progress *progress, const char *phase, uint64_t length_ns)
{
	progress->phase = phase;
	progress->phase_ns = length_ns;
	progress->phase_start_ns = clock_now_ns();
	progress->drawn_ns = 0;
	progress_tick(progress);
}

/* Seconds that are still to come, by the rounds that are done or by the plan; negative: not known.
 */
static double seconds_left(const struct progress *progress, uint64_t now)
{
	double round_ns = (double)progress->round_ns, left;

	if (progress->round)
		round_ns = (double)(progress->round_start_ns - progress->run_start_ns) /
			   progress->round;
	if (round_ns <= 0)
		return -1;
	left = round_ns * progress->rounds - (double)(now - progress->run_start_ns);
	return left > 0 ? left / 1e9 : 0;
}

static void draw_bar(const struct progress *progress, uint64_t now, char *bar)
{
	double share = progress->round, within = 0;
	size_t at = 0;

	if (progress->round_ns)
		within = (double)(now - progress->round_start_ns) / (double)progress->round_ns;
	else if (progress->phase_ns)
		within = (double)(now - progress->phase_start_ns) / (double)progress->phase_ns;
	share = (share + (within < 1 ? within : 1)) / progress->rounds;
	for (size_t i = 0; i < BAR_CELLS; i++)
		at += (size_t)sprintf(bar + at, "%s", (double)i < share * BAR_CELLS ? "█" : "░");
}

void progress_tick(struct progress *progress)
{
	char bar[BAR_CELLS * 4 + 1], text[512], left[32] = "";
	uint64_t now = clock_now_ns();
	double seconds;
	int n, room;

	if (!progress->terminal || progress->quiet || !progress->rounds ||
	    now - progress->drawn_ns < DRAW_EVERY_NS)
		return;
	progress->drawn_ns = now;
	draw_bar(progress, now, bar);
	seconds = seconds_left(progress, now);
	if (seconds >= 0)
		snprintf(left, sizeof(left), "  %d:%02d left", (int)seconds / 60,
			 (int)seconds % 60);
	n = snprintf(text, sizeof(text), "  %s%sround %d/%d%s%s  %s  %s %.0f s%s",
		     progress->scenario ? progress->scenario : "", progress->scenario ? "  " : "",
		     progress->round + 1, progress->rounds, progress->goal ? "  " : "",
		     progress->goal ? progress->goal : "", progress->side, progress->phase,
		     (double)(now - progress->phase_start_ns) / 1e9, left);
	room = stream_width(stderr) - BAR_CELLS - 1;
	/* A terminal may be wider than what is written to it. */
	if (n > room && room < (int)sizeof(text))
		text[room > 0 ? room : 0] = 0;
	utf8_clean(text);
	fprintf(stderr, "\r\033[K%s%s%s%s", progress->colour ? "\033[36m" : "", bar,
		progress->colour ? "\033[0m" : "", text);
	fflush(stderr);
	progress->drawn = true;
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn)
		fprintf(stderr, "\r\033[K");
	progress->drawn = false;
	fflush(stderr);
}

void progress_note(struct progress *progress, bool important, const char *fmt, ...)
{
	char text[2048]; /* names in it are from outside */
	va_list args;

	if (progress->quiet && !important)
		return;
	progress_clear(progress);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	utf8_clean(text);
	fprintf(stderr, "perfbpf: %s\n", text);
	progress->drawn_ns = 0;
}
