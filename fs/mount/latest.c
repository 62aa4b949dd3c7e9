#include "fs/mount/latest.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/journal/view.h"
#include "fs/mount/node_use.h"
#include "fs/mount/sharing.h"

#include <fcntl.h>
#include <string.h>

/* The folder of the jobs that a node below .latest is about, or its leaf: "summer/cat.mp4". */
static int inside_of(struct mount *mount, struct node *node, const char *leaf, char **inside)
{
	size_t skip = strlen(node_model(mount, node)->id) + strlen("/out/.latest");
	AUTO_FREE char *path = NULL;
	int error = node_path(&mount->nodes, node, leaf, BASE_MOUNT, &path);

	if (error < 0)
		return error;
	*inside = strdup(path[skip] == '/' ? path + skip + 1 : path + skip);
	return *inside ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ the newest take */

/* Where a result was put. Others who use the mount may have put a link in place of a folder of
 * theirs, and are not to learn from us what is behind it. */
static int open_folder(struct mount *mount, const char *file)
{
	AUTO_FREE char *stored = path_join("tree", file), *folder = path_folder(stored ?: "");

	if (!folder)
		return -ENOMEM;
	if (mount->setup.shared)
		return folders_open(mount->setup.store_fd, folder);
	return openat(mount->setup.store_fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_there(struct mount *mount, const char *file, struct stat *st)
{
	AUTO_FD int folder = open_folder(mount, file);

	return folder >= 0 && fstatat(folder, path_last(file), st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode);
}

/* Whether a result of the take is still where it was put. */
static bool has_results(struct mount *mount, const cJSON *take)
{
	const cJSON *file;
	struct stat st;

	cJSON_ArrayForEach (file, json_array(take, "outputs")) {
		if (cJSON_IsString(file) && is_there(mount, file->valuestring, &st))
			return true;
	}
	return false;
}

/* The results of the newest take of a job that has some; in *record, which the caller deletes. */
static const cJSON *newest_results(
	struct mount *mount, const char *model, const char *dir, const char *stem, cJSON **record)
{
	struct record found = {0};
	const cJSON *best = NULL, *take;

	if (view_record(mount->setup.view, model, dir, stem, &found) < 0)
		return NULL;
	*record = cJSON_ParseWithLength(found.text, found.bytes);
	free(found.text);
	free(found.rights);
	if (has_results(mount, *record))
		best = *record;
	cJSON_ArrayForEach (take, json_array(*record, "earlier_takes")) {
		if ((!best || json_number(take, "take") > json_number(best, "take")) &&
			has_results(mount, take))
			best = take;
	}
	return best ? json_array(best, "outputs") : NULL;
}

/* What the n'th result, from 0, is called here. The caller frees. NULL: no memory. */
static char *name_of(const char *stem, int n, const char *file)
{
	const char *suffix = strrchr(path_last(file), '.');

	if (n == 0)
		return format("%s%s", stem, suffix ? suffix : "");
	return format("%s-%d%s", stem, n + 1, suffix ? suffix : "");
}

/* The result of the job that is called so. The caller frees. NULL: none. */
static char *result_of(
	struct mount *mount, const char *model, const char *dir, const char *stem, const char *name)
{
	AUTO_JSON cJSON *record = NULL;
	const cJSON *file, *files = newest_results(mount, model, dir, stem, &record);
	struct stat st;
	int n = 0;

	cJSON_ArrayForEach (file, files) {
		AUTO_FREE char *here = name_of(stem, n++, file->valuestring);

		if (here && !strcmp(here, name) && is_there(mount, file->valuestring, &st))
			return strdup(file->valuestring);
	}
	return NULL;
}

/* What a name here leads to; the caller frees. 0, -ENOENT, -ENOMEM. */
static int target_of(struct mount *mount, struct node *node, const char *leaf, char **file)
{
	const char *model = node_model(mount, node)->id;
	AUTO_FREE char *inside = NULL, *dir = NULL, *stem = NULL;
	const char *name, *dot;
	char *dash;
	int error = inside_of(mount, node, leaf, &inside);

	if (error < 0)
		return error;
	name = path_last(inside);
	dot = strrchr(name, '.');
	if (!dot || dot == name)
		return -ENOENT;
	dir = path_folder(inside);
	stem = strndup(name, (size_t)(dot - name));
	if (!dir || !stem)
		return -ENOMEM;
	*file = result_of(mount, model, dir, stem, name);
	dash = strrchr(stem, '-');
	if (!*file && dash && dash != stem) { /* a further result: cat-2.mp4 */
		*dash = '\0';
		*file = result_of(mount, model, dir, stem, name);
	}
	return *file ? 0 : -ENOENT;
}

/* ------------------------------------------------------------------ columns */

static size_t slashes(const char *path)
{
	size_t count = 0;

	for (; (path = strchr(path, '/')); path++)
		count++;
	return count;
}

/* A result may be in another model's out/, where its job was before. */
int latest_readlink(struct mount *mount, struct node *node, char **target)
{
	const char *model = node_model(mount, node)->id, *rest;
	AUTO_FREE char *inside = NULL, *file = NULL, *up = NULL, *out = format("%s/out", model);
	int error = out ? inside_of(mount, node, NULL, &inside) : -ENOMEM;
	size_t steps;

	if (error == 0)
		error = target_of(mount, node, NULL, &file);
	if (error < 0)
		return error;
	steps = 1 + slashes(inside);
	rest = path_below(file, out);
	if (!rest)
		steps += 1 + slashes(out);
	up = calloc(steps, strlen("../") + 1);
	for (size_t i = 0; up && i < steps; i++)
		memcpy(up + 3 * i, "../", 3);
	*target = up ? format("%s%s", up, rest ? rest : file) : NULL;
	return *target ? 0 : -ENOMEM;
}

int latest_stat(struct mount *mount, struct node *node, struct stat *st)
{
	AUTO_FREE char *file = NULL, *target = NULL;
	struct stat real;
	int error = target_of(mount, node, NULL, &file);

	if (error == 0)
		error = latest_readlink(mount, node, &target);
	if (error < 0)
		return error;
	if (!is_there(mount, file, &real))
		return -ENOENT;
	st->st_size = (off_t)strlen(target);
	st->st_mtim = st->st_ctim = st->st_atim = real.st_mtim;
	return 0;
}

static int find_folder(struct mount *mount, struct node *node, const char *leaf)
{
	AUTO_FREE char *dir = NULL;
	int error = inside_of(mount, node, leaf, &dir);

	if (error < 0)
		return error;
	return view_folder(mount->setup.view, node_model(mount, node)->id, dir);
}

int latest_stat_folder(struct mount *mount, struct node *node, struct stat *st)
{
	(void)st;
	return find_folder(mount, node, NULL);
}

/* By its path, so that it keeps its number. */
static ino_t folder_ino(struct mount *mount, struct node *folder, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (node_path(&mount->nodes, folder, name, BASE_MOUNT, &path) < 0)
		path = NULL;
	return generated_ino(NODE_LATEST_FOLDER, hash_text(path ? path : ""));
}

/* By where it leads: the kernel keeps that for as long as it knows the link. */
static ino_t link_ino(const char *file)
{
	return generated_ino(NODE_LATEST_LINK, hash_text(file));
}

int latest_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed)
{
	AUTO_FREE char *file = NULL;
	int error = target_of(mount, folder, name, &file);

	(void)caller;
	seed->kind = NODE_LATEST_LINK;
	seed->ino = file ? link_ino(file) : 0;
	if (error != -ENOENT)
		return error;
	seed->kind = NODE_LATEST_FOLDER;
	seed->ino = folder_ino(mount, folder, name);
	return find_folder(mount, folder, name);
}

bool latest_hides(fuse_req_t req, struct node *folder, const char *name)
{
	struct mount *mount = mount_of(req);
	struct person person = {0};
	AUTO_FREE char *inside = NULL, *job = NULL, *result = NULL;
	bool hides;

	if (!mount->setup.shared ||
		(folder->kind != NODE_LATEST && folder->kind != NODE_LATEST_FOLDER) ||
		inside_of(mount, folder, name, &inside) < 0)
		return false;
	job = format("%s/%s", node_model(mount, folder)->id, inside);
	result = format("%s/out/%s", node_model(mount, folder)->id, inside);
	sharing_caller(req, &person);
	hides = !sharing_sees_all(&person) &&
	        !(job && result && sharing_reaches(mount, &person, job) &&
			sharing_reaches(mount, &person, result));
	person_clear(&person);
	return hides;
}

/* ------------------------------------------------------------------ listing */

/* Cookies: folders by their place, links by the id of their job and their number. */
#define COOKIE_LINK ((off_t)1 << 62)
#define MOST_LINKS  64 /* of a job: more than any provider gives */
#define MOST_JOBS   64 /* asked for at a time: the view is not asked from inside its own list */

struct listing {
	struct mount *mount;
	struct node *folder;
	const char *dir;
	generated_each *each;
	void *context;
	off_t from, at;
	bool stopped;
	size_t njobs;
	struct {
		int64_t id;
		char *stem;
	} job[MOST_JOBS];
};

static int list_folder(void *context, int64_t id, const char *name)
{
	struct listing *listing = context;

	(void)id;
	if (listing->at++ < listing->from)
		return 0;
	listing->stopped = listing->each(listing->context, name, NODE_LATEST_FOLDER,
		folder_ino(listing->mount, listing->folder, name), listing->at);
	return listing->stopped;
}

static int take_job(void *context, int64_t id, const char *stem)
{
	struct listing *listing = context;

	listing->job[listing->njobs].id = id;
	listing->job[listing->njobs].stem = strdup(stem);
	return ++listing->njobs == MOST_JOBS;
}

static void list_links(struct listing *listing, int64_t id, const char *stem, int from)
{
	struct mount *mount = listing->mount;
	AUTO_JSON cJSON *record = NULL;
	const cJSON *files = newest_results(
		mount, node_model(mount, listing->folder)->id, listing->dir, stem, &record);
	const cJSON *file;
	struct stat st;
	int n = 0;

	cJSON_ArrayForEach (file, files) {
		AUTO_FREE char *name = name_of(stem, n, file->valuestring);

		if (n++ < from || !name || n >= MOST_LINKS ||
			!is_there(mount, file->valuestring, &st))
			continue;
		listing->stopped = listing->each(listing->context, name, NODE_LATEST_LINK,
			link_ino(file->valuestring), COOKIE_LINK | (id * MOST_LINKS + n));
		if (listing->stopped)
			return;
	}
}

/* The links of the jobs from the cookie on: the rest of a job's first. */
static int list_jobs(struct listing *listing, off_t at)
{
	struct view *view = listing->mount->setup.view;
	const char *model = node_model(listing->mount, listing->folder)->id;
	int64_t id = at / MOST_LINKS;
	int from = (int)(at % MOST_LINKS), error;

	do {
		listing->njobs = 0;
		error = view_list(view, model, listing->dir, from ? id - 1 : id, take_job, listing);
		for (size_t i = 0; i < listing->njobs; i++) {
			AUTO_FREE char *stem = listing->job[i].stem;

			if (stem && !listing->stopped)
				list_links(listing, listing->job[i].id, stem,
					listing->job[i].id == id ? from : 0);
			id = listing->stopped ? id : listing->job[i].id;
		}
		from = 0;
	} while (error == 0 && !listing->stopped && listing->njobs == MOST_JOBS);
	return error;
}

int latest_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req)
{
	AUTO_FREE char *dir = NULL;
	struct listing listing = {
		.mount = mount, .folder = folder, .each = each, .context = context, .from = from};
	int error = inside_of(mount, folder, NULL, &dir);

	if (error < 0 || latest_hides(req, folder, "-"))
		return error;
	listing.dir = dir;
	if (!(from & COOKIE_LINK))
		error = view_list_folders(mount->setup.view, node_model(mount, folder)->id, dir,
			list_folder, &listing);
	if (error < 0 || listing.stopped)
		return error;
	return list_jobs(&listing, from & COOKIE_LINK ? from & ~COOKIE_LINK : 0);
}
