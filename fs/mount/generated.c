#include "fs/mount/generated.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/journal/view.h"
#include "fs/mount/ctl.h"
#include "fs/mount/events.h"
#include "fs/mount/links.h"
#include "fs/mount/publish.h"
#include "fs/mount/records.h"
#include "fs/mount/reply.h"
#include "spec/docs.h"

#include <fcntl.h>
#include <string.h>

static int render_string(char *made, char **text, size_t *bytes)
{
	if (!made)
		return -ENOMEM;
	*text = made;
	*bytes = strlen(made);
	return 0;
}

static int render_root_readme(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)node;
	return render_string(docs_root_readme(mount->setup.models), text, bytes);
}

/* File managers do not show what .hidden names. */
static int render_hidden(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)mount, (void)node;
	return render_string(strdup(".kinofs\n"), text, bytes);
}

static int render_readme(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	return render_string(docs_readme(node_model(mount, node)), text, bytes);
}

static int render_schema(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	return render_string(docs_schema(node_model(mount, node)), text, bytes);
}

static int render_jobs(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)node;
	return view_jobs(mount->setup.view, text, bytes);
}

static int incoming_admit(struct mount *mount, pid_t caller)
{
	(void)mount;
	return publisher_is(caller) ? 0 : -ENOENT;
}

static const struct generated table[] = {
	{NODE_ROOT, NODE_ROOT_README, "README.txt", S_IFREG | 0444, .render = render_root_readme},
	{NODE_ROOT, NODE_HIDDEN, ".hidden", S_IFREG | 0444, .render = render_hidden},
	{NODE_ROOT, NODE_CONTROL, ".kinofs", S_IFDIR | 0755, .uncached = false},
	{NODE_ROOT, NODE_OVERVIEW, "out", S_IFDIR | 0755, .uncached = true, .admit = links_admit,
		.stat = links_stat_folder, .find = links_find, .list = links_list},
	{NODE_OVERVIEW, NODE_LINK, NULL, S_IFLNK | 0777, .uncached = true, .unlisted = true,
		.stat = links_stat, .readlink = links_readlink},
	{NODE_MODEL, NODE_README, "README.txt", S_IFREG | 0444, .render = render_readme},
	{NODE_MODEL, NODE_SCHEMA, "schema.json", S_IFREG | 0444, .render = render_schema},
	{NODE_MODEL, NODE_JOBS, "jobs", S_IFDIR | 0755, .uncached = true, .find = records_find,
		.list = records_list, .remove = records_remove},
	{NODE_JOBS, NODE_JOBS_FOLDER, NULL, S_IFDIR | 0755, .uncached = true, .unlisted = true,
		.stat = records_stat_folder, .find = records_find, .list = records_list,
		.remove = records_remove},
	{NODE_JOBS, NODE_RECORD, NULL, S_IFREG | 0444, .uncached = true, .unlisted = true,
		.stat = records_stat, .render = records_render},
	{NODE_CONTROL, NODE_JOBS_JSON, "jobs.json", S_IFREG | 0444, .uncached = true,
		.render = render_jobs},
	{NODE_CONTROL, NODE_CTL, "ctl", S_IFREG | 0600, .uncached = true, .nonseekable = true,
		.stat = ctl_stat, .read = ctl_read, .write = ctl_write},
	{NODE_CONTROL, NODE_EVENTS, "events.jsonl", S_IFREG | 0444, .uncached = true,
		.stat = events_stat, .open = events_open, .read = events_read, .poll = events_poll},
	{NODE_CONTROL, NODE_INCOMING, "incoming", S_IFDIR | 0700, .uncached = true,
		.unlisted = true, .stored = true, .admit = incoming_admit},
};
#define TABLE_END (table + COUNT(table))

const struct generated *generated_child(enum node_kind parent, const char *name)
{
	if (parent == NODE_PLAIN)
		return NULL;
	for (const struct generated *g = table; g < TABLE_END; g++)
		if (g->parent == parent && g->name && !strcmp(g->name, name))
			return g;
	return NULL;
}

const struct generated *generated_at(enum node_kind parent, size_t index)
{
	for (const struct generated *g = table; g < TABLE_END; g++)
		if (g->parent == parent && !g->unlisted && index-- == 0)
			return g;
	return NULL;
}

const struct generated *generated_of(enum node_kind kind)
{
	if (kind < NODE_CONTROL)
		return NULL;
	for (const struct generated *g = table; g < TABLE_END; g++)
		if (g->kind == kind)
			return g;
	return NULL;
}

static void stat_plain(
	struct mount *mount, const struct generated *generated, ino_t ino, struct stat *st)
{
	*st = (struct stat){.st_ino = ino,
		.st_mode = generated->mode,
		.st_nlink = S_ISDIR(generated->mode) ? 2 : 1,
		.st_uid = geteuid(),
		.st_gid = getegid(),
		.st_blksize = 4096,
		.st_atim = mount->started,
		.st_mtim = mount->started,
		.st_ctim = mount->started};
}

int generated_stat(struct mount *mount, struct node *node, struct stat *st)
{
	const struct generated *generated = generated_of(node->kind);
	AUTO_FREE char *text = NULL;
	size_t bytes = 0;
	int error;

	stat_plain(mount, generated, node->ino, st);
	if (generated->stat)
		return generated->stat(mount, node, st);
	if (!generated->render)
		return 0;
	error = generated->render(mount, node, &text, &bytes);
	st->st_size = (off_t)bytes;
	if (generated->uncached)
		clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	return error;
}

int generated_open(
	struct mount *mount, struct node *node, struct fuse_file_info *fi, struct open_file *file)
{
	const struct generated *generated = generated_of(node->kind);

	fi->direct_io = generated->uncached;
	fi->keep_cache = !generated->uncached;
	fi->nonseekable = generated->nonseekable;
	if (generated->open)
		return generated->open(mount, file);
	return generated->render ? generated->render(mount, node, &file->text, &file->bytes) : 0;
}

/* From a copy: once the last byte is read, RELEASE may free the handle on another thread before
 * this one is back from the reply. */
static void read_text(fuse_req_t req, const struct open_file *file, size_t size, off_t off)
{
	size_t left = off < 0 || (size_t)off >= file->bytes ? 0 : file->bytes - (size_t)off;
	size_t got = left < size ? left : size;
	AUTO_FREE char *bytes = malloc(got + 1);

	if (!bytes) {
		reply_result(req, -ENOMEM, "read", file->handle.node->id, NULL);
		return;
	}
	memcpy(bytes, got ? file->text + off : "", got);
	fuse_reply_buf(req, bytes, got);
}

void generated_read(fuse_req_t req, struct open_file *file, size_t size, off_t off)
{
	const struct generated *generated = generated_file(file);

	if (generated->read)
		generated->read(req, file, size, off);
	else
		read_text(req, file, size, off);
}
