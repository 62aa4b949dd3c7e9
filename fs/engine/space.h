/* space.h - room on the store's disk, so that no result takes the last of it. Engine thread. */
#ifndef KINOFS_ENGINE_SPACE_H
#define KINOFS_ENGINE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether there is room for so many bytes and for what others may need then: 64 MiB, on small disks
 * a sixteenth. *there: what a result may take, not below 0. True when that cannot be told. */
bool space_is_there(int store_fd, int64_t bytes, int64_t *there);
/* The same; then sets the room aside for a file of the store, from `at` on, where the filesystem
 * can (fallocate(2)): so two downloads never count on the same room. */
bool space_take(int store_fd, int fd, int64_t at, int64_t bytes, int64_t *there);

#endif
