/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.html: latencies by percentile, over log10(1/(1-p)): each nine is as wide as the one
 * before. From the buckets of all rounds of a side together; only as far as they carry.
 */
#include <math.h>
#include <string.h>

#include "record/distribution.h"
#include "report/html.h"
#include "report/merged.h"

#define MOST_CHARTS 6
/* Of the axis; less is not seen. */
#define LEAST_STEP 0.01

static const char *const first_names[] = {
	"delivery",  "response",   "round_trip",  "service", "exec",    "queue",
	"run_queue", "block_read", "block_write", "fsync",   "connect",
};
#define N_FIRST_NAMES (sizeof(first_names) / sizeof(first_names[0]))

static const struct record_latency *latency_of(const struct merged *merged, const char *name)
{
	const struct record_latency *latency = merged ? latency_find(&merged->sum, name) : NULL;

	return latency && latency->n_buckets && latency_carries((double)latency->count, 0.9)
		       ? latency
		       : NULL;
}

/* Pairs of place on the axis and seconds. */
static void put_curve(FILE *out, const struct record_latency *latency)
{
	double count = 0, seen = 0, last = -1;
	bool first = true;

	putc('[', out);
	for (size_t i = 0; latency && i < latency->n_buckets; i++)
		count += latency->bucket_counts[i];
	for (size_t i = 0; latency && i < latency->n_buckets; i++) {
		double left, x, y = latency->bucket_upper_seconds[i];

		seen += latency->bucket_counts[i];
		left = count - seen;
		if (!(left >= LATENCY_MIN_BEYOND) || !isfinite(y))
			break;
		x = log10(count / left);
		if (x - last < LEAST_STEP || !(y > 0))
			continue;
		fprintf(out, "%s[%.4f,%.5g]", first ? "" : ",", x, y);
		first = false;
		last = x;
	}
	putc(']', out);
}

static void put_figures(const struct html *html, const char *name,
			const struct record_latency *const latencies[SIDES])
{
	static const char *const columns[] = {"values", "p50", "p90", "p95", "p99", "p99.9", "max"};
	FILE *out = html->out;

	html_figures_begin(out, name);
	html_head_cell(out, "side", false);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		html_head_cell(out, columns[i], true);
	html_table_body(out);
	for (size_t side = 0; side < html_sides(html); side++) {
		const struct record_latency *latency = latencies[side];

		if (!latency)
			continue;
		fputs("<tr><th scope=\"row\">", out);
		html_tag(out, side);
		fputs("</th>", out);
		html_cell_integer(out, latency->count);
		for (size_t i = 0; i < 5; i++) {
			static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999};

			html_cell_value(out, METRIC_SECONDS,
					latency_quantile(latency, quantiles[i]));
		}
		html_cell_value(out, METRIC_SECONDS, latency->max_seconds);
		fputs("</tr>\n", out);
	}
	html_figures_end(out);
}

static void put_chart(const struct html *html, const char *name,
		      const struct record_latency *const latencies[SIDES])
{
	FILE *out = html->out;

	fputs("<figure class=\"chart\"><figcaption><h3>", out);
	html_text(out, name);
	fputs("</h3><p class=\"readout\"></p></figcaption>\n<div class=\"plot\" role=\"img\" "
	      "tabindex=\"0\" aria-label=\"",
	      out);
	html_text(out, name);
	fputs(" by percentile; the figures are in the table below\"></div>\n", out);
	if (html_has_library()) {
		fputs("<script type=\"application/json\">{\"kind\":\"percentile\",\"curves\":[",
		      out);
		for (size_t side = 0; side < SIDES; side++) {
			fputs(side ? ",\n" : "", out);
			put_curve(out, latencies[side]);
		}
		fputs("]}</script>\n", out);
	}
	put_figures(html, name, latencies);
	fputs("</figure>\n", out);
}

static bool put_latency(const struct html *html, struct merged *const sides[SIDES],
			const char *name, bool first)
{
	const struct record_latency *latencies[SIDES] = {latency_of(sides[SIDE_A], name),
							 latency_of(sides[SIDE_B], name)};
	char label[64];

	if (!latencies[SIDE_A] && !latencies[SIDE_B])
		return false;
	if (first)
		fputs("<section id=\"latency\"><h2>Latency by percentile</h2>\n"
		      "<p class=\"remark\">All rounds of a side together, as far as ten values lie "
		      "beyond; both axes are logarithmic.</p>\n<div class=\"charts\">\n",
		      html->out);
	snprintf(label, sizeof(label), "%s", name);
	for (char *c = label; *c; c++)
		if (*c == '_')
			*c = ' ';
	put_chart(html, label, latencies);
	return true;
}

static bool is_first_name(const char *name)
{
	for (size_t i = 0; i < N_FIRST_NAMES; i++)
		if (!strcmp(first_names[i], name))
			return true;
	return false;
}

/* Why threads waited and the kinds of requests have tables of their own. */
static bool is_further_name(const char *name)
{
	return name && !is_first_name(name) && strncmp(name, "wait_", 5) != 0 &&
	       strncmp(name, "response ", 9) != 0;
}

int html_put_latencies(const struct html *html)
{
	struct merged *sides[SIDES] = {merged_new(html->rec, SIDE_A, false),
				       merged_new(html->rec, SIDE_B, false)};
	const struct record_round *sum = sides[SIDE_A] ? &sides[SIDE_A]->sum : NULL;
	int rc = sides[SIDE_A] && sides[SIDE_B] ? 0 : -1;
	size_t n = 0;

	for (size_t i = 0; !rc && i < N_FIRST_NAMES && n < MOST_CHARTS; i++)
		n += put_latency(html, sides, first_names[i], !n);
	for (size_t i = 0; !rc && i < sum->n_latency && n < MOST_CHARTS; i++)
		if (is_further_name(sum->latency[i].name))
			n += put_latency(html, sides, sum->latency[i].name, !n);
	fputs(n ? "</div></section>\n" : "", html->out);
	merged_free(sides[SIDE_A]);
	merged_free(sides[SIDE_B]);
	return rc;
}
