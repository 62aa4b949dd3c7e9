#include "tests/power/disk.h"

#include <stdio.h> /* RENAME_EXCHANGE */
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ names */

struct entry *disk_find(const struct entries *entries, uint64_t dir, const char *name)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct entry *entry = &entries->item[i];

		if (entry->name && entry->dir == dir && !strcmp(entry->name, name))
			return entry;
	}
	return NULL;
}

void disk_remove_name(struct entries *entries, uint64_t dir, const char *name)
{
	struct entry *entry = disk_find(entries, dir, name);

	if (!entry)
		return;
	free(entry->name);
	*entry = entries->item[--entries->count];
}

static void set_entry(struct entries *entries, uint64_t dir, const char *name, uint64_t ino)
{
	struct entry *entry = disk_find(entries, dir, name);

	if (entry) {
		entry->ino = ino;
		return;
	}
	GROW(entries->item, entries->count, entries->room);
	entries->item[entries->count++] = (struct entry){dir, ino, strdup(name)};
}

void disk_clear_names(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->item[i].name);
	free(entries->item);
	*entries = (struct entries){0};
}

struct entries disk_copy_names(const struct entries *entries)
{
	struct entries copy = {0};

	for (size_t i = 0; i < entries->count; i++) {
		GROW(copy.item, copy.count, copy.room);
		copy.item[copy.count] = entries->item[i];
		copy.item[copy.count++].name = strdup(entries->item[i].name);
	}
	return copy;
}

void disk_apply_names(struct entries *entries, const struct pending *pending)
{
	const struct op *op = &pending->op;
	struct entry *from;

	switch (op->kind) {
	case OP_ENTRY: set_entry(entries, op->dir, pending->name, op->ino); break;
	case OP_GONE: disk_remove_name(entries, op->dir, pending->name); break;
	case OP_MOVE:
		from = disk_find(entries, op->dir, pending->name);
		if (pending->ino2 && op->at & RENAME_EXCHANGE)
			set_entry(entries, op->dir, pending->name, pending->ino2);
		else if (from && from->ino == op->ino)
			disk_remove_name(entries, op->dir, pending->name);
		set_entry(entries, op->dir2, pending->name2, op->ino);
		break;
	default: break;
	}
}

/* ------------------------------------------------------------------ contents */

void disk_set_size(struct content *content, size_t size)
{
	if (size > content->room) {
		content->room = size + size / 2;
		content->bytes = realloc(content->bytes, content->room);
		if (!content->bytes)
			abort();
	}
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

void disk_put_bytes(struct content *content, size_t at, const char *bytes, size_t count)
{
	if (!count)
		return; /* memcpy(3) takes no NULL */
	if (content->size < at + count)
		disk_set_size(content, at + count);
	memcpy(content->bytes + at, bytes, count);
}

void disk_apply_data(struct content *content, const struct pending *pending)
{
	if (pending->op.kind == OP_WRITE)
		disk_put_bytes(content, pending->op.at, pending->data, pending->op.bytes);
	else
		disk_set_size(content, pending->op.at);
}

struct node *disk_node(const struct states *states, uint64_t ino)
{
	for (size_t i = states->nodes; i-- > 0;)
		if (states->node[i].ino == ino)
			return &states->node[i];
	return NULL;
}

bool disk_is_of_names(const struct pending *pending)
{
	return pending->op.kind == OP_ENTRY || pending->op.kind == OP_GONE ||
	       pending->op.kind == OP_MOVE;
}

/* ------------------------------------------------------------------ changes */

static bool has_name(const struct pending *pending, uint64_t dir, const char *name)
{
	return (pending->op.dir == dir && !strcmp(pending->name, name)) ||
	       (pending->op.kind == OP_MOVE && pending->op.dir2 == dir &&
		       !strcmp(pending->name2, name));
}

void disk_mark_earlier(struct states *states)
{
	for (size_t later = states->pendings; later-- > 0;) {
		const struct pending *one = &states->pending[later];

		for (size_t i = 0; i < later && one->marked && disk_is_of_names(one); i++) {
			struct pending *other = &states->pending[i];

			if (disk_is_of_names(other) &&
				(has_name(other, one->op.dir, one->name) ||
					(one->op.kind == OP_MOVE &&
						has_name(other, one->op.dir2, one->name2))))
				other->marked = true;
		}
	}
}
