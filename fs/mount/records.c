#include "fs/mount/records.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/engine/control.h"
#include "fs/journal/job.h"
#include "fs/journal/view.h"
#include "fs/mount/node_use.h"
#include "fs/mount/sharing.h"
#include "spec/place.h"

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

/* The journal's name for a record: model, dir and stem. path, whole: the memory they are in. */
struct record_name {
	const char *model, *dir, *stem;
	char *path, *whole;
};

static void record_name_clear(struct record_name *name)
{
	free(name->path);
	free(name->whole);
}
#define AUTO_RECORD_NAME __attribute__((cleanup(record_name_clear)))

static int name_of(
	struct mount *mount, struct node *node, const char *leaf, struct record_name *name)
{
	int error = records_dir(mount, node, leaf, &name->path);

	name->model = node_model(mount, node)->id;
	if (error == 0)
		error = split(name->path, &name->dir, &name->stem);
	if (error < 0 || !place_is_cut(name->stem))
		return error;
	name->whole = view_whole_stem(mount->setup.view, name->model, name->dir, name->stem);
	name->stem = name->whole;
	return name->whole ? 0 : -ENOMEM;
}

static int record_of(
	struct mount *mount, struct node *node, struct record_name *name, struct record *record)
{
	int error = name_of(mount, node, NULL, name);

	if (error < 0)
		return error;
	return view_record(mount->setup.view, name->model, name->dir, name->stem, record);
}

/* It may be read by who may read the files of its job. */
static void share(
	struct mount *mount, const struct record_name *name, const char *rights, struct stat *st)
{
	struct rights known;

	st->st_mode = S_IFREG | 0400;
	if (!sharing_rights(mount, rights, name->model, name->dir, name->stem, &known))
		return; /* the mount's owner alone */
	st->st_uid = known.uid;
	st->st_gid = known.gid;
	st->st_mode = S_IFREG | (known.mode & 0444);
}

int records_stat(struct mount *mount, struct node *node, struct stat *st)
{
	AUTO_RECORD_NAME struct record_name name = {0};
	struct record record = {0};
	int error = record_of(mount, node, &name, &record);

	if (error < 0)
		return error;
	free(record.text);
	if (mount->setup.shared)
		share(mount, &name, record.rights, st);
	free(record.rights);
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

/* It may be looked into by who may look into the folder its jobs are in. Who may go in there may
 * try to remove a record: whether he may is asked then. */
static int share_folder(struct mount *mount, struct node *node, struct stat *st)
{
	AUTO_FREE char *dir = NULL, *folder = NULL;
	AUTO_FD int at = -1;
	struct stat real;
	int error = records_dir(mount, node, NULL, &dir);

	if (error < 0)
		return error;
	folder = format("tree/%s/%s", node_model(mount, node)->id, dir);
	at = folder ? folders_open(mount->setup.store_fd, folder) : -ENOMEM;
	st->st_mode = S_IFDIR | 0733; /* it is gone: what is in it was nobody's to list */
	if (at < 0 || fstat(at, &real) < 0)
		return at == -ENOMEM ? at : 0;
	st->st_uid = real.st_uid;
	st->st_gid = real.st_gid;
	st->st_mode = S_IFDIR | (real.st_mode & 0555) | (real.st_mode & 0111) << 1;
	return 0;
}

int records_stat_folder(struct mount *mount, struct node *node, struct stat *st)
{
	int error = find_folder(mount, node, NULL);

	return error < 0 || !mount->setup.shared ? error : share_folder(mount, node, st);
}

int records_render(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	AUTO_RECORD_NAME struct record_name name = {0};
	struct record record = {0};
	int error = record_of(mount, node, &name, &record);

	free(record.rights);
	*text = record.text;
	*bytes = record.bytes;
	return error;
}

/* Whether there is such a record is asked of the journal's index; it is made when it is looked at.
 */
static int find_record(struct mount *mount, struct node *folder, const char *leaf)
{
	AUTO_RECORD_NAME struct record_name name = {0};
	int error = name_of(mount, folder, leaf, &name);

	if (error == 0 && !view_knows(mount->setup.view, name.model, name.dir, name.stem))
		error = -ENOENT;
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

int records_remove(struct mount *mount, struct node *folder, const char *leaf, fuse_req_t req)
{
	AUTO_RECORD_NAME struct record_name name = {0};
	struct person person = {0};
	int error = name_of(mount, folder, leaf, &name);

	if (error < 0)
		return error;
	if (mount->setup.shared)
		sharing_caller(req, &person);
	error = control_forget(mount->setup.control, name.model, name.dir, name.stem,
		mount->setup.shared ? &person : NULL);
	person_clear(&person);
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
	AUTO_FREE char *name = place_fit(stem, ".json", PLACE_NAME_MAX);

	if (!name) {
		listing->no_memory = true;
		return 1;
	}
	return listing->each(listing->context, name, NODE_RECORD,
		generated_ino(NODE_RECORD, (uint64_t)id), COOKIE_RECORD | id);
}

int records_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req)
{
	struct listing listing = {
		.mount = mount, .folder = folder, .each = each, .context = context, .from = from};
	const char *model = node_model(mount, folder)->id;
	struct view *view = mount->setup.view;
	AUTO_FREE char *dir = NULL;
	int error = records_dir(mount, folder, NULL, &dir);

	(void)req; /* who may not read a record may still see that it is there, as with its files */
	if (error == 0 && !(from & COOKIE_RECORD))
		error = view_list_folders(view, model, dir, list_folder, &listing);
	if (error < 0 || listing.stopped)
		return error;
	error = view_list(view, model, dir, from & COOKIE_RECORD ? from & ~COOKIE_RECORD : 0,
		list_record, &listing);
	return listing.no_memory ? -ENOMEM : error;
}

/* ------------------------------------------------------------------ jobs.json */

struct reader {
	struct mount *mount;
	const struct person *person;
};

static bool shows(void *context, const struct job_row *row)
{
	const struct reader *reader = context;

	return sharing_shows(
		reader->mount, reader->person, row->rights, row->model_id, row->dir, row->stem);
}

/* How much there is of it depends on who reads it: as in proc(5), nothing is said then. */
int jobs_stat(struct mount *mount, struct node *node, struct stat *st)
{
	AUTO_FREE char *text = NULL;
	size_t bytes = 0;
	int error = 0;

	(void)node;
	if (!mount->setup.shared)
		error = view_jobs(mount->setup.view, NULL, NULL, &text, &bytes);
	st->st_size = (off_t)bytes;
	clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	return error;
}

int jobs_open(struct mount *mount, struct open_file *file)
{
	struct reader reader = {mount, sharing_reader(mount, file)};

	return view_jobs(mount->setup.view, reader.person ? shows : NULL, &reader, &file->text,
		&file->bytes);
}
