/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a stream is to a person: a terminal, with colours, of some width. */
#ifndef PERFBPF_UTIL_TERMINAL_H
#define PERFBPF_UTIL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* A terminal on which the cursor can be moved (TERM is not "dumb"). */
bool stream_is_terminal(FILE *stream);
/* Such a terminal, and colours are not unwanted (NO_COLOR unset or empty). */
bool stream_has_colour(FILE *stream);
/* Columns of the terminal behind @stream, 0 where it is none. */
int stream_width(FILE *stream);

#endif
