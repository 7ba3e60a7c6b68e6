/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of real files: libc against dladdr(), this program against its own symbol table, Go, PLT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "symbol/symbols.h"

/* No debug files: what is tested is what is in the files themselves. */
static const struct symbols_options no_debug = {.debug_root = "/nonexistent"};

struct named {
	struct elf_file *file;
	struct symbols *symbols;
};

static struct named open_named(const char *path, const struct symbols_options *options)
{
	struct named named;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		print_message("skip: there is no %s\n", path);
		skip();
	}
	named.file = elf_file_open(fd);
	assert_non_null(named.file);
	named.symbols = symbols_open(named.file, NULL, options);
	assert_non_null(named.symbols);
	return named;
}

static void close_named(struct named *named)
{
	symbols_close(named->symbols);
	elf_file_close(named->file);
}

static const char *name_at(const struct named *named, uint64_t address)
{
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	size_t n = symbols_find(named->symbols, address, frames);

	return n ? frames[n - 1].function : NULL;
}

/* The names at the address are many; the one that was found must lead there too. */
static void compare_with_dladdr(const struct named *named, uintptr_t place, uintptr_t base,
				void *libc, size_t *compared)
{
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	const ElfW(Sym) * symbol;
	Dl_info info, other;
	void *at;

	if (!dladdr1((void *)place, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
	    !info.dli_sname || (uintptr_t)info.dli_fbase != base)
		return;
	if (!symbols_find(named->symbols, place - base, frames))
		fail_msg("%s+%#lx has no name", info.dli_sname, place - (uintptr_t)info.dli_saddr);
	++*compared;
	if (!strcmp(frames[0].function, info.dli_sname))
		return;
	/* Of overlapping ones, and of IFUNCs, which dlsym() calls, both are told apart by address.
	 */
	if (frames[0].address == (uintptr_t)info.dli_saddr - base)
		return;
	at = dlsym(libc, frames[0].function);
	if (at && dladdr(at, &other) && other.dli_saddr >= info.dli_saddr)
		return;
	fail_msg("%#lx: %s instead of %s", place - base, frames[0].function, info.dli_sname);
}

static void libc_against_dladdr(void **state)
{
	static const char *const known[] = {"malloc", "free", "qsort", "fopen", "printf", "getenv"};
	struct named named;
	size_t compared = 0;
	uint64_t low, high;
	Dl_info info;
	void *libc;

	(void)state;
	/* By a symbol of it: &malloc may be a sanitizer's, or a stub in this program. */
	libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	if (!libc || !dladdr(dlsym(libc, "gnu_get_libc_version"), &info)) {
		print_message("skip: this program has no libc.so.6\n");
		skip();
	}
	named = open_named(info.dli_fname, &no_debug);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		uintptr_t address = (uintptr_t)dlsym(libc, known[i]) - (uintptr_t)info.dli_fbase;
		const char *name = name_at(&named, address);

		assert_non_null(name);
		assert_string_equal(name, known[i]);
	}
	assert_true(elf_file_text(named.file, &low, &high));
	for (uint64_t at = low; at < high; at += 61)
		compare_with_dladdr(&named, (uintptr_t)info.dli_fbase + at,
				    (uintptr_t)info.dli_fbase, libc, &compared);
	assert_true(compared > 1000);
	close_named(&named);
	dlclose(libc);
}

__attribute__((noinline)) static int static_function(int x)
{
	__asm__ volatile("");
	return x + 1;
}

static uintptr_t own_base(void)
{
	Dl_info info;

	assert_true(dladdr((void *)(uintptr_t)&open_named, &info));
	return (uintptr_t)info.dli_fbase;
}

static void own_static_function(void **state)
{
	struct named named = open_named("/proc/self/exe", &no_debug);
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	uint64_t address = (uintptr_t)&static_function - own_base();

	(void)state;
	assert_string_equal(symbols_source(named.symbols), "symtab");
	assert_int_equal(static_function(1), 2);
	assert_int_equal(symbols_find(named.symbols, address + 1, frames), 1);
	assert_string_equal(frames[0].function, "static_function");
	assert_int_equal(frames[0].address, address);
	assert_false(frames[0].inlined);
	assert_null(frames[0].source);
	/* Each name is made once. */
	assert_ptr_equal(name_at(&named, address), frames[0].function);
	assert_int_equal(symbols_find(named.symbols, 0, frames), 0);
	assert_int_equal(symbols_find(named.symbols, UINT64_MAX, frames), 0);
	close_named(&named);
}

/* The name at each function's address belongs to a function there. */
static void expect_one_of(const struct named *named, Elf_Data *symbols, size_t n, size_t names,
			  const GElf_Sym *wanted)
{
	const char *found = name_at(named, wanted->st_value);

	if (!found)
		fail_msg("%#lx has no name", wanted->st_value);
	for (size_t i = 0; i < n; i++) {
		GElf_Sym symbol;

		gelf_getsym(symbols, (int)i, &symbol);
		if (symbol.st_value == wanted->st_value &&
		    !strcmp(found, elf_strptr(elf_file_elf(named->file), names, symbol.st_name)))
			return;
	}
	fail_msg("%#lx is not %s", wanted->st_value, found);
}

