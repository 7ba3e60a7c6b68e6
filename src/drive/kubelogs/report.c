/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the driver tells: variables for targets, the report of a window, words for people. */
#include <math.h>
#include <stdio.h>

#include "drive/kubelogs/kubelogs.h"
#include "drive/latency_json.h"
#include "util/clock.h"
#include "util/units.h"

/* All pods as a pattern for curl, which needs two ends for a range. */
static void pods_glob(const struct source *source, char *text, size_t size)
{
	char deployments[24] = "01", replicas[24] = "00000";

	if (source->deployments > 1)
		snprintf(deployments, sizeof(deployments), "[01-%02d]", source->deployments);
	if (source->replicas > 1)
		snprintf(replicas, sizeof(replicas), "[00000-%05d]", source->replicas - 1);
	snprintf(text, size, SOURCE_APP "-%s-x-%s", deployments, replicas);
}

json_t *kubelogs_variables(const struct driver *driver)
{
	char glob[96], port[8], url[40];
	json_t *variables = json_pack("{s:s, s:s, s:s, s:s}", "kubeconfig", driver->kubeconfig,
				      "namespace", driver->config->namespace_name, "selector",
				      "app=" SOURCE_APP, "container", SOURCE_CONTAINER);

	if (!driver->server)
		return variables;
	pods_glob(&driver->source, glob, sizeof(glob));
	snprintf(port, sizeof(port), "%u", server_port(driver->server));
	snprintf(url, sizeof(url), "http://127.0.0.1:%s", port);
	json_object_set_new(variables, "port", json_string(port));
	json_object_set_new(variables, "url", json_string(url));
	json_object_set_new(variables, "pods_glob", json_string(glob));
	return variables;
}

/* @counts NULL: no output was read. @is_known: the lines were checked, not only counted. */
static json_t *work(const struct check_counts *counts, bool is_known)
{
	const struct {
		const char *key;
		uint64_t value;
		bool is_checked;
	} rows[] = {
		{"lines", counts ? counts->lines : 0, false},
		{"bytes", counts ? counts->bytes : 0, false},
		{"expected_lines", counts ? counts->expected : 0, true},
		{"lost",
		 counts && counts->found < counts->expected ? counts->expected - counts->found : 0,
		 true},
		{"duplicated", counts ? counts->duplicated : 0, true},
		{"reordered", counts ? counts->reordered : 0, true},
		{"malformed", counts ? counts->malformed : 0, true},
		{"unwanted", counts ? counts->unwanted : 0, true},
		{"foreign", counts ? counts->foreign : 0, true},
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_set_new(json, rows[i].key,
				    counts && (is_known || !rows[i].is_checked)
					    ? json_integer((json_int_t)rows[i].value)
					    : json_null());
	return json;
}

/* Lines a second in each tick of the window. What is left at its end counts from half a tick on. */
static json_t *series(const struct driver *driver)
{
	uint64_t tick_ns = 0, length_ns = driver->close_ns - driver->open_ns;
	const uint64_t *lines = NULL;
	json_t *json = json_array();
	size_t n = 0;

	if (driver->check)
		lines = check_series(driver->check, &n, &tick_ns);
	if (!tick_ns || driver->close_ns < driver->open_ns)
		return json;
	for (uint64_t i = 0, at = 0; at + tick_ns / 2 <= length_ns && i < n; i++, at += tick_ns) {
		uint64_t span = length_ns - at < tick_ns ? length_ns - at : tick_ns;

		json_array_append_new(json, json_real((double)lines[i] * 1e9 / (double)span));
	}
	return json;
}

static json_t *notes(const struct driver *driver, const struct check_counts *counts)
{
	json_t *json = json_array();
	char text[160];

	if (!driver->server) {
		json_array_append_new(json, json_string("the lines came from a real cluster: they "
							"are counted, not checked"));
		return json;
	}
	json_array_append_new(
		json, json_string("plain HTTP/1.1, one TCP connection for each stream; over "
				  "TLS, Go clients put all streams on one HTTP/2 connection"));
	if (counts && counts->foreign) {
		snprintf(text, sizeof(text),
			 "%llu lines of the output were no log lines but the tool's own words",
			 (unsigned long long)counts->foreign);
		json_array_append_new(json, json_string(text));
	}
	if (counts && counts->unwanted) {
		snprintf(text, sizeof(text),
			 "%llu lines were printed that the scenario's filter does not want",
			 (unsigned long long)counts->unwanted);
		json_array_append_new(json, json_string(text));
	}
	return json;
}

/* The name of the @i-th measured phase; "" where the scenario has no such. */
static const char *phase_name(const struct driver *driver, size_t i)
{
	const struct scenario *scenario = driver->scenario;

	for (size_t p = 0; p < scenario->n_phases; p++)
		if (scenario->phases[p].role == PHASE_MEASURED && !i--)
			return scenario->phases[p].name;
	return "";
}

/* One phase's lines, in the words that all drivers have for it. */
static json_t *phase_work(const struct driver *driver, const struct check_phase *phases, size_t i,
			  size_t n)
{
	const struct check_phase *phase = &phases[i];
	uint64_t until = i + 1 < n ? phases[i + 1].from_ns : driver->close_ns;
	uint64_t lost = phase->expected > phase->found ? phase->expected - phase->found : 0;
	double seconds = until > phase->from_ns ? (double)(until - phase->from_ns) / 1e9 : NAN;

	return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "name", phase_name(driver, i),
			 "operations", (json_int_t)phase->found, "expected",
			 (json_int_t)phase->expected, "errors", (json_int_t)lost, "rate",
			 number_json((double)phase->expected / seconds), "response",
			 phase->delivery ? latency_json(phase->delivery) : json_null());
}

