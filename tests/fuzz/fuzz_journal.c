/* A row of the journal with any bytes in it: it becomes a job, a record and a note, or is refused.
 */
#include "fs/base/cleanup.h"
#include "fs/journal/journal.h"
#include "fs/journal/record.h"
#include "fs/journal/rowjson.h"
#include "fs/journal/statements.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PLACE(name, kind, member, needed) ", ?"

static struct model_set models;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the input into values at 0xfe; the first byte of each says of which kind it is. */
static void bind_values(sqlite3_stmt *row, const uint8_t *data, size_t size)
{
	for (int column = 1; column <= sqlite3_bind_parameter_count(row) && size; column++) {
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

/* What is written of the row again can be read, and says the same. */
static void put_back(const struct job_row *row)
{
	AUTO_FREE char *pictures = pictures_text(row->picture, row->npictures);
	AUTO_FREE char *outputs = outputs_text(row->output, row->noutputs);
	struct picture *picture;
	struct output *output;
	size_t npictures, noutputs;

	if (!pictures_parse(pictures, &picture, &npictures) || npictures != row->npictures)
		abort();
	if (!outputs_parse(outputs, &output, &noutputs) || noutputs != row->noutputs)
		abort();
	pictures_free(picture, npictures);
	outputs_free(output, noutputs);
}

static void use(const struct job_row *row)
{
	const struct model *model = models_find(&models, row->model_id);
	AUTO_JSON cJSON *record = record_full(row, model,
		"{\"model\":\"m\",\"input\":{\"prompt\":\"x\",\"image_url\":\"cat.png\"}}");
	AUTO_FREE char *text = cJSON_Print(record);
	AUTO_FREE char *note = NULL;

	if (!text) /* a record is JSON whatever the row says */
		abort();
	if (record_note(row) != NOTE_NONE)
		note = record_note_text(row);
	put_back(row);
}

/* A row whose every column, id and shown among them, is a parameter. */
static sqlite3_stmt *prepare(void)
{
	static sqlite3 *db;
	sqlite3_stmt *row = NULL;

	if (!db && (sqlite3_open(":memory:", &db) != SQLITE_OK || models_builtin(&models) < 0))
		abort();
	if (sqlite3_prepare_v2(db, "SELECT ?, ?" JOURNAL_ROW(PLACE), -1, &row, NULL) != SQLITE_OK)
		abort();
	return row;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sqlite3_stmt *statement = prepare();
	struct job_row *row = NULL;

	bind_values(statement, data, size);
	if (sqlite3_step(statement) == SQLITE_ROW)
		row = journal_read_row(statement);
	if (row)
		use(row);
	job_row_free(row);
	sqlite3_finalize(statement);
	return 0;
}
