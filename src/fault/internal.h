/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kinds of faults share; the rest of perfbpf uses fault.h. */
#ifndef PERFBPF_FAULT_INTERNAL_H
#define PERFBPF_FAULT_INTERNAL_H

#include "fault/fault.h"
#include "fault/helper.h"

enum fault_state {
	FAULT_WAITING,  /* its time has not come */
	FAULT_APPLYING, /* begun; not yet seen to have taken effect */
	FAULT_ACTIVE,
	FAULT_UNDOING,
	FAULT_OVER,
};

enum fault_progress {
	FAULT_PENDING, /* asked again soon, or when the set's file is readable */
	FAULT_DONE,
};

struct fault_run;

/*
 * One kind. Functions that can fail return -1 with @err, which becomes the result's error; after
 * each such failure undo() is called, which has to cope with whatever was done.
 */
struct fault_ops {
	size_t size; /* of its own state, zeroed at first */
	/* Begins it: journal first. Sets the result's applied_at_ns, now or in is_applied(). */
	int (*apply)(struct fault_run *run, struct error *err);
	/* Has it taken effect? An enum fault_progress. */
	int (*is_applied)(struct fault_run *run, struct error *err);
	uint64_t apply_timeout_ns; /* how long that may take */
	/* Called at times while it lasts; may be NULL. */
	int (*watch)(struct fault_run *run, struct error *err);
	/* Begins to undo it. */
	int (*undo)(struct fault_run *run, struct error *err);
	/* Is nothing of it left? Strikes it out of the journal then. */
	int (*is_undone)(struct fault_run *run, struct error *err);
	uint64_t undo_timeout_ns;
	/* Frees what hangs on its state; may be NULL. */
	void (*clear)(struct fault_run *run);
};

struct fault_run {
	struct faults *set;
	const struct fault *fault;
	const struct fault_ops *ops;
	void *own;
	enum fault_state state;
	bool is_scheduled; /* its phase's beginning is known */
	bool is_told;      /* the host knows that it was applied */
	uint64_t begin_ns, end_ns;
	uint64_t deadline_ns; /* of applying or undoing */
	uint64_t poll_ns;     /* when it is looked at again */
	struct fault_result result;
	char error[sizeof(((struct error *)NULL)->text)];
};

struct proxy_run {
	const struct proxy *proxy;
	struct helper helper;
	char *to;
	char listen[64];
	bool is_listening;
	struct fault_run *user; /* whose effect it has; NULL: none */
};

struct faults {
	struct fault_options options;
	int epoll_fd;
	size_t n_runs;
	struct fault_run *runs;
	size_t n_proxies;
	struct proxy_run *proxies;
	bool is_ending; /* all is ended soon: nothing is started any more */
	char self[4096];
};

extern const struct fault_ops fault_signal, fault_pressure, fault_connections, fault_proxy;

/* A text of the scenario with its variables filled in, to be freed; NULL with @err. */
char *fault_fill(const struct fault_run *run, const char *text, struct error *err);
/* As process_signal(), by the host where it wants that. */
int fault_send(const struct fault_run *run, const struct process *process, int signal);
/*
 * A note in the journal of what leaves nothing behind; its id, 0 with @err.
 */
uint64_t fault_note(struct fault_run *run, struct error *err);

#endif
