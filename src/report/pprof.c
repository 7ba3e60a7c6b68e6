/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A profile for `go tool pprof` and what else reads its profile.proto (perftools.profiles.Profile),
 * compressed with gzip. All rounds of a side are in it, told apart by labels; times are scaled to
 * the scheduler's exact account.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "report/flame_values.h"
#include "report/flame_view.h"
#include "report/protobuf.h"
#include "util/hash_index.h"
#include "util/utf8.h"

#define NS_PER_SECOND 1e9
#define GZIP_WBITS    (15 + 16)

/* Numbers of fields in profile.proto. */
enum {
	PPROF_SAMPLE_TYPE = 1,
	PPROF_SAMPLE = 2,
	PPROF_MAPPING = 3,
	PPROF_LOCATION = 4,
	PPROF_FUNCTION = 5,
	PPROF_STRING = 6,
	PPROF_TIME_NANOS = 9,
	PPROF_DURATION_NANOS = 10,
	PPROF_PERIOD_TYPE = 11,
	PPROF_PERIOD = 12,
	PPROF_COMMENT = 13,
	PPROF_DEFAULT_TYPE = 14,
	TYPE_NAME = 1,
	TYPE_UNIT = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	LABEL_KEY = 1,
	LABEL_TEXT = 2,
	LABEL_NUMBER = 3,
	MAPPING_ID = 1,
	MAPPING_LIMIT = 3,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,
	MAPPING_HAS_FILES = 8,
	MAPPING_HAS_LINES = 9,
	MAPPING_HAS_INLINES = 10,
	LOCATION_ID = 1,
	LOCATION_MAPPING = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
	LINE_FUNCTION = 1,
	LINE_NUMBER = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_FILE = 4,
};

/* Inlined frames and the one that holds their code are one location: a chain of frames. */
struct chain {
	uint32_t frame; /* n_frames of the profile: the mark of a truncated stack */
	uint32_t outer; /* the rest of the chain; HASH_INDEX_NONE: this frame holds the code */
	bool is_written;
};

struct encoder {
	const struct flame *flame;
	const struct profile *profile;
	struct protobuf out, message, inner, packed;
	struct hash_index strings, by_chain;
	size_t n_strings, strings_room, n_chains, chains_room;
	const char **texts; /* by number; borrowed */
	struct chain *chains;
	bool failed;
};

/* Room for one more of @n; false without memory, which is remembered. */
static bool make_room(struct encoder *encoder, void **list, size_t n, size_t *room, size_t size)
{
	size_t larger = *room ? 2 * *room : 64;
	void *longer;

	if (n < *room)
		return true;
	longer = reallocarray(*list, larger, size);
	if (!longer) {
		encoder->failed = true;
		return false;
	}
	*list = longer;
	*room = larger;
	return true;
}

static bool same_text(const void *table, uint32_t at, const void *key)
{
	return !strcmp(((const char *const *)table)[at], key);
}

/* pprof refuses what is no UTF-8, and prints the rest as it is. */
static void write_string(struct encoder *encoder, const char *text)
{
	struct protobuf *clean = &encoder->inner;
	size_t length;
	uint32_t code;

	protobuf_reset(clean);
	for (; *text; text += length) {
		length = utf8_decode(text, &code);
		if (length && !utf8_is_control(code))
			protobuf_raw(clean, text, length);
		else
			protobuf_raw(clean, UTF8_REPLACEMENT, strlen(UTF8_REPLACEMENT));
		length = length ? length : 1;
	}
	protobuf_message(&encoder->out, PPROF_STRING, clean);
}

/* The number of @text, which lives as long as the encoder. Uses encoder->inner. */
static uint64_t string_of(struct encoder *encoder, const char *text)
{
	uint32_t hash, at;

	text = text ? text : "";
	hash = hash_string(text);
	at = hash_index_find(&encoder->strings, hash, same_text, encoder->texts, text);
	if (at != HASH_INDEX_NONE)
		return at;
	if (!make_room(encoder, (void **)&encoder->texts, encoder->n_strings,
		       &encoder->strings_room, sizeof(*encoder->texts)) ||
	    hash_index_add(&encoder->strings, hash, (uint32_t)encoder->n_strings)) {
		encoder->failed = true;
		return 0;
	}
	encoder->texts[encoder->n_strings] = text;
	write_string(encoder, text);
	return encoder->n_strings++;
}

static void write_type(struct encoder *encoder, unsigned int field, const char *name,
		       const char *unit)
{
	uint64_t name_string = string_of(encoder, name), unit_string = string_of(encoder, unit);

	protobuf_reset(&encoder->message);
	protobuf_number(&encoder->message, TYPE_NAME, name_string);
	protobuf_number(&encoder->message, TYPE_UNIT, unit_string);
	protobuf_message(&encoder->out, field, &encoder->message);
}

