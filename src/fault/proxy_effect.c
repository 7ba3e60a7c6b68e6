/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the proxy's effect does to connections and to what passes them. */
#include <math.h>
#include <string.h>
#include <sys/random.h>

#include "fault/proxy_internal.h"
#include "stats/stats.h"
#include "util/clock.h"

/* What may pass at once: 10 ms' worth. Less would cost wake-ups, more would be seen as bursts. */
#define QUANTUM_SECONDS 0.01
#define QUANTUM_MIN     1024.0

bool effect_draw(struct proxy_state *proxy)
{
	double drawn = (double)(stats_random_u64(&proxy->random) >> 11) * 0x1p-53;
	bool is_drawn = drawn < proxy->probability;

	proxy->met++;
	proxy->affected += is_drawn;
	return is_drawn;
}

/* Of these kinds connections are met, of the others answers. */
static bool meets_links(const struct proxy_state *proxy)
{
	if (proxy->effect == PROXY_BANDWIDTH)
		return true;
	return (proxy->effect == PROXY_STALL || proxy->effect == PROXY_RESET) &&
	       proxy->probability >= 1;
}

bool effect_meets_link(struct link *link)
{
	struct proxy_state *proxy = link->proxy;

	if (!meets_links(proxy) || !effect_draw(proxy))
		return true;
	if (proxy->effect == PROXY_BANDWIDTH)
		link->is_slow = true;
	else if (proxy->effect == PROXY_STALL)
		link->is_stalled = true;
	else
		link_reset(link);
	return !link->is_dead;
}

bool effect_meets_answer(struct link *link)
{
	struct proxy_state *proxy = link->proxy;

	if (proxy->effect == PROXY_NONE || meets_links(proxy))
		return true;
	if (link->has_asked)
		link->is_drawn = effect_draw(proxy);
	link->has_asked = false;
	if (link->is_drawn && proxy->effect == PROXY_RESET) {
		link_reset(link);
		return false;
	}
	/* Its bytes are held until the stall is undone. */
	if (link->is_drawn && proxy->effect == PROXY_STALL)
		link->is_stalled = true;
	return true;
}

uint64_t effect_due_ns(const struct link *link, enum end from, uint64_t now_ns)
{
	const struct proxy_state *proxy = link->proxy;

	if (proxy->effect != PROXY_DELAY || from != END_BACKEND || !link->is_drawn)
		return now_ns;
	return now_ns + proxy->delay_ns;
}

static double quantum(const struct proxy_state *proxy)
{
	return fmax(proxy->bytes_per_second * QUANTUM_SECONDS, QUANTUM_MIN);
}

size_t effect_allowance(struct link *link, enum end from, size_t wanted, uint64_t now_ns,
			uint64_t *wake_ns)
{
	struct proxy_state *proxy = link->proxy;
	struct bucket *bucket = &proxy->buckets[from];
	double most;

	if (!link->is_slow)
		return wanted;
	most = quantum(proxy);
	if (now_ns > bucket->at_ns) {
		bucket->tokens += proxy->bytes_per_second * (double)(now_ns - bucket->at_ns) / 1e9;
		bucket->tokens = fmin(bucket->tokens, most);
		bucket->at_ns = now_ns;
	}
	/* What goes may be more than there is: the next has to wait for it. */
	if (bucket->tokens > 0)
		return wanted < (size_t)most ? wanted : (size_t)most;
	*wake_ns = now_ns + 1 + (uint64_t)(-bucket->tokens / proxy->bytes_per_second * 1e9);
	return 0;
}

void effect_spend(struct link *link, enum end from, size_t bytes)
{
	if (link->is_slow)
		link->proxy->buckets[from].tokens -= (double)bytes;
}

/* --- being told --------------------------------------------------------------------- */

static void resume_all(struct proxy_state *proxy)
{
	struct link *next;

	for (struct link *link = proxy->links; link; link = next) {
		next = link->next;
		link_resume(link);
	}
}

