/* hook.h - the program that the configuration wants run when a job has ended. Before any thread. */
#ifndef KINOFS_CONFIG_HOOK_H
#define KINOFS_CONFIG_HOOK_H

#include <cjson/cJSON.h>

/* The program and its arguments, then NULL, of a list of strings; the program's path is as that of
 * a key file (keys.h). It must be a program that nobody else may write (trust.h): it may do all
 * that kinofs may. file: the configuration. The caller frees, by hook_words_free(). 0 or -errno,
 * logged; *words is NULL then. */
int hook_read(const char *file, const cJSON *list, char ***words);
void hook_words_free(char **words);

#endif
