/*
 * submit.h - from queued to accepted. Engine thread. fs/README.md 2, invariants
 * 1 to 3 and 12, are kept here and in http.h (`once`).
 */
#ifndef KINOFS_ENGINE_SUBMIT_H
#define KINOFS_ENGINE_SUBMIT_H

struct engine;
struct job;

/* What is done once it is durable that a job has this state. */
void enter_held(struct engine *engine, struct job *job);
void enter_queued(struct engine *engine, struct job *job);
void enter_uploading(struct engine *engine, struct job *job);
void enter_submitting(struct engine *engine, struct job *job);
/* Its turn has come: for its next picture, or for the create. */
void submit_upload(struct engine *engine, struct job *job);
void submit_create(struct engine *engine, struct job *job);
/* The engine ends before the request of a job was begun. */
void submit_unsent(struct job *job);

#endif
