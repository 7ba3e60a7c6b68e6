/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records with stacks: a server whose request handling is known to the sample, of two builds. Side
 * B parses in half the time, no longer compresses in zlib's deflate_slow, and writes a log instead.
 */
#ifndef PERFBPF_TESTS_SAMPLE_PROFILE_H
#define PERFBPF_TESTS_SAMPLE_PROFILE_H

#include "record/profile.h"
#include "sample_record.h"

#define SAMPLE_HERTZ 99

/* A frame in the words of a test: "k:schedule" of the kernel, "j:" JIT, "i:" inlined, "m:" a mark,
 * "z:" of libz, "c:" of libc, "u:1a2b" without a name, else of the program. */
static inline uint32_t sample_frame(struct profile *profile, const char *word)
{
	static const struct {
		char letter;
		enum profile_frame_kind kind;
		const char *module, *build_id;
	} kinds[] = {
		{'k', PROFILE_FRAME_KERNEL, "[kernel]", NULL},
		{'j', PROFILE_FRAME_JIT, NULL, NULL},
		{'i', PROFILE_FRAME_INLINED, "/usr/sbin/nginx", "9f1c0a7be2"},
		{'m', PROFILE_FRAME_MARK, NULL, NULL},
		{'z', PROFILE_FRAME_NATIVE, "/lib/x86_64-linux-gnu/libz.so.1.2.13", "00ab12cd34"},
		{'c', PROFILE_FRAME_NATIVE, "/lib/x86_64-linux-gnu/libc.so.6", "51657f81"},
		{'u', PROFILE_FRAME_NATIVE, "/usr/sbin/nginx", "9f1c0a7be2"},
		{0, PROFILE_FRAME_NATIVE, "/usr/sbin/nginx", "9f1c0a7be2"},
	};
	struct profile_frame frame = {.function = (char *)word, .module = PROFILE_NONE};
	size_t i = sizeof(kinds) / sizeof(kinds[0]) - 1;
	uint32_t hash = 5381;

	if (word[0] && word[1] == ':')
		for (i = 0; kinds[i].letter && kinds[i].letter != word[0]; i++)
			;
	if (kinds[i].letter)
		frame.function += 2;
	frame.kind = kinds[i].kind;
	if (kinds[i].module)
		frame.module =
			(uint32_t)profile_add_module(profile, kinds[i].module, kinds[i].build_id);
	for (const char *c = frame.function; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	frame.address = frame.kind == PROFILE_FRAME_KERNEL ? 0xffffffff81000000ULL + hash % 0xffffff
							   : 0x1000 + hash % 0xfffff;
	if (frame.kind == PROFILE_FRAME_INLINED) {
		frame.source = (char *)"src/http/ngx_http_parse.c";
		frame.line = hash % 2000 + 1;
	}
	if (kinds[i].letter == 'u') {
		frame.address = strtoull(frame.function, NULL, 16);
		frame.function = NULL;
	}
	return (uint32_t)profile_add_frame(profile, &frame);
}

/* "main;a;k:b": the outermost first. PROFILE_NONE for "". */
static inline uint32_t sample_stack(struct profile *profile, const char *stack)
{
	char *copy = strdup(stack), *rest = copy, *word;
	uint32_t node = PROFILE_NONE;

	while ((word = strsep(&rest, ";")))
		if (*word)
			node = (uint32_t)profile_add_node(profile, node,
							  sample_frame(profile, word));
	free(copy);
	return node;
}

struct sample_row {
	const char *process, *stack;
	double a, b; /* share of what a round has */
	const char *reason;
	enum profile_end end;
	bool by_fp;
};

#define SAMPLE_REQUEST                                                                             \
	"_start;c:__libc_start_main;main;ngx_master_process_cycle;ngx_start_worker_processes;"     \
	"ngx_spawn_process;ngx_worker_process_cycle;ngx_process_events_and_timers;"                \
	"ngx_epoll_process_events;"
#define SAMPLE_HTTP SAMPLE_REQUEST "ngx_http_process_request_line;"
#define SAMPLE_BODY                                                                                \
	SAMPLE_HTTP "ngx_http_process_request_headers;ngx_http_process_request;ngx_http_handler;"  \
		    "ngx_http_core_run_phases;ngx_http_core_content_phase;"
#define SAMPLE_SYSCALL "k:entry_SYSCALL_64_after_hwframe;k:do_syscall_64;"

static const struct sample_row sample_oncpu[] = {
	{"nginx", SAMPLE_HTTP "ngx_http_parse_request_line", 0.07, 0.035, "", 0, false},
	{"nginx",
	 SAMPLE_HTTP "ngx_http_process_request_headers;i:ngx_http_parse_header_line;i:"
		     "ngx_hash_find",
	 0.11, 0.055, "", 0, false},
	{"nginx",
	 SAMPLE_HTTP "c:recv;" SAMPLE_SYSCALL "k:__x64_sys_recvfrom;k:__sys_recvfrom;k:"
		     "tcp_recvmsg;k:copy_to_iter",
	 0.12, 0.12, "", 0, false},
	{"nginx",
	 SAMPLE_BODY "ngx_http_static_handler;ngx_open_cached_file;c:open64;" SAMPLE_SYSCALL
		     "k:do_sys_openat2;k:path_openat;k:link_path_walk",
	 0.09, 0.09, "", 0, false},
	{"nginx", SAMPLE_BODY "ngx_http_gzip_body_filter;z:deflate;z:deflate_slow;z:longest_match",
	 0.17, 0, "", 0, false},
	{"nginx", SAMPLE_BODY "ngx_http_gzip_body_filter;z:deflate;z:deflate_fast", 0, 0.08, "", 0,
	 false},
	{"nginx",
	 SAMPLE_BODY "ngx_http_writer;ngx_linux_sendfile_chain;c:sendfile64;" SAMPLE_SYSCALL
		     "k:do_sendfile;k:splice_direct_to_actor;k:tcp_sendmsg_locked;k:"
		     "tcp_write_xmit;k:__tcp_transmit_skb;k:ip_queue_xmit;k:"
		     "ip_finish_output2;k:__local_bh_enable_ip;k:net_rx_action;k:tcp_v4_rcv",
	 0.2, 0.2, "", 0, false},
	{"nginx",
	 SAMPLE_BODY "ngx_http_log_handler;c:write;" SAMPLE_SYSCALL
		     "k:vfs_write;k:ext4_buffered_write_iter",
	 0.01, 0.09, "", 0, false},
	{"nginx", SAMPLE_BODY "u:2f31a", 0.03, 0.03, "", 0, false},
	{"nginx", SAMPLE_REQUEST "c:epoll_wait;" SAMPLE_SYSCALL "k:do_epoll_wait;k:ep_send_events",
	 0.08, 0.08, "", 0, false},
	{"nginx", "z:deflate_stored;z:fill_window", 0.02, 0.02, "", PROFILE_END_EXPRESSION, false},
	{"node",
	 "_start;c:__libc_start_main;main;node::LoadEnvironment;j:~render "
	 "/srv/app.js:12;j:*escapeHTML /srv/app.js:40",
	 0.06, 0.06, "", 0, true},
	{"nginx", "", 0.01, 0.01, "", PROFILE_END_WOKEN, false},
	{"kworker/0:1", "k:ret_from_fork;k:kthread;k:worker_thread", 0.03, 0.03, "",
	 PROFILE_END_NO_USER, false},
};

static const struct sample_row sample_offcpu[] = {
	{"nginx",
	 SAMPLE_REQUEST "c:epoll_wait;" SAMPLE_SYSCALL
			"k:do_epoll_wait;k:schedule_hrtimeout_range;k:schedule",
	 0.7, 0.8, "socket", 0, false},
	{"nginx",
	 SAMPLE_BODY "ngx_http_static_handler;c:pread64;" SAMPLE_SYSCALL
		     "k:filemap_read;k:folio_wait_bit_common;k:io_schedule;k:schedule",
	 0.1, 0.1, "disk", 0, false},
	{"nginx",
	 SAMPLE_BODY
	 "ngx_http_log_handler;ngx_thread_mutex_lock;c:pthread_mutex_lock;" SAMPLE_SYSCALL
	 "k:futex_wait;k:schedule",
	 0.05, 0.15, "futex", 0, false},
	{"nginx", SAMPLE_HTTP "ngx_http_parse_request_line", 0.15, 0.05, "run queue", 0, false},
};

/* Everyone's own little noise between rounds, the same in each run. */
static inline double sample_noise(size_t round, size_t row)
{
	uint64_t x = (round * 31 + row + 1) * 0x9e3779b97f4a7c15ULL;

	x ^= x >> 31;
	return 0.97 + 0.06 * (double)(x % 1000) / 1000;
}

static inline void sample_add_rows(struct record *rec, uint32_t r, enum profile_kind kind,
				   const struct sample_row *rows, size_t n, double seconds)
{
	struct record_round *round = &rec->rounds[r];
	struct record_stacks *stacks =
		kind == PROFILE_ONCPU ? &round->profile.oncpu : &round->profile.offcpu;

	*stacks = (struct record_stacks){
		.event = strdup(kind == PROFILE_ONCPU ? "cpu-clock" : "task walk"),
		.frequency_hertz = SAMPLE_HERTZ,
		.sampled_seconds = 0};
	for (size_t i = 0; i < n; i++) {
		double share = round->side == SIDE_A ? rows[i].a : rows[i].b;
		struct profile_row row = {
			.round = r,
			.phase = i % 2 && round->n_phases > 1 ? 1 : 0,
			.process = (uint32_t)profile_add_process(rec->profile, rows[i].process),
			.node = sample_stack(rec->profile, rows[i].stack),
			.kind = (uint8_t)kind,
			.end = (uint8_t)rows[i].end,
			.by_fp = rows[i].by_fp,
			.samples = (uint64_t)(share * seconds * SAMPLE_HERTZ * sample_noise(r, i) +
					      0.5),
		};

		if (!round->n_phases)
			row.phase = PROFILE_NONE;
		while (*rows[i].reason && strcmp(profile_reasons[row.reason], rows[i].reason) != 0)
			row.reason++;
		row.seconds = (double)row.samples / SAMPLE_HERTZ;
		if (!row.samples)
			continue;
		profile_add_row(rec->profile, &row);
		stacks->samples += (int64_t)row.samples;
		stacks->sampled_seconds += row.seconds;
		stacks->complete += row.end == PROFILE_END_COMPLETE ? (int64_t)row.samples : 0;
		stacks->truncated += profile_end_is_truncated(row.end) ? (int64_t)row.samples : 0;
		stacks->by_frame_pointer += row.by_fp ? (int64_t)row.samples : 0;
		stacks->frames += 20 * (int64_t)row.samples;
		stacks->frames_named +=
			(strstr(rows[i].stack, "u:") ? 19 : 20) * (int64_t)row.samples;
	}
	stacks->exact_seconds = stacks->sampled_seconds * 1.02;
}

/* Gives every round of @rec both kinds of stacks, @seconds of CPU time in each. */
static inline void sample_add_profile(struct record *rec, double seconds)
{
	rec->profile = profile_new();
	for (uint32_t r = 0; r < rec->n_rounds; r++) {
		struct record_round *round = &rec->rounds[r];

		round->has_profile = true;
		round->profile.has_oncpu = round->profile.has_offcpu = true;
		round->n_phases = 2;
		round->phases = calloc(2, sizeof(*round->phases));
		for (size_t i = 0; i < 2; i++) {
			round->phases[i].name = strdup(i ? "peak" : "steady");
			round->phases[i].started_at = 5 * (double)i;
			round->phases[i].duration_seconds = 5;
		}
		sample_add_rows(rec, r, PROFILE_ONCPU, sample_oncpu,
				sizeof(sample_oncpu) / sizeof(sample_oncpu[0]), seconds);
		sample_add_rows(rec, r, PROFILE_OFFCPU, sample_offcpu,
				sizeof(sample_offcpu) / sizeof(sample_offcpu[0]), seconds * 4);
	}
}

/* A sound profile of @stacks stacks, no two alike, 30 frames each, in the first rounds of @rec. */
static inline void sample_add_many(struct record *rec, size_t stacks)
{
	char name[64];
	uint32_t frames[3000], process;

	rec->profile = profile_new();
	process = (uint32_t)profile_add_process(rec->profile, "many");
	for (size_t i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "a_function_of_some_length_with_number_%zu", i);
		frames[i] = sample_frame(rec->profile, name);
	}
	for (size_t i = 0; i < stacks; i++) {
		struct profile_row row = {.round = (uint32_t)(i % rec->n_rounds),
					  .phase = PROFILE_NONE,
					  .process = process,
					  .node = PROFILE_NONE,
					  .samples = 1 + i % 3,
					  .seconds = (double)(1 + i % 3) / SAMPLE_HERTZ};
		size_t rest = i;

		for (size_t depth = 0; depth < 30; depth++) {
			row.node = (uint32_t)profile_add_node(
				rec->profile, row.node,
				frames[(rest % 7 * 101 + depth * 97) % 3000]);
			rest = depth % 3 == 2 ? rest / 7 + i % 5 : rest;
		}
		row.node = (uint32_t)profile_add_node(rec->profile, row.node, frames[i % 3000]);
		profile_add_row(rec->profile, &row);
	}
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].has_profile = rec->rounds[i].profile.has_oncpu = true;
}

#endif
