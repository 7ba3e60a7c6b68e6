/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/shape.h"

#include "record/record.h"
#include "record/shape_table.h"

#define T struct record_cpu
static const struct field cpu_fields[] = {
	REAL(total_seconds, "CPU time of the whole process tree, by the scheduler's exact account"),
	REAL(user_seconds,
	     "of it in user mode: the total split by the kernel's tick accounting, as "
	     "getrusage does"),
	REAL(system_seconds, "of it in the kernel"),
	REAL(utilization_avg, "total_seconds / window_seconds; 1.0 is one core kept busy"),
	REAL(utilization_peak, "the same in the busiest tick"),
	INTEGER(context_switches, "voluntary and involuntary"),
	INTEGER(involuntary_switches, "of them those where the task would have gone on"),
	INTEGER(migrations, "moves of a task to another CPU"),
};
SHAPE(cpu_shape, cpu_fields, false);
#undef T

#define T struct record_memory
static const struct field memory_fields[] = {
	REAL(rss_avg_bytes, "resident set of the tree, average over the window's ticks"),
	INTEGER(rss_peak_bytes, "largest resident set of the tree at one time"),
	INTEGER(vms_peak_bytes, "largest virtual memory of the tree at one time"),
	INTEGER(rss_anon_peak_bytes, "largest anonymous part of the resident set"),
	INTEGER(rss_file_peak_bytes, "largest file-backed part of the resident set"),
	INTEGER(rss_shmem_peak_bytes, "largest shared-memory part of the resident set"),
	INTEGER(minor_faults, "page faults served without I/O, as getrusage counts them"),
	INTEGER(major_faults, "page faults that waited for I/O"),
};
SHAPE(memory_shape, memory_fields, false);
#undef T

#define T struct record_network_family
static const struct field family_fields[] = {
	INTEGER(tx_bytes, "sent by sockets of this family"),
	INTEGER(rx_bytes, "received by sockets of this family"),
};
SHAPE(family_shape, family_fields, true);
#undef T

#define T struct record_network
static const struct field families_fields[] = {
	OBJECT(inet, family_shape, "IPv4"),
	OBJECT(inet6, family_shape, "IPv6"),
	OBJECT_AT(unix, offsetof(T, unix_), FIELD_NO_OFFSET, family_shape, "Unix domain"),
	OBJECT(other, family_shape, "all others"),
};
SHAPE(families_shape, families_fields, false);
static const struct field network_fields[] = {
	INTEGER(tx_bytes, "sent by sockets of all families"),
	INTEGER(rx_bytes, "received by sockets of all families; what was only peeked at is not "
			  "counted"),
	INTEGER(connections_opened, "TCP connections that the tree opened"),
	INTEGER(connections_accepted, "TCP connections that the tree accepted"),
	INTEGER(retransmits, "TCP segments sent again"),
	GROUP(families, families_shape, "the bytes by address family"),
};
SHAPE(network_shape, network_fields, false);
#undef T

#define T struct record_requests
static const struct field requests_fields[] = {
	INTEGER(served, "requests that a member answered"),
	INTEGER(sent, "requests of a member that were answered"),
	INTEGER(in_flight, "begun in the window and not answered at its end"),
	INTEGER(streams, "connections that stream (a followed log): left out of the times"),
	INTEGER(overlapped, "turns in which more arrived before the answer: pipelining, or a "
			    "request in parts; --protocols tells them apart"),
	INTEGER(interleaved,
		"of those served and sent, turns with several requests in flight, whose "
		"answers cannot be told apart: without service, response and round "
		"trip; --protocols has them"),
	INTEGER(no_arrival, "requests whose arrival was not seen: without queue and response"),
	INTEGER(no_role, "connections of which nobody knows who asks: left out"),
	INTEGER(unparsed, "pieces of payload that the wanted protocols could not tell; null "
			  "without --protocols"),
};
SHAPE(requests_shape, requests_fields, true);
#undef T

