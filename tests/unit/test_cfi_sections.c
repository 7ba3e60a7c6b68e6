/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sections of several functions, sound or broken, and the table that they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <zlib.h>

#include "made_cfi.h"

#define ENTRY pb_rule(PB_CFA_RSP, 1, PB_RBP_SAME, 0)
#define OTHER pb_rule(PB_CFA_RSP, 2, PB_RBP_SAME, 0)

static const uint8_t code_other[] = {DW_CFA_def_cfa_offset, 16};

/* A function that holds OTHER all along. */
static void add_other(struct made_cfi *cfi, uint64_t start, uint64_t size)
{
	made_fde(cfi, start, size, code_other, sizeof(code_other));
}

static void add(struct made_cfi *cfi, uint64_t start, uint64_t size)
{
	made_fde(cfi, start, size, NULL, 0);
}

static void assert_row(const struct cfi_rows *rows, size_t i, uint64_t address, uint32_t rule)
{
	assert_true(i < rows->n);
	assert_int_equal(rows->base + rows->rows[i].pc, address);
	assert_int_equal(rows->rows[i].rule, rule);
}

static void functions_in_any_order(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct cfi_rows rows;

	(void)state;
	add_other(cfi, MADE_TEXT + 0x300, 0x10);
	add(cfi, MADE_TEXT + 0x100, 0x10);
	add_other(cfi, MADE_TEXT + 0x200, 0x10);
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.n, 6);
	assert_int_equal(rows.entries, 3);
	assert_int_equal(rows.base, MADE_TEXT);
	assert_row(&rows, 0, MADE_TEXT + 0x100, ENTRY);
	assert_row(&rows, 1, MADE_TEXT + 0x110, PB_CFA_NONE);
	assert_row(&rows, 2, MADE_TEXT + 0x200, OTHER);
	assert_row(&rows, 3, MADE_TEXT + 0x210, PB_CFA_NONE);
	assert_row(&rows, 4, MADE_TEXT + 0x300, OTHER);
	assert_row(&rows, 5, MADE_TEXT + 0x310, PB_CFA_NONE);
	cfi_rows_clear(&rows);
}

static void found_by_address(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct cfi_rows rows;

	(void)state;
	add(cfi, MADE_TEXT + 0x100, 0x10);
	add_other(cfi, MADE_TEXT + 0x120, 0x10);
	rows = made_rows(cfi, NULL);
	assert_int_equal(cfi_rows_find(&rows, 0), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT - 1), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0xff), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0x100), ENTRY);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0x10f), ENTRY);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0x110), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0x120), OTHER);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0x12f), OTHER);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + 0x130), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + (1ULL << 32) + 0x100), PB_CFA_NONE);
	assert_int_equal(cfi_rows_find(&rows, UINT64_MAX), PB_CFA_NONE);
	cfi_rows_clear(&rows);
	assert_int_equal(cfi_rows_find(&rows, MADE_TEXT), PB_CFA_NONE);
}

static void neighbours_of_one_rule_are_one_row(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct cfi_rows rows;

	(void)state;
	add(cfi, MADE_TEXT, 0x10);
	add(cfi, MADE_TEXT + 0x10, 0x10);
	made_fde(cfi, MADE_TEXT + 0x20, 0x10,
		 MADE_CODE(DW_CFA_advance_loc | 1, DW_CFA_offset | MADE_RBX, 2,
			   DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc,
			   DW_CFA_def_cfa_offset, 8));
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.n, 2);
	assert_int_equal(rows.entries, 3);
	assert_row(&rows, 0, MADE_TEXT, ENTRY);
	assert_row(&rows, 1, MADE_TEXT + 0x30, PB_CFA_NONE);
	cfi_rows_clear(&rows);
}

