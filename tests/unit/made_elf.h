/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ELF files as tests want them, sound or broken, put together byte by byte. */
#ifndef PERFBPF_TESTS_UNIT_MADE_ELF_H
#define PERFBPF_TESTS_UNIT_MADE_ELF_H

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MADE_SECTIONS 24
#define MADE_BYTES    (4U << 20)

struct made_elf {
	size_t n, size; /* sections (the first is the empty one), bytes */
	Elf64_Shdr headers[MADE_SECTIONS];
	size_t n_names;
	char names[512];
	size_t n_strings, n_symbols;
	char strings[4096];
	Elf64_Sym symbols[64];
	uint8_t *bytes;
};

static inline struct made_elf *made_new(void)
{
	struct made_elf *made = calloc(1, sizeof(*made));

	made->bytes = calloc(1, MADE_BYTES);
	made->size = sizeof(Elf64_Ehdr);
	made->n = made->n_names = made->n_strings = made->n_symbols = 1;
	return made;
}

static inline void made_free(struct made_elf *made)
{
	free(made->bytes);
	free(made);
}

/* Appends @bytes (NULL: zeros) as a section and returns its number. */
static inline size_t made_section(struct made_elf *made, const char *name, uint32_t type,
				  uint64_t flags, uint64_t address, const void *bytes, size_t size)
{
	Elf64_Shdr *header = &made->headers[made->n];

	*header = (Elf64_Shdr){
		.sh_name = (uint32_t)made->n_names,
		.sh_type = type,
		.sh_flags = flags,
		.sh_addr = address,
		.sh_offset = made->size,
		.sh_size = size,
		.sh_addralign = 8,
	};
	strcpy(made->names + made->n_names, name);
	made->n_names += strlen(name) + 1;
	if (bytes)
		memcpy(made->bytes + made->size, bytes, size);
	made->size += (size + 7) & ~(size_t)7;
	return made->n++;
}

/* Code of @size bytes at @address. */
static inline size_t made_text(struct made_elf *made, const char *name, uint64_t address,
			       const void *bytes, size_t size)
{
	return made_section(made, name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, address, bytes,
			    size);
}

/* A symbol of the next table; returns its number. */
static inline size_t made_symbol(struct made_elf *made, const char *name, uint64_t address,
				 uint64_t size, unsigned int type, unsigned int bind,
				 size_t section)
{
	made->symbols[made->n_symbols] = (Elf64_Sym){
		.st_name = (uint32_t)made->n_strings,
		.st_info = (unsigned char)ELF64_ST_INFO(bind, type),
		.st_shndx = (uint16_t)section,
		.st_value = address,
		.st_size = size,
	};
	strcpy(made->strings + made->n_strings, name);
	made->n_strings += strlen(name) + 1;
	return made->n_symbols++;
}

/* The symbols since the last one as a table of @type (SHT_SYMTAB, SHT_DYNSYM), with its strings;
 * returns its number. */
static inline size_t made_table(struct made_elf *made, const char *name, uint32_t type)
{
	size_t table = made_section(made, name, type, 0, 0, made->symbols,
				    made->n_symbols * sizeof(*made->symbols));

	made->headers[table].sh_entsize = sizeof(*made->symbols);
	made->headers[table].sh_link =
		(uint32_t)made_section(made, type == SHT_DYNSYM ? ".dynstr" : ".strtab", SHT_STRTAB,
				       0, 0, made->strings, made->n_strings);
	made->n_symbols = made->n_strings = 1;
	return table;
}

/* Segments for code and notes, the names of sections and their headers: then
 * bytes[0..size) are the file. */
static inline void made_finish(struct made_elf *made)
{
	size_t names = made_section(made, ".shstrtab", SHT_STRTAB, 0, 0, NULL, 0);
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (uint16_t)made->n,
		.e_shstrndx = (uint16_t)names,
	};

	memcpy(made->bytes + made->size, made->names, made->n_names);
	made->headers[names].sh_size = made->n_names;
	made->size += (made->n_names + 7) & ~(size_t)7;
	header.e_shoff = made->size;
	memcpy(made->bytes + made->size, made->headers, made->n * sizeof(*made->headers));
	made->size += made->n * sizeof(*made->headers);
	header.e_phoff = made->size;
	for (size_t i = 1; i < made->n; i++) {
		Elf64_Phdr segment = {.p_type = PT_LOAD,
				      .p_flags = PF_R | PF_X,
				      .p_offset = made->headers[i].sh_offset,
				      .p_vaddr = made->headers[i].sh_addr,
				      .p_filesz = made->headers[i].sh_size,
				      .p_memsz = made->headers[i].sh_size};

		if (made->headers[i].sh_type == SHT_NOTE) {
			segment.p_type = PT_NOTE;
			segment.p_align = 4;
		} else if (!(made->headers[i].sh_flags & SHF_EXECINSTR)) {
			continue;
		}
		memcpy(made->bytes + made->size, &segment, sizeof(segment));
		made->size += sizeof(segment);
		header.e_phnum++;
	}
	memcpy(made->bytes, &header, sizeof(header));
}

/* A build id of @size bytes that all are @byte. */
static inline void made_build_id(struct made_elf *made, uint8_t byte, size_t size)
{
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t bytes[32];
	} note = {{4, (Elf64_Word)size, NT_GNU_BUILD_ID}, "GNU", {0}};

	memset(note.bytes, byte, size);
	made_section(made, ".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0x200, &note,
		     sizeof(note.header) + 4 + ((size + 3) & ~(size_t)3));
}

#endif
