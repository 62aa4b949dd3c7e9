#include "fs/journal/salvage.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/journal/schema.h"
#include "fs/journal/statements.h"
#include "fs/journal/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define NEW      "-new"     /* being filled; whole once MARK is there */
#define MARK     "-salvage" /* the name under which the damaged one is kept */
#define LOST_MAX 1000000    /* ids tried one by one; more of them are none */
#define GONE_MAX "1000"     /* takes of which nothing is known: no cap lets as many through */

#define PLACE(name, kind, member, needed) ", ?"

static const char put_row[] = "INSERT OR IGNORE INTO job (" JOURNAL_COLUMNS
			      ", request) VALUES (?, ?" JOURNAL_ROW(PLACE) ", ?)";

/* Those of a kinofs from before they had rights too: a damaged file is not upgraded first. */
#define ROWS_OF(table)                                                                             \
	"SELECT " JOURNAL_COLUMNS ", request FROM " table " WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
static const char rows_now[] = ROWS_OF("job");
static const char rows_before_rights[] = ROWS_OF("(SELECT *, NULL AS rights FROM job)");

struct transfer {
	sqlite3 *from, *to;
	sqlite3_stmt *rows, *put, *lose;
	int64_t last_id;
	bool tail_known; /* that there were no later ones */
	int error;       /* SQLite's, of the new journal */
	struct salvage *result;
};

/* ------------------------------------------------------------------ rows */

static void copy_row(struct transfer *transfer, int64_t id)
{
	int columns = sqlite3_column_count(transfer->rows);

	for (int i = 0; i < columns && !transfer->error; i++)
		transfer->error = sqlite3_bind_value(
			transfer->put, i + 1, sqlite3_column_value(transfer->rows, i));
	if (!transfer->error && sqlite3_step(transfer->put) != SQLITE_DONE)
		transfer->error = sqlite3_errcode(transfer->to);
	(void)sqlite3_reset(transfer->put); /* repeats the step's result */
	if (sqlite3_changes(transfer->to) == 1) {
		transfer->result->read++;
	} else { /* what must be there is not */
		(void)sqlite3_bind_int64(transfer->lose, 1, id);
		(void)sqlite3_step(transfer->lose); /* counted conservatively without, too */
		(void)sqlite3_reset(transfer->lose);
	}
}

/* From *id on, as many ids; *id becomes the first that was not read. Whether all were. */
static bool copy_range(struct transfer *transfer, int64_t *id, int64_t count)
{
	int64_t end = *id + count;
	int result;

	(void)sqlite3_bind_int64(transfer->rows, 1, *id);
	(void)sqlite3_bind_int64(transfer->rows, 2, end - 1);
	while ((result = sqlite3_step(transfer->rows)) == SQLITE_ROW && !transfer->error) {
		*id = sqlite3_column_int64(transfer->rows, 0);
		copy_row(transfer, *id);
		++*id;
	}
	(void)sqlite3_reset(transfer->rows); /* repeats the step's result */
	if (result != SQLITE_DONE)
		return false;
	*id = end;
	return true;
}

/* Around each page that cannot be read, by ever smaller steps. */
static void copy_rows(struct transfer *transfer)
{
	int64_t id = 1, step = transfer->last_id, lost = 0;

	while (id <= transfer->last_id && !transfer->error && lost < LOST_MAX) {
		int64_t left = transfer->last_id - id + 1;

		if (copy_range(transfer, &id, step < left ? step : left)) {
			step = step < left ? 2 * step : left;
		} else if (step > 1) {
			step /= 2;
		} else {
			(void)sqlite3_bind_int64(transfer->lose, 1, id++);
			if (sqlite3_step(transfer->lose) != SQLITE_DONE)
				transfer->error = sqlite3_errcode(transfer->to);
			(void)sqlite3_reset(transfer->lose); /* repeats the step's result */
			lost++;
		}
	}
}

/* ------------------------------------------------------------------ what the indexes know */

/* Each row of a query becomes the parameters of a statement. Whether all were read. */
static bool copy_query(struct transfer *transfer, const char *query, const char *put)
{
	sqlite3_stmt *row = NULL, *to = NULL;
	int result = sqlite3_prepare_v2(transfer->from, query, -1, &row, NULL);

	if (sqlite3_prepare_v2(transfer->to, put, -1, &to, NULL) != SQLITE_OK)
		transfer->error = sqlite3_errcode(transfer->to);
	while (result != SQLITE_DONE && !transfer->error &&
		(result = sqlite3_step(row)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(row); i++)
			(void)sqlite3_bind_value(to, i + 1, sqlite3_column_value(row, i));
		if (sqlite3_step(to) != SQLITE_DONE)
			transfer->error = sqlite3_errcode(transfer->to);
		(void)sqlite3_reset(to); /* repeats the step's result */
	}
	(void)sqlite3_finalize(row); /* as above */
	(void)sqlite3_finalize(to);
	return result == SQLITE_DONE;
}