static void of_functions_that_overlap_the_first_is_taken(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct cfi_rows rows;

	(void)state;
	add_other(cfi, MADE_TEXT + 0x18, 0x20);
	add(cfi, MADE_TEXT + 0x10, 0x10);
	/* Of those that begin together, the first in the section. */
	add(cfi, MADE_TEXT + 0x40, 0x10);
	add_other(cfi, MADE_TEXT + 0x40, 0x20);
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.entries, 2);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 2);
	assert_int_equal(rows.n, 4);
	assert_row(&rows, 0, MADE_TEXT + 0x10, ENTRY);
	assert_row(&rows, 1, MADE_TEXT + 0x20, PB_CFA_NONE);
	assert_row(&rows, 2, MADE_TEXT + 0x40, ENTRY);
	assert_row(&rows, 3, MADE_TEXT + 0x50, PB_CFA_NONE);
	cfi_rows_clear(&rows);
}

static void eh_frame_goes_before_debug_frame(void **state)
{
	struct made_cfi *eh = made_cfi_new(true), *debug = made_cfi_new(false);
	struct cfi_rows rows;

	(void)state;
	add(eh, MADE_TEXT + 0x10, 0x10);
	add(eh, MADE_TEXT + 0x60, 0x10);
	add_other(debug, MADE_TEXT + 0x08, 0x10); /* reaches into it */
	add_other(debug, MADE_TEXT + 0x10, 0x10); /* the same */
	add_other(debug, MADE_TEXT + 0x18, 0x10); /* begins in it */
	add_other(debug, MADE_TEXT + 0x40, 0x20); /* only known here */
	rows = made_rows(eh, debug);
	assert_int_equal(rows.entries, 3);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 0);
	assert_int_equal(rows.n, 5);
	assert_row(&rows, 0, MADE_TEXT + 0x10, ENTRY);
	assert_row(&rows, 1, MADE_TEXT + 0x20, PB_CFA_NONE);
	assert_row(&rows, 2, MADE_TEXT + 0x40, OTHER);
	assert_row(&rows, 3, MADE_TEXT + 0x60, ENTRY);
	assert_row(&rows, 4, MADE_TEXT + 0x70, PB_CFA_NONE);
	cfi_rows_clear(&rows);
}

static void what_is_no_code_is_left_out(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct cfi_rows rows;

	(void)state;
	made_cie(cfi, DW_EH_PE_absptr);
	add(cfi, 0, 0x10);                              /* thrown away by the linker */
	add(cfi, MADE_TEXT + 0x10, 0);                  /* empty */
	add(cfi, MADE_TEXT - 8, 0x10);                  /* begins before the code */
	add(cfi, MADE_TEXT + MADE_TEXT_SIZE - 8, 0x10); /* ends behind it */
	add(cfi, MADE_TEXT + MADE_TEXT_SIZE - 16, 0x10);
	add(cfi, MADE_TEXT + MADE_TEXT_SIZE, 0x10);
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.entries, 1);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 0);
	assert_row(&rows, 0, MADE_TEXT + MADE_TEXT_SIZE - 16, ENTRY);
	assert_row(&rows, 1, MADE_TEXT + MADE_TEXT_SIZE, PB_CFA_NONE);
	cfi_rows_clear(&rows);
	/* One that wraps around makes no sense. */
	cfi = made_cfi_new(true);
	made_cie(cfi, DW_EH_PE_absptr);
	add(cfi, MADE_TEXT, UINT64_MAX - 8);
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.n, 0);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 1);
}

static void addresses_in_each_encoding(void **state)
{
	static const uint8_t encodings[] = {
		DW_EH_PE_absptr,
		DW_EH_PE_udata4,
		DW_EH_PE_udata8,
		DW_EH_PE_sdata4,
		DW_EH_PE_sdata8,
		DW_EH_PE_signed,
		DW_EH_PE_pcrel | DW_EH_PE_absptr,
		DW_EH_PE_pcrel | DW_EH_PE_sdata4,
		DW_EH_PE_pcrel | DW_EH_PE_sdata8,
		DW_EH_PE_pcrel | DW_EH_PE_udata8,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(encodings); i++) {
		struct made_cfi *cfi = made_cfi_new(true);
		struct cfi_rows rows;

		made_cie(cfi, encodings[i]);
		add(cfi, MADE_TEXT + 0x123, 0x10);
		rows = made_rows(cfi, NULL);
		assert_int_equal(rows.n, 2);
		assert_row(&rows, 0, MADE_TEXT + 0x123, ENTRY);
		assert_row(&rows, 1, MADE_TEXT + 0x133, PB_CFA_NONE);
		cfi_rows_clear(&rows);
	}
}

