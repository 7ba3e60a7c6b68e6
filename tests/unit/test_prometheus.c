/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/prometheus.h"
#include "record/distribution.h"

#define assert_near(a, b) assert_true(fabs((a) - (b)) <= 1e-9 * fabs(b))

static const struct prometheus_query plain = {.name = "http_seconds"};

static int read_text(const char *text, const struct prometheus_query *query,
		     struct prometheus_histogram *out, struct error *err)
{
	size_t size = strlen(text);
	char *exact = malloc(size ? size : 1); /* without NUL: ASan sees what reads beyond */
	int rc;

	memcpy(exact, text, size);
	rc = prometheus_read(exact, size, query, out, err);
	free(exact);
	return rc;
}

static void take(const char *text, const struct prometheus_query *query,
		 struct prometheus_histogram *out)
{
	struct error err = {.text = ""};

	if (read_text(text, query, out, &err))
		fail_msg("%s", err.text);
}

static void refuse(const char *text, const char *wanted)
{
	struct prometheus_histogram out;
	struct error err = {.text = ""};

	assert_int_equal(read_text(text, &plain, &out, &err), -1);
	if (!strstr(err.text, wanted))
		fail_msg("\"%s\" instead of \"%s\"", err.text, wanted);
}

/* As the Go client library writes it. */
static const char go_text[] =
	"# HELP go_goroutines Number of goroutines that currently exist.\n"
	"# TYPE go_goroutines gauge\n"
	"go_goroutines 12\n"
	"# HELP http_seconds Time.\n"
	"# TYPE http_seconds histogram\n"
	"http_seconds_bucket{code=\"200\",handler=\"/users\",le=\"0.005\"} 10\n"
	"http_seconds_bucket{code=\"200\",handler=\"/users\",le=\"0.01\"} 25\n"
	"http_seconds_bucket{code=\"200\",handler=\"/users\",le=\"2.5e+00\"} 30\n"
	"http_seconds_bucket{code=\"200\",handler=\"/users\",le=\"+Inf\"} 31\n"
	"http_seconds_sum{code=\"200\",handler=\"/users\"} 1.25\n"
	"http_seconds_count{code=\"200\",handler=\"/users\"} 31\n"
	"http_seconds_bucket{code=\"500\",handler=\"/users\",le=\"0.005\"} 1\n"
	"http_seconds_bucket{code=\"500\",handler=\"/users\",le=\"0.01\"} 1\n"
	"http_seconds_bucket{code=\"500\",handler=\"/users\",le=\"2.5e+00\"} 2\n"
	"http_seconds_bucket{code=\"500\",handler=\"/users\",le=\"+Inf\"} 2\n"
	"http_seconds_sum{code=\"500\",handler=\"/users\"} 0.75\n"
	"http_seconds_count{code=\"500\",handler=\"/users\"} 2\n"
	"http_seconds_created{code=\"500\"} 1.7e9\n"
	"http_seconds_other_bucket{le=\"1\"} 99\n"
	"my_http_seconds_bucket{le=\"1\"} 99\n";

static void all_series(void **state)
{
	struct prometheus_histogram h;

	(void)state;
	take(go_text, &plain, &h);
	assert_int_equal(h.n_series, 2);
	assert_int_equal(h.n, 3);
	assert_true(h.upper[0] == 0.005 && h.upper[1] == 0.01 && h.upper[2] == 2.5);
	assert_true(h.within[0] == 11 && h.within[1] == 26 && h.within[2] == 32);
	assert_true(h.count == 33 && h.sum == 2);
}

static void by_labels(void **state)
{
	const struct prometheus_label ok[] = {{"handler", "/users"}, {"code", "500"}};
	const struct prometheus_label none[] = {{"handler", "/other"}};
	struct prometheus_query query = {"http_seconds", 2, ok};
	struct prometheus_histogram h;

	(void)state;
	take(go_text, &query, &h);
	assert_int_equal(h.n_series, 1);
	assert_true(h.count == 2 && h.within[2] == 2);
	query = (struct prometheus_query){"http_seconds", 1, none};
	take(go_text, &query, &h);
	assert_int_equal(h.n_series, 0);
	assert_int_equal(h.n, 0);
	take("", &plain, &h);
	assert_int_equal(h.n_series, 0);
}

