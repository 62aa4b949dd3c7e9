#include "fs/mount/report.h"

#include "fs/base/log.h"
#include "fs/engine/intake.h"

#include <stdlib.h>
#include <string.h>

struct report {
	TAILQ_ENTRY(report) next;
	enum report_kind kind;
	int64_t at_ms;
	const char *to; /* behind path */
	char path[];
};

void reports_init(struct reports *reports)
{
	pthread_mutex_init(&reports->lock, NULL);
	pthread_mutex_init(&reports->order, NULL);
	TAILQ_INIT(&reports->queue);
}

static struct report *take_first(struct reports *reports)
{
	struct report *report;

	pthread_mutex_lock(&reports->lock);
	report = TAILQ_FIRST(&reports->queue);
	if (report)
		TAILQ_REMOVE(&reports->queue, report, next);
	pthread_mutex_unlock(&reports->lock);
	return report;
}

void reports_clear(struct reports *reports)
{
	struct report *report;

	while ((report = take_first(reports)))
		free(report);
	pthread_mutex_destroy(&reports->lock);
	pthread_mutex_destroy(&reports->order);
}

void report_note(struct reports *reports, enum report_kind kind, const char *path, const char *to,
	int64_t at_ms)
{
	size_t path_bytes = strlen(path) + 1, to_bytes = to ? strlen(to) + 1 : 0;
	struct report *report = malloc(sizeof(*report) + path_bytes + to_bytes);

	if (!report) {
		log_error("no memory: a change of %s goes unnoticed until the next start", path);
		return;
	}
	report->kind = kind;
	report->at_ms = at_ms;
	report->to = to ? report->path + path_bytes : NULL;
	memcpy(report->path, path, path_bytes);
	if (to)
		memcpy(report->path + path_bytes, to, to_bytes);
	pthread_mutex_lock(&reports->lock);
	TAILQ_INSERT_TAIL(&reports->queue, report, next);
	pthread_mutex_unlock(&reports->lock);
}

static void tell(struct intake *intake, const struct report *report)
{
	int64_t at_ms = report->at_ms;

	switch (report->kind) {
	case REPORT_CHANGED: intake_changed(intake, report->path, at_ms); break;
	case REPORT_REMOVED: intake_removed(intake, report->path, at_ms); break;
	case REPORT_OWNER: intake_owner(intake, report->path); break;
	case REPORT_MOVED: intake_moved(intake, report->path, report->to, at_ms); break;
	}
}

void reports_tell(struct reports *reports, struct intake *intake)
{
	struct report *report;

	pthread_mutex_lock(&reports->order);
	while ((report = take_first(reports))) {
		tell(intake, report);
		free(report);
	}
	pthread_mutex_unlock(&reports->order);
}
