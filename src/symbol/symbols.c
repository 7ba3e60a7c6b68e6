/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"
#include "symbol/symbols_debug.h"
#include "symbol/symbols_inline.h"
#include "symbol/symbols_read.h"
#include "symbol/symbols_table.h"

struct symbols {
	struct symbol_table table;
	char **names; /* demangled, of those that were asked for */
	const char *source;
	struct elf_file *debug, *minidebug; /* NULL: none */
	struct inlines *inlines;            /* NULL: none, or not wanted */
};

/* Those of @type in @file; if there are any, they came from @source. */
static int read_from(struct symbols *symbols, struct elf_file *file, GElf_Word type,
		     const char *source)
{
	size_t before = symbols->table.n_symbols;
	int rc = symbols_read_elf(&symbols->table, file, type);

	if (symbols->table.n_symbols > before)
		symbols->source = source;
	return rc;
}

/*
 * A whole .symtab has all that is in .dynsym; one with less is what was left when the rest was
 * stripped.
 */
static int read_own(struct symbols *symbols, struct elf_file *file, bool *is_stripped)
{
	int rc = read_from(symbols, file, SHT_DYNSYM, "dynsym");
	size_t exported = symbols->table.n_symbols, all;

	if (!rc)
		rc = symbols_read_elf(&symbols->table, file, SHT_SYMTAB);
	all = symbols->table.n_symbols - exported;
	*is_stripped = !all || all < exported;
	if (rc || *is_stripped)
		return rc;
	symbols->source = "symtab";
	symbol_table_drop(&symbols->table, exported);
	return 0;
}

/* What takes the place of a .symtab that was stripped. */
static int read_stripped(struct symbols *symbols, struct elf_file *file)
{
	size_t before;
	int rc = 0;

	if (symbols->debug)
		rc = read_from(symbols, symbols->debug, SHT_SYMTAB, "debug file");
	if (rc || !strcmp(symbols->source, "debug file"))
		return rc;
	symbols->minidebug = symbols_minidebuginfo(file);
	if (symbols->minidebug)
		rc = read_from(symbols, symbols->minidebug, SHT_SYMTAB, "minidebuginfo");
	before = symbols->table.n_symbols;
	if (!rc)
		rc = symbols_read_go(&symbols->table, file);
	if (symbols->table.n_symbols > before)
		symbols->source = "gopclntab";
	return rc;
}

static int read_all(struct symbols *symbols, struct elf_file *file, const char *path,
		    const struct symbols_options *options)
{
	const char *root = options->debug_root ? options->debug_root : "/usr/lib/debug";
	bool is_stripped = false;
	int rc = symbol_table_init(&symbols->table, file);

	symbols->source = "none";
	if (!rc)
		rc = read_own(symbols, file, &is_stripped);
	if (rc)
		return rc;
	if (is_stripped || (options->inlines && !inlines_present(file)))
		symbols->debug = symbols_debug_file(file, path, root);
	if (is_stripped)
		rc = read_stripped(symbols, file);
	if (!rc)
		rc = symbols_read_plt(&symbols->table, file);
	/* Stubs are named by what .dynsym imports. */
	if (symbols->table.n_symbols && !strcmp(symbols->source, "none"))
		symbols->source = "dynsym";
	return rc ? rc : symbol_table_build(&symbols->table);
}

struct symbols *symbols_open(struct elf_file *file, const char *path,
			     const struct symbols_options *options)
{
	static const struct symbols_options defaults;
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return NULL;
	if (!options)
		options = &defaults;
	if (read_all(symbols, file, path, options))
		goto no_memory;
	symbols->names = calloc(symbols->table.n_symbols + 1, sizeof(*symbols->names));
	if (!symbols->names)
		goto no_memory;
	if (options->inlines)
		symbols->inlines = inlines_open(
			symbols->debug && !inlines_present(file) ? symbols->debug : file);
	return symbols;

no_memory:
	symbols_close(symbols);
	return NULL;
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; symbols->names && i < symbols->table.n_symbols; i++)
		free(symbols->names[i]);
	free(symbols->names);
	inlines_close(symbols->inlines);
	symbol_table_clear(&symbols->table);
	elf_file_close(symbols->debug);
	elf_file_close(symbols->minidebug);
	free(symbols);
}

static char *with_plt(char *name)
{
	size_t length = name ? strlen(name) : 0;
	char *longer = name ? realloc(name, length + sizeof("@plt")) : NULL;

	if (!longer) {
		free(name);
		return NULL;
	}
	memcpy(longer + length, "@plt", sizeof("@plt"));
	return longer;
}

/* NULL without memory. */
static const char *name_of(struct symbols *symbols, const struct symbol *symbol)
{
	char **name = &symbols->names[symbol - symbols->table.symbols];

	if (!*name)
		*name = demangle(symbol->name);
	else
		return *name;
	if (symbol->flags & SYMBOL_PLT)
		*name = with_plt(*name);
	return *name;
}

size_t symbols_find(struct symbols *symbols, uint64_t address,
		    struct symbol_frame frames[SYMBOL_MAX_FRAMES])
{
	const struct symbol *symbol = symbol_table_find(&symbols->table, address);
	const char *name = symbol ? name_of(symbols, symbol) : NULL;
	size_t n = symbols->inlines ? inlines_find(symbols->inlines, address, frames) : 0;

	if (!n && !name)
		return 0;
	if (!n)
		frames[n++] = (struct symbol_frame){0};
	if (name)
		frames[n - 1].function = name;
	if (!frames[n - 1].function)
		return 0;
	for (size_t i = 0; symbol && i < n; i++)
		frames[i].address = symbol->address;
	return n;
}

size_t symbols_count(const struct symbols *symbols)
{
	return symbols->table.n_symbols;
}

const char *symbols_source(const struct symbols *symbols)
{
	return symbols->source;
}
