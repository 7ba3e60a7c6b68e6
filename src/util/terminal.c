/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool stream_is_terminal(FILE *stream)
{
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) && term && strcmp(term, "dumb");
}

bool stream_has_colour(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	return stream_is_terminal(stream) && !(no_color && *no_color);
}

int stream_width(FILE *stream)
{
	struct winsize size;

	if (!isatty(fileno(stream)))
		return 0;
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}
