/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parameters of `GET …/pods/NAME/log`, as Kubernetes reads them. Pure. */
#ifndef PERFBPF_DRIVE_KUBELOGS_LOG_REQUEST_H
#define PERFBPF_DRIVE_KUBELOGS_LOG_REQUEST_H

#include "drive/kubelogs/http.h"
#include "drive/kubelogs/source.h"

/* Which lines of a pod are wanted, and how. */
struct log_request {
	uint32_t pod;
	bool follow;
	bool timestamps;
	uint64_t from;        /* first sequence number */
	uint64_t end;         /* the one behind the last; UINT64_MAX with follow */
	uint64_t limit_bytes; /* UINT64_MAX: none */
};

/*
 * Fills @log for the pod @log->pod at @now_ns (CLOCK_MONOTONIC). HTTP_OK, or the
 * status to refuse it with and why in @why[size].
 */
enum http_status log_request_parse(const struct source *source, const struct http_request *request,
				   uint64_t now_ns, struct log_request *log, char *why,
				   size_t size);

#endif
