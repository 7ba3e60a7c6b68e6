/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/cfi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/cfi_internal.h"

/* Rows of one function, which lie together. */
struct function {
	uint32_t start, end;
	size_t first, n;
};

struct functions {
	struct function *list;
	size_t n, capacity;
};

struct builder {
	const struct elf_file *file;
	struct cfi_rows *out;
	struct cfi_table table;
	struct functions *functions; /* of the section that is being read */
	struct functions eh, debug;  /* eh: with Go's own, which .debug_frame tells of less well */
};

/* Room for one more of @size bytes in @list, which may move; NULL without memory. */
static void *make_room(void *list, size_t n, size_t *capacity, size_t size)
{
	size_t more = *capacity ? 2 * *capacity : 64;

	if (n < *capacity)
		return list;
	list = reallocarray(list, more, size);
	if (list)
		*capacity = more;
	return list;
}

int cfi_table_add(struct cfi_table *table, uint32_t pc, uint32_t rule)
{
	struct pb_row *rows =
		make_room(table->rows, table->n, &table->capacity, sizeof(*table->rows));

	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	rows[table->n++] = (struct pb_row){.pc = pc, .rule = rule};
	return 0;
}

static int add_function(struct functions *functions, const struct function *function)
{
	struct function *list = make_room(functions->list, functions->n, &functions->capacity,
					  sizeof(*functions->list));

	if (!list)
		return -ENOMEM;
	functions->list = list;
	list[functions->n++] = *function;
	return 0;
}

/* Functions that the linker threw away are still told of, at address 0 or thereabouts. */
static bool is_code(const struct elf_file *file, const struct cfi_fde *fde)
{
	uint64_t end;

	return fde->start < fde->end && elf_file_is_code(file, fde->start, &end) && fde->end <= end;
}

static int take_function(void *context, const struct cfi_section *section,
			 const struct cfi_cie *cie, const struct cfi_fde *fde)
{
	struct builder *builder = context;
	uint64_t base = builder->out->base;
	struct function function = {.first = builder->table.n};
	int err;

	if (!is_code(builder->file, fde))
		return 0;
	err = cfi_program_run(section, cie, fde, base, &builder->table);
	if (err)
		return err;
	function.start = (uint32_t)(fde->start - base);
	function.end = (uint32_t)(fde->end - base);
	function.n = builder->table.n - function.first;
	return add_function(builder->functions, &function);
}

static int take_go(void *context, uint64_t start, uint64_t end, size_t first)
{
	struct builder *builder = context;
	uint64_t base = builder->out->base, code_end;

	if (start >= end || !elf_file_is_code(builder->file, start, &code_end) || end > code_end)
		return 0;
	return add_function(&builder->eh, &(struct function){
						  .start = (uint32_t)(start - base),
						  .end = (uint32_t)(end - base),
						  .first = first,
						  .n = builder->table.n - first,
					  });
}

static int by_start(const void *a, const void *b)
{
	const struct function *one = a, *other = b;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return one->first < other->first ? -1 : one->first > other->first;
}

static int read_section(struct builder *builder, const char *name, struct functions *functions)
{
	struct cfi_section section = {.is_eh = !strcmp(name, ".eh_frame")};
	Elf_Data *data = elf_file_section(builder->file, name, &section.address);
	int err;

	if (!data || !data->d_buf || !data->d_size)
		return 0;
	section.ident = (const unsigned char *)elf_getident(elf_file_elf(builder->file), NULL);
	section.data = *data;
	if (!elf_file_section(builder->file, ".got.plt", &section.got_address))
		elf_file_section(builder->file, ".got", &section.got_address);
	builder->functions = functions;
	err = cfi_section_visit(&section, take_function, builder,
				&builder->out->gaps[CFI_GAP_BROKEN]);
	if (!err && functions->n)
		qsort(functions->list, functions->n, sizeof(*functions->list), by_start);
	return err;
}

/* Assembly that a program begins with is not longer. */
#define ENTRY_BYTES 64

/* Is the beginning of @function in one of @functions? Else it ends where the next one begins. */
static bool is_told_of(const struct functions *functions, struct function *function)
{
	for (size_t i = 0; i < functions->n; i++) {
		const struct function *other = &functions->list[i];

		if (other->start <= function->start && other->end > function->start)
			return true;
		if (other->start > function->start && other->start < function->end)
			function->end = other->start;
	}
	return false;
}

/*
 * Where a program begins, nobody has called: some (glibc's ld.so) say nothing of it there. Up to
 * what is told of.
 */
static int add_entry(struct builder *builder)
{
	uint64_t base = builder->out->base, entry = elf_file_entry(builder->file), end;
	struct function function = {.first = builder->table.n, .n = 1};

	if (entry < base || !elf_file_is_code(builder->file, entry, &end))
		return 0;
	function.start = (uint32_t)(entry - base);
	function.end = function.start + ENTRY_BYTES;
	if (end - base < function.end)
		function.end = (uint32_t)(end - base);
	if (is_told_of(&builder->eh, &function) || is_told_of(&builder->debug, &function))
		return 0;
	if (cfi_table_add(&builder->table, function.start,
			  pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0)) ||
	    add_function(&builder->eh, &function))
		return -ENOMEM;
	qsort(builder->eh.list, builder->eh.n, sizeof(*builder->eh.list), by_start);
	return 0;
}

