/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/metric.h"
#include "record/threshold.h"
#include "sample_load.h"
#include "util/file.h"

/* The contract, word by word; "[]" goes into the first element, NAME is "delivery". */
static const char *const contract[] = {
	"schema",
	"perfbpf.version",
	"perfbpf.argv",
	"perfbpf.seed",
	"host.kernel",
	"host.cpus",
	"host.cpu_model",
	"host.memory_bytes",
	"host.virtualization",
	"host.governor",
	"scenario.name",
	"scenario.driver",
	"scenario.phases[]",
	"targets[].side",
	"targets[].name",
	"targets[].argv",
	"targets[].version",
	"rounds[].side",
	"rounds[].pair",
	"rounds[].position",
	"rounds[].started_at",
	"rounds[].window_seconds",
	"rounds[].exit_code",
	"rounds[].signal",
	"rounds[].cpu.total_seconds",
	"rounds[].cpu.user_seconds",
	"rounds[].cpu.system_seconds",
	"rounds[].cpu.utilization_avg",
	"rounds[].cpu.utilization_peak",
	"rounds[].cpu.context_switches",
	"rounds[].cpu.involuntary_switches",
	"rounds[].cpu.migrations",
	"rounds[].memory.rss_avg_bytes",
	"rounds[].memory.rss_peak_bytes",
	"rounds[].memory.vms_peak_bytes",
	"rounds[].memory.minor_faults",
	"rounds[].memory.major_faults",
	"rounds[].network.tx_bytes",
	"rounds[].network.rx_bytes",
	"rounds[].network.connections_opened",
	"rounds[].network.connections_accepted",
	"rounds[].network.retransmits",
	"rounds[].work.lines",
	"rounds[].work.bytes",
	"rounds[].work.expected_lines",
	"rounds[].work.lost",
	"rounds[].work.duplicated",
	"rounds[].work.reordered",
	"rounds[].work.malformed",
	"rounds[].latency.delivery.count",
	"rounds[].latency.delivery.min_seconds",
	"rounds[].latency.delivery.mean_seconds",
	"rounds[].latency.delivery.p50_seconds",
	"rounds[].latency.delivery.p90_seconds",
	"rounds[].latency.delivery.p95_seconds",
	"rounds[].latency.delivery.p99_seconds",
	"rounds[].latency.delivery.p999_seconds",
	"rounds[].latency.delivery.max_seconds",
	"rounds[].latency.delivery.bucket_upper_seconds",
	"rounds[].latency.queue.bucket_upper_seconds[]",
	"rounds[].latency.queue.bucket_counts[]",
	"rounds[].requests.served",
	"rounds[].requests.unparsed",
	"rounds[].protocols[].label",
	"rounds[].protocols[].service.p99_seconds",
	"rounds[].protocols[].response.bucket_counts[]",
	"rounds[].time.wall_seconds",
	"rounds[].time.stolen_seconds",
	"rounds[].time.lock_seconds",
	"rounds[].time.unaccounted_seconds",
	"rounds[].io.block_reads",
	"rounds[].peers[].address",
	"rounds[].peers[].rtt_max_seconds",
	"rounds[].syscalls[].latency.p99_seconds",
	"rounds[].phases[].run_queue.saturation",
	"rounds[].phases[].limited_by",
	"rounds[].phases[].limit",
	"rounds[].threads[].time.on_cpu_seconds",
	"rounds[].observer.syscall_slowdown_seconds",
	"rounds[].observer.losses.block",
	"rounds[].processes[].pid",
	"rounds[].processes[].ppid",
	"rounds[].processes[].comm",
	"rounds[].processes[].exe",
	"rounds[].processes[].started_at",
	"rounds[].processes[].exited_at",
	"rounds[].processes[].cpu_seconds",
	"rounds[].processes[].rss_peak_bytes",
	"rounds[].processes[].minor_faults",
	"rounds[].processes[].major_faults",
	"rounds[].processes[].tx_bytes",
	"rounds[].processes[].rx_bytes",
	"rounds[].series.interval_seconds",
	"rounds[].series.cpu_utilization[]",
	"rounds[].series.rss_bytes[]",
	"rounds[].series.tx_bytes_per_second[]",
	"rounds[].series.rx_bytes_per_second[]",
	"rounds[].series.lines_per_second[]",
	"rounds[].driver.cpu_seconds",
	"rounds[].driver.late_seconds_max",
	"rounds[].driver.dropped",
	"rounds[].observer.probe_seconds",
	"rounds[].observer.probe_events",
	"rounds[].observer.userspace_cpu_seconds",
	"rounds[].observer.losses.ring",
	"rounds[].observer.losses.map_full",
	"rounds[].observer.losses.storage",
	"rounds[].observer.losses.stacks",
	"rounds[].work.operations",
	"rounds[].work.errors",
	"rounds[].work.dropped",
	"rounds[].work.rows_expected",
	"rounds[].work.is_fixed",
	"rounds[].errors[].kind",
	"rounds[].errors[].count",
	"rounds[].counts[].name",
	"rounds[].kinds[].rows",
	"rounds[].producers[].load.operations",
	"rounds[].faults[].applied_at",
	"rounds[].faults[].verified",
	"rounds[].faults[].undone",
	"rounds[].faults[].error",
	"rounds[].recovery[].outage_seconds",
	"rounds[].side_metrics[].value",
	"rounds[].endurance[].verdict",
	"rounds[].series.operations_per_second[]",
	"rounds[].series.errors_per_second[]",
	"rounds[].series.response_p95_seconds[]",
	"rounds[].latency.server_response.p99_seconds",
	"rounds[].validity.valid",
	"rounds[].validity.reasons",
	"thresholds[].side",
	"thresholds[].metric",
	"thresholds[].expression",
	"thresholds[].value",
	"thresholds[].passed",
	"comparison[].metric",
	"comparison[].unit",
	"comparison[].better",
	"comparison[].a_median",
	"comparison[].b_median",
	"comparison[].ratio",
	"comparison[].ci_low",
	"comparison[].ci_high",
	"comparison[].p",
	"comparison[].n",
	"comparison[].mde",
	"comparison[].verdict",
	"verdict.winner",
	"verdict.text",
	"verdict.valid",
};

