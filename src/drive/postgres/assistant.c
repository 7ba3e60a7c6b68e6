/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/assistant.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/clock.h"

#define LOOK_NS (2 * NSEC_PER_SEC) /* for all metrics of one look together */

struct assistant {
	const struct postgres_config *config;
	const char *connection;
	size_t n_variables; /* without ${vector} */
	struct variable *variables;
	char **metric_texts;
	struct metric_reading *readings;
	struct dialogue dialogue; /* the thread's alone, as is setup until ready_fd says so */
	struct setup setup;
	struct error err;
	int ready_fd, end_fd;
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	bool is_ready, has_failed, is_ending;
	int looks_wanted, looks_done; /* the first is at the opening, the second at the closing */
};

static int fill_metrics(struct assistant *assistant)
{
	const struct postgres_config *config = assistant->config;

	for (size_t i = 0; i < config->n_metrics; i++) {
		assistant->metric_texts[i] =
			variables_fill(config->metrics[i].sql, assistant->variables,
				       assistant->n_variables + 1, &assistant->err);
		if (!assistant->metric_texts[i])
			return error_prefix(&assistant->err, "postgres: side metric '%.60s'",
					    config->metrics[i].name);
	}
	return 0;
}

static int prepare(struct assistant *assistant)
{
	struct dialogue *dialogue = &assistant->dialogue;

	dialogue->deadline_ns = clock_now_ns() + assistant->config->setup_timeout_ns;
	if (dialogue_connect(dialogue, assistant->connection, &assistant->err))
		return error_prefix(&assistant->err, "postgres");
	if (setup_run(&assistant->setup, assistant->config, dialogue, assistant->variables,
		      assistant->n_variables, &assistant->err))
		return -1;
	return fill_metrics(assistant);
}

static void tell_ready(struct assistant *assistant, bool failed)
{
	pthread_mutex_lock(&assistant->lock);
	assistant->is_ready = !failed;
	assistant->has_failed = failed;
	pthread_mutex_unlock(&assistant->lock);
	/* It cannot overflow: it is written once. */
	if (eventfd_write(assistant->ready_fd, 1))
		abort();
}

/* Waits until a look is wanted; false: it is to end. */
static bool wait_for_look(struct assistant *assistant)
{
	bool is_ending;

	pthread_mutex_lock(&assistant->lock);
	while (!assistant->is_ending && assistant->looks_done == assistant->looks_wanted)
		pthread_cond_wait(&assistant->changed, &assistant->lock);
	is_ending = assistant->is_ending;
	pthread_mutex_unlock(&assistant->lock);
	return !is_ending;
}

static void end_look(struct assistant *assistant)
{
	pthread_mutex_lock(&assistant->lock);
	assistant->looks_done++;
	pthread_cond_broadcast(&assistant->changed);
	pthread_mutex_unlock(&assistant->lock);
}

static void look(struct assistant *assistant)
{
	struct dialogue *dialogue = &assistant->dialogue;
	struct error ignored;

	dialogue->deadline_ns = clock_now_ns() + LOOK_NS;
	/* Where a look failed, or the server was away in between, it begins anew. */
	if (dialogue->session.state != SESSION_IDLE ||
	    dialogue_run(dialogue, "SELECT 1", &ignored)) {
		session_close(&dialogue->session);
		dialogue_connect(dialogue, assistant->connection, &ignored);
	}
	metrics_look(assistant->config, assistant->metric_texts, dialogue,
		     assistant->looks_done == 0, assistant->readings);
}

static void *run(void *context)
{
	struct assistant *assistant = context;
	int rc = prepare(assistant);

	tell_ready(assistant, rc);
	while (!rc && assistant->config->n_metrics && wait_for_look(assistant)) {
		look(assistant);
		end_look(assistant);
	}
	session_close(&assistant->dialogue.session);
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct assistant *assistant)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&assistant->thread, NULL, run, assistant);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assistant->has_thread = !rc;
	return rc;
}

static bool copy_variables(struct assistant *assistant, const struct variable *variables, size_t n)
{
	assistant->variables = calloc(n + 1, sizeof(*assistant->variables));
	if (!assistant->variables)
		return false;
	for (size_t i = 0; i < n; i++) {
		char *name = strdup(variables[i].name), *value = strdup(variables[i].value);

		assistant->variables[i] = (struct variable){name, value};
		assistant->n_variables = i + 1;
		if (!name || !value)
			return false;
	}
	return true;
}

