/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The labels of prepared statements; the oldest gives way. */
#include <stdlib.h>
#include <string.h>

#include "protocol/internal.h"

struct name {
	uint64_t key;
	char label[PROTOCOL_LABEL_MAX];
};

/* FNV-1a. */
uint64_t statements_hash(const void *name, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const uint8_t *)name)[i]) * 0x100000001b3;
	return hash;
}

static struct name *find(const struct names *names, uint64_t key)
{
	for (unsigned int i = 0; i < names->n; i++)
		if (names->names[i].key == key)
			return &names->names[i];
	return NULL;
}

static struct name *make(struct names *names)
{
	unsigned int size = names->size ? 2 * names->size : 4;
	struct name *grown;

	if (names->n == names->size && size <= NAMES_MAX) {
		grown = realloc(names->names, size * sizeof(*grown));
		if (!grown)
			return NULL;
		names->names = grown;
		names->size = size;
	}
	if (names->n < names->size)
		return &names->names[names->n++];
	names->next = (names->next + 1) % names->n;
	return &names->names[names->next];
}

void statements_put(struct names *names, uint64_t key, const char *label)
{
	struct name *name = find(names, key);

	if (!name)
		name = make(names);
	if (!name)
		return;
	name->key = key;
	name->label[0] = '\0';
	label_add_word(name->label, label);
}

const char *statements_get(const struct names *names, uint64_t key)
{
	const struct name *name = find(names, key);

	return name ? name->label : NULL;
}

void statements_free(struct names *names)
{
	free(names->names);
	memset(names, 0, sizeof(*names));
}
