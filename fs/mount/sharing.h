/*
 * sharing.h - a mount that others than its owner may use too (allow_other): who
 * a request is from, and what of the generated files he may see. The kernel
 * itself checks what is in the store, and records, by owner and mode
 * (default_permissions). Any thread that serves requests.
 */
#ifndef KINOFS_MOUNT_SHARING_H
#define KINOFS_MOUNT_SHARING_H

#include "fs/base/rights.h"
#include "fs/mount/file.h"

#include <fuse_lowlevel.h>

/* Whose request this is; the caller clears it. Without memory he has no groups. */
void sharing_caller(fuse_req_t req, struct person *person);
/* root, and the mount's owner. */
bool sharing_sees_all(const struct person *person);
/* Whom an open generated file shows only what he may see; NULL: one who may see all. */
const struct person *sharing_reader(struct mount *mount, const struct open_file *file);

/* The rights of a job, but for what its spec and its prompt have lost since they were looked at:
 * the store is a folder, where they may be changed without the mount. Then the engine looks again.
 * text: as the journal has them. stem NULL: it has no files. false: they are not known, so they are
 * the mount owner's. */
bool sharing_rights(struct mount *mount, const char *text, const char *model, const char *dir,
	const char *stem, struct rights *rights);
/* Whether he may read the record of a job: its rights, and the folder it is in below the model's.
 */
bool sharing_shows(struct mount *mount, const struct person *person, const char *rights,
	const char *model, const char *dir, const char *stem);
/* Whether he may look into the folder a path of the mount is in. */
bool sharing_reaches(struct mount *mount, const struct person *person, const char *path);

/* Whether who asks may take away, or put there, what stands at a path of the mount that the kernel
 * does not know of: by the folder it is in, and its sticky bit. 0, -EACCES or -EPERM. */
int sharing_changes(fuse_req_t req, const char *path);

/* Of what was read of events.jsonl (fd) at `at`: the lines about jobs that its reader may not see
 * become
 * {} and as many spaces; a line that is not written to its end is left for later. How many bytes
 * may be shown, or -errno. */
ssize_t sharing_hide_events(struct mount *mount, const struct open_file *file, int fd, char *bytes,
	size_t count, off_t at);

#endif
