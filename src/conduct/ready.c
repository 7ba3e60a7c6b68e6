/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/units.h"

#define HTTP             "http://"
#define ANSWER_WAIT_US   500000
#define LOG_MAX          (16 << 20) /* of what a program says until it is ready */
#define INTERVAL_NS      (50 * NSEC_PER_MSEC)
#define COMMAND_LIMIT_NS (10 * NSEC_PER_SEC)

/* Splits "HOST:PORT" in place. */
static int split(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':');

	if (!colon || colon == address || !colon[1])
		return -1;
	*colon = '\0';
	*host = address;
	*port = colon + 1;
	if (address[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		(*host)++;
	}
	return 0;
}

/* A connected socket whose reads and writes wait a little only; -1 where none can be had now, -2
 * with @err where @address names none. */
static int connect_to(const char *address, struct error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	struct timeval wait = {.tv_usec = ANSWER_WAIT_US};
	char *copy = strdup(address), *host, *port;
	int fd = -1, failed;

	if (!copy || split(copy, &host, &port)) {
		free(copy);
		error_set(err, EXIT_CODE_USAGE, "'%.100s' is no address; write 127.0.0.1:8080",
			  address);
		return -2;
	}
	failed = getaddrinfo(host, port, &hints, &found);
	free(copy);
	if (failed) {
		error_set(err, EXIT_CODE_USAGE, "'%.100s' is no address: %s", address,
			  gai_strerror(failed));
		return -2;
	}
	for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, at->ai_addr, at->ai_addrlen)) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

