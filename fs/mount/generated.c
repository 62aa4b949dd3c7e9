#include "fs/mount/generated.h"

#include "fs/base/cleanup.h"
#include "fs/journal/view.h"
#include "fs/mount/publish.h"
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

/* ctl has no content but its last answer, and events.jsonl is read from the store. */
static int render_nothing(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)mount, (void)node;
	return render_string(strdup(""), text, bytes);
}

static const struct generated table[] = {
	{NODE_ROOT, NODE_ROOT_README, "README.txt", S_IFREG | 0444, false, false,
		render_root_readme},
	{NODE_ROOT, NODE_HIDDEN, ".hidden", S_IFREG | 0444, false, false, render_hidden},
	{NODE_ROOT, NODE_CONTROL, ".kinofs", S_IFDIR | 0755, false, false, NULL},
	{NODE_ROOT, NODE_OVERVIEW, "out", S_IFDIR | 0755, true, false, NULL},
	{NODE_MODEL, NODE_README, "README.txt", S_IFREG | 0444, false, false, render_readme},
	{NODE_MODEL, NODE_SCHEMA, "schema.json", S_IFREG | 0444, false, false, render_schema},
	{NODE_MODEL, NODE_JOBS, "jobs", S_IFDIR | 0755, true, false, NULL},
	{NODE_CONTROL, NODE_JOBS_JSON, "jobs.json", S_IFREG | 0444, true, false, render_jobs},
	{NODE_CONTROL, NODE_CTL, "ctl", S_IFREG | 0600, true, false, render_nothing},
	{NODE_CONTROL, NODE_EVENTS, "events.jsonl", S_IFREG | 0444, true, false, render_nothing},
	{NODE_CONTROL, NODE_INCOMING, "incoming", S_IFDIR | 0700, true, true, NULL},
	{NODE_JOBS, NODE_RECORD, NULL, S_IFREG | 0444, true, true, records_render},
	{NODE_JOBS, NODE_JOBS_FOLDER, NULL, S_IFDIR | 0755, true, true, NULL},
	{NODE_OVERVIEW, NODE_LINK, NULL, S_IFLNK | 0777, true, true, NULL},
};
#define TABLE_END (table + sizeof(table) / sizeof(table[0]))

/*
 * What may not be done, and how it is said. A user's own files and folders may do
 * anything anywhere else.
 *
 *            create   unlink   rmdir     move    replace  write
 *   static   EPERM    EPERM    ENOTDIR   EPERM   EPERM    EPERM   README.txt, schema.json …
 *   fixed    EEXIST   EISDIR   EBUSY     EBUSY   EBUSY    EISDIR  model directories, out/, jobs/ …
 *   command  EPERM    EPERM    ENOTDIR   EPERM   EPERM    -       ctl
 *   record   EPERM    -        ENOTDIR   EPERM   EPERM    EPERM   jobs/NAME.json: unlink forgets
 *   foreign  EPERM    ENOENT   EPERM     EPERM   EPERM    EPERM   any other name in such a folder
 *   link     EROFS    EROFS    EROFS     EROFS   EROFS    EROFS   any name in out/ of the root
 */
enum guard {
	GUARD_FREE,
	GUARD_STATIC,
	GUARD_FIXED,
	GUARD_COMMAND,
	GUARD_RECORD,
	GUARD_FOREIGN,
	GUARD_LINK
};

static const int refusal[][DO_COUNT] = {
	[GUARD_FREE] = {0},
	[GUARD_STATIC] = {EPERM, EPERM, ENOTDIR, EPERM, EPERM, EPERM},
	[GUARD_FIXED] = {EEXIST, EISDIR, EBUSY, EBUSY, EBUSY, EISDIR},
	[GUARD_COMMAND] = {EPERM, EPERM, ENOTDIR, EPERM, EPERM, 0},
	[GUARD_RECORD] = {EPERM, 0, ENOTDIR, EPERM, EPERM, EPERM},
	[GUARD_FOREIGN] = {EPERM, ENOENT, EPERM, EPERM, EPERM, EPERM},
	[GUARD_LINK] = {EROFS, EROFS, EROFS, EROFS, EROFS, EROFS},
};

