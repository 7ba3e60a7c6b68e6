/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/kubelogs/seen.h"
#include "util/clock.h"

/* A longer line is no log line of ours. */
#define LINE_MAX_BYTES 65536
#define READ_BYTES     262144
#define READS_MAX      4
/* Lines that wait to be counted; beyond that they are counted at once. A power of 2. */
#define ARRIVALS 65536
/* Ticks of the series: a day at 100 ms. */
#define TICKS_MAX 864000

enum arrival_kind {
	ARRIVAL_LINE,
	ARRIVAL_MALFORMED,
	ARRIVAL_FOREIGN,
	ARRIVAL_UNKNOWN, /* where nothing is known of the lines */
};

struct arrival {
	uint64_t basis_ns; /* what decides on the window: the intended time, or when it was seen */
	uint64_t seen_ns;
	uint64_t seq;
	uint32_t pod;
	uint32_t bytes;
	enum arrival_kind kind;
	bool is_wanted;
};

struct check {
	const struct source *source;
	struct check_counts counts;
	uint64_t wanted_seen;
	bool has_output;
	bool is_skipping;                    /* the rest of a line that is too long */
	uint64_t open_ns, close_ns, tick_ns; /* open UINT64_MAX: no window yet */
	struct seen *seen;                   /* of each pod */
	uint64_t *next_expected; /* of each pod: the first line that has not been counted as
				    expected */
	uint64_t *series;
	size_t n_series, series_size;
	struct check_phase phases[SCENARIO_PHASES_MAX];
	size_t n_phases;
	uint64_t first_arrival, end_arrival; /* [first, end) wait in the ring */
	struct arrival *arrivals;
	size_t held; /* bytes of a line whose end is to come */
	char buffer[LINE_MAX_BYTES + READ_BYTES];
};

struct check *check_new(const struct source *source)
{
	struct check *check = malloc(sizeof(*check));
	size_t n_pods = source ? source->n_pods : 1;

	if (!check)
		return NULL;
	memset(check, 0, offsetof(struct check, buffer));
	check->source = source;
	check->open_ns = check->close_ns = UINT64_MAX;
	histogram_init(&check->counts.delivery);
	check->seen = calloc(n_pods, sizeof(*check->seen));
	check->next_expected = calloc(n_pods, sizeof(*check->next_expected));
	check->arrivals = calloc(ARRIVALS, sizeof(*check->arrivals));
	if (check->seen && check->next_expected && check->arrivals)
		return check;
	check_free(check);
	return NULL;
}

void check_free(struct check *check)
{
	if (!check)
		return;
	for (uint32_t pod = 0; check->seen && check->source && pod < check->source->n_pods; pod++)
		seen_free(&check->seen[pod]);
	for (size_t i = 0; i < check->n_phases; i++)
		free(check->phases[i].delivery);
	free(check->seen);
	free(check->next_expected);
	free(check->series);
	free(check->arrivals);
	free(check);
}

/* Room in the series for tick @index; false: it will not be shown. */
static bool grow_series(struct check *check, size_t index)
{
	size_t size = check->series_size ? check->series_size : 1024;
	uint64_t *series;

	if (index >= TICKS_MAX)
		return false;
	while (size <= index)
		size *= 2;
	if (size > check->series_size) {
		series = realloc(check->series, size * sizeof(*series));
		if (!series)
			return false;
		check->series = series;
		check->series_size = size;
	}
	for (; check->n_series <= index; check->n_series++)
		check->series[check->n_series] = 0;
	return true;
}

static void count_in_series(struct check *check, uint64_t seen_ns)
{
	size_t index;

	if (seen_ns < check->open_ns || seen_ns >= check->close_ns || !check->tick_ns)
		return;
	index = (size_t)((seen_ns - check->open_ns) / check->tick_ns);
	if (grow_series(check, index))
		check->series[index]++;
}

/* That @at_ns lies in; the window's first where there is none. */
static struct check_phase *phase_at(struct check *check, uint64_t at_ns)
{
	size_t i = check->n_phases;

	while (i > 1 && check->phases[i - 1].from_ns > at_ns)
		i--;
	return &check->phases[i ? i - 1 : 0];
}

static void count_line(struct check *check, const struct arrival *arrival)
{
	struct check_phase *phase = phase_at(check, arrival->basis_ns);
	struct check_counts *counts = &check->counts;
	enum seen_mark mark = seen_mark(&check->seen[arrival->pod], arrival->seq);

	counts->lines++;
	phase->lines++;
	counts->bytes += arrival->bytes;
	if (mark == SEEN_AGAIN) {
		counts->duplicated++;
		return;
	}
	counts->reordered += mark == SEEN_LATE;
	counts->found += arrival->is_wanted;
	phase->found += arrival->is_wanted;
	counts->unwanted += !arrival->is_wanted;
	histogram_add(&counts->delivery, arrival->seen_ns - arrival->basis_ns);
	if (phase->delivery)
		histogram_add(phase->delivery, arrival->seen_ns - arrival->basis_ns);
}

