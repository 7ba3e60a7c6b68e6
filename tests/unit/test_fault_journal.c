/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "fault/journal.h"
#include "fault/recover.h"
#include "util/clock.h"
#include "util/file.h"

/* A folder for journals, of its own for each test. */
static int enter(void **state)
{
	char template[] = "/tmp/perfbpf-test-XXXXXX";

	*state = mkdtemp(template) ? strdup(template) : NULL;
	return *state ? 0 : -1;
}

static int leave(void **state)
{
	int failed = dir_remove(*state);

	free(*state);
	return failed;
}

/* A child that sleeps, gone with the test. */
static struct process sleeper(void)
{
	struct process process = {.pid = fork()};
	struct process_stat stat;

	if (!process.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(process.pid > 0);
	assert_int_equal(process_stat_read(process.pid, &stat), 0);
	process.start_ticks = stat.start_ticks;
	return process;
}

static void put_down(struct process process)
{
	kill(process.pid, SIGKILL);
	waitpid(process.pid, NULL, 0);
}

static char state_of(struct process process)
{
	struct process_stat stat;

	return process_stat_read(process.pid, &stat) ? '-' : stat.state;
}

static bool comes_to(struct process process, char state)
{
	const struct timespec step = {.tv_nsec = 2000000};

	for (int i = 0; i < 1000 && state_of(process) != state; i++)
		nanosleep(&step, NULL);
	return state_of(process) == state;
}

static size_t n_files(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static char *first_file(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char *path = NULL;

	assert_non_null(dir);
	while ((entry = readdir(dir)) && !path)
		if (entry->d_name[0] != '.')
			assert_true(asprintf(&path, "%s/%s", folder, entry->d_name) > 0);
	closedir(dir);
	assert_non_null(path);
	return path;
}

static uint64_t add(struct journal *journal, enum journal_kind kind, struct process *process,
		    char **argv)
{
	const struct journal_entry entry = {.kind = kind,
					    .fault = (char *)"a \"fault\" \xff %",
					    .n_processes = process != NULL,
					    .processes = process,
					    .argv = argv};
	struct error err;
	uint64_t id = journal_add(journal, &entry, &err);

	if (!id)
		fail_msg("%s", err.text);
	return id;
}

static void written_and_read(void **state)
{
	char *argv[] = {(char *)"/bin/a b", (char *)"", (char *)"\x01\xfe%41", NULL};
	struct process process = {.pid = 17, .start_ticks = UINT32_MAX * 5ULL};
	struct journal *journal = journal_open(*state, NULL);
	struct journal_content content;
	uint64_t gone;
	char *path, *text;
	size_t size;

	assert_non_null(journal);
	gone = add(journal, JOURNAL_NOTE, NULL, NULL);
	add(journal, JOURNAL_RUN, NULL, argv);
	add(journal, JOURNAL_STOP, &process, NULL);
	assert_int_equal(journal_add_processes(journal, gone + 1, &process, 1, NULL), 0);
	journal_strike(journal, gone);
	assert_int_equal(journal_n_open(journal), 2);
	path = first_file(*state);
	text = file_read(path, JOURNAL_BYTES_MAX, &size);
	assert_int_equal(journal_parse(text, size, &content), 0);
	assert_int_equal(content.damaged, 0);
	assert_int_equal(content.n_entries, 2);
	assert_true(journal_is_of_this_boot(&content) && journal_is_of_this_namespace(&content));
	assert_int_equal(content.owner.pid, getpid());
	assert_string_equal(content.entries[0].fault, "a \"fault\" \xff %");
	assert_int_equal(content.entries[0].kind, JOURNAL_RUN);
	for (int i = 0; argv[i]; i++)
		assert_string_equal(content.entries[0].argv[i], argv[i]);
	assert_null(content.entries[0].argv[3]);
	assert_int_equal(content.entries[0].processes[0].pid, 17);
	assert_int_equal(content.entries[1].kind, JOURNAL_STOP);
	assert_true(content.entries[1].processes[0].start_ticks == process.start_ticks);
	journal_content_clear(&content);
	free(text);
	free(path);
	journal_close(journal);
	/* What is open is for the next start. */
	assert_int_equal(n_files(*state), 1);
}

static void struck_out_is_removed(void **state)
{
	struct journal *journal = journal_open(*state, NULL);

	assert_non_null(journal);
	journal_strike(journal, add(journal, JOURNAL_NOTE, NULL, NULL));
	journal_close(journal);
	assert_int_equal(n_files(*state), 0);
	journal_close(NULL);
}

/* Cut at each byte: what was whole before the cut is there, nothing is made up. */
static void torn(void **state)
{
	struct process process = {.pid = 17, .start_ticks = 5};
	struct journal *journal = journal_open(*state, NULL);
	char *path, *text;
	size_t size, last = 0;

	add(journal, JOURNAL_STOP, &process, NULL);
	add(journal, JOURNAL_STOP, &process, NULL);
	path = first_file(*state);
	text = file_read(path, JOURNAL_BYTES_MAX, &size);
	for (size_t cut = 0; cut <= size; cut++) {
		char *copy = malloc(cut + 1);
		struct journal_content content;

		memcpy(copy, text, cut);
		assert_int_equal(journal_parse(copy, cut, &content), 0);
		assert_int_equal(content.damaged, 0);
		assert_true(content.n_entries >= last);
		last = content.n_entries;
		journal_content_clear(&content);
		free(copy);
	}
	assert_int_equal(last, 2);
	/* A bit that has changed costs its line, and no other. */
	text[size - 20] ^= 1;
	{
		struct journal_content content;

		assert_int_equal(journal_parse(text, size, &content), 0);
		assert_int_equal(content.damaged, 1);
		assert_int_equal(content.n_entries, 1);
		journal_content_clear(&content);
	}
	free(text);
	free(path);
	journal_close(journal);
}

static void tell(void *context, const char *text)
{
	snprintf(context, 512, "%s", text);
}

static void stopped_goes_on(void **state)
{
	struct process process = sleeper();
	struct journal *journal = journal_open(*state, NULL);
	struct recovery recovery;
	char told[512] = "";

	add(journal, JOURNAL_STOP, &process, NULL);
	kill(process.pid, SIGSTOP);
	assert_true(comes_to(process, 'T'));
	/* The owner lives: hands off. */
	assert_int_equal(faults_recover(*state, tell, told, &recovery), 0);
	assert_int_equal(recovery.live, 1);
	assert_int_equal(recovery.undone, 0);
	assert_int_equal(state_of(process), 'T');
	journal_close(journal);
	/* Only looking. */
	assert_int_equal(faults_look(*state, tell, told, &recovery), 0);
	assert_int_equal(recovery.left, 1);
	assert_int_equal(state_of(process), 'T');
	assert_non_null(strstr(told, "are stopped"));
	assert_int_equal(faults_recover(*state, tell, told, &recovery), 0);
	assert_int_equal(recovery.undone, 1);
	assert_int_equal(recovery.left, 0);
	assert_true(comes_to(process, 'S'));
	assert_non_null(strstr(told, "go on"));
	assert_int_equal(n_files(*state), 0);
	put_down(process);
}

/* The number is used again by a process that somebody else has stopped. */
static void reused_pid(void **state)
{
	struct process process = sleeper(), earlier = process;
	struct journal *journal = journal_open(*state, NULL);
	struct recovery recovery;

	earlier.start_ticks--;
	add(journal, JOURNAL_STOP, &earlier, NULL);
	add(journal, JOURNAL_RUN, &earlier, NULL);
	journal_close(journal);
	kill(process.pid, SIGSTOP);
	assert_true(comes_to(process, 'T'));
	assert_int_equal(process_signal(&earlier, SIGKILL), -ESRCH);
	assert_int_equal(faults_recover(*state, NULL, NULL, &recovery), 0);
	assert_int_equal(recovery.undone + recovery.left, 0);
	assert_int_equal(state_of(process), 'T');
	assert_int_equal(n_files(*state), 0);
	put_down(process);
}

/* Does as a journal of another boot, by its boot id and its checksum. */
static void other_boot(void **state)
{
	struct process process = sleeper();
	struct journal *journal = journal_open(*state, NULL);
	struct recovery recovery;
	char *path, *text, *end;
	size_t size;
	FILE *file;

	add(journal, JOURNAL_STOP, &process, NULL);
	path = first_file(*state);
	text = file_read(path, JOURNAL_BYTES_MAX, &size);
	journal_close(journal);
	end = strchr(text, '\n');
	*end = '\0';
	*(strstr(text, "\"boot\":\"") + 8) = 'x';
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%08lx %s\n%s", crc32(0, (Bytef *)text + 9, (uInt)strlen(text + 9)), text + 9,
		end + 1);
	fclose(file);
	kill(process.pid, SIGSTOP);
	assert_true(comes_to(process, 'T'));
	assert_int_equal(faults_recover(*state, NULL, NULL, &recovery), 0);
	assert_int_equal(recovery.undone + recovery.left + recovery.damaged, 0);
	assert_int_equal(state_of(process), 'T');
	assert_int_equal(n_files(*state), 0);
	free(text);
	free(path);
	put_down(process);
}

/* The crash came between the program's start and its id: it is found by its command line. */
static void program_without_id(void **state)
{
	char word[64], *argv[] = {(char *)"/bin/sleep", word, NULL};
	char *other[] = {(char *)"/bin/sleep", (char *)"43211.5", NULL};
	struct journal *journal = journal_open(*state, NULL);
	struct recovery recovery;
	pid_t pids[2];
	int status;

	snprintf(word, sizeof(word), "43211.%d", (int)getpid());
	add(journal, JOURNAL_RUN, NULL, argv);
	journal_close(journal);
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			execv("/bin/sleep", i ? other : argv);
			_exit(1);
		}
	}
	for (int i = 0; i < 1000 && (!process_has_command(pids[0], argv) ||
				     !process_has_command(pids[1], other));
	     i++)
		usleep(2000);
	/* One that is reaped while it is waited for. */
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(faults_recover(*state, NULL, NULL, &recovery), 0);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(recovery.undone, 1);
	assert_int_equal(kill(pids[0], 0), -1);
	assert_int_equal(waitpid(pids[1], &status, WNOHANG), 0);
	kill(pids[1], SIGKILL);
	waitpid(pids[1], NULL, 0);
}

