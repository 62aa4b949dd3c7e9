/* clock.h - times: int64_t milliseconds everywhere. Any thread may call. */
#ifndef KINOFS_BASE_CLOCK_H
#define KINOFS_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* For records: since 1970, UTC. */
int64_t clock_wall_ms(void);
/* For timers: never jumps; includes suspend, so a poll that is overdue happens on wake-up. */
int64_t clock_steady_ms(void);

#endif
