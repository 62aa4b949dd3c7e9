/* owed.c - names whose note in out/ may not be what their row says (journal.h). */
#include "fs/journal/statements.h"

#include <errno.h>
#include <stdlib.h>

int journal_owe(struct journal *journal, const struct job_key *key, int64_t at_ms)
{
	sqlite3_stmt *statement = journal_use(journal, OWE);

	if (!statement)
		return -EIO;
	journal_bind_key(statement, key);
	(void)sqlite3_bind_int64(statement, 4, at_ms); /* a number always fits */
	return journal_run(journal, OWE);
}

int journal_settle_owed(struct journal *journal, int64_t until_ms)
{
	sqlite3_stmt *statement = journal_use(journal, SETTLE_OWED);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, until_ms); /* a number always fits */
	return journal_run(journal, SETTLE_OWED);
}

static int each_owed(sqlite3_stmt *statement, journal_each_key *each, void *context)
{
	char *model = journal_column_text(statement, 0), *dir = journal_column_text(statement, 1);
	char *stem = journal_column_text(statement, 2);
	const struct job_key key = {model, dir, stem};
	int error = model && dir && stem ? 0 : -ENOMEM;

	if (!error)
		each(context, &key);
	free(model);
	free(dir);
	free(stem);
	return error;
}

int journal_each_owed(struct journal *journal, journal_each_key *each, void *context)
{
	sqlite3_stmt *statement = journal_use(journal, OWED);
	int result = statement ? SQLITE_DONE : SQLITE_ERROR, error = 0;

	while (statement && !error && (result = sqlite3_step(statement)) == SQLITE_ROW)
		error = each_owed(statement, each, context);
	if (!error && result != SQLITE_DONE)
		error = journal_failure(journal, result, journal_sql[OWED]);
	if (statement)
		(void)sqlite3_reset(statement); /* repeats the step's result */
	return error;
}
