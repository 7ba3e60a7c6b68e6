/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is made of stacks: the files, and the tables in reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <zlib.h>

#include "report/protobuf.h"
#include "sample_flame.h"

/* --- folded -------------------------------------------------------------- */

/* Of the last number of each line, or of the one before it (@column 2). */
static double sum_of_counts(const char *text, int column)
{
	double sum = 0;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		const char *at = end;

		for (int i = 0; i < column; i++)
			while (*--at != ' ')
				assert_true(at > text);
		sum += strtod(at + 1, NULL);
	}
	return sum;
}

static void folded(void **state)
{
	struct record *rec = sample_stacks();
	struct report_options options = {.side = REPORT_SIDE_A};
	double samples = 0;
	char *text;

	(void)state;
	text = made(rec, &report_folded, &options, NULL);
	for (size_t i = 0; i < rec->n_rounds; i += 2)
		samples += (double)rec->rounds[i].profile.oncpu.samples;
	assert_true(sum_of_counts(text, 1) == samples);
	assert_has(text, "\nnginx;[truncated];deflate_stored;fill_window ");
	assert_has(text, ";recv;entry_SYSCALL_64_after_hwframe_[k];do_syscall_64_[k];");
	assert_has(text, ";ngx_http_parse_header_line_[i];ngx_hash_find_[i] ");
	assert_has(text, ";~render /srv/app.js:12_[j];*escapeHTML /srv/app.js:40_[j] ");
	assert_has(text, ";[unknown] (nginx+0x2f31a) ");
	free(text);
	/* Off the CPU: microseconds, and the reason. */
	options.has_kind = true;
	options.kind = PROFILE_OFFCPU;
	text = made(rec, &report_folded, &options, NULL);
	samples = 0;
	for (size_t i = 0; i < rec->n_rounds; i += 2)
		samples += rec->rounds[i].profile.offcpu.exact_seconds;
	assert_true(fabs(sum_of_counts(text, 1) - samples * 1e6) < 10);
	assert_has(text, ";schedule_[k];[futex] ");
	assert_has(text, ";ngx_http_parse_request_line;[run queue] ");
	free(text);
	/* Two columns, microseconds of an average round. */
	options.kind = PROFILE_ONCPU;
	options.side = REPORT_SIDE_DIFF;
	text = made(rec, &report_folded, &options, NULL);
	assert_has(text, ";deflate_slow;longest_match 17");
	samples = 0;
	for (size_t i = 0; i < rec->n_rounds; i += 2)
		samples += rec->rounds[i].profile.oncpu.exact_seconds / 3;
	assert_true(fabs(sum_of_counts(text, 2) - samples * 1e6) < 50);
	free(text);
	record_free(rec);
}

static void folded_planted(void **state)
{
	struct record *rec = planted_stacks("a;b\n" PLANTED);
	struct report_options options = {.side = REPORT_SIDE_A};
	char *text = made(rec, &report_folded, &options, NULL);

	(void)state;
	sample_assert_harmless(text, "\n");
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1); /* one line */
	assert_has(text, "a:b\xef\xbf\xbd<script>");
	free(text);
	record_free(rec);
}

/* --- speedscope ---------------------------------------------------------- */

static void check_speedscope(json_t *profile, size_t n_frames)
{
	json_t *samples = json_object_get(profile, "samples"), *stack, *frame;
	json_t *weights = json_object_get(profile, "weights"), *weight;
	double sum = 0;
	size_t i, j;

	assert_string_equal(json_string_value(json_object_get(profile, "type")), "sampled");
	assert_int_equal(json_array_size(samples), json_array_size(weights));
	json_array_foreach (samples, i, stack)
		json_array_foreach (stack, j, frame)
			assert_true(json_integer_value(frame) >= 0 &&
				    (size_t)json_integer_value(frame) < n_frames);
	json_array_foreach (weights, i, weight)
		sum += json_number_value(weight);
	assert_true(fabs(sum / json_number_value(json_object_get(profile, "endValue")) - 1) < 1e-9);
}

static void speedscope(void **state)
{
	struct record *rec = sample_stacks();
	struct report_options options = {0};
	char *text = made(rec, &report_speedscope, &options, NULL);
	json_t *root = json_loads(text, 0, NULL), *profiles, *profile, *frames;
	size_t i;

	(void)state;
	assert_non_null(root);
	frames = json_object_get(json_object_get(root, "shared"), "frames");
	profiles = json_object_get(root, "profiles");
	assert_int_equal(json_array_size(profiles), 4);
	json_array_foreach (profiles, i, profile)
		check_speedscope(profile, json_array_size(frames));
	assert_string_equal(json_string_value(json_object_get(json_array_get(profiles, 3), "name")),
			    "B curl, off-CPU");
	json_decref(root);
	free(text);
	options.side = REPORT_SIDE_B;
	options.phase = "steady";
	text = made(rec, &report_speedscope, &options, NULL);
	root = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "profiles")), 2);
	json_decref(root);
	free(text);
	record_free(rec);

	rec = planted_stacks(PLANTED);
	options = (struct report_options){0};
	text = made(rec, &report_speedscope, &options, NULL);
	sample_assert_harmless(text, "\n");
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	json_decref(root);
	free(text);
	record_free(rec);
}

