/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/libpq.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libpq.so.5"
#define FUNCTION(name)                                                                             \
	{                                                                                          \
		"PQ" #name, offsetof(struct libpq, name)                                           \
	}

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	FUNCTION(connectStart),
	FUNCTION(connectPoll),
	FUNCTION(status),
	FUNCTION(socket),
	FUNCTION(setnonblocking),
	FUNCTION(setErrorVerbosity),
	FUNCTION(setNoticeReceiver),
	FUNCTION(errorMessage),
	FUNCTION(finish),
	FUNCTION(sendQuery),
	FUNCTION(sendPrepare),
	FUNCTION(sendQueryPrepared),
	FUNCTION(consumeInput),
	FUNCTION(isBusy),
	FUNCTION(flush),
	FUNCTION(getResult),
	FUNCTION(putCopyData),
	FUNCTION(putCopyEnd),
	FUNCTION(resultStatus),
	FUNCTION(resultErrorField),
	FUNCTION(resultErrorMessage),
	FUNCTION(ntuples),
	FUNCTION(nfields),
	FUNCTION(getvalue),
	FUNCTION(getisnull),
	FUNCTION(cmdTuples),
	FUNCTION(getlength),
	FUNCTION(clear),
};

_Static_assert(sizeof(functions) / sizeof(functions[0]) * sizeof(void *) == sizeof(struct libpq),
	       "each member has its row");

int libpq_load(struct libpq *pq, struct error *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set(err, EXIT_CODE_FAILED,
				 "driver postgres needs " LIBRARY ": %s; install Debian's package "
				 "libpq5",
				 dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *found = dlsym(library, functions[i].name);

		if (!found)
			return error_set(err, EXIT_CODE_FAILED,
					 LIBRARY " has no %s; it is older than PostgreSQL 12, "
						 "install a newer libpq5",
					 functions[i].name);
		/* POSIX lets a void pointer be a function. */
		memcpy((char *)pq + functions[i].offset, &found, sizeof(found));
	}
	return 0;
}
