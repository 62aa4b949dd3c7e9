/* kind.h - pictures, films and sounds, by what names them. Pure, any thread. */
#ifndef KINOFS_SPEC_KIND_H
#define KINOFS_SPEC_KIND_H

#include "spec/model.h"

/* Of "image/png" …; 0: of no kind. */
unsigned int media_kind_of_type(const char *type);
/* Of a file of this name, by its suffix (.png .jpg .jpeg .webp, .mp4 .mov .webm .mkv, .mp3 .wav
 * .m4a .flac .ogg .aac); *suffix: where it begins. 0: of no kind. */
unsigned int media_kind_of_name(const char *name, size_t length, size_t *suffix);
/* "picture", "film", "sound"; "file" for several. */
const char *media_noun(unsigned int kinds);
/* The suffix to name as an example: ".png", ".mp4", ".mp3". */
const char *media_suffix(unsigned int kinds);
/* Bytes that a local file of the field may have. */
size_t media_limit(const struct model_field *field);

#endif
