/* version.h - which kinofs this is. */
#ifndef KINOFS_BASE_VERSION_H
#define KINOFS_BASE_VERSION_H

#define VERSION "1.0"

#endif
