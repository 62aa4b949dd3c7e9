/* test_overview.c - the names in out/: what they are, and that they follow their files. */
#include "fs/mount/overview.h"

#include "fs/base/folders.h"
#include "fs/mount/link_set.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/run.h"

#define A "hailuo/02-text-to-video-pro"
#define B "hailuo/02-image-to-video-standard"

static struct model_set models;
static struct overview *overview;
static char store[] = "/tmp/kinofs-overview-XXXXXX";
static int store_fd, tree_fd;

static int start(void **state)
{
	(void)state;
	memcpy(store + strlen(store) - 6, "XXXXXX", 6);
	if (!mkdtemp(store) || models_builtin(&models) < 0)
		return -1;
	store_fd = open(store, O_RDONLY | O_DIRECTORY);
	if (folders_make(store_fd, "tree", 0700, 0) < 0)
		return -1;
	tree_fd = openat(store_fd, "tree", O_RDONLY | O_DIRECTORY);
	overview = overview_new(store_fd, &models);
	return overview ? 0 : -1;
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

static int stop(void **state)
{
	(void)state;
	overview_free(overview);
	models_free(&models);
	(void)close(tree_fd);
	(void)close(store_fd);
	return nftw(store, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

/* A video of this age in seconds. */
static void put(const char *path, long age)
{
	struct timespec times[2] = {{.tv_sec = 1700000000 - age}, {.tv_sec = 1700000000 - age}};
	char *parent = strdup(path);

	*strrchr(parent, '/') = '\0';
	assert_int_equal(folders_make(tree_fd, parent, 0700, 0), 0);
	free(parent);
	assert_int_equal(mknodat(tree_fd, path, S_IFREG | 0600, 0), 0);
	assert_int_equal(utimensat(tree_fd, path, times, 0), 0);
}

static int add_line(void *context, const char *name, const char *path, ino_t ino, off_t next)
{
	char *lines = context;
	size_t used = strlen(lines);

	(void)next;
	assert_int_not_equal(ino, 0);
	(void)snprintf(lines + used, 1024 - used, "%s -> %s\n", name, path);
	return 0;
}

static void assert_shown(const char *expected)
{
	char lines[1024] = "";

	assert_int_equal(overview_list(overview, 0, add_line, lines), 0);
	assert_string_equal(lines, expected);
}

static void nothing_is_kept_before_someone_looks(void **state)
{
	char *path;

	(void)state;
	put(A "/out/cat.mp4", 0);
	overview_appeared(overview, A "/out/cat.mp4");
	assert_null(overview_name(overview, A "/out/cat.mp4"));
	overview_look(overview);
	assert_int_equal(overview_find(overview, "cat.mp4", &path, NULL), 0);
	assert_string_equal(path, A "/out/cat.mp4");
	free(path);
}

static void the_oldest_video_keeps_its_name(void **state)
{
	(void)state;
	put(A "/out/cat.mp4", 10);
	put(B "/out/cat.mp4", 20);
	put(A "/out/summer/cat.mp4", 5);
	put(A "/out/.hidden.mp4", 1);
	put(A "/out/cat.json", 1);
	put(A "/cat.mp4", 1);
	overview_look(overview);
	assert_shown("cat.mp4 -> " B "/out/cat.mp4\n"
		     "cat.02-text-to-video-pro.mp4 -> " A "/out/cat.mp4\n"
		     "cat.02-text-to-video-pro.2.mp4 -> " A "/out/summer/cat.mp4\n");
}

static void names_follow_what_changes(void **state)
{
	struct timespec changed = {0};

	(void)state;
	put(A "/out/cat.mp4", 10);
	overview_look(overview);
	assert_shown("cat.mp4 -> " A "/out/cat.mp4\n");
	overview_changed(overview, &changed);
	assert_int_equal(changed.tv_sec, 0);
	put(B "/out/cat.mp4", 20);
	overview_appeared(overview, B "/out/cat.mp4");
	overview_changed(overview, &changed);
	assert_int_not_equal(changed.tv_sec, 0);
	assert_int_equal(renameat(tree_fd, A "/out/cat.mp4", tree_fd, A "/out/dog.mp4"), 0);
	overview_moved(overview, A "/out/cat.mp4", A "/out/dog.mp4");
	assert_shown("cat.02-image-to-video-standard.mp4 -> " B "/out/cat.mp4\n"
		     "dog.mp4 -> " A "/out/dog.mp4\n");
	overview_vanished(overview, B "/out/cat.mp4");
	assert_shown("dog.mp4 -> " A "/out/dog.mp4\n");
}

static void a_folder_that_moves_is_looked_at_again(void **state)
{
	(void)state;
	put(A "/out/summer/cat.mp4", 10);
	put(A "/out/dog.mp4", 5);
	overview_look(overview);
	assert_shown("cat.mp4 -> " A "/out/summer/cat.mp4\ndog.mp4 -> " A "/out/dog.mp4\n");
	assert_int_equal(renameat(tree_fd, A "/out/summer", tree_fd, A "/out/winter"), 0);
	overview_moved(overview, A "/out/summer", A "/out/winter");
	assert_shown("cat.mp4 -> " A "/out/winter/cat.mp4\ndog.mp4 -> " A "/out/dog.mp4\n");
}

static void notes_are_shown_and_told_apart_by_their_models(void **state)
{
	(void)state;
	put(A "/out/cat.error.txt", 10);
	put(A "/out/cat.txt", 10);
	put(A "/out/.error.txt", 10);
	put(B "/out/cat.error.txt", 9);
	put(B "/out/cat.held.txt", 8);
	overview_look(overview);
	assert_shown("cat.error.txt -> " A "/out/cat.error.txt\n"
		     "cat.02-image-to-video-standard.error.txt -> " B "/out/cat.error.txt\n"
		     "cat.held.txt -> " B "/out/cat.held.txt\n");
}

static void a_new_name_is_one_that_is_free(void **state)
{
	bool is_new = false;
	char *path;

	(void)state;
	put(A "/out/cat.mp4", 10);
	put(B "/out/cat.mp4", 9);
	overview_look(overview);
	assert_shown("cat.mp4 -> " A "/out/cat.mp4\n"
		     "cat.02-image-to-video-standard.mp4 -> " B "/out/cat.mp4\n");
	overview_rename(overview, B "/out/cat.mp4", "cat.mp4");
	overview_rename(overview, A "/out/cat.mp4", "lynx.mp4");
	assert_shown("lynx.mp4 -> " A "/out/cat.mp4\n"
		     "cat.02-image-to-video-standard.mp4 -> " B "/out/cat.mp4\n");
	overview_rename(overview, B "/out/cat.mp4", "cat.mp4");
	assert_int_equal(overview_find(overview, "cat.mp4", &path, &is_new), 0);
	assert_string_equal(path, B "/out/cat.mp4");
	assert_false(is_new);
	free(path);
	put(A "/out/dog.mp4", 0);
	overview_appeared(overview, A "/out/dog.mp4");
	assert_int_equal(overview_find(overview, "dog.mp4", &path, &is_new), 0);
	assert_true(is_new);
	free(path);
}

static void a_long_name_is_cut_between_characters(void **state)
{
	char leaf[NAME_MAX + 1] = "", path[512];
	char *name;

	(void)state;
	for (size_t i = 0; i < 250; i += 2)
		memcpy(leaf + i, "ä", 3);
	memcpy(leaf + 250, ".mp4", 5);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/out/%s", i ? B : A, leaf);
		put(path, -i);
	}
	overview_look(overview);
	name = overview_name(overview, path);
	assert_non_null(name);
	assert_in_range(strlen(name), NAME_MAX - 1, NAME_MAX);
	assert_string_equal(strchr(name, '.'), ".02-image-to-video-standard.mp4");
	assert_int_equal((strchr(name, '.') - name) % 2, 0); /* of two bytes each */
	free(name);
}

/* How long it takes to name so many videos. */
static clock_t time_to_name(int count, bool same, const char *last)
{
	struct link_set set = {0};
	const struct stat st = {0};
	clock_t took;

	assert_int_equal(link_set_init(&set), 0);
	for (int i = 1; i <= count; i++) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), A "/out/%d/%d.mp4", i, same ? 0 : i);
		assert_non_null(link_set_add(&set, path, A, &st));
	}
	took = clock();
	link_set_show_all(&set);
	took = clock() - took;
	assert_non_null(link_set_find_name(&set, last));
	link_set_free(&set);
	return took;
}

static void many_videos_of_one_name_are_named_as_fast_as_others(void **state)
{
	clock_t others = time_to_name(5000, false, "5000.mp4");
	clock_t same = time_to_name(5000, true, "0.02-text-to-video-pro.4999.mp4");

	(void)state;
	assert_true(same < 50 * others); /* a thousand times when each is compared with each */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_kept_before_someone_looks),
		TEST(the_oldest_video_keeps_its_name),
		TEST(names_follow_what_changes),
		TEST(a_folder_that_moves_is_looked_at_again),
		TEST(notes_are_shown_and_told_apart_by_their_models),
		TEST(a_new_name_is_one_that_is_free),
		TEST(a_long_name_is_cut_between_characters),
		cmocka_unit_test(many_videos_of_one_name_are_named_as_fast_as_others),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