static void own_symbol_table(void **state)
{
	struct named named = open_named("/proc/self/exe", &no_debug);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t n, checked = 0;
	Elf_Data *symbols;

	(void)state;
	while ((section = elf_nextscn(elf_file_elf(named.file), section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			break;
	assert_non_null(section);
	symbols = elf_getdata(section, NULL);
	n = symbols->d_size / sizeof(Elf64_Sym);
	for (size_t i = 0; i < n; i++) {
		GElf_Sym symbol;
		const char *name;

		gelf_getsym(symbols, (int)i, &symbol);
		name = elf_strptr(elf_file_elf(named.file), header.sh_link, symbol.st_name);
		/* C++ ones of the sanitizers' run-time are not compared. */
		if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
		    strchr(name, '@') || !strncmp(name, "_Z", 2) || !symbol.st_size)
			continue;
		expect_one_of(&named, symbols, n, header.sh_link, &symbol);
		checked++;
	}
	assert_true(checked > 20);
	close_named(&named);
}

/* Where a call of another file goes first. */
static void own_plt(void **state)
{
	struct named named = open_named("/proc/self/exe", &no_debug);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names, found = 0, stubs = 0;

	(void)state;
	if (elf_file_machine(named.file) != EM_X86_64) {
		print_message("skip: stubs are named on x86-64 only\n");
		close_named(&named);
		skip();
	}
	assert_int_equal(elf_getshdrstrndx(elf_file_elf(named.file), &names), 0);
	while ((section = elf_nextscn(elf_file_elf(named.file), section))) {
		gelf_getshdr(section, &header);
		if (strcmp(elf_strptr(elf_file_elf(named.file), names, header.sh_name), ".plt"))
			continue;
		/* The first one is what binds lazily. */
		for (uint64_t at = 16; at < header.sh_size; at += 16) {
			const char *name = name_at(&named, header.sh_addr + at + 3);

			stubs++;
			found += name && strlen(name) > 4 &&
				 !strcmp(name + strlen(name) - 4, "@plt");
		}
	}
	if (!stubs)
		print_message("this program has no .plt\n");
	assert_int_equal(found, stubs);
	close_named(&named);
}

static void vdso(void **state)
{
	const ElfW(Ehdr) *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct named named;
	const char *name;

	(void)state;
	if (!image) {
		print_message("skip: there is no vDSO\n");
		skip();
	}
	named.file = elf_file_open_memory(image, image->e_shoff + (size_t)image->e_shnum *
									  image->e_shentsize);
	assert_non_null(named.file);
	named.symbols = symbols_open(named.file, "[vdso]", &no_debug);
	assert_string_equal(symbols_source(named.symbols), "dynsym");
	for (uint64_t at = 0; at < image->e_shoff; at += 16) {
		name = name_at(&named, at);
		if (name && strstr(name, "clock_gettime"))
			break;
		assert_true(at + 16 < image->e_shoff);
	}
	assert_string_equal(name, "clock_gettime");
	close_named(&named);
}

/* Debian's kubectl has no symbols but Go's own table; it begins where Go's programs begin. */
static void go_stripped(void **state)
{
	struct named named = open_named("/usr/bin/kubectl", &no_debug);
	const char *name;
	GElf_Ehdr header;

	(void)state;
	if (strcmp(symbols_source(named.symbols), "gopclntab") != 0) {
		print_message("skip: kubectl has %s\n", symbols_source(named.symbols));
		close_named(&named);
		skip();
	}
	assert_non_null(gelf_getehdr(elf_file_elf(named.file), &header));
	name = name_at(&named, header.e_entry);
	assert_non_null(name);
	assert_memory_equal(name, "_rt0_", 5);
	assert_true(symbols_count(named.symbols) > 1000);
	close_named(&named);
}

static inline __attribute__((always_inline)) int inlined_inner(int x)
{
	__asm__ volatile("nop" : "+r"(x));
	return x * 3;
}

static inline __attribute__((always_inline)) int inlined_middle(int x)
{
	return inlined_inner(x + 1) + 5;
}

__attribute__((noinline)) static int with_inlined(int x)
{
	return inlined_middle(x);
}

/* All the code of with_inlined(): somewhere in it there are three frames. */
static void inlines(void **state)
{
	struct symbols_options options = {.inlines = true, .debug_root = "/nonexistent"};
	struct named named = open_named("/proc/self/exe", &options);
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	uint64_t address = (uintptr_t)&with_inlined - own_base(), at;
	size_t n = 0;

	(void)state;
	assert_int_equal(with_inlined(1), 11);
	n = symbols_find(named.symbols, address, frames);
	if (n && !frames[n - 1].source) {
		print_message("skip: this program has no DWARF\n");
		close_named(&named);
		skip();
	}
	for (at = address; n != 3; at++) {
		n = symbols_find(named.symbols, at, frames);
		assert_true(n > 0);
		assert_string_equal(frames[n - 1].function, "with_inlined");
		assert_false(frames[n - 1].inlined);
	}
	assert_string_equal(frames[0].function, "inlined_inner");
	assert_string_equal(frames[1].function, "inlined_middle");
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(strstr(frames[i].source, "test_symbols.c"));
		assert_int_equal(frames[i].address, address);
		assert_int_equal(frames[i].inlined, i < 2);
	}
	/* Each line is in the function before the next one. */
	assert_true(frames[0].line < frames[1].line && frames[1].line < frames[2].line);
	close_named(&named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libc_against_dladdr),
		cmocka_unit_test(own_static_function),
		cmocka_unit_test(own_symbol_table),
		cmocka_unit_test(own_plt),
		cmocka_unit_test(vdso),
		cmocka_unit_test(go_stripped),
		cmocka_unit_test(inlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
