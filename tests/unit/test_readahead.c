/* test_readahead.c - lookups made ahead: used once, only while nothing changes, taken back if not
 * used. */
#include "fs/mount/readahead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/run.h"

#define FILES 2000 /* more than are looked up, or read, at once */

static char folder[] = "/tmp/kinofs-readahead-XXXXXX";
static int entered, left;

static int enter(void *context, int at, const char *name, struct fuse_entry_param *entry)
{
	(void)context;
	if (*name == '.')
		return -ENOENT;
	*entry = (struct fuse_entry_param){0};
	if (fstatat(at, name, &entry->attr, 0) < 0)
		return -errno;
	entered++;
	return 0;
}

static void leave(void *context, const struct fuse_entry_param *entry)
{
	(void)context;
	assert_int_not_equal(entry->attr.st_ino, 0);
	left++;
}

static int make_files(void **state)
{
	char name[32];
	int at;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file%04d", i);
		if (mknodat(at, name, S_IFREG | 0600, 0) < 0)
			return -1;
	}
	return close(at);
}

static int remove_files(void **state)
{
	char path[sizeof(folder) + 32];

	(void)state;
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/file%04d", folder, i);
		(void)unlink(path);
	}
	return rmdir(folder);
}

static struct readahead *begin(void)
{
	const struct readahead_lookup lookup = {.enter = enter, .leave = leave};
	struct readahead *ahead = readahead_new(open(folder, O_RDONLY | O_DIRECTORY), &lookup);

	assert_non_null(ahead);
	entered = left = 0;
	return ahead;
}

/* Reads on to the end; how many files there were. */
static int read_rest(struct readahead *ahead, unsigned long generation)
{
	const struct dirent64 *entry;
	struct fuse_entry_param param;
	int files = 0;

	while (readahead_peek(ahead, &entry) == 0 && entry) {
		if (readahead_enter(ahead, generation, &param) == 0) {
			assert_int_equal(param.attr.st_ino, entry->d_ino);
			files++;
		}
		readahead_next(ahead);
	}
	return files;
}

static void without_preparing_each_is_looked_up_in_its_turn(void **state)
{
	struct readahead *ahead = begin();

	(void)state;
	assert_int_equal(read_rest(ahead, 1), FILES);
	assert_int_equal(entered, FILES);
	readahead_forget(ahead);
	assert_int_equal(left, 0);
	readahead_free(ahead);
}

static void what_was_looked_up_ahead_is_used(void **state)
{
	struct readahead *ahead = begin();

	(void)state;
	readahead_prepare(ahead, 100, 1);
	assert_in_range(entered, 98, 100); /* "." and ".." may be among them */
	assert_int_equal(read_rest(ahead, 1), FILES);
	assert_int_equal(entered, FILES);
	assert_int_equal(left, 0);
	readahead_free(ahead);
}

static void after_a_change_it_is_looked_up_anew(void **state)
{
	struct readahead *ahead = begin();
	int before;

	(void)state;
	readahead_prepare(ahead, 100, 1);
	before = entered;
	assert_int_equal(read_rest(ahead, 2), FILES);
	assert_int_equal(entered, before + FILES);
	assert_int_equal(left, before);
	readahead_free(ahead);
}

static void what_is_passed_over_or_left_is_taken_back(void **state)
{
	const struct dirent64 *entry;
	struct readahead *ahead = begin();

	(void)state;
	readahead_prepare(ahead, 1000, 1);
	assert_in_range(entered, 200, 256);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(readahead_peek(ahead, &entry), 0);
		readahead_next(ahead);
	}
	assert_in_range(left, 8, 10);
	readahead_forget(ahead);
	assert_int_equal(left, entered);
	readahead_free(ahead);
}

static void names_are_read_ahead_without_a_look(void **state)
{
	const struct dirent64 *entry;
	struct readahead *ahead = begin();
	int passed = 0;

	(void)state;
	assert_int_equal(readahead_peek(ahead, &entry), 0);
	assert_true(readahead_is_long(ahead));
	for (; readahead_is_long(ahead); passed += *entry->d_name != '.') {
		assert_int_equal(readahead_peek(ahead, &entry), 0);
		readahead_next(ahead);
	}
	readahead_read(ahead);
	assert_true(readahead_is_long(ahead));
	assert_int_equal(entered, 0);
	assert_int_equal(read_rest(ahead, 1), FILES - passed);
	readahead_read(ahead); /* there is no more */
	assert_false(readahead_is_long(ahead));
	readahead_free(ahead);
}

static void a_seek_begins_there_again(void **state)
{
	const struct dirent64 *entry;
	struct readahead *ahead = begin();
	char third[NAME_MAX + 1];
	off_t at = 0, next = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(readahead_peek(ahead, &entry), 0);
		at = next;
		next = entry->d_off; /* where the one behind it stands */
		snprintf(third, sizeof(third), "%s", entry->d_name);
		readahead_next(ahead);
	}
	readahead_prepare(ahead, 50, 1);
	readahead_seek(ahead, at);
	assert_int_equal(left, entered);
	assert_int_equal(readahead_peek(ahead, &entry), 0);
	assert_string_equal(entry->d_name, third);
	readahead_seek(ahead, 0);
	assert_int_equal(read_rest(ahead, 1), FILES);
	readahead_free(ahead);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_preparing_each_is_looked_up_in_its_turn),
		cmocka_unit_test(what_was_looked_up_ahead_is_used),
		cmocka_unit_test(after_a_change_it_is_looked_up_anew),
		cmocka_unit_test(what_is_passed_over_or_left_is_taken_back),
		cmocka_unit_test(names_are_read_ahead_without_a_look),
		cmocka_unit_test(a_seek_begins_there_again),
	};

	return RUN_TESTS(argc, argv, tests, make_files, remove_files);
}
