/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Trees of frames: what is put together, scaled, and compared. `test_flame results DIR` writes a
 * results folder with such stacks, for the integration tests; `test_flame many DIR` one of 100,000
 * stacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/flame_view.h"
#include "sample_profile.h"

static struct flame *open_flame(struct flame_view *view, const struct record *rec,
				enum report_side side, enum profile_kind kind, const char *phase)
{
	const struct report_options options = {
		.side = side, .has_kind = true, .kind = kind, .phase = phase};
	struct error err;

	if (flame_view_open(view, rec, &options, &err))
		fail_msg("%s", err.text);
	return view->flame;
}

static const char *name_of(const struct flame *flame, uint32_t node)
{
	return flame->names->list[flame->nodes[node].name].text;
}

/* "nginx;main;f": the node at the end of it, NULL where there is none. */
static const struct flame_node *find(const struct flame *flame, const char *path)
{
	char *copy = strdup(path), *rest = copy, *word;
	uint32_t at = 0;

	while (at != FLAME_NONE && (word = strsep(&rest, ";"))) {
		const struct flame_node *node = &flame->nodes[at];

		at = FLAME_NONE;
		for (uint32_t i = 0; i < node->n && at == FLAME_NONE; i++)
			if (!strcmp(name_of(flame, flame->children[node->first + i]), word))
				at = flame->children[node->first + i];
	}
	free(copy);
	return at == FLAME_NONE ? NULL : &flame->nodes[at];
}

static void assert_near(double value, double wanted)
{
	if (!(fabs(value - wanted) <= 1e-9 * (1 + fabs(wanted))))
		fail_msg("%.12g instead of %.12g", value, wanted);
}

/* A record of @rounds rounds whose stacks a test adds itself. */
static struct record *empty_record(size_t pairs, bool two_sided)
{
	struct record *rec = sample_record(pairs, two_sided);

	rec->profile = profile_new();
	return rec;
}

static void add(struct record *rec, uint32_t round, const char *process, const char *stack,
		uint64_t samples, double seconds)
{
	struct profile_row row = {
		.round = round,
		.phase = PROFILE_NONE,
		.process = (uint32_t)profile_add_process(rec->profile, process),
		.node = sample_stack(rec->profile, stack),
		.samples = samples,
		.seconds = seconds,
	};

	assert_int_equal(profile_add_row(rec->profile, &row), 0);
}

static void set_exact(struct record *rec, uint32_t round, double seconds)
{
	rec->rounds[round].has_profile = rec->rounds[round].profile.has_oncpu = true;
	rec->rounds[round].profile.oncpu.exact_seconds = seconds;
}

/* Rounds are merged to their mean, each scaled to its own exact account. */
static void merging(void **state)
{
	struct record *rec = empty_record(2, false);
	const struct flame_node *node;
	struct flame_view view;
	struct flame *flame;

	(void)state;
	add(rec, 0, "p", "main;f", 30, 3);
	add(rec, 0, "p", "main;g", 10, 1);
	add(rec, 0, "q", "main", 10, 1);
	add(rec, 1, "p", "main;f", 20, 2);
	set_exact(rec, 0, 10);
	set_exact(rec, 1, 1);
	flame = open_flame(&view, rec, REPORT_SIDE_ANY, PROFILE_ONCPU, NULL);
	assert_true(flame->exact);
	assert_int_equal(flame->rounds[SIDE_A], 2);
	assert_int_equal(flame->n_nodes, 7);
	assert_string_equal(name_of(flame, 0), "all");
	node = &flame->nodes[0];
	assert_near(node->total[SIDE_A].seconds, (10 + 1) / 2.0);
	assert_near(node->total[SIDE_A].samples, 70);
	assert_near(node->total[SIDE_A].sampled_seconds, 7);
	assert_near(node->width, 5.5);
	assert_near(node->total[SIDE_A].deviation, 9 / sqrt(2));
	/* 81/2 between the rounds; by the samples 2 * 2 * 1 + … is far less. */
	assert_near(node->total[SIDE_A].variance, 81 / 4.0);
	node = find(flame, "p;main;f");
	assert_non_null(node);
	assert_near(node->total[SIDE_A].seconds, (6 + 1) / 2.0);
	assert_near(node->self_seconds[SIDE_A], (6 + 1) / 2.0);
	assert_near(node->self_samples[SIDE_A], 50);
	node = find(flame, "p;main");
	assert_near(node->total[SIDE_A].seconds, (8 + 1) / 2.0);
	assert_near(node->self_seconds[SIDE_A], 0);
	assert_non_null(find(flame, "q;main"));
	assert_null(find(flame, "main"));
	/* By name. */
	assert_string_equal(name_of(flame, flame->children[flame->nodes[0].first]), "p");
	flame_view_close(&view);
	record_free(rec);
}