#define T struct record_protocol
static const struct field protocol_fields[] = {
	STRING(protocol, "\"http\", \"http2\", \"grpc\", \"postgres\", \"redis\", \"kafka\" or "
			 "\"mysql\""),
	STRING(role, "\"server\": a member answered; \"client\": it asked"),
	STRING(label, "what was asked: method and route, command, statement"),
	INTEGER(count, "requests that were answered"),
	INTEGER(errors, "of them with an error as the protocol tells it (HTTP: 5xx and 4xx)"),
	OBJECT(service, latency_shape, "read to first byte of the answer; of a server"),
	OBJECT(response, latency_shape, "arrival to last byte; of a client: sent to last byte"),
};
SHAPE(protocol_shape, protocol_fields, true);
#undef T

#define T struct record_time
static const struct field time_fields[] = {
	REAL(wall_seconds, "how long the threads lived in the window, summed"),
	REAL(on_cpu_seconds, "by the scheduler's own account"),
	REAL(stolen_seconds, "taken from a thread on its CPU, by the host of a virtual machine or "
			     "by interrupts"),
	REAL(run_queue_seconds, "runnable, and not running"),
	REAL(waiting_seconds, "the sum of the reasons that follow"),
	REAL(futex_seconds, "waiting for another thread"),
	REAL(socket_seconds, "waiting for a socket, by itself or in an epoll set"),
	REAL(pipe_seconds, "waiting for a pipe"),
	REAL(disk_seconds, "waiting for storage"),
	REAL(timer_seconds, "asleep by its own wish"),
	REAL(other_seconds, "all else: children, terminals, kernel locks, being stopped"),
	REAL(lock_seconds, "the part of futex_seconds that waited for a mutex"),
	REAL(unaccounted_seconds, "wall less all of these; what the account cannot explain"),
};
SHAPE(time_shape, time_fields, true);
#undef T

#define T struct record_thread
static const struct field thread_fields[] = {
	INTEGER(pid, "of its process"),
	INTEGER(tid, "its own number"),
	STRING(comm, "name in the kernel, at most 15 bytes"),
	REAL(started_at, "seconds from the opening of the window; negative where it ran before"),
	REAL(exited_at, "seconds from the opening of the window; null where it still ran at its "
			"end"),
	OBJECT(time, time_shape, "where its time went"),
};
SHAPE(thread_shape, thread_fields, true);
#undef T

#define T struct record_io
static const struct field io_fields[] = {
	INTEGER(read_bytes, "by read calls on any kind of file, pipes and sockets too"),
	INTEGER(write_bytes, "by write calls on any kind of file"),
	INTEGER(storage_read_bytes, "what had to be fetched from storage"),
	INTEGER(storage_write_bytes, "what was made dirty and must go to storage"),
	INTEGER(block_reads, "read requests to block devices from the members' own context"),
	INTEGER(block_writes, "write requests likewise; write-back by the kernel is not in them"),
	INTEGER(block_read_bytes, "of those requests"),
	INTEGER(block_write_bytes, "of those requests"),
	INTEGER(block_errors, "of those requests that failed"),
	INTEGER(fsyncs, "fsync, fdatasync and the like that had to wait"),
};
SHAPE(io_shape, io_fields, true);
#undef T

#define T struct record_stacks
static const struct field stacks_fields[] = {
	STRING(event, "what a sample is taken by: \"cpu-clock\" or \"cycles\"; of off-CPU \"task "
		      "walk\""),
	REAL(frequency_hertz, "samples per second of each CPU; of each thread where tasks are "
			      "walked"),
	INTEGER(samples, "that were kept"),
	REAL(sampled_seconds, "what the samples stand for"),
	REAL(exact_seconds, "the scheduler's exact account of the same: CPU time; of off-CPU run "
			    "queues and waiting"),
	INTEGER(complete, "samples whose stack is known to the thread's start"),
	INTEGER(truncated, "samples whose stack ends before"),
	INTEGER(by_frame_pointer, "samples some of whose frames were found by frame pointers"),
	INTEGER(deferred, "samples that user space walked on, from a copy of the stack"),
	INTEGER(frames, "of all samples"),
	INTEGER(frames_named, "of them with the name of a function"),
	INTEGER(lost, "samples that could not be kept"),
	INTEGER(mappings_lost, "mapped files that could not be remembered: their frames are not "
			       "known"),
	INTEGER(rows_evicted, "files whose call frame information had to make room for others"),
	INTEGER(unknown_rules, "rules of call frame information that no row can hold, of all files "
			       "that were walked through"),
	INTEGER(unknown_cfa_expression, "of them: the caller's frame by another expression"),
	INTEGER(unknown_cfa_register, "of them: the caller's frame from another register"),
	INTEGER(unknown_cfa_offset, "of them: the caller's frame too far away"),
	INTEGER(unknown_return_address, "of them: the return address not just below the frame"),
	INTEGER(unknown_frame_pointer, "of them: rbp kept in another way; the walk goes on until "
				       "it is needed"),
	INTEGER(unknown_broken, "of them: entries that make no sense"),
};
SHAPE(stacks_shape, stacks_fields, true);
#undef T

