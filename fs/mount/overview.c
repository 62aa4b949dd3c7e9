#include "fs/mount/overview.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/mount/link_set.h"
#include "spec/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NEW_MS 1000

struct overview {
	int tree_fd;
	const struct model_set *models;
	pthread_mutex_t lock;
	atomic_bool wanted; /* someone has looked */
	bool made;
	struct link_set links;
	struct timespec changed;
};

struct overview *overview_new(int store_fd, const struct model_set *models)
{
	struct overview *overview = calloc(1, sizeof(*overview));

	if (!overview)
		return NULL;
	pthread_mutex_init(&overview->lock, NULL);
	overview->models = models;
	overview->tree_fd = openat(store_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (overview->tree_fd >= 0 && link_set_init(&overview->links) == 0)
		return overview;
	overview_free(overview);
	return NULL;
}

void overview_free(struct overview *overview)
{
	if (!overview)
		return;
	link_set_free(&overview->links);
	cleanup_fd(&overview->tree_fd);
	pthread_mutex_destroy(&overview->lock);
	free(overview);
}

/* The id of the model in whose out/ the path is, or NULL. */
static const char *model_of(const struct overview *overview, const char *path)
{
	struct place place;
	const char *id = NULL;

	if (place_of(overview->models, path, &place) < 0)
		return NULL;
	if (place.area == AREA_OUT)
		id = place.model->id;
	place_clear(&place);
	return id;
}

/* The id of the model when this is shown and in its out/, or NULL. */
static const char *shown_of(
	const struct overview *overview, const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || !overview_shows(path_last(path)))
		return NULL;
	return model_of(overview, path);
}

bool overview_shows(const char *name)
{
	return *name != '.' && (name_is_result(name) || name_note(name) > 0);
}

/* ------------------------------------------------------------------ the first look */

static int collect_folder(struct overview *overview, int at, const char *name, const char *path);

static int collect(struct overview *overview, int at, const char *name, const char *folder)
{
	AUTO_FREE char *path = NULL;
	const char *model;
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone since it was listed */
	path = format("%s/%s", folder, name);
	if (!path)
		return -ENOMEM;
	if (S_ISDIR(st.st_mode))
		return collect_folder(overview, at, name, path);
	model = shown_of(overview, path, &st);
	if (!model)
		return 0;
	return link_set_add(&overview->links, path, model, &st) ? 0 : -ENOMEM;
}

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* only read */
}

/* Takes in every file that is shown below the folder, nameless yet. What cannot be listed has none.
 */