/* Of a real cluster neither is known. A line that a full socket has no room for waits: none is
 * dropped. */
static void put_phases(const struct driver *driver, json_t *report)
{
	const struct check_phase *counted = NULL;
	json_t *phases = json_array(), *phase;
	size_t n = 0;
	uint64_t most_ns = 0;

	if (driver->check)
		counted = check_phases(driver->check, &n);
	for (size_t i = 0; i < driver->n_phases; i++) {
		most_ns = driver->late_ns[i] > most_ns ? driver->late_ns[i] : most_ns;
		phase = i < n ? phase_work(driver, counted, i, n) : json_object();
		json_object_set_new(phase, "late_seconds_max",
				    json_real((double)driver->late_ns[i] / 1e9));
		json_object_set_new(phase, "dropped", json_integer(0));
		json_array_append_new(phases, phase);
	}
	json_object_set_new(report, "phases", phases);
	json_object_set_new(report, "late_seconds_max",
			    driver->server ? json_real((double)most_ns / 1e9) : json_null());
	json_object_set_new(report, "dropped", driver->server ? json_integer(0) : json_null());
}

/*
 * Where a scenario goes through several rates: the largest at which nothing was lost, up to the
 * first at which something was.
 */
static void put_largest_rate(const struct driver *driver, json_t *report)
{
	const struct check_phase *phases;
	double largest = NAN;
	size_t n = 0;

	if (!driver->warp || !driver->check || !driver->server)
		return;
	phases = check_phases(driver->check, &n);
	for (size_t i = 0; i < n && phases[i].found >= phases[i].expected; i++) {
		uint64_t until = i + 1 < n ? phases[i + 1].from_ns : driver->close_ns;
		double rate = (double)phases[i].expected * 1e9 /
			      (double)(until > phases[i].from_ns ? until - phases[i].from_ns : 1);

		largest = isnan(largest) || rate > largest ? rate : largest;
	}
	if (n > 1 && !isnan(largest))
		json_object_set_new(report, "side_metrics",
				    json_pack("{s:f}", "largest_rate_without_loss", largest));
}

json_t *kubelogs_report(struct driver *driver)
{
	const struct check_counts *counts = driver->check ? check_counts(driver->check) : NULL;
	bool is_known = driver->server;
	json_t *report = json_object(), *latencies = json_object();

	if (driver->check && driver->close_ns)
		check_settle(driver->check);
	if (counts && is_known)
		json_object_set_new(latencies, "delivery", latency_json(&counts->delivery));
	json_object_set_new(report, "work", work(counts, is_known));
	json_object_set_new(report, "latency", latencies);
	json_object_set_new(report, "lines_per_second", series(driver));
	put_phases(driver, report);
	put_largest_rate(driver, report);
	json_object_set_new(report, "notes", notes(driver, counts));
	return report;
}

void kubelogs_print_usage(const struct driver *driver, FILE *out)
{
	const struct source *source = &driver->source;
	const char *ns = driver->config->namespace_name;
	char glob[96], rate[32];

	if (!driver->server) {
		fprintf(out, "Nothing is served: the cluster of %s is used as it is.\n",
			driver->kubeconfig);
		return;
	}
	pods_glob(source, glob, sizeof(glob));
	fprintf(out,
		"%u pods (%d deployments of %d) log %s lines/s on average, from seed %llu.\n\n"
		"  API         http://127.0.0.1:%u\n"
		"  kubeconfig  %s\n\n"
		"In another terminal:\n\n"
		"  export KUBECONFIG='%s'\n"
		"  kubectl logs -n %s -f -l app=" SOURCE_APP
		" --prefix --max-log-requests=%u --tail=0\n"
		"  stern '.*' -n %s --tail 0 --max-log-requests %u\n"
		"  wake -n %s --no-ui -i '.*'\n"
		"  curl -sN --parallel --parallel-immediate --parallel-max 300 \\\n"
		"    "
		"'http://127.0.0.1:%u/api/v1/namespaces/%s/pods/%s/log?follow=true&tailLines=0'\n"
		"\nCtrl-C ends it.\n",
		source->n_pods, source->deployments, source->replicas,
		format_count(rate, sizeof(rate), driver->config->rate),
		(unsigned long long)kubelogs_seed(driver->config), server_port(driver->server),
		driver->kubeconfig, driver->kubeconfig, ns, source->n_pods, ns, source->n_pods, ns,
		server_port(driver->server), ns, glob);
}

void kubelogs_print_progress(const struct driver *driver, FILE *out)
{
	char rate[32], total[32], late[32];
	const struct server_counts *counts;

	if (!driver->server) {
		fputs("a real cluster serves", out);
		return;
	}
	counts = server_counts(driver->server);
	fprintf(out, "%u streams, %s lines/s, %s lines in all, at most %s late", counts->streams,
		format_count(rate, sizeof(rate), driver->lines_per_second),
		format_count(total, sizeof(total), (double)counts->lines),
		format_seconds(late, sizeof(late), (double)counts->late_max_ns / 1e9));
}