static void count_arrival(struct check *check, const struct arrival *arrival)
{
	if (arrival->kind == ARRIVAL_LINE || arrival->kind == ARRIVAL_UNKNOWN)
		count_in_series(check, arrival->seen_ns);
	if (arrival->basis_ns < check->open_ns || arrival->basis_ns >= check->close_ns)
		return;
	switch (arrival->kind) {
	case ARRIVAL_LINE:
		count_line(check, arrival);
		break;
	case ARRIVAL_UNKNOWN:
		check->counts.lines++;
		check->counts.bytes += arrival->bytes;
		break;
	case ARRIVAL_MALFORMED:
		check->counts.malformed++;
		break;
	case ARRIVAL_FOREIGN:
		check->counts.foreign++;
		break;
	}
}

static void count_first(struct check *check)
{
	count_arrival(check, &check->arrivals[check->first_arrival++ % ARRIVALS]);
}

static void arrive(struct check *check, const struct arrival *arrival)
{
	if (check->end_arrival - check->first_arrival == ARRIVALS)
		count_first(check);
	check->arrivals[check->end_arrival++ % ARRIVALS] = *arrival;
}

/* Takes colours out of @line (sequences ESC [ … letter), in place; the length that is left. */
static size_t strip_colours(char *line, size_t length)
{
	size_t out = 0;

	for (size_t i = 0; i < length; i++) {
		if (line[i] != '\033' || i + 1 == length || line[i + 1] != '[') {
			line[out++] = line[i];
			continue;
		}
		for (i += 2; i < length && (line[i] < '@' || line[i] > '~'); i++)
			;
	}
	return out;
}

/*
 * Is @line from its message on what @arrival's line must say? A tool may put before
 * the message what it likes.
 */
static bool is_true_line(const struct check *check, const struct arrival *arrival, const char *line,
			 size_t length, size_t stamp)
{
	const struct message *message = source_message(check->source, arrival->pod, arrival->seq);
	char head[CONTENT_HEAD_MAX];
	size_t n = source_head(check->source, arrival->pod, arrival->seq, head);
	size_t text = message->length - 1, start = stamp;

	if (message->is_json) {
		if (stamp < sizeof(CONTENT_JSON_HEAD) - 1)
			return false;
		start -= sizeof(CONTENT_JSON_HEAD) - 1;
	}
	return length - start == n + text && !memcmp(line + start, head, n) &&
	       !memcmp(line + start + n, message->text, text);
}

/* One line without its newline; @line may be changed. */
static void take_line(struct check *check, char *line, size_t length, uint64_t now_ns)
{
	struct arrival arrival = {
		.kind = ARRIVAL_FOREIGN,
		.basis_ns = now_ns,
		.seen_ns = now_ns,
		.bytes = (uint32_t)length + 1,
	};
	uint64_t stamp_ns;
	const char *mark;

	if (!check->source) {
		arrival.kind = ARRIVAL_UNKNOWN;
		arrive(check, &arrival);
		return;
	}
	if (memchr(line, '\033', length))
		length = strip_colours(line, length);
	if (length && line[length - 1] == '\r')
		length--;
	mark = memmem(line, length, CONTENT_MARK, sizeof(CONTENT_MARK) - 1);
	if (mark) {
		size_t at = (size_t)(mark - line);

		arrival.kind = ARRIVAL_MALFORMED;
		/* A line from the future is an invention, however well it is made. */
		if (content_read_stamp(mark, length - at, &arrival.pod, &arrival.seq, &stamp_ns) &&
		    arrival.pod < check->source->n_pods &&
		    source_skip(check->source, arrival.pod, arrival.seq) == arrival.seq &&
		    arrival.seq < source_due(check->source, arrival.pod, now_ns)) {
			arrival.basis_ns =
				source_intended_ns(check->source, arrival.pod, arrival.seq);
			if (is_true_line(check, &arrival, line, length, at))
				arrival.kind = ARRIVAL_LINE;
			arrival.is_wanted =
				source_message(check->source, arrival.pod, arrival.seq)->is_wanted;
			check->wanted_seen += arrival.kind == ARRIVAL_LINE && arrival.is_wanted;
		}
	}
	arrive(check, &arrival);
}

static void take_long_line(struct check *check, uint64_t now_ns)
{
	struct arrival arrival = {
		.kind = check->source ? ARRIVAL_MALFORMED : ARRIVAL_UNKNOWN,
		.basis_ns = now_ns,
		.seen_ns = now_ns,
	};

	arrive(check, &arrival);
}

/* Takes the whole lines of the buffer's first @length bytes and keeps the rest. */
static void take_buffer(struct check *check, size_t length, uint64_t now_ns)
{
	char *at = check->buffer, *end = check->buffer + length, *newline;

	check->has_output |= length > 0;
	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		if (check->is_skipping || newline - at > LINE_MAX_BYTES) {
			if (!check->is_skipping)
				take_long_line(check, now_ns);
			check->is_skipping = false;
		} else {
			take_line(check, at, (size_t)(newline - at), now_ns);
		}
		at = newline + 1;
	}
	check->held = (size_t)(end - at);
	if (check->is_skipping) {
		check->held = 0;
	} else if (check->held >= LINE_MAX_BYTES) {
		take_long_line(check, now_ns);
		check->is_skipping = true;
		check->held = 0;
	}
	memmove(check->buffer, at, check->held);
}

