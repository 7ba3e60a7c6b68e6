/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kafka/api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define KAFKA_ROW(function) {"rd_kafka_" #function, offsetof(struct kafka_api, function)},
	KAFKA_FUNCTIONS(KAFKA_ROW)
#undef KAFKA_ROW
};

int kafka_api_load(struct kafka_api *api, struct error *err)
{
	/* Its threads and its destructors of TLS do not stand being unloaded. */
	void *library = dlopen("librdkafka.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!library)
		return error_set(err, EXIT_CODE_FAILED,
				 "kafka: there is no librdkafka.so.1 to speak with brokers; "
				 "install Debian's package librdkafka1 (%s)",
				 dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *found = dlsym(library, functions[i].name);

		if (!found)
			return error_set(err, EXIT_CODE_FAILED,
					 "kafka: this librdkafka.so.1 has no %s(); it takes 1.9 "
					 "or newer",
					 functions[i].name);
		/* POSIX lets a void pointer be a function. */
		memcpy((char *)api + functions[i].offset, &found, sizeof(found));
	}
	return 0;
}