/* In two bytes: by a section below the code. */
static void addresses_of_two_bytes(void **state)
{
	static const uint8_t encodings[] = {DW_EH_PE_pcrel | DW_EH_PE_udata2,
					    DW_EH_PE_pcrel | DW_EH_PE_sdata2};

	(void)state;
	for (size_t i = 0; i < sizeof(encodings); i++) {
		struct made_cfi *cfi = made_cfi_new(true);
		struct cfi_rows rows;

		cfi->address = MADE_TEXT - 0x1000;
		made_cie(cfi, encodings[i]);
		add(cfi, MADE_TEXT + 0x10, 0x10);
		rows = made_rows(cfi, NULL);
		assert_row(&rows, 0, MADE_TEXT + 0x10, ENTRY);
		cfi_rows_clear(&rows);
	}
}

static void addresses_by_the_got(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct made_elf *made;
	struct cfi_rows rows;

	(void)state;
	made_cie(cfi, DW_EH_PE_datarel | DW_EH_PE_sdata4);
	add(cfi, (uint64_t)-0x3ff0, 0x10);
	made = made_cfi_elf(cfi, NULL);
	made_section(made, ".got", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, MADE_TEXT + 0x4000, NULL,
		     8);
	rows = made_elf_rows(made);
	assert_row(&rows, 0, MADE_TEXT + 0x10, ENTRY);
	cfi_rows_clear(&rows);
	/* Without one. */
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.n, 0);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 1);
}

static void encodings_that_nobody_uses_are_broken(void **state)
{
	static const uint8_t encodings[] = {
		DW_EH_PE_indirect | DW_EH_PE_udata4,
		DW_EH_PE_textrel | DW_EH_PE_udata4,
		DW_EH_PE_funcrel | DW_EH_PE_udata4,
		DW_EH_PE_aligned,
		DW_EH_PE_omit,
		0x05,
		0x0f,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(encodings); i++) {
		struct made_cfi *cfi = made_cfi_new(true);
		struct cfi_rows rows;

		made_cie(cfi, encodings[i]);
		add(cfi, MADE_TEXT, 0x10);
		made_cie(cfi, DW_EH_PE_absptr);
		add_other(cfi, MADE_TEXT + 0x10, 0x10);
		rows = made_rows(cfi, NULL);
		assert_int_equal(rows.entries, 1);
		assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 1);
		assert_row(&rows, 0, MADE_TEXT + 0x10, OTHER);
		cfi_rows_clear(&rows);
	}
}

#define INITIAL MADE_CODE(DW_CFA_def_cfa, MADE_RSP, 8, DW_CFA_offset | MADE_RA, 1)

/* The table of one function at MADE_TEXT whose CIE is as told, behind that of made_cfi_new(). */
static struct cfi_rows rows_of_cie(const char *augmentation, const void *data, size_t data_size,
				   uint8_t column, const uint8_t *code, size_t size)
{
	struct made_cfi *cfi = made_cfi_new(true);

	cfi->encoding = DW_EH_PE_absptr;
	made_cie_full(cfi, augmentation, data, data_size, 1, column, code, size);
	add(cfi, MADE_TEXT, 0x10);
	return made_rows(cfi, NULL);
}

static void assert_sound(struct cfi_rows rows)
{
	assert_int_equal(rows.n, 2);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 0);
	assert_row(&rows, 0, MADE_TEXT, ENTRY);
	cfi_rows_clear(&rows);
}

static void assert_broken(struct cfi_rows rows)
{
	assert_int_equal(rows.n, 0);
	assert_null(rows.rows);
	assert_true(rows.gaps[CFI_GAP_BROKEN] >= 1);
}

