/* keys.h - where keys come from, and files that others must not write or read. One thread at a
 * time; the first key_find(), which changes the environment, before there is a second one. */
#ifndef KINOFS_CONFIG_KEYS_H
#define KINOFS_CONFIG_KEYS_H

#include "fs/net/provider.h"

enum privacy {
	PRIVACY_GIVEN,   /* whoever gave it guards it */
	PRIVACY_TRUSTED, /* nobody else may have written it */
	PRIVACY_SECRET,  /* nor may read it */
};

/* A small file as text; the caller frees it, by key_wipe() if it may be a key. 0, or -errno: -EFBIG
 * over LIMIT_CONFIG_BYTES. Logged, but for -ENOENT. */
int private_read(const char *path, enum privacy privacy, char **text);

/* The key of a provider, if there is one: from its variables in the environment, which are removed,
 * else from the file that the configuration `file` names (NULL: none; "~/…" is in the home folder,
 * what does not begin with a slash beside the configuration), else from systemd. Sets key and
 * key_given. 0 or -errno, logged. The caller wipes the key either way. */
int key_find(const struct provider *provider, const char *file, const char *key_file,
	struct account *account);

/* Where the file is that a configuration of this path calls key_file. The caller frees. NULL: no
 * memory. */
char *key_path(const char *file, const char *key_file);

/* A key goes into a header: only visible ASCII (RFC 6750). 0, or -EINVAL, logged. */
int key_check(const struct provider *provider, const char *key);

/* Forgets a key, or what may be one. */
void key_wipe(char *key);

#endif
