/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * symbolize FILE [N]: what it costs to name code. Reads the symbols of FILE, then resolves N
 * addresses (3,000,000, which are 100,000 stacks of 30 frames) of its code, some of them much more
 * often than others, as in profiles. Prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/symbols.h"
#include "util/clock.h"

#define DEFAULT_ADDRESSES 3000000

static void die(const char *what, const char *why)
{
	fprintf(stderr, "symbolize: %s: %s\n", what, why);
	exit(1);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/*
 * The product of four even numbers of [0, 1) has most of its weight near 0: a few places get most
 * of the addresses. Multiplying by a large odd number scatters them over the code.
 */
static uint64_t draw(uint64_t *state, uint64_t low, uint64_t span)
{
	double share = 1;

	for (int i = 0; i < 4; i++)
		share *= (double)(next_random(state) >> 11) / (double)(1ULL << 53);
	return low + (uint64_t)(share * (double)span) * 0x9e3779b97f4a7c15ULL % span;
}

struct result {
	double load_seconds, resolve_seconds;
	size_t n, named;
};

static struct symbols *load(struct elf_file *file, const char *path, struct result *result)
{
	uint64_t begin_ns = clock_now_ns();
	struct symbols *symbols = symbols_open(file, path, NULL);

	if (!symbols)
		die(path, "out of memory");
	result->load_seconds = (double)(clock_now_ns() - begin_ns) / 1e9;
	return symbols;
}

static void resolve(struct symbols *symbols, uint64_t low, uint64_t high, struct result *result)
{
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	uint64_t *addresses = calloc(result->n, sizeof(*addresses)), state = 88172645463325252ULL;
	uint64_t begin_ns;

	if (!addresses)
		die("addresses", "out of memory");
	for (size_t i = 0; i < result->n; i++)
		addresses[i] = draw(&state, low, high - low);
	begin_ns = clock_now_ns();
	for (size_t i = 0; i < result->n; i++)
		result->named += symbols_find(symbols, addresses[i], frames) > 0;
	result->resolve_seconds = (double)(clock_now_ns() - begin_ns) / 1e9;
	free(addresses);
}

int main(int argc, char **argv)
{
	struct result result = {.n = argc > 2 ? strtoul(argv[2], NULL, 10) : DEFAULT_ADDRESSES};
	struct symbols *symbols;
	struct elf_file *file;
	struct stat status;
	uint64_t low, high;
	int fd;

	if (argc < 2 || argc > 3 || !result.n)
		die("usage", "symbolize FILE [N]");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		die(argv[1], strerror(errno));
	file = elf_file_open(fd);
	if (!file || !elf_file_text(file, &low, &high) || low >= high)
		die(argv[1], "no ELF file with code");
	symbols = load(file, argv[1], &result);
	resolve(symbols, low, high, &result);
	printf("{\"file_bytes\": %lld, \"symbols\": %zu, \"source\": \"%s\", \"load_seconds\": "
	       "%.4f, "
	       "\"resolve_seconds\": %.4f, \"per_address_ns\": %.1f, \"named_share\": %.4f}\n",
	       (long long)status.st_size, symbols_count(symbols), symbols_source(symbols),
	       result.load_seconds, result.resolve_seconds,
	       result.resolve_seconds * 1e9 / (double)result.n,
	       (double)result.named / (double)result.n);
	symbols_close(symbols);
	elf_file_close(file);
	return 0;
}
