/* fs/input: the users' files, read; what a job's files make; what they look like from outside. */
#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/input/assemble.h"
#include "fs/input/batch.h"
#include "fs/input/listing.h"
#include "fs/input/look.h"
#include "spec/media.h"

#include "tests/unit/folder.h"

#define T2V "hailuo/02-text-to-video-pro"
#define I2V "hailuo/02-image-to-video-standard"

/* The least a PNG is: a header and an end. */
static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"
			  "\0\0\0\0IEND\xae\x42\x60\x82";

static struct model_set models;
static struct folder folder;
static struct tree tree;

static int make_tree(void **state)
{
	static const char *const folders[] = {"hailuo", T2V, I2V, I2V "/a"};

	(void)state;
	folder_make(&folder);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		assert_int_equal(mkdirat(folder.fd, folders[i], 0755), 0);
	tree = (struct tree){.fd = folder.fd};
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static void put(const char *path, const char *text)
{
	folder_put(&folder, path, text);
}

static void put_png(const char *path, int more)
{
	char bytes[sizeof(png) + 8] = {0};

	(void)memcpy(bytes, png, sizeof(png) - 1);
	folder_write(&folder, path, bytes, sizeof(png) - 1 + (size_t)more);
}

static void gone(const char *path)
{
	assert_int_equal(unlinkat(folder.fd, path, 0), 0);
}

/* ------------------------------------------------------------------ tree.h */

static void what_is_not_there_is_told_from_what_cannot_be_looked_at(void **state)
{
	(void)state;
	assert_true(tree_is_absence(-ENOENT) && tree_is_absence(-ENOTDIR));
	assert_true(tree_is_absence(-EISDIR) && tree_is_absence(-ELOOP));
	assert_true(tree_is_absence(-ENAMETOOLONG)); /* no file has such a name */
	assert_false(tree_is_absence(0));
	assert_false(tree_is_absence(-EMFILE) || tree_is_absence(-ENFILE));
	assert_false(tree_is_absence(-EACCES) || tree_is_absence(-EPERM));
	assert_false(tree_is_absence(-EIO) || tree_is_absence(-ENOMEM));
}

static void a_file_is_opened_and_nothing_else(void **state)
{
	int64_t bytes = -1;
	struct stat info;
	int fd;

	(void)state;
	put(T2V "/cat.txt", "words");
	fd = tree_open(&tree, T2V "/cat.txt", &bytes);
	assert_true(fd >= 0);
	assert_int_equal(bytes, 5);
	assert_int_equal(close(fd), 0);
	assert_int_equal(tree_open(&tree, T2V "/dog.txt", &bytes), -ENOENT);
	assert_int_equal(tree_open(&tree, T2V "/cat.txt/x", &bytes), -ENOTDIR);
	assert_int_equal(tree_open(&tree, I2V "/a", &bytes), -EISDIR);
	assert_int_equal(mkfifoat(folder.fd, T2V "/fifo", 0600), 0);
	assert_int_equal(tree_open(&tree, T2V "/fifo", &bytes), -EISDIR); /* and does not wait */
	assert_int_equal(tree_stat(&tree, I2V "/a", &info), 0);
	assert_true(S_ISDIR(info.st_mode));
}

/* Where a link leads is for way.h; what is there is a link. */
static void a_link_is_no_folder_and_no_file(void **state)
{
	struct stat info;

	(void)state;
	put(T2V "/cat.txt", "words");
	assert_int_equal(symlinkat("cat.txt", folder.fd, T2V "/dog.txt"), 0);
	assert_int_equal(symlinkat("02-text-to-video-pro", folder.fd, "hailuo/link"), 0);
	assert_int_equal(tree_stat(&tree, "hailuo/link/cat.txt", &info), -ELOOP);
	assert_int_equal(tree_open_folder(&tree, "hailuo/link"), -ELOOP);
	assert_int_equal(tree_stat(&tree, T2V "/dog.txt", &info), 0);
	assert_true(S_ISLNK(info.st_mode));
}

static void paths_begin_where_the_tree_does(void **state)
{
	struct tree part = {.skip = strlen("hailuo/")};
	int64_t bytes;
	int fd;

	(void)state;
	put(T2V "/cat.txt", "words");
	part.fd = openat(folder.fd, "hailuo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = tree_open(&part, T2V "/cat.txt", &bytes);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	fd = tree_open_folder(&part, "hailuo");
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(tree_open(&part, "hailuo", &bytes), -ENOENT);
	assert_int_equal(close(part.fd), 0);
}

static void a_file_that_is_too_long_shows_it(void **state)
{
	AUTO_FREE char *whole = NULL, *start = NULL;
	size_t bytes;

	(void)state;
	put(T2V "/cat.txt", "words");
	assert_int_equal(tree_read(&tree, T2V "/cat.txt", 5, &whole, &bytes), 0);
	assert_int_equal(bytes, 5);
	assert_string_equal(whole, "words");
	assert_int_equal(tree_read(&tree, T2V "/cat.txt", 4, &start, &bytes), 0);
	assert_true(bytes > 4);
}

/* ------------------------------------------------------------------ batch.h */

static void jobs_of_a_batch_are_numbered_lines(void **state)
{
	static const struct {
		const char *job, *stem;
		int line;
	} known[] = {{"list-0003", "list", 3}, {"a-b-0010", "a-b", 10},
		{"list-10000", "list", 10000}, {"list-003", NULL, 0}, {"list-0000", NULL, 0},
		{"-0003", NULL, 0}, {"list-00x3", NULL, 0}, {"list0003", NULL, 0},
		{"list-1234567", NULL, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		AUTO_FREE char *stem = NULL;
		int line = 0;

		assert_int_equal(batch_of(known[i].job, &stem, &line), known[i].stem != NULL);
		if (known[i].stem) {
			AUTO_FREE char *job = batch_job(known[i].stem, known[i].line);

			assert_string_equal(stem, known[i].stem);
			assert_int_equal(line, known[i].line);
			assert_string_equal(job, known[i].job);
		}
	}
}

static void every_line_counts_but_only_full_ones_are_jobs(void **state)
{
	AUTO_FREE char *text = NULL;
	size_t bytes;

	(void)state;
	put(T2V "/list.jsonl", "{}\r\n  \n{\"prompt\":\"x\"}");
	assert_int_equal(batch_lines(&tree, T2V "/list.jsonl"), 3);
	assert_int_equal(batch_read_line(&tree, T2V "/list.jsonl", 3, &text, &bytes), 0);
	assert_string_equal(text, "{\"prompt\":\"x\"}");
	assert_int_equal(bytes, strlen(text));
	free(TAKE(text));
	assert_int_equal(batch_read_line(&tree, T2V "/list.jsonl", 1, &text, &bytes), 0);
	assert_string_equal(text, "{}");
	free(TAKE(text));
	assert_int_equal(batch_read_line(&tree, T2V "/list.jsonl", 2, &text, &bytes), -ENOENT);
	assert_int_equal(batch_read_line(&tree, T2V "/list.jsonl", 4, &text, &bytes), -ENOENT);
	assert_int_equal(batch_lines(&tree, T2V "/none.jsonl"), -ENOENT);
	put(T2V "/empty.jsonl", "");
	assert_int_equal(batch_lines(&tree, T2V "/empty.jsonl"), 0);
}

/* ------------------------------------------------------------------ what a job is known by */

static void read_job(const char *model, const char *dir, const char *stem, struct assembly *made)
{
	*made = (struct assembly){0};
	assert_int_equal(assemble(&tree, models_find(&models, model), dir, stem, made), 0);
}

/* As a power cut may leave it: all there, and nothing in it. */
static void a_line_of_zeros_is_read_whole_and_no_further(void **state)
{
	char zeros[300] = "x", *text = NULL;
	size_t bytes = 0;
	struct assembly made;

	(void)state;
	folder_write(&folder, T2V "/list.jsonl", zeros, sizeof(zeros));
	assert_int_equal(batch_read_line(&tree, T2V "/list.jsonl", 1, &text, &bytes), 0);
	assert_int_equal(bytes, sizeof(zeros));
	assert_memory_equal(text, zeros, sizeof(zeros));
	free(text);
	read_job(T2V, "", "list-0001", &made);
	assert_int_equal(made.problems.count, 1);
	assert_non_null(strstr(made.problems.item[0].text, "NUL character at byte 1"));
	assembly_clear(&made);
}

struct known {
	char order[DIGEST_HEX_BYTES], fingerprint[DIGEST_HEX_BYTES], seen[DIGEST_HEX_BYTES];
};

static struct known known_by(const char *model, const char *dir, const char *stem)
{
	struct assembly made;
	struct known known;

	read_job(model, dir, stem, &made);
	if (made.problems.count || made.missing.count)
		fail_msg("%s: %s", stem,
			made.problems.count ? made.problems.item[0].text
					    : made.missing.item[0].text);
	(void)memcpy(known.order, made.order, sizeof(known.order));
	(void)memcpy(known.fingerprint, made.fingerprint, sizeof(known.fingerprint));
	(void)memcpy(known.seen, made.seen, sizeof(known.seen));
	assert_int_equal(strlen(known.order), DIGEST_HEX_BYTES - 1);
	assembly_clear(&made);
	return known;
}

static void the_same_words_are_one_order_however_they_are_written(void **state)
{
	static const struct {
		const char *path, *text;
	} same[] = {
		{"/cat.txt", "the words"},
		{"/cat.txt", "the words\n"},
		{"/cat.txt", "the words\r\n"},
		{"/cat.txt", "\xef\xbb\xbfthe words\n"},
		{"/cat.json", "{\"prompt\":\"the words\"}"},
		{"/cat.json", "\xef\xbb\xbf{\r\n\t\"prompt\" :\t\"the \\u0077ords\"\r\n}\r\n"},
		{"/cat.json", "{\"prompt\": \"the words\", \"takes\": 3}"},
	};
	struct known first;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		AUTO_FREE char *path = NULL;
		struct known known;

		assert_true(asprintf(&path, T2V "%s", same[i].path) > 0);
		put(path, same[i].text);
		known = known_by(T2V, "", "cat");
		if (i == 0)
			first = known;
		if (strcmp(known.order, first.order) != 0)
			fail_msg("%zu is another order", i);
		assert_string_equal(known.fingerprint, first.fingerprint);
		gone(path);
	}
	put(T2V "/cat.txt", "the  words");
	assert_string_not_equal(known_by(T2V, "", "cat").order, first.order);
}

static void lines_of_several_line_ends_are_one_order(void **state)
{
	struct known unix_ends, dos_ends;

	(void)state;
	put(T2V "/cat.txt", "one\ntwo\n");
	unix_ends = known_by(T2V, "", "cat");
	put(T2V "/cat.txt", "one\r\ntwo\r\n");
	dos_ends = known_by(T2V, "", "cat");
	assert_string_equal(unix_ends.order, dos_ends.order);
	assert_string_equal(unix_ends.fingerprint, dos_ends.fingerprint);
}

static void fields_in_another_order_are_the_same_order(void **state)
{
	struct known first, second;

	(void)state;
	put_png(I2V "/cat.png", 0);
	put(I2V "/cat.json", "{\"prompt\":\"x\",\"duration\":\"6\",\"resolution\":\"768P\"}");
	first = known_by(I2V, "", "cat");
	put(I2V "/cat.json", "{ \"resolution\": \"768P\",\n  \"duration\": 6, \"prompt\": \"x\" }");
	second = known_by(I2V, "", "cat");
	assert_string_equal(first.order, second.order);
	assert_string_equal(first.fingerprint, second.fingerprint);
	put(I2V "/cat.json", "{\"prompt\":\"x\",\"duration\":\"10\",\"resolution\":\"768P\"}");
	assert_string_not_equal(known_by(I2V, "", "cat").order, first.order);
}

static void another_name_is_no_other_order(void **state)
{
	struct known first;

	(void)state;
	put(I2V "/cat.txt", "x");
	put_png(I2V "/cat.png", 0);
	put(I2V "/a/dog.json", "{\"prompt\":\"x\",\"image_url\":\"../cat.png\"}");
	first = known_by(I2V, "", "cat");
	assert_string_equal(known_by(I2V, "a", "dog").order, first.order);
	put(T2V "/cat.txt", "x"); /* but another model is */
	assert_string_not_equal(known_by(T2V, "", "cat").order, first.order);
}

static void defaults_are_of_the_order_but_not_of_the_fingerprint(void **state)
{
	struct known without, six, ten, own;

	(void)state;
	put(I2V "/cat.txt", "x");
	put_png(I2V "/cat.png", 0);
	without = known_by(I2V, "", "cat");
	put(I2V "/defaults.json", "{\"duration\":6}");
	six = known_by(I2V, "", "cat");
	put(I2V "/defaults.json", "{\"duration\":10}");
	ten = known_by(I2V, "", "cat");
	assert_string_equal(without.fingerprint, six.fingerprint);
	assert_string_equal(ten.fingerprint, six.fingerprint);
	assert_string_not_equal(without.order, six.order);
	assert_string_not_equal(ten.order, six.order);
	/* what the defaults said, said by the job: the same order, not the same files */
	gone(I2V "/defaults.json");
	put(I2V "/cat.json", "{\"duration\":6}");
	own = known_by(I2V, "", "cat");
	assert_string_equal(own.order, six.order);
	assert_string_not_equal(own.fingerprint, six.fingerprint);
}

static void a_picture_of_the_defaults_is_not_of_the_fingerprint(void **state)
{
	struct known one, other;

	(void)state;
	put(I2V "/cat.txt", "x");
	put_png(I2V "/a/one.png", 0);
	put_png(I2V "/a/other.png", 1);
	put(I2V "/defaults.json", "{\"image_url\":\"a/one.png\"}");
	one = known_by(I2V, "", "cat");
	put(I2V "/defaults.json", "{\"image_url\":\"a/other.png\"}");
	other = known_by(I2V, "", "cat");
	assert_string_not_equal(one.order, other.order);
	assert_string_equal(one.fingerprint, other.fingerprint);
}

static void pictures_are_known_by_their_bytes(void **state)
{
	struct known beside, named, other, swapped;

	(void)state;
	put(I2V "/cat.txt", "x");
	put_png(I2V "/cat.png", 0);
	put_png(I2V "/cat.end.png", 1);
	beside = known_by(I2V, "", "cat");
	assert_int_equal(renameat(folder.fd, I2V "/cat.png", folder.fd, I2V "/a/first.png"), 0);
	put(I2V "/cat.json", "{\"image_url\":\"a/first.png\"}");
	named = known_by(I2V, "", "cat");
	assert_string_equal(beside.order, named.order);
	assert_string_equal(beside.fingerprint, named.fingerprint);
	put_png(I2V "/a/first.png", 2);
	other = known_by(I2V, "", "cat");
	assert_string_not_equal(other.order, named.order);
	assert_string_not_equal(other.fingerprint, named.fingerprint);
	put_png(I2V "/a/first.png", 1);
	put_png(I2V "/cat.end.png", 0);
	swapped = known_by(I2V, "", "cat");
	assert_string_not_equal(swapped.order, beside.order);
}

static void a_line_is_the_order_of_a_file_that_says_the_same(void **state)
{
	struct known line;

	(void)state;
	put(T2V "/list.jsonl", "\n{\"prompt\":\"x\"}\r\n");
	put(T2V "/cat.txt", "x\n");
	line = known_by(T2V, "", "list-0002");
	assert_string_equal(line.order, known_by(T2V, "", "cat").order);
	assert_string_equal(line.fingerprint, known_by(T2V, "", "cat").fingerprint);
}

/* ------------------------------------------------------------------ not to be ordered */

static void no_files_make_nothing(void **state)
{
	struct assembly made;

	(void)state;
	read_job(T2V, "", "cat", &made);
	assert_int_equal(made.files.count, 0);
	assert_string_equal(made.order, "");
	assembly_clear(&made);
}

static void what_is_not_sound_has_no_order_but_a_fingerprint(void **state)
{
	struct assembly made;
	char first[DIGEST_HEX_BYTES];

	(void)state;
	put(T2V "/cat.json", "{\"promt\":\"x\"}");
	read_job(T2V, "", "cat", &made);
	assert_int_equal(made.problems.count, 1);
	assert_string_equal(made.order, "");
	assert_string_equal(made.fingerprint, made.bytes);
	(void)memcpy(first, made.fingerprint, sizeof(first));
	assembly_clear(&made);
	put(T2V "/cat.json", "{\"promt\":\"y\"}");
	read_job(T2V, "", "cat", &made);
	assert_string_not_equal(made.fingerprint, first);
	assembly_clear(&made);
	put(T2V "/cat.jpg", "no picture");
	put(T2V "/cat.png", "two for one purpose");
	read_job(T2V, "", "cat", &made);
	assert_true(made.problems.count > 1);
	assert_string_equal(made.order, "");
	assembly_clear(&made);
}

static void a_picture_that_is_not_there_is_missing(void **state)
{
	static char name[400];
	struct assembly made;

	(void)state;
	put(I2V "/cat.json", "{\"prompt\":\"x\",\"image_url\":\"dog.png\"}");
	read_job(I2V, "", "cat", &made);
	assert_int_equal(made.problems.count, 0);
	assert_int_equal(made.missing.count, 1);
	assert_int_equal(made.npictures, 1);
	assert_string_equal(made.picture[0].path, I2V "/dog.png");
	assert_null(made.picture[0].sha256);
	assert_string_equal(made.order, "");
	assembly_clear(&made);
	put(I2V "/dog.png", "");
	read_job(I2V, "", "cat", &made);
	assert_int_equal(made.missing.count, 1);
	assembly_clear(&made);
	(void)snprintf(name, sizeof(name), "{\"prompt\":\"x\",\"image_url\":\"%0300d.png\"}", 1);
	put(I2V "/cat.json", name); /* longer than any name may be */
	read_job(I2V, "", "cat", &made);
	assert_int_equal(made.missing.count + made.problems.count, 1);
	assembly_clear(&made);
}

/* What the job looks like now, as the last look before an order takes it. */
static void look_again(const struct assembly *made, char hex[DIGEST_HEX_BYTES])
{
	assert_int_equal(
		assembly_look(&tree, &made->files, made->picture, made->npictures, hex), 0);
}

static void a_picture_behind_a_link_counts_as_the_file_it_leads_to(void **state)
{
	char order[DIGEST_HEX_BYTES], seen[DIGEST_HEX_BYTES];
	struct assembly made;

	(void)state;
	put(I2V "/cat.json", "{\"prompt\":\"x\",\"image_url\":\"a/dog.png\"}");
	put_png(I2V "/a/dog.png", 0);
	read_job(I2V, "", "cat", &made);
	memcpy(order, made.order, sizeof(order));
	assembly_clear(&made);
	gone(I2V "/a/dog.png");
	assert_int_equal(symlinkat("../real.png", folder.fd, I2V "/a/dog.png"), 0);
	read_job(I2V, "", "cat", &made);
	assert_int_equal(made.missing.count, 1);
	assert_non_null(strstr(made.missing.item[0].text,
		"a/dog.png, a symbolic link to " I2V "/real.png, which is not there yet"));
	assert_int_equal(made.picture[0].nway, 1);
	assert_string_equal(made.picture[0].way[0], I2V "/real.png");
	assembly_clear(&made);
	put_png(I2V "/real.png", 0);
	read_job(I2V, "", "cat", &made);
	assert_string_equal(made.order, order);
	look_again(&made, seen);
	assert_string_equal(made.seen, seen);
	put_png(I2V "/real.png", 4);
	look_again(&made, seen);
	assert_string_not_equal(made.seen, seen);
	assembly_clear(&made);
}

/* A job that there would be but for that it leads out is there, and says so. */
static void what_leads_out_of_the_mount_is_a_problem(void **state)
{
	static const char *const paths[] = {I2V "/cat.json", I2V "/cat.txt", I2V "/cat.png",
		I2V "/defaults.json", I2V "/cat.jsonl"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct assembly made;

		if (i == 3)
			put(I2V "/cat.json", "{}");
		assert_int_equal(symlinkat("/nowhere/to.be/found", folder.fd, paths[i]), 0);
		read_job(I2V, "", i == 4 ? "cat-0001" : "cat", &made);
		assert_int_equal(made.files.count, 1);
		assert_int_equal(made.problems.count, 1);
		assert_non_null(strstr(paths[i], made.problems.item[0].field));
		assert_non_null(strstr(made.problems.item[0].text, "leads out of the mount"));
		assert_string_equal(made.order, "");
		assembly_clear(&made);
		gone(paths[i]);
		if (i == 3)
			gone(I2V "/cat.json");
	}
}

static void a_text_that_leads_to_nothing_is_a_problem(void **state)
{
	struct assembly made;

	(void)state;
	assert_int_equal(symlinkat("other.txt", folder.fd, T2V "/cat.txt"), 0);
	read_job(T2V, "", "cat", &made);
	assert_int_equal(made.problems.count, 1);
	assert_non_null(strstr(made.problems.item[0].text, "no file of yours"));
	assembly_clear(&made);
	put(T2V "/other.txt", "x");
	read_job(T2V, "", "cat", &made);
	assert_int_equal(made.problems.count, 0);
	assert_string_not_equal(made.order, "");
	assembly_clear(&made);
}

static void a_picture_cut_short_is_a_problem(void **state)
{
	struct assembly made;

	(void)state;
	put(I2V "/cat.json", "{\"prompt\":\"x\",\"image_url\":\"a/dog.png\"}");
	folder_write(&folder, I2V "/a/dog.png", png, sizeof(png) - 5);
	read_job(I2V, "", "cat", &made);
	assert_int_equal(made.problems.count, 1);
	assert_non_null(strstr(made.problems.item[0].text, "not whole"));
	assembly_clear(&made);
}

static void a_spec_that_is_too_long_is_a_problem(void **state)
{
	AUTO_FREE char *text = malloc(LIMIT_SPEC_BYTES + 2);
	struct assembly made;

	(void)state;
	(void)memset(text, ' ', LIMIT_SPEC_BYTES + 1);
	text[LIMIT_SPEC_BYTES + 1] = '\0';
	put(T2V "/cat.json", text);
	put(T2V "/cat.txt", "x");
	read_job(T2V, "", "cat", &made);
	assert_int_equal(made.problems.count, 1);
	assert_string_equal(made.order, "");
	assembly_clear(&made);
}

/* ------------------------------------------------------------------ look.h */

static void a_look_tells_every_file_that_is_not_as_it_was(void **state)
{
	static const char *const files[] = {
		"/cat.txt", "/cat.json", "/a/dog.png", "/cat.end.png", "/defaults.json"};
	struct assembly made;
	char seen[DIGEST_HEX_BYTES], again[DIGEST_HEX_BYTES];

	(void)state;
	put(I2V "/cat.txt", "x");
	put(I2V "/cat.json", "{\"image_url\":\"a/dog.png\"}");
	put(I2V "/defaults.json", "{\"duration\":6}");
	put_png(I2V "/a/dog.png", 0);
	put_png(I2V "/cat.end.png", 0);
	read_job(I2V, "", "cat", &made);
	assert_int_equal(made.problems.count + made.missing.count, 0);
	look_again(&made, seen);
	assert_string_equal(seen, made.seen);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		static const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1, .tv_nsec = 1}};
		AUTO_FREE char *path = NULL;

		assert_true(asprintf(&path, I2V "%s", files[i]) > 0);
		assert_int_equal(utimensat(folder.fd, path, old, 0), 0);
		look_again(&made, again);
		assert_string_not_equal(again, seen);
		(void)memcpy(seen, again, sizeof(seen));
		gone(path);
		look_again(&made, again);
		assert_string_not_equal(again, seen);
		(void)memcpy(seen, again, sizeof(seen));
	}
	assembly_clear(&made);
}

