/* test_noreplace.c - renames that replace nothing, on a filesystem that does not know them. */
#include "fs/base/cleanup.h"
#include "fs/mount/location.h"
#include "fs/mount/noreplace.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/run.h"

static struct folder folder;
static bool knows_no_links;

/* In place of libc's: a filesystem without hard links says so. */
int linkat(int from, const char *path, int to, const char *to_path, int flags)
{
	if (knows_no_links) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_linkat, from, path, to, to_path, flags);
}

static struct location at(const char *name)
{
	return (struct location){.at = folder.fd,
		.path = (char *)(uintptr_t)name,
		.flags = AT_SYMLINK_NOFOLLOW,
		.own = -1};
}

static int move(const char *from, const char *to, bool resumes)
{
	const struct location one = at(from), other = at(to);

	return noreplace_rename(&one, &other, resumes);
}

static void put(const char *name, const char *text)
{
	AUTO_FD int fd = openat(folder.fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_says(const char *name, const char *text)
{
	AUTO_FD int fd = openat(folder.fd, name, O_RDONLY);
	char read_back[64] = "";

	assert_true(fd >= 0 && read(fd, read_back, sizeof(read_back) - 1) >= 0);
	assert_string_equal(read_back, text);
}

static bool is_there(const char *name)
{
	return faccessat(folder.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_file_moves_and_replaces_nothing(void **state)
{
	(void)state;
	put("one", "one");
	put("other", "other");
	assert_int_equal(move("one", "other", false), -EEXIST);
	assert_int_equal(move("one", "other", true), -EEXIST);
	assert_says("one", "one");
	assert_says("other", "other");
	assert_int_equal(move("one", "third", false), 0);
	assert_false(is_there("one"));
	assert_says("third", "one");
	assert_int_equal(move("none", "fourth", false), -ENOENT);
	assert_false(is_there("fourth"));
}

static void without_links_a_file_replaces_nothing_either(void **state)
{
	(void)state;
	put("first", "first");
	put("second", "second");
	knows_no_links = true;
	assert_int_equal(move("first", "second", false), -EEXIST);
	assert_says("second", "second");
	assert_int_equal(move("first", "free", false), 0);
	knows_no_links = false;
	assert_false(is_there("first"));
	assert_says("free", "first");
}

static void a_folder_and_a_link_move(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(folder.fd, "dir", 0750), 0);
	put("dir/inside", "inside");
	assert_int_equal(symlinkat("nowhere", folder.fd, "link"), 0);
	assert_int_equal(move("dir", "link", false), -EEXIST);
	assert_int_equal(move("link", "dir", false), -EEXIST);
	assert_int_equal(move("dir", "moved", false), 0);
	assert_says("moved/inside", "inside");
	assert_int_equal(move("link", "linked", false), 0);
	assert_true(is_there("linked") && !is_there("link") && !is_there("dir"));
}

/* Cut off between the link and the removal of the old name. */
static void what_was_cut_off_goes_on(void **state)
{
	(void)state;
	put("part", "video");
	assert_int_equal(linkat(folder.fd, "part", folder.fd, "video", 0), 0);
	assert_int_equal(move("part", "video", false), -EEXIST); /* mv -n of two links of a file */
	assert_int_equal(move("part", "video", true), 0);
	assert_false(is_there("part"));
	assert_says("video", "video");
}

static void this_one_is_known(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(folder.fd, "incoming", 0700), 0);
	assert_true(noreplace_is_known(folder.fd)); /* ext4, xfs, btrfs, tmpfs, overlayfs */
	assert_int_equal(unlinkat(folder.fd, "incoming", AT_REMOVEDIR), 0); /* left empty */
}

static int set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_file_moves_and_replaces_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_links_a_file_replaces_nothing_either, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_and_a_link_move, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_cut_off_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(this_one_is_known, set_up, tear_down),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
