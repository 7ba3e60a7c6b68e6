/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The other ends of sockets: a bounded number has accounts of their own, the rest share one. */
#ifndef PERFBPF_PEER_BPF_H
#define PERFBPF_PEER_BPF_H

#include "histogram.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_PEERS);
	__type(key, __u32);
	__type(value, struct pb_peer);
} pb_peers SEC(".maps") __weak;

/* Which account is whose; emptied by the loader before each round. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PB_PEERS);
	__type(key, struct pb_peer_key);
	__type(value, __u32);
} pb_peer_index SEC(".maps") __weak;

static __always_inline struct pb_peer *peer_at(__u32 index)
{
	return bpf_map_lookup_elem(&pb_peers, &index);
}

/* The index of a peer's account; a new one where it has none and there is room. */
static __always_inline __u32 peer_find(const struct pb_peer_key *key)
{
	__u32 *known = bpf_map_lookup_elem(&pb_peer_index, key), index;
	struct pb_peer *peer;

	if (known)
		return *known;
	if (pb_control.n_peers >= PB_PEERS - 1)
		return PB_PEER_REST;
	index = __sync_fetch_and_add(&pb_control.n_peers, 1) + 1;
	peer = peer_at(index);
	if (!peer)
		return PB_PEER_REST;
	peer->key = *key;
	/* Two CPUs can meet here: the later one's account stays empty, its sockets go to the
	 * other's from the next time on. */
	bpf_map_update_elem(&pb_peer_index, key, &index, BPF_NOEXIST);
	known = bpf_map_lookup_elem(&pb_peer_index, key);
	return known ? *known : PB_PEER_REST;
}

#endif
