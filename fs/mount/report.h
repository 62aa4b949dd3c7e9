/*
 * report.h - what the mount tells the engine, in the right order.
 *
 * Reports are noted while the names lock is held, so that those of two operations on
 * one file are in the order in which their system calls took effect: a RELEASE holds the
 * lock shared from resolving the path until it is noted, and a rename cannot come between. The
 * calls into the engine are made later, with no lock of the mount held but `order`, which keeps
 * them in the order noted. Before an operation answers, its own reports have been made.
 *
 * at_ms is when it happened, by clock_wall_ms(). For a file that was written it is read before the
 * file stops counting as being written (node_close()), so a look that finds the file without a
 * writer is never older than the report of what it has seen. For everything else it is read after
 * the system call, so a look that is younger than the report has seen it.
 */
#ifndef KINOFS_MOUNT_REPORT_H
#define KINOFS_MOUNT_REPORT_H

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

struct intake;

enum report_kind { REPORT_CHANGED, REPORT_REMOVED, REPORT_MOVED, REPORT_OWNER };

struct report;
struct reports {
	pthread_mutex_t lock;
	TAILQ_HEAD(, report) queue;
	pthread_mutex_t order;
};

void reports_init(struct reports *reports);
void reports_clear(struct reports *reports);
/* Call with the names lock held. to: the new path for REPORT_MOVED, else NULL. */
void report_note(struct reports *reports, enum report_kind kind, const char *path, const char *to,
	int64_t at_ms);
/* Call with no lock held: makes every report noted before this call. */
void reports_tell(struct reports *reports, struct intake *intake);

#endif
