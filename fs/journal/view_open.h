/* view_open.h - making and ending a view; for main, before and after the threads. */
#ifndef KINOFS_JOURNAL_VIEW_OPEN_H
#define KINOFS_JOURNAL_VIEW_OPEN_H

#include "spec/model.h"

struct view;

/* directory: the store's absolute path, with a journal in it. NULL: the reason is logged. */
struct view *view_open(const char *directory, const struct model_set *models);
void view_close(struct view *view);

#endif
