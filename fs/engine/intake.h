/*
 * intake.h - what the mount tells the engine about the tree. All functions
 * here may be called by any FUSE thread: they copy the path, queue it for the
 * engine and return; they never wait for it, but for intake_check(), which
 * reads one local file. What no job can be waiting for costs a look at its name.
 *
 * Paths are relative to the mount, without a leading slash. at_ms is when it happened, by
 * clock_wall_ms(): never later than the moment from which a look finds the file without a writer.
 */
#ifndef KINOFS_ENGINE_INTAKE_H
#define KINOFS_ENGINE_INTAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct inbox;
struct engine_setup;
struct intake;
struct model_set;

/* NULL: the reason is logged. What is given must outlive it. */
struct intake *intake_new(struct inbox *inbox, const struct engine_setup *setup);
void intake_free(struct intake *intake);

/* The engine's: whether a job may be waiting for any file, so that all are told. Set before its
 * files are looked at: a file closed before that is seen there, one closed later is told. */
void intake_await(struct intake *intake, bool any);
/* The engine's: whether this file had a writer in an earlier run who never closed it, and none
 * since. */
bool intake_is_cut_off(struct intake *intake, ino_t ino);

/* Someone begins to write to a file (by its inode number in the store) that may become part of a
 * job: a number for intake_written(), to be called after intake_changed(). Until then the file is
 * not whole, in the run after a crash neither. */
int intake_writing(struct intake *intake, ino_t ino);
void intake_written(struct intake *intake, int number);

/* The bytes of a file are complete: its last writable handle was closed after a write or a
 * truncation, or a file nobody is writing was renamed or linked to this name. */
void intake_changed(struct intake *intake, const char *path, int64_t at_ms);
/* On a mount that others use too: a file has another owner, or mode. */
void intake_owner(struct intake *intake, const char *path);
/* A name is gone: unlinked, or replaced or emptied of its file by a rename. */
void intake_removed(struct intake *intake, const char *path, int64_t at_ms);
/* A file or folder has another name now. For a file nobody is writing, and for folders. */
void intake_moved(struct intake *intake, const char *from, const char *to, int64_t at_ms);

/* Whether a file of this path is judged at all. */
bool intake_checks(struct intake *intake, const char *path);
/* Judges what is in fd as the file `path`: 0, or -EINVAL for bytes that can never become a job.
 * Empty and scratch files, ordinary files and files outside input folders are fine. */
int intake_check(struct intake *intake, const char *path, int fd);

#endif
