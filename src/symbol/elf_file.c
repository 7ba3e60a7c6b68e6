/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/elf_file.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS 64
/* Notes are small: what is larger or more than that only costs time and memory. */
#define MAX_NOTES      16
#define MAX_NOTE_BYTES (64 * 1024)
/* DWARF becomes 2 to 10 times as large: more is made to fill the memory. */
#define MAX_INFLATION     64
#define MAX_SECTION_BYTES (512UL << 20)

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
		    !memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU")) &&
		    note.n_descsz > 0 && note.n_descsz <= ELF_BUILD_ID_MAX) {
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
	uint64_t end;

	if (header->p_type != PT_LOAD || !header->p_filesz || file->n_segments == MAX_SEGMENTS ||
	    __builtin_add_overflow(header->p_offset, header->p_filesz, &end) ||
	    __builtin_add_overflow(header->p_vaddr, header->p_filesz, &end))
		return;
	file->segments[file->n_segments++] = (struct segment){
		.offset = header->p_offset,
		.address = header->p_vaddr,
		.size = header->p_filesz,
		.executable = header->p_flags & PF_X,
	};
}

/* Files with debug information alone have kept program headers that lead elsewhere: sections first.
 */
static void read_build_id(struct elf_file *file, size_t n_headers)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Phdr segment;
	size_t n = 0;

	while (n < MAX_NOTES && (section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE ||
		    header.sh_size > MAX_NOTE_BYTES)
			continue;
		n++;
		if (take_build_id(file, elf_getdata(section, NULL)))
			return;
	}
	for (size_t i = 0; i < n_headers && n < 2 * MAX_NOTES; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &segment) || segment.p_type != PT_NOTE ||
		    segment.p_filesz > MAX_NOTE_BYTES)
			continue;
		n++;
		if (take_build_id(file, elf_getdata_rawchunk(file->elf, (int64_t)segment.p_offset,
							     segment.p_filesz,
							     segment.p_align == 8 ? ELF_T_NHDR8
										  : ELF_T_NHDR)))
			return;
	}
}

static bool is_readable(const struct elf_file *file)
{
	return gelf_getclass(file->elf) == ELFCLASS64 &&
	       file->header.e_ident[EI_DATA] ==
		       (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
}

/*
 * libelf looks for the end of each name that it is asked for: where names do not end, that takes
 * the time of all names for each section, hours for a file made so.
 */
static bool has_sound_names(Elf *elf)
{
	Elf_Scn *section;
	Elf_Data *names;
	GElf_Shdr header;
	size_t index;

	if (elf_getshdrstrndx(elf, &index) || !(section = elf_getscn(elf, index)) ||
	    !gelf_getshdr(section, &header))
		return true;
	if (header.sh_flags & SHF_COMPRESSED)
		return false;
	names = elf_rawdata(section, NULL);
	return !names || !names->d_buf || !names->d_size ||
	       !((char *)names->d_buf)[names->d_size - 1];
}

static struct elf_file *take_headers(struct elf_file *file)
{
	size_t n = 0;

	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
	    !gelf_getehdr(file->elf, &file->header) || !is_readable(file) ||
	    !has_sound_names(file->elf)) {
		elf_file_close(file);
		errno = ENOEXEC;
		return NULL;
	}
	/* Without those, as files with debug information alone may be, sections are all there is.
	 */
	if (elf_getphdrnum(file->elf, &n))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(file->elf, (int)i, &header))
			take_segment(file, &header);
	}
	read_build_id(file, n);
	return file;
}

struct elf_file *elf_file_open(int fd)
{
	struct elf_file *file = calloc(1, sizeof(*file));
	struct stat st;

