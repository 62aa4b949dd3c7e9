/*
 * record.h - a job in words: the live record in jobs/, and the notes in out/.
 * Pure; any thread may call. The caller frees or deletes; NULL: no memory.
 */
#ifndef KINOFS_JOURNAL_RECORD_H
#define KINOFS_JOURNAL_RECORD_H

#include "fs/journal/job.h"

/* The summary: everything but the request. */
cJSON *record_summary(const struct job *job);
/* The whole record; request: the body as text, or NULL. */
cJSON *record_full(const struct job *job, const char *request);

/* Which note belongs beside the results in this state. */
enum job_note record_note(const struct job *job);
/* "error", "held", "waiting": the part before .txt. */
const char *record_note_suffix(enum job_note note);
/* Reason, money, what to do next: for a person. */
char *record_note_text(const struct job *job);

/* Whether money was spent, in one sentence. The caller frees. */
char *record_money(const struct job *job);

#endif
