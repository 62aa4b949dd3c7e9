/* ops_file.c - open files: open, read, write, flush, release and what else has a handle. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/engine/intake.h"
#include "fs/mount/generated.h"
#include "fs/mount/publish.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

/* The kernel places O_APPEND writes, does O_DIRECT and O_NOATIME by itself, and may change them by
 * fcntl(2) without telling. */
#define OPEN_KEEP (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC)

#define PASSTHROUGH_BYTES (64 << 10)

int file_backing(const struct fuse_file_info *fi)
{
	return file_of(fi)->handle.backing;
}

static struct open_file *file_new(fuse_req_t req)
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

static void file_free(struct open_file *file)
{
	if (file->handle.fd >= 0)
		(void)close(file->handle.fd); /* FLUSH has reported what close(2) had to say */
	pthread_mutex_destroy(&file->lock);
	free(file->text);
	free(file);
}

void handle_free(struct handle *handle)
{
	if (handle->node->folder)
		folder_handle_free(handle);
	else
		file_free((struct open_file *)handle);
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

/* By now whoever wrote has closed a descriptor. */
static void file_written(struct mount *mount, struct open_file *file)
{
	intake_written(mount->setup.intake, atomic_exchange(&file->writing, -1));
}

/* Whether it is worth passing through: what is finished is below out/, and small files are better
 * off without the system calls. */
static bool is_video(struct mount *mount, struct node *node, int fd)
{
	struct stat st;

	return atomic_load_explicit(&mount->shim.passthrough, memory_order_relaxed) && fd >= 0 &&
	       !node_is_open(&mount->nodes, node) && node_is_below(&mount->nodes, node, NODE_OUT) &&
	       fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= PASSTHROUGH_BYTES;
}

static bool is_local(const struct mount *mount, const struct node *node)
{
	return mount->is_local && node->dev == mount->nodes.root->dev;
}

/* Whether FLUSH could find anything to say: about a write that failed, or a drop. */
static bool needs_flush(struct mount *mount, struct node *node)
{
	return !is_local(mount, node) || (node_is_below(&mount->nodes, node, NODE_MODEL) &&
						 !node_is_below(&mount->nodes, node, NODE_OUT));
}

/* A finished video is offered to the kernel, which then reads it without us. Who opens it to write
 * meanwhile does that without us too, so is taken to have written. */
static void file_attach(
	struct mount *mount, struct node *node, struct open_file *file, struct fuse_file_info *fi)
{
	struct handle *handle = &file->handle;
	int offer;

	handle->writable = (fi->flags & O_ACCMODE) != O_RDONLY;
	fi->fh = (uintptr_t)file;
	fi->noflush = !handle->writable || !needs_flush(mount, node);
	if (!handle->writable && is_video(mount, node, handle->fd))
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

static int open_real(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat before = {0};
	int fd, error;

	NAMES_HELD(mount, rd);
	error = location_of(mount, node, NULL, &location);
	if (error == 0 && fi->flags & O_TRUNC)
		error = location_stat(&location, &before);
	if (error < 0)
		return error;
	fd = location_open(&location, fi->flags & OPEN_KEEP);
	if (fd < 0)
		return fd;
	error = file_opened(req, node, fd, fi);
	if (error == 0 && before.st_size > 0)
		file_changed(mount, node);
	return error;
}

int generated_open(
	struct mount *mount, struct node *node, struct fuse_file_info *fi, struct open_file *file)
{
	const struct generated *generated = generated_of(node->kind);
	int error;

	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC) {
		error = guard_node(node, DO_WRITE);
		if (error < 0)
			return error;
	}
	fi->direct_io = generated->uncached;
	fi->keep_cache = !generated->uncached;
	fi->nonseekable = node->kind == NODE_CTL;
	if (node->kind != NODE_EVENTS)
		return generated->render(mount, node, &file->text, &file->bytes);
	file->handle.fd =
		openat(mount->setup.store_fd, "events.jsonl", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return file->handle.fd < 0 ? -errno : 0;
}

static int open_node(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct open_file *file;
	int error;

	if (!node)
		return -ESTALE;
	if (!generated_of(node->kind))
		return open_real(req, node, fi);
	file = file_new(req);
	if (!file)
		return -ENOMEM;
	error = generated_open(mount, node, fi, file);
	if (error < 0)
		file_free(file);
	else
		file_attach(mount, node, file, fi);
	return error;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	int error = open_node(req, node_get(&mount->nodes, ino), fi);

	if (fi->flags & O_TRUNC)
		mount_changed(mount);
	reports_tell(&mount->reports, mount->setup.intake);
	if (error < 0)
		reply_result(req, error);
	else if (shim_reply_open(req, fi, file_backing(fi)) == -ENOENT)
		file_closed(mount, fi); /* the caller was interrupted: no RELEASE will come */
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	file_closed(mount_of(req), fi);
	reply_result(req, 0);
}

/* From a copy: once the last byte is read, RELEASE may free the handle on another thread before
 * this one is back from the reply. */
static void read_text(fuse_req_t req, const struct open_file *file, size_t size, off_t off)
{
	size_t left = off < 0 || (size_t)off >= file->bytes ? 0 : file->bytes - (size_t)off;
	size_t got = left < size ? left : size;
	AUTO_FREE char *bytes = malloc(got + 1);

	if (!bytes) {
		reply_result(req, -ENOMEM);
		return;
	}
	memcpy(bytes, got ? file->text + off : "", got);
	fuse_reply_buf(req, bytes, got);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(size);
	struct open_file *file = file_of(fi);

	(void)ino;
	switch (file->handle.node->kind) {
	case NODE_CTL: ctl_read(req, file, size); return;
	case NODE_EVENTS: events_read(req, file, size, off); return;
	default: break;
	}
	if (is_generated(file)) {
		read_text(req, file, size, off);
		return;
	}
	bytes.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	bytes.buf[0].fd = file->handle.fd;
	bytes.buf[0].pos = off;
	mount_changed(mount_of(req)); /* the time of the last access */
	fuse_reply_data(req, &bytes, FUSE_BUF_NO_SPLICE);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct open_file *file = file_of(fi);
	ssize_t wrote;

	(void)ino;
	if (file->handle.node->kind == NODE_CTL) {
		wrote = ctl_write(mount, file, bytes, size);
	} else {
		file_will_write(mount, file);
		wrote = pwrite(file->handle.fd, bytes, size, off);
		if (wrote < 0)
			wrote = -errno;
		mount_changed(mount);
	}
	if (wrote < 0)
		reply_result(req, (int)wrote);
	else
		fuse_reply_write(req, (size_t)wrote);
}

/* Process a thread belongs to, or -1. */
static long thread_group(pid_t thread)
{
	char path[sizeof("/proc//status") + 3 * sizeof(pid_t)], line[128];
	AUTO_FILE FILE *status = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "Tgid:", 5))
			return strtol(line + 5, NULL, 10);
	return -1;
}

