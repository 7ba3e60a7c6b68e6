/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/exit_code.h"

static int rank_of(int code)
{
	switch (code) {
	case EXIT_CODE_OK:
		return 0;
	case EXIT_CODE_INCONCLUSIVE:
		return 1;
	case EXIT_CODE_REGRESSION:
		return 2;
	case EXIT_CODE_THRESHOLD:
		return 3;
	case EXIT_CODE_INVALID:
		return 4;
	default:
		return 5;
	}
}

int exit_code_worse(int a, int b)
{
	return rank_of(b) > rank_of(a) ? b : a;
}

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
	fputs("\nWhere several of them hold, in one run or in several scenarios, the first of "
	      "these is "
	      "given: any below 96, 96, 99, 98, 97.\n",
	      out);
}
