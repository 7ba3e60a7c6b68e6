/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Walks that go on over copies of stacks, all of them made up: how each ends, and what it finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/walk.h"

#define SP    0x7ffc0000
#define WORDS 64
/* Addresses of code: each 4 KiB is a function that has one rule. */
#define CODE(function) (0x1000 * (function) + 0x10)

/* What is known of the functions, and a stack. */
struct scene {
	struct pb_event_stack event;
	uint64_t words[WORDS]; /* from SP on */
	struct {
		int end; /* -1: rule and by_fp say how */
		uint32_t rule;
		bool by_fp;
	} functions[16];
	uint64_t asked[4 * WORDS]; /* which code */
	uint32_t n_asked;
	uint64_t found[WORDS];
	struct walk_result result;
};

static int rule_of(void *context, uint64_t pc, uint32_t *rule, bool *by_fp)
{
	struct scene *scene = context;
	uint64_t function = pc / 0x1000;

	assert_true(scene->n_asked < 4 * WORDS);
	scene->asked[scene->n_asked++] = pc;
	if (function >= 16)
		return PB_WALK_UNMAPPED;
	*rule = scene->functions[function].rule;
	*by_fp = scene->functions[function].by_fp;
	return scene->functions[function].end;
}

/* Stopped in function 1, at the very beginning of the stack. */
static struct scene new_scene(void)
{
	struct scene scene = {
		.event =
			{
				.n_copied = sizeof(scene.words),
				.pc = CODE(1),
				.sp = SP,
				.bp = 0,
				.is_inner = 1,
				.is_exact = 1,
				.end = PB_WALK_UNLOADED,
			},
	};

	for (int i = 0; i < 16; i++)
		scene.functions[i].end = -1;
	return scene;
}

static void walk(struct scene *scene, uint32_t max)
{
	memset(&scene->result, 0xff, sizeof(scene->result));
	memset(scene->found, 0, sizeof(scene->found));
	scene->n_asked = 0;
	walk_on(&scene->event, scene->words, rule_of, scene, scene->found, max, &scene->result);
	assert_true(scene->result.n <= max);
	assert_true(scene->result.end < PB_WALKS);
}

static void assert_walk(struct scene *scene, uint32_t n, enum pb_walk end)
{
	walk(scene, WORDS);
	assert_int_equal(scene->result.n, n);
	assert_int_equal(scene->result.end, end);
}

static uint32_t rsp_rule(int words)
{
	return pb_rule(PB_CFA_RSP, words, PB_RBP_SAME, 0);
}

/* 1 is called by 2, that by 3, which is where the thread began. */
static struct scene three_frames(void)
{
	struct scene scene = new_scene();

	scene.functions[1].rule = rsp_rule(2);
	scene.words[1] = CODE(2);
	scene.functions[2].rule = rsp_rule(3);
	scene.words[4] = CODE(3);
	scene.functions[3].rule = pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	return scene;
}

static void to_the_end(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
	/* The call, not what it returns to; the first one as it is. */
	assert_int_equal(scene.asked[0], CODE(1));
	assert_int_equal(scene.asked[1], CODE(2) - 1);
	assert_int_equal(scene.found[0], CODE(2) - 1);
	assert_int_equal(scene.found[1], CODE(3) - 1);
	assert_false(scene.result.by_fp);
	/* Stopped at a return address. */
	scene.event.is_exact = 0;
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
	assert_int_equal(scene.asked[0], CODE(1) - 1);
	/* Nobody returns to 0. */
	scene.words[4] = 0;
	assert_walk(&scene, 1, PB_WALK_COMPLETE);
}

