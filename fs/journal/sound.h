/* sound.h - whether a journal is damaged. For main, before the journal is opened. */
#ifndef KINOFS_JOURNAL_SOUND_H
#define KINOFS_JOURNAL_SOUND_H

#include <stdbool.h>

/* Whether the journal at this path shows no damage, itself or its write-ahead log; not a byte of
 * either is changed. A large one is not read whole, for that takes longer than a start may, unless
 * damage was met before. One that is not there, or cannot be read at all now, shows none. */
bool sound_check(const char *path);

/* Damage was met in a journal that is in use: the next check reads all of it. Any thread. */
void sound_suspect(const char *path);

#endif
