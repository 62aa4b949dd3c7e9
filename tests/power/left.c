/* left.c - what is left on the disk that forgets: chosen, and made. */
#include "tests/power/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512

const char *const loss_names[LOSSES] = {"all", "none", "ordered", "data", "random"};

/* ------------------------------------------------------------------ chance */

static uint64_t chance_state;

static uint64_t chance(uint64_t below) /* splitmix64 */
{
	uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return ((z ^ (z >> 31)) >> 11) % below;
}

/* ------------------------------------------------------------------ what is left of names */

static struct entries choose_names(struct states *states, enum loss loss)
{
	struct entries left = disk_copy_names(&states->durable);
	size_t until = states->pendings ? chance(states->pendings + 1) : 0;

	for (size_t i = 0; i < states->pendings; i++) {
		struct pending *pending = &states->pending[i];

		pending->marked = loss == LOSS_NONE || loss == LOSS_DATA ||
		                  (loss == LOSS_ORDERED && i < until) ||
		                  (loss == LOSS_RANDOM && chance(2));
		pending->marked = pending->marked && disk_is_of_names(pending);
	}
	disk_mark_earlier(states);
	for (size_t i = 0; i < states->pendings; i++)
		if (states->pending[i].marked && disk_is_of_names(&states->pending[i]))
			disk_apply_names(&left, &states->pending[i]);
	return left;
}

/* ------------------------------------------------------------------ what is left of data */

enum flavour { NOTHING, EVERYTHING, SOME_BLOCKS, FIRST_PART, ZEROS, FLAVOURS };

static void put_some_blocks(struct content *content, const struct pending *pending)
{
	size_t at = pending->op.at, end = at + pending->op.bytes;

	while (at < end) {
		size_t next = (at / BLOCK + 1) * BLOCK;

		next = next < end ? next : end;
		if (chance(2))
			disk_put_bytes(
				content, at, pending->data + (at - pending->op.at), next - at);
		at = next;
	}
}

static struct content choose_data(
	const struct states *states, const struct node *node, enum loss loss)
{
	struct content left = {0}, whole = {0};
	enum flavour flavour = (enum flavour)chance(FLAVOURS);
	size_t ops = 0, until;

	if (loss == LOSS_ALL)
		flavour = NOTHING;
	if (loss == LOSS_NONE)
		flavour = EVERYTHING;
	if (loss == LOSS_DATA)
		flavour = chance(2) ? NOTHING : ZEROS;
	disk_put_bytes(
		&left, 0, node->durable.bytes ? node->durable.bytes : "", node->durable.size);
	disk_put_bytes(
		&whole, 0, node->durable.bytes ? node->durable.bytes : "", node->durable.size);
	for (size_t i = 0; i < states->pendings; i++)
		ops += !disk_is_of_names(&states->pending[i]) &&
		       states->pending[i].op.ino == node->ino;
	until = chance(ops + 1);
	for (size_t i = 0, op = 0; i < states->pendings; i++) {
		const struct pending *pending = &states->pending[i];
		bool is_size = pending->op.kind == OP_SIZE;

		if (disk_is_of_names(pending) || pending->op.ino != node->ino)
			continue;
		disk_apply_data(&whole, pending);
		if (flavour == EVERYTHING || (flavour == FIRST_PART && op < until))
			disk_apply_data(&left, pending);
		else if (!is_size &&
			 (flavour == SOME_BLOCKS || (flavour == FIRST_PART && op == until)))
			put_some_blocks(&left, pending);
		else if (is_size && flavour == SOME_BLOCKS && chance(2))
			disk_apply_data(&left, pending);
		op++;
	}
	if (ops && (flavour == ZEROS || (flavour == SOME_BLOCKS && chance(2))))
		disk_set_size(&left, whole.size);
	free(whole.bytes);
	return left;
}

/* ------------------------------------------------------------------ making it */

struct making {
	const struct states *states;
	struct entries names;
	enum loss loss;
	char limbo[PATH_MAX]; /* of files whose names change, by their numbers */
};

static void in_limbo(const struct making *making, uint64_t ino, char path[PATH_MAX + 32])
{
	(void)snprintf(path, PATH_MAX + 32, "%s/%llu", making->limbo, (unsigned long long)ino);
}