int ready_tcp(const char *address, struct error *err)
{
	int fd = connect_to(address, err);

	if (fd == -2)
		return -1;
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool says_good(int fd, const char *host, const char *path)
{
	char text[1024], status[16] = "";
	ssize_t n;

	n = snprintf(text, sizeof(text),
		     "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: perfbpf\r\nConnection: "
		     "close\r\n\r\n",
		     *path ? path : "/", host);
	if (n >= (ssize_t)sizeof(text) || send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		return false;
	/* "HTTP/1.1 2" is what counts. */
	n = recv(fd, status, 10, MSG_WAITALL);
	return n == 10 && !strncmp(status, "HTTP/1.", 7) && status[8] == ' ' && status[9] == '2';
}

int ready_http(const char *url, struct error *err)
{
	char address[256];
	const char *host = url + strlen(HTTP), *path;
	size_t length;
	int fd, good;

	if (strncmp(url, HTTP, strlen(HTTP)))
		return error_set(
			err, EXIT_CODE_USAGE,
			"'%.100s' is no URL that can be asked; write http://HOST:PORT/PATH", url);
	length = strcspn(host, "/");
	path = host + length;
	snprintf(address, sizeof(address), "%.*s%s", (int)length, host,
		 memchr(host, ':', length) ? "" : ":80");
	fd = connect_to(address, err);
	if (fd == -2)
		return -1;
	good = fd >= 0 && says_good(fd, address, path);
	if (fd >= 0)
		close(fd);
	return good;
}

/* What is being waited for. */
struct waiting {
	const struct readiness *ready;
	const struct ready_subject *subject;
	const struct hook_setting *setting;
	char *text; /* the address, the URL, with its variables filled in */
	regex_t line;
	bool has_line;
	uint64_t next_ns;
	bool is_ready, has_ended, has_failed;
	int status;
	struct error *err;
};

/* Line by line, so that ^ and $ mean what they say. */
static bool log_matches(const struct waiting *waiting)
{
	int dirfd = waiting->setting->collector->conductor->results->dirfd;
	int fd = openat(dirfd, waiting->subject->log_name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	char *line = NULL;
	size_t room = 0, total = 0;
	bool found = false;
	ssize_t n;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && total < LOG_MAX && (n = getline(&line, &room, file)) > 0) {
		total += (size_t)n;
		line[strcspn(line, "\r\n")] = '\0';
		found = !regexec(&waiting->line, line, 0, NULL, 0);
	}
	free(line);
	fclose(file);
	return found;
}

static int probe(struct waiting *waiting)
{
	const struct readiness *ready = waiting->ready;

	if (ready->tcp)
		return ready_tcp(waiting->text, waiting->err);
	if (ready->http)
		return ready_http(waiting->text, waiting->err);
	return log_matches(waiting);
}

/* The subject has ended: what it was waited for will not come. */
static bool is_decided(void *context)
{
	struct waiting *waiting = context;
	struct keeper *keeper = waiting->setting->collector->conductor->keeper;
	uint64_t now = clock_now_ns();
	int got;

	if (now < waiting->next_ns)
		return false;
	waiting->next_ns = now + INTERVAL_NS;
	got = probe(waiting);
	waiting->is_ready = got > 0;
	waiting->has_failed = got < 0;
	waiting->has_ended = waiting->subject->pid > 0 &&
			     keeper_ended(keeper, waiting->subject->pid, &waiting->status);
	return waiting->is_ready || waiting->has_failed || waiting->has_ended;
}

static int fail(const struct waiting *waiting, struct error *err)
{
	const struct conductor *conductor = waiting->setting->collector->conductor;
	const struct readiness *ready = waiting->ready;
	char words[300], limit[32], end[64] = "";

	if (waiting->has_failed)
		return error_prefix(err, "%s, ready", waiting->subject->what);
	log_last_line(conductor, waiting->subject->log_name, words, sizeof(words));
	if (waiting->has_ended && WIFEXITED(waiting->status))
		snprintf(end, sizeof(end), "ended with exit code %d", WEXITSTATUS(waiting->status));
	else if (waiting->has_ended)
		snprintf(end, sizeof(end), "ended by signal %d", WTERMSIG(waiting->status));
	else
		snprintf(end, sizeof(end), "was not ready within %s",
			 format_duration_ns(limit, sizeof(limit), ready->timeout_ns));
	return error_set(err, EXIT_CODE_FAILED, "%s %s (%s %s)%s; %s%s; all of it is in %s/%s",
			 waiting->subject->what, end,
			 ready->tcp    ? "tcp"
			 : ready->http ? "http"
			 : ready->line ? "line"
				       : "command",
			 waiting->text ? waiting->text
			 : ready->line ? ready->line
				       : ready->command[0],
			 waiting->has_ended ? " before it was ready"
					    : "; give it longer with ready.timeout",
			 words[0] ? "it last said: " : "it said nothing", words,
			 conductor->results->path, waiting->subject->log_name);
}

/* A command is asked again and again; each time it may take a while. */
static int wait_command(struct waiting *waiting, struct error *err)
{
	uint64_t until = clock_now_ns() + waiting->ready->timeout_ns;
	struct collector *collector = waiting->setting->collector;
	struct hook_setting setting = *waiting->setting;

	setting.timeout_ns = waiting->ready->timeout_ns < COMMAND_LIMIT_NS
				     ? waiting->ready->timeout_ns
				     : COMMAND_LIMIT_NS;
	for (;;) {
		int code =
			hook_run(&setting, waiting->ready->command, waiting->ready->n_command, err);

		if (code <= 0)
			return code;
		waiting->has_ended = waiting->subject->pid > 0 &&
				     keeper_ended(collector->conductor->keeper,
						  waiting->subject->pid, &waiting->status);
		if (waiting->has_ended || clock_now_ns() >= until ||
		    collector->conductor->interrupted)
			return fail(waiting, err);
		if (collector_wait(collector, clock_now_ns() + INTERVAL_NS, NULL, NULL, err) ==
		    COLLECTOR_FAILED)
			return -1;
	}
}

static int wait_probe(struct waiting *waiting, struct error *err)
{
	uint64_t until = clock_now_ns() + waiting->ready->timeout_ns;
	enum collector_result result = COLLECTOR_TIMEOUT;

	/* In short waits, since nothing of what is waited for wakes the loop. */
	while (result == COLLECTOR_TIMEOUT && clock_now_ns() < until)
		result = collector_wait(waiting->setting->collector, clock_now_ns() + INTERVAL_NS,
					is_decided, waiting, err);
	if (result == COLLECTOR_FAILED)
		return -1;
	if (result == COLLECTOR_INTERRUPTED || waiting->is_ready)
		return 0;
	return fail(waiting, err);
}

int ready_check_free(const struct readiness *ready, const char *what,
		     const struct variables *variables, struct error *err)
{
	const char *text = ready->tcp ? ready->tcp : ready->http;
	char *filled;
	int got;

	if (!text)
		return 0;
	filled = variables_fill(text, variables->list, variables->n, err);
	if (!filled)
		return error_prefix(err, "%s, ready", what);
	got = ready->tcp ? ready_tcp(filled, err) : ready_http(filled, err);
	if (got < 0)
		error_prefix(err, "%s, ready", what);
	if (got > 0)
		error_set(err, EXIT_CODE_FAILED,
			  "%s: somebody else answers at %s already; end that, or use another port, "
			  "such as ${port}, which is free",
			  what, filled);
	free(filled);
	return got ? -1 : 0;
}

int ready_wait(const struct readiness *ready, const struct ready_subject *subject,
	       const struct hook_setting *setting, struct error *err)
{
	struct waiting waiting = {
		.ready = ready, .subject = subject, .setting = setting, .err = err};
	const char *text = ready->tcp ? ready->tcp : ready->http;
	int failed = 0;

	if (text) {
		waiting.text =
			variables_fill(text, setting->variables->list, setting->variables->n, err);
		if (!waiting.text)
			return error_prefix(err, "%s, ready", subject->what);
	}
	/* Checked where it was read. */
	if (ready->line)
		waiting.has_line = !regcomp(&waiting.line, ready->line, REG_EXTENDED | REG_NOSUB);
	if (ready->n_command)
		failed = wait_command(&waiting, err);
	else if (text || waiting.has_line)
		failed = wait_probe(&waiting, err);
	if (waiting.has_line)
		regfree(&waiting.line);
	free(waiting.text);
	return failed ? -1 : 0;
}
