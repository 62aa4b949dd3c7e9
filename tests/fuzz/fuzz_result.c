/* fuzz_result.c - result_check() on any file: it ends, reads nothing it should not, and says what
 * the file is or why it is none. */
#include "fs/net/result.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned int kinds = RESULT_VIDEO | RESULT_IMAGE | RESULT_AUDIO;
	struct result result = {0};
	const char *why = NULL;
	int r, fd = memfd_create("result", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	r = result_check(fd, (int64_t)size, &result, &why);
	if (r == 0 ? !result.suffix || why : r != -EBADMSG || !why)
		abort();
	if (result.kinds & ~kinds || (r == 0 && result.kinds && !result.known))
		abort();
	(void)close(fd); /* a memfd: nothing to lose */
	return 0;
}
