/*
 * box.h - one box of ISO media (ISO/IEC 14496-12, 4.2), as MP4 and MOV are made of. Private to
 * fs/net/; one thread at a time.
 */
#ifndef KINOFS_NET_BOX_H
#define KINOFS_NET_BOX_H

#include "fs/net/result_read.h"

#include <stdbool.h>
#include <string.h>

#define BOXES_MAX 65536 /* an hour of half-second fragments has 15,000 */

struct box {
	char type[4];
	int64_t start, content, end; /* of its header, of what is in it, and behind it */
	bool is_open;                /* its size is 0: it goes on to the end of the file */
};

static inline bool box_is(const struct box *box, const char *type)
{
	return memcmp(box->type, type, 4) == 0;
}

/* The box at `at` of what ends at `limit`; it ends there or before. 0, or an error of reader_*. */
int box_read(struct reader *in, int64_t at, int64_t limit, struct box *box);

#endif
