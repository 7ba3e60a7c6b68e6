/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The driver: everything happens in one loop; librdkafka's threads wake it by an eventfd for each
 * client. First the topic (a thread of its own waits for the broker), then messages that are to
 * be there before, then the groups; then the phases.
 */
#include "drive/kafka/kafka.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drive/load/load.h"
#include "util/clock.h"

#define EVENTS_MAX 64
/* How often it is asked whether all has been consumed. */
#define DRAIN_CHECK_NS (20 * NSEC_PER_MSEC)

/* --- for the other parts --------------------------------------------------------------- */

int kafka_eventfd(struct driver *driver, uint64_t tag, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd >= 0 && !epoll_ctl(driver->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return fd;
	error_set(err, EXIT_CODE_FAILED, "kafka: cannot wait for messages: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void kafka_take(int event_fd)
{
	uint64_t count;

	/* Nothing to read: it was taken before. */
	if (read(event_fd, &count, sizeof(count)) < 0)
		return;
}

void kafka_raise(int event_fd)
{
	const uint64_t one = 1;

	/* Full: it is ready. */
	if (write(event_fd, &one, sizeof(one)) < 0)
		return;
}

void kafka_fail(struct driver *driver, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (driver->has_failed)
		return;
	driver->has_failed = true;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	error_set(&driver->failed, EXIT_CODE_FAILED, "%s", text);
}

void kafka_errors_add(struct kafka_errors *errors, const char *name)
{
	size_t i = 0;

	while (i < errors->n && strcmp(errors->rows[i].name, name) != 0)
		i++;
	if (i == KAFKA_ERRORS_MAX)
		i--;
	else if (i == errors->n) {
		errors->n++;
		errors->rows[i].name = errors->n == KAFKA_ERRORS_MAX ? "other" : name;
	}
	errors->rows[i].count++;
}

void kafka_flow_add(struct kafka_flow *flow, uint64_t at_ns, uint64_t bytes)
{
	flow->messages++;
	flow->bytes += bytes;
	if (!flow->first_ns)
		flow->first_ns = at_ns;
	flow->last_ns = at_ns;
}

bool kafka_produces(const struct driver *driver)
{
	return driver->config->producers > 0;
}

size_t kafka_phase_at(const struct driver *driver, uint64_t at_ns)
{
	size_t phase = schedule_phase_at(driver->schedule,
					 at_ns > driver->start_ns ? at_ns - driver->start_ns : 0);

	return phase < driver->n_phases ? phase : driver->n_phases - 1;
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_loop(struct driver *driver, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = KAFKA_TAG_TIMER};

	driver->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	driver->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (driver->epoll_fd < 0 || driver->timer_fd < 0 ||
	    epoll_ctl(driver->epoll_fd, EPOLL_CTL_ADD, driver->timer_fd, &event))
		return error_set(err, EXIT_CODE_FAILED, "kafka: cannot open timers: %s",
				 strerror(errno));
	return 0;
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* Lines like those of logs: words that return, and numbers that do not. */
static void write_words(char *text, size_t size, uint64_t seed)
{
	static const char *const words[] = {
		"INFO ",      "WARN ",    "request ",   "user=",      "order ",      "payment ",
		"accepted ",  "latency=", "partition ", "offset=",    "status=200 ", "session ",
		"connected ", "retry ",   "region=eu ", "cache hit ", "\n",
	};
	size_t at = 0;

	while (at < size) {
		uint64_t random = next_random(&seed);
		const char *word = words[random % (sizeof(words) / sizeof(words[0]))];
		char piece[32];
		size_t n = (size_t)snprintf(piece, sizeof(piece), "%s%llx ", word,
					    (unsigned long long)(random >> 44));

		n = n < size - at ? n : size - at;
		memcpy(text + at, piece, n);
		at += n;
	}
}

static int make_content(struct driver *driver, struct error *err)
{
	size_t size = KAFKA_CONTENT_BYTES + driver->config->message_size;
	uint64_t seed = kafka_seed(driver->config);

	driver->content = malloc(size + sizeof(seed));
	driver->message = malloc(driver->config->message_size);
	if (!driver->content || !driver->message)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	if (driver->config->content == KAFKA_TEXT) {
		write_words(driver->content, size, seed);
		return 0;
	}
	for (size_t i = 0; i < size; i += sizeof(seed)) {
		uint64_t random = next_random(&seed);

		memcpy(driver->content + i, &random, sizeof(random));
	}
	return 0;
}

static const char *kind_name(const struct kafka_config *config)
{
	return config->producers ? "produce" : "consume";
}

static int kafka_kinds(const void *config, struct load_kind **kinds, size_t *n, struct error *err)
{
	*kinds = calloc(1, sizeof(**kinds));
	if (!*kinds)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	**kinds = (struct load_kind){kind_name(config), 1};
	*n = 1;
	return 0;
}

static int open_load(struct driver *driver, struct error *err)
{
	const char *kind = kind_name(driver->config);

	driver->phases = kafka_phases(driver->scenario, err);
	if (!driver->phases)
		return -1;
	driver->n_phases = driver->scenario->n_phases;
	driver->schedule = schedule_new(driver->phases, driver->n_phases);
	driver->tally = tally_new(driver->phases, driver->n_phases, &kind, 1);
	driver->phase_end_to_end = calloc(driver->n_phases, sizeof(*driver->phase_end_to_end));
	driver->rebalances_done =
		calloc(driver->config->n_rebalances + 1, sizeof(*driver->rebalances_done));
	if (!driver->schedule || !driver->tally || !driver->phase_end_to_end ||
	    !driver->rebalances_done)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	histogram_init(&driver->assignment);
	histogram_init(&driver->rebalance);
	histogram_init(&driver->end_to_end);
	for (size_t i = 0; i < driver->n_phases; i++)
		histogram_init(&driver->phase_end_to_end[i]);
	return 0;
}

/* Does the library take what the scenario says? Better asked before anything is started. */
static int try_settings(struct driver *driver, struct error *err)
{
	rd_kafka_conf_t *conf = client_conf(driver, false, NULL, NULL, err);

	if (!conf)
		return -1;
	driver->api.conf_destroy(conf);
	conf = client_conf(driver, true, driver->config->group, NULL, err);
	if (!conf)
		return -1;
	driver->api.conf_destroy(conf);
	return 0;
}

static void kafka_close(struct driver *driver)
{
	if (!driver)
		return;
	prepare_cancel(driver);
	consumers_close(driver);
	producers_close(driver);
	ledger_free(driver->ledger);
	tally_free(driver->tally);
	schedule_free(driver->schedule);
	kafka_phases_free(driver->phases, driver->scenario->n_phases);
	free(driver->phase_end_to_end);
	free(driver->rebalances_done);
	free(driver->bootstrap);
	free(driver->topic);
	free(driver->starts);
	free(driver->content);
	free(driver->message);
	if (driver->timer_fd >= 0)
		close(driver->timer_fd);
	if (driver->epoll_fd >= 0)
		close(driver->epoll_fd);
	free(driver);
}

static struct driver *kafka_open(const struct driver_context *context, struct error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	if (!driver) {
		error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
		return NULL;
	}
	driver->scenario = context->scenario;
	driver->config = context->scenario->driver_config;
	driver->epoll_fd = driver->timer_fd = -1;
	if (!kafka_check(driver->scenario, err) && !kafka_api_load(&driver->api, err) &&
	    !try_settings(driver, err) && !open_loop(driver, err) && !open_load(driver, err) &&
	    !make_content(driver, err))
		return driver;
	kafka_close(driver);
	return NULL;
}

static int kafka_connect(struct driver *driver, const struct variable *variables,
			 size_t n_variables, struct error *err)
{
	if (getrandom(&driver->run, sizeof(driver->run), 0) != sizeof(driver->run))
		return error_set(err, EXIT_CODE_FAILED, "kafka: no random number: %s",
				 strerror(errno));
	driver->bootstrap = variables_fill(driver->config->bootstrap, variables, n_variables, err);
	if (!driver->bootstrap)
		return error_prefix(err, "%s: kafka: bootstrap", driver->scenario->path);
	driver->topic = variables_fill(driver->config->topic, variables, n_variables, err);
	if (!driver->topic)
		return error_prefix(err, "%s: kafka: topic", driver->scenario->path);
	if (producers_open(driver, err))
		return -1;
	driver->prepare = prepare_start(driver, producers_client(driver), err);
	return driver->prepare ? 0 : -1;
}

/* --- the loop ------------------------------------------------------------------------------ */

static int finish_preparing(struct driver *driver, struct error *err)
{
	if (prepare_finish(driver, err))
		return -1;
	driver->ledger =
		ledger_new((uint32_t)driver->n_producers, (uint32_t)driver->n_partitions,
			   driver->config->consumers ? (uint32_t)driver->config->groups : 0);
	if (!driver->ledger)
		return error_set(err, EXIT_CODE_FAILED, "kafka: out of memory");
	driver->is_prepared = true;
	return 0;
}

/* What comes before the load, each as soon as the one before it is done. */
static int go_on_preparing(struct driver *driver, struct error *err)
{
	if (!driver->is_prepared || driver->is_preloaded)
		return 0;
	if (!kafka_produces(driver)) {
		producers_preload(driver);
		if (!producers_have_preloaded(driver))
			return 0;
	}
	driver->is_preloaded = true;
	return driver->config->consumers ? consumers_open(driver, err) : 0;
}

static int handle(struct driver *driver, uint64_t tag, struct error *err)
{
	if (tag == KAFKA_TAG_PREPARE)
		return finish_preparing(driver, err);
	if (tag == KAFKA_TAG_TIMER)
		kafka_take(driver->timer_fd);
	else if (tag >= KAFKA_TAG_CONSUMER)
		return consumers_ready(driver, tag - KAFKA_TAG_CONSUMER, err);
	else
		producers_ready(driver, tag - KAFKA_TAG_PRODUCER);
	return 0;
}

/* UINT64_MAX: not at all. */
static void set_timer(struct driver *driver, uint64_t at_ns)
{
	struct itimerspec spec = {0};

	if (at_ns != UINT64_MAX) {
		spec.it_value.tv_sec = (time_t)(at_ns / NSEC_PER_SEC);
		spec.it_value.tv_nsec = (long)(at_ns % NSEC_PER_SEC);
	}
	timerfd_settime(driver->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* Notes when nothing is sent any more; from then on it is only waited. */
static void note_end(struct driver *driver, uint64_t now_ns)
{
	uint64_t length_ns = schedule_phase_begin_ns(driver->schedule, driver->n_phases);

	if (driver->end_ns)
		return;
	if (kafka_produces(driver)
		    ? producers_are_done(driver)
		    : now_ns >= driver->start_ns + length_ns || consumers_have_all(driver, true))
		driver->end_ns = now_ns;
}

static int kafka_step(struct driver *driver, struct error *err)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(driver->epoll_fd, events, EVENTS_MAX, 0), rc = 0;
	uint64_t now_ns, next_ns, change_ns;

	if (n < 0 && errno != EINTR)
		return error_set(err, EXIT_CODE_FAILED, "kafka: epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n && !rc; i++)
		rc = handle(driver, events[i].data.u64, err);
	if (!rc)
		rc = go_on_preparing(driver, err);
	if (rc)
		return rc;
	now_ns = clock_now_ns();
	next_ns = driver->start_ns ? producers_emit(driver, now_ns) : UINT64_MAX;
	change_ns = consumers_change(driver, now_ns, err);
	next_ns = change_ns < next_ns ? change_ns : next_ns;
	if (driver->has_failed) {
		*err = driver->failed;
		return -1;
	}
	if (driver->start_ns)
		note_end(driver, now_ns);
	/* Whoever waits for the end looks after each step. */
	if ((driver->end_ns || driver->close_ns) && now_ns + DRAIN_CHECK_NS < next_ns)
		next_ns = now_ns + DRAIN_CHECK_NS;
	/* A consume-only load has its end by the clock, too. */
	if (driver->start_ns && !driver->end_ns && !kafka_produces(driver) &&
	    now_ns + DRAIN_CHECK_NS < next_ns)
		next_ns = now_ns + DRAIN_CHECK_NS;
	set_timer(driver, next_ns);
	return 0;
}

static int kafka_fd(const struct driver *driver)
{
	return driver->epoll_fd;
}

static bool kafka_is_attached(const struct driver *driver)
{
	return driver->is_preloaded && consumers_are_whole(driver);
}

static uint64_t kafka_restart(struct driver *driver)
{
	uint64_t now_ns = clock_now_ns();
	size_t measured = 0;

	while (measured < driver->n_phases && driver->phases[measured].role != PHASE_MEASURED)
		measured++;
	driver->start_ns = now_ns;
	driver->open_ns = now_ns + schedule_phase_begin_ns(driver->schedule, measured);
	tally_start(driver->tally, now_ns);
	consumers_resume(driver);
	set_timer(driver, now_ns);
	return now_ns;
}

static void kafka_window_open(struct driver *driver, uint64_t at_ns, uint64_t tick_ns)
{
	driver->open_ns = at_ns;
	tally_window_open(driver->tally, at_ns, tick_ns);
}

static void kafka_window_close(struct driver *driver, uint64_t at_ns)
{
	driver->close_ns = at_ns;
	tally_window_close(driver->tally, at_ns);
	set_timer(driver, at_ns);
}

static void kafka_fault(struct driver *driver, const char *name, uint64_t at_ns, bool ended)
{
	tally_fault(driver->tally, name, at_ns, ended);
}

/* Has nothing been consumed for so long after @from_ns that nothing will be? */
static bool has_given_up(const struct driver *driver, uint64_t progress_ns, uint64_t from_ns)
{
	uint64_t since_ns = progress_ns > from_ns ? progress_ns : from_ns;

	return clock_now_ns() > since_ns + driver->config->drain_timeout_ns;
}

static bool kafka_is_finished(const struct driver *driver)
{
	if (!driver->end_ns)
		return false;
	return (consumers_have_all(driver, true) && consumers_have_all(driver, false)) ||
	       has_given_up(driver, driver->progress_ns, driver->end_ns);
}

bool kafka_is_drained(const struct driver *driver)
{
	uint64_t from_ns = driver->end_ns ? driver->end_ns : driver->close_ns;

	if (!driver->ledger)
		return true;
	return producers_are_drained(driver) &&
	       (consumers_have_all(driver, true) ||
		(from_ns && has_given_up(driver, driver->counted_progress_ns, from_ns)));
}

const struct driver_ops driver_kafka = {
	.name = "kafka",
	.description = "messages through a Kafka broker: produced, consumed, end to end, in groups",
	.by_socket = true,
	.schema = &kafka_schema,
	.override = kafka_override,
	.open = kafka_open,
	.kinds = kafka_kinds,
	.connect = kafka_connect,
	.fd = kafka_fd,
	.step = kafka_step,
	.is_attached = kafka_is_attached,
	.restart = kafka_restart,
	.window_open = kafka_window_open,
	.window_close = kafka_window_close,
	.fault = kafka_fault,
	.is_finished = kafka_is_finished,
	.is_drained = kafka_is_drained,
	.report = kafka_report,
	.print_usage = kafka_print_usage,
	.print_progress = kafka_print_progress,
	.close = kafka_close,
};
