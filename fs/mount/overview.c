#include "fs/mount/overview.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/mount/hash.h"
#include "spec/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct link {
	struct link *next_name, *next_path;
	size_t slot;          /* in the list */
	struct timespec made; /* for the order at first */
	const char *model;    /* id of the model in whose out/ it is */
	char *name;
	char path[];
};

struct overview {
	int tree_fd;
	const struct model_set *models;
	pthread_mutex_t lock;
	atomic_bool wanted; /* someone has looked */
	bool made;
	struct hash names, paths;
	struct link **list; /* in the order they came; NULL where one went */
	size_t listed, room;
	struct timespec changed;
};

static void **next_name(void *entry, uint64_t *hash)
{
	struct link *link = entry;

	*hash = hash_text(link->name);
	return (void **)&link->next_name;
}

static void **next_path(void *entry, uint64_t *hash)
{
	struct link *link = entry;

	*hash = hash_text(link->path);
	return (void **)&link->next_path;
}

static struct link *find_name(const struct overview *overview, const char *name)
{
	struct link *link = hash_first(&overview->names, hash_text(name));

	while (link && strcmp(link->name, name))
		link = link->next_name;
	return link;
}

static struct link *find_path(const struct overview *overview, const char *path)
{
	struct link *link = hash_first(&overview->paths, hash_text(path));

	while (link && strcmp(link->path, path))
		link = link->next_path;
	return link;
}

struct overview *overview_new(int store_fd, const struct model_set *models)
{
	struct overview *overview = calloc(1, sizeof(*overview));

