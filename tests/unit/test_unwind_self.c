/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walker on this program's own stack, by rows of the files that it has mapped: what is above
 * is known, since each function notes where it returns to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "symbol/cfi.h"

/* By way of the kernel, so that a walk that is wrong is no crash. */
static int unwind_read(void *reader, pb_u64 address, pb_u64 *value)
{
	struct iovec ours = {value, sizeof(*value)};
	struct iovec theirs = {(void *)(uintptr_t)address, sizeof(*value)};

	(void)reader;
	return process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) != sizeof(*value);
}

#include "unwind.h"

#define MAX_OBJECTS 64
#define MAX_FRAMES  256
#define DEPTH       100

struct object {
	uint64_t start, end, bias;
	struct cfi_rows rows;
};

struct trace {
	size_t n;
	uint64_t pc[MAX_FRAMES]; /* where each frame goes on */
	bool is_exact[MAX_FRAMES];
	int end; /* enum pb_walk */
	uint32_t by_fp;
};

/* What handlers and threads share with the test that runs. */
static struct {
	struct object objects[MAX_OBJECTS];
	size_t n_objects;
	uint64_t main_returns_to;
	struct trace trace;
	ucontext_t interrupted;
	/* Of single steps. */
	uint64_t steps, lost, anchor, lost_at;
	int lost_end;
	bool is_stepping;
} self;

#if defined(__x86_64__)

#define BY_CFI __attribute__((noinline, noclone, optimize("omit-frame-pointer")))
/* Nothing is a tail call, nothing is merged with what comes after it. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")
#define RETURN_TO()  (uint64_t)(uintptr_t) __builtin_return_address(0)

static void add_object(uint64_t start, uint64_t end, uint64_t offset, const char *path)
{
	struct object *object = &self.objects[self.n_objects];
	struct elf_file *file;
	uint64_t address;
	int fd;

	if (!strcmp(path, "[vdso]"))
		file = elf_file_open_memory((void *)(uintptr_t)start, end - start);
	else if (*path == '/' && (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
		file = elf_file_open(fd);
	else
		return;
	assert_non_null(file);
	assert_true(self.n_objects < MAX_OBJECTS);
	assert_int_equal(cfi_rows_build(file, &object->rows), 0);
	assert_true(elf_file_address(file, offset, &address));
	object->start = start;
	object->end = end;
	object->bias = start - address;
	self.n_objects++;
	elf_file_close(file);
}

static int map_objects(void **state)
{
	FILE *in = fopen("/proc/self/maps", "re");
	char line[4096], access[8], path[4000];
	uint64_t start, end, offset;

	(void)state;
	if (!in)
		return -1;
	while (fgets(line, sizeof(line), in)) {
		*path = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %3999s", &start,
			   &end, access, &offset, path) >= 4 &&
		    access[2] == 'x')
			add_object(start, end, offset, path);
	}
	fclose(in);
	return 0;
}

static int unmap_objects(void **state)
{
	(void)state;
	while (self.n_objects)
		cfi_rows_clear(&self.objects[--self.n_objects].rows);
	return 0;
}

static int step_up(struct pb_unwind *state)
{
	uint64_t pc = unwind_lookup_pc(state);

	for (size_t i = 0; i < self.n_objects; i++) {
		const struct object *object = &self.objects[i];
		uint32_t rule;

		if (pc < object->start || pc >= object->end)
			continue;
		rule = cfi_rows_find(&object->rows, pc - object->bias);
		if (pb_rule_cfa(rule) == PB_CFA_NONE)
			return unwind_by_fp(NULL, state);
		return unwind_by_rule(NULL, state, rule);
	}
	return PB_WALK_UNMAPPED;
}

static void walk(struct pb_unwind state, struct trace *trace)
{
	trace->n = 0;
	do {
		if (trace->n == MAX_FRAMES) {
			trace->end = PB_WALK_DEPTH;
			return;
		}
		trace->pc[trace->n] = state.pc;
		trace->is_exact[trace->n++] = state.is_exact;
		trace->end = step_up(&state);
	} while (trace->end < 0);
	trace->by_fp = state.by_fp;
}

static struct pb_unwind state_of(const ucontext_t *context)
{
	const greg_t *regs = context->uc_mcontext.gregs;

	return (struct pb_unwind){.pc = (uint64_t)regs[REG_RIP],
				  .sp = (uint64_t)regs[REG_RSP],
				  .bp = (uint64_t)regs[REG_RBP],
				  .r10 = (uint64_t)regs[REG_R10],
				  .is_inner = 1,
				  .is_exact = 1};
}

/* This function's own stack; the first frame is its own. */
static BY_CFI void capture(void)
{
	ucontext_t here;

	getcontext(&here);
	walk(state_of(&here), &self.trace);
	KEEP_FRAME();
}

