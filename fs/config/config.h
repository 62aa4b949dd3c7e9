/*
 * config.h - the configuration: accounts, keys, caps. Read before the mount, and its keys and caps
 * again on SIGHUP (fs/serve/renew.h): from the engine's start on these are its thread's. All else
 * is immutable then, and any thread may read it.
 */
#ifndef KINOFS_CONFIG_CONFIG_H
#define KINOFS_CONFIG_CONFIG_H

#include "fs/net/provider.h"

struct caps { /* 0: no limit */
	int64_t jobs_per_day;
	double credits_per_day, credits_per_month, credits_per_job;
};

#define DEFAULT_JOBS_PER_DAY 100 /* so that a cp -r of the wrong folder stays cheap */

/* What films that come say of themselves (fs/net/provenance.h). */
enum provenance_mode {
	PROVENANCE_OFF,  /* nothing */
	PROVENANCE_MARK, /* that a model made them, which, where, by which task */
	PROVENANCE_FULL, /* also the prompt and the rest of the request */
};

struct config {
	char *file;                        /* where it stands, absolute; NULL: there was none */
	struct account account[PROVIDERS]; /* in the order of provider_at() */
	struct caps caps;
	int64_t settle_ms;
	int64_t settle_alone_ms; /* of a prompt that may still get a picture */
	char **hook;             /* hook.h; NULL: none */
	enum provenance_mode provenance;
	bool simulated; /* there is no provider: films are drawn for a test */
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
/* Takes caps and keys from another reading of the configuration, which gets the old ones. A key
 * from the environment stays; so does one of an account with another URL by now, for the new one
 * must not go to the old URL: that is logged. */
void config_renew(struct config *config, struct config *fresh);

const struct account *config_account(const struct config *config, const struct provider *provider);

#endif
