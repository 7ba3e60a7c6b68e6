/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/elf_file.h"

#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SEGMENTS 64

struct segment {
	uint64_t offset, address, size;
	bool executable;
};

struct elf_file {
	int fd;      /* -1: in memory */
	char *image; /* NULL: a file */
	Elf *elf;
	GElf_Ehdr header;
	struct elf_build_id build_id;
	size_t n_segments;
	struct segment segments[MAX_SEGMENTS];
};

/* @data: notes, of a segment or of a section. */
static bool take_build_id(struct elf_file *file, Elf_Data *data)
{
	size_t at = 0, next, name, desc;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU")) && note.n_descsz > 0 &&
		    note.n_descsz <= ELF_BUILD_ID_MAX) {
			file->build_id.size = (uint8_t)note.n_descsz;
			memcpy(file->build_id.bytes, (char *)data->d_buf + desc, note.n_descsz);
			return true;
		}
		at = next;
	}
	return false;
}

static void take_segment(struct elf_file *file, const GElf_Phdr *header)
{
	if (header->p_type == PT_LOAD && header->p_filesz && file->n_segments < MAX_SEGMENTS)
		file->segments[file->n_segments++] = (struct segment){
			.offset = header->p_offset,
			.address = header->p_vaddr,
			.size = header->p_filesz,
			.executable = header->p_flags & PF_X,
		};
	if (header->p_type == PT_NOTE && !file->build_id.size)
		take_build_id(file, elf_getdata_rawchunk(file->elf, (int64_t)header->p_offset,
							 header->p_filesz,
							 header->p_align == 8 ? ELF_T_NHDR8
									      : ELF_T_NHDR));
}

static bool is_readable(const struct elf_file *file)
{
	return gelf_getclass(file->elf) == ELFCLASS64 &&
	       file->header.e_ident[EI_DATA] ==
		       (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
}

static struct elf_file *take_headers(struct elf_file *file)
{
	size_t n = 0;

	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
	    !gelf_getehdr(file->elf, &file->header) || !is_readable(file) ||
	    elf_getphdrnum(file->elf, &n)) {
		elf_file_close(file);
		errno = ENOEXEC;
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(file->elf, (int)i, &header))
			take_segment(file, &header);
	}
	return file;
}

struct elf_file *elf_file_open(int fd)
{
	struct elf_file *file = calloc(1, sizeof(*file));

	if (!file) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	elf_version(EV_CURRENT);
	file->fd = fd;
	file->elf = elf_begin(fd, ELF_C_READ, NULL);
	return take_headers(file);
}

struct elf_file *elf_file_open_memory(const void *image, size_t size)
{
	struct elf_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	elf_version(EV_CURRENT);
	file->fd = -1;
	file->image = malloc(size ? size : 1);
	if (!file->image) {
		free(file);
		return NULL;
	}
	memcpy(file->image, image, size);
	file->elf = elf_memory(file->image, size);
	return take_headers(file);
}

void elf_file_close(struct elf_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->image);
	free(file);
}

Elf *elf_file_elf(const struct elf_file *file)
{
	return file->elf;
}

unsigned int elf_file_machine(const struct elf_file *file)
{
	return file->header.e_machine;
}

const struct elf_build_id *elf_file_build_id(const struct elf_file *file)
{
	return &file->build_id;
}

bool elf_file_address(const struct elf_file *file, uint64_t offset, uint64_t *address)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct segment *segment = &file->segments[i];

		if (offset < segment->offset || offset - segment->offset >= segment->size)
			continue;
		*address = segment->address + (offset - segment->offset);
		return true;
	}
	return false;
}

bool elf_file_text(const struct elf_file *file, uint64_t *low, uint64_t *high)
{
	bool found = false;

	for (size_t i = 0; i < file->n_segments; i++) {
		const struct segment *segment = &file->segments[i];

		if (!segment->executable)
			continue;
		if (!found || segment->address < *low)
			*low = segment->address;
		if (!found || segment->address + segment->size > *high)
			*high = segment->address + segment->size;
		found = true;
	}
	return found;
}

Elf_Data *elf_file_section(const struct elf_file *file, const char *name, uint64_t *address)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return NULL;
	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		const char *its_name;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		its_name = elf_strptr(file->elf, names, header.sh_name);
		if (!its_name || strcmp(its_name, name))
			continue;
		if (header.sh_flags & SHF_COMPRESSED && elf_compress(section, 0, 0) < 0)
			return NULL;
		*address = header.sh_addr;
		return elf_getdata(section, NULL);
	}
	return NULL;
}

void elf_build_id_text(const struct elf_build_id *id, char *text)
{
	text[0] = '\0';
	for (uint8_t i = 0; i < id->size; i++)
		snprintf(text + 2 * i, 3, "%02x", id->bytes[i]);
}
