/*
 * tasks.h - every task created in this run. All under sim.lock.
 *
 * A task is TASK_WAITING, then TASK_GENERATING, and ends in TASK_SUCCESS or TASK_FAIL. Nothing
 * moves it but looking: task_settle() compares the clock with its due time. It is a success when
 * it is due and its video is ready; it is billed then, and only then (fs/net/API.md 9).
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_TASKS_H
#define KINOFS_CONTRIB_SIMULATOR_TASKS_H

#include "contrib/simulator/models.h"

enum task_state {
	TASK_WAITING,
	TASK_GENERATING,
	TASK_SUCCESS,
	TASK_FAIL,
};

#define TASK_STATES 4

enum video {
	VIDEO_PENDING,
	VIDEO_READY,
	VIDEO_FAILED,
};

struct task {
	char id[40]; /* kie.ai: 32 hex digits; PPInfra: a UUID */
	enum provider provider;
	char *model; /* its name in the request */
	enum task_state state;
	enum video video;                  /* whether its results are made */
	double created, due, ready, ended; /* seconds since the epoch; ready: the video */
	double price;
	const char *results[SIM_RESULTS]; /* their file types: "mp4" */
	size_t result_count;
	int seconds;        /* of a video or sound */
	char resolution[8]; /* one of the model's choices: at most "1080P" */
	char *param;        /* the request as kie.ai echoes it, NULL for PPInfra */
	char *reason;       /* why it fails, NULL: it does not */
	char prompt_sha256[HEX_SHA256];
	bool expired; /* its links answer 403 until the next poll */
	struct task *next;
};

/* Takes param. NULL: no memory, or SIM_TASKS reached. */
struct task *task_create(const struct job *job, char *param);
/* One of the run before, filled in; takes it. False: there is no room, or it is there already. */
bool task_restore(struct task *task);
/* Drops the ended tasks created before this time, and their videos. */
void tasks_forget(double before);
void task_free(struct task *task); /* one that is in no table */
struct task *task_find(enum provider provider, const char *id);
struct task *task_find_any(const char *id); /* of either */
const struct task *task_first(void);        /* in the order of creation, along .next */
void task_settle(struct task *task);
void tasks_settle(void);
/* The task will fail with this reason, at its due time or at once. An ended task stays as it is. */
void task_doom(struct task *task, const char *reason, bool at_once);
/* Enough credits for one more task of this price, beside those already running? */
bool credits_suffice(double price);
void tasks_count(unsigned int ret_counts[TASK_STATES]);
void tasks_free(void);

extern const char *const task_state_names[TASK_STATES]; /* kie.ai's words */

#endif
