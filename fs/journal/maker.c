/* maker.c - which job made a file (journal.h). */
#include "fs/journal/statements.h"

int64_t journal_maker(struct journal *journal, const char *path)
{
	sqlite3_stmt *statement = journal_use(journal, MAKER);
	int64_t id = 0;
	int result;

	if (!statement)
		return 0;
	journal_bind_text(statement, 1, path);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		id = sqlite3_column_int64(statement, 0);
	else if (result != SQLITE_DONE)
		(void)journal_failure(journal, result, journal_sql[MAKER]); /* logged */
	(void)sqlite3_reset(statement); /* repeats the step's result */
	(void)sqlite3_clear_bindings(statement);
	return id;
}
