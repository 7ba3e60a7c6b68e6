/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part of run.json that tells of the work, what was done to the target, and what is asked. */
#include "record/record.h"
#include "record/shape_table.h"

#define T struct record_work
static const struct field work_fields[] = {
	INTEGER(lines, "seen at the target's output, each once, of those intended within the "
		       "window"),
	INTEGER(bytes, "of those lines, or of the answers"),
	INTEGER(expected_lines, "what the target should have delivered"),
	INTEGER(lost, "expected and never seen; of messages too"),
	INTEGER(duplicated, "seen again"),
	INTEGER(reordered, "seen after a later line of the same stream; shown, never a fault"),
	INTEGER(malformed, "seen, but cut or altered"),
	INTEGER(foreign, "lines of the tool's own, without a stamp"),
	INTEGER(operations, "of a driver that asks: those answered well, of all that were due "
			    "within the window"),
	INTEGER(errors, "those that were not"),
	INTEGER(dropped,
		"those that were never sent, as every user was busy until the phase ended"),
	INTEGER(completed, "good answers that came in the window, whenever they were due: what a "
			   "rate is of"),
	INTEGER(rows, "what the answers held, in the driver's own terms: rows, messages"),
	INTEGER(rows_expected, "what they should have held"),
	FIELD(FIELD_BOOLEAN, is_fixed, is_fixed,
	      "true: the plan says how much is offered (arrival rates, iterations); false: the "
	      "target's speed does (users that wait for answers), or lines are counted"),
};
SHARED_SHAPE(work_shape, work_fields, true);
#undef T

#define T struct record_latency
static const struct field latency_fields[] = {
	INTEGER(count, "events measured"),
	REAL(min_seconds, "the shortest"),
	REAL(mean_seconds, "arithmetic mean"),
	REAL(p50_seconds, "half took no longer"),
	REAL(p90_seconds, "90 % took no longer"),
	REAL(p95_seconds, "95 % took no longer"),
	REAL(p99_seconds, "99 % took no longer"),
	REAL(p999_seconds, "99.9 % took no longer"),
	REAL(max_seconds, "the longest"),
	COUNTED(FIELD_REALS, bucket_upper_seconds, bucket_upper_seconds, n_buckets, NULL,
		"its histogram: upper ends of the buckets that are not empty, each at most 1/64 "
		"wide; of a scraped one all that it has, and what is longer than the last is in "
		"`count` only"),
	COUNTED(FIELD_REALS, bucket_counts, bucket_counts, n_buckets, NULL,
		"how many values lie in each of them"),
};
SHARED_SHAPE(latency_shape, latency_fields, true);
#undef T

#define T struct record_load
static const struct field load_fields[] = {
	INTEGER(operations, "answered well"),
	INTEGER(errors, "not answered well"),
	INTEGER(dropped, "due and never sent"),
	REAL(late_seconds_max, "how late one went out by the driver's own fault"),
	REAL(rate_per_second, "answered well, over the time"),
	OBJECT(response, latency_shape, "from the intended moment; of good answers"),
	OBJECT(service, latency_shape, "from the moment at which it was sent; of good answers"),
};
SHARED_SHAPE(load_shape, load_fields, false);
#undef T

#define T struct record_producer
static const struct field producer_fields[] = {
	STRING(name, "of the producer"),
	OBJECT(load, load_shape, "what it did"),
};
SHARED_SHAPE(producer_shape, producer_fields, false);
#undef T

#define T struct record_error
static const struct field error_fields[] = {
	STRING(kind, "such as \"status 503\", \"refused\", \"timeout\"; \"other\" for all beyond "
		     "the bound"),
	INTEGER(count, "of them"),
};
SHARED_SHAPE(error_shape, error_fields, true);
#undef T

#define T struct record_count
static const struct field count_fields[] = {
	STRING(name, "such as \"status 200\" or \"reconnects\""),
	INTEGER(count, "of them"),
};
SHARED_SHAPE(count_shape, count_fields, true);
#undef T

#define T struct record_kind
static const struct field kind_fields[] = {
	STRING(name, "of the kind; its times are the latency `response NAME`"),
	INTEGER(operations, "answered well"),
	INTEGER(errors, "not answered well"),
	INTEGER(bytes, "of the answers"),
	INTEGER(rows, "in the driver's own terms"),
};
SHARED_SHAPE(kind_shape, kind_fields, true);
#undef T

#define T struct record_fault
static const struct field fault_fields[] = {
	STRING(name, "as in the scenario"),
	STRING(kind, "\"signal\", \"cpu\", \"memory\", \"io\", \"connections\" or \"proxy\""),
	REAL(applied_at, "seconds from the opening of the window; null where it never was"),
	REAL(ended_at, "seconds from the opening of the window"),
	FIELD(FIELD_BOOLEAN, verified, verified, "was it seen to have taken effect?"),
	FIELD(FIELD_BOOLEAN, undone, undone, "was what it did seen to be gone?"),
	STRING(error, "what went wrong with it; null: nothing"),
};
SHARED_SHAPE(fault_shape, fault_fields, true);
#undef T

#define T struct record_recovery
static const struct field recovery_fields[] = {
	STRING(fault, "its name"),
	REAL(at_seconds, "when it began, from the opening of the window"),
	REAL(last_good_seconds, "the last good answer before the outage, from the opening of the "
				"window; null without one"),
	REAL(first_good_seconds, "the first good answer after; null where none came"),
	REAL(outage_seconds, "between the two; 0 where no time without a good answer was longer "
			     "than 1.5 times the longest in the 10 s before"),
	REAL(normal_p95_seconds, "p95 of the response before the fault"),
	REAL(p95_normal_after_seconds,
	     "from the fault's begin until p95 was back there; null where it did not come back"),
};
SHARED_SHAPE(recovery_shape, recovery_fields, true);
#undef T

#define T struct record_side_metric
static const struct field side_metric_fields[] = {
	STRING(name, "as the scenario or the driver calls it"),
	REAL(value, "in its own unit"),
};
SHARED_SHAPE(side_metric_shape, side_metric_fields, true);
#undef T

#define T struct record_endurance
static const struct field endurance_fields[] = {
	STRING(name, "\"memory\", \"throughput\", \"response\" or \"errors\""),
	STRING(verdict,
	       "\"steady\", \"leak\" (memory), \"drift\" (the others), \"inconclusive\", or "
	       "\"unknown\" where there is not enough data"),
	STRING(unit, "\"bytes/h\" of memory; \"\" of the others, which are shares"),
	REAL(value, "slope of the resident set; change from the first to the last tenth"),
	REAL(ci_low, "lower end of its 95 % interval"),
	REAL(ci_high, "upper end"),
	STRING(text, "one sentence with its evidence"),
};
SHARED_SHAPE(endurance_shape, endurance_fields, true);
#undef T

#define T struct record_threshold
static const struct field threshold_fields[] = {
	OF_SIDE,
	STRING(metric, "what it is on"),
	STRING(expression, "what must hold, in k6's words"),
	STRING(level, "null or \"critical\": the run fails where it does not hold; \"target\", "
		      "\"good\", \"acceptable\" and \"poor\" are only shown"),
	STRING(unit, "of the value: \"s\", \"bytes\" or \"\""),
	REAL(value, "what was measured: of latencies over all rounds, of other numbers the worst "
		    "round's"),
	FIELD(FIELD_BOOLEAN, passed, passed, "does it hold?"),
	STRING(text, "how the value came about, where that needs saying"),
};
SHARED_SHAPE(threshold_shape, threshold_fields, true);
#undef T
