/*
 * waiting.h - jobs that were not sent yet and that a file outside of their own
 * name concerns: a picture that they wait for or were rejected for, and the
 * defaults.json that they were judged with. Engine thread.
 */
#ifndef KINOFS_ENGINE_WAITING_H
#define KINOFS_ENGINE_WAITING_H

struct engine;
struct place;

/* The file at this path was saved, or, for defaults.json, is gone: the jobs that it concerns are
 * judged anew. */
void waiting_came(struct engine *engine, const struct place *place, const char *path);

#endif
