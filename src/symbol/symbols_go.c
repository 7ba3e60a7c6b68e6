/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of Go's functions, by its own table of them. */
#include "symbol/go_table.h"
#include "symbol/symbols_read.h"

int symbols_read_go(struct symbol_table *table, struct elf_file *file)
{
	struct go_function function;
	struct go_table go;
	int rc = 0;

	if (!go_table_open(file, &go))
		return 0;
	for (uint64_t i = 0; !rc && i < go.n; i++)
		if (go_table_function(&go, i, &function) && function.name)
			rc = symbol_table_add(table,
					      &(struct symbol){.address = function.address,
							       .name = function.name,
							       .size = (uint32_t)(function.end -
										  function.address),
							       .flags = SYMBOL_GLOBAL});
	return rc;
}
