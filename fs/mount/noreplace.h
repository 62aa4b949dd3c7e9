/*
 * noreplace.h - renames that replace nothing, also where the store's filesystem
 * does not know RENAME_NOREPLACE (NFS, 9p, sshfs, ecryptfs: rename(2), EINVAL).
 */
#ifndef KINOFS_MOUNT_NOREPLACE_H
#define KINOFS_MOUNT_NOREPLACE_H

#include <stdbool.h>

struct location;

/* Whether the filesystem of the store knows RENAME_NOREPLACE, by trying it in incoming/. true also
 * when that could not be tried. */
bool noreplace_is_known(int store_fd);

/* renameat2(from, to, RENAME_NOREPLACE) by other means: for a file, a link, and the old name goes
 * then; where links are not known either, or for a folder, an empty one made as `to`, which the
 * rename replaces. resumes: a `to` that is `from` already, by a link of an earlier try that was cut
 * off, is no other file. While names is held exclusively. 0 or -errno. */
int noreplace_rename(const struct location *from, const struct location *to, bool resumes);

#endif
