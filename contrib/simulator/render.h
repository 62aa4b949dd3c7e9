/* render.h - films, pictures and sounds out of a prompt and up to two pictures: ffmpeg, two at a
 * time. */
#ifndef KINOFS_CONTRIB_SIMULATOR_RENDER_H
#define KINOFS_CONTRIB_SIMULATOR_RENDER_H

#include "contrib/simulator/picture.h"
#include "contrib/simulator/tasks.h"

/* A picture of a scene: ours to draw, or only its address (nothing is ever fetched from outside),
 * or neither. */
struct source {
	struct picture *picture;
	char *url;
};

struct scene {
	char *prompt;
	struct source first, last;
};

/* Takes the scene. Sets task->video at once (a clip) or later. Called under sim.lock. */
void render_submit(struct task *task, struct scene *scene);
void scene_free(struct scene *scene);
void source_free(struct source *source);

int render_start(void); /* 0 or -errno */
void render_stop(void); /* kills what runs; without sim.lock */

/* One result of a task. */
struct shot {
	const struct task *task;
	const struct scene *scene;
	size_t number;         /* of the result */
	const char *directory; /* the command runs there, and files are named relative to it */
	bool with_text;        /* false: there is no font */
};

/* render_ffmpeg.c: the command for a shot, which writes part.TYPE. */
struct command {
	char *arguments[64]; /* NULL at the end */
};

/* 0 or -errno. Writes the caption and label files below the directory. */
int command_build(struct command *command, const struct shot *shot);
void command_free(struct command *command);

/* caption.c: text broken into at most `lines` lines of `columns`; malloc'ed. */
char *caption_wrap(const char *text, int columns, int lines);
/* The first character a plain Latin, Greek or Cyrillic font may lack, 0: none. */
unsigned int caption_rare(const char *text);

#endif
