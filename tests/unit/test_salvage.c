/*
 * A damaged journal: what can be read of it is saved, the rest is held, and what was paid for is
 * never taken for new. KINOFS_TEST_SEEDS: how many random damages are tried.
 */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/journal/journal.h"
#include "fs/journal/sound.h"
#include "fs/journal/statements.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <sys/file.h>

#include "tests/unit/folder.h"
#include "tests/unit/synced.h"

#define JOBS       50
#define PAGE_BYTES 4096
#define SEEDS      24

static struct model_set models;
static struct folder folder;
static struct {
	char *db, *log, *index; /* as a killed kinofs leaves them */
	size_t db_bytes, log_bytes, index_bytes;
	struct job_row *row[JOBS];
	int leaf[JOBS]; /* the page each row is on, from 1 */
	int64_t spent;
	double credits;
} whole;

static uint64_t seed;

static unsigned int below(unsigned int limit)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned int)(seed >> 33) % limit;
}

/* ------------------------------------------------------------------ the journal that is damaged */

static void put_job(struct journal *journal, int number)
{
	static const enum job_state states[] = {JOB_DONE, JOB_RUNNING, JOB_UNKNOWN, JOB_HELD,
		JOB_DOWNLOADING, JOB_FAILED, JOB_REJECTED, JOB_QUEUED};
	AUTO_FREE char *stem = format("job-%02d", number), *order = format("order of %d", number);
	const struct job_key key = {
		"hailuo/02-text-to-video-pro", number % 3 ? "" : "summer", stem};
	struct job_row *row = job_row_new(&key);
	bool sent;

	row->state = states[number % 8];
	sent = !job_state_is_open(row->state);
	row->submitted_ms = sent ? 1000 + number : 0;
	row->estimate = 10;
	job_set_text(&row->order, order);
	if (sent && row->state != JOB_UNKNOWN)
		job_set_text(&row->task, stem);
	row->request = malloc(1800);
	(void)memset(row->request, 'x', 1799);
	row->request[1799] = '\0';
	assert_int_equal(journal_begin(journal), 0);
	assert_int_equal(journal_put(journal, row), 0);
	assert_int_equal(journal_show(journal, row), 0);
	assert_int_equal(journal_commit(journal), 0);
	whole.row[number] = row;
}

/* Which leaf each row is on: they lie in order of id, as many as the page has cells. */
static void find_leaves(sqlite3 *db)
{
	sqlite3_stmt *leaf;
	int number = 0;

	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT pageno, ncell FROM dbstat WHERE name = 'job' AND"
				 " pagetype = 'leaf' ORDER BY path",
				 -1, &leaf, NULL),
		SQLITE_OK);
	while (sqlite3_step(leaf) == SQLITE_ROW)
		for (int cell = sqlite3_column_int(leaf, 1); cell > 0 && number < JOBS; cell--)
			whole.leaf[number++] = sqlite3_column_int(leaf, 0);
	assert_int_equal(sqlite3_finalize(leaf), SQLITE_OK);
	assert_int_equal(number, JOBS);
}

static void keep(const char *name, char **bytes, size_t *count)
{
	assert_int_equal(read_whole_at(folder.fd, name, 1 << 24, bytes, count), 0);
}

