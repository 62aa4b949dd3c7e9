#include "spec/body.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/text.h"
#include "spec/url.h"

#include <string.h>

cJSON *body_empty(const struct model *model)
{
	AUTO_JSON cJSON *body = cJSON_CreateObject();

	if (!body)
		return NULL;
	if (model->wrapped && (!cJSON_AddStringToObject(body, "model", model->name) ||
				      !cJSON_AddObjectToObject(body, "input")))
		return NULL;
	return TAKE(body);
}

static void check_model(const struct check *check, const cJSON *named)
{
	const struct model *model = check->model;
	char shown[TEXT_SHOWN_BYTES];

	if (!cJSON_IsString(named)) {
		problems_add_in(check->problems, check->file, "model",
			"%s is not possible; allowed: \"%s\"", text_value(named, shown),
			model->name);
		return;
	}
	if (strcmp(named->valuestring, model->name) == 0 ||
		strcmp(named->valuestring, model->id) == 0 ||
		(model->endpoint && strcmp(named->valuestring, model->endpoint) == 0))
		return;
	problems_add_in(check->problems, check->file, "model",
		"%s, but this folder is that of \"%s\"; such a spec belongs in the folder "
		"of its model, %s",
		text_value(named, shown), model->id, shown);
}

static void check_callback(const struct check *check, const cJSON *callback)
{
	char shown[TEXT_SHOWN_BYTES];
	const char *why = cJSON_IsString(callback) ? url_fault(callback->valuestring)
	                                           : "is no http:// or https:// link";

	if (why)
		problems_add_in(check->problems, check->file, "callBackUrl", "%s %s%s",
			text_value(callback, shown), why[0] >= 'a' ? "" : "is no link: ", why);
}

/* Everything beside "input" in a wrapped body. */
static void check_envelope(const struct check *check, const cJSON *body)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, body) {
		if (check->problems->count == LIMIT_PROBLEMS)
			return;
		if (strcmp(item->string, "model") == 0)
			check_model(check, item);
		else if (strcmp(item->string, "callBackUrl") == 0)
			check_callback(check, item);
		else if (field_member(&check->model->root, item->string))
			problems_add_in(check->problems, check->file, item->string,
				"belongs inside \"input\", with the other fields");
		else if (strcmp(item->string, "input") != 0)
			problems_add_in(check->problems, check->file, item->string,
				"no such field; beside \"input\" there are: model, callBackUrl, "
				"takes");
	}
}

static int check_fields(struct check *check, cJSON *input)
{
	if (check->model->wrapped && json_get(input, "takes")) {
		problems_add_in(check->problems, check->file, "takes",
			"belongs beside \"input\", not inside it");
		cJSON_DeleteItemFromObjectCaseSensitive(input, "takes");
	}
	return check_members(check, input, &check->model->root, true);
}

/* Moves a member of a bare input beside the "input" it will stand in. */
static void lift(cJSON *body, cJSON *input, const char *name)
{
	cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(input, name);

	if (item) /* keeps its name; at the front, where the provider's documents have it */
		(void)cJSON_InsertItemInArray(body, 0, item); /* fails only for NULLs */
}

/* Puts a bare input into {"model", "callBackUrl"?, "input"}. */
static int wrap(cJSON **json)
{
	AUTO_JSON cJSON *body = cJSON_CreateObject();

	if (!body || !cJSON_AddItemToObject(body, "input", *json))
		return -ENOMEM;
	lift(body, *json, "callBackUrl");
	lift(body, *json, "model");
	*json = TAKE(body);
	return 0;
}

static int add_model(const struct model *model, cJSON *body)
{
	cJSON *name = json_get(body, "model");

	if (name && (!cJSON_IsString(name) || strcmp(name->valuestring, model->id) != 0))
		return 0;
	cJSON_DeleteItemFromObjectCaseSensitive(body, "model"); /* the provider has its own name */
	if (!cJSON_AddStringToObject(body, "model", model->name))
		return -ENOMEM;
	name = cJSON_DetachItemFromObjectCaseSensitive(body, "model");
	(void)cJSON_InsertItemInArray(body, 0, name); /* fails only for NULLs */
	return 0;
}

static int make_wrapped(struct check *check, cJSON **json)
{
	cJSON *input = json_get(*json, "input");
	char shown[TEXT_SHOWN_BYTES];

	if (input && !cJSON_IsObject(input)) {
		problems_add_in(check->problems, check->file, "input",
			"%s is not possible; allowed: an object with the fields",
			text_value(input, shown));
		return -EINVAL;
	}
	if (!input && wrap(json))
		return -ENOMEM;
	if (add_model(check->model, *json))
		return -ENOMEM;
	check_envelope(check, *json);
	return check_fields(check, json_get(*json, "input"));
}

static int make_flat(struct check *check, cJSON *json)
{
	cJSON *named = cJSON_DetachItemFromObjectCaseSensitive(json, "model");

	if (named)
		check_model(check, named);
	cJSON_Delete(named);
	if (cJSON_IsObject(json_get(json, "input")) &&
		!field_member(&check->model->root, "input")) {
		problems_add_in(check->problems, check->file, "input",
			"this model takes its fields directly, without \"input\" around them");
		return -EINVAL;
	}
	return check_fields(check, json);
}

/* How many takes are wanted: kinofs' own, so no part of the body. */
static void read_takes(struct check *check, cJSON *json)
{
	const cJSON *takes = json_get(json, "takes");
	int64_t count = json_count(json, "takes", LIMIT_TAKES);
	char shown[TEXT_SHOWN_BYTES];

	if (count > 0)
		check->takes = (int)count;
	else if (takes)
		problems_add_in(check->problems, check->file, "takes",
			"%s is not possible; allowed: a whole number from 1 to %d",
			text_value(takes, shown), LIMIT_TAKES);
	cJSON_DeleteItemFromObjectCaseSensitive(json, "takes");
}

static const char *first_name(const struct model *model)
{
	return model->prompt ? model->prompt->name : model->root.field->name;
}

int body_make(struct check *check, cJSON **json)
{
	char shown[TEXT_SHOWN_BYTES];

	if (!cJSON_IsObject(*json)) {
		problems_add_in(check->problems, check->file, NULL,
			"a spec is an object, {\"%s\": …}, not %s", first_name(check->model),
			text_value(*json, shown));
		return -EINVAL;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(*json, "$schema");
	read_takes(check, *json);
	return check->model->wrapped ? make_wrapped(check, json) : make_flat(check, *json);
}
