/*
 * oplog.h - what a program did to some folders, one record after the other: record.c writes it,
 * states.c says what a disk may hold of it after a power cut. tests/mount/power.py has the same
 * layout.
 */
#ifndef KINOFS_TESTS_POWER_OPLOG_H
#define KINOFS_TESTS_POWER_OPLOG_H

#include <stdint.h>

enum op_kind {
	OP_ROOT = 1, /* ino: a folder that is looked at; name: its path */
	OP_BEGIN,    /* what came before was there, durably; steps are counted from here */
	OP_ENTRY, /* dir, name: now ino, of the mode in `at`; data: where a symbolic link leads */
	OP_GONE,  /* dir, name */
	OP_MOVE,  /* dir, name to dir2, name2; at: flags of renameat2(2) */
	OP_WRITE, /* ino, at, data */
	OP_SIZE,  /* ino, at */
	OP_SYNC,  /* ino, a file or a folder */
	OP_SEND,  /* data: the first bytes that went out on a socket */
	OP_NOTE,  /* data: words of the test */
};

/* Followed by name, name2 and data, without ends. */
struct op {
	uint32_t kind, bytes; /* of data */
	uint32_t name, name2; /* bytes of the names */
	uint64_t ino, dir, dir2, at;
};

#endif
