/* openapi.c - a schema as kie.ai's pages have it: inside a document, in prose where JSON Schema has
 * no words. */
#include "contrib/simulator/catalogue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OTHER_LINKS "#/components/schemas/"

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* A name as the live documents have them: with blanks, and one at its end. */
static char *component_name(const char *model)
{
	char *name = NULL;

	if (asprintf(&name, "%s Input ", model) < 0)
		return NULL;
	for (char *c = name; *c; c++)
		*c = isalnum((unsigned char)*c) ? *c : ' ';
	return name;
}

/* RFC 6901, 6: a pointer as a URI fragment. */
static char *component_link(const char *name)
{
	char *link = NULL;
	size_t size;
	FILE *stream = open_memstream(&link, &size);

	if (!stream)
		return NULL;
	(void)fputs(OTHER_LINKS, stream);
	for (; *name; name++)
		(void)fprintf(stream, *name == ' ' ? "%%20" : "%c", *name);
	if (fclose(stream) != 0) {
		free(link);
		return NULL;
	}
	return link;
}

static cJSON *request_schema(const cJSON *entry, const char *link)
{
	const char *model = text_of(entry, "model");
	const cJSON *required = cJSON_GetObjectItemCaseSensitive(entry, "request_required");
	static const char *const usual[] = {"model", "input"};
	cJSON *schema = cJSON_CreateObject();
	cJSON *properties;
	cJSON *name;

	cJSON_AddStringToObject(schema, "type", "object");
	cJSON_AddItemToObject(schema, "required",
		required ? cJSON_Duplicate(required, true) : cJSON_CreateStringArray(usual, 2));
	properties = cJSON_AddObjectToObject(schema, "properties");
	name = cJSON_AddObjectToObject(properties, "model");
	cJSON_AddStringToObject(name, "type", "string");
	cJSON_AddItemToObject(name, "enum", cJSON_CreateStringArray(&model, 1));
	name = cJSON_AddObjectToObject(properties, "callBackUrl");
	cJSON_AddStringToObject(name, "type", "string");
	cJSON_AddStringToObject(name, "format", "uri");
	name = cJSON_AddObjectToObject(properties, "input");
	cJSON_AddStringToObject(name, "$ref", link ? link : "");
	return schema;
}

/* document.paths["/api/v1/jobs/createTask"].post.requestBody.content["application/json"].schema */
static void add_paths(cJSON *document, cJSON *schema)
{
	static const char *const steps[] = {"paths", "/api/v1/jobs/createTask", "post",
		"requestBody", "content", "application/json"};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		document = cJSON_AddObjectToObject(document, steps[i]);
	cJSON_AddItemToObject(document, "schema", schema);
}

cJSON *openapi_document(const cJSON *entry)
{
	const cJSON *whole = cJSON_GetObjectItemCaseSensitive(entry, "openapi");
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(entry, "input");
	const char *title = text_of(entry, "title");
	AUTO_FREE char *name = component_name(text_of(entry, "model"));
	AUTO_FREE char *link = name ? component_link(name) : NULL;
	cJSON *document;
	cJSON *part;

	if (whole)
		return cJSON_Duplicate(whole, true);
	if (!cJSON_IsObject(input) || !name)
		return cJSON_CreateNull();
	document = cJSON_CreateObject();
	cJSON_AddStringToObject(document, "openapi", "3.1.0");
	part = cJSON_AddObjectToObject(document, "info");
	cJSON_AddStringToObject(part, "title", title ? title : text_of(entry, "model"));
	cJSON_AddStringToObject(part, "version", "1.0.0");
	add_paths(document, request_schema(entry, link));
	part = cJSON_AddObjectToObject(document, "components");
	part = cJSON_AddObjectToObject(part, "schemas");
	cJSON_AddItemToObject(part, name, cJSON_Duplicate(input, true));
	return document;
}

