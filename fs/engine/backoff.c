#include "fs/engine/backoff.h"

#include <stdlib.h>

int64_t backoff_ms(unsigned int tries, int64_t first_ms, int64_t limit_ms)
{
	unsigned int doublings = tries > 1 ? tries - 1 : 0;
	int64_t pause = doublings > 20 ? limit_ms : first_ms << doublings;

	if (pause > limit_ms)
		pause = limit_ms;
	return pause - pause / 10 + arc4random_uniform((uint32_t)(pause / 5 + 1));
}
