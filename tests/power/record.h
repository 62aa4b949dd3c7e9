/* record.h - recording within a program that is linked with record.c, as the simulated engine is.
 */
#ifndef KINOFS_TESTS_POWER_RECORD_H
#define KINOFS_TESTS_POWER_RECORD_H

#include "tests/power/oplog.h"

typedef void record_sink(
	const struct op *op, const char *name, const char *name2, const void *data);

/* What is done in these folders ("ONE:OTHER") goes to the sink from now on, after what is there. */
void record_begin(const char *folders, record_sink *sink);
void record_end(void);

#endif
