/*
 * inject.c - LD_PRELOAD: counts the steps of a job, and at a chosen one kills
 * the process or lets the call fail.
 *
 * A step is a call that makes something durable or goes out on the network:
 * writes to regular files, fsync, renames, connect, send. They are counted
 * over all threads. What is wanted, and what was seen, stands in a page that
 * the test shares (KINOFS_TEST_CONTROL, struct control below; campaign.py has
 * the same layout), so that it can be changed, and read, while the program runs and
 * after it was killed.
 *
 * Memory fails only in the thread that runs curl_multi_poll(): the engine,
 * where the money is. libmagic is left out: its magic_buffer() aborts the
 * process when it gets no memory, which no caller can mend.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { KIND_WRITE, KIND_SYNC, KIND_RENAME, KIND_CONNECT, KIND_SEND, KIND_MEMORY, KINDS };

#define STEPS 4096

struct control {
	int64_t kill_at;   /* the step, from 1, that is not done any more; 0: none */
	int64_t kill_torn; /* a write to be killed at is done by half */
	int64_t steps;     /* seen so far */
	struct {
		int64_t calls;   /* seen so far */
		int64_t fail_at; /* the call, from 1, that fails first; 0: none */
		int64_t times;   /* how many fail from there on */
		int64_t error;   /* errno */
	} kind[KINDS];
	char log[STEPS]; /* what each step was: a letter of "wsrcn" */
};

static struct control *control;
static __thread int is_engine, is_spared;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("KINOFS_TEST_CONTROL");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	if (fd >= 0)
		page = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		control = page;
	if (fd >= 0)
		(void)close(fd); /* the mapping stays */
}

#define NEXT(name) ((__typeof__(&(name)))next(#name))

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static _Noreturn void die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* Whether this call is to fail; errno is set. */
static int fails(enum kind kind)
{
	int64_t call = __atomic_add_fetch(&control->kind[kind].calls, 1, __ATOMIC_SEQ_CST);
	int64_t first = control->kind[kind].fail_at;

	if (!first || call < first || call >= first + control->kind[kind].times)
		return 0;
	errno = (int)control->kind[kind].error;
	return 1;
}

/* Counts a step. 0: go on; 1: fail; a torn write returns 2 and die()s afterwards. */
static int step(enum kind kind)
{
	int64_t number;

	if (!control)
		return 0;
	number = __atomic_add_fetch(&control->steps, 1, __ATOMIC_SEQ_CST);
	if (number <= STEPS)
		control->log[number - 1] = "wsrcn"[kind];
	if (control->kill_at && number >= control->kill_at) {
		if (number == control->kill_at && control->kill_torn && kind == KIND_WRITE)
			return 2;
		die();
	}
	return fails(kind);
}

static int is_file(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* ------------------------------------------------------------------ files */

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	int what = is_file(fd) ? step(KIND_WRITE) : 0;

	if (what == 1)
		return -1;
	if (what == 2) {
		(void)NEXT(pwrite64)(fd, bytes, count / 2, at);
		die();
	}
	return NEXT(pwrite64)(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	return pwrite64(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	int what = is_file(fd) ? step(KIND_WRITE) : 0;

	if (what == 1)
		return -1;
	if (what == 2) {
		(void)!NEXT(write)(fd, bytes, count / 2);
		die();
	}
	return NEXT(write)(fd, bytes, count);
}

int fsync(int fd)
{
	return step(KIND_SYNC) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return step(KIND_SYNC) ? -1 : NEXT(fdatasync)(fd);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return step(KIND_RENAME) ? -1 : NEXT(renameat2)(from_fd, from, to_fd, to, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return step(KIND_RENAME) ? -1 : NEXT(renameat)(from_fd, from, to_fd, to);
}

/* ------------------------------------------------------------------ network */

int connect(int fd, const struct sockaddr *address, socklen_t bytes)
{
	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return NEXT(connect)(fd, address, bytes);
	return step(KIND_CONNECT) ? -1 : NEXT(connect)(fd, address, bytes);
}

/* libcurl wakes itself through a socket pair. */
static int is_network(int fd)
{
	struct sockaddr_storage address;
	socklen_t bytes = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &bytes) == 0 &&
	       (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
	return is_network(fd) && step(KIND_SEND) ? -1 : NEXT(send)(fd, bytes, count, flags);
}

/* ------------------------------------------------------------------ memory */

int curl_multi_poll(void *multi, void *extra, unsigned int count, int timeout, int *ready)
{
	int (*real)(void *, void *, unsigned int, int, int *) = next("curl_multi_poll");

	is_engine = 1;
	return real(multi, extra, count, timeout, ready);
}

const char *magic_buffer(void *cookie, const void *bytes, size_t count)
{
	const char *(*real)(void *, const void *, size_t) = next("magic_buffer");
	const char *type;

	is_spared++;
	type = real(cookie, bytes, count);
	is_spared--;
	return type;
}

int magic_load(void *cookie, const char *path)
{
	int (*real)(void *, const char *) = next("magic_load");
	int result;

	is_spared++;
	result = real(cookie, path);
	is_spared--;
	return result;
}

static int no_memory(void)
{
	return control && is_engine && !is_spared && fails(KIND_MEMORY);
}

#ifndef NO_MEMORY_FAULTS /* a sanitizer has an allocator of its own */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);

void *malloc(size_t bytes)
{
	return no_memory() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return no_memory() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
	return no_memory() ? NULL : __libc_realloc(old, bytes);
}
#endif
