/* card.h - a take as gallery.html shows it: what a person wants to know, and links. Pure; any
 * thread may call. */
#ifndef KINOFS_JOURNAL_CARD_H
#define KINOFS_JOURNAL_CARD_H

#include "fs/journal/gallery.h"
#include "spec/model.h"

/* What the page reads (fs/mount/gallery/store.js). model: the row's, or NULL when its file is gone.
 * mountpoint: where commands are to find it. The caller deletes; NULL: no memory. */
cJSON *card_make(
	const struct gallery_take *take, const struct model *model, const char *mountpoint);

#endif
