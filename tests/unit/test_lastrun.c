/* fs/journal/lastrun.h: which journal is the one that the last run left. */
#include "fs/base/boot.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/read.h"
#include "fs/journal/journal.h"
#include "fs/journal/lastrun.h"

#include "tests/unit/folder.h"

#include <inttypes.h>
#include <sys/stat.h>

#define LONG_S 60 /* between a commit and its checkpoint there are seconds */

static struct folder folder;

/* As a killed run leaves it: the journal, its log, and the file that says so. */
static void put_run(int64_t inode, const char *word)
{
	char text[100];

	(void)snprintf(text, sizeof(text), "7 %" PRId64 " %s\n", inode, word);
	folder_put(&folder, "run", text);
}

static int make_store(void **state)
{
	struct stat info;

	(void)state;
	folder_make(&folder);
	folder_put(&folder, JOURNAL_FILE, "a journal");
	folder_put(&folder, JOURNAL_FILE "-wal", "its log");
	assert_int_equal(fstatat(folder.fd, JOURNAL_FILE, &info, 0), 0);
	put_run((int64_t)info.st_ino, "running");
	return 0;
}

static int remove_store(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static struct last_run look(void)
{
	struct last_run last;

	last_run_look(folder.fd, &last);
	return last;
}

static void what_a_killed_run_left_is_its_journal(void **state)
{
	struct last_run last = look();

	(void)state;
	assert_true(last.known && !last.ended && !last.restored);
	assert_int_equal(last.generation, 7);
}

static void a_journal_of_no_run_is_another(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(folder.fd, "run", 0), 0);
	assert_true(look().restored);
	folder_put(&folder, "run", "7 12"); /* cut off */
	assert_true(look().restored);
	assert_false(look().crash_ms);
}

static void another_file_is_another_journal(void **state)
{
	(void)state;
	put_run(1, "running");
	assert_true(look().restored);
	assert_false(look().crash_ms);
}

static void a_journal_without_its_log_is_another(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE "-wal", 0), 0);
	assert_true(look().restored);
}

static void a_journal_that_changed_long_after_its_log_is_another(void **state)
{
	const struct timespec then = {clock_wall_ms() / 1000 - LONG_S, 0}, both[2] = {then, then};

	(void)state;
	assert_int_equal(utimensat(folder.fd, JOURNAL_FILE "-wal", both, 0), 0);
	assert_true(look().restored);
}

static void after_a_clean_end_the_file_may_be_any(void **state)
{
	(void)state;
	put_run(1, "ended");
	assert_true(look().known && look().ended && !look().restored);
	assert_true(look().seen_until_ms > 0 && !look().crash_ms);
}

/* A run file without the machine's start is of an older kinofs. */
static void after_a_start_of_the_machine_it_is_told_apart(void **state)
{
	char now[BOOT_ID_BYTES], words[64];
	struct stat info;

	(void)state;
	assert_true(boot_id(now));
	assert_int_equal(fstatat(folder.fd, JOURNAL_FILE, &info, 0), 0);
	assert_true(look().rebooted);
	put_run((int64_t)info.st_ino, "running 01234567-89ab-cdef-0123-456789abcdef");
	assert_true(look().rebooted && look().known && !look().restored);
	(void)snprintf(words, sizeof(words), "running %s", now);
	put_run((int64_t)info.st_ino, words);
	assert_true(look().known && !look().rebooted && !look().restored);
	put_run((int64_t)info.st_ino, "ended 01234567-89ab-cdef-0123-456789abcdef");
	assert_true(look().ended && !look().rebooted);
}

static void a_run_says_which_start_of_the_machine_it_is_of(void **state)
{
	const struct run_folders folders = {folder.fd, folder.fd, folder.path};
	AUTO_FREE char *text = NULL;
	char now[BOOT_ID_BYTES];
	struct model_set models = {0};
	struct journal *journal;
	struct last_run last;
	size_t bytes;
	bool fresh;

	(void)state;
	assert_true(boot_id(now));
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE, 0), 0);
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE "-wal", 0), 0);
	journal = journal_open(folder.path, &models, &fresh);
	assert_non_null(journal);
	last = look();
	assert_int_equal(last_run_begin(&folders, journal, true, &last), 0);
	assert_int_equal(read_whole_at(folder.fd, "run", 200, &text, &bytes), 0);
	assert_non_null(strstr(text, now));
	journal_close(journal);
}

static void a_new_store_has_no_run(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(folder.fd, "run", 0), 0);
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE, 0), 0);
	assert_false(look().known || look().restored);
}

