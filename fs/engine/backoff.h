/* backoff.h - pauses that grow. Pure. */
#ifndef KINOFS_ENGINE_BACKOFF_H
#define KINOFS_ENGINE_BACKOFF_H

#include <stdint.h>

/* Pause before try number `tries` (from 1): first_ms doubled each time, at most limit_ms, ±10 %, so
 * that jobs that failed together do not come back together. */
int64_t backoff_ms(unsigned int tries, int64_t first_ms, int64_t limit_ms);

#endif
