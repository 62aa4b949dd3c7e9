/* saved.h - when the bytes of a file were saved. Any thread may call. */
#ifndef KINOFS_BASE_SAVED_H
#define KINOFS_BASE_SAVED_H

#include <stdint.h>

/*
 * Of the file at this path below the folder `at`, no link followed, by clock_wall_ms() and never
 * later than now. An old time may have been given to a new file (cp -p, rsync), so the time it was
 * made counts too. 0: that cannot be told.
 */
int64_t file_saved_ms(int at, const char *path);

#endif