/* Blanks, escapes, an order that nobody promised, time stamps, exemplars, no last newline. */
static void as_others_write_it(void **state)
{
	const struct prometheus_label label[] = {{"path", "a\"b\\c\nd,}"}};
	struct prometheus_query query = {"h", 1, label};
	struct prometheus_histogram h;

	(void)state;
	take("\n  # a comment\r\n\t h_count { path = \"a\\\"b\\\\c\\nd,}\" , } 4 1700000000000\r\n"
	     "h_bucket{le=\"+Inf\",path=\"a\\\"b\\\\c\\nd,}\"} 4 # {trace=\"x\"} 0.5 1.7e9\n"
	     "h_bucket{le=\"1\",path=\"a\\\"b\\\\c\\nd,}\"} 3\n"
	     "h_bucket{path=\"a\\\"b\\\\c\\nd,}\",le=\"0.5\"} 2.0",
	     &query, &h);
	assert_int_equal(h.n, 2);
	assert_true(h.upper[0] == 0.5 && h.within[0] == 2 && h.within[1] == 3 && h.count == 4);
	assert_true(isnan(h.sum));
	/* The count alone stands for +Inf. */
	take("h_bucket{le=\"1\"} 3\nh_count 4\nh_sum NaN\n",
	     &(struct prometheus_query){.name = "h"}, &h);
	assert_true(h.count == 4 && isnan(h.sum));
}

static void what_is_broken(void **state)
{
	(void)state;
	refuse("\nhttp_seconds_bucket{le=\"1\" 3\n", "line 2: the labels do not end in }");
	refuse("http_seconds_bucket{le=\"1\"} x\n", "line 1: a number is expected");
	refuse("http_seconds_bucket{le=\"1\"}\n", "line 1: a number is expected");
	refuse("http_seconds_bucket{le=\"1", "a label's value does not end");
	refuse("http_seconds_bucket{le=\"1\\", "a label's value does not end");
	refuse("http_seconds_bucket{le=1} 3\n", "in quotes");
	refuse("http_seconds_bucket{=\"1\"} 3\n", "a label is to be name=");
	refuse("http_seconds_bucket{le=\"\"} 3\n", "upper end of a bucket");
	refuse("http_seconds_bucket{le=\"-1\"} 3\n", "upper end of a bucket");
	refuse("http_seconds_bucket{le=\"nan\"} 3\n", "upper end of a bucket");
	refuse("http_seconds_bucket{le=\"1s\"} 3\n", "upper end of a bucket");
	refuse("http_seconds_bucket 3\n", "a bucket has no upper end");
	refuse("http_seconds_bucket{le=\"1\"} -3\n", "a number from 0");
	refuse("http_seconds_count NaN\n", "a number from 0");
	refuse("http_seconds_bucket{le=\"1\"} 3\n", "no count of all");
	refuse("http_seconds_bucket{le=\"1\"} 3\nhttp_seconds_bucket{le=\"2\"} 2\n"
	       "http_seconds_count 4\n",
	       "the buckets are not cumulative: more values lie within 1");
	refuse("http_seconds_bucket{le=\"1\"} 3\nhttp_seconds_count 2\n", "not cumulative");
}

static void too_many_buckets(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i <= PROMETHEUS_MAX_BUCKETS; i++)
		fprintf(out, "http_seconds_bucket{le=\"%d\"} 1\n", PROMETHEUS_MAX_BUCKETS - i);
	fclose(out);
	refuse(text, "too many buckets");
	free(text);
}

/* A value that is longer than any that can be asked for matches nothing, not its beginning. */
static void a_long_value(void **state)
{
	const struct prometheus_label label[] = {{"path", ""}};
	struct prometheus_query query = {"h", 1, label};
	struct prometheus_histogram h;
	char text[PROMETHEUS_MAX_VALUE + 64];

	(void)state;
	snprintf(text, sizeof(text), "h_count{path=\"%0*d\"} 1\n", PROMETHEUS_MAX_VALUE + 1, 0);
	take(text, &(struct prometheus_query){.name = "h"}, &h);
	assert_int_equal(h.n_series, 1);
	take("h_count{path=\"\"} 1\n", &query, &h);
	assert_int_equal(h.n_series, 1);
}