#define T struct record_profile
static const struct field profile_fields[] = {
	OPTIONAL(oncpu, stacks_shape, "on a CPU; null where it was not wanted"),
	OPTIONAL(offcpu, stacks_shape, "off the CPU; null where it was not wanted"),
};
SHAPE(profile_shape, profile_fields, false);
#undef T

#define T struct record_peer
static const struct field peer_fields[] = {
	STRING(address, "of the other end; \"unix\", or \"rest\" for all beyond 256 peers"),
	INTEGER(port, "of the server: the peer's where a member connected, else its own"),
	STRING(role, "\"client\": a member connected; \"server\": it accepted"),
	INTEGER(connections, "that were established in the window"),
	INTEGER(requests, "answered"),
	INTEGER(tx_bytes, "sent to it"),
	INTEGER(rx_bytes, "received from it"),
	INTEGER(retransmits, "TCP segments sent again to it"),
	REAL(connect_mean_seconds, "from connect to established; of a client"),
	REAL(connect_max_seconds, "the longest"),
	REAL(rtt_mean_seconds,
	     "the kernel's smoothed round-trip time, at the first of every 16 requests of a "
	     "connection"),
	REAL(rtt_max_seconds, "the longest"),
};
SHAPE(peer_shape, peer_fields, true);
#undef T

#define T struct record_syscall
static const struct field syscall_fields[] = {
	STRING(name, "of the call; \"rest\" for all beyond 63 kinds"),
	INTEGER(count, "calls that ended in the window"),
	INTEGER(errors, "of them that returned an error"),
	REAL(total_seconds, "from entry to return, waiting included"),
	OBJECT(latency, latency_shape, "their lengths"),
};
SHAPE(syscall_shape, syscall_fields, true);
#undef T

#define T struct record_use
static const struct field use_fields[] = {
	REAL(utilization, "1.0: all of it was in use"),
	REAL(saturation, "how much more was wanted than there is"),
	INTEGER(errors, "of it"),
};
SHAPE(use_shape, use_fields, true);
#undef T

#define T struct record_round_phase
static const struct field round_phase_fields[] = {
	STRING(name, "as in the scenario"),
	REAL(started_at, "seconds from the opening of the window"),
	REAL(duration_seconds, "as it was"),
	OBJECT(cpu, use_shape,
	       "all CPUs of the machine: share that was busy; saturation: runnable "
	       "tasks beyond one a CPU, at the ticks; errors: always null, none are counted"),
	OBJECT(run_queue, use_shape,
	       "the side's threads: share of their runnable time on a CPU is 1 - "
	       "saturation; saturation: share that they waited for one; errors: always null"),
	OBJECT(memory, use_shape,
	       "of the machine in use at the end; saturation: share of time in "
	       "which a task waited for memory; errors: processes killed for lack "
	       "of it"),
	OBJECT(disk, use_shape,
	       "busiest device: share of time with a request; saturation: requests "
	       "at a time, on average; errors: failed requests of the side"),
	OBJECT(network, use_shape,
	       "busiest interface with a known speed; saturation: TCP segments sent again of "
	       "1,000 sent; errors: of interfaces, and resets"),
	OBJECT(driver, use_shape,
	       "share of one core; saturation: seconds it fell behind its plan; errors: what "
	       "it dropped; both null where a driver does not tell of single phases"),
	OBJECT(time, time_shape, "where the time of the side's threads went in this phase"),
	OPTIONAL(load, load_shape, "what a load driver did in this phase; null without one"),
	STRING(limited_by, "\"cpu\", \"thread\", \"lock\", \"memory\", \"disk\", \"network\", "
			   "\"driver\" or \"sleep\"; null where there is no evidence"),
	STRING(limit, "one sentence with its evidence"),
};
SHARED_SHAPE(round_phase_shape, round_phase_fields, false);
#undef T

