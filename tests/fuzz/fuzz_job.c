/*
 * fuzz_job.c - the files of a job, any bytes: a batch of lines, or a prompt and a picture. The
 * first byte picks the model and what the rest is. What must hold: each line is read whole, what is
 * found good is one order however often it is read, and words are fit for a terminal.
 */
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/input/assemble.h"
#include "fs/input/batch.h"
#include "spec/model.h"
#include "tests/fuzz/fuzz_folder.h"
#include "tests/fuzz/fuzz_problems.h"

#include <errno.h>
#include <string.h>

#define LINES_MAX 4 /* are judged; reading them all is cheap */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model_set models;
static struct tree tree;

static void start(void)
{
	if (models.count)
		return;
	demand(models_builtin(&models) == 0);
	tree = (struct tree){.fd = fuzz_folder()};
	for (size_t i = 0; i < models.count; i++)
		demand(folders_make(tree.fd, models.item[i]->id, 0700, O_NOFOLLOW) == 0);
}

static void judge(const struct model *model, const char *stem)
{
	struct assembly one = {0}, again = {0};

	demand(assemble(&tree, model, "", stem, &one) == 0);
	demand(assemble(&tree, model, "", stem, &again) == 0);
	demand_printable(&one.problems);
	demand_printable(&one.missing);
	demand(!strcmp(one.order, again.order) && !strcmp(one.fingerprint, again.fingerprint));
	demand(*one.order ? !one.problems.count && !one.missing.count : true);
	assembly_clear(&one);
	assembly_clear(&again);
}

static void put(const struct model *model, const char *name, const uint8_t *bytes, size_t count)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", model->id, name);
	fuzz_put(path, bytes, count);
}

static void take_away(const struct model *model, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", model->id, name);
	(void)unlinkat(tree.fd, path, 0);
}

static void read_batch(const struct model *model, const uint8_t *data, size_t size)
{
	char path[128], stem[32];
	size_t whole = 0, bytes;
	int count;

	put(model, "list.jsonl", data, size);
	(void)snprintf(path, sizeof(path), "%s/list.jsonl", model->id);
	count = batch_lines(&tree, path);
	demand(count >= 0);
	for (int line = 1; line <= count; line++) {
		AUTO_FREE char *text = NULL;
		int error = batch_read_line(&tree, path, line, &text, &bytes);

		demand(error == 0 || error == -ENOENT);
		if (error)
			continue;
		demand(memmem(data, size, text, bytes) != NULL && text[bytes] == '\0');
		whole += bytes;
		(void)snprintf(stem, sizeof(stem), "list-%04d", line);
		if (line <= LINES_MAX)
			judge(model, stem);
	}
	demand(whole <= size);
	take_away(model, "list.jsonl");
}

static void read_files(const struct model *model, const uint8_t *data, size_t size)
{
	static const char *const name[] = {
		"dog.txt", "dog.png", "dog.end.jpg", "dog.json", "defaults.json"};
	size_t count;

	for (size_t i = 0; i < sizeof(name) / sizeof(*name) && size; i++) {
		const uint8_t *part = fuzz_part(&data, &size, &count);

		if (count)
			put(model, name[i], part, count);
	}
	judge(model, "dog");
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
		take_away(model, name[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct model *model;

	if (!size)
		return 0;
	start();
	model = models.item[(data[0] >> 1) % models.count];
	if (data[0] & 1)
		read_batch(model, data + 1, size - 1);
	else
		read_files(model, data + 1, size - 1);
	return 0;
}
