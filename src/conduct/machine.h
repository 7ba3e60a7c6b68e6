/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The whole machine's CPUs, memory, disks and interfaces at the window's edges, for
 * what a phase used of them. From the kernel's own counters; no process is looked at.
 */
#ifndef PERFBPF_CONDUCT_MACHINE_H
#define PERFBPF_CONDUCT_MACHINE_H

#include <stdint.h>

#include "record/record.h"

#define MACHINE_MAX_DISKS      64
#define MACHINE_MAX_INTERFACES 32

struct machine_disk {
	char name[32];
	uint64_t busy_ms, weighted_ms; /* with a request; requests times their milliseconds */
};

struct machine_interface {
	char name[32];
	uint64_t rx_bytes, tx_bytes, errors;
	double bytes_per_second; /* its speed; 0: not known, as of a loopback */
};

/* Counters since the machine started; UINT64_MAX: not known. */
struct machine {
	uint64_t cpu_busy, cpu_total; /* clock ticks of all CPUs */
	uint64_t memory_stall_us;     /* some task waited for memory */
	uint64_t oom_kills;
	uint64_t tcp_segments, tcp_resent, tcp_resets;
	double memory_used; /* share, now */
	size_t n_disks, n_interfaces;
	struct machine_disk disks[MACHINE_MAX_DISKS];
	struct machine_interface interfaces[MACHINE_MAX_INTERFACES];
};

void machine_read(struct machine *machine);
/* Runnable tasks of the machine now, perfbpf itself not counted; -1: not known. */
int machine_runnable(void);
/*
 * What was used between the two: cpu.utilization, memory, disk and network of @phase.
 * Errors of disks are the side's own, and are left to the caller.
 */
void machine_use(struct record_round_phase *phase, const struct machine *before,
		 const struct machine *after, double seconds);

#endif
