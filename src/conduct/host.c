/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/file.h"

#define GOVERNOR "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"

/* The value of "KEY : value" in /proc/cpuinfo, to be freed; NULL where it is not there. */
static char *cpuinfo(const char *text, const char *key)
{
	const char *line = text;

	while (line && *line) {
		size_t length = strlen(key);

		if (!strncmp(line, key, length) && strspn(line + length, " \t:")) {
			line += length;
			line += strspn(line, " \t:");
			return strndup(line, strcspn(line, "\n"));
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

static char *first_line(const char *path)
{
	char *text = file_read(path, 4096, NULL);

	if (text)
		text[strcspn(text, "\n")] = 0;
	return text;
}

/* A hypervisor shows itself in the CPU's flags; which one it is, the firmware tells. */
static char *virtualization(const char *cpu)
{
	char *flags = cpuinfo(cpu, "flags"), *vendor = NULL;

	if (flags && strstr(flags, "hypervisor")) {
		vendor = first_line("/sys/class/dmi/id/sys_vendor");
		if (!vendor || !*vendor) {
			free(vendor);
			vendor = strdup("virtual machine");
		}
	} else if (flags) {
		vendor = strdup("none");
	}
	free(flags);
	return vendor;
}

void host_describe(struct record *rec)
{
	char *cpu = file_read("/proc/cpuinfo", 4 << 20, NULL);
	struct utsname host;
	struct sysinfo info;

	if (!uname(&host)) {
		rec->host.kernel = strdup(host.release);
		rec->host.hostname = strdup(host.nodename);
	}
	rec->host.cpus = sysconf(_SC_NPROCESSORS_ONLN);
	rec->host.memory_bytes =
		sysinfo(&info) ? RECORD_NONE : (int64_t)info.totalram * info.mem_unit;
	if (cpu) {
		rec->host.cpu_model = cpuinfo(cpu, "model name");
		rec->host.virtualization = virtualization(cpu);
	}
	rec->host.governor = first_line(GOVERNOR);
	free(cpu);
}
