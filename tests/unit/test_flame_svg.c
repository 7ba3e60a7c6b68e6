/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flame graphs as files: well-formed, harmless, of bounded size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "sample_flame.h"

struct xml {
	size_t elements, depth;
	char open[32][16];
};

/* The name of the tag at @at, after "<" or "</". */
static size_t tag_name(const char *at, char name[16])
{
	size_t n = strcspn(at, " \t\n/>");

	assert_true(n > 0 && n < 16);
	memcpy(name, at, n);
	name[n] = '\0';
	return n;
}

/* Over the attributes up to '>'; true where the tag closes itself. */
static bool tag_rest(const char **at)
{
	for (;;) {
		*at += strspn(*at, " \n");
		if (!strncmp(*at, "/>", 2) || **at == '>')
			break;
		*at += strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-:");
		assert_true((*at)[0] == '=' && (*at)[1] == '"');
		*at += 2;
		*at += strcspn(*at, "\"<");
		assert_int_equal(**at, '"');
		++*at;
	}
	*at += **at == '/';
	++*at;
	return (*at)[-2] == '/';
}

static void check_entity(const char *at)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(at, known[i], strlen(known[i])))
			return;
	fail_msg("a bare & before \"%.20s\"", at);
}

/* Is it well-formed? As much of XML as these files have. */
static struct xml check_xml(const char *at)
{
	struct xml xml = {0};
	char name[16];

	assert_true(!strncmp(at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 39));
	at += 39;
	for (; *at; at++) {
		if (!strncmp(at, "<![CDATA[", 9)) {
			at = strstr(at, "]]>");
			assert_non_null(at);
			at += 2;
		} else if (!strncmp(at, "</", 2)) {
			tag_name(at + 2, name);
			assert_true(xml.depth > 0);
			assert_string_equal(name, xml.open[--xml.depth]);
			at = strchr(at, '>');
		} else if (*at == '<') {
			at += 1 + tag_name(at + 1, xml.open[xml.depth]);
			xml.elements++;
			if (!tag_rest(&at))
				xml.depth++;
			assert_true(xml.depth < 32);
			at--;
		} else if (*at == '&') {
			check_entity(at);
		}
	}
	assert_int_equal(xml.depth, 0);
	return xml;
}

static void assert_svg_harmless(const char *text)
{
	sample_assert_harmless(text, "\n");
	assert_null(strstr(text, "<script>\"")); /* the planted one */
	/* Nothing is fetched: no address but the names of XML. */
	for (const char *at = text; (at = strstr(at, "http")); at++)
		if (at[4] == ':' || at[4] == 's')
			assert_true(!strncmp(at, "http://www.w3.org/", 18));
	assert_null(strstr(text, "url("));
	assert_null(strstr(text, "@import"));
	assert_null(strstr(text, "href"));
}

static void svg(void **state)
{
	struct record *rec = sample_stacks();
	struct report_options options = {.side = REPORT_SIDE_A};
	char *text = made(rec, &report_svg, &options, NULL);

	(void)state;
	assert_true(check_xml(text).elements > 200);
	assert_svg_harmless(text);
	assert_has(text, "<title>on-CPU: kubectl (A)</title>");
	assert_has(text, "scenario basic; 3 rounds; width: CPU time of an average round, by the "
			 "scheduler&#39;s exact account");
	assert_has(text,
		   "<title>longest_match\nnative, /lib/x86_64-linux-gnu/libz.so.1.2.13\n1.74 s "
		   "(17.0 %), 507 samples; between rounds \xc2\xb1 ");
	assert_has(text, ">94.1 % of samples complete to the thread&#39;s start, ");
	assert_has(text, "<g class=\"k\">");
	assert_has(text, "<g class=\"i\">");
	assert_has(text, "<g class=\"j\">");
	assert_null(strstr(text, "are not drawn"));
	free(text);
	options.phase = "peak";
	text = made(rec, &report_svg, &options, NULL);
	assert_has(text, "scenario basic, phase peak; 3 rounds");
	free(text);
	record_free(rec);
}

static void svg_difference(void **state)
{
	struct record *rec = sample_stacks();
	struct report_options options = {.side = REPORT_SIDE_DIFF};
	char *text = made(rec, &report_svg, &options, NULL);

	(void)state;
	check_xml(text);
	assert_svg_harmless(text);
	assert_has(text, "<title>on-CPU: kubectl (A) against curl (B), at equal work</title>");
	assert_has(text, "B&#39;s time is scaled to A&#39;s work of a round (A 140,000 lines, B "
			 "140,000)");
	assert_has(text, "<g class=\"b4\" data-a=\"1.74");
	assert_has(text, " data-b=\"0\"><title>longest_match\n");
	assert_has(text, "change: -1.74 s, only in A, beyond the noise");
	assert_has(text, "only in B, beyond the noise");
	assert_has(text, "within the noise</title>");
	assert_has(text, ">A: 94.1 % of samples");
	assert_has(text, ">B: 93.3 % of samples");
	free(text);
	record_free(rec);
}

static void svg_planted(void **state)
{
	struct record *rec = planted_stacks(PLANTED "]]>\xef\xbf\xbf&amp;");

	(void)state;
	for (int side = REPORT_SIDE_A; side <= REPORT_SIDE_DIFF; side++) {
		struct report_options options = {.side = (enum report_side)side};
		char *text = made(rec, &report_svg, &options, NULL);

		check_xml(text);
		assert_svg_harmless(text);
		assert_null(strstr(text, "\xef\xbf\xbf"));
		assert_has(text, "&lt;script&gt;&quot;&#39;`|\xef\xbf\xbd");
		free(text);
	}
	record_free(rec);
}

/* 100,000 stacks are at most 5 MB, whatever their names, and what is left out is said. */
static void svg_large(void **state)
{
	struct record *rec = sample_record(1, true);
	struct report_options options = {.side = REPORT_SIDE_DIFF};
	size_t size;
	char *text;

	(void)state;
	sample_add_many(rec, 100000);
	text = made(rec, &report_svg, &options, &size);
	print_message("difference of 100,000 stacks: %.1f MB\n", (double)size / 1e6);
	assert_true(size < 5000000);
	assert_true(check_xml(text).elements > 5000);
	assert_has(text, " frames narrower than ");
	free(text);
	/* All as wide as can be: many that are drawn, with long names. */
	for (size_t i = 0; i < rec->profile->n_frames; i++) {
		char *longer = malloc(601);

		snprintf(longer, 601, "%0600zu", i);
		free(rec->profile->frames[i].function);
		rec->profile->frames[i].function = longer;
	}
	text = made(rec, &report_svg, &options, &size);
	print_message("with names of 600 bytes: %.1f MB\n", (double)size / 1e6);
	assert_true(size < 5000000);
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svg),
		cmocka_unit_test(svg_difference),
		cmocka_unit_test(svg_planted),
		cmocka_unit_test(svg_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