/* Where nothing can be kept outside of the store, what is in it must do. */
static void a_journal_of_an_earlier_run_is_another(void **state)
{
	const struct run_folders folders = {folder.fd, folder.fd, folder.path};
	struct model_set models = {0};
	struct journal *journal;
	struct last_run last;
	bool fresh;

	(void)state;
	assert_int_equal(setenv("XDG_STATE_HOME", "/dev/null/none", 1), 0);
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE, 0), 0);
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE "-wal", 0), 0);
	journal = journal_open(folder.path, &models, &fresh);
	assert_non_null(journal);
	put_run(1, "ended"); /* generation 7, and the journal has 0 */
	last = look();
	assert_false(last.restored);
	assert_int_equal(last_run_begin(&folders, journal, false, &last), 0);
	assert_true(last.restored);
	assert_int_equal(last.seen_until_ms, 0);
	last_run_end(folder.fd, journal);
	last = look();
	assert_int_equal(last_run_begin(&folders, journal, false, &last), 0);
	assert_false(last.restored);
	journal_close(journal);
}

static struct journal *open_journal(const struct folder *in, bool *fresh)
{
	static struct model_set models;
	struct journal *journal = journal_open(in->path, &models, fresh);

	assert_non_null(journal);
	return journal;
}

static struct journal *begin(
	const struct run_folders *folders, const struct folder *in, struct last_run *last)
{
	struct journal *journal;
	bool fresh;

	last_run_look(in->fd, last);
	journal = open_journal(in, &fresh);
	assert_int_equal(last_run_begin(folders, journal, fresh, last), 0);
	return journal;
}

static void a_journal_that_was_damaged_is_another(void **state)
{
	const struct run_folders folders = {folder.fd, folder.fd, folder.path};
	struct journal *journal;
	struct last_run last;
	char page[4096];
	int fd;

	(void)state;
	assert_int_equal(setenv("XDG_STATE_HOME", "/dev/null/none", 1), 0);
	for (int i = 0; i < 2; i++) /* as it was left, and not */
		assert_int_equal(unlinkat(folder.fd, i ? "run" : JOURNAL_FILE, 0), 0);
	assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE "-wal", 0), 0);
	journal = begin(&folders, &folder, &last);
	last_run_end(folder.fd, journal);
	journal_close(journal);
	journal = begin(&folders, &folder, &last);
	assert_false(last.restored);
	last_run_end(folder.fd, journal);
	journal_close(journal);
	fd = openat(folder.fd, JOURNAL_FILE, O_WRONLY);
	memset(page, 0xff, sizeof(page));
	assert_int_equal(pwrite(fd, page, sizeof(page), sizeof(page)), sizeof(page));
	assert_int_equal(close(fd), 0);
	journal = begin(&folders, &folder, &last);
	assert_true(journal_was_damaged(journal));
	assert_int_equal(
		journal_generation(journal), last.generation + 1); /* it alone says nothing */
	assert_true(last.restored);
	journal_close(journal);
}

/* What another machine puts into the tree is no drop of ours. */
static void the_last_moments_count_while_there_is_no_other_journal(void **state)
{
	struct folder mine, others;
	struct run_folders folders = {0, folder.fd, "/mine"};
	struct journal *journal;
	struct last_run last;

	(void)state;
	assert_int_equal(setenv("XDG_STATE_HOME", "/dev/null/none", 1), 0);
	folder_make(&mine);
	folder_make(&others);
	folders.journal_fd = mine.fd;
	for (int run = 0; run < 4; run++) {
		journal = begin(&folders, &mine, &last); /* and killed */
		assert_int_equal(last.crash_ms > 0, run == 1 || run == 2);
		if (run == 2) {
			struct run_folders there = {others.fd, folder.fd, "/others"};
			struct last_run other;

			journal_close(begin(&there, &others, &other));
		}
		journal_close(journal);
		folder_put(&mine, JOURNAL_FILE "-wal", "");
	}
	folder_remove(&mine);
	folder_remove(&others);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, remove_store)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_STORE(what_a_killed_run_left_is_its_journal),
		IN_A_STORE(a_journal_of_no_run_is_another),
		IN_A_STORE(another_file_is_another_journal),
		IN_A_STORE(a_journal_without_its_log_is_another),
		IN_A_STORE(a_journal_that_changed_long_after_its_log_is_another),
		IN_A_STORE(after_a_clean_end_the_file_may_be_any),
		IN_A_STORE(after_a_start_of_the_machine_it_is_told_apart),
		IN_A_STORE(a_run_says_which_start_of_the_machine_it_is_of),
		IN_A_STORE(a_new_store_has_no_run),
		IN_A_STORE(a_journal_of_an_earlier_run_is_another),
		IN_A_STORE(a_journal_that_was_damaged_is_another),
		IN_A_STORE(the_last_moments_count_while_there_is_no_other_journal),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
