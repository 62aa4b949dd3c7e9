#include "fs/mount/shown.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/mount/announce.h"
#include "fs/mount/entry.h"
#include "fs/mount/location.h"
#include "fs/mount/overview.h"
#include "fs/mount/publish.h"
#include "fs/mount/sharing.h"
#include "fs/mount/warning.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* From now on the overview is kept. */
int shown_admit(struct mount *mount, pid_t caller)
{
	if (!publisher_is(caller))
		overview_look(mount->overview);
	return 0;
}

int shown_find_made(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed)
{
	const enum announce now = publisher_is(caller) ? announcing(mount) : ANNOUNCE_NONE;

	(void)folder;
	if (now == ANNOUNCE_GONE) {
		seed->kind = NODE_GONE;
		seed->ino = generated_ino(NODE_GONE, hash_text(name));
	} else if (now == ANNOUNCE_NONE && warning_is_here(mount, name)) {
		seed->kind = NODE_WARNING;
		seed->ino = warning_ino();
	} else {
		return -ENOENT;
	}
	return 0;
}

bool shown_hides(fuse_req_t req, const struct node *folder, const char *name)
{
	struct mount *mount = mount_of(req);
	struct person person = {0};
	AUTO_FREE char *path = NULL;
	bool hides;

	if (!mount->setup.shared || folder->kind != NODE_OVERVIEW ||
		overview_find(mount->overview, name, &path, NULL) < 0)
		return false;
	sharing_caller(req, &person);
	hides = !sharing_sees_all(&person) && !sharing_reaches(mount, &person, path);
	person_clear(&person);
	return hides;
}

int shown_stat_folder(struct mount *mount, struct node *node, struct stat *st)
{
	(void)node;
	overview_changed(mount->overview, &st->st_mtim);
	warning_changed(mount, &st->st_mtim);
	st->st_ctim = st->st_mtim;
	return 0;
}

/* ------------------------------------------------------------------ the real place */

/* The folder of this name in *node, which takes its place. */
static int step_into(struct mount *mount, struct node **node, const char *name)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct fuse_entry_param entry;
	struct node *parent = *node;
	struct stat st;
	int error = location_of(mount, parent, name, &location);

	if (error == 0)
		error = location_stat(&location, &st);
	if (error == 0 && !S_ISDIR(st.st_mode))
		error = -ENOENT; /* another thing has come underneath */
	if (error == 0)
		error = entry_enter(mount, parent, name, &st, &entry);
	if (error < 0)
		return error;
	*node = node_get(&mount->nodes, entry.ino);
	node_forget(&mount->nodes, parent, 1);
	return 0;
}

int real_of_path(struct mount *mount, const char *path, struct real *real)
{
	char part[NAME_MAX + 1];
	const char *slash;
	int error = 0;

	real->path = strdup(path);
	if (!real->path)
		return -ENOMEM;
	real->folder = node_enter_again(&mount->nodes, NODE_ROOT_ID);
	for (; error == 0 && (slash = strchr(path, '/')); path = slash + 1) {
		size_t length = (size_t)(slash - path);

		if (length > NAME_MAX)
			return -ENOENT;
		memcpy(part, path, length);
		part[length] = '\0';
		error = step_into(mount, &real->folder, part);
	}
	return error;
}

int real_of_shown(struct mount *mount, const char *name, struct real *real)
{
	AUTO_FREE char *path = NULL;
	int error = overview_find(mount->overview, name, &path, NULL);

	return error < 0 ? error : real_of_path(mount, path, real);
}

void real_clear(struct mount *mount, struct real *real)
{
	if (real->folder)
		node_forget(&mount->nodes, real->folder, 1);
	free(real->path);
	*real = (struct real){0};
}

/* ------------------------------------------------------------------ entries */

void shown_at_clear(struct mount *mount, struct shown_at *at)
{
	real_clear(mount, &at->real);
	cleanup_fd(&at->fd);
}

