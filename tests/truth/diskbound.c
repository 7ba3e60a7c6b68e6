/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * diskbound FOLDER SECONDS [--threads N]: reads and writes of 4 KiB past the page cache, all
 * over a file in FOLDER, with an fsync after each 8 writes. Ends in 77 where the file system
 * has no such access, or no storage below it (tmpfs).
 */
#include "workers.h"

#define FILE_SIZE (32UL << 20)
#define PIECE     (1UL << 20)

struct disk {
	int fd;
	uint64_t end_ns;
};

struct done {
	struct disk *disk;
	unsigned int random;
	long reads, writes, fsyncs;
	uint64_t fsync_ns;
};

static off_t somewhere(struct done *done)
{
	done->random = done->random * 1103515245U + 12345U;
	return (off_t)((done->random >> 8) % (FILE_SIZE / TRUTH_PAGE) * TRUTH_PAGE);
}

static void work(struct worker *worker)
{
	struct done *done = worker->context;
	struct disk *disk = done->disk;
	void *page;

	if (posix_memalign(&page, TRUTH_PAGE, TRUTH_PAGE))
		truth_die("no memory");
	memset(page, 1, TRUTH_PAGE);
	for (unsigned int i = 1; truth_now_ns() < disk->end_ns; i++) {
		uint64_t begin_ns = truth_now_ns();

		if (pread(disk->fd, page, TRUTH_PAGE, somewhere(done)) != (ssize_t)TRUTH_PAGE ||
		    pwrite(disk->fd, page, TRUTH_PAGE, somewhere(done)) != (ssize_t)TRUTH_PAGE)
			truth_die("cannot read and write");
		done->reads++;
		done->writes++;
		if (i % 8 == 0) {
			uint64_t fsync_ns = truth_now_ns();

			if (fsync(disk->fd) < 0)
				truth_die("fsync");
			done->fsync_ns += truth_now_ns() - fsync_ns;
			done->fsyncs++;
		}
		worker->waited_ns += truth_now_ns() - begin_ns;
	}
	free(page);
}

/* A file whose blocks are all there, open past the page cache. */
static int open_file(const char *folder)
{
	char path[4096], *piece = calloc(1, PIECE);
	int fd, direct;

	snprintf(path, sizeof(path), "%s/diskbound.%d", folder, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !piece)
		truth_die("cannot make %s", path);
	for (size_t i = 0; i < FILE_SIZE / PIECE; i++) {
		if (write(fd, piece, PIECE) != (ssize_t)PIECE)
			truth_die("cannot fill %s", path);
	}
	free(piece);
	if (fsync(fd) < 0)
		truth_die("fsync");
	direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	unlink(path);
	if (direct < 0) {
		fprintf(stderr, "diskbound: no O_DIRECT in %s: %s\n", folder, strerror(errno));
		exit(NET_SKIP);
	}
	close(fd);
	return direct;
}

/* What this process had to fetch from storage, by the kernel's account; -1: not told. */
static long fetched_bytes(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	char line[256];
	long bytes = -1;

	while (file && bytes < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "read_bytes: ", 12) == 0)
			bytes = strtol(line + 12, NULL, 10);
	}
	if (file)
		fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	struct worker workers[WORKERS_MAX] = {0};
	struct done done[WORKERS_MAX] = {0}, sum = {0};
	struct net_text text = {.length = 0};
	struct disk disk;
	long n;

	truth_start(&argc, argv);
	n = truth_count(truth_option(&argc, argv, "--threads", "1"), 24);
	if (argc < 3)
		truth_usage("FOLDER SECONDS [--threads N] [--truth FILE]");
	disk.fd = open_file(argv[1]);
	disk.end_ns = truth_now_ns() + (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC) * 1e9);
	for (long i = 0; i < n; i++) {
		done[i] = (struct done){.disk = &disk, .random = (unsigned int)i + 1};
		workers[i] = (struct worker){.work = work, .context = &done[i], .reason = "disk"};
	}
	workers_start(workers, n);
	workers_join(workers, n);
	if (fetched_bytes() == 0) {
		fprintf(stderr, "diskbound: there is no storage below %s\n", argv[1]);
		exit(NET_SKIP);
	}
	for (long i = 0; i < n; i++) {
		sum.reads += done[i].reads;
		sum.writes += done[i].writes;
		sum.fsyncs += done[i].fsyncs;
		sum.fsync_ns += done[i].fsync_ns;
	}
	net_append(&text,
		   "{\"pid\": %d, \"reads\": %ld, \"writes\": %ld, \"fsyncs\": %ld, "
		   "\"fsync_seconds\": %.9f, \"bytes_each\": %lu, \"file_bytes\": %lu",
		   getpid(), sum.reads, sum.writes, sum.fsyncs, (double)sum.fsync_ns / 1e9,
		   TRUTH_PAGE, FILE_SIZE);
	workers_append(&text, workers, n);
	truth_print("%s}", text.text);
	return 0;
}
