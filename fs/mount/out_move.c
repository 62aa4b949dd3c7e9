#include "fs/mount/out_move.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/mount/announce.h"
#include "fs/mount/entry.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/overview.h"
#include "spec/place.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/xattr.h>

/* "NAME/PATH": by which name it was shown, and where it was. */
#define ORIGIN           "user.kinofs.out"
#define ORIGIN_MAX_BYTES (NAME_MAX + 1 + PATH_MAX)
#define PROC_PATH        sizeof("/proc/self/fd/-2147483648")

/* ------------------------------------------------------------------ what it remembers */

/* Attributes are of a path that is no symlink: open(2) has looked. A descriptor or -errno. */
static int open_origin(
	struct mount *mount, struct node *parent, const char *name, char path[PROC_PATH])
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat st;
	int error = location_of(mount, parent, name, &location), fd;

	if (error == 0)
		error = location_stat(&location, &st);
	if (error == 0 && !S_ISREG(st.st_mode))
		error = -EROFS;
	if (error < 0)
		return error;
	fd = location_open(&location, O_PATH);
	snprintf(path, PROC_PATH, "/proc/self/fd/%d", fd);
	return fd;
}

/* A name and a path that somebody else may have written. NULL: none that could be true. */
static char *origin_path(struct mount *mount, char *origin)
{
	char *path = strchr(origin, '/');
	struct place place;
	bool good;

	if (!path)
		return NULL;
	*path++ = '\0';
	if (strstr(path, "//") || !overview_shows(path_last(path)) ||
		place_of(mount->setup.models, path, &place) < 0)
		return NULL;
	good = place.area == AREA_OUT; /* in no hidden folder, so not by way of ".." */
	place_clear(&place);
	return good ? path : NULL;
}

/* Where a file was before it was moved out. */
static int recall(
	struct mount *mount, struct out_move *out, const struct move_end *from, const char *shown)
{
	char proc[PROC_PATH], origin[ORIGIN_MAX_BYTES + 1];
	AUTO_FD int fd = open_origin(mount, from->parent, from->name, proc);
	ssize_t got = fd < 0 ? -1 : getxattr(proc, ORIGIN, origin, ORIGIN_MAX_BYTES);
	const char *path;
	int error;

	if (got < 0)
		return -EROFS;
	origin[got] = '\0';
	path = origin_path(mount, origin);
	error = path ? real_of_path(mount, path, &out->to) : -EROFS;
	if (error < 0)
		return error;
	out->returns = true;
	out->leaf = strdup(strcmp(shown, origin) ? shown : path_last(path));
	return out->leaf ? 0 : -ENOMEM;
}

