/*
 * makes.h - what a model makes: a mask of kinds, from "x-kinofs-result" in its file. Pure, any
 * thread.
 */
#ifndef KINOFS_SPEC_MAKES_H
#define KINOFS_SPEC_MAKES_H

#include <cjson/cJSON.h>

enum result_kind { RESULT_VIDEO = 1, RESULT_IMAGE = 2, RESULT_AUDIO = 4 };

/* "video", "image", "audio", or a list of these; absent (NULL): a video. 0: it is none of that. */
unsigned int makes_read(const cJSON *said);

/* What to call one of them: "video", "picture", "sound"; "result" where it may be this or that.
 * Static. */
const char *makes_noun(unsigned int kinds);

/* What its prompt says, after "write": "what the video shall show", "what shall be heard". Static.
 */
const char *makes_wish(unsigned int kinds);

/* How the name of one ends in an example: "mp4", "png", "mp3". Static. */
const char *makes_suffix(unsigned int kinds);

#endif
