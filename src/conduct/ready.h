/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Waiting until a program that was started works. */
#ifndef PERFBPF_CONDUCT_READY_H
#define PERFBPF_CONDUCT_READY_H

#include "conduct/hook.h"

struct ready_subject {
	const char *what;     /* for messages: "component 'db'" */
	const char *log_name; /* of its output, in the results folder */
	pid_t pid;            /* of its first process, whose end is told */
};

/*
 * Until @ready holds; at once where it says nothing. @setting is that of its commands. -1 with @err
 * where the time has passed, or the process has ended: it names what was waited for.
 */
int ready_wait(const struct readiness *ready, const struct ready_subject *subject,
	       const struct hook_setting *setting, struct error *err);

/*
 * Before the program is started: -1 with @err where @ready holds already by an address, as somebody
 * else answers there.
 */
int ready_check_free(const struct readiness *ready, const char *what,
		     const struct variables *variables, struct error *err);

/* Takes @address ("127.0.0.1:80", "[::1]:80", "localhost:80") connections now? -1 with @err where
 * it is no address. */
int ready_tcp(const char *address, struct error *err);
/* Does http://HOST[:PORT][/PATH] answer with 2xx now? -1 with @err where it is no such URL. */
int ready_http(const char *url, struct error *err);

#endif
