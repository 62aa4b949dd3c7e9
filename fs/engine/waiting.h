/*
 * waiting.h - jobs that wait for a file of any name, were rejected for one, or
 * were judged with a defaults.json that is another now. Engine thread.
 */
#ifndef KINOFS_ENGINE_WAITING_H
#define KINOFS_ENGINE_WAITING_H

struct engine;
struct place;

/* A file has come, or (defaults.json) gone: the jobs that may be the better for it are judged. */
void waiting_came(struct engine *engine, const struct place *place, const char *path);

#endif
