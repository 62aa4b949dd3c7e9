#include "spec/spec.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "spec/body.h"
#include "spec/json_text.h"
#include "spec/value.h"

#include <string.h>

/* A job being put together. */
struct build {
	const struct model *model;
	const struct spec_source *source;
	struct spec *spec;
	struct problems *problems;
	bool unreadable; /* a document is no JSON object: what it would have given is not known */
};

cJSON *spec_input(const struct model *model, cJSON *body)
{
	return model->wrapped ? json_get(body, "input") : body;
}

static cJSON *input_of(const struct build *build)
{
	return spec_input(build->model, build->spec->body);
}

/* Takes the local picture of a field over from the document that named it. */
static void take_picture(struct spec *spec, struct check *check, const struct model_field *field)
{
	for (size_t i = 0; i < check->npictures; i++)
		if (check->picture[i].field == field)
			spec->picture[spec->npictures++] =
				(struct spec_picture){field, TAKE(check->picture[i].path)};
}

static void take_pictures(struct spec *spec, struct check *check)
{
	for (size_t i = 0; i < check->model->nfield; i++)
		take_picture(spec, check, &check->model->field[i]);
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
		take_pictures(build->spec, &check);
	build->spec->takes = check.takes;
	check_clear(&check);
	return error;
}

/* Appends and judges a text that a file gave. */
static int add_text(struct build *build, const struct model_field *field, const char *text)
{
	struct check check = {
		.model = build->model, .problems = build->problems, .dir = build->source->dir};
	cJSON *item = cJSON_AddStringToObject(input_of(build), field->name, text);
	int error = item ? check_value(&check, input_of(build), &item, field) : -ENOMEM;

	if (error == 0)
		take_pictures(build->spec, &check);
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

	if (!bytes || json_get(input_of(build), field->name))
		return 0;
	if (utf8_check(&bytes, &count, LIMIT_SPEC_BYTES, NULL, field->name, build->problems)) {
		build->unreadable = true;
		return 0;
	}
	text = prompt_text(bytes, count);
	if (!text)
		return -ENOMEM;
	if (*text)
		return add_text(build, field, text);
	build->unreadable = true;
	problems_add(build->problems, field->name,
		"the prompt file is empty; say in it what the video shall show");
	return 0;
}

/* How a spec in the job's folder would name the file: "dog.png"; "./a:b.png", so that no name is
 * taken for a link. NULL: no memory. */
static char *name_in_spec(const char *dir, const char *path)
{
	const char *name = path_below(path, dir) ?: path;

	return format("%s%s", strchr(name, ':') ? "./" : "", name);
}

static int add_frame(
	struct build *build, const struct model_field *field, const char *path, const char *which)
{
	AUTO_FREE char *name = NULL;

	if (!path)
		return 0;
	if (!field) {
		problems_add(build->problems, path_last(path),
			"%s takes no %s; move this file away, or into the folder of a model that "
			"does",
			build->model->id, which);
		return 0;
	}
	if (json_get(input_of(build), field->name))
		return 0;
	name = name_in_spec(build->source->dir, path);
	return name ? add_text(build, field, name) : -ENOMEM;
}

/* Appends what the spec does not say itself. */
static void merge(struct build *build, struct check *check, cJSON *into, cJSON *from)
{
	for (cJSON *item = from ? from->child : NULL, *next; item; item = next) {
		const struct model_field *field = model_field(build->model, item->string);

		next = item->next;
		if (json_get(into, item->string))
			continue;
		(void)cJSON_DetachItemViaPointer(from, item); /* item itself */
		(void)cJSON_InsertItemInArray(
			into, cJSON_GetArraySize(into), item); /* keeps name */
		if (field)
			take_picture(build->spec, check, field);
	}
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
		merge(build, &check, input_of(build), spec_input(build->model, body));
		if (build->model->wrapped)
			merge(build, &check, build->spec->body, body);
	}
	if (!build->spec->takes)
		build->spec->takes = check.takes;
	check_clear(&check);
	return error;
}

static void say_missing(
	const struct build *build, const struct model_field *field, struct problems *missing)
{
	const char *stem = build->source->stem ? build->source->stem : "NAME";
	bool first = field == build->model->first_frame;

	if (field == build->model->prompt)
		problems_add(missing, field->name,
			"a prompt is needed: write what the video shall show into %s.txt, or as "
			"\"%s\" in %s.json",
			stem, field->name, stem);
	else if (first || field == build->model->last_frame)
		problems_add(missing, field->name,
			"a %s frame is needed: put %s%s.png (or .jpg, .jpeg, .webp) beside %s.%s, "
			"or name one as \"%s\" in %s.json",
			first ? "first" : "last", stem, first ? "" : ".end", stem,
			build->source->json ? "json" : "txt", field->name, stem);
	else
		problems_add(missing, field->name,
			"is needed: give it in %s.json or in defaults.json", stem);
}

static void find_missing(const struct build *build, struct problems *missing)
{
	for (size_t i = 0; i < build->model->nfield; i++) {
		const struct model_field *field = &build->model->field[i];

		if (field->required && !json_get(input_of(build), field->name))
			say_missing(build, field, missing);
	}
}

/* Model defaults count only for a whole job: another file may still say otherwise. */
static int judge_rules(const struct build *build, bool whole)
{
	AUTO_JSON cJSON *effective = NULL;

	if (!build->model->rules)
		return 0;
	if (!whole) {
		check_rules(build->model, input_of(build), build->problems);
		return 0;
	}
	effective = spec_effective(build->model, build->spec->body);
	if (!effective)
		return -ENOMEM;
	check_rules(build->model, effective, build->problems);
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
		error = add_frame(&build, model->first_frame, source->first_frame, "picture");
	if (error == 0)
		error = add_frame(&build, model->last_frame, source->last_frame, "last frame");
	if (error == 0)
		error = add_defaults(&build);
	if (!spec->takes)
		spec->takes = 1;
	if (error == 0)
		error = judge_rules(&build, missing != NULL);
	if (error == 0 && missing && !build.unreadable)
		find_missing(&build, missing);
	return error;
}

void spec_clear(struct spec *spec)
{
	for (size_t i = 0; i < spec->npictures; i++)
		free(spec->picture[i].path);
	cJSON_Delete(spec->body);
	*spec = (struct spec){0};
}

int spec_set_string(const struct model *model, cJSON *body, const char *field, const char *value)
{
	cJSON *input = spec_input(model, body);
	cJSON *old = json_get(input, field);
	cJSON *text;

	if (!old)
		return cJSON_AddStringToObject(input, field, value) ? 0 : -ENOMEM;
	text = cJSON_CreateString(value);
	if (!text)
		return -ENOMEM;
	value_replace(input, old, text);
	return 0;
}

cJSON *spec_effective(const struct model *model, const cJSON *body)
{
	const cJSON *input = model->wrapped ? json_get(body, "input") : body;
	AUTO_JSON cJSON *effective = cJSON_Duplicate(input, true);

	if (!effective)
		return NULL;
	for (size_t i = 0; i < model->nfield; i++) {
		const struct model_field *field = &model->field[i];
		cJSON *copy;

		if (!field->fallback || json_get(effective, field->name))
			continue;
		copy = cJSON_Duplicate(field->fallback, true);
		if (!copy || !cJSON_AddItemToObject(effective, field->name, copy)) {
			cJSON_Delete(copy);
			return NULL;
		}
	}
	return TAKE(effective);
}
