/* nearest.h - "did you mean …?": the known name nearest to a wrong one. Pure, any thread. */
#ifndef KINOFS_SPEC_NEAREST_H
#define KINOFS_SPEC_NEAREST_H

#include <stddef.h>

/* The name that `wrong` is a slip of, or a longer or shorter form of; NULL: none is near. */
const char *nearest_name(const char *wrong, const char *const *names, size_t count);

#endif
