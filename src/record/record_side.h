/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sides of a run; part of record.h. */
#ifndef PERFBPF_RECORD_RECORD_SIDE_H
#define PERFBPF_RECORD_RECORD_SIDE_H

enum side {
	SIDE_A = 0,
	SIDE_B = 1,
	SIDES = 2,
};

#endif
