/* uploads.h - which pictures of a job are still to be uploaded (upload.c). Engine thread. */
#ifndef KINOFS_ENGINE_UPLOADS_H
#define KINOFS_ENGINE_UPLOADS_H

#include "fs/engine/jobs.h"

/* The first picture that still needs an upload, or NULL. */
struct picture *upload_next(const struct job *job);
/* Forgets the links of uploads that may have died since, so that these pictures are uploaded again.
 */
void upload_drop_old_links(struct engine *engine, struct job *job);

#endif