/* ------------------------------------------------------------------ no answer */

static char expected[DIGEST_HEX_BYTES];

/* -EEXIST: an answer, and a wrong one. */
static int assemble_cat(void *context)
{
	struct assembly made = {0};
	int error = assemble(context, models_find(&models, I2V), "", "cat", &made);

	if (!error && strcmp(made.order, expected) != 0)
		error = -EEXIST;
	assembly_clear(&made);
	return error;
}

static int look_at_cat(void *context)
{
	static const char *const path[] = {I2V "/cat.txt", I2V "/dog.txt"};
	char hex[DIGEST_HEX_BYTES];

	return look_at(context, path, 2, hex);
}

static void put_cat(void)
{
	put(I2V "/cat.txt", "x");
	put(I2V "/cat.json", "{\"image_url\":\"a/dog.png\"}");
	put(I2V "/defaults.json", "{\"duration\":6}");
	put_png(I2V "/a/dog.png", 0);
	(void)memcpy(expected, known_by(I2V, "", "cat").order, sizeof(expected));
}

static void without_descriptors_there_is_no_answer_or_the_right_one(void **state)
{
	int descriptors = 0, error;

	(void)state;
	put_cat();
	while ((error = folder_ask(assemble_cat, &tree, descriptors)) != 0) {
		if (error != -EMFILE)
			fail_msg("%d descriptors: %s", descriptors, strerror(-error));
		assert_true(++descriptors < 20);
	}
	assert_true(descriptors > 0);
	assert_int_equal(folder_ask(look_at_cat, &tree, 0), -EMFILE);
}

