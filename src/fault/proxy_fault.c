/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Faults of a proxy: it is told the effect, and tells whom it met. */
#include <string.h>

#include "fault/proxies.h"
#include "util/clock.h"

struct proxy_fault {
	struct proxy_run *proxy;
	bool is_told, is_applied, is_undone;
	char problem[200]; /* that the proxy told of; empty: none */
};

void fault_proxy_hear(struct fault_run *run, const json_t *message)
{
	const char *event = json_string_value(json_object_get(message, "event"));
	uint64_t at_ns = (uint64_t)json_integer_value(json_object_get(message, "at_ns"));
	struct proxy_fault *own = run->own;

	if (event && !strcmp(event, "applied")) {
		own->is_applied = true;
		run->result.applied_at_ns = at_ns;
	} else if (event && !strcmp(event, "undone")) {
		own->is_undone = true;
		if (run->result.applied_at_ns)
			run->result.ended_at_ns = at_ns;
		run->result.met = (uint64_t)json_integer_value(json_object_get(message, "met"));
		run->result.affected =
			(uint64_t)json_integer_value(json_object_get(message, "affected"));
	} else if (event && !strcmp(event, "error")) {
		const char *text = json_string_value(json_object_get(message, "text"));

		snprintf(own->problem, sizeof(own->problem), "%s", text ? text : "no reason given");
	}
}

static int check_proxy(const struct fault_run *run, struct error *err)
{
	const struct proxy_fault *own = run->own;

	if (own->problem[0])
		return error_set(err, EXIT_CODE_FAILED, "fault '%s': proxy '%s': %s",
				 run->fault->name, run->fault->proxy, own->problem);
	if (own->proxy->helper.control.fd < 0)
		return error_set(err, EXIT_CODE_FAILED, "fault '%s': proxy '%s' has ended",
				 run->fault->name, run->fault->proxy);
	return 0;
}

static json_t *effect_message(const struct fault_run *run)
{
	const struct fault *fault = run->fault;
	/* Its own draws, the same in each round. */
	uint64_t seed = run->set->options.seed + (uint64_t)(run - run->set->runs);

	return json_pack("{s:s, s:I, s:I, s:f, s:I}", "effect", proxy_effect_name(fault->effect),
			 "delay_ns", (json_int_t)fault->delay_ns, "bytes_per_second",
			 (json_int_t)fault->bytes_per_second, "probability", fault->probability,
			 "seed", (json_int_t)seed);
}

/* The fault before may have ended at this very moment: its proxy is told when it has said so. */
static int tell_effect(struct fault_run *run, struct error *err)
{
	struct proxy_fault *own = run->own;

	if (own->is_told || own->proxy->user)
		return 0;
	own->proxy->user = run;
	own->is_told = true;
	if (lines_say(&own->proxy->helper.control, effect_message(run)))
		return error_set(err, EXIT_CODE_FAILED, "fault '%s': proxy '%s' does not listen",
				 run->fault->name, run->fault->proxy);
	return 0;
}

/* The proxy's process is in the journal, and with that all of its effects. */
static int apply(struct fault_run *run, struct error *err)
{
	struct proxy_fault *own = run->own;

	own->proxy = proxies_find(run->set, run->fault->proxy);
	return check_proxy(run, err) ? -1 : tell_effect(run, err);
}

static int is_applied(struct fault_run *run, struct error *err)
{
	const struct proxy_fault *own = run->own;

	if (check_proxy(run, err) || tell_effect(run, err))
		return -1;
	return own->is_applied ? FAULT_DONE : FAULT_PENDING;
}

static int undo(struct fault_run *run, struct error *err)
{
	struct proxy_fault *own = run->own;

	(void)err;
	/* One that has ended has no effect either. */
	if (own->proxy->user != run || own->proxy->helper.control.fd < 0)
		own->is_undone = true;
	else
		lines_say(&own->proxy->helper.control, json_pack("{s:s}", "effect", "none"));
	return 0;
}

static int is_undone(struct fault_run *run, struct error *err)
{
	struct proxy_fault *own = run->own;

	if (!own->is_undone && own->proxy->helper.control.fd >= 0)
		return FAULT_PENDING;
	if (own->proxy->user == run)
		own->proxy->user = NULL;
	if (run->result.applied_at_ns && !run->result.ended_at_ns)
		run->result.ended_at_ns = clock_now_ns();
	if (!run->result.verified || run->result.affected)
		return FAULT_DONE;
	/* It was there, but nothing came by. */
	run->result.verified = false;
	run->result.verified_at_ns = 0;
	run->result.undone = true;
	return error_set(err, EXIT_CODE_FAILED,
			 "fault '%s' met nothing: %llu answers or connections passed proxy '%s' "
			 "while it lasted, and none was drawn",
			 run->fault->name, (unsigned long long)run->result.met, run->fault->proxy);
}

const struct fault_ops fault_proxy = {
	.size = sizeof(struct proxy_fault),
	.apply = apply,
	.is_applied = is_applied,
	.apply_timeout_ns = 5 * NSEC_PER_SEC,
	.undo = undo,
	.is_undone = is_undone,
	.undo_timeout_ns = 5 * NSEC_PER_SEC,
};
