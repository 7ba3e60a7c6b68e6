/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/capability.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe/perf_ring.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* CAP_BPF and CAP_PERFMON are newer than some libcap headers. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static bool has_capability(int capability)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (!caps)
		return false;
	cap_get_flag(caps, capability, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

/* CAP_SYS_ADMIN stands for both, as the kernel has it. */
static bool may_bpf(void)
{
	return has_capability(CAP_BPF) || has_capability(CAP_SYS_ADMIN);
}

static bool may_perfmon(void)
{
	return has_capability(CAP_PERFMON) || has_capability(CAP_SYS_ADMIN);
}

bool capability_has_rights(void)
{
	return may_bpf() && may_perfmon();
}

int capability_check(struct error *err)
{
	if (!may_bpf() || !may_perfmon())
		return error_set(
			err, EXIT_CODE_PRIVILEGE,
			"not allowed to measure: %s%s%s missing; run it with sudo, or give the "
			"program these capabilities: setcap cap_bpf,cap_perfmon+ep perfbpf",
			may_bpf() ? "" : "CAP_BPF",
			!may_bpf() && !may_perfmon() ? " and CAP_PERFMON are" : "",
			may_bpf()       ? "CAP_PERFMON is"
			: may_perfmon() ? " is"
					: "");
	if (access(BTF_PATH, R_OK))
		return error_set(
			err, EXIT_CODE_PRIVILEGE,
			"this kernel has no type information: %s: %s; perfbpf needs a kernel "
			"built with CONFIG_DEBUG_INFO_BTF=y (Debian's, Ubuntu's and Fedora's are)",
			BTF_PATH, strerror(errno));
	return 0;
}

int capability_explain(int errno_value, const char *program, const char *detail, struct error *err)
{
	struct utsname host;

	uname(&host);
	/* EACCES and EINVAL are the verifier's words for a program that it does not trust. */
	if (errno_value == EPERM)
		return error_set(
			err, EXIT_CODE_PRIVILEGE,
			"the kernel (%s) refused program '%s' (%s): CAP_BPF and CAP_PERFMON are "
			"there, so a security policy (lockdown, seccomp of a container) forbids "
			"it; "
			"'perfbpf doctor' shows what works here",
			host.release, program[0] ? program : "?", detail);
	return error_set(
		err, EXIT_CODE_PRIVILEGE,
		"the kernel (%s) refused program '%s': %s (%s); 'perfbpf doctor' shows what "
		"works here",
		host.release, program[0] ? program : "?", strerror(errno_value), detail);
}

static bool probe_btf(char *why, size_t size)
{
	if (!access(BTF_PATH, R_OK))
		return true;
	snprintf(why, size, "%s: %s", BTF_PATH, strerror(errno));
	return false;
}

static bool probe_bpf_capability(char *why, size_t size)
{
	snprintf(why, size, "not among the effective capabilities");
	return may_bpf();
}

static bool probe_perfmon_capability(char *why, size_t size)
{
	snprintf(why, size, "not among the effective capabilities");
	return may_perfmon();
}

static bool probe_stats(char *why, size_t size)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd >= 0) {
		close(fd);
		return true;
	}
	snprintf(why, size, "%s", strerror(errno));
	return false;
}

/* What the kernel would do with the rights that are missing cannot be told without them. */
static bool lacks_rights(char *why, size_t size)
{
	snprintf(why, size, "cannot be tried without CAP_BPF and CAP_PERFMON");
	return !capability_has_rights();
}

static bool probe_map(enum bpf_map_type type, char *why, size_t size)
{
	if (lacks_rights(why, size))
		return false;
	if (libbpf_probe_bpf_map_type(type, NULL) == 1)
		return true;
	snprintf(why, size, "the kernel does not make such a map");
	return false;
}

static bool probe_ring_buffer(char *why, size_t size)
{
	return probe_map(BPF_MAP_TYPE_RINGBUF, why, size);
}

static bool probe_task_storage(char *why, size_t size)
{
	return probe_map(BPF_MAP_TYPE_TASK_STORAGE, why, size);
}

static bool probe_socket_storage(char *why, size_t size)
{
	return probe_map(BPF_MAP_TYPE_SK_STORAGE, why, size);
}

static bool btf_has_function(const char *name)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool has = kernel && btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) >= 0;

	btf__free(kernel);
	return has;
}