#define T struct record_process
static const struct field process_fields[] = {
	INTEGER(pid, "process id"),
	INTEGER(ppid, "of its parent"),
	STRING(comm, "name in the kernel, at most 15 bytes"),
	STRING(exe, "path of the program"),
	REAL(started_at, "seconds from the opening of the window; negative where it ran before"),
	REAL(exited_at, "seconds from the opening of the window; null where it still ran at its "
			"end"),
	INTEGER(exit_code, "where it ended by itself"),
	INTEGER(signal, "that ended it"),
	REAL(cpu_seconds, "CPU time of all its threads in the window"),
	INTEGER(threads, "most at one time"),
	INTEGER(rss_peak_bytes, "largest resident set"),
	INTEGER(minor_faults, "in the window"),
	INTEGER(major_faults, "in the window"),
	INTEGER(tx_bytes, "sent by sockets"),
	INTEGER(rx_bytes, "received by sockets"),
	OBJECT(time, time_shape, "where the time of its threads went"),
};
SHAPE(process_shape, process_fields, true);
#undef T

#define T struct record_series
static const struct field series_fields[] = {
	REAL(interval_seconds, "time between two values; the first is one interval after the "
			       "opening"),
	REALS(cpu_utilization, "in each interval; 1.0 is one core"),
	REALS(rss_bytes, "resident set of the tree at the end of each interval"),
	REALS(tx_bytes_per_second, "in each interval"),
	REALS(rx_bytes_per_second, "in each interval"),
	REALS(lines_per_second, "in each interval; null where the driver counts no lines"),
	REALS(operations_per_second, "good answers in each interval; null where the driver asks "
				     "nothing"),
	REALS(errors_per_second, "the others likewise"),
	REAL(response_p95_interval_seconds,
	     "the same for the list that follows; the first begins with the window"),
	COUNTED(FIELD_REALS, response_p95_seconds, response_p95_seconds, n_response_p95_seconds,
		NULL,
		"95 % of the responses that were due in the interval took no longer; null where "
		"it had too few"),
};
SHAPE(series_shape, series_fields, false);
#undef T

#define T struct record_driver
static const struct field driver_fields[] = {
	REAL(cpu_seconds, "CPU time of the driver in the window"),
	REAL(late_seconds_max, "how far it fell behind its own plan, by its own fault"),
	INTEGER(dropped, "pieces of work that it gave up on"),
};
SHAPE(driver_shape, driver_fields, true);
#undef T

#define T struct record_losses
static const struct field losses_fields[] = {
	INTEGER(ring, "lifecycle events that found the ring buffer full"),
	INTEGER(map_full,
		"processes without a slot of their own: counted in the side's total only"),
	INTEGER(storage, "tasks that could not be made members: their cost is missing"),
	INTEGER(stacks, "stack samples that could not be kept"),
	INTEGER(sockets, "sockets that could not be remembered: their connections and retransmits "
			 "are missing"),
	INTEGER(recursion, "events that met their own program running on the same CPU"),
	INTEGER(unlisted, "ended processes beyond the list: counted in the side's total only"),
	INTEGER(threads, "threads beyond the list: counted in their process only"),
	INTEGER(requests, "pieces of payload that found the ring buffer full"),
	INTEGER(block, "block requests that could not be remembered: without latency"),
};
SHAPE(losses_shape, losses_fields, true);
#undef T

#define T struct record_program
static const struct field program_fields[] = {
	STRING(name, "of the BPF program"),
	INTEGER(events, "runs in the window"),
	REAL(seconds, "run time in the window"),
};
SHAPE(program_shape, program_fields, true);
#undef T

