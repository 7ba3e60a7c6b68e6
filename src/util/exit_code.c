/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/exit_code.h"

void exit_code_print_markdown(FILE *out)
{
	fputs("# Exit codes\n"
	      "\n"
	      "| code | name | meaning |\n"
	      "|---|---|---|\n",
	      out);
#define X(name, number, text) fprintf(out, "| %d | %s | %s |\n", (number), #name, (text));
	EXIT_CODE_TABLE(X)
#undef X
	fprintf(out,
		"| %d+n | | ended by signal n, after the children were stopped and what was "
		"measured was saved |\n",
		EXIT_CODE_SIGNAL_BASE);
}
