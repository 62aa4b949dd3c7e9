/*
 * check.h - values against what their model says of them. Pure, any thread.
 */
#ifndef KINOFS_SPEC_CHECK_H
#define KINOFS_SPEC_CHECK_H

#include "fs/base/limits.h"
#include "spec/spec.h"

/* A document under judgement: a spec, or a defaults.json. */
struct check {
	const struct model *model;
	struct problems *problems;
	const char *file;       /* named behind each problem; NULL: the spec itself */
	const char *dir;        /* what its paths are relative to */
	struct spec_file *item; /* local files found; check_clear() frees them */
	size_t count, room;
	int takes; /* how many takes the document asks for; 0: it does not say */
	struct {
		const char *name; /* NULL: the number in a list */
		size_t number;
	} at[LIMIT_JSON_DEPTH + 1]; /* where in it the judging is */
	size_t depth;
};

void check_clear(struct check *check);

/* Coerces and judges the members of an object; `takes` may be beside them: they are the whole
 * document's fields. 0 or -ENOMEM. */
int check_members(
	struct check *check, cJSON *object, const struct model_field *field, bool is_whole);

/* Coerces and judges what stands at the field's address, which leads through no list. 0 or -ENOMEM.
 */
int check_at(struct check *check, cJSON *input, const struct model_field *field);

/* The address of what is being judged. The caller frees. NULL: no memory. */
char *check_address(const struct check *check);
/* Adds a problem about it. */
void check_problem(const struct check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds the problem that the object has no field of this name, with the nearest one and all others.
 */
void check_unknown(
	struct check *check, const struct model_field *object, const char *name, bool is_whole);

#endif
