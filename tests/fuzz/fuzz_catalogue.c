/*
 * fuzz_catalogue.c - any JSON as a model's schema, and, behind a byte 0x1e, prose as its price.
 * What is made of it is a model file; where nothing is made there is a reason.
 */
#include "fs/base/cleanup.h"
#include "spec/catalogue.h"
#include "spec/model.h"
#include "tests/fuzz/fuzz_folder.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const cJSON *file)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(file), *why = NULL;
	AUTO_JSON cJSON *renewed = catalogue_renew(file, file);
	struct model *model = text ? model_parse(text, strlen(text), &why) : NULL;

	demand(model && model->root.nfield > 0);
	demand(renewed && catalogue_same(file, renewed));
	model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t bytes, price_bytes;
	const uint8_t *schema = fuzz_part(&data, &size, &bytes);
	AUTO_JSON cJSON *json = cJSON_ParseWithLength((const char *)schema, bytes);
	const uint8_t *rest = fuzz_part(&data, &size, &price_bytes);
	AUTO_FREE char *price = strndup((const char *)rest, price_bytes), *why = NULL;
	const struct catalogue_entry said = {.id = "acme/new",
		.tasks = "Text to Video",
		.schema = json,
		.price = price,
		.provider = "kie",
		.source = "the catalogue",
		.date = "2026-11-26"};
	AUTO_JSON cJSON *file = NULL;
	int error;

	demand(price);
	error = catalogue_make(&said, &file, &why);
	demand(error == 0 ? file && !why : error == -EINVAL && !file && why && *why);
	if (file)
		judge(file);
	return 0;
}