/* Half of it in the file, half in the log. (A page that is in the log is read from there.) */
static int make_journal(void **state)
{
	struct journal *journal;
	bool fresh;

	(void)state;
	folder_make(&folder);
	journal = journal_open(folder.path, &models, &fresh);
	assert_non_null(journal);
	for (int i = 0; i < JOBS; i++) {
		put_job(journal, i);
		if (i == JOBS / 2)
			(void)sqlite3_wal_checkpoint_v2(
				journal->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	}
	assert_int_equal(journal_spending(journal, 0, &whole.spent, &whole.credits), 0);
	keep(JOURNAL_FILE "-wal", &whole.log, &whole.log_bytes);
	keep(JOURNAL_FILE "-shm", &whole.index, &whole.index_bytes);
	keep(JOURNAL_FILE, &whole.db, &whole.db_bytes);
	find_leaves(journal->db);
	journal_close(journal);
	folder_remove(&folder);
	return 0;
}

static int forget_journal(void **state)
{
	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_row_free(whole.row[i]);
	free(whole.db);
	free(whole.log);
	free(whole.index);
	return 0;
}

/* ------------------------------------------------------------------ what must hold */

struct damaged {
	char *db, *log;
};

static void put_damaged(const struct damaged *damaged)
{
	folder_make(&folder);
	folder_write(&folder, JOURNAL_FILE, damaged->db, whole.db_bytes);
	folder_write(&folder, JOURNAL_FILE "-wal", damaged->log, whole.log_bytes);
	folder_write(&folder, JOURNAL_FILE "-shm", whole.index, whole.index_bytes);
}

static struct damaged copy(void)
{
	struct damaged damaged = {malloc(whole.db_bytes), malloc(whole.log_bytes)};

	(void)memcpy(damaged.db, whole.db, whole.db_bytes);
	(void)memcpy(damaged.log, whole.log, whole.log_bytes);
	return damaged;
}

static void drop_copy(struct damaged *damaged)
{
	free(damaged->db);
	free(damaged->log);
}

static void drop(struct damaged *damaged)
{
	drop_copy(damaged);
	folder_remove(&folder);
}

/* Whether the log has a frame of this page (sqlite.org/fileformat2.html 4.1). */
static bool is_logged(int page)
{
	for (size_t at = 32; at + 24 + PAGE_BYTES <= whole.log_bytes; at += 24 + PAGE_BYTES) {
		uint32_t number;

		(void)memcpy(&number, whole.log + at, sizeof(number));
		if ((int)be32toh(number) == page)
			return true;
	}
	return false;
}

static bool holds(const char *name, const char *bytes, size_t count)
{
	AUTO_FREE char *found = NULL;
	size_t have;

	return read_whole_at(folder.fd, name, 1 << 24, &found, &have) == 0 && have == count &&
	       memcmp(found, bytes, count) == 0;
}

/* The name the damaged journal was kept under; the caller frees. */
static char *kept_name(void)
{
	AUTO_FREE char *pattern = format("%s/" JOURNAL_FILE ".damaged-", folder.path);
	DIR *names = opendir(folder.path);
	struct dirent *entry;
	char *name = NULL;

	assert_non_null(names);
	while ((entry = readdir(names)))
		if (!strncmp(entry->d_name, path_last(pattern), strlen(path_last(pattern))) &&
			!strstr(entry->d_name, "-wal"))
			name = strdup(entry->d_name);
	(void)closedir(names);
	return name;
}

static void check_kept(const struct damaged *damaged)
{
	AUTO_FREE char *name = kept_name();
	AUTO_FREE char *log = format("%s-wal", name);

	assert_non_null(name);
	assert_true(holds(name, damaged->db, whole.db_bytes));
	assert_true(holds(log, damaged->log, whole.log_bytes));
}

static struct job_row *row_of(struct journal *journal, int number)
{
	int error;
	struct job_row *row = journal_row(journal, whole.row[number]->id, &error);

	assert_int_equal(error, 0);
	return row;
}

/* Whether the row says what was written, or that it cannot be read. */
static bool is_kept(struct journal *journal, int number)
{
	const struct job_row *was = whole.row[number];
	struct job_row *row = row_of(journal, number);
	bool kept = row && !row->damaged && row->state == was->state &&
	            row->submitted_ms == was->submitted_ms && row->order &&
	            !strcmp(row->order, was->order) && !strcmp(row->stem, was->stem);

	job_row_free(row);
	return kept;
}

/* The rows of a page that is gone: what their indexes know, and nothing that would be ordered. */
static void check_aside(struct journal *journal, int leaf)
{
	for (int i = 0; i < JOBS; i++) {
		const struct job_row *was = whole.row[i];
		struct job_row *row = row_of(journal, i);

		assert_non_null(row);
		if (whole.leaf[i] == leaf) {
			assert_string_equal(row->damaged, "state");
			assert_int_equal(row->state, was->submitted_ms ? JOB_UNKNOWN : JOB_WAITING);
			assert_true(was->submitted_ms || row->hold == HOLD_UNTIL_RELEASED);
			assert_int_equal(row->submitted_ms, was->submitted_ms);
			assert_string_equal(row->order, was->order);
			assert_string_equal(row->stem, was->stem);
			assert_string_equal(row->dir, was->dir);
			assert_true(row->shown);
		}
		job_row_free(row);
	}
}

static void break_page(struct damaged *damaged, int page)
{
	(void)memset(damaged->db + (size_t)(page - 1) * PAGE_BYTES, 0xa5, PAGE_BYTES);
}

/* What was paid is found by its order, or counts at least. */
static void check_paid(struct journal *journal)
{
	int64_t spent;
	double credits;

	assert_int_equal(journal_spending(journal, 0, &spent, &credits), 0);
	assert_true(spent >= whole.spent);
	assert_true(credits >= whole.credits);
}

/* Without damage found, nothing is held: then all of it must be as it was. */
static void check_unharmed(struct journal *journal)
{
	for (int i = 0; i < JOBS; i++) {
		const struct job_key key = job_key_of(whole.row[i]);
		struct job_row *row = row_of(journal, i);
		struct rows takes;

		assert_non_null(row);
		assert_true(row->damaged || row->state == whole.row[i]->state);
		assert_int_equal(journal_same_order(journal, whole.row[i]->order, &takes), 0);
		assert_int_equal(takes.count, 1);
		rows_free(&takes);
		assert_int_equal(journal_takes(journal, &key, &takes), 0);
		assert_int_equal(takes.count, 1);
		rows_free(&takes);
		job_row_free(row);
	}
	check_paid(journal);
}

/* 1: opened as sound; 2: salvaged; 0: refused. */
static int try(const struct damaged *damaged)
{
	struct journal *journal;
	bool fresh;
	int how = 0;

	put_damaged(damaged);
	journal = journal_open(folder.path, &models, &fresh);
	if (!journal) {
		assert_true(holds(JOURNAL_FILE, damaged->db, whole.db_bytes));
		assert_true(holds(JOURNAL_FILE "-wal", damaged->log, whole.log_bytes));
	} else if (journal_was_damaged(journal)) {
		how = 2;
		check_kept(damaged);
		check_paid(journal);
		assert_int_equal(faccessat(folder.fd, JOURNAL_FILE "-new", F_OK, 0), -1);
	} else {
		how = 1;
		check_unharmed(journal);
	}
	journal_close(journal);
	return how;
}

/* ------------------------------------------------------------------ tests */

static void an_undamaged_journal_is_left_alone(void **state)
{
	struct damaged damaged = copy();

	(void)state;
	assert_int_equal(try(&damaged), 1);
	drop(&damaged);
}

static void a_bad_page_costs_only_its_own_rows(void **state)
{
	int broken = 0;

	(void)state;
	for (int number = 0; number < JOBS; number += 3) {
		struct damaged damaged = copy();
		struct journal *journal;
		bool fresh;

		if (is_logged(whole.leaf[number])) {
			drop_copy(&damaged);
			continue;
		}
		broken++;
		break_page(&damaged, whole.leaf[number]);
		put_damaged(&damaged);
		journal = journal_open(folder.path, &models, &fresh);
		assert_non_null(journal);
		assert_true(journal_was_damaged(journal));
		check_kept(&damaged);
		for (int i = 0; i < JOBS; i++)
			assert_int_equal(is_kept(journal, i), whole.leaf[i] != whole.leaf[number]);
		check_aside(journal, whole.leaf[number]);
		check_paid(journal);
		journal_close(journal);
		drop(&damaged);
	}
	assert_true(broken > 2);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(renameat(folder.fd, from, folder.fd, to), 0);
}

/* Cut off before each of its renames, and before the mark of it was removed. */
static void a_salvage_that_was_cut_off_goes_on(void **state)
{
	(void)state;
	for (int steps = 0; steps <= 3; steps++) {
		struct damaged damaged = copy();
		AUTO_FREE char *kept = NULL, *kept_log = NULL, *unfinished = NULL;
		struct journal *journal;
		size_t bytes;
		bool fresh;

		(void)memset(damaged.db + (size_t)(whole.leaf[0] - 1) * PAGE_BYTES, 0, PAGE_BYTES);
		assert_int_equal(try(&damaged), 2);
		kept = kept_name();
		kept_log = format("%s-wal", kept);
		folder_put(&folder, JOURNAL_FILE "-salvage", kept);
		if (steps < 3) {
			/* as another file, for this one is locked */
			keep(JOURNAL_FILE, &unfinished, &bytes);
			assert_int_equal(unlinkat(folder.fd, JOURNAL_FILE, 0), 0);
			folder_write(&folder, JOURNAL_FILE "-new", unfinished, bytes);
			if (steps == 2) /* made for its lock by the next start */
				folder_put(&folder, JOURNAL_FILE, "");
		}
		if (steps < 2)
			move(kept, JOURNAL_FILE);
		if (steps < 1)
			move(kept_log, JOURNAL_FILE "-wal");
		journal = journal_open(folder.path, &models, &fresh);
		assert_non_null(journal);
		assert_false(fresh);
		check_kept(&damaged);
		check_paid(journal);
		assert_int_equal(faccessat(folder.fd, JOURNAL_FILE "-salvage", F_OK, 0), -1);
		journal_close(journal);
		drop(&damaged);
	}
}

static void execute(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Makes the pages of a table or an index unreadable, in a journal without a log. */
static void spoil(char *db, const char *name, const char *query)
{
	AUTO_FREE char *path = format("%s/" JOURNAL_FILE, folder.path);
	sqlite3 *reader;
	sqlite3_stmt *page;

	assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(reader, query, -1, &page, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_bind_text(page, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
	while (sqlite3_step(page) == SQLITE_ROW)
		(void)memset(db + (size_t)(sqlite3_column_int(page, 0) - 1) * PAGE_BYTES, 0xff,
			PAGE_BYTES);
	assert_int_equal(sqlite3_finalize(page), SQLITE_OK);
	assert_int_equal(sqlite3_close(reader), SQLITE_OK);
}

/* What neither its row nor the index tells of may have been sent, and as dear as any. */
static void rows_lost_with_an_index_count_as_paid(void **state)
{
	static const char all[] = "SELECT pageno FROM dbstat WHERE name = ?1";
	static const char some[] = "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'"
				   " ORDER BY path LIMIT 6";
	static const char *const index[] = {"job_key", "job_submitted"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct damaged damaged = copy();
		AUTO_FREE char *db = NULL;
		struct journal *journal;
		size_t bytes;
		bool fresh;

		put_damaged(&damaged);
		journal = journal_open(folder.path, &models, &fresh);
		assert_non_null(journal);
		execute(journal->db, "UPDATE sqlite_sequence SET seq = 777 WHERE name = 'job'");
		journal_close(journal); /* the log goes into it */
		keep(JOURNAL_FILE, &db, &bytes);
		spoil(db, index[i], all);
		spoil(db, "job", some);
		folder_write(&folder, JOURNAL_FILE, db, bytes);
		journal = journal_open(folder.path, &models, &fresh);
		assert_non_null(journal);
		assert_true(journal_was_damaged(journal));
		check_paid(journal);
		/* no id is used twice */
		execute(journal->db, "CREATE TEMP TABLE late (id CHECK (id >= 777)); INSERT INTO"
				     " late SELECT seq FROM sqlite_sequence WHERE name = 'job'");
		journal_close(journal);
		drop(&damaged);
	}
}

static void what_a_broken_state_may_be_is_never_new(void **state)
{
	struct damaged damaged = copy();
	struct journal *journal;
	bool fresh;

	(void)state;
	put_damaged(&damaged);
	journal = journal_open(folder.path, &models, &fresh);
	assert_non_null(journal);
	execute(journal->db, "UPDATE job SET state = 'nonsense'");
	for (int i = 0; i < JOBS; i++) {
		struct job_row *row = row_of(journal, i);

		assert_string_equal(row->damaged, "state");
		if (row->task)
			assert_int_equal(row->state, JOB_RUNNING);
		else if (row->submitted_ms)
			assert_int_equal(row->state, JOB_UNKNOWN);
		else
			assert_int_equal(row->hold, HOLD_UNTIL_RELEASED);
		job_row_free(row);
	}
	execute(journal->db, "UPDATE job SET state = 'submitting', task = NULL, pictures = 'x'");
	for (int i = 0; i < JOBS; i++) {
		struct job_row *row = row_of(journal, i);

		assert_int_equal(row->state, JOB_UNKNOWN);
		job_row_free(row);
	}
	journal_close(journal);
	drop(&damaged);
}

/* What is set aside is known to be so, first; and the new journal is in place before it is used. */
static void each_step_of_a_salvage_is_durable(void **state)
{
	struct damaged damaged = copy();
	AUTO_FREE char *names = NULL;
	const char *name;
	int fd;

	(void)state;
	(void)memset(damaged.db + (size_t)(whole.leaf[0] - 1) * PAGE_BYTES, 0, PAGE_BYTES);
	synced_forget();
	assert_int_equal(try(&damaged), 2);
	name = strrchr(folder.path, '/') + 1;
	names = format("/" JOURNAL_FILE "-salvage.half/%s/%s/", name, name);
	assert_true(were_synced(names));
	fd = openat(folder.fd, JOURNAL_FILE, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1); /* the store is taken all the time */
	assert_int_equal(close(fd), 0);
	drop(&damaged);
}

static void damage_met_at_work_is_looked_for_at_the_next_start(void **state)
{
	AUTO_FREE char *path = NULL;
	struct damaged damaged = copy();

	(void)state;
	put_damaged(&damaged);
	path = format("%s/" JOURNAL_FILE, folder.path);
	sound_suspect(path);
	assert_int_equal(faccessat(folder.fd, JOURNAL_FILE "-suspect", F_OK, 0), 0);
	assert_true(sound_check(path)); /* all of it was read, and is well */
	assert_int_equal(faccessat(folder.fd, JOURNAL_FILE "-suspect", F_OK, 0), -1);
	drop(&damaged);
}

static void no_random_damage_makes_a_paid_job_new(void **state)
{
	const char *wanted = getenv("KINOFS_TEST_SEEDS");
	int seeds = wanted ? (int)strtol(wanted, NULL, 10) : SEEDS, how[3] = {0};

	(void)state;
	for (int i = 1; i <= seeds; i++) {
		struct damaged damaged = copy();
		bool log = false;

		seed = (uint64_t)i;
		log = below(2);
		for (unsigned int n = 1 + below(4); n > 0; n--) {
			char *bytes = log ? damaged.log : damaged.db;
			size_t count = log ? whole.log_bytes : whole.db_bytes;
			size_t at = below((unsigned int)count);

			if (below(2))
				bytes[at] ^= (char)(1 << below(8));
			else
				(void)memset(bytes + at / PAGE_BYTES * PAGE_BYTES, 0,
					count - at / PAGE_BYTES * PAGE_BYTES < PAGE_BYTES
						? count % PAGE_BYTES
						: PAGE_BYTES);
		}
		print_message("seed %d\n", i);
		how[try(&damaged)]++;
		drop(&damaged);
	}
	print_message("%d refused, %d sound, %d salvaged\n", how[0], how[1], how[2]);
	if (!wanted)
		assert_true(how[2] > how[0]);
}

/* As it was before pictures, durations and rights had their place in it. */
static const char first_of_format_3[] =
	"DROP TRIGGER picture_new; DROP TRIGGER picture_gone; DROP TRIGGER picture_changed;"
	"DROP TABLE picture; DROP TABLE took; DROP INDEX job_task;"
	"ALTER TABLE job DROP COLUMN rights;";

/* The journal in one file, changed like this, with the page of its first rows broken. */
static void put_changed(const char *sql)
{
	AUTO_FREE char *path = NULL, *bytes = NULL;
	struct damaged damaged = {whole.db, whole.log};
	sqlite3_stmt *leaf;
	sqlite3 *db;
	size_t count;
	int page;

	put_damaged(&damaged);
	path = format("%s/" JOURNAL_FILE, folder.path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT pageno FROM dbstat WHERE name = 'job' AND"
				 " pagetype = 'leaf' ORDER BY path LIMIT 1",
				 -1, &leaf, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(leaf), SQLITE_ROW);
	page = sqlite3_column_int(leaf, 0);
	assert_int_equal(sqlite3_finalize(leaf), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	keep(JOURNAL_FILE, &bytes, &count);
	(void)memset(bytes + (size_t)(page - 1) * PAGE_BYTES, 0xa5, PAGE_BYTES);
	folder_write(&folder, JOURNAL_FILE, bytes, count);
}

static void a_journal_of_an_earlier_kinofs_is_salvaged_too(void **state)
{
	struct journal *journal;
	bool fresh;

	(void)state;
	put_changed(first_of_format_3);
	journal = journal_open(folder.path, &models, &fresh);
	assert_non_null(journal);
	assert_true(journal_was_damaged(journal));
	assert_true(is_kept(journal, JOBS - 1));
	check_paid(journal);
	journal_close(journal);
	folder_remove(&folder);
}

static void how_long_tasks_took_is_still_known(void **state)
{
	struct journal *journal;
	int64_t took[3];
	bool fresh;

	(void)state;
	put_changed("INSERT INTO took VALUES ('a/model', 7000, 1), ('a/model', 9000, 2);");
	journal = journal_open(folder.path, &models, &fresh);
	assert_non_null(journal);
	assert_true(journal_was_damaged(journal));
	assert_int_equal(journal_took(journal, "a/model", took, 3), 2);
	assert_int_equal(took[0], 7000);
	assert_int_equal(took[1], 9000);
	journal_close(journal);
	folder_remove(&folder);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_undamaged_journal_is_left_alone),
		cmocka_unit_test(a_bad_page_costs_only_its_own_rows),
		cmocka_unit_test(a_salvage_that_was_cut_off_goes_on),
		cmocka_unit_test(rows_lost_with_an_index_count_as_paid),
		cmocka_unit_test(what_a_broken_state_may_be_is_never_new),
		cmocka_unit_test(each_step_of_a_salvage_is_durable),
		cmocka_unit_test(damage_met_at_work_is_looked_for_at_the_next_start),
		cmocka_unit_test(a_journal_of_an_earlier_kinofs_is_salvaged_too),
		cmocka_unit_test(how_long_tasks_took_is_still_known),
		cmocka_unit_test(no_random_damage_makes_a_paid_job_new),
	};

	return RUN_TESTS(argc, argv, tests, make_journal, forget_journal);
}
