/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What limited a run: the one thing that was short, with its evidence, or nothing. A pure
 * function of a round; a number that is not known is no evidence.
 *
 * The rules in their order; the first that holds is named. "Busy" is the time in which a thread
 * had something to do: on a CPU, stolen from it there, waiting for one, for a lock or for storage.
 * Waiting for requests is not: a server that just waits was limited by nothing of its own.
 *
 *   driver   it dropped work (of a load: no, since there the side kept all users waiting), fell
 *            behind its plan, or filled its core: the side was not given what it was meant to get,
 *            so nothing can be said of the side
 *   memory   a process was killed for lack of it, or tasks waited for it much of the time
 *   cpu      the machine was full, and the side's threads waited for a CPU, more than for locks or
 *            for storage
 *   lock     most of the busy time went to waiting for locks while about one thread at a time
 *            ran, or nearly all of it did (several locks)
 *   disk     most of the busy time went to waiting for storage
 *   thread   a thread was on a CPU all the time: more CPUs would not have helped it
 *   network  an interface was full, or segments had to be sent again
 *   sleep    the threads slept by their own wish
 */
#ifndef PERFBPF_RECORD_LIMIT_H
#define PERFBPF_RECORD_LIMIT_H

#include "record/record.h"

/* A window shorter than this, a tick, shows how a program starts, and nothing that limits it. */
#define LIMIT_MIN_SECONDS 0.1
/* Seconds that a driver may fall behind its plan; beyond, it did not keep its schedule and the
 * round is invalid too. */
#define LIMIT_DRIVER_LATE_SECONDS 0.25
/* Of one core: it is one thread, and above this it has no room left for bursts. In a closed loop
 * the round is invalid too: users wait for the driver then, and nothing is late. */
#define LIMIT_DRIVER_BUSY 0.95
/* Share of time in which a task waited for memory; a machine with enough has 0. */
#define LIMIT_MEMORY_STALL 0.10
/* Of all CPUs: full but for what ticks and wake-ups leave over. */
#define LIMIT_CPU_FULL 0.95
/* Of the side's runnable time spent waiting for a CPU; less is the price of sharing it at all. */
#define LIMIT_CPU_WAIT 0.10
/* Threads that waited for a CPU at a time, on average: on a full machine each wake-up waits, also
 * of a program that has next to nothing to do. */
#define LIMIT_CPU_WAITERS 0.10
/* Of busy time: more than for all else together. */
#define LIMIT_LOCK_SHARE 0.50
/* The same of what is left of busy time without the CPU time in the kernel, since fast storage
 * costs as much there as it makes wait; and so much of all busy time, since that is not all for
 * storage. */
#define LIMIT_DISK_SHARE     0.50
#define LIMIT_DISK_SHARE_ALL 0.25
/* Lock users on a CPU at a time: one holds the lock, and another has just been woken now and then.
 */
#define LIMIT_LOCK_RUNNING 1.5
/* Of busy time: where locks take this much they limit, however many threads run. */
#define LIMIT_LOCK_SHARE_ALONE 0.80
/* Of a thread's life spent waiting for locks, for it to count as one of those that share them. */
#define LIMIT_LOCK_USER 0.10
/* Threads that waited (for locks, or asleep) at a time, on average: a side that is idle most of
 * the time was not limited by what its few busy moments waited for. Storage: half of that, for
 * the reason above. */
#define LIMIT_WAITERS      0.50
#define LIMIT_DISK_WAITERS 0.25
/* Of the window, on a CPU. */
#define LIMIT_THREAD_BUSY 0.95
/* Of an interface whose speed is known. */
#define LIMIT_NETWORK_FULL 0.90
/* Segments sent again of 1,000: at 1 % TCP's rate is set by its losses. */
#define LIMIT_NETWORK_RESENT 10.0
/* That many of them at least: one lost segment is chance. */
#define LIMIT_NETWORK_MIN_RESENT 10
/* Of the threads' time other than waiting for children and for each other. */
#define LIMIT_SLEEP_SHARE 0.90

/*
 * Sets limited_by and limit of each of the round's phases, or both NULL where nothing is
 * evident. @cpus of the machine, RECORD_NONE: not known. Phases use their own CPU, memory, disk,
 * network and driver numbers and, where it is known, their own threads' time. Single threads,
 * faults, retransmits and latencies are known over the whole round only; where it has several
 * phases the sentence says so. Replaces earlier ones; -1 without memory.
 */
int record_limit(struct record_round *round, int64_t cpus);

#endif
