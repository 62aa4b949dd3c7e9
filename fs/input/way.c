#include "fs/input/way.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/input/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40    /* as the kernel, path_resolution(7) */
#define SHOWN     "out" /* the folder in which the mount itself makes links (tree.h) */

struct walk {
	const struct tree *tree;
	const char *from; /* the path, of which tree->skip bytes stand before each path met */
	struct way *way;
	char *done;         /* below tree->fd, with no link in it */
	char *text, *rest;  /* what is still to be gone; rest is in text, NULL: nothing */
	size_t above;       /* so many folders above the tree, and then done is "" */
	unsigned int links; /* gone through */
	int absence;        /* what is wrong with done: from there on nothing is looked at */
};

/* ------------------------------------------------------------------ above the tree */

static const char *skip_slashes(const char *path)
{
	return path + strspn(path, "/");
}

/* How many folders lead to the mount. */
static size_t depth(const char *root)
{
	size_t count = 0;

	for (root = skip_slashes(root); *root; root = skip_slashes(root + strcspn(root, "/")))
		count++;
	return count;
}

/* What is left of an absolute path within the root, or NULL. */
static const char *within(const char *path, const char *root)
{
	for (root = skip_slashes(root), path = skip_slashes(path); *root;
		root = skip_slashes(root), path = skip_slashes(path)) {
		size_t bytes = strcspn(root, "/");

		if (strncmp(path, root, bytes) != 0 || (path[bytes] && path[bytes] != '/'))
			return NULL;
		root += bytes;
		path += bytes;
	}
	return path;
}

/* Down again, by the only name that leads to the mount. */
static int go_back_in(struct walk *walk, const char *name)
{
	const char *root = skip_slashes(walk->tree->seen_at);

	for (size_t i = depth(root) - walk->above; i > 0; i--)
		root = skip_slashes(root + strcspn(root, "/"));
	if (strlen(name) != strcspn(root, "/") || strncmp(name, root, strlen(name)) != 0)
		return -EXDEV;
	walk->above--;
	return 0;
}

static int go_up(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (*walk->done)
		*(slash ? slash : walk->done) = '\0';
	else if (!walk->tree->seen_at)
		return -EXDEV;
	else if (walk->above < depth(walk->tree->seen_at))
		walk->above++; /* and "/.." is "/" */
	return 0;
}

/* ------------------------------------------------------------------ in the tree */

/* A path below tree->fd as one in the mount. NULL: no memory. */
static char *in_mount(const struct walk *walk, const char *path)
{
	return format("%.*s%s", (int)walk->tree->skip, walk->from, path);
}

static int note_link(const struct walk *walk, const char *path)
{
	AUTO_FREE char *link = in_mount(walk, path);
	struct way *way = walk->way;

	for (size_t i = 0; link && i < way->count; i++)
		if (!strcmp(way->link[i], link))
			return 0; /* it leads in a circle */
	if (!link || ARRAY_ROOM(way->link, way->count, way->room) < 0)
		return -ENOMEM;
	way->link[way->count++] = TAKE(link);
	return 0;
}

/* What the mount makes by itself is not underneath. */
static int look_at_shown(const struct tree *tree, const char *path, mode_t *mode, char **target)
{
	const char *name = path_below(path, SHOWN);
	AUTO_FREE char *result = NULL;
	int error;

	*mode = name ? S_IFLNK : S_IFDIR;
	error = name ? tree->shown(tree->shown_context, name, &result) : 0;
	if (error || !name)
		return error;
	*target = format("../%s", result);
	return *target ? 0 : -ENOMEM;
}

/* Of what kind it is; of a link, also its text. 0 or -errno. */
static int look_at(const struct tree *tree, const char *path, mode_t *mode, char **target)
{
	AUTO_FREE char *folder = path_folder(path);
	AUTO_FD int at = folder ? folders_open(tree->fd, folder) : -ENOMEM;
	char text[PATH_MAX];
	struct stat info;
	ssize_t bytes;

	if (tree->shown && path_within(path, SHOWN))
		return look_at_shown(tree, path, mode, target);
	if (at == -ELOOP)
		return -EBUSY; /* it was no link a moment ago */
	if (at < 0)
		return at;
	if (fstatat(at, path_last(path), &info, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*mode = info.st_mode;
	if (!S_ISLNK(info.st_mode))
		return 0;
	bytes = readlinkat(at, path_last(path), text, sizeof(text));
	if (bytes < 0 || (size_t)bytes == sizeof(text))
		return bytes < 0 && errno != EINVAL ? -errno : -EBUSY;
	*target = strndup(text, (size_t)bytes);
	return *target ? 0 : -ENOMEM;
}

/* The link's text comes before what is still to be gone. */
static int enter_link(struct walk *walk, const char *path, const char *target)
{
	const struct tree *tree = walk->tree;
	const char *left = target;
	char *text;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (strcmp(path, walk->from + tree->skip) != 0 && note_link(walk, path) < 0)
		return -ENOMEM;
	if (*target == '/') {
		if (!tree->seen_at)
			return -EXDEV;
		*walk->done = '\0';
		left = tree->typed ? within(target, tree->typed) : NULL;
		walk->above = left ? 0 : depth(tree->seen_at);
	}
	text = format("%s%s%s", left ? left : target, walk->rest ? "/" : "",
		walk->rest ? walk->rest : "");
	free(walk->text);
	walk->text = walk->rest = text;
	return text ? 0 : -ENOMEM;
}

static int go_into(struct walk *walk, const char *name)
{
	AUTO_FREE char *path = path_join(walk->done, name);
	AUTO_FREE char *target = NULL;
	mode_t mode = S_IFDIR;
	int error = 0;

	if (!path)
		return -ENOMEM;
	if (!walk->absence)
		error = look_at(walk->tree, path, &mode, &target);
	if (error && !tree_is_absence(error))
		return error;
	if (!error && target)
		return enter_link(walk, path, target);
	if (!error && walk->rest && !S_ISDIR(mode))
		error = -ENOTDIR;
	if (error)
		walk->absence = error;
	free(walk->done);
	walk->done = TAKE(path);
	return 0;
}

static int go(struct walk *walk)
{
	int error = 0;

	while (walk->rest && !error) {
		const char *name = strsep(&walk->rest, "/");

		if (!*name || !strcmp(name, "."))
			continue;
		if (!strcmp(name, ".."))
			error = go_up(walk);
		else
			error = walk->above ? go_back_in(walk, name) : go_into(walk, name);
	}
	if (!error && walk->above)
		error = -EXDEV;
	else if (!error && (!*walk->done || (walk->tree->shown && !strcmp(walk->done, SHOWN))))
		error = -EISDIR;
	else if (!error && !(walk->way->end = in_mount(walk, walk->done)))
		error = -ENOMEM;
	/* behind what is not there nothing else is wrong */
	return walk->absence && (!error || tree_is_absence(error)) ? walk->absence : error;
}

int way_find(const struct tree *tree, const char *path, struct way *way)
{
	struct walk walk = {.tree = tree, .from = path, .way = way};
	int error;

	if (strlen(path) < tree->skip)
		return -ENOENT;
	walk.done = strdup("");
	walk.text = walk.rest = strdup(path + tree->skip);
	error = walk.done && walk.text ? go(&walk) : -ENOMEM;
	free(walk.done);
	free(walk.text);
	return error;
}

void way_clear(struct way *way)
{
	for (size_t i = 0; i < way->count; i++)
		free(way->link[i]);
	free(way->link);
	free(way->end);
	*way = (struct way){0};
}
