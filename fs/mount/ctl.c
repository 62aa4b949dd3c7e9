#include "fs/mount/ctl.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/engine/control.h"
#include "fs/mount/fs.h"
#include "fs/mount/reply.h"
#include "fs/mount/sharing.h"

#include <string.h>

/* Its last answer is no content: it is empty, and as new as one looks. */
int ctl_stat(struct mount *mount, struct node *node, struct stat *st)
{
	(void)mount, (void)node;
	clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	return 0;
}

/* The answer can be read from the handle that gave the order, also when the write failed. */
int ctl_write(struct mount *mount, struct open_file *file, const char *bytes, size_t size)
{
	AUTO_FREE char *line = NULL, *answer = NULL;
	size_t length = size;
	int error;

	if (length && bytes[length - 1] == '\n')
		length--;
	if (length > LIMIT_COMMAND_BYTES)
		return -EMSGSIZE;
	if (memchr(bytes, '\n', length) || memchr(bytes, '\0', length))
		return -EINVAL; /* one write, one order: each has its own answer */
	line = strndup(bytes, length);
	if (!line)
		return -ENOMEM;
	error = control_run(mount->setup.control, line, sharing_reader(mount, file), &answer);
	pthread_mutex_lock(&file->lock);
	free(file->text);
	file->bytes = answer ? strlen(answer) : 0;
	file->text = TAKE(answer);
	file->read_at = 0;
	pthread_mutex_unlock(&file->lock);
	return error < 0 ? error : (int)size;
}

/* The file position has moved on by what was written: the handle keeps its own. */
void ctl_read(fuse_req_t req, struct open_file *file, size_t size, off_t off)
{
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	size_t got;

	(void)off;
	if (!bytes) {
		reply_result(req, -ENOMEM, "read", file->handle.node->id, NULL);
		return;
	}
	pthread_mutex_lock(&file->lock);
	got = file->bytes - file->read_at;
	if (got > size)
		got = size;
	memcpy(bytes, file->text ? file->text + file->read_at : "", got);
	file->read_at += got;
	pthread_mutex_unlock(&file->lock);
	fuse_reply_buf(req, bytes, got); /* the handle may be gone once this is read */
}