/* Without the attribute, on a filesystem that has none, it cannot come back by itself. */
static void remember(struct mount *mount, const struct out_move *out, const char *path)
{
	AUTO_FREE char *origin = format("%s/%s", out->was_shown, out->from.path);
	AUTO_FREE char *stored = path_join("tree", path);
	AUTO_FD int fd = -1;
	char proc[PROC_PATH];

	if (!origin || !stored)
		return;
	fd = openat(mount->setup.store_fd, stored, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	(void)setxattr(proc, ORIGIN, origin, strlen(origin), 0);
}

static void forget_origin(struct mount *mount, const char *path)
{
	AUTO_FREE char *stored = path_join("tree", path);
	AUTO_FD int fd = -1;
	char proc[PROC_PATH];

	if (!stored)
		return;
	fd = openat(mount->setup.store_fd, stored, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	(void)removexattr(proc, ORIGIN);
}

/* ------------------------------------------------------------------ where it goes */

static int is_there(struct mount *mount, struct node *folder, const char *name)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat st;
	int error = location_of(mount, folder, name, &location);

	return error < 0 ? error : location_stat(&location, &st);
}

/* Of the file that is shown by the name already. Sets to->name where that is in the same folder. */
static int replace(struct mount *mount, struct out_move *out, struct move_end *to, unsigned flags)
{
	int error = real_of_shown(mount, out->shown, &out->victim);

	if (error < 0)
		return error == -ENOENT && !out->victim.path ? 0 : error;
	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (out->victim.folder != to->parent)
		return 0;
	free(out->leaf);
	out->leaf = strdup(real_name(&out->victim));
	real_clear(mount, &out->victim);
	return out->leaf ? 1 : -ENOMEM;
}

/* To the folder to->parent, as out->leaf. */
static int settle(struct mount *mount, struct out_move *out, const struct move_end *from,
	struct move_end *to, unsigned *flags)
{
	int replaces = replace(mount, out, to, *flags), error;

	if (replaces < 0)
		return replaces;
	to->name = out->leaf;
	out->stays = from->parent == to->parent && !strcmp(from->name, to->name);
	if (out->stays || replaces)
		return 0;
	*flags |= RENAME_NOREPLACE;
	error = is_there(mount, to->parent, to->name);
	return error == 0 ? -EEXIST : error == -ENOENT ? 0 : error;
}

static int resolve_target(struct mount *mount, struct out_move *out, const struct move_end *from,
	struct move_end *to, unsigned *flags)
{
	AUTO_FREE char *path = NULL, *shown = NULL;
	int error;

	if (!overview_shows(to->name))
		return -EINVAL;
	out->shown = to->name;
	error = node_path(&mount->nodes, from->parent, from->name, BASE_MOUNT, &path);
	if (error < 0)
		return error;
	shown = overview_name(mount->overview, path);
	if (shown) {
		to->parent = from->parent;
		out->leaf = strdup(to->name);
		if (!out->leaf)
			return -ENOMEM;
	} else {
		error = recall(mount, out, from, to->name);
		if (error < 0)
			return error;
		to->parent = out->to.folder;
	}
	return settle(mount, out, from, to, flags);
}

int out_move_resolve(struct mount *mount, struct out_move *out, struct move_end *from,
	struct move_end *to, unsigned *flags)
{
	int error = 0;

	if (*flags & RENAME_EXCHANGE)
		return -EINVAL;
	if (from->parent->kind == NODE_OVERVIEW) {
		out->was_shown = from->name;
		error = real_of_shown(mount, from->name, &out->from);
		if (error < 0)
			return error;
		from->parent = out->from.folder;
		from->name = real_name(&out->from);
	}
	if (to->parent->kind != NODE_OVERVIEW)
		return 0;
	return resolve_target(mount, out, from, to, flags);
}

/* ------------------------------------------------------------------ afterwards */

static int remove_victim(struct mount *mount, const struct real *victim)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	int error = location_of(mount, victim->folder, real_name(victim), &location);

	if (error < 0)
		return error;
	if (unlinkat(location.at, location.path, 0) < 0)
		return -errno;
	overview_vanished(mount->overview, victim->path);
	report_note(&mount->reports, REPORT_REMOVED, victim->path, NULL, clock_wall_ms());
	node_unname(&mount->nodes, victim->folder, real_name(victim));
	entry_stale(mount, victim->folder);
	announce_later(mount, victim->path);
	return 0;
}

static bool is_in_out(struct mount *mount, const char *path)
{
	struct place place;
	bool is_in;

	if (place_of(mount->setup.models, path, &place) < 0)
		return false;
	is_in = place.area == AREA_OUT;
	place_clear(&place);
	return is_in;
}

int out_move_finish(struct mount *mount, struct out_move *out, const char *path)
{
	int error = 0;

	if (out->victim.folder)
		error = remove_victim(mount, &out->victim);
	if (error == 0 && out->shown)
		overview_rename(mount->overview, path, out->shown);
	if (out->returns)
		forget_origin(mount, path);
	else if (out->was_shown && !out->shown && !is_in_out(mount, path))
		remember(mount, out, path);
	if (out->from.folder) {
		entry_stale(mount, out->from.folder);
		announce_later(mount, out->from.path);
	}
	if (out->to.folder)
		entry_stale(mount, out->to.folder);
	if (out->shown)
		announce_later(mount, path);
	return error;
}

void out_move_clear(struct mount *mount, struct out_move *out)
{
	real_clear(mount, &out->from);
	real_clear(mount, &out->to);
	real_clear(mount, &out->victim);
	free(out->leaf);
}