/* Frames of one name and kind are one, wherever they lie; those of another kind are not. */
static void names(void **state)
{
	struct record *rec = empty_record(1, false);
	struct flame_view view;
	struct flame *flame;

	(void)state;
	add(rec, 0, "p", "f", 1, 1);
	add(rec, 0, "p", "c:f", 1, 1);
	add(rec, 0, "p", "k:f", 1, 1);
	add(rec, 0, "p", "u:12", 1, 1);
	add(rec, 0, "p", "u:13", 1, 1);
	flame = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_ONCPU, NULL);
	assert_int_equal(flame->n_nodes, 1 + 1 + 4);
	assert_false(flame->exact);
	assert_near(find(flame, "p;f")->total[SIDE_A].seconds, 2);
	assert_non_null(find(flame, "p;[unknown] (nginx+0x12)"));
	assert_int_equal(flame->names->list[find(flame, "p;f")->name].module, PROFILE_NONE);
	assert_true(isnan(flame->nodes[0].total[SIDE_A].deviation));
	flame_view_close(&view);
	record_free(rec);
}

static void marks(void **state)
{
	struct record *rec = sample_record(1, false);
	const struct flame_node *node;
	struct flame_view view;
	struct flame *flame;
	double sum = 0;

	(void)state;
	sample_add_profile(rec, 10);
	flame = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_ONCPU, NULL);
	assert_non_null(find(flame, "nginx;[truncated];deflate_stored;fill_window"));
	assert_null(find(flame, "nginx;deflate_stored"));
	assert_non_null(find(flame, "nginx;[truncated]"));
	assert_null(find(flame, "kworker/0:1;[truncated]"));
	node = &flame->nodes[0];
	assert_near(node->total[SIDE_A].seconds, rec->rounds[0].profile.oncpu.exact_seconds);
	for (uint32_t i = 0; i < flame->n_nodes; i++)
		sum += flame->nodes[i].self_seconds[SIDE_A];
	assert_near(sum, node->total[SIDE_A].seconds);
	flame_view_close(&view);

	flame = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_OFFCPU, NULL);
	for (uint32_t i = 0; i < flame->n_nodes; i++)
		if (flame->nodes[i].self_seconds[SIDE_A] > 0)
			assert_int_equal(name_of(flame, i)[0], '[');
	assert_near(flame->nodes[0].total[SIDE_A].seconds,
		    rec->rounds[0].profile.offcpu.exact_seconds);
	flame_view_close(&view);
	record_free(rec);
}

/* A mark that is there already stays alone. */
static void marked(void **state)
{
	struct record *rec = empty_record(1, false);
	struct flame_view view;
	struct flame *flame;

	(void)state;
	add(rec, 0, "p", "m:[woken while looked at];k:schedule", 1, 1);
	rec->profile->rows[0].end = PROFILE_END_WOKEN;
	flame = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_ONCPU, NULL);
	assert_non_null(find(flame, "p;[woken while looked at];schedule"));
	assert_null(find(flame, "p;[truncated]"));
	flame_view_close(&view);
	record_free(rec);
}

