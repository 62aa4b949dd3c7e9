#include "fs/base/saved.h"

#include "fs/base/clock.h"

#include <fcntl.h>
#include <sys/stat.h>

static int64_t ms_of(const struct statx_timestamp *time)
{
	return time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

int64_t file_saved_ms(int at, const char *path)
{
	int64_t now = clock_wall_ms(), written, made = 0;
	struct statx info;

	if (statx(at, path, AT_SYMLINK_NOFOLLOW, STATX_MTIME | STATX_BTIME, &info) < 0)
		return 0;
	written = ms_of(&info.stx_mtime);
	if (info.stx_mask & STATX_BTIME)
		made = ms_of(&info.stx_btime);
	if (written < made)
		written = made;
	return written < now ? written : now;
}
