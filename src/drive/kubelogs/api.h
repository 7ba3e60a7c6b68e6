/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As much of the Kubernetes API as log clients ask for: a request to an answer. Pure. */
#ifndef PERFBPF_DRIVE_KUBELOGS_API_H
#define PERFBPF_DRIVE_KUBELOGS_API_H

#include "drive/kubelogs/http.h"
#include "drive/kubelogs/log_request.h"
#include "drive/kubelogs/source.h"

enum api_answer_kind {
	API_BODY,  /* body is the whole of it */
	API_WATCH, /* body has one event a line, and the connection stays */
	API_LOG,   /* the lines that log asks for */
};

struct api_answer {
	enum api_answer_kind kind;
	int status;
	const char *content_type;
	char *body;        /* to be freed */
	uint64_t watch_ns; /* how long a watch lasts; 0: until the client leaves */
	struct log_request log;
};

/* 0, or -ENOMEM. */
int api_answer(const struct source *source, const struct http_request *request, uint64_t now_ns,
	       struct api_answer *answer);

/* A failure as Kubernetes words it: a Status object. 0, or -ENOMEM. */
int api_refuse(struct api_answer *answer, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