/* From both ends, for one bad page in the middle. Whether all of it was read. */
static bool copy_index(struct transfer *transfer, const char *up, const char *down, const char *put)
{
	return copy_query(transfer, up, put) || copy_query(transfer, down, put);
}

#define KEYS "SELECT id, model, dir, stem, take FROM job INDEXED BY job_key ORDER BY "
#define PUT_KEY                                                                                    \
	"INSERT INTO lost (id, model, dir, stem, take) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS" \
	" (SELECT 1 FROM job WHERE id = ?1) ON CONFLICT (id) DO UPDATE SET"                        \
	" model = ?2, dir = ?3, stem = ?4, take = ?5"
#define ORDERS                                                                                     \
	"SELECT id, order_key FROM job INDEXED BY job_order WHERE order_key IS NOT NULL"           \
	" ORDER BY order_key"
#define SENT                                                                                       \
	"SELECT id, submitted FROM job INDEXED BY job_submitted WHERE submitted > 0"               \
	" ORDER BY submitted"

/* The takes that were lost come back as far as anything is known of them. What may have been sent
 * counts as sent, and as dear as the dearest. */
static const char put_back[] =
	"INSERT OR IGNORE INTO job (id, model, dir, stem, take, state, hold, note, settling, released,"
	" order_key, progress, estimate, submitted, created, changed, forgotten)"
	" SELECT id, coalesce(model, ''), coalesce(dir, x''), coalesce(stem, x''),"
	" coalesce(take, 1), iif(model IS NULL, 'unknown', '" JOURNAL_UNREAD
	"'), 0, 0, 0, 0, order_key, -1,"
	" iif(submitted = 0, NULL, (SELECT max(coalesce(spent, estimate)) FROM job)),"
	" submitted, ?1, ?1, iif(model IS NULL, ?1, 0) FROM lost;";
/* As many takes as no cap lets through. */
static const char later_ones[] =
	"WITH RECURSIVE later (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM later WHERE n < " GONE_MAX
	") INSERT OR REPLACE INTO lost (id, submitted) SELECT (SELECT max(?2, coalesce((SELECT"
	" max(id) FROM lost WHERE model NOT NULL), 0))) + n, ?1 FROM later";
static const char show_them[] =
	"UPDATE job SET shown = 1 WHERE state = '" JOURNAL_UNREAD
	"' AND NOT EXISTS (SELECT 1 FROM job AS o"
	" WHERE o.model = job.model AND o.dir = job.dir AND o.stem = job.stem AND o.forgotten = 0"
	" AND o.id <> job.id AND (o.shown = 1 OR o.take > job.take));";

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t found = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		found = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return found;
}

/* ?1 is the parameter, ?2 the last id. */
static void run(struct transfer *transfer, const char *sql, int64_t parameter)
{
	sqlite3_stmt *statement = NULL;

	if (transfer->error)
		return;
	if (sqlite3_prepare_v2(transfer->to, sql, -1, &statement, NULL) != SQLITE_OK ||
		(sqlite3_bind_parameter_count(statement) > 0 &&
			sqlite3_bind_int64(statement, 1, parameter) != SQLITE_OK) ||
		(sqlite3_bind_parameter_count(statement) > 1 &&
			sqlite3_bind_int64(statement, 2, transfer->last_id) != SQLITE_OK) ||
		sqlite3_step(statement) != SQLITE_DONE)
		transfer->error = sqlite3_errcode(transfer->to);
	(void)sqlite3_finalize(statement); /* repeats the step's result */
}

