/* numbers.c - what the journal counts: runs and events (journal.h). */
#include "fs/journal/statements.h"

#include <errno.h>

/* The number that a statement reads; none: what it is where there is no row. -1: logged. */
static int64_t only_number(struct journal *journal, enum statement which, int64_t none)
{
	sqlite3_stmt *statement = journal_use(journal, which);
	int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;
	int64_t number = -1;

	if (result == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else if (result == SQLITE_DONE && none >= 0)
		number = none;
	else
		(void)journal_failure(journal, result, journal_sql[which]); /* -1 says it */
	if (statement)
		(void)sqlite3_reset(statement); /* repeats the step's result */
	return number;
}

int64_t journal_generation(struct journal *journal)
{
	return only_number(journal, GENERATION, -1);
}

int64_t journal_last_event(struct journal *journal)
{
	return only_number(journal, LAST_EVENT, 0);
}

static int put_number(struct journal *journal, enum statement which, int64_t number)
{
	sqlite3_stmt *statement = journal_use(journal, which);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, number); /* it always fits */
	return journal_run(journal, which);
}

int journal_set_generation(struct journal *journal, int64_t generation)
{
	return put_number(journal, PUT_GENERATION, generation);
}

int journal_set_last_event(struct journal *journal, int64_t number)
{
	return put_number(journal, PUT_LAST_EVENT, number);
}
