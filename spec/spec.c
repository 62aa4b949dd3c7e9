#include "spec/spec.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "spec/address.h"
#include "spec/body.h"
#include "spec/build.h"
#include "spec/json_text.h"
#include "spec/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

cJSON *spec_input(const struct model *model, cJSON *body)
{
	return model->wrapped ? json_get(body, "input") : body;
}

/* Takes over the local files named at an address or inside it. */
static int take_files(struct spec *spec, struct check *check, const char *above)
{
	for (size_t i = 0; i < check->count; i++) {
		struct spec_file *file = &check->item[i];

		if (!file->path || !address_is_within(file->address, above))
			continue;
		if (ARRAY_ROOM(spec->file, spec->nfiles, spec->room) < 0)
			return -ENOMEM;
		spec->file[spec->nfiles++] = (struct spec_file){
			file->field, TAKE(file->address), TAKE(file->path), file->frame};
	}
	return 0;
}

/* Reads one document into a body. *body NULL: it is unreadable, and a problem says why. */
static int read_document(
	struct build *build, struct check *check, const char *text, size_t bytes, cJSON **body)
{
	int error = json_read(text, bytes, LIMIT_SPEC_BYTES, check->file, build->problems, body);

	if (error == 0)
		error = body_make(check, body);
	if (error == 0)
		return 0;
	cJSON_Delete(*body);
	*body = NULL;
	build->unreadable = true;
	return error == -EINVAL ? 0 : error;
}

static int add_json(struct build *build)
{
	struct check check = {
		.model = build->model, .problems = build->problems, .dir = build->source->dir};
	int error = 0;

	if (build->source->json)
		error = read_document(build, &check, build->source->json, build->source->json_bytes,
			&build->spec->body);
	if (error == 0 && !build->spec->body) {
		build->spec->body = body_empty(build->model);
		error = build->spec->body ? 0 : -ENOMEM;
	}
	if (error == 0)
		error = take_files(build->spec, &check, "");
	build->spec->takes = check.takes;
	check_clear(&check);
	return error;
}

/* Puts what a file gave where its field is, and judges it; the caller's value is taken over. */
int build_put(struct build *build, const struct model_field *field, cJSON *value)
{
	struct check check = {
		.model = build->model, .problems = build->problems, .dir = build->source->dir};
	int error = address_put(build_input(build), field->address, value);

	if (error == 0)
		error = check_at(&check, build_input(build), field);
	if (error == 0)
		error = take_files(build->spec, &check, field->address);
	check_clear(&check);
	return error;
}

/* The text of a prompt file: CRLF made LF, white space at the end dropped. NULL: no memory. */
static char *prompt_text(const char *bytes, size_t count)
{
	char *text = malloc(count + 1);
	size_t used = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != '\r' || i + 1 == count || bytes[i + 1] != '\n')
			text[used++] = bytes[i];
	while (used > 0 && strchr(" \t\r\n\v\f", text[used - 1]))
		used--;
	text[used] = '\0';
	return text;
}

static int add_prompt(struct build *build)
{
	const struct model_field *field = build->model->prompt;
	const char *bytes = build->source->prompt;
	size_t count = build->source->prompt_bytes;
	AUTO_FREE char *text = NULL;

	if (!bytes)
		return 0;
	if (!field) {
		problems_add(build->problems, "prompt",
			"%s takes no prompt; move the text file away", build->model->id);
		return 0;
	}
	if (address_get(build_input(build), field->address))
		return 0;
	if (utf8_check(&bytes, &count, LIMIT_SPEC_BYTES, NULL, field->address, build->problems)) {
		build->unreadable = true;
		return 0;
	}
	text = prompt_text(bytes, count);
	if (!text)
		return -ENOMEM;
	if (*text)
		return build_put(build, field, cJSON_CreateString(text));
	build->unreadable = true;
	problems_add(build->problems, field->address, "the prompt file is empty; say in it %s",
		makes_wish(build->model->results));
	return 0;
}

/* Appends what the spec does not say itself: whole fields, but objects member by member. */
static int merge(struct build *build, struct check *check, const struct model_field *object,
	cJSON *into, cJSON *from)
{
	int error = 0;

	for (cJSON *item = from ? from->child : NULL, *next; item && !error; item = next) {
		const struct model_field *field =
			object ? field_member(object, item->string) : NULL;
		cJSON *there = json_get(into, item->string);

		next = item->next;
		if (there && field && field->type == FIELD_OBJECT)
			error = merge(build, check, field, there, item);
		if (there)
			continue;
		(void)cJSON_DetachItemViaPointer(from, item); /* item itself */
		(void)cJSON_InsertItemInArray(
			into, cJSON_GetArraySize(into), item); /* keeps name */
		if (field)
			error = take_files(build->spec, check, field->address);
	}
	return error;
}

