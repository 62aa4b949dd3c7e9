/* fuzz_demand.h - what must hold, or the target has failed. */
#ifndef KINOFS_TESTS_FUZZ_FUZZ_DEMAND_H
#define KINOFS_TESTS_FUZZ_FUZZ_DEMAND_H

#include <stdbool.h>
#include <stdlib.h>

static inline void demand(bool holds)
{
	if (!holds)
		abort();
}

#endif