void check_feed(struct check *check, const char *bytes, size_t length, uint64_t now_ns)
{
	while (length) {
		size_t n = length < READ_BYTES ? length : READ_BYTES;

		memcpy(check->buffer + check->held, bytes, n);
		take_buffer(check, check->held + n, now_ns);
		bytes += n;
		length -= n;
	}
}

void check_feed_end(struct check *check, uint64_t now_ns)
{
	if (check->held)
		take_line(check, check->buffer, check->held, now_ns);
	check->held = 0;
	check->is_skipping = false;
}

int check_read(struct check *check, int fd)
{
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = read(fd, check->buffer + check->held, READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0) {
			check_feed_end(check, clock_now_ns());
			return 1;
		}
		take_buffer(check, check->held + (size_t)n, clock_now_ns());
		/* Less than was asked for: there was no more. */
		if (n < READ_BYTES / 2)
			return 0;
	}
	return 0;
}

void check_open_window(struct check *check, uint64_t at_ns, uint64_t tick_ns)
{
	check->open_ns = at_ns;
	check->tick_ns = tick_ns;
	check_phase_begin(check, at_ns);
	for (uint32_t pod = 0; check->source && pod < check->source->n_pods; pod++)
		check->next_expected[pod] = source_first_since(check->source, pod, at_ns);
}

void check_phase_begin(struct check *check, uint64_t at_ns)
{
	struct check_phase *phase = &check->phases[check->n_phases];

	if (check->n_phases == SCENARIO_PHASES_MAX)
		return;
	*phase = (struct check_phase){.from_ns = at_ns,
				      .delivery = malloc(sizeof(struct histogram))};
	if (phase->delivery)
		histogram_init(phase->delivery);
	check->n_phases++;
}

void check_close_window(struct check *check, uint64_t at_ns)
{
	check->close_ns = at_ns;
}

/* Adds the wanted lines of @pod up to @end, which are due in @phase. */
static void count_expected_to(struct check *check, struct check_phase *phase, uint32_t pod,
			      uint64_t end)
{
	uint64_t *seq = &check->next_expected[pod], wanted = 0;

	if (check->source->content->all_wanted && *seq < end) {
		wanted = end - *seq;
		*seq = end;
	}
	for (; *seq < end; ++*seq)
		wanted += source_message(check->source, pod, *seq)->is_wanted;
	check->counts.expected += wanted;
	phase->expected += wanted;
}

/* The same of all pods, of one phase, before @end_ns. */
static void count_expected_in(struct check *check, struct check_phase *phase, uint64_t end_ns)
{
	const struct source *source = check->source;

	for (uint32_t pod = 0; end_ns && pod < source->n_pods; pod++) {
		uint64_t *seq = &check->next_expected[pod];
		uint64_t end = source_due(source, pod, end_ns - 1);

		/* A window that a restart lies in has the lines of both sides of it. */
		if (end >= SOURCE_RESTART_SEQ) {
			count_expected_to(check, phase, pod, source->n_before[pod]);
			*seq = source_skip(source, pod, *seq);
		}
		count_expected_to(check, phase, pod, end);
	}
}

/* Adds the wanted lines that are due before @end_ns and before the window's end. */
static void count_expected(struct check *check, uint64_t end_ns)
{
	if (!check->source || check->open_ns == UINT64_MAX)
		return;
	if (end_ns > check->close_ns)
		end_ns = check->close_ns;
	for (size_t i = 0; i < check->n_phases; i++) {
		bool last = i + 1 == check->n_phases;
		uint64_t until = last ? UINT64_MAX : check->phases[i + 1].from_ns;

		count_expected_in(check, &check->phases[i], until < end_ns ? until : end_ns);
	}
}

void check_advance(struct check *check, uint64_t now_ns)
{
	uint64_t settled_ns = now_ns > CHECK_SETTLE_NS ? now_ns - CHECK_SETTLE_NS : 0;

	while (check->first_arrival < check->end_arrival &&
	       check->arrivals[check->first_arrival % ARRIVALS].seen_ns <= settled_ns)
		count_first(check);
	count_expected(check, settled_ns);
}

void check_settle(struct check *check)
{
	while (check->first_arrival < check->end_arrival)
		count_first(check);
	count_expected(check, UINT64_MAX);
}

bool check_is_complete(struct check *check)
{
	if (check->close_ns == UINT64_MAX)
		return false;
	check_settle(check);
	return check->counts.found >= check->counts.expected;
}

uint64_t check_wanted_seen(const struct check *check)
{
	return check->wanted_seen;
}

bool check_has_output(const struct check *check)
{
	return check->has_output;
}

const struct check_counts *check_counts(const struct check *check)
{
	return &check->counts;
}

const struct check_phase *check_phases(const struct check *check, size_t *n)
{
	*n = check->n_phases;
	return check->phases;
}

const uint64_t *check_series(const struct check *check, size_t *n, uint64_t *tick_ns)
{
	*n = check->n_series;
	*tick_ns = check->tick_ns;
	return check->series;
}