/* What is to go, or to have another name, leaves. */
static void clear_folder(const struct making *making, const char *path, uint64_t dir)
{
	DIR *folder = opendir(path);
	struct dirent *item;

	while (folder && (item = readdir(folder))) {
		char inside[PATH_MAX + 256], aside[PATH_MAX + 32];
		const struct entry *entry;
		struct stat info;
		bool is_folder;

		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
			continue;
		(void)snprintf(inside, sizeof(inside), "%s/%s", path, item->d_name);
		entry = dir ? disk_find(&making->names, dir, item->d_name) : NULL;
		if (lstat(inside, &info) < 0)
			continue;
		is_folder = S_ISDIR(info.st_mode);
		if (is_folder && entry && !S_ISDIR(disk_node(making->states, entry->ino)->mode))
			entry = NULL;
		if (is_folder)
			clear_folder(making, inside, entry ? entry->ino : 0);
		in_limbo(making, info.st_ino, aside);
		if (is_folder && !entry)
			(void)rmdir(inside);
		else if (!is_folder && (!entry || entry->ino != info.st_ino))
			(void)rename(inside, aside);
	}
	if (folder)
		(void)closedir(folder);
}

static void fill(const char *path, const struct node *node, const struct content *content)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, node->mode & 07777);
	struct stat info;
	char *there;
	bool same;

	if (fd < 0 || fstat(fd, &info) < 0) {
		perror(path);
		abort();
	}
	there = malloc((size_t)info.st_size + 1);
	same = (size_t)info.st_size == content->size &&
	       pread(fd, there, content->size, 0) == (ssize_t)content->size &&
	       !memcmp(there, content->bytes ? content->bytes : "", content->size);
	if (!same && (ftruncate(fd, 0) < 0 || pwrite(fd, content->bytes, content->size, 0) !=
						      (ssize_t)content->size))
		abort();
	free(there);
	(void)close(fd);
}

static void make_file(const struct making *making, const char *path, const struct node *node)
{
	char aside[PATH_MAX + 32];
	struct content content;
	struct stat info;

	in_limbo(making, node->ino, aside);
	if (lstat(path, &info) < 0 && lstat(aside, &info) == 0)
		(void)!link(aside, path);
	if (S_ISLNK(node->mode)) {
		(void)!symlink(node->target, path);
		return;
	}
	if (!S_ISREG(node->mode))
		return;
	chance_state ^= node->ino; /* two names of it: the same twice */
	content = choose_data(making->states, node, making->loss);
	fill(path, node, &content);
	free(content.bytes);
}

static void make_folder(const struct making *making, const char *path, uint64_t dir)
{
	uint64_t seed = chance_state;

	(void)mkdir(path, 0755);
	for (size_t i = 0; i < making->names.count; i++) {
		const struct entry *entry = &making->names.item[i];
		const struct node *node = disk_node(making->states, entry->ino);
		char inside[PATH_MAX];

		if (entry->dir != dir)
			continue;
		(void)snprintf(inside, sizeof(inside), "%s/%s", path, entry->name);
		chance_state = seed;
		if (S_ISDIR(node->mode))
			make_folder(making, inside, node->ino);
		else
			make_file(making, inside, node);
	}
}

static void remove_limbo(const struct making *making)
{
	DIR *folder = opendir(making->limbo);
	struct dirent *item;

	while (folder && (item = readdir(folder)))
		(void)unlinkat(dirfd(folder), item->d_name, 0); /* "." and "..": no */
	if (folder)
		(void)closedir(folder);
	(void)rmdir(making->limbo);
}

void states_make(const struct states *states, enum loss loss, uint64_t seed, char *const *to)
{
	struct making making = {.states = states, .loss = loss};

	chance_state = seed;
	making.names = choose_names((struct states *)(uintptr_t)states, loss);
	for (size_t i = 0; i < states->roots; i++) {
		const char *path = to ? to[i] : states->root[i].path;

		(void)mkdir(path, 0700);
		(void)snprintf(making.limbo, sizeof(making.limbo), "%s.limbo", path);
		(void)mkdir(making.limbo, 0700);
		clear_folder(&making, path, states->root[i].ino);
		chance_state = seed + i;
		make_folder(&making, path, states->root[i].ino);
		remove_limbo(&making);
	}
	disk_clear_names(&making.names);
}
