/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Call frame information as tests want it, sound or broken, put together byte by byte. */
#ifndef PERFBPF_TESTS_UNIT_MADE_CFI_H
#define PERFBPF_TESTS_UNIT_MADE_CFI_H

#include <dwarf.h>

#include "made_elf.h"
#include "symbol/cfi.h"

#define MADE_TEXT      0x10000
#define MADE_TEXT_SIZE 0x10000
#define MADE_EH_FRAME  0x40000
#define MADE_CFI_BYTES (64 * 1024)
#define MADE_BREG(reg) (uint8_t)(DW_OP_breg0 + (reg))
#define MADE_CODE(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

enum made_register {
	MADE_RAX = 0,
	MADE_RBX = 3,
	MADE_RBP = 6,
	MADE_RSP = 7,
	MADE_R10 = 10,
	MADE_RA = 16,
};

/* One section of CFI. */
struct made_cfi {
	uint8_t bytes[MADE_CFI_BYTES];
	size_t n;
	uint64_t address;
	bool is_eh;
	size_t cie;   /* where the last CIE begins */
	size_t entry; /* where the open entry begins */
	uint8_t encoding;
};

static inline void made_put(struct made_cfi *cfi, const void *bytes, size_t n)
{
	if (n)
		memcpy(cfi->bytes + cfi->n, bytes, n);
	cfi->n += n;
}

static inline void made_u(struct made_cfi *cfi, uint64_t value, size_t size)
{
	made_put(cfi, &value, size);
}

static inline void made_begin(struct made_cfi *cfi)
{
	cfi->entry = cfi->n;
	made_u(cfi, 0, 4);
}

/* Fills the entry with nops to whole words, and says how long it is. */
static inline void made_end(struct made_cfi *cfi)
{
	uint32_t length;

	while (cfi->n % 8)
		made_u(cfi, DW_CFA_nop, 1);
	length = (uint32_t)(cfi->n - cfi->entry - 4);
	memcpy(cfi->bytes + cfi->entry, &length, sizeof(length));
}

/* A CIE with these instructions; without augmentation where @augmentation is "". */
static inline void made_cie_full(struct made_cfi *cfi, const char *augmentation, const void *data,
				 size_t data_size, uint8_t code_factor, uint8_t column,
				 const uint8_t *code, size_t size)
{
	cfi->cie = cfi->n;
	made_begin(cfi);
	made_u(cfi, cfi->is_eh ? 0 : UINT32_MAX, 4);
	made_u(cfi, cfi->is_eh ? 1 : 3, 1);
	made_put(cfi, augmentation, strlen(augmentation) + 1);
	made_u(cfi, code_factor, 1);
	made_u(cfi, 0x78, 1); /* -8 */
	made_u(cfi, column, 1);
	if (*augmentation == 'z') {
		made_u(cfi, data_size, 1);
		made_put(cfi, data, data_size);
	}
	made_put(cfi, code, size);
	made_end(cfi);
}

/* What compilers begin with: CFA = rsp + 8, the return address just below it. */
static inline void made_cie(struct made_cfi *cfi, uint8_t encoding)
{
	cfi->encoding = encoding;
	made_cie_full(cfi, cfi->is_eh ? "zR" : "", &encoding, 1, 1, MADE_RA,
		      MADE_CODE(DW_CFA_def_cfa, MADE_RSP, 8, DW_CFA_offset | MADE_RA, 1));
}

static inline struct made_cfi *made_cfi_new(bool is_eh)
{
	struct made_cfi *cfi = calloc(1, sizeof(*cfi));

	cfi->is_eh = is_eh;
	cfi->address = MADE_EH_FRAME;
	made_cie(cfi, is_eh ? DW_EH_PE_pcrel | DW_EH_PE_sdata4 : DW_EH_PE_absptr);
	return cfi;
}

static inline size_t made_width(uint8_t encoding)
{
	switch (encoding & 7) {
	case DW_EH_PE_udata2:
		return 2;
	case DW_EH_PE_udata4:
		return 4;
	default:
		return 8;
	}
}

/* An address as the last CIE wants it. */
static inline void made_address(struct made_cfi *cfi, uint64_t address)
{
	if ((cfi->encoding & 0x70) == DW_EH_PE_pcrel)
		address -= cfi->address + cfi->n;
	made_u(cfi, address, made_width(cfi->encoding));
}

static inline void made_fde_begin(struct made_cfi *cfi, uint64_t start, uint64_t size)
{
	made_begin(cfi);
	made_u(cfi, cfi->is_eh ? cfi->n - cfi->cie : cfi->cie, 4);
	made_address(cfi, start);
	made_u(cfi, size, made_width(cfi->encoding));
	if (cfi->is_eh)
		made_u(cfi, 0, 1);
}

static inline void made_fde(struct made_cfi *cfi, uint64_t start, uint64_t size,
			    const uint8_t *code, size_t code_size)
{
	made_fde_begin(cfi, start, size);
	made_put(cfi, code, code_size);
	made_end(cfi);
}

/* A file with code from MADE_TEXT on, and these sections (NULL: without). */
static inline struct made_elf *made_cfi_elf(const struct made_cfi *eh, const struct made_cfi *debug)
{
	struct made_elf *made = made_new();

	made_text(made, ".text", MADE_TEXT, NULL, MADE_TEXT_SIZE);
	if (eh)
		made_section(made, ".eh_frame", SHT_PROGBITS, SHF_ALLOC, eh->address, eh->bytes,
			     eh->n);
	if (debug)
		made_section(made, ".debug_frame", SHT_PROGBITS, 0, 0, debug->bytes, debug->n);
	return made;
}

static inline struct cfi_rows made_elf_rows(struct made_elf *made)
{
	struct elf_file *file;
	struct cfi_rows rows = {.n = 0};

	made_finish(made);
	file = elf_file_open_memory(made->bytes, made->size);
	assert_non_null(file);
	assert_int_equal(cfi_rows_build(file, &rows), 0);
	elf_file_close(file);
	made_free(made);
	return rows;
}

/* The rows of these sections, which are freed. */
static inline struct cfi_rows made_rows(struct made_cfi *eh, struct made_cfi *debug)
{
	struct cfi_rows rows = made_elf_rows(made_cfi_elf(eh, debug));

	free(eh);
	free(debug);
	return rows;
}

/* The rows of one function from MADE_TEXT on of 0x100 bytes, with these instructions. */
static inline struct cfi_rows made_function_rows(const uint8_t *code, size_t size)
{
	struct made_cfi *cfi = made_cfi_new(true);

	made_fde(cfi, MADE_TEXT, 0x100, code, size);
	return made_rows(cfi, NULL);
}

#endif