static void phases(void **state)
{
	struct record *rec = sample_record(2, true);
	struct flame_view view;
	double steady, peak;
	struct error err;
	const struct report_options options = {.phase = "lunch"};

	(void)state;
	sample_add_profile(rec, 10);
	steady = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_ONCPU, "steady")
			 ->nodes[0]
			 .total[SIDE_A]
			 .seconds;
	flame_view_close(&view);
	peak = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_ONCPU, "peak")
		       ->nodes[0]
		       .total[SIDE_A]
		       .seconds;
	flame_view_close(&view);
	assert_near(steady + peak, (rec->rounds[0].profile.oncpu.exact_seconds +
				    rec->rounds[2].profile.oncpu.exact_seconds) /
					   2);
	assert_int_equal(flame_view_open(&view, rec, &options, &err), -1);
	assert_string_equal(err.text,
			    "no on-CPU sample was taken in a phase 'lunch' (phases: steady "
			    "peak)");
	flame_view_close(&view);
	record_free(rec);
}

/* B did half the work: what it used is doubled, and so all of it shows as twice the cost. */
static void equal_work(void **state)
{
	struct record *rec = empty_record(3, true);
	const struct flame_node *node;
	struct flame_change change;
	struct flame_view view;
	struct flame *flame;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		add(rec, i, "p", "main;same", 400, 4);
		add(rec, i, "p", i % 2 ? "main;grown;new" : "main;gone", 100, 1);
		set_exact(rec, i, 5);
		if (i % 2)
			rec->rounds[i].work.lines /= 2;
	}
	flame = open_flame(&view, rec, REPORT_SIDE_DIFF, PROFILE_ONCPU, NULL);
	assert_string_equal(flame->work_unit, "lines");
	assert_near(flame_work_scale(flame), 2);
	node = find(flame, "p;main;same");
	assert_near(node->total[SIDE_A].seconds, 4);
	assert_near(node->total[SIDE_B].seconds, 8);
	assert_near(node->total[SIDE_B].samples, 1200);
	assert_near(node->width, 8);
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_near(change.delta, 4);
	assert_near(change.relative, 1);
	assert_near(change.step, 0.5);
	assert_false(change.is_noise);
	/* What is gone is still there, and what changes below shows above. */
	node = find(flame, "p;main;gone");
	assert_near(node->total[SIDE_B].seconds, 0);
	assert_near(node->width, 1);
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_near(change.step, -1);
	node = find(flame, "p;main;grown");
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_true(isinf(change.relative));
	node = find(flame, "p;main");
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_near(change.delta, 4 - 1 + 2);
	assert_near(node->width, 8 + 1 + 2);
	flame_view_close(&view);
	record_free(rec);
}

/* Requests where no lines are counted, else rounds. */
static void other_work(void **state)
{
	struct record *rec = empty_record(1, true);
	struct flame_view view;
	struct flame *flame;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		add(rec, i, "p", "main", 100, 1);
		rec->rounds[i].has_work = false;
		rec->rounds[i].has_requests = true;
		rec->rounds[i].requests.served = i ? 300 : 100;
	}
	flame = open_flame(&view, rec, REPORT_SIDE_DIFF, PROFILE_ONCPU, NULL);
	assert_string_equal(flame->work_unit, "requests");
	assert_near(flame_work_scale(flame), 1 / 3.0);
	flame_view_close(&view);
	rec->rounds[1].requests.served = RECORD_NONE;
	flame = open_flame(&view, rec, REPORT_SIDE_DIFF, PROFILE_ONCPU, NULL);
	assert_string_equal(flame->work_unit, "rounds");
	assert_near(flame_work_scale(flame), 1);
	flame_view_close(&view);
	record_free(rec);
}

