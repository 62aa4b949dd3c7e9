#include "fs/mount/node_use.h"

#include "fs/mount/node_index.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One step towards the root. NULL at the top, which *top then names. */
static struct name *step_up(
	struct node_table *table, struct node *node, enum node_base base, const char **top)
{
	if (node == table->root)
		*top = base == BASE_STORE ? "tree" : "";
	else if (node->kind == NODE_INCOMING && base == BASE_STORE)
		*top = "incoming";
	else
		return node->names;
	return NULL;
}

/* Writes "/part" before end. */
static char *prepend(char *end, const char *part)
{
	size_t length = strlen(part);

	end -= length;
	memcpy(end, part, length);
	*--end = '/';
	return end;
}

static int path_locked(struct node_table *table, struct node *node, const char *leaf,
	enum node_base base, char **path)
{
	size_t bytes = leaf ? strlen(leaf) + 1 : 0;
	const char *top = NULL;
	struct name *name;
	char *out, *end;

	for (struct node *at = node; (name = step_up(table, at, base, &top)); at = name->parent)
		bytes += strlen(name->text) + 1;
	if (!top)
		return -ENOENT;
	bytes += strlen(top);
	out = malloc(bytes + 1);
	if (!out)
		return -ENOMEM;
	end = out + bytes;
	*end = '\0';
	if (leaf)
		end = prepend(end, leaf);
	for (struct node *at = node; (name = step_up(table, at, base, &top)); at = name->parent)
		end = prepend(end, name->text);
	memcpy(out, top, strlen(top));
	if (*out == '/')
		memmove(out, out + 1, bytes);
	*path = out;
	return 0;
}

int node_path(struct node_table *table, struct node *node, const char *leaf, enum node_base base,
	char **path)
{
	int error;

	pthread_mutex_lock(&table->lock);
	error = path_locked(table, node, leaf, base, path);
	pthread_mutex_unlock(&table->lock);
	return error;
}

char **node_paths(struct node_table *table, struct node *node)
{
	char **list;
	size_t count = 0;

	pthread_mutex_lock(&table->lock);
	for (struct name *name = node->names; name; name = name->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	count = 0;
	for (struct name *name = node->names; list && name; name = name->next)
		if (path_locked(table, name->parent, name->text, BASE_MOUNT, &list[count]) == 0)
			count++;
	pthread_mutex_unlock(&table->lock);
	return list;
}

void node_open(struct node_table *table, struct node *node, struct handle *handle)
{
	handle->node = node;
	pthread_mutex_lock(&table->lock);
	if (node->handles)
		handle->backing = node->handles->backing;
	handle->next = node->handles;
	node->handles = handle;
	if (handle->writable)
		node->writers++;
	pthread_mutex_unlock(&table->lock);
}

/* The handle stays in the node's list, and so keeps the node, until node_release(). */
bool node_close(struct node_table *table, struct handle *handle)
{
	struct node *node = handle->node;
	bool complete = false;

	pthread_mutex_lock(&table->lock);
	if (handle->writable && --node->writers == 0) {
		complete = node->dirty;
		node->dirty = false;
	}
	handle->writable = false;
	pthread_mutex_unlock(&table->lock);
	return complete;
}

bool node_release(struct node_table *table, struct handle *handle)
{
	struct node *node = handle->node;
	struct handle **link = &node->handles;
	bool last;

	pthread_mutex_lock(&table->lock);
	while (*link != handle)
		link = &(*link)->next;
	*link = handle->next;
	last = !node->handles;
	node->nlookup++; /* keeps it until node_forget() has the lock */
	pthread_mutex_unlock(&table->lock);
	node_forget(table, node, 1);
	return last;
}

bool node_mark_dirty(struct node_table *table, struct node *node)
{
	bool written;

	pthread_mutex_lock(&table->lock);
	written = node->writers > 0;
	if (written)
		node->dirty = true;
	pthread_mutex_unlock(&table->lock);
	return written;
}

bool node_is_open(struct node_table *table, struct node *node)
{
	bool open;

	pthread_mutex_lock(&table->lock);
	open = node->handles != NULL;
	pthread_mutex_unlock(&table->lock);
	return open;
}

bool node_is_below(struct node_table *table, struct node *node, enum node_kind kind)
{
	pthread_mutex_lock(&table->lock);
	while (node && node->kind != kind)
		node = node->names ? node->names->parent : NULL;
	pthread_mutex_unlock(&table->lock);
	return node != NULL;
}

void node_each_handle(struct node_table *table, void (*visit)(void *context, struct handle *handle),
	void *context)
{
	for (size_t i = 0; i < table->ids.size; i++)
		for (struct node *node = table->ids.bucket[i]; node; node = node->next_id)
			for (struct handle *handle = node->handles; handle; handle = handle->next)
				visit(context, handle);
}

int node_borrow(struct node_table *table, struct node *node)
{
	struct handle *best = NULL;
	int fd;

	pthread_mutex_lock(&table->lock);
	for (struct handle *handle = node->handles; handle; handle = handle->next)
		if (handle->fd >= 0 && (!best || handle->writable))
			best = handle;
	fd = best ? best->fd : -1;
	if (!best && node->replaced)
		fd = replaced_fd(&table->replaced, node);
	if (fd < 0)
		fd = -ENOENT;
	else if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
		fd = -errno;
	pthread_mutex_unlock(&table->lock);
	return fd;
}

/* The node at this path in the mount, as far as names are known. */
static const struct node *node_at(const struct node_table *table, const char *path)
{
	const struct node *node = table->root;
	char part[NAME_MAX + 1];

	while (node && *path) {
		size_t length = strcspn(path, "/");
		const struct name *name;

		if (length > NAME_MAX)
			return NULL;
		memcpy(part, path, length);
		part[length] = '\0';
		name = name_by_text(table, node, part);
		node = name ? name->node : NULL;
		path += length + (path[length] == '/');
	}
	return node;
}

bool node_is_written(struct node_table *table, const char *path)
{
	const struct node *node;
	bool written;

	pthread_mutex_lock(&table->lock);
	node = node_at(table, path);
	written = node && node->writers > 0;
	pthread_mutex_unlock(&table->lock);
	return written;
}