/* Addresses are those of the file, so every mapping begins at 0. */
static void write_mappings(struct encoder *encoder)
{
	const struct profile *profile = encoder->profile;
	uint64_t *limits = calloc(profile->n_modules + 1, sizeof(*limits));

	encoder->failed |= !limits;
	for (size_t i = 0; limits && i < profile->n_frames; i++) {
		const struct profile_frame *frame = &profile->frames[i];

		if (frame->module != PROFILE_NONE && frame->address >= limits[frame->module])
			limits[frame->module] =
				frame->address == UINT64_MAX ? UINT64_MAX : frame->address + 1;
	}
	for (size_t i = 0; limits && i < profile->n_modules; i++) {
		uint64_t file = string_of(encoder, profile->modules[i].path);
		uint64_t build_id = string_of(encoder, profile->modules[i].build_id);

		protobuf_reset(&encoder->message);
		protobuf_number(&encoder->message, MAPPING_ID, i + 1);
		protobuf_number(&encoder->message, MAPPING_LIMIT, limits[i]);
		protobuf_number(&encoder->message, MAPPING_FILE, file);
		protobuf_number(&encoder->message, MAPPING_BUILD_ID, build_id);
		/* All that is known has its name: pprof shall not look for better ones. */
		protobuf_number(&encoder->message, MAPPING_HAS_FUNCTIONS, 1);
		protobuf_number(&encoder->message, MAPPING_HAS_FILES, 1);
		protobuf_number(&encoder->message, MAPPING_HAS_LINES, 1);
		protobuf_number(&encoder->message, MAPPING_HAS_INLINES, 1);
		protobuf_message(&encoder->out, PPROF_MAPPING, &encoder->message);
	}
	free(limits);
}

static void write_function(struct encoder *encoder, uint64_t id, const char *name,
			   const char *source)
{
	uint64_t name_string = string_of(encoder, name), file = string_of(encoder, source);

	protobuf_reset(&encoder->message);
	protobuf_number(&encoder->message, FUNCTION_ID, id);
	protobuf_number(&encoder->message, FUNCTION_NAME, name_string);
	/* Without system_name: pprof takes one that is the same for mangled, and "demangles" it. */
	protobuf_number(&encoder->message, FUNCTION_FILE, file);
	protobuf_message(&encoder->out, PPROF_FUNCTION, &encoder->message);
}

static void write_functions(struct encoder *encoder)
{
	const struct flame_names *names = encoder->flame->names;
	const struct profile *profile = encoder->profile;

	for (size_t i = 0; i < profile->n_frames; i++)
		write_function(encoder, i + 1, names->list[names->of_frame[i]].text,
			       profile->frames[i].source);
	write_function(encoder, profile->n_frames + 1, names->list[names->truncated].text, NULL);
}

static bool same_chain(const void *table, uint32_t at, const void *key)
{
	const struct chain *a = (const struct chain *)table + at, *b = key;

	return a->frame == b->frame && a->outer == b->outer;
}

static uint32_t chain_of(struct encoder *encoder, uint32_t frame, uint32_t outer)
{
	const struct chain key = {.frame = frame, .outer = outer};
	uint32_t hash = hash_u64((uint64_t)outer << 32 | frame), at;

	at = hash_index_find(&encoder->by_chain, hash, same_chain, encoder->chains, &key);
	if (at != HASH_INDEX_NONE)
		return at;
	at = (uint32_t)encoder->n_chains;
	if (!make_room(encoder, (void **)&encoder->chains, at, &encoder->chains_room,
		       sizeof(key)) ||
	    hash_index_add(&encoder->by_chain, hash, at)) {
		encoder->failed = true;
		return HASH_INDEX_NONE;
	}
	encoder->chains[encoder->n_chains++] = key;
	return at;
}

/* The innermost function first. Uses encoder->message and encoder->inner. */
static void write_location(struct encoder *encoder, uint32_t at)
{
	const struct profile *profile = encoder->profile;
	const struct chain *chain;
	uint32_t next = at, holder = 0;

	protobuf_reset(&encoder->message);
	protobuf_number(&encoder->message, LOCATION_ID, (uint64_t)at + 1);
	for (; next != HASH_INDEX_NONE; next = chain->outer) {
		chain = &encoder->chains[next];
		holder = chain->frame;
		protobuf_reset(&encoder->inner);
		protobuf_number(&encoder->inner, LINE_FUNCTION, (uint64_t)chain->frame + 1);
		if (chain->frame < profile->n_frames)
			protobuf_number(&encoder->inner, LINE_NUMBER,
					profile->frames[chain->frame].line);
		protobuf_message(&encoder->message, LOCATION_LINE, &encoder->inner);
	}
	if (holder < profile->n_frames) {
		const struct profile_frame *frame = &profile->frames[holder];

		if (frame->module != PROFILE_NONE)
			protobuf_number(&encoder->message, LOCATION_MAPPING,
					(uint64_t)frame->module + 1);
		protobuf_number(&encoder->message, LOCATION_ADDRESS, frame->address);
	}
	protobuf_message(&encoder->out, PPROF_LOCATION, &encoder->message);
}