static void bring_back(struct transfer *transfer)
{
	const int64_t now = clock_wall_ms();
	bool all_keys = copy_index(transfer, KEYS "model, dir, stem, take",
		KEYS "model DESC, dir DESC, stem DESC, take DESC", PUT_KEY);
	bool all_sent;

	if (all_keys) /* then what is not among them never was */
		run(transfer, "DELETE FROM lost WHERE model IS NULL", 0);
	(void)copy_index(
		transfer, ORDERS, ORDERS " DESC", "UPDATE lost SET order_key = ?2 WHERE id = ?1");
	all_sent = copy_index(
		transfer, SENT, SENT " DESC", "UPDATE lost SET submitted = ?2 WHERE id = ?1");
	run(transfer, "UPDATE lost SET submitted = ?1 WHERE submitted IS NULL", all_sent ? 0 : now);
	run(transfer, "DELETE FROM lost WHERE model IS NULL AND submitted = 0", 0);
	run(transfer,
		"DELETE FROM lost WHERE id IN (SELECT id FROM lost WHERE model IS NULL"
		" LIMIT -1 OFFSET " GONE_MAX ")",
		0);
	if (!transfer->tail_known) {
		run(transfer, later_ones, now);
		transfer->last_id += strtol(GONE_MAX, NULL, 10);
	}
	run(transfer, put_back, now);
	run(transfer, show_them, 0);
	transfer->result->aside =
		number(transfer->to, "SELECT count(*) FROM lost WHERE model NOT NULL");
	transfer->result->gone =
		number(transfer->to, "SELECT count(*) FROM lost WHERE model IS NULL");
}

/* ------------------------------------------------------------------ all of it */

/* The largest id that anything knows of; -1: nothing can be read. */
static int64_t last_id(sqlite3 *from, bool *is_last)
{
	int64_t given = number(from, "SELECT seq FROM sqlite_sequence WHERE name = 'job'");
	int64_t row = number(from, "SELECT max(id) FROM job");
	int64_t key = number(from, "SELECT max(id) FROM (SELECT id FROM job INDEXED BY job_key"
				   " ORDER BY model, dir, stem, take)");
	int64_t largest = given > row ? given : row;

	*is_last = given >= 0 || key >= 0;
	return largest > key ? largest : key;
}

