/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record of a run: what run.json holds, in memory. The narrow waist of the
 * project: everything above writes it, every report is a function of it.
 *
 * Units are SI base units, named in the field. A double that is not known is
 * NAN, an integer that is not known is RECORD_NONE; both are null in JSON.
 * All strings are owned by the record (malloc), NULL is null.
 */
#ifndef PERFBPF_RECORD_RECORD_H
#define PERFBPF_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/record_verdict.h"
#include "record/record_work.h"
#include "util/error.h"

struct profile;

#define RECORD_SCHEMA "perfbpf.run/1"
#define RECORD_NONE   INT64_MIN
/* Threads are listed up to here; the rest is in their processes. */
#define RECORD_MAX_THREADS 1000
/* So are these; of errors the rest is one kind, "other". */
#define RECORD_MAX_SIDE_METRICS 256
#define RECORD_MAX_ERRORS       64
#define RECORD_MAX_RECOVERIES   256
#define RECORD_MAX_PRODUCERS    256
#define RECORD_MAX_KINDS        1000

struct record_cpu {
	double total_seconds; /* exact, the scheduler's own account */
	double user_seconds;  /* total split by the kernel's tick accounting, as getrusage does */
	double system_seconds;
	double utilization_avg;   /* total_seconds / window_seconds; 1.0 is one core */
	double utilization_peak;  /* largest tick */
	int64_t context_switches; /* voluntary and involuntary */
	int64_t involuntary_switches;
	int64_t migrations;
};

struct record_memory {
	double rss_avg_bytes;
	int64_t rss_peak_bytes; /* of the tree */
	int64_t vms_peak_bytes;
	int64_t rss_anon_peak_bytes, rss_file_peak_bytes, rss_shmem_peak_bytes;
	int64_t minor_faults;
	int64_t major_faults;
};

struct record_network_family {
	int64_t tx_bytes, rx_bytes;
};

struct record_network {
	int64_t tx_bytes, rx_bytes;                       /* all families */
	int64_t connections_opened, connections_accepted; /* TCP */
	int64_t retransmits;                              /* TCP segments */
	struct record_network_family inet, inet6, unix_,
		other; /* JSON keys inet, inet6, unix, other under "families" */
};

/*
 * Where the time of threads went: wall = on CPU + stolen + run queue + waiting +
 * unaccounted.
 * Of one thread, or summed over several.
 */
struct record_time {
	double wall_seconds;
	double on_cpu_seconds;    /* the scheduler's own account */
	double stolen_seconds;    /* of a CPU that it had, by the host or by interrupts */
	double run_queue_seconds; /* runnable, and not running */
	double waiting_seconds;   /* the sum of the reasons */
	double futex_seconds, socket_seconds, pipe_seconds, disk_seconds, timer_seconds,
		other_seconds;
	double lock_seconds;        /* the part of futex_seconds that waited for a mutex */
	double unaccounted_seconds; /* what is missing to wall_seconds; may be negative */
};

struct record_thread {
	int64_t pid, tid;
	char *comm;
	double started_at, exited_at; /* as of a process */
	struct record_time time;
};

struct record_io {
	/* By read and write calls of any kind of file, pipes and sockets too. */
	int64_t read_bytes, write_bytes;
	/* What had to be fetched from storage, and what was made dirty. */
	int64_t storage_read_bytes, storage_write_bytes;
	/* Requests to block devices made in the members' own context; write-back is not. */
	int64_t block_reads, block_writes, block_read_bytes, block_write_bytes, block_errors;
	int64_t fsyncs; /* that had to wait */
};

/*
 * The samples of one kind (on-CPU, off-CPU): how many, what they stand for, and how good their
 * stacks are. The stacks themselves are in struct profile.
 */
