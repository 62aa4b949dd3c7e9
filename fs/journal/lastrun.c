#include "fs/journal/lastrun.h"

#include "fs/base/boot.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/journal/journal.h"
#include "fs/journal/registry.h"
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

/* A run file without the machine's start is of an older kinofs, and nobody knows. */
static bool is_of_this_boot(const char *boot)
{
	char now[BOOT_ID_BYTES];

	return boot_id(now) && !strcmp(now, boot);
}

/* "GENERATION INODE running|ended BOOT" */
static bool read_run_file(int journal_fd, struct last_run *last, uint64_t *inode)
{
	AUTO_FD int fd = openat(journal_fd, RUN_FILE, O_RDONLY | O_CLOEXEC);
	char text[128] = "", word[16] = "", boot[BOOT_ID_BYTES] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	if (sscanf(text, "%" SCNd64 " %" SCNu64 " %15s %39s", &last->generation, inode, word,
		    boot) < 3)
		return false;
	last->ended = !strcmp(word, "ended");
	last->rebooted = !last->ended && !is_of_this_boot(boot);
	return true;
}

/*
 * Whether the journal's file was put there after the crash: it is another
 * file, or it changed although the log that is written before it did not.
 */
static bool was_replaced(int journal_fd, const struct stat *journal, uint64_t inode)
{
	struct stat log;

	if (journal->st_ino != inode || fstatat(journal_fd, JOURNAL_FILE "-wal", &log, 0) < 0)
		return true;
	return stat_ms(&journal->st_ctim) > stat_ms(&log.st_mtim) + CHECKPOINT_MS;
}

void last_run_look(int journal_fd, struct last_run *last)
{
	struct stat journal, run;
	uint64_t inode = 0;

	*last = (struct last_run){0};
	last->known = read_run_file(journal_fd, last, &inode);
	if (fstatat(journal_fd, JOURNAL_FILE, &journal, 0) < 0 || journal.st_size == 0)
		return; /* lost, or never there: last_run_begin() is told */
	last->restored = !last->known;
	if (!last->known)
		return;
	if (last->ended) {
		if (fstatat(journal_fd, RUN_FILE, &run, 0) == 0)
			last->seen_until_ms = stat_ms(&run.st_mtim);
		return;
	}
	last->restored = was_replaced(journal_fd, &journal, inode);
}

/* Replaces the file as a whole, durably. */
static int write_run_file(int journal_fd, int64_t generation, const char *word)
{
	AUTO_FD int fd = -1;
	char text[128], boot[BOOT_ID_BYTES];
	struct stat journal;

	(void)boot_id(boot); /* without it the next start takes it for another */
	if (fstatat(journal_fd, JOURNAL_FILE, &journal, 0) < 0)
		return -errno;
	(void)snprintf(text, sizeof(text), "%" PRId64 " %" PRIu64 " %s %s\n", generation,
		(uint64_t)journal.st_ino, word, boot); /* fits */
	fd = openat(journal_fd, RUN_FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd) < 0 ||
		renameat(journal_fd, RUN_FILE_NEW, journal_fd, RUN_FILE) < 0 ||
		fsync(journal_fd) < 0)
		return -errno;
	return 0;
}

/* The journal first, then what stands in the store, then what stands outside: a crash in between
 * leaves the ones behind older, which at worst holds jobs. */
static int raise_generation(int journal_fd, struct journal *journal, const char *word)
{
	AUTO_FREE char *id = journal_store(journal);
	int64_t generation = journal_generation(journal);
	struct testimony now = {.generation = generation + 1};
	int error = generation < 0 ? -EIO : journal_set_generation(journal, generation + 1);

	if (!error)
		error = write_run_file(journal_fd, generation + 1, word);
	if (!error && id && testimony_take(journal_fd, &now) == 0)
		(void)witness_tell(id, &now); /* logged; a copy may go unnoticed then */
	return error;
}

/* Whether this is the store that its witness knows. One that has no identity yet is new, or was
 * made by an older kinofs. */
static bool is_itself(int journal_fd, struct journal *journal)
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
	return testimony_take(journal_fd, &now) == 0 && testimony_fits(&then, &now);
}

static bool is_apart(const struct run_folders *folders)
{
	return folders->journal_fd != folders->store_fd;
}

