/*
 * table.h - the trees by which jobs.c finds jobs in memory: by name (the
 * newest take, with the older ones behind it), by id, by order. Engine thread.
 */
#ifndef KINOFS_ENGINE_TABLE_H
#define KINOFS_ENGINE_TABLE_H

#include "fs/engine/jobs.h"

/* Into the tree of names, and the others as far as the job has an id and an order. 0 or -ENOMEM:
 * it is in none. */
int table_add(struct jobs *jobs, struct job *job);
void table_remove(struct jobs *jobs, struct job *job);
/* It has an id, or an order, now. Without memory it is not found by that; logged. */
void table_add_id(struct jobs *jobs, struct job *job);
void table_add_order(struct jobs *jobs, struct job *job);
void table_remove_order(struct jobs *jobs, struct job *job);

/* The newest take in memory; set.older leads on. */
struct job *table_find(struct jobs *jobs, const struct job_key *key);
/* One of this order; set.same_order leads on. */
struct job *table_find_order(struct jobs *jobs, const char *order);

#endif