struct assistant *assistant_start(const struct postgres_config *config, const struct libpq *pq,
				  const char *connection, const struct variable *variables,
				  size_t n_variables, struct error *err)
{
	struct assistant *assistant = calloc(1, sizeof(*assistant));
	int rc = ENOMEM;

	if (!assistant) {
		error_set(err, EXIT_CODE_FAILED, "postgres: out of memory");
		return NULL;
	}
	assistant->config = config;
	assistant->connection = connection;
	assistant->dialogue.session.pq = pq;
	assistant->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assistant->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assistant->dialogue.end_fd = assistant->end_fd;
	pthread_mutex_init(&assistant->lock, NULL);
	pthread_cond_init(&assistant->changed, NULL);
	assistant->metric_texts = calloc(config->n_metrics + 1, sizeof(char *));
	assistant->readings = calloc(config->n_metrics + 1, sizeof(*assistant->readings));
	if (assistant->metric_texts && assistant->readings && assistant->end_fd >= 0 &&
	    assistant->ready_fd >= 0 && copy_variables(assistant, variables, n_variables))
		rc = start_thread(assistant);
	if (!rc)
		return assistant;
	error_set(err, EXIT_CODE_FAILED, "postgres: cannot begin the setup: %s", strerror(rc));
	assistant_end(assistant);
	return NULL;
}

int assistant_fd(const struct assistant *assistant)
{
	return assistant->ready_fd;
}

int assistant_setup(struct assistant *assistant, struct error *err)
{
	bool is_ready, has_failed;

	pthread_mutex_lock(&assistant->lock);
	is_ready = assistant->is_ready;
	has_failed = assistant->has_failed;
	pthread_mutex_unlock(&assistant->lock);
	if (has_failed)
		return error_set(err, assistant->err.exit_code, "%s", assistant->err.text);
	return is_ready;
}

const struct setup *assistant_result(const struct assistant *assistant)
{
	return &assistant->setup;
}

const struct variable *assistant_variables(const struct assistant *assistant, size_t *n)
{
	*n = assistant->n_variables + 1;
	return assistant->variables;
}

void assistant_look(struct assistant *assistant, bool opens)
{
	pthread_mutex_lock(&assistant->lock);
	assistant->looks_wanted = opens ? 1 : 2;
	pthread_cond_broadcast(&assistant->changed);
	pthread_mutex_unlock(&assistant->lock);
}

const struct metric_reading *assistant_readings(struct assistant *assistant)
{
	struct timespec until;
	bool is_done;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(2 * LOOK_NS / NSEC_PER_SEC) + 1;
	pthread_mutex_lock(&assistant->lock);
	if (assistant->looks_wanted == 2 && assistant->config->n_metrics)
		while (assistant->looks_done < 2 &&
		       !pthread_cond_timedwait(&assistant->changed, &assistant->lock, &until))
			;
	is_done = assistant->looks_done == 2;
	pthread_mutex_unlock(&assistant->lock);
	return is_done ? assistant->readings : NULL;
}

static void free_all(struct assistant *assistant)
{
	for (size_t i = 0; i < assistant->n_variables; i++) {
		free((char *)assistant->variables[i].name);
		free((char *)assistant->variables[i].value);
	}
	for (size_t i = 0; assistant->metric_texts && i < assistant->config->n_metrics; i++)
		free(assistant->metric_texts[i]);
	free(assistant->variables);
	free(assistant->metric_texts);
	free(assistant->readings);
	pthread_cond_destroy(&assistant->changed);
	pthread_mutex_destroy(&assistant->lock);
	if (assistant->ready_fd >= 0)
		close(assistant->ready_fd);
	if (assistant->end_fd >= 0)
		close(assistant->end_fd);
	free(assistant);
}

void assistant_end(struct assistant *assistant)
{
	if (!assistant)
		return;
	pthread_mutex_lock(&assistant->lock);
	assistant->is_ending = true;
	pthread_cond_broadcast(&assistant->changed);
	pthread_mutex_unlock(&assistant->lock);
	if (assistant->end_fd >= 0)
		eventfd_write(assistant->end_fd, 1);
	if (assistant->has_thread)
		pthread_join(assistant->thread, NULL);
	free_all(assistant);
}
