/* catalogue.c - the four calls of the catalogue and their common budget. */
#include "contrib/simulator/catalogue.h"
#include "contrib/simulator/api.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FOLDER         "/api/v1/models/"
#define BUCKETS        3 /* of at most 144 */
#define BUCKET_SECONDS 600

static cJSON *file;    /* --catalogue, or NULL */
static cJSON *entries; /* a list; belongs to file where there is one */

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static const cJSON *find_entry(const char *name)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, entries)
		if (!strcmp(text_of(entry, "model"), name))
			return entry;
	return NULL;
}

char *catalogue_load(const char *path)
{
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *stream = fopen(path, "re");
	const cJSON *entry;

	if (!stream)
		return strdup(strerror(errno));
	if (getdelim(&text, &size, '\0', stream) > 0)
		file = cJSON_Parse(text);
	(void)fclose(stream); /* only read */
	entries = cJSON_GetObjectItemCaseSensitive(file, "models");
	if (!cJSON_IsArray(entries))
		return strdup("must be {\"models\": [...]}");
	cJSON_ArrayForEach (entry, entries)
		if (!text_of(entry, "model"))
			return strdup("a model has no \"model\"");
	return NULL;
}

void catalogue_free(void)
{
	cJSON_Delete(file ? file : entries);
	file = NULL;
	entries = NULL;
}

/* Two model files of one name are two shapes of its input. */
static void add_shape(cJSON *entry, cJSON *more)
{
	cJSON *input = cJSON_GetObjectItemCaseSensitive(entry, "input");
	cJSON *shapes = cJSON_GetObjectItemCaseSensitive(input, "oneOf");
	cJSON *object;

	if (!shapes) {
		object = cJSON_CreateObject();
		shapes = cJSON_AddArrayToObject(object, "oneOf");
		cJSON_AddItemToArray(shapes, cJSON_Duplicate(input, true));
		cJSON_ReplaceItemInObjectCaseSensitive(entry, "input", object);
	}
	cJSON_AddItemToArray(shapes, cJSON_DetachItemFromObjectCaseSensitive(more, "input"));
}

/* Out of the model files, when somebody first asks. */
static void entries_make(void)
{
	if (entries)
		return;
	entries = cJSON_CreateArray();
	for (const struct model *model = models_next(NULL); model; model = models_next(model)) {
		cJSON *entry;
		cJSON *same;

		if (model->provider != KIE)
			continue;
		entry = openapi_entry(model->schema, model->name);
		cJSON_ArrayForEach (same, entries)
			if (!strcmp(text_of(same, "model"), model->name))
				break;
		if (!same) {
			cJSON_AddItemToArray(entries, entry);
			continue;
		}
		add_shape(same, entry);
		cJSON_Delete(entry);
	}
}

/* One request in a second for the four calls together; --rate 0 lifts this too. */
static bool may_answer(struct request *request)
{
	static double next;
	double now = now_seconds();

	if (!kie_is_allowed(request))
		return false;
	if (sim.rate && now < next) {
		kie_say(&request->reply, 429, "Rate limit exceeded", NULL);
		return false;
	}
	next = now + 1;
	return true;
}

static cJSON *copy_or_null(const cJSON *entry, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, key);

	return value ? cJSON_Duplicate(value, true) : cJSON_CreateNull();
}

/* A slug is INFERRED, as is a provider: the first word of the model's name. */
static cJSON *line_of(const cJSON *entry)
{
	const char *name = text_of(entry, "model");
	const char *title = text_of(entry, "title");
	AUTO_FREE char *slug = strdup(name);
	AUTO_FREE char *provider = strndup(name, strcspn(name, "/-"));
	cJSON *line = cJSON_CreateObject();

	for (char *c = slug; c && *c; c++)
		*c = *c == '/' ? '-' : *c;
	cJSON_AddStringToObject(line, "model", name);
	cJSON_AddStringToObject(line, "slug", slug ? slug : name);
	cJSON_AddStringToObject(line, "title", title ? title : name);
	cJSON_AddStringToObject(line, "provider", provider ? provider : "");
	cJSON_AddItemToObject(line, "taskType", openapi_task_types(entry));
	cJSON_AddItemToObject(line, "description", copy_or_null(entry, "description"));
	cJSON_AddItemToObject(line, "pricingDesc", copy_or_null(entry, "price"));
	return line;
}

