/*
 * picture.h - what a picture field may say: an http(s) URL, a path inside the
 * mount, or (some APIs) a data URI. Pure but for libmagic, any thread.
 */
#ifndef KINOFS_SPEC_PICTURE_H
#define KINOFS_SPEC_PICTURE_H

#include "spec/check.h"

/* Judges the text in a picture field; a local path is added to check->picture. 0 or -ENOMEM. */
int picture_check(struct check *check, const struct model_field *field, const cJSON *value);

/* "JPEG, PNG, WebP", for messages and README.txt; returns words. */
const char *picture_types(const struct model_field *field, char words[200]);

#endif
