/*
 * Drops of any bytes through spec_build(). Input: a digit for the model, then the JSON spec, prompt
 * file, first and last frame's names and defaults.json, with byte 0x1e between them; an empty part
 * is absent. What must hold: words fit for a terminal, and a body that was found good is found
 * good again, unchanged.
 */
#include "fs/base/cleanup.h"
#include "spec/price.h"
#include "spec/spec.h"
#include "tests/fuzz/fuzz_problems.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 5 };

static struct model_set models;

static char *part_copy(const uint8_t **data, size_t *size, size_t *length)
{
	const uint8_t *end = *size ? memchr(*data, 0x1e, *size) : NULL;
	char *copy;

	*length = end ? (size_t)(end - *data) : *size;
	copy = *length ? malloc(*length + 1) : NULL;
	if (copy) {
		memcpy(copy, *data, *length);
		copy[*length] = '\0';
	}
	*data += *length + (end != NULL);
	*size -= *length + (end != NULL);
	return copy;
}

static void build_again(const struct model *model, const cJSON *body)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(body);
	AUTO_FREE char *again = NULL;
	struct spec_source source = {.dir = model->id, .json = text, .json_bytes = strlen(text)};
	struct problems problems = {0}, missing = {0};
	struct spec spec;

	demand(spec_build(model, &source, &spec, &problems, &missing) == 0);
	demand(problems.count == 0 && missing.count == 0);
	again = cJSON_PrintUnformatted(spec.body);
	demand(strcmp(text, again) == 0);
	spec_clear(&spec);
}

static void build(const struct model *model, const struct spec_source *source)
{
	struct problems problems = {0}, missing = {0};
	struct spec spec;

	demand(spec_build(model, source, &spec, &problems, &missing) == 0);
	demand_printable(&problems);
	demand_printable(&missing);
	for (size_t i = 0; i < spec.nfiles; i++) {
		demand(spec.file[i].path[0] != '/');
		demand(!strstr(spec.file[i].path, "/../"));
		demand(strncmp(spec.file[i].path, "../", 3) != 0);
	}
	(void)price_estimate(model, spec.body, NULL, 0); /* must only not crash */
	if (problems.count == 0 && missing.count == 0)
		build_again(model, spec.body);
	problems_clear(&problems);
	problems_clear(&missing);
	spec_clear(&spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *part[PARTS];
	struct spec_beside beside[2];
	size_t length[PARTS];
	const struct model *model;
	struct spec_source source;

	if (size == 0)
		return 0;
	if (models.count == 0)
		demand(models_builtin(&models) == 0);
	model = models.item[data[0] % models.count];
	data++;
	size--;
	for (size_t i = 0; i < PARTS; i++)
		part[i] = part_copy(&data, &size, &length[i]);
	source = (struct spec_source){.dir = model->id,
		.stem = "dog",
		.json = part[0],
		.json_bytes = length[0],
		.prompt = part[1],
		.prompt_bytes = length[1],
		.beside = beside,
		.defaults = part[4],
		.defaults_bytes = length[4]};
	AUTO_FREE char *defaults_path = NULL;

	demand(asprintf(&defaults_path, "%s/defaults.json", model->id) > 0);
	source.defaults_path = defaults_path;
	for (int i = 0; i < 2; i++) { /* as the tree has them: below the job's folder */
		struct spec_beside *file = &beside[source.nbeside];

		if (!part[2 + i])
			continue;
		*file = (struct spec_beside){
			.slot = model_slot(model, MEDIA_PICTURE, i ? "end" : ""),
			.number = 1,
			.is_end = i};
		demand(asprintf(&file->path, "%s/p%s", model->id, part[2 + i]) > 0);
		source.nbeside++;
	}
	build(model, &source);
	for (size_t i = 0; i < PARTS; i++)
		free(part[i]);
	for (size_t i = 0; i < source.nbeside; i++)
		free(beside[i].path);
	return 0;
}
