#include "fs/mount/file.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/engine/intake.h"
#include "fs/mount/events.h"
#include "fs/mount/fs.h"
#include "fs/mount/node_use.h"
#include "fs/mount/publish.h"

#include <errno.h>

#define PASSTHROUGH_BYTES (64 << 10)

int file_backing(const struct fuse_file_info *fi)
{
	return file_of(fi)->handle.backing;
}

struct open_file *file_new(fuse_req_t req)
{
	struct open_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->handle.fd = -1;
	file->writing = -1;
	file->opener = fuse_req_ctx(req)->pid;
	pthread_mutex_init(&file->lock, NULL);
	return file;
}

void file_free(struct open_file *file)
{
	if (file->handle.fd >= 0)
		(void)close(file->handle.fd); /* FLUSH has reported what close(2) had to say */
	pthread_mutex_destroy(&file->lock);
	person_clear(&file->who);
	free(file->text);
	free(file);
}

/* The dirty mark stays while a writable handle is open, so one for each handle is enough. */
void file_will_write(struct mount *mount, struct open_file *file)
{
	int none = -1, number;

	if (!atomic_exchange(&file->wrote, true))
		node_mark_dirty(&mount->nodes, file->handle.node);
	if (!file->may_be_job || atomic_load(&file->writing) != none)
		return;
	number = intake_writing(mount->setup.intake, file->handle.node->ino);
	if (!atomic_compare_exchange_strong(&file->writing, &none, number))
		intake_written(mount->setup.intake, number); /* another thread was faster */
}

static void file_written(struct mount *mount, struct open_file *file)
{
	intake_written(mount->setup.intake, atomic_exchange(&file->writing, -1));
}

/* Whether it is worth passing through: what is finished is below out/, and small files are better
 * off without the system calls. */
static bool is_large_result(struct mount *mount, struct node *node, int fd)
{
	struct stat st;

	return atomic_load_explicit(&mount->shim.passthrough, memory_order_relaxed) && fd >= 0 &&
	       !node_is_open(&mount->nodes, node) && node_is_below(&mount->nodes, node, NODE_OUT) &&
	       fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= PASSTHROUGH_BYTES;
}

bool file_is_local(const struct mount *mount, const struct node *node)
{
	return mount->is_local && node->dev == mount->nodes.root->dev;
}

/* Whether FLUSH could find anything to say: about a write that failed, or a drop. */
static bool needs_flush(struct mount *mount, struct node *node)
{
	return !file_is_local(mount, node) ||
	       (node_is_below(&mount->nodes, node, NODE_MODEL) &&
		       !node_is_below(&mount->nodes, node, NODE_OUT));
}

/* A finished result is offered to the kernel, which then reads it without us. Who opens it to write
 * meanwhile does that without us too, so is taken to have written. */
void file_attach(
	struct mount *mount, struct node *node, struct open_file *file, struct fuse_file_info *fi)
{
	struct handle *handle = &file->handle;
	int offer;

	handle->writable = (fi->flags & O_ACCMODE) != O_RDONLY;
	fi->fh = (uintptr_t)file;
	fi->noflush = !handle->writable || !needs_flush(mount, node);
	if (!handle->writable && is_large_result(mount, node, handle->fd))
		handle->backing = shim_backing_open(&mount->shim, handle->fd);
	offer = handle->backing;
	node_open(&mount->nodes, node, handle);
	if (offer && handle->backing != offer)
		shim_backing_close(&mount->shim, offer);
	file->may_be_job = handle->writable && handle->fd >= 0 && !publisher_is(file->opener) &&
	                   !node_is_below(&mount->nodes, node, NODE_OUT);
	if (!handle->backing || !handle->writable)
		return;
	file->unseen = true;
	atomic_fetch_add(&mount->unseen, 1);
	file_will_write(mount, file);
}

int file_may_have(fuse_req_t req, int fd)
{
	return fd < mount_of(req)->to_give.files || publisher_is(fuse_req_ctx(req)->pid) ? 0
	                                                                                 : -EMFILE;
}

int file_opened(fuse_req_t req, struct node *node, int fd, struct fuse_file_info *fi)
{
	struct open_file *file = file_new(req);

	if (!file) {
		(void)close(fd); /* nothing was written */
		return -ENOMEM;
	}
	file->handle.fd = fd;
	fi->keep_cache = 1;
	file_attach(mount_of(req), node, file, fi);
	return 0;
}

static void note_changed(struct mount *mount, struct node *node, int64_t at_ms)
{
	char **paths = node_paths(&mount->nodes, node);

	for (char **path = paths; path && *path; path++) {
		report_note(&mount->reports, REPORT_CHANGED, *path, NULL, at_ms);
		free(*path);
	}
	free(paths);
}

void file_changed(struct mount *mount, struct node *node)
{
	if (!node_mark_dirty(&mount->nodes, node))
		note_changed(mount, node, clock_wall_ms());
}

/* Under names. Until node_close() the file counts as being written, so a look at the complete file
 * is no older than the report. */
static void handle_close(struct mount *mount, struct handle *handle, bool is_told)
{
	int64_t at_ms = clock_wall_ms();

	if (node_close(&mount->nodes, handle) && is_told)
		note_changed(mount, handle->node, at_ms);
}

/* A publisher's file is never told: the engine wrote it. */
void file_closed(struct mount *mount, const struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);

	events_unwatch(mount, file);
	{
		NAMES_HELD(mount, rd);
		handle_close(mount, &file->handle, !publisher_is(file->opener));
	}
	if (node_release(&mount->nodes, &file->handle) && file->handle.backing)
		shim_backing_close(&mount->shim, file->handle.backing);
	if (file->unseen) {
		mount_changed(mount);
		atomic_fetch_sub(&mount->unseen, 1);
	}
	reports_tell(&mount->reports, mount->setup.intake);
	file_written(mount, file); /* the engine knows */
	file_free(file);
}

/* Of an open file; -1: it is none of the store, or cannot be said. */
static int64_t changed_at(const struct handle *handle)
{
	struct stat st;

	if (handle->fd < 0 || fstat(handle->fd, &st) < 0)
		return -1;
	return st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec;
}

static bool is_closing(struct handle *handle)
{
	struct open_file *file = (struct open_file *)handle;

	return !handle->node->folder && handle->writable && !publisher_is(file->opener) &&
	       changed_at(handle) == atomic_load(&file->flushed);
}

static void look_for_closing(void *context, struct handle *handle)
{
	bool *closing = context;

	*closing = *closing || is_closing(handle);
}

void file_flushed(struct mount *mount, struct open_file *file)
{
	atomic_store(&file->flushed, changed_at(&file->handle));
	file_written(mount, file);
}

bool files_closing(struct mount *mount)
{
	bool closing = false;

	pthread_mutex_lock(&mount->nodes.lock);
	node_each_handle(&mount->nodes, look_for_closing, &closing);
	pthread_mutex_unlock(&mount->nodes.lock);
	return closing;
}

static void close_left(void *context, struct handle *handle)
{
	struct mount *mount = context;
	struct open_file *file = (struct open_file *)handle;

	if (!is_closing(handle))
		return;
	handle_close(mount, handle, true);
	file_written(mount, file);
}

/* The kernel waits for FLUSH, but not for RELEASE, and takes back what nobody has read when a mount
 * ends. It ends so for a connection that is aborted as well, with files open: only what has not
 * changed since a close(2) was closed. */
void files_left(struct mount *mount)
{
	{
		NAMES_HELD(mount, rd);
		node_each_handle(&mount->nodes, close_left, mount);
	}
	reports_tell(&mount->reports, mount->setup.intake);
}