static void what_is_not_known(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	scene.functions[3].end = PB_WALK_UNMAPPED;
	assert_walk(&scene, 2, PB_WALK_UNMAPPED);
	scene.functions[2].end = PB_WALK_UNLOADED;
	assert_walk(&scene, 1, PB_WALK_UNLOADED);
	scene.functions[1].end = PB_WALK_UNLOADED;
	assert_walk(&scene, 0, PB_WALK_UNLOADED);
	scene = three_frames();
	scene.functions[2].rule = pb_rule(PB_CFA_UNKNOWN, 0, PB_RBP_SAME, 0);
	assert_walk(&scene, 1, PB_WALK_EXPRESSION);
	/* What r10 was is only known where the thread was stopped. */
	scene.functions[2].rule = pb_rule(PB_CFA_R10, 1, PB_RBP_SAME, 0);
	assert_walk(&scene, 1, PB_WALK_EXPRESSION);
}

static void no_room_for_more(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	walk(&scene, 0);
	assert_int_equal(scene.result.n, 0);
	assert_int_equal(scene.result.end, PB_WALK_DEPTH);
	walk(&scene, 1);
	assert_int_equal(scene.result.n, 1);
	assert_int_equal(scene.result.end, PB_WALK_DEPTH);
	/* As many as there are. */
	walk(&scene, 2);
	assert_int_equal(scene.result.n, 2);
	assert_int_equal(scene.result.end, PB_WALK_COMPLETE);
}

/* A copy that ends at each byte: what lies in it is walked, nothing behind it is read. */
static void copies_that_end_early(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	for (uint32_t bytes = 0; bytes <= 48; bytes++) {
		uint64_t *copy = malloc(bytes ? bytes : 1);
		uint32_t n = bytes < 16 ? 0 : bytes < 40 ? 1 : 2;

		memcpy(copy, scene.words, bytes);
		scene.event.n_copied = bytes;
		scene.n_asked = 0;
		walk_on(&scene.event, copy, rule_of, &scene, scene.found, WORDS, &scene.result);
		assert_int_equal(scene.result.n, n);
		assert_int_equal(scene.result.end, n == 2 ? PB_WALK_COMPLETE : PB_WALK_MEMORY);
		free(copy);
	}
}

static void outside_of_the_copy(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	/* Below it; and so far above that the sum goes around. */
	scene.functions[1].rule = rsp_rule(0);
	assert_walk(&scene, 0, PB_WALK_MEMORY);
	scene.event.sp = UINT64_MAX - 7;
	scene.functions[1].rule = rsp_rule(2);
	assert_walk(&scene, 0, PB_WALK_MEMORY);
	scene = three_frames();
	scene.functions[1].rule = rsp_rule(WORDS + 2);
	assert_walk(&scene, 0, PB_WALK_MEMORY);
}

static void frames_that_do_not_lie_above(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	/* Its frame would be where this one is. */
	scene.functions[2].rule = pb_rule(PB_CFA_RBP, 0, PB_RBP_SAME, 0);
	scene.event.bp = SP + 16;
	assert_walk(&scene, 1, PB_WALK_BROKEN);
	/* A rule that leads back for ever ends as well. */
	scene.functions[2].rule = rsp_rule(0);
	assert_walk(&scene, 1, PB_WALK_BROKEN);
}

static void by_frame_pointers(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.functions[1].by_fp = true;
	scene.event.bp = SP + 8;
	scene.words[1] = SP + 32; /* bp */
	scene.words[2] = CODE(2);
	scene.functions[2].rule = pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0);
	scene.words[4] = 0;
	scene.words[5] = CODE(3);
	scene.functions[3].by_fp = true;
	scene.functions[3].rule = pb_rule(PB_CFA_FP, 0, PB_RBP_SAME, 0);
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
	assert_true(scene.result.by_fp);
	assert_int_equal(scene.found[0], CODE(2) - 1);
	assert_int_equal(scene.found[1], CODE(3) - 1);
	/* No thread starts in code that is in no file. */
	scene.functions[3].rule = pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0);
	assert_walk(&scene, 2, PB_WALK_BROKEN);
	/* Where it was so before, it stays so. */
	scene = three_frames();
	scene.event.by_fp = 3;
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
	assert_true(scene.result.by_fp);
}

