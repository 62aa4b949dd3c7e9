#include "fs/cli/models_put.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/cli/cli.h"
#include "fs/cli/models_file.h"
#include "spec/catalogue.h"

#include <errno.h>
#include <string.h>

#define BAR 24

/* ------------------------------------------------------------------ what is printed */

void update_hide_bar(struct update *update)
{
	if (update->has_bar)
		(void)fputs("\r\033[K", stderr);
	update->has_bar = false;
}

void update_show_bar(struct update *update, int at, int of, const char *name)
{
	AUTO_FREE char *shown = quote_name(name);
	int full = of ? BAR * at / of : 0;

	if (!isatty(STDERR_FILENO))
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr, "\r\033[K[%.*s%*s] %d/%d %s", full, "########################",
		BAR - full, "", at, of, shown ? shown : "");
	update->has_bar = true;
}

/* One line of what came of a model. */
void update_tell(struct update *update, const char *what, const char *name, const char *words)
{
	AUTO_FREE char *shown = quote_name(name), *line = words ? quote_line(words) : NULL;

	update_hide_bar(update);
	printf("%-14s %s%s%s\n", what, shown ? shown : "", line ? ": " : "", line ? line : "");
	(void)fflush(stdout);
}

/* Something was not done that was to be done. */
void update_fail(struct update *update, const char *name, const char *words)
{
	AUTO_FREE char *shown = quote_name(name), *line = quote_line(words ? words : "no memory");

	update_hide_bar(update);
	(void)fflush(stdout);
	(void)fprintf(stderr, "kinofs: %s: %s\n", shown ? shown : "", line ? line : "");
	update->status = CLI_FAILED;
}

/* ------------------------------------------------------------------ files */

const struct model *update_known(const struct update *update, const char *name, size_t *count)
{
	const struct model *found = NULL;

	*count = 0;
	for (size_t i = 0; i < update->known.count; i++) {
		const struct model *model = update->known.item[i];

		if (strcmp(model->name, name) != 0 ||
			strcmp(model->provider, update->asking.catalogue->provider->name) != 0)
			continue;
		found = found ? found : model;
		(*count)++;
	}
	return found;
}

static bool is_builtin(const struct update *update, const struct model *model)
{
	const struct model *own = models_find(&update->builtin, model->id);

	return own && cJSON_Compare(own->schema, model->schema, true);
}

/* Whether a person wrote the model's file, wherever it is. */
bool update_is_own(const struct update *update, const char *id, const struct model *model)
{
	AUTO_FREE char *path = models_file_path(update->folder, id);
	enum models_file is = path ? models_file_look(path) : MODELS_FILE_OWN;

	return is == MODELS_FILE_OWN ||
	       (is == MODELS_FILE_NONE && model && !is_builtin(update, model));
}

/* false: the reason was printed. */
static bool write_file(struct update *update, const char *id, cJSON *file)
{
	AUTO_FREE char *path = models_file_path(update->folder, id);
	int error = path ? models_file_write(path, file) : -ENOMEM;

	if (error)
		update_fail(update, path ? path : id, strerror(-error));
	return !error;
}

/* The built-in model says the same again: a file for it would only be in its way later. */
static void remove_file(struct update *update, const char *id)
{
	AUTO_FREE char *path = models_file_path(update->folder, id);

	if (!path || (unlink(path) < 0 && errno != ENOENT))
		update_fail(update, id, path ? strerror(errno) : NULL);
}

/* ------------------------------------------------------------------ one model */

/* Whether kinofs takes the file. */
static bool is_sound(const cJSON *file)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(file), *why = NULL;
	struct model *model = text ? model_parse(text, strlen(text), &why) : NULL;
	const bool is_sound = model != NULL;

	model_free(model);
	return is_sound;
}

/* Made anew over the file that kinofs has, where that gives a sound one. */
static void renew(const cJSON *old, cJSON **file)
{
	AUTO_JSON cJSON *renewed = catalogue_renew(old, *file);

	if (!renewed || !is_sound(renewed))
		return;
	cJSON_Delete(*file);
	*file = TAKE(renewed);
}

/* The model whose folder the new one's would lie in, or that lies in it. NULL: none. */
static const char *collision(const struct update *update, const char *id)
{
	for (size_t i = 0; i < update->known.count; i++) {
		const char *other = update->known.item[i]->id;

		if (path_below(id, other) || path_below(other, id))
			return other;
	}
	return NULL;
}

void update_not_read(struct update *update, const char *name, const char *why)
{
	AUTO_FREE char *line = strdup(why);
	char *end = line;

	while (end && (end = strchr(end, '\n'))) /* a line a reason */
		*end = end[1] ? ';' : '\0';
	update->unread++;
	update_tell(update, "not understood", name, line);
	if (update->nwanted)
		update->status = CLI_FAILED;
}

/* For the models after it: their folders must not meet. */
static void remember(struct update *update, const cJSON *file)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(file), *why = NULL;
	struct model *model = text ? model_parse(text, strlen(text), &why) : NULL;

	if (model && models_add(&update->known, model))
		model_free(model);
}

void update_put(struct update *update, const char *name, cJSON **file)
{
	size_t count;
	const struct model *known = update_known(update, name, &count);
	const char *id = known ? known->id : name;
	const struct model *builtin = models_find(&update->builtin, id);
	const char *other = known ? NULL : collision(update, id);
	AUTO_FREE char *difference = NULL, *words = NULL;

	if (other) {
		words = format("its folder and that of %s would lie in each other", other);
		update_not_read(update, name, words);
		return;
	}
	if (builtin)
		renew(builtin->schema, file);
	difference = known ? catalogue_difference(known->schema, *file) : NULL;
	if (builtin && catalogue_same(builtin->schema, *file))
		remove_file(update, id);
	else if (!write_file(update, id, *file))
		return;
	update->fresh += !known;
	update->changed += known && difference;
	update->same += known && !difference;
	if (!known || difference)
		update_tell(update, known ? "changed" : "new", id, difference);
	if (!known)
		remember(update, *file);
}

/* ------------------------------------------------------------------ one that is gone */

void update_retire(struct update *update, const struct model *model)
{
	AUTO_JSON cJSON *file = cJSON_Duplicate(model->schema, true);

	if (json_get(model->schema, "x-kinofs-retired"))
		return;
	update->gone++;
	update_tell(update, "gone", model->id,
		update_is_own(update, model->id, model) ? "your own file is left as it is" : NULL);
	if (update_is_own(update, model->id, model))
		return;
	if (!cJSON_AddStringToObject(file, "x-kinofs-retired", update->date))
		update_fail(update, model->id, NULL);
	else
		(void)write_file(update, model->id, file); /* which says it */
}
