/* repeat.h - another take of the same request, from the journal. Engine thread. */
#ifndef KINOFS_ENGINE_REPEAT_H
#define KINOFS_ENGINE_REPEAT_H

#include "fs/engine/jobs.h"

/* Makes `next`, a new take, the same request as `old`, and queues it. without_files: the job's
 * files are gone, so nothing is compared with them before it goes. 0 or -ENOMEM: next is deleted.
 */
int take_repeat(struct job *next, const struct job *old, bool without_files);

#endif