/* One pair: a difference must be more than that of counting samples. */
static void noise_of_samples(void **state)
{
	struct record *rec = empty_record(1, true);
	struct flame_change change;
	const struct flame_node *node;
	struct flame_view view;
	struct flame *flame;

	(void)state;
	add(rec, 0, "p", "little", 100, 1);
	add(rec, 1, "p", "little", 120, 1.2); /* 20 of sqrt(220) */
	add(rec, 0, "p", "much", 100, 1);
	add(rec, 1, "p", "much", 150, 1.5); /* 50 of sqrt(250) */
	flame = open_flame(&view, rec, REPORT_SIDE_DIFF, PROFILE_ONCPU, NULL);
	node = find(flame, "p;little");
	assert_near(node->total[SIDE_A].variance, 0.01);
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_true(change.is_noise);
	node = find(flame, "p;much");
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_false(change.is_noise);
	flame_view_close(&view);
	record_free(rec);
}

/* Rounds that differ much among themselves hide what would be a difference by its samples. */
static void noise_of_rounds(void **state)
{
	struct record *rec = empty_record(3, true);
	struct flame_change change;
	const struct flame_node *node;
	struct flame_view view;
	struct flame *flame;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		double a = i / 2 == 0 ? 1 : i / 2 == 1 ? 5 : 9;

		add(rec, i, "p", "f", 1000000, i % 2 ? a * 1.3 : a);
	}
	flame = open_flame(&view, rec, REPORT_SIDE_DIFF, PROFILE_ONCPU, NULL);
	node = find(flame, "p;f");
	assert_near(node->total[SIDE_A].deviation, 4);
	assert_near(node->total[SIDE_A].variance, 16 / 3.0);
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	assert_near(change.relative, 0.3);
	assert_true(change.is_noise);
	flame_view_close(&view);
	record_free(rec);
}

static const struct flame_function *function_of(const struct flame *flame,
						const struct flame_function *list, size_t n,
						const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(flame->names->list[list[i].name].text, name))
			return &list[i];
	return NULL;
}

/* Recursion counts once in the total; marks and processes are no functions. */
static void functions(void **state)
{
	struct record *rec = empty_record(1, false);
	const struct flame_function *f;
	struct flame_function *list;
	struct flame_view view;
	struct flame *flame;
	size_t n;

	(void)state;
	add(rec, 0, "p", "main;f;g;f;f", 10, 1);
	add(rec, 0, "p", "main;g", 20, 2);
	add(rec, 0, "p", "m:[woken while looked at]", 5, 0.5);
	set_exact(rec, 0, 7);
	flame = open_flame(&view, rec, REPORT_SIDE_A, PROFILE_ONCPU, NULL);
	list = flame_functions(flame, &n);
	assert_int_equal(n, 3);
	f = function_of(flame, list, n, "f");
	assert_near(f->total[SIDE_A].seconds, 2);
	assert_near(f->self[SIDE_A].seconds, 2);
	assert_near(f->total[SIDE_A].samples, 10);
	f = function_of(flame, list, n, "g");
	assert_near(f->total[SIDE_A].seconds, 6);
	assert_near(f->self[SIDE_A].seconds, 4);
	f = function_of(flame, list, n, "main");
	assert_near(f->total[SIDE_A].seconds, 6);
	assert_near(f->self[SIDE_A].seconds, 0);
	free(list);
	flame_view_close(&view);
	record_free(rec);
}

static void assert_refused(const struct record *rec, enum report_side side, enum profile_kind kind,
			   const char *message)
{
	const struct report_options options = {.side = side, .has_kind = true, .kind = kind};
	struct flame_view view;
	struct error err;

	assert_int_equal(flame_view_open(&view, rec, &options, &err), -1);
	assert_string_equal(err.text, message);
	flame_view_close(&view);
}

