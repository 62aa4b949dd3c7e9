#include "fs/engine/space.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#define RESERVE_BYTES (64LL << 20)
#define RESERVE_SHARE 16

bool space_is_there(int store_fd, int64_t bytes, int64_t *there)
{
	struct statvfs info;
	int64_t reserve;

	*there = INT64_MAX;
	if (fstatvfs(store_fd, &info) < 0 || info.f_blocks == 0)
		return true;
	reserve = (int64_t)(info.f_blocks * info.f_frsize / RESERVE_SHARE);
	if (reserve > RESERVE_BYTES)
		reserve = RESERVE_BYTES;
	*there = (int64_t)(info.f_bavail * info.f_frsize) - reserve;
	if (*there < 0)
		*there = 0;
	return bytes <= *there;
}

bool space_take(int store_fd, int fd, int64_t at, int64_t bytes, int64_t *there)
{
	if (!space_is_there(store_fd, bytes, there))
		return false;
	/* its length stays what was written; other errors than these: it is written as it comes */
	return bytes <= 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, at, bytes) == 0 ||
	       (errno != ENOSPC && errno != EDQUOT);
}