/* Whether a word of a list with commas is among the task types. */
static bool is_asked_for(const char *words, const cJSON *types)
{
	AUTO_FREE char *copy = strdup(words);
	char *rest = copy;
	const cJSON *type;

	while (rest) {
		const char *word = strsep(&rest, ",");

		cJSON_ArrayForEach (type, types)
			if (cJSON_IsString(type) && !strcasecmp(type->valuestring, word))
				return true;
	}
	return false;
}

static bool passes(const struct request *request, const cJSON *line)
{
	const char *types = request_argument(request, "taskType");
	const char *provider = request_argument(request, "provider");
	const char *words = request_argument(request, "q");

	if (types && !is_asked_for(types, cJSON_GetObjectItemCaseSensitive(line, "taskType")))
		return false;
	if (provider && strcasecmp(provider, text_of(line, "provider")) != 0)
		return false;
	return !words || strcasestr(text_of(line, "model"), words) ||
	       strcasestr(text_of(line, "title"), words);
}

void catalogue_list(struct request *request)
{
	cJSON *data;
	cJSON *list;
	const cJSON *entry;

	if (!may_answer(request))
		return;
	entries_make();
	list = cJSON_CreateArray();
	cJSON_ArrayForEach (entry, entries) {
		cJSON *line = line_of(entry);

		if (passes(request, line))
			cJSON_AddItemToArray(list, line);
		else
			cJSON_Delete(line);
	}
	data = cJSON_CreateObject();
	cJSON_AddNumberToObject(data, "total", cJSON_GetArraySize(list));
	cJSON_AddItemToObject(data, "models", list);
	kie_say(&request->reply, 200, "success", data);
}

static void answer_schema(const cJSON *entry, cJSON *data)
{
	cJSON_AddItemToObject(data, "openapi", openapi_document(entry));
}

static void answer_price(const cJSON *entry, cJSON *data)
{
	cJSON_AddItemToObject(data, "pricingDesc", copy_or_null(entry, "price"));
}

/* A quiet night: the last bucket has seen no traffic. */
static void answer_success_rate(const cJSON *entry, cJSON *data)
{
	cJSON *points = cJSON_AddArrayToObject(data, "points");
	double start = floor(now_seconds() / BUCKET_SECONDS - BUCKETS) * BUCKET_SECONDS;

	(void)entry;
	for (int i = 0; i < BUCKETS; i++, start += BUCKET_SECONDS) {
		bool is_quiet = i == BUCKETS - 1;
		cJSON *point = cJSON_CreateObject();

		cJSON_AddNumberToObject(point, "start", start * 1000);
		cJSON_AddNumberToObject(point, "end", (start + BUCKET_SECONDS) * 1000);
		cJSON_AddItemToObject(point, "successRate",
			is_quiet ? cJSON_CreateNull() : cJSON_CreateNumber(100));
		cJSON_AddItemToObject(
			point, "errorRate", is_quiet ? cJSON_CreateNull() : cJSON_CreateNumber(0));
		cJSON_AddItemToObject(
			point, "isNormal", is_quiet ? cJSON_CreateNull() : cJSON_CreateTrue());
		cJSON_AddItemToArray(points, point);
	}
}

static const struct call {
	const char *name;
	void (*answer)(const cJSON *entry, cJSON *data);
} calls[] = {
	{"/schema", answer_schema},
	{"/price", answer_price},
	{"/success-rate", answer_success_rate},
};

/* NULL: not a call. *ret_name, the model asked for, is the caller's. */
static const struct call *read_path(const char *path, char **ret_name)
{
	const char *rest = path + strlen(FOLDER);
	size_t length = strlen(rest);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		size_t tail = strlen(calls[i].name);

		if (length <= tail || strcmp(rest + length - tail, calls[i].name) != 0)
			continue;
		*ret_name = strndup(rest, length - tail);
		return *ret_name ? &calls[i] : NULL;
	}
	return NULL;
}

const char *catalogue_model(const char *path)
{
	AUTO_FREE char *name = NULL;
	const struct call *call = read_path(path, &name);

	entries_make();
	return call ? text_of(find_entry(name), "model") : NULL;
}

void catalogue_one(struct request *request)
{
	AUTO_FREE char *name = NULL;
	const struct call *call = read_path(request->path, &name);
	const cJSON *entry = call ? find_entry(name) : NULL;
	cJSON *data;

	if (!call) {
		kie_unknown_path(request, 404);
		return;
	}
	if (!may_answer(request))
		return;
	if (!entry) {
		kie_say(&request->reply, 404, KIE_UNKNOWN_MODEL, NULL);
		return;
	}
	data = cJSON_CreateObject();
	cJSON_AddStringToObject(data, "model", name);
	call->answer(entry, data);
	kie_say(&request->reply, 200, "success", data);
}
