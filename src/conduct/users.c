/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/acquire.h"

const struct identity *conductor_user(const struct conductor *conductor, const char *user)
{
	for (size_t i = 0; user && i < conductor->n_users; i++)
		if (!strcmp(conductor->users[i].name, user))
			return &conductor->users[i];
	return &conductor->identity;
}

/* NULL is the invoking user, who is known already. */
static int add_user(struct conductor *conductor, const char *user, const char *what,
		    struct error *err)
{
	struct identity *larger;

	if (!user || conductor_user(conductor, user) != &conductor->identity)
		return 0;
	larger = reallocarray(conductor->users, conductor->n_users + 1, sizeof(*larger));
	if (!larger)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	conductor->users = larger;
	if (identity_of_named(&larger[conductor->n_users], user, what, err)) {
		identity_clear(&larger[conductor->n_users]);
		return -1;
	}
	/* Under a number it is found by what the files call it. */
	free(larger[conductor->n_users].name);
	larger[conductor->n_users].name = strdup(user);
	conductor->n_users++;
	return larger[conductor->n_users - 1].name
		       ? 0
		       : error_set(err, EXIT_CODE_FAILED, "out of memory");
}

static int add_users_of(struct conductor *conductor, const struct component *components, size_t n,
			const char *of, struct error *err)
{
	char what[200];

	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%.80s, component '%.60s', user", of,
			 components[i].name);
		if (add_user(conductor, components[i].user, what, err))
			return -1;
	}
	return 0;
}

int users_find(struct conductor *conductor, const struct plan *plan, struct error *err)
{
	char what[200];

	for (int i = 0; i < SIDES; i++) {
		const struct target *target = plan->targets[i];

		if (!target)
			continue;
		snprintf(what, sizeof(what), "target '%.100s', user", target->name);
		if (add_user(conductor, target->user, what, err) ||
		    add_users_of(conductor, target->components, target->n_components, target->name,
				 err))
			return -1;
	}
	for (size_t i = 0; i < plan->n_scenarios; i++)
		if (add_users_of(conductor, plan->scenarios[i]->components,
				 plan->scenarios[i]->n_components, plan->scenarios[i]->name, err))
			return -1;
	return 0;
}