static void frame_pointers_that_lead_nowhere(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.functions[1].by_fp = true;
	scene.functions[1].rule = pb_rule(PB_CFA_FP, 0, PB_RBP_SAME, 0);
	scene.event.bp = 0;
	assert_walk(&scene, 0, PB_WALK_COMPLETE);
	scene.event.bp = SP - 8;
	assert_walk(&scene, 0, PB_WALK_BROKEN);
	scene.event.bp = SP + 4;
	assert_walk(&scene, 0, PB_WALK_BROKEN);
	scene.event.bp = SP + 8 * WORDS - 8;
	assert_walk(&scene, 0, PB_WALK_MEMORY);
	scene.event.bp = SP + 8;
	assert_walk(&scene, 0, PB_WALK_COMPLETE); /* to 0 */
	assert_false(scene.result.by_fp);
	scene.event.bp = UINT64_MAX - 7;
	assert_walk(&scene, 0, PB_WALK_MEMORY);
	/* To itself. */
	scene.event.bp = SP + 8;
	scene.words[1] = SP + 8;
	scene.words[2] = CODE(1);
	assert_walk(&scene, 1, PB_WALK_BROKEN);
}

/* Assembly that says nothing of itself: it has pushed nothing, or it keeps the frame pointer. */
static void guesses(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.functions[1].rule = pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0);
	scene.functions[2].rule = pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	scene.functions[3].rule = pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	scene.words[0] = CODE(2);
	scene.event.bp = SP + 32;
	scene.words[5] = CODE(3);
	assert_walk(&scene, 1, PB_WALK_COMPLETE);
	assert_int_equal(scene.found[0], CODE(3) - 1);
	assert_true(scene.result.by_fp);
	/* The frame pointer leads into no code. */
	scene.words[5] = CODE(20);
	assert_walk(&scene, 1, PB_WALK_COMPLETE);
	assert_int_equal(scene.found[0], CODE(2) - 1);
	assert_true(scene.result.by_fp);
	/* Only of the innermost frame. */
	scene.event.is_inner = 0;
	assert_walk(&scene, 0, PB_WALK_BROKEN);
	scene.event.bp = 0;
	assert_walk(&scene, 0, PB_WALK_BROKEN);
	scene.event.bp = SP + 8 * WORDS;
	assert_walk(&scene, 0, PB_WALK_BROKEN);
}

/* push %rbp; mov %rsp,%rbp: and rbp is found again where it was put. */
static void registers_of_callers(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.event.bp = SP + 16;
	scene.functions[1].rule = pb_rule(PB_CFA_RBP, 2, PB_RBP_CFA, -2);
	scene.words[2] = SP + 48;
	scene.words[3] = CODE(2);
	scene.functions[2].rule = pb_rule(PB_CFA_RBP, 2, PB_RBP_RBP, 0);
	scene.words[6] = SP + 80;
	scene.words[7] = CODE(3);
	/* A stack that was realigned: where the frame is lies below rbp. */
	scene.functions[3].rule = pb_rule(PB_CFA_RBP_DEREF, -1, PB_RBP_RBP, 0);
	scene.words[9] = SP + 8 * 20;
	scene.words[10] = 0x1234;
	scene.words[19] = CODE(4);
	scene.functions[4].rule = pb_rule(PB_CFA_RSP_DEREF, 1, PB_RBP_SAME, 0);
	scene.words[21] = SP + 8 * 30;
	scene.words[29] = CODE(5);
	scene.functions[5].rule = pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	assert_walk(&scene, 4, PB_WALK_COMPLETE);
	for (int i = 0; i < 4; i++)
		assert_int_equal(scene.found[i], CODE(i + 2) - 1);
	/* By r10, where it was stopped itself. */
	scene.event.r10 = SP + 32;
	scene.functions[1].rule = pb_rule(PB_CFA_R10, 0, PB_RBP_CFA, -2);
	assert_walk(&scene, 4, PB_WALK_COMPLETE);
	/* rbp's place cannot be read. */
	scene.functions[1].rule = pb_rule(PB_CFA_RBP, 2, PB_RBP_CFA, 500);
	assert_walk(&scene, 0, PB_WALK_MEMORY);
	scene.functions[1].rule = pb_rule(PB_CFA_RBP_DEREF, 500, PB_RBP_SAME, 0);
	assert_walk(&scene, 0, PB_WALK_MEMORY);
}

