/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/variables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two for each of the components of a scenario and a target, and some more. */
#define PORTS_MAX 256

const char *variables_get(const struct variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->n; i++)
		if (!strcmp(variables->list[i].name, name))
			return variables->list[i].value;
	return NULL;
}

int variables_add(struct variables *variables, const char *name, const char *fmt, ...)
{
	struct variable *larger;
	char *copy, *value = NULL;
	va_list args;

	if (variables_get(variables, name))
		return 0;
	larger = reallocarray(variables->list, variables->n + 1, sizeof(*larger));
	if (!larger)
		return -1;
	variables->list = larger;
	va_start(args, fmt);
	if (vasprintf(&value, fmt, args) < 0)
		value = NULL;
	va_end(args);
	copy = strdup(name);
	if (!value || !copy) {
		free(value);
		free(copy);
		return -1;
	}
	variables->list[variables->n++] = (struct variable){copy, value};
	return 0;
}

json_t *variables_json(const struct variables *variables)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < variables->n; i++)
		json_object_set_new(object, variables->list[i].name,
				    json_string(variables->list[i].value));
	return object;
}

void variables_clear(struct variables *variables)
{
	for (size_t i = 0; i < variables->n; i++) {
		free((char *)variables->list[i].name);
		free((char *)variables->list[i].value);
	}
	free(variables->list);
	memset(variables, 0, sizeof(*variables));
}

/* Sockets that keep the ports that they are bound to until all have been handed out. */
struct ports {
	int fds[PORTS_MAX];
	size_t n;
};

/* The kernel's choice of a free port; 0 with errno. */
static unsigned int port_take(struct ports *ports)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd;

	if (ports->n == PORTS_MAX) {
		errno = EMFILE;
		return 0;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	ports->fds[ports->n++] = fd;
	if (bind(fd, (struct sockaddr *)&address, size) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		return 0;
	return ntohs(address.sin_port);
}

static int add_port(struct variables *variables, struct ports *ports, const char *name,
		    const char *of, struct error *err)
{
	unsigned int port = port_take(ports);
	char full[200];

	if (!port)
		return error_set(err, EXIT_CODE_FAILED,
				 "no port of 127.0.0.1 can be had for %s: %s", of, strerror(errno));
	snprintf(full, sizeof(full), "%s%s", name, *of == '.' ? of : "");
	return variables_add(variables, full, "%u", port)
		       ? error_set(err, EXIT_CODE_FAILED, "out of memory")
		       : 0;
}

static int add_component(struct variables *variables, struct ports *ports,
			 const struct component *component, const char *round_dir,
			 struct error *err)
{
	char name[200];

	snprintf(name, sizeof(name), ".%.150s", component->name);
	if (add_port(variables, ports, "port", name, err) ||
	    add_port(variables, ports, "port2", name, err))
		return -1;
	snprintf(name, sizeof(name), "dir.%.150s", component->name);
	return variables_add(variables, name, "%s/%s", round_dir, component->name)
		       ? error_set(err, EXIT_CODE_FAILED, "out of memory")
		       : 0;
}

static int add_all(struct variables *variables, struct ports *ports, const struct target *target,
		   const struct scenario *scenario, const char *round_dir, struct error *err)
{
	char name[200];

	if (add_port(variables, ports, "port", "the target", err) ||
	    add_port(variables, ports, "port2", "the target", err))
		return -1;
	for (size_t i = 0; target && i < target->n_components; i++)
		if (add_component(variables, ports, &target->components[i], round_dir, err))
			return -1;
	for (size_t i = 0; scenario && i < scenario->n_components; i++)
		if (add_component(variables, ports, &scenario->components[i], round_dir, err))
			return -1;
	for (size_t i = 0; scenario && i < scenario->n_proxies; i++) {
		snprintf(name, sizeof(name), ".%.150s", scenario->proxies[i].name);
		if (add_port(variables, ports, "port", name, err))
			return -1;
	}
	return 0;
}

int variables_hand_out(struct variables *variables, const struct target *target,
		       const struct scenario *scenario, const char *round_dir, struct error *err)
{
	struct ports ports = {.n = 0};
	char *scripts = scripts_folder();
	int failed = add_all(variables, &ports, target, scenario, round_dir, err);

	while (ports.n)
		close(ports.fds[--ports.n]);
	if (!failed && scripts && variables_add(variables, "scripts", "%s", scripts))
		failed = error_set(err, EXIT_CODE_FAILED, "out of memory");
	free(scripts);
	return failed;
}
