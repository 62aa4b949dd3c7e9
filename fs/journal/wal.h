/*
 * wal.h - whether SQLite's write-ahead log still holds what was committed to it.
 * SQLite takes the frames up to the first bad one for the log, and says nothing
 * of those behind it: for a log cut off by a loss of power that is right, for a
 * damaged one the newest commits are gone, and with them what was paid for. The
 * formats are those of sqlite.org/fileformat2.html 4 and sqlite.org/walformat.html.
 * Before the journal is opened. Any thread.
 */
#ifndef KINOFS_JOURNAL_WAL_H
#define KINOFS_JOURNAL_WAL_H

#include <stdbool.h>

/* path: of the journal, whose log is PATH-wal. False only when commits are known to be lost; a log
 * that is not there, or cannot be read, lost nothing that anybody knows of. */
bool wal_is_whole(const char *path);

#endif
