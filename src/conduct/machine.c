/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Formats: proc(5), Documentation/admin-guide/iostats.rst and accounting/psi.rst of the kernel. */
#include "conduct/machine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"

#define NOT_KNOWN  UINT64_MAX
#define MAX_TEXT   (1 << 20)
#define LINK_BYTES (1e6 / 8) /* of a megabit per second */

/* Calls @line for each line of a file. */
static void each_line(const char *path, void (*line)(struct machine *machine, const char *text),
		      struct machine *machine)
{
	char *text = file_read(path, MAX_TEXT, NULL), *next;

	for (char *at = text; at && *at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = 0;
		line(machine, at);
	}
	free(text);
}

static void take_cpu(struct machine *machine, const char *line)
{
	uint64_t t[8] = {0}, total = 0;

	if (strncmp(line, "cpu ", 4))
		return;
	/* user nice system idle iowait irq softirq steal */
	if (sscanf(line + 4,
		   "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 4)
		return;
	for (int i = 0; i < 8; i++)
		total += t[i];
	machine->cpu_total = total;
	machine->cpu_busy = total - t[3] - t[4];
}

static void take_stall(struct machine *machine, const char *line)
{
	const char *total = strstr(line, "total=");

	if (!strncmp(line, "some ", 5) && total)
		machine->memory_stall_us = strtoull(total + 6, NULL, 10);
}

static void take_vmstat(struct machine *machine, const char *line)
{
	if (!strncmp(line, "oom_kill ", 9))
		machine->oom_kills = strtoull(line + 9, NULL, 10);
}

static double field_of(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtod(at + strlen(key), NULL) : NAN;
}

static double memory_used(void)
{
	char *text = file_read("/proc/meminfo", MAX_TEXT, NULL);
	double total = field_of(text, "MemTotal:"), available = field_of(text, "MemAvailable:");

	free(text);
	return total > 0 ? 1 - available / total : NAN;
}

/* Partitions and devices made of others count with what they are made of. */
static bool is_whole_disk(const char *name)
{
	char path[96];

	if (!strncmp(name, "loop", 4) || !strncmp(name, "ram", 3) || !strncmp(name, "dm-", 3) ||
	    !strncmp(name, "md", 2))
		return false;
	snprintf(path, sizeof(path), "/sys/block/%s/queue/rotational", name);
	return !access(path, F_OK);
}

static void take_disk(struct machine *machine, const char *line)
{
	struct machine_disk *disk = &machine->disks[machine->n_disks];
	uint64_t busy, weighted;

	if (machine->n_disks == MACHINE_MAX_DISKS ||
	    sscanf(line, "%*u %*u %31s %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   disk->name, &busy, &weighted) != 3 ||
	    !is_whole_disk(disk->name))
		return;
	disk->busy_ms = busy;
	disk->weighted_ms = weighted;
	machine->n_disks++;
}

static double speed_of(const char *name)
{
	char path[96], *text;
	double megabits;

	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", name);
	text = file_read(path, 64, NULL);
	megabits = text ? strtod(text, NULL) : 0;
	free(text);
	return megabits > 0 ? megabits * LINK_BYTES : 0;
}

static void take_interface(struct machine *machine, const char *line)
{
	struct machine_interface *one = &machine->interfaces[machine->n_interfaces];
	uint64_t rx_errors, rx_drops, tx_errors, tx_drops;

	if (machine->n_interfaces == MACHINE_MAX_INTERFACES ||
	    sscanf(line,
		   " %31[^:]: %" SCNu64 " %*u %" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %" SCNu64
		   " %*u %" SCNu64 " %" SCNu64,
		   one->name, &one->rx_bytes, &rx_errors, &rx_drops, &one->tx_bytes, &tx_errors,
		   &tx_drops) != 7)
		return;
	one->errors = rx_errors + rx_drops + tx_errors + tx_drops;
	one->bytes_per_second = speed_of(one->name);
	machine->n_interfaces++;
}

/* The second "Tcp:" line has the values; the first their names, always in this order. */
static void take_tcp(struct machine *machine, const char *line)
{
	uint64_t resets, sent, resent;

	if (sscanf(line,
		   "Tcp: %*u %*u %*u %*d %*u %*u %*u %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64,
		   &resets, &sent, &resent) != 3)
		return;
	machine->tcp_resets = resets;
	machine->tcp_segments = sent;
	machine->tcp_resent = resent;
}

void machine_read(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->cpu_total = machine->memory_stall_us = machine->oom_kills = machine->tcp_segments =
		NOT_KNOWN;
	each_line("/proc/stat", take_cpu, machine);
	each_line("/proc/pressure/memory", take_stall, machine);
	each_line("/proc/vmstat", take_vmstat, machine);
	each_line("/proc/diskstats", take_disk, machine);
	each_line("/proc/net/dev", take_interface, machine);
	each_line("/proc/net/snmp", take_tcp, machine);
	machine->memory_used = memory_used();
}

int machine_runnable(void)
{
	char *text = file_read("/proc/loadavg", 256, NULL);
	int runnable = -1;

	if (text && sscanf(text, "%*f %*f %*f %d/", &runnable) == 1 && runnable > 0)
		runnable--;
	free(text);
	return runnable;
}

/* Of a device that was made anew under the same name the counters begin anew. */
static uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

static void use_of_disks(struct record_use *use, const struct machine *before,
			 const struct machine *after, double seconds)
{
	for (size_t i = 0; i < after->n_disks; i++) {
		const struct machine_disk *now = &after->disks[i];

		for (size_t j = 0; j < before->n_disks; j++) {
			const struct machine_disk *then = &before->disks[j];
			double busy = (double)grown(then->busy_ms, now->busy_ms) / 1e3 / seconds;

			/* The kernel counts whole milliseconds, by ticks: it can be a little over.
			 */
			if (strcmp(now->name, then->name) || busy < use->utilization)
				continue;
			use->utilization = fmin(busy, 1);
			use->saturation =
				(double)grown(then->weighted_ms, now->weighted_ms) / 1e3 / seconds;
		}
	}
}

static void use_of_network(struct record_use *use, const struct machine *before,
			   const struct machine *after, double seconds)
{
	bool known = after->n_interfaces || after->tcp_segments != NOT_KNOWN;
	uint64_t errors = grown(before->tcp_resets, after->tcp_resets);

	for (size_t i = 0; i < after->n_interfaces; i++) {
		const struct machine_interface *now = &after->interfaces[i];

		for (size_t j = 0; j < before->n_interfaces; j++) {
			const struct machine_interface *then = &before->interfaces[j];
			uint64_t rx = grown(then->rx_bytes, now->rx_bytes);
			uint64_t tx = grown(then->tx_bytes, now->tx_bytes);

			if (strcmp(now->name, then->name))
				continue;
			errors += grown(then->errors, now->errors);
			/* Each direction has the whole speed. */
			if (now->bytes_per_second > 0)
				use->utilization = fmax(use->utilization,
							(double)(rx > tx ? rx : tx) / seconds /
								now->bytes_per_second);
		}
	}
	use->errors = known ? (int64_t)errors : RECORD_NONE;
	if (after->tcp_segments == NOT_KNOWN || before->tcp_segments == NOT_KNOWN)
		return;
	use->saturation = after->tcp_segments > before->tcp_segments
				  ? (double)(after->tcp_resent - before->tcp_resent) * 1e3 /
					    (double)(after->tcp_segments - before->tcp_segments)
				  : 0;
}

void machine_use(struct record_round_phase *phase, const struct machine *before,
		 const struct machine *after, double seconds)
{
	if (seconds <= 0)
		return;
	if (after->cpu_total != NOT_KNOWN && after->cpu_total > before->cpu_total)
		phase->cpu.utilization = (double)(after->cpu_busy - before->cpu_busy) /
					 (double)(after->cpu_total - before->cpu_total);
	phase->memory.utilization = after->memory_used;
	if (after->memory_stall_us != NOT_KNOWN)
		phase->memory.saturation =
			(double)(after->memory_stall_us - before->memory_stall_us) / 1e6 / seconds;
	if (after->oom_kills != NOT_KNOWN)
		phase->memory.errors = (int64_t)(after->oom_kills - before->oom_kills);
	if (after->n_disks)
		phase->disk.utilization = phase->disk.saturation = 0;
	use_of_disks(&phase->disk, before, after, seconds);
	use_of_network(&phase->network, before, after, seconds);
}
