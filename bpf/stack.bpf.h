/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stacks of the kernel and of the user's program, walked in the kernel by rows of CFI that the
 * loader has put into maps. What cannot be walked here goes to the loader with a copy of the
 * stack. Who includes this says before how memory of the stack is read: unwind_read() for
 * one word, and for the copy
 *     static long stack_read(struct task_struct *task, void *to, __u32 bytes, __u64 address);
 * and what can be done where a word was missing: true, and the step is tried again
 *     static bool unwind_fetch(struct walk *walk);
 */
#ifndef PERFBPF_STACK_BPF_H
#define PERFBPF_STACK_BPF_H

#include "process.bpf.h"
#include "unwind.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PB_STACK_RING_BYTES);
} pb_stack_ring SEC(".maps") __weak;

/* How much of it may wait before the loader is woken; it sets that with the ring's size. */
const volatile __u32 pb_stacks_waiting __weak = PB_STACK_RING_BYTES / 2;

/* The loader sets how many rows there are. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_row);
} pb_rows SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_OBJECTS);
	__type(key, __u32);
	__type(value, struct pb_object);
} pb_objects SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_MAPPINGS);
	__type(key, __u32);
	__type(value, struct pb_mapping);
} pb_mappings SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SPACES);
	__type(key, __u32);
	__type(value, struct pb_space);
} pb_spaces SEC(".maps") __weak;

/* An event is put together here: it is too large for the stack, and of no fixed length. */
struct stack_scratch {
	struct pb_event_stack event;
	__u64 words[PB_STACK_WORDS];
};

struct walk {
	struct pb_unwind state;
	struct stack_scratch *scratch;
	struct task_struct *task;
	struct pb_mapping *mapping; /* in which the last frame was, most often the next one too */
	__u32 n;                    /* words so far */
	__u32 first, n_mappings;
	__s32 end; /* -1: not yet */
};

#define STEPS_OF_SEARCH 25

/* Beside the rules of rows. */
#define PB_CFA_UNLOADED   0xffffffffU /* there are no rows here */
#define PB_CFA_FP_OF_FILE 0xfffffffeU /* a file without CFI: its code keeps frame pointers */

/*
 * The rule of the last of @n rows from @first on whose pc is not above @pc. Functions of their own,
 * not inlined, so that the verifier looks at each loop once.
 */
