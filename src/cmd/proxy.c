/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * perfbpf proxy and perfbpf idle: helper processes of faults, not shown to people. They serve
 * until their control socket ends.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "fault/idle.h"
#include "fault/proxy.h"

struct helper_options {
	const char *listen, *to;
	int count, control_fd;
};

static int set_number(int *to, const char *name, const char *value, struct error *err)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (*end || *value < '0' || *value > '9' || number > INT_MAX)
		return error_set(err, EXIT_CODE_USAGE, "--%s '%s' is no whole number", name, value);
	*to = (int)number;
	return 0;
}

static int set_listen(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct helper_options *)state)->listen = value;
	return 0;
}

static int set_to(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct helper_options *)state)->to = value;
	return 0;
}

static int set_count(void *state, const char *value, struct error *err)
{
	return set_number(&((struct helper_options *)state)->count, "count", value, err);
}

static int set_control_fd(void *state, const char *value, struct error *err)
{
	return set_number(&((struct helper_options *)state)->control_fd, "control-fd", value, err);
}

static const struct option_spec proxy_specs[] = {
	{"listen", 0, "ADDRESS", "127.0.0.1:PORT", set_listen},
	{"to", 0, "ADDRESS", "127.0.0.1:PORT", set_to},
	{"control-fd", 0, "N", "socket that tells the effects", set_control_fd},
};

static const struct option_table proxy_table = {
	.usage = "proxy --listen ADDRESS --to ADDRESS --control-fd N",
	.summary = "A TCP proxy on loopback that delays, stalls, resets or narrows what passes it, "
		   "as its control socket says",
	.examples = "  perfbpf proxy --listen 127.0.0.1:7001 --to 127.0.0.1:5432 --control-fd 3\n",
	.specs = proxy_specs,
	.n_specs = sizeof(proxy_specs) / sizeof(proxy_specs[0]),
};

static const struct option_spec idle_specs[] = {
	{"to", 0, "ADDRESS", "127.0.0.1:PORT", set_to},
	{"count", 0, "N", "connections", set_count},
	{"control-fd", 0, "N", "socket whose end is the end", set_control_fd},
};

static const struct option_table idle_table = {
	.usage = "idle --to ADDRESS --count N --control-fd N",
	.summary = "Holds idle connections until its control socket ends",
	.examples = "  perfbpf idle --to 127.0.0.1:5432 --count 100 --control-fd 3\n",
	.specs = idle_specs,
	.n_specs = sizeof(idle_specs) / sizeof(idle_specs[0]),
};

/* OPTIONS_OK: all that is needed is there. */
static enum options_result parse(const struct option_table *table, int argc, char **argv,
				 struct helper_options *options, bool needs_listen,
				 struct error *err)
{
	enum options_result result = options_parse(table, argc, argv, options, err);

	if (result != OPTIONS_OK)
		return result;
	if (options->control_fd < 0 || !options->to || (needs_listen && !options->listen) ||
	    fcntl(options->control_fd, F_SETFD, FD_CLOEXEC)) {
		error_set(err, EXIT_CODE_USAGE,
			  "%s: an option or its open control socket is "
			  "missing: perfbpf %s",
			  argv[0], table->usage);
		return OPTIONS_ERROR;
	}
	signal(SIGPIPE, SIG_IGN);
	/* The terminal's Ctrl-C is the conductor's, which then hangs up. */
	signal(SIGINT, SIG_IGN);
	return OPTIONS_OK;
}

static int serve_proxy(const struct helper_options *options, struct error *err)
{
	return proxy_serve(options->listen, options->to, options->control_fd, err);
}

static int serve_idle(const struct helper_options *options, struct error *err)
{
	return idle_serve(options->to, options->count, options->control_fd, err);
}

static int serve(const struct option_table *table, int argc, char **argv, bool needs_listen,
		 int (*serve_one)(const struct helper_options *options, struct error *err))
{
	struct helper_options options = {.control_fd = -1};
	struct error err = {0};
	int code;

	switch (parse(table, argc, argv, &options, needs_listen, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	case OPTIONS_OK:
		break;
	}
	code = serve_one(&options, &err);
	return err.text[0] ? cmd_fail(&err) : code;
}

static int run_proxy(int argc, char **argv)
{
	return serve(&proxy_table, argc, argv, true, serve_proxy);
}

static int run_idle(int argc, char **argv)
{
	return serve(&idle_table, argc, argv, false, serve_idle);
}

const struct subcommand cmd_proxy = {
	.name = "proxy",
	.summary = "a TCP proxy on loopback with faults",
	.run = run_proxy,
	.hidden = true,
};

const struct subcommand cmd_idle = {
	.name = "idle",
	.summary = "idle connections",
	.run = run_idle,
	.hidden = true,
};
