#include "fs/journal/sound.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/journal/schema.h"
#include "fs/journal/statements.h"
#include "fs/journal/wal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CHECKED_PAGES 4096 /* 16 MiB */

static bool is_damage(int result)
{
	return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

/* Runs a statement to its end; last: the text in its last row, or NULL. An SQLite result. */
static int run(sqlite3 *db, const char *sql, char **last)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW) {
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW)
			break;
		/* every column, for what lies on pages of its own is read only then */
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			(void)sqlite3_column_blob(statement, i);
		if (last) {
			free(*last);
			*last = journal_column_text(statement, 0);
		}
	}
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return result;
}

static bool is_whole(sqlite3 *db)
{
	AUTO_FREE char *said = NULL;
	int result = run(db, "PRAGMA integrity_check(1)", &said);

	return !is_damage(result) && (!said || !strcmp(said, "ok"));
}

/* What a start reads in any case. */
static bool is_whole_in_parts(sqlite3 *db)
{
	static const char *const parts[] = {
		"SELECT generation, store FROM run",
		"SELECT submitted, task, estimate FROM job WHERE submitted > 0"
		" ORDER BY submitted DESC LIMIT 1000",
		"SELECT request FROM job WHERE " JOURNAL_UNFINISHED,
		NULL,
	};
	bool whole = !is_damage(run(db, journal_sql[UNFINISHED], NULL));

	for (const char *const *part = parts; whole && *part; part++)
		whole = !is_damage(run(db, *part, NULL));
	return whole;
}

static bool is_sound(sqlite3 *db, bool all)
{
	AUTO_FREE char *pages = NULL, *version = NULL;

	/* its last connection would else write the log into the file */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_busy_timeout(db, 5000); /* a backup being taken; 0 means success */
	if (is_damage(run(db, "PRAGMA user_version", &version)) ||
		is_damage(run(db, "PRAGMA page_count", &pages)))
		return false;
	if (all || !pages || strtol(pages, NULL, 10) <= CHECKED_PAGES)
		return is_whole(db);
	return !version || strtol(version, NULL, 10) != JOURNAL_VERSION || is_whole_in_parts(db);
}

bool sound_check(const char *path)
{
	AUTO_FREE char *suspect = format("%s-suspect", path);
	sqlite3 *db = NULL;
	struct stat info;
	bool sound = true;

	if (stat(path, &info) < 0 || info.st_size == 0)
		return true;
	if (!wal_is_whole(path))
		return false;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		sound = is_sound(db, suspect && access(suspect, F_OK) == 0);
	(void)sqlite3_close(db); /* nothing is prepared */
	if (sound && suspect)
		(void)unlink(suspect); /* else the next check takes longer */
	return sound;
}

void sound_suspect(const char *path)
{
	AUTO_FREE char *suspect = format("%s-suspect", path);
	AUTO_FD int fd = suspect ? open(suspect, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		log_warn("the next start will not know that %s is damaged", path);
}
