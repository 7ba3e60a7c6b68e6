/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "conduct/scrape.h"
#include "drive/driver.h"
#include "fault/recover.h"
#include "probe/capability.h"
#include "probe/log.h"
#include "probe/probe.h"
#include "util/clock.h"

/* Verified instructions that no program may reach: the kernel's own bound is a million, and what
 * is far from it loads quickly and stays loadable by an older verifier. */
#define VERIFIER_BUDGET 50000

struct doctor_options {
	bool verifier;
};

static int set_verifier(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct doctor_options *)state)->verifier = true;
	return 0;
}

static const struct option_spec specs[] = {
	{"verifier", 0, NULL,
	 "how many instructions of each program the kernel's verifier looks at; fails above the "
	 "budget",
	 set_verifier},
};

static const struct option_table table = {
	.usage = "doctor [--verifier]",
	.specs = specs,
	.n_specs = sizeof(specs) / sizeof(specs[0]),
	.summary = "Tries what this kernel and these privileges can do, and says what to do about "
		   "the rest.",
	.examples = "  sudo perfbpf doctor\n"
		    "  sudo perfbpf doctor --verifier\n",
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

static int print_verifier(const struct probe *probe, struct error *err)
{
	const struct probe_program_cost *largest;
	struct probe_cost cost;

	probe_cost(probe, &cost);
	largest = &cost.programs[0];
	printf("\nInstructions verified, of %d that a program may need:\n", VERIFIER_BUDGET);
	for (size_t i = 0; i < cost.n_programs; i++) {
		printf("  %-24s %6u\n", cost.programs[i].name, cost.programs[i].verified);
		if (cost.programs[i].verified > largest->verified)
			largest = &cost.programs[i];
	}
	if (!largest->verified)
		printf("This kernel does not tell (Linux 5.16 does).\n");
	if (largest->verified <= VERIFIER_BUDGET)
		return 0;
	return error_set(err, EXIT_CODE_FAILED,
			 "program '%s' needs %u verified instructions, more than the budget of %d",
			 largest->name, largest->verified, VERIFIER_BUDGET);
}

/* What is not of the kernel: libraries that this build, or this host, is without. */
static void print_absent(const char *name, const char *gives, const char *why, bool colour)
{
	if (why)
		printf("  %s%-8s%s%-36s%s\n          %s\n", colour ? "\033[33m" : "", "absent",
		       colour ? "\033[0m" : "", name, gives, why);
}

static void print_build(bool colour)
{
	char name[64];

	for (size_t i = 0; driver_absent_at(i); i++) {
		snprintf(name, sizeof(name), "driver %s", driver_absent_at(i));
		print_absent(name, "scenarios with this driver", driver_absent(driver_absent_at(i)),
			     colour);
	}
	print_absent("scrape", "metrics of a target's own, by HTTP", scrape_absent(), colour);
}

/* Loads and attaches everything, as a run would. */
static int try_all(bool verifier, struct error *err)
{
	struct probe_options options = {.stats = true,
					.requests = true,
					.time = true,
					.io = true,
					.syscalls = true,
					.payload = true,
					.oncpu = true,
					.offcpu = true,
					.must_sample = true,
					.frequency = PROBE_FREQUENCY,
					.unwind_bytes = PROBE_UNWIND_BYTES};
	uint64_t start = clock_now_ns();
	int failed;
	struct probe *probe = probe_open(&options, err);

	if (!probe) {
		if (probe_log_verifier()[0])
			printf("\nThe kernel's verifier said at last:\n%s\n", probe_log_verifier());
		return -1;
	}
	printf("\nAll programs load and attach (%.0f ms). 'perfbpf run' works here.\n",
	       (double)(clock_now_ns() - start) / 1e6);
	failed = verifier ? print_verifier(probe, err) : 0;
	probe_free(probe);
	return failed;
}

static void print_left(void *context, const char *text)
{
	(void)context;
	printf("  left    %s\n", text);
}

/* Only what there is to say something about. */
static void print_faults(void)
{
	struct recovery left;
	int failed = faults_look(NULL, print_left, NULL, &left);

	if (failed)
		printf("\nThe journals of faults cannot be read: %s\n", strerror(-failed));
	if (left.left)
		printf("\n%zu faults were left by a perfbpf that was killed; the next 'perfbpf "
		       "run' undoes them.\n",
		       left.left);
	if (left.live)
		printf("\n%zu faults are applied by a perfbpf that runs now.\n", left.live);
}

static int doctor(int argc, char **argv)
{
	struct doctor_options options = {.verifier = false};
	const struct capability *capabilities;
	bool colour = stream_has_colour(stdout);
	struct utsname host;
	struct error err;
	size_t n;

	switch (options_parse(&table, argc, argv, &options, &err)) {
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
	print_build(colour);
	print_faults();
	fflush(stdout);
	return try_all(options.verifier, &err) ? cmd_fail(&err) : EXIT_CODE_OK;
}

const struct subcommand cmd_doctor = {
	.name = "doctor",
	.summary = "what this kernel and these privileges can do",
	.run = doctor,
};