struct record_stacks {
	char *event;              /* "cpu-clock", "cycles"; of off-CPU "task walk" */
	double frequency_hertz;   /* on each CPU; of each thread where tasks are walked */
	int64_t samples;          /* that were kept */
	double sampled_seconds;   /* what the samples stand for */
	double exact_seconds;     /* the scheduler's account of the same: CPU time, or run queue and
				     waiting */
	int64_t complete;         /* samples whose walk came to the thread's start */
	int64_t truncated;        /* whose walk ended before */
	int64_t by_frame_pointer; /* some of whose frames were found by frame pointers */
	int64_t deferred;         /* walked on in user space, on a copy of the stack */
	int64_t frames;           /* of all samples */
	int64_t frames_named;     /* of them with the name of a function */
	int64_t lost;             /* samples that could not be kept */
	int64_t mappings_lost;    /* mapped files that could not be remembered */
	int64_t rows_evicted;     /* files whose rows had to make room for others */
	int64_t unknown_rules; /* rows of CFI that say what a row cannot hold: the sum of these */
	int64_t unknown_cfa_expression, unknown_cfa_register, unknown_cfa_offset,
		unknown_return_address, unknown_frame_pointer, unknown_broken;
};

struct record_profile {
	bool has_oncpu, has_offcpu; /* false: that kind was not wanted */
	struct record_stacks oncpu, offcpu;
};

struct record_peer {
	char *address; /* "127.0.0.1", "::1", "unix"; "rest": all beyond the bound */
	int64_t port;  /* of the server: the peer's where a member connected, else its own */
	char *role;    /* "client": a member connected; "server": it accepted */
	int64_t connections, requests, tx_bytes, rx_bytes, retransmits;
	double connect_mean_seconds, connect_max_seconds;
	double rtt_mean_seconds, rtt_max_seconds; /* the kernel's smoothed round-trip time */
};

struct record_syscall {
	char *name;
	int64_t count, errors;
	double total_seconds;
	struct record_latency latency;
};

/* Utilisation, saturation and errors of one resource in one phase; NAN/NONE: not known. */
struct record_use {
	double utilization; /* 1.0: all of it was in use */
	double saturation;  /* more was wanted than there is; docs/run-json.md says how it is
			       counted for each */
	int64_t errors;
};

/* One phase in the window: what was used of each resource, and what limited the run. */
struct record_round_phase {
	char *name;
	double started_at, duration_seconds; /* from the opening of the window */
	struct record_use cpu, run_queue, memory, disk, network, driver;
	struct record_time time; /* of the side's threads; NAN: not known */
	bool has_load;           /* a load driver told what it did in this phase */
	struct record_load load;
	char *limited_by; /* "cpu" "thread" "lock" "memory" "disk" "network" "driver" "sleep",
			     NULL: no evidence */
	char *limit;      /* one sentence with its evidence, NULL: none */
};

struct record_process {
	int64_t pid, ppid;
	char *comm, *exe;
	double started_at; /* seconds from the opening of the window; negative: ran before */
	double exited_at;  /* NAN: still ran at the end of the window */
	int64_t exit_code, signal;
	double cpu_seconds;
	int64_t threads; /* most at a time */
	int64_t rss_peak_bytes;
	int64_t minor_faults, major_faults;
	int64_t tx_bytes, rx_bytes;
	struct record_time time; /* of all its threads */
};

struct record_series {
	double interval_seconds;
	size_t n; /* of each array; NAN where a value is not known */
	double *cpu_utilization, *rss_bytes, *tx_bytes_per_second, *rx_bytes_per_second;
	double *lines_per_second;                          /* NULL where the driver counts none */
	double *operations_per_second, *errors_per_second; /* likewise */
	/* Of coarser intervals, since a percentile needs values; NAN where one has too few. */
	double response_p95_interval_seconds;
	size_t n_response_p95_seconds;
	double *response_p95_seconds;
};

/* How the target came back after a fault. Seconds from the opening of the window. */
struct record_recovery {
	char *fault;
	double at_seconds;               /* it began */
	double last_good_seconds;        /* the last good answer before */
	double first_good_seconds;       /* the first good one after; NAN: none came */
	double outage_seconds;           /* between them */
	double normal_p95_seconds;       /* of the response, before the fault */
	double p95_normal_after_seconds; /* from the fault's begin until it was that again */
};

