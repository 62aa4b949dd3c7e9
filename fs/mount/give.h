/*
 * give.h - on a mount that others use too, what is published becomes theirs whose
 * the job is. The publisher's thread, through the mount.
 */
#ifndef KINOFS_MOUNT_GIVE_H
#define KINOFS_MOUNT_GIVE_H

struct mount;

/* Gives a file that is about to be published to whom the files of its job belong (fs/base/rights.h;
 * NULL: nobody in particular). Where the store's filesystem knows no owners it stays the mount
 * owner's. 0 or -errno. */
int give_file(const struct mount *mount, int fd, const char *rights);
/* Makes out/ of a model, and each folder from there down to a target's, as the one with the files
 * of its jobs: those that kinofs has just made, below out/. */
void give_folders(const struct mount *mount, int root, const char *target);

#endif