/* What the pages say of a file, behind the description of its field. */
static void describe_file(const cJSON *field, cJSON *plain)
{
	const cJSON *file = schema_file(field);
	const char *description = text_of(field, "description");
	double most = value_number(schema_get(file, "max_bytes"), 0);
	char *text = NULL;
	size_t size;
	FILE *stream = file ? open_memstream(&text, &size) : NULL;
	const cJSON *type;
	const char *comma = "";

	if (!stream)
		return;
	(void)fprintf(stream, "%s (File URL after upload, not file content; Accepted types: ",
		description ? description : "");
	cJSON_ArrayForEach (type, schema_get(file, "types")) {
		(void)fprintf(stream, "%s%s", comma, type->valuestring ? type->valuestring : "");
		comma = ", ";
	}
	if (most > 0)
		(void)fprintf(stream, "; Max size: %.1fMB", most / (1 << 20));
	(void)fputc(')', stream);
	if (fclose(stream) == 0) {
		cJSON_DeleteItemFromObjectCaseSensitive(plain, "description");
		cJSON_AddStringToObject(plain, "description", text);
	}
	free(text);
}

static cJSON *plain_schema(const cJSON *schema);

static cJSON *plain_members(const cJSON *members)
{
	cJSON *plain = cJSON_CreateObject();
	const cJSON *member;

	cJSON_ArrayForEach (member, members)
		cJSON_AddItemToObject(plain, member->string, plain_schema(member));
	return plain;
}

/* Without what only kinofs knows. */
static cJSON *plain_schema(const cJSON *schema)
{
	cJSON *plain = cJSON_CreateObject();
	const cJSON *key;

	cJSON_ArrayForEach (key, schema) {
		cJSON *value;

		if (!strncmp(key->string, "x-kinofs-", 9) || key->string[0] == '$')
			continue;
		if (!strcmp(key->string, "properties"))
			value = plain_members(key);
		else if (!strcmp(key->string, "items"))
			value = plain_schema(key);
		else
			value = cJSON_Duplicate(key, true);
		cJSON_AddItemToObject(plain, key->string, value);
	}
	describe_file(schema, plain);
	return plain;
}

cJSON *openapi_entry(const cJSON *schema, const char *name)
{
	const cJSON *result = schema_get(schema, "x-kinofs-result");
	const char *kind = cJSON_GetStringValue(cJSON_IsArray(result) ? result->child : result);
	const char *title = text_of(schema, "title");
	const char *description = text_of(schema, "description");
	cJSON *entry = cJSON_CreateObject();
	cJSON *input = plain_schema(schema);

	cJSON_AddStringToObject(entry, "model", name);
	cJSON_AddStringToObject(entry, "title", title ? title : name);
	cJSON_AddStringToObject(entry, "kind", kind ? kind : "video");
	if (description)
		cJSON_AddStringToObject(entry, "description", description);
	cJSON_DeleteItemFromObjectCaseSensitive(input, "title");
	cJSON_DeleteItemFromObjectCaseSensitive(input, "description");
	cJSON_AddItemToObject(entry, "input", input);
	return entry;
}

/* What a field takes, by its name, as the catalogue itself puts it. */
static const char *source_of(const cJSON *input)
{
	static const char *const media[][2] = {
		{"video", "Video"}, {"image", "Image"}, {"audio", "Audio"}};
	const cJSON *field;

	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
		cJSON_ArrayForEach (field, cJSON_GetObjectItemCaseSensitive(input, "properties"))
			if (strstr(field->string, media[i][0]) && strstr(field->string, "url"))
				return media[i][1];
	return "Text";
}

cJSON *openapi_task_types(const cJSON *entry)
{
	const cJSON *given = cJSON_GetObjectItemCaseSensitive(entry, "taskType");
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(entry, "input");
	const char *kind = text_of(entry, "kind");
	const char *source = source_of(input);
	AUTO_FREE char *words = NULL;
	const char *word;

	if (given)
		return cJSON_Duplicate(given, true);
	if (kind && !strcmp(kind, "audio") && !strcmp(source, "Text"))
		words = strdup("Text to Speech");
	else if (kind && *kind &&
		 asprintf(&words, "%s to %c%s", source, toupper((unsigned char)*kind), kind + 1) <
			 0)
		words = NULL;
	word = words;
	return cJSON_CreateStringArray(&word, words != NULL);
}
