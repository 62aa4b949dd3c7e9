/*
 * record.c - LD_PRELOAD, or linked (record.h): writes down, in the order in which they were done,
 * the calls that change files below some folders, those that make such changes durable, and what is
 * sent on sockets (oplog.h). At a chosen one of them the process is killed instead: the power went.
 *
 * KINOFS_POWER_LOG: where; KINOFS_POWER_ROOTS: the folders, with colons between them;
 * KINOFS_POWER_CUT: the step, from 1, that is not done any more; KINOFS_POWER_BOOT: the file that
 * says which start of the machine it is, in place of the kernel's.
 *
 * Calls are done one after the other. What is not below the folders takes no lock: the publisher
 * works through the mount, and who answers it comes through here as well. What no call shows is
 * what is written through a shared mapping: SQLite's index of its log, which it makes anew, and
 * the file "writing", which nobody trusts after a power cut.
 */
#include "tests/power/record.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROOTS      4
#define SENT_BYTES 4096 /* of a request; the rest says nothing new */

static int log_fd = -1;
static char *root[ROOTS];
static int roots;
static int64_t steps, cut_at;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define NEXT(name) ((__typeof__(&(name)))next(#name))

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* ------------------------------------------------------------------ the log */

static record_sink write_log;
static record_sink *sink = write_log;

static void write_log(const struct op *op, const char *name, const char *name2, const void *data)
{
	struct op head = *op;
	struct iovec part[] = {{&head, sizeof(head)}, {(char *)(uintptr_t)name, op->name},
		{(char *)(uintptr_t)name2, op->name2}, {(void *)(uintptr_t)data, op->bytes}};
	ssize_t whole = (ssize_t)(sizeof(head) + op->name + op->name2 + op->bytes);

	if (syscall(SYS_writev, log_fd, part, 4) != whole)
		abort();
}

static void put(const struct op *op, const char *name, const char *name2, const void *data)
{
	sink(op, name, name2, data);
}

static void put_entry(uint64_t dir, const char *name, const struct stat *info, const char *target)
{
	struct op op = {.kind = OP_ENTRY,
		.dir = dir,
		.ino = info->st_ino,
		.at = info->st_mode,
		.name = (uint32_t)strlen(name),
		.bytes = target ? (uint32_t)strlen(target) : 0};

	put(&op, name, NULL, target);
}

static void put_write(uint64_t ino, uint64_t at, const void *data, size_t bytes)
{
	put(&(struct op){.kind = OP_WRITE, .ino = ino, .at = at, .bytes = (uint32_t)bytes}, NULL,
		NULL, data);
}

static void put_size(uint64_t ino, uint64_t at)
{
	put(&(struct op){.kind = OP_SIZE, .ino = ino, .at = at}, NULL, NULL, NULL);
}

/* Under the lock, before a call is done. */
static void step(void)
{
	steps++;
	if (cut_at && steps >= cut_at) {
		(void)syscall(SYS_kill, getpid(), SIGKILL);
		for (;;)
			(void)pause();
	}
}

/* ------------------------------------------------------------------ what is there at first */

static void put_content(int fd, uint64_t ino, uint64_t from, uint64_t end)
{
	static char bytes[65536];
	ssize_t got;

	while (from < end) {
		size_t wanted = end - from < sizeof(bytes) ? (size_t)(end - from) : sizeof(bytes);

		got = pread(fd, bytes, wanted, (off_t)from);
		if (got <= 0)
			break;
		put_write(ino, from, bytes, (size_t)got);
		from += (uint64_t)got;
	}
}

static void put_folder(int fd, uint64_t ino)
{
	DIR *folder = fdopendir(fd);
	struct dirent *entry;
	struct stat info;

	while (folder && (entry = readdir(folder))) {
		char target[PATH_MAX] = "";
		int at;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISLNK(info.st_mode))
			(void)!readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
		put_entry(ino, entry->d_name, &info, target);
		if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
			continue;
		at = (int)syscall(
			SYS_openat, fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
		if (at < 0)
			abort();
		if (S_ISDIR(info.st_mode)) {
			put_folder(at, info.st_ino);
			continue;
		}
		put_content(at, info.st_ino, 0, (uint64_t)info.st_size);
		put_size(info.st_ino, (uint64_t)info.st_size);
		(void)close(at);
	}
	if (folder)
		(void)closedir(folder);
}

static void add_root(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	struct stat info;

	if (roots == ROOTS || fd < 0 || fstat(fd, &info) < 0)
		abort();
	put(&(struct op){.kind = OP_ROOT, .ino = info.st_ino, .name = (uint32_t)strlen(path)}, path,
		NULL, NULL);
	put_folder(fd, info.st_ino);
	root[roots++] = strdup(path);
}

static void begin(const char *words)
{
	char *list = strdup(words), *rest = NULL;

	while (roots)
		free(root[--roots]);
	for (char *word = strtok_r(list, ":", &rest); word; word = strtok_r(NULL, ":", &rest))
		add_root(word);
	free(list);
	put(&(struct op){.kind = OP_BEGIN}, NULL, NULL, NULL);
}

void record_begin(const char *words, record_sink *to)
{
	sink = to;
	begin(words);
}

void record_end(void)
{
	while (roots)
		free(root[--roots]);
}

static void __attribute__((constructor)) begin_by_environment(void)
{
	const char *path = getenv("KINOFS_POWER_LOG"), *words = getenv("KINOFS_POWER_ROOTS");
	const char *cut = getenv("KINOFS_POWER_CUT");

	if (!path || !words)
		return;
	log_fd = (int)syscall(
		SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		abort();
	begin(words);
	cut_at = cut ? strtoll(cut, NULL, 10) : 0;
}

/* ------------------------------------------------------------------ which calls count */

static bool is_below(const char *path)
{
	for (int i = 0; i < roots; i++) {
		size_t length = strlen(root[i]);

		if (!strncmp(path, root[i], length) && (!path[length] || path[length] == '/'))
			return true;
	}
	return false;
}

static bool counts_fd(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	if (!roots)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length < 0 ? 0 : length] = '\0';
	return is_below(path);
}

static bool counts(int at, const char *path)
{
	return roots && (*path == '/' ? is_below(path) : at != AT_FDCWD && counts_fd(at));
}

/* The folder that a path is in, and its name there. */
static uint64_t folder_of(int at, const char *path, const char **name)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat info = {0};

	*name = slash ? slash + 1 : path;
	(void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	(void)fstatat(at, *folder ? folder : "/", &info, 0);
	return info.st_ino;
}

static uint64_t ino_of(int fd)
{
	struct stat info = {0};

	(void)fstat(fd, &info);
	return info.st_ino;
}

/* The entry that a call has made. */
static void made(int at, const char *path)
{
	int error = errno;
	const char *name;
	struct stat info;
	char target[PATH_MAX] = "";
	uint64_t dir = folder_of(at, path, &name);

	if (fstatat(at, path, &info, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
	if (S_ISLNK(info.st_mode))
		(void)!readlinkat(at, path, target, sizeof(target) - 1);
	put_entry(dir, name, &info, target);
	errno = error;
}

#define BEGIN_STEP                                                                                 \
	pthread_mutex_lock(&lock);                                                                 \
	step()
#define END_STEP pthread_mutex_unlock(&lock)

/* ------------------------------------------------------------------ opening */

static int open_at(int at, const char *path, int flags, mode_t mode)
{
	const char *boot = getenv("KINOFS_POWER_BOOT");
	struct stat info;
	bool was_there;
	int fd;

	if (boot && !strcmp(path, "/proc/sys/kernel/random/boot_id"))
		path = boot;
	if (!(flags & (O_CREAT | O_TRUNC)) || !counts(at, path))
		return (int)syscall(SYS_openat, at, path, flags, mode);
	pthread_mutex_lock(&lock);
	was_there = fstatat(at, path, &info, 0) == 0;
	if (was_there && !(flags & O_TRUNC && info.st_size)) {
		fd = (int)syscall(SYS_openat, at, path, flags, mode);
		END_STEP;
		return fd;
	}
	step();
	fd = (int)syscall(SYS_openat, at, path, flags, mode);
	if (fd >= 0 && was_there)
		put_size(info.st_ino, 0);
	else if (fd >= 0)
		made(at, path);
	END_STEP;
	return fd;
}

#define MODE(flags, mode)                                                                          \
	do {                                                                                       \
		va_list more;                                                                      \
		va_start(more, flags);                                                             \
		(mode) = (flags)&O_CREAT ? va_arg(more, mode_t) : 0;                               \
		va_end(more);                                                                      \
	} while (0)

int open64(const char *path, int flags, ...)
{
	mode_t mode;

	MODE(flags, mode);
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
	mode_t mode;

	MODE(flags, mode);
	return open_at(at, path, flags, mode);
}

int __openat64_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags)
{
	return open_at(at, path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	return open_at(AT_FDCWD, path, flags, 0);
}

/* ------------------------------------------------------------------ contents */

static ssize_t write_at(int fd, const void *bytes, size_t count, off64_t at)
{
	ssize_t wrote;
	uint64_t start;

	BEGIN_STEP;
	start = at < 0 ? 0 : (uint64_t)at;
	if (at < 0 && fcntl(fd, F_GETFL) & O_APPEND)
		start = (uint64_t)lseek(fd, 0, SEEK_END);
	else if (at < 0)
		start = (uint64_t)lseek(fd, 0, SEEK_CUR);
	wrote = at < 0 ? syscall(SYS_write, fd, bytes, count)
	               : syscall(SYS_pwrite64, fd, bytes, count, at);
	if (wrote > 0)
		put_write(ino_of(fd), start, bytes, (size_t)wrote);
	END_STEP;
	return wrote;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	return counts_fd(fd) ? write_at(fd, bytes, count, -1)
	                     : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	return counts_fd(fd) ? write_at(fd, bytes, count, at)
	                     : syscall(SYS_pwrite64, fd, bytes, count, at);
}

int ftruncate64(int fd, off64_t size)
{
	int result;

	if (!counts_fd(fd))
		return (int)syscall(SYS_ftruncate, fd, size);
	BEGIN_STEP;
	result = (int)syscall(SYS_ftruncate, fd, size);
	if (!result)
		put_size(ino_of(fd), (uint64_t)size);
	END_STEP;
	return result;
}

/* What became of a part of a file, and its size. */
static void changed(int fd, uint64_t from, uint64_t end)
{
	char link[64];
	struct stat info;
	int again, error = errno;

	(void)snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd); /* it may not be read */
	again = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
	if (again < 0 || fstat(again, &info) < 0)
		abort();
	put_size(info.st_ino, (uint64_t)info.st_size);
	put_content(again, info.st_ino, from, end);
	(void)close(again);
	errno = error;
}

int fallocate64(int fd, int mode, off64_t from, off64_t length)
{
	int result;

	if (!counts_fd(fd))
		return (int)syscall(SYS_fallocate, fd, mode, from, length);
	BEGIN_STEP;
	result = (int)syscall(SYS_fallocate, fd, mode, from, length);
	if (!result)
		changed(fd, 0, UINT64_MAX);
	END_STEP;
	return result;
}

int posix_fallocate64(int fd, off64_t from, off64_t length)
{
	int result;

	if (!counts_fd(fd))
		return NEXT(posix_fallocate64)(fd, from, length);
	BEGIN_STEP;
	result = NEXT(posix_fallocate64)(fd, from, length);
	if (!result)
		changed(fd, 0, UINT64_MAX);
	END_STEP;
	return result;
}

ssize_t copy_file_range(
	int in, off64_t *from, int out, off64_t *to, size_t count, unsigned int flags)
{
	uint64_t start = to ? (uint64_t)*to : 0;
	ssize_t copied;

	if (!counts_fd(out))
		return syscall(SYS_copy_file_range, in, from, out, to, count, flags);
	BEGIN_STEP;
	copied = syscall(SYS_copy_file_range, in, from, out, to, count, flags);
	if (copied > 0)
		changed(out, start, start + (uint64_t)copied);
	END_STEP;
	return copied;
}

static int sync_fd(int fd, long number)
{
	int result;

	if (!counts_fd(fd))
		return (int)syscall(number, fd);
	BEGIN_STEP;
	result = (int)syscall(number, fd);
	if (!result)
		put(&(struct op){.kind = OP_SYNC, .ino = ino_of(fd)}, NULL, NULL, NULL);
	END_STEP;
	return result;
}

int fsync(int fd)
{
	return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_fd(fd, SYS_fdatasync);
}

/* ------------------------------------------------------------------ names */

/* Calls that make one entry: the call, then the entry. */
#define MAKES(at, path, call)                                                                      \
	int result;                                                                                \
	if (!counts(at, path))                                                                     \
		return (int)(call);                                                                \
	BEGIN_STEP;                                                                                \
	result = (int)(call);                                                                      \
	if (!result)                                                                               \
		made(at, path);                                                                    \
	END_STEP;                                                                                  \
	return result

int mkdirat(int at, const char *path, mode_t mode)
{
	MAKES(at, path, syscall(SYS_mkdirat, at, path, mode));
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int symlinkat(const char *target, int at, const char *path)
{
	MAKES(at, path, syscall(SYS_symlinkat, target, at, path));
}

int mknodat(int at, const char *path, mode_t mode, dev_t device)
{
	MAKES(at, path, syscall(SYS_mknodat, at, path, mode, device));
}

int linkat(int from_at, const char *from, int at, const char *path, int flags)
{
	MAKES(at, path, syscall(SYS_linkat, from_at, from, at, path, flags));
}

int unlinkat(int at, const char *path, int flags)
{
	const char *name;
	uint64_t dir;
	int result;

	if (!counts(at, path))
		return (int)syscall(SYS_unlinkat, at, path, flags);
	BEGIN_STEP;
	dir = folder_of(at, path, &name);
	result = (int)syscall(SYS_unlinkat, at, path, flags);
	if (!result)
		put(&(struct op){.kind = OP_GONE, .dir = dir, .name = (uint32_t)strlen(name)}, name,
			NULL, NULL);
	END_STEP;
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags)
{
	const char *name, *name2;
	uint64_t dir, dir2;
	int result;

	if (!counts(from_at, from) || !counts(to_at, to))
		return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
	BEGIN_STEP;
	dir = folder_of(from_at, from, &name);
	dir2 = folder_of(to_at, to, &name2);
	result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
	if (!result)
		put(&(struct op){.kind = OP_MOVE,
			    .dir = dir,
			    .dir2 = dir2,
			    .at = flags,
			    .name = (uint32_t)strlen(name),
			    .name2 = (uint32_t)strlen(name2)},
			name, name2, NULL);
	END_STEP;
	return result;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
	return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ------------------------------------------------------------------ the network */

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
	ssize_t sent;

	if (!roots)
		return syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0);
	BEGIN_STEP;
	sent = syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0);
	if (sent > 0)
		put(&(struct op){.kind = OP_SEND,
			    .bytes = (uint32_t)(sent < SENT_BYTES ? sent : SENT_BYTES)},
			NULL, NULL, bytes);
	END_STEP;
	return sent;
}
