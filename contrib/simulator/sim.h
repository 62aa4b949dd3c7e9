/*
 * sim.h - what every part of the simulator shares: options, limits, clean-up, small helpers.
 *
 * The simulator is its own reading of the providers' pages: of fs/ and spec/ it uses nothing but
 * the bytes of the model files, so that a mistake there is not made twice and hidden.
 *
 * Threads: the HTTP thread runs every handler with sim.lock held; two render threads take the lock
 * only to pick a job and to report its end; the clock thread of server.c knows connections only.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_SIM_H
#define KINOFS_CONTRIB_SIMULATOR_SIM_H

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define SIM_BODY_BYTES    ((size_t)64 << 20) /* of one request */
#define SIM_FAULTS_BYTES  ((size_t)1 << 20)  /* of a file of rules */
#define SIM_TASKS         1000000            /* created in one run */
#define SIM_RESULTS       8                  /* of one task */
#define SIM_CONNECTIONS   4096
#define SIM_IDLE_SECONDS  120                /* a connection that says nothing is closed */
#define SIM_LINK_SECONDS  3600               /* a PPInfra result link, fs/net/API.md 7.3 */
#define SIM_FRESH_SECONDS 1200               /* a link of common/download-url, fs/net/API.md 4 */
#define SIM_PICTURE_KIE   ((size_t)10 << 20) /* fs/net/API.md 6.1; unless the model says more */
#define SIM_PICTURE_PP    ((size_t)20 << 20) /* fs/net/API.md 7.2, INFERRED */
#define SIM_KEPT_SECONDS  (14 * 86400.0)     /* a result, fs/net/API.md 1.4 */
#define SIM_RATE_SECONDS  10.0               /* the window of --rate, fs/net/API.md 1.4 */

struct sim {
	/* Constant once the server runs. */
	int port;
	double seconds;       /* how long a task runs */
	int rate;             /* creates in 10 s, 0: any number */
	const char *clips[3]; /* served instead of rendering, by enum kind of models.h; or NULL */
	const char *log;
	const char *faults;
	const char *catalogue; /* a file, see catalogue.h; NULL: of the models served */
	const char *models;    /* a folder of more model files, or NULL */
	const char *state;     /* NULL: nothing outlives the process */
	char *directory; /* holds pictures and videos, removed at the end unless it is of state */
	char base[48];   /* http://127.0.0.1:PORT */
	int last_port;   /* of the run before, 0: none */
	unsigned char key[32]; /* signs result links */

	/* Under lock. */
	pthread_mutex_t lock;
	double credits;
	bool keeps; /* at the end of a run with --state: files outlive what speaks of them */
};

extern struct sim sim;

#define HEX_SHA256 65 /* 64 digits and NUL */

double now_seconds(void); /* since the epoch */
void random_bytes(void *bytes, size_t count);
void random_hex(char *hex, size_t digits); /* writes digits + 1 bytes */
void sha256_hex(const void *bytes, size_t count, char hex[HEX_SHA256]);
void to_hex(const void *bytes, size_t digits, char *hex); /* writes digits + 1 bytes */
/* HMAC-SHA1 under sim.key, as 40 hex digits: the signature of a result link. */
void sign_hex(const char *text, char hex[41]);
/* NULL when the text is not base64; else malloc'ed bytes. */
unsigned char *base64_bytes(const char *text, size_t *ret_count);
void remove_tree(const char *path); /* what cannot go is named on stderr */
/* Unicode characters of UTF-8 text, -1 when it is not UTF-8. */
long text_length(const char *text);

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_JSON __attribute__((cleanup(cleanup_json)))

#endif
