#include "fs/mount/give.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/rights.h"
#include "fs/mount/fs.h"
#include "spec/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

int give_file(const struct mount *mount, int fd, const char *text)
{
	struct rights rights;

	if (!rights_parse(text, &rights))
		return 0;
	if (mount->is_root)
		(void)!fchown(fd, rights.uid, rights.gid);
	return fchmod(fd, 0600 | (rights.mode & 0066)) < 0 ? -errno : 0;
}

/* Whether there is nothing in a folder, or only this. */
static bool holds_only(int folder, const char *name)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool only = list;

	if (!list)
		cleanup_fd(&fd);
	while (only && (entry = readdir(list)))
		only = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		       !strcmp(entry->d_name, name);
	if (list)
		(void)closedir(list); /* only read */
	return only;
}

/* A folder in out/ that was just made becomes as the one with the files of its jobs. What has
 * another owner or mode, or holds more than the one that was made in it, is somebody's. held NULL:
 * it is out/ itself. */
static bool adopt(int root, const char *out, const char *like, const char *held)
{
	AUTO_FD int folder = folders_open(root, out);
	AUTO_FD int model = folders_open(root, like);
	struct stat st, wanted;

	if (folder < 0 || model < 0 || fstat(folder, &st) < 0 || fstat(model, &wanted) < 0 ||
		st.st_uid != geteuid() || (st.st_mode & 07777) != 0755 ||
		(held && !holds_only(folder, held)))
		return false;
	/* it holds the result all the same when these fail */
	(void)!fchownat(folder, ".", wanted.st_uid, wanted.st_gid, 0);
	(void)!fchmodat(folder, ".", wanted.st_mode & 07777, 0);
	return true;
}

/* From the inmost up, as far as they were made. */
static void give_below(int root, const char *model, const char *dir)
{
	AUTO_FREE char *inside = strdup(dir), *held = strdup("");
	bool given = inside && held;

	while (given && *inside) {
		AUTO_FREE char *out = format("%s/out/%s", model, inside);
		AUTO_FREE char *like = format("%s/%s", model, inside);
		char *above = path_folder(inside);

		given = out && like && above && adopt(root, out, like, held);
		free(held);
		held = strdup(path_last(inside));
		free(inside);
		inside = above;
		given = given && inside && held;
	}
}

void give_folders(const struct mount *mount, int root, const char *target)
{
	AUTO_FREE char *out = NULL;
	struct place place = {0};

	if (place_of(mount->setup.models, target, &place) < 0)
		return;
	if (place.model && (out = format("%s/out", place.model->id))) {
		(void)adopt(root, out, place.model->id, NULL);
		give_below(root, place.model->id, place.dir);
	}
	place_clear(&place);
}
