/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opening and closing the window, and what was gathered in it. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "probe/internal.h"

static void clear_map(const struct bpf_map *map, void *key)
{
	int fd = bpf_map__fd(map);

	while (!bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key))
			return;
}

static void forget_histograms(struct probe *probe, size_t from, size_t to)
{
	memset(&probe->hists[from], 0, (to - from) * sizeof(*probe->hists));
}

static void forget(struct probe *probe)
{
	struct pb_peer_key peer;
	uint32_t bits = probe->skel->rodata->pb_hist_shard_bits;
	uint64_t socket;

	forget_histograms(probe, 0, (size_t)PB_HIST_EXEC << bits);
	/* Commands may have been timed for a while already. */
	forget_histograms(probe, (size_t)(PB_HIST_EXEC + 1) << bits, probe->n_hists);
	memset(probe->peers, 0, PB_PEERS * sizeof(*probe->peers));
	memset(probe->calls, 0, PB_CALLS * sizeof(*probe->calls));
	memset(&probe->control->requests, 0, sizeof(probe->control->requests));
	probe->control->n_peers = 0;
	clear_map(probe->skel->maps.pb_peer_index, &peer);
	clear_map(probe->skel->maps.pb_unix_turns, &socket);
}

int probe_window_open(struct probe *probe)
{
	forget(probe);
	probe->control->closing = 0;
	probe->control->window_offset_ns = probe->control->sched_offset_ns;
	__atomic_store_n(&probe->control->window, ++probe->windows, __ATOMIC_SEQ_CST);
	/* Threads that will not be switched for a long time are adopted as they are. */
	return probe->options.time ? probe_snapshot(probe) : 0;
}

int probe_window_look(struct probe *probe)
{
	int failed;

	if (!probe->options.time)
		return 0;
	__atomic_store_n(&probe->control->look, 1, __ATOMIC_SEQ_CST);
	failed = probe_snapshot(probe);
	__atomic_store_n(&probe->control->look, 0, __ATOMIC_SEQ_CST);
	return failed;
}

int probe_window_close(struct probe *probe)
{
	uint64_t socket;
	int failed;

	__atomic_store_n(&probe->control->closing, probe->control->window, __ATOMIC_SEQ_CST);
	/* Each thread's account is closed while switches are still seen, so that nothing is missing
	 * between its last switch and the look at it. */
	failed = probe->options.time ? probe_snapshot(probe) : 0;
	__atomic_store_n(&probe->control->window, 0, __ATOMIC_SEQ_CST);
	if (probe->sweep && !failed)
		failed = iterator_run(probe->sweep);
	if (probe->sweep_kept && !failed)
		failed = iterator_run(probe->sweep_kept);
	if (probe->sweep_kept)
		clear_map(probe->skel->maps.pb_unix_turns, &socket);
	return failed;
}

int probe_time_children(struct probe *probe, int pidfd, bool from_now, struct error *err)
{
	struct pb_timed parent = {.epoch = probe->control->epoch};
	uint32_t bits = probe->skel->rodata->pb_hist_shard_bits;

	probe_time_window(probe, from_now ? 0 : UINT64_MAX, UINT64_MAX);
	forget_histograms(probe, (size_t)PB_HIST_EXEC << bits, (size_t)(PB_HIST_EXEC + 1) << bits);
	if (!bpf_map_update_elem(bpf_map__fd(probe->skel->maps.pb_timed), &pidfd, &parent, BPF_ANY))
		return 0;
	return error_set(err, EXIT_CODE_FAILED, "cannot time the driver's commands: %s",
			 strerror(errno));
}

void probe_time_window(struct probe *probe, uint64_t from_ns, uint64_t until_ns)
{
	__atomic_store_n(&probe->control->timed_until_ns, until_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&probe->control->timed_from_ns, from_ns, __ATOMIC_RELAXED);
}

bool probe_has_requests(const struct probe *probe)
{
	return probe->options.requests && probe->has_socket_bytes && probe->has_arrivals;
}

bool probe_has_time(const struct probe *probe)
{
	return probe->options.time;
}

bool probe_has_io(const struct probe *probe)
{
	return probe->options.io && bpf_program__autoload(probe->skel->progs.io_block_complete);
}

static void read_hist(const struct probe *probe, uint32_t kind, struct histogram *h)
{
	uint32_t bits = probe->skel->rodata->pb_hist_shard_bits;

	histogram_init(h);
	for (uint32_t shard = 0; shard < 1U << bits; shard++)
		histogram_take(h, &probe->hists[(kind << bits) + shard]);
}

void probe_histogram(const struct probe *probe, enum pb_hist_kind kind, struct histogram *h)
{
	read_hist(probe, kind, h);
}

const struct pb_peer *probe_peers(const struct probe *probe, size_t *n)
{
	*n = probe->control->n_peers < PB_PEERS ? probe->control->n_peers + 1 : PB_PEERS;
	return probe->peers;
}

const struct pb_requests *probe_requests(const struct probe *probe)
{
	return &probe->control->requests;
}

int probe_call(const struct probe *probe, unsigned int index, struct pb_call *call,
	       struct histogram *h)
{
	if (!probe->options.syscalls || index >= PB_CALLS)
		return -2;
	*call = probe->calls[index];
	read_hist(probe, PB_HISTS + index, h);
	if (index == PB_CALL_REST)
		return -1;
	for (int nr = 0; nr < PB_CALL_NRS; nr++)
		if (probe->skel->bss->pb_call_index[nr] == index)
			return nr;
	return -2;
}

double probe_syscall_slowdown_seconds(const struct probe *probe)
{
	return probe->syscall_slowdown_seconds;
}
