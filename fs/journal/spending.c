#include "fs/journal/spending.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/quote.h"
#include "fs/journal/view_inside.h"

#include <errno.h>
#include <time.h>

#define DAY_BYTES 32 /* "2026-11-26", and room for any number */

static void local_time(int64_t wall_ms, struct tm *parts)
{
	time_t seconds = (time_t)(wall_ms / 1000);

	(void)localtime_r(&seconds, parts); /* fails only for years that no int holds */
}

static int month_of(int64_t wall_ms)
{
	struct tm parts = {.tm_mday = 1};

	local_time(wall_ms, &parts);
	return (parts.tm_year + 1900) * 100 + parts.tm_mon + 1;
}

int64_t spending_month_begins_ms(int month)
{
	struct tm first = {.tm_year = month / 100 - 1900,
		.tm_mon = month % 100 - 1,
		.tm_mday = 1,
		.tm_isdst = -1};

	return (int64_t)mktime(&first) * 1000;
}

int spending_this_month(void)
{
	return month_of(clock_wall_ms());
}

int spending_month_after(int month)
{
	return month % 100 == 12 ? month + 100 - 11 : month + 1;
}

int spending_first_month(struct view *view)
{
	const int now = spending_this_month();
	sqlite3_stmt *statement;
	int64_t first_ms = 0;
	int first;

	pthread_mutex_lock(&view->lock);
	statement = journal_use(&view->journal, FIRST_SUBMITTED);
	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		first_ms = sqlite3_column_int64(statement, 0);
	if (statement)
		(void)sqlite3_reset(statement); /* repeats the step's result */
	pthread_mutex_unlock(&view->lock);
	first = first_ms > 0 ? month_of(first_ms) : now;
	return first < now ? first : now; /* a clock that was set back */
}

/* A row of SPENT, in the order of its columns. */
static cJSON *entry_of(sqlite3_stmt *statement)
{
	AUTO_FREE char *day = journal_column_text(statement, 0);
	AUTO_FREE char *model = journal_column_text(statement, 1);
	AUTO_FREE char *folder = journal_column_text(statement, 2);
	static const char *const numbers[] = {
		"orders", "estimated_credits", "taken_credits", "unsaid_orders", "unsaid_credits"};
	cJSON *entry = day && model && folder ? cJSON_CreateObject() : NULL;

	cJSON_AddStringToObject(entry, "day", day);
	cJSON_AddStringToObject(entry, "model", model);
	cJSON_AddStringToObject(entry, "folder", folder);
	if (sqlite3_column_type(statement, 3) != SQLITE_NULL)
		cJSON_AddNumberToObject(entry, "uid", (double)sqlite3_column_int64(statement, 3));
	for (int i = 0; i < (int)(sizeof(numbers) / sizeof(*numbers)); i++)
		cJSON_AddNumberToObject(entry, numbers[i], sqlite3_column_double(statement, 4 + i));
	quote_json(entry);
	return entry;
}

static int read_orders(struct view *view, int month, cJSON *orders)
{
	sqlite3_stmt *statement = journal_use(&view->journal, SPENT);
	int result = SQLITE_ROW, error = 0;

	if (!statement || !orders)
		return orders ? -EIO : -ENOMEM;
	(void)sqlite3_bind_int64(
		statement, 1, spending_month_begins_ms(month)); /* a number always fits */
	(void)sqlite3_bind_int64(
		statement, 2, spending_month_begins_ms(spending_month_after(month)));
	while (!error && (result = sqlite3_step(statement)) == SQLITE_ROW)
		if (!cJSON_AddItemToArray(orders, entry_of(statement)))
			error = -ENOMEM;
	(void)sqlite3_reset(statement); /* or it would hold on to what it saw */
	(void)sqlite3_clear_bindings(statement);
	return error || result == SQLITE_DONE ? error : -EIO;
}

int64_t view_version(struct view *view)
{
	sqlite3_stmt *statement = journal_use(&view->journal, DATA_VERSION);
	int64_t version = -1;

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int64(statement, 0);
	if (statement)
		(void)sqlite3_reset(statement); /* repeats the step's result */
	return version;
}

/* As long as nothing is written they are read once: a look at a file asks for its size, too. What
 * is written in between makes the next look read them again. */
static int look_at_month(struct view *view, int month)
{
	const int64_t version = view_version(view);
	cJSON *orders;
	int error;

	if (version >= 0 && view->spent.month == month && view->spent.version == version)
		return 0;
	orders = cJSON_CreateArray();
	error = read_orders(view, month, orders);
	if (error) {
		cJSON_Delete(orders);
		return error;
	}
	cJSON_Delete(view->spent.orders);
	view->spent.month = month;
	view->spent.version = version;
	view->spent.orders = orders;
	return 0;
}

int spending_of_month(struct view *view, int month, cJSON *object)
{
	char text[DAY_BYTES];
	struct tm now = {.tm_mday = 1};
	cJSON *orders = NULL;
	int error;

	(void)snprintf(text, sizeof(text), "%04d-%02d", month / 100, month % 100);
	cJSON_AddStringToObject(object, "month", text);
	local_time(clock_wall_ms(), &now);
	(void)strftime(text, sizeof(text), "%Y-%m-%d", &now); /* always fits */
	cJSON_AddStringToObject(object, "today", text);
	pthread_mutex_lock(&view->lock);
	error = look_at_month(view, month);
	if (!error)
		orders = cJSON_Duplicate(view->spent.orders, true);
	pthread_mutex_unlock(&view->lock);
	if (!error && !cJSON_AddItemToObject(object, "orders", orders)) {
		cJSON_Delete(orders);
		error = -ENOMEM;
	}
	return error;
}
