#include "fs/mount/records.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/engine/control.h"
#include "fs/journal/view.h"
#include "fs/mount/node_use.h"

#include <string.h>

/* Cookies of a listing: folders by their place in it, records by their id. */
#define COOKIE_RECORD ((off_t)1 << 62)

/* Of a folder below jobs/, or of leaf in one: its path from there, "" for jobs/ itself. */
static int records_dir(struct mount *mount, struct node *node, const char *leaf, char **dir)
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

/* The journal's name for a record: model, dir and stem. path: the memory they are in. */
struct record_name {
	const char *model, *dir, *stem;
	char *path;
};

static int name_of(
	struct mount *mount, struct node *node, const char *leaf, struct record_name *name)
{
	int error = records_dir(mount, node, leaf, &name->path);

	name->model = node_model(mount, node)->id;
	return error < 0 ? error : split(name->path, &name->dir, &name->stem);
}

static int record_of(struct mount *mount, struct node *node, struct record *record)
{
	struct record_name name = {0};
	int error = name_of(mount, node, NULL, &name);

	if (error == 0)
		error = view_record(mount->setup.view, name.model, name.dir, name.stem, record);
	free(name.path);
	return error;
}

int records_stat(struct mount *mount, struct node *node, struct stat *st)
{
	struct record record = {0};
	int error = record_of(mount, node, &record);

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

static int find_folder(struct mount *mount, struct node *node, const char *leaf)
{
	AUTO_FREE char *dir = NULL;
	int error = records_dir(mount, node, leaf, &dir);

	if (error < 0)
		return error;
	return view_folder(mount->setup.view, node_model(mount, node)->id, dir);
}

int records_stat_folder(struct mount *mount, struct node *node, struct stat *st)
{
	(void)st;
	return find_folder(mount, node, NULL);
}

int records_render(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	struct record record = {0};
	int error = record_of(mount, node, &record);

	*text = record.text;
	*bytes = record.bytes;
	return error;
}

/* Whether there is such a record is asked of the journal's index; it is made when it is looked at.
 */
static int find_record(struct mount *mount, struct node *folder, const char *leaf)
{
	struct record_name name = {0};
	int error = name_of(mount, folder, leaf, &name);

	if (error == 0 && !view_knows(mount->setup.view, name.model, name.dir, name.stem))
		error = -ENOENT;
	free(name.path);
	return error;
}

/* By its path, so that a folder keeps its number. */
static ino_t folder_ino(struct mount *mount, struct node *parent, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) < 0)
		path = NULL;
	return generated_ino(NODE_JOBS_FOLDER, hash_text(path ? path : ""));
}

int records_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed)
{
	int error = find_record(mount, folder, name);

	(void)caller;
	seed->kind = NODE_RECORD;
	seed->ino = generated_ino(NODE_RECORD, folder->model); /* its own is asked for with it */
	if (error != -ENOENT)
		return error;
	seed->kind = NODE_JOBS_FOLDER;
	seed->ino = folder_ino(mount, folder, name);
	return find_folder(mount, folder, name);
}

int records_remove(struct mount *mount, struct node *folder, const char *leaf)
{
	struct record_name name = {0};
	int error = name_of(mount, folder, leaf, &name);

	if (error == 0)
		error = control_forget(mount->setup.control, name.model, name.dir, name.stem);
	free(name.path);
	return error;
}

struct listing {
	struct mount *mount;
	struct node *folder;
	generated_each *each;
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
	if (listing->each(listing->context, name, NODE_JOBS_FOLDER,
		    folder_ino(listing->mount, listing->folder, name), listing->at))
		listing->stopped = true;
	return listing->stopped;
}

static int list_record(void *context, int64_t id, const char *stem)
{
	struct listing *listing = context;
	AUTO_FREE char *name = format("%s.json", stem);

	if (!name) {
		listing->no_memory = true;
		return 1;
	}
	return listing->each(listing->context, name, NODE_RECORD,
		generated_ino(NODE_RECORD, (uint64_t)id), COOKIE_RECORD | id);
}

int records_list(
	struct mount *mount, struct node *folder, off_t from, generated_each *each, void *context)
{
	struct listing listing = {
		.mount = mount, .folder = folder, .each = each, .context = context, .from = from};
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
