#include "fs/journal/gallery.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/journal/spending.h"
#include "fs/journal/view_inside.h"

#include <errno.h>

#define PAGE 100 /* takes that are read under one hold of the lock */

/* Where a page of a statement begins, and what it has read. */
struct page {
	enum statement which;
	int64_t at_ms, id, end_ms;
	struct gallery_take take[PAGE];
	size_t count;
};

static void page_clear(struct page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		job_row_free(page->take[i].row);
		free(page->take[i].request);
	}
	page->count = 0;
}
#define AUTO_PAGE __attribute__((cleanup(page_clear)))

/* When such a task usually has ended. */
static int64_t expected_ms(struct view *view, const struct job_row *row)
{
	sqlite3_stmt *statement;
	int64_t at_ms = 0;

	if (row->state != JOB_RUNNING || job_is_stuck(row))
		return 0;
	statement = journal_use(&view->journal, USUALLY_TOOK);
	if (!statement)
		return 0;
	journal_bind_text(statement, 1, row->model_id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		at_ms = row->accepted_ms + sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement); /* repeats the step's result */
	return at_ms;
}

/* One row. What of it cannot be read is not shown. */
static void read_take(struct view *view, sqlite3_stmt *statement, struct page *page)
{
	const int last = sqlite3_column_count(statement) - 1;
	struct gallery_take *take = &page->take[page->count];

	page->id = sqlite3_column_int64(statement, 0);
	page->at_ms = sqlite3_column_int64(statement, last);
	take->row = journal_read_row(statement);
	if (!take->row)
		return;
	take->request = journal_column_text(statement, last - 1);
	take->expected_ms = expected_ms(view, take->row);
	page->count++;
}

/* The next page; *more: there may be another. */
static int read_page(struct view *view, struct page *page, bool *more)
{
	sqlite3_stmt *statement;
	int result = SQLITE_ERROR, rows = 0;

	pthread_mutex_lock(&view->lock);
	statement = journal_use(&view->journal, page->which);
	if (statement) {
		(void)sqlite3_bind_int64(statement, 1, page->at_ms); /* a number always fits */
		(void)sqlite3_bind_int64(statement, 2, page->id);
		(void)sqlite3_bind_int64(statement, 3, page->end_ms);
		(void)sqlite3_bind_int64(statement, 4, PAGE);
		while (rows < PAGE && (result = sqlite3_step(statement)) == SQLITE_ROW) {
			read_take(view, statement, page);
			rows++;
		}
		(void)sqlite3_reset(statement); /* or it would hold on to what it saw */
	}
	pthread_mutex_unlock(&view->lock);
	*more = rows == PAGE;
	return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : -EIO;
}

/* Tells what a statement finds, from the time on, pages at most (0: all). */
static int tell(struct view *view, struct page *page, int pages, gallery_each *each, void *context)
{
	bool more = true;
	int error = 0;

	for (int n = 0; more && !error && (!pages || n < pages); n++) {
		error = read_page(view, page, &more);
		for (size_t i = 0; i < page->count && !error; i++)
			error = each(context, &page->take[i]);
		page_clear(page);
	}
	return error;
}

#define RECENT_PAGES 3

int gallery_now(struct view *view, gallery_each *each, void *context, int64_t *since_ms)
{
	AUTO_PAGE struct page live = {.which = GALLERY_LIVE};
	AUTO_PAGE struct page recent = {
		.which = GALLERY_RECENT, .at_ms = INT64_MAX, .id = INT64_MAX};
	int error = tell(view, &live, 0, each, context);

	if (!error)
		error = tell(view, &recent, RECENT_PAGES, each, context);
	*since_ms = recent.at_ms == INT64_MAX ? 0 : recent.at_ms;
	return error;
}

int gallery_month(struct view *view, int month, gallery_each *each, void *context)
{
	static const enum statement parts[] = {GALLERY_ORDERED, GALLERY_UNSENT};
	const int64_t begin_ms = spending_month_begins_ms(month);
	const int64_t end_ms = spending_month_begins_ms(spending_month_after(month));
	int error = 0;

	for (size_t i = 0; i < COUNT(parts) && !error; i++) {
		AUTO_PAGE struct page page = {
			.which = parts[i], .at_ms = begin_ms, .end_ms = end_ms};

		error = tell(view, &page, 0, each, context);
	}
	return error;
}

int64_t gallery_version(struct view *view)
{
	int64_t version;

	pthread_mutex_lock(&view->lock);
	version = view_version(view);
	pthread_mutex_unlock(&view->lock);
	return version;
}
