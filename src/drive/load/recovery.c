/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/load/recovery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drive/latency_json.h"
#include "perfbpf.h"
#include "util/clock.h"

#define SLOT_NS        (100 * NSEC_PER_MSEC)
#define SLOTS          100 /* that are remembered: what normal is known from */
#define WINDOW_SLOTS   10  /* that are looked at together, unless they have too few answers */
#define WINDOW_ANSWERS 100 /* with so many, fewer slots will do */
#define ENOUGH_ANSWERS 20  /* p95 of fewer is one answer's luck */
#define SILENT_ANSWERS 10  /* that were to be expected make a silence */
#define SETTLED_SLOTS  100
/* A quarter of the buckets of struct histogram: 6 % wide, which is fine for "1.5 times". */
#define BUCKET_SHIFT 2
#define BUCKETS      (PB_HIST_BUCKETS >> BUCKET_SHIFT)
#define FOR_EVER     INFINITY

struct slot {
	uint64_t index; /* of the time since boot */
	uint32_t good, errors;
	uint64_t gap_ns;           /* the longest without a good answer that ended in it */
	uint32_t buckets[BUCKETS]; /* of the good ones */
};

struct fault_state {
	char *name;
	uint64_t at_ns;
	uint64_t gap_from_ns, gap_to_ns; /* the longest; from 0: nothing was good before */
	double normal_p95_ns;            /* NAN: not known */
	double normal_slot_answers;      /* on average */
	uint64_t normal_gap_ns;          /* the longest in the time that normal is known from */
	uint64_t last_bad_slot;          /* 0: none */
	uint64_t judged_slot;            /* the last that was looked at */
	bool has_ended, is_settled;
};

struct recovery {
	uint64_t now_slot; /* 0: no answer yet */
	uint64_t last_good_ns, last_ns;
	size_t n_faults;
	unsigned int left_out;
	struct fault_state faults[RECOVERY_FAULTS_MAX];
	struct slot slots[SLOTS];
};

enum verdict { NORMAL, NOT_NORMAL, UNKNOWN };

/* Several slots added up. */
struct sum {
	uint64_t good, errors;
	uint64_t buckets[BUCKETS];
};

struct recovery *recovery_new(void)
{
	return calloc(1, sizeof(struct recovery));
}

void recovery_free(struct recovery *recovery)
{
	if (!recovery)
		return;
	for (size_t i = 0; i < recovery->n_faults; i++)
		free(recovery->faults[i].name);
	free(recovery);
}

/* Slot @index as it is now; NULL: no answer came in it, or it is forgotten. */
static const struct slot *slot_at(const struct recovery *recovery, uint64_t index)
{
	const struct slot *slot = &recovery->slots[index % SLOTS];

	return slot->index == index && slot->good + slot->errors ? slot : NULL;
}

static void add_slot(struct sum *sum, const struct slot *slot)
{
	if (!slot)
		return;
	sum->good += slot->good;
	sum->errors += slot->errors;
	for (size_t i = 0; slot->good && i < BUCKETS; i++)
		sum->buckets[i] += slot->buckets[i];
}

static double p95_ns(const struct sum *sum)
{
	double rank = ceil(0.95 * (double)(sum->good + sum->errors));
	uint64_t below = 0;

	for (uint32_t i = 0; i < BUCKETS; i++) {
		below += sum->buckets[i];
		if ((double)below >= rank)
			return (double)pb_hist_lower(i << BUCKET_SHIFT);
	}
	return FOR_EVER;
}

/* Has the slot itself an answer that is not normal? */
static bool has_part(const struct slot *slot, double bound_ns)
{
	if (!slot || slot->errors)
		return slot;
	for (uint32_t i = 0; i < BUCKETS; i++)
		if (slot->buckets[i] && (double)pb_hist_lower(i << BUCKET_SHIFT) > bound_ns)
			return true;
	return false;
}

static bool wants_more(uint64_t n_slots, const struct sum *sum)
{
	uint64_t answers = sum->good + sum->errors;

	return answers < ENOUGH_ANSWERS || (n_slots < WINDOW_SLOTS && answers < WINDOW_ANSWERS);
}

