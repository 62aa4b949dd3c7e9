/* uploads.h - which pictures of a job are still to be uploaded (upload.c). Engine thread. */
#ifndef KINOFS_ENGINE_UPLOADS_H
#define KINOFS_ENGINE_UPLOADS_H

#include "fs/engine/jobs.h"

/* The first picture that still needs an upload, or NULL. */
struct picture *upload_next(const struct job *job);
/* Forgets the links of uploads that may have died since, so that these pictures are uploaded again.
 */
void upload_drop_old_links(struct engine *engine, struct job *job);
/* The provider could not use a picture of the job, so a link may have died: the next order of these
 * pictures uploads them anew. */
void upload_forget_links(struct engine *engine, const struct job *job);

/* A file of the job is not what was judged: the job is judged anew; or held, if it is ordered
 * without its files (repeat.h). */
void upload_look_again(struct engine *engine, struct job *job);

#endif