static void stubs(void **state)
{
	struct scene scene = three_frames();

	(void)state;
	/* Before the push of 16 bytes, and behind it. */
	scene.functions[1].rule = pb_rule(PB_CFA_PLT, 11, PB_RBP_SAME, 0);
	scene.words[0] = CODE(2);
	scene.words[3] = CODE(3);
	scene.event.pc = 0x1000 + 10;
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
	scene.words[0] = 17;
	scene.words[1] = CODE(2);
	scene.words[4] = CODE(3);
	scene.event.pc = 0x1000 + 11;
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
}

/* What a signal interrupted lies at a lower address, and its pc is no return address. */
static void signals(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.functions[1].rule = rsp_rule(2);
	scene.words[1] = 0x2000; /* of the trampoline: is looked up before it */
	scene.functions[1].end = -1;
	scene.functions[2].rule = pb_rule(PB_CFA_SIGNAL, 0, PB_RBP_CFA, 0);
	scene.event.pc = CODE(2);
	scene.functions[2].rule = pb_rule(PB_CFA_SIGNAL, 4, PB_RBP_CFA, 2);
	scene.words[4] = SP + 8;  /* sp: in here, below what follows */
	scene.words[5] = 0x3000;  /* pc: the first instruction of 3 */
	scene.words[6] = SP + 80; /* rbp */
	scene.functions[3].rule = pb_rule(PB_CFA_RBP, 1, PB_RBP_SAME, 0);
	scene.words[10] = CODE(4);
	scene.functions[4].rule = pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	assert_walk(&scene, 2, PB_WALK_COMPLETE);
	assert_int_equal(scene.found[0], 0x3000);
	assert_int_equal(scene.asked[1], 0x3000);
	assert_int_equal(scene.found[1], CODE(4) - 1);
	scene.event.n_copied = 6 * 8;
	assert_walk(&scene, 0, PB_WALK_MEMORY);
}

/* A signal's frame that leads to itself: it goes nowhere, and it ends. */
static void a_circle_of_signals(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.functions[1].rule = pb_rule(PB_CFA_SIGNAL, 0, PB_RBP_CFA, 0);
	scene.words[0] = SP;
	scene.words[1] = CODE(1);
	walk(&scene, WORDS - 2);
	assert_int_equal(scene.result.n, WORDS - 2);
	assert_int_equal(scene.result.end, PB_WALK_DEPTH);
}

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static void whatever_lies_there(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int turn = 0; turn < 20000; turn++) {
		struct scene scene = new_scene();

		for (int i = 0; i < 16; i++) {
			scene.functions[i].rule = (uint32_t)random_next(&seed);
			scene.functions[i].by_fp = random_next(&seed) % 5 == 0;
		}
		for (int i = 0; i < WORDS; i++)
			scene.words[i] = random_next(&seed) % 2
						 ? CODE(random_next(&seed) % 17)
						 : SP + random_next(&seed) % (8 * WORDS + 16);
		scene.event.bp = SP + random_next(&seed) % 512;
		scene.event.r10 = random_next(&seed) << 32;
		scene.event.n_copied = (uint32_t)random_next(&seed) % (sizeof(scene.words) + 1);
		walk(&scene, (uint32_t)random_next(&seed) % (WORDS - 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_the_end),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(no_room_for_more),
		cmocka_unit_test(copies_that_end_early),
		cmocka_unit_test(outside_of_the_copy),
		cmocka_unit_test(frames_that_do_not_lie_above),
		cmocka_unit_test(by_frame_pointers),
		cmocka_unit_test(frame_pointers_that_lead_nowhere),
		cmocka_unit_test(guesses),
		cmocka_unit_test(registers_of_callers),
		cmocka_unit_test(stubs),
		cmocka_unit_test(signals),
		cmocka_unit_test(a_circle_of_signals),
		cmocka_unit_test(whatever_lies_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