static struct prometheus_histogram histogram(double a, double b, double c, double count, double sum)
{
	return (struct prometheus_histogram){.n_series = 1,
					     .n = 3,
					     .upper = {0.1, 0.2, 0.5},
					     .within = {a, b, c},
					     .count = count,
					     .sum = sum};
}

static void what_came_between(void **state)
{
	struct prometheus_histogram open = histogram(1000, 1500, 1800, 1900, 77);
	struct prometheus_histogram close = histogram(1100, 1800, 2700, 3100, 177);
	struct record_latency out;
	struct error err;

	(void)state;
	assert_int_equal(prometheus_between(&open, &close, "handler", &out, &err), 0);
	assert_string_equal(out.name, "handler");
	assert_int_equal(out.count, 1200);
	assert_near(out.mean_seconds, 100.0 / 1200);
	assert_true(isnan(out.min_seconds) && isnan(out.max_seconds));
	assert_int_equal(out.n_buckets, 3);
	assert_true(out.bucket_counts[0] == 100 && out.bucket_counts[1] == 200 &&
		    out.bucket_counts[2] == 600);
	/* histogram_quantile(0.5): rank 600 of 1200, 300 into the 600 from 0.2 to 0.5. */
	assert_near(out.p50_seconds, 0.35);
	/* rank 1080 lies above the last bound, which is then what Prometheus gives. */
	assert_near(out.p90_seconds, 0.5);
	assert_near(out.p99_seconds, 0.5);
	assert_true(isnan(out.p999_seconds)); /* 1.2 values beyond it */
	latency_clear(&out);
}

static void nothing_came_between(void **state)
{
	struct prometheus_histogram open = histogram(1, 2, 3, 4, 5);
	struct record_latency out;
	struct error err;

	(void)state;
	assert_int_equal(prometheus_between(&open, &open, "handler", &out, &err), 0);
	assert_int_equal(out.count, 0);
	assert_true(isnan(out.mean_seconds) && isnan(out.p50_seconds));
	latency_clear(&out);
}

/* A series with labels is there from its first value on. */
static void begun_in_the_window(void **state)
{
	struct prometheus_histogram none = {0}, close = histogram(1, 2, 3, 4, 2);
	struct record_latency out;
	struct error err;

	(void)state;
	assert_int_equal(prometheus_between(&none, &close, "handler", &out, &err), 0);
	assert_int_equal(out.count, 4);
	assert_near(out.mean_seconds, 0.5);
	latency_clear(&out);
}

static void no_pair(void **state)
{
	struct prometheus_histogram none = {0}, open = histogram(1, 2, 3, 4, 5), close = open;
	struct record_latency out;
	struct error err;

	(void)state;
	assert_int_equal(prometheus_between(&open, &none, "h", &out, &err), -1);
	assert_string_equal(err.text, "there is no such histogram");
	close.count = 3;
	assert_int_equal(prometheus_between(&open, &close, "h", &out, &err), -1);
	assert_non_null(strstr(err.text, "was started anew"));
	close = open;
	close.within[1] = 1;
	assert_int_equal(prometheus_between(&open, &close, "h", &out, &err), -1);
	assert_non_null(strstr(err.text, "was started anew"));
	close = open;
	close.upper[1] = 0.3;
	assert_int_equal(prometheus_between(&open, &close, "h", &out, &err), -1);
	assert_non_null(strstr(err.text, "bounds of the histogram changed"));
	close = open;
	close.n = 0;
	assert_int_equal(prometheus_between(&none, &close, "h", &out, &err), -1);
	assert_non_null(strstr(err.text, "has no buckets"));
	close = open;
	close.count = 1e300;
	assert_int_equal(prometheus_between(&none, &close, "h", &out, &err), -1);
	assert_null(out.name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_series),          cmocka_unit_test(by_labels),
		cmocka_unit_test(as_others_write_it),  cmocka_unit_test(what_is_broken),
		cmocka_unit_test(too_many_buckets),    cmocka_unit_test(a_long_value),
		cmocka_unit_test(what_came_between),   cmocka_unit_test(nothing_came_between),
		cmocka_unit_test(begun_in_the_window), cmocka_unit_test(no_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