static const enum guard guard_of_kind[] = {
	[NODE_PLAIN] = GUARD_FREE,
	[NODE_ROOT] = GUARD_FIXED,
	[NODE_PROVIDER] = GUARD_FIXED,
	[NODE_MODEL] = GUARD_FIXED,
	[NODE_OUT] = GUARD_FIXED,
	[NODE_INCOMING] = GUARD_FIXED,
	[NODE_CONTROL] = GUARD_FIXED,
	[NODE_JOBS] = GUARD_FIXED,
	[NODE_JOBS_FOLDER] = GUARD_FOREIGN,
	[NODE_OVERVIEW] = GUARD_FIXED,
	[NODE_LINK] = GUARD_LINK,
	[NODE_RECORD] = GUARD_RECORD,
	[NODE_ROOT_README] = GUARD_STATIC,
	[NODE_HIDDEN] = GUARD_STATIC,
	[NODE_README] = GUARD_STATIC,
	[NODE_SCHEMA] = GUARD_STATIC,
	[NODE_JOBS_JSON] = GUARD_STATIC,
	[NODE_CTL] = GUARD_COMMAND,
	[NODE_EVENTS] = GUARD_STATIC,
};

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
		if (g->parent == parent && !g->unseen && index-- == 0)
			return g;
	return NULL;
}

const struct generated *generated_of(enum node_kind kind)
{
	for (const struct generated *g = table; g < TABLE_END; g++)
		if (g->kind == kind && kind != NODE_INCOMING)
			return g;
	return NULL;
}

/* Numbers of the store have the top bit clear: ext4, xfs, btrfs and tmpfs count from below. */
ino_t generated_ino(enum node_kind kind, uint64_t model_or_record)
{
	return (ino_t)1 << 63 | (ino_t)kind << 56 | (model_or_record & (((ino_t)1 << 56) - 1));
}

/* A folder of the store that is part of the fixed tree, by its name in a fixed parent. */
static enum node_kind fixed_kind(
	struct mount *mount, struct node *parent, const char *name, uint16_t *model)
{
	const struct model_set *models = mount->setup.models;
	AUTO_FREE char *path = NULL;
	size_t length;

	*model = parent->model;
	if (parent->kind == NODE_MODEL)
		return strcmp(name, "out") ? NODE_PLAIN : NODE_OUT;
	if (parent->kind != NODE_ROOT && parent->kind != NODE_PROVIDER)
		return NODE_PLAIN;
	if (node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) < 0)
		return NODE_PLAIN;
	length = strlen(path);
	for (size_t i = 0; i < models->count; i++) {
		const char *id = models->item[i]->id;

		if (strncmp(id, path, length) || (id[length] && id[length] != '/'))
			continue;
		*model = (uint16_t)i;
		return id[length] ? NODE_PROVIDER : NODE_MODEL;
	}
	return NODE_PLAIN;
}

int guard_node(const struct node *node, enum action action)
{
	return generated_of(node->kind) ? -refusal[guard_of_kind[node->kind]][action] : 0;
}

int guard_name(struct mount *mount, struct node *parent, const char *name, enum action action)
{
	const struct generated *generated = generated_child(parent->kind, name);
	enum guard guard;
	uint16_t model;

	if (generated) {
		guard = guard_of_kind[generated->kind];
	} else if (parent->kind == NODE_OVERVIEW) {
		guard = GUARD_LINK;
	} else if (generated_of(parent->kind)) {
		enum node_kind kind;

		guard = GUARD_FOREIGN;
		if (parent->kind != NODE_CONTROL && records_find(mount, parent, name, &kind) == 0)
			guard = guard_of_kind[kind];
	} else {
		guard = guard_of_kind[fixed_kind(mount, parent, name, &model)];
	}
	return -refusal[guard][action];
}

