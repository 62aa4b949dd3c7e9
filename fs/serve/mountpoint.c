#include "fs/serve/mountpoint.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

extern char **environ;

/* The path made absolute without touching what it names: a stale mount answers nothing. */
static char *absolute(const char *path)
{
	AUTO_FREE char *copy = strdup(path), *folder = NULL;
	char *slash, *whole;

	if (!copy)
		return NULL;
	while (strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	folder = realpath(slash ? (*copy ? copy : "/") : ".", NULL);
	if (!folder || asprintf(&whole, "%s/%s", strcmp(folder, "/") ? folder : "",
			       slash ? slash + 1 : copy) < 0)
		return NULL;
	return whole;
}

static bool is_kinofs(const char *path)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	bool found = false;

	while (table && (entry = getmntent(table)))
		if (!strcmp(entry->mnt_dir, path))
			found = !strcmp(
				entry->mnt_type, "fuse.kinofs"); /* the last one is on top */
	if (table)
		(void)endmntent(table); /* always 1 */
	return found;
}

/* As root directly, else with the set-uid helper. */
static bool unmount(char *path)
{
	char command[] = "fusermount3", quiet[] = "-uzq", end[] = "--";
	char *const arguments[] = {command, quiet, end, path, NULL};
	pid_t child;
	int status = -1;

	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return true;
	if (posix_spawnp(&child, command, NULL, NULL, arguments, environ) != 0 ||
		waitpid(child, &status, 0) != child)
		return false;
	return status == 0;
}

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool empty = true;

	while (folder && empty && (entry = readdir(folder)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (folder)
		(void)closedir(folder); /* only read */
	return empty;
}

/* Whether it may be mounted on. What cannot be looked at is left to mount(2). */
static bool is_fit(const char *path, bool nonempty)
{
	struct stat info;

	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
		log_error("%s is a file; a mount point is an empty folder", path);
	else if (is_kinofs(path))
		log_error("a kinofs is mounted on %s already; unmount it first: fusermount3 -u %s",
			path, path);
	else if (!nonempty && !is_empty(path))
		log_error("%s is not empty, and its files could not be seen while it is mounted; "
			  "choose an empty folder, or mount with -o nonempty",
			path);
	else
		return true;
	return false;
}

char *mountpoint_resolve(const char *path, bool nonempty)
{
	AUTO_FREE char *whole = absolute(path), *resolved = NULL;
	struct statfs info;

	/* statfs(2), which is always asked of the daemon: stat(2) may be answered from memory */
	if (whole && statfs(whole, &info) < 0 && errno == ENOTCONN && is_kinofs(whole)) {
		log_info("%s: clearing the mount that a crashed kinofs left", whole);
		if (!unmount(whole))
			log_error(
				"%s: cannot be unmounted; try: fusermount3 -u -z %s", whole, whole);
	}
	resolved = realpath(path, NULL);
	if (!resolved)
		log_error("%s: %s", path, strerror(errno));
	return resolved && is_fit(resolved, nonempty) ? TAKE(resolved) : NULL;
}

char *mountpoint_typed(const char *path)
{
	AUTO_FREE char *here = *path == '/' ? NULL : get_current_dir_name();

	while (here && !strncmp(path, "./", 2))
		path += 2;
	return here ? format("%s/%s", here, path) : strdup(path);
}
