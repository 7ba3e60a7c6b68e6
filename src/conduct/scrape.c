/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/scrape.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/prometheus.h"
#include "record/distribution.h"
#include "util/clock.h"

/* For all addresses together: while they are fetched, nothing else is done. */
#define FETCH_TIMEOUT_MS 400L
/* The time between both looks may differ from the window's by so much of it. */
#define UNLIKE          0.01
#define FETCH_MAX_BYTES (8UL << 20)

/*
 * libcurl, loaded where a scenario scrapes: with what it needs in turn it would cost every run
 * 6 MiB of memory and 15 ms at its start.
 */
struct curl_api {
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*perform)(CURL *curl);
	CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
	void (*cleanup)(CURL *curl);
	const char *(*strerror)(CURLcode code);
};

/* One item of the section. */
struct look {
	const struct scenario_scrape *wanted;
	char *url; /* variables filled in */
	struct prometheus_histogram first, last;
	double first_value, last_value; /* of a metric */
	bool failed;
};

struct scrape {
	struct curl_api curl;
	size_t n;
	struct look *looks;
	uint64_t first_ns; /* when the first look began */
};

static void note(struct record *notes, const struct look *look, const char *why)
{
	char *text;

	if (asprintf(&text, "scrape '%s' of %s: %s; it is not in the results", look->wanted->as,
		     look->url ? look->url : look->wanted->url, why) < 0)
		return;
	record_note(notes, text);
	free(text);
}

static void give_up(struct look *look, struct record *notes, const char *why)
{
	note(notes, look, why);
	look->failed = true;
}

#ifdef PERFBPF_STATIC
#define NO_CURL                                                                                    \
	"the static build loads no libraries, and it needs libcurl; perfbpf built by 'make' has "  \
	"it"

static bool load_curl(struct curl_api *curl)
{
	(void)curl;
	return false;
}
#else
#define NO_CURL "there is no libcurl.so.4 (Debian's package libcurl4) to fetch it with"

/* Functions as dlsym() finds them; POSIX lets a void pointer be one. */
static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found;
}

static bool load_curl(struct curl_api *curl)
{
	/* It stays loaded: it is of use in the next round, and cannot be unloaded cleanly. */
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	return library && find(library, "curl_easy_init", &curl->init) &&
	       find(library, "curl_easy_setopt", &curl->setopt) &&
	       find(library, "curl_easy_perform", &curl->perform) &&
	       find(library, "curl_easy_getinfo", &curl->getinfo) &&
	       find(library, "curl_easy_cleanup", &curl->cleanup) &&
	       find(library, "curl_easy_strerror", &curl->strerror);
}

#endif

const char *scrape_absent(void)
{
	struct curl_api curl;

	return load_curl(&curl) ? NULL : NO_CURL;
}

struct text {
	char *bytes;
	size_t size, capacity;
};

static size_t take(char *bytes, size_t one, size_t n, void *into)
{
	struct text *text = into;

	(void)one;
	if (text->size + n > FETCH_MAX_BYTES)
		return 0; /* ends the transfer */
	if (text->size + n > text->capacity) {
		size_t capacity = (text->size + n) * 2;
		char *longer = realloc(text->bytes, capacity);

		if (!longer)
			return 0;
		text->bytes = longer;
		text->capacity = capacity;
	}
	memcpy(text->bytes + text->size, bytes, n);
	text->size += n;
	return n;
}

/* What the scenario says is fetched and nothing else: no redirects, proxies or other protocols. */
static CURLcode set_options(const struct curl_api *curl, CURL *handle, const char *url,
			    long timeout_ms, struct text *text)
{
	static const char protocols[] = "http,https";
	CURLcode code = curl->setopt(handle, CURLOPT_URL, url);

	code = code ? code : curl->setopt(handle, CURLOPT_PROTOCOLS_STR, protocols);
	code = code ? code : curl->setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
	code = code ? code : curl->setopt(handle, CURLOPT_PROXY, "");
	code = code ? code : curl->setopt(handle, CURLOPT_NOSIGNAL, 1L);
	code = code ? code : curl->setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms);
	code = code ? code : curl->setopt(handle, CURLOPT_USERAGENT, "perfbpf");
	code = code ? code : curl->setopt(handle, CURLOPT_WRITEFUNCTION, take);
	return code ? code : curl->setopt(handle, CURLOPT_WRITEDATA, text);
}

/* The text at @url, or a NULL pointer with the reason in @why. */
static struct text fetch(const struct curl_api *curl, const char *url, long timeout_ms, char *why,
			 size_t size)
{
	struct text text = {0};
	CURL *handle = curl->init();
	CURLcode code =
		handle ? set_options(curl, handle, url, timeout_ms, &text) : CURLE_OUT_OF_MEMORY;
	long status = 0;

	code = code ? code : curl->perform(handle);
	code = code ? code : curl->getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	if (handle)
		curl->cleanup(handle);
	if (!code && status == 200) {
		/* An empty answer is one, too. */
		if (!text.bytes)
			text.bytes = calloc(1, 1);
		return text;
	}
	if (code == CURLE_WRITE_ERROR)
		snprintf(why, size, "it is larger than %lu MiB", FETCH_MAX_BYTES >> 20);
	else if (code)
		snprintf(why, size, "%s", curl->strerror(code));
	else
		snprintf(why, size, "HTTP status %ld", status);
	free(text.bytes);
	return (struct text){0};
}

