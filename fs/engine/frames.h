/*
 * frames.h - frames of films, made when a job is about to be sent. A thread of
 * their own has ffmpeg make them, one at a time; it is started when there is the
 * first to be made. Engine thread.
 */
#ifndef KINOFS_ENGINE_FRAMES_H
#define KINOFS_ENGINE_FRAMES_H

#include "fs/engine/jobs.h"

struct frames;
struct inbox;

/* The inbox must outlive it. NULL: no memory, or no descriptor. Until frames_start() the engine's
 * thread does it all itself. */
struct frames *frames_new(struct inbox *inbox);
void frames_free(struct frames *frames);
void frames_start(struct frames *frames);
/* What is under way is given up. */
void frames_stop(struct frames *frames);

/* Whether all frames are there that are needed for what the job is about to do: for its next
 * upload, or for a request that holds them. false: it does not go on now. They are being made, and
 * then it does, keeping its place or turn; or it was held, rejected, or is judged anew. */
bool frames_are_ready(struct engine *engine, struct job *job);
/* MESSAGE_FRAMED: one was made, or could not be. */
void frames_came(struct engine *engine);
/* The job does not need them, or not now. */
void frames_drop(struct job *job);
/* The engine ends: nobody waits for frames any more. */
void frames_give_up(struct engine *engine);

#endif
