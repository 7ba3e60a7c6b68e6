/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 64

static int parse_port(const char *text, in_port_t *port)
{
	size_t digits = strspn(text, "0123456789");
	long number = strtol(text, NULL, 10);

	if (!digits || digits > 5 || text[digits] || number < 1 || number > 65535)
		return -EINVAL;
	*port = htons((in_port_t)number);
	return 0;
}

static int parse_v6(const char *host, in_port_t port, union loopback *address, socklen_t *length)
{
	address->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
	*length = sizeof(address->v6);
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
		return -EINVAL;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr) ? 0 : -EADDRNOTAVAIL;
}

static int parse_v4(const char *host, in_port_t port, union loopback *address, socklen_t *length)
{
	address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	*length = sizeof(address->v4);
	if (!strcmp(host, "localhost"))
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) != 1)
		return -EINVAL;
	return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127 ? 0 : -EADDRNOTAVAIL;
}

int loopback_parse(const char *text, union loopback *address, socklen_t *length)
{
	const char *colon = strrchr(text, ':');
	char host[HOST_MAX];
	in_port_t port;
	size_t n;

	if (!colon || parse_port(colon + 1, &port))
		return -EINVAL;
	n = (size_t)(colon - text);
	if (!n || n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] != '[')
		return parse_v4(host, port, address, length);
	if (host[n - 1] != ']')
		return -EINVAL;
	host[n - 1] = '\0';
	return parse_v6(host + 1, port, address, length);
}
