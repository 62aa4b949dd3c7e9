/* format.h - printf(3) into a new string. Any thread may call. */
#ifndef KINOFS_BASE_FORMAT_H
#define KINOFS_BASE_FORMAT_H

/* The caller frees. NULL: no memory; unlike with asprintf(3) there is then nothing undefined. */
char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

#endif
