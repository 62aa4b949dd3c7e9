/* fuzz_provenance.c - any film that result_check() takes: marked it is taken too, for the same, and
 * nothing of it has moved or changed but the name of one box; undone it is what it was. */
#include "fs/net/provenance.h"
#include "fs/net/result.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int fd, size_t size, const struct result *wanted)
{
	struct result result = {0};
	const char *why = NULL;

	if (result_check(fd, (int64_t)size, &result, &why) || result.kinds != wanted->kinds ||
		result.seconds != wanted->seconds)
		abort();
}

/* The bytes are those of data, but for the type of the box at moov, 0: of none. */
static void compare(int fd, const uint8_t *data, size_t size, int64_t moov)
{
	uint8_t *got = malloc(size);

	if (!got || pread(fd, got, size, 0) != (ssize_t)size)
		abort();
	if (moov && memcmp(got + moov + 4, "free", 4) != 0)
		abort();
	if (moov)
		memcpy(got + moov + 4, "moov", 4);
	if (memcmp(got, data, size) != 0)
		abort();
	free(got);
}

static void mark(int fd, const uint8_t *data, size_t size, const struct result *result)
{
	const struct provenance says = {.provider = "kie.ai",
		.model = "hailuo/02-text-to-video-pro",
		.task = "1",
		.prompt = "<a cat>\x01"};
	struct marks marks;
	struct stat info;

	if (provenance_plan(fd, (int64_t)size, &says, &marks))
		abort();
	compare(fd, data, size, 0);
	if (!marks.bytes != !!marks.left || (marks.moov && marks.moov != result->moov))
		abort();
	if (marks.bytes) {
		if (provenance_write(fd, (int64_t)size, &marks))
			abort();
		compare(fd, data, size, marks.moov);
		check(fd, size + marks.bytes, result);
	}
	marks_clear(&marks);
	if (provenance_undo(fd, (int64_t)size, result->moov) || fstat(fd, &info) ||
		info.st_size != (off_t)size)
		abort();
	compare(fd, data, size, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result result = {0};
	const char *why = NULL;
	int fd = memfd_create("film", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (result_check(fd, (int64_t)size, &result, &why) == 0 && result.moov)
		mark(fd, data, size, &result);
	(void)close(fd); /* a memfd: nothing to lose */
	return 0;
}
