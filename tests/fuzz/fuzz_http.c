/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a request: it is refused, or parsed, answered and, where it asks for
 * a log, served. With -DFUZZ_STANDALONE it has a main that runs over the files given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/kubelogs/api.h"
#include "drive/kubelogs/http.h"
#include "drive/kubelogs/stream.h"
#include "util/clock.h"

#define START_NS   (1000 * NSEC_PER_SEC)
#define TO_REAL_NS (1732000000 * NSEC_PER_SEC)
#define NOW_NS     (START_NS + 3 * NSEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static const struct source *the_source(void)
{
	struct schedule_config config = {
		.deployments = 3, .replicas = 2, .rate = 1000, .seed = 1, .bursts = true};
	static struct source source;

	if (!source.pods)
		expect(!source_open(&source, "perf-test", &config, START_NS, TO_REAL_NS, NULL));
	return &source;
}

static void serve_log(const struct log_request *log)
{
	static char out[STREAM_BUFFER];
	struct log_stream stream;
	uint64_t oldest;

	expect(log->pod < the_source()->n_pods && log->from <= log->end);
	stream_start(&stream, the_source(), log, NOW_NS);
	for (int i = 0; i < 50 && !stream_is_finished(&stream); i++) {
		size_t n = stream_fill(&stream, the_source(), NOW_NS, i % 2, out, sizeof(out),
				       &oldest);

		expect(n <= sizeof(out));
		if (!n)
			break;
	}
	expect(!stream_is_behind(&stream, the_source(), NOW_NS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request request;
	struct api_answer answer;
	size_t consumed = 0;

	while (http_parse((const char *)data, size, &request, &consumed) == HTTP_OK) {
		expect(consumed > 0 && consumed <= size);
		expect(!api_answer(the_source(), &request, NOW_NS, &answer));
		if (answer.kind == API_LOG)
			serve_log(&answer.log);
		else
			expect(answer.body != NULL);
		free(answer.body);
		data += consumed;
		size -= consumed;
	}
	return 0;
}

#include "standalone.h"
