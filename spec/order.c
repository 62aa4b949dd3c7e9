#include "spec/order.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "spec/spec.h"

#include <string.h>

static int print(FILE *out, const cJSON *value);

static int compare(const void *left, const void *right)
{
	const cJSON *const *a = left, *const *b = right;

	return strcmp((*a)->string, (*b)->string);
}

/* A text, number or literal. */
static int print_plain(FILE *out, const cJSON *value)
{
	AUTO_FREE char *text = NULL;

	if (cJSON_IsNumber(value)) /* + 0.0: -0.0 is 0 */
		text = format("%.17g", value->valuedouble + 0.0);
	else
		text = cJSON_PrintUnformatted(value);
	return text && fputs(text, out) >= 0 ? 0 : -ENOMEM;
}

static int print_key(FILE *out, const char *key)
{
	AUTO_JSON cJSON *text = cJSON_CreateStringReference(key);
	int error = text ? print_plain(out, text) : -ENOMEM;

	return !error && fputc(':', out) == EOF ? -ENOMEM : error;
}

/* The members of an object or a list, an object's sorted. */
static int print_members(FILE *out, const cJSON *value)
{
	size_t count = 0;
	AUTO_FREE const cJSON **member = calloc(
		(size_t)cJSON_GetArraySize(value) + 1, sizeof(*member)); /* never of size 0 */
	const cJSON *item;
	int error = 0;

	if (!member)
		return -ENOMEM;
	cJSON_ArrayForEach (item, value)
		member[count++] = item;
	if (cJSON_IsObject(value))
		qsort(member, count, sizeof(*member), compare);
	for (size_t i = 0; i < count && !error; i++) {
		if (i > 0 && fputc(',', out) == EOF)
			return -ENOMEM;
		if (cJSON_IsObject(value))
			error = print_key(out, member[i]->string);
		if (!error)
			error = print(out, member[i]);
	}
	return error;
}

static int print(FILE *out, const cJSON *value)
{
	const char *around = cJSON_IsObject(value) ? "{}" : cJSON_IsArray(value) ? "[]" : NULL;
	int error;

	if (!around)
		return print_plain(out, value);
	if (fputc(around[0], out) == EOF)
		return -ENOMEM;
	error = print_members(out, value);
	return !error && fputc(around[1], out) == EOF ? -ENOMEM : error;
}

static int name_by_digest(const struct model *model, cJSON *body, const struct spec_digest *picture)
{
	AUTO_FREE char *name = format("sha256:%s", picture->sha256);

	return name ? spec_set_string(model, body, picture->field, name) : -ENOMEM;
}

int spec_order_text(const struct model *model, const cJSON *body,
	const struct spec_digest *pictures, size_t npictures, char **text)
{
	AUTO_JSON cJSON *sent = cJSON_Duplicate(body, true);
	char *printed = NULL;
	size_t bytes = 0;
	int error = sent ? 0 : -ENOMEM;
	FILE *out;

	for (size_t i = 0; i < npictures && !error; i++)
		error = name_by_digest(model, sent, &pictures[i]);
	if (error)
		return error;
	cJSON_DeleteItemFromObjectCaseSensitive(sent, "callBackUrl"); /* changes no video */
	out = open_memstream(&printed, &bytes);
	if (!out)
		return -ENOMEM;
	if (fprintf(out, "%s\n", model->id) < 0)
		error = -ENOMEM;
	if (!error)
		error = print(out, sent);
	printed = stream_text(out, &printed);
	if (!error && printed) {
		*text = printed;
		return 0;
	}
	free(printed);
	return error ? error : -ENOMEM;
}