static void refused(void **state)
{
	struct record *rec = sample_record(1, true);

	(void)state;
	assert_refused(
		rec, REPORT_SIDE_A, PROFILE_ONCPU,
		"there are no stacks in this result: it was made with --profile none, or run.json "
		"was given without its folder; measure again with --profile oncpu,offcpu");
	rec->profile = profile_new();
	assert_refused(rec, REPORT_SIDE_A, PROFILE_ONCPU,
		       "there are no on-CPU stacks of side A in this result");
	add(rec, 0, "p", "main", 1, 1);
	assert_refused(rec, REPORT_SIDE_A, PROFILE_OFFCPU,
		       "there are no off-CPU stacks of side A in this result, but on-CPU ones: say "
		       "--kind oncpu, or measure again with --profile offcpu");
	assert_refused(
		rec, REPORT_SIDE_DIFF, PROFILE_ONCPU,
		"a difference needs on-CPU stacks of both sides, and only side A has any: say "
		"--side A");
	assert_true(flame_has(rec, FLAME_A, PROFILE_ONCPU));
	assert_false(flame_has(rec, FLAME_B, PROFILE_ONCPU));
	record_free(rec);
}

static void quality(void **state)
{
	struct record *rec = sample_record(2, true);
	struct record_stacks stacks;
	char text[FLAME_QUALITY_MAX];

	(void)state;
	rec->rounds[0].has_profile = rec->rounds[2].has_profile = true;
	rec->rounds[0].profile.has_oncpu = rec->rounds[2].profile.has_oncpu = true;
	stacks = flame_stacks_of(rec, SIDE_B, PROFILE_ONCPU);
	assert_string_equal(flame_quality(text, &stacks), "how good the stacks are is not known");
	rec->rounds[0].profile.oncpu = (struct record_stacks){.samples = 600,
							      .sampled_seconds = 6,
							      .exact_seconds = 6.1,
							      .complete = 580,
							      .truncated = 20,
							      .by_frame_pointer = 30,
							      .frames = 10000,
							      .frames_named = 9900};
	rec->rounds[2].profile.oncpu = (struct record_stacks){.samples = 634,
							      .sampled_seconds = 6.4,
							      .exact_seconds = 6.4,
							      .complete = 630,
							      .truncated = 4,
							      .lost = 3,
							      .by_frame_pointer = RECORD_NONE,
							      .frames = 10000,
							      .frames_named = 9900};
	stacks = flame_stacks_of(rec, SIDE_A, PROFILE_ONCPU);
	assert_string_equal(flame_quality(text, &stacks),
			    "98.1 % of samples complete to the thread's start, 1.94 % truncated, "
			    "2.43 % with frame pointers, 99.0 % of frames named; 1,234 samples, 3 "
			    "lost, 12.4 s sampled, 12.5 s exact");
	record_free(rec);
}

static void many(void **state)
{
	struct record *rec = sample_record(2, true);
	struct timespec from, to;
	struct flame_view view;
	struct flame *flame;

	(void)state;
	sample_add_many(rec, 100000);
	clock_gettime(CLOCK_MONOTONIC, &from);
	flame = open_flame(&view, rec, REPORT_SIDE_DIFF, PROFILE_ONCPU, NULL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("%zu frames of 100,000 stacks in %.2f s\n", flame->n_nodes,
		      (double)(to.tv_sec - from.tv_sec) +
			      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	assert_int_equal(flame->n_rows, 100000);
	flame_view_close(&view);
	record_free(rec);
}

static int write_results(const char *dir, bool is_many)
{
	struct record *rec = sample_record(3, true);
	struct error err = {.text = "cannot make the folder"};
	int fd;

	if (is_many)
		sample_add_many(rec, 100000);
	else
		sample_add_profile(rec, 10);
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	mkdir(dir, 0755);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || record_write(rec, fd, dir, &err) ||
	    profile_write(rec->profile, fd, dir, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	close(fd);
	record_free(rec);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merging),
		cmocka_unit_test(names),
		cmocka_unit_test(marks),
		cmocka_unit_test(marked),
		cmocka_unit_test(phases),
		cmocka_unit_test(equal_work),
		cmocka_unit_test(other_work),
		cmocka_unit_test(noise_of_samples),
		cmocka_unit_test(noise_of_rounds),
		cmocka_unit_test(functions),
		cmocka_unit_test(refused),
		cmocka_unit_test(quality),
		cmocka_unit_test(many),
	};

	if (argc == 3)
		return write_results(argv[2], !strcmp(argv[1], "many"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