/* The value at @path, NULL where there is none. */
static json_t *value_at(json_t *value, const char *path)
{
	char copy[128], *rest = copy, *step;

	snprintf(copy, sizeof(copy), "%s", path);
	while (value && (step = strsep(&rest, "."))) {
		char *brackets = strstr(step, "[]");

		if (brackets)
			*brackets = '\0';
		value = json_object_get(value, step);
		if (brackets)
			value = json_array_get(value, 0);
	}
	return value;
}

static json_t *json_of(const struct record *rec)
{
	char *text = record_to_json(rec);
	json_error_t err;
	json_t *root;

	assert_non_null(text);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &err);
	if (!root)
		fail_msg("%d:%d: %s", err.line, err.column, err.text);
	free(text);
	return root;
}

static const struct threshold_rule sample_rule = {"latency.response", "p(95)<5ms", "critical"};

static void test_contract(void **state)
{
	struct record *rec = sample_detailed(2, true);
	json_t *root, *phases;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		sample_load(&rec->rounds[i], 1);
	assert_int_equal(record_thresholds(rec, &sample_rule, 1), 0);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	root = json_of(rec);
	for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++)
		if (!value_at(root, contract[i]))
			fail_msg("run.json has no %s", contract[i]);
	phases = value_at(root, "rounds[].phases");
	assert_true(json_is_null(value_at(json_array_get(phases, 0), "load")));
	assert_non_null(value_at(json_array_get(phases, 1), "load.response.p95_seconds"));
	json_decref(root);
	record_free(rec);
}

