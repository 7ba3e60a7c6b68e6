/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a run says of itself: on a terminal, in a file, and when it is to be quiet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "conduct/progress.h"
#include "util/clock.h"

#define ERASE  "\r\033[K"
#define COLOUR "\033[36m"

/* Stands for stderr, while something is captured. */
struct screen {
	int reader, writer, stderr_fd;
	char text[16384];
};

/* A terminal of so many columns; 0: a pipe. */
static void screen_begin(struct screen *screen, unsigned short columns)
{
	struct winsize size = {.ws_row = 25, .ws_col = columns};
	struct termios mode;
	int ends[2];

	if (columns) {
		screen->reader = posix_openpt(O_RDWR | O_NOCTTY);
		assert_true(screen->reader >= 0);
		assert_int_equal(grantpt(screen->reader), 0);
		assert_int_equal(unlockpt(screen->reader), 0);
		screen->writer = open(ptsname(screen->reader), O_RDWR | O_NOCTTY);
		assert_true(screen->writer >= 0);
		assert_int_equal(tcgetattr(screen->writer, &mode), 0);
		cfmakeraw(&mode);
		assert_int_equal(tcsetattr(screen->writer, TCSANOW, &mode), 0);
		assert_int_equal(ioctl(screen->writer, TIOCSWINSZ, &size), 0);
	} else {
		assert_int_equal(pipe(ends), 0);
		screen->reader = ends[0];
		screen->writer = ends[1];
	}
	assert_int_equal(fcntl(screen->reader, F_SETFL, O_NONBLOCK), 0);
	fflush(stderr);
	screen->stderr_fd = dup(STDERR_FILENO);
	dup2(screen->writer, STDERR_FILENO);
}

/* From here on failures can be told again. */
static const char *screen_end(struct screen *screen)
{
	size_t used = 0;
	ssize_t n;

	fflush(stderr);
	dup2(screen->stderr_fd, STDERR_FILENO);
	close(screen->stderr_fd);
	while (used < sizeof(screen->text) - 1 &&
	       (n = read(screen->reader, screen->text + used, sizeof(screen->text) - 1 - used)) > 0)
		used += (size_t)n;
	screen->text[used] = 0;
	close(screen->writer);
	close(screen->reader);
	return screen->text;
}

static int set_up(void **state)
{
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	*state = calloc(1, sizeof(struct screen));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in '%s'", part, text);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		n++;
		text += strlen(part);
	}
	return n;
}

/* The second of four rounds. */
static void begin(struct progress *progress, bool quiet)
{
	progress_init(progress, quiet);
	progress->rounds = 4;
	progress->scenario = "logs";
	progress_round(progress, 1, "B curl");
}

static void lines_in_a_file(void **state)
{
	struct progress progress;

	screen_begin(*state, 0);
	begin(&progress, false);
	progress_phase(&progress, "warm-up", NSEC_PER_SEC);
	progress_tick(&progress);
	progress_note(&progress, false, "a note of %d", 7);
	progress_clear(&progress);
	assert_string_equal(screen_end(*state),
			    "perfbpf: round 2 of 4: B curl\nperfbpf: a note of 7\n");
}

static void quiet(void **state)
{
	for (unsigned short columns = 0; columns <= 80; columns += 80) {
		struct progress progress;

		screen_begin(*state, columns);
		begin(&progress, true);
		progress_phase(&progress, "warm-up", NSEC_PER_SEC);
		progress_note(&progress, false, "not to be seen");
		progress_note(&progress, true, "a warning");
		progress_clear(&progress);
		assert_string_equal(screen_end(*state), "perfbpf: a warning\n");
	}
}

static void a_bar_on_a_terminal(void **state)
{
	struct progress progress;
	const char *text;

	screen_begin(*state, 100);
	begin(&progress, false);
	progress_phase(&progress, "warm-up", 100 * NSEC_PER_SEC);
	text = screen_end(*state);
	assert_int_equal(strncmp(text, ERASE COLOUR, strlen(ERASE COLOUR)), 0);
	assert_has(text, "  logs  round 2/4  B curl  warm-up 0 s");
	/* One of four rounds is done. */
	assert_in_range(count(text, "█"), 5, 6);
	assert_int_equal(count(text, "█") + count(text, "░"), 20);
	assert_has_not(text, "\n");
	assert_true(progress.drawn);
}

