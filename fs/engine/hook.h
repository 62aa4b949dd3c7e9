/*
 * hook.h - a program of the user's, run for each take that has come to an end.
 * Threads of their own do it, a few at a time, in the order of the ends; they
 * are started when there is the first. What a program does, or fails to do, has
 * no effect on any job.
 *
 * Each end is told at most once: what was not run when kinofs ends is not run
 * later, for it would tell of something long past. Who must not miss anything
 * reads events.jsonl by its numbers.
 */
#ifndef KINOFS_ENGINE_HOOK_H
#define KINOFS_ENGINE_HOOK_H

#define HOOK_LIMIT_MS 60000

struct hook;
struct job;
struct view;

/* words: the program by its absolute path, its arguments, NULL; NULL: there is none, and so is
 * *hook. All must outlive it. 0 or -errno. */
int hook_new(char *const *words, const char *mountpoint, struct view *view, struct hook **hook);
/* Any of these may be given NULL. */
/* The engine's thread: the end of this take is durable. */
void hook_tell(struct hook *hook, const struct job *job);
/* Nothing is told any more: what runs is ended, what waits is not run. */
void hook_stop(struct hook *hook);
void hook_free(struct hook *hook);
/* How many ends wait to be told. Any thread. */
int hook_waiting(struct hook *hook);

#endif
