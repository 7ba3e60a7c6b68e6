/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two libraries of the same size, which a program loads one after the other, likely at the same
 * address: LATE is the name of what is called, ROOM how large its frames are.
 */
#define PASTE(a, b) a##b
#define NAME(a, b)  PASTE(a, b)
#define INNER       NAME(LATE, _inner)

void LATE(void (*work)(void *), void *context);
void __attribute__((noinline)) INNER(void (*work)(void *), void *context);

static inline void use(const char *room)
{
	__asm__ volatile("" ::"r"(room) : "memory");
}

void INNER(void (*work)(void *), void *context)
{
	char room[ROOM];

	use(room);
	work(context);
	use(room);
}

void LATE(void (*work)(void *), void *context)
{
	char room[2 * ROOM];

	use(room);
	INNER(work, context);
	use(room);
}
