/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files share that draw flame graphs; used by svg*.c only. Lengths are pixels. */
#ifndef PERFBPF_REPORT_SVG_H
#define PERFBPF_REPORT_SVG_H

#include <stdio.h>

#include "report/flame_view.h"

#define SVG_WIDTH 1200
#define SVG_PAD   10
#define SVG_ROW   17
#define SVG_TOP   56

/* Frames that are drawn, and where. */
struct svg_layout {
	double least; /* narrower ones are left out */
	size_t drawn, left_out;
	size_t levels; /* of frames above each other */
};

/* Frames narrower than 0.1 px are left out, and wider ones where the file would be too large. */
void svg_measure(const struct flame *flame, struct svg_layout *layout);
void svg_put_frames(FILE *out, const struct flame *flame, const struct svg_layout *layout);
/* The class of the frame's colour. */
const char *svg_class(const struct flame *flame, const struct flame_node *node);

extern const char svg_style[], svg_script[];

#endif