/* The kernel names the thread that closes, not its process. */
static bool is_same_process(pid_t a, pid_t b)
{
	long group;

	if (a == b)
		return true;
	group = thread_group(a);
	return group > 0 && group == thread_group(b);
}

/* Only a writer that closes its own file is told, and never about a file that is empty: shells
 * duplicate descriptors and close them before the first byte (fuse.md B1). */
static int judge(fuse_req_t req, struct open_file *file)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	AUTO_FREE char *path = NULL;
	AUTO_FD int fd = -1;
	struct stat st;

	if (mount->setup.lenient || !atomic_load(&file->wrote) || publisher_is(file->opener) ||
		fstat(file->handle.fd, &st) < 0 || st.st_size == 0 ||
		!is_same_process(fuse_req_ctx(req)->pid, file->opener))
		return 0;
	{
		NAMES_HELD(mount, rd);
		if (node_path(&mount->nodes, file->handle.node, NULL, BASE_MOUNT, &path) < 0 ||
			!intake_checks(mount->setup.intake, path) ||
			location_of(mount, file->handle.node, NULL, &location) < 0)
			return 0; /* it has no name, or none of a job, so it is no drop */
		fd = location_open(&location, O_RDONLY);
	}
	return fd < 0 ? 0 : intake_check(mount->setup.intake, path, fd);
}

/* What close(2) would say: a store on NFS tells there that a write failed. */
static int close_error(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 || close(copy) < 0 ? -errno : 0;
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);
	int error = 0;

	(void)ino;
	if (!is_generated(file)) {
		if (!is_local(mount_of(req), file->handle.node))
			error = close_error(file->handle.fd);
		if (error == 0)
			error = judge(req, file);
		atomic_store(&file->flushed, changed_at(&file->handle));
		file_written(mount_of(req), file);
	}
	reply_result(req, error);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);
	int error = 0;

	(void)ino;
	if (!is_generated(file))
		error = datasync ? fdatasync(file->handle.fd) : fsync(file->handle.fd);
	reply_result(req, error < 0 ? -errno : 0);
}

void op_poll(
	fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *poll)
{
	struct open_file *file = file_of(fi);
	unsigned ready = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM; /* as any regular file */

	(void)ino;
	if (file->handle.node->kind == NODE_EVENTS)
		ready = events_poll(mount_of(req), file, poll);
	else if (poll)
		fuse_pollhandle_destroy(poll);
	fuse_reply_poll(req, ready);
}
