/*
 * fuzz_model.c - any bytes as a model's file, and, behind a byte 0x1e, as a spec for it. A model
 * that is taken can be explained, and judges specs; one that is not says why.
 */
#include "fs/base/cleanup.h"
#include "spec/docs.h"
#include "spec/price.h"
#include "spec/spec.h"
#include "tests/fuzz/fuzz_folder.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct model *model, const char *json, size_t bytes)
{
	struct spec_source source = {.dir = model->id,
		.stem = "dog",
		.json = json,
		.json_bytes = bytes,
		.prompt = "a dog",
		.prompt_bytes = 5};
	struct problems problems = {0}, missing = {0};
	struct spec spec;

	demand(spec_build(model, &source, &spec, &problems, &missing) == 0);
	(void)price_estimate(model, spec.body, NULL, 0); /* must only not crash */
	problems_clear(&problems);
	problems_clear(&missing);
	spec_clear(&spec);
}

static void use(struct model *model, const char *json, size_t bytes)
{
	struct model_set set = {0};
	AUTO_FREE char *readme = docs_readme(model), *schema = docs_schema(model);

	demand(model->id && *model->id && *model->id != '/' && *model->id != '.' &&
		!strstr(model->id, "/."));
	demand(model->provider && model->name && model->root.nfield > 0);
	demand(readme && schema);
	judge(model, json, bytes);
	demand(models_add(&set, model) == 0 && models_find(&set, model->id) == model);
	models_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t bytes, spec_bytes;
	const uint8_t *part = fuzz_part(&data, &size, &bytes);
	AUTO_FREE char *json = strndup((const char *)part, bytes), *why = NULL;
	const uint8_t *rest = fuzz_part(&data, &size, &spec_bytes);
	AUTO_FREE char *spec = malloc(spec_bytes + 1);
	struct model *model;

	demand(json && spec);
	memcpy(spec, rest, spec_bytes);
	spec[spec_bytes] = '\0';
	model = model_parse(json, strlen(json), &why);
	demand(model ? !why : why && *why);
	if (model)
		use(model, spec, spec_bytes);
	return 0;
}