/* Nothing is known of a picture then; a job must not be rejected for it. */
static int assemble_without_database(void *context)
{
	media_release();
	return setenv("MAGIC", "/nonexistent", 1) < 0 ? -EEXIST : assemble_cat(context);
}

static int open_database(void *context)
{
	(void)context;
	media_release();
	return media_open();
}

static void a_picture_whose_type_cannot_be_told_is_no_answer(void **state)
{
	(void)state;
	put_cat();
	assert_int_equal(folder_ask(assemble_without_database, &tree, 50), -EIO);
	assert_int_equal(folder_ask(open_database, NULL, 0), -EMFILE);
	assert_int_equal(folder_ask(open_database, NULL, 50), 0);
}

static void a_folder_that_may_not_be_read_is_no_answer(void **state)
{
	int error, looked;

	(void)state;
	put_cat();
	assert_int_equal(fchmodat(folder.fd, I2V "/a", 0, 0), 0);
	error = folder_ask(assemble_cat, &tree, -1);
	assert_int_equal(fchmodat(folder.fd, I2V "/a", 0755, 0), 0);
	if (error == ASK_FAILED)
		skip(); /* a root that may not become somebody else */
	assert_int_equal(error, -EACCES);
	assert_int_equal(fchmodat(folder.fd, I2V, 0, 0), 0);
	error = folder_ask(assemble_cat, &tree, -1);
	looked = folder_ask(look_at_cat, &tree, -1);
	assert_int_equal(fchmodat(folder.fd, I2V, 0755, 0), 0);
	assert_int_equal(error, -EACCES);
	assert_int_equal(looked, -EACCES);
	assert_int_equal(fchmodat(folder.fd, I2V "/cat.txt", 0, 0), 0);
	assert_int_equal(folder_ask(assemble_cat, &tree, -1), -EACCES);
	assert_int_equal(folder_ask(look_at_cat, &tree, -1), 0); /* its attributes can be seen */
}