/* Is slot @index, with those before it that belong to it, as it was before @fault? */
static enum verdict judge(const struct recovery *recovery, const struct fault_state *fault,
			  uint64_t index)
{
	uint64_t first = fault->at_ns / SLOT_NS, n = 0, silent = 0;
	double bound_ns = fault->normal_p95_ns * RECOVERY_NORMAL;
	struct sum sum = {0};

	while (n < SLOTS && wants_more(n, &sum) && index - n >= first) {
		add_slot(&sum, slot_at(recovery, index - n++));
		if (!sum.good && !sum.errors)
			silent = n;
	}
	/* Silence means something where answers were to be expected. */
	if (fault->normal_slot_answers * (double)silent >= SILENT_ANSWERS)
		return NOT_NORMAL;
	if (sum.good + sum.errors < ENOUGH_ANSWERS)
		return UNKNOWN;
	if (p95_ns(&sum) <= bound_ns)
		return NORMAL;
	return has_part(slot_at(recovery, index), bound_ns) ? NOT_NORMAL : UNKNOWN;
}

/* Slot @index is over. */
static void judge_slot(struct recovery *recovery, uint64_t index)
{
	for (size_t i = 0; i < recovery->n_faults; i++) {
		struct fault_state *fault = &recovery->faults[i];
		uint64_t since =
			fault->last_bad_slot ? fault->last_bad_slot : fault->at_ns / SLOT_NS;
		enum verdict verdict;

		if (fault->is_settled || index < fault->at_ns / SLOT_NS)
			continue;
		verdict = isnan(fault->normal_p95_ns) ? NORMAL : judge(recovery, fault, index);
		if (verdict != UNKNOWN)
			fault->judged_slot = index;
		if (verdict == NOT_NORMAL)
			fault->last_bad_slot = index;
		else if (fault->has_ended && index > since + SETTLED_SLOTS)
			fault->is_settled = true;
	}
}

static void advance(struct recovery *recovery, uint64_t index)
{
	/* Of a long silence its beginning and its end tell all. */
	if (recovery->now_slot && index > recovery->now_slot + 2 * SLOTS) {
		for (size_t i = 0; i < SLOTS; i++)
			judge_slot(recovery, recovery->now_slot + i);
		recovery->now_slot = index - SLOTS;
	}
	while (recovery->now_slot && recovery->now_slot < index)
		judge_slot(recovery, recovery->now_slot++);
	recovery->now_slot = index;
}

static void note_gap(struct recovery *recovery, uint64_t good_ns)
{
	for (size_t i = 0; i < recovery->n_faults; i++) {
		struct fault_state *fault = &recovery->faults[i];
		uint64_t from_ns = recovery->last_good_ns ? recovery->last_good_ns : fault->at_ns;

		if (fault->is_settled || good_ns <= fault->at_ns || good_ns < from_ns)
			continue;
		if (fault->gap_to_ns &&
		    good_ns - from_ns <= fault->gap_to_ns - (fault->gap_from_ns ? fault->gap_from_ns
										: fault->at_ns))
			continue;
		fault->gap_from_ns = recovery->last_good_ns;
		fault->gap_to_ns = good_ns;
	}
}

void recovery_add(struct recovery *recovery, uint64_t ended_ns, uint64_t response_ns, bool is_good)
{
	uint64_t index = ended_ns / SLOT_NS;
	struct slot *slot;

	/* What is told late counts with the present. */
	if (index < recovery->now_slot)
		index = recovery->now_slot;
	if (index > recovery->now_slot)
		advance(recovery, index);
	slot = &recovery->slots[index % SLOTS];
	if (slot->index != index) {
		memset(slot, 0, sizeof(*slot));
		slot->index = index;
	}
	if (is_good) {
		slot->good++;
		slot->buckets[pb_hist_index(response_ns) >> BUCKET_SHIFT]++;
		note_gap(recovery, ended_ns);
		if (recovery->last_good_ns && ended_ns > recovery->last_good_ns + slot->gap_ns)
			slot->gap_ns = ended_ns - recovery->last_good_ns;
		if (ended_ns > recovery->last_good_ns)
			recovery->last_good_ns = ended_ns;
	} else {
		slot->errors++;
	}
	if (ended_ns > recovery->last_ns)
		recovery->last_ns = ended_ns;
}

static void take_normal(const struct recovery *recovery, struct fault_state *fault)
{
	uint64_t first = fault->at_ns / SLOT_NS, n = 0;
	struct sum sum = {0};
	double p95;

	if (recovery->last_good_ns && fault->at_ns > recovery->last_good_ns)
		fault->normal_gap_ns = fault->at_ns - recovery->last_good_ns;
	for (uint64_t i = 0; i < SLOTS && i <= first; i++) {
		const struct slot *slot = slot_at(recovery, first - i);

		if (slot && slot->gap_ns > fault->normal_gap_ns)
			fault->normal_gap_ns = slot->gap_ns;
	}
	for (uint64_t i = 1; i < SLOTS && i <= first; i++) {
		const struct slot *slot = slot_at(recovery, first - i);

		add_slot(&sum, slot);
		if (slot)
			n = i;
	}
	p95 = p95_ns(&sum);
	if (sum.good < ENOUGH_ANSWERS || p95 == FOR_EVER)
		return;
	fault->normal_p95_ns = p95;
	fault->normal_slot_answers = (double)sum.good / (double)n;
}

