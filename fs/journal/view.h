/*
 * view.h - the journal as other threads see it: read-only, always a committed
 * state, never waiting for the engine. Any thread may call; one lock inside.
 */
#ifndef KINOFS_JOURNAL_VIEW_H
#define KINOFS_JOURNAL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct view;

struct record {
	int64_t id;         /* of the job; stable, never reused */
	int64_t changed_ms; /* wall clock */
	char *text;         /* the JSON document; the caller frees */
	char *rights;       /* of its job's files (job.h), or NULL; the caller frees */
	size_t bytes;
};

/* The live record of a job, of the take that is shown (job.h): jobs/[DIR/]STEM.json.
 * 0, -ENOENT, -ENOMEM, -EIO. */
int view_record(struct view *view, const char *model, const char *dir, const char *stem,
	struct record *record);

/* The same of a take by its id; earlier ones stand only in that of the take that is shown. */
int view_take(struct view *view, int64_t id, struct record *record);

/* Records of one folder in order of id, after the id `after` (0: from the start). The callback
 * returns non-zero to stop. 0 or -errno. */
typedef int view_each(void *context, int64_t id, const char *stem);
int view_list(struct view *view, const char *model, const char *dir, int64_t after, view_each *each,
	void *context);
/* Sub-folders (one level, name only) that hold records. each gets id 0. */
int view_list_folders(
	struct view *view, const char *model, const char *dir, view_each *each, void *context);
/* 0 when dir holds records, itself or below; -ENOENT otherwise. "" is always there. */
int view_folder(struct view *view, const char *model, const char *dir);

/* The stem whose record has this name without ".json": itself, or, when it was cut to fit
 * (place_fit()), the whole one. The caller frees. NULL: no memory. */
char *view_whole_stem(struct view *view, const char *model, const char *dir, const char *stem);
/* The same of the name of a result or note, which may have been cut anywhere. */
char *view_cut_stem(struct view *view, const char *model, const char *dir, const char *stem);

/* The rights of a job's files (job.h), as its record has them. The caller frees. NULL: they are not
 * known; *known: whether there is such a record. */
char *view_rights(
	struct view *view, const char *model, const char *dir, const char *stem, bool *known);

/* Whether the journal has the job; true also when it cannot be read, so that nothing looks new. */
bool view_knows(struct view *view, const char *model, const char *dir, const char *stem);

/* .kinofs/jobs.json: every unfinished job and, of the newest 1,000 ended ones, each; of both, what
 * shows() lets pass (NULL: all), which is asked without the lock. The caller frees. */
struct job_row;
typedef bool view_shows(void *context, const struct job_row *row);
int view_jobs(struct view *view, view_shows *shows, void *context, char **text, size_t *bytes);

#endif