/* --- pprof --------------------------------------------------------------- */

static char *decompressed(const char *data, size_t size, size_t *length)
{
	z_stream stream = {.next_in = (unsigned char *)data, .avail_in = (unsigned int)size};
	size_t room = 64 << 20;
	char *text = malloc(room);

	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	stream.next_out = (unsigned char *)text;
	stream.avail_out = (unsigned int)room;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	*length = room - stream.avail_out;
	inflateEnd(&stream);
	return text;
}

static uint64_t get_varint(const unsigned char **at, const unsigned char *end)
{
	uint64_t value = 0;

	for (int shift = 0;; shift += 7) {
		assert_true(*at < end && shift < 64);
		value |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80))
			return value;
	}
}

/* Of each field of the message: how many there are, and the sum of the second value of samples. */
static void count_fields(const char *data, size_t size, size_t counts[16], uint64_t *ns)
{
	const unsigned char *at = (const unsigned char *)data, *end = at + size;

	while (at < end) {
		uint64_t key = get_varint(&at, end), value = get_varint(&at, end);
		const unsigned char *inner = at;

		assert_true(key >> 3 > 0 && key >> 3 < 16);
		counts[key >> 3]++;
		if ((key & 7) == 0)
			continue;
		assert_int_equal(key & 7, 2);
		assert_true(value <= (uint64_t)(end - at));
		at += value;
		while (key >> 3 == 2 && inner < at) { /* a sample */
			uint64_t field = get_varint(&inner, at), n = get_varint(&inner, at);
			const unsigned char *values = inner;

			inner += n;
			if (field >> 3 != 2)
				continue;
			get_varint(&values, inner);
			*ns += get_varint(&values, inner);
		}
	}
}

static void pprof(void **state)
{
	struct record *rec = sample_stacks();
	struct report_options options = {.side = REPORT_SIDE_B};
	size_t size, length, counts[16] = {0}, rows = 0;
	char *data = made(rec, &report_pprof, &options, &size);
	char *plain = decompressed(data, size, &length);
	uint64_t ns = 0;
	double exact = 0;

	(void)state;
	count_fields(plain, length, counts, &ns);
	for (size_t i = 0; i < rec->profile->n_rows; i++)
		rows += rec->profile->rows[i].kind == PROFILE_ONCPU &&
			rec->profile->rows[i].round % 2 == SIDE_B;
	for (size_t i = 1; i < rec->n_rounds; i += 2)
		exact += rec->rounds[i].profile.oncpu.exact_seconds;
	assert_int_equal(counts[1], 2);
	assert_int_equal(counts[2], rows);
	assert_int_equal(counts[3], rec->profile->n_modules);
	assert_int_equal(counts[5], rec->profile->n_frames + 1);
	assert_true(fabs((double)ns / 1e9 - exact) < 1e-6);
	free(plain);
	free(data);
	record_free(rec);

	rec = planted_stacks(PLANTED);
	data = made(rec, &report_pprof, &options, &size);
	plain = decompressed(data, size, &length);
	assert_null(memmem(plain, length, "\x1b[31m", 5));
	assert_null(memchr(plain, 0xff, length));
	free(plain);
	free(data);
	record_free(rec);
}

static void protobuf(void **state)
{
	struct protobuf message = {0}, inner = {0};

	(void)state;
	protobuf_number(&message, 1, 150); /* of the format's own description */
	protobuf_number(&message, 2, 0);
	assert_memory_equal(message.data, "\x08\x96\x01", 3);
	assert_int_equal(message.n, 3);
	protobuf_varint(&inner, UINT64_MAX);
	assert_int_equal(inner.n, 10);
	protobuf_bytes(&inner, 15, NULL, 0);
	assert_int_equal(inner.n, 12);
	protobuf_reset(&message);
	protobuf_message(&message, 3, &inner);
	assert_int_equal(message.n, 14);
	protobuf_clear(&inner);
	protobuf_clear(&message);
}

/* --- files, errors, tables ----------------------------------------------- */

