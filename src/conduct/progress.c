/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/clock.h"

#define BAR_CELLS     20
#define DRAW_EVERY_NS (200 * NSEC_PER_MSEC)

void progress_init(struct progress *progress, bool quiet)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	memset(progress, 0, sizeof(*progress));
	progress->quiet = quiet;
	progress->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
	progress->colour = progress->terminal && !(no_color && *no_color);
	progress->run_start_ns = clock_now_ns();
}

void progress_round(struct progress *progress, int round, const char *side)
{
	progress->round = round;
	progress->side = side;
	progress->phase = "start";
	progress->phase_start_ns = clock_now_ns();
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

static int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

/* Seconds that are still to come, as far as the length of a round is known; negative: it is not. */
static double seconds_left(const struct progress *progress, uint64_t now)
{
	uint64_t round_ns = progress->round_ns;
	double done;

	if (!round_ns && progress->round)
		round_ns = (now - progress->run_start_ns) / (uint64_t)progress->round;
	if (!round_ns)
		return -1;
	done = (double)(now - progress->run_start_ns);
	/* What has passed tells more than the plan, once a round has. */
	if (progress->round)
		round_ns = (uint64_t)(((double)progress->phase_start_ns -
				       (double)progress->run_start_ns) /
				      progress->round) > round_ns
				   ? (progress->phase_start_ns - progress->run_start_ns) /
					     (uint64_t)progress->round
				   : round_ns;
	done = (double)round_ns * progress->rounds - done;
	return done > 0 ? done / 1e9 : 0;
}

static void draw_bar(const struct progress *progress, uint64_t now, char *bar)
{
	double share = (double)progress->round / progress->rounds;
	size_t filled, at = 0;

	if (progress->phase_ns) {
		double within =
			(double)(now - progress->phase_start_ns) / (double)progress->phase_ns;

		if (progress->round_ns)
			within *= (double)progress->phase_ns / (double)progress->round_ns;
		share += (within < 1 ? within : 1) / progress->rounds;
	}
	filled = (size_t)((share < 1 ? share : 1) * BAR_CELLS);
	for (size_t i = 0; i < BAR_CELLS; i++)
		at += (size_t)sprintf(bar + at, "%s", i < filled ? "█" : "░");
}

void progress_tick(struct progress *progress)
{
	char bar[BAR_CELLS * 4 + 1], text[512], left[32] = "";
	uint64_t now = clock_now_ns();
	double seconds;
	int n;

	if (!progress->terminal || progress->quiet || !progress->rounds ||
	    now - progress->drawn_ns < DRAW_EVERY_NS)
		return;
	progress->drawn_ns = now;
	draw_bar(progress, now, bar);
	seconds = seconds_left(progress, now);
	if (seconds >= 0)
		snprintf(left, sizeof(left), "  %d:%02d left", (int)seconds / 60,
			 (int)seconds % 60);
	n = snprintf(text, sizeof(text), "  %s%sround %d/%d  %s  %s %.0f s%s",
		     progress->scenario ? progress->scenario : "", progress->scenario ? "  " : "",
		     progress->round + 1, progress->rounds, progress->side, progress->phase,
		     (double)(now - progress->phase_start_ns) / 1e9, left);
	if (n > columns() - BAR_CELLS - 1)
		text[columns() - BAR_CELLS - 1 > 0 ? columns() - BAR_CELLS - 1 : 0] = 0;
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
	va_list args;

	if (progress->quiet && !important)
		return;
	progress_clear(progress);
	fprintf(stderr, "perfbpf: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	progress->drawn_ns = 0;
}
