/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files of processes: only what is mapped as code, and perf maps of the right owner; by the keeper
 * only of processes that are measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conduct/keeper.h"
#include "conduct/process_file.h"

#define SIZE 8192

struct fixture {
	char path[64], perf_map[64];
	void *code; /* the file, mapped; NULL: not yet */
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	strcpy(fixture->path, "/tmp/test_process_file.XXXXXX");
	snprintf(fixture->perf_map, sizeof(fixture->perf_map), "/tmp/perf-%d.map", getpid());
	fd = mkstemp(fixture->path);
	*state = fixture;
	return fd < 0 || ftruncate(fd, SIZE) || close(fd);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->code)
		munmap(fixture->code, SIZE);
	unlink(fixture->path);
	unlink(fixture->perf_map);
	free(fixture);
	return 0;
}

static uint64_t map(struct fixture *fixture, int protection)
{
	int fd = open(fixture->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	fixture->code = mmap(NULL, SIZE, protection, MAP_PRIVATE, fd, 0);
	assert_true(fixture->code != MAP_FAILED);
	close(fd);
	return (uintptr_t)fixture->code;
}

static bool is_at(int fd, const char *path)
{
	struct stat a, b;
	bool same = fd >= 0 && !fstat(fd, &a) && !stat(path, &b) && a.st_ino == b.st_ino &&
		    a.st_dev == b.st_dev;

	if (fd >= 0)
		close(fd);
	return same;
}

static void what_is_mapped_as_code(void **state)
{
	struct fixture *fixture = *state;
	struct mapped_file file = {.pid = getpid(), .path = fixture->path};
	int fd;

	assert_int_equal(process_file_mapped(&file), -ENOENT);
	file.start = map(fixture, PROT_READ | PROT_EXEC);
	assert_true(is_at(process_file_mapped(&file), fixture->path));
	/* It is found by its path, wherever it lies, and by where it lies, unless only the path
	 * counts. */
	file.start = 0;
	assert_true(is_at(process_file_mapped(&file), fixture->path));
	file.start = (uintptr_t)fixture->code + SIZE - 1;
	file.path = "/seen/from/a/chroot";
	fd = process_file_mapped(&file);
	/* That takes the right to go by its mapping. */
	assert_true(fd == -ENOENT || is_at(fd, fixture->path));
	file.by_path = true;
	assert_int_equal(process_file_mapped(&file), -ENOENT);
	/* A layer of overlayfs */
	file.path = strrchr(fixture->path, '/');
	fd = process_file_mapped(&file);
	assert_true(fd == -ENOENT || is_at(fd, fixture->path));
	file.by_path = false;
	file.start += 1;
	assert_int_equal(process_file_mapped(&file), -ENOENT);
	file.pid = 0;
	assert_int_equal(process_file_mapped(&file), -ENOENT);
}

static void what_is_mapped_as_data(void **state)
{
	struct fixture *fixture = *state;
	struct mapped_file file = {.pid = getpid(), .path = fixture->path};

	file.start = map(fixture, PROT_READ);
	assert_int_equal(process_file_mapped(&file), -ENOENT);
}

/* What has its path now is another. */
static void what_was_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct mapped_file file = {.pid = getpid(), .path = fixture->path};
	struct stat st;
	int fd;

	file.start = map(fixture, PROT_READ | PROT_EXEC);
	assert_int_equal(unlink(fixture->path), 0);
	fd = open(fixture->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	/* With the right to go by its mapping it is the one, else there is none. */
	fd = process_file_mapped(&file);
	if (fd < 0) {
		assert_int_equal(fd, -ESTALE);
		return;
	}
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	close(fd);
}

static void strange_names(void **state)
{
	struct fixture *fixture = *state;
	struct mapped_file file = {.pid = getpid()};
	char path[80], line[96];

	snprintf(path, sizeof(path), "%s with\na line", fixture->path);
	snprintf(line, sizeof(line), "%s (deleted)", path);
	assert_int_equal(rename(fixture->path, path), 0);
	strcpy(fixture->path, path);
	file.start = map(fixture, PROT_READ | PROT_EXEC);
	file.path = line;
	file.by_path = true;
	assert_true(is_at(process_file_mapped(&file), path));
}

static void perf_maps(void **state)
{
	const struct fixture *fixture = *state;

	assert_true(process_file_perf_map(getpid()) < 0);
	assert_int_equal(symlink(fixture->path, fixture->perf_map), 0);
	assert_true(process_file_perf_map(getpid()) < 0);
	unlink(fixture->perf_map);
	assert_int_equal(mkfifo(fixture->perf_map, 0600), 0);
	assert_int_equal(process_file_perf_map(getpid()), -EINVAL);
	unlink(fixture->perf_map);
	assert_int_equal(link(fixture->path, fixture->perf_map), 0);
	assert_true(is_at(process_file_perf_map(getpid()), fixture->path));
	assert_true(process_file_perf_map(0) < 0);
	/* Somebody else's, where this can be made. */
	if (geteuid() || chown(fixture->perf_map, 4711, 4711))
		return;
	assert_int_equal(process_file_perf_map(getpid()), -EACCES);
}

static void regular_files(void **state)
{
	const struct fixture *fixture = *state;

	assert_true(is_at(process_file_regular(fixture->path), fixture->path));
	assert_int_equal(process_file_regular("/dev/null"), -EINVAL);
	assert_int_equal(process_file_regular("/tmp"), -EINVAL);
	assert_int_equal(process_file_regular("/no/such"), -ENOENT);
	assert_int_equal(symlink(fixture->path, fixture->perf_map), 0);
	assert_true(is_at(process_file_regular(fixture->perf_map), fixture->path));
	assert_int_equal(process_file_own(fixture->perf_map), -EINVAL);
	assert_true(is_at(process_file_own(fixture->path), fixture->path));
}

static void when_it_started(void **state)
{
	struct timespec now;
	uint64_t started_ns = process_file_started_ns(getpid()), now_ns;

	(void)state;
	clock_gettime(CLOCK_BOOTTIME, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	assert_true(started_ns && started_ns <= now_ns && now_ns - started_ns < 60000000000);
	assert_int_equal(process_file_started_ns(0), 0);
}

/* A process that waits until it is ended; @fixture is mapped in it as in this one. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void by_the_keeper(void **state)
{
	struct fixture *fixture = *state;
	struct mapped_file file = {.path = fixture->path};
	struct identity identity;
	pid_t told;
	struct keeper_users users = {.identity = &identity, .n_attached = 1, .attached = &told};
	struct keeper *keeper;
	pid_t other;
	struct error err;

	file.start = map(fixture, PROT_READ | PROT_EXEC);
	told = start_child();
	other = start_child();
	assert_int_equal(identity_of_invoker(&identity, &err), 0);
	keeper = keeper_start(&users, &err);
	assert_non_null(keeper);
	file.pid = told;
	assert_true(is_at(keeper_open_mapped(keeper, &file), fixture->path));
	file.path = "/etc/passwd";
	file.start = 0;
	assert_int_equal(keeper_open_mapped(keeper, &file), -ENOENT);
	/* Not one that is measured */
	file.path = fixture->path;
	file.pid = other;
	assert_int_equal(keeper_open_mapped(keeper, &file), -EPERM);
	file.pid = getpid();
	assert_int_equal(keeper_open_mapped(keeper, &file), -EPERM);
	assert_int_equal(keeper_open_perf_map(keeper, getpid()), -EPERM);
	snprintf(fixture->perf_map, sizeof(fixture->perf_map), "/tmp/perf-%d.map", told);
	assert_true(keeper_open_perf_map(keeper, told) < 0);
	assert_int_equal(link(fixture->path, fixture->perf_map), 0);
	assert_true(is_at(keeper_open_perf_map(keeper, told), fixture->path));
	keeper_stop(keeper);
	identity_clear(&identity);
	kill(told, SIGKILL);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(told, NULL, 0), told);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_mapped_as_code),
		TEST(what_is_mapped_as_data),
		TEST(what_was_deleted),
		TEST(strange_names),
		TEST(perf_maps),
		TEST(regular_files),
		TEST(when_it_started),
		TEST(by_the_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
