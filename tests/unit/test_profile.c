/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "record/profile_table.h"
#include "sample_report.h"
#include "sample_profile.h"
#include "util/file.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void adding(void **state)
{
	struct profile *profile = profile_new();
	struct profile_frame frame = {.function = (char *)"f", .module = 0, .address = 16};
	struct profile_row row = {.phase = PROFILE_NONE, .node = 0, .samples = 2, .seconds = 0.5};

	(void)state;
	assert_int_equal(profile_add_module(profile, "/bin/a", NULL), 0);
	assert_int_equal(profile_add_module(profile, "/bin/a", "00ff"), 1);
	assert_int_equal(profile_add_module(profile, "/bin/a", NULL), 0);
	assert_int_equal(profile_add_process(profile, "a"), 0);
	assert_int_equal(profile_add_process(profile, "b"), 1);
	assert_int_equal(profile_add_process(profile, "a"), 0);
	assert_int_equal(profile_add_frame(profile, &frame), 0);
	frame.line = 3;
	assert_int_equal(profile_add_frame(profile, &frame), 1);
	frame.line = 0;
	assert_int_equal(profile_add_frame(profile, &frame), 0);
	assert_int_equal(profile_add_node(profile, PROFILE_NONE, 0), 0);
	assert_int_equal(profile_add_node(profile, 0, 1), 1);
	assert_int_equal(profile_add_node(profile, 0, 1), 1);
	assert_int_equal(profile_add_row(profile, &row), 0);
	assert_int_equal(profile_add_row(profile, &row), 0);
	row.end = PROFILE_END_BROKEN;
	assert_int_equal(profile_add_row(profile, &row), 0);
	assert_int_equal(profile->n_rows, 2);
	assert_int_equal(profile->rows[0].samples, 4);
	assert_true(profile->rows[0].seconds == 1);
	assert_int_equal(profile->rows[0].reason, PROFILE_REASON_NONE);
	profile_free(profile);
	profile_free(NULL);
}

static void labels(void **state)
{
	struct profile *profile = profile_new();
	struct profile_frame frame = {.module = PROFILE_NONE, .address = 0x7f00};
	char buf[64], small[8];

	(void)state;
	profile_add_module(profile, "/usr/sbin/nginx", NULL);
	profile_add_module(profile, "[kernel]", NULL);
	profile_add_module(profile, "odd/", NULL);
	profile_add_frame(profile, &frame);
	for (frame.module = 0; frame.module < 3; frame.module++)
		profile_add_frame(profile, &frame);
	frame.function = (char *)"std::vector<int>::push_back(int&&)";
	profile_add_frame(profile, &frame);
	assert_string_equal(profile_frame_label(profile, 0, buf, sizeof(buf)),
			    "[unknown] (0x7f00)");
	assert_string_equal(profile_frame_label(profile, 1, buf, sizeof(buf)),
			    "[unknown] (nginx+0x7f00)");
	assert_string_equal(profile_frame_label(profile, 2, buf, sizeof(buf)),
			    "[unknown] ([kernel]+0x7f00)");
	assert_string_equal(profile_frame_label(profile, 3, buf, sizeof(buf)),
			    "[unknown] (odd/+0x7f00)");
	assert_string_equal(profile_frame_label(profile, 4, small, sizeof(small)), "std::ve");
	profile_free(profile);
}

static struct profile *parse(const char *text)
{
	struct error err;
	struct profile *profile = profile_parse(text, strlen(text), "stacks", &err);

	if (!profile)
		fail_msg("%s", err.text);
	return profile;
}

static void round_trip(void **state)
{
	struct record *rec = sample_record(2, true);
	struct profile *again;
	char *first, *second;
	int64_t node;

	(void)state;
	sample_add_profile(rec, 10);
	first = profile_to_json(rec->profile);
	again = parse(first);
	second = profile_to_json(again);
	assert_string_equal(first, second);
	assert_int_equal(again->n_rows, rec->profile->n_rows);
	for (size_t i = 0; i < again->n_rows; i++) {
		assert_true(fabs(again->rows[i].seconds - rec->profile->rows[i].seconds) < 1e-12);
		again->rows[i].seconds = rec->profile->rows[i].seconds;
		assert_memory_equal(&again->rows[i], &rec->profile->rows[i], sizeof(*again->rows));
	}
	assert_memory_equal(again->nodes, rec->profile->nodes,
			    again->n_nodes * sizeof(*again->nodes));
	assert_true(again->frames[1].address == rec->profile->frames[1].address);
	/* What was read can be added to, and finds what it has. */
	node = profile_add_node(again, again->nodes[3].parent, again->nodes[3].frame);
	assert_int_equal(node, 3);
	assert_int_equal(profile_add_process(again, "nginx"), 0);
	free(first);
	free(second);
	profile_free(again);
	record_free(rec);
}

