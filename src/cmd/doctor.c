/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "probe/capability.h"
#include "probe/log.h"
#include "probe/probe.h"
#include "util/clock.h"

static const struct option_table table = {
	.usage = "doctor",
	.summary = "Tries what this kernel and these privileges can do, and says what to do about "
		   "the rest.",
	.examples = "  sudo perfbpf doctor\n",
};

static void print_one(const struct capability *capability, bool works, const char *why, bool colour)
{
	const char *word = works ? "ok" : capability->required ? "missing" : "absent";
	const char *colour_of = works ? "\033[32m" : capability->required ? "\033[31m" : "\033[33m";

	printf("  %s%-8s%s%-36s%s\n", colour ? colour_of : "", word, colour ? "\033[0m" : "",
	       capability->name, capability->gives);
	if (works)
		return;
	printf("          %s; without it: %s; remedy: %s\n", why, capability->replaced,
	       capability_has_rights() ? capability->remedy
				       : "run perfbpf with sudo, then doctor tells");
}

/* Loads and attaches everything, as a run would. */
static int try_all(struct error *err)
{
	struct probe_options options = {.stats = true,
					.requests = true,
					.time = true,
					.io = true,
					.syscalls = true,
					.payload = true};
	uint64_t start = clock_now_ns();
	struct probe *probe = probe_open(&options, err);

	if (!probe)
		return -1;
	printf("\nAll programs load and attach (%.0f ms). 'perfbpf run' works here.\n",
	       (double)(clock_now_ns() - start) / 1e6);
	probe_free(probe);
	return 0;
}

static int doctor(int argc, char **argv)
{
	const struct capability *capabilities;
	bool colour = stream_has_colour(stdout);
	struct utsname host;
	struct error err;
	size_t n;

	switch (options_parse(&table, argc, argv, NULL, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	default:
		break;
	}
	probe_log_start();
	uname(&host);
	printf("Linux %s, %s\n\n", host.release, host.machine);
	capabilities = capability_table(&n);
	for (size_t i = 0; i < n; i++) {
		char why[160] = "";

		print_one(&capabilities[i], capabilities[i].probe(why, sizeof(why)), why, colour);
	}
	fflush(stdout);
	return try_all(&err) ? cmd_fail(&err) : EXIT_CODE_OK;
}

const struct subcommand cmd_doctor = {
	.name = "doctor",
	.summary = "what this kernel and these privileges can do",
	.run = doctor,
};