/* Loads and attaches the smallest program of that kind: the kernel decides, not its version. */
static bool probe_attach(const char *name, enum bpf_attach_type type, char *why, size_t size)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int id = libbpf_find_vmlinux_btf_id(name, type), prog, link;

	if (id < 0) {
		snprintf(why, size, "the kernel has no such %s",
			 type == BPF_TRACE_RAW_TP ? "tracepoint"
			 : type == BPF_TRACE_ITER ? "iterator"
						  : "function");
		return false;
	}
	if (lacks_rights(why, size))
		return false;
	opts.attach_btf_id = (uint32_t)id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", insns, 2, &opts);
	if (prog < 0) {
		snprintf(why, size, "not loaded: %s", strerror(errno));
		return false;
	}
	/* What it goes over is told when it is attached: to load it is as much as can be tried. */
	if (type == BPF_TRACE_ITER) {
		close(prog);
		return true;
	}
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0)
		snprintf(why, size, "loaded, not attached: %s", strerror(errno));
	else
		close(link);
	close(prog);
	return link >= 0;
}

static bool probe_tracepoint(const char *name, char *why, size_t size)
{
	return probe_attach(name, BPF_TRACE_RAW_TP, why, size);
}

bool capability_has_function_exit(const char *name)
{
	char why[160];

	return probe_attach(name, BPF_TRACE_FEXIT, why, sizeof(why));
}

