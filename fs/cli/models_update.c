#include "fs/cli/models_update.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/cli/cli.h"
#include "fs/cli/models_put.h"
#include "fs/config/config.h"
#include "spec/catalogue.h"

#include <string.h>

/* ------------------------------------------------------------------ asking for one */

static char *joined(const cJSON *list)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	const cJSON *entry;

	if (!out)
		return NULL;
	cJSON_ArrayForEach (entry, list)
		(void)fprintf(out, "%s%s", entry == list->child ? "" : ",",
			cJSON_IsString(entry) ? entry->valuestring : ""); /* the stream tells */
	return stream_text(out, &text);
}

/* The price of a model, as the list has it or in a call of its own. *answer owns it. */
static const char *price_of(
	struct update *update, const cJSON *line, const char *name, cJSON **answer)
{
	AUTO_FREE char *words = NULL;

	if (json_text(line, "pricingDesc"))
		return json_text(line, "pricingDesc");
	*answer = models_ask(&update->asking, CATALOGUE_PRICE, name, &words);
	if (!*answer)
		update_fail(update, name, words);
	return json_text(*answer, "pricingDesc");
}

static void ask_for(struct update *update, struct catalogue_entry *said, const cJSON *line)
{
	AUTO_FREE char *words = NULL;
	AUTO_JSON cJSON *schema = models_ask(&update->asking, CATALOGUE_SCHEMA, said->id, &words);
	AUTO_JSON cJSON *price = NULL, *file = NULL;
	int error;

	if (!schema) {
		update_fail(update, said->id, words);
		return;
	}
	said->schema = json_get(schema, "openapi");
	if (cJSON_IsObject(said->schema))
		said->price = price_of(update, line, said->id, &price);
	error = catalogue_make(said, &file, &words);
	if (error == -ENOMEM)
		update_fail(update, said->id, NULL);
	else if (error)
		update_not_read(update, said->id, words);
	else
		update_put(update, said->id, &file);
}

/* Of what becomes a part of a URL and of a path. */
static bool is_name(const char *name)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
	size_t length = strlen(name);

	return length && length <= 200 && strspn(name, letters) == length && *name != '/' &&
	       *name != '.' && name[length - 1] != '/' && !strstr(name, "//") &&
	       !strstr(name, "/.");
}

static bool is_wanted(const struct update *update, const char *name)
{
	for (int i = 0; i < update->nwanted; i++)
		if (strcmp(update->wanted[i], name) == 0)
			return true;
	return update->nwanted == 0;
}

static void look_at(struct update *update, const cJSON *line)
{
	const char *name = json_text(line, "model");
	size_t folders;
	const struct model *known = update_known(update, name, &folders);
	AUTO_FREE char *tasks = joined(json_array(line, "taskType"));
	struct catalogue_entry said = {.id = name,
		.title = json_text(line, "title"),
		.description = json_text(line, "description"),
		.tasks = tasks,
		.provider = update->asking.catalogue->provider->name,
		.source = update->source,
		.date = update->date};

	if (!catalogue_is_media(&said) && !update->nwanted) {
		update->others++;
	} else if (!is_name(name)) {
		update_not_read(update, name, "this is no name of a model");
	} else if (folders > 1) {
		update->same++; /* each says a part of it, which no schema tells apart */
	} else if (update_is_own(update, known ? known->id : name, known)) {
		update->own++;
		update_tell(update, "yours", known ? known->id : name, "left as it is");
	} else {
		ask_for(update, &said, line);
	}
}

/* ------------------------------------------------------------------ all of them */

static bool is_listed(const cJSON *lines, const char *name)
{
	const cJSON *line;

	cJSON_ArrayForEach (line, lines) {
		if (strcmp(json_text(line, "model"), name) == 0)
			return true;
	}
	return false;
}

/* What the provider does not name any more. */
static void retire_unlisted(struct update *update, const cJSON *lines)
{
	const char *provider = update->asking.catalogue->provider->name;
	size_t count;

	for (size_t i = 0; i < update->known.count; i++) {
		const struct model *model = update->known.item[i];

		if (strcmp(model->provider, provider) == 0 && is_wanted(update, model->name) &&
			!is_listed(lines, model->name))
			update_retire(update, model);
	}
	for (int i = 0; i < update->nwanted; i++)
		if (!is_listed(lines, update->wanted[i]) &&
			!update_known(update, update->wanted[i], &count))
			update_fail(update, update->wanted[i],
				"the provider has no model of this name");
}