static int collect_folder(struct overview *overview, int at, const char *name, const char *path)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	__attribute__((cleanup(cleanup_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int error = 0;

	if (!dir)
		cleanup_fd(&fd);
	while (dir && error == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			error = collect(overview, fd, entry->d_name, path);
	return error;
}

static int collect_all(struct overview *overview)
{
	int error = 0;

	for (size_t i = 0; i < overview->models->count && error == 0; i++) {
		AUTO_FREE char *path = format("%s/out", overview->models->item[i]->id);

		error = path ? collect_folder(overview, overview->tree_fd, path, path) : -ENOMEM;
	}
	return error;
}

static int make(struct overview *overview)
{
	if (collect_all(overview) < 0) {
		link_set_clear(&overview->links);
		return -ENOMEM;
	}
	link_set_show_all(&overview->links);
	overview->made = true;
	return 0;
}

/* Takes the lock, unless it fails: -ENOENT when nobody has looked yet, -ENOMEM. */
static int enter(struct overview *overview)
{
	int error = 0;

	if (!atomic_load(&overview->wanted))
		return -ENOENT;
	pthread_mutex_lock(&overview->lock);
	if (!overview->made)
		error = make(overview);
	if (error < 0)
		pthread_mutex_unlock(&overview->lock);
	return error;
}

static void leave(struct overview *overview)
{
	pthread_mutex_unlock(&overview->lock);
}

/* ------------------------------------------------------------------ looks */

void overview_look(struct overview *overview)
{
	atomic_store(&overview->wanted, true);
}

void overview_changed(struct overview *overview, struct timespec *time)
{
	pthread_mutex_lock(&overview->lock);
	if (overview->changed.tv_sec)
		*time = overview->changed;
	pthread_mutex_unlock(&overview->lock);
}

int overview_find(struct overview *overview, const char *name, char **path, bool *is_new)
{
	const struct link *link;
	int error = enter(overview);

	if (error < 0)
		return error;
	link = link_set_find_name(&overview->links, name);
	*path = link ? strdup(link->path) : NULL;
	if (!*path)
		error = link ? -ENOMEM : -ENOENT;
	if (link && is_new)
		*is_new = link->shown_ms && clock_steady_ms() - link->shown_ms < NEW_MS;
	leave(overview);
	return error;
}

char *overview_name(struct overview *overview, const char *path)
{
	const struct link *link;
	char *name = NULL;

	if (enter(overview) < 0)
		return NULL;
	link = link_set_find_path(&overview->links, path);
	if (link)
		name = strdup(link->name);
	leave(overview);
	return name;
}

int overview_list(struct overview *overview, off_t from, overview_each *each, void *context)
{
	const struct link_set *links = &overview->links;
	int error = enter(overview);

	if (error < 0)
		return error;
	for (size_t i = (size_t)from; i < links->listed; i++) {
		const struct link *link = links->list[i];

		if (link && each(context, link->name, link->path, link->ino, (off_t)i + 1))
			break;
	}
	leave(overview);
	return 0;
}

/* ------------------------------------------------------------------ changes */

/* Takes the lock; true: it is made, and must be told. What is not made yet will see for itself. */
static bool enter_made(struct overview *overview)
{
	if (!atomic_load(&overview->wanted))
		return false;
	pthread_mutex_lock(&overview->lock);
	if (overview->made)
		return true;
	leave(overview);
	return false;
}

/* 0, or -errno: it is behind a link, perhaps. */
static int stat_below(const struct overview *overview, const char *path, struct stat *st)
{
	AUTO_FREE char *folder = path_folder(path);
	AUTO_FD int at = folder ? folders_open(overview->tree_fd, folder) : -ENOMEM;

	if (at < 0)
		return at;
	return fstatat(at, path_last(path), st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static void take(struct overview *overview, const char *path)
{
	struct link *link = link_set_find_path(&overview->links, path);

	if (!link)
		return;
	link_set_remove(&overview->links, link);
	clock_gettime(CLOCK_REALTIME, &overview->changed);
}

static void add(struct overview *overview, const char *path)
{
	struct link *link = link_set_find_path(&overview->links, path);
	const char *model;
	struct stat st;

	if (stat_below(overview, path, &st) < 0)
		return;
	if (link && S_ISREG(st.st_mode)) {
		link->ino = st.st_ino; /* replaced */
		return;
	}
	if (link) /* by a symlink, say */
		take(overview, path);
	model = shown_of(overview, path, &st);
	if (!model)
		return;
	link = link_set_add(&overview->links, path, model, &st);
	if (!link) {
		log_error("no memory: out/ does not show %s", path);
		return;
	}
	link->shown_ms = clock_steady_ms();
	link_set_show(&overview->links, link);
	clock_gettime(CLOCK_REALTIME, &overview->changed);
}

void overview_appeared(struct overview *overview, const char *path)
{
	if (!enter_made(overview))
		return;
	add(overview, path);
	leave(overview);
}

void overview_vanished(struct overview *overview, const char *path)
{
	if (!enter_made(overview))
		return;
	take(overview, path);
	leave(overview);
}

static bool is_folder(const struct overview *overview, const char *path)
{
	struct stat st;

	return stat_below(overview, path, &st) == 0 && S_ISDIR(st.st_mode);
}

void overview_moved(struct overview *overview, const char *from, const char *to)
{
	if (!enter_made(overview))
		return;
	if (model_of(overview, from) || model_of(overview, to)) {
		if (is_folder(overview, to) || is_folder(overview, from)) {
			link_set_clear(&overview->links); /* and look again when someone asks */
			overview->made = false;
		} else {
			take(overview, from);
			add(overview, to);
			add(overview, from); /* when the two were exchanged */
		}
		clock_gettime(CLOCK_REALTIME, &overview->changed);
	}
	leave(overview);
}

void overview_rename(struct overview *overview, const char *path, const char *name)
{
	struct link *link;

	if (!enter_made(overview))
		return;
	link = link_set_find_path(&overview->links, path);
	if (link && !link_set_find_name(&overview->links, name)) {
		link_set_rename(&overview->links, link, name);
		clock_gettime(CLOCK_REALTIME, &overview->changed);
	}
	leave(overview);
}