/* A fault that the scenario asked for. */
struct record_fault {
	char *name;
	char *kind;        /* "signal" "cpu" "memory" "io" "connections" "proxy" */
	double applied_at; /* seconds from the opening of the window; NAN: never */
	double ended_at;   /* NAN: never */
	bool verified;     /* it was seen to have taken effect */
	bool undone;       /* what it did was seen to be gone */
	char *error;       /* NULL: none */
};

/* A number that is neither the side's cost nor its work, read from elsewhere. */
struct record_side_metric {
	char *name;
	double value;
};

/* What is judged of a soak, one each. */
struct record_endurance {
	char *name;    /* "memory" "throughput" "response" "errors" */
	char *verdict; /* "steady" "leak" "drift" "inconclusive" "unknown" */
	char *unit;    /* of the three numbers: "bytes/h" or "" (a share) */
	double value, ci_low, ci_high;
	char *text; /* one sentence with its evidence */
};

struct record_driver {
	double cpu_seconds;      /* in the window */
	double late_seconds_max; /* by the driver's own fault, not by a full socket */
	int64_t dropped;
};

struct record_losses {
	int64_t ring;     /* lifecycle events that found the ring buffer full */
	int64_t map_full; /* processes without a slot of their own: counted in the side's total only
			   */
	int64_t storage;  /* tasks that could not be made members */
	int64_t stacks;
	int64_t sockets; /* sockets that could not be remembered: their connections and retransmits
			    are missing */
	int64_t recursion; /* events that met their own program running on the same CPU */
	int64_t unlisted;  /* ended processes beyond the list: counted in the side's total only */
	int64_t threads;   /* threads beyond the list: counted in their process only */
	int64_t requests;  /* pieces of payload that found the ring buffer full */
	int64_t block;     /* block requests that could not be remembered: without latency */
};

struct record_observer {
	char *mode;           /* "stats" or "off" */
	double probe_seconds; /* run time of all programs in the window; NAN with --observer off */
	int64_t probe_events;
	double userspace_cpu_seconds;
	int64_t rss_peak_bytes;          /* of perfbpf itself */
	double syscall_slowdown_seconds; /* what --syscalls adds to each call of every process of
					    the machine, measured; NAN: not on */
	struct record_losses losses;
	size_t n_programs;
	struct record_program {
		char *name;
		int64_t events;
		double seconds;
	} * programs;
};

struct record_validity {
	bool valid;
	size_t n_reasons;
	char **reasons;
};

struct record_round {
	enum side side;
	int64_t pair;     /* 0-based */
	int64_t position; /* 0: first of its pair */
	char *started_at; /* UTC, RFC 3339 with milliseconds */
	double window_seconds;
	char *aborted_by; /* the threshold that ended it before its time, and the run; NULL: none */
	int64_t exit_code, signal; /* of the target's first process, where it ended by itself */
	struct record_cpu cpu;
	struct record_memory memory;
	struct record_network network;
	bool has_work;
	struct record_work work;
	size_t n_latency;
	struct record_latency *latency;
	bool has_requests; /* false: left out by --without, or not known on this kernel */
	struct record_requests requests;
	size_t n_protocols;
	struct record_protocol *protocols; /* most requests first */
	bool has_time;
	struct record_time time; /* of all threads of the side */
	bool has_io;
	struct record_io io;
	size_t n_peers;
	struct record_peer *peers; /* most bytes first */
	size_t n_syscalls;
	struct record_syscall *syscalls; /* most time first; only with --syscalls */
	bool has_profile; /* false: --profile none, or written before there were stacks */
	struct record_profile profile;
	size_t n_phases;
	struct record_round_phase *phases;
	size_t n_processes;
	struct record_process *processes;
	size_t n_threads;
	struct record_thread *threads; /* most CPU time first, at most RECORD_MAX_THREADS */
	struct record_series series;
	bool has_driver;
	struct record_driver driver;
	size_t n_errors;
	struct record_error *errors; /* most first */
	size_t n_counts;
	struct record_count *counts; /* most first */
	size_t n_kinds;
	struct record_kind *kinds;
	size_t n_producers;
	struct record_producer *producers;
	size_t n_faults;
	struct record_fault *faults;
	size_t n_recovery;
	struct record_recovery *recovery;
	size_t n_side_metrics;
	struct record_side_metric *side_metrics;
	size_t n_endurance;
	struct record_endurance *endurance; /* of a soak only */
	struct record_observer observer;
	struct record_validity validity;
};

