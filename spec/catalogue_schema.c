/* catalogue_schema.c - the schema of a model's input, out of the document that it is in. */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"

#include <ctype.h>
#include <string.h>

#define MOST_DEPTH 24
#define MOST_NODES 4000 /* the largest page of 2026 has 66 */

/* Keys that say nothing about what may be sent. */
static bool is_annotation(const char *key)
{
	static const char *const known[] = {"title", "example", "examples", "deprecated",
		"readOnly", "writeOnly", "$comment", "$schema", "$id", "$defs", "definitions",
		"externalDocs", "xml", "nullable", "discriminator"};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(key, known[i]) == 0)
			return true;
	return strncmp(key, "x-", 2) == 0;
}

/* The published name without the blanks that some end with. NULL: no memory. */
static char *trimmed(const char *name)
{
	size_t bytes;

	while (isspace((unsigned char)*name))
		name++;
	bytes = strlen(name);
	while (bytes > 0 && isspace((unsigned char)name[bytes - 1]))
		bytes--;
	return strndup(name, bytes);
}

static int digit_of(char hex)
{
	const char *digits = "0123456789abcdef";
	const char *at = hex ? strchr(digits, tolower((unsigned char)hex)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* One step of a pointer in a URI fragment (RFC 6901, 6), decoded in place. */
static void decode_step(char *step)
{
	char *to = step;

	for (const char *from = step; *from; from++) {
		if (*from == '%' && digit_of(from[1]) >= 0 && digit_of(from[2]) >= 0) {
			*to++ = (char)(digit_of(from[1]) * 16 + digit_of(from[2]));
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	to = step;
	for (const char *from = step; *from; from++) {
		if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static const cJSON *member_like(const cJSON *object, const char *name)
{
	const cJSON *member = json_get(object, name);
	AUTO_FREE char *plain = trimmed(name);

	if (member || !plain || !cJSON_IsObject(object))
		return member;
	cJSON_ArrayForEach (member, object) {
		AUTO_FREE char *other = trimmed(member->string);

		if (other && strcmp(plain, other) == 0)
			return member;
	}
	return NULL;
}

/* What a local reference leads to. NULL: nothing, or out of the document. */
static const cJSON *referred(const cJSON *document, const char *reference)
{
	AUTO_FREE char *copy = strdup(reference);
	char *rest = copy, *step;

	if (!copy || strncmp(reference, "#/", 2) != 0)
		return NULL;
	rest += 2;
	while (document && (step = strsep(&rest, "/"))) {
		decode_step(step);
		document = member_like(document, step);
	}
	return document;
}

/* ------------------------------------------------------------------ allOf */

static bool has_entry(const cJSON *list, const cJSON *wanted)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, list) {
		if (cJSON_Compare(entry, wanted, true))
			return true;
	}
	return false;
}

static void merge(struct making *making, cJSON *into, cJSON *part);

static void merge_members(struct making *making, cJSON *into, cJSON *part)
{
	cJSON *member;

	while ((member = part->child)) {
		cJSON *same = json_get(into, member->string);
		AUTO_FREE char *name = strdup(member->string);

		(void)cJSON_DetachItemViaPointer(part, member); /* returns member */
		if (same) {
			merge(making, same, member);
			cJSON_Delete(member);
		} else {
			making_put(making, into, name ? name : "", member);
		}
	}
}

static void merge_key(struct making *making, cJSON *into, cJSON *key)
{
	cJSON *same = json_get(into, key->string);
	const cJSON *entry;

	if (!same)
		making_put(making, into, key->string, cJSON_Duplicate(key, true));
	else if (strcmp(key->string, "properties") == 0 && cJSON_IsObject(same))
		merge_members(making, same, key);
	else if (strcmp(key->string, "allOf") == 0 && cJSON_IsArray(same))
		cJSON_ArrayForEach (entry, key)
			making_add(making, same, cJSON_Duplicate(entry, true));
	else if (strcmp(key->string, "required") == 0 && cJSON_IsArray(same))
		cJSON_ArrayForEach (entry, key) {
			if (!has_entry(same, entry))
				making_add(making, same, cJSON_Duplicate(entry, true));
		}
	else if (strcmp(key->string, "description") != 0 && !cJSON_Compare(same, key, true) &&
		 making->problems.count == 0)
		problems_add(&making->problems, "allOf",
			"two parts say different \"%s\", so nothing fits both", key->string);
}

/* Both must hold: what one does not say the other does. */
static void merge(struct making *making, cJSON *into, cJSON *part)
{
	cJSON *key;

	if (!cJSON_IsObject(into) || !cJSON_IsObject(part)) {
		problems_add(&making->problems, "allOf", "a part is no schema");
		return;
	}
	cJSON_ArrayForEach (key, part)
		merge_key(making, into, key);
}

/* ------------------------------------------------------------------ copying */

static cJSON *copy_schema(struct making *making, const cJSON *said, int depth);

static cJSON *copy_each(struct making *making, const cJSON *said, int depth)
{
	const bool is_list = cJSON_IsArray(said);
	cJSON *copy = is_list ? cJSON_CreateArray() : cJSON_CreateObject();
	const cJSON *item;

	cJSON_ArrayForEach (item, said) {
		AUTO_FREE char *name = is_list ? NULL : trimmed(item->string);

		if (is_list)
			making_add(making, copy, copy_schema(making, item, depth + 1));
		else if (name && json_get(copy, name))
			problems_add(&making->problems, name, "is there twice");
		else
			making_put(making, copy, name ? name : "",
				copy_schema(making, item, depth + 1));
	}
	return copy;
}

static cJSON *copy_key(struct making *making, const cJSON *key, int depth)
{
	static const char *const schemas[] = {
		"properties", "items", "allOf", "anyOf", "oneOf", "not"};
	static const char *const one[] = {"items", "not"};

	for (size_t i = 0; i < COUNT(one); i++)
		if (strcmp(key->string, one[i]) == 0)
			return copy_schema(making, key, depth + 1);
	for (size_t i = 0; i < COUNT(schemas); i++)
		if (strcmp(key->string, schemas[i]) == 0 &&
			(cJSON_IsObject(key) || cJSON_IsArray(key)))
			return copy_each(making, key, depth + 1);
	return cJSON_Duplicate(key, true);
}

/* Whether it only says which fields go together: there may be several of these (catalogue_rules()).
 */
static bool is_rule(const cJSON *part)
{
	static const char *const rules[] = {
		"anyOf", "oneOf", "not", "dependentRequired", "if", "then", "else"};
	const cJSON *key;
	bool has_rule = false;

	cJSON_ArrayForEach (key, part) {
		bool is_known = false;

		for (size_t i = 0; i < COUNT(rules); i++)
			is_known = is_known || strcmp(key->string, rules[i]) == 0;
		if (!is_known && strcmp(key->string, "type") != 0 &&
			strcmp(key->string, "description") != 0)
			return false;
		has_rule = has_rule || is_known;
	}
	return cJSON_IsObject(part) && has_rule;
}

/* What all parts say becomes one; only rules stay apart. */
static void take_all_of(struct making *making, cJSON *copy)
{
	cJSON *parts = cJSON_DetachItemFromObjectCaseSensitive(copy, "allOf"), *part;
	cJSON *rules = cJSON_CreateArray();

	while (parts && (part = parts->child)) {
		(void)cJSON_DetachItemViaPointer(parts, part); /* returns part */
		if (is_rule(part)) {
			making_add(making, rules, part);
		} else {
			merge(making, copy, part);
			cJSON_Delete(part);
		}
	}
	cJSON_Delete(parts);
	if (rules && rules->child)
		making_put(making, copy, "allOf", rules);
	else
		cJSON_Delete(rules);
}

static cJSON *copy_keys(struct making *making, const cJSON *said, int depth)
{
	const char *reference = json_text(said, "$ref");
	const cJSON *target = reference ? referred(making->document, reference) : NULL;
	cJSON *copy = cJSON_CreateObject(), *own;
	const cJSON *key;

	if (!copy)
		making->lost = true;
	if (reference && !target)
		problems_add(&making->problems, "$ref", "\"%s\" leads nowhere", reference);
	cJSON_ArrayForEach (key, said) {
		if (!is_annotation(key->string) && strcmp(key->string, "$ref") != 0)
			making_put(making, copy, key->string, copy_key(making, key, depth));
	}
	take_all_of(making, copy);
	if (!target)
		return copy;
	own = copy_schema(making, target, depth + 1);
	if (own)
		merge(making, copy, own);
	cJSON_Delete(own);
	return copy;
}

/* A schema of its own, without references, "allOf" and annotations. Never NULL but for memory. */
static cJSON *copy_schema(struct making *making, const cJSON *said, int depth)
{
	if (depth > MOST_DEPTH || ++making->nodes > MOST_NODES) {
		if (making->problems.count == 0)
			problems_add(&making->problems, NULL, "the schema is too %s",
				depth > MOST_DEPTH ? "deep" : "large");
		return cJSON_CreateNull();
	}
	if (cJSON_IsObject(said))
		return copy_keys(making, said, depth);
	return cJSON_Duplicate(said, true);
}

/* ------------------------------------------------------------------ finding the input */

/* A member, behind a reference where one stands. */
static const cJSON *step_to(const struct making *making, const cJSON *object, const char *name)
{
	const cJSON *member = json_get(object, name);

	for (int i = 0; i < 8 && json_text(member, "$ref"); i++)
		member = referred(making->document, json_text(member, "$ref"));
	return member;
}

/* The schema of the request, of a document that has the path of createTask (API.md 11.1). */
static const cJSON *request_of(struct making *making)
{
	static const char *const steps[] = {"/api/v1/jobs/createTask", "post", "requestBody",
		"content", "application/json", "schema"};
	const cJSON *at = json_get(making->document, "paths");

	for (size_t i = 0; i < COUNT(steps) && at; i++)
		at = step_to(making, at, steps[i]);
	if (!at)
		problems_add(&making->problems, NULL, "it is not ordered through createTask");
	return at;
}

static const cJSON *find_input(struct making *making)
{
	const bool is_document = json_get(making->document, "paths") != NULL;
	const cJSON *request = is_document ? request_of(making) : making->document;
	const cJSON *input = step_to(making, step_to(making, request, "properties"), "input");

	if (is_document && request && !input)
		problems_add(&making->problems, NULL, "its request has no \"input\"");
	return input || is_document ? input : request;
}

cJSON *catalogue_input(struct making *making)
{
	const cJSON *found;
	cJSON *input;

	if (!cJSON_IsObject(making->document)) {
		problems_add(&making->problems, NULL, "the provider has no schema of it yet");
		return NULL;
	}
	found = find_input(making);
	input = found ? copy_schema(making, found, 0) : NULL;
	if (cJSON_IsObject(input))
		return input;
	if (making->problems.count == 0)
		problems_add(&making->problems, NULL, "its input is no schema");
	cJSON_Delete(input);
	return NULL;
}
