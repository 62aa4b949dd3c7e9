/* fs/input/listing.h and files.h: which files a job has, and what is no answer. */
#include "fs/base/cleanup.h"
#include "fs/input/files.h"
#include "fs/input/listing.h"

#include "tests/unit/folder.h"

#define T2V "hailuo/02-text-to-video-pro"

struct fixture {
	struct folder folder;
	struct tree tree;
	struct listing listing;
	struct model model;
};

static void touch(const struct fixture *at, const char *name)
{
	AUTO_FREE char *path = NULL;

	assert_true(asprintf(&path, T2V "/%s", name) > 0);
	folder_put(&at->folder, path, "");
}

static int make_folder(void **state)
{
	static struct fixture at;

	at = (struct fixture){.model.id = T2V};
	folder_make(&at.folder);
	at.tree = (struct tree){.fd = at.folder.fd, .listing = &at.listing};
	assert_int_equal(mkdirat(at.tree.fd, "hailuo", 0755), 0);
	assert_int_equal(mkdirat(at.tree.fd, T2V, 0755), 0);
	*state = &at;
	return 0;
}

static int remove_folder(void **state)
{
	struct fixture *at = *state;

	listing_clear(&at->listing);
	folder_remove(&at->folder);
	return 0;
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
	listing_clear(&at->listing);
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

static void a_line_of_a_batch_is_the_spec_of_a_job_without_one(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	folder_put(&at->folder, T2V "/list.JSONL", "{}\n\n {\"prompt\":\"x\"} \r\n");
	find(at, "list-0003", &files);
	assert_string_equal(files.batch, T2V "/list.JSONL");
	assert_int_equal(files.line_bytes, strlen(" {\"prompt\":\"x\"}"));
	assert_memory_equal(files.line, " {\"prompt\":\"x\"}", files.line_bytes);
	assert_int_equal(files.count, 1);
	files_clear(&files);
	find(at, "list-0002", &files); /* blank */
	assert_int_equal(files.count, 0);
	assert_null(files.line);
	files_clear(&files);
	touch(at, "list-0001.json");
	listing_clear(&at->listing);
	find(at, "list-0001", &files);
	assert_null(files.line);
	assert_string_equal(files.spec, T2V "/list-0001.json");
	assert_int_equal(files.count, 1);
	files_clear(&files);
}

static void a_scratch_copy_is_no_file_but_is_under_way(void **state)
{
	struct fixture *at = *state;
	static const char *const names[] = {"cat.txt", "cat.png.part", ".cat.json.a1B2c3",
		"cat.end.png.crdownload", "dog.png.part", "cat.png~", "cat.mp4.part"};
	static const char *const expected[] = {
		".cat.json.a1B2c3", "cat.end.png.crdownload", "cat.png.part"};
	struct job_files files = {0};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		touch(at, names[i]);
	find(at, "cat", &files);
	assert_int_equal(files.count, 1);
	assert_null(files.first_frame);
	assert_null(files.spec);
	assert_int_equal(files.nunder_way, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(strrchr(files.under_way[i], '/') + 1, expected[i]);
	files_clear(&files);
	find(at, "dog", &files);
	assert_int_equal(files.count, 0);
	assert_int_equal(files.nunder_way, 1);
	files_clear(&files);
}

static void a_folder_named_like_a_file_of_a_job_is_none(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	touch(at, "cat.txt");
	assert_int_equal(mkdirat(at->tree.fd, T2V "/cat.png", 0755), 0);
	assert_int_equal(symlinkat("cat.txt", at->tree.fd, T2V "/cat.json"), 0);
	find(at, "cat", &files);
	assert_null(files.first_frame);
	assert_null(files.spec);
	assert_int_equal(files.count, 1);
	files_clear(&files);
}

static void the_nearest_defaults_count(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	touch(at, "defaults.json");
	assert_int_equal(mkdirat(at->tree.fd, T2V "/a", 0755), 0);
	assert_int_equal(mkdirat(at->tree.fd, T2V "/a/b", 0755), 0);
	touch(at, "a/b/cat.txt");
	assert_int_equal(files_find(&at->tree, &at->model, "a/b", "cat", &files), 0);
	assert_string_equal(files.defaults, T2V "/defaults.json");
	assert_int_equal(files.count, 1);
	files_clear(&files);
	touch(at, "a/defaults.json");
	assert_int_equal(files_find(&at->tree, &at->model, "a/b", "cat", &files), 0);
	assert_string_equal(files.defaults, T2V "/a/defaults.json");
	files_clear(&files);
}

/* ------------------------------------------------------------------ no answer */

/* Looks for cat, without what was listed before; -EEXIST: something is not as it should be. */
static int find_cat(void *context)
{
	struct fixture *at = context;
	struct job_files files = {0};
	int error;

	listing_clear(&at->listing);
	error = files_find(&at->tree, &at->model, "", "cat", &files);
	if (!error && files.count != 2)
		error = -EEXIST;
	if (error && at->listing.folder && at->listing.count != 2)
		error = -EEXIST; /* an empty listing would answer the next question */
	files_clear(&files);
	return error;
}

static void without_descriptors_nothing_looks_gone(void **state)
{
	struct fixture *at = *state;
	int descriptors = 0, error;

	touch(at, "cat.txt");
	touch(at, "cat.json");
	while ((error = folder_ask(find_cat, at, descriptors)) != 0) {
		assert_int_equal(error, -EMFILE);
		assert_true(++descriptors < 20);
	}
	assert_true(descriptors > 0);
}

static void a_folder_that_may_not_be_read_is_not_empty(void **state)
{
	struct fixture *at = *state;
	int error;

	touch(at, "cat.txt");
	touch(at, "cat.json");
	assert_int_equal(fchmodat(at->tree.fd, T2V, 0, 0), 0);
	error = folder_ask(find_cat, at, -1);
	assert_int_equal(fchmodat(at->tree.fd, T2V, 0755, 0), 0);
	if (error == ASK_FAILED)
		skip(); /* a root that may not become somebody else */
	assert_int_equal(error, -EACCES);
}

static void a_listing_that_failed_lists_nothing(void **state)
{
	struct fixture *at = *state;
	int file;

	touch(at, "cat.txt");
	file = openat(at->tree.fd, T2V "/cat.txt", O_RDONLY | O_CLOEXEC);
	assert_int_equal(listing_read(&at->listing, T2V, true, file), -ENOTDIR);
	assert_int_equal(fcntl(file, F_GETFD), -1); /* it was closed */
	assert_false(listing_is_of(&at->listing, T2V));
	assert_int_equal(listing_read(&at->listing, "gone", true, -1), 0);
	assert_true(listing_is_of(&at->listing, "gone"));
	assert_int_equal(at->listing.count, 0);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(a_job_is_all_files_of_its_stem_in_any_capitals),
		IN_A_FOLDER(two_files_for_one_purpose_are_told),
		IN_A_FOLDER(a_folder_is_read_once_until_its_names_are_cleared),
		IN_A_FOLDER(a_folder_that_is_gone_has_no_files),
		IN_A_FOLDER(a_line_of_a_batch_is_the_spec_of_a_job_without_one),
		IN_A_FOLDER(a_scratch_copy_is_no_file_but_is_under_way),
		IN_A_FOLDER(a_folder_named_like_a_file_of_a_job_is_none),
		IN_A_FOLDER(the_nearest_defaults_count),
		IN_A_FOLDER(without_descriptors_nothing_looks_gone),
		IN_A_FOLDER(a_folder_that_may_not_be_read_is_not_empty),
		IN_A_FOLDER(a_listing_that_failed_lists_nothing),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