/* Appends the chain's location to the sample's. */
static void add_location(struct encoder *encoder, uint32_t at)
{
	if (at == HASH_INDEX_NONE)
		return; /* without memory: encoder->failed */
	if (!encoder->chains[at].is_written)
		write_location(encoder, at);
	encoder->chains[at].is_written = true;
	protobuf_varint(&encoder->packed, (uint64_t)at + 1);
}

/* From the innermost frame outward, into encoder->packed. */
static void add_stack(struct encoder *encoder, const struct profile_row *row)
{
	const struct profile *profile = encoder->profile;
	uint32_t path[PROFILE_MAX_DEPTH], n = 0;
	bool is_marked = false;

	for (uint32_t at = row->node; at != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     at = profile->nodes[at].parent)
		path[n++] = profile->nodes[at].frame;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = i, chain = HASH_INDEX_NONE;

		while (i + 1 < n && profile->frames[path[i]].kind == PROFILE_FRAME_INLINED)
			i++;
		for (uint32_t j = i + 1; j-- > first;)
			chain = chain_of(encoder, path[j], chain);
		add_location(encoder, chain);
		is_marked = profile->frames[path[i]].kind == PROFILE_FRAME_MARK;
	}
	if (profile_end_is_truncated((enum profile_end)row->end) && !is_marked)
		add_location(encoder,
			     chain_of(encoder, (uint32_t)profile->n_frames, HASH_INDEX_NONE));
}

/* A label of the sample in encoder->message: a text, or a number where @text is NULL. */
static void add_label(struct encoder *encoder, const char *key, const char *text, uint64_t number)
{
	uint64_t key_string = string_of(encoder, key), value = text ? string_of(encoder, text) : 0;

	protobuf_reset(&encoder->inner);
	protobuf_number(&encoder->inner, LABEL_KEY, key_string);
	protobuf_number(&encoder->inner, LABEL_TEXT, value);
	protobuf_number(&encoder->inner, LABEL_NUMBER, number);
	protobuf_message(&encoder->message, SAMPLE_LABEL, &encoder->inner);
}

static void write_sample(struct encoder *encoder, const struct profile_row *row, double scale)
{
	const struct record_round *round = &encoder->flame->rec->rounds[row->round];
	const struct flame_names *names = encoder->flame->names;
	double ns = row->seconds * scale * NS_PER_SECOND;

	protobuf_reset(&encoder->packed);
	add_stack(encoder, row);
	protobuf_reset(&encoder->message);
	protobuf_message(&encoder->message, SAMPLE_LOCATION, &encoder->packed);
	protobuf_reset(&encoder->packed);
	protobuf_varint(&encoder->packed, row->samples);
	protobuf_varint(&encoder->packed,
			ns < (double)INT64_MAX ? (uint64_t)(ns + 0.5) : INT64_MAX);
	protobuf_message(&encoder->message, SAMPLE_VALUE, &encoder->packed);
	add_label(encoder, "process", names->list[names->of_process[row->process]].text, 0);
	/* As people count pairs. */
	if (round->pair >= 0 && round->pair < INT64_MAX)
		add_label(encoder, "round", NULL, (uint64_t)round->pair + 1);
	if (row->phase != PROFILE_NONE && row->phase < round->n_phases &&
	    round->phases[row->phase].name)
		add_label(encoder, "phase", round->phases[row->phase].name, 0);
	if (row->kind == PROFILE_OFFCPU && row->reason != PROFILE_REASON_NONE)
		add_label(encoder, "reason", profile_reasons[row->reason], 0);
	protobuf_message(&encoder->out, PPROF_SAMPLE, &encoder->message);
}

/* From UTC as in RFC 3339; 0 where it is not known. */
static uint64_t time_ns(const char *text)
{
	struct tm tm = {0};
	time_t seconds;

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return 0;
	seconds = timegm(&tm);
	return seconds > 0 && seconds < INT64_MAX / 2000000000 ? (uint64_t)seconds * 1000000000 : 0;
}

