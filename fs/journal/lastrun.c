#include "fs/journal/lastrun.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/journal/journal.h"
#include "fs/journal/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define RUN_FILE      "run"
#define RUN_FILE_NEW  "run.new"
#define CHECKPOINT_MS 5000 /* the journal's file may change this long after its last commit */

static int64_t stat_ms(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

/* "GENERATION INODE running|ended" */
static bool read_run_file(int store_fd, struct last_run *last, uint64_t *inode)
{
	AUTO_FD int fd = openat(store_fd, RUN_FILE, O_RDONLY | O_CLOEXEC);
	char text[128] = "", word[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	if (sscanf(text, "%" SCNd64 " %" SCNu64 " %15s", &last->generation, inode, word) != 3)
		return false;
	last->ended = !strcmp(word, "ended");
	return true;
}

/*
 * Whether the journal's file was put there after the crash: it is another
 * file, or it changed although the log that is written before it did not.
 */
static bool was_replaced(int store_fd, const struct stat *journal, uint64_t inode)
{
	struct stat log;

	if (journal->st_ino != inode || fstatat(store_fd, JOURNAL_FILE "-wal", &log, 0) < 0)
		return true;
	return stat_ms(&journal->st_ctim) > stat_ms(&log.st_mtim) + CHECKPOINT_MS;
}

void last_run_look(int store_fd, struct last_run *last)
{
	struct stat journal, heartbeat, run;
	uint64_t inode = 0;

	*last = (struct last_run){0};
	last->known = read_run_file(store_fd, last, &inode);
	if (fstatat(store_fd, JOURNAL_FILE, &journal, 0) < 0 || journal.st_size == 0)
		return; /* lost, or never there: last_run_begin() is told */
	last->restored = !last->known;
	if (!last->known)
		return;
	if (last->ended) {
		if (fstatat(store_fd, RUN_FILE, &run, 0) == 0)
			last->seen_until_ms = stat_ms(&run.st_mtim);
		return;
	}
	last->restored = was_replaced(store_fd, &journal, inode);
	if (!last->restored && fstatat(store_fd, "heartbeat", &heartbeat, 0) == 0)
		last->seen_until_ms = last->crash_ms = stat_ms(&heartbeat.st_mtim);
}

/* Replaces the file as a whole, durably. */
static int write_run_file(int store_fd, int64_t generation, const char *word)
{
	AUTO_FD int fd = -1;
	char text[128];
	struct stat journal;

	if (fstatat(store_fd, JOURNAL_FILE, &journal, 0) < 0)
		return -errno;
	(void)snprintf(text, sizeof(text), "%" PRId64 " %" PRIu64 " %s\n", generation,
		(uint64_t)journal.st_ino, word); /* fits */
	fd = openat(store_fd, RUN_FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd) < 0 ||
		renameat(store_fd, RUN_FILE_NEW, store_fd, RUN_FILE) < 0 || fsync(store_fd) < 0)
		return -errno;
	return 0;
}

/* The journal first, then what stands in the store, then what stands outside: a crash in between
 * leaves the ones behind older, which at worst holds jobs. */
static int raise_generation(int store_fd, struct journal *journal, const char *word)
{
	AUTO_FREE char *id = journal_store(journal);
	int64_t generation = journal_generation(journal);
	struct testimony now = {.generation = generation + 1};
	int error = generation < 0 ? -EIO : journal_set_generation(journal, generation + 1);

	if (!error)
		error = write_run_file(store_fd, generation + 1, word);
	if (!error && id && testimony_take(store_fd, &now) == 0)
		(void)witness_tell(id, &now); /* logged; a copy may go unnoticed then */
	return error;
}

/* Whether this is the store that its witness knows. One that has no identity yet is new, or was
 * made by an older kinofs. */
static bool is_itself(int store_fd, struct journal *journal)
{
	AUTO_FREE char *id = journal_store(journal);
	struct testimony then, now = {.generation = journal_generation(journal)};

	if (!id)
		return true;
	switch (witness_ask(id, &then)) {
	case WITNESS_UNUSABLE: return true;
	case WITNESS_MISSING: return false;
	case WITNESS_KNOWN: break;
	}
	return testimony_take(store_fd, &now) == 0 && testimony_fits(&then, &now);
}

/* Not the identity of the store it is a copy of, which may be mounted again. */
static int give_identity(struct journal *journal)
{
	char id[STORE_ID_BYTES];

	store_id_new(id);
	return journal_set_store(journal, id);
}

int last_run_begin(int store_fd, struct journal *journal, bool fresh, struct last_run *last)
{
	AUTO_FREE char *id = journal_store(journal);
	bool itself = is_itself(store_fd, journal);
	int error = 0;

	if (!itself || (last->known && !fresh && journal_generation(journal) != last->generation))
		last->restored = true;
	if (fresh || last->restored)
		last->seen_until_ms = last->crash_ms = 0;
	if (!itself)
		log_warn("the store is a copy, was put back from a backup, or comes from another "
			 "machine or user: what it would submit is held");
	else if (last->restored)
		log_warn("the journal is not the one the last run left: what it would submit is "
			 "held");
	else if (last->crash_ms)
		log_info("the last run did not end cleanly; going on where it was");
	if (!id || !itself)
		error = give_identity(journal);
	if (!error)
		error = raise_generation(store_fd, journal, "running");
	if (error)
		log_error("cannot write in the store: %s", strerror(-error));
	return error;
}

void last_run_end(int store_fd, struct journal *journal)
{
	int error = raise_generation(store_fd, journal, "ended");

	if (error)
		log_warn("the store could not be marked as left in order: %s", strerror(-error));
}
