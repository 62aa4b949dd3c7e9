/* catalogue_rules.c - what a schema says of several fields at once, as x-kinofs-rules (rule.h). */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"

#include <string.h>

#define MOST_RULES 32

static bool has_name(const cJSON *list, const char *name)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, list) {
		if (cJSON_IsString(entry) && strcmp(entry->valuestring, name) == 0)
			return true;
	}
	return false;
}

/* Refuses a request in which these fields are given, or not, as refuse says. */
static void add_rule(struct making *making, cJSON *refuse, const char *message)
{
	cJSON *rule = cJSON_CreateObject();

	making_put(making, rule, "refuse", refuse);
	making_put(making, rule, "message", cJSON_CreateString(message));
	if (cJSON_GetArraySize(making->rules) == MOST_RULES)
		problems_add(&making->problems, NULL, "its rules are too many");
	making_add(making, making->rules, rule);
}

/* "given" or "not given", as a WHEN (rule.h) asks it: true and false are values of a boolean. */
static void put_given(struct making *making, cJSON *refuse, const char *name, bool is_given)
{
	const char *type = json_text(json_get(making->fields, name), "type");
	cJSON *wanted = cJSON_CreateBool(is_given), *bounds;

	if (!type || strcmp(type, "boolean") != 0) {
		making_put(making, refuse, name, wanted);
		return;
	}
	bounds = cJSON_CreateObject();
	making_put(making, bounds, "given", wanted);
	making_put(making, refuse, name, bounds);
}

static void refuse_both(struct making *making, const char *one, const char *other)
{
	cJSON *refuse = cJSON_CreateObject();

	put_given(making, refuse, one, true);
	put_given(making, refuse, other, true);
	add_rule(making, refuse, "cannot be given together");
}

static void refuse_without(struct making *making, const char *given, const char *needed)
{
	cJSON *refuse = cJSON_CreateObject();

	put_given(making, refuse, given, true);
	put_given(making, refuse, needed, false);
	add_rule(making, refuse, "the first needs the other");
}

/* ------------------------------------------------------------------ at least one shape */

/* One of each list of names is not given: so none of them is whole. */
static void refuse_choice(
	struct making *making, const cJSON *const list[], size_t lists, const cJSON *chosen)
{
	const cJSON *name;

	if (cJSON_GetArraySize(making->rules) >= MOST_RULES)
		return;
	if (lists == 0) {
		add_rule(making, cJSON_Duplicate(chosen, true), "one of them is needed");
		return;
	}
	cJSON_ArrayForEach (name, list[0]) {
		AUTO_JSON cJSON *more = cJSON_Duplicate(chosen, true);

		if (!json_get(more, name->valuestring))
			put_given(making, more, name->valuestring, false);
		refuse_choice(making, list + 1, lists - 1, more);
	}
}

/* Whether the branch says nothing but which fields are given. What it repeats of the fields must be
 * what the input says of them. */
static bool is_requirement(const cJSON *branch, const cJSON *input)
{
	const cJSON *key, *member;

	cJSON_ArrayForEach (key, branch) {
		const bool repeats = strcmp(key->string, "properties") == 0;

		if (repeats)
			cJSON_ArrayForEach (member, key) {
				const cJSON *own =
					json_get(json_get(input, "properties"), member->string);

				if (!own || !cJSON_IsObject(member) ||
					(member->child && !cJSON_Compare(own, member, true)))
					return false;
			}
		else if (strcmp(key->string, "required") != 0 &&
			 strcmp(key->string, "description") != 0 &&
			 !(strcmp(key->string, "type") == 0 && cJSON_IsString(key) &&
				 strcmp(key->valuestring, "object") == 0))
			return false;
	}
	return json_array(branch, "required") && json_array(branch, "required")->child;
}

static bool are_names(const cJSON *list)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, list) {
		if (!cJSON_IsString(entry))
			return false;
	}
	return cJSON_IsArray(list);
}

#define MOST_BRANCHES 8

/* "anyOf" or "oneOf" whose branches say which fields are given. */
static bool take_requirements(
	struct making *making, const cJSON *branches, bool is_one, const cJSON *input)
{
	const cJSON *list[MOST_BRANCHES], *branch;
	AUTO_JSON cJSON *none = cJSON_CreateObject();
	size_t count = 0;

