/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of probe/ share. */
#ifndef PERFBPF_PROBE_INTERNAL_H
#define PERFBPF_PROBE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* The skeleton knows the types of the ABI by name only. */
#include "perfbpf.h"

#include "perfbpf.skel.h"
#include "probe/probe.h"

struct probe {
	struct perfbpf *skel;
	struct probe_options options;
	struct pb_control *control;
	struct pb_slot *slots;
	struct pb_hist *hists;
	struct pb_peer *peers;
	struct pb_call *calls;
	size_t n_hists; /* with shards */
	struct ring_buffer *ring;
	struct bpf_link *sweep, *sweep_kept; /* over the sockets that are remembered */
	uint32_t windows;                    /* opened so far */
	struct probe_sampling *sampling;     /* NULL: no stacks are wanted, or to be had */
	char refused[sizeof(((struct error *)0)->text)]; /* why not */
	int stats_fd;
	bool has_socket_bytes, has_arrivals;
	double syscall_slowdown_seconds; /* NAN: not traced */
	probe_event_fn event_fn;
	void *event_context;
};

/*
 * Chooses which programs are loaded: those that are wanted, each in the form that this
 * kernel has a place for. Sets has_socket_bytes and has_arrivals.
 */
void programs_choose(struct probe *probe);
/* Sets the constants of the programs and the sizes of their maps. Before loading. */
void programs_configure(struct probe *probe);
/* Attaches all that were loaded. 0, or -errno. */
int programs_attach(struct probe *probe);

/* Maps the values of an array; NULL with @err. */
void *probe_map_array(const struct bpf_map *map, size_t size, struct error *err);
void probe_unmap(void *at, size_t size);

/* Stacks, where they are wanted: after loading. -1 with @err. */
int sampling_open(struct probe *probe, struct error *err);
void sampling_free(struct probe *probe);
/* Begins to sample, and ends it. 0, or -errno. */
int sampling_attach(struct probe *probe);
void sampling_detach(struct probe *probe);

/* Runs an iterator program once over all it iterates. 0, or -errno. */
int iterator_run(const struct bpf_link *link);

#endif
