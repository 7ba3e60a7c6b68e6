/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connection exhaustion: `perfbpf idle` holds connections to an address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault/internal.h"
#include "util/clock.h"

struct connections {
	struct helper helper;
	char *address;
	uint64_t established, refused, lost;
};

static void hear(void *context, const json_t *message)
{
	struct fault_run *run = context;
	struct connections *own = run->own;
	uint64_t peak = (uint64_t)json_integer_value(json_object_get(message, "peak"));

	own->established = (uint64_t)json_integer_value(json_object_get(message, "established"));
	own->refused = (uint64_t)json_integer_value(json_object_get(message, "refused"));
	own->lost = (uint64_t)json_integer_value(json_object_get(message, "lost"));
	if (peak > run->result.affected)
		run->result.affected = peak;
}

static int read_helper(struct fault_run *run, struct error *err)
{
	struct connections *own = run->own;

	if (own->helper.control.fd >= 0)
		lines_read(&own->helper.control, hear, run);
	if (own->helper.control.fd >= 0 && !own->helper.control.is_ended)
		return 0;
	helper_end(&own->helper);
	return error_set(err, EXIT_CODE_FAILED,
			 "fault '%s': what holds the connections has ended (was it killed, or may "
			 "it not open as many files? see ulimit -n)",
			 run->fault->name);
}

static int apply(struct fault_run *run, struct error *err)
{
	struct connections *own = run->own;
	char count[16];
	char *argv[] = {
		run->set->self, (char *)"idle",         (char *)"--to", NULL, (char *)"--count",
		count,          (char *)"--control-fd", (char *)"3",    NULL};

	own->address = fault_fill(run, run->fault->address, err);
	if (!own->address)
		return -1;
	argv[3] = own->address;
	snprintf(count, sizeof(count), "%d", run->fault->count);
	helper_init(&own->helper, run->set);
	if (helper_start(&own->helper, run->fault->name, argv, HELPER_CONTROL, err))
		return -1;
	run->result.applied_at_ns = clock_now_ns();
	return 0;
}

static int is_applied(struct fault_run *run, struct error *err)
{
	if (read_helper(run, err))
		return -1;
	return run->result.affected >= (uint64_t)run->fault->count ? FAULT_DONE : FAULT_PENDING;
}

static int watch(struct fault_run *run, struct error *err)
{
	return read_helper(run, err);
}

static int undo(struct fault_run *run, struct error *err)
{
	struct connections *own = run->own;

	helper_end(&own->helper);
	if (run->result.verified || !run->result.applied_at_ns)
		return 0;
	return error_set(err, EXIT_CODE_FAILED,
			 "fault '%s': %llu of %d connections were there (%llu refused, %llu "
			 "closed)",
			 run->fault->name, (unsigned long long)run->result.affected,
			 run->fault->count, (unsigned long long)own->refused,
			 (unsigned long long)own->lost);
}

static int is_undone(struct fault_run *run, struct error *err)
{
	struct connections *own = run->own;

	(void)err;
	if (!helper_is_gone(&own->helper))
		return FAULT_PENDING;
	if (run->result.applied_at_ns)
		run->result.ended_at_ns = clock_now_ns();
	return FAULT_DONE;
}

static void clear(struct fault_run *run)
{
	struct connections *own = run->own;

	helper_close(&own->helper);
	free(own->address);
}

const struct fault_ops fault_connections = {
	.size = sizeof(struct connections),
	.apply = apply,
	.is_applied = is_applied,
	.apply_timeout_ns = 10 * NSEC_PER_SEC,
	.watch = watch,
	.undo = undo,
	.is_undone = is_undone,
	.undo_timeout_ns = 6 * NSEC_PER_SEC,
	.clear = clear,
};