void generated_stat_plain(
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

static int events_stat(struct mount *mount, struct stat *st)
{
	struct stat real;

	if (fstatat(mount->setup.store_fd, "events.jsonl", &real, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	st->st_size = real.st_size;
	st->st_mtim = real.st_mtim;
	st->st_ctim = real.st_ctim;
	return 0;
}

int generated_stat(struct mount *mount, struct node *node, struct stat *st)
{
	const struct generated *generated = generated_of(node->kind);
	AUTO_FREE char *text = NULL;
	size_t bytes = 0;
	int error = 0;

	generated_stat_plain(mount, generated, node->ino, st);
	if (node->kind == NODE_RECORD || node->kind == NODE_JOBS_FOLDER)
		return records_stat(mount, node, st);
	if (node->kind == NODE_EVENTS)
		return events_stat(mount, st);
	if (node->kind == NODE_OVERVIEW || node->kind == NODE_LINK)
		return links_stat(mount, node, st);
	if (generated->render)
		error = generated->render(mount, node, &text, &bytes);
	st->st_size = (off_t)bytes;
	if (generated->uncached && generated->render)
		clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	return error;
}

double node_timeout(const struct node *node)
{
	const struct generated *generated = generated_of(node->kind);

	if (generated)
		return generated->uncached ? TIMEOUT_UNCACHED : TIMEOUT_REAL;
	return node->kind == NODE_INCOMING ? TIMEOUT_UNCACHED : TIMEOUT_REAL;
}

int entry_enter(struct mount *mount, struct node *parent, const char *name, const struct stat *st,
	struct fuse_entry_param *entry)
{
	struct node_seed seed = {.backed = true,
		.folder = S_ISDIR(st->st_mode),
		.dev = st->st_dev,
		.ino = st->st_ino,
		.links = st->st_nlink};
	struct node *node;

	if (parent->kind == NODE_CONTROL)
		seed.kind = NODE_INCOMING;
	else if (seed.folder)
		seed.kind = fixed_kind(mount, parent, name, &seed.model);
	node = node_enter(&mount->nodes, parent, name, &seed);
	if (!node)
		return -ENOMEM;
	*entry = (struct fuse_entry_param){.ino = node->id, .attr = *st};
	entry->attr_timeout = parent->kind == NODE_INCOMING ? TIMEOUT_UNCACHED : node_timeout(node);
	entry->entry_timeout = entry->attr_timeout;
	return 0;
}

static int incoming_enter(
	struct mount *mount, struct node *parent, pid_t caller, struct fuse_entry_param *entry)
{
	struct stat st;

	if (!publisher_is(caller))
		return -ENOENT;
	if (fstatat(mount->setup.store_fd, "incoming", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return entry_enter(mount, parent, "incoming", &st, entry);
}

/* By its path, so that a folder keeps its number. */
ino_t generated_folder_ino(struct mount *mount, struct node *parent, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) < 0)
		path = NULL;
	return generated_ino(NODE_JOBS_FOLDER, hash_text(path ? path : ""));
}

/* What stands for a name that is not in the table. 0 or -errno. */
static int find_unlisted(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct node_seed *seed)
{
	int error;

	if (parent->kind == NODE_CONTROL)
		return -ENOENT;
	if (parent->kind == NODE_OVERVIEW) {
		seed->kind = NODE_LINK;
		return publisher_is(caller) ? -ENOENT : links_find(mount, name, &seed->ino);
	}
	error = records_find(mount, parent, name, &seed->kind);
	if (error < 0)
		return error;
	seed->ino = seed->kind == NODE_JOBS_FOLDER ? generated_folder_ino(mount, parent, name)
	                                           : generated_ino(seed->kind, seed->model);
	return 0;
}

int entry_generated(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct fuse_entry_param *entry, bool *handled)
{
	const struct generated *generated = generated_child(parent->kind, name);
	struct node_seed seed = {.model = parent->model};
	struct node *node;
	int error;

	*handled = generated || generated_of(parent->kind);
	if (!*handled)
		return 0;
	if (generated && generated->kind == NODE_INCOMING)
		return incoming_enter(mount, parent, caller, entry);
	if (generated) {
		seed.kind = generated->kind;
		seed.ino = generated_ino(seed.kind, seed.model);
	} else {
		error = find_unlisted(mount, parent, name, caller, &seed);
		if (error < 0)
			return error;
	}
	if (seed.kind == NODE_OVERVIEW && !publisher_is(caller))
		overview_look(mount->overview);
	seed.folder = S_ISDIR(generated_of(seed.kind)->mode);
	node = node_enter(&mount->nodes, parent, name, &seed);
	if (!node)
		return -ENOMEM;
	*entry = (struct fuse_entry_param){.ino = node->id};
	entry->attr_timeout = entry->entry_timeout = node_timeout(node);
	error = generated_stat(mount, node, &entry->attr);
	if (error < 0)
		node_forget(&mount->nodes, node, 1);
	return error;
}
