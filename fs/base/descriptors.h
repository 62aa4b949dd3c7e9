/*
 * descriptors.h - how many descriptors there are, and for whom. Each file that a
 * program has open in the mount is one of ours.
 */
#ifndef KINOFS_BASE_DESCRIPTORS_H
#define KINOFS_BASE_DESCRIPTORS_H

/* Raises the soft limit to the hard one (setrlimit(2)). Processes forked from here on get the old
 * one back, for they know nothing of it and run other programs. Call once, before there are
 * threads. */
void descriptors_raise(void);
/* The ends of the numbers that may be given away, for files, and for folders that are being listed;
 * what is left is for our own work. open(2) takes the lowest number that is free. */
struct descriptors {
	int files, folders;
};
struct descriptors descriptors_to_give(void);

#endif
