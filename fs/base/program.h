/* program.h - programs that are run by their name. Any thread may call. */
#ifndef KINOFS_BASE_PROGRAM_H
#define KINOFS_BASE_PROGRAM_H

#include <stdbool.h>

/* Whether execvp(3) would find a program of this name; false also without memory. */
bool program_exists(const char *name);

#endif