static void write_times(struct encoder *encoder)
{
	const struct record *rec = encoder->flame->rec;
	enum side side = (enum side)encoder->flame->options.side;
	uint64_t began = 0;
	double window = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		if (round->side != side)
			continue;
		began = began ? began : time_ns(round->started_at);
		if (round->window_seconds > 0)
			window += round->window_seconds;
	}
	protobuf_number(&encoder->out, PPROF_TIME_NANOS, began);
	if (window < 1e9)
		protobuf_number(&encoder->out, PPROF_DURATION_NANOS,
				(uint64_t)(window * NS_PER_SECOND));
}

static void write_head(struct encoder *encoder)
{
	const struct flame *flame = encoder->flame;
	enum side side = (enum side)flame->options.side;
	struct record_stacks stacks = flame_stacks_of(flame->rec, side, flame->options.kind);
	const char *type = flame->options.kind == PROFILE_ONCPU ? "cpu" : "offcpu";
	double period = NS_PER_SECOND / stacks.frequency_hertz;

	string_of(encoder, ""); /* must be the first */
	write_type(encoder, PPROF_SAMPLE_TYPE, "samples", "count");
	write_type(encoder, PPROF_SAMPLE_TYPE, type, "nanoseconds");
	write_type(encoder, PPROF_PERIOD_TYPE, type, "nanoseconds");
	if (period >= 1 && period < 1e18)
		protobuf_number(&encoder->out, PPROF_PERIOD, (uint64_t)period);
	protobuf_number(&encoder->out, PPROF_DEFAULT_TYPE, string_of(encoder, type));
	protobuf_number(&encoder->out, PPROF_COMMENT,
			string_of(encoder, "perfbpf " PERFBPF_VERSION));
	protobuf_number(&encoder->out, PPROF_COMMENT,
			string_of(encoder, flame_target(flame->rec, side)));
	write_times(encoder);
}

static void encode(struct encoder *encoder)
{
	const struct flame *flame = encoder->flame;
	bool exact;
	double *scales = flame_scales(flame->rec, flame->options.kind, &exact);

	encoder->failed = !scales;
	write_head(encoder);
	write_mappings(encoder);
	write_functions(encoder);
	for (size_t i = 0; scales && i < flame->n_rows && !encoder->failed; i++) {
		const struct profile_row *row = &encoder->profile->rows[flame->rows[i].row];

		write_sample(encoder, row, scales[row->round]);
	}
	encoder->failed |= encoder->out.failed;
	free(scales);
}

static void encoder_clear(struct encoder *encoder)
{
	protobuf_clear(&encoder->out);
	protobuf_clear(&encoder->message);
	protobuf_clear(&encoder->inner);
	protobuf_clear(&encoder->packed);
	hash_index_clear(&encoder->strings);
	hash_index_clear(&encoder->by_chain);
	free(encoder->texts);
	free(encoder->chains);
}

/* -1 without memory. */
static int put_compressed(FILE *out, const struct protobuf *message)
{
	z_stream stream = {.next_in = (unsigned char *)message->data};
	size_t left = message->n;
	unsigned char buf[16384];
	int rc = Z_OK;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WBITS, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	while (rc == Z_OK) {
		if (!stream.avail_in) {
			stream.avail_in = left < 1 << 20 ? (unsigned int)left : 1 << 20;
			left -= stream.avail_in;
		}
		stream.next_out = buf;
		stream.avail_out = sizeof(buf);
		rc = deflate(&stream, left ? Z_NO_FLUSH : Z_FINISH);
		fwrite(buf, 1, sizeof(buf) - stream.avail_out, out);
	}
	deflateEnd(&stream);
	return rc == Z_STREAM_END ? 0 : -1;
}

static int write_pprof(const struct record *rec, const struct report_options *options, FILE *out,
		       struct error *err)
{
	struct encoder encoder = {.profile = rec->profile};
	struct flame_view view;
	int rc;

	if (options->side == REPORT_SIDE_DIFF)
		return error_set(err, EXIT_CODE_USAGE,
				 "pprof makes differences itself: write --side A and --side B, and "
				 "give one of them to it as -diff_base; or say --format svg --side "
				 "diff");
	rc = flame_view_open(&view, rec, options, err);
	if (!rc) {
		encoder.flame = view.flame;
		encode(&encoder);
		if (encoder.failed || put_compressed(out, &encoder.out))
			rc = error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	}
	encoder_clear(&encoder);
	flame_view_close(&view);
	return rc;
}

const struct report_format report_pprof = {
	.name = "pprof",
	.file_name = "profile-*.pb.gz",
	.description = "stacks of one side and kind, for `go tool pprof`",
	.alone = true,
	.is_binary = true,
	.is_of_stacks = true,
	.write = write_pprof,
};
