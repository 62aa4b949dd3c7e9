/* clock.h - times: int64_t milliseconds everywhere. Any thread may call. */
#ifndef KINOFS_BASE_CLOCK_H
#define KINOFS_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* For records: since 1970, UTC. */
static inline int64_t clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For timers: never jumps; includes suspend, so a poll that is overdue happens on wake-up. */
static inline int64_t clock_steady_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
