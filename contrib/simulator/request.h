/*
 * request.h - one request, from its first byte to its answer.
 *
 * server.c collects it, route.c picks who answers and lets a fault interfere, a handler fills the
 * reply, server.c logs and sends it.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_REQUEST_H
#define KINOFS_CONTRIB_SIMULATOR_REQUEST_H

#include "contrib/simulator/faults.h"
#include "contrib/simulator/tasks.h"

#include <microhttpd.h>
#include <sys/types.h>

#define REPLY_HEADERS 4

enum ending {
	END_ANSWER,
	END_RESET,    /* the connection is reset without an answer */
	END_STALL,    /* the connection stays open without an answer */
	END_TRUNCATE, /* half of the body under the full length */
	END_HUGE,     /* a body without end */
};

struct reply {
	int status;
	int code; /* inside the body: kie.ai's or PPInfra's; -1: the body has none */
	const char *type;
	char *body; /* malloc'ed, NULL: the file */
	size_t length;
	int file; /* or -1 */
	off_t offset;
	struct {
		const char *name;
		char *value; /* malloc'ed */
	} headers[REPLY_HEADERS];
	enum ending ending;
	double delay; /* seconds */
};

struct request {
	struct MHD_Connection *connection;
	char *target; /* as sent: path and query */
	char *method;
	char *path; /* unescaped */
	double received;
	char *body; /* a NUL follows */
	size_t length, capacity;
	bool too_large;
	cJSON *json;        /* the body parsed, or NULL */
	cJSON *body_log;    /* what the log says of the body when that is not json */
	enum fault_on kind; /* or FAULT_ONS: none of them */
	struct task *task;  /* the one created, asked for or downloaded */
	const char *model;  /* for the rules, NULL: none */
	struct reply reply;
};

const char *request_header(const struct request *request, const char *name);
const char *request_argument(const struct request *request, const char *name);
const char *request_string(const struct request *request, const char *key); /* of json, or NULL */
/* The key of an Authorization header, NULL: none that a provider accepts. A bare key counts only
 * when asked for. Any key is good unless it contains the word "invalid". */
const char *request_key(const struct request *request, bool accept_bare);
void request_free(struct request *request);

/* Both replace the body. reply_json takes the value; NULL (no memory) becomes a bare 500. */
void reply_json(struct reply *reply, int status, int code, cJSON *value);
void reply_text(struct reply *reply, int status, const char *type, const char *text);
void reply_bytes(struct reply *reply, void *bytes, size_t count); /* takes bytes, keeps the rest */
/* A 200 with the whole file; 404 when there is none. */
void reply_file(struct reply *reply, const char *path, const char *type);
void reply_header(struct reply *reply, const char *name, const char *value);

#endif
