/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/record.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/profile.h"
#include "record/shape.h"
#include "record/shape_table.h"

void shape_init(const struct shape *shape, void *base)
{
	for (size_t i = 0; i < shape->n; i++) {
		const struct field *field = &shape->fields[i];
		void *at = field_at(field, base);

		if (field->kind == FIELD_REAL)
			*(double *)at = NAN;
		else if (field->kind == FIELD_INTEGER)
			*(int64_t *)at = RECORD_NONE;
		else if (field->kind == FIELD_WINNER)
			*(int *)at = -1;
		else if (field->kind == FIELD_OBJECT)
			shape_init(field->shape, at);
	}
}

static void free_strings(char **strings, size_t n)
{
	for (size_t i = 0; strings && i < n; i++)
		free(strings[i]);
	free(strings);
}

static void free_structs(const struct field *field, char *structs, size_t n)
{
	for (size_t i = 0; structs && i < n; i++) {
		/* The key of a map is the struct's first member and in no table. */
		if (field->kind == FIELD_MAP)
			free(*(char **)(structs + i * field->shape->size));
		shape_clear(field->shape, structs + i * field->shape->size);
	}
	free(structs);
}

static void free_field(const struct field *field, void *base)
{
	void **at = field_at(field, base);

	switch (field->kind) {
	case FIELD_OBJECT:
		shape_clear(field->shape, at);
		return;
	case FIELD_STRING:
	case FIELD_REALS:
		free(*at);
		break;
	case FIELD_STRINGS:
		free_strings((char **)*at, *field_count(field, base));
		break;
	case FIELD_LIST:
	case FIELD_MAP:
		free_structs(field, *at, *field_count(field, base));
		break;
	default:
		return;
	}
	*at = NULL;
	if (field->kind != FIELD_STRING)
		*field_count(field, base) = 0;
}

void shape_clear(const struct shape *shape, void *base)
{
	for (size_t i = 0; i < shape->n; i++)
		free_field(&shape->fields[i], base);
}

struct record *record_new(void)
{
	struct record *rec = calloc(1, sizeof(*rec));

	if (!rec)
		return NULL;
	shape_init(&record_shape, rec);
	rec->schema = strdup(RECORD_SCHEMA);
	rec->version = strdup(PERFBPF_VERSION);
	if (!rec->schema || !rec->version) {
		record_free(rec);
		return NULL;
	}
	return rec;
}

void record_free(struct record *rec)
{
	if (!rec)
		return;
	shape_clear(&record_shape, rec);
	profile_free(rec->profile);
	free(rec);
}

static bool is_heavy(const char *key)
{
	static const char *const keys[] = {"series", "processes", "threads",
					   "peers",  "syscalls",  "protocols"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

void record_slim(struct record *rec)
{
	profile_free(rec->profile);
	rec->profile = NULL;
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < record_round_shape.n; j++)
			if (is_heavy(record_round_shape.fields[j].key))
				free_field(&record_round_shape.fields[j], &rec->rounds[i]);
}

void record_round_init(struct record_round *round)
{
	shape_init(&record_round_shape, round);
	round->validity.valid = true; /* until a reason is found */
}

void record_round_clear(struct record_round *round)
{
	shape_clear(&record_round_shape, round);
}

int record_add_round(struct record *rec, struct record_round *round)
{
	struct record_round *rounds =
		reallocarray(rec->rounds, rec->n_rounds + 1, sizeof(*rec->rounds));

	if (!rounds)
		return -1;
	rec->rounds = rounds;
	rounds[rec->n_rounds++] = *round;
	memset(round, 0, sizeof(*round)); /* a later record_round_clear() finds nothing to free */
	return 0;
}

struct record_fault *record_add_fault(struct record_round *round, const char *name,
				      const char *kind)
{
	struct record_fault *faults = reallocarray(round->faults, round->n_faults + 1,
						   sizeof(*faults)),
			    *fault;

	if (!faults)
		return NULL;
	round->faults = faults;
	fault = &faults[round->n_faults];
	memset(fault, 0, sizeof(*fault));
	shape_init(&fault_shape, fault);
	fault->name = strdup(name);
	fault->kind = strdup(kind);
	if (!fault->name || !fault->kind) {
		shape_clear(&fault_shape, fault);
		return NULL;
	}
	round->n_faults++;
	return fault;
}

struct record_round_phase *record_add_phase(struct record_round *round, const char *name)
{
	struct record_round_phase *phases =
		reallocarray(round->phases, round->n_phases + 1, sizeof(*phases));

	if (!phases)
		return NULL;
	round->phases = phases;
	memset(&phases[round->n_phases], 0, sizeof(*phases));
	shape_init(&round_phase_shape, &phases[round->n_phases]);
	phases[round->n_phases].name = strdup(name);
	return phases[round->n_phases].name ? &phases[round->n_phases++] : NULL;
}

int record_add_side_metric(struct record_round *round, const char *name, double value)
{
	struct record_side_metric *metrics;
	char *copy;

	for (size_t i = 0; i < round->n_side_metrics; i++)
		if (!strcmp(round->side_metrics[i].name, name)) {
			round->side_metrics[i].value = value;
			return 0;
		}
	if (round->n_side_metrics == RECORD_MAX_SIDE_METRICS)
		return -ENOSPC;
	metrics = reallocarray(round->side_metrics, round->n_side_metrics + 1, sizeof(*metrics));
	if (!metrics)
		return -ENOMEM;
	round->side_metrics = metrics;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	metrics[round->n_side_metrics++] = (struct record_side_metric){copy, value};
	return 0;
}

static bool has_reason(const struct record_validity *validity, const char *text)
{
	for (size_t i = 0; i < validity->n_reasons; i++)
		if (validity->reasons[i] && !strcmp(validity->reasons[i], text))
			return true;
	return false;
}

void record_note(struct record *rec, const char *text)
{
	char **notes;

	for (size_t i = 0; i < rec->n_notes; i++)
		if (!strcmp(rec->notes[i], text))
			return;
	notes = reallocarray(rec->notes, rec->n_notes + 1, sizeof(*notes));
	if (!notes)
		return;
	rec->notes = notes;
	notes[rec->n_notes] = strdup(text);
	if (notes[rec->n_notes])
		rec->n_notes++;
}

void record_invalid(struct record_round *round, const char *fmt, ...)
{
	struct record_validity *validity = &round->validity;
	char *text = NULL, **reasons;
	va_list args;

	validity->valid = false;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return; /* without memory the round is still invalid */
	reasons = has_reason(validity, text)
			  ? NULL
			  : reallocarray(validity->reasons, validity->n_reasons + 1,
					 sizeof(*validity->reasons));
	if (!reasons) {
		free(text);
		return;
	}
	validity->reasons = reasons;
	reasons[validity->n_reasons++] = text;
}