	cJSON_ArrayForEach (branch, branches) {
		if (count == MOST_BRANCHES || !is_requirement(branch, input) ||
			!are_names(json_get(branch, "required")))
			return false;
		list[count++] = json_get(branch, "required");
	}
	for (size_t i = 0; i < count && is_one; i++)
		for (size_t j = 0; j < i; j++) {
			if (list[i]->child->next || list[j]->child->next)
				return false;
			refuse_both(
				making, list[j]->child->valuestring, list[i]->child->valuestring);
		}
	refuse_choice(making, list, count, none);
	return count > 0;
}

/* ------------------------------------------------------------------ two shapes of the input */

/* The same but for words and defaults. */
static bool same_field(const cJSON *left, const cJSON *right)
{
	AUTO_JSON cJSON *one = cJSON_Duplicate(left, true), *other = cJSON_Duplicate(right, true);

	cJSON_DeleteItemFromObjectCaseSensitive(one, "description");
	cJSON_DeleteItemFromObjectCaseSensitive(other, "description");
	cJSON_DeleteItemFromObjectCaseSensitive(one, "default");
	cJSON_DeleteItemFromObjectCaseSensitive(other, "default");
	return one && other && cJSON_Compare(one, other, true);
}

/* A shape's own field is given: then none of the other's is, and the shape's own are complete. */
static void refuse_mixtures(struct making *making, const cJSON *mine, const cJSON *other)
{
	const cJSON *mine_fields = json_get(mine, "properties");
	const cJSON *other_fields = json_get(other, "properties"), *field, *needed;

	cJSON_ArrayForEach (field, mine_fields) {
		if (json_get(other_fields, field->string))
			continue;
		cJSON_ArrayForEach (needed, json_get(mine, "required")) {
			if (!has_name(json_get(other, "required"), needed->valuestring) &&
				strcmp(needed->valuestring, field->string) != 0)
				refuse_without(making, field->string, needed->valuestring);
		}
	}
}

static void refuse_strangers(struct making *making, const cJSON *left, const cJSON *right)
{
	const cJSON *one, *other;

	cJSON_ArrayForEach (one, json_get(left, "properties")) {
		if (json_get(json_get(right, "properties"), one->string))
			continue;
		cJSON_ArrayForEach (other, json_get(right, "properties")) {
			if (!json_get(json_get(left, "properties"), other->string) &&
				cJSON_GetArraySize(making->rules) < MOST_RULES)
				refuse_both(making, one->string, other->string);
		}
	}
}

/* The names of mine that the other list has, or has not. */
static cJSON *required_names(
	struct making *making, const cJSON *mine, const cJSON *other, bool common)
{
	const cJSON *entry;
	cJSON *names = cJSON_CreateArray();

	cJSON_ArrayForEach (entry, json_get(mine, "required")) {
		if (has_name(json_get(other, "required"), entry->valuestring) == common)
			making_add(making, names, cJSON_Duplicate(entry, true));
	}
	return names;
}

static bool is_shape(const cJSON *branch)
{
	static const char *const known[] = {
		"type", "properties", "required", "description", "additionalProperties"};
	const cJSON *key;

	cJSON_ArrayForEach (key, branch) {
		bool is_known = false;

		for (size_t i = 0; i < COUNT(known); i++)
			is_known = is_known || strcmp(key->string, known[i]) == 0;
		if (!is_known)
			return false;
	}
	return json_object(branch, "properties") &&
	       (!json_get(branch, "required") || are_names(json_get(branch, "required")));
}

static void add_shape(struct making *making, const cJSON *shape, cJSON *fields)
{
	const cJSON *field;

	cJSON_ArrayForEach (field, json_get(shape, "properties")) {
		cJSON *known = json_get(fields, field->string);

		if (!known)
			making_put(making, fields, field->string, cJSON_Duplicate(field, true));
		else if (!same_field(known, field))
			problems_add(&making->problems, field->string,
				"the shapes of the input differ in it");
		else if (!cJSON_Compare(
				 json_get(known, "default"), json_get(field, "default"), true))
			cJSON_DeleteItemFromObjectCaseSensitive(known, "default");
	}
}

