#include "fs/mount/reply.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/mount/fs.h"
#include "fs/mount/node_use.h"
#include "spec/text.h"

#include <string.h>

#define PAUSE_MS   1000
#define PATH_CHARS 200

/* ESTALE is part of the game: the kernel then looks the path up once more, and finds what has
 * replaced the file. */
static struct unexpected {
	int error, priority;
	_Atomic int64_t next_ms; /* may be logged again, by clock_steady_ms() */
} unexpected[] = {
	{EIO, LOG_WARNING, 0},
	{ENOMEM, LOG_WARNING, 0},
	{EMFILE, LOG_WARNING, 0},
	{ENFILE, LOG_WARNING, 0},
	{ESTALE, LOG_DEBUG, 0},
};

static struct unexpected *find(int error)
{
	for (size_t i = 0; i < COUNT(unexpected); i++)
		if (unexpected[i].error == error)
			return &unexpected[i];
	return NULL;
}

static bool is_due(struct unexpected *what)
{
	int64_t now = clock_steady_ms(), next = atomic_load(&what->next_ms);

	return now >= next && atomic_compare_exchange_strong(&what->next_ms, &next, now + PAUSE_MS);
}

static void log_failure(struct mount *mount, const struct unexpected *what, const char *operation,
	fuse_ino_t ino, const char *name)
{
	struct node *node = node_get(&mount->nodes, ino);
	char shown[4 * PATH_CHARS + 8];
	AUTO_FREE char *path = NULL;

	if (!node || node_path(&mount->nodes, node, name, BASE_MOUNT, &path) < 0)
		snprintf(shown, sizeof(shown), "node %llu", (unsigned long long)ino);
	else
		text_print(shown, sizeof(shown), path, strlen(path), PATH_CHARS);
	log_line(what->priority, "%s of %s: %s", operation, *shown ? shown : "/",
		strerror(what->error));
}

void reply_result(
	fuse_req_t req, int error, const char *operation, fuse_ino_t ino, const char *name)
{
	struct unexpected *what = error < 0 ? find(-error) : NULL;

	if (what && is_due(what))
		log_failure(mount_of(req), what, operation, ino, name);
	fuse_reply_err(req, error < 0 ? -error : 0);
}
