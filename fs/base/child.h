/* child.h - a program that is run to its end, within a time. Any thread may call, and waits. */
#ifndef KINOFS_BASE_CHILD_H
#define KINOFS_BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>

#define CHILD_WORDS 1024

struct child {
	const char *const
		*words;   /* the program, looked for in PATH, and its arguments; then NULL */
	const int *given; /* so many descriptors, which it gets as 3, 4 … */
	size_t ngiven;
	const char *input;           /* what its standard input has; NULL: nothing */
	const char *const *variable; /* "NAME=VALUE" … NULL, also in its environment; or NULL */
	int stop_fd;                 /* readable: it is to end at once; -1: there is none */
	int64_t limit_ms;            /* how long it may take */
	int64_t file_limit; /* bytes that a file it writes may have; a longer one kills it. 0: any
	                     */
};

/*
 * Runs it in the root folder, without a shell, a terminal, a signal that is blocked here, or a
 * descriptor but those given; of the environment it has only where programs and libraries are, as
 * there may be keys in the rest, and what it is given. words: the end of what it wrote to its
 * standard error. 0: it ended with status 0; -ENOENT: there is no such program; -EBADMSG: it ended
 * otherwise; -ETIMEDOUT; -ECANCELED: stop_fd; or -errno. It does not run any more, nor does what it
 * started and what stayed in its process group.
 */
int child_run(const struct child *child, char words[CHILD_WORDS]);

#endif
