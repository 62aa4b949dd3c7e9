/* What close(2) says while memory is short: that a file can never be valid only if that is known.
 */
#include "fs/base/cleanup.h"
#include "fs/engine/engine.h"
#include "fs/engine/inbox.h"
#include "fs/engine/intake.h"
#include "fs/journal/lastrun.h"
#include "spec/media.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/unit/folder.h"

#define T2V "hailuo/02-text-to-video-pro"
#define I2V "hailuo/02-image-to-video-standard"

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);

/* The allocation that fails, counted from 1; 0: none does. */
static _Thread_local int fail_at;
static bool lasting; /* all behind it fail too */
static size_t failed_bytes;

static bool fails(size_t bytes)
{
	if (!fail_at || --fail_at > 0)
		return false;
	fail_at = lasting;
	failed_bytes = bytes ? bytes : 1;
	return true;
}

#ifndef __SANITIZE_ADDRESS__ /* which has its own */
void *malloc(size_t bytes)
{
	return fails(bytes) ? errno = ENOMEM, NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return fails(count * bytes) ? errno = ENOMEM, NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	return fails(bytes) ? errno = ENOMEM, NULL : __libc_realloc(memory, bytes);
}
#endif

/* spec/media.c asks so whether there is room for libmagic. */
void *mmap64(void *at, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
	long result = -1;

	if (fails(bytes))
		errno = ENOMEM;
	else
		result = syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
	return (void *)result;
}

static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"
			  "\0\0\0\0IEND\xae\x42\x60\x82";

static struct model_set models;
static struct folder folder;
static struct inbox inbox;
static struct intake *intake;

static void wake(void *context)
{
	(void)context;
}

static int start(void **state)
{
	static const struct last_run last = {.heartbeat = "heartbeat"};
	struct engine_setup setup = {.models = &models, .last = &last};

	(void)state;
	folder_make(&folder);
	setup.store_fd = setup.journal_fd = folder.fd;
	inbox_init(&inbox, wake, NULL);
	if (models_builtin(&models) < 0)
		return -1;
	intake = intake_new(&inbox, &setup);
	return intake ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	intake_free(intake);
	inbox_destroy(&inbox);
	media_release();
	models_free(&models);
	folder_remove(&folder);
	return 0;
}

#define ROOM_BYTES (1 << 20) /* more than this asks only whether there is room for libmagic */

/* Until one check goes through without a failure; which allocation fails moves on by one.
 * libmagic's own may not fail: see spec/media.c. */
static void never_refused(const char *path, const char *name)
{
	int at = 0;

	do {
		AUTO_FD int fd = openat(folder.fd, name, O_RDONLY | O_CLOEXEC);
		int error;

		failed_bytes = 0;
		fail_at = ++at;
		error = intake_check(intake, path, fd);
		fail_at = 0;
		if (error)
			print_error("%s: allocation %d\n", path, at);
		assert_int_equal(error, 0);
	} while (failed_bytes && failed_bytes < ROOM_BYTES);
}

static void a_good_file_is_not_refused_for_want_of_memory(void **state)
{
	(void)state;
	folder_put(&folder, "words", "a cat that stretches\n");
	folder_put(&folder, "spec", "{\"model\": \"" T2V "\", \"input\": {\"prompt\": \"a cat\"}}");
	folder_put(&folder, "lines", "{\"prompt\": \"a cat\"}\n{\"prompt\": \"a dog\"}\n");
	folder_write(&folder, "picture", png, sizeof(png) - 1);
	for (int i = 0; i < 2; i++) {
		lasting = i;
		never_refused(T2V "/cat.txt", "words");
		never_refused(T2V "/cat.json", "spec");
		never_refused(T2V "/cat.jsonl", "lines");
		media_release();
		never_refused(I2V "/cat.png", "picture");
		assert_int_equal(media_open(), 0);
		never_refused(I2V "/cat.png", "picture");
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_not_refused_for_want_of_memory),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}
