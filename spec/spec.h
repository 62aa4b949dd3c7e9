/*
 * spec.h - from what a user dropped to a provider's request body, or to the
 * list of everything that is wrong with it. Pure: bytes in, a body or problems
 * out; fuzzed and unit-tested as it is.
 */
#ifndef KINOFS_SPEC_SPEC_H
#define KINOFS_SPEC_SPEC_H

#include "spec/local.h"
#include "spec/model.h"
#include "spec/problem.h"

/* A file that fills a slot of the model by its name. */
struct spec_beside {
	char *path;                    /* relative to the mount */
	const struct model_slot *slot; /* NULL: the model has none for it */
	int number;                    /* 1, but for further files of a numbered slot */
	bool is_end;                   /* its name has a mark of a last frame */
};

/* What a job is made of. Text need not end with NUL. Absent parts are NULL. */
struct spec_source {
	const char *dir;  /* folder of the job's files, relative to the mount: "hailuo/x/summer" */
	const char *stem; /* name of the job, for messages: "dog"; NULL: not known */
	const char *json;
	size_t json_bytes;
	const char *prompt; /* the .txt file */
	size_t prompt_bytes;
	const struct spec_beside *beside; /* files beside them, in order of slot and number */
	size_t nbeside;
	const char *defaults; /* the nearest defaults.json upwards */
	size_t defaults_bytes;
	const char *defaults_path; /* its path, for messages */
};

/* A local file that a request names. */
struct spec_file {
	const struct model_field *field;
	char *address;         /* address.h */
	char *path;            /* relative to the mount, normalised, inside it */
	enum film_frame frame; /* not FRAME_NONE: it is a film, and this picture of it is meant */
};

struct spec {
	cJSON *body; /* the provider's request, keys in the user's order; a field that names a
	                local file still holds the path as the user wrote it */
	struct spec_file *file; /* local files the body names, in the order of the model's fields */
	size_t nfiles, room;
	int takes; /* how many takes of this are wanted, 1 … LIMIT_TAKES; never part of the body */
};

/*
 * Puts a job together: JSON spec, then prompt file, then the files beside them, then
 * defaults, first wins; then required fields get their defaults. Coerces types to what the API
 * wants, validates, and reports everything at once:
 *   problems  what can never be right ("duration": 7 …)
 *   missing   what the job waits for (a required field no file gives yet);
 *             NULL: do not look for missing fields (one file judged by itself)
 * It does not look whether local files exist and are what they should be: the caller does.
 * 0, or -errno: no memory, or files cannot be judged now. With problems the spec may be
 * half-filled; always spec_clear() it.
 */
int spec_build(const struct model *model, const struct spec_source *source, struct spec *spec,
	struct problems *problems, struct problems *missing);
void spec_clear(struct spec *spec);

/* The object that holds the fields: body, or body.input of a wrapped model. */
cJSON *spec_input(const struct model *model, cJSON *body);

/* Sets the text at an address of the input (the URL of an uploaded file), keeping its place. 0 or
 * -ENOMEM. */
int spec_set_string(const struct model *model, cJSON *body, const char *address, const char *value);

/* A copy of the input with the model's defaults filled in. The caller deletes. NULL: no memory. */
cJSON *spec_effective(const struct model *model, const cJSON *body);

/* Judges a file by its content: bytes[0..have) of a file of size bytes. path is for the message. 0,
 * or -ENOMEM: it is not judged. */
int spec_check_media(const struct model_field *field, const char *path, const void *bytes,
	size_t have, size_t size, struct problems *problems);

/* Judges whether a file is whole, by how its format ends: a copy that broke off must not be paid
 * for. tail: the last tail_bytes of the file, MEDIA_TAIL_BYTES or all of it. */
#define MEDIA_TAIL_BYTES 65536
void spec_check_whole(const char *path, const void *head, size_t head_bytes, const void *tail,
	size_t tail_bytes, size_t size, struct problems *problems);

#endif
