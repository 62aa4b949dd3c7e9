/*
 * secret.h - the key, taken out of what a server says: one that repeats it, as in
 * "Incorrect API key provided: …", must not put it into the journal, a note, an
 * event or the log. Pure; any thread may call.
 */
#ifndef KINOFS_NET_SECRET_H
#define KINOFS_NET_SECRET_H

#include <stddef.h>

/* Overwrites the key with '*' wherever it stands in these bytes, each character of it as itself (in
 * either case), as %XX or as \uXXXX: so do JSON, JSON inside JSON and URLs spell it. Not in base64:
 * kinofs sends it as it is (Bearer), so nothing that a server has to repeat is coded so. A key
 * under 16 characters may be a word of the answer by chance, and is left. key: NULL: none. */
void secret_hide(char *text, size_t bytes, const char *key);

#endif
