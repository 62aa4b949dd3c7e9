/*
 * record.h - a job in words: the live record in jobs/, and the notes in out/.
 * Pure; any thread may call. The caller frees or deletes; NULL: no memory.
 * Names are told as quote_json() does.
 */
#ifndef KINOFS_JOURNAL_RECORD_H
#define KINOFS_JOURNAL_RECORD_H

#include "fs/journal/job.h"
#include "spec/model.h"

/* The summary: everything but the request. model: the row's, or NULL when its file is gone. */
cJSON *record_summary(const struct job_row *row, const struct model *model);
/* The whole record. request: the body as it was judged, or NULL. In place of a local picture it
 * shows the link of its upload, or a description of its bytes once these were sent. */
cJSON *record_full(const struct job_row *row, const struct model *model, const char *request);

/* Adds when its task is expected to end. ms, wall. */
void record_expect(cJSON *summary, int64_t at_ms);

/* Which note belongs beside the results in this state. */
enum job_note record_note(const struct job_row *row);
/* "error", "held", "waiting", "running": the part before .txt. */
const char *record_note_suffix(enum job_note note);
/* Reason, money, what to do next: for a person. */
char *record_note_text(const struct job_row *row);
/* The same of one that is under way; usual: how long such tasks take, NULL: not known. */
char *record_running_text(const struct job_row *row, const char *usual);

/* Whether money was spent, in one sentence. The caller frees. */
char *record_money(const struct job_row *row);

#endif