static void the_bar_follows_the_phase(void **state)
{
	struct progress progress;
	const char *text;

	screen_begin(*state, 100);
	begin(&progress, false);
	progress.phase = "measured";
	progress.phase_ns = 100 * NSEC_PER_SEC;
	progress.phase_start_ns = clock_now_ns() - 50 * NSEC_PER_SEC;
	progress_tick(&progress);
	text = screen_end(*state);
	assert_in_range(count(text, "█"), 7, 8);
	assert_has(text, "measured 50 s");
	/* An overlong phase does not run into the next round. */
	screen_begin(*state, 100);
	progress.phase_start_ns = clock_now_ns() - 5000 * NSEC_PER_SEC;
	progress.drawn_ns = 0;
	progress_tick(&progress);
	text = screen_end(*state);
	assert_in_range(count(text, "█"), 10, 10);
}

static void the_time_that_is_left(void **state)
{
	struct progress progress;
	const char *text;

	screen_begin(*state, 100);
	begin(&progress, false);
	/* A round took 100 s; three are to come, of which 10 s are over. */
	progress.round_start_ns = clock_now_ns() - 10 * NSEC_PER_SEC;
	progress.run_start_ns = progress.round_start_ns - 100 * NSEC_PER_SEC;
	progress_phase(&progress, "measured", 0);
	text = screen_end(*state);
	if (!strstr(text, "  4:50 left") && !strstr(text, "  4:49 left"))
		fail_msg("no 4:50 left in '%s'", text);
}

static void not_drawn_too_often(void **state)
{
	struct progress progress;

	screen_begin(*state, 100);
	begin(&progress, false);
	for (int i = 0; i < 100; i++)
		progress_tick(&progress);
	assert_int_equal(count(screen_end(*state), "round 2/4"), 1);
}

static void a_note_takes_the_bar_away(void **state)
{
	struct progress progress;
	const char *text;

	screen_begin(*state, 100);
	begin(&progress, false);
	progress_tick(&progress);
	progress_note(&progress, false, "look");
	progress_tick(&progress);
	progress_clear(&progress);
	progress_clear(&progress);
	text = screen_end(*state);
	assert_has(text, ERASE "perfbpf: look\n" ERASE COLOUR);
	assert_int_equal(count(text, ERASE), 4);
	assert_string_equal(text + strlen(text) - strlen(ERASE), ERASE);
}

static void without_colour(void **state)
{
	struct progress progress;
	const char *text;

	setenv("NO_COLOR", "1", 1);
	screen_begin(*state, 100);
	begin(&progress, false);
	progress_tick(&progress);
	text = screen_end(*state);
	assert_has(text, "round 2/4");
	assert_has_not(text, "\033[3");
}

static void a_dumb_terminal(void **state)
{
	struct progress progress;

	setenv("TERM", "dumb", 1);
	screen_begin(*state, 100);
	begin(&progress, false);
	progress_tick(&progress);
	assert_string_equal(screen_end(*state), "perfbpf: round 2 of 4: B curl\n");
}

/* The bar and its words stay within one line, whatever its width. */
static void what_it_goes_on_for(void **state)
{
	struct progress progress;

	screen_begin(*state, 100);
	begin(&progress, false);
	progress.goal = "+/-3.1 % of 2 %";
	progress_phase(&progress, "measured", 100 * NSEC_PER_SEC);
	assert_has(screen_end(*state), "  logs  round 2/4  +/-3.1 % of 2 %  B curl  measured 0 s");
}

static void of_any_width(void **state)
{
	const unsigned short widths[] = {1, 20, 21, 22, 40, 80, 400, 530, 540, 600, 1000, 4000};
	char name[3000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		struct progress progress;
		const char *text;

		screen_begin(*state, widths[i]);
		progress_init(&progress, false);
		progress.rounds = 1;
		progress.scenario = name;
		progress_round(&progress, 0, "A");
		progress_tick(&progress);
		text = screen_end(*state);
		assert_int_equal(count(text, "█") + count(text, "░"), 20);
		if (widths[i] > 20)
			assert_true(count(text, "n") + 20 < widths[i]);
		else
			assert_int_equal(count(text, "n"), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_in_a_file),           TEST(quiet),
		TEST(a_bar_on_a_terminal),       TEST(the_bar_follows_the_phase),
		TEST(the_time_that_is_left),     TEST(not_drawn_too_often),
		TEST(a_note_takes_the_bar_away), TEST(without_colour),
		TEST(a_dumb_terminal),           TEST(of_any_width),
		TEST(what_it_goes_on_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
