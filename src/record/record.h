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

enum side {
	SIDE_A = 0,
	SIDE_B = 1,
	SIDES = 2,
};

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

struct record_work {
	int64_t lines; /* seen at the target's output, intended within the window */
	int64_t bytes; /* of those lines */
	int64_t expected_lines;
	int64_t lost;
	int64_t duplicated;
	int64_t reordered;
	int64_t malformed;
	int64_t foreign; /* lines of the tool's own, without a stamp */
	/* Of drivers that ask: what was answered well, what was not, and what was due and never
	 * sent. Together they are what was offered. */
	int64_t operations, errors, dropped;
	int64_t completed; /* good answers that came in the window, whenever they were due */
	int64_t rows, rows_expected; /* in the driver's own terms: rows, messages */
	/* The plan says how much is offered (open loop, iterations), not the target's speed. */
	bool is_fixed;
};

/* How many operations failed in one way. */
struct record_error {
	char *kind; /* "status 503" "refused" "timeout"; "other": all beyond the bound */
	int64_t count;
};

/*
 * A distribution of times. Its names: "delivery" (of a driver); of requests "queue",
 * "service", "response" (server) and "round_trip" (client); of threads "run_queue" and
 * "wait_REASON"; "block_read", "block_write", "fsync", "connect", "rtt"; "exec", of a driver's
 * commands from exec to exit; and what a scenario scrapes.
 */
struct record_latency {
	char *name;
	int64_t count;
	double min_seconds, mean_seconds, p50_seconds, p90_seconds, p95_seconds, p99_seconds,
		p999_seconds, max_seconds;
	/*
	 * Its histogram, buckets that are not empty only, in ascending order: how many values
	 * lie above the upper bound before (or the bucket's own lower end) and not above this
	 * one. 0 buckets: the source gave none.
	 */
	size_t n_buckets;
	double *bucket_upper_seconds, *bucket_counts;
};

/* Other things that a driver counts: "status 200", "reconnects". */
struct record_count {
	char *name;
	int64_t count;
};

/* The requests of one kind; their times are the latency "response NAME". */
struct record_kind {
	char *name;
	int64_t operations, errors, bytes, rows; /* as of struct record_work */
};

/* What a load did in one phase, or one producer in all. */
struct record_load {
	int64_t operations, errors, dropped; /* as of struct record_work */
	double late_seconds_max;             /* by the driver's own fault */
	double rate_per_second;              /* good answers */
	/* From the intended moment, and from the moment at which it was sent. */
	struct record_latency response, service;
};

struct record_producer {
	char *name;
	struct record_load load;
};

/* What passed over the members' stream sockets, as turns of a conversation. */
struct record_requests {
	int64_t served;      /* requests that a member answered */
	int64_t sent;        /* requests of a member that were answered */
	int64_t in_flight;   /* begun in the window and not answered at its end */
	int64_t streams;     /* connections that stream: left out of the times */
	int64_t overlapped;  /* turns in which more arrived before the answer: pipelining, or a
				request in parts */
	int64_t interleaved; /* of those served and sent: several in flight, no times of answers */
	int64_t no_arrival;  /* requests whose arrival was not seen: without queue and response */
	int64_t no_role;     /* connections of which nobody knows who asks: left out */
	int64_t unparsed;    /* pieces that the wanted protocols could not tell; NONE without
				--protocols */
};

/* One kind of request, as its protocol tells it; only with --protocols. */
struct record_protocol {
	char *protocol; /* "http" "http2" "grpc" "postgres" "redis" "kafka" "mysql" */
	char *role;     /* "server" or "client" */
	char *label;    /* "GET /users/:id", "SELECT", "GET", "Produce" */
	int64_t count, errors;
	struct record_latency service;  /* server only */
	struct record_latency response; /* arrival to last byte; of a client: sent to last byte */
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

/* One metric over all rounds of both sides. */
struct record_comparison {
	char *metric; /* a name of metric.h */
	char *unit;
	bool lower_is_better;
	double a_median, a_min, a_max;
	double b_median, b_min, b_max;  /* NAN with one side */
	double ratio;                   /* B/A */
	double ci_low, ci_high, p, mde; /* NAN where there is no verdict */
	double p_adjusted;              /* by Holm, over the metrics that a gate is on; else NAN */
	/* B - A in the unit of the metric, and its interval; what is judged where there is no ratio
	 */
	double difference, difference_low, difference_high;
	int64_t n;            /* pairs */
	int64_t pairs_needed; /* to settle what is inconclusive; RECORD_NONE: settled, or unknown */
	int64_t outliers;     /* rounds of both sides that lie far out; they are kept */
	bool exploratory;     /* no gate is on it */
	char *verdict;        /* B_lower B_higher equivalent inconclusive, or NULL */
};

/* How the comparison was made. */
struct record_statistics {
	double margin;      /* ratios within 1 +- this are called equivalent */
	double confidence;  /* of the intervals: 0.95 */
	char *primary;      /* the metric by which a winner is named; NULL: one side only */
	char *stopping;     /* "rounds": a fixed number of pairs; "width": see below */
	double until_width; /* half the width of primary's interval to reach; NAN: not asked for */
	bool width_reached;
	/* Metrics that a gate was asked for: the run fails where B is worse in one. None: none was.
	 */
	size_t n_gates;
	char **gates;
	bool strict; /* what is inconclusive fails the run too */
};

/* What explains the difference, how good the data are, or what to run next. */
struct record_insight {
	char *kind;   /* "cause" "quality" "next" */
	char *metric; /* what its number is of; NULL: of no row of the table */
	double value; /* NAN: it has none */
	char *text;   /* one sentence, with the number */
};

/* One metric of one side against the same in an earlier run. */
struct record_regression {
	enum side side;
	char *metric, *unit;
	bool lower_is_better;
	bool gate; /* the gate is on it; the rest is exploratory */
	double base_median, new_median;
	double ratio, ci_low, ci_high; /* new / base, Hodges-Lehmann; NAN: none */
	double p, p_adjusted;          /* Mann-Whitney; by Holm over the metrics with a gate */
	double effect;                 /* U/(n m): the share of pairs in which new is larger */
	int64_t n_base, n_new;         /* rounds */
	double threshold;              /* the relative change that is a regression */
	char *severity;                /* "minor" "major" "critical", NULL: no regression */
	char *verdict; /* "regressed" "improved" "unchanged" "inconclusive" "unknown" */
	char *text;    /* one sentence */
};

/* The comparison with an earlier run. */
struct record_baseline {
	char *path;       /* of its results folder, as given */
	char *started_at; /* of its first round */
	char *version;    /* of the perfbpf that measured it */
	bool comparable;  /* false: the differences below make all of it exploratory */
	size_t n_differences;
	char **differences; /* host, kernel, scenario: a sentence each */
	size_t n_rows;
	struct record_regression *rows;
};

/* A threshold (threshold.h) on one side, and whether it holds. */
struct record_threshold {
	enum side side;
	char *metric, *expression;
	char *level; /* NULL and "critical": the run fails with it */
	char *unit;  /* of the value: "s", "bytes" or "" */
	double value;
	bool passed;
	char *text; /* what more there is to say, NULL: nothing */
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