/* "oneOf" or "anyOf" of two whole inputs: the fields of both, and rules that keep them apart. */
static void take_shapes(struct making *making, const cJSON *branches, cJSON *input)
{
	const cJSON *left = cJSON_GetArrayItem(branches, 0);
	const cJSON *right = cJSON_GetArrayItem(branches, 1);
	AUTO_JSON cJSON *fields = cJSON_CreateObject(), *none = cJSON_CreateObject();
	AUTO_JSON cJSON *mine = NULL, *other = NULL;
	const cJSON *lists[2];

	if (json_get(input, "properties") || cJSON_GetArraySize(branches) != 2 || !is_shape(left) ||
		!is_shape(right)) {
		problems_add(&making->problems, NULL,
			"its input has several shapes, which one file cannot say");
		return;
	}
	add_shape(making, left, fields);
	add_shape(making, right, fields);
	making->fields = fields;
	mine = required_names(making, left, right, false);
	other = required_names(making, right, left, false);
	refuse_strangers(making, left, right);
	refuse_mixtures(making, left, right);
	refuse_mixtures(making, right, left);
	lists[0] = mine;
	lists[1] = other;
	if (mine && other && mine->child && other->child)
		refuse_choice(making, lists, 2, none);
	making_put(making, input, "properties", TAKE(fields));
	making_put(making, input, "required", required_names(making, left, right, true));
}

/* ------------------------------------------------------------------ all of it */

/* Whether every part is a schema of objects, as the input is one. */
static bool are_of_objects(const cJSON *branches)
{
	const cJSON *branch;

	cJSON_ArrayForEach (branch, branches) {
		const cJSON *type = json_get(branch, "type");

		if (!cJSON_IsObject(branch) ||
			(cJSON_IsString(type) && strcmp(type->valuestring, "object") != 0))
			return false;
	}
	return true;
}

/* holder: the input, or what all of it must be besides. */
static void take_branches(struct making *making, cJSON *holder, cJSON *input, const char *key)
{
	AUTO_JSON cJSON *branches = cJSON_DetachItemFromObjectCaseSensitive(holder, key);

	if (!branches)
		return;
	if (!cJSON_IsArray(branches) || !branches->child)
		problems_add(&making->problems, key, "is no list of schemas");
	else if (!are_of_objects(branches))
		problems_add(&making->problems, key, "a part is no object, as the input is");
	else if (!take_requirements(making, branches, strcmp(key, "oneOf") == 0, input))
		take_shapes(making, branches, input);
}

/* {"not": {"required": [A, B]}}: not both. */
static void take_not(struct making *making, cJSON *holder, const cJSON *input)
{
	AUTO_JSON cJSON *not = cJSON_DetachItemFromObjectCaseSensitive(holder, "not");
	cJSON *refuse;
	const cJSON *name;

	if (!not )
		return;
	if (!is_requirement(not, input) || !are_names(json_get(not, "required"))) {
		problems_add(&making->problems, "not", "is more than fields that are not together");
		return;
	}
	refuse = cJSON_CreateObject();
	cJSON_ArrayForEach (name, json_get(not, "required"))
		put_given(making, refuse, name->valuestring, true);
	add_rule(making, refuse, "cannot be given together");
}

static void take_dependent(struct making *making, cJSON *holder)
{
	AUTO_JSON cJSON *all = cJSON_DetachItemFromObjectCaseSensitive(holder, "dependentRequired");
	const cJSON *one, *name;

	cJSON_ArrayForEach (one, all) {
		if (!are_names(one)) {
			problems_add(&making->problems, "dependentRequired", "holds no names");
			return;
		}
		cJSON_ArrayForEach (name, one)
			refuse_without(making, one->string, name->valuestring);
	}
}

static void take_rules(struct making *making, cJSON *holder, cJSON *input)
{
	take_branches(making, holder, input, "oneOf");
	take_branches(making, holder, input, "anyOf");
	take_not(making, holder, input);
	take_dependent(making, holder);
}

void catalogue_rules(struct making *making, cJSON *input)
{
	AUTO_JSON cJSON *parts = cJSON_DetachItemFromObjectCaseSensitive(input, "allOf");
	cJSON *part;
	const cJSON *key;

	making->fields = json_get(input, "properties");
	take_rules(making, input, input);
	cJSON_ArrayForEach (part, parts) {
		take_rules(making, part, input);
		cJSON_ArrayForEach (key, part) {
			if (strcmp(key->string, "type") != 0 &&
				strcmp(key->string, "description") != 0)
				problems_add(&making->problems, "allOf",
					"a part says \"%s\", which a model file cannot say",
					key->string);
		}
	}
	making->fields = NULL;
}