static void read_look(struct look *look, const struct text *text, bool first, struct record *notes)
{
	const struct scenario_scrape *wanted = look->wanted;
	struct prometheus_label labels[PROMETHEUS_MAX_LABELS];
	struct prometheus_query query = {wanted->metric ? wanted->metric : wanted->histogram,
					 wanted->n_labels, labels};
	struct error err;
	int failed;

	for (size_t i = 0; i < query.n_labels && i < PROMETHEUS_MAX_LABELS; i++)
		labels[i] = (struct prometheus_label){look->wanted->labels[i].name,
						      look->wanted->labels[i].value};
	if (wanted->metric)
		failed = prometheus_scalar(text->bytes, text->size, &query,
					   first ? &look->first_value : &look->last_value, &err);
	else
		failed = prometheus_read(text->bytes, text->size, &query,
					 first ? &look->first : &look->last, &err);
	if (failed)
		give_up(look, notes, err.text);
}

/* Fetches each address once, for all that is wanted from it. */
static void look_at_all(struct scrape *scrape, bool first, struct record *notes)
{
	uint64_t end = clock_now_ns() + FETCH_TIMEOUT_MS * NSEC_PER_MSEC;
	bool done[scrape->n];
	char why[256];

	memset(done, 0, sizeof(done));
	for (size_t i = 0; i < scrape->n; i++) {
		struct text text;

		if (done[i] || scrape->looks[i].failed)
			continue;
		/* 0 would be no limit at all. */
		text = fetch(&scrape->curl, scrape->looks[i].url,
			     clock_now_ns() < end
				     ? (long)((end - clock_now_ns()) / NSEC_PER_MSEC) + 1
				     : 1,
			     why, sizeof(why));
		for (size_t j = i; j < scrape->n; j++) {
			struct look *look = &scrape->looks[j];

			if (look->failed || strcmp(look->url, scrape->looks[i].url) != 0)
				continue;
			done[j] = true;
			if (!text.bytes)
				give_up(look, notes, why);
			else
				read_look(look, &text, first, notes);
		}
		free(text.bytes);
	}
}

static void fill_url(struct look *look, const struct variable *vars, size_t n_vars,
		     struct record *notes)
{
	struct error err;

	look->url = variables_fill(look->wanted->url, vars, n_vars, &err);
	if (!look->url)
		give_up(look, notes, err.text);
}

struct scrape *scrape_open(const struct scenario *scenario, const struct variable *vars,
			   size_t n_vars, struct record *notes)
{
	struct scrape *scrape;

	if (!scenario || !scenario->n_scrapes)
		return NULL;
	scrape = calloc(1, sizeof(*scrape));
	if (!scrape)
		return NULL;
	scrape->looks = calloc(scenario->n_scrapes, sizeof(*scrape->looks));
	if (!scrape->looks) {
		free(scrape);
		return NULL;
	}
	scrape->n = scenario->n_scrapes;
	for (size_t i = 0; i < scrape->n; i++) {
		scrape->looks[i].wanted = &scenario->scrapes[i];
		fill_url(&scrape->looks[i], vars, n_vars, notes);
	}
	if (load_curl(&scrape->curl)) {
		scrape->first_ns = clock_now_ns();
		look_at_all(scrape, true, notes);
		return scrape;
	}
	for (size_t i = 0; i < scrape->n; i++)
		give_up(&scrape->looks[i], notes, NO_CURL);
	return scrape;
}

/* A counter that is first written in the window was 0 before. */
static void add_value(const struct look *look, struct record_round *out, struct record *notes)
{
	double first = isnan(look->first_value) ? 0 : look->first_value;

	if (isnan(look->last_value))
		note(notes, look, "there is no such metric");
	else if (look->wanted->is_counter && look->last_value < first)
		note(notes, look,
		     "the counter went back in the window: the program was started "
		     "anew");
	else
		record_add_side_metric(out, look->wanted->as,
				       look->wanted->is_counter ? look->last_value - first
								: look->last_value);
}

static void add_latency(const struct look *look, struct record_round *out, struct record *notes)
{
	struct record_latency latency, *added;
	struct error err;

	if (look->wanted->metric) {
		add_value(look, out, notes);
		return;
	}
	if (prometheus_between(&look->first, &look->last, look->wanted->as, &latency, &err)) {
		note(notes, look, err.text);
		return;
	}
	added = latency_add(out, look->wanted->as);
	if (!added) {
		latency_clear(&latency);
		return;
	}
	free(added->name);
	*added = latency;
}

/* What a target counts before the window opens or after it has closed is in the difference, too. */
static void note_unlike(const struct scrape *scrape, uint64_t now_ns, double window_seconds,
			struct record *notes)
{
	double seconds = (double)(now_ns - scrape->first_ns) / 1e9;
	char text[160];

	if (isnan(window_seconds) || fabs(seconds - window_seconds) <= UNLIKE * window_seconds)
		return;
	snprintf(text, sizeof(text),
		 "what was scraped is of %.3f s, the window of %.3f s: the two looks were not "
		 "right at its ends",
		 seconds, window_seconds);
	record_note(notes, text);
}

void scrape_close(struct scrape *scrape, struct record_round *out, double window_seconds,
		  struct record *notes)
{
	if (!scrape)
		return;
	note_unlike(scrape, clock_now_ns(), window_seconds, notes);
	look_at_all(scrape, false, notes);
	for (size_t i = 0; i < scrape->n; i++)
		if (!scrape->looks[i].failed)
			add_latency(&scrape->looks[i], out, notes);
	scrape_free(scrape);
}

void scrape_free(struct scrape *scrape)
{
	if (!scrape)
		return;
	for (size_t i = 0; i < scrape->n; i++)
		free(scrape->looks[i].url);
	free(scrape->looks);
	free(scrape);
}
