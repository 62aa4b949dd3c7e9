#include "fs/journal/witness.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/read.h"
#include "fs/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define FOLDER "kinofs/stores"

void store_id_new(char id[STORE_ID_BYTES])
{
	unsigned char bytes[(STORE_ID_BYTES - 1) / 2];

	arc4random_buf(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(id + 2 * i, 3, "%02x", bytes[i]); /* fits */
}

int testimony_take(int store_fd, struct testimony *now)
{
	struct statx info;

	if (statx(store_fd, JOURNAL_FILE, 0, STATX_INO | STATX_BTIME, &info) < 0)
		return -errno;
	now->inode = info.stx_ino;
	now->born_ns = 0;
	if (info.stx_mask & STATX_BTIME)
		now->born_ns = info.stx_btime.tv_sec * INT64_C(1000000000) + info.stx_btime.tv_nsec;
	return 0;
}

bool testimony_fits(const struct testimony *then, const struct testimony *now)
{
	return then->inode == now->inode && then->born_ns == now->born_ns &&
	       then->generation <= now->generation;
}

/* The folder of all witnesses, made when it is not there. A descriptor or -errno. */
static int open_folder(void)
{
	AUTO_FREE char *path = xdg_path(XDG_STATE, FOLDER);
	int error = path ? folders_make(AT_FDCWD, path, 0700, 0) : -ENOMEM;
	int fd = error ? error : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!error && fd < 0)
		fd = -errno;
	if (fd < 0)
		log_warn("cannot keep in %s what would show that a store is a copy: %s. Set "
			 "XDG_STATE_HOME to a lasting folder",
			path ? path : "memory", strerror(-fd));
	return fd;
}

enum witness witness_ask(const char *id, struct testimony *then)
{
	AUTO_FD int folder = open_folder();
	AUTO_FREE char *text = NULL;
	size_t bytes;

	if (folder < 0)
		return WITNESS_UNUSABLE;
	if (read_whole_at(folder, id, 200, &text, &bytes) < 0 ||
		sscanf(text, "%" SCNd64 " %" SCNu64 " %" SCNd64, &then->generation, &then->inode,
			&then->born_ns) != 3)
		return WITNESS_MISSING;
	return WITNESS_KNOWN;
}

int witness_tell(const char *id, const struct testimony *now)
{
	AUTO_FD int folder = open_folder();
	AUTO_FD int fd = -1;
	AUTO_FREE char *name = format("%s.new", id);
	AUTO_FREE char *text = format(
		"%" PRId64 " %" PRIu64 " %" PRId64 "\n", now->generation, now->inode, now->born_ns);

	if (folder < 0)
		return folder;
	if (!name || !text)
		return -ENOMEM;
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd) < 0 ||
		renameat(folder, name, folder, id) < 0 || fsync(folder) < 0) {
		int error = errno ? -errno : -EIO;

		log_warn("what would show that a store is a copy cannot be kept: %s",
			strerror(-error));
		return error;
	}
	return 0;
}