void recovery_fault(struct recovery *recovery, const char *name, uint64_t at_ns, bool ended)
{
	struct fault_state *fault;

	if (ended) {
		for (size_t i = recovery->n_faults; i > 0; i--) {
			fault = &recovery->faults[i - 1];
			if (fault->has_ended || strcmp(fault->name, name) != 0)
				continue;
			fault->has_ended = true;
			return;
		}
		return;
	}
	fault = &recovery->faults[recovery->n_faults];
	if (recovery->n_faults == RECOVERY_FAULTS_MAX) {
		recovery->left_out++;
		return;
	}
	/* What goes wrong from now on is not the doing of those that have ended. */
	for (size_t i = 0; i < recovery->n_faults; i++)
		recovery->faults[i].is_settled |= recovery->faults[i].has_ended;
	*fault = (struct fault_state){.name = strdup(name), .at_ns = at_ns, .normal_p95_ns = NAN};
	if (!fault->name) {
		recovery->left_out++;
		return;
	}
	take_normal(recovery, fault);
	recovery->n_faults++;
}

unsigned int recovery_faults_left_out(const struct recovery *recovery)
{
	return recovery->left_out;
}

static double seconds_from(uint64_t at_ns, uint64_t origin_ns)
{
	return at_ns >= origin_ns ? (double)(at_ns - origin_ns) / 1e9
				  : -(double)(origin_ns - at_ns) / 1e9;
}

/* Seconds from the fault until all was normal; NAN: not known, or it was not. */
static double normal_after(const struct fault_state *fault)
{
	uint64_t since = fault->last_bad_slot ? fault->last_bad_slot : fault->at_ns / SLOT_NS;

	if (isnan(fault->normal_p95_ns) || fault->judged_slot < since + WINDOW_SLOTS)
		return NAN;
	if (!fault->last_bad_slot)
		return 0;
	return seconds_from((fault->last_bad_slot + 1) * SLOT_NS, fault->at_ns);
}

/* Is a time without a good answer longer than what is normal? */
static bool is_outage(const struct fault_state *fault, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t length_ns = to_ns - (from_ns ? from_ns : fault->at_ns);

	return (double)length_ns > RECOVERY_NORMAL * (double)fault->normal_gap_ns;
}

static json_t *fault_report(const struct recovery *recovery, const struct fault_state *fault,
			    uint64_t origin_ns)
{
	uint64_t from_ns = fault->gap_from_ns, to_ns = fault->gap_to_ns;
	double last_good = NAN, first_good = NAN, outage = NAN;

	/* At the end nothing was good for longer than that. */
	if (!fault->is_settled && recovery->last_good_ns &&
	    is_outage(fault, recovery->last_good_ns, recovery->last_ns) &&
	    (!to_ns || recovery->last_ns - recovery->last_good_ns >
			       to_ns - (from_ns ? from_ns : fault->at_ns))) {
		from_ns = recovery->last_good_ns;
		to_ns = 0;
	} else if (to_ns && !is_outage(fault, from_ns, to_ns)) {
		from_ns = to_ns = 0;
		outage = 0;
	}
	if (from_ns)
		last_good = seconds_from(from_ns, origin_ns);
	if (to_ns)
		first_good = seconds_from(to_ns, origin_ns);
	if (to_ns)
		outage = seconds_from(to_ns, from_ns ? from_ns : fault->at_ns);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "fault", fault->name, "at_seconds",
			 number_json(seconds_from(fault->at_ns, origin_ns)), "last_good_seconds",
			 number_json(last_good), "first_good_seconds", number_json(first_good),
			 "outage_seconds", number_json(outage), "normal_p95_seconds",
			 number_json(fault->normal_p95_ns / 1e9), "p95_normal_after_seconds",
			 number_json(normal_after(fault)));
}

json_t *recovery_report(const struct recovery *recovery, uint64_t origin_ns)
{
	json_t *json = json_array();

	for (size_t i = 0; i < recovery->n_faults; i++)
		json_array_append_new(json,
				      fault_report(recovery, &recovery->faults[i], origin_ns));
	return json;
}