	if (!overview)
		return NULL;
	pthread_mutex_init(&overview->lock, NULL);
	overview->models = models;
	overview->tree_fd = openat(store_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (overview->tree_fd >= 0 && hash_init(&overview->names) == 0 &&
		hash_init(&overview->paths) == 0)
		return overview;
	overview_free(overview);
	return NULL;
}

static void link_free(struct link *link)
{
	if (!link)
		return;
	free(link->name);
	free(link);
}

static void forget_all(struct overview *overview)
{
	for (size_t i = 0; i < overview->listed; i++) {
		struct link *link = overview->list[i];

		if (!link)
			continue;
		hash_remove(&overview->names, link, next_name);
		hash_remove(&overview->paths, link, next_path);
		link_free(link);
	}
	overview->listed = 0;
	overview->made = false;
}

void overview_free(struct overview *overview)
{
	if (!overview)
		return;
	forget_all(overview);
	free(overview->list);
	free(overview->names.bucket);
	free(overview->paths.bucket);
	cleanup_fd(&overview->tree_fd);
	pthread_mutex_destroy(&overview->lock);
	free(overview);
}

/* ------------------------------------------------------------------ names */

/* The n'th name a video would have, the first of which is its own. NULL: no memory. */
static char *candidate(const char *path, const char *model_id, unsigned n)
{
	const char *own = strrchr(path, '/') + 1;
	const char *dot = strrchr(own, '.');
	const char *slash = strrchr(model_id, '/');
	const char *model = slash ? slash + 1 : model_id;
	AUTO_FREE char *end = NULL;
	char *name;
	int stem = (int)(dot - own);

	if (n == 1)
		return strdup(own);
	if ((n == 2 ? asprintf(&end, ".%s%s", model, dot)
		    : asprintf(&end, ".%s.%u%s", model, n - 1, dot)) < 0) {
		end = NULL;
		return NULL;
	}
	while (stem > NAME_MAX - (int)strlen(end) || (own[stem] & 0xc0) == 0x80)
		stem--; /* never inside a character of UTF-8 */
	return asprintf(&name, "%.*s%s", stem, own, end) < 0 ? NULL : name;
}

static char *free_name(const struct overview *overview, const char *path, const char *model_id)
{
	for (unsigned n = 1;; n++) {
		char *name = candidate(path, model_id, n);

		if (!name || !find_name(overview, name))
			return name;
		free(name);
	}
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

/* The id of the model when this is a video in its out/, or NULL. */
static const char *shown_of(
	const struct overview *overview, const char *path, const struct stat *st)
{
	const char *slash = strrchr(path, '/');

	if (!S_ISREG(st->st_mode) || !name_is_video(slash ? slash + 1 : path))
		return NULL;
	return model_of(overview, path);
}

/* ------------------------------------------------------------------ links */

static struct link *link_new(const char *path, const char *model, const struct stat *st)
{
	size_t bytes = strlen(path) + 1;
	struct link *link = calloc(1, sizeof(*link) + bytes);

	if (!link)
		return NULL;
	link->made = st->st_mtim;
	link->model = model;
	memcpy(link->path, path, bytes);
	return link;
}

static int list_add(struct overview *overview, struct link *link)
{
	if (overview->listed == overview->room) {
		size_t room = overview->room ? 2 * overview->room : 64;
		struct link **list = reallocarray(overview->list, room, sizeof(struct link *));

		if (!list)
			return -ENOMEM;
		overview->list = list;
		overview->room = room;
	}
	link->slot = overview->listed;
	overview->list[overview->listed++] = link;
	return 0;
}

/* Gives a listed link its name, and makes it findable. Without memory it stays hidden. */
static void show(struct overview *overview, struct link *link)
{
	link->name = free_name(overview, link->path, link->model);
	if (!link->name) {
		overview->list[link->slot] = NULL;
		link_free(link);
		return;
	}
	hash_add(&overview->names, link, next_name);
	hash_add(&overview->paths, link, next_path);
}

static void hide(struct overview *overview, struct link *link)
{
	hash_remove(&overview->names, link, next_name);
	hash_remove(&overview->paths, link, next_path);
	overview->list[link->slot] = NULL;
	link_free(link);
	clock_gettime(CLOCK_REALTIME, &overview->changed);
}

/* ------------------------------------------------------------------ the first look */

static int collect_folder(struct overview *overview, int at, const char *name, const char *path);

static int collect(struct overview *overview, int at, const char *name, const char *folder)
{
	AUTO_FREE char *path = NULL;
	const char *model;
	struct link *link;
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone since it was listed */
	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (S_ISDIR(st.st_mode))
		return collect_folder(overview, at, name, path);
	model = shown_of(overview, path, &st);
	if (!model)
		return 0;
	link = link_new(path, model, &st);
	if (link && list_add(overview, link) == 0)
		return 0;
	link_free(link);
	return -ENOMEM;
}

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* only read */
}

/* Takes in every video below the folder, nameless yet. What cannot be listed has none. */
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

static int by_age(const void *a, const void *b)
{
	const struct link *one = *(struct link *const *)a, *other = *(struct link *const *)b;

	if (one->made.tv_sec != other->made.tv_sec)
		return one->made.tv_sec < other->made.tv_sec ? -1 : 1;
	if (one->made.tv_nsec != other->made.tv_nsec)
		return one->made.tv_nsec < other->made.tv_nsec ? -1 : 1;
	return strcmp(one->path, other->path);
}

static int collect_all(struct overview *overview)
{
	int error = 0;

	for (size_t i = 0; i < overview->models->count && error == 0; i++) {
		AUTO_FREE char *path = NULL;

		if (asprintf(&path, "%s/out", overview->models->item[i]->id) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		error = collect_folder(overview, overview->tree_fd, path, path);
	}
	return error;
}

static int make(struct overview *overview)
{
	if (collect_all(overview) < 0) {
		while (overview->listed)
			link_free(overview->list[--overview->listed]);
		return -ENOMEM;
	}
	if (overview->listed)
		qsort(overview->list, overview->listed, sizeof(struct link *), by_age);
	for (size_t i = 0; i < overview->listed; i++) {
		overview->list[i]->slot = i;
		show(overview, overview->list[i]);
	}
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

int overview_find(struct overview *overview, const char *name, char **path)
{
	const struct link *link;
	int error = enter(overview);

	if (error < 0)
		return error;
	link = find_name(overview, name);
	*path = link ? strdup(link->path) : NULL;
	if (!*path)
		error = link ? -ENOMEM : -ENOENT;
	leave(overview);
	return error;
}

char *overview_name(struct overview *overview, const char *path)
{
	const struct link *link;
	char *name = NULL;

	if (enter(overview) < 0)
		return NULL;
	link = find_path(overview, path);
	if (link)
		name = strdup(link->name);
	leave(overview);
	return name;
}

int overview_list(struct overview *overview, off_t from, overview_each *each, void *context)
{
	int error = enter(overview);

	if (error < 0)
		return error;
	for (size_t i = (size_t)from; i < overview->listed; i++) {
		const struct link *link = overview->list[i];

		if (link && each(context, link->name, link->path, (off_t)i + 1))
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

static void add(struct overview *overview, const char *path)
{
	const char *model;
	struct link *link;
	struct stat st;

	if (find_path(overview, path) ||
		fstatat(overview->tree_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	model = shown_of(overview, path, &st);
	if (!model)
		return;
	link = link_new(path, model, &st);
	if (!link || list_add(overview, link) < 0) {
		link_free(link);
		log_error("no memory: out/ does not show %s", path);
		return;
	}
	show(overview, link);
	clock_gettime(CLOCK_REALTIME, &overview->changed);
}

static void take(struct overview *overview, const char *path)
{
	struct link *link = find_path(overview, path);

	if (link)
		hide(overview, link);
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

	return fstatat(overview->tree_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

void overview_moved(struct overview *overview, const char *from, const char *to)
{
	if (!enter_made(overview))
		return;
	if (model_of(overview, from) || model_of(overview, to)) {
		if (is_folder(overview, to) || is_folder(overview, from)) {
			forget_all(overview); /* and look again when someone asks */
		} else {
			take(overview, from);
			add(overview, to);
			add(overview, from); /* when the two were exchanged */
		}
		clock_gettime(CLOCK_REALTIME, &overview->changed);
	}
	leave(overview);
}
