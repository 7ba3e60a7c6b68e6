/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"
#include "util/clock.h"

static void expect(const char *name, const char *wanted)
{
	char *got = demangle(name);

	assert_non_null(got);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", name, got, wanted);
	free(got);
}

static void plain_names(void **state)
{
	(void)state;
	expect("", "");
	expect("main", "main");
	expect("_", "_");
	expect("_start", "_start");
	expect("_Z", "_Z");
	expect("_R", "_R");
	expect("_Zebra_stripes", "_Zebra_stripes");
	expect("_Reset", "_Reset");
	/* Single letters are types to a demangler that is asked for them. */
	expect("i", "i");
	expect("main.main", "main.main");
	expect("net/http.(*conn).serve", "net/http.(*conn).serve");
	expect("type:.eq.[2]string", "type:.eq.[2]string");
	expect("core_loop.isra.0", "core_loop.isra.0");
	expect("core_loop.constprop.0.cold", "core_loop.constprop.0.cold");
}

static void cplusplus(void **state)
{
	(void)state;
	expect("_Z3fooi", "foo(int)");
	expect("_ZN3app1S4workERKSt6vectorIiSaIiEE",
	       "app::S::work(std::vector<int, std::allocator<int> > const&)");
	expect("_ZNKSt8functionIFivEEclEv", "std::function<int ()>::operator()() const");
	expect("_ZL6helperv", "helper()");
	expect("_ZTv0_n24_N1AD0Ev", "virtual thunk to A::~A()");
	expect("_GLOBAL__I_main", "global constructors keyed to main");
	expect("_GLOBAL__sub_I_main", "_GLOBAL__sub_I_main");
	expect("_Z3fooi.isra.0", "foo(int) [clone .isra.0]");
	expect("_Z3fooi.constprop.0.cold", "foo(int) [clone .constprop.0] [clone .cold]");
	/* Broken ones stay. */
	expect("_ZN3app", "_ZN3app");
	expect("_ZNSt6vectorIiE99pushEv", "_ZNSt6vectorIiE99pushEv");
}

static void rust(void **state)
{
	(void)state;
	expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
	expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.1234567",
	       "core::fmt::Formatter::pad.llvm.1234567");
	expect("_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE",
	       "<T as core::convert::Into<U>>::into");
	expect("_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE"
	       ".llvm.42",
	       "<T as core::convert::Into<U>>::into.llvm.42");
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	expect("_RNvCs1234_7mycrate3foo.llvm.9", "mycrate::foo.llvm.9");
	expect("_RINvCs1234_7mycrate3maphE", "mycrate::map::<u8>");
	expect("_RNvMs0_NtCs1234_7mycrate4typeNtB5_5Thing3run", "<mycrate::type::Thing>::run");
	expect("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
	       "utf8_idents::\xe1\x83\xa1\xe1\x83\x90\xe1\x83\xad\xe1\x83\x9b\xe1\x83\x94\xe1\x83"
	       "\x9a\xe1\x83\x90\xe1\x83\x93_\xe1\x83\x92\xe1\x83\x94\xe1\x83\x9b\xe1\x83\xa0\xe1"
	       "\x83\x98\xe1\x83\x94\xe1\x83\x9a\xe1\x83\x98_\xe1\x83\xa1\xe1\x83\x90\xe1\x83\x93"
	       "\xe1\x83\x98\xe1\x83\x9a\xe1\x83\x98");
}

static void versions(void **state)
{
	(void)state;
	expect("memcpy@GLIBC_2.2.5", "memcpy");
	expect("memcpy@@GLIBC_2.14", "memcpy");
	expect("_Z3fooi@@LIB_1.0", "foo(int)");
	/* These are none. */
	expect("@GLIBC_2.2.5", "@GLIBC_2.2.5");
	expect("name@", "name@");
	expect("name@@", "name@@");
	expect("a@b/c", "a@b/c");
}

static void lengths(void **state)
{
	char name[8192];
	char *got;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[4095] = '\0';
	expect(name, name);
	name[4095] = 'x';
	name[sizeof(name) - 1] = '\0';
	got = demangle(name);
	assert_int_equal(strlen(got), 4095);
	free(got);
	/* The cut leaves no half of a character: its first byte is the last that would fit. */
	memcpy(name + 4093, "\xe2\x82\xac", 3);
	got = demangle(name);
	assert_int_equal(strlen(got), 4093);
	free(got);
}

/* f(A, B, C, …) where B = X<A, A>, C = X<B, B>: some 2^@n words, of 10 bytes of the name each. */
static void make_bomb(char *name, int n)
{
	strcpy(name, "_Z1f1XIiiE");
	for (int i = 0; i < n; i++) {
		char digit = (char)(i < 10 ? '0' + i : 'A' + i - 10);

		name += strlen(name);
		sprintf(name, "S_IS%c_S%c_E", digit, digit);
	}
}

/* The same of tuples in Rust's. */
static void make_rust_bomb(char *name, int n, const char *inner)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *begin = name;
	size_t before = strlen("INvC1a1b");

	sprintf(name, "_RINvC1a1b%s", inner);
	for (int i = 0; i < n; i++) {
		size_t here = strlen(begin) - 2, back = before - 1;
		char text[4] = {digits[back % 62], '_'};

		if (back >= 62)
			sprintf(text, "%c%c_", digits[back / 62], digits[back % 62]);
		name = begin + strlen(begin);
		sprintf(name, "TB%sB%sE", text, text);
		before = here;
	}
	strcat(begin, "E");
}

/* Names that refer to themselves, and would have more bytes than there is memory: they stay. */
static void bombs(void **state)
{
	uint64_t begin_ns = clock_now_ns();
	char name[1024];

	(void)state;
	make_bomb(name, 2);
	expect(name, "f(X<int, int>, X<X<int, int>, X<int, int> >, "
		     "X<X<X<int, int>, X<int, int> >, X<X<int, int>, X<int, int> > >)");
	make_bomb(name, 34);
	expect(name, name);
	make_rust_bomb(name, 1, "TmmE");
	expect(name, "a::b::<(u32, u32), ((u32, u32), (u32, u32))>");
	make_rust_bomb(name, 60, "TmmE");
	expect(name, name);
	/* With an identifier that libiberty holds memory for. */
	make_rust_bomb(name, 1, "NtC1cu8gdel_5qa");
	expect(name, "a::b::<c::g\xc3\xb6"
		     "del, (c::g\xc3\xb6"
		     "del, c::g\xc3\xb6"
		     "del)>");
	make_rust_bomb(name, 60, "NtC1cu8gdel_5qa");
	expect(name, name);
	assert_true(clock_now_ns() - begin_ns < 5 * NSEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_names), cmocka_unit_test(cplusplus), cmocka_unit_test(rust),
		cmocka_unit_test(versions),    cmocka_unit_test(lengths),   cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
