/*
 * gallery.h - gallery.html, a page that shows everything, and the scripts it
 * reads: .kinofs/gallery.js, what goes on and what ended last, and a month at
 * a time .kinofs/gallery/2026-11.js. A script is one call, kinofsGallery({…}),
 * with JSON in it; fs/mount/gallery/store.js is who reads it.
 *
 * They are made when somebody looks, and kept from that look to the open(2) that follows it: a
 * browser reads no more than the size that a file said it has. While one is open its size is that
 * of what was opened, whatever has happened since. To others than the mount's owner they show only
 * the jobs that sharing_shows(), and spaces for the rest.
 *
 * Threads that serve requests; for the table of generated.c.
 */
#ifndef KINOFS_MOUNT_GALLERY_H
#define KINOFS_MOUNT_GALLERY_H

#include "fs/mount/generated.h"

/* What was made last; one lock inside, under which nothing is called. NULL: no memory. */
struct gallery *gallery_new(void);
void gallery_free(struct gallery *gallery);

int gallery_render_page(struct mount *mount, struct node *node, char **text, size_t *bytes);

int gallery_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed);
int gallery_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req);
int gallery_stat(struct mount *mount, struct node *node, struct stat *st);
int gallery_open(struct mount *mount, struct open_file *file);

#endif
