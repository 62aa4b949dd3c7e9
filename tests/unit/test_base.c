/* fs/base: what every other part builds on. */
#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/descriptors.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/base/rights.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/run.h"

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info, (void)kind, (void)walk;
	return remove(path);
}

static int make_scratch(void **state)
{
	char scratch[] = "/tmp/kinofs-base-XXXXXX";

	*state = mkdtemp(scratch) ? strdup(scratch) : NULL;
	return *state ? 0 : -1;
}

static int drop_scratch(void **state)
{
	int error = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return error;
}

static void descriptors_are_closed_once(void **state)
{
	int fd = open("/", O_PATH | O_CLOEXEC), taken, was = fd;

	(void)state;
	taken = TAKE_FD(fd);
	assert_int_equal(taken, was);
	assert_int_equal(fd, -1);
	errno = EXDEV;
	cleanup_fd(&fd);
	cleanup_fd(&taken);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(taken, -1);
	assert_int_equal(fcntl(was, F_GETFD), -1);
}

static void arrays_grow_as_needed(void **state)
{
	AUTO_FREE int *item = NULL;
	size_t room = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(ARRAY_ROOM(item, i, room), 0);
		assert_true(room > i);
		item[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(item[i], i);
}

static void formatted_text_is_new(void **state)
{
	AUTO_FREE char *text = format("%s %d", "take", 2);

	(void)state;
	assert_string_equal(text, "take 2");
}

static void paths_below_a_folder(void **state)
{
	(void)state;
	assert_string_equal(path_below("a/b/c", "a"), "b/c");
	assert_null(path_below("a", "a"));
	assert_null(path_below("ab/c", "a"));
	assert_string_equal(path_below("a", ""), "a");
	assert_null(path_below("", ""));
	assert_string_equal(path_within("a", "a"), "");
	assert_string_equal(path_within("a/b", "a"), "b");
	assert_string_equal(path_within("", ""), "");
	assert_null(path_within("ab", "a"));
}

static void parts_of_paths(void **state)
{
	AUTO_FREE char *join = path_join("a/b", "c"), *top = path_join("", "c");
	AUTO_FREE char *self = path_join("a", ""), *folder = path_folder("a/b/c");
	AUTO_FREE char *none = path_folder("a");

	(void)state;
	assert_string_equal(path_last("a/b/c"), "c");
	assert_string_equal(path_last("c"), "c");
	assert_string_equal(join, "a/b/c");
	assert_string_equal(top, "c");
	assert_string_equal(self, "a");
	assert_string_equal(folder, "a/b");
	assert_string_equal(none, "");
}

static void write_file(int folder, const char *name, const char *bytes, size_t count)
{
	AUTO_FD int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, count), count);
}

static void small_files_are_read_whole(void **state)
{
	AUTO_FD int folder = open(*state, O_PATH | O_CLOEXEC);
	AUTO_FREE char *bytes = malloc(100000), *text = NULL, *cut = NULL, *all = NULL;
	size_t count;

	memset(bytes, 'x', 100000);
	write_file(folder, "file", bytes, 100000);
	assert_int_equal(read_whole_at(folder, "file", 100000, &text, &count), 0);
	assert_int_equal(count, 100000);
	assert_memory_equal(text, bytes, count);
	assert_int_equal(text[count], 0);
	assert_int_equal(read_whole_at(folder, "file", 10, &cut, &count), 0);
	assert_int_equal(count, 11); /* over the limit */
	assert_int_equal(read_whole_at(folder, "absent", 10, &all, &count), -ENOENT);
	assert_int_equal(read_whole_at(folder, ".", 10, &all, &count), -EISDIR);
}

static void pipes_are_read_whole(void **state)
{
	AUTO_FREE char *bytes = malloc(20000), *text = NULL;
	size_t count;
	int ends[2];

	(void)state;
	memset(bytes, 'y', 20000);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, 20000), 20000);
	cleanup_fd(&ends[1]);
	assert_int_equal(read_whole(ends[0], 1 << 20, &text, &count), 0);
	assert_int_equal(count, 20000);
	assert_memory_equal(text, bytes, count);
	cleanup_fd(&ends[0]);
}

