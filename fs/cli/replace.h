/* replace.h - a file of the user's configuration, written whole or not at all. Any thread. */
#ifndef KINOFS_CLI_REPLACE_H
#define KINOFS_CLI_REPLACE_H

#include <sys/types.h>

/* Writes the text beside the path (to PATH.new), and puts that in its place once it is durable;
 * makes the folders on the way. It never has more rights than mode. 0 or -errno. */
int file_replace(const char *path, const char *text, mode_t mode);

#endif
