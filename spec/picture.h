/*
 * picture.h - what a picture field may say: an http(s) URL, a path inside the
 * mount, or (some APIs) a data URI. Pure but for libmagic, any thread.
 */
#ifndef KINOFS_SPEC_PICTURE_H
#define KINOFS_SPEC_PICTURE_H

#include "spec/check.h"

/* Judges the text in a picture field; a local path is added to check->picture. 0 or -ENOMEM. */
int picture_check(struct check *check, const struct model_field *field, const cJSON *value);

/* Why a text is no http(s) URL (static or libcurl's words), or NULL when it is one. */
const char *url_fault(const char *text);

/*
 * The mount-relative path that `path`, written in a file of folder dir, means: "." and ".." are
 * worked out, no file is looked at. 0 with *resolved (the caller frees), -EINVAL with *why
 * (static), -ENOMEM.
 */
int path_resolve(const char *dir, const char *path, char **resolved, const char **why);

/* "JPEG, PNG, WebP", for messages and README.txt; returns words. */
const char *picture_types(const struct model_field *field, char words[200]);

#endif
