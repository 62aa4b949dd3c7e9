/* trust.h - whose word kinofs takes. Any thread. */
#ifndef KINOFS_CONFIG_TRUST_H
#define KINOFS_CONFIG_TRUST_H

#include <sys/stat.h>

/* Whether nobody but root and who runs kinofs can have changed this file or folder: whoever writes
 * the configuration decides where the keys go. 0, or -EPERM with what to do logged. */
int trust_check(const char *path, const struct stat *info);

#endif
