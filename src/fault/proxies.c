/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/proxies.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/loopback.h"

#define START_NS (10 * NSEC_PER_SEC)

static const char *port_of(const struct faults *set, const char *proxy)
{
	char name[128];

	snprintf(name, sizeof(name), "port.%s", proxy);
	for (size_t i = 0; i < set->options.n_variables; i++)
		if (!strcmp(set->options.variables[i].name, name))
			return set->options.variables[i].value;
	return NULL;
}

static int start_one(struct faults *set, struct proxy_run *proxy, struct error *err)
{
	const char *name = proxy->proxy->name, *port = port_of(set, name);
	char *argv[] = {set->self,
			(char *)"proxy",
			(char *)"--listen",
			proxy->listen,
			(char *)"--to",
			NULL,
			(char *)"--control-fd",
			(char *)"3",
			NULL};
	union loopback address;
	socklen_t length;
	char label[128];

	if (!port)
		return error_set(err, EXIT_CODE_FAILED, "proxy '%s' was given no ${port.%s}", name,
				 name);
	snprintf(proxy->listen, sizeof(proxy->listen), "127.0.0.1:%s", port);
	proxy->to = variables_fill(proxy->proxy->to, set->options.variables,
				   set->options.n_variables, err);
	if (!proxy->to)
		return error_prefix(err, "proxy '%s'", name);
	if (loopback_parse(proxy->to, &address, &length))
		return error_set(err, EXIT_CODE_USAGE,
				 "proxy '%s': '%s' is no address and port of this machine; write "
				 "127.0.0.1:${port.NAME}",
				 name, proxy->to);
	argv[5] = proxy->to;
	snprintf(label, sizeof(label), "proxy %.100s", name);
	return helper_start(&proxy->helper, label, argv, HELPER_CONTROL, err);
}

static void hear(void *context, const json_t *message)
{
	struct proxy_run *proxy = context;
	const char *event = json_string_value(json_object_get(message, "event"));

	if (event && !strcmp(event, "listening"))
		proxy->is_listening = true;
	else if (proxy->user)
		fault_proxy_hear(proxy->user, message);
}

static int fail_ended(const struct proxy_run *proxy, struct error *err)
{
	return error_set(err, EXIT_CODE_FAILED,
			 "proxy '%s' has ended unexpectedly (was it killed, or is %s taken?); all "
			 "that passes it is cut",
			 proxy->proxy->name, proxy->listen);
}

int proxies_read(struct faults *set, struct error *err)
{
	int failed = 0;

	for (size_t i = 0; i < set->n_proxies; i++) {
		struct proxy_run *proxy = &set->proxies[i];
		struct lines *control = &proxy->helper.control;

		if (control->fd < 0)
			continue;
		lines_read(control, hear, proxy);
		if (!control->is_ended)
			continue;
		/* Told once: a file at its end would be readable for ever. */
		helper_end(&proxy->helper);
		failed = fail_ended(proxy, err);
	}
	return failed;
}

static bool all_listen(const struct faults *set)
{
	for (size_t i = 0; i < set->n_proxies; i++)
		if (!set->proxies[i].is_listening)
			return false;
	return true;
}

int proxies_open(struct faults *set, struct error *err)
{
	const struct scenario *scenario = set->options.scenario;
	uint64_t until_ns = clock_now_ns() + START_NS;

	set->proxies = calloc(scenario->n_proxies + 1, sizeof(*set->proxies));
	if (!set->proxies)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; i < scenario->n_proxies; i++) {
		struct proxy_run *proxy = &set->proxies[set->n_proxies++];

		proxy->proxy = &scenario->proxies[i];
		helper_init(&proxy->helper, set);
		if (start_one(set, proxy, err))
			return -1;
	}
	while (!all_listen(set)) {
		struct pollfd fd = {.fd = set->epoll_fd, .events = POLLIN};

		if (clock_now_ns() >= until_ns)
			return error_set(err, EXIT_CODE_FAILED,
					 "the proxies did not listen within 10 s");
		poll(&fd, 1, 100);
		if (proxies_read(set, err))
			return -1;
	}
	return 0;
}

void proxies_close(struct faults *set)
{
	for (size_t i = 0; i < set->n_proxies; i++)
		helper_end(&set->proxies[i].helper);
	for (size_t i = 0; i < set->n_proxies; i++) {
		helper_close(&set->proxies[i].helper);
		free(set->proxies[i].to);
	}
	free(set->proxies);
	set->proxies = NULL;
	set->n_proxies = 0;
}

struct proxy_run *proxies_find(struct faults *set, const char *name)
{
	for (size_t i = 0; i < set->n_proxies; i++)
		if (!strcmp(set->proxies[i].proxy->name, name))
			return &set->proxies[i];
	return NULL;
}
