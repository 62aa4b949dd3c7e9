/*
 * speed.c - LD_PRELOAD: time runs KINOFS_TEST_SPEED times faster for timers.
 *
 * The pauses that keep money safe are long (a create waits two minutes for its answer, a refused
 * key is tried again after one). Tests of them neither wait nor have a hook in the product: the
 * monotonic clocks run faster, and poll(2), which libcurl and so the engine sleep in, is cut short
 * accordingly. The wall clock stays what it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define NANO 1000000000LL

static int (*real_gettime)(clockid_t clock, struct timespec *now);
static int (*real_poll)(struct pollfd *files, nfds_t count, int timeout);
static int64_t speed, start[16];

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	(void)real_gettime(clock, &now); /* these clocks are always there */
	return now.tv_sec * NANO + now.tv_nsec;
}

static void __attribute__((constructor)) begin(void)
{
	const char *text = getenv("KINOFS_TEST_SPEED");

	real_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	real_poll = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
	for (clockid_t clock = 0; clock < 8; clock++)
		start[clock] = read_clock(clock);
	speed = text ? atoll(text) : 1;
}

static int is_timer(clockid_t clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t scaled;

	if (!real_gettime) /* somebody else's constructor came first */
		begin();
	if (speed <= 1 || !is_timer(clock))
		return real_gettime(clock, now);
	scaled = start[clock] + (read_clock(clock) - start[clock]) * speed;
	now->tv_sec = scaled / NANO;
	now->tv_nsec = scaled % NANO;
	return 0;
}

int poll(struct pollfd *files, nfds_t count, int timeout)
{
	if (speed > 1 && timeout > 0)
		timeout = (int)((timeout + speed - 1) / speed);
	return real_poll(files, count, timeout);
}

int __poll_chk(struct pollfd *files, nfds_t count, int timeout, size_t size)
{
	(void)size;
	return poll(files, count, timeout);
}
