/* renew.h - other keys and caps while jobs are under way. Engine thread. */
#ifndef KINOFS_ENGINE_RENEW_H
#define KINOFS_ENGINE_RENEW_H

struct config;
struct engine;

/* Takes them from fresh (config_renew()), and looks again at every job that is held for want of a
 * key, by a provider that refused the old one, or by a cap: it goes, or its note says what is now.
 * 0 or -EIO: the journal cannot be written, and nothing has changed. */
int renew(struct engine *engine, struct config *fresh);

#endif
