/* memory.h - gives back what was only needed for a while, and guards what is secret. Any thread may
 * call. */
#ifndef KINOFS_BASE_MEMORY_H
#define KINOFS_BASE_MEMORY_H

/* Unused heap, and the pages of programs and libraries, most of which only their start needed; what
 * is needed again comes back from the page cache. */
void memory_release(void);

/* There are keys in memory: from now on no core dump, no debugger of the same user. */
void memory_guard(void);

#endif