static void undo(struct proxy_state *proxy)
{
	proxy->effect = PROXY_NONE;
	resume_all(proxy);
	lines_say(&proxy->control,
		  json_pack("{s:s, s:I, s:I, s:I}", "event", "undone", "met",
			    (json_int_t)proxy->met, "affected", (json_int_t)proxy->affected,
			    "at_ns", (json_int_t)clock_now_ns()));
}

/* All connections that there are are met now; the number of them. */
static size_t apply_to_links(struct proxy_state *proxy)
{
	size_t n = proxy->n_links;
	struct link *next;

	for (struct link *link = proxy->links; link; link = next) {
		next = link->next;
		/* The rest of an answer that is under way is drawn as one. */
		link->has_asked = true;
		link->is_drawn = false;
		if (!effect_meets_link(link) || !link->is_stalled)
			continue;
		/* Takes it out of epoll. */
		link_stand_still(link);
	}
	return n;
}

static void apply(struct proxy_state *proxy, enum proxy_effect effect, const json_t *message)
{
	const json_t *probability = json_object_get(message, "probability");
	const json_t *seed = json_object_get(message, "seed");
	size_t n;

	if (proxy->effect != PROXY_NONE) {
		proxy->effect = PROXY_NONE;
		resume_all(proxy);
	}
	proxy->met = proxy->affected = 0;
	proxy->delay_ns = (uint64_t)json_integer_value(json_object_get(message, "delay_ns"));
	proxy->bytes_per_second = json_number_value(json_object_get(message, "bytes_per_second"));
	proxy->probability = json_is_number(probability) ? json_number_value(probability) : 1;
	if (json_is_integer(seed))
		proxy->random = (uint64_t)json_integer_value(seed);
	for (int end = 0; end < ENDS; end++)
		proxy->buckets[end] = (struct bucket){.at_ns = clock_now_ns()};
	proxy->effect = effect;
	n = apply_to_links(proxy);
	lines_say(&proxy->control, json_pack("{s:s, s:s, s:I, s:I}", "event", "applied", "effect",
					     proxy_effect_name(effect), "connections",
					     (json_int_t)n, "at_ns", (json_int_t)clock_now_ns()));
}

static void complain(struct proxy_state *proxy, const char *text)
{
	lines_say(&proxy->control, json_pack("{s:s, s:s}", "event", "error", "text", text));
}

static void count(struct proxy_state *proxy)
{
	lines_say(&proxy->control,
		  json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "event", "count",
			    "connections", (json_int_t)proxy->n_links, "accepted",
			    (json_int_t)proxy->accepted, "refused", (json_int_t)proxy->refused,
			    "turned_away", (json_int_t)proxy->turned_away, "held_bytes",
			    (json_int_t)proxy->held_bytes, "met", (json_int_t)proxy->met,
			    "affected", (json_int_t)proxy->affected));
}

static bool is_whole(const json_t *message, enum proxy_effect effect)
{
	const json_t *probability = json_object_get(message, "probability");

	if (probability && !(json_number_value(probability) > 0))
		return false;
	if (effect == PROXY_DELAY)
		return json_integer_value(json_object_get(message, "delay_ns")) > 0;
	if (effect == PROXY_BANDWIDTH)
		return json_number_value(json_object_get(message, "bytes_per_second")) >= 1;
	return true;
}

void effect_obey(void *state, const json_t *message)
{
	const char *wanted = json_string_value(json_object_get(message, "effect"));
	const char *command = json_string_value(json_object_get(message, "command"));
	struct proxy_state *proxy = state;

	if (command && !strcmp(command, "count")) {
		count(proxy);
		return;
	}
	for (int effect = PROXY_NONE; wanted && effect <= PROXY_BANDWIDTH; effect++) {
		if (strcmp(proxy_effect_name((enum proxy_effect)effect), wanted) != 0)
			continue;
		if (effect == PROXY_NONE)
			undo(proxy);
		else if (is_whole(message, (enum proxy_effect)effect))
			apply(proxy, (enum proxy_effect)effect, message);
		else
			complain(proxy, "a value of the effect is missing or cannot be");
		return;
	}
	complain(proxy, "no such effect");
}
