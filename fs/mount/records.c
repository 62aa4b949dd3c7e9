/* records.c - MODEL/jobs: the journal's records as files, asked for anew at every look. */
#include "fs/base/cleanup.h"
#include "fs/engine/control.h"
#include "fs/journal/view.h"
#include "fs/mount/generated.h"

#include <string.h>

/* Cookies of a listing: folders by their place in it, records by their id. */
#define COOKIE_RECORD ((off_t)1 << 62)

const struct model *node_model(struct mount *mount, const struct node *node)
{
	return mount->setup.models->item[node->model];
}

int records_dir(struct mount *mount, struct node *node, const char *leaf, char **dir)
{
	size_t skip = strlen(node_model(mount, node)->id) + strlen("/jobs");
	AUTO_FREE char *path = NULL;
	int error = node_path(&mount->nodes, node, leaf, BASE_MOUNT, &path);

	if (error < 0)
		return error;
	*dir = strdup(path[skip] == '/' ? path + skip + 1 : path + skip);
	return *dir ? 0 : -ENOMEM;
}

/* Splits "summer/beach.json" into "summer" and "beach". -ENOENT: not the name of a record. */
static int split(char *path, const char **dir, const char **stem)
{
	char *slash = strrchr(path, '/');
	char *name = slash ? slash + 1 : path;
	char *dot = strrchr(name, '.');

	if (!dot || dot == name || strcmp(dot, ".json"))
		return -ENOENT;
	*dot = '\0';
	if (slash)
		*slash = '\0';
	*dir = slash ? path : "";
	*stem = name;
	return 0;
}

static int record_of(
	struct mount *mount, struct node *node, const char *leaf, struct record *record)
{
	AUTO_FREE char *path = NULL;
	const char *dir, *stem;
	int error = records_dir(mount, node, leaf, &path);

	if (error == 0)
		error = split(path, &dir, &stem);
	if (error == 0)
		error = view_record(
			mount->setup.view, node_model(mount, node)->id, dir, stem, record);
	return error;
}

int records_stat(struct mount *mount, struct node *node, struct stat *st)
{
	struct record record = {0};
	AUTO_FREE char *dir = NULL;
	int error;

	if (node->kind == NODE_JOBS_FOLDER) {
		error = records_dir(mount, node, NULL, &dir);
		return error < 0 ? error
		                 : view_folder(mount->setup.view, node_model(mount, node)->id, dir);
	}
	error = record_of(mount, node, NULL, &record);
	if (error < 0)
		return error;
	free(record.text);
	st->st_ino = generated_ino(NODE_RECORD, (uint64_t)record.id);
	st->st_size = (off_t)record.bytes;
	st->st_mtim.tv_sec = record.changed_ms / 1000;
	st->st_mtim.tv_nsec = record.changed_ms % 1000 * 1000000;
	st->st_ctim = st->st_atim = st->st_mtim;
	return 0;
}

int records_render(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	struct record record = {0};
	int error = record_of(mount, node, NULL, &record);

	*text = record.text;
	*bytes = record.bytes;
	return error;
}

int records_find(struct mount *mount, struct node *parent, const char *name, enum node_kind *kind)
{
	struct record record = {0};
	AUTO_FREE char *dir = NULL;
	int error = record_of(mount, parent, name, &record);

	free(record.text);
	*kind = NODE_RECORD;
	if (error != -ENOENT)
		return error;
	*kind = NODE_JOBS_FOLDER;
	error = records_dir(mount, parent, name, &dir);
	return error < 0 ? error
	                 : view_folder(mount->setup.view, node_model(mount, parent)->id, dir);
}

int records_unlink(struct mount *mount, struct node *parent, const char *name)
{
	AUTO_FREE char *path = NULL;
	const char *dir, *stem;
	int error = records_dir(mount, parent, name, &path);

	if (error == 0)
		error = split(path, &dir, &stem);
	if (error == 0)
		error = control_forget(
			mount->setup.control, node_model(mount, parent)->id, dir, stem);
	return error;
}

struct listing {
	records_each *each;
	void *context;
	off_t from, at;
	bool stopped, no_memory;
};

static int list_folder(void *context, int64_t id, const char *name)
{
	struct listing *listing = context;

	(void)id;
	if (listing->at++ < listing->from)
		return 0;
	if (listing->each(listing->context, name, NODE_JOBS_FOLDER, 0, listing->at))
		listing->stopped = true;
	return listing->stopped;
}

static int list_record(void *context, int64_t id, const char *stem)
{
	struct listing *listing = context;
	AUTO_FREE char *name = NULL;

	if (asprintf(&name, "%s.json", stem) < 0) {
		name = NULL;
		listing->no_memory = true;
		return 1;
	}
	return listing->each(listing->context, name, NODE_RECORD, id, COOKIE_RECORD | id);
}

int records_list(
	struct mount *mount, struct node *folder, off_t from, records_each *each, void *context)
{
	struct listing listing = {.each = each, .context = context, .from = from};
	const char *model = node_model(mount, folder)->id;
	struct view *view = mount->setup.view;
	AUTO_FREE char *dir = NULL;
	int error = records_dir(mount, folder, NULL, &dir);

	if (error == 0 && !(from & COOKIE_RECORD))
		error = view_list_folders(view, model, dir, list_folder, &listing);
	if (error < 0 || listing.stopped)
		return error;
	error = view_list(view, model, dir, from & COOKIE_RECORD ? from & ~COOKIE_RECORD : 0,
		list_record, &listing);
	return listing.no_memory ? -ENOMEM : error;
}