static void augmentations(void **state)
{
	const uint8_t all[] = {
		DW_EH_PE_pcrel | DW_EH_PE_sdata4, 1, 2, 3, 4, DW_EH_PE_absptr, DW_EH_PE_absptr};
	const uint8_t wide[] = {DW_EH_PE_indirect | DW_EH_PE_pcrel | DW_EH_PE_sdata8,
				1,
				2,
				3,
				4,
				5,
				6,
				7,
				8,
				DW_EH_PE_absptr};

	(void)state;
	assert_sound(rows_of_cie("zPLR", all, sizeof(all), MADE_RA, INITIAL));
	assert_sound(rows_of_cie("zPRS", wide, sizeof(wide), MADE_RA, INITIAL));
	assert_sound(rows_of_cie("zRSB", "\0", 1, MADE_RA, INITIAL));
	assert_sound(rows_of_cie("zR", "\0\1\2", 3, MADE_RA, INITIAL));
	assert_sound(rows_of_cie("z", NULL, 0, MADE_RA, INITIAL));
	assert_broken(rows_of_cie("zX", "\0", 1, MADE_RA, INITIAL));
	assert_broken(rows_of_cie("zR", NULL, 0, MADE_RA, INITIAL));
	assert_broken(rows_of_cie("zPLR", all, 3, MADE_RA, INITIAL));
	assert_broken(rows_of_cie("R", NULL, 0, MADE_RA, INITIAL));
	assert_broken(rows_of_cie("eh", NULL, 0, MADE_RA, INITIAL));
}

static void cies_that_make_no_sense(void **state)
{
	(void)state;
	/* The return address in another column. */
	assert_broken(rows_of_cie("z", NULL, 0, 17, INITIAL));
	/* Instructions that are of functions only. */
	assert_broken(rows_of_cie("z", NULL, 0, MADE_RA, MADE_CODE(DW_CFA_advance_loc | 1)));
	assert_broken(rows_of_cie("z", NULL, 0, MADE_RA, MADE_CODE(DW_CFA_restore | MADE_RBP)));
	assert_broken(rows_of_cie("z", NULL, 0, MADE_RA, MADE_CODE(DW_CFA_set_loc, 0, 0)));
	assert_broken(rows_of_cie("z", NULL, 0, MADE_RA, MADE_CODE(DW_CFA_restore_state)));
	assert_broken(rows_of_cie("z", NULL, 0, MADE_RA, MADE_CODE(0x3d)));
}

static void a_cfa_that_nobody_set(void **state)
{
	struct cfi_rows rows = rows_of_cie("z", NULL, 0, MADE_RA, MADE_CODE(DW_CFA_nop));

	(void)state;
	assert_int_equal(rows.n, 2);
	assert_int_equal(pb_rule_cfa(rows.rows[0].rule), PB_CFA_UNKNOWN);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 1);
	cfi_rows_clear(&rows);
}

/* Bytes of the last entry of a sound section, replaced. */
static struct cfi_rows rows_with(size_t at, uint64_t value, size_t size)
{
	struct made_cfi *cfi = made_cfi_new(true);

	add(cfi, MADE_TEXT, 0x10);
	add(cfi, MADE_TEXT + 0x20, 0x10);
	memcpy(cfi->bytes + cfi->entry + at, &value, size);
	return made_rows(cfi, NULL);
}

