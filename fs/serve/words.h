/* words.h - the words of -o: ours, those that only fstab(5) knows, and libfuse's. Before any
 * thread. */
#ifndef KINOFS_SERVE_WORDS_H
#define KINOFS_SERVE_WORDS_H

#include "fs/serve/serve.h"

/* Takes what a list of words says, which it cuts up: words separated by commas. 0, -ENOMEM, or
 * -EINVAL, logged: a value is wrong, or a word is a slip of one of ours. Others are for libfuse to
 * judge. */
int words_read(char *list, struct serve_options *options);

#endif
