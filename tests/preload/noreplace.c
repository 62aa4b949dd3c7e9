/*
 * noreplace.c - LD_PRELOAD: a filesystem that knows no flags of renameat2(2), as NFS, 9p and sshfs;
 * with KINOFS_TEST_NO_LINKS set, no links either, as FAT. Fuse itself is not asked: what goes
 * through a mount of type fuse is passed on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FUSE_MAGIC 0x65735546

static int is_store(int fd)
{
	struct statfs info;

	return fstatfs(fd, &info) < 0 || info.f_type != FUSE_MAGIC;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	__typeof__(&renameat2) next = (__typeof__(&renameat2))dlsym(RTLD_NEXT, "renameat2");

	if (flags && is_store(from_fd)) {
		errno = EINVAL;
		return -1;
	}
	return next(from_fd, from, to_fd, to, flags);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	__typeof__(&linkat) next = (__typeof__(&linkat))dlsym(RTLD_NEXT, "linkat");

	if (getenv("KINOFS_TEST_NO_LINKS") && is_store(from_fd)) {
		errno = EPERM;
		return -1;
	}
	return next(from_fd, from, to_fd, to, flags);
}