static void planted(void **state)
{
	struct profile *profile = profile_new(), *again;
	uint32_t frame = sample_frame(profile, PLANTED);
	char *text;

	(void)state;
	profile_add_process(profile, PLANTED);
	profile_add_node(profile, PROFILE_NONE, frame);
	text = profile_to_json(profile);
	sample_assert_harmless(text, "\n");
	again = parse(text);
	assert_string_equal(again->processes[0], "<script>\"'`|\n\x1b[31m\xef\xbf\xbd\xe2\x80\xae");
	free(text);
	profile_free(again);
	profile_free(profile);
}

#define WORDS                                                                                      \
	"\"schema\": \"perfbpf.stacks/1\", \"kinds\": [\"oncpu\", \"offcpu\"], \"frame_kinds\": "  \
	"[\"native\", \"new\"], \"reasons\": [\"\"], \"ends\": [\"complete\"]"
#define MODULES "\"modules\": {\"path\": [\"/a\"], \"build_id\": [null]}"
#define FRAMES                                                                                     \
	"\"frames\": {\"function\": [\"f\"], \"module\": [0], \"address\": [\"0xff\"], "           \
	"\"source\": "                                                                             \
	"[null], \"line\": [0], \"kind\": [0]}"
#define NODES     "\"nodes\": {\"parent\": [null, 0], \"frame\": [0, 0]}"
#define PROCESSES "\"processes\": {\"name\": [\"p\"]}"
#define ROWS(node, samples, seconds)                                                               \
	"\"rows\": {\"round\": [0], \"phase\": [null], \"process\": [0], \"node\": [" node         \
	"], \"kind\": [0], \"reason\": [0], \"end\": [0], \"by_fp\": [1], \"samples\": [" samples  \
	"], \"seconds\": [" seconds "]}"
#define ALL(modules, frames, nodes, rows)                                                          \
	"{" WORDS ", " modules ", " frames ", " nodes ", " PROCESSES ", " rows "}"
#define ROW ROWS("1", "7", "0.5")

static void hostile(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "stacks: byte 0: is no JSON: '{' is missing"},
		{"{}", "stacks: schema: is missing: these are no stacks of perfbpf"},
		{"{\"schema\": \"perfbpf.stacks/2\"}",
		 "stacks: schema: must be \"perfbpf.stacks/1\", not \"perfbpf.stacks/2\"; of a "
		 "later "
		 "one: use a newer perfbpf"},
		{"{" WORDS "}", "stacks: modules.path: is missing"},
		{"{" WORDS ", \"modules\": {\"path\": [\"a\", \"b\"], \"build_id\": [null]}}",
		 "stacks: modules.build_id: has another number of values than the columns before "
		 "it "
		 "(2)"},
		{"{" WORDS ", \"modules\": {\"path\": [], \"build_id\": [null]}}",
		 "stacks: modules.build_id: has another number of values than the columns before "
		 "it "
		 "(0)"},
		{"{" WORDS ", \"modules\": {\"path\": [null]}}",
		 "stacks: modules.path: must be a string (byte 155)"},
		{"{" WORDS ", \"modules\": {\"path\": [\"a\"], \"path\": [\"a\"]}}",
		 "stacks: modules.path: byte 168: is no JSON: is there twice"},
		{ALL(MODULES, FRAMES, "\"nodes\": {\"parent\": [0], \"frame\": [0]}",
		     ROWS("0", "7", "1")),
		 "stacks: nodes.parent[0]: a parent must come before its children"},
		{ALL(MODULES, FRAMES, "\"nodes\": {\"parent\": [null], \"frame\": [1]}", ROW),
		 "stacks: nodes.frame[0]: there is no such element"},
		{ALL(MODULES, FRAMES, "\"nodes\": {\"parent\": [null], \"frame\": [4294967295]}",
		     ROW),
		 "stacks: nodes.frame: must be smaller (byte 341)"},
		{ALL(MODULES, FRAMES, "\"nodes\": {\"parent\": [null], \"frame\": [-1]}", ROW),
		 "stacks: nodes.frame: must be a natural number (byte 332)"},
		{ALL(MODULES, FRAMES, NODES, ROWS("2", "7", "1")),
		 "stacks: rows.node[0]: there is no such element"},
		{ALL(MODULES, FRAMES, NODES, ROWS("1", "9007199254740993", "1")),
		 "stacks: rows.samples: must be smaller (byte 523)"},
		{ALL(MODULES, FRAMES, NODES, ROWS("1", "1", "-1")),
		 "stacks: rows.seconds: must be 0 to 1e12 seconds (byte 526)"},
		{ALL(MODULES, FRAMES, NODES, ROWS("1", "1", "1e999")),
		 "stacks: rows.seconds: must be a number (byte 524)"},
		{ALL(MODULES,
		     "\"frames\": {\"function\": [\"f\"], \"module\": [0], \"address\": "
		     "[\"0xff\"], "
		     "\"source\": [null], \"line\": [0], \"kind\": [1]}",
		     NODES, ROW),
		 "stacks: frames.kind[0]: stands for no word that this program knows"},
		{ALL(MODULES,
		     "\"frames\": {\"function\": [\"f\"], \"module\": [0], \"address\": "
		     "[\"-0xff\"], "
		     "\"source\": [null], \"line\": [0], \"kind\": [0]}",
		     NODES, ROW),
		 "stacks: frames.address: must be an address as \"0x1f\" (byte 247)"},
		{ALL(MODULES, FRAMES, NODES, ROW) " x",
		 "stacks: byte 531: is no JSON: more after its "
		 "end"},
		{"{" WORDS ", \"x\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		 "stacks: x: byte 171: is no JSON: too many brackets in brackets"},
		{"{\"schema\": \"\\u0000\"}",
		 "stacks: schema: byte 14: is no JSON: a string holds a NUL"},
		{"{\"schema\": \"\\ud800\"}",
		 "stacks: schema: byte 18: is no JSON: half of a pair of surrogates"},
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile *profile =
			profile_parse(cases[i].text, strlen(cases[i].text), "stacks", &err);

		if (profile)
			fail_msg("was read: %s", cases[i].text);
		assert_string_equal(err.text, cases[i].message);
	}
	profile_free(parse(ALL(MODULES, FRAMES, NODES, ROW)));
}