static size_t count_of(uint64_t pc)
{
	size_t n = 0;

	for (size_t i = 0; i < self.trace.n; i++)
		n += self.trace.pc[i] == pc;
	return n;
}

/* All frames to the thread's start, all of them by CFI. */
static void assert_complete(void)
{
	assert_int_equal(self.trace.end, PB_WALK_COMPLETE);
	assert_int_equal(self.trace.by_fp, 0);
}

static void assert_reached_main(void)
{
	assert_complete();
	assert_int_equal(count_of(self.main_returns_to), 1);
}

static BY_CFI void leaf(uint64_t *returns_to)
{
	*returns_to = RETURN_TO();
	capture();
	KEEP_FRAME();
}

static BY_CFI void middle(uint64_t returns_to[2])
{
	char room[100];

	__asm__ volatile("" ::"r"(room) : "memory");
	returns_to[1] = RETURN_TO();
	leaf(returns_to);
	KEEP_FRAME();
}

static void to_main(void **state)
{
	uint64_t returns_to[2];

	(void)state;
	middle(returns_to);
	assert_reached_main();
	/* capture(), leaf(), middle(), and the test. */
	assert_true(self.trace.n > 5);
	assert_int_equal(self.trace.pc[2], returns_to[0]);
	assert_int_equal(self.trace.pc[3], returns_to[1]);
}

static BY_CFI int recurse(int depth, uint64_t *returns_to)
{
	int below = 0;

	*returns_to = RETURN_TO();
	if (depth > 1)
		below = recurse(depth - 1, returns_to + 1);
	else
		capture();
	KEEP_FRAME();
	return below + 1;
}

static void recursion(void **state)
{
	uint64_t returns_to[DEPTH];

	(void)state;
	assert_int_equal(recurse(DEPTH, returns_to), DEPTH);
	assert_reached_main();
	/* capture() and each of them; the last returns to the one before. */
	for (size_t i = 0; i < DEPTH; i++)
		assert_int_equal(self.trace.pc[2 + i], returns_to[DEPTH - 1 - i]);
	assert_int_equal(count_of(returns_to[1]), DEPTH - 1);
}

/* A stack that is aligned anew and grows by a size that nobody knows before. */
static BY_CFI void aligned(size_t size, uint64_t *returns_to)
{
	char room[64] __attribute__((aligned(128)));
	char *more = alloca(size);

	__asm__ volatile("" ::"r"(room), "r"(more) : "memory");
	*returns_to = RETURN_TO();
	capture();
	KEEP_FRAME();
}

static void realigned_stacks(void **state)
{
	(void)state;
	for (size_t size = 1; size < 200; size += 37) {
		uint64_t returns_to;

		aligned(size, &returns_to);
		assert_reached_main();
		assert_int_equal(self.trace.pc[2], returns_to);
	}
}

static int compare_and_capture(const void *a, const void *b)
{
	capture();
	return *(const int *)a - *(const int *)b;
}

static void through_the_c_library(void **state)
{
	int numbers[] = {3, 1, 2};

	(void)state;
	qsort(numbers, 3, sizeof(*numbers), compare_and_capture);
	assert_reached_main();
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	self.interrupted = *(ucontext_t *)context;
	capture();
	/* On behind the instruction, which nobody can execute. */
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void with_handler(int number, void (*handler)(int, siginfo_t *, void *), int flags,
			 struct sigaction *before)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	assert_int_equal(sigaction(number, &action, before), 0);
}

static BY_CFI void fault(uint64_t *returns_to)
{
	*returns_to = RETURN_TO();
	__asm__ volatile("ud2" ::: "memory");
}