#define TRACEPOINT(name)                                                                           \
	static bool probe_##name(char *why, size_t size)                                           \
	{                                                                                          \
		return probe_tracepoint(#name, why, size);                                         \
	}

TRACEPOINT(sched_switch)
TRACEPOINT(task_newtask)
TRACEPOINT(sched_process_exec)
TRACEPOINT(sched_process_exit)
TRACEPOINT(sock_send_length)
TRACEPOINT(sock_recv_length)
TRACEPOINT(inet_sock_set_state)
TRACEPOINT(tcp_retransmit_skb)
TRACEPOINT(sk_data_ready)
TRACEPOINT(tcp_rcv_space_adjust)
TRACEPOINT(sched_wakeup)
TRACEPOINT(sched_wakeup_new)
TRACEPOINT(block_io_start)
TRACEPOINT(block_rq_insert)
TRACEPOINT(block_rq_issue)
TRACEPOINT(block_rq_complete)
TRACEPOINT(sys_enter)
TRACEPOINT(sys_exit)

#define ITERATOR(name)                                                                             \
	static bool probe_iter_##name(char *why, size_t size)                                      \
	{                                                                                          \
		return probe_attach(#name, BPF_TRACE_ITER, why, size);                             \
	}

ITERATOR(task)
ITERATOR(task_file)
ITERATOR(bpf_sk_storage_map)
ITERATOR(bpf_map_elem)

/* The type of a member, in anonymous parts too, or of what an array of that name holds; or NULL. */
static const struct btf_type *member_type(const struct btf *btf, const struct btf_type *of,
					  const char *name)
{
	for (uint16_t i = 0; i < btf_vlen(of); i++) {
		const struct btf_member *member = &btf_members(of)[i];
		const struct btf_type *type = btf__type_by_id(btf, member->type), *found = NULL;

		if (!member->name_off && type && btf_is_composite(type))
			found = member_type(btf, type, name);
		else if (type && !strcmp(btf__name_by_offset(btf, member->name_off), name))
			found = btf_is_array(type) ? btf__type_by_id(btf, btf_array(type)->type)
						   : type;
		if (found)
			return found;
	}
	return NULL;
}

/* Has the kernel's struct such a member, of such a type unless @type_name is NULL? */
static bool probe_member(const char *structure, const char *name, const char *type_name, char *why,
			 size_t size)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *type = NULL;
	bool found;
	int id;

	if (!btf)
		return probe_btf(why, size);
	id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
	if (id > 0)
		type = member_type(btf, btf__type_by_id(btf, (uint32_t)id), name);
	found = type &&
		(!type_name || !strcmp(btf__name_by_offset(btf, type->name_off), type_name));
	snprintf(why, size, "%s.%s of this kernel is not so", structure, name);
	btf__free(btf);
	return found;
}

static bool probe_run_queue_clock(char *why, size_t size)
{
	return probe_member("cfs_rq", "rq", NULL, why, size) &&
	       probe_member("rq", "clock_task", NULL, why, size);
}

static bool probe_cpu_rss(char *why, size_t size)
{
	return probe_member("mm_struct", "rss_stat", "percpu_counter", why, size);
}

static bool probe_task_io(char *why, size_t size)
{
	return probe_member("task_io_accounting", "rchar", NULL, why, size) &&
	       probe_member("task_io_accounting", "read_bytes", NULL, why, size);
}

/* Not missed where the tracepoint is there. */
static bool probe_readable(char *why, size_t size)
{
	return probe_sk_data_ready(why, size) ||
	       probe_attach("sock_def_readable", BPF_TRACE_FENTRY, why, size);
}

static bool probe_block_begin(char *why, size_t size)
{
	return probe_block_io_start(why, size) || probe_block_rq_insert(why, size);
}

/* Not missed where the tracepoints are there. */
static bool probe_function_exit(char *why, size_t size)
{
	if (probe_sock_send_length(why, size) && probe_sk_data_ready(why, size)) {
		snprintf(why, size, "not needed");
		return true;
	}
	return probe_attach("inet_sendmsg", BPF_TRACE_FEXIT, why, size);
}

static bool probe_sampling(char *why, size_t size)
{
	return perf_can_sample(false, why, size);
}

static bool probe_cycles(char *why, size_t size)
{
	return perf_can_sample(true, why, size);
}

static bool probe_mapped(char *why, size_t size)
{
	return perf_can_tell_mapped(why, size);
}

static bool probe_task_memory(char *why, size_t size)
{
	if (lacks_rights(why, size))
		return false;
	snprintf(why, size, "the kernel does not have bpf_copy_from_user_task");
	return btf_has_function("bpf_copy_from_user_task");
}

static bool probe_kallsyms(char *why, size_t size)
{
	unsigned long long address = 0;
	FILE *in = fopen("/proc/kallsyms", "re");

	if (in && fscanf(in, "%llx", &address) != 1)
		address = 0;
	if (in)
		fclose(in);
	snprintf(why, size, "/proc/kallsyms shows no addresses");
	return address != 0;
}

#define ROOT_REMEDY          "run perfbpf with sudo"
#define KERNEL_REMEDY        "a newer kernel, 5.11 or later"
#define REPLACED_BY_FUNCTION "the end of the kernel's function is used, where it may be"

static const struct capability table[] = {
	{"CAP_BPF", "loading programs and maps", "nothing can be measured",
	 "run perfbpf with sudo, or setcap cap_bpf,cap_perfmon+ep perfbpf", true,
	 probe_bpf_capability},
	{"CAP_PERFMON", "attaching programs to tracepoints", "nothing can be measured",
	 "run perfbpf with sudo, or setcap cap_bpf,cap_perfmon+ep perfbpf", true,
	 probe_perfmon_capability},
	{"kernel type information (BTF)", "one program for many kernels", "nothing can be measured",
	 "a kernel with CONFIG_DEBUG_INFO_BTF=y", true, probe_btf},
	{"task storage", "membership that is inherited at fork", "nothing can be measured",
	 KERNEL_REMEDY, true, probe_task_storage},
	{"ring buffer", "records of processes", "nothing can be measured", KERNEL_REMEDY, true,
	 probe_ring_buffer},
	{"socket storage", "connections and retransmits by process", "nothing can be measured",
	 KERNEL_REMEDY, true, probe_socket_storage},
	{"tracepoint task_newtask", "following forks", "nothing can be measured", KERNEL_REMEDY,
	 true, probe_task_newtask},
	{"tracepoint sched_process_exec", "names of processes", "nothing can be measured",
	 KERNEL_REMEDY, true, probe_sched_process_exec},
	{"tracepoint sched_process_exit", "peak memory, exit codes", "nothing can be measured",
	 KERNEL_REMEDY, true, probe_sched_process_exit},
	{"tracepoint sched_switch", "exact CPU time of ended threads", "nothing can be measured",
	 KERNEL_REMEDY, true, probe_sched_switch},
	{"tracepoint sched_wakeup", "run queue and waiting time of threads",
	 "nothing can be measured, unless with --without time", KERNEL_REMEDY, true,
	 probe_sched_wakeup},
	{"tracepoint sched_wakeup_new", "run queue of new threads",
	 "nothing can be measured, unless with --without time", KERNEL_REMEDY, true,
	 probe_sched_wakeup_new},
	{"run-queue clock", "times that join without a gap",
	 "the parts of a thread's time leave more unaccounted",
	 "a kernel with CONFIG_FAIR_GROUP_SCHED=y", false, probe_run_queue_clock},
	{"resident set in parts of each CPU", "memory, to the page",
	 "the parts of each thread are summed (Linux before 6.2)", "none is needed", false,
	 probe_cpu_rss},
	{"task I/O accounting", "bytes read and written, by calls and by storage",
	 "they are not known", "a kernel with CONFIG_TASK_IO_ACCOUNTING=y", false, probe_task_io},
	{"iterator task", "processes that run already, snapshots", "nothing can be measured",
	 KERNEL_REMEDY, true, probe_iter_task},
	{"iterator task_file", "connections that are there before an attach",
	 "they are seen when data next passes, or not at all", KERNEL_REMEDY, false,
	 probe_iter_task_file},
	{"iterator bpf_sk_storage_map", "requests that end with the window",
	 "the last answer of each connection is not counted", KERNEL_REMEDY, false,
	 probe_iter_bpf_sk_storage_map},
	{"iterator bpf_map_elem", "the last answers on Unix sockets", "they are not counted",
	 KERNEL_REMEDY, false, probe_iter_bpf_map_elem},
	{"tracepoint sock_send_length", "bytes and requests sent, by process and family",
	 REPLACED_BY_FUNCTION, "Linux 6.3 or later", false, probe_sock_send_length},
	{"tracepoint sock_recv_length", "bytes and requests received", REPLACED_BY_FUNCTION,
	 "Linux 6.3 or later", false, probe_sock_recv_length},
	{"tracepoint sk_data_ready", "when requests arrive", REPLACED_BY_FUNCTION,
	 "Linux 6.3 or later", false, probe_sk_data_ready},
	{"function entry, if needed", "replaces the one before on older kernels",
	 "queue and response are not known", "Linux 6.3 or later", false, probe_readable},
	{"function exit (fexit), if needed", "replaces the two before it on older kernels",
	 "without them either, bytes and requests are not known", "Linux 6.3 or later", false,
	 probe_function_exit},
	{"tracepoint tcp_rcv_space_adjust", "bytes that splice takes out of TCP sockets",
	 "they are missing in what is received", KERNEL_REMEDY, false, probe_tcp_rcv_space_adjust},
	{"tracepoint inet_sock_set_state", "TCP connections, connect latency, who asks",
	 "connections are not counted", KERNEL_REMEDY, false, probe_inet_sock_set_state},
	{"tracepoint tcp_retransmit_skb", "TCP retransmits", "retransmits are not counted",
	 KERNEL_REMEDY, false, probe_tcp_retransmit_skb},
	{"tracepoint block_io_start", "whose block requests they are",
	 "block_rq_insert and block_rq_issue tell it", "Linux 6.5 or later", false,
	 probe_block_io_start},
	{"tracepoint block_rq_insert", "the same, on older kernels",
	 "requests that wait in a queue are timed from their issue", KERNEL_REMEDY, false,
	 probe_block_begin},
	{"tracepoint block_rq_issue", "latency of storage", "block requests are not counted",
	 KERNEL_REMEDY, false, probe_block_rq_issue},
	{"tracepoint block_rq_complete", "latency of storage", "block requests are not counted",
	 KERNEL_REMEDY, false, probe_block_rq_complete},
	{"tracepoint sys_enter", "system calls (--syscalls)", "--syscalls cannot be had",
	 KERNEL_REMEDY, false, probe_sys_enter},
	{"tracepoint sys_exit", "system calls (--syscalls)", "--syscalls cannot be had",
	 KERNEL_REMEDY, false, probe_sys_exit},
	{"perf event of a CPU's clock", "stacks of what runs", "runs as with --profile none",
	 "run perfbpf with sudo, or sysctl kernel.perf_event_paranoid=2", false, probe_sampling},
	{"perf event of hardware cycles", "the same, blind to no part of the kernel",
	 "the CPU's clock is used", "a machine, or a virtual one, with a PMU", false, probe_cycles},
	{"perf records of mapped code", "stacks of processes that begin, and of dlopen",
	 "runs as with --profile none", ROOT_REMEDY, false, probe_mapped},
	{"task memory read from outside", "stacks of what waits", "runs as with --profile none",
	 "Linux 5.18 or later", false, probe_task_memory},
	{"addresses in /proc/kallsyms", "names of the kernel's functions",
	 "they are shown as addresses", "run perfbpf with sudo, or sysctl kernel.kptr_restrict=0",
	 false, probe_kallsyms},
	{"BPF run-time statistics", "perfbpf's own cost in the kernel (needs CAP_SYS_ADMIN)",
	 "runs as with --observer off", ROOT_REMEDY, false, probe_stats},
};

const struct capability *capability_table(size_t *n)
{
	*n = sizeof(table) / sizeof(table[0]);
	return table;
}