/* Another program may order its words otherwise, and know keys of its own. */
static void other_words(void **state)
{
	static const char text[] =
		"{\"schema\": \"perfbpf.stacks/1\", \"more\": {\"x\": [1, -2.5e3, true, \"\\n\"]}, "
		"\"kinds\": [\"?\", \"offcpu\"], \"frame_kinds\": [\"x\", \"jit\"], \"reasons\": "
		"[\"\", \"disk\"], \"ends\": [\"broken\"], \"modules\": {\"path\": []}, "
		"\"frames\": "
		"{\"function\": [\"\\u00e9\\ud83d\\ude00\"], \"address\": "
		"[\"0xffffffff81000000\"], "
		"\"line\": [0], \"kind\": [1]}, \"nodes\": {\"frame\": [0]}, \"processes\": "
		"{\"name\": [\"\"]}, \"rows\": {\"round\": [3], \"process\": [0], \"node\": [0], "
		"\"kind\": [1], \"reason\": [1], \"end\": [0], \"by_fp\": [0], \"samples\": [1], "
		"\"seconds\": [1e-3], \"more\": []}}";
	struct profile *profile = parse(text);

	(void)state;
	assert_int_equal(profile->frames[0].kind, PROFILE_FRAME_JIT);
	assert_string_equal(profile->frames[0].function, "\xc3\xa9\xf0\x9f\x98\x80");
	assert_true(profile->frames[0].address == 0xffffffff81000000ULL);
	assert_int_equal(profile->frames[0].module, PROFILE_NONE);
	assert_int_equal(profile->nodes[0].parent, PROFILE_NONE);
	assert_int_equal(profile->rows[0].kind, PROFILE_OFFCPU);
	assert_string_equal(profile_reasons[profile->rows[0].reason], "disk");
	assert_int_equal(profile->rows[0].end, PROFILE_END_BROKEN);
	assert_int_equal(profile->rows[0].phase, PROFILE_NONE);
	profile_free(profile);
}

static void deep(void **state)
{
	struct profile *profile = profile_new(), *again;
	int64_t node = PROFILE_NONE;
	struct error err;
	char *text;

	(void)state;
	for (size_t i = 0; i < PROFILE_MAX_DEPTH; i++)
		node = profile_add_node(profile, (uint32_t)node, sample_frame(profile, "f"));
	text = profile_to_json(profile);
	profile_free(parse(text));
	free(text);
	profile_add_node(profile, (uint32_t)node, 0);
	text = profile_to_json(profile);
	again = profile_parse(text, strlen(text), "stacks", &err);
	assert_null(again);
	assert_string_equal(err.text, "stacks: nodes.parent[8192]: the stack has over 8192 frames");
	free(text);
	profile_free(profile);
}