static int add_defaults(struct build *build)
{
	const struct spec_source *source = build->source;
	const char *path = source->defaults_path ? source->defaults_path : "defaults.json";
	AUTO_FREE char *dir = strndup(path, (size_t)(path_last(path) - path));
	struct check check = {
		.model = build->model, .problems = build->problems, .file = path, .dir = dir};
	AUTO_JSON cJSON *body = NULL;
	int error;

	if (!source->defaults)
		return 0;
	if (!dir)
		return -ENOMEM;
	error = read_document(build, &check, source->defaults, source->defaults_bytes, &body);
	if (error == 0 && body) {
		error = merge(build, &check, &build->model->root, build_input(build),
			spec_input(build->model, body));
		if (!error && build->model->wrapped)
			error = merge(build, &check, NULL, build->spec->body, body);
	}
	if (!build->spec->takes)
		build->spec->takes = check.takes;
	check_clear(&check);
	return error;
}

/* ------------------------------------------------------------------ the whole */

static int compare_files(const void *left, const void *right)
{
	const struct spec_file *a = left, *b = right;

	if (a->field->order != b->field->order)
		return a->field->order < b->field->order ? -1 : 1;
	return strverscmp(a->address, b->address);
}

/* A required field is sent with its default; in an object that is not there, when that is required
 * itself. */
static int add_required(const struct model_field *object, cJSON *input)
{
	int error = 0;

	for (size_t i = 0; i < object->nfield && !error; i++) {
		const struct model_field *field = &object->field[i];
		cJSON *there = json_get(input, field->name);

		if (!there && field->required && field->fallback)
			error = address_put(
				input, field->name, cJSON_Duplicate(field->fallback, true));
		else if (!there && field->required && field->type == FIELD_OBJECT)
			error = (there = cJSON_AddObjectToObject(input, field->name)) ? 0 : -ENOMEM;
		if (!error && there && field->type == FIELD_OBJECT && cJSON_IsObject(there))
			error = add_required(field, there);
		for (cJSON *item = there && field->type == FIELD_LIST &&
		                                   field->field->type == FIELD_OBJECT
		                           ? there->child
		                           : NULL;
			item && !error; item = item->next)
			if (cJSON_IsObject(item))
				error = add_required(field->field, item);
	}
	return error;
}

/* Model defaults count only for a whole job: another file may still say otherwise. */
static int judge_rules(const struct build *build, struct problems *missing)
{
	AUTO_JSON cJSON *effective = NULL;

	if (!build->model->rules)
		return 0;
	if (!missing) {
		rules_judge(build->model, NULL, build_input(build), build->problems, NULL);
		return 0;
	}
	effective = spec_effective(build->model, build->spec->body);
	if (!effective)
		return -ENOMEM;
	rules_judge(build->model, effective, build_input(build), build->problems, missing);
	return 0;
}

int spec_build(const struct model *model, const struct spec_source *source, struct spec *spec,
	struct problems *problems, struct problems *missing)
{
	struct build build = {model, source, spec, problems, false};
	int error;

	*spec = (struct spec){0};
	error = add_json(&build);
	if (error == 0)
		error = add_prompt(&build);
	if (error == 0)
		error = beside_add(&build, missing);
	if (error == 0)
		error = add_defaults(&build);
	if (error == 0)
		error = add_required(&model->root, build_input(&build));
	if (!spec->takes)
		spec->takes = 1;
	if (spec->nfiles)
		qsort(spec->file, spec->nfiles, sizeof(*spec->file), compare_files);
	if (error == 0)
		error = judge_rules(&build, missing);
	if (error == 0 && missing && !build.unreadable)
		missing_find(&build, missing);
	return error;
}

void spec_clear(struct spec *spec)
{
	for (size_t i = 0; i < spec->nfiles; i++) {
		free(spec->file[i].address);
		free(spec->file[i].path);
	}
	free(spec->file);
	cJSON_Delete(spec->body);
	*spec = (struct spec){0};
}

int spec_set_string(const struct model *model, cJSON *body, const char *address, const char *value)
{
	return address_put(spec_input(model, body), address, cJSON_CreateString(value));
}

static int add_fallbacks(const struct model_field *object, cJSON *input)
{
	int error = 0;

	for (size_t i = 0; i < object->nfield && !error; i++) {
		const struct model_field *field = &object->field[i];
		cJSON *there = json_get(input, field->name);

		if (!there && field->fallback)
			error = address_put(
				input, field->name, cJSON_Duplicate(field->fallback, true));
		else if (there && field->type == FIELD_OBJECT)
			error = add_fallbacks(field, there);
	}
	return error;
}

cJSON *spec_effective(const struct model *model, const cJSON *body)
{
	const cJSON *input = model->wrapped ? json_get(body, "input") : body;
	AUTO_JSON cJSON *effective = cJSON_Duplicate(input, true);

	if (!effective || add_fallbacks(&model->root, effective) < 0)
		return NULL;
	return TAKE(effective);
}
