#include "fs/mount/generated.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/mount/ctl.h"
#include "fs/mount/events.h"
#include "fs/mount/gallery.h"
#include "fs/mount/latest.h"
#include "fs/mount/metrics.h"
#include "fs/mount/publish.h"
#include "fs/mount/records.h"
#include "fs/mount/reply.h"
#include "fs/mount/shown.h"
#include "fs/mount/spending.h"
#include "fs/mount/warning.h"
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

/* Name and icon of the mount beside other places, in GNOME and its relatives. The icon is one of
 * freedesktop.org's names. */
#define ICON "folder-videos"

static int render_volume(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	const char *name = path_last(mount->setup.mountpoint);

	(void)node;
	if (strpbrk(name, "\\\n")) /* which mean something in such a file */
		name = "kinofs";
	return render_string(format("[Volume Info]\nName=%s\nIcon=" ICON "\n", name), text, bytes);
}

/* The same for KDE. */
static int render_directory(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)mount, (void)node;
	return render_string(strdup("[Desktop Entry]\nIcon=" ICON "\n"), text, bytes);
}

/* For who mounted it: by what. */
static int render_settings(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	AUTO_JSON cJSON *object = cJSON_CreateObject();
	AUTO_FREE char *shown = NULL;

	(void)node;
	if (mount->setup.config)
		cJSON_AddStringToObject(object, "config", mount->setup.config);
	else
		cJSON_AddNullToObject(object, "config");
	quote_json(object);
	shown = quote_json_print(object, true);
	return render_string(shown ? format("%s\n", shown) : NULL, text, bytes);
}

static int render_readme(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	return render_string(docs_readme(node_model(mount, node)), text, bytes);
}

static int render_schema(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	return render_string(docs_schema(node_model(mount, node)), text, bytes);
}

static int incoming_admit(struct mount *mount, pid_t caller)
{
	(void)mount;
	return publisher_is(caller) ? 0 : -ENOENT;
}

static const struct generated table[] = {
	{NODE_ROOT, NODE_ROOT_README, "README.txt", S_IFREG | 0444, .render = render_root_readme},
	{NODE_ROOT, NODE_GALLERY, "gallery.html", S_IFREG | 0444, .render = gallery_render_page},
	{NODE_ROOT, NODE_HIDDEN, ".hidden", S_IFREG | 0444, .render = render_hidden},
	{NODE_ROOT, NODE_VOLUME, ".xdg-volume-info", S_IFREG | 0444, .render = render_volume},
	{NODE_ROOT, NODE_DIRECTORY, ".directory", S_IFREG | 0444, .render = render_directory},
	{NODE_ROOT, NODE_CONTROL, ".kinofs", S_IFDIR | 0755, .uncached = false},
	{NODE_ROOT, NODE_OVERVIEW, "out", S_IFDIR | 0755, .shared = S_IFDIR | 0777,
		.uncached = true, .admit = shown_admit, .stat = shown_stat_folder,
		.find = shown_find_made},
	/* of all jobs, so among several users it is for who may see all of them */
	{NODE_OVERVIEW, NODE_WARNING, NULL, S_IFREG | 0444, .shared = S_IFREG | 0400,
		.uncached = true, .unlisted = true, .stat = warning_stat, .render = warning_render},
	{NODE_OVERVIEW, NODE_GONE, NULL, S_IFREG | 0444, .uncached = true, .unlisted = true},
	{NODE_MODEL, NODE_README, "README.txt", S_IFREG | 0444, .render = render_readme},
	{NODE_MODEL, NODE_SCHEMA, "schema.json", S_IFREG | 0444, .render = render_schema},
	{NODE_MODEL, NODE_JOBS, "jobs", S_IFDIR | 0755, .shared = S_IFDIR | 0777, .uncached = true,
		.find = records_find, .list = records_list, .remove = records_remove},
	{NODE_JOBS, NODE_JOBS_FOLDER, NULL, S_IFDIR | 0755, .uncached = true, .unlisted = true,
		.stat = records_stat_folder, .find = records_find, .list = records_list,
		.remove = records_remove},
	{NODE_JOBS, NODE_RECORD, NULL, S_IFREG | 0444, .uncached = true, .unlisted = true,
		.stat = records_stat, .render = records_render},
	{NODE_OUT, NODE_LATEST, ".latest", S_IFDIR | 0755, .uncached = true, .unlisted = true,
		.find = latest_find, .list = latest_list},
	{NODE_LATEST, NODE_LATEST_FOLDER, NULL, S_IFDIR | 0755, .uncached = true, .unlisted = true,
		.stat = latest_stat_folder, .find = latest_find, .list = latest_list},
	{NODE_LATEST, NODE_LATEST_LINK, NULL, S_IFLNK | 0777, .uncached = true, .unlisted = true,
		.stat = latest_stat, .readlink = latest_readlink},
	{NODE_CONTROL, NODE_JOBS_JSON, "jobs.json", S_IFREG | 0444, .uncached = true,
		.stat = jobs_stat, .open = jobs_open},
	{NODE_CONTROL, NODE_CTL, "ctl", S_IFREG | 0600, .shared = S_IFREG | 0666, .uncached = true,
		.nonseekable = true, .stat = ctl_stat, .read = ctl_read, .write = ctl_write},
	{NODE_CONTROL, NODE_EVENTS, "events.jsonl", S_IFREG | 0444, .uncached = true,
		.stat = events_stat, .open = events_open, .read = events_read, .poll = events_poll},
	{NODE_CONTROL, NODE_SETTINGS, "mount.json", S_IFREG | 0400, .render = render_settings},
	{NODE_CONTROL, NODE_SPENDING, "spending", S_IFDIR | 0755, .uncached = true,
		.find = months_find, .list = months_list},
	/* of all jobs, so it is for who may see all of them */
	{NODE_SPENDING, NODE_MONTH, NULL, S_IFREG | 0400, .uncached = true, .unlisted = true,
		.render = month_render},
	{NODE_CONTROL, NODE_METRICS, "metrics", S_IFREG | 0400, .uncached = true,
		.render = metrics_render},
	{NODE_CONTROL, NODE_GALLERY_NOW, "gallery.js", S_IFREG | 0444, .uncached = true,
		.stat = gallery_stat, .open = gallery_open},
	{NODE_CONTROL, NODE_GALLERY_MONTHS, "gallery", S_IFDIR | 0755, .uncached = true,
		.find = gallery_find, .list = gallery_list},
	{NODE_GALLERY_MONTHS, NODE_GALLERY_MONTH, NULL, S_IFREG | 0444, .uncached = true,
		.unlisted = true, .stat = gallery_stat, .open = gallery_open},
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
		.st_mode = mount->setup.shared && generated->shared ? generated->shared
	                                                            : generated->mode,
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
	file->handle.node = node;
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