struct record_phase {
	char *name;
	char *role; /* "warmup" "measured" "cooldown" */
	double duration_seconds;
	double rate; /* per second; NAN where the phase has none */
};

struct record_target {
	enum side side;
	char *name;
	size_t n_argv;
	char **argv; /* as run, variables filled in */
	char *version;
};

struct record {
	char *schema;
	char *version;
	size_t n_argv;
	char **argv;
	uint64_t seed;
	struct {
		char *kernel, *hostname, *cpu_model, *virtualization, *governor;
		int64_t cpus, memory_bytes;
	} host;
	struct {
		char *name, *driver; /* driver NULL: commands to completion */
		size_t n_phases;
		struct record_phase *phases;
	} scenario;
	size_t n_targets;
	struct record_target *targets;
	size_t n_notes;
	char **notes;  /* what a reader of the numbers should know, each once */
	bool complete; /* false: the run was interrupted or failed; what was measured is there */
	size_t n_rounds;
	struct record_round *rounds;
	size_t n_comparison;
	struct record_comparison *comparison;
	size_t n_thresholds;
	struct record_threshold *thresholds;
	struct record_statistics statistics;
	size_t n_insights;
	struct record_insight *insights;
	bool has_baseline;
	struct record_baseline baseline;
	struct {
		int winner; /* -1: none */
		char *text;
		bool valid;
	} verdict;
	struct profile *profile; /* the stacks of all rounds, owned; NULL: none. Not in run.json */
};

struct record *record_new(void);
void record_free(struct record *rec);
/*
 * Frees what no row of the table of metrics is made of: series, lists of processes, threads, peers,
 * calls and protocols, stacks. For who keeps many records, or one for long.
 */
void record_slim(struct record *rec);
/* Frees what a round owns, not the round itself. */
void record_round_clear(struct record_round *round);
/* Sets every field of a zeroed round to "not known". */
void record_round_init(struct record_round *round);
/* Appends @round, taking over what it owns. -1 without memory. */
int record_add_round(struct record *rec, struct record_round *round);
/* Adds a printf-formatted reason and makes the round invalid. */
void record_invalid(struct record_round *round, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends a fault of which nothing is known but these (copied); borrowed until the next is added.
 * NULL without memory. */
struct record_fault *record_add_fault(struct record_round *round, const char *name,
				      const char *kind);
/* Appends a phase of which only the name (copied) is known; borrowed until the next is added. NULL
 * without memory. */
struct record_round_phase *record_add_phase(struct record_round *round, const char *name);
/* Appends a side metric (copied), or sets the one of that name. At most RECORD_MAX_SIDE_METRICS:
 * -ENOSPC beyond, -ENOMEM without memory. */
int record_add_side_metric(struct record_round *round, const char *name, double value);

/* Adds a note, unless it is there already. */
void record_note(struct record *rec, const char *text);

/*
 * run.json. record_write() writes @dirfd/run.json through a temporary file and
 * rename, so that a reader never sees half a record; 0 or -1 with @err
 * (disk full names the folder @dir). record_read() takes a folder or a file;
 * a broken file, an unknown schema or a wrong type is -1 with the path and key. Of a folder it
 * reads the stacks as well, where they lie beside run.json (profile.h).
 */
int record_write(const struct record *rec, int dirfd, const char *dir, struct error *err);
struct record *record_read(const char *path, struct error *err);
/* The same from @text; @name stands for the file in messages. */
struct record *record_parse(const char *text, size_t size, const char *name, struct error *err);
/* The JSON text to @out, for --format json; errors of @out are the caller's to check. */
void record_print_json(const struct record *rec, FILE *out);
/* The same as a text (to be freed). NULL without memory. */
char *record_to_json(const struct record *rec);
/* The JSON Schema that run.json follows: docs/run.schema.json. */
void record_print_schema(FILE *out);

#endif
