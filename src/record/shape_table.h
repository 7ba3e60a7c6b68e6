/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the rows of the tables of run.json are written with. Used by shape*.c only. */
#ifndef PERFBPF_RECORD_SHAPE_TABLE_H
#define PERFBPF_RECORD_SHAPE_TABLE_H

#include "record/shape.h"

/* Each table defines T as the struct that its offsets are in. */
#define FIELD(kind_, key_, member_, text_)                                                         \
	{                                                                                          \
		.key = #key_, .kind = kind_, .offset = offsetof(T, member_),                       \
		.aux_offset = FIELD_NO_OFFSET, .text = text_                                       \
	}
#define COUNTED(kind_, key_, member_, count_, shape_, text_)                                       \
	{                                                                                          \
		.key = #key_, .kind = kind_, .offset = offsetof(T, member_),                       \
		.aux_offset = offsetof(T, count_), .shape = shape_, .text = text_                  \
	}
/* Without its side a row is of nobody: such a record cannot be read. */
#define OF_SIDE                                                                                    \
	{                                                                                          \
		.key = "side", .kind = FIELD_SIDE, .required = true, .offset = offsetof(T, side),  \
		.aux_offset = FIELD_NO_OFFSET, .text = "\"A\" or \"B\""                            \
	}
#define STRING(name, text)      FIELD(FIELD_STRING, name, name, text)
#define REAL(name, text)        FIELD(FIELD_REAL, name, name, text)
#define INTEGER(name, text)     FIELD(FIELD_INTEGER, name, name, text)
#define STRINGS(name, text)     COUNTED(FIELD_STRINGS, name, name, n_##name, NULL, text)
#define REALS(name, text)       COUNTED(FIELD_REALS, name, name, n, NULL, text)
#define LIST(name, shape, text) COUNTED(FIELD_LIST, name, name, n_##name, &shape, text)
#define MAP(name, shape, text)  COUNTED(FIELD_MAP, name, name, n_##name, &shape, text)
#define OBJECT_AT(key_, offset_, aux_, shape_, text_)                                              \
	{                                                                                          \
		.key = #key_, .kind = FIELD_OBJECT, .offset = offset_, .aux_offset = aux_,         \
		.shape = &shape_, .text = text_                                                    \
	}
#define OBJECT(name, shape, text) OBJECT_AT(name, offsetof(T, name), FIELD_NO_OFFSET, shape, text)
#define OPTIONAL(name, shape, text)                                                                \
	OBJECT_AT(name, offsetof(T, name), offsetof(T, has_##name), shape, text)
/* Keys that JSON groups and the struct does not: their offsets are in the outer struct. */
#define GROUP(key, shape, text) OBJECT_AT(key, 0, FIELD_NO_OFFSET, shape, text)
#define SHAPE(name, table, flat)                                                                   \
	static const struct shape name = {table, sizeof(table) / sizeof((table)[0]), sizeof(T),    \
					  flat}
/* The same for one that other files use. */
#define SHARED_SHAPE(name, table, flat)                                                            \
	const struct shape name = {table, sizeof(table) / sizeof((table)[0]), sizeof(T), flat}

/* shape.c */
extern const struct shape round_phase_shape;
/* shape_work.c */
extern const struct shape latency_shape, work_shape, load_shape, error_shape, count_shape,
	kind_shape, producer_shape, fault_shape, recovery_shape, side_metric_shape, endurance_shape,
	threshold_shape;
/* shape_verdict.c */
extern const struct shape comparison_shape, statistics_shape, insight_shape, regression_shape,
	baseline_shape;

#endif