/* A record of which nothing is known has the same paths, up to its empty lists, all null. */
static void test_unknown_is_null(void **state)
{
	struct record *rec = record_new();
	struct record_round round = {0};
	json_t *root;

	(void)state;
	record_round_init(&round);
	assert_true(round.validity.valid);
	assert_true(isnan(round.cpu.total_seconds));
	assert_true(round.memory.minor_faults == RECORD_NONE);
	assert_int_equal(record_add_round(rec, &round), 0);
	root = json_of(rec);
	assert_true(json_is_null(value_at(root, "host.cpus")));
	assert_true(json_is_null(value_at(root, "verdict.winner")));
	assert_true(json_is_null(value_at(root, "rounds[].cpu.total_seconds")));
	assert_true(json_is_null(value_at(root, "rounds[].memory.minor_faults")));
	assert_true(json_is_null(value_at(root, "rounds[].work")));
	assert_true(json_is_null(value_at(root, "rounds[].driver")));
	assert_true(json_is_null(value_at(root, "rounds[].exit_code")));
	assert_true(json_is_object(value_at(root, "rounds[].latency")));
	assert_true(json_is_array(value_at(root, "rounds[].processes")));
	json_decref(root);
	record_free(rec);
}

static void assert_round_trip(const struct record *rec)
{
	char *first = record_to_json(rec), *second;
	struct record *again;
	struct error err;

	again = record_parse(first, strlen(first), "first", &err);
	if (!again)
		fail_msg("%s", err.text);
	second = record_to_json(again);
	assert_string_equal(first, second);
	free(first);
	free(second);
	record_free(again);
}

static void test_round_trip(void **state)
{
	struct record *rec = sample_detailed(3, true);

	(void)state;
	sample_load(&rec->rounds[2], 1);
	assert_int_equal(record_thresholds(rec, &sample_rule, 1), 0);
	rec->rounds[1].work.lost = 700;
	rec->rounds[0].cpu.total_seconds = 1.0 / 3;
	rec->rounds[0].network.rx_bytes = INT64_MAX;
	rec->rounds[0].cpu.user_seconds = 1.7976931348623157e308;
	rec->rounds[0].cpu.system_seconds = -0.0;
	rec->rounds[0].window_seconds = 5e-324;
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_round_trip(rec);
	record_free(rec);
	rec = record_new();
	assert_round_trip(rec);
	record_free(rec);
}

static void test_seed(void **state)
{
	const uint64_t seeds[] = {0, 42, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	struct record *rec = record_new(), *again;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		char *text;

		rec->seed = seeds[i];
		text = record_to_json(rec);
		again = record_parse(text, strlen(text), "seed", &err);
		assert_non_null(again);
		assert_true(again->seed == seeds[i]);
		record_free(again);
		free(text);
	}
	record_free(rec);
}

/* Names from outside: what is no UTF-8 is replaced, all else comes back as it was. */
static void test_strings(void **state)
{
	static const char planted[] = "a\"\\\n\x1b[31m\xff\xc3(\xe2\x82\xac\xed\xa0\x80</script>";
	static const char wanted[] = "a\"\\\n\x1b[31m\xef\xbf\xbd\xef\xbf\xbd(\xe2\x82\xac"
				     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</script>";
	struct record *rec = sample_record(1, false), *again;
	struct error err;
	char *text;

	(void)state;
	free(rec->rounds[0].processes[0].comm);
	rec->rounds[0].processes[0].comm = strdup(planted);
	free(rec->rounds[0].latency[0].name);
	rec->rounds[0].latency[0].name = strdup(planted);
	text = record_to_json(rec);
	again = record_parse(text, strlen(text), "strings", &err);
	assert_non_null(again);
	assert_string_equal(again->rounds[0].processes[0].comm, wanted);
	assert_string_equal(again->rounds[0].latency[0].name, wanted);
	free(text);
	record_free(again);
	record_free(rec);
}

static void test_write_and_read(void **state)
{
	char dir[] = "/tmp/perfbpf-test-XXXXXX", path[64];
	struct record *rec = sample_record(2, true), *again;
	struct error err;
	char *text, *expected;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A link that lies in the way is not followed. */
	assert_int_equal(symlinkat("/dev/null", fd, ".run.json.tmp"), 0);
	assert_int_equal(record_write(rec, fd, dir, &err), 0);
	snprintf(path, sizeof(path), "%s/run.json", dir);
	text = file_read(path, 1 << 20, NULL);
	expected = record_to_json(rec);
	assert_string_equal(text, expected);
	again = record_read(dir, &err); /* the folder */
	assert_non_null(again);
	record_free(again);
	again = record_read(path, &err); /* the file */
	assert_non_null(again);
	record_free(again);
	free(text);
	free(expected);
	close(fd);
	assert_int_equal(dir_remove(dir), 0);
	record_free(rec);
}