static void folders_are_made_on_the_way(void **state)
{
	AUTO_FD int folder = open(*state, O_PATH | O_CLOEXEC);
	AUTO_FREE char *whole = path_join(*state, "far/./away/");
	struct stat info;

	assert_int_equal(folders_make(folder, "a/b/c", 0700, O_NOFOLLOW), 0);
	assert_int_equal(folders_make(folder, "a/b/c", 0700, O_NOFOLLOW), 0);
	assert_int_equal(fstatat(folder, "a/b/c", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(fstatat(folder, "a/b", &info, 0), 0);
	assert_int_equal(info.st_mode & 077, 055);
	assert_int_equal(folders_make(AT_FDCWD, whole, 0755, 0), 0);
	assert_int_equal(fstatat(folder, "far/away", &info, 0), 0);
	assert_int_equal(symlinkat("a", folder, "link"), 0);
	assert_int_equal(folders_make(folder, "link/d", 0755, 0), 0);
	assert_int_equal(folders_make(folder, "link/e", 0755, O_NOFOLLOW), -ENOTDIR);
	assert_int_equal(folders_make(folder, "a/../e", 0755, O_NOFOLLOW), -EINVAL);
	write_file(folder, "file", "", 0);
	assert_int_equal(folders_make(folder, "file/d", 0755, 0), -ENOTDIR);
}

static void base_directories_are_xdg_s(void **state)
{
	AUTO_FREE char *usual = NULL, *chosen = NULL, *relative = NULL;

	(void)state;
	setenv("HOME", "/home/x", 1);
	unsetenv("XDG_STATE_HOME");
	usual = xdg_path(XDG_STATE, "kinofs");
	assert_string_equal(usual, "/home/x/.local/state/kinofs");
	setenv("XDG_DATA_HOME", "/data", 1);
	chosen = xdg_path(XDG_DATA, "kinofs");
	assert_string_equal(chosen, "/data/kinofs");
	setenv("XDG_CONFIG_HOME", "etc", 1);
	relative = xdg_path(XDG_CONFIG, "kinofs");
	assert_string_equal(relative, "/home/x/.config/kinofs");
}

static void members_by_type(void **state)
{
	AUTO_JSON cJSON *object = cJSON_Parse("{\"t\":\"x\",\"n\":1.5,\"c\":\"12\",\"big\":1e9,"
					      "\"o\":{},\"a\":[],\"y\":true,\"z\":null}");

	(void)state;
	assert_string_equal(json_text(object, "t"), "x");
	assert_null(json_text(object, "n"));
	assert_null(json_text(NULL, "n"));
	assert_true(json_number(object, "n") == 1.5);
	assert_true(isnan(json_number(object, "t")));
	assert_int_equal(json_count(object, "c", 12), 12);
	assert_int_equal(json_count(object, "c", 11), -1);
	assert_int_equal(json_count(object, "n", 11), -1);
	assert_int_equal(json_count(object, "big", 999), -1);
	assert_non_null(json_object(object, "o"));
	assert_null(json_object(object, "a"));
	assert_non_null(json_array(object, "a"));
	assert_true(json_is_true(object, "y"));
	assert_false(json_is_true(object, "t"));
	assert_non_null(json_get(object, "z"));
}

/* ------------------------------------------------------------------ descriptors */

static rlim_t soft_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

/* In a process of its own: how many of the four things were not so. */
static int try_limits(void)
{
	const struct rlimit low = {40, 80};
	struct descriptors give;
	int wrong, status;
	pid_t child;

	if (setrlimit(RLIMIT_NOFILE, &low) < 0)
		return 9;
	descriptors_raise();
	give = descriptors_to_give();
	wrong = (soft_limit() != 80) + (give.files != 60) + (give.folders != 70);
	child = fork();
	if (child == 0)
		_exit(soft_limit() == 40 ? 0 : 1);
	return wrong + (waitpid(child, &status, 0) != child || status != 0);
}

static void all_descriptors_are_used_but_by_other_programs(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (getenv("KINOFS_TESTS_SLOW")) /* valgrind keeps descriptors, and limits, of its own */
		return;
	child = fork();
	if (child == 0)
		_exit(try_limits());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void rights_as_text(void **state)
{
	static const char *const bad[] = {"", "1", "1:2", "1:2:", "1:2:9", "1:2:1000", "1:2:640x"};
	struct rights rights = {1000, 100, 0640}, read_back;
	char text[RIGHTS_BYTES];

	(void)state;
	rights_print(&rights, text);
	assert_string_equal(text, "1000:100:640");
	assert_true(rights_parse(text, &read_back));
	assert_int_equal(read_back.uid, 1000);
	assert_int_equal(read_back.gid, 100);
	assert_int_equal(read_back.mode, 0640);
	assert_false(rights_parse(NULL, &rights));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(rights_parse(bad[i], &rights));
}

/* The first of owner, group and others that fits decides, also when another would allow more. */
static void who_may(void **state)
{
	gid_t groups[] = {7, 8};
	const struct person owner = {.uid = 1, .gid = 9}, root = {.uid = 0, .gid = 0},
			    member = {.uid = 2, .gid = 9, .group = groups, .groups = 2},
			    stranger = {.uid = 2, .gid = 9},
			    guess = {.uid = 2, .gid = 8, .is_guess = true};
	static const struct {
		mode_t mode;
		bool owner, member, stranger, guess;
	} known[] = {
		{0644, true, true, true, true},
		{0600, true, false, false, false},
		{0640, true, true, false, false},
		{0604, true, false, true, false},
		{0044, false, true, true, true},
		{0200, false, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		const struct rights rights = {1, 8, known[i].mode};

		assert_true(rights_allow(&rights, &root, 4));
		assert_int_equal(rights_allow(&rights, &owner, 4), known[i].owner);
		assert_int_equal(rights_allow(&rights, &member, 4), known[i].member);
		assert_int_equal(rights_allow(&rights, &stranger, 4), known[i].stranger);
		assert_int_equal(rights_allow(&rights, &guess, 4), known[i].guess);
	}
}

static void rights_of_several_files_are_those_of_all(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode, left;
	} known[] = {
		{1, 8, 0600, 0600}, /* of 0664 */
		{1, 8, 0644, 0644},
		{2, 8, 0600, 0600}, /* another's: whether the owner may read it is asked apart */
		{2, 8, 0640, 0640},
		{2, 9, 0640, 0600}, /* of another group: it and others must both be let in */
		{2, 9, 0604, 0600},
		{2, 9, 0644, 0644},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct rights rights = {1, 8, 0664};
		struct stat info = {0};

		info.st_uid = known[i].uid;
		info.st_gid = known[i].gid;
		info.st_mode = S_IFREG | known[i].mode;
		rights_narrow(&rights, &info);
		assert_int_equal(rights.mode, known[i].left);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_descriptors_are_used_but_by_other_programs),
		cmocka_unit_test(descriptors_are_closed_once),
		cmocka_unit_test(arrays_grow_as_needed),
		cmocka_unit_test(formatted_text_is_new),
		cmocka_unit_test(paths_below_a_folder),
		cmocka_unit_test(parts_of_paths),
		cmocka_unit_test_setup_teardown(
			small_files_are_read_whole, make_scratch, drop_scratch),
		cmocka_unit_test(pipes_are_read_whole),
		cmocka_unit_test_setup_teardown(
			folders_are_made_on_the_way, make_scratch, drop_scratch),
		cmocka_unit_test(base_directories_are_xdg_s),
		cmocka_unit_test(members_by_type),
		cmocka_unit_test(rights_as_text),
		cmocka_unit_test(who_may),
		cmocka_unit_test(rights_of_several_files_are_those_of_all),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
