/* fs/input/listing.h and files.h: which files a job has, and what is no answer. */
#include "fs/base/cleanup.h"
#include "fs/input/files.h"
#include "fs/input/listing.h"

#include "tests/unit/folder.h"

#define T2V "hailuo/02-text-to-video-pro"

struct fixture {
	struct folder folder;
	struct tree tree;
	struct listings listings;
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
	at.tree = (struct tree){.fd = at.folder.fd, .listings = &at.listings};
	assert_int_equal(mkdirat(at.tree.fd, "hailuo", 0755), 0);
	assert_int_equal(mkdirat(at.tree.fd, T2V, 0755), 0);
	*state = &at;
	return 0;
}

static int remove_folder(void **state)
{
	struct fixture *at = *state;

	listings_clear(&at->listings, INT64_MAX);
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
	assert_int_equal(files.nbeside, 2);
	assert_string_equal(files.beside[0].path, T2V "/cat.End.jpg");
	assert_true(files.beside[0].is_end);
	assert_string_equal(files.beside[1].path, T2V "/cat.PNG");
	assert_false(files.beside[1].is_end);
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
	assert_string_equal(files.beside[0].path, T2V "/cat.jpg");
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
	assert_int_equal(files.nbeside, 0);
	files_clear(&files);
	find(at, "cat", &files); /* what is gone since is no file */
	assert_int_equal(files.count, 0);
	files_clear(&files);
	listings_clear(&at->listings, INT64_MAX);
	find(at, "dog", &files);
	assert_string_equal(files.beside[0].path, T2V "/dog.png");
	files_clear(&files);
}

/* Files that move are looked for in two folders in turn. */
static void folders_looked_at_in_turn_are_each_read_once(void **state)
{
	struct fixture *at = *state;
	static const char *const folders[] = {"", "gone", ""};
	struct job_files files = {0};
	int64_t taken_ms[3];

	touch(at, "cat.txt");
	for (int i = 0; i < 3; i++) {
		AUTO_FREE char *path = NULL;

		assert_true(asprintf(&path, T2V "%s%s", i == 1 ? "/" : "", folders[i]) > 0);
		assert_int_equal(files_find(&at->tree, &at->model, folders[i], "cat", &files), 0);
		taken_ms[i] = listings_of(&at->listings, path)->taken_ms;
		assert_true(taken_ms[i] > 0);
		assert_int_equal(files.count, i != 1);
		files_clear(&files);
		listings_of(&at->listings, path)->taken_ms = 1000 + i; /* read again, it is now */
	}
	assert_int_equal(taken_ms[2], 1000);
}