/*
 * The next function in the order of addresses that overlaps none before, nor one of .eh_frame; NULL
 * at the end. @i and @j are places in both lists.
 */
static const struct function *next_function(struct builder *builder, size_t *i, size_t *j,
					    uint32_t end)
{
	const struct functions *eh = &builder->eh, *debug = &builder->debug;

	while (*i < eh->n || *j < debug->n) {
		const struct function *ours = *i < eh->n ? &eh->list[*i] : NULL;
		const struct function *other = *j < debug->n ? &debug->list[*j] : NULL;

		if (!other || (ours && ours->start <= other->start)) {
			++*i;
			if (ours->start >= end)
				return ours;
			builder->out->gaps[CFI_GAP_BROKEN]++;
			continue;
		}
		++*j;
		if (other->start >= end && (!ours || other->end <= ours->start))
			return other;
	}
	return NULL;
}

static void add_row(struct cfi_rows *out, uint32_t pc, uint32_t rule)
{
	if (out->n ? out->rows[out->n - 1].rule != rule : pb_rule_cfa(rule) != PB_CFA_NONE)
		out->rows[out->n++] = (struct pb_row){.pc = pc, .rule = rule};
}

static void merge_functions(struct builder *builder)
{
	const uint32_t none = pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0);
	struct cfi_rows *out = builder->out;
	const struct function *function;
	size_t i = 0, j = 0;
	uint32_t end = 0;

	while ((function = next_function(builder, &i, &j, end))) {
		const struct pb_row *rows = builder->table.rows + function->first;

		if (function->start > end)
			add_row(out, end, none);
		for (size_t k = 0; k < function->n; k++)
			add_row(out, rows[k].pc, rows[k].rule);
		end = function->end;
		out->entries++;
	}
	add_row(out, end, none);
}

static void count_gaps(struct cfi_rows *out)
{
	for (size_t i = 0; i < out->n; i++) {
		uint32_t rule = out->rows[i].rule;

		if (pb_rule_cfa(rule) == PB_CFA_UNKNOWN)
			out->gaps[pb_rule_cfa_words(rule)]++;
		else if (pb_rule_rbp(rule) == PB_RBP_UNKNOWN)
			out->gaps[CFI_GAP_RBP]++;
	}
}

static int build(struct builder *builder)
{
	struct cfi_rows *out = builder->out;
	struct pb_row *rows;
	size_t most;
	int err = cfi_go_visit((struct elf_file *)builder->file, out->base, &builder->table,
			       take_go, builder);

	if (!err)
		err = read_section(builder, ".eh_frame", &builder->eh);
	if (!err)
		err = read_section(builder, ".debug_frame", &builder->debug);
	/* Rows of what is no code belong to no function. */
	if (err || !(builder->eh.n + builder->debug.n))
		return err;
	err = add_entry(builder);
	if (err)
		return err;
	/* Each function may have one more, behind it. */
	most = builder->table.n + builder->eh.n + builder->debug.n;
	out->rows = reallocarray(NULL, most, sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	merge_functions(builder);
	count_gaps(out);
	rows = reallocarray(out->rows, out->n, sizeof(*out->rows));
	if (rows)
		out->rows = rows;
	return 0;
}

int cfi_rows_build(const struct elf_file *file, struct cfi_rows *out)
{
	struct builder builder = {.file = file, .out = out};
	uint64_t high;
	int err;

	memset(out, 0, sizeof(*out));
	if (elf_file_machine(file) != EM_X86_64 || !elf_file_text(file, &out->base, &high))
		return 0;
	if (high - out->base > UINT32_MAX)
		return -E2BIG;
	err = build(&builder);
	free(builder.table.rows);
	free(builder.eh.list);
	free(builder.debug.list);
	if (err)
		cfi_rows_clear(out);
	return err;
}

void cfi_rows_clear(struct cfi_rows *rows)
{
	free(rows->rows);
	memset(rows, 0, sizeof(*rows));
}

uint32_t cfi_rows_find(const struct cfi_rows *rows, uint64_t address)
{
	size_t low = 0, high = rows->n;
	uint64_t pc = address - rows->base;

	if (address < rows->base || pc > UINT32_MAX)
		return pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows->rows[middle].pc <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? rows->rows[low - 1].rule : pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0);
}

const char *cfi_gap_name(enum cfi_gap gap)
{
	static const char *const names[CFI_GAPS] = {
		[CFI_GAP_CFA_EXPRESSION] = "CFA by an expression",
		[CFI_GAP_CFA_REGISTER] = "CFA by another register",
		[CFI_GAP_CFA_OFFSET] = "CFA out of range",
		[CFI_GAP_RETURN_ADDRESS] = "return address elsewhere",
		[CFI_GAP_RBP] = "rbp kept elsewhere",
		[CFI_GAP_BROKEN] = "broken",
	};

	return gap < CFI_GAPS ? names[gap] : "unknown";
}
