/*
 * ops_dir.c - listings. Generated entries come first, at offsets 1 … G; those of
 * the store follow at their own d_off + G + 1, so that telldir(3) and seekdir(3) work
 * and nothing is kept but the open folder. A folder without generated entries passes offsets on as
 * they are. out/ of the root is read as those of the store are (shown.h).
 */
#include "fs/base/cleanup.h"
#include "fs/mount/caller.h"
#include "fs/mount/entry.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/readahead.h"
#include "fs/mount/reply.h"
#include "fs/mount/sharing.h"
#include "fs/mount/shown.h"
#include "fs/mount/warning.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define FIRST_ENTRIES 6 /* "." and ".." among them */

struct open_folder {
	struct handle handle; /* first */
	struct mount *mount;
	pthread_mutex_t lock;    /* of ahead */
	struct readahead *ahead; /* NULL: generated */
	off_t shift;             /* G + 1, or 0 */
	/* of out/ of the root */
	struct shown_at shown;
	struct person who;          /* who opened it */
	const struct person *sight; /* NULL: sees all */
};

/* A reply being filled. */
struct page {
	struct mount *mount;
	fuse_req_t req;
	struct node *node;
	bool plus;
	char *bytes;
	size_t size, used;
	size_t entries; /* of the store */
	bool bare;      /* though asked for with attributes */
	bool full;
};

