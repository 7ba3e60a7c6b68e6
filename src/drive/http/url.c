/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where requests go. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "drive/http/http.h"

#define SCHEME "http://"

void http_target_clear(struct http_target *target)
{
	free(target->host);
	free(target->prefix);
	memset(target, 0, sizeof(*target));
}

static int open_unix(struct http_target *target, const char *path, struct error *err)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&target->addresses[0].address;

	if (strlen(path) >= sizeof(address->sun_path))
		return error_set(err, EXIT_CODE_USAGE,
				 "http: the path of the socket '%.60s…' is longer than %zu bytes",
				 path, sizeof(address->sun_path) - 1);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	target->addresses[0].size = sizeof(*address);
	target->n_addresses = 1;
	return 0;
}

static int look_up(struct http_target *target, const char *host, const char *port,
		   struct error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int rc = getaddrinfo(host, port, &hints, &list);

	if (rc)
		return error_set(err, EXIT_CODE_USAGE,
				 "http: cannot find '%.100s' port '%.20s': %s", host, port,
				 rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	for (struct addrinfo *at = list; at && target->n_addresses < HTTP_ADDRESSES_MAX;
	     at = at->ai_next) {
		struct http_address *address = &target->addresses[target->n_addresses++];

		memcpy(&address->address, at->ai_addr, at->ai_addrlen);
		address->size = at->ai_addrlen;
	}
	freeaddrinfo(list);
	return 0;
}

/* "[::1]:80" or "host:80" in @authority, which is cut up. */
static int open_tcp(struct http_target *target, char *authority, const char *url, struct error *err)
{
	char *host = authority, *port = strrchr(authority, ':'), *bracket;
	char *end = NULL;
	long number;

	if (authority[0] == '[') {
		host = authority + 1;
		bracket = strchr(host, ']');
		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return error_set(err, EXIT_CODE_USAGE,
					 "http: the url '%.100s' has no ] behind its address", url);
		*bracket = '\0';
		port = bracket[1] ? bracket + 1 : NULL;
	}
	if (port)
		*port++ = '\0';
	number = port ? strtol(port, &end, 10) : 80;
	if (!*host || (port && (!*port || *end)) || number < 1 || number > 65535)
		return error_set(err, EXIT_CODE_USAGE,
				 "http: the url '%.100s' names no host and port; write "
				 "http://127.0.0.1:8080",
				 url);
	return look_up(target, host, port ? port : "80", err);
}

int http_target_open(struct http_target *target, const char *url, const char *unix_socket,
		     struct error *err)
{
	const char *rest = url + strlen(SCHEME), *path;
	char *authority;
	int rc;

	if (strncasecmp(url, SCHEME, strlen(SCHEME)) != 0)
		return error_set(err, EXIT_CODE_USAGE,
				 "http: the url '%.100s' does not begin with " SCHEME
				 "; for https, run another load generator with the driver command",
				 url);
	path = rest + strcspn(rest, "/?#");
	if (*path && (*path != '/' || strpbrk(path, "?#")))
		return error_set(err, EXIT_CODE_USAGE,
				 "http: the url '%.100s' has more than a path; put it into the "
				 "requests' paths",
				 url);
	target->host = strndup(rest, (size_t)(path - rest));
	target->prefix = strdup(path);
	authority = strndup(rest, (size_t)(path - rest));
	if (!target->host || !target->prefix || !authority) {
		free(authority);
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	}
	/* Paths begin with one. */
	if (*path && path[strlen(path) - 1] == '/')
		target->prefix[strlen(path) - 1] = '\0';
	rc = unix_socket ? open_unix(target, unix_socket, err)
			 : open_tcp(target, authority, url, err);
	free(authority);
	return rc;
}
