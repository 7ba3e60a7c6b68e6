/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How json_scan.c gets at more of a file. Used there only. */
#ifndef PERFBPF_RECORD_JSON_SOURCE_H
#define PERFBPF_RECORD_JSON_SOURCE_H

#include "record/json_scan.h"

/* Any value but a string is shorter, so that with as much in memory it is there as a whole. */
#define JSON_SCAN_AHEAD 4096

/*
 * Reads more behind what is left of the text (from @at), which may move. false where there is no
 * more, be it for an error, which is then in source.error, or a lack of memory (ENOMEM there).
 */
bool json_source_more(struct json_scan *scan);

#endif