static int copy_all(struct transfer *transfer, bool log_is_whole)
{
	transfer->last_id = last_id(transfer->from, &transfer->tail_known);
	if (transfer->last_id < 0)
		return -EBADMSG;
	transfer->tail_known = transfer->tail_known && log_is_whole;
	if (sqlite3_exec(transfer->to,
		    "BEGIN; CREATE TEMP TABLE lost (id INTEGER PRIMARY KEY, model, dir, stem, take,"
		    " order_key, submitted)",
		    NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(transfer->to, put_row, -1, &transfer->put, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(transfer->to, "INSERT OR IGNORE INTO lost (id) VALUES (?)", -1,
			&transfer->lose, NULL) != SQLITE_OK)
		return -EIO;
	if (sqlite3_prepare_v2(transfer->from, rows_now, -1, &transfer->rows, NULL) != SQLITE_OK &&
		sqlite3_prepare_v2(transfer->from, rows_before_rights, -1, &transfer->rows, NULL) !=
			SQLITE_OK)
		return -EBADMSG;
	copy_rows(transfer);
	bring_back(transfer);
	(void)copy_query(transfer, "SELECT host, sha256, url, at FROM upload",
		"INSERT OR IGNORE INTO upload VALUES (?, ?, ?, ?)");
	(void)copy_query(transfer, "SELECT model, ms, at FROM took ORDER BY rowid",
		"INSERT OR IGNORE INTO took VALUES (?, ?, ?)"); /* half a row may have none */
	(void)copy_query(transfer, "SELECT model, dir, stem, at FROM owed",
		"INSERT OR IGNORE INTO owed VALUES (?, ?, ?, ?)");
	(void)copy_query(transfer, "SELECT one, last FROM event",
		"INSERT OR IGNORE INTO event VALUES (?, ?)");
	(void)copy_query(transfer, "SELECT generation, store FROM run",
		"UPDATE OR IGNORE run SET generation = ?1, store = ?2");
	run(transfer,
		"INSERT OR IGNORE INTO sqlite_sequence (name, seq) SELECT 'job', 0 WHERE NOT"
		" EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job')",
		0);
	run(transfer, "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'job' AND seq < ?1",
		transfer->last_id);
	run(transfer, "COMMIT", 0);
	return transfer->error ? -EIO : 0;
}

static int fill(const char *path, const char *new_path, const struct model_set *models,
	struct salvage *result)
{
	struct transfer transfer = {.result = result};
	int error = -EIO;

	if (sqlite3_open_v2(path, &transfer.from, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
		sqlite3_open_v2(new_path, &transfer.to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			NULL) == SQLITE_OK) {
		(void)sqlite3_db_config(transfer.from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		/* then a file that was cut off is read as far as it goes */
		(void)sqlite3_db_config(transfer.from, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
		error = schema_upgrade(transfer.to, 0, models) == SQLITE_OK
		                ? copy_all(&transfer, wal_is_whole(path))
		                : -EIO;
	}
	if (error == -EIO)
		log_error("%s: %s", new_path, sqlite3_errmsg(transfer.to));
	(void)sqlite3_finalize(transfer.rows); /* repeat old results */
	(void)sqlite3_finalize(transfer.put);
	(void)sqlite3_finalize(transfer.lose);
	(void)sqlite3_close(transfer.from); /* nothing was changed */
	return sqlite3_close(transfer.to) == SQLITE_OK ? error : -EIO;
}

/* ------------------------------------------------------------------ the files */

/* Unless it was done before. */
static int set_aside(const char *from, const char *to)
{
	struct stat info;

	if (access(to, F_OK) == 0)
		return 0;
	if (stat(from, &info) == 0 && info.st_size == 0) /* of the reading of it */
		return unlink(from) < 0 ? -errno : 0;
	return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

static int sync_folder(const char *path)
{
	AUTO_FREE char *folder = path_folder(path);
	AUTO_FD int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The lock of a store is on its journal's file (fs/serve/store.c), and goes on with the new one. */
static int lock_new(const char *new_path)
{
	int fd = open(new_path, O_RDWR | O_CLOEXEC); /* kept open until the process ends */

	return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int salvage_finish(const char *path)
{
	AUTO_FREE char *mark = format("%s" MARK, path), *new_path = format("%s" NEW, path);
	AUTO_FREE char *log = format("%s-wal", path), *index = format("%s-shm", path);
	AUTO_FREE char *folder = path_folder(path), *name = NULL, *kept = NULL, *kept_log = NULL;
	size_t bytes;
	int error;

	if (!mark || !new_path || !log || !index || !folder)
		return -ENOMEM;
	error = read_whole_at(AT_FDCWD, mark, 4096, &name, &bytes);
	if (error)
		return error == -ENOENT ? 0 : error;
	kept = path_join(folder, name);
	kept_log = kept ? format("%s-wal", kept) : NULL;
	if (!kept_log)
		return -ENOMEM;
	if (access(new_path, F_OK) == 0) {
		error = set_aside(log, kept_log);
		if (!error)
			error = set_aside(path, kept);
		if (!error)
			error = lock_new(new_path);
		if (!error && rename(new_path, path) < 0)
			error = -errno;
		if (!error && unlink(index) < 0 && errno != ENOENT)
			error = -errno;
		if (!error)
			error = sync_folder(path);
	}
	return error || unlink(mark) == 0 ? error : -errno;
}

/* A name nobody has: PATH.damaged-DATE. The caller frees. */
static char *name_kept(const char *path)
{
	const time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm date;
	char text[32] = "";
	char *name;

	if (localtime_r(&now, &date))
		(void)strftime(text, sizeof(text), "%Y-%m-%d-%H%M%S", &date);
	name = format("%s.damaged-%s", path, text);
	for (int i = 2; name && access(name, F_OK) == 0; i++) {
		free(name);
		name = format("%s.damaged-%s.%d", path, text, i);
	}
	return name;
}

static int write_mark(const char *path, const char *kept)
{
	AUTO_FREE char *mark = format("%s" MARK, path);
	AUTO_FREE char *half = format("%s" MARK ".half", path);
	AUTO_FD int fd = half ? open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (!mark || fd < 0 || write(fd, kept, strlen(kept)) != (ssize_t)strlen(kept) ||
		fsync(fd) < 0 || rename(half, mark) < 0)
		return errno ? -errno : -EIO;
	return sync_folder(path);
}

int salvage(const char *path, const struct model_set *models, struct salvage *result)
{
	AUTO_FREE char *new_path = format("%s" NEW, path);
	int error;

	*result = (struct salvage){.kept = name_kept(path)};
	if (!new_path || !result->kept)
		return -ENOMEM;
	if (unlink(new_path) < 0 && errno != ENOENT) /* of one that was cut off */
		return -errno;
	error = fill(path, new_path, models, result);
	if (!error)
		error = write_mark(path, path_last(result->kept));
	if (error) {
		(void)unlink(new_path); /* the next one does */
		return error;
	}
	return salvage_finish(path);
}