static void entries_that_make_no_sense(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		size_t size;
	} cases[] = {
		{0, 0x1000, 4},     /* longer than the section */
		{0, UINT32_MAX, 4}, /* of 64 bits, and endless */
		{0, 3, 4},          /* too short to refer to anything */
		{0, 4, 4},          /* too short for an address */
		{4, 8, 4},          /* refers to the middle of something */
		{4, 0x7fffffff, 4}, /* to before the section */
		{16, 0xff, 1},      /* augmentation data beyond its end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cfi_rows rows = rows_with(cases[i].at, cases[i].value, cases[i].size);

		assert_true(rows.gaps[CFI_GAP_BROKEN] >= 1);
		assert_int_equal(rows.entries, 1);
		assert_row(&rows, 0, MADE_TEXT, ENTRY);
		cfi_rows_clear(&rows);
	}
}

static void entries_go_on_behind_a_terminator(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct cfi_rows rows;

	(void)state;
	add(cfi, MADE_TEXT, 0x10);
	made_u(cfi, 0, 8);
	made_cie(cfi, DW_EH_PE_absptr);
	add_other(cfi, MADE_TEXT + 0x10, 0x10);
	made_u(cfi, 0, 4);
	rows = made_rows(cfi, NULL);
	assert_int_equal(rows.entries, 2);
	assert_int_equal(rows.gaps[CFI_GAP_BROKEN], 0);
	assert_row(&rows, 1, MADE_TEXT + 0x10, OTHER);
	cfi_rows_clear(&rows);
}

/* In .debug_frame a function may come before what it refers to. */
static void a_cie_behind_its_function(void **state)
{
	struct made_cfi *cfi = made_cfi_new(false);
	struct cfi_rows rows;
	size_t fde;

	(void)state;
	cfi->n = 0;
	add(cfi, MADE_TEXT, 0x10);
	fde = cfi->entry;
	made_cie(cfi, DW_EH_PE_absptr);
	memcpy(cfi->bytes + fde + 4, &(uint32_t){(uint32_t)cfi->cie}, 4);
	rows = made_rows(NULL, cfi);
	assert_row(&rows, 0, MADE_TEXT, ENTRY);
	cfi_rows_clear(&rows);
}

static void entries_of_64_bits(void **state)
{
	struct made_cfi *cfi = made_cfi_new(false);
	struct cfi_rows rows;

	(void)state;
	made_u(cfi, UINT32_MAX, 4);
	made_u(cfi, 8 + 8 + 8 + 8, 8);
	made_u(cfi, cfi->cie, 8);
	made_u(cfi, MADE_TEXT, 8);
	made_u(cfi, 0x10, 8);
	made_put(cfi, MADE_CODE(DW_CFA_def_cfa_offset, 16, 0, 0, 0, 0, 0, 0));
	rows = made_rows(NULL, cfi);
	assert_row(&rows, 0, MADE_TEXT, OTHER);
	cfi_rows_clear(&rows);
}

/* The rows of .debug_frame, or how it is called, with this content. */
static struct cfi_rows rows_of_section(const char *name, uint64_t flags, const void *bytes,
				       size_t size)
{
	struct made_elf *made = made_cfi_elf(NULL, NULL);

	made_section(made, name, SHT_PROGBITS, flags, 0, bytes, size);
	return made_elf_rows(made);
}

static void compressed_sections(void **state)
{
	struct made_cfi *cfi = made_cfi_new(false);
	uint8_t *bytes = calloc(1, MADE_CFI_BYTES);
	Elf64_Chdr *header = (Elf64_Chdr *)(void *)bytes;
	uLongf size = MADE_CFI_BYTES - sizeof(*header);

	(void)state;
	add(cfi, MADE_TEXT, 0x10);
	assert_int_equal(compress(bytes + sizeof(*header), &size, cfi->bytes, cfi->n), Z_OK);
	*header = (Elf64_Chdr){.ch_type = ELFCOMPRESS_ZLIB, .ch_size = cfi->n, .ch_addralign = 8};
	assert_sound(
		rows_of_section(".debug_frame", SHF_COMPRESSED, bytes, sizeof(*header) + size));
	/* As Go's linker and older ones did: a name and a size before it. */
	memmove(bytes + 12, bytes + sizeof(*header), size);
	memcpy(bytes, "ZLIB\0\0\0\0\0\0", 10);
	bytes[10] = (uint8_t)(cfi->n >> 8);
	bytes[11] = (uint8_t)cfi->n;
	assert_sound(rows_of_section(".zdebug_frame", 0, bytes, 12 + size));
	/* Without being compressed. */
	assert_sound(rows_of_section(".zdebug_frame", 0, cfi->bytes, cfi->n));
	free(bytes);
	free(cfi);
}

static void files_without_cfi(void **state)
{
	struct made_elf *made = made_cfi_elf(NULL, NULL);
	struct cfi_rows rows = made_elf_rows(made);

	(void)state;
	assert_int_equal(rows.n, 0);
	assert_null(rows.rows);
	cfi_rows_clear(&rows);
	/* Without code, and with an empty section. */
	made = made_new();
	made_section(made, ".eh_frame", SHT_PROGBITS, SHF_ALLOC, MADE_EH_FRAME, NULL, 0);
	rows = made_elf_rows(made);
	assert_int_equal(rows.n, 0);
	assert_int_equal(cfi_rows_find(&rows, 0), PB_CFA_NONE);
}

static void other_machines_have_none(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	struct made_elf *made;
	struct elf_file *file;
	struct cfi_rows rows;

	(void)state;
	add(cfi, MADE_TEXT, 0x10);
	made = made_cfi_elf(cfi, NULL);
	made_finish(made);
	((Elf64_Ehdr *)(void *)made->bytes)->e_machine = EM_AARCH64;
	file = elf_file_open_memory(made->bytes, made->size);
	assert_non_null(file);
	assert_int_equal(cfi_rows_build(file, &rows), 0);
	assert_int_equal(rows.n, 0);
	elf_file_close(file);
	made_free(made);
	free(cfi);
}

static void code_of_4_gib_and_more(void **state)
{
	(void)state;
	for (uint64_t far = UINT32_MAX - 0x10; far <= UINT32_MAX; far += 0x10) {
		struct made_cfi *cfi = made_cfi_new(true);
		struct made_elf *made;
		struct elf_file *file;
		struct cfi_rows rows;
		bool fits = far < UINT32_MAX;

		made_cie(cfi, DW_EH_PE_absptr);
		add(cfi, MADE_TEXT + far, 0x10);
		made = made_cfi_elf(cfi, NULL);
		made_text(made, ".text.far", MADE_TEXT + far, NULL, 0x10);
		made_finish(made);
		file = elf_file_open_memory(made->bytes, made->size);
		assert_int_equal(cfi_rows_build(file, &rows), fits ? 0 : -E2BIG);
		assert_int_equal(rows.n, fits ? 2 : 0);
		assert_int_equal(cfi_rows_find(&rows, MADE_TEXT + far + 15),
				 fits ? ENTRY : PB_CFA_NONE);
		cfi_rows_clear(&rows);
		elf_file_close(file);
		made_free(made);
		free(cfi);
	}
}

static void gaps_have_names(void **state)
{
	(void)state;
	for (int gap = 0; gap < CFI_GAPS; gap++) {
		assert_non_null(cfi_gap_name((enum cfi_gap)gap));
		for (int other = 0; other < gap; other++)
			assert_string_not_equal(cfi_gap_name((enum cfi_gap)gap),
						cfi_gap_name((enum cfi_gap)other));
	}
	assert_non_null(cfi_gap_name(CFI_GAPS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_in_any_order),
		cmocka_unit_test(found_by_address),
		cmocka_unit_test(neighbours_of_one_rule_are_one_row),
		cmocka_unit_test(of_functions_that_overlap_the_first_is_taken),
		cmocka_unit_test(eh_frame_goes_before_debug_frame),
		cmocka_unit_test(what_is_no_code_is_left_out),
		cmocka_unit_test(addresses_in_each_encoding),
		cmocka_unit_test(addresses_of_two_bytes),
		cmocka_unit_test(addresses_by_the_got),
		cmocka_unit_test(encodings_that_nobody_uses_are_broken),
		cmocka_unit_test(augmentations),
		cmocka_unit_test(cies_that_make_no_sense),
		cmocka_unit_test(a_cfa_that_nobody_set),
		cmocka_unit_test(entries_that_make_no_sense),
		cmocka_unit_test(entries_go_on_behind_a_terminator),
		cmocka_unit_test(a_cie_behind_its_function),
		cmocka_unit_test(entries_of_64_bits),
		cmocka_unit_test(compressed_sections),
		cmocka_unit_test(files_without_cfi),
		cmocka_unit_test(other_machines_have_none),
		cmocka_unit_test(code_of_4_gib_and_more),
		cmocka_unit_test(gaps_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