/* A journal knows the files of one store; with another's it would judge what is not there. */
static int check_store(const struct run_folders *folders, const char *id)
{
	AUTO_FREE char *where = NULL;
	int count;

	if (!is_apart(folders) || !id || registry_has(folders->store_fd, id))
		return 0;
	count = registry_count(folders->store_fd, &where);
	if (count <= 0) /* it was moved out of the store, perhaps */
		return count;
	log_error("the journal in %s belongs to another store; that of this one is, or was, in %s. "
		  "If it is this store all the same: touch STORE/" REGISTRY "/%s",
		folders->where, where ? where : "a place that cannot be read", id);
	return -EXDEV;
}

/*
 * A journal of its own in a store that others may use too. What another machine has just put into
 * the tree is no drop of ours, so the last moments of a run count only while there is no other. The
 * clock of the store's files is not ours either.
 */
static int enter_store(const struct run_folders *folders, const char *id, struct last_run *last)
{
	struct stat info;
	int error = 0, count;

	if (!registry_has(folders->store_fd, id))
		error = registry_add(folders->store_fd, id, folders->where);
	count = error ? error : registry_count(folders->store_fd, NULL);
	if (count < 0)
		return count;
	if (count > 1) {
		last->crash_ms = 0;
		log_info("the store has %d journals: what those of the others know is held here",
			count);
	}
	(void)snprintf(last->heartbeat, sizeof(last->heartbeat), REGISTRY "/%s", id); /* fits */
	(void)snprintf(last->parts, sizeof(last->parts), "%.8s-", id);
	if (utimensat(folders->store_fd, REGISTRY, NULL, 0) == 0 &&
		fstatat(folders->store_fd, REGISTRY, &info, 0) == 0)
		last->began_ms = stat_ms(&info.st_mtim);
	return 0;
}

/* The last sign of life of a run, or what a run that lies apart has seen last. */
static void read_heartbeat(const struct run_folders *folders, const char *id, struct last_run *last)
{
	AUTO_FREE char *path = NULL;
	struct stat info;

	if (!last->known || last->restored || (last->ended && !is_apart(folders)))
		return;
	path = is_apart(folders) && id ? format(REGISTRY "/%s", id) : strdup("heartbeat");
	last->seen_until_ms = 0;
	if (!path || fstatat(folders->store_fd, path, &info, 0) < 0)
		return;
	last->seen_until_ms = stat_ms(&info.st_mtim);
	if (!last->ended)
		last->crash_ms = last->seen_until_ms;
}

int last_run_begin(const struct run_folders *folders, struct journal *journal, bool fresh,
	struct last_run *last)
{
	AUTO_FREE char *id = journal_store(journal);
	bool itself = is_itself(folders->journal_fd, journal);
	char fresh_id[STORE_ID_BYTES];
	const char *now;
	int error = check_store(folders, id);

	if (error)
		return error;
	read_heartbeat(folders, id, last);
	(void)snprintf(last->heartbeat, sizeof(last->heartbeat), "heartbeat"); /* fits */
	if (journal_was_damaged(journal) || !itself ||
		(last->known && !fresh && journal_generation(journal) != last->generation))
		last->restored = true;
	if (fresh || last->restored)
		last->seen_until_ms = last->crash_ms = 0;
	if (journal_was_damaged(journal))
		log_warn(
			"what the journal would submit is held, for it may have lost what was paid");
	else if (!itself)
		log_warn("the store is a copy, was put back from a backup, or comes from another "
			 "machine or user: what it would submit is held");
	else if (last->restored)
		log_warn("the journal is not the one the last run left: what it would submit is "
			 "held");
	else if (last->rebooted)
		log_info("the machine went down before the last run had ended: what was saved in "
			 "its last moments may be half a file, and is held");
	else if (last->crash_ms)
		log_info("the last run did not end cleanly; going on where it was");
	/* not the identity of the store it is a copy of, which may be mounted again */
	store_id_new(fresh_id);
	now = id && itself ? id : fresh_id;
	error = is_apart(folders) ? enter_store(folders, now, last) : 0;
	if (!error && now == fresh_id)
		error = journal_set_store(journal, fresh_id);
	if (!error)
		error = raise_generation(folders->journal_fd, journal, "running");
	if (error)
		log_error("cannot write in the store: %s", strerror(-error));
	return error;
}

void last_run_end(int journal_fd, struct journal *journal)
{
	int error = raise_generation(journal_fd, journal, "ended");

	if (error)
		log_warn("the store could not be marked as left in order: %s", strerror(-error));
}