	if (!file) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	elf_version(EV_CURRENT);
	file->fd = fd;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
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

uint64_t elf_file_entry(const struct elf_file *file)
{
	uint64_t text;

	if (file->header.e_type == ET_DYN && elf_file_section(file, ".text", &text) &&
	    text == file->header.e_entry)
		return 0;
	return file->header.e_entry;
}

unsigned int elf_file_machine(const struct elf_file *file)
{
	return file->header.e_machine;
}

const struct elf_build_id *elf_file_build_id(const struct elf_file *file)
{
	return &file->build_id;
}

static bool holds(const struct segment *segment, uint64_t offset, uint64_t before)
{
	return offset + before >= segment->offset &&
	       (offset < segment->offset || offset - segment->offset < segment->size);
}

/* A segment that holds @offset; with @code one of code, and what is mapped with it before it. */
static const struct segment *segment_of(const struct elf_file *file, uint64_t offset, bool code,
					bool with_page)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	for (size_t i = 0; i < file->n_segments; i++) {
		const struct segment *segment = &file->segments[i];

		if ((segment->executable || !code) &&
		    holds(segment, offset, with_page ? segment->offset & page : 0))
			return segment;
	}
	return NULL;
}

bool elf_file_address(const struct elf_file *file, uint64_t offset, uint64_t *address)
{
	const struct segment *segment = segment_of(file, offset, true, false);

	if (!segment)
		segment = segment_of(file, offset, true, true);
	if (!segment)
		segment = segment_of(file, offset, false, false);
	if (!segment)
		return false;
	*address = segment->address + (offset - segment->offset);
	return true;
}

bool elf_file_is_code(const struct elf_file *file, uint64_t address, uint64_t *end)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct segment *segment = &file->segments[i];

		if (!segment->executable || address < segment->address ||
		    address - segment->address >= segment->size)
			continue;
		*end = segment->address + segment->size;
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

static bool is_inflated(uint64_t size, uint64_t inflated)
{
	return inflated / MAX_INFLATION > size || inflated > MAX_SECTION_BYTES;
}

/* ".zdebug_…": "ZLIB" and the size, big-endian, come before the data. */
static bool decompress_gnu(Elf_Scn *section)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	uint64_t size;

	if (!data || !data->d_buf)
		return false;
	/* It is already, or was named so without need. */
	if (data->d_size < 12 || memcmp(data->d_buf, "ZLIB", 4))
		return true;
	memcpy(&size, (char *)data->d_buf + 4, sizeof(size));
	return !is_inflated(data->d_size, be64toh(size)) && elf_compress_gnu(section, 0, 0) >= 0;
}

static bool decompress(Elf_Scn *section, const GElf_Shdr *header)
{
	GElf_Chdr compressed;

	return gelf_getchdr(section, &compressed) &&
	       !is_inflated(header->sh_size, compressed.ch_size) &&
	       elf_compress(section, 0, 0) >= 0;
}

static Elf_Scn *find_section(const struct elf_file *file, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return NULL;
	while ((section = elf_nextscn(file->elf, section))) {
		const char *its_name;

		if (!gelf_getshdr(section, header) || header->sh_type == SHT_NOBITS ||
		    header->sh_size > MAX_SECTION_BYTES)
			continue;
		its_name = elf_strptr(file->elf, names, header->sh_name);
		if (its_name && !strcmp(its_name, name))
			return section;
	}
	return NULL;
}

Elf_Data *elf_file_section(const struct elf_file *file, const char *name, uint64_t *address)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(file, name, &header);
	char gnu_name[64];

	if (!section && !strncmp(name, ".debug_", 7)) {
		snprintf(gnu_name, sizeof(gnu_name), ".z%s", name + 1);
		section = find_section(file, gnu_name, &header);
		if (section && !decompress_gnu(section))
			return NULL;
	}
	if (!section || (header.sh_flags & SHF_COMPRESSED && !decompress(section, &header)))
		return NULL;
	*address = header.sh_addr;
	return elf_getdata(section, NULL);
}

void elf_build_id_text(const struct elf_build_id *id, char *text)
{
	text[0] = '\0';
	for (uint8_t i = 0; i < id->size; i++)
		snprintf(text + 2 * i, 3, "%02x", id->bytes[i]);
}
