#include "fs/cli/several.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/cli/cli.h"
#include "fs/cli/meant.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------ which of them */

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words) != 0)
		words++;
	return *words;
}

/* Whether the order is meant for a job that was found in this state. */
static bool is_wanted(const struct several *several, const cJSON *record)
{
	static const char *const to_retry[] = {
		"done", "failed", "unknown", "cancelled", "rejected", "held", NULL};
	static const char *const to_cancel[] = {"waiting", "held", "queued", "uploading", NULL};
	const char *state = cli_text(record, "state");

	if (!strcmp(several->verb, "release"))
		return !strcmp(state, "held");
	if (!strcmp(several->verb, "cancel"))
		return is_one_of(state, to_cancel) || json_is_true(record, "settling");
	if (several->failed_only) /* what was saved since goes by itself */
		return !strcmp(state, "failed") && !json_is_true(record, "settling");
	return is_one_of(state, to_retry);
}

/* Whether it will be paid for: what is not complete, or cannot be right, is only looked at. */
static bool is_paid(const struct several *several, const cJSON *record)
{
	static const char *const free_of[] = {"rejected", "waiting", NULL};

	return strcmp(several->verb, "cancel") != 0 &&
	       !is_one_of(cli_text(record, "state"), free_of);
}

/* ------------------------------------------------------------------ finding them */

/* Takes record over. */
static int add(struct several *several, const char *mount, const char *inside, cJSON *record)
{
	struct chosen *item;

	if (ARRAY_ROOM(several->item, several->count, several->room) < 0) {
		cJSON_Delete(record);
		return CLI_FAILED;
	}
	item = &several->item[several->count++];
	*item = (struct chosen){strdup(mount), strdup(inside), record};
	return item->mount && item->inside ? CLI_OK : CLI_FAILED;
}

/* The record of a job by one of its files; the caller frees. NULL: there is no such job. */
static char *record_path(const char *mount, const char *inside)
{
	AUTO_FREE char *answer = NULL;

	return cli_tell(mount, "find", inside, &answer) < 0 || !answer ? NULL
	                                                               : unquote_name(answer);
}

/* By another of its files, perhaps. */
static bool is_chosen(const struct several *several, const char *mount, const char *record)
{
	for (size_t i = 0; i < several->count; i++)
		if (!strcmp(several->item[i].inside, record) &&
			!strcmp(several->item[i].mount, mount))
			return true;
	return false;
}

/* What is named is ordered as it is, once; with --failed, if it has failed. What is no job goes
 * too, and the order tells. */
static int add_named(struct several *several, const char *mount, const char *inside)
{
	AUTO_FREE char *path = record_path(mount, inside);
	cJSON *record = path ? cli_read_json(mount, path) : NULL;

	if (path && is_chosen(several, mount, path)) {
		cJSON_Delete(record);
		return CLI_OK;
	}
	if (record && several->failed_only && !is_wanted(several, record)) {
		several->unknown += !strcmp(cli_text(record, "state"), "unknown");
		cJSON_Delete(record);
		return CLI_OK;
	}
	return add(several, mount, path ? path : inside, record);
}

static int add_record(
	struct several *several, const char *mount, const char *path, const struct meant *meant)
{
	cJSON *record = cli_read_json(mount, path); /* NULL: forgotten just now */

	if (!record || !meant_has(meant, record) || !is_wanted(several, record)) {
		if (record && several->failed_only && meant_has(meant, record) &&
			!strcmp(cli_text(record, "state"), "unknown"))
			several->unknown++;
		cJSON_Delete(record);
		return CLI_OK;
	}
	return add(several, mount, path, record);
}

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* only read */
}

/* Every record below a folder of them. */
static int add_records(
	struct several *several, const char *mount, const char *folder, const struct meant *meant)
{
	AUTO_FREE char *whole = path_join(mount, folder);
	__attribute__((cleanup(cleanup_dir))) DIR *dir = whole ? opendir(whole) : NULL;
	const struct dirent *entry;
	int status = CLI_OK;

	if (!dir && errno != ENOENT) {
		cli_complain("%s: %s", folder, strerror(errno));
		return CLI_FAILED;
	}
	while (dir && !status && (entry = readdir(dir))) {
		AUTO_FREE char *path = path_join(folder, entry->d_name);

		if (!path)
			status = CLI_FAILED;
		else if (*entry->d_name == '.')
			continue;
		else if (entry->d_type == DT_DIR)
			status = add_records(several, mount, path, meant);
		else
			status = add_record(several, mount, path, meant);
	}
	return status;
}

/* The folder of a model's records, or one in it. */
static int add_model(struct several *several, const char *mount, const struct model *model,
	const char *dir, const struct meant *meant)
{
	AUTO_FREE char *jobs = path_join(model->id, "jobs");
	AUTO_FREE char *folder = jobs ? *dir ? path_join(jobs, dir) : strdup(jobs) : NULL;

	return folder ? add_records(several, mount, folder, meant) : CLI_FAILED;
}

static int add_found(struct several *several, const char *mount, const struct meant *meant)
{
	int status = CLI_OK;

	if (meant->kind == MEANT_BATCH)
		return add_model(several, mount, meant->place.model, meant->place.dir, meant);
	for (size_t i = 0; i < several->models.count && !status; i++) {
		const struct model *model = several->models.item[i];
		const char *dir = path_within(meant->folder, model->id);

		if (dir || path_below(model->id, meant->folder))
			status = add_model(several, mount, model, dir ? dir : "", meant);
	}
	return status;
}

static bool is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int several_add(struct several *several, const char *path)
{
	AUTO_FREE char *mount = NULL, *inside = NULL;
	struct meant meant = {.kind = MEANT_JOB};
	int status = CLI_OK;

	if (!cli_find_mount(path, &mount, &inside))
		return CLI_USAGE;
	if (meant_of(&several->models, mount, inside, &meant) < 0)
		status = CLI_FAILED;
	if (meant.kind == MEANT_FOLDER && !is_folder(path))
		meant.kind = MEANT_JOB; /* by its name alone */
	if (meant.kind == MEANT_FOLDER && !strcmp(several->verb, "retry") &&
		!several->failed_only) {
		cli_complain("%s is a folder: retry --failed orders again what failed in it", path);
		status = CLI_USAGE;
	}
	if (!status && meant.kind == MEANT_JOB)
		status = add_named(several, mount, inside);
	else if (!status)
		status = add_found(several, mount, &meant);
	several->found = several->found || meant.kind != MEANT_JOB;
	meant_clear(&meant);
	return status;
}

void several_clear(struct several *several)
{
	for (size_t i = 0; i < several->count; i++) {
		free(several->item[i].mount);
		free(several->item[i].inside);
		cJSON_Delete(several->item[i].record);
	}
	free(several->item);
	models_free(&several->models);
}

/* ------------------------------------------------------------------ what they cost */

int several_paid(const struct several *several, double *credits, int *unpriced)
{
	int paid = 0;

	*credits = 0;
	*unpriced = 0;
	for (size_t i = 0; i < several->count; i++) {
		const cJSON *record = several->item[i].record;
		const cJSON *price = json_get(json_get(record, "estimate"), "credits");

		if (!record || !is_paid(several, record))
			continue;
		paid += several->takes;
		if (cJSON_IsNumber(price))
			*credits += several->takes * price->valuedouble;
		else
			*unpriced += several->takes;
	}
	return paid;
}