static void a_save_of_a_name_that_is_listed_is_no_news(void **state)
{
	struct fixture *at = *state;
	const struct listing *listing;
	struct job_files files = {0};

	touch(at, "cat.txt");
	touch(at, "cat.end.png.part");
	find(at, "cat", &files);
	files_clear(&files);
	listing = listings_of(&at->listings, T2V);
	for (int i = 0; i < 5; i++) {
		static const char *const old[] = {"/cat.txt", "/cat.end.png.part", "/notes.pdf",
			"/sub/dog.txt", "/defaults.json"};
		AUTO_FREE char *path = NULL;

		assert_true(asprintf(&path, T2V "%s", old[i]) > 0);
		listings_saved(&at->listings, path);
		assert_string_equal(listing->folder, T2V);
	}
	listings_saved(&at->listings, T2V "/cat.png");
	assert_null(listing->folder);
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
	listings_clear(&at->listings, INT64_MAX);
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
	assert_int_equal(files.nbeside, 0);
	assert_null(files.spec);
	assert_int_equal(files.under_way.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(strrchr(files.under_way.item[i], '/') + 1, expected[i]);
	files_clear(&files);
	find(at, "dog", &files);
	assert_int_equal(files.count, 0);
	assert_int_equal(files.under_way.count, 1);
	files_clear(&files);
}

static void a_lock_is_no_file_but_says_that_one_is_open(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	touch(at, "cat.txt");
	find(at, "cat", &files);
	assert_int_equal(files.locks.count, 0);
	files_clear(&files);
	files = (struct job_files){0};
	touch(at, ".cat.json.swp");
	touch(at, ".dog.txt.swp");
	assert_int_equal(symlinkat("ada@desk.1", at->tree.fd, T2V "/.#cat.txt"), 0);
	listings_saved(&at->listings, T2V "/.cat.json.swp"); /* it was not listed */
	find(at, "cat", &files);
	assert_int_equal(files.count, 1);
	assert_null(files.spec);
	assert_int_equal(files.locks.count, 2);
	assert_string_equal(files.locks.item[0], T2V "/.#cat.txt");
	assert_string_equal(files.locks.item[1], T2V "/.cat.json.swp");
	files_clear(&files);
	files = (struct job_files){0};
	assert_int_equal(unlinkat(at->tree.fd, T2V "/.#cat.txt", 0), 0);
	find(at, "cat", &files); /* by the names of before */
	assert_int_equal(files.locks.count, 1);
	files_clear(&files);
}

static void a_folder_named_like_a_file_of_a_job_is_none(void **state)
{
	struct fixture *at = *state;
	struct job_files files = {0};

	touch(at, "cat.txt");
	assert_int_equal(mkdirat(at->tree.fd, T2V "/cat.png", 0755), 0);
	assert_int_equal(symlinkat("cat.png", at->tree.fd, T2V "/cat.json"), 0);
	find(at, "cat", &files);
	assert_int_equal(files.nbeside, 0);
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

static void a_batch_is_read_once_while_it_looks_the_same(void **state)
{
	struct fixture *at = *state;
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct job_files files = {0};

	folder_put(&at->folder, T2V "/list.jsonl", "{\"n\":1}\n{\"n\":2}\n");
	find(at, "list-0001", &files); /* just made: it is not kept */
	files_clear(&files);
	assert_null(at->listings.batch.path);
	assert_int_equal(usleep(200000), 0); /* until it is at rest */
	find(at, "list-0001", &files);
	files_clear(&files);
	at->listings.batch.text[strlen("{\"n\":1}\n{\"n\":")] = '7'; /* the file says 2 */
	find(at, "list-0002", &files);
	assert_string_equal(files.line, "{\"n\":7}");
	files_clear(&files);
	folder_put(&at->folder, T2V "/list.jsonl", "{\"n\":3}\n{\"n\":4}\n");
	assert_int_equal(utimensat(at->tree.fd, T2V "/list.jsonl", old, 0), 0);
	find(at, "list-0002", &files);
	assert_string_equal(files.line, "{\"n\":4}");
	files_clear(&files);
}

/* ------------------------------------------------------------------ no answer */

/* Looks for cat, without what was listed before; -EEXIST: something is not as it should be. */
static int find_cat(void *context)
{
	struct fixture *at = context;
	struct job_files files = {0};
	int error;

	listings_clear(&at->listings, INT64_MAX);
	error = files_find(&at->tree, &at->model, "", "cat", &files);
	if (!error && files.count != 2)
		error = -EEXIST;
	if (error && listings_of(&at->listings, T2V)->folder &&
		listings_of(&at->listings, T2V)->count != 2)
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
	struct listing *listing = &at->listings.item[0];
	int file;

	touch(at, "cat.txt");
	file = openat(at->tree.fd, T2V "/cat.txt", O_RDONLY | O_CLOEXEC);
	assert_int_equal(listing_read(listing, NULL, T2V, true, file), -ENOTDIR);
	assert_int_equal(fcntl(file, F_GETFD), -1); /* it was closed */
	assert_false(listing_is_of(listing, T2V));
	assert_int_equal(listing_read(listing, NULL, "gone", true, -1), 0);
	assert_true(listing_is_of(listing, "gone"));
	assert_int_equal(listing->count, 0);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(a_job_is_all_files_of_its_stem_in_any_capitals),
		IN_A_FOLDER(two_files_for_one_purpose_are_told),
		IN_A_FOLDER(a_folder_is_read_once_until_its_names_are_cleared),
		IN_A_FOLDER(folders_looked_at_in_turn_are_each_read_once),
		IN_A_FOLDER(a_save_of_a_name_that_is_listed_is_no_news),
		IN_A_FOLDER(a_folder_that_is_gone_has_no_files),
		IN_A_FOLDER(a_line_of_a_batch_is_the_spec_of_a_job_without_one),
		IN_A_FOLDER(a_scratch_copy_is_no_file_but_is_under_way),
		IN_A_FOLDER(a_lock_is_no_file_but_says_that_one_is_open),
		IN_A_FOLDER(a_folder_named_like_a_file_of_a_job_is_none),
		IN_A_FOLDER(the_nearest_defaults_count),
		IN_A_FOLDER(without_descriptors_nothing_looks_gone),
		IN_A_FOLDER(a_folder_that_may_not_be_read_is_not_empty),
		IN_A_FOLDER(a_batch_is_read_once_while_it_looks_the_same),
		IN_A_FOLDER(a_listing_that_failed_lists_nothing),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