/* A list that is whole: it names every one, and as many as it says. */
static bool is_whole(const cJSON *data)
{
	const cJSON *lines = json_array(data, "models"), *line;

	cJSON_ArrayForEach (line, lines) {
		if (!json_text(line, "model"))
			return false;
	}
	return lines && lines->child &&
	       json_number(data, "total") == (double)cJSON_GetArraySize(lines);
}

static void sum_up(struct update *update)
{
	update_hide_bar(update);
	printf("%zu new, %zu changed, %zu as they were, %zu gone, %zu not understood",
		update->fresh, update->changed, update->same, update->gone, update->unread);
	if (update->own)
		printf(", %zu yours", update->own);
	if (update->others)
		printf("; %zu make no videos, pictures or sounds", update->others);
	puts("");
	if (update->fresh + update->changed + update->gone)
		puts("Mount again to use them.");
}

static void update_all(struct update *update)
{
	const char *title = update->asking.catalogue->provider->title;
	AUTO_FREE char *words = NULL;
	AUTO_JSON cJSON *data = models_ask(&update->asking, CATALOGUE_LIST, NULL, &words);
	const cJSON *lines = json_array(data, "models"), *line;
	int at = 0, of = 0;

	if (!data || !is_whole(data)) {
		update_fail(update, title,
			data ? "its list of models is not whole, so nothing was changed" : words);
		return;
	}
	cJSON_ArrayForEach (line, lines)
		of += is_wanted(update, json_text(line, "model"));
	cJSON_ArrayForEach (line, lines) {
		if (!is_wanted(update, json_text(line, "model")))
			continue;
		update_show_bar(update, at++, of, json_text(line, "model"));
		if (update->asking.is_hopeless) {
			update_fail(update, title,
				"it does not answer; the other models are as they were");
			break;
		}
		look_at(update, line);
	}
	retire_unlisted(update, lines);
	sum_up(update);
}

/* ------------------------------------------------------------------ the command */

static bool prepare(struct update *update)
{
	time_t now = clock_wall_ms() / 1000;
	struct tm day;

	update->folder = xdg_path(XDG_CONFIG, "kinofs/models");
	update->source = format("%s's catalogue", update->asking.catalogue->provider->title);
	if (!update->folder || !update->source || !gmtime_r(&now, &day) ||
		!strftime(update->date, sizeof(update->date), "%Y-%m-%d", &day))
		return false;
	return models_builtin(&update->builtin) == 0 && cli_models_load(&update->known) == 0;
}

static void clear(struct update *update)
{
	models_free(&update->builtin);
	models_free(&update->known);
	free(update->folder);
	free(update->source);
}

static int update_from(const struct catalogue *catalogue, const struct account *account,
	struct http *http, int argc, char **argv)
{
	struct update update = {
		.asking = {.catalogue = catalogue, .account = account, .http = http},
		.wanted = argv + 1,
		.nwanted = argc - 1,
		.status = CLI_OK};

	if (!account->key) {
		(void)fprintf(stderr, "kinofs: %s: no key (%s)\n", catalogue->provider->name,
			catalogue->provider->key_variables[0]);
		return CLI_FAILED;
	}
	if (prepare(&update))
		update_all(&update);
	else
		update.status = CLI_FAILED;
	clear(&update);
	return update.status;
}

int models_update(int argc, char **argv)
{
	struct config config = {0};
	struct http *http;
	const struct catalogue *catalogue;
	int status = CLI_FAILED;

	if (argc > 1 && argv[1][0] == '-') {
		cli_usage("models");
		return CLI_USAGE;
	}
	http = cli_online(&config);
	if (http) {
		status = CLI_OK;
		for (size_t i = 0; (catalogue = catalogue_at(i)); i++)
			if (update_from(catalogue, config_account(&config, catalogue->provider),
				    http, argc, argv) != CLI_OK)
				status = CLI_FAILED;
		http_free(http);
	}
	config_clear(&config);
	return status;
}
