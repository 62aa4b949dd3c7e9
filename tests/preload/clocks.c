/*
 * clocks.c - LD_PRELOAD: clocks that are set wrong, and a machine that slept.
 *
 * The wall clock is ahead by so much; after a sleep the wall clock and CLOCK_BOOTTIME have
 * gone on, CLOCK_MONOTONIC has not. Both numbers stand in a page that the test shares
 * (KINOFS_TEST_CLOCKS, struct clocks below; ledger.py has the same layout).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct clocks {
	int64_t wall_ms;   /* that the wall clock is ahead */
	int64_t asleep_ms; /* that the machine has slept */
};

static int (*real_gettime)(clockid_t clock, struct timespec *now);
static const volatile struct clocks *clocks;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("KINOFS_TEST_CLOCKS");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	real_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	if (fd >= 0)
		page = mmap(NULL, sizeof(*clocks), PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		clocks = page;
	if (fd >= 0)
		(void)close(fd); /* the mapping stays */
}

static void go_on(struct timespec *now, int64_t ms)
{
	int64_t ns = now->tv_nsec + (ms % 1000 + 1000) % 1000 * 1000000;

	now->tv_sec += (ms - (ms % 1000 + 1000) % 1000) / 1000 + ns / 1000000000;
	now->tv_nsec = ns % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result;

	if (!real_gettime) /* somebody else's constructor came first */
		begin();
	result = real_gettime(clock, now);
	if (result || !clocks)
		return result;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		go_on(now, clocks->wall_ms + clocks->asleep_ms);
	if (clock == CLOCK_BOOTTIME)
		go_on(now, clocks->asleep_ms);
	return 0;
}

time_t time(time_t *at)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (at)
		*at = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *at, void *zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	at->tv_sec = now.tv_sec;
	at->tv_usec = now.tv_nsec / 1000;
	return 0;
}
