/*
 * media_field.h - fields that name a picture, a film or a sound: a link, a data:
 * URI or a path in the mount. Pure but for libmagic, any thread.
 */
#ifndef KINOFS_SPEC_MEDIA_FIELD_H
#define KINOFS_SPEC_MEDIA_FIELD_H

#include "spec/check.h"

/* "JPEG, PNG, WebP"; returns words. */
const char *media_types(const struct model_field *field, char words[200]);

/* Whether the field takes files of this type. */
bool media_takes(const struct model_field *field, const char *type);
/* What a frame of a film is made into for the field: "image/png", which loses nothing, or
 * "image/jpeg". NULL: it takes neither. */
const char *media_frame_type(const struct model_field *field);

/* The place for the last frame of a film beside the spec, NAME.mp4: that of the picture that the
 * video begins with, in a model that takes no films. Any number of pictures are to go by, not to
 * begin with. NULL: a film is no picture there. */
const struct model_slot *media_frame_slot(const struct model *model);

/* Judges the text where check is; a local path goes to check's list of files. 0 or -ENOMEM. */
int media_check(struct check *check, const struct model_field *field, const cJSON *value);

/* Whether a text that may be the id of a task is the path of a result: it has a slash, or the
 * suffix of a picture, film or sound. */
bool result_is_named(const char *text);
/* As media_check(), of a text that is a path. */
int media_check_path(struct check *check, const struct model_field *field, const cJSON *value);

#endif
