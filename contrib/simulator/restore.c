/* restore.c - reads the lines of state.c: the tasks, uploads and figures of the run before. */
#include "contrib/simulator/api.h"
#include "contrib/simulator/state.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const cJSON *line, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, key));
}

static double number_of(const cJSON *line, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(line, key);

	return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

static void apply_account(const cJSON *line)
{
	const char *key = text_of(line, "key");

	sim.credits = number_of(line, "credits");
	for (size_t i = 0; key && i < sizeof(sim.key) && strlen(key) == 2 * sizeof(sim.key); i++)
		(void)sscanf(key + 2 * i, "%2hhx", &sim.key[i]); /* our own digits */
}

static void apply_port(const cJSON *line)
{
	sim.last_port = (int)number_of(line, "port");
}

static void apply_upload(const cJSON *line)
{
	struct picture *picture = picture_restore(cJSON_GetObjectItemCaseSensitive(line, "file"));
	AUTO_FREE char *path = strdup(text_of(line, "upload"));

	if (picture && path)
		(void)upload_keep(path, picture); /* without memory it is gone, as by its age */
	picture_unref(picture);
}

/* False: a line of no task of ours. */
static bool read_results(const cJSON *line, struct task *task)
{
	const cJSON *type;

	cJSON_ArrayForEach (type, cJSON_GetObjectItemCaseSensitive(line, "results")) {
		enum kind kind;

		if (task->result_count == SIM_RESULTS || !cJSON_IsString(type) ||
			!result_kind(type->valuestring, &kind))
			return false;
		task->results[task->result_count++] = result_type(kind, type->valuestring);
	}
	return task->result_count > 0;
}

static void apply_task(const cJSON *line)
{
	const char *provider = text_of(line, "provider");
	const char *model = text_of(line, "model");
	const char *resolution = text_of(line, "resolution");
	const char *param = text_of(line, "param");
	const char *prompt = text_of(line, "prompt");
	struct task *task = provider && model && prompt ? calloc(1, sizeof(*task)) : NULL;

	if (!task)
		return;
	(void)snprintf(task->id, sizeof(task->id), "%s", text_of(line, "task"));
	task->provider = strcmp(provider, "kie") != 0 ? PPINFRA : KIE;
	task->model = strdup(model);
	task->created = number_of(line, "t");
	task->due = number_of(line, "due");
	task->price = number_of(line, "price");
	task->seconds = (int)number_of(line, "seconds");
	(void)snprintf(
		task->resolution, sizeof(task->resolution), "%s", resolution ? resolution : "");
	task->param = param ? strdup(param) : NULL;
	sha256_hex(prompt, strlen(prompt), task->prompt_sha256);
	if (task->model && read_results(line, task))
		(void)task_restore(task); /* without memory nobody can ask for it */
	else
		task_free(task);
}

static void apply_ready(const cJSON *line)
{
	struct task *task = task_find_any(text_of(line, "ready"));

	if (!task)
		return;
	task->ready = number_of(line, "t");
	task->video = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "good")) ? VIDEO_READY
	                                                                           : VIDEO_FAILED;
}

static void apply_doomed(const cJSON *line)
{
	struct task *task = task_find_any(text_of(line, "doomed"));
	const char *reason = text_of(line, "reason");

	if (!task)
		return;
	task_doom(task, reason ? reason : "", false);
	task->due = number_of(line, "due");
}

void restore_line(const cJSON *line)
{
	static const struct {
		const char *kind;
		bool is_text;
		void (*apply)(const cJSON *line);
	} kinds[] = {
		{"credits", false, apply_account},
		{"port", false, apply_port},
		{"upload", true, apply_upload},
		{"task", true, apply_task},
		{"ready", true, apply_ready},
		{"doomed", true, apply_doomed},
	};
	const cJSON *name = line->child;

	for (size_t i = 0; name && name->string && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name->string, kinds[i].kind) &&
			kinds[i].is_text == !!cJSON_IsString(name))
			kinds[i].apply(line);
}

static void restore_source(const cJSON *line, const char *key, struct source *source)
{
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(line, key);
	const char *url = text_of(object, "url");

	source->picture = picture_restore(cJSON_GetObjectItemCaseSensitive(object, "file"));
	source->url = url ? strdup(url) : NULL;
}

void restore_videos(const cJSON *lines)
{
	const cJSON *line;

	cJSON_ArrayForEach (line, lines) {
		struct task *task = task_find_any(text_of(line, "task"));
		struct scene scene = {0};

		if (!task || task->video != VIDEO_PENDING)
			continue;
		scene.prompt = strdup(text_of(line, "prompt"));
		if (!scene.prompt)
			continue; /* it stays a running task */
		restore_source(line, "first", &scene.first);
		restore_source(line, "last", &scene.last);
		render_submit(task, &scene);
	}
}