static void assert_signal_walked(uint64_t returns_to)
{
	uint64_t pc = (uint64_t)self.interrupted.uc_mcontext.gregs[REG_RIP];
	size_t i = 1;

	assert_reached_main();
	/* The interrupted instruction itself, not the one after a call. */
	while (i < self.trace.n && !self.trace.is_exact[i])
		i++;
	assert_true(i + 1 < self.trace.n);
	assert_int_equal(self.trace.pc[i], pc);
	assert_int_equal(self.trace.pc[i + 1], returns_to);
	assert_false(self.trace.is_exact[i + 1]);
}

static void signal_handlers(void **state)
{
	struct sigaction before;
	uint64_t returns_to;

	(void)state;
	with_handler(SIGILL, on_signal, 0, &before);
	fault(&returns_to);
	sigaction(SIGILL, &before, NULL);
	assert_signal_walked(returns_to);
}

/* Its frames lie elsewhere, here above those of the code that was interrupted. */
static void signal_handlers_on_a_stack_of_their_own(void **state)
{
	const size_t size = 256 * 1024;
	stack_t stack = {.ss_size = size}, old;
	struct sigaction before;
	uint64_t returns_to;

	(void)state;
	stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(stack.ss_sp, MAP_FAILED);
	assert_int_equal(sigaltstack(&stack, &old), 0);
	with_handler(SIGILL, on_signal, SA_ONSTACK, &before);
	fault(&returns_to);
	sigaction(SIGILL, &before, NULL);
	assert_int_equal(sigaltstack(&old, NULL), 0);
	munmap(stack.ss_sp, size);
	assert_signal_walked(returns_to);
}

static void *in_thread(void *context)
{
	leaf(context);
	return NULL;
}

static void to_the_start_of_a_thread(void **state)
{
	pthread_t thread;
	uint64_t returns_to;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, in_thread, &returns_to), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_complete();
	assert_int_equal(count_of(self.main_returns_to), 0);
	assert_int_equal(self.trace.pc[2], returns_to);
}

#define TRAP_FLAG 0x100

/* At each instruction: in prologues, in epilogues and between libraries, too. */
static void on_step(int number, siginfo_t *info, void *context)
{
	struct pb_unwind state = state_of(context);
	int end;

	(void)number, (void)info;
	if (!self.is_stepping) {
		((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
		return;
	}
	self.steps++;
	do {
		if (state.pc == self.anchor)
			return;
		end = step_up(&state);
	} while (end < 0);
	self.lost++;
	self.lost_end = end;
	self.lost_at = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

static BY_CFI void do_some_work(uint64_t *returns_to)
{
	char text[100];
	int numbers[] = {5, 3, 8};

	*returns_to = RETURN_TO();
	recurse(3, (uint64_t[3]){0});
	snprintf(text, sizeof(text), "%d %s %.3f", numbers[0], "word", 1.5);
	strtol(text, NULL, 10);
	free(malloc(100));
	KEEP_FRAME();
}

static BY_CFI void step_through(void (*work)(uint64_t *returns_to))
{
	self.is_stepping = true;
	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
	work(&self.anchor);
	self.is_stepping = false;
	KEEP_FRAME();
}

static void at_each_instruction(void **state)
{
	struct sigaction before;

	(void)state;
	/* Where the loader binds a function when it is first called, no row says how it is left. */
	do_some_work(&self.anchor);
	self.anchor = self.main_returns_to;
	with_handler(SIGTRAP, on_step, 0, &before);
	step_through(do_some_work);
	sigaction(SIGTRAP, &before, NULL);
	print_message("# %" PRIu64 " instructions, %" PRIu64 " lost (the last at %#" PRIx64
		      ", walk ended with %d)\n",
		      self.steps, self.lost, self.lost_at, self.lost_end);
	assert_true(self.steps > 1000);
	assert_int_equal(self.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_main),
		cmocka_unit_test(recursion),
		cmocka_unit_test(realigned_stacks),
		cmocka_unit_test(through_the_c_library),
		cmocka_unit_test(signal_handlers),
		cmocka_unit_test(signal_handlers_on_a_stack_of_their_own),
		cmocka_unit_test(to_the_start_of_a_thread),
		cmocka_unit_test(at_each_instruction),
	};

	self.main_returns_to = RETURN_TO();
	return cmocka_run_group_tests(tests, map_objects, unmap_objects);
}

#else

static void rows_of_this_machine(void **state)
{
	(void)state;
	print_message("skip: rows are of x86-64 only\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows_of_this_machine)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
