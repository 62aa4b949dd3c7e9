/*
 * config.h - the configuration: accounts, keys, caps. Read once before the
 * mount, immutable after; any thread may read.
 */
#ifndef KINOFS_CONFIG_CONFIG_H
#define KINOFS_CONFIG_CONFIG_H

#include "fs/net/provider.h"

struct caps { /* 0: no limit */
	int64_t jobs_per_day;
	double credits_per_day, credits_per_month, credits_per_job;
};

#define DEFAULT_JOBS_PER_DAY 100 /* so that a cp -r of the wrong folder stays cheap */

struct config {
	struct account account[PROVIDERS]; /* in the order of provider_at() */
	struct caps caps;
	int64_t settle_ms;
	int64_t settle_alone_ms; /* of a prompt that may still get a picture */
	char **hook;             /* hook.h; NULL: none */
};

/*
 * Reads the configuration: defaults, then the file (path NULL: in the usual place, where it may be
 * missing), then the environment. The file may be written by nobody else (trust.h). Keys come from
 * the environment, from which they are removed, from key files, which must have mode 0600, or from
 * systemd credentials. 0, or -errno with every problem logged in a sentence. config_clear() in any
 * case.
 */
int config_read(const char *path, struct config *config);
/* The same without looking for keys, in the environment or anywhere else. */
int config_read_keyless(const char *path, struct config *config);
void config_clear(struct config *config);

const struct account *config_account(const struct config *config, const struct provider *provider);

#endif