static bool is_there(struct mount *mount, const struct shown_at *at, const char *path)
{
	size_t length = at->fd < 0 ? 0 : (size_t)(real_name(&at->real) - at->real.path);

	return length && at->changes == atomic_load(&mount->changes) &&
	       !strncmp(at->real.path, path, length) && !strchr(path + length, '/');
}

static int go_to(struct mount *mount, struct shown_at *at, const char *path)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	int error;

	if (is_there(mount, at, path))
		return 0;
	shown_at_clear(mount, at);
	at->changes = atomic_load(&mount->changes);
	error = real_of_path(mount, path, &at->real);
	if (error == 0)
		error = location_of(mount, at->real.folder, NULL, &location);
	if (error < 0)
		return error;
	at->fd = location_open(&location, O_PATH | O_DIRECTORY);
	return at->fd < 0 ? at->fd : 0;
}

static int enter_at(struct mount *mount, const struct shown_at *at, const char *name,
	struct fuse_entry_param *entry)
{
	struct stat st;

	if (fstatat(at->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT; /* another thing has come underneath */
	return entry_enter(mount, at->real.folder, name, &st, entry);
}

int shown_enter(
	struct mount *mount, const char *name, struct shown_at *at, struct fuse_entry_param *entry)
{
	struct shown_at once = SHOWN_AT_NONE, *where = at ? at : &once;
	AUTO_FREE char *path = NULL;
	bool is_new = false;
	int error = overview_find(mount->overview, name, &path, &is_new);

	if (error == 0)
		error = go_to(mount, where, path);
	if (error == 0)
		error = enter_at(mount, where, path_last(path), entry);
	/* of a new one the publisher tells who watches, as of one that it makes: while the kernel
	 * knew the name it could not */
	if (error == 0)
		entry->entry_timeout =
			at && !is_new && !mount->setup.shared ? TIMEOUT_LISTED : TIMEOUT_UNCACHED;
	shown_at_clear(mount, &once);
	return error;
}

/* ------------------------------------------------------------------ listing */

struct listing {
	struct mount *mount;
	const struct person *person;
	off_t *at;
	char *bytes;
	size_t size, used;
};

static int add_entry(struct listing *listing, const char *name, ino_t ino, int type, off_t next)
{
	size_t length = offsetof(struct dirent64, d_name) + strlen(name) + 1;
	struct dirent64 *entry = (void *)(listing->bytes + listing->used);

	length = (length + 7) / 8 * 8; /* each begins as the first does */
	if (length > listing->size - listing->used)
		return 1;
	entry->d_ino = ino;
	entry->d_off = *listing->at = next;
	entry->d_reclen = (unsigned short)length;
	entry->d_type = (unsigned char)type;
	memcpy(entry->d_name, name, strlen(name) + 1);
	listing->used += length;
	return 0;
}

#define DOTS  2
#define FIRST (DOTS + 1) /* with a warning, if there is one */

static int add_shown(void *context, const char *name, const char *path, ino_t ino, off_t next)
{
	struct listing *listing = context;

	if (listing->person && !sharing_reaches(listing->mount, listing->person, path))
		return 0;
	return add_entry(listing, name, ino, DT_REG, FIRST + next);
}

ssize_t shown_read(struct mount *mount, const struct person *person, ino_t folder, off_t *at,
	void *bytes, size_t size)
{
	static const char *const dots[DOTS] = {".", ".."};
	struct listing listing = {
		.mount = mount, .person = person, .at = at, .bytes = bytes, .size = size};
	int error;

	while (*at < DOTS)
		if (add_entry(&listing, dots[*at], folder, DT_DIR, *at + 1))
			return (ssize_t)listing.used;
	if (*at < FIRST && !warning_is_here(mount, WARNING_NAME))
		*at = FIRST;
	if (*at < FIRST && add_entry(&listing, WARNING_NAME, warning_ino(), DT_REG, FIRST))
		return (ssize_t)listing.used;
	error = overview_list(mount->overview, *at - FIRST, add_shown, &listing);
	return error < 0 ? error : (ssize_t)listing.used;
}
