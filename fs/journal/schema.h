/* schema.h - the tables of the journal, and how an older format becomes the present one. */
#ifndef KINOFS_JOURNAL_SCHEMA_H
#define KINOFS_JOURNAL_SCHEMA_H

#include "spec/model.h"

#include <sqlite3.h>

#define JOURNAL_VERSION 3 /* PRAGMA user_version; a higher one was written by a newer kinofs */

/*
 * Gives an empty file (version 0) its tables, and those of an older kinofs what they lack: all of
 * it, or after a crash nothing. The index of orders is built from the requests that were sent; of a
 * model that is not among these it cannot be. 0 or an SQLite error.
 */
int schema_upgrade(sqlite3 *db, int version, const struct model_set *models);

#endif