#define T struct record_observer
static const struct field observer_fields[] = {
	STRING(mode, "\"stats\": the kernel timed the programs; \"off\": it did not"),
	REAL(probe_seconds, "run time of all BPF programs in the window"),
	INTEGER(probe_events, "runs of all BPF programs in the window"),
	REAL(userspace_cpu_seconds, "CPU time of perfbpf itself"),
	INTEGER(rss_peak_bytes, "largest resident set of perfbpf itself"),
	REAL(syscall_slowdown_seconds, "what --syscalls adds to each system call of every process "
				       "of the machine, measured; null where it is not on"),
	OBJECT(losses, losses_shape, "what could not be counted"),
	LIST(programs, program_shape, "the same cost by program"),
};
SHAPE(observer_shape, observer_fields, false);
#undef T

#define T struct record_validity
static const struct field validity_fields[] = {
	FIELD(FIELD_BOOLEAN, valid, valid, "may this round be compared?"),
	STRINGS(reasons, "why not, each a sentence for people"),
};
SHAPE(validity_shape, validity_fields, false);
#undef T

#define T struct record_round
static const struct field round_fields[] = {
	OF_SIDE,
	INTEGER(pair, "0 for the first pair"),
	INTEGER(position, "0: ran first in its pair, 1: second"),
	STRING(started_at, "UTC, RFC 3339"),
	REAL(window_seconds, "how long the kernel counted; for commands that run to completion "
			     "their wall time"),
	STRING(aborted_by, "the threshold that ended the round before its time, and the run with "
			   "it; null: none"),
	INTEGER(exit_code, "of the target's first process, where it ended by itself"),
	INTEGER(signal, "that ended the target's first process"),
	OBJECT(cpu, cpu_shape, "processor"),
	OBJECT(memory, memory_shape, "memory"),
	OBJECT(network, network_shape, "sockets"),
	OPTIONAL(work, work_shape, "what was delivered; null where no driver counts it"),
	MAP(latency, latency_shape,
	    "by NAME: `delivery` is from the intended time of a line to its "
	    "arrival at the target's output; `queue` `service` `response` `round_trip` are of "
	    "requests; `run_queue` and `wait_REASON` of threads; `block_read` `block_write` "
	    "`fsync` of storage; `connect` `rtt` of sockets; others are scraped. A load driver "
	    "gives `response` (from the intended moment of a request), `service` (from the moment "
	    "at which it was sent) and both by kind, `response KIND`, all of good answers, and "
	    "`failed`, the responses of errors; what was seen at the "
	    "target's sockets is then `server_response` and `server_service`"),
	OPTIONAL(requests, requests_shape,
		 "requests seen at sockets; null where they were not "
		 "looked at"),
	LIST(protocols, protocol_shape, "kinds of requests; with --protocols"),
	OPTIONAL(time, time_shape,
		 "where the time of all threads went; null where it was not "
		 "looked at"),
	OPTIONAL(io, io_shape, "files and storage; null where it was not looked at"),
	LIST(peers, peer_shape, "the other ends of sockets"),
	LIST(syscalls, syscall_shape, "system calls by name; with --syscalls"),
	OPTIONAL(profile, profile_shape,
		 "samples of stacks, which are in stacks.json.gz (docs/stacks-json.md); null "
		 "without any"),
	LIST(phases, round_phase_shape, "the phases in the window, and what limited each"),
	LIST(processes, process_shape, "every process of the tree"),
	LIST(threads, thread_shape, "threads, those with most CPU time first"),
	OBJECT(series, series_shape, "values over time"),
	OPTIONAL(driver, driver_shape, "the load generator; null without one"),
	LIST(errors, error_shape, "`work.errors` by kind, most first"),
	LIST(counts, count_shape, "what else the driver counted, most first"),
	LIST(kinds, kind_shape, "the requests by kind"),
	LIST(producers, producer_shape, "of a driver with several: what each did"),
	LIST(faults, fault_shape, "what was done to the target on purpose"),
	LIST(recovery, recovery_shape, "how it came back from each"),
	LIST(side_metrics, side_metric_shape, "numbers read from elsewhere; never judged"),
	LIST(endurance, endurance_shape, "what grew and what wore off; of a soak only"),
	OBJECT(observer, observer_shape, "what perfbpf itself cost, and lost"),
	OBJECT(validity, validity_shape, "whether the round can be used"),
};
const struct shape record_round_shape = {
	round_fields, sizeof(round_fields) / sizeof(round_fields[0]), sizeof(T), false};
#undef T

