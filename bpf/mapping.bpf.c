/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which code the processes have mapped that were there before: what is mapped later tells itself.
 */
#include "memory.bpf.h"
#include "process.bpf.h"

#define VM_EXEC    0x4
#define MINOR_BITS 20 /* of a dev_t in the kernel */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PB_STACK_RING_BYTES);
} pb_stack_ring SEC(".maps") __weak;

static __always_inline bool is_vdso(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	return mm && (__u64)mm->context.vdso == vma->vm_start;
}

static __always_inline void tell_path(struct vm_area_struct *vma, struct pb_event_mapping *event)
{
	struct file *file = vma->vm_file;

	event->path[0] = 0;
	if (file)
		bpf_d_path((struct path *)&file->f_path, event->path, sizeof(event->path));
	else if (is_vdso(vma))
		__builtin_memcpy(event->path, "[vdso]", sizeof("[vdso]"));
}

/* By which the file that is opened later can be told from others that have its path elsewhere. */
static __always_inline void tell_inode(struct vm_area_struct *vma, struct pb_event_mapping *event)
{
	struct file *file = vma->vm_file;
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;
	__u32 device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;

	event->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	event->generation = inode ? BPF_CORE_READ(inode, i_generation) : 0;
	event->major = device >> MINOR_BITS;
	event->minor = device & ((1U << MINOR_BITS) - 1);
	event->pad = 0;
}

SEC("?iter/task_vma")
int profile_mappings(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *vma = ctx->vma;
	struct task_struct *task = ctx->task;
	struct pb_event_mapping *event;
	struct pb_task *member;
	struct pb_slot *slot;

	if (!task || !vma || !(vma->vm_flags & VM_EXEC))
		return 0;
	member = member_of(task);
	if (!member || member->slot == PB_SLOT_OVERFLOW)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	event = bpf_ringbuf_reserve(&pb_stack_ring, sizeof(*event), 0);
	if (!event) {
		count_loss(PB_LOSS_STACKS);
		return 0;
	}
	event_fill(&event->event, PB_EVENT_MAPPING, member->slot, slot->id);
	event->start = vma->vm_start;
	event->end = vma->vm_end;
	event->offset = vma->vm_pgoff * pb_page_bytes;
	tell_inode(vma, event);
	tell_path(vma, event);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}
