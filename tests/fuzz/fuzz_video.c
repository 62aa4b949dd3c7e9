/* fuzz_video.c - video_check() on any file: it ends, reads nothing it should not, and says why. */
#include "fs/net/video.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *suffix = NULL, *why = NULL;
	int r, fd = memfd_create("video", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	r = video_check(fd, (int64_t)size, &suffix, &why);
	if (r == 0 ? !suffix || why : r != -EBADMSG || !why)
		abort();
	(void)close(fd); /* a memfd: nothing to lose */
	return 0;
}