static void nonsense(void **state)
{
	struct recovery recovery;
	char path[200], told[512] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/faults-1-0.journal", (char *)*state);
	file = fopen(path, "w");
	fprintf(file, "00000000 {}\nx\n\n");
	fclose(file);
	snprintf(path, sizeof(path), "%s/other", (char *)*state);
	file = fopen(path, "w");
	fclose(file);
	assert_int_equal(faults_recover(*state, tell, told, &recovery), 0);
	assert_int_equal(recovery.damaged, 1);
	assert_non_null(strstr(told, "cannot be read"));
	/* Files that are none of ours stay. */
	assert_int_equal(n_files(*state), 1);
	assert_int_equal(faults_recover("/nonexistent/x", NULL, NULL, &recovery), 0);
}

static void two_runs(void **state)
{
	struct journal *a = journal_open(*state, NULL), *b = journal_open(*state, NULL);
	struct recovery recovery;

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(n_files(*state), 2);
	assert_int_equal(faults_recover(*state, NULL, NULL, &recovery), 0);
	assert_int_equal(n_files(*state), 2);
	journal_close(a);
	journal_close(b);
	assert_int_equal(n_files(*state), 0);
	assert_null(journal_open("/proc/self/nothing", NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(written_and_read),
		TEST(struck_out_is_removed),
		TEST(torn),
		TEST(stopped_goes_on),
		TEST(reused_pid),
		TEST(other_boot),
		TEST(nonsense),
		TEST(two_runs),
		TEST(program_without_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
