/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Interprets the instructions of an entry once, from its first address to its last. Each
 * instruction costs at least a byte of the file and a bounded time.
 */
#include <dwarf.h>
#include <errno.h>

#include "symbol/cfi_internal.h"

/* Compilers nest no states at all, but for hand-written code of some levels. */
#define MAX_REMEMBERED 16

struct program {
	const struct cfi_section *section;
	const struct cfi_cie *cie;
	struct cfi_cursor code;
	struct cfi_state state;
	struct cfi_state remembered[MAX_REMEMBERED];
	size_t n_remembered;
	bool has_initial; /* the CIE's state is known: these are not its own instructions */
	uint64_t pc;      /* where the state holds from */
};

/* Of the registers that a walk does not need nothing is kept. */
static void set_place(struct program *program, uint64_t reg, struct cfi_place place)
{
	if (reg == CFI_RBP)
		program->state.rbp = place;
	else if (reg == CFI_RETURN_ADDRESS)
		program->state.return_address = place;
}

static void set_offset(struct program *program, uint64_t reg, uint64_t factored)
{
	uint64_t offset = factored * (uint64_t)program->cie->data_factor;

	set_place(program, reg,
		  (struct cfi_place){.kind = CFI_PLACE_CFA, .offset = (int64_t)offset});
}

static void set_other(struct program *program, uint64_t reg)
{
	set_place(program, reg, (struct cfi_place){.kind = CFI_PLACE_OTHER});
}

static void set_expression(struct program *program, uint64_t reg)
{
	uint64_t size = cfi_read_uleb(&program->code);

	set_place(program, reg, cfi_expression_place(cfi_read_block(&program->code, size)));
}

/* DW_CFA_register: another register holds it. That it holds its own is said, too. */
static void set_register(struct program *program)
{
	uint64_t reg = cfi_read_uleb(&program->code), other = cfi_read_uleb(&program->code);

	if (reg == other)
		set_place(program, reg, (struct cfi_place){.kind = CFI_PLACE_SAME});
	else
		set_other(program, reg);
}

/* False in a CIE, which has nothing to go back to. */
static bool restore(struct program *program, uint64_t reg)
{
	if (!program->has_initial)
		return false;
	if (reg == CFI_RBP)
		program->state.rbp = program->cie->initial.rbp;
	else if (reg == CFI_RETURN_ADDRESS)
		program->state.return_address = program->cie->initial.return_address;
	return true;
}

static bool remember(struct program *program)
{
	if (program->n_remembered == MAX_REMEMBERED)
		return false;
	program->remembered[program->n_remembered++] = program->state;
	return true;
}

static bool recall(struct program *program)
{
	if (!program->n_remembered)
		return false;
	program->state = program->remembered[--program->n_remembered];
	return true;
}

static void set_cfa(struct program *program, uint64_t reg, uint64_t offset)
{
	program->state.cfa = (struct cfi_cfa){
		.kind = CFI_CFA_REGISTER,
		.reg = reg,
		.offset = (int64_t)offset,
	};
}

static void set_cfa_expression(struct program *program)
{
	uint64_t size = cfi_read_uleb(&program->code);

	program->state.cfa = cfi_expression_cfa(cfi_read_block(&program->code, size));
}

static uint64_t read_factored(struct program *program)
{
	return (uint64_t)cfi_read_sleb(&program->code) * (uint64_t)program->cie->data_factor;
}

/* Instructions that define the CFA. */
static bool do_cfa(struct program *program, uint8_t operation)
{
	struct cfi_cfa *cfa = &program->state.cfa;
	uint64_t reg;

	switch (operation) {
	case DW_CFA_def_cfa:
		reg = cfi_read_uleb(&program->code);
		set_cfa(program, reg, cfi_read_uleb(&program->code));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = cfi_read_uleb(&program->code);
		set_cfa(program, reg, read_factored(program));
		return true;
	case DW_CFA_def_cfa_expression:
		set_cfa_expression(program);
		return true;
	}
	/* The others change a part of it, which it must have. */
	if (cfa->kind != CFI_CFA_REGISTER)
		return false;
	switch (operation) {
	case DW_CFA_def_cfa_register:
		cfa->reg = cfi_read_uleb(&program->code);
		return true;
	case DW_CFA_def_cfa_offset:
		cfa->offset = (int64_t)cfi_read_uleb(&program->code);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		cfa->offset = (int64_t)read_factored(program);
		return true;
	default:
		return false;
	}
}

