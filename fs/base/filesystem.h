/* filesystem.h - what kind of filesystem something lies on. Any thread. */
#ifndef KINOFS_BASE_FILESYSTEM_H
#define KINOFS_BASE_FILESYSTEM_H

enum filesystem {
	FILESYSTEM_LOCAL,   /* or not known to be anything else */
	FILESYSTEM_FUSE,    /* another FUSE: whatever is behind it, sshfs or a local disk */
	FILESYSTEM_NETWORK, /* other machines may have it too */
};

/* Of an open file or folder, by the type that statfs(2) tells. *name: what it is called. */
enum filesystem filesystem_of(int fd, const char **name);

#endif
