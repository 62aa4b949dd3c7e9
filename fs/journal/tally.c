#include "fs/journal/tally.h"

#include "fs/base/clock.h"
#include "fs/journal/spending.h"
#include "fs/journal/view_inside.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int64_t day_begins_ms(void)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm parts;

	(void)localtime_r(&now, &parts); /* fails only for years that no int holds */
	parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
	parts.tm_isdst = -1;
	return (int64_t)mktime(&parts) * 1000;
}

static void add(struct tallies *tallies, const struct tally *more)
{
	size_t i = 0;

	while (i < tallies->count && strcmp(tallies->item[i].provider, more->provider) != 0)
		i++;
	if (i == TALLY_PROVIDERS)
		return; /* more than there can be */
	if (i == tallies->count)
		tallies->item[tallies->count++] = (struct tally){.provider = more->provider};
	tallies->item[i].orders += more->orders;
	tallies->item[i].credits += more->credits;
}

static int read_orders(struct view *view, int64_t from_ms, int64_t until_ms, struct tallies *to)
{
	sqlite3_stmt *statement = journal_use(&view->journal, ORDERED_BY_MODEL);
	int result;

	*to = (struct tallies){0};
	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, from_ms); /* numbers always fit */
	(void)sqlite3_bind_int64(statement, 2, until_ms);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(statement, 0);
		const struct model *model = id ? models_find(view->models, id) : NULL;
		const struct tally more = {.provider = model ? model->provider : "unknown",
			.orders = sqlite3_column_double(statement, 1),
			.credits = sqlite3_column_double(statement, 2)};

		add(to, &more);
	}
	(void)sqlite3_reset(statement); /* or it would hold on to what it saw */
	(void)sqlite3_clear_bindings(statement);
	return result == SQLITE_DONE
	               ? 0
	               : journal_failure(&view->journal, result, journal_sql[ORDERED_BY_MODEL]);
}

/* What was before this month, which as good as never changes. */
static int read_past(struct view *view)
{
	const int month = spending_this_month();
	int error;

	if (view->past.month == month)
		return 0;
	error = read_orders(view, 0, spending_month_begins_ms(month), &view->past.orders);
	if (!error)
		view->past.month = month;
	return error;
}

int tally_orders(struct view *view, enum tally_period period, struct tallies *tallies)
{
	int64_t from_ms = period == TALLY_TODAY ? day_begins_ms()
	                                        : spending_month_begins_ms(spending_this_month());
	int error;

	pthread_mutex_lock(&view->lock);
	error = read_orders(view, from_ms, INT64_MAX, tallies);
	if (!error && period == TALLY_EVER)
		error = read_past(view);
	for (size_t i = 0; !error && period == TALLY_EVER && i < view->past.orders.count; i++)
		add(tallies, &view->past.orders.item[i]);
	pthread_mutex_unlock(&view->lock);
	return error;
}

int tally_unfinished(struct view *view, tally_each *each, void *context)
{
	sqlite3_stmt *statement;
	int result = SQLITE_ERROR;

	pthread_mutex_lock(&view->lock);
	statement = journal_use(&view->journal, UNFINISHED_BY_STATE);
	while (statement && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *model = (const char *)sqlite3_column_text(statement, 0);
		const char *state = (const char *)sqlite3_column_text(statement, 1);

		if (model && state)
			each(context, model, state, sqlite3_column_double(statement, 2));
	}
	if (statement)
		(void)sqlite3_reset(statement); /* or it would hold on to what it saw */
	pthread_mutex_unlock(&view->lock);
	return result == SQLITE_DONE ? 0 : -EIO;
}
