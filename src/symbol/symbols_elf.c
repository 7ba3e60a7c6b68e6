/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "symbol/symbols_read.h"

/* A sparse file costs nothing and claims all. */
#define MAX_SECTION_BYTES (512U << 20)

static bool take_section(Elf_Scn *section, const GElf_Shdr *header, struct section *out)
{
	Elf_Data *data;

	if (header->sh_type == SHT_NOBITS || header->sh_flags & SHF_COMPRESSED ||
	    header->sh_size > MAX_SECTION_BYTES)
		return false;
	data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return false;
	*out = (struct section){.header = *header, .bytes = data->d_buf, .size = data->d_size};
	return true;
}

bool section_by_name(struct elf_file *file, const char *name, struct section *out)
{
	Elf *elf = elf_file_elf(file);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *its_name;

		if (!gelf_getshdr(section, &header))
			continue;
		its_name = elf_strptr(elf, names, header.sh_name);
		if (its_name && !strcmp(its_name, name))
			return take_section(section, &header, out);
	}
	return false;
}

bool section_by_type(struct elf_file *file, GElf_Word type, struct section *out)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf_file_elf(file), section)))
		if (gelf_getshdr(section, &header) && header.sh_type == type)
			return take_section(section, &header, out);
	return false;
}

bool section_linked(struct elf_file *file, const GElf_Shdr *header, GElf_Word type,
		    struct section *out)
{
	Elf_Scn *section = elf_getscn(elf_file_elf(file), header->sh_link);
	GElf_Shdr its_header;

	return section && gelf_getshdr(section, &its_header) && its_header.sh_type == type &&
	       take_section(section, &its_header, out);
}

struct strings strings_of(const uint8_t *bytes, size_t size)
{
	const uint8_t *last = size ? memrchr(bytes, 0, size) : NULL;

	return (struct strings){(const char *)bytes, last ? (size_t)(last - bytes) + 1 : 0};
}

const char *string_at(const struct strings *strings, uint64_t offset)
{
	return offset < strings->size ? strings->text + offset : NULL;
}

static bool is_function(const Elf64_Sym *symbol)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF &&
	       (symbol->st_shndx < SHN_LORESERVE || symbol->st_shndx == SHN_XINDEX) &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static uint32_t flags_of(const Elf64_Sym *symbol)
{
	uint32_t flags = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL ? 0 : SYMBOL_GLOBAL;

	if (ELF64_ST_TYPE(symbol->st_info) == STT_NOTYPE)
		flags |= SYMBOL_LABEL;
	return flags;
}

int symbols_read_elf(struct symbol_table *table, struct elf_file *file, GElf_Word type)
{
	struct section symbols, text;
	struct strings names;

	if (!section_by_type(file, type, &symbols) ||
	    symbols.header.sh_entsize != sizeof(Elf64_Sym) ||
	    !section_linked(file, &symbols.header, SHT_STRTAB, &text))
		return 0;
	names = strings_of(text.bytes, text.size);
	for (size_t at = 0; symbols.size - at >= sizeof(Elf64_Sym); at += sizeof(Elf64_Sym)) {
		Elf64_Sym symbol;
		const char *name;
		int rc;

		memcpy(&symbol, symbols.bytes + at, sizeof(symbol));
		name = string_at(&names, symbol.st_name);
		if (!name || !is_function(&symbol))
			continue;
		rc = symbol_table_add(table, &(struct symbol){
						     .address = symbol.st_value,
						     .name = name,
						     .size = symbol.st_size < UINT32_MAX
								     ? (uint32_t)symbol.st_size
								     : UINT32_MAX,
						     .flags = flags_of(&symbol),
					     });
		if (rc)
			return rc;
	}
	return 0;
}