static void test_write_fails(void **state)
{
	char dir[] = "/tmp/perfbpf-test-XXXXXX", path[64];
	struct record *rec = sample_record(1, true);
	struct error err;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/run.json", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(record_write(rec, fd, dir, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_FAILED);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(faccessat(fd, ".run.json.tmp", F_OK, 0), -1);
	close(fd);
	assert_int_equal(dir_remove(dir), 0);
	record_free(rec);
}

static void test_invalid(void **state)
{
	struct record_round round = {0};

	(void)state;
	record_round_init(&round);
	record_invalid(&round, "%d lost", 3);
	record_invalid(&round, "%d lost", 3);
	record_invalid(&round, "%d lost", 4);
	assert_false(round.validity.valid);
	assert_int_equal(round.validity.n_reasons, 2);
	assert_string_equal(round.validity.reasons[0], "3 lost");
	record_round_clear(&round);
	assert_int_equal(round.validity.n_reasons, 0);
	record_round_clear(&round);
	record_free(NULL);
}

/* A percentile of the sample that too few values stand for. */
static bool is_of_few(const struct record_round *round, const char *metric)
{
	return strstr(metric, "connect.p99") ||
	       (strstr(metric, "round_trip.p9") &&
		latency_find(round, "round_trip")->count == 500) ||
	       strstr(metric, "fsync.p99") || strstr(metric, "block_write.p99");
}

/* Every one has its own name; new columns of a CSV are no copies of others. */
static void test_metrics_differ(void **state)
{
	const struct metric *metrics;
	size_t n;

	(void)state;
	metrics = metric_table(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(metrics[i].name, metrics[j].name) ||
			    !strcmp(metrics[i].label, metrics[j].label) ||
			    metrics[i].get == metrics[j].get)
				fail_msg("%s and %s", metrics[i].name, metrics[j].name);
}

/* The rate is of what a side serves; of a client, which serves nothing, what it sends. */
static void test_request_rate(void **state)
{
	struct record *rec = sample_detailed(1, false);
	struct record_round *round = &rec->rounds[0];

	(void)state;
	assert_true(metric_find("requests.per_second")->get(round) == 2000);
	assert_true(metric_find("cpu.seconds_per_thousand_requests")->get(round) == 0.05);
	round->requests.served = 0;
	assert_true(metric_find("requests.per_second")->get(round) == 50);
	round->requests.sent = 0;
	assert_true(isnan(metric_find("cpu.seconds_per_thousand_requests")->get(round)));
	round->has_requests = false;
	assert_true(isnan(metric_find("requests.per_second")->get(round)));
	record_free(rec);
}

static void test_metrics(void **state)
{
	struct record *rec = sample_detailed(1, false);
	const struct metric *metrics;
	json_t *root;
	size_t n;

	(void)state;
	sample_load(&rec->rounds[0], 1);
	root = json_of(rec);
	metrics = metric_table(&n);
	for (size_t i = 0; i < n; i++) {
		double value = metrics[i].get(&rec->rounds[0]);
		char path[128];
		json_t *there;

		assert_ptr_equal(metric_find(metrics[i].name), &metrics[i]);
		assert_true(strlen(metrics[i].label) <= 24); /* fits beside two columns */
		if (isnan(value) && !is_of_few(&rec->rounds[0], metrics[i].name))
			fail_msg("%s is not known", metrics[i].name);
		if (isnan(value) || strstr(metrics[i].description, "derived"))
			continue;
		snprintf(path, sizeof(path), "rounds[].%s", metrics[i].name);
		there = value_at(root, path);
		if (!there)
			fail_msg("run.json has no %s", path);
		/* Real numbers have 15 digits there. */
		assert_true(fabs(json_number_value(there) - value) <= 1e-14 * value);
	}
	assert_null(metric_find("cpu.nonsense"));
	json_decref(root);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),     cmocka_unit_test(test_unknown_is_null),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_seed),
		cmocka_unit_test(test_strings),      cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_write_fails),  cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_metrics),      cmocka_unit_test(test_metrics_differ),
		cmocka_unit_test(test_request_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