static struct open_folder *folder_of(const struct fuse_file_info *fi)
{
	return (struct open_folder *)(uintptr_t)fi->fh;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* A generated entry wins over one of the store. */
static bool is_from_store(const struct node *node, const char *name)
{
	return !generated_child(node->kind, name);
}

/* The lock on names is taken for each entry by itself, so that a big listing holds nobody up. */
static int enter_shown(void *context, int fd, const char *name, struct fuse_entry_param *entry)
{
	struct open_folder *folder = context;

	(void)fd;
	if (is_dots(name))
		return -ENOENT; /* not asked for */
	if (warning_is_here(folder->mount, name))
		return entry_generated(folder->mount, folder->handle.node, name, 0, entry);

	NAMES_HELD(folder->mount, rd);
	return shown_enter(folder->mount, name, &folder->shown, entry);
}

static ssize_t read_shown(void *context, off_t *at, void *bytes, size_t size)
{
	const struct open_folder *folder = context;

	return shown_read(folder->mount, folder->sight, folder->handle.node->ino, at, bytes, size);
}

static int enter(void *context, int fd, const char *name, struct fuse_entry_param *entry)
{
	struct open_folder *folder = context;
	struct stat st;

	if (!is_from_store(folder->handle.node, name) || is_dots(name))
		return -ENOENT; /* not asked for */

	NAMES_HELD(folder->mount, rd);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return entry_enter(folder->mount, folder->handle.node, name, &st, entry);
}

static void leave(void *context, const struct fuse_entry_param *entry)
{
	struct open_folder *folder = context;
	struct node_table *nodes = &folder->mount->nodes;

	node_forget(nodes, node_get(nodes, entry->ino), 1);
}

static int open_readahead(struct mount *mount, struct node *node, struct open_folder *folder)
{
	const struct readahead_lookup lookup = {.enter = enter, .leave = leave, .context = folder};
	AUTO_LOCATION struct location location = LOCATION_NONE;
	int fd, error;

	NAMES_HELD(mount, rd);
	error = location_of(mount, node, NULL, &location);
	if (error < 0)
		return error;
	fd = location_open(&location, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (fd < mount->to_give.folders)
		folder->ahead = readahead_new(fd, &lookup);
	if (!folder->ahead) {
		(void)close(fd); /* only read */
		return fd < mount->to_give.folders ? -ENOMEM : -EMFILE;
	}
	folder->handle.fd = fd;
	while (generated_at(node->kind, (size_t)folder->shift))
		folder->shift++;
	if (folder->shift)
		folder->shift++;
	return 0;
}

static int open_shown(fuse_req_t req, struct open_folder *folder)
{
	const struct readahead_lookup lookup = {
		.read = read_shown, .enter = enter_shown, .leave = leave, .context = folder};

	folder->ahead = readahead_new(-1, &lookup);
	if (!folder->ahead)
		return -ENOMEM;
	if (!folder->mount->setup.shared)
		return 0;
	sharing_caller(req, &folder->who);
	if (!sharing_sees_all(&folder->who))
		folder->sight = &folder->who;
	return 0;
}

static void folder_free(struct open_folder *folder)
{
	readahead_free(folder->ahead);
	cleanup_fd(&folder->shown.fd);
	free(folder->shown.real.path);
	person_clear(&folder->who);
	pthread_mutex_destroy(&folder->lock);
	free(folder);
}

void folder_handle_free(struct handle *handle)
{
	folder_free((struct open_folder *)handle);
}

static int open_folder(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct open_folder *folder;
	int error = 0;

	if (!node)
		return -ESTALE;
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return -ENOMEM;
	pthread_mutex_init(&folder->lock, NULL);
	folder->handle.fd = folder->shown.fd = -1;
	folder->mount = mount;
	if (node->kind == NODE_OVERVIEW) {
		error = open_shown(req, folder);
	} else if (!generated_of(node->kind)) {
		error = open_readahead(mount, node, folder);
		fi->cache_readdir = 1;
		fi->keep_cache = 1;
	}
	if (error < 0) {
		folder_free(folder);
		return error;
	}
	fi->fh = (uintptr_t)folder;
	node_open(&mount->nodes, node, &folder->handle);
	return 0;
}

static void close_folder(struct mount *mount, const struct fuse_file_info *fi)
{
	struct open_folder *folder = folder_of(fi);

	pthread_mutex_lock(&folder->lock); /* the thread that answered last may be looking ahead */
	pthread_mutex_unlock(&folder->lock);
	if (folder->ahead)
		readahead_forget(folder->ahead);
	shown_at_clear(mount, &folder->shown);
	node_release(&mount->nodes, &folder->handle);
	folder_free(folder);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	int error = caller_check(req);

	if (error == 0)
		error = open_folder(req, node_get(&mount->nodes, ino), fi);
	if (error < 0)
		reply_result(req, error, "opendir", ino, NULL);
	else if (fuse_reply_open(req, fi) == -ENOENT)
		close_folder(mount, fi); /* interrupted: no RELEASEDIR will come */
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	close_folder(mount_of(req), fi);
	reply_result(req, 0, "releasedir", ino, NULL);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct open_folder *folder = folder_of(fi);
	int error = 0;

	if (folder->handle.fd >= 0)
		error = datasync ? fdatasync(folder->handle.fd) : fsync(folder->handle.fd);
	reply_result(req, error < 0 ? -errno : 0, "fsyncdir", ino, NULL);
}

/* Adds an entry with its name and type only; the kernel looks it up when it needs more. False: it
 * does not fit. */
static bool add_bare(struct page *page, const char *name, ino_t ino, mode_t type, off_t next)
{
	struct fuse_entry_param entry = {.attr = {.st_ino = ino, .st_mode = type}};
	char *to = page->bytes + page->used;
	size_t left = page->size - page->used, need;

	if (page->plus)
		need = fuse_add_direntry_plus(page->req, to, left, name, &entry, next);
	else
		need = fuse_add_direntry(page->req, to, left, name, &entry.attr, next);
	if (need > left)
		return false;
	page->used += need;
	return true;
}

/* Adds an entry with its attributes, which counts as a lookup if it fits. */
static bool add_plus(struct page *page, struct open_folder *folder, const char *name, off_t next)
{
	size_t left = page->size - page->used, need;
	struct fuse_entry_param entry;

	if (readahead_enter(folder->ahead, mount_generation(page->mount), &entry) < 0)
		return true; /* gone since it was read */
	need = fuse_add_direntry_plus(
		page->req, page->bytes + page->used, left, name, &entry, next);
	if (need > left) {
		leave(folder, &entry);
		return false;
	}
	page->used += need;
	return true;
}

/* Where a position in the folder of the store stands in the mount's listing, and back. ext4 ends at
 * INT64_MAX. */
static off_t offset_shown(const struct open_folder *folder, off_t off)
{
	return off > LLONG_MAX - folder->shift ? LLONG_MAX : off + folder->shift;
}

static off_t offset_stored(const struct open_folder *folder, off_t off)
{
	if (off < folder->shift)
		return 0;
	return off == LLONG_MAX ? LLONG_MAX : off - folder->shift;
}

static bool add_entry(struct page *page, struct open_folder *folder, const struct dirent64 *entry)
{
	off_t next = offset_shown(folder, entry->d_off);

	if (!is_from_store(page->node, entry->d_name))
		return true;
	if (page->plus && !page->bare && !is_dots(entry->d_name))
		return add_plus(page, folder, entry->d_name, next);
	return add_bare(page, entry->d_name, entry->d_ino, DTTOIF(entry->d_type), next);
}

/* The kernel asks for attributes with the first page whether anybody wants them or not, and with a
 * later one if a program has looked at what an earlier one held (fuse_use_readdirplus() in the
 * kernel's fs/fuse/readdir.c). Of a folder that nobody has read yet they come from the disk, so the
 * first page is a short one, and that of a long folder has none. */
static size_t entries_wanted(struct page *page, const struct open_folder *folder, off_t at)
{
	if (!page->plus || at != 0)
		return SIZE_MAX;
	page->bare = readahead_is_long(folder->ahead);
	return FIRST_ENTRIES;
}

static int list_store(struct page *page, struct open_folder *folder, off_t off)
{
	const struct dirent64 *entry;
	size_t wanted;
	int error;

	readahead_seek(folder->ahead, offset_stored(folder, off));
	error = readahead_peek(folder->ahead, &entry);
	wanted = entries_wanted(page, folder, offset_stored(folder, off));
	for (; error == 0 && entry; error = readahead_peek(folder->ahead, &entry)) {
		page->full = page->entries == wanted || !add_entry(page, folder, entry);
		if (page->full)
			break;
		readahead_next(folder->ahead);
		page->entries++;
	}
	return error;
}

static bool list_table(struct page *page, off_t *off)
{
	const struct generated *generated;

	while ((generated = generated_at(page->node->kind, (size_t)*off))) {
		ino_t ino = generated_ino(generated->kind, page->node->model);

		if (!add_bare(page, generated->name, ino, generated->mode, *off + 1))
			return false;
		++*off;
	}
	return true;
}

static int list_entry(void *context, const char *name, enum node_kind kind, ino_t ino, off_t next)
{
	struct page *page = context;

	return !add_bare(page, name, ino, generated_of(kind)->mode, next + 2);
}

/* A folder that is not in the store: "." and "..", then its own entries, or the table's. */
static int list_generated(struct page *page, off_t off)
{
	static const char *const dots[] = {".", ".."};
	const struct generated *folder = generated_of(page->node->kind);

	for (; off < 2; off++)
		if (!add_bare(page, dots[off], page->node->ino, S_IFDIR, off + 1))
			return 0;
	off -= 2;
	if (folder->list)
		return folder->list(page->mount, page->node, off, list_entry, page, page->req);
	for (const struct generated *g; (g = generated_at(folder->kind, (size_t)off)); off++)
		if (list_entry(page, g->name, g->kind, generated_ino(g->kind, 0), off + 1))
			break;
	return 0;
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi,
	bool plus)
{
	struct open_folder *folder = folder_of(fi);
	AUTO_FREE char *bytes = malloc(size);
	struct page page = {.mount = mount_of(req),
		.req = req,
		.node = folder->handle.node,
		.plus = plus,
		.bytes = bytes,
		.size = size};
	int error = 0;

	if (!bytes) {
		reply_result(req, -ENOMEM, "readdir", ino, NULL);
		return;
	}
	pthread_mutex_lock(&folder->lock);
	if (!folder->ahead)
		error = list_generated(&page, off);
	else if (off >= folder->shift || list_table(&page, &off))
		error = list_store(&page, folder, off);
	if (error < 0 && !page.used)
		reply_result(req, error, "readdir", ino, NULL);
	else
		fuse_reply_buf(req, page.bytes, page.used);
	if (page.full && plus && off > folder->shift) /* else see entries_wanted() */
		readahead_prepare(folder->ahead, page.entries, mount_generation(page.mount));
	else if (page.full && folder->ahead)
		readahead_read(folder->ahead);
	pthread_mutex_unlock(&folder->lock);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	list(req, ino, size, off, fi, false);
}

void op_readdirplus(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	list(req, ino, size, off, fi, true);
}