static void assert_files(const struct record *rec, const struct report_format *format,
			 const struct report_options *options, const char *wanted)
{
	struct report_file file;
	char names[512] = "";

	for (size_t i = 0; report_file(format, rec, options, i, &file); i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s", file.name);
	assert_string_equal(names, wanted);
}

static void files(void **state)
{
	struct record *rec = sample_record(1, true);
	struct report_options options = {0};

	(void)state;
	assert_files(rec, &report_svg, &options, "");
	assert_files(rec, &report_speedscope, &options, "");
	assert_files(rec, &report_text, &options, " report.txt");
	assert_files(rec, &report_json, &options, " report.json");
	sample_add_profile(rec, 10);
	assert_files(rec, &report_svg, &options,
		     " flame-A-oncpu.svg flame-B-oncpu.svg flame-diff-oncpu.svg flame-A-offcpu.svg "
		     "flame-B-offcpu.svg flame-diff-offcpu.svg");
	assert_files(rec, &report_folded, &options,
		     " stacks-A-oncpu.folded stacks-B-oncpu.folded stacks-A-offcpu.folded "
		     "stacks-B-offcpu.folded");
	assert_files(rec, &report_pprof, &options,
		     " profile-A-oncpu.pb.gz profile-B-oncpu.pb.gz profile-A-offcpu.pb.gz "
		     "profile-B-offcpu.pb.gz");
	assert_files(rec, &report_speedscope, &options, " profile.speedscope.json");
	options.side = REPORT_SIDE_DIFF;
	options.has_kind = true;
	options.kind = PROFILE_OFFCPU;
	assert_files(rec, &report_svg, &options, " flame-diff-offcpu.svg");
	record_free(rec);
	rec = sample_record(1, false);
	sample_add_profile(rec, 10);
	options = (struct report_options){0};
	assert_files(rec, &report_svg, &options, " flame-A-oncpu.svg flame-A-offcpu.svg");
	record_free(rec);
}

static void assert_fails(const struct record *rec, const struct report_format *format,
			 const struct report_options *options, const char *message)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	assert_int_equal(format->write(rec, options, out, &err), -1);
	fclose(out);
	assert_int_equal(size, 0); /* nothing before the error */
	assert_has(err.text, message);
	free(text);
}

static void errors(void **state)
{
	static const struct report_format *const formats[] = {&report_svg, &report_folded,
							      &report_pprof, &report_speedscope};
	struct report_options options = {0};
	struct record *rec = sample_record(1, false);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_fails(rec, formats[i], &options, "it was made with --profile none");
	sample_add_profile(rec, 10);
	options.side = REPORT_SIDE_B;
	for (size_t i = 0; i < 4; i++)
		assert_fails(rec, formats[i], &options,
			     "there are no on-CPU stacks of side B in this result");
	options.side = REPORT_SIDE_A;
	options.phase = "lunch";
	for (size_t i = 0; i < 4; i++)
		assert_fails(rec, formats[i], &options, "in a phase 'lunch' (phases: steady peak)");
	options = (struct report_options){.side = REPORT_SIDE_DIFF};
	assert_fails(rec, &report_pprof, &options, "pprof makes differences itself");
	assert_fails(rec, &report_speedscope, &options, "speedscope shows no differences");
	assert_fails(rec, &report_svg, &options, "only side A has any: say --side A");
	record_free(rec);
}

static void tables(void **state)
{
	struct record *rec = sample_stacks();
	char *text = sample_report(rec, &report_text, 0, false);

	(void)state;
	assert_has(text, "\nStacks, all rounds\n");
	assert_has(text, "\nCPU time, from samples        30.1 s  27.1 s\n"
			 "CPU time, exact               30.7 s  27.7 s\n");
	assert_has(text, "\non-CPU of A: 94.1 % of samples complete to the thread's start, ");
	assert_has(text,
		   "\non-CPU of A, truncated: 58 rule not held by rows, 30 woken while looked at.");
	assert_has(text, "\nFunctions of A by their own CPU time, average round\n");
	assert_has(text, "\nlongest_match                libz.so.1.2.13  17.0 %    1.74 s          "
			 "only A\n");
	assert_has(text,
		   "\nngx_hash_find                nginx           11.0 %    1.12 s           "
		   "-50 %\n");
	assert_has(text, "\nFunctions of B by CPU time, average round\n");
	assert_has(text, "~: within the noise between rounds.");
	free(text);
	text = sample_report(rec, &report_text, 80, false);
	for (const char *line = strstr(text, "Stacks, all"), *end;
	     (end = strchr(line, '\n')) && strncmp(line, "Processes", 9) != 0; line = end + 1)
		assert_true(end - line <= 90); /* bytes; columns are checked where all tables are */
	free(text);
	text = sample_report(rec, &report_markdown, 0, true);
	assert_has(text, "| longest\\_match | libz.so.1.2.13 | 17.0 % | 1.74 s | only A |");
	free(text);
	record_free(rec);

	rec = sample_record(2, false);
	sample_add_profile(rec, 10);
	text = sample_report(rec, &report_text, 0, false);
	assert_has(text, "\nFunctions by their own CPU time, average round\n");
	assert_null(strstr(text, "B for A's work"));
	free(text);
	record_free(rec);

	rec = planted_stacks(PLANTED);
	text = sample_report(rec, &report_text, 80, false);
	sample_assert_harmless(text, "\n");
	free(text);
	text = sample_report(rec, &report_markdown, 0, false);
	sample_assert_harmless(text, "\n");
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folded),     cmocka_unit_test(folded_planted),
		cmocka_unit_test(speedscope), cmocka_unit_test(pprof),
		cmocka_unit_test(protobuf),   cmocka_unit_test(files),
		cmocka_unit_test(errors),     cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