#define T struct record_phase
static const struct field phase_fields[] = {
	STRING(name, "as in the scenario"),
	STRING(role, "\"warmup\", \"measured\" or \"cooldown\""),
	REAL(duration_seconds, "planned length"),
	FIELD(FIELD_REAL, rate_per_second, rate, "planned rate; null where the phase has none"),
};
SHAPE(phase_shape, phase_fields, true);
#undef T

#define T struct record_target
static const struct field target_fields[] = {
	OF_SIDE,
	STRING(name, "as given, or of its file"),
	STRINGS(argv, "as run, variables filled in"),
	STRING(version, "what the program says of itself"),
};
SHAPE(target_shape, target_fields, false);
#undef T

#define T struct record
static const struct field perfbpf_fields[] = {
	STRING(version, "of perfbpf"),
	STRINGS(argv, "perfbpf's own command line"),
	FIELD(FIELD_SEED, seed, seed,
	      "the order inside the pairs was drawn from; a string from 2^63 on"),
};
SHAPE(perfbpf_shape, perfbpf_fields, false);
static const struct field host_fields[] = {
	FIELD(FIELD_STRING, kernel, host.kernel, "release of the running kernel"),
	FIELD(FIELD_STRING, hostname, host.hostname, "name of the machine"),
	FIELD(FIELD_INTEGER, cpus, host.cpus, "online"),
	FIELD(FIELD_STRING, cpu_model, host.cpu_model, "as the kernel names it"),
	FIELD(FIELD_INTEGER, memory_bytes, host.memory_bytes, "of the machine"),
	FIELD(FIELD_STRING, virtualization, host.virtualization, "the hypervisor or container"),
	FIELD(FIELD_STRING, governor, host.governor, "of CPU frequency; null where there is none"),
};
SHAPE(host_shape, host_fields, false);
static const struct field scenario_fields[] = {
	FIELD(FIELD_STRING, name, scenario.name, "as in its file"),
	FIELD(FIELD_STRING, driver, scenario.driver,
	      "what made the work; null for commands that run to completion"),
	COUNTED(FIELD_LIST, phases, scenario.phases, scenario.n_phases, &phase_shape,
		"in their order"),
};
SHAPE(scenario_shape, scenario_fields, false);
static const struct field verdict_fields[] = {
	FIELD(FIELD_WINNER, winner, verdict.winner, "\"A\", \"B\", or null where none is named"),
	FIELD(FIELD_STRING, text, verdict.text, "one sentence to quote"),
	FIELD(FIELD_BOOLEAN, valid, verdict.valid, "false: the sides must not be compared"),
};
SHAPE(verdict_shape, verdict_fields, false);
static const struct field record_fields[] = {
	{.key = "schema",
	 .kind = FIELD_STRING,
	 .required = true,
	 .offset = offsetof(T, schema),
	 .aux_offset = FIELD_NO_OFFSET,
	 .text = "\"" RECORD_SCHEMA "\""},
	GROUP(perfbpf, perfbpf_shape, "the program that measured"),
	GROUP(host, host_shape, "the machine"),
	GROUP(scenario, scenario_shape, "the work"),
	LIST(targets, target_shape, "one or two"),
	STRINGS(notes, "what a reader of the numbers should know"),
	FIELD(FIELD_BOOLEAN, complete, complete, "false: the run was interrupted, or failed"),
	{.key = "rounds",
	 .kind = FIELD_LIST,
	 .required = true,
	 .offset = offsetof(T, rounds),
	 .aux_offset = offsetof(T, n_rounds),
	 .shape = &record_round_shape,
	 .text = "one start-to-stop execution of one side each, in the order in which they ran"},
	LIST(comparison, comparison_shape, "one for each metric"),
	LIST(thresholds, threshold_shape, "what was asked for, and whether it holds"),
	OBJECT(statistics, statistics_shape, "how the comparison was made"),
	LIST(insights, insight_shape,
	     "what explains the difference, how good the data are, what to run next"),
	OPTIONAL(baseline, baseline_shape, "the comparison with an earlier run"),
	GROUP(verdict, verdict_shape, "of the whole run"),
};
const struct shape record_shape = {record_fields, sizeof(record_fields) / sizeof(record_fields[0]),
				   sizeof(T), false};
#undef T
