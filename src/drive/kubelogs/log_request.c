/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/log_request.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "util/clock.h"

/* Of a refusal: where its reason goes. */
struct refusal {
	char *why;
	size_t size;
};

static enum http_status refuse(const struct refusal *refusal, enum http_status status,
			       const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static enum http_status refuse(const struct refusal *refusal, enum http_status status,
			       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(refusal->why, refusal->size, fmt, args);
	va_end(args);
	return status;
}

/* Kubernetes takes all but "false" and "0" for true, even nothing at all. */
static bool flag(const struct http_request *request, const char *name)
{
	const char *value = http_parameter(request, name);

	return value && strcasecmp(value, "false") && strcmp(value, "0");
}

/* @value stays as it is where the parameter is not given. */
static enum http_status number(const struct http_request *request, const char *name, uint64_t least,
			       uint64_t *value, const struct refusal *refusal)
{
	const char *text = http_parameter(request, name);
	bool negative = text && *text == '-';
	size_t digits;

	if (!text || !*text)
		return HTTP_OK;
	digits = strspn(text + negative, "0123456789");
	if (!digits || digits > 18 || text[negative + digits])
		return refuse(refusal, HTTP_BAD_REQUEST, "%s: '%.40s' is not a number", name, text);
	*value = strtoull(text + negative, NULL, 10);
	if (negative || *value < least)
		return refuse(refusal, HTTP_UNPROCESSABLE, "%s: must be at least %u", name,
			      (unsigned int)least);
	return HTTP_OK;
}

/* The fraction behind the seconds, in ns; @text moves behind it. */
static uint64_t fraction_ns(const char **text)
{
	uint64_t ns = 0, unit = NSEC_PER_SEC / 10;

	if (**text != '.' && **text != ',')
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		ns += unit * (uint64_t)(**text - '0');
	return ns;
}

/* RFC 3339: 2006-01-02T15:04:05[.999]Z or ±hh:mm. True and the time since 1970. */
static bool read_time(const char *text, uint64_t *real_ns)
{
	struct tm parts = {0};
	int hours, minutes, length = 0;
	int64_t seconds;
	uint64_t ns;

	if (sscanf(text, "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
		   &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &length) != 6 ||
	    !length)
		return false;
	text += length;
	ns = fraction_ns(&text);
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	seconds = timegm(&parts);
	if (!strcasecmp(text, "Z")) {
		hours = minutes = 0;
	} else if (strchr("+- ", *text) && *text &&
		   sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &length) == 2 &&
		   !text[1 + length]) {
		/* A '+' that was not escaped has become a blank. */
		seconds += (*text == '-' ? 1 : -1) * (hours * 3600 + minutes * 60);
	} else {
		return false;
	}
	/* Later than 2500 does not fit, and before 1970 is all there is. */
	if (seconds > 16725225600LL)
		return false;
	*real_ns = seconds < 0 ? 0 : (uint64_t)seconds * NSEC_PER_SEC + ns;
	return true;
}

static enum http_status parse_since(const struct source *source, const struct http_request *request,
				    uint64_t now_ns, struct log_request *log,
				    const struct refusal *refusal)
{
	const char *text = http_parameter(request, "sinceTime");
	uint64_t seconds = 0, real_ns;
	enum http_status status = number(request, "sinceSeconds", 1, &seconds, refusal);

	if (status != HTTP_OK)
		return status;
	if (seconds && text && *text)
		return refuse(refusal, HTTP_UNPROCESSABLE,
			      "at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (seconds && seconds < now_ns / NSEC_PER_SEC)
		log->from = source_first_since(source, log->pod, now_ns - seconds * NSEC_PER_SEC);
	if (!text || !*text)
		return HTTP_OK;
	if (!read_time(text, &real_ns))
		return refuse(refusal, HTTP_BAD_REQUEST, "sinceTime: '%.40s' is not RFC 3339",
			      text);
	if (real_ns > source->to_real_ns)
		log->from = source_first_since(source, log->pod, real_ns - source->to_real_ns);
	return HTTP_OK;
}

enum http_status log_request_parse(const struct source *source, const struct http_request *request,
				   uint64_t now_ns, struct log_request *log, char *why, size_t size)
{
	struct refusal refusal = {why, size};
	const char *container = http_parameter(request, "container");
	uint64_t due = source_due(source, log->pod, now_ns), tail = UINT64_MAX;
	enum http_status status;

	if (container && *container && strcmp(container, SOURCE_CONTAINER))
		return refuse(&refusal, HTTP_BAD_REQUEST,
			      "container %.60s is not valid for the pod", container);
	if (flag(request, "previous"))
		return refuse(&refusal, HTTP_BAD_REQUEST,
			      "previous terminated container \"" SOURCE_CONTAINER "\" not found");
	log->follow = flag(request, "follow");
	log->timestamps = flag(request, "timestamps");
	log->limit_bytes = UINT64_MAX;
	log->from = 0;
	status = parse_since(source, request, now_ns, log, &refusal);
	if (status == HTTP_OK)
		status = number(request, "tailLines", 0, &tail, &refusal);
	if (status == HTTP_OK)
		status = number(request, "limitBytes", 1, &log->limit_bytes, &refusal);
	if (status != HTTP_OK)
		return status;
	if (tail != UINT64_MAX && log->from < source_back(source, log->pod, due, tail))
		log->from = source_back(source, log->pod, due, tail);
	log->end = log->follow ? UINT64_MAX : due;
	if (log->end < log->from)
		log->end = log->from;
	return HTTP_OK;
}
