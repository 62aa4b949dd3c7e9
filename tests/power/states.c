/*
 * states.c - the disk that forgets. What holds for every filesystem kinofs may lie on:
 *
 *   fsync(2) or fdatasync(2) of a file: its data and size are there. Of a folder: the names in it
 *   are, and the folder's own name and those above. Nothing else is promised: the data of a file
 *   may come in any order, in blocks of 512 bytes, with or without its new size (then with zeros);
 *   a name may come before the data of its file. Of changes to one name the earlier come first,
 *   and a rename is done or not, never by half.
 */
#include "tests/power/states.h"
#include "tests/power/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------ syncing */

static void drop_pending(struct states *states, size_t at)
{
	struct pending *pending = &states->pending[at];

	free(pending->name);
	free(pending->name2);
	free(pending->data);
	memmove(pending, pending + 1, (--states->pendings - at) * sizeof(*pending));
}

/* The folder's own name, and those above it. */
static void mark_way(struct states *states, uint64_t dir)
{
	for (size_t i = states->pendings; i-- > 0;) {
		struct pending *pending = &states->pending[i];

		if (!disk_is_of_names(pending) || pending->op.kind == OP_GONE ||
			pending->op.ino != dir)
			continue;
		pending->marked = true;
		mark_way(states, pending->op.kind == OP_MOVE ? pending->op.dir2 : pending->op.dir);
		return;
	}
}

static void sync_marked(struct states *states)
{
	disk_mark_earlier(states);
	for (size_t i = 0; i < states->pendings;)
		if (states->pending[i].marked) {
			disk_apply_names(&states->durable, &states->pending[i]);
			drop_pending(states, i);
		} else {
			i++;
		}
}

static void sync_names(struct states *states, uint64_t dir)
{
	for (size_t i = 0; i < states->pendings; i++) {
		struct pending *pending = &states->pending[i];

		pending->marked = disk_is_of_names(pending) &&
		                  (pending->op.dir == dir || pending->op.dir2 == dir);
	}
	mark_way(states, dir);
	sync_marked(states);
}

static void sync_data(struct states *states, struct node *node)
{
	for (size_t i = 0; i < states->pendings;)
		if (!disk_is_of_names(&states->pending[i]) &&
			states->pending[i].op.ino == node->ino) {
			disk_apply_data(&node->durable, &states->pending[i]);
			drop_pending(states, i);
		} else {
			i++;
		}
}

/* The kernel writes within 35 s what nobody syncs (proc_sys_vm(5)). */
#define WRITE_BACK_MS 35000

void states_go_to(struct states *states, int64_t now_ms)
{
	const int64_t old_ms = now_ms - WRITE_BACK_MS;

	states->now_ms = now_ms;
	for (size_t i = 0; i < states->pendings;) {
		struct pending *pending = &states->pending[i];

		pending->marked = disk_is_of_names(pending) && pending->at_ms <= old_ms;
		if (!disk_is_of_names(pending) && pending->at_ms <= old_ms) {
			disk_apply_data(&disk_node(states, pending->op.ino)->durable, pending);
			drop_pending(states, i);
		} else {
			i++;
		}
	}
	sync_marked(states);
}

/* ------------------------------------------------------------------ what was done */

/* Its number is used again; so what removed it has been written. */
static void forget_node(struct states *states, struct node *node)
{
	for (size_t i = 0; i < states->pendings;)
		if (states->pending[i].op.ino == node->ino)
			drop_pending(states, i);
		else
			i++;
	for (size_t i = 0; i < states->durable.count;)
		if (states->durable.item[i].ino == node->ino)
			disk_remove_name(&states->durable, states->durable.item[i].dir,
				states->durable.item[i].name);
		else
			i++;
	free(node->durable.bytes);
	free(node->target);
}

static void learn_node(struct states *states, const struct op *op, const char *target)
{
	struct node *node = disk_node(states, op->ino);

	if (node) {
		for (size_t i = 0; i < states->now.count; i++)
			if (states->now.item[i].ino == op->ino)
				return; /* another name of it */
		forget_node(states, node);
	} else {
		GROW(states->node, states->nodes, states->node_room);
		node = &states->node[states->nodes++];
	}
	*node = (struct node){.ino = op->ino,
		.mode = (mode_t)op->at,
		.target = S_ISLNK(op->at) ? strndup(target, op->bytes) : NULL};
}

static void add_root(struct states *states, const struct op *op, const char *path)
{
	if (states->roots == ROOTS)
		abort();
	states->root[states->roots].ino = op->ino;
	states->root[states->roots++].path = strndup(path, op->name);
}

static void add_pending(struct states *states, const struct op *op, const char *data)
{
	struct pending *pending;
	struct entry *entry;

	GROW(states->pending, states->pendings, states->pending_room);
	pending = &states->pending[states->pendings++];
	*pending = (struct pending){.op = *op,
		.name = strndup(data, op->name),
		.name2 = strndup(data + op->name, op->name2),
		.data = malloc(op->bytes + 1),
		.at_ms = states->now_ms};
	memcpy(pending->data, data + op->name + op->name2, op->bytes);
	if (op->kind == OP_MOVE) {
		entry = disk_find(&states->now, op->dir, pending->name);
		if (!entry) { /* the record is not whole */
			(void)fprintf(stderr, "renamed, and never seen: %s\n", pending->name);
			abort();
		}
		pending->op.ino = entry->ino;
		entry = disk_find(&states->now, op->dir2, pending->name2);
		pending->ino2 = entry ? entry->ino : 0;
	}
	if (disk_is_of_names(pending))
		disk_apply_names(&states->now, pending);
	if (states->begun && !states->synced)
		return;
	if (!disk_is_of_names(pending)) {
		sync_data(states, disk_node(states, op->ino));
		return;
	}
	for (size_t i = 0; i + 1 < states->pendings; i++)
		states->pending[i].marked = false;
	pending->marked = true;
	mark_way(states, op->dir);
	sync_marked(states);
}

void states_be_durable(struct states *states, bool durable)
{
	states->synced = durable;
}

void states_add(struct states *states, const struct op *op, const char *data)
{
	struct node *node;

	switch (op->kind) {
	case OP_ROOT: add_root(states, op, data); break;
	case OP_BEGIN: states->begun = true; break;
	case OP_ENTRY:
		learn_node(states, op, data + op->name);
		add_pending(states, op, data);
		break;
	case OP_GONE:
	case OP_MOVE: add_pending(states, op, data); break;
	case OP_WRITE:
	case OP_SIZE:
		if (disk_node(states, op->ino)) /* else it was removed before anybody looked */
			add_pending(states, op, data);
		break;
	case OP_SYNC:
		node = disk_node(states, op->ino);
		if (node && S_ISREG(node->mode))
			sync_data(states, node);
		else
			sync_names(states, op->ino);
		break;
	default: break;
	}
}

struct states *states_new(void)
{
	return calloc(1, sizeof(struct states));
}

void states_free(struct states *states)
{
	while (states->pendings)
		drop_pending(states, states->pendings - 1);
	free(states->pending);
	for (size_t i = 0; i < states->nodes; i++) {
		free(states->node[i].target);
		free(states->node[i].durable.bytes);
	}
	free(states->node);
	for (size_t i = 0; i < states->roots; i++)
		free(states->root[i].path);
	disk_clear_names(&states->durable);
	disk_clear_names(&states->now);
	free(states);
}
