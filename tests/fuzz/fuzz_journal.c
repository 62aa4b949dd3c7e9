/* A row of the journal with any bytes in it: it becomes a job, a record and a note, or is refused.
 */
#include "fs/journal/journal.h"
#include "fs/journal/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 28

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the input into values at 0xfe; the first byte of each says of which kind it is. */
static void bind_values(sqlite3_stmt *row, const uint8_t *data, size_t size)
{
	for (int column = 1; column <= COLUMNS && size; column++) {
		const uint8_t *end = memchr(data, 0xfe, size);
		size_t length = end ? (size_t)(end - data) : size;
		const char *text = (const char *)data + 1;
		int bytes = (int)length - 1;

		if (length && *data % 4 == 0)
			sqlite3_bind_int64(row, column, bytes > 0 ? text[0] : -1);
		else if (length && *data % 4 == 1)
			sqlite3_bind_blob(row, column, text, bytes, SQLITE_STATIC);
		else if (length && *data % 4 == 2)
			sqlite3_bind_double(row, column, bytes > 0 ? text[0] * 1e300 : 0.5);
		else if (length)
			sqlite3_bind_text(row, column, text, bytes, SQLITE_STATIC);
		size -= length + (end ? 1 : 0);
		data += length + (end ? 1 : 0);
	}
}

static void use(struct job *job, const char *request)
{
	cJSON *record = record_full(job, request);
	char *text = cJSON_Print(record);
	char *note = record_note(job) == NOTE_NONE ? NULL : record_note_text(job);

	if (!text) /* a record is JSON whatever the row says */
		abort();
	free(note);
	free(text);
	cJSON_Delete(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static sqlite3 *db;
	sqlite3_stmt *row = NULL;
	struct job *job = NULL;

	if (!db && sqlite3_open(":memory:", &db) != SQLITE_OK)
		abort();
	if (sqlite3_prepare_v2(db, "SELECT ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?",
		    -1, &row, NULL) != SQLITE_OK)
		abort();
	bind_values(row, data, size);
	if (sqlite3_step(row) == SQLITE_ROW)
		job = journal_read_row(row);
	if (job)
		use(job, size > 2 ? "{\"input\":{\"prompt\":\"x\"}}" : NULL);
	job_free(job);
	sqlite3_finalize(row);
	return 0;
}