static const char *scratch(void)
{
	static char dir[64];

	snprintf(dir, sizeof(dir), "/tmp/perfbpf-profile-%d", getpid());
	dir_remove(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	return dir;
}

static void spoil(const char *path, off_t size, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	close(fd);
}

/* A folder: both files, stacks that are broken, stacks of another run, none. */
static void folder(void **state)
{
	struct record *rec = sample_record(2, true), *again;
	const char *dir = scratch();
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	char path[128], wanted[256];
	struct error err;

	(void)state;
	sample_add_profile(rec, 10);
	snprintf(path, sizeof(path), "%s/stacks.json.gz", dir);
	assert_int_equal(record_write(rec, fd, dir, &err), 0);
	assert_int_equal(profile_write(rec->profile, fd, dir, &err), 0);
	again = record_read(dir, &err);
	assert_non_null(again);
	assert_non_null(again->profile);
	assert_int_equal(again->profile->n_rows, rec->profile->n_rows);
	assert_true(again->rounds[1].has_profile && again->rounds[1].profile.has_offcpu);
	assert_string_equal(again->rounds[1].profile.oncpu.event, "cpu-clock");
	assert_int_equal(again->rounds[1].profile.oncpu.samples,
			 rec->rounds[1].profile.oncpu.samples);
	record_free(again);

	rec->profile->rows[5].round = 4;
	assert_int_equal(profile_write(rec->profile, fd, dir, &err), 0);
	assert_null(record_read(dir, &err));
	snprintf(wanted, sizeof(wanted),
		 "%s: rows.round[5]: run.json beside it has no such round: they are of different "
		 "runs",
		 path);
	assert_string_equal(err.text, wanted);
	rec->profile->rows[5].round = 0;
	rec->profile->rows[5].phase = 9;
	assert_int_equal(profile_write(rec->profile, fd, dir, &err), 0);
	assert_null(record_read(dir, &err));
	assert_non_null(strstr(err.text, "has no such phase"));

	spoil(path, 300, "");
	assert_null(record_read(dir, &err));
	snprintf(wanted, sizeof(wanted), "%s: is cut short", path);
	assert_string_equal(err.text, wanted);
	spoil(path, 300, "\x1f\x8b\x08xxxxxxxxxxxxxxxxxxxxxxxx");
	assert_null(record_read(dir, &err));
	assert_non_null(strstr(err.text, "stacks.json.gz: cannot be decompressed: "));
	spoil(path, 0, "nonsense");
	assert_null(record_read(dir, &err));
	assert_non_null(strstr(err.text, "stacks.json.gz: byte 0: is no JSON"));
	unlink(path);
	again = record_read(dir, &err);
	assert_non_null(again);
	assert_null(again->profile);
	record_free(again);
	record_free(rec);
	close(fd);
	dir_remove(dir);
}

/* 100,000 stacks are written and read in well under a second each; the bound leaves room for the
 * sanitizers. */
static void many(void **state)
{
	struct record *rec = sample_record(1, true);
	const char *dir = scratch();
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	double added, wrote, read, began = now();
	struct profile *again;
	struct error err;
	struct stat st;
	char path[128];

	(void)state;
	sample_add_many(rec, 100000);
	added = now();
	assert_int_equal(rec->profile->n_rows, 100000);
	assert_int_equal(profile_write(rec->profile, fd, dir, &err), 0);
	wrote = now();
	snprintf(path, sizeof(path), "%s/stacks.json.gz", dir);
	again = profile_read(path, &err);
	read = now();
	assert_non_null(again);
	assert_int_equal(again->n_nodes, rec->profile->n_nodes);
	assert_int_equal(stat(path, &st), 0);
	print_message("%zu nodes: added in %.2f s, written in %.2f s, read in %.2f s, %.1f MB\n",
		      again->n_nodes, added - began, wrote - added, read - wrote,
		      (double)st.st_size / 1e6);
	assert_true(wrote - added < 8 && read - wrote < 8 && st.st_size < 8000000);
	profile_free(again);
	record_free(rec);
	close(fd);
	dir_remove(dir);
}

/* Every key of the file is in its document. */
static void documented(void **state)
{
	const char *root = getenv("PERFBPF_SOURCE_DIR");
	char path[4096], *text, key[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/stacks-json.md", root ? root : ".");
	text = file_read(path, 1 << 20, NULL);
	assert_non_null(text);
	for (size_t i = 0; i < PROFILE_TABLES; i++)
		for (size_t j = 0; j < profile_tables[i].n_columns; j++) {
			snprintf(key, sizeof(key), "| `%s.%s[]` |", profile_tables[i].key,
				 profile_tables[i].columns[j].key);
			if (!strstr(text, key))
				fail_msg("docs/stacks-json.md has no %s", key);
		}
	for (int words = 0; words < PROFILE_WORDS; words++) {
		snprintf(key, sizeof(key), "| `%s[]` |",
			 profile_words_key((enum profile_words)words));
		assert_non_null(strstr(text, key));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adding),     cmocka_unit_test(labels),
		cmocka_unit_test(round_trip), cmocka_unit_test(planted),
		cmocka_unit_test(hostile),    cmocka_unit_test(other_words),
		cmocka_unit_test(deep),       cmocka_unit_test(folder),
		cmocka_unit_test(many),       cmocka_unit_test(documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