__weak __noinline __u32 stack_find_rule(__u32 first, __u32 n, __u32 pc)
{
	__u32 rule = PB_CFA_NONE;

	for (int i = 0; i < STEPS_OF_SEARCH && n; i++) {
		__u32 half = n / 2, index = first + half;
		struct pb_row *row = bpf_map_lookup_elem(&pb_rows, &index);

		if (!row)
			break;
		if (row->pc <= pc) {
			rule = row->rule;
			first = index + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return rule;
}

/* The index of the last of @n mappings from @first on that does not begin above @pc. */
__weak __noinline __u32 stack_find_mapping(__u32 first, __u32 n, __u64 pc)
{
	__u32 found = first;

	for (int i = 0; i < STEPS_OF_SEARCH && n; i++) {
		__u32 half = n / 2, index = first + half;
		struct pb_mapping *mapping = bpf_map_lookup_elem(&pb_mappings, &index);

		if (!mapping)
			break;
		if (mapping->start <= pc) {
			found = index;
			first = index + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return found;
}

static __always_inline bool is_in(const struct pb_mapping *mapping, __u64 pc)
{
	return mapping && mapping->start <= pc && pc < mapping->end;
}

static __noinline struct pb_mapping *mapping_of(struct walk *walk, __u64 pc)
{
	struct pb_mapping *mapping = walk->mapping;
	__u32 index;

	if (is_in(mapping, pc))
		return mapping;
	if (!walk->n_mappings)
		return NULL;
	index = stack_find_mapping(walk->first, walk->n_mappings, pc);
	mapping = bpf_map_lookup_elem(&pb_mappings, &index);
	if (!is_in(mapping, pc))
		return NULL;
	walk->mapping = mapping;
	return mapping;
}

#if defined(__TARGET_ARCH_x86)
/* add $N, %rsp; ret */
#define CODE_GIVES_BACK      0xc300c48348ULL
#define CODE_GIVES_BACK_MASK 0xff00ffffffULL
#define CODE_GIVES_BACK_N(c) ((c) >> 24 & 0x78)
#endif

/*
 * Code in no file is most often compiled at run time, with frame pointers. Where it is to return to
 * what only gives back its room and returns itself, as trampolines of Python's do, that room is all
 * that lies before the next return address, and the frame pointer is somebody else's.
 */
static __always_inline __u32 rule_of_anon(struct walk *walk)
{
#if defined(__TARGET_ARCH_x86)
	struct pb_unwind *state = &walk->state;
	__u64 code = 0;

	if (!state->is_exact && !stack_read(walk->task, &code, sizeof(code), state->pc) &&
	    (code & CODE_GIVES_BACK_MASK) == CODE_GIVES_BACK)
		return pb_rule(PB_CFA_RSP, CODE_GIVES_BACK_N(code) / 8 + 1, PB_RBP_SAME, 0);
#endif
	return PB_CFA_FP;
}

/* See unwind_guess(). PB_CFA_NONE: there is no guess. */
static __always_inline __u32 rule_by_guess(struct walk *walk)
{
	struct pb_guess guess = unwind_guess(walk, &walk->state);

	if (guess.at_bp && mapping_of(walk, guess.at_bp - 1))
		return PB_CFA_FP;
	if (guess.at_sp && mapping_of(walk, guess.at_sp - 1))
		return pb_rule(PB_CFA_RSP, 1, PB_RBP_SAME, 0);
	return PB_CFA_NONE;
}

/* The rule for code of a file; PB_CFA_UNLOADED: its rows are not here. */
static __always_inline __u32 rule_of_file(const struct pb_mapping *mapping, __u64 pc)
{
	__u32 index = mapping->object, n_rows;
	struct pb_object *object;

	object = bpf_map_lookup_elem(&pb_objects, &index);
	if (!object)
		return PB_CFA_UNLOADED;
	if (object->used_at != pb_control.sweep)
		object->used_at = pb_control.sweep;
	if (object->by_fp)
		return PB_CFA_FP_OF_FILE;
	/* Once: it becomes 0 where the rows have to make room. */
	n_rows = *(volatile __u32 *)&object->n_rows;
	if (!n_rows)
		return PB_CFA_UNLOADED;
	return stack_find_rule(object->first_row, n_rows,
			       (__u32)(pc - mapping->bias - object->base));
}

/*
 * Moves to the caller's frame. -1, or how the walk ended. All ways come together in one rule, since
 * the verifier looks at each of them.
 */
static __always_inline int walk_up(struct walk *walk, __u64 pc)
{
	struct pb_mapping *mapping = mapping_of(walk, pc);
	bool is_sure = true, by_fp = false;
	__u32 rule;
	int end;

	if (!mapping)
		return PB_WALK_UNMAPPED;
	if (mapping->object == PB_OBJECT_ANON) {
		rule = rule_of_anon(walk);
		is_sure = false;
	} else {
		rule = rule_of_file(mapping, pc);
	}
	if (rule == PB_CFA_UNLOADED)
		return PB_WALK_UNLOADED;
	if (pb_rule_cfa(rule) == PB_CFA_NONE) {
		rule = rule_by_guess(walk);
		by_fp = true;
		is_sure = false;
	}
	if (rule == PB_CFA_FP_OF_FILE || (!is_sure && rule == PB_CFA_FP)) {
		by_fp = true;
		rule = unwind_fp_is_broken(&walk->state) ? PB_CFA_NONE : PB_CFA_FP;
	}
	if (rule == PB_CFA_NONE)
		return PB_WALK_BROKEN;
	end = unwind_by_rule(walk, &walk->state, rule);
	if (end < 0)
		walk->state.by_fp += by_fp;
	return is_sure ? end : unwind_not_ended(end);
}

/* One frame; 1 ends the loop. */
static long walk_step(__u32 i, struct walk *walk)
{
	__u64 pc = unwind_lookup_pc(&walk->state);
	__u32 at = walk->n;

	if (i >= PB_USER_FRAMES || at >= PB_KERNEL_FRAMES + PB_USER_FRAMES) {
		walk->end = PB_WALK_DEPTH;
		return 1;
	}
	walk->scratch->words[at] = pc;
	walk->end = walk_up(walk, pc);
	if (walk->end == PB_WALK_MEMORY && unwind_fetch(walk))
		return 0;
	walk->n = at + 1;
	return walk->end >= 0;
}

/*
 * Has its address space been taken away, the stack with it? At its exit that comes before most of
 * the work; in exec the registers are those of the old program until the new one is in place.
 */
static __always_inline bool stack_is_gone(struct walk *walk, struct task_struct *task)
{
	struct call call = {};
	__u64 word;

	if (!task->mm)
		return true;
	call_of(task, &call);
	return (call.nr == CALL_NR_EXECVE || call.nr == CALL_NR_EXECVEAT) &&
	       unwind_read(walk, walk->state.sp & ~7ULL, &word);
}

/* The registers with which the thread left its user program. False where it has none of 64 bits. */
static __always_inline bool walk_start(struct walk *walk, struct task_struct *task)
{
	struct pb_unwind *state = &walk->state;
	struct pt_regs *regs;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
#if defined(__TARGET_ARCH_x86)
	state->pc = regs->ip;
	state->sp = regs->sp;
	state->bp = regs->bp;
	state->r10 = regs->r10;
	/* The selector of 32-bit code, which other rules hold for. */
	if ((regs->cs & 0xffff) == 0x23)
		return false;
#else
	state->pc = regs->user_regs.pc;
	state->sp = regs->user_regs.sp;
	state->bp = regs->user_regs.regs[29];
#endif
	state->is_inner = 1;
	state->is_exact = 1;
	return state->pc != 0 && !stack_is_gone(walk, task);
}

/* What is known to be mapped in the thread's process; nothing where it has executed anew since. */
static __always_inline void walk_space(struct walk *walk, const struct pb_slot *slot)
{
	__u64 known = *(volatile const __u64 *)&slot->space;
	__u32 index = (__u32)known;
	struct pb_space *space;

	if (!index || known >> 32 != slot->execs)
		return;
	space = bpf_map_lookup_elem(&pb_spaces, &index);
	if (!space)
		return;
	walk->first = space->first;
	walk->n_mappings = space->n;
}

/* Walks the user's stack of @task, whose frames follow those of the kernel. */
static __always_inline void walk_user(struct walk *walk, struct task_struct *task,
				      const struct pb_slot *slot)
{
	if (!walk_start(walk, task)) {
		walk->end = PB_WALK_NO_USER;
		return;
	}
	walk_space(walk, slot);
	bpf_loop(PB_USER_FRAMES + 1, walk_step, walk, 0);
}

/* Could the loader go on, that has more files and more time? */
static __always_inline bool walk_is_open(const struct walk *walk)
{
	return walk->end == PB_WALK_UNMAPPED || walk->end == PB_WALK_UNLOADED;
}

#define STACK_PAGE 4096

struct stack_copy {
	struct stack_scratch *scratch;
	struct task_struct *task;
	__u64 from;
	__u32 at; /* word */
	__u32 n;  /* bytes so far */
};

/* A page, or what of it lies above the stack pointer: the stack may end with it. */
static long copy_page(__u32 i, struct stack_copy *copy)
{
	__u32 bytes = STACK_PAGE - (copy->from & (STACK_PAGE - 1)), at = copy->at;

	if (at > PB_STACK_WORDS - STACK_PAGE / 8 || bytes > STACK_PAGE)
		return 1;
	if (stack_read(copy->task, &copy->scratch->words[at], bytes, copy->from))
		return 1;
	copy->from += bytes;
	copy->at += bytes / 8;
	copy->n += bytes;
	return 0;
}

/* The stack itself, for the loader to go on from where the walk stopped. Returns bytes. */
static __always_inline __u32 copy_stack(struct walk *walk)
{
	struct stack_copy copy = {
		.scratch = walk->scratch,
		.task = walk->task,
		.from = walk->state.sp,
		.at = walk->n,
	};

	if (walk->state.sp & 7)
		return 0;
	bpf_loop(PB_STACK_COPY_BYTES / STACK_PAGE, copy_page, &copy, 0);
	return copy.n;
}

static __always_inline void stack_fill(struct walk *walk, const struct pb_task *member,
				       const struct pb_slot *slot, __u32 n_kernel)
{
	struct pb_event_stack *event = &walk->scratch->event;

	event_fill(&event->event, PB_EVENT_STACK, member->slot, slot->id);
	event->pid = slot->pid;
	event->tid = tid_of(walk->task);
	event->execs = slot->execs;
	event->n_kernel = (__u16)n_kernel;
	event->n_user = (__u16)(walk->n - n_kernel);
	event->end = (__u8)walk->end;
	event->is_again = 0;
	event->pc = walk->state.pc;
	event->sp = walk->state.sp;
	event->bp = walk->state.bp;
	event->r10 = walk->state.r10;
	event->is_inner = walk->state.is_inner;
	event->is_exact = walk->state.is_exact;
	event->by_fp = walk->state.by_fp;
	event->pad = 0;
	event->n_copied = walk_is_open(walk) ? copy_stack(walk) : 0;
}

/* Hands the event over, with @n addresses and the copy of the stack. */
static __always_inline void stack_send(struct stack_scratch *scratch, __u32 n)
{
	__u64 size = sizeof(scratch->event) + 8 * (__u64)n + scratch->event.n_copied;

	if (size > sizeof(*scratch))
		return;
	/* It is read at the next tick; where much waits, sooner. */
	if (bpf_ringbuf_output(&pb_stack_ring, scratch, size,
			       bpf_ringbuf_query(&pb_stack_ring, BPF_RB_AVAIL_DATA) >
					       pb_stacks_waiting
				       ? BPF_RB_FORCE_WAKEUP
				       : BPF_RB_NO_WAKEUP))
		count_loss(PB_LOSS_STACKS);
}

#endif