/* Instructions that say where a register is kept. */
static bool do_register(struct program *program, uint8_t operation)
{
	struct cfi_cursor *code = &program->code;
	uint64_t reg;

	if (operation == DW_CFA_register) {
		set_register(program);
		return true;
	}
	reg = cfi_read_uleb(code);
	switch (operation) {
	case DW_CFA_offset_extended:
		set_offset(program, reg, cfi_read_uleb(code));
		return true;
	case DW_CFA_offset_extended_sf:
		set_offset(program, reg, (uint64_t)cfi_read_sleb(code));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		set_offset(program, reg, -cfi_read_uleb(code));
		return true;
	case DW_CFA_val_offset:
		cfi_read_uleb(code);
		set_other(program, reg);
		return true;
	case DW_CFA_val_offset_sf:
		cfi_read_sleb(code);
		set_other(program, reg);
		return true;
	case DW_CFA_expression:
		set_expression(program, reg);
		return true;
	case DW_CFA_val_expression:
		cfi_read_block(code, cfi_read_uleb(code));
		set_other(program, reg);
		return true;
	case DW_CFA_undefined:
		set_place(program, reg, (struct cfi_place){.kind = CFI_PLACE_UNDEFINED});
		return true;
	case DW_CFA_same_value:
		set_place(program, reg, (struct cfi_place){.kind = CFI_PLACE_SAME});
		return true;
	case DW_CFA_restore_extended:
		return restore(program, reg);
	default:
		return false;
	}
}

/* Does one instruction that is no advance. False where it makes no sense. */
static bool do_instruction(struct program *program, uint8_t operation)
{
	uint8_t reg = operation & 0x3f;

	switch (operation & 0xc0) {
	case DW_CFA_offset:
		set_offset(program, reg, cfi_read_uleb(&program->code));
		return !program->code.broken;
	case DW_CFA_restore:
		return restore(program, reg);
	}
	switch (operation) {
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save: /* of AArch64 the state of the return address's signature */
		return true;
	case DW_CFA_GNU_args_size:
		cfi_read_uleb(&program->code);
		return !program->code.broken;
	case DW_CFA_remember_state:
		return remember(program);
	case DW_CFA_restore_state:
		return recall(program);
	}
	if ((operation >= DW_CFA_def_cfa && operation <= DW_CFA_def_cfa_expression) ||
	    operation == DW_CFA_def_cfa_sf || operation == DW_CFA_def_cfa_offset_sf)
		return do_cfa(program, operation) && !program->code.broken;
	return do_register(program, operation) && !program->code.broken;
}

/* Is @operation one that moves on to another address? @pc takes it. */
static bool is_advance(struct program *program, uint8_t operation, uint64_t *pc)
{
	struct cfi_cursor *code = &program->code;
	uint64_t delta;

	switch (operation) {
	case DW_CFA_set_loc:
		*pc = cfi_read_address(program->section, code, program->cie->encoding);
		return true;
	case DW_CFA_advance_loc1:
		delta = cfi_read(code, 1);
		break;
	case DW_CFA_advance_loc2:
		delta = cfi_read(code, 2);
		break;
	case DW_CFA_advance_loc4:
		delta = cfi_read(code, 4);
		break;
	case DW_CFA_MIPS_advance_loc8:
		delta = cfi_read(code, 8);
		break;
	default:
		if ((operation & 0xc0) != DW_CFA_advance_loc)
			return false;
		delta = operation & 0x3f;
	}
	/* What wraps around ends before where it began, which is no advance. */
	if (__builtin_mul_overflow(delta, program->cie->code_factor, &delta) ||
	    __builtin_add_overflow(program->pc, delta, pc))
		code->broken = true;
	return true;
}

bool cfi_program_begin(const struct cfi_section *section, struct cfi_cie *cie,
		       struct cfi_cursor instructions)
{
	struct program program = {.section = section, .cie = cie, .code = instructions};

	while (program.code.at < program.code.end)
		if (!do_instruction(&program, (uint8_t)cfi_read(&program.code, 1)))
			return false;
	cie->initial = program.state;
	return true;
}

int cfi_program_run(const struct cfi_section *section, const struct cfi_cie *cie,
		    const struct cfi_fde *fde, uint64_t base, struct cfi_table *table)
{
	struct program program;
	bool is_sound = true;

	program.section = section;
	program.cie = cie;
	program.code = fde->instructions;
	program.state = cie->initial;
	program.n_remembered = 0;
	program.has_initial = true;
	program.pc = fde->start;
	while (is_sound && program.code.at < program.code.end) {
		uint8_t operation = (uint8_t)cfi_read(&program.code, 1);
		uint64_t pc;

		if (!is_advance(&program, operation, &pc)) {
			is_sound = do_instruction(&program, operation);
			continue;
		}
		is_sound = !program.code.broken && pc >= program.pc;
		if (!is_sound || pc == program.pc)
			continue;
		if (cfi_table_add(table, (uint32_t)(program.pc - base), cfi_rule(&program.state)))
			return -ENOMEM;
		/* What is said of addresses beyond the function is not said of anything. */
		if (pc >= fde->end)
			return 0;
		program.pc = pc;
	}
	return cfi_table_add(table, (uint32_t)(program.pc - base),
			     is_sound ? cfi_rule(&program.state)
				      : cfi_rule_unknown(CFI_GAP_BROKEN));
}
