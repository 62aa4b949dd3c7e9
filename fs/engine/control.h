/*
 * control.h - what a user can order: lines written to .kinofs/ctl, removing a
 * record, and other keys and caps. Any thread may call; waits for the engine, which answers without
 * the network.
 */
#ifndef KINOFS_ENGINE_CONTROL_H
#define KINOFS_ENGINE_CONTROL_H

struct config;
struct control;
struct inbox;
struct person;

/* NULL: no memory. The inbox must outlive it. */
struct control *control_new(struct inbox *inbox);
void control_free(struct control *control);

/* One line: "retry [-n N] PATH", "cancel PATH", "release PATH" or "find PATH" (orders.h). 0 with
 * *answer (the caller frees; a sentence for a person), or -EINVAL, -ENOENT, -EBUSY, -EACCES with
 * *answer saying why and what to do. asker: who wants it, NULL: whoever may all (owner.h). */
int control_run(
	struct control *control, const char *line, const struct person *asker, char **answer);

/* rm jobs/[DIR/]STEM.json: cancels a job not yet submitted, forgets one that has ended. Durable
 * when it returns. 0, -ENOENT, -EACCES, -EBUSY while it is in between. */
int control_forget(struct control *control, const char *model, const char *dir, const char *stem,
	const struct person *asker);

/* Its keys and caps are in force from now on, and it has the old ones (config_renew()). Who is not
 * a thread that serves requests may call, too. 0; or -EIO: the journal cannot be written now, or
 * the engine ends, and nothing has changed. */
int control_renew(struct control *control, struct config *fresh);

#endif
