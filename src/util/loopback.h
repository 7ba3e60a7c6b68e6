/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses of this machine, as people write them. */
#ifndef PERFBPF_UTIL_LOOPBACK_H
#define PERFBPF_UTIL_LOOPBACK_H

#include <netinet/in.h>
#include <sys/socket.h>

union loopback {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/*
 * "127.0.0.1:5432", "localhost:5432" or "[::1]:5432" into @address; @length takes its size. Nothing
 * is looked up. 0; -EINVAL for what is no address and port, -EADDRNOTAVAIL for one beyond loopback.
 */
int loopback_parse(const char *text, union loopback *address, socklen_t *length);

#endif
