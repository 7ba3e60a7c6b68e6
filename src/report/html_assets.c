/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that report.html holds as they are; the Makefile makes strings of them. */
#include "report/html.h"

const char html_style[] =
#include "html_style.inc"
	;
const char html_script[] =
#include "html_script.inc"
	;
const char html_library[] =
#include "html_library.inc"
	;
const char html_library_style[] =
#include "html_library_style.inc"
	;
