#include "fs/base/cleanup.h"
#include "fs/input/files.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/run.h"

#define T2V "hailuo/02-text-to-video-pro"

struct fixture {
	char path[32];
	struct tree tree;
	struct folder_names names;
	struct model model;
};

static void touch(const struct fixture *at, const char *name)
{
	AUTO_FREE char *path = NULL;
	int fd;

	assert_true(asprintf(&path, T2V "/%s", name) > 0);
	fd = openat(at->tree.fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static int make_folder(void **state)
{
	static struct fixture at;

	at = (struct fixture){.path = "/tmp/kinofs-names.XXXXXX"};
	assert_non_null(mkdtemp(at.path));
	at.tree.fd = open(at.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	at.tree.names = &at.names;
	at.model.id = T2V;
	assert_int_equal(mkdirat(at.tree.fd, "hailuo", 0700), 0);
	assert_int_equal(mkdirat(at.tree.fd, T2V, 0700), 0);
	*state = &at;
	return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info, (void)type, (void)walk;
	return remove(path);
}

static int remove_folder(void **state)
{
	struct fixture *at = *state;

	names_clear(&at->names);
	assert_int_equal(close(at->tree.fd), 0);
	return nftw(at->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void find(const struct fixture *at, const char *stem, struct job_files *files)
{
	assert_int_equal(files_find(&at->tree, &at->model, "", stem, files), 0);
}

static void a_job_is_all_files_of_its_stem_in_any_capitals(void **state)
{
	struct fixture *at = *state;
	static const char *const names[] = {"cat.JSON", "cat.txt", "cat.PNG", "cat.End.jpg", "cat",
		"cat.mp4", "ca.txt", "catt.txt", "cat-2.txt", "cat.2.txt", "Cat.txt", "cat.txt~",
		"cat.jsonl"};
	struct job_files files = {0};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		touch(at, names[i]);
	find(at, "cat", &files);
	assert_string_equal(files.spec, T2V "/cat.JSON");
	assert_string_equal(files.prompt, T2V "/cat.txt");
	assert_string_equal(files.first_frame, T2V "/cat.PNG");
	assert_string_equal(files.last_frame, T2V "/cat.End.jpg");
	assert_null(files.batch);
	assert_int_equal(files.count, 4);
	assert_int_equal(files.ambiguous.count, 0);
	files_clear(&files);
	find(at, "c", &files);
	assert_int_equal(files.count, 0);
	files_clear(&files);
}

static void two_files_for_one_purpose_are_told(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	touch(at, "cat.png");
	touch(at, "cat.jpg");
	find(at, "cat", &files);
	assert_string_equal(files.first_frame, T2V "/cat.jpg");
	assert_int_equal(files.ambiguous.count, 1);
	assert_string_equal(files.ambiguous.item[0].field, "cat.png");
	files_clear(&files);
}

static void a_folder_is_read_once_until_its_names_are_cleared(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	touch(at, "cat.txt");
	touch(at, "dog.txt");
	find(at, "cat", &files);
	files_clear(&files);
	touch(at, "dog.png");
	assert_int_equal(unlinkat(at->tree.fd, T2V "/cat.txt", 0), 0);
	find(at, "dog", &files);
	assert_string_equal(files.prompt, T2V "/dog.txt");
	assert_null(files.first_frame);
	files_clear(&files);
	find(at, "cat", &files); /* what is gone since is no file */
	assert_int_equal(files.count, 0);
	files_clear(&files);
	names_clear(&at->names);
	find(at, "dog", &files);
	assert_string_equal(files.first_frame, T2V "/dog.png");
	files_clear(&files);
}

static void a_folder_that_is_gone_has_no_files(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	assert_int_equal(files_find(&at->tree, &at->model, "gone", "cat", &files), 0);
	assert_int_equal(files.count, 0);
	files_clear(&files);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(a_job_is_all_files_of_its_stem_in_any_capitals),
		IN_A_FOLDER(two_files_for_one_purpose_are_told),
		IN_A_FOLDER(a_folder_is_read_once_until_its_names_are_cleared),
		IN_A_FOLDER(a_folder_that_is_gone_has_no_files),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
