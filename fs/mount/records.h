/*
 * records.h - MODEL/jobs: the journal's records as files, in the folders their
 * jobs are in. Asked of the journal anew at every look.
 */
#ifndef KINOFS_MOUNT_RECORDS_H
#define KINOFS_MOUNT_RECORDS_H

#include "fs/mount/generated.h"

/* Columns of the table in generated.c, for records and for the folders they are in. */
int records_stat(struct mount *mount, struct node *node, struct stat *st);
int records_stat_folder(struct mount *mount, struct node *node, struct stat *st);
int records_render(struct mount *mount, struct node *node, char **text, size_t *bytes);
int records_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed);
/* Folders first. */
int records_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req);
/* Forgets the job. */
int records_remove(struct mount *mount, struct node *folder, const char *name, fuse_req_t req);
/* jobs.json: what its reader may see. */
int jobs_stat(struct mount *mount, struct node *node, struct stat *st);
int jobs_open(struct mount *mount, struct open_file *file);

#endif