static int start(void **state)
{
	(void)state;
	return models_builtin(&models);
}

static int stop(void **state)
{
	(void)state;
	models_free(&models);
	return 0;
}

#define IN_A_TREE(test) cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_is_told_from_what_cannot_be_looked_at),
		IN_A_TREE(a_file_is_opened_and_nothing_else),
		IN_A_TREE(a_link_is_no_folder_and_no_file),
		IN_A_TREE(paths_begin_where_the_tree_does),
		IN_A_TREE(a_file_that_is_too_long_shows_it),
		cmocka_unit_test(jobs_of_a_batch_are_numbered_lines),
		IN_A_TREE(every_line_counts_but_only_full_ones_are_jobs),
		IN_A_TREE(a_line_of_zeros_is_read_whole_and_no_further),
		IN_A_TREE(the_same_words_are_one_order_however_they_are_written),
		IN_A_TREE(lines_of_several_line_ends_are_one_order),
		IN_A_TREE(fields_in_another_order_are_the_same_order),
		IN_A_TREE(another_name_is_no_other_order),
		IN_A_TREE(defaults_are_of_the_order_but_not_of_the_fingerprint),
		IN_A_TREE(a_picture_of_the_defaults_is_not_of_the_fingerprint),
		IN_A_TREE(pictures_are_known_by_their_bytes),
		IN_A_TREE(a_line_is_the_order_of_a_file_that_says_the_same),
		IN_A_TREE(no_files_make_nothing),
		IN_A_TREE(what_is_not_sound_has_no_order_but_a_fingerprint),
		IN_A_TREE(a_picture_that_is_not_there_is_missing),
		IN_A_TREE(a_picture_behind_a_link_counts_as_the_file_it_leads_to),
		IN_A_TREE(what_leads_out_of_the_mount_is_a_problem),
		IN_A_TREE(a_text_that_leads_to_nothing_is_a_problem),
		IN_A_TREE(a_picture_cut_short_is_a_problem),
		IN_A_TREE(a_spec_that_is_too_long_is_a_problem),
		IN_A_TREE(a_look_tells_every_file_that_is_not_as_it_was),
		IN_A_TREE(without_descriptors_there_is_no_answer_or_the_right_one),
		IN_A_TREE(a_picture_whose_type_cannot_be_told_is_no_answer),
		IN_A_TREE(a_folder_that_may_not_be_read_is_no_answer),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}
