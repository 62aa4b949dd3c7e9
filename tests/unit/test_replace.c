/* fs/cli/replace.h: a file of the user's configuration, whole and durable or as it was. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/cli/replace.h"

#include "tests/unit/folder.h"
#include "tests/unit/synced.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct folder folder;

static int make_folder(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static void assert_holds(const char *wanted)
{
	AUTO_FD int fd = openat(folder.fd, "kie.key", O_RDONLY | O_CLOEXEC);
	struct stat info;
	char text[64];
	ssize_t got;

	assert_true(fd >= 0);
	got = read(fd, text, sizeof(text) - 1);
	assert_true(got >= 0);
	text[got] = '\0';
	assert_string_equal(text, wanted);
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

/* First what is in it, by the name it has until then; then its own name. */
static void what_is_written_is_durable(void **state)
{
	AUTO_FREE char *names = format("/kie.key.new/%s/", strrchr(folder.path, '/') + 1);
	AUTO_FREE char *path = format("%s/kie.key", folder.path);

	(void)state;
	synced_forget();
	assert_int_equal(file_replace(path, "one\n", 0600), 0);
	assert_true(were_synced(names));
	assert_holds("one\n");
	assert_int_equal(file_replace(path, "two\n", 0600), 0);
	assert_holds("two\n");
	assert_int_equal(faccessat(folder.fd, "kie.key.new", F_OK, 0), -1);
}

static void what_cannot_be_written_leaves_the_old_one(void **state)
{
	AUTO_FREE char *path = format("%s/kie.key", folder.path);

	(void)state;
	assert_int_equal(file_replace(path, "one\n", 0600), 0);
	assert_int_equal(mkdirat(folder.fd, "kie.key.new", 0700), 0); /* in its way */
	assert_int_equal(file_replace(path, "two\n", 0600), -EEXIST);
	assert_holds("one\n");
	assert_int_equal(unlinkat(folder.fd, "kie.key.new", AT_REMOVEDIR), 0);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(what_is_written_is_durable),
		IN_A_FOLDER(what_cannot_be_written_leaves_the_old_one),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
